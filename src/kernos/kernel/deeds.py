"""Deeds: what a run and the runs below it did outside, as their events tell it; for taking it back, and for telling it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from kernos.vocabulary.events import (
    ActionDoubted,
    ActionFailed,
    ActionIntended,
    ActionPerformed,
    ActionSettled,
    CheckpointReached,
    ChildEnded,
    ChildStarted,
    Event,
    RunCancelled,
    RunCompleted,
    RunExpired,
    RunFailed,
    RunRequested,
)
from kernos.vocabulary.ids import EpochMs, IdempotencyKey, RunId, StepName
from kernos.vocabulary.quantities import NULL, Json
from kernos.vocabulary.undo import REVERT_AGENT


@dataclass(frozen=True, slots=True)
class Deed:
    """An action of a run as its events tell it. `result` None: nobody knows whether it happened."""

    run: RunId
    agent: str
    agent_version: str
    step: StepName
    key: IdempotencyKey
    tool: str
    args: Json
    result: Json | None
    at: EpochMs


def deeds_of(run: RunId, histories: Mapping[RunId, Sequence[Event]], to: str = "") -> tuple[Deed, ...]:
    """Return what a run and the runs below it did outside and may still stand, newest first.

    `histories` holds the events of the run and of all runs below it. `to`: only what came after the last checkpoint of that name in the
    run itself; all, when it was never reached. An action counts as later than everything its run had heard of before it.
    """
    events = histories.get(run, ())
    start = 0
    for event in events:
        if isinstance(event.data, CheckpointReached) and event.data.name == to:
            start = event.n + 1
    return tuple(reversed(list(_deeds(events, start, histories))))


def has_ended(events: Sequence[Event]) -> bool:
    """Tell whether a run has an outcome; what comes late may stand behind its end."""
    return any(isinstance(event.data, (RunCompleted, RunFailed, RunCancelled, RunExpired)) for event in events)


def open_below(run: RunId, histories: Mapping[RunId, Sequence[Event]]) -> RunId | None:
    """Return a run below this one that has not ended, None when all have; those that go on by themselves do not count."""
    to_look_at = [run]
    while to_look_at:
        one = to_look_at.pop()
        if one != run and not has_ended(histories[one]):
            return one
        below = [event.data for event in histories[one] if isinstance(event.data, ChildStarted)]
        to_look_at.extend(data.child for data in below if data.agent != REVERT_AGENT and not data.detached)
    return None


def _deeds(events: Sequence[Event], start: int, histories: Mapping[RunId, Sequence[Event]]) -> Iterator[Deed]:
    """Yield deeds in order; those of a child stand where the run heard of its end, at the latest at the run's own end."""
    if not events or not isinstance(events[0].data, RunRequested):
        return
    request = events[0].data
    intents: dict[StepName, ActionIntended] = {}
    doubts: dict[StepName, EpochMs] = {}
    open_children: dict[RunId, None] = {}
    for event in events:
        data = event.data
        if event.n < start:
            continue
        match data:
            case ActionIntended():
                intents[data.step] = data
                doubts[data.step] = event.at
            case ActionPerformed(step, result) if step in intents:
                doubts.pop(step, None)
                yield _deed(event.run, request, intents[step], result, event.at)
            case ActionFailed(step):
                doubts.pop(step, None)
            case ActionSettled(step, verdict) if step in intents and verdict != "unknown":
                doubts.pop(step, None)
                if verdict == "done":
                    yield _deed(event.run, request, intents[step], data.result or NULL, event.at)
                elif not data.late:
                    doubts[step] = event.at  # It is tried again.
            case ActionDoubted(step) if step in intents:
                doubts[step] = event.at
            case ChildStarted(_, child, agent) if agent != REVERT_AGENT:
                open_children[child] = None
            case ChildEnded(_, child) if child in open_children:
                del open_children[child]
                yield from _deeds(histories.get(child, ()), 0, histories)
            case _:
                pass
    for child in open_children:
        yield from _deeds(histories.get(child, ()), 0, histories)
    for step, at in doubts.items():
        yield _deed(events[0].run, request, intents[step], None, at)


def deed_at(events: Sequence[Event], step: StepName) -> Deed | None:
    """Return the action at one step of a run, whatever became of it; None when there is none."""
    request = events[0].data if events else None
    intent: ActionIntended | None = None
    result: Json | None = None
    at = EpochMs(0)
    for event in events:
        match event.data:
            case ActionIntended() if event.data.step == step:
                intent, at = event.data, event.at
            case ActionPerformed(name, performed) if name == step:
                result, at = performed, event.at
            case _:
                pass
    if intent is None or not isinstance(request, RunRequested):
        return None
    return _deed(events[0].run, request, intent, result, at)


def _deed(run: RunId, request: RunRequested, intent: ActionIntended, result: Json | None, at: EpochMs) -> Deed:
    return Deed(
        run,
        request.agent,
        request.agent_version,
        intent.step,
        intent.key,
        intent.tool,
        intent.args,
        result,
        at,
    )
