"""The gate by itself: in which order it looks, that the stricter answer counts, and that every no says why."""

from dataclasses import replace
from typing import Annotated, Any

import pytest
from pydantic import BaseModel

from kernos import Context, Label, ToolCall, Undo, agent, tool
from kernos.control.gate import Gate, digest_of
from kernos.control.registry import Registry
from kernos.testing import ScriptedModel, TablePolicy
from kernos.vocabulary.contract import AgentContract
from kernos.vocabulary.events import RunRequested
from kernos.vocabulary.flow import Concern, Origin, Verdict
from kernos.vocabulary.gate import MODEL_TOOL, Answer, Decision, Request
from kernos.vocabulary.ids import DEFAULT_TENANT, EpochMs, IdempotencyKey, PrincipalId, TenantId
from kernos.vocabulary.outcome import Effect
from kernos.vocabulary.quantities import Json, Limits
from kernos.vocabulary.sealing import Carried, Handle
from kernos.vocabulary.undo import REVERT_AGENT, Undone

ANA = PrincipalId("person:ana")
REQUESTED = RunRequested("desk", "1", "", "refund", Json(b"{}"), DEFAULT_TENANT, Limits(), EpochMs(0))


class Refund(BaseModel):
    order: str
    email: Annotated[str, Label("pii.email")] = ""


@tool("till.charge", effect="idempotent")
def charge(asked: Refund, call: ToolCall) -> str:
    return "charged"


@tool("till.refund", effect="idempotent", compensate=Undo(charge, lambda asked: asked))
def refund(asked: Refund, call: ToolCall) -> str:
    return "refunded"


@tool("till.count", effect="read")
def count(asked: Refund, call: ToolCall) -> int:
    return 1


@agent("desk", tools=[refund])
async def desk(ctx: Context, asked: Refund) -> str:
    return await ctx.call(refund, asked)


@agent("counter", tools=[count])
async def counter(ctx: Context, asked: Refund) -> int:
    return await ctx.call(count, asked)


@agent(REVERT_AGENT)
async def reverting(ctx: Context, asked: Refund) -> None:
    return None


ALLOWING = TablePolicy({"till.refund": Answer.ALLOW, "till.charge": Answer.ALLOW, "till.count": Answer.DENY})
ARGS = Json(b'{"order":"A1"}')
DONE = Undone(IdempotencyKey("k"), "till.refund", "desk", "1")


def gate(policy: TablePolicy = ALLOWING) -> Gate:
    return Gate(Registry([desk, counter], {}, [reverting]), policy)


def decided(tool_name: str, args: Json = ARGS, who: AgentContract[Any, Any] = desk, **more: object) -> Decision:
    requested = replace(REQUESTED, grant=more.pop("grant", None))  # type: ignore[arg-type]
    return gate().decide_call(requested, ANA, who, tool_name, args, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(("tool_name", "more", "answer", "told"), [
    ("till.refund", {}, Answer.ALLOW, ""),
    ("till.count", {}, Answer.DENY, "agent desk does not declare the tool till.count (declared: till.refund)"),
    ("till.lend", {}, Answer.DENY, "agent desk does not declare the tool till.lend (declared: till.refund)"),
    ("till.charge", {}, Answer.DENY, "agent desk does not declare the tool till.charge (declared: till.refund)"),
    ("till.refund", {"who": reverting}, Answer.DENY, "agent kernos.revert does not declare the tool till.refund (declared: none)"),
    ("till.refund", {"grant": ("till.refund",)}, Answer.ALLOW, ""),
    ("till.refund", {"grant": ("till.count", "a.b")}, Answer.DENY,
     "the run was not granted the tool till.refund by whoever started it (granted: till.count, a.b)"),
    ("till.refund", {"grant": ()}, Answer.DENY, "the run was not granted the tool till.refund by whoever started it (granted: none)"),
    ("till.charge", {"who": reverting, "undoes": DONE}, Answer.ALLOW, ""),
    ("till.charge", {"who": desk, "undoes": DONE}, Answer.DENY, "till.charge is not what takes till.refund back"),
    ("till.refund", {"who": reverting, "undoes": DONE}, Answer.DENY, "till.refund is not what takes till.refund back"),
    ("till.charge", {"who": reverting, "undoes": replace(DONE, tool="till.count")}, Answer.DENY, "till.charge is not what takes till.count back"),
    ("till.charge", {"who": reverting, "undoes": replace(DONE, tool="till.gone")}, Answer.DENY, "till.charge is not what takes till.gone back"),
])  # fmt: skip
def test_a_call_is_one_that_was_declared_granted_or_takes_back_what_it_says(
    tool_name: str, more: dict[str, Any], answer: Answer, told: str
) -> None:
    decision = decided(tool_name, **more)
    assert (decision.answer, decision.reason) == (answer, told)


def test_arguments_that_do_not_fit_the_tool_are_denied_before_any_policy_is_asked() -> None:
    decision = decided("till.refund", Json(b'{"order":7}'))
    assert (decision.answer, decision.rules) == (Answer.DENY, ())
    assert decision.reason.startswith("the arguments do not fit till.refund: ")


class Noting(TablePolicy):
    """Notes what it is asked about."""

    def __init__(self) -> None:
        super().__init__({"till.charge": Answer.ALLOW, "till.refund": Answer.ALLOW})
        self.asked: list[Request] = []
        self.opened: list[tuple[str, bool, bool]] = []

    def decide(self, request: Request) -> Decision:
        self.asked.append(request)
        return super().decide(request)

    def decide_open(self, request: Request, carried: Carried) -> Decision:
        self.opened.append((carried.label, carried.is_declared, carried.is_own))
        no = carried.label == "pay.pan"
        return Decision(Answer.ASK if no else Answer.ALLOW, "set", ("r",), "no card" if no else "")


def test_an_undo_is_put_to_the_policies_in_the_name_of_the_agent_that_acted() -> None:
    policy = Noting()
    gate(policy).decide_call(
        REQUESTED, ANA, reverting, "till.charge", ARGS, replace(DONE, agent="old", agent_version="7")
    )
    (asked,) = policy.asked
    assert (asked.agent, asked.agent_version, asked.undo, asked.on_behalf_of) == ("old", "7", True, ANA)
    gate(policy).decide_call(replace(REQUESTED, depth=3), ANA, desk, "till.refund", ARGS)
    asked = policy.asked[-1]
    assert (asked.agent, asked.agent_version, asked.undo, asked.depth, asked.guest) == (
        "desk",
        desk.version,
        False,
        3,
        False,
    )


def test_every_labelled_value_in_the_arguments_has_to_be_let_out() -> None:
    policy = Noting()
    email, card = Handle("pii.email", "a" * 16, "b" * 26), Handle("pay.pan", "a" * 16, "c" * 26)
    args = Json(f'{{"order":"A1 {email}","email":"{email}"}}'.encode())
    assert gate(policy).decide_call(REQUESTED, ANA, desk, "till.refund", args).answer is Answer.ALLOW
    assert policy.opened == [("pii.email", False, False)], "it also stands where the tool does not declare it"
    both = Json(f'{{"order":"A1","email":"{email}, {card}"}}'.encode())
    decision = gate(policy).decide_call(REQUESTED, ANA, desk, "till.refund", both)
    assert (decision.answer, decision.reason) == (Answer.ASK, "no card")


CONCERN = Concern("target:b2", "order", "B2", Origin.MODEL, "nobody vouches for B2")
ASK, DENY = Verdict(Answer.ASK, (CONCERN,)), Verdict(Answer.DENY, (CONCERN,))
GRANTED = Verdict(Answer.ALLOW, (), ("order rests on standing grant g1",))


@pytest.mark.parametrize(("policy", "flow", "answer", "reasons"), [
    (Answer.ALLOW, Verdict(Answer.ALLOW), Answer.ALLOW, ""),
    (Answer.ALLOW, GRANTED, Answer.ALLOW, "order rests on standing grant g1"),
    (Answer.ASK, GRANTED, Answer.ASK, "the table says ask; order rests on standing grant g1"),
    (Answer.ALLOW, ASK, Answer.ASK, ASK.reason), (Answer.ALLOW, DENY, Answer.DENY, DENY.reason),
    (Answer.ALLOW, replace(GRANTED, grounds=("a", "b")), Answer.ALLOW, "a; b"),
    (Answer.ASK, ASK, Answer.ASK, f"{ASK.reason}; the table says ask"),
    (Answer.ASK, DENY, Answer.DENY, DENY.reason),
    (Answer.DENY, Verdict(Answer.ALLOW), Answer.DENY, "the table says deny"),
])  # fmt: skip
def test_the_stricter_of_policy_and_flow_counts_with_its_reasons(
    policy: Answer, flow: Verdict, answer: Answer, reasons: str
) -> None:
    decision = gate(TablePolicy({"till.refund": policy})).decide_call(
        REQUESTED, ANA, desk, "till.refund", ARGS, flow=flow
    )
    assert (decision.answer, decision.reason) == (answer, reasons)


def test_a_model_call_is_put_to_the_policies_with_what_it_is_asked_and_for_whom() -> None:
    policy = Noting()
    asked = replace(REQUESTED, depth=2, tenant=TenantId("north"))
    with_model = Gate(Registry([desk], {"small": ScriptedModel([])}, ()), policy)
    assert with_model.decide_model(asked, ANA, desk, "small", "read").answer is Answer.DENY, (
        "the table has no row for it"
    )
    (request,) = policy.asked
    assert (request.agent, request.agent_version, request.on_behalf_of) == ("desk", desk.version, ANA)
    assert (request.tenant, request.tool, request.effect, request.depth) == ("north", MODEL_TOOL, Effect.READ, 2)
    assert (request.args.text, request.known) == (b'{"model":"small","task":"read"}', None)


class Known:
    """What is known of a call."""

    def value(self, name: str) -> object:
        return name


def test_what_is_known_goes_with_each_question() -> None:
    policy, known = Noting(), Known()
    with_model = Gate(Registry([desk], {"small": ScriptedModel([])}, ()), policy)
    with_model.decide_model(REQUESTED, ANA, desk, "small", "read", known)
    with_model.decide_call(replace(REQUESTED, tenant=TenantId("north")), ANA, desk, "till.refund", ARGS, known=known)
    assert [one.known for one in policy.asked] == [known, known]
    call = policy.asked[1]
    assert (call.tool, call.effect, call.args, call.tenant) == ("till.refund", Effect.IDEMPOTENT, ARGS, "north")


def test_a_model_sees_the_values_whose_labels_a_rule_opens_to_it() -> None:
    policy = Noting()
    email, card = Handle("pii.email", "a" * 16, "b" * 26), Handle("pay.pan", "a" * 16, "c" * 26)
    args = Json(f'{{"text":"{email} {card} {email}"}}'.encode())
    seen = gate(policy).opened_to_model(REQUESTED, ANA, desk, "small", "read", args, Known())
    assert seen == {"pii.email"}
    assert policy.opened == [("pay.pan", False, False), ("pii.email", False, False)]
    assert gate(policy).opened_to_model(REQUESTED, ANA, desk, "small", "read", ARGS) == frozenset()


def test_a_decision_is_of_now_until_another_set_is_in_force() -> None:
    one, other = TablePolicy({"till.refund": Answer.ALLOW}), TablePolicy({"till.refund": Answer.ASK})
    looking = gate(one)
    before = looking.decide_call(REQUESTED, ANA, desk, "till.refund", ARGS)
    assert (before.answer, looking.is_of_now(before)) == (Answer.ALLOW, True)
    looking.enter(other)
    after = looking.decide_call(REQUESTED, ANA, desk, "till.refund", ARGS)
    assert (after.answer, looking.is_of_now(before), looking.is_of_now(after)) == (Answer.ASK, False, True)
    denied = looking.decide_call(REQUESTED, ANA, desk, "till.none", ARGS)
    assert (len(denied.policy_set), denied.rules, looking.is_of_now(denied)) == (16, (), True)


def test_a_model_that_nobody_registered_is_denied() -> None:
    decision = gate().decide_model(REQUESTED, ANA, desk, "large", "read")
    assert (decision.answer, decision.reason) == (Answer.DENY, "no model is named 'large' here (there are: none)")
    two = Gate(Registry([desk], {"small": ScriptedModel([]), "mid": ScriptedModel([])}, ()), ALLOWING)
    reason = two.decide_model(REQUESTED, ANA, desk, "large", "read").reason
    assert reason == "no model is named 'large' here (there are: mid, small)"


def nested(levels: int, inner: str = "1") -> Json:
    return Json(f"{'[' * levels}{inner}{']' * levels}".encode())


def test_arguments_that_differ_have_different_digests_however_deep_or_large_and_equal_ones_the_same() -> None:
    texts = [
        nested(100),
        nested(101),
        nested(101, "2"),
        nested(99, '{"a":1}'),
        nested(100, '{"a":1}'),
        nested(100, '{"a":2}'),
    ]
    numbers = [Json(b"9007199254740993"), Json(b"9007199254740992"), Json(b"9007199254740994"), Json(b"1")]
    flat = Json(b"[" + b",".join([b"[1]"] * 300) + b"]")
    digests = [digest_of(one) for one in (*texts, *numbers, flat)]
    assert len(set(digests)) == len(digests)
    assert digest_of(Json(b'{"b":1.0,"a":[]}')) == digest_of(Json(b'{ "a": [], "b": 1 }'))
    assert digest_of(Json(b'{"b":9007199254740993,"a":2}')) == digest_of(Json(b'{"a":2,"b":9007199254740993}'))
