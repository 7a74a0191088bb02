"""Edges of the policy adapter, for both engines: what is odd, too much or cannot be evaluated is denied or refused, and said."""

import json
from typing import Any

import pytest

from kernos.adapters.cedar.policy import _SLICES_MAX, CedarPolicy
from kernos.adapters.cedar.rules import read_texts
from kernos.adapters.cedar.schema import known_shapes
from kernos.adapters.cedar.shape import DoesNotFit, Scalar, SetOf, read_input
from kernos.vocabulary.circumstances import Declared, Known, RecordRead
from kernos.vocabulary.contract import Codec, ToolContract
from kernos.vocabulary.errors import BadConfiguration, Bug
from kernos.vocabulary.gate import MODEL_TOOL, Answer, Request
from kernos.vocabulary.ids import PrincipalId, TenantId
from kernos.vocabulary.outcome import AttemptFailed, Effect
from kernos.vocabulary.policies import BadPolicies, PossibleCall
from kernos.vocabulary.quantities import Json
from kernos.vocabulary.sealing import Carried

INPUT = {
    "type": "object",
    "properties": {"amount": {"type": "integer"}, "to": {"type": "string"}},
    "required": ["amount", "to"],
}
NOTED = {"type": "object", "properties": {"text": {"type": "string"}}}

both = pytest.mark.parametrize("engine", ["cedarpy", "python"])


def _unused(value: object) -> Json:
    message = f"no policy encodes {value!r}"
    raise Bug(message)


async def _never(args: Json, call: object) -> Json | AttemptFailed:
    message = f"no policy performs {args!r} ({call!r})"
    raise Bug(message)


def tool(name: str, effect: Effect = Effect.IDEMPOTENT, schema: object = None) -> ToolContract[object, object]:
    codec = Codec("Input", _unused, _unused, Json(json.dumps(schema or INPUT).encode()))
    return ToolContract(name, effect, codec, codec, _never)


def policy(text: str, engine: str, *tools: ToolContract[object, object]) -> CedarPolicy:
    return CedarPolicy(text, tools or [tool("mail.send")], ["desk", "clerk"], ["small", "m7"], engine=engine)


def request(name: str = "mail.send", known: Known | None = None, **args: object) -> Request:
    said = Json(json.dumps(args or {"amount": 5, "to": "ana"}).encode())
    return Request(
        "desk", "1", PrincipalId("person:ana"), TenantId("default"), name, Effect.IDEMPOTENT, said, known=known
    )


OPEN_OWN = 'permit(principal, action == Action::"open", resource) when { context.own && context.label == "pii.email" };'
EMAIL = Carried("pii.email", is_declared=True, is_own=True)


@both
def test_a_value_is_opened_where_a_rule_says_so_and_the_decision_names_it(engine: str) -> None:
    loaded = policy(f'@id("own") {OPEN_OWN}', engine)
    yes = loaded.decide_open(request(), EMAIL)
    assert (yes.answer, yes.rules, yes.policy_set) == (Answer.ALLOW, ("own",), loaded.digest()[:16])
    no = loaded.decide_open(request(), Carried("pii.email", is_declared=True))
    assert (no.answer, no.rules) == (Answer.DENY, ())
    assert "pii.email" in no.reason


@both
def test_a_value_is_not_opened_for_what_cannot_be_put_to_the_policies(engine: str) -> None:
    loaded = policy(OPEN_OWN, engine)
    for odd in (request("nobody.knows"), request(amount="five", to="ana"), request(amount=5)):
        answer = loaded.decide_open(odd, EMAIL)
        assert answer.answer is Answer.DENY
        assert "whether pii.email may be opened cannot be put to the policies: " in answer.reason


@both
def test_a_value_is_not_opened_where_a_rule_on_it_cannot_be_evaluated(engine: str) -> None:
    text = (
        OPEN_OWN
        + 'forbid(principal, action == Action::"open", resource is mail::send) when { resource.amount * 2 > 10 };'
    )
    loaded = policy(text, engine)
    assert loaded.decide_open(request(), EMAIL).answer is Answer.ALLOW
    answer = loaded.decide_open(request(amount=2**62, to="ana"), EMAIL)
    assert (answer.answer, answer.rules) == (Answer.DENY, ())
    assert answer.reason.startswith("a policy cannot be evaluated: ")


class Strange:
    """What is known of a call, of a form that nobody declared."""

    def value(self, name: str) -> object:
        return "noon"


@both
def test_a_call_is_denied_when_what_is_known_of_it_has_another_form_than_declared(engine: str) -> None:
    loaded = policy("permit(principal, action, resource) when { context.hour < 18 };", engine)
    answer = loaded.decide(request(known=Strange()))
    assert answer.answer is Answer.DENY
    assert answer.reason.startswith("what is known of the call cannot be put to the policies: ")


@both
def test_answers_stay_the_same_however_many_kinds_of_call_were_asked_about(engine: str) -> None:
    rules = 'permit(principal, action, resource) when { context.depth < 5 }; forbid(principal, action, resource == Model::"m7");'
    loaded = policy(
        rules + 'permit(principal, action == Action::"open", resource is Model) when { context.own };', engine
    )

    def model(number: int) -> Request:
        return request(MODEL_TOOL, model=f"m{number}", task="read")

    for number in range(_SLICES_MAX + 20):
        assert loaded.decide(model(number)).answer is (Answer.DENY if number == 7 else Answer.ALLOW)
        assert loaded.decide_open(model(number), EMAIL).answer is (Answer.DENY if number == 7 else Answer.ALLOW)
    assert loaded.decide(model(7)).answer is Answer.DENY
    assert len(loaded._slices) <= _SLICES_MAX
    assert len(loaded._openings) <= _SLICES_MAX


@pytest.mark.parametrize("condition", [
    '"a" == principal.version && false', "resource.amount > 1 && (true && false)", "true && true", 'ip("10.0.0.1", "10.0.0.2").isLoopback()',
    "ip(resource.to).isLoopback()", 'ip("nowhere").isLoopback()', 'decimal("1.23456").lessThan(decimal("1.0"))', 'ip("10.0.0.1").isLoopback()',
])  # fmt: skip
def test_both_engines_take_and_refuse_the_same(condition: str) -> None:
    text = f"permit(principal, action, resource is mail::send) when {{ {condition} }};"
    assert _refusal(text, "cedarpy") == _refusal(text, "python")


def _refusal(text: str, engine: str) -> bool:
    try:
        policy(text, engine)
    except BadPolicies:
        return True
    return False


@both
@pytest.mark.parametrize(("annotations", "told"), [
    ('@approvers("lead") @later("2 hours owner")', '@later("2 hours owner") is no chain; write @later("2h owner, 1d person:boss")'),
    ('@later("2h owner")', '@later says how many or which approvers there are, and @approvers("ROLE, ...") is missing'),
    ('@level("own-key")', "@level says how many or which approvers there are"),
    ('@approvers("lead, ")', '@approvers("lead, ") names no roles or people'),
    ('@approvers("lead") @quorum("0")', '@quorum("0") is no number of people from 1 to 20'),
    ('@approvers("lead") @quorum("21")', '@quorum("21") is no number of people from 1 to 20'),
    ('@approvers("lead") @quorum("two")', '@quorum("two") is no number of people'),
    ('@approvers("lead") @requester("must")', '@requester("must") says nothing'),
    ('@approvers("lead") @level("passkey")', '@level("passkey")'),
])  # fmt: skip
def test_a_rule_that_says_wrongly_whose_yes_it_wants_is_refused(engine: str, annotations: str, told: str) -> None:
    with pytest.raises(BadPolicies) as caught:
        policy(f"{annotations} permit(principal, action, resource);", engine)
    assert told in str(caught.value)


@both
def test_whose_yes_a_rule_wants_goes_with_the_question(engine: str) -> None:
    wanted = '@approvers("lead, person:bo") @quorum("20") @requester("may") @later("2h owner, 30m person:cy, 1d boss") @level("own-key")'
    text = f'@id("ask") {wanted} permit(principal, action == Action::"invoke", resource);'
    (requirement,) = policy(text, engine).decide(request()).requires
    assert (requirement.rule, requirement.approvers, requirement.quorum) == ("ask", ("lead", "person:bo"), 20)
    assert requirement.later == ((1_800_000, "person:cy"), (7_200_000, "owner"), (86_400_000, "boss"))
    assert requirement.is_requester_free
    assert requirement.wants_own_key


def test_rules_of_an_old_set_are_read_as_far_as_they_can_be() -> None:
    text = '@id("a") permit(principal, action, resource);\nforbid(principal action);\nforbid(principal, action, resource is gone::tool);'
    found = read_texts({"b.cedar": text})
    assert {name: rule.place.line for name, rule in found.items()} == {"a": 1, "policy2": 3}
    assert found["policy2"].text == "forbid(principal, action, resource is gone::tool);"


RESERVED = ("true", "false", "if", "then", "else", "in", "is", "like", "has")


@pytest.mark.parametrize(("name", "told"), [
    ("Shop.Refund", "write it as words of a-z, 0-9 and _ joined by dots"),
    (MODEL_TOOL, "this name stands for model calls; choose another"),
    *((f"shop.{word}", f"'{word}' is a reserved word of the policy language; choose another") for word in RESERVED),
    *((f"{word}.shop", f"'{word}' is a reserved word of the policy language; choose another") for word in RESERVED),
])  # fmt: skip
def test_a_tool_whose_name_policies_could_not_say_is_refused(name: str, told: str) -> None:
    with pytest.raises(BadConfiguration) as caught:
        policy("permit(principal, action, resource);", "python", tool(name))
    assert told in str(caught.value)


def test_a_tool_of_one_word_that_ends_another_ones_name_is_refused_and_longer_ends_are_not() -> None:
    with pytest.raises(
        BadConfiguration, match=r"'send': policies could not tell it from 'mail.send'; give it a first word"
    ):
        policy("permit(principal, action, resource);", "python", tool("send"), tool("mail.send"))
    policy("permit(principal, action, resource);", "python", tool("mail.send"), tool("my.mail.send"), tool("resend"))


def test_two_tools_of_one_name_are_refused() -> None:
    with pytest.raises(BadConfiguration, match=r"'mail.send': two tools have this name; rename one"):
        policy("permit(principal, action, resource);", "python", tool("mail.send"), tool("mail.send", schema=NOTED))


def test_a_record_read_by_tools_whose_answers_differ_is_refused() -> None:
    declared = Declared(records=(RecordRead("order", ("shop.order", "shop.old")),))
    with pytest.raises(
        BadConfiguration, match=r"record.order is what shop.order, shop.old answer, and their answers differ in form"
    ):
        known_shapes(declared, [tool("shop.order"), tool("shop.old", schema=NOTED)])
    assert known_shapes(declared, [tool("shop.order"), tool("shop.old")])["order"] == read_input(INPUT)


def test_an_argument_that_may_be_null_can_be_asked_for_where_it_is_there() -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": ["integer", "null"]}, "b": {"type": ["integer", "string"]}},
    }
    text = read_input(schema).text("")
    assert "a?: Long" in text
    assert "b" in text
    assert "a union of several types" in text


DEEP: dict[str, Any] = {"type": "integer"}
for _ in range(40):
    DEEP = {"type": "object", "properties": {"a": DEEP}}


@pytest.mark.parametrize(("schema", "told"), [
    (DEEP, "nested deeper than"),
    ({"type": "object", "properties": {"a": {}}}, "its type is open"),
    ({"type": "object", "properties": {"a": {"type": "number"}}}, "a number that may have a fraction"),
])  # fmt: skip
def test_what_policies_cannot_express_of_an_input_is_left_out_with_the_reason(
    schema: dict[str, Any], told: str
) -> None:
    assert told in read_input(schema).text("")


@both
def test_a_survey_tells_what_never_happens_what_is_always_asked_and_which_rules_are_idle(engine: str) -> None:
    text = """
        @id("read") permit(principal, action, resource is mail::find);
        @id("send") permit(principal == Agent::"desk", action == Action::"invoke", resource is mail::send);
        @id("shut") forbid(principal == Agent::"clerk", action == Action::"invoke", resource is mail::send);
        @id("vain") permit(principal == Agent::"clerk", action, resource is mail::send);
        @id("half") permit(principal == Agent::"clerk", action == Action::"unattended", resource is mail::drop);
        @id("none") permit(principal, action, resource is Model);
        @id("bare") forbid(principal, action == Action::"unattended", resource is mail::drop);
        @id("opens") permit(principal, action == Action::"open", resource is mail::drop);
    """
    tools = [tool("mail.find", Effect.READ), tool("mail.send"), tool("mail.drop")]
    calls = [PossibleCall(agent, one) for agent in ("desk", "clerk") for one in ("mail.find", "mail.send", "mail.drop")]
    found = policy(text, engine, *tools).survey(calls)
    assert {(one.agent, one.tool) for one in found.never} == {
        ("clerk", "mail.send"),
        ("clerk", "mail.drop"),
        ("desk", "mail.drop"),
    }
    assert [(one.agent, one.tool) for one in found.attended] == [("desk", "mail.send")]
    idle = {rule.id: why for rule, why in found.idle}
    assert idle == {
        "vain": "a rule without conditions forbids all that it permits",
        "half": "a rule without conditions forbids all that it permits",
        "none": "no agent that is declared here makes such a call",
    }
    half = '@id("half") permit(principal, action == Action::"unattended", resource is mail::drop);'
    (only,) = policy(half, engine, *tools).survey(calls).idle
    assert only[1] == 'it permits unattended what no rule permits at all: permit it for Action::"invoke" too'
    models = policy("permit(principal, action, resource is Model);", engine, *tools)
    assert models.survey([PossibleCall("desk", MODEL_TOOL, "small")]).never == ()


@both
def test_a_rule_that_matters_to_one_call_is_not_idle_because_it_is_forbidden_for_another(engine: str) -> None:
    text = (
        "permit(principal, action, resource is mail::send);"
        'forbid(principal == Agent::"desk", action, resource is mail::send);'
    )
    found = policy(text, engine).survey([PossibleCall(agent, "mail.send") for agent in ("clerk", "desk")])
    assert ([one.agent for one in found.never], found.idle) == (["desk"], ())


@both
def test_a_rule_that_is_nested_too_deep_is_refused_and_not_a_crash(engine: str) -> None:
    text = "permit(principal, action, resource) when { " + " && ".join(["true"] * 6_000) + " };"
    with pytest.raises(BadPolicies, match=r"policy.cedar, line 1"):
        policy(text, engine)


@both
def test_the_rules_of_a_set_are_told_as_they_are_written(engine: str) -> None:
    text = '@id("a")\npermit(principal, action, resource is mail::send);\n// Why.\nforbid(principal, action, resource) when { context.undo };'
    told = [(rule.id, rule.place.line, rule.text) for rule in policy(text, engine).rules()]
    assert told == [
        ("a", 1, '@id("a")\npermit(principal, action, resource is mail::send);'),
        ("policy1", 4, "forbid(principal, action, resource) when { context.undo };"),
    ]


def test_a_value_that_should_be_a_list_and_is_none_is_named_by_its_place_only() -> None:
    with pytest.raises(DoesNotFit, match=r"^tags should be a list, and it is a String$") as caught:
        SetOf(Scalar("String")).value("secret", "tags")
    assert "secret" not in str(caught.value)
    assert SetOf(Scalar("Long")).value([1, 2], "tags") == [1, 2]
