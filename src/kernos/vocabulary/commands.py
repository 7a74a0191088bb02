"""Commands: what somebody wants to happen to a run, imperative. What a decision needs to know arrives inside."""

from dataclasses import dataclass, field

from kernos.vocabulary.budget import Booking, ReserveBudget, SettleReservation
from kernos.vocabulary.circumstances import Counted
from kernos.vocabulary.events import RunRequested
from kernos.vocabulary.flow import Heritage
from kernos.vocabulary.gate import Decision
from kernos.vocabulary.ids import LOCAL_PERSON, EpochMs, PrincipalId, RunId, StepName
from kernos.vocabulary.outcome import AttemptFailed, Effect, Failure, Found
from kernos.vocabulary.quantities import Json, Retry, Usage
from kernos.vocabulary.room import AwaitRoom, FindRoom
from kernos.vocabulary.undo import Undone

# --- from outside ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RequestRun:
    """Begin a run. `places`: what it takes of caps on open runs."""

    request: RunRequested
    places: tuple[Booking, ...] = ()


@dataclass(frozen=True, slots=True)
class CancelRun:
    """Stop a run and everything below it."""

    reason: str


@dataclass(frozen=True, slots=True)
class ResumeRun:
    """Send a blocked run on."""


@dataclass(frozen=True, slots=True)
class DeliverSignal:
    """Hand a signal to the run. A `key` that arrived before changes nothing."""

    topic: str
    data: Json
    key: str = ""


@dataclass(frozen=True, slots=True)
class AnswerQuestion:
    """Answer what the run asked at `step`."""

    step: StepName
    answer: str


@dataclass(frozen=True, slots=True)
class GrantApproval:
    """Say yes to the arguments with this digest; `token` is the yes, signed; `by` is who says so, in these roles of the run's tenant.

    `own_signature`: the same yes, signed with their own key and checked to be.
    """

    step: StepName
    digest: str
    at: EpochMs
    note: str = ""
    token: str = ""
    by: PrincipalId = LOCAL_PERSON
    roles: frozenset[str] = frozenset()
    own_signature: str = ""


@dataclass(frozen=True, slots=True)
class EditApproval:
    """Say yes to changed arguments; `gate` is what policy says about the changed ones."""

    step: StepName
    args: Json
    digest: str
    gate: Decision
    at: EpochMs
    note: str = ""
    token: str = ""
    by: PrincipalId = LOCAL_PERSON
    roles: frozenset[str] = frozenset()
    own_signature: str = ""


@dataclass(frozen=True, slots=True)
class QuestionApproval:
    """Ask something back before saying yes or no."""

    step: StepName
    question: str


@dataclass(frozen=True, slots=True)
class ExplainApproval:
    """Answer what was asked back."""

    step: StepName
    text: str


@dataclass(frozen=True, slots=True)
class DenyApproval:
    """Say no."""

    step: StepName
    reason: str
    at: EpochMs


@dataclass(frozen=True, slots=True)
class SettleAction:
    """Say what became of an action in doubt: `done` (with its result), `not_done` or `unknown`."""

    step: StepName
    verdict: str
    note: str
    result: Json | None = None


@dataclass(frozen=True, slots=True)
class EndChild:
    """Tell the run that a child ended."""

    step: StepName
    child: RunId
    result: Json | None = None
    failure: Failure | None = None
    heritage: Heritage | None = None


@dataclass(frozen=True, slots=True)
class Tick:
    """Let everything happen in the run that was due by `at`."""

    at: EpochMs


# --- from the run's own code, through the execution plane --------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RecordValue:
    """Keep a value that the clock or chance gave."""

    step: StepName
    what: str
    value: Json


@dataclass(frozen=True, slots=True)
class ReachCheckpoint:
    """Mark a semantic boundary."""

    step: StepName
    name: str
    summary: str
    state: Json | None = None


@dataclass(frozen=True, slots=True)
class JoinFork:
    """Keep which branches a fork took."""

    step: StepName
    winners: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CallTool:
    """Call a tool; `gate` is what the gate says, `digest` and `expires_at` are for the approval it may ask for."""

    step: StepName
    tool: str
    effect: Effect
    args: Json
    gate: Decision
    digest: str
    at: EpochMs
    expires_at: EpochMs
    before: Json | None = None
    undoes: Undone | None = None
    concerns: tuple[str, ...] = ()
    tool_digest: str = ""
    counts: tuple[Counted, ...] = ()
    held: ReserveBudget | None = None
    """What it may use, to be held with the intent."""


@dataclass(frozen=True, slots=True)
class ForgoAction:
    """Say that an action is not taken because the state before it could not be seen, or a cap has no room for it."""

    step: StepName
    tool: str
    effect: Effect
    args: Json
    gate: Decision
    failure: Failure
    attempts: int
    undoes: Undone | None = None


@dataclass(frozen=True, slots=True)
class UseApproval:
    """Act on a granted approval: `digest` is taken from the arguments about to be sent, `gate` from the policy of now.

    `token` is the id of the signed yes; `complaint` says why that does not hold, empty where it does.
    """

    step: StepName
    digest: str
    gate: Decision
    at: EpochMs
    before: Json | None = None
    token: str = ""
    complaint: str = ""
    counts: tuple[Counted, ...] = ()
    held: ReserveBudget | None = None


@dataclass(frozen=True, slots=True)
class AnswerRead:
    """Keep what a tool of class `read` answered."""

    step: StepName
    tool: str
    args: Json
    gate: Decision
    result: Json | None
    failure: Failure | None
    attempts: int
    is_known: bool = True
    """Whether somebody knows what came of the last attempt."""


@dataclass(frozen=True, slots=True)
class AnswerModel:
    """Keep what a model answered."""

    step: StepName
    model: str
    args: Json
    gate: Decision
    usage: Usage
    result: Json | None
    failure: Failure | None
    attempts: int
    is_usage_known: bool = True
    """False: nobody knows what the last attempt used."""


@dataclass(frozen=True, slots=True)
class NoteAttempt:
    """Keep that an attempt of a read or of a model call failed and will be made again."""

    step: StepName
    tool: str
    attempt: int
    failed: AttemptFailed
    retry_at: EpochMs
    is_used_up: bool = True


@dataclass(frozen=True, slots=True)
class ReportAttempt:
    """Say how an attempt of an action ended. `chance` (0 <= chance < 2**16) is for the jitter of the next one."""

    step: StepName
    attempt: int
    outcome: Json | AttemptFailed
    retry: Retry
    at: EpochMs
    chance: int


@dataclass(frozen=True, slots=True)
class LoseAttempt:
    """Say that an attempt was under way when the process ended, so that nobody knows its outcome."""

    step: StepName
    retry: Retry
    at: EpochMs


@dataclass(frozen=True, slots=True)
class ReportLookUp:
    """Say what a look-up found."""

    step: StepName
    found: Found
    retry: Retry


@dataclass(frozen=True, slots=True)
class RetryAction:
    """Act again: the delay is over, or a look-up found nothing."""

    step: StepName


@dataclass(frozen=True, slots=True)
class RefuseRetry:
    """Do not act again: the policy set that is in force by now forbids it, or wants a yes that nobody gave."""

    step: StepName
    gate: Decision


@dataclass(frozen=True, slots=True)
class SetTimer:
    """Sleep until `due_at`."""

    step: StepName
    due_at: EpochMs


@dataclass(frozen=True, slots=True)
class AwaitSignal:
    """Wait for a signal."""

    step: StepName
    topic: str
    due_at: EpochMs


@dataclass(frozen=True, slots=True)
class AskPerson:
    """Wait for a person's answer."""

    step: StepName
    to: str
    question: str
    options: tuple[str, ...]
    due_at: EpochMs


@dataclass(frozen=True, slots=True)
class StartChild:
    """Ask another agent."""

    step: StepName
    child: RunId
    agent: str
    input: Json
    detached: bool = False
    heritage: Heritage | None = None
    places: tuple[Booking, ...] = ()
    """What the child takes of caps on open runs."""


@dataclass(frozen=True, slots=True)
class RefuseChild:
    """Ask no other agent: there is no place for one more open run."""

    step: StepName
    agent: str
    input: Json
    failure: Failure


@dataclass(frozen=True, slots=True)
class BeginUndo:
    """Let a child run take back what the failed run did; nothing else of the run is under way any more."""

    child: RunId
    input: Json


@dataclass(frozen=True, slots=True)
class ParkRun:
    """Leave memory: nothing is left to do until something arrives, or until the next attempt at `wake_at` (0: none)."""

    wake_at: EpochMs = EpochMs(0)


@dataclass(frozen=True, slots=True)
class StopRun:
    """End a run whose cancellation was requested, now that its code has stopped."""


@dataclass(frozen=True, slots=True)
class EndRun:
    """End with the agent's output or its failure; `declared` tells whether the contract names the failure mode."""

    output: Json | None = None
    failure: Failure | None = None
    declared: bool = True
    heritage: Heritage | None = None


@dataclass(frozen=True, slots=True)
class BlockRun:
    """Stop without ending: somebody must mend something first."""

    code: str
    message: str = field(default="")


Command = (
    RequestRun | CancelRun | ResumeRun | DeliverSignal | AnswerQuestion | GrantApproval | EditApproval | DenyApproval | QuestionApproval
    | ExplainApproval
    | SettleAction | EndChild | Tick | RecordValue | ReachCheckpoint | JoinFork | CallTool | ForgoAction | UseApproval | AnswerRead
    | SettleReservation | ReserveBudget | AwaitRoom | FindRoom | AnswerModel | NoteAttempt | ReportAttempt | LoseAttempt | ReportLookUp | RetryAction | RefuseRetry | SetTimer | AwaitSignal
    | AskPerson | StartChild | RefuseChild | BeginUndo | ParkRun | StopRun | EndRun | BlockRun
)  # fmt: skip
