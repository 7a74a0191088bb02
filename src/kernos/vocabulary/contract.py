"""Contracts: what an agent or a tool promises, checked where it is declared and at every boundary."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from kernos.vocabulary.budget import Cost
from kernos.vocabulary.flow import FlowContract
from kernos.vocabulary.ids import EpochMs, IdempotencyKey, RunId
from kernos.vocabulary.outcome import AttemptFailed, Effect, FailureKind, Found
from kernos.vocabulary.quantities import Json, Limits, Pace, Retry, Usage
from kernos.vocabulary.sealing import SealingPlan
from kernos.vocabulary.traceparent import traceparent

In = TypeVar("In")
Out = TypeVar("Out")


@dataclass(frozen=True, slots=True)
class Codec:
    """How values of one declared type cross a boundary.

    `encode` checks and writes a value, `decode` reads and checks one; both raise ContractBroken. Equal values give equal bytes.
    """

    type_name: str
    encode: Callable[[Any], Json]
    decode: Callable[[Json], Any]
    schema: Json
    """JSON Schema of the type."""
    plan: SealingPlan | None = None
    """Where labelled values stand in it; None: nowhere."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """What an adapter is told besides the arguments: the key and the causal tag that go out with the action."""

    tool: str
    key: IdempotencyKey
    attempt: int
    agent: str
    run: RunId
    intent: str
    checkpoint: str
    timeout_ms: int
    root: RunId = RunId("")
    """The first run above `run`, whose tree is one trace; empty: `run` itself."""

    def headers(self) -> dict[str, str]:
        """Return the key and the tag as HTTP headers, also as W3C `traceparent`.

        Other text than visible ASCII is percent-encoded, at most 200 characters each.
        """
        tag = {
            "Idempotency-Key": self.key,
            "Kernos-Agent": self.agent,
            "Kernos-Run": self.run,
            "Kernos-Intent": self.intent,
            "Kernos-Checkpoint": self.checkpoint,
            "traceparent": traceparent(self.root or self.run, self.key),
        }
        return {name: _visible(value) for name, value in tag.items() if value}


_HEADER_LENGTH_MAX = 200  # Far below the 8 KiB most servers take for all headers together.


def _visible(text: str) -> str:
    """Percent-encode what an HTTP field value must not hold (RFC 9110, section 5.5), and the percent sign itself."""
    pieces: list[str] = []
    length = 0
    for letter in text:
        plain = " " <= letter <= "~" and letter != "%"
        piece = letter if plain else "".join(f"%{byte:02X}" for byte in letter.encode())
        length += len(piece)
        if length > _HEADER_LENGTH_MAX:
            break
        pieces.append(piece)
    return "".join(pieces).strip()


@dataclass(frozen=True, slots=True)
class ToolContract(Generic[In, Out]):
    """A tool: its types, its effect class, and how one attempt is made.

    `attempt` makes exactly one attempt and classifies its failure; it gets the arguments as they stand in the journal. `look_up` tells
    whether an action happened; only tools of class `verifiable` have one. It gets what `observe` saw just before the action was
    intended, None for tools that do not look before. `compensate` takes an action back; `irrevocable` says why nothing can.
    """

    name: str
    effect: Effect
    input: Codec
    output: Codec
    attempt: Callable[[Json, ToolCall], Awaitable[Json | AttemptFailed]]
    look_up: Callable[[Json, ToolCall, Json | None], Awaitable[Found | AttemptFailed]] | None = None
    observe: Callable[[Json, ToolCall], Awaitable[Json | AttemptFailed]] | None = None
    late_ms: int = 0
    """How long after a failed attempt the service may still do what it was asked: a look-up that finds nothing is believed only then."""
    listed: "Listing | None" = None
    compensate: "Compensation | None" = None
    irrevocable: str = ""
    timeout_ms: int = 30_000
    """For one attempt (1 to 600,000): what an interactive caller bears; most services answer within seconds."""
    retry: Retry = field(default_factory=Retry)
    flow: FlowContract | None = None
    """Where its arguments may come from, and what its result is worth; None: the rules of flow do not look at it."""
    description: str = ""
    cost: Cost | None = None
    """What one call costs; None: nobody knows."""
    secrets: frozenset[str] = frozenset()
    """References to the only credentials that its function may read (`vocabulary/secret.py`)."""


@dataclass(frozen=True, slots=True)
class Compensation:
    """How an action is taken back: by a call of `tool`, an action of its own.

    `args` makes that call's arguments from the action's own and its result; it raises CannotUndo where there is no way back.
    """

    tool: ToolContract[Any, Any]
    args: Callable[[Json, Json], Json]
    within_ms: int = 0
    """How long after the action; 0 is for ever."""
    cost_microusd: int = 0
    """What one costs, for the plan that a person sees."""
    leaves: str = ""
    """What stays even so, in words: the customer read the mail."""


class CannotUndo(Exception):
    """Raised by the function that makes an undo's arguments, with the reason why this action cannot be taken back."""


@dataclass(frozen=True, slots=True)
class MigrationContract:
    """How values that an older version of an agent recorded become those of the present types; None: the type is the same.

    They raise ContractBroken for a value that they cannot bring over.
    """

    input: Callable[[Json], Json] | None = None
    state: Callable[[Json], Json] | None = None
    output: Callable[[Json], Json] | None = None


@dataclass(frozen=True, slots=True)
class OutsideEffect:
    """One effect as the service lists it: its reference there, what it was called with, and the key if the service keeps it."""

    reference: str
    args: Json
    """A JSON object; an action matches that has the same values under these names."""
    key: str = ""
    result: Json | None = None
    tools: tuple[str, ...] = ()
    """Names of the tools that it may come from, where several share a list; empty: any of them."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A service's own list of effects, perhaps of several tools: those that do and those that undo write to the same account.

    `ask` lists the effects of a span of time, at least those that concern the given arguments of recent actions. It raises ToolFailed when
    the service cannot tell now.
    """

    name: str
    ask: Callable[[EpochMs, EpochMs, Sequence[Json]], Awaitable[Sequence[OutsideEffect]]]


@dataclass(frozen=True, slots=True)
class AgentContract(Generic[In, Out]):
    """An agent: its types, what it may use, how it may fail, its limits, and the async function behind it."""

    name: str
    version: str
    code_digest: str
    """First 16 hex digits of the SHA-256 of the function's source and its types' schemas."""
    input: Codec
    output: Codec
    function: Callable[..., Awaitable[Any]]
    tools: tuple[ToolContract[Any, Any], ...] = ()
    failures: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    state: Codec | None = None
    """Type of the state that its checkpoints carry; None: it resumes by replay."""
    migrations: tuple[tuple[str, MigrationContract], ...] = ()
    """Older versions whose recorded values can be brought over."""
    on_failure: tuple[tuple[str, str], ...] = ()
    """What becomes of a failed run, by failure mode, as in `vocabulary/undo.py`; a mode that is not named stops."""
    untrusted: tuple[str, ...] = ()
    """Fields of its input that outsiders fill, by their last name or by a path: a customer's letter."""
    waits_for_room: bool = False
    """A call of its that a cap has no room for waits until there is some; else it fails."""
    room_wait_ms: int = 0
    """For how long at most; 0: as long as the run may."""
    is_guest: bool = False
    """Its calls are made by a loop that is not ours, with a model in it: nobody vouches for what it makes up."""
    description: str = ""


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """One model call: the name of the task, what to do in words, the input, and the JSON Schema that the answer must fit."""

    task: str
    instructions: str
    input: Json
    schema: Json
    completion_tokens_max: int = 2_048


@dataclass(frozen=True, slots=True)
class ModelReply:
    """A model's answer as JSON, with what it used."""

    output: Json
    usage: Usage
    pace: Pace = Pace()


class ToolFailed(Exception):
    """Raised by a tool's function to classify its failure; anything else it raises counts as `unknown`."""

    def __init__(self, attempt: AttemptFailed) -> None:
        """Take the classified failure; `final`, `retryable` and `unknown` build it."""
        super().__init__(attempt.message)
        self.attempt = attempt

    @classmethod
    def final(cls, message: str, *, details: Json | None = None) -> "ToolFailed":
        """It did not happen and will not: the service refused."""
        return cls(AttemptFailed(FailureKind.FINAL, message, details=details))

    @classmethod
    def retryable(cls, message: str, *, retry_after_ms: int = 0) -> "ToolFailed":
        """It did not happen, and may later; `retry_after_ms` is the service's own wish."""
        return cls(AttemptFailed(FailureKind.RETRYABLE, message, retry_after_ms))

    @classmethod
    def unknown(cls, message: str) -> "ToolFailed":
        """It may have happened: the effect class decides what follows."""
        return cls(AttemptFailed(FailureKind.UNKNOWN, message))


class Failed(Exception):
    """Raised by an agent's function to end its run with a failure mode; its contract should declare the mode."""

    def __init__(self, mode: str, message: str, *, details: Json | None = None) -> None:
        """Take the mode, a sentence for people, and details for the caller's code."""
        super().__init__(message)
        self.mode = mode
        self.details = details
