"""Cedar: three answers out of two questions, their grounds, and what is refused at load."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from pydantic import BaseModel

from kernos.adapters.cedar.policy import CedarPolicy
from kernos.vocabulary.contract import Codec, ToolContract
from kernos.vocabulary.errors import BadConfiguration, Bug
from kernos.vocabulary.gate import Answer, Decision, Request
from kernos.vocabulary.ids import PrincipalId, TenantId
from kernos.vocabulary.outcome import AttemptFailed, Effect
from kernos.vocabulary.quantities import Json


class Refund(BaseModel):
    order_id: str
    amount_cents: int
    note: str | None = None
    weight: float = 0.0


def _unused(value: object) -> Json:
    message = f"no policy encodes {value!r}"
    raise Bug(message)


async def _never(args: Json, call: object) -> Json | AttemptFailed:
    message = f"no policy performs {args!r} ({call!r})"
    raise Bug(message)


def _tool(name: str, effect: Effect, schema: object = None) -> ToolContract[object, object]:
    text = json.dumps(Refund.model_json_schema() if schema is None else schema)
    codec = Codec("Input", _unused, _unused, Json(text.encode()))
    return ToolContract(name, effect, codec, codec, _never)


TOOLS = (_tool("shop.refund", Effect.IDEMPOTENT), _tool("shop.find", Effect.READ), _tool("mail", Effect.ONCE))
EFFECTS = {tool.name: tool.effect for tool in TOOLS}
ARGS = {"order_id": "o1", "amount_cents": 4_000, "note": None, "weight": 1.5}


Load = Callable[[Mapping[str, str] | str], CedarPolicy]


@pytest.fixture(params=["cedarpy", "python"])
def load(request: pytest.FixtureRequest) -> Load:
    """Load policies with each engine in turn."""
    return lambda policies: CedarPolicy(policies, TOOLS, ["desk", "clerk"], ["small"], engine=request.param)


def _ask(policy: CedarPolicy, tool: str = "shop.refund", args: object = None, **over: Any) -> Decision:
    given: dict[str, Any] = {
        "agent": "desk",
        "agent_version": "3",
        "on_behalf_of": "person:ana",
        "tenant": "default",
        "depth": 0,
    } | over
    return policy.decide(
        Request(
            agent=given["agent"],
            agent_version=given["agent_version"],
            on_behalf_of=PrincipalId(given["on_behalf_of"]),
            tenant=TenantId(given["tenant"]),
            tool=tool,
            effect=EFFECTS.get(tool, Effect.READ),
            args=Json(json.dumps(ARGS if args is None else args).encode()),
            depth=given["depth"],
        )
    )


LADDER = """
@id("refunds") permit (principal, action == Action::"invoke", resource is shop::refund);
@id("small") permit (principal, action == Action::"unattended", resource is shop::refund)
when { resource.amount_cents <= 5000 };
@id("cap") forbid (principal, action, resource is shop::refund) when { resource.amount_cents > 100000 };
@id("night") forbid (principal, action == Action::"unattended", resource is shop::refund)
when { resource has note && resource.note like "*night*" };
"""


@pytest.mark.parametrize(
    ("change", "answer", "rules"),
    [
        ({}, Answer.ALLOW, ("refunds", "small")),
        ({"amount_cents": 5_001}, Answer.ASK, ("refunds",)),
        ({"note": "at night"}, Answer.ASK, ("night", "refunds")),
        ({"amount_cents": 100_001}, Answer.DENY, ("cap",)),
    ],
)
def test_two_questions_give_three_answers(
    load: Load, change: dict[str, Any], answer: Answer, rules: tuple[str, ...]
) -> None:
    decision = _ask(load(LADDER), args=ARGS | change)
    assert (decision.answer, decision.rules) == (answer, rules)


def test_what_no_policy_permits_is_denied(load: Load) -> None:
    decision = _ask(load(LADDER), "mail")
    assert (decision.answer, decision.rules, decision.reason) == (Answer.DENY, (), "no policy permits it")


def test_a_policy_without_an_id_is_called_by_its_place(load: Load) -> None:
    decision = _ask(load({"b.cedar": "permit (principal, action, resource is shop::refund);", "a.cedar": LADDER}))
    assert decision.rules == ("policy4", "refunds", "small")


def test_policies_see_the_agent_its_version_the_person_the_tenant_and_the_depth(load: Load) -> None:
    policy = load("""
        permit (principal == Agent::"desk", action, resource is shop::refund) when {
            principal.version == "3" && context.on_behalf_of == "person:ana" && context.tenant == "default"
            && context.depth < 2
        };
    """)
    assert _ask(policy).answer is Answer.ALLOW
    for other in (
        {"agent": "clerk"},
        {"agent_version": "4"},
        {"on_behalf_of": "person:bo"},
        {"tenant": "t2"},
        {"depth": 2},
    ):
        assert _ask(policy, **other).answer is Answer.DENY, other


def test_without_files_reads_and_models_go_on_alone_and_the_rest_waits_for_a_person(load: Load) -> None:
    policy = load({})
    assert _ask(policy, "shop.find").answer is Answer.ALLOW
    assert _ask(policy, "model", {"model": "small", "task": "triage"}).answer is Answer.ALLOW
    assert _ask(policy, "shop.refund").answer is Answer.ASK
    assert _ask(policy, "mail").answer is Answer.ASK


def test_the_default_policies_load_before_any_tool_is_declared(load: Load) -> None:
    assert CedarPolicy({}, [], [], []).digest() != load({}).digest()


def test_model_calls_are_told_apart_by_model_and_task(load: Load) -> None:
    policy = load("""
        permit (principal, action, resource == Model::"small") when { resource.task == "triage" };
    """)
    assert _ask(policy, "model", {"model": "small", "task": "triage"}).answer is Answer.ALLOW
    assert _ask(policy, "model", {"model": "small", "task": "draft"}).answer is Answer.DENY
    assert _ask(policy, "model", {"model": "large", "task": "triage"}).answer is Answer.DENY


def test_a_rule_for_reads_does_not_cover_models(load: Load) -> None:
    policy = load('permit (principal, action, resource in Effect::"read");')
    assert _ask(policy, "model", {"model": "small", "task": "triage"}).answer is Answer.DENY


def test_an_evaluation_error_denies_even_where_another_rule_permits(load: Load) -> None:
    policy = load("""
        permit (principal, action, resource is shop::refund);
        @id("sum") forbid (principal, action == Action::"unattended", resource is shop::refund)
        when { resource.amount_cents + 9223372036854775807 < 0 };
    """)
    decision = _ask(policy)
    assert decision.answer is Answer.DENY
    assert "sum" in decision.reason


@pytest.mark.parametrize("policies", [LADDER, "permit (principal, action, resource);"], ids=["asked", "kept"])
@pytest.mark.parametrize(
    ("args", "told"),
    [
        (ARGS | {"amount_cents": 2**63}, "64 bits"),
        (ARGS | {"amount_cents": -(2**63) - 1}, "64 bits"),
        (ARGS | {"amount_cents": "40"}, "shop.refund.amount_cents should be a Long"),
        (ARGS | {"amount_cents": True}, "it is a Bool"),
        (ARGS | {"amount_cents": 4.0}, "it is a number"),
        ({"order_id": "o1"}, "amount_cents is missing"),
        (["o1"], "should be an object"),
    ],
)
def test_arguments_that_do_not_fit_are_denied_whether_or_not_the_answer_is_kept(
    load: Load, policies: str, args: object, told: str
) -> None:
    policy = load(policies)
    assert _ask(policy).answer is Answer.ALLOW
    decision = _ask(policy, args=args)
    assert decision.answer is Answer.DENY
    assert told in decision.reason
    assert _ask(policy).answer is Answer.ALLOW


def test_a_reason_never_shows_an_argument(load: Load) -> None:
    assert "secret" not in _ask(load(LADDER), args=ARGS | {"amount_cents": "secret"}).reason


def test_arguments_that_are_no_json_are_denied(load: Load) -> None:
    request = Request("desk", "1", PrincipalId("person:ana"), TenantId("t"), "mail", Effect.ONCE, Json(b"{"))
    assert load({}).decide(request).answer is Answer.DENY


def test_every_fault_of_every_file_is_told_at_once_with_its_place_and_what_to_do(load: Load) -> None:
    with pytest.raises(BadConfiguration) as caught:
        load(
            {
                "a.cedar": '// head\n@id("one") permit (principal, action, resource is shop::nope);\n'
                '@id("two") permit (principal, action, resource is shop::refund)\n'
                "when { resource.amount > 1 };\n"
                '@id("two") permit (principal, action == Action::"invok", resource);\n'
                'permit (principal == Agent::"dseck", action, resource);\npermit (principal',
                "b.cedar": '@id("note") permit (principal, action, resource is mail) '
                'when { resource.note == "a;" };\n'
                "permit (principal == ?principal, action, resource);\n"
                'permit (principal, action, resource == mail::"7");\n'
                'permit (principal, action, resource == Model::"gpt");\n'
                "permit (principal, action, resource is mail) when { resource.weight == 1 };\n"
                'permit (principal, action, resource in Effect::"reed");\n',
            }
        )
    told = str(caught.value).splitlines()
    assert "12 faults" in told[0]
    for place, words in (
        ("a.cedar, line 2, policy one:", "the tools are: mail, shop::find, shop::refund"),
        ("a.cedar, line 3, policy two:", "its attributes are: amount_cents, note, order_id"),
        ("a.cedar, line 5, policy two:", "the actions are"),
        ("a.cedar, line 5, policy two:", "another policy has this id (a.cedar, line 3)"),
        ("a.cedar, line 6, policy policy3:", "no agent is named 'dseck'; there are: clerk, desk"),
        ("a.cedar, line 7:", "correct the policy that begins there"),
        ("b.cedar, line 1, policy note:", "ask first whether it is there"),
        ("b.cedar, line 2, policy policy6:", "write the principal or resource out"),
        ("b.cedar, line 3, policy policy7:", "write `resource is mail`"),
        ("b.cedar, line 4, policy policy8:", "no model is named 'gpt'; there are: small"),
        ("b.cedar, line 5, policy policy9:", "weight: a number that may have a fraction"),
        ("b.cedar, line 6, policy policy10:", "reed"),
    ):
        assert any(line.strip().startswith(place) and words in line for line in told), (place, words, told)


def test_a_scope_that_fits_no_call_is_a_fault(load: Load) -> None:
    with pytest.raises(BadConfiguration, match="principals are agents"):
        load('permit (principal == Model::"small", action, resource);')


@pytest.mark.parametrize(
    "name", ["Shop.refund", "shop..refund", "shop-refund", "1st", "", "shop.refund ", "model", "like.it"]
)
def test_a_tool_that_policies_could_not_name_is_refused(name: str) -> None:
    with pytest.raises(BadConfiguration):
        CedarPolicy({}, [_tool(name, Effect.READ)], [], [])


def test_two_tools_that_policies_could_not_tell_apart_are_refused() -> None:
    with pytest.raises(BadConfiguration, match=r"shop\.refund"):
        CedarPolicy({}, [_tool("refund", Effect.READ), _tool("shop.refund", Effect.READ)], [], [])


def test_the_digest_depends_on_file_names_texts_and_schema_and_on_nothing_else(load: Load) -> None:
    policy = load({"a": LADDER, "b": "// nothing"})
    assert policy.digest() == load({"b": "// nothing", "a": LADDER}).digest()
    assert policy.digest() == CedarPolicy({"a": LADDER, "b": "// nothing"}, TOOLS[::-1], ["x"], []).digest()
    others = (
        load({"a": LADDER, "c": "// nothing"}),
        load({"a": LADDER, "b": "// nothing."}),
        CedarPolicy({"a": LADDER, "b": "// nothing"}, TOOLS[:2], [], []),
    )
    assert len({policy.digest(), *(other.digest() for other in others)}) == 4
