"""Effects: everything the kernel asks of the shell, in one place."""

from dataclasses import dataclass

from kernos.vocabulary.flow import Heritage
from kernos.vocabulary.ids import EpochMs, RunId, StepName
from kernos.vocabulary.outcome import Failure
from kernos.vocabulary.quantities import Json


@dataclass(frozen=True, slots=True)
class RunAgent:
    """Let the run's code go on: take the run up, or answer the steps its code waits at."""


@dataclass(frozen=True, slots=True)
class StopAgent:
    """Stop the run's code where it stands; recorded steps stay."""


@dataclass(frozen=True, slots=True)
class CancelChild:
    """Cancel a child run."""

    child: RunId
    reason: str


@dataclass(frozen=True, slots=True)
class UndoActions:
    """Start the child run that takes back what this run did."""


@dataclass(frozen=True, slots=True)
class TellParent:
    """Tell the run that asked for this one how it ended."""

    parent: RunId
    step: StepName
    result: Json | None
    failure: Failure | None
    heritage: Heritage | None = None


@dataclass(frozen=True, slots=True)
class WakeAt:
    """Send a `Tick` to the run at `at`, or soon after."""

    at: EpochMs


@dataclass(frozen=True, slots=True)
class AnnounceEnd:
    """Tell those who wait for the run's result, once it is durable."""


EffectOrder = RunAgent | StopAgent | CancelChild | UndoActions | TellParent | WakeAt | AnnounceEnd
