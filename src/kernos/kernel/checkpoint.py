"""Checkpoint: semantic boundaries, and the other steps that stay inside (recorded values, joins of forks)."""

from collections.abc import Mapping
from dataclasses import replace

from kernos.kernel.state import (
    Checkpoint,
    Decide,
    Evolve,
    Phase,
    React,
    RunState,
    Step,
    StepKind,
    left_behind,
    with_step,
)
from kernos.vocabulary.commands import JoinFork, ReachCheckpoint, RecordValue
from kernos.vocabulary.effects import CancelChild, EffectOrder
from kernos.vocabulary.events import CheckpointReached, Event, EventData, ForkJoined, ValueRecorded
from kernos.vocabulary.ids import EpochMs, StepName
from kernos.vocabulary.outcome import Failure
from kernos.vocabulary.quantities import NULL, Json
from kernos.vocabulary.room import RoomForgone


def _record(state: RunState, command: RecordValue) -> tuple[EventData, ...]:
    assert command.step not in state.steps, command.step
    return (ValueRecorded(command.step, command.what, command.value),)


def _reach(state: RunState, command: ReachCheckpoint) -> tuple[EventData, ...]:
    assert command.step not in state.steps, command.step
    intent = state.request().intent
    return (CheckpointReached(command.step, command.name, command.summary, intent, state.actions, command.state),)


def _join(state: RunState, command: JoinFork) -> tuple[EventData, ...]:
    assert command.step not in state.steps, command.step
    lost = _losers(state, command.step, command.winners)
    given_up = {name: step for name, step in lost.items() if step.phase in _OPEN}
    between = {name: step for name, step in lost.items() if step.phase is not Phase.INTENDED}
    children = tuple(step.child for step in given_up.values() if step.kind is StepKind.CHILD)
    left = tuple(RoomForgone(name, is_late=False) for name in _queued_of_losers(state, command.step, command.winners))
    return (*left, *left_behind(between), ForkJoined(command.step, command.winners, tuple(given_up), children))


def _losers(state: RunState, fork: StepName, winners: tuple[int, ...]) -> dict[StepName, Step]:
    """Return the steps of a fork's branches that nobody goes on with."""
    kept = tuple(f"{fork}.{index}." for index in winners)
    return {n: s for n, s in state.steps.items() if n.startswith(f"{fork}.") and not n.startswith(kept)}


def _queued_of_losers(state: RunState, fork: StepName, winners: tuple[int, ...]) -> list[StepName]:
    """Return the calls in such branches that had no room under a cap."""
    kept = tuple(f"{fork}.{index}." for index in winners)
    return [name for name in state.queued if name.startswith(f"{fork}.") and not name.startswith(kept)]


_OPEN = (Phase.WAITING, Phase.ASKING, Phase.GRANTED)
"""Where a step stands that nothing has left the kernel for; an action under way is not tried again."""


DECIDE: Mapping[type, Decide] = {RecordValue: _record, ReachCheckpoint: _reach, JoinFork: _join}


def _recorded(state: RunState, event: Event, data: ValueRecorded) -> RunState:
    step = Step(StepKind.VALUE, data.what, NULL, Phase.DONE, event.n, data.value)
    return with_step(state, data.step, step)


def _reached(state: RunState, event: Event, data: CheckpointReached) -> RunState:
    step = Step(StepKind.CHECKPOINT, data.name, NULL, Phase.DONE, event.n, NULL)
    checkpoint = Checkpoint(data.step, data.name, event.n, data.state, event.by)
    resume_from = checkpoint if data.state is not None else state.resume_from
    return replace(with_step(state, data.step, step), checkpoint=checkpoint, resume_from=resume_from)


def _joined(state: RunState, event: Event, data: ForkJoined) -> RunState:
    for name in data.abandoned:
        abandoned = replace(
            state.steps[name],
            phase=Phase.DONE,
            outcome=Failure("abandoned", "another branch was faster"),
            due_at=EpochMs(0),
        )
        state = with_step(state, name, abandoned)
    for name, step in _losers(state, data.step, data.winners).items():
        if step.phase is Phase.INTENDED:
            state = with_step(state, name, replace(step, is_abandoned=True))
    winners = Json(("[" + ",".join(str(index) for index in data.winners) + "]").encode())
    return with_step(state, data.step, Step(StepKind.FORK, "fork", NULL, Phase.DONE, event.n, winners))


EVOLVE: Mapping[type, Evolve] = {ValueRecorded: _recorded, CheckpointReached: _reached, ForkJoined: _joined}


def _give_up(state: RunState, event: Event, data: ForkJoined) -> tuple[EffectOrder, ...]:
    del state, event
    return tuple(CancelChild(child, "another branch was faster") for child in data.children)


REACT: Mapping[type, React] = {ForkJoined: _give_up}
