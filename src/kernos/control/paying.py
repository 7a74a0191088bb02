"""Paying: how a call begins that a cap counts: once what it may use is held; without room it waits where its agent wants that, else it fails, and nothing is sent."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

from kernos.control.surroundings import Surroundings
from kernos.control.treasury import LOOK_AGAIN_MS, Bookings, NoRoom, Treasury
from kernos.kernel.decide import decide
from kernos.kernel.state import RunState, Turn
from kernos.vocabulary.budget import ReserveBudget
from kernos.vocabulary.commands import AnswerModel, AnswerRead, CallTool, Command, ForgoAction, UseApproval
from kernos.vocabulary.contract import AgentContract, ToolCall, ToolContract
from kernos.vocabulary.events import ActionIntended
from kernos.vocabulary.gate import Decision
from kernos.vocabulary.ids import EpochMs, StepName
from kernos.vocabulary.outcome import Failure
from kernos.vocabulary.quantities import Json, Usage
from kernos.vocabulary.questions import AskModel, Consult, Hold, Perform, Reply
from kernos.vocabulary.room import AwaitRoom
from kernos.vocabulary.undo import Undone


@dataclass(frozen=True, slots=True)
class PutsOff:
    """Looks at a step again: `until` a time, or `in_turn`, once there is room for it."""

    until: Callable[[EpochMs], Hold]
    in_turn: Callable[[], Hold]


class Payer(Protocol):
    """The session, as paying sees it."""

    state: RunState
    shared: Surroundings
    agent: AgentContract[Any, Any] | None

    def record(self, command: Command, cause: str = "") -> bool:
        """Apply a command of the run's own code."""
        ...


def consult(
    treasury: Treasury,
    session: Payer,
    name: StepName,
    question: AskModel,
    gate: Decision,
    attempt: int,
    now: EpochMs,
    put_off: PutsOff,
) -> Reply | None:
    """Order an attempt at a model once what it may use is held; None: there was no room, and the step has failed."""
    held = _in_line(session, name, question.model, treasury.hold(session.state, question, now), now, is_model=True)
    if isinstance(held, Failure):
        session.record(AnswerModel(name, question.model, question.args, gate, Usage(), None, held, attempt - 1))
        return None
    if not isinstance(held, Bookings):
        return _put_off(put_off, held, now)
    if held.bookings:
        session.record(ReserveBudget(name, held.bookings, held.warnings, held.warned))
    return Consult(question.model, question.request, attempt, is_reserved=bool(held.bookings))


def read(
    treasury: Treasury,
    session: Payer,
    name: StepName,
    tool: ToolContract[Any, Any],
    args: Json,
    call: ToolCall,
    gate: Decision,
    now: EpochMs,
    put_off: PutsOff,
) -> Reply | None:
    """Order an attempt at a read, likewise."""
    held = _in_line(session, name, tool.name, treasury.hold_call(session.state, tool, args, now), now)
    if isinstance(held, Failure):
        session.record(AnswerRead(name, tool.name, args, gate, None, held, call.attempt - 1))
        return None
    if not isinstance(held, Bookings):
        return _put_off(put_off, held, now)
    if held.bookings:
        session.record(ReserveBudget(name, held.bookings, held.warnings, held.warned))
    return Perform(args, call, leaves=False, is_reserved=bool(held.bookings))


def act(
    treasury: Treasury,
    session: Payer,
    tool: ToolContract[Any, Any] | None,
    command: CallTool | UseApproval,
    args: Json,
    undoes: Undone | None,
    put_off: PutsOff,
) -> Hold | None:
    """Record a call of a tool, with what it may use where that makes it an intent; without room for it the action waits or is forgone."""
    state, now = session.state, command.at
    if tool is not None and treasury.accounts(state, now) and _intends(state, command):
        held = _in_line(session, command.step, tool.name, treasury.hold_call(state, tool, args, now), now)
        if isinstance(held, Failure):
            session.record(ForgoAction(command.step, tool.name, tool.effect, args, command.gate, held, 0, undoes))
            return None
        if not isinstance(held, Bookings):
            return _put_off(put_off, held, now)
        if held.bookings:
            command = replace(command, held=ReserveBudget(command.step, held.bookings, held.warnings, held.warned))
    session.record(command)
    return None


def _put_off(put_off: PutsOff, held: NoRoom | None, now: EpochMs) -> Hold:
    return put_off.until(EpochMs(now + LOOK_AGAIN_MS)) if held is None else put_off.in_turn()


def _in_line(
    session: Payer,
    name: StepName,
    what: str,
    held: Failure | NoRoom | Bookings | None,
    now: EpochMs,
    *,
    is_model: bool = False,
) -> Failure | NoRoom | Bookings | None:
    """Let a call without room wait, or one before which others wait; return a Failure where its agent does not want that, or it waited long enough."""
    agent, queued = session.agent, session.state.queued.get(name)
    waits = agent is not None and agent.waits_for_room
    if isinstance(held, Bookings) and waits and queued is None and session.shared.line.keeps_back(held.bookings):
        held = NoRoom(Failure("over_budget", "others came before it that wait for room"), held.bookings)
    if not isinstance(held, NoRoom):
        return held
    if queued is not None and queued.turn is Turn.MISSED:
        return replace(held.failure, message=f"{held.failure.message}; it waited for room as long as it may")
    if not waits or agent is None:
        return held.failure
    session.record(AwaitRoom(name, what, is_model, held.wanted, held.failure.message, now, agent.room_wait_ms))
    return held


def _intends(state: RunState, command: CallTool | UseApproval) -> bool:
    """Tell whether the command leads to an intent, and not to a question or a no."""
    return any(isinstance(data, ActionIntended) for data in decide(state, command))
