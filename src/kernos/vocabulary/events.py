"""Events: what happened, in past tense. The journal keeps nothing else.

Each class is one kind; `KINDS` gives its name and version in the journal. A field may be added with a default; any other
change needs a new version and an upcaster in `kernel/upcast.py`, because old journals stay. The file is long because it is one list.
"""

from dataclasses import dataclass

from kernos.vocabulary.gate import Decision
from kernos.vocabulary.ids import ApprovalId, EpochMs, IdempotencyKey, PrincipalId, RunId, StepName, TenantId
from kernos.vocabulary.outcome import Effect, Failure, FailureKind
from kernos.vocabulary.quantities import Json, Limits, Usage
from kernos.vocabulary.undo import Undone

# --- the life of a run -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RunRequested:
    """Somebody asked an agent for something. Always number 0 of its run."""

    agent: str
    agent_version: str
    code_digest: str
    intent: str
    input: Json
    tenant: TenantId
    limits: Limits
    deadline_at: EpochMs
    profile: str = "standard"
    start_key: str = ""
    parent: RunId = RunId("")
    parent_step: StepName = StepName("")
    depth: int = 0
    detached: bool = False
    """Its parent does not wait for it."""
    root: RunId = RunId("")
    """The first run of its tree; empty where it is that itself."""
    on_failure: tuple[tuple[str, str], ...] = ()
    """What the contract wants for each failure mode (`vocabulary/undo.py`); `*` stands for any other."""
    reverts: RunId = RunId("")
    """The ended run whose actions this one takes back for a person."""
    approved: tuple[str, ...] = ()
    """Digests of the calls that whoever asked has seen and approved with the request."""


@dataclass(frozen=True, slots=True)
class RunParked:
    """Nothing is left to do until something arrives from outside, or until `wake_at` (0: never); the run leaves memory."""

    wake_at: EpochMs = EpochMs(0)


@dataclass(frozen=True, slots=True)
class RunBlocked:
    """The run cannot go on until somebody mends its surroundings: code that differs, an agent that is missing."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class RunResumed:
    """Somebody mended what blocked the run and sent it on."""


@dataclass(frozen=True, slots=True)
class CancelRequested:
    """Somebody wants the run to stop; it stops when no action is under way, and its open children are cancelled."""

    reason: str
    children: tuple[RunId, ...] = ()


@dataclass(frozen=True, slots=True)
class RunHandedOver:
    """The agent failed and its contract wants a person to say what becomes of it; the question follows."""

    mode: str
    message: str
    details: Json | None = None
    declared: bool = True
    children: tuple[RunId, ...] = ()


@dataclass(frozen=True, slots=True)
class CompensationBegun:
    """The run takes back what it did outside after checkpoint `to` (all, if empty); then it ends as `mode` says."""

    mode: str
    message: str
    details: Json | None = None
    declared: bool = True
    to: str = ""
    children: tuple[RunId, ...] = ()


@dataclass(frozen=True, slots=True)
class RunCancelled:
    """The run stopped because somebody wanted it to; children still open are cancelled (also with the ends below).

    `taken_back` is the report of its compensation: what is undone, what is not, and why (also with the ends below).
    """

    reason: str
    children: tuple[RunId, ...] = ()
    taken_back: Json | None = None


@dataclass(frozen=True, slots=True)
class RunExpired:
    """The run passed its deadline."""

    deadline_at: EpochMs
    children: tuple[RunId, ...] = ()
    taken_back: Json | None = None


@dataclass(frozen=True, slots=True)
class RunCompleted:
    """The agent answered."""

    output: Json
    children: tuple[RunId, ...] = ()


@dataclass(frozen=True, slots=True)
class RunFailed:
    """The agent ended with a failure mode; `declared` tells whether its contract names it."""

    mode: str
    message: str
    details: Json | None = None
    declared: bool = True
    children: tuple[RunId, ...] = ()
    taken_back: Json | None = None


# --- steps that stay inside --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ValueRecorded:
    """The clock or chance gave the agent a value. `what` is `now`, `random` or `uuid`."""

    step: StepName
    what: str
    value: Json


@dataclass(frozen=True, slots=True)
class CheckpointReached:
    """A semantic boundary: what was meant, where the run stands, and every action so far."""

    step: StepName
    name: str
    summary: str
    intent: str
    actions: tuple[IdempotencyKey, ...]
    state: Json | None = None


@dataclass(frozen=True, slots=True)
class ForkJoined:
    """A fork that did not wait for all its branches took these, in order of finishing, and gave up what the others waited for."""

    step: StepName
    winners: tuple[int, ...]
    abandoned: tuple[StepName, ...] = ()
    children: tuple[RunId, ...] = ()


@dataclass(frozen=True, slots=True)
class ReadAnswered:
    """A tool of class `read` was called and answered, or failed for good."""

    step: StepName
    tool: str
    args: Json
    gate: Decision
    result: Json | None = None
    failure: Failure | None = None
    attempts: int = 1


@dataclass(frozen=True, slots=True)
class ModelAnswered:
    """A model was called and answered, or failed for good. `usage` is that of the last attempt: those before have events of their own."""

    step: StepName
    model: str
    args: Json
    gate: Decision
    usage: Usage
    result: Json | None = None
    failure: Failure | None = None
    attempts: int = 1


# --- actions -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CallDenied:
    """The gate refused a call; nothing left the kernel."""

    step: StepName
    tool: str
    args: Json
    gate: Decision
    undoes: Undone | None = None


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


@dataclass(frozen=True, slots=True)
class ActionPerformed:
    """The action happened. `evidence` says how we know when the answer did not come from the call itself."""

    step: StepName
    result: Json
    attempt: int = 1
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class ActionFailed:
    """The action did not happen and will not."""

    step: StepName
    attempt: int
    failure: Failure


@dataclass(frozen=True, slots=True)
class ActionDoubted:
    """Nobody knows whether the action happened; a person has to say."""

    step: StepName
    attempt: int
    message: str


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


@dataclass(frozen=True, slots=True)
class ApprovalGranted:
    """A person said yes to the arguments with this digest."""

    step: StepName
    digest: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class ApprovalEdited:
    """A person changed the arguments and said yes to the changed ones; `before` keeps the proposal."""

    step: StepName
    before: Json
    args: Json
    digest: str
    gate: Decision
    note: str = ""


@dataclass(frozen=True, slots=True)
class ApprovalDenied:
    """A person said no."""

    step: StepName
    reason: str


@dataclass(frozen=True, slots=True)
class ApprovalExpired:
    """Nobody answered in time, which counts as no."""

    step: StepName


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
class ChildEnded:
    """A child run ended, with its output or its failure. `late`: the run that asked for it had ended."""

    step: StepName
    child: RunId
    result: Json | None = None
    failure: Failure | None = None
    late: bool = False


EventData = (
    RunRequested | RunParked | RunBlocked | RunResumed | CancelRequested | RunHandedOver | CompensationBegun | RunCancelled
    | RunExpired | RunCompleted | RunFailed | ValueRecorded | CheckpointReached | ForkJoined | ReadAnswered | ModelAnswered | CallDenied
    | ActionIntended | ActionForgone | ActionRetried | CallAttemptFailed | ActionPerformed | ActionFailed | ActionDoubted
    | ActionLookedUp | ActionSettled | ApprovalRequested | ApprovalGranted | ApprovalEdited | ApprovalDenied | ApprovalExpired
    | TimerSet | TimerFired | SignalAwaited | SignalReceived | QuestionAsked | QuestionAnswered | WaitExpired
    | ChildStarted | ChildEnded
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Event:
    """One fact with its place and its attribution."""

    run: RunId
    n: int
    """Number in the run, from 0, without gaps."""
    at: EpochMs
    by: PrincipalId
    cause: str
    """What led to it: `n3` for event 3 of the same run, `RUN/n3` for one of another, or `call` for a caller's request."""
    data: EventData


KINDS: dict[type[EventData], tuple[str, int]] = {
    RunRequested: ("run.requested", 1),
    RunParked: ("run.parked", 2),
    RunBlocked: ("run.blocked", 1),
    RunResumed: ("run.resumed", 1),
    CancelRequested: ("run.cancel_requested", 1),
    RunHandedOver: ("run.handed_over", 1),
    CompensationBegun: ("run.compensation_begun", 1),
    RunCancelled: ("run.cancelled", 1),
    RunExpired: ("run.expired", 1),
    RunCompleted: ("run.completed", 1),
    RunFailed: ("run.failed", 1),
    ValueRecorded: ("value.recorded", 1),
    CheckpointReached: ("checkpoint.reached", 1),
    ForkJoined: ("fork.joined", 1),
    ReadAnswered: ("read.answered", 1),
    ModelAnswered: ("model.answered", 1),
    CallDenied: ("call.denied", 1),
    ActionIntended: ("action.intended", 1),
    ActionForgone: ("action.forgone", 1),
    ActionRetried: ("action.retried", 1),
    CallAttemptFailed: ("call.attempt_failed", 2),
    ActionPerformed: ("action.performed", 1),
    ActionFailed: ("action.failed", 1),
    ActionDoubted: ("action.doubted", 1),
    ActionLookedUp: ("action.looked_up", 1),
    ActionSettled: ("action.settled", 1),
    ApprovalRequested: ("approval.requested", 1),
    ApprovalGranted: ("approval.granted", 1),
    ApprovalEdited: ("approval.edited", 1),
    ApprovalDenied: ("approval.denied", 1),
    ApprovalExpired: ("approval.expired", 1),
    TimerSet: ("timer.set", 1),
    TimerFired: ("timer.fired", 1),
    SignalAwaited: ("signal.awaited", 1),
    SignalReceived: ("signal.received", 1),
    QuestionAsked: ("question.asked", 1),
    QuestionAnswered: ("question.answered", 1),
    WaitExpired: ("wait.expired", 1),
    ChildStarted: ("child.started", 1),
    ChildEnded: ("child.ended", 1),
}
