"""Run: the life of a run as a table, from request to end.

`MOVES` is the whole life cycle: an event class that is absent under a status is an illegal move, which `decide` refuses before it
becomes an event. Steps happen while a run is RUNNING; deliveries may reach it in any status but the ended ones.
"""

from collections.abc import Mapping
from dataclasses import replace

from kernos.kernel.ending import end_badly
from kernos.kernel.state import ENDED, Decide, Evolve, React, RunState, Status, left_behind
from kernos.vocabulary.budget import PLACE, BudgetReserved
from kernos.vocabulary.commands import BlockRun, CancelRun, EndRun, ParkRun, RequestRun, ResumeRun, StopRun
from kernos.vocabulary.effects import (
    AnnounceEnd,
    CancelChild,
    EffectOrder,
    RunAgent,
    StopAgent,
    TellParent,
    WakeAt,
)
from kernos.vocabulary.errors import NotAllowed, RunEnded
from kernos.vocabulary.events import (
    CancelRequested,
    CompensationBegun,
    Event,
    EventData,
    RunBlocked,
    RunCancelled,
    RunCompleted,
    RunExpired,
    RunFailed,
    RunHandedOver,
    RunParked,
    RunRequested,
    RunResumed,
)
from kernos.vocabulary.outcome import Failure, Outcome
from kernos.vocabulary.quantities import NULL

_End = RunCompleted | RunFailed | RunCancelled | RunExpired

MOVES: Mapping[Status, Mapping[type[EventData], Status]] = {
    Status.ABSENT: {RunRequested: Status.RUNNING},
    Status.RUNNING: {
        RunParked: Status.WAITING,
        RunBlocked: Status.BLOCKED,
        CancelRequested: Status.RUNNING,
        RunHandedOver: Status.HANDED_OVER,
        CompensationBegun: Status.COMPENSATING,
        RunCompleted: Status.COMPLETED,
        RunFailed: Status.FAILED,
        RunCancelled: Status.CANCELLED,
        RunExpired: Status.EXPIRED,
    },
    Status.WAITING: {
        RunResumed: Status.RUNNING,
        CancelRequested: Status.WAITING,
        CompensationBegun: Status.COMPENSATING,
        RunCancelled: Status.CANCELLED,
        RunExpired: Status.EXPIRED,
    },
    Status.BLOCKED: {
        RunResumed: Status.RUNNING,
        CancelRequested: Status.BLOCKED,
        CompensationBegun: Status.COMPENSATING,
        RunCancelled: Status.CANCELLED,
        RunExpired: Status.EXPIRED,
    },
    Status.HANDED_OVER: {
        CancelRequested: Status.HANDED_OVER,
        CompensationBegun: Status.COMPENSATING,
        RunFailed: Status.FAILED,
        RunCancelled: Status.CANCELLED,
        RunExpired: Status.EXPIRED,
    },
    Status.COMPENSATING: {
        RunFailed: Status.FAILED,
        RunCancelled: Status.CANCELLED,
        RunExpired: Status.EXPIRED,
    },
    Status.COMPLETED: {},
    Status.FAILED: {},
    Status.CANCELLED: {},
    Status.EXPIRED: {},
}


def check_move(state: RunState, *events: EventData) -> tuple[EventData, ...]:
    """Return `events` when the run may take them one after the other. Raises RunEnded or NotAllowed otherwise."""
    status = state.status
    for event in events:
        after = MOVES[status].get(type(event))
        if after is None:
            if status in ENDED:
                message = f"run {state.run} has ended ({status})"
                raise RunEnded(message)
            message = f"run {state.run} is {status}: {type(event).__name__} cannot follow"
            raise NotAllowed(message)
        status = after
    return events


def _request(state: RunState, command: RequestRun) -> tuple[EventData, ...]:
    held = (BudgetReserved(PLACE, command.places),) if command.places else ()
    return (*check_move(state, command.request), *held)


def _cancel(state: RunState, command: CancelRun) -> tuple[EventData, ...]:
    if state.ended or state.status is Status.COMPENSATING or state.cancel_reason is not None:
        return ()  # Asked twice, or too late: what was wanted is so already.
    if state.status is Status.RUNNING or state.under_way():
        return check_move(state, CancelRequested(command.reason, state.open_children()))
    requested, cancelled = CancelRequested(command.reason, state.open_children()), RunCancelled(command.reason)
    check_move(state, requested, cancelled)
    return (requested, *end_badly(state, cancelled))


def _stop(state: RunState, command: StopRun) -> tuple[EventData, ...]:
    if state.closed or state.cancel_reason is None or state.under_way():
        return ()
    return end_badly(state, RunCancelled(state.cancel_reason))


def _resume(state: RunState, command: ResumeRun) -> tuple[EventData, ...]:
    if state.status in (Status.RUNNING, Status.WAITING, Status.COMPENSATING):
        return ()  # It is on its way already.
    return check_move(state, RunResumed())


def _park(state: RunState, command: ParkRun) -> tuple[EventData, ...]:
    return check_move(state, RunParked(command.wake_at)) if state.status is Status.RUNNING else ()


def _end(state: RunState, command: EndRun) -> tuple[EventData, ...]:
    check_move(
        state, RunCompleted(command.output or NULL)
    )  # Only code that runs can end its run, with whatever it ends.
    if state.cancel_reason is not None:
        if state.under_way():
            return ()
        return end_badly(state, RunCancelled(state.cancel_reason))
    if command.output is not None:
        return (*left_behind(state.steps), RunCompleted(command.output, state.open_children(), command.heritage))
    assert command.failure is not None, "a run ends with an output or with a failure"
    failure = command.failure
    failed = RunFailed(failure.code, failure.message, failure.details, command.declared, state.open_children())
    return end_badly(state, failed)


def _block(state: RunState, command: BlockRun) -> tuple[EventData, ...]:
    if state.status is not Status.RUNNING:
        return ()
    return check_move(state, RunBlocked(command.code, command.message))


DECIDE: Mapping[type, Decide] = {
    RequestRun: _request,
    CancelRun: _cancel,
    StopRun: _stop,
    ResumeRun: _resume,
    ParkRun: _park,
    EndRun: _end,
    BlockRun: _block,
}


def _requested(state: RunState, event: Event, data: RunRequested) -> RunState:
    return replace(state, status=Status.RUNNING, requested=data, requested_by=event.by)


def _moved(state: RunState, event: Event, data: EventData) -> RunState:
    return replace(state, status=MOVES[state.status].get(type(data), state.status))


def _cancelling(state: RunState, event: Event, data: CancelRequested) -> RunState:
    return replace(state, cancel_reason=data.reason)


def _parked(state: RunState, event: Event, data: RunParked) -> RunState:
    return replace(_moved(state, event, data), wake_at=data.wake_at)


def _blocked(state: RunState, event: Event, data: RunBlocked) -> RunState:
    return replace(_moved(state, event, data), blocked=Failure(data.code, data.message))


def _resumed(state: RunState, event: Event, data: RunResumed) -> RunState:
    return replace(_moved(state, event, data), blocked=None)


def _ended(state: RunState, event: Event, data: EventData) -> RunState:
    heritage = data.heritage if isinstance(data, RunCompleted) else None
    return replace(_moved(state, event, data), end=outcome_of_end(data), heritage=heritage)


def outcome_of_end(data: EventData) -> Outcome:
    """Say what a run came to, as a caller or a parent sees it."""
    match data:
        case RunCompleted(output):
            return output
        case RunFailed(mode, message, details):
            return Failure(mode, message, details)
        case RunCancelled(reason):
            return Failure("cancelled", reason)
        case RunExpired():
            return Failure("expired", "the run passed its deadline")
        case _:
            message = f"{type(data).__name__} ends no run"
            raise TypeError(message)


EVOLVE: Mapping[type, Evolve] = {
    RunRequested: _requested,
    RunParked: _parked,
    RunBlocked: _blocked,
    RunResumed: _resumed,
    CancelRequested: _cancelling,
    RunCompleted: _ended,
    RunFailed: _ended,
    RunCancelled: _ended,
    RunExpired: _ended,
}


def _take_up(state: RunState, event: Event, data: RunRequested | RunResumed) -> tuple[EffectOrder, ...]:
    deadline = state.request().deadline_at
    return (RunAgent(), WakeAt(deadline)) if deadline else (RunAgent(),)


def _reach_down(state: RunState, event: Event, data: CancelRequested) -> tuple[EffectOrder, ...]:
    return (StopAgent(), *(CancelChild(child, data.reason) for child in data.children))


def _announce(state: RunState, event: Event, data: _End) -> tuple[EffectOrder, ...]:
    orders: list[EffectOrder] = [StopAgent()]
    orders.extend(CancelChild(child, "the run that waited for it ended") for child in data.children)
    request = state.request()
    if request.parent and not request.detached:
        end = state.end
        result, failure = (None, end) if isinstance(end, Failure) else (end, None)
        orders.append(TellParent(request.parent, request.parent_step, result, failure, state.heritage))
    orders.append(AnnounceEnd())
    return tuple(orders)


def _wake(state: RunState, event: Event, data: RunParked) -> tuple[EffectOrder, ...]:
    return (WakeAt(data.wake_at),) if data.wake_at else ()


def _stop_code(state: RunState, event: Event, data: RunBlocked) -> tuple[EffectOrder, ...]:
    return (StopAgent(),)


REACT: Mapping[type, React] = {
    RunRequested: _take_up,
    RunResumed: _take_up,
    RunParked: _wake,
    RunBlocked: _stop_code,
    CancelRequested: _reach_down,
    RunCompleted: _announce,
    RunFailed: _announce,
    RunCancelled: _announce,
    RunExpired: _announce,
}
