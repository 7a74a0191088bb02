"""Paying: what is recorded and answered for each thing that the treasury can say of a call, field by field."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from kernos.control import paying
from kernos.control.treasury import LOOK_AGAIN_MS, Bookings, NoRoom
from kernos.kernel.state import RunState
from kernos.vocabulary.budget import Account, Booking, Over, ReserveBudget, Unit, Warned
from kernos.vocabulary.commands import AnswerModel, AnswerRead, CallTool, Command, ForgoAction, UseApproval
from kernos.vocabulary.contract import ModelRequest, ToolCall
from kernos.vocabulary.events import ApprovalGranted
from kernos.vocabulary.gate import Decision
from kernos.vocabulary.ids import DEFAULT_TENANT, EpochMs, IdempotencyKey
from kernos.vocabulary.outcome import Effect, Failure
from kernos.vocabulary.quantities import Json, Usage
from kernos.vocabulary.questions import AskModel, Consult, Hold, Perform
from kernos.vocabulary.undo import Undone
from tests.behaviour.past import ALLOW, ARGS, ASK, DENY, LATER, NOW, ONE, asked, given, requested

ACCOUNT = Account(DEFAULT_TENANT, Over.AGENT, "desk", "1970-01-01", Unit.CALLS)
BOOKINGS = Bookings((Booking(ACCOUNT, 1, 2),), ("50 % of it",), (Warned(ACCOUNT, 50, 0),))
HELD = ReserveBudget(ONE, BOOKINGS.bookings, BOOKINGS.warnings, BOOKINGS.warned)
NOTHING = Bookings((), ())
FULL = Failure("over_budget", "no room")
QUESTION = AskModel("small", ModelRequest("count", "how", ARGS, Json(b"{}")), ARGS)
CALL = ToolCall("shop.look", IdempotencyKey("k"), 3, "desk", given(requested()).run, "", "", 1_000)
READ: Any = SimpleNamespace(name="shop.look")
REFUND: Any = SimpleNamespace(name="shop.refund", effect=Effect.ONCE)
UNDONE = Undone(IdempotencyKey("k"), "shop.pay", "desk", "1")
WAIT = Hold()


class Payer:
    """Notes what is recorded."""

    def __init__(self, state: RunState) -> None:
        self.state = state
        self.agent = None
        self.recorded: list[Command] = []

    def record(self, command: Command, cause: str = "") -> bool:
        assert cause == ""
        self.recorded.append(command)
        return True


class Says:
    """A treasury that says one thing."""

    def __init__(self, answer: Bookings | NoRoom | Failure | None, *, has_caps: bool = True) -> None:
        self._answer = answer
        self._has_caps = has_caps
        self.asked: list[tuple[object, ...]] = []

    def accounts(self, state: RunState, now: EpochMs) -> tuple[object, ...]:
        return ((ACCOUNT, 2),) if self._has_caps else ()

    def hold(self, *question: object) -> Bookings | NoRoom | Failure | None:
        self.asked.append(question)
        return self._answer

    hold_call = hold


def waits(times: list[EpochMs]) -> paying.PutsOff:
    def wait(at: EpochMs) -> Hold:
        times.append(at)
        return WAIT

    def stand_in_line() -> Hold:
        raise AssertionError("nobody here waits for room")

    return paying.PutsOff(wait, stand_in_line)


def consulted(answer: Bookings | NoRoom | Failure | None) -> tuple[object, list[Command], list[EpochMs]]:
    times: list[EpochMs] = []
    payer, says = Payer(given(requested())), Says(answer)
    found = paying.consult(says, payer, ONE, QUESTION, ALLOW, 3, NOW, waits(times))  # type: ignore[arg-type]
    assert says.asked == [(payer.state, QUESTION, NOW)]
    return found, payer.recorded, times


def looked(answer: Bookings | NoRoom | Failure | None) -> tuple[object, list[Command], list[EpochMs]]:
    times: list[EpochMs] = []
    payer, says = Payer(given(requested())), Says(answer)
    found = paying.read(says, payer, ONE, READ, ARGS, CALL, ALLOW, NOW, waits(times))  # type: ignore[arg-type]
    assert says.asked == [(payer.state, READ, ARGS, NOW)]
    return found, payer.recorded, times


def test_a_model_is_asked_once_what_it_may_use_is_held() -> None:
    assert consulted(BOOKINGS) == (Consult("small", QUESTION.request, 3, is_reserved=True), [HELD], [])
    assert consulted(NOTHING) == (Consult("small", QUESTION.request, 3), [], [])


def test_a_tool_is_read_once_what_it_may_use_is_held() -> None:
    assert looked(BOOKINGS) == (Perform(ARGS, CALL, leaves=False, is_reserved=True), [HELD], [])
    assert looked(NOTHING) == (Perform(ARGS, CALL, leaves=False), [], [])


def test_without_room_the_step_fails_after_the_attempts_that_were_made() -> None:
    failed = AnswerModel(ONE, "small", ARGS, ALLOW, Usage(), None, FULL, 2)
    assert consulted(FULL) == consulted(NoRoom(FULL, BOOKINGS.bookings)) == (None, [failed], [])
    assert looked(FULL) == (None, [AnswerRead(ONE, "shop.look", ARGS, ALLOW, None, FULL, 2)], [])


def test_what_is_on_its_way_is_waited_for_a_moment() -> None:
    again = EpochMs(NOW + LOOK_AGAIN_MS)
    assert LOOK_AGAIN_MS == 5
    assert consulted(None) == (WAIT, [], [again])
    assert looked(None) == (WAIT, [], [again])


# --- actions ------------------------------------------------------------------------------------------------------------


def called(gate: Decision = ALLOW) -> CallTool:
    return CallTool(ONE, "shop.refund", Effect.ONCE, ARGS, gate, "d1", NOW, LATER)


def used() -> UseApproval:
    return UseApproval(ONE, "d1", ASK, NOW)


def approved() -> RunState:
    """Return a run whose refund somebody said yes to."""
    return given(requested(), asked(effect=Effect.ONCE), ApprovalGranted(ONE, "d1"))


def acted(
    answer: Bookings | NoRoom | Failure | None,
    command: CallTool | UseApproval,
    state: RunState | None = None,
    *,
    tool: object = REFUND,
    has_caps: bool = True,
) -> tuple[object, list[Command], list[EpochMs]]:
    times: list[EpochMs] = []
    payer, says = Payer(state or given(requested())), Says(answer, has_caps=has_caps)
    found = paying.act(says, payer, tool, command, ARGS, UNDONE, waits(times))  # type: ignore[arg-type]
    assert says.asked in ([], [(payer.state, tool, ARGS, NOW)])
    return found, payer.recorded, times


@pytest.mark.parametrize("command", [called(), used()], ids=["call", "approved"])
def test_an_intent_takes_what_it_may_use_with_it(command: CallTool | UseApproval) -> None:
    state = approved() if isinstance(command, UseApproval) else None
    assert acted(BOOKINGS, command, state) == (None, [replace(command, held=HELD)], [])
    assert acted(NOTHING, command, state) == (None, [command], [])
    forgone = ForgoAction(ONE, "shop.refund", Effect.ONCE, ARGS, command.gate, FULL, 0, UNDONE)
    assert acted(FULL, command, state) == (None, [forgone], [])
    assert acted(None, command, state) == (WAIT, [], [EpochMs(NOW + LOOK_AGAIN_MS)])


@pytest.mark.parametrize("gate", [ASK, DENY], ids=["asks", "denied"])
def test_what_is_asked_or_denied_takes_nothing(gate: Decision) -> None:
    assert acted(FULL, called(gate)) == (None, [called(gate)], [])


def test_without_a_cap_or_a_tool_nobody_is_asked_for_room() -> None:
    assert acted(FULL, called(), has_caps=False) == (None, [called()], [])
    assert acted(FULL, called(), tool=None) == (None, [called()], [])
