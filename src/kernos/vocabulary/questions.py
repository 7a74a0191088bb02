"""Questions that a run's code asks the control plane, and the replies: all that the two planes say to each other."""

from dataclasses import dataclass
from typing import Any

from kernos.vocabulary.contract import AgentContract, ModelRequest, ToolCall
from kernos.vocabulary.ids import PrincipalId, RunId, TenantId
from kernos.vocabulary.outcome import Outcome
from kernos.vocabulary.quantities import Json
from kernos.vocabulary.undo import Undone


@dataclass(frozen=True, slots=True)
class AskValue:
    """A value of the clock or of chance: `now`, `random` or `uuid`."""

    what: str


@dataclass(frozen=True, slots=True)
class AskCheckpoint:
    """Mark a semantic boundary."""

    name: str
    summary: str
    state: Json | None = None


@dataclass(frozen=True, slots=True)
class AskFork:
    """Which branches did this fork take? None recorded: `winners` are taken now; empty winners only look."""

    winners: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class AskCall:
    """Call a tool; `undoes` names the action that the call takes back, if it does."""

    tool: str
    args: Json
    undoes: Undone | None = None


@dataclass(frozen=True, slots=True)
class AskModel:
    """Call a model; `args` is the request as one JSON value, which is what the journal keeps."""

    model: str
    request: ModelRequest
    args: Json


@dataclass(frozen=True, slots=True)
class AskSleep:
    """Sleep for a time."""

    delay_ms: int


@dataclass(frozen=True, slots=True)
class AskSignal:
    """Wait for a signal; `timeout_ms` 0 waits for ever."""

    topic: str
    timeout_ms: int


@dataclass(frozen=True, slots=True)
class AskPersonFor:
    """Wait for a person's answer."""

    to: str
    question: str
    options: tuple[str, ...]
    timeout_ms: int


@dataclass(frozen=True, slots=True)
class AskChild:
    """Ask another agent, and wait for it unless it is detached."""

    agent: str
    input: Json
    intent: str
    detached: bool = False
    grant: tuple[str, ...] | None = None
    """The only tools it may call, and all that it asks; None: those that its parent may."""


Question = (
    AskValue | AskCheckpoint | AskFork | AskCall | AskModel | AskSleep | AskSignal | AskPersonFor | AskChild
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answered:
    """Here is the outcome."""

    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Perform:
    """Make this attempt and report it. `leaves`: first make everything before it durable."""

    args: Json
    call: ToolCall
    leaves: bool
    is_reserved: bool = False
    """What it may use is held against a cap: it is made once that is durable."""


@dataclass(frozen=True, slots=True)
class Consult:
    """Make this attempt at the model and report it."""

    model: str
    request: ModelRequest
    attempt: int
    opens: frozenset[str] = frozenset()
    """Labels of values that it may see; the others stay handles."""
    is_reserved: bool = False
    """What it may use is held against a cap: it is made once that is durable."""
    is_streamed: bool = False
    """When its answer begins is to be known: it should come piece by piece, if the model can do that."""


@dataclass(frozen=True, slots=True)
class Observe:
    """Ask the tool what it sees of the world before the action, and report it as an attempt."""

    args: Json
    call: ToolCall


@dataclass(frozen=True, slots=True)
class LookUp:
    """Ask the tool whether the action happened, and report what it says; `before` is what it saw before the action."""

    args: Json
    call: ToolCall
    before: Json | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """Nothing to do now: hold on until there is."""


Reply = Answered | Perform | Consult | Observe | LookUp | Hold


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a worker needs to run an agent's code: from the start, or from a checkpoint's state."""

    run: RunId
    agent: AgentContract[Any, Any]
    input: Json
    intent: str
    on_behalf_of: PrincipalId
    state: Json | None
    tenant: TenantId
    steps_before: int
    """Steps that the code took in its first branch before that checkpoint, the checkpoint included."""
