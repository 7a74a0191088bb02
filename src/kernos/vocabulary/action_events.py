"""Events of actions and of approvals; the list of all kinds is in `vocabulary/events.py`."""

from dataclasses import dataclass

from kernos.vocabulary.circumstances import Counted
from kernos.vocabulary.gate import Decision
from kernos.vocabulary.ids import ApprovalId, EpochMs, IdempotencyKey, StepName
from kernos.vocabulary.outcome import Effect, Failure, FailureKind
from kernos.vocabulary.quantities import Json, Usage
from kernos.vocabulary.undo import Undone

# --- actions -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CallDenied:
    """The gate refused a call; nothing left the kernel."""

    step: StepName
    tool: str
    args: Json
    gate: Decision
    undoes: Undone | None = None
    concerns: tuple[str, ...] = ()
    """Data of the call that a person refused before, by the keys of `vocabulary/flow.py`."""


@dataclass(frozen=True, slots=True)
class ActionIntended:
    """The kernel is about to act. Durable before the first byte leaves; `approval` is consumed by it."""

    step: StepName
    tool: str
    effect: Effect
    args: Json
    key: IdempotencyKey
    gate: Decision
    attempt: int = 1
    approval: ApprovalId = ApprovalId("")
    intent: str = ""
    checkpoint: str = ""
    before: Json | None = None
    """What the tool saw of the world just before, for look-ups to compare with."""
    undoes: Undone | None = None
    """The action that this one takes back."""
    token: str = ""
    """Id of the signed token that the yes came in, several with a space between; they are used up by this event."""
    counts: tuple[Counted, ...] = ()
    """What it adds to the counters that the policies' declarations name."""


@dataclass(frozen=True, slots=True)
class ActionForgone:
    """The kernel did not act: what had to be seen first (the state before) could not be seen. Nothing left the kernel."""

    step: StepName
    tool: str
    effect: Effect
    args: Json
    gate: Decision
    failure: Failure
    attempts: int = 1
    undoes: Undone | None = None


@dataclass(frozen=True, slots=True)
class ActionRetried:
    """The kernel is about to act again, with the same arguments under the same key. Durable before the first byte leaves."""

    step: StepName
    attempt: int


@dataclass(frozen=True, slots=True)
class CallAttemptFailed:
    """One attempt of a call failed; the next may start at `retry_at`, for an action of class `verifiable` with a look-up.

    A refusal (`failure` final) stands here only where a look-up is to say whether it can be believed.
    """

    step: StepName
    tool: str
    attempt: int
    failure: FailureKind
    message: str
    retry_at: EpochMs
    usage: Usage | None = None
    """What a model used for an answer of no use."""
    details: Json | None = None
    is_used_up: bool = True
    """False where a model had too many calls: that was no attempt of this one."""


@dataclass(frozen=True, slots=True)
class ActionPerformed:
    """The action happened. `evidence` says how we know when the answer did not come from the call itself."""

    step: StepName
    result: Json
    attempt: int = 1
    evidence: str = ""
    undone: str = ""
    """RUN.STEP of the action that this one took back."""


@dataclass(frozen=True, slots=True)
class ActionFailed:
    """The action did not happen and will not."""

    step: StepName
    attempt: int
    failure: Failure
    gate: Decision | None = None
    """What forbade a further attempt, where policy did."""


@dataclass(frozen=True, slots=True)
class ActionDoubted:
    """Nobody knows whether the action happened; a person has to say."""

    step: StepName
    attempt: int
    message: str
    gate: Decision | None = None
    """What forbade a further attempt that would have told, where policy did."""


@dataclass(frozen=True, slots=True)
class ActionLookedUp:
    """The service was asked whether the action happened; `done` None means that it could not tell."""

    step: StepName
    done: bool | None
    evidence: str


@dataclass(frozen=True, slots=True)
class ActionSettled:
    """A person said what became of an action in doubt: `done`, `not_done` or `unknown`. `late`: the run had ended."""

    step: StepName
    verdict: str
    note: str
    result: Json | None = None
    late: bool = False
    undone: str = ""
    """RUN.STEP of the action that this one took back; only with the verdict `done`."""


# --- approvals ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ApprovalRequested:
    """Policy wants a person's yes to exactly these arguments (`digest` = SHA-256 of their RFC 8785 form, hex)."""

    step: StepName
    tool: str
    effect: Effect
    args: Json
    digest: str
    gate: Decision
    expires_at: EpochMs
    undoes: Undone | None = None
    concerns: tuple[str, ...] = ()
    """Data of the call that nobody vouches for, by the keys of `vocabulary/flow.py`: a yes endorses them, a no refuses them."""
    tool_digest: str = ""
    """Of the tool as it is declared, see `control/attestation.py`."""
    again: str = ""
    """Why it is asked anew: what was wrong with the yes before."""


@dataclass(frozen=True, slots=True)
class ApprovalGranted:
    """A person said yes to the arguments with this digest; `token` is that yes, signed (`vocabulary/approval.py`)."""

    step: StepName
    digest: str
    note: str = ""
    token: str = ""
    counts_for: tuple[str, ...] = ()
    """The rules whose demand for people it helps to meet."""
    own_signature: str = ""
    """The same yes, signed with the person's own key; empty where they signed with none."""


@dataclass(frozen=True, slots=True)
class ApprovalVoiced:
    """A person said yes, and it takes more people's than that; `token` is that yes, signed."""

    step: StepName
    digest: str
    note: str = ""
    token: str = ""
    counts_for: tuple[str, ...] = ()
    """The rules whose demand for people it helps to meet."""
    own_signature: str = ""
    """The same yes, signed with the person's own key; empty where they signed with none."""


@dataclass(frozen=True, slots=True)
class ApprovalQuestioned:
    """Somebody who is to say yes wants to know something first. The question to them stands as long as before."""

    step: StepName
    question: str


@dataclass(frozen=True, slots=True)
class ApprovalExplained:
    """Somebody answered what was asked back."""

    step: StepName
    text: str


@dataclass(frozen=True, slots=True)
class ApprovalEdited:
    """A person changed the arguments and said yes to the changed ones; `before` keeps the proposal."""

    step: StepName
    before: Json
    args: Json
    digest: str
    gate: Decision
    note: str = ""
    token: str = ""
    counts_for: tuple[str, ...] = ()
    is_enough: bool = True
    """Whether nobody else's yes is wanted; else it still waits, with the changed arguments."""
    own_signature: str = ""
    """The same yes, signed with the person's own key; empty where they signed with none."""


@dataclass(frozen=True, slots=True)
class ApprovalDenied:
    """A person said no."""

    step: StepName
    reason: str


@dataclass(frozen=True, slots=True)
class ApprovalExpired:
    """Nobody answered in time, which counts as no."""

    step: StepName
