"""Room: calls that wait until a cap has room for them; where each stands, from its wait to its reservation."""

from collections.abc import Mapping
from dataclasses import replace

from kernos.kernel.state import Decide, Evolve, Queued, React, RunState, Status, Turn, woken
from kernos.vocabulary.effects import EffectOrder, RunAgent, WakeAt
from kernos.vocabulary.events import Event, EventData
from kernos.vocabulary.ids import EpochMs
from kernos.vocabulary.room import AwaitRoom, FindRoom, RoomAwaited, RoomForgone, RoomFound


def _await(state: RunState, command: AwaitRoom) -> tuple[EventData, ...]:
    before = state.queued.get(command.step)
    since = before.since if before is not None else command.at
    due_at = EpochMs(since + command.wait_ms) if command.wait_ms else EpochMs(0)
    return (RoomAwaited(command.step, command.what, command.is_model, command.needs, command.why, since, due_at),)


def _find(state: RunState, command: FindRoom) -> tuple[EventData, ...]:
    """Give a call its turn; nothing where it waits no more, or its run takes no more steps."""
    goes_on = state.status in (Status.RUNNING, Status.WAITING) and state.cancel_reason is None
    return (RoomFound(command.step),) if goes_on and state.awaits_room(command.step) else ()


DECIDE: Mapping[type, Decide] = {AwaitRoom: _await, FindRoom: _find}


def _awaited(state: RunState, event: Event, data: RoomAwaited) -> RunState:
    queued = Queued(event.n, data.what, data.is_model, data.needs, data.since, data.due_at)
    return replace(state, queued={**state.queued, data.step: queued})


def _turned(state: RunState, data: RoomFound | RoomForgone, turn: Turn) -> RunState:
    queued = state.queued.get(data.step)
    if queued is None:
        return state
    return woken(replace(state, queued={**state.queued, data.step: replace(queued, turn=turn, due_at=EpochMs(0))}))


def _found(state: RunState, event: Event, data: RoomFound) -> RunState:
    del event
    return _turned(state, data, Turn.COME)


def _forgone(state: RunState, event: Event, data: RoomForgone) -> RunState:
    """Take a call out of the line; one whose time is over is remembered, so that it does not wait again."""
    del event
    if data.is_late:
        return _turned(state, data, Turn.MISSED)
    return replace(state, queued={name: one for name, one in state.queued.items() if name != data.step})


EVOLVE: Mapping[type, Evolve] = {RoomAwaited: _awaited, RoomFound: _found, RoomForgone: _forgone}


def _wake_at(state: RunState, event: Event, data: RoomAwaited) -> tuple[EffectOrder, ...]:
    del state, event
    return (WakeAt(data.due_at),) if data.due_at else ()


def _go_on(state: RunState, event: Event, data: RoomFound | RoomForgone) -> tuple[EffectOrder, ...]:
    del event
    is_given_up = isinstance(data, RoomForgone) and not data.is_late
    return () if is_given_up or state.closed else (RunAgent(),)


REACT: Mapping[type, React] = {RoomAwaited: _wake_at, RoomFound: _go_on, RoomForgone: _go_on}
