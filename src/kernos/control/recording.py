"""Recording: what the answers to a run's questions need of its session."""

from typing import Any, Protocol

from kernos.control.surroundings import Surroundings
from kernos.kernel.state import RunState
from kernos.vocabulary.commands import Command, StartChild
from kernos.vocabulary.contract import AgentContract
from kernos.vocabulary.ids import RunId, StepName
from kernos.vocabulary.outcome import AttemptFailed
from kernos.vocabulary.quantities import Json
from kernos.vocabulary.questions import AskChild


class Recorder(Protocol):
    """The session, as the answers see it."""

    state: RunState
    shared: Surroundings
    agent: AgentContract[Any, Any] | None
    performing: set[StepName]
    unmade: set[StepName]

    def keep(self, step: StepName, attempt: int, outcome: Json | AttemptFailed) -> None:
        """Remember how an attempt ended until that is durable."""
        ...

    def record(self, command: Command, cause: str = "") -> bool:
        """Apply a command of the run's own code; return whether anything happened."""
        ...

    def record_child(self, command: StartChild, question: AskChild) -> None:
        """Apply the command that starts a child, together with the child's own request."""
        ...

    def new_run(self) -> RunId:
        """Return an id for a new run."""
        ...
