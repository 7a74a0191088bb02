"""Compensation: how a run that failed takes back what it did.

The run stands COMPENSATING: its code is not run any more, its open children are cancelled, and when none is open one last child run takes
the actions back, newest first, as actions of its own. Then the run ends as it would have ended before.
"""

from collections.abc import Mapping
from dataclasses import replace

from kernos.kernel.state import Decide, Evolve, React, RunState, Status
from kernos.vocabulary.commands import BeginUndo
from kernos.vocabulary.effects import CancelChild, EffectOrder, StopAgent, UndoActions
from kernos.vocabulary.events import ChildStarted, CompensationBegun, Event, EventData, RunHandedOver
from kernos.vocabulary.undo import REVERT_AGENT, UNDO_STEP


def _begin(state: RunState, command: BeginUndo) -> tuple[EventData, ...]:
    if state.status is not Status.COMPENSATING or UNDO_STEP in state.steps or state.open_children():
        return ()  # Begun already, or a child is still on its way to its end.
    return (ChildStarted(UNDO_STEP, command.child, REVERT_AGENT, command.input),)


DECIDE: Mapping[type, Decide] = {BeginUndo: _begin}


def _handed_over(state: RunState, event: Event, data: RunHandedOver) -> RunState:
    del event
    return replace(state, status=Status.HANDED_OVER, failing=data)


def _begun(state: RunState, event: Event, data: CompensationBegun) -> RunState:
    del event
    return replace(state, status=Status.COMPENSATING, failing=data)


EVOLVE: Mapping[type, Evolve] = {RunHandedOver: _handed_over, CompensationBegun: _begun}


def _stop_code(state: RunState, event: Event, data: RunHandedOver | CompensationBegun) -> tuple[EffectOrder, ...]:
    del state, event
    return (StopAgent(), *(CancelChild(child, "the run that waited for it failed") for child in data.children))


def _clear(state: RunState, event: Event, data: CompensationBegun) -> tuple[EffectOrder, ...]:
    return (*_stop_code(state, event, data), UndoActions())


REACT: Mapping[type, React] = {RunHandedOver: _stop_code, CompensationBegun: _clear}
