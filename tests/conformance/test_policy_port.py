"""Policy port: what the gate relies on, for each engine behind it."""

from collections.abc import Callable

import pytest

from kernos.adapters.cedar.policy import CedarPolicy
from kernos.ports.policy import Policy
from kernos.testing.policy import TablePolicy
from kernos.vocabulary.contract import Codec, ToolContract
from kernos.vocabulary.errors import Bug
from kernos.vocabulary.gate import Answer, Request
from kernos.vocabulary.ids import DEFAULT_TENANT, PrincipalId
from kernos.vocabulary.outcome import AttemptFailed, Effect
from kernos.vocabulary.quantities import Json

SCHEMA = Json(b'{"type":"object","properties":{"amount_cents":{"type":"integer"}},"required":["amount_cents"]}')


def _unused(value: object) -> Json:
    message = f"no policy encodes {value!r}"
    raise Bug(message)


async def _never(args: Json, call: object) -> Json | AttemptFailed:
    message = f"no policy performs {args!r} ({call!r})"
    raise Bug(message)


def _tool(name: str, effect: Effect) -> ToolContract[object, object]:
    codec = Codec("Amount", _unused, _unused, SCHEMA)
    return ToolContract(name, effect, codec, codec, _never)


def _request(tool: str, args: bytes = b'{"amount_cents":5}', effect: Effect = Effect.IDEMPOTENT) -> Request:
    return Request("desk", "1", PrincipalId("person:ana"), DEFAULT_TENANT, tool, effect, Json(args))


def _cedar(shift: str = "", engine: str = "cedarpy") -> Policy:
    text = f"""
        {shift}
        @id("free") permit (principal, action, resource is free);
        @id("asked") permit (principal, action == Action::"invoke", resource is asked);
        @id("denied") forbid (principal, action, resource is denied);
    """
    names = ("free", "asked", "denied")
    return CedarPolicy(text, [_tool(name, Effect.IDEMPOTENT) for name in names], ["desk"], [], engine=engine)


def _table(shift: str = "") -> Policy:
    table = {"free": Answer.ALLOW, "asked": Answer.ASK, "denied": Answer.DENY}
    return TablePolicy(table | ({"more": Answer.DENY} if shift else {}))


def _pure(shift: str = "") -> Policy:
    return _cedar(shift, "python")


engines = pytest.mark.parametrize("make", [_cedar, _pure, _table], ids=["cedar", "pure", "table"])


@engines
@pytest.mark.parametrize(("tool", "answer"), [("free", Answer.ALLOW), ("asked", Answer.ASK), ("denied", Answer.DENY)])
def test_each_answer_names_the_rule_that_gave_it(make: Callable[[], Policy], tool: str, answer: Answer) -> None:
    decision = make().decide(_request(tool))
    assert (decision.answer, decision.rules) == (answer, (tool,))


@engines
def test_an_unknown_tool_is_denied_with_a_reason(make: Callable[[], Policy]) -> None:
    decision = make().decide(_request("nobody.knows"))
    assert decision.answer is Answer.DENY
    assert "nobody.knows" in decision.reason
    assert decision.rules == ()


@engines
def test_whatever_is_not_allowed_has_a_reason(make: Callable[[], Policy]) -> None:
    policy = make()
    reasons = {tool: policy.decide(_request(tool)).reason for tool in ("free", "asked", "denied")}
    assert reasons["free"] == ""
    assert all(reasons[tool] for tool in ("asked", "denied"))


@engines
def test_every_decision_carries_the_beginning_of_the_digest(make: Callable[[], Policy]) -> None:
    policy = make()
    assert len(policy.digest()) == 64
    for tool in ("free", "asked", "denied", "nobody.knows"):
        assert policy.decide(_request(tool)).policy_set == policy.digest()[:16]


@engines
def test_equal_sets_have_equal_digests_and_other_sets_others(make: Callable[..., Policy]) -> None:
    assert make().digest() == make().digest()
    assert make("// one more line").digest() != make().digest()


@engines
def test_the_same_question_gets_the_same_answer(make: Callable[[], Policy]) -> None:
    policy = make()
    assert policy.decide(_request("asked")) == policy.decide(_request("asked")) == make().decide(_request("asked"))
