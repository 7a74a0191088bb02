"""Waiting: one row for each thing that an open run waits for. For people's inboxes, for timers, and for tests of law 8."""

from kernos.vocabulary.events import (
    ApprovalDenied,
    ApprovalEdited,
    ApprovalExpired,
    ApprovalGranted,
    ApprovalRequested,
    ChildEnded,
    ChildStarted,
    CompensationBegun,
    Event,
    ForkJoined,
    QuestionAnswered,
    QuestionAsked,
    RunCancelled,
    RunCompleted,
    RunExpired,
    RunFailed,
    RunHandedOver,
    SignalAwaited,
    SignalReceived,
    TimerFired,
    TimerSet,
    WaitExpired,
)
from kernos.vocabulary.journal import RowOp, Scalar, Table
from kernos.vocabulary.room import RoomAwaited, RoomForgone, RoomFound

TABLE = Table(
    "waiting",
    (
        ("run", "run"),
        ("step", "text"),
        ("kind", "text"),
        ("subject", "text"),
        ("since", "int"),
        ("due_at", "int"),
        ("details", "text"),
    ),
    key_columns=2,
    indexes=(("due_at",), ("kind",)),
)

_ENDS = (RunCompleted, RunFailed, RunCancelled, RunExpired, RunHandedOver, CompensationBegun)
_STARTS = (ApprovalRequested, QuestionAsked, SignalAwaited, TimerSet, ChildStarted, RoomAwaited)
_STOPS = (
    ApprovalGranted, ApprovalEdited, ApprovalDenied, ApprovalExpired, QuestionAnswered, TimerFired, WaitExpired,
    ChildEnded, SignalReceived, RoomFound, RoomForgone,
)  # fmt: skip
KINDS = frozenset({ForkJoined, *_ENDS, *_STARTS, *_STOPS})


def project(event: Event) -> tuple[RowOp, ...]:
    """Put a row when a wait begins, drop it when it ends."""
    data = event.data
    if isinstance(data, _ENDS):
        return (RowOp("drop", "waiting", (event.run,), {}),)
    if isinstance(data, ForkJoined):
        return tuple(RowOp("drop", "waiting", (event.run, step), {}) for step in data.abandoned)
    if isinstance(data, ApprovalEdited) and not data.is_enough:
        return (RowOp("set", "waiting", (event.run, data.step), {"details": data.args.text.decode()}),)
    if isinstance(data, _STOPS):
        return (RowOp("drop", "waiting", (event.run, data.step), {}),) if data.step else ()
    assert isinstance(data, _STARTS), data
    if isinstance(data, ChildStarted) and data.detached:
        return ()
    if isinstance(data, SignalAwaited) and data.held >= 0:
        return ()
    row = _row(event)
    row["since"] = data.since if isinstance(data, RoomAwaited) else event.at
    return (RowOp("put", "waiting", (event.run, data.step), row),)


def _row(event: Event) -> dict[str, Scalar]:
    data = event.data
    match data:
        case ApprovalRequested():
            details = data.args.text.decode()
            return {"kind": "approval", "subject": data.tool, "due_at": data.expires_at, "details": details}
        case QuestionAsked():
            return {"kind": "question", "subject": data.to, "due_at": data.due_at or None, "details": data.question}
        case SignalAwaited():
            return {"kind": "signal", "subject": data.topic, "due_at": data.due_at or None, "details": ""}
        case TimerSet():
            return {"kind": "timer", "subject": "", "due_at": data.due_at, "details": ""}
        case ChildStarted():
            return {"kind": "child", "subject": data.child, "due_at": None, "details": data.agent}
        case RoomAwaited():
            return {"kind": "room", "subject": data.what, "due_at": data.due_at or None, "details": data.why}
        case _:
            message = f"{type(data).__name__} begins no wait"
            raise TypeError(message)
