"""Ending: what follows when a run is about to end badly: it ends, takes back what it did first, or asks a person.

The contract chooses for each failure mode; the choice stands in the run's request, so that it is the one the run was started with.
"""

from kernos.kernel.state import RunState, Status, StepKind, left_behind
from kernos.vocabulary.events import (
    CompensationBegun,
    EventData,
    QuestionAsked,
    RunCancelled,
    RunExpired,
    RunFailed,
    RunHandedOver,
)
from kernos.vocabulary.ids import EpochMs
from kernos.vocabulary.outcome import Failure
from kernos.vocabulary.quantities import Json
from kernos.vocabulary.undo import ANY_FAILURE, FAILURE_STEP, Remedy, RemedyKind

BadEnd = RunFailed | RunCancelled | RunExpired

CANCELLED, EXPIRED = "cancelled", "expired"
"""Failure modes that no agent raises."""


def end_badly(state: RunState, end: BadEnd) -> tuple[EventData, ...]:
    """Return what happens when a run that nothing is under way in comes to this end."""
    mode = _mode(end)
    remedy = _remedy(state, mode)
    left = left_behind(state.steps)
    if remedy.kind is RemedyKind.COMPENSATE and _acted(state):
        return (*left, _compensation(end, mode, remedy.to))
    if remedy.kind is RemedyKind.HAND_OVER and isinstance(end, RunFailed) and state.status is not Status.HANDED_OVER:
        handed = RunHandedOver(mode, end.message, end.details, end.declared, end.children)
        question = f"the run failed ({mode}: {end.message}); what becomes of it?"
        return (*left, handed, QuestionAsked(FAILURE_STEP, "operator", question, _choices(state), EpochMs(0)))
    return (*left, end)


def end_as_told(state: RunState, answer: str) -> tuple[EventData, ...]:
    """Return what follows from a person's answer about a run that was handed over."""
    failing = state.failing
    assert failing is not None, state.run
    remedy = Remedy.of(answer)
    end = RunFailed(failing.mode, failing.message, failing.details, failing.declared)
    if remedy.kind is RemedyKind.COMPENSATE and _acted(state):
        return (_compensation(end, failing.mode, remedy.to),)
    return (end,)


def end_taken_back(state: RunState, report: Json | None, failure: Failure | None) -> BadEnd:
    """Return how a run ends once its actions are taken back, or once that has failed."""
    failing = state.failing
    assert failing is not None, state.run
    why = f"; taking back what was done failed: {failure.message}" if failure is not None else ""
    if failing.mode == CANCELLED:
        return RunCancelled(failing.message + why, taken_back=report)
    if failing.mode == EXPIRED:
        return RunExpired(state.request().deadline_at, taken_back=report)
    return RunFailed(failing.mode, failing.message + why, failing.details, failing.declared, taken_back=report)


def _mode(end: BadEnd) -> str:
    match end:
        case RunFailed(mode):
            return mode
        case RunCancelled():
            return CANCELLED
        case RunExpired():
            return EXPIRED


def _remedy(state: RunState, mode: str) -> Remedy:
    chosen = dict(state.request().on_failure)
    return Remedy.of(chosen.get(mode) or chosen.get(ANY_FAILURE) or RemedyKind.STOP)


def _acted(state: RunState) -> bool:
    """Tell whether there may be something to take back: an action of the run's own, or a child run."""
    return bool(state.actions) or any(step.kind is StepKind.CHILD for step in state.steps.values())


def _compensation(end: BadEnd, mode: str, to: str) -> CompensationBegun:
    match end:
        case RunFailed(_, message, details, declared):
            return CompensationBegun(mode, message, details, declared, to, end.children)
        case RunCancelled(reason):
            return CompensationBegun(mode, reason, to=to, children=end.children)
        case RunExpired():
            return CompensationBegun(mode, "the run passed its deadline", to=to, children=end.children)


def _choices(state: RunState) -> tuple[str, ...]:
    """Offer to stop, to take back all, or to take back what was done after a checkpoint."""
    reached = dict.fromkeys(step.what for step in state.steps.values() if step.kind is StepKind.CHECKPOINT)
    after = tuple(f"{RemedyKind.COMPENSATE}:{name}" for name in reached)
    return (RemedyKind.STOP.value, RemedyKind.COMPENSATE.value, *after)
