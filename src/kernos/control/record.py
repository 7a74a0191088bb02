"""Record: what the journal says about one run, as far as its code had to do with it; and how its questions and answers are shown to people."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kernos.kernel.evolve import fold
from kernos.kernel.state import Phase, RunState, Status, Step, StepKind
from kernos.vocabulary.events import (
    CheckpointReached,
    CompensationBegun,
    Event,
    EventData,
    ForkJoined,
    QuestionAsked,
    RunCancelled,
    RunCompleted,
    RunExpired,
    RunFailed,
    RunHandedOver,
)
from kernos.vocabulary.ids import StepName
from kernos.vocabulary.outcome import Failure, Outcome
from kernos.vocabulary.quantities import NULL, Json
from kernos.vocabulary.questions import AskCheckpoint, AskPersonFor, Question

SEPARATE = b"\x1f"
"""Between the parts of what is hashed: it stands in no JSON text, and in hardly any name."""

_ABANDONED = "abandoned"
_ENDS = (RunCompleted, RunFailed, RunCancelled, RunExpired, RunHandedOver, CompensationBegun)


@dataclass(frozen=True, slots=True)
class Ending:
    """How the code ended: what it returned or failed with, and whether its contract declares that."""

    outcome: Outcome
    declared: bool


@dataclass(frozen=True, slots=True)
class Record:
    """What the journal says about one run, as far as its code had to do with it."""

    state: RunState
    """Before the event that ended the code."""
    status: Status
    ending: Ending | None
    """None: the code has not ended, or was stopped from outside."""
    details: Mapping[StepName, str]
    """What belongs to a question besides its kind, name and arguments."""
    given_up: tuple[str, ...]
    """How the names of steps begin that stand in branches of forks which nobody went on with."""


def record_of(events: Sequence[Event]) -> Record:
    """Read the record of a run from its events, the first of which is its request."""
    details: dict[StepName, str] = {}
    given_up: list[str] = []
    names: set[str] = set()
    end = len(events)
    for n, event in enumerate(events):
        data = event.data
        if isinstance(data, _ENDS):
            end = n
            break
        names.add(getattr(data, "step", ""))
        if isinstance(data, CheckpointReached):
            details[data.step] = _of_checkpoint(data.summary, data.state)
        elif isinstance(data, QuestionAsked):
            details[data.step] = _of_person(data.to, data.options)
        elif isinstance(data, ForkJoined):
            given_up += _losers(names, data)
    state = fold(RunState(events[0].run), events[:end])
    ending, status = _ending(state, events[end].data) if end < len(events) else (None, state.status)
    return Record(state, status, ending, details, tuple(given_up))


def _losers(names: Iterable[str], data: ForkJoined) -> list[str]:
    """Return the prefixes of a fork's branches that it did not take."""
    begin = len(data.step) + 1
    below = {name[begin:].split(".")[0] for name in names if name.startswith(f"{data.step}.")}
    return [f"{data.step}.{index}." for index in sorted(below - {str(winner) for winner in data.winners})]


def _ending(state: RunState, data: EventData) -> tuple[Ending | None, Status]:
    """Say how the code ended, and what became of the run."""
    match data:
        case RunCompleted(output):
            return Ending(output, declared=True), Status.COMPLETED
        case RunFailed(mode, message, details, declared):
            return Ending(Failure(mode, message, details), declared), Status.FAILED
        case RunHandedOver(mode, message, details, declared):
            return Ending(Failure(mode, message, details), declared), Status.HANDED_OVER
        case CompensationBegun(mode, message, details, declared):
            deadline = state.request().deadline_at
            if state.cancel_reason is not None or (mode == Status.EXPIRED and deadline and details is None):
                return None, Status.COMPENSATING  # It was stopped, and said nothing.
            return Ending(Failure(mode, message, details), declared), Status.COMPENSATING
        case RunExpired():
            return None, Status.EXPIRED
        case _:
            return None, Status.CANCELLED


def _of_checkpoint(summary: str, state: Json | None) -> str:
    return f"{summary!r}" if state is None else f"{summary!r} with state {text_of(state)}"


def _of_person(to: str, options: tuple[str, ...]) -> str:
    return f"to {to}" + (f" [{' | '.join(options)}]" if options else "")


def details_of(question: Question) -> str:
    """Return what belongs to a question besides its kind, name and arguments; empty for most."""
    if isinstance(question, AskCheckpoint):
        return _of_checkpoint(question.summary, question.state)
    if isinstance(question, AskPersonFor):
        return _of_person(question.to, question.options)
    return ""


def answer_of(step: Step) -> Outcome | None:
    """Return what the code got to hear, None for a step that it never got an answer to."""
    if step.phase is not Phase.DONE or step.outcome is None:
        return None
    if isinstance(step.outcome, Failure) and step.outcome.code == _ABANDONED:
        return None
    return step.outcome


def bytes_of(outcome: Outcome) -> bytes:
    """Write an outcome down so that equal ones are equal."""
    if isinstance(outcome, Json):
        return outcome.text
    details = outcome.details.text if outcome.details is not None else b""
    return SEPARATE.join((b"!", outcome.code.encode(), outcome.message.encode("utf-8", "surrogatepass"), details))


def text_of(value: Json) -> str:
    """Return the text of a value."""
    return value.text.decode("utf-8", "replace")


def shown_question(kind: StepKind, what: str, args: Json, more: str) -> str:
    """Write a question in one line."""
    return " ".join(part for part in (str(kind), what, "" if args == NULL else text_of(args), more) if part)


def shown_step(step: Step, more: str) -> str:
    """Write what a recorded step asked."""
    return shown_question(step.kind, step.what, step.proposed or step.args, more)


def shown_end(ending: Ending) -> str:
    """Say how the code ended."""
    if isinstance(ending.outcome, Json):
        return f"completed with {text_of(ending.outcome)}"
    failure = ending.outcome
    details = f" {text_of(failure.details)}" if failure.details is not None else ""
    return f"failed ({failure.code}{'' if ending.declared else ', not declared'}): {failure.message}{details}"


_STATUS = {Status.WAITING: "waits at", Status.RUNNING: "is under way at", Status.BLOCKED: "is blocked at"}

_WAITS: Mapping[Phase, str] = {
    Phase.ASKING: "a person's yes to {}",
    Phase.GRANTED: "the attempt of {}, which a person said yes to",
    Phase.INTENDED: "the attempt of {} that was under way",
    Phase.BACKING_OFF: "the next attempt of {}",
    Phase.LOOKING_UP: "a look-up of {}",
    Phase.DOUBTED: "a person to say whether {} happened",
    Phase.WAITING: "{}",
    Phase.DONE: "{}, given up",
}


def waits_for(step: Step) -> str:
    """Say what an open step waits for."""
    return _WAITS[step.phase].format(shown_step(step, ""))


def shown_status(status: Status) -> str:
    """Say how an open run stands."""
    return _STATUS.get(status, "stands")
