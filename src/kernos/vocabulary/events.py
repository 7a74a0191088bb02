"""Events: what happened, in past tense. The journal keeps nothing else.

Each class is one kind; `KINDS` gives its name and version in the journal. A field may be added with a default; any other
change needs a new version and an upcaster in `kernel/upcast.py`, because old journals stay. Those of actions and
of waits stand in files of their own and belong to this list, as do those of no run (`administration.py`).
"""

from dataclasses import dataclass

from kernos.vocabulary.action_events import (
    ActionDoubted,
    ActionFailed,
    ActionForgone,
    ActionIntended,
    ActionLookedUp,
    ActionPerformed,
    ActionRetried,
    ActionSettled,
    ApprovalDenied,
    ApprovalEdited,
    ApprovalExpired,
    ApprovalExplained,
    ApprovalGranted,
    ApprovalQuestioned,
    ApprovalRequested,
    ApprovalVoiced,
    CallAttemptFailed,
    CallDenied,
)
from kernos.vocabulary.administration import (
    AccessRequired,
    AdministrationData,
    CredentialIssued,
    CredentialRevoked,
    PrincipalAdmitted,
    PrincipalDismissed,
)
from kernos.vocabulary.budget import Budget, BudgetReserved, BudgetSpent, CapRaised, CapsEntered, RaiseAsked
from kernos.vocabulary.erasure import SubjectErased, ValuesShown
from kernos.vocabulary.flow import Heritage
from kernos.vocabulary.gate import Decision
from kernos.vocabulary.grants import GrantRevoked, SourceGranted
from kernos.vocabulary.ids import EpochMs, IdempotencyKey, PrincipalId, RunId, StepName, TenantId
from kernos.vocabulary.outcome import Failure
from kernos.vocabulary.own_keys import OwnKeyAdded, OwnKeyRevoked
from kernos.vocabulary.policies import PoliciesEntered, PoliciesProposed, PoliciesRefused
from kernos.vocabulary.quantities import Json, Limits, Usage
from kernos.vocabulary.room import RoomAwaited, RoomForgone, RoomFound
from kernos.vocabulary.stops import StopLifted, StopOrdered
from kernos.vocabulary.wait_events import (
    ChildEnded,
    ChildRefused,
    ChildStarted,
    QuestionAnswered,
    QuestionAsked,
    SignalAwaited,
    SignalReceived,
    TimerFired,
    TimerSet,
    WaitExpired,
)

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
    grant: tuple[str, ...] | None = None
    """The only tools that the run and all below it may call, of those that their agents declare; None: no narrowing."""
    heritage: Heritage | None = None
    """Of a child: what its parent knew of the input's origins, and what persons had said yes and no to."""
    workflow: str = ""
    """The agent of the first run of its tree; empty where it is that itself."""
    budget: Budget | None = None
    """What the tree may use together, as whoever started it said."""


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
    heritage: Heritage | None = None
    """Of a child: what its parent must know of the output's origins."""


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


EventData = (
    RunRequested | RunParked | RunBlocked | RunResumed | CancelRequested | RunHandedOver | CompensationBegun | RunCancelled
    | RunExpired | RunCompleted | RunFailed | ValueRecorded | CheckpointReached | ForkJoined | ReadAnswered | ModelAnswered | CallDenied
    | BudgetReserved | BudgetSpent | RoomAwaited | RoomFound | RoomForgone
    | ActionIntended | ActionForgone | ActionRetried | CallAttemptFailed | ActionPerformed | ActionFailed | ActionDoubted
    | ActionLookedUp | ActionSettled | ApprovalRequested | ApprovalVoiced | ApprovalQuestioned | ApprovalExplained | ApprovalGranted | ApprovalEdited | ApprovalDenied | ApprovalExpired
    | TimerSet | TimerFired | SignalAwaited | SignalReceived | QuestionAsked | QuestionAnswered | WaitExpired
    | ChildStarted | ChildRefused | ChildEnded | AdministrationData
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
    BudgetReserved: ("budget.reserved", 1),
    BudgetSpent: ("budget.spent", 1),
    RoomAwaited: ("room.awaited", 1),
    RoomFound: ("room.found", 1),
    RoomForgone: ("room.forgone", 1),
    CapRaised: ("cap.raised", 1),
    RaiseAsked: ("cap.raise_asked", 1),
    CapsEntered: ("caps.entered", 1),
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
    ApprovalVoiced: ("approval.voiced", 1),
    ApprovalQuestioned: ("approval.questioned", 1),
    ApprovalExplained: ("approval.explained", 1),
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
    ChildRefused: ("child.refused", 1),
    ChildEnded: ("child.ended", 1),
    PrincipalAdmitted: ("principal.admitted", 1),
    PrincipalDismissed: ("principal.dismissed", 1),
    CredentialIssued: ("credential.issued", 1),
    CredentialRevoked: ("credential.revoked", 1),
    OwnKeyAdded: ("own_key.added", 1),
    OwnKeyRevoked: ("own_key.revoked", 1),
    AccessRequired: ("access.required", 1),
    PoliciesProposed: ("policies.proposed", 1),
    PoliciesEntered: ("policies.entered", 1),
    PoliciesRefused: ("policies.refused", 1),
    StopOrdered: ("stop.ordered", 1),
    StopLifted: ("stop.lifted", 1),
    SubjectErased: ("subject.erased", 1),
    ValuesShown: ("values.shown", 1),
    SourceGranted: ("source.granted", 1),
    GrantRevoked: ("grant.revoked", 1),
}
