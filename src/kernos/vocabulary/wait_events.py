"""Events of what a run waits for: times, signals, people, other runs; the list of all kinds is in `vocabulary/events.py`."""

from dataclasses import dataclass

from kernos.vocabulary.flow import Heritage
from kernos.vocabulary.ids import EpochMs, RunId, StepName
from kernos.vocabulary.outcome import Failure
from kernos.vocabulary.quantities import Json

# --- waits -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TimerSet:
    """The run sleeps until `due_at`."""

    step: StepName
    due_at: EpochMs


@dataclass(frozen=True, slots=True)
class TimerFired:
    """The time came."""

    step: StepName


@dataclass(frozen=True, slots=True)
class SignalAwaited:
    """The run asks for a signal of `topic`: takes the one it holds at index `held`, or waits until `due_at` (0: for ever)."""

    step: StepName
    topic: str
    due_at: EpochMs
    held: int = -1


@dataclass(frozen=True, slots=True)
class SignalReceived:
    """A signal arrived, for the step that waits for its topic, or to be held (`step` empty). `key` makes it arrive once."""

    topic: str
    data: Json
    key: str = ""
    step: StepName = StepName("")


@dataclass(frozen=True, slots=True)
class QuestionAsked:
    """The run waits for a person's answer, until `due_at`. `options` empty: free text."""

    step: StepName
    to: str
    question: str
    options: tuple[str, ...]
    due_at: EpochMs


@dataclass(frozen=True, slots=True)
class QuestionAnswered:
    """A person answered."""

    step: StepName
    answer: str


@dataclass(frozen=True, slots=True)
class WaitExpired:
    """A signal or an answer did not come in time."""

    step: StepName


@dataclass(frozen=True, slots=True)
class ChildStarted:
    """The run asked another agent; the child's request stands in the same commit. A detached child is not waited for."""

    step: StepName
    child: RunId
    agent: str
    input: Json
    detached: bool = False


@dataclass(frozen=True, slots=True)
class ChildRefused:
    """The run wanted to ask another agent, and there was no place for one more open run."""

    step: StepName
    agent: str
    input: Json
    failure: Failure


@dataclass(frozen=True, slots=True)
class ChildEnded:
    """A child run ended, with its output or its failure. `late`: the run that asked for it had ended, or had given it up."""

    step: StepName
    child: RunId
    result: Json | None = None
    failure: Failure | None = None
    late: bool = False
    heritage: Heritage | None = None
