"""Runs: one row a run, with where it stands. For lists, for taking runs up after a start, and for deadlines."""

from kernos.vocabulary.events import (
    ActionSettled,
    ApprovalDenied,
    ApprovalEdited,
    ApprovalExpired,
    ApprovalGranted,
    CallAttemptFailed,
    CancelRequested,
    ChildEnded,
    CompensationBegun,
    Event,
    ModelAnswered,
    QuestionAnswered,
    RunBlocked,
    RunCancelled,
    RunCompleted,
    RunExpired,
    RunFailed,
    RunHandedOver,
    RunParked,
    RunRequested,
    RunResumed,
    SignalReceived,
    TimerFired,
    WaitExpired,
)
from kernos.vocabulary.journal import RowOp, Scalar, Table
from kernos.vocabulary.room import RoomForgone, RoomFound

TABLE = Table(
    "runs",
    (
        ("run", "run"),
        ("status", "text"),
        ("agent", "text"),
        ("version", "text"),
        ("intent", "text"),
        ("tenant", "text"),
        ("by", "text"),
        ("parent", "run"),
        ("reverts", "run"),
        ("requested_at", "int"),
        ("ended_at", "int"),
        ("deadline_at", "int"),
        ("wake_at", "int"),
        ("reason", "text"),
        ("profile", "text"),
        ("input_bytes", "int"),
        ("work", "int"),
    ),
    key_columns=1,
    indexes=(("status",), ("deadline_at",), ("wake_at",), ("reverts",)),
)

CANCEL_REQUESTED = "cancel requested: "
"""How the reason of a run begins that is cancelled and has not ended."""

_ENDS = {RunCompleted: "completed", RunFailed: "failed", RunCancelled: "cancelled", RunExpired: "expired"}
_WAKES = frozenset(
    {
        ActionSettled,
        ApprovalDenied,
        ApprovalEdited,
        ApprovalExpired,
        ApprovalGranted,
        ChildEnded,
        QuestionAnswered,
        RoomForgone,
        RoomFound,
        SignalReceived,
        TimerFired,
        WaitExpired,
    }
)
KINDS = frozenset(
    {
        RunRequested,
        RunParked,
        RunBlocked,
        RunResumed,
        RunHandedOver,
        CompensationBegun,
        CancelRequested,
        CallAttemptFailed,
        ModelAnswered,
        *_ENDS,
        *_WAKES,
    }
)


def project(event: Event) -> tuple[RowOp, ...]:
    """Keep a run's row. A run that something was delivered to counts as running until it parks again."""
    data = event.data
    if isinstance(data, RunRequested):
        row: dict[str, Scalar] = {
            "status": "running",
            "agent": data.agent,
            "version": data.agent_version,
            "intent": data.intent,
            "tenant": data.tenant,
            "by": event.by,
            "parent": data.parent or None,
            "reverts": data.reverts or None,
            "requested_at": event.at,
            "ended_at": None,
            "deadline_at": data.deadline_at or None,
            "wake_at": None,
            "reason": "",
            "profile": data.profile,
            "input_bytes": len(data.input.text),
            "work": 0,
        }
        return (RowOp("put", "runs", (event.run,), row),)
    if isinstance(data, (ModelAnswered, CallAttemptFailed)):
        work = data.usage.work if data.usage is not None else 0
        return (RowOp("add", "runs", (event.run,), {"work": work}),) if work else ()
    if isinstance(data, (ActionSettled, ChildEnded)) and data.late:
        return ()
    if isinstance(data, ApprovalEdited) and not data.is_enough:
        return ()
    if isinstance(data, SignalReceived) and not data.step:
        return ()  # Held: the run waits on.
    return (RowOp("set", "runs", (event.run,), _changes(event)),)


def _changes(event: Event) -> dict[str, Scalar]:
    data = event.data
    if isinstance(data, CancelRequested):
        return {"reason": f"{CANCEL_REQUESTED}{data.reason}"}
    if isinstance(data, RunParked):
        return {"status": "waiting", "wake_at": data.wake_at or None}
    return {"wake_at": None, **_moves(event)}


def _moves(event: Event) -> dict[str, Scalar]:
    data = event.data
    kind = type(data)
    if kind in _ENDS:
        return {"status": _ENDS[kind], "ended_at": event.at, "deadline_at": None, "reason": _reason(event)}
    if isinstance(data, RunHandedOver):
        return {"status": "handed_over", "reason": f"{data.mode}: {data.message}"}
    if isinstance(data, CompensationBegun):
        return {"status": "compensating", "deadline_at": None, "reason": f"{data.mode}: {data.message}"}
    if isinstance(data, RunBlocked):
        return {"status": "blocked", "reason": f"{data.code}: {data.message}"}
    if isinstance(data, RunResumed):
        return {"status": "running", "reason": ""}
    return {"status": "running"}


def _reason(event: Event) -> str:
    data = event.data
    if isinstance(data, RunFailed):
        return f"{data.mode}: {data.message}"
    if isinstance(data, RunCancelled):
        return data.reason
    return "passed its deadline" if isinstance(data, RunExpired) else ""
