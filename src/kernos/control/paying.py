"""Paying: how a call begins that a cap counts: once what it may use is held; without room it fails, and nothing is sent."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

from kernos.control.treasury import LOOK_AGAIN_MS, Treasury
from kernos.kernel.decide import decide
from kernos.kernel.state import RunState
from kernos.vocabulary.budget import ReserveBudget
from kernos.vocabulary.commands import AnswerModel, AnswerRead, CallTool, Command, ForgoAction, UseApproval
from kernos.vocabulary.contract import ToolCall, ToolContract
from kernos.vocabulary.events import ActionIntended
from kernos.vocabulary.gate import Decision
from kernos.vocabulary.ids import EpochMs, StepName
from kernos.vocabulary.outcome import Failure
from kernos.vocabulary.quantities import Json, Usage
from kernos.vocabulary.questions import AskModel, Consult, Hold, Perform, Reply
from kernos.vocabulary.undo import Undone

Wait = Callable[[EpochMs], Hold]
"""Looks at a step again at a time."""


class Payer(Protocol):
    """The session, as paying sees it."""

    state: RunState

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
    wait: Callable[[EpochMs], Hold],
) -> Reply | None:
    """Order an attempt at a model once what it may use is held; None: there was no room, and the step has failed."""
    held = treasury.hold(session.state, question, now)
    if held is None:
        return wait(EpochMs(now + LOOK_AGAIN_MS))
    if isinstance(held, Failure):
        session.record(AnswerModel(name, question.model, question.args, gate, Usage(), None, held, attempt - 1))
        return None
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
    wait: Wait,
) -> Reply | None:
    """Order an attempt at a read, likewise."""
    held = treasury.hold_call(session.state, tool, args, now)
    if held is None:
        return wait(EpochMs(now + LOOK_AGAIN_MS))
    if isinstance(held, Failure):
        session.record(AnswerRead(name, tool.name, args, gate, None, held, call.attempt - 1))
        return None
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
    wait: Wait,
) -> Hold | None:
    """Record a call of a tool, with what it may use where that makes it an intent; without room for it the action is forgone."""
    state, now = session.state, command.at
    if tool is not None and treasury.accounts(state, now) and _intends(state, command):
        held = treasury.hold_call(state, tool, args, now)
        if held is None:
            return wait(EpochMs(now + LOOK_AGAIN_MS))
        if isinstance(held, Failure):
            session.record(ForgoAction(command.step, tool.name, tool.effect, args, command.gate, held, 0, undoes))
            return None
        if held.bookings:
            command = replace(command, held=ReserveBudget(command.step, held.bookings, held.warnings, held.warned))
    session.record(command)
    return None


def _intends(state: RunState, command: CallTool | UseApproval) -> bool:
    """Tell whether the command leads to an intent, and not to a question or a no."""
    return any(isinstance(data, ActionIntended) for data in decide(state, command))
