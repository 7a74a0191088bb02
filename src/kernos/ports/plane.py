"""Plane: how the execution plane asks the control plane, and how the control plane employs a worker."""

from typing import Protocol

from kernos.vocabulary.contract import ModelReply
from kernos.vocabulary.ids import RunId, StepName
from kernos.vocabulary.outcome import AttemptFailed, Found, Outcome
from kernos.vocabulary.quantities import Json
from kernos.vocabulary.questions import Assignment, Question, Reply

NO_STEP = StepName("")


class RunPlane(Protocol):
    """The control plane as the code of one run sees it. All calls come from the event loop."""

    def ask(self, step: StepName, question: Question) -> Reply:
        """Decide about a step, or answer it from the journal.

        Raises Diverged when another question stands recorded under `step`, LimitReached when the contract admits no more.
        """
        ...

    def report(self, step: StepName, attempt: int, outcome: Json | ModelReply | AttemptFailed) -> Reply:
        """Record how an attempt ended, and say what follows. A report that comes too late to matter is answered with Hold."""
        ...

    def report_look_up(self, step: StepName, found: Found | AttemptFailed) -> Reply:
        """Record what a look-up found, and say what follows."""
        ...

    async def held(self, step: StepName) -> Reply:
        """Return once there is something to do at `step`; never, when the run is parked meanwhile."""
        ...

    async def durable(self, before: StepName = NO_STEP) -> None:
        """Return once everything the run has recorded is on disk. Raises StorageFailed or StaleRunNumber when it will not be.

        `before`: the action whose attempt is made next. When this raises, the attempt must not be made; it is ordered anew if its intent is
        durable after all.
        """
        ...

    def busy(self, change: int) -> None:
        """Count branches that have something to do: +1 when one begins or goes on, -1 when it ends or holds. At 0 the run is parked."""
        ...

    def end(self, outcome: Outcome, *, declared: bool) -> None:
        """Record that the code returned or failed."""
        ...


class Worker(Protocol):
    """Runs agents' code."""

    def start(self, assignment: Assignment, plane: RunPlane) -> None:
        """Run the code, from the start or from the checkpoint's state, until it ends or is stopped."""
        ...

    def stop(self, run: RunId) -> None:
        """Stop the code where it stands; attempts under way go on and are reported. Unknown or stopped runs: does nothing."""
        ...

    async def drain(self) -> None:
        """Return when no attempt is under way any more."""
        ...
