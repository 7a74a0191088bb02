"""State: what the events of one run add up to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from operator import attrgetter
from types import MappingProxyType
from typing import Any

from kernos.vocabulary.budget import Booking
from kernos.vocabulary.effects import EffectOrder
from kernos.vocabulary.errors import NotAllowed
from kernos.vocabulary.events import (
    ActionDoubted,
    ActionFailed,
    CompensationBegun,
    Event,
    EventData,
    RunHandedOver,
    RunRequested,
)
from kernos.vocabulary.flow import Heritage
from kernos.vocabulary.gate import Decision
from kernos.vocabulary.ids import EpochMs, IdempotencyKey, PrincipalId, RunId, StepName
from kernos.vocabulary.outcome import Effect, Failure, Outcome
from kernos.vocabulary.quantities import Json
from kernos.vocabulary.undo import Undone


class Status(StrEnum):
    """Where a run stands."""

    ABSENT = "absent"
    RUNNING = "running"
    WAITING = "waiting"
    BLOCKED = "blocked"
    HANDED_OVER = "handed_over"
    """It failed, and a person says what becomes of it."""
    COMPENSATING = "compensating"
    """It failed, and a child run takes back what it did."""
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


ENDED = frozenset({Status.COMPLETED, Status.FAILED, Status.CANCELLED, Status.EXPIRED})
CLOSED = frozenset({*ENDED, Status.HANDED_OVER, Status.COMPENSATING})


class StepKind(StrEnum):
    """What a step asks for."""

    VALUE = "value"
    CHECKPOINT = "checkpoint"
    FORK = "fork"
    CALL = "call"
    MODEL = "model"
    TIMER = "timer"
    SIGNAL = "signal"
    QUESTION = "question"
    CHILD = "child"


class Phase(StrEnum):
    """Where a step stands."""

    ASKING = "asking"
    """A person's approval is asked for."""
    GRANTED = "granted"
    """A person said yes, and the yes is not used yet."""
    INTENDED = "intended"
    """An attempt may be under way."""
    BACKING_OFF = "backing_off"
    """The next attempt starts at `due_at`."""
    LOOKING_UP = "looking_up"
    """The service must be asked before anything else."""
    DOUBTED = "doubted"
    """A person must say what happened."""
    WAITING = "waiting"
    """Something must arrive: a time, a signal, an answer, a child's end."""
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Voice:
    """One person's yes, signed."""

    by: PrincipalId
    at: EpochMs
    token: str
    counts_for: tuple[str, ...] = ()
    """The rules whose demand for people it helped to meet."""
    own_signature: str = ""
    """The same yes, signed with their own key."""


@dataclass(frozen=True, slots=True)
class Step:
    """One recorded operation: the question (`kind`, `what`, `args`), where it stands, and its outcome when done."""

    kind: StepKind
    what: str
    args: Json
    phase: Phase
    n: int
    """Number of the event that opened it."""
    outcome: Outcome | None = None
    attempt: int = 0
    due_at: EpochMs = EpochMs(0)
    unsure: bool = False
    """An attempt of the action may have happened although a later one is to be made."""
    is_abandoned: bool = False
    """Its branch of a fork was given up while an attempt was under way: nobody goes on with it."""
    effect: Effect | None = None
    child: RunId = RunId("")
    digest: str = ""
    proposed: Json | None = None
    """The arguments that the code asked with, where a person edited them afterwards."""
    gate: Decision | None = None
    detached: bool = False
    options: tuple[str, ...] = ()
    before: Json | None = None
    """What the tool saw before the action, for look-ups."""
    concerns: tuple[str, ...] = ()
    """What a yes to the call endorses, a no refuses."""
    tool_digest: str = ""
    """Of the tool's declaration when a person was asked."""
    asked_at: EpochMs = EpochMs(0)
    """When persons were asked to say yes."""
    voices: tuple[Voice, ...] = ()
    """What persons have said yes so far."""
    remarks: tuple[tuple[PrincipalId, str], ...] = ()
    """What was asked back, and what was answered, by whom."""
    refusal: Failure | None = None
    """The service said no, and a look-up is to say whether that can be believed."""
    undoes: Undone | None = None
    """The action that this one takes back."""
    heritage: Heritage | None = None
    """Of a child's answer: what is known of its origins."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The newest checkpoint, and the newest one that carries a state."""

    step: StepName
    name: str
    n: int
    state: Json | None
    by: PrincipalId
    """The agent, with the version whose type the state is of."""


@dataclass(frozen=True, slots=True)
class Tried:
    """Attempts that failed of what has no step before its answer: a read, a model call, a look before an action."""

    attempts: int
    retry_at: EpochMs


@dataclass(frozen=True, slots=True)
class Held:
    """A reservation: the number of its event, and what it holds."""

    step: StepName
    n: int
    bookings: tuple[Booking, ...]


class Turn(StrEnum):
    """Where a call stands that had no room under a cap."""

    TO_COME = "to come"
    """It waits."""
    COME = "come"
    """There was room: it is decided anew."""
    MISSED = "missed"
    """Its time was over: it is decided anew for the last time."""


@dataclass(frozen=True, slots=True)
class Queued:
    """A call in the line of those that wait for room, until it holds what it may use."""

    n: int
    """Number of the event that it waits by."""
    what: str
    is_model: bool
    needs: tuple[Booking, ...]
    since: EpochMs
    due_at: EpochMs
    turn: Turn = Turn.TO_COME


_NO_STEPS: Mapping[StepName, Step] = MappingProxyType({})
_NOT_TRIED: Mapping[StepName, Tried] = MappingProxyType({})
_NOTHING_HELD: "Mapping[StepName, Held]" = MappingProxyType({})
_NOTHING_QUEUED: "Mapping[StepName, Queued]" = MappingProxyType({})
_NOTHING_CUT_OFF: "Mapping[int, Held]" = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class RunState:
    """Everything a decision about one run looks at."""

    run: RunId
    next_n: int = 0
    status: Status = Status.ABSENT
    requested: RunRequested | None = None
    requested_by: PrincipalId = PrincipalId("")
    steps: Mapping[StepName, Step] = field(default_factory=lambda: _NO_STEPS)
    tried: Mapping[StepName, Tried] = field(default_factory=lambda: _NOT_TRIED)
    held: Mapping[StepName, Held] = field(default_factory=lambda: _NOTHING_HELD)
    """What is reserved for calls under way or in doubt, and for the run's place."""
    cut_off: Mapping[int, Held] = field(default_factory=lambda: _NOTHING_CUT_OFF)
    """What is reserved for calls that a crash cut off and that were made again since, by the number of the reservation."""
    queued: Mapping[StepName, Queued] = field(default_factory=lambda: _NOTHING_QUEUED)
    """Calls that wait for room under a cap, or did and do not hold what they may use yet."""
    wake_at: EpochMs = EpochMs(0)
    """When a parked run goes on by itself with its next attempt; 0 for never."""
    signals: tuple[tuple[str, Json], ...] = ()
    signal_keys: frozenset[str] = frozenset()
    cancel_reason: str | None = None
    actions: tuple[IdempotencyKey, ...] = ()
    checkpoint: Checkpoint | None = None
    resume_from: Checkpoint | None = None
    endorsed: frozenset[str] = frozenset()
    """Data that a person said yes to, by the keys of `vocabulary/flow.py`."""
    refused: frozenset[str] = frozenset()
    end: Outcome | None = None
    heritage: Heritage | None = None
    """What its parent must know of its output."""
    work: int = 0
    """What it has used of models, as `Usage.work`."""
    blocked: Failure | None = None
    failing: CompensationBegun | RunHandedOver | None = None
    """Why it is about to end, while a person decides or its actions are taken back."""

    @property
    def ended(self) -> bool:
        """Tell whether the run has an outcome."""
        return self.status in ENDED

    @property
    def closed(self) -> bool:
        """Tell whether the run takes no more steps: it has ended, or all that is left is to take back what it did."""
        return self.status in CLOSED

    def request(self) -> RunRequested:
        """Return what was asked; the run must exist."""
        assert self.requested is not None, self.run
        return self.requested

    def step_in(self, step: StepName, *phases: Phase) -> Step:
        """Return the step if it stands in one of `phases`. Raises NotAllowed with what it does instead."""
        found = self.steps.get(step)
        if found is None:
            message = f"run {self.run} has no step {step}"
            raise NotAllowed(message, hint=f"See its steps with `kernos trace {self.run}`.")
        if found.phase not in phases:
            message = f"step {step} of run {self.run} is {found.phase}, not {' or '.join(phases)}"
            raise NotAllowed(message, hint=f"See what it waits for with `kernos trace {self.run}`.")
        return found

    def under_way(self) -> bool:
        """Tell whether an attempt may be under way or a look-up is owed."""
        return any(step.phase in (Phase.INTENDED, Phase.LOOKING_UP) for step in self.steps.values())

    def awaits_room(self, step: StepName) -> bool:
        """Tell whether a call waits for room under a cap."""
        queued = self.queued.get(step)
        return queued is not None and queued.turn is Turn.TO_COME

    def open_children(self) -> tuple[RunId, ...]:
        """Return the child runs that are waited for."""
        return tuple(s.child for s in self.steps.values() if s.kind is StepKind.CHILD and s.phase is Phase.WAITING)

    def due_at(self) -> EpochMs:
        """Return the earliest time at which something in the run is due; 0 for never."""
        times = [s.due_at for s in self.steps.values() if s.due_at and s.phase is not Phase.DONE]
        times.extend(queued.due_at for queued in self.queued.values() if queued.due_at)
        if self.status is Status.WAITING and self.wake_at:
            times.append(self.wake_at)
        if self.requested is not None and self.requested.deadline_at:
            times.append(self.requested.deadline_at)
        return EpochMs(min(times, default=0))


_NAMES = tuple(column.name for column in fields(RunState))
_values = attrgetter(*_NAMES)
_STEPS, _TRIED, _ACTIONS, _WORK = (_NAMES.index(name) for name in ("steps", "tried", "actions", "work"))
_STEP_NAMES = {column.name: index for index, column in enumerate(fields(Step))}
_step_values = attrgetter(*_STEP_NAMES)


def left_behind(steps: Mapping[StepName, Step]) -> tuple[EventData, ...]:
    """Say what became of those actions among `steps` that nobody goes on with: one that may have happened is in doubt."""
    found: list[EventData] = []
    for name, step in steps.items():
        if step.phase in (Phase.INTENDED, Phase.LOOKING_UP) or (step.phase is Phase.BACKING_OFF and step.unsure):
            message = "nobody goes on with it, and nobody knows whether it happened"
            found.append(ActionDoubted(name, step.attempt, message))
        elif step.phase is Phase.BACKING_OFF:
            failure = Failure("abandoned", "it did not happen, and nobody goes on with it")
            found.append(ActionFailed(name, step.attempt, failure))
    return tuple(found)


def with_step(
    state: RunState, name: StepName, step: Step, action: IdempotencyKey | None = None, work: int = 0
) -> RunState:
    """Return the state with one step put in or replaced: `dataclasses.replace`, at the speed that every event deserves.

    `action` is the key of an action that is intended with it; `work` what it used of a model.
    """
    values = list(_values(state))
    values[_STEPS] = {**state.steps, name: step}
    if action is not None:
        values[_ACTIONS] = (*state.actions, action)
    if work:
        values[_WORK] = state.work + work
    if name in state.tried:
        values[_TRIED] = {other: tried for other, tried in state.tried.items() if other != name}
    return RunState(*values)


def changed_step(step: Step, changes: Mapping[str, Any]) -> Step:
    """Return a step with some fields changed, likewise."""
    values = list(_step_values(step))
    for name, value in changes.items():
        values[_STEP_NAMES[name]] = value
    return Step(*values)


def numbered(state: RunState, next_n: int, before: RunState) -> RunState:
    """Return the state that a fold made of `before`, with the number of the next event.

    A state that is not `before` was made by the fold and nobody else has seen it, so it may still be filled in.
    """
    own = RunState(*_values(state)) if state is before else state
    object.__setattr__(own, "next_n", next_n)
    return own


def woken(state: RunState) -> RunState:
    """Return the state as it is after something that the run waited for arrived."""
    return replace(state, status=Status.RUNNING) if state.status is Status.WAITING else state


Decide = Callable[[RunState, Any], tuple[EventData, ...]]
"""A rule: state and command to events. Raises one of the caller's errors."""

Evolve = Callable[[RunState, Event, Any], RunState]
"""A fold: state, event and the event's data to the next state. Total."""

React = Callable[[RunState, Event, Any], tuple[EffectOrder, ...]]
"""An order: the state after the event, the event and its data to what the shell has to do."""
