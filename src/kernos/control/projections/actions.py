"""Actions: one row for each call that reaches outside, with what became of it. For the inbox of doubts, and for the account of effects."""

from kernos.vocabulary.events import (
    ActionDoubted,
    ActionFailed,
    ActionForgone,
    ActionIntended,
    ActionPerformed,
    ActionRetried,
    ActionSettled,
    ApprovalDenied,
    ApprovalEdited,
    ApprovalExpired,
    ApprovalGranted,
    ApprovalRequested,
    CallDenied,
    Event,
)
from kernos.vocabulary.ids import step_key
from kernos.vocabulary.journal import RowOp, Scalar, Table

TABLE = Table(
    "actions",
    (
        ("run", "run"),
        ("step", "text"),
        ("tool", "text"),
        ("effect", "text"),
        ("status", "text"),
        ("attempts", "int"),
        ("at", "int"),
        ("settled_at", "int"),
        ("approved_by", "text"),
        ("reason", "text"),
        ("args", "text"),
        ("undoes", "text"),
    ),
    key_columns=2,
    indexes=(("status",), ("undoes",)),
)

KINDS = frozenset(
    {
        ActionDoubted,
        ActionFailed,
        ActionForgone,
        ActionIntended,
        ActionPerformed,
        ActionRetried,
        ActionSettled,
        ApprovalDenied,
        ApprovalEdited,
        ApprovalExpired,
        ApprovalGranted,
        ApprovalRequested,
        CallDenied,
    }
)


def project(event: Event) -> tuple[RowOp, ...]:
    """Keep an action's row from its proposal to its outcome."""
    data = event.data
    if isinstance(data, (ApprovalRequested, CallDenied)):
        return (RowOp("put", "actions", (event.run, data.step), _proposed(event, data)),)
    if isinstance(data, ActionForgone):
        reason = f"{data.failure.code}: {data.failure.message}"
        return (_put(event, data, status="failed", attempts=0, settled_at=event.at, reason=reason),)
    if isinstance(data, ActionIntended):
        if data.approval == step_key(event.run, data.step):
            return (_set(event, data.step, status="intended", attempts=data.attempt),)
        approved_by = "whoever asked" if data.approval else ""
        return (_put(event, data, status="intended", attempts=data.attempt, approved_by=approved_by),)
    return _changed(event)


def _put(event: Event, data: ActionIntended | ActionForgone, **columns: Scalar) -> RowOp:
    row: dict[str, Scalar] = {
        **_EMPTY,
        "tool": data.tool,
        "effect": data.effect,
        "at": event.at,
        "args": data.args.text.decode(),
        "undoes": _undoes(data),
        **columns,
    }
    return RowOp("put", "actions", (event.run, data.step), row)


_EMPTY: dict[str, Scalar] = {"attempts": 0, "settled_at": None, "approved_by": "", "reason": "", "undoes": None}


def _undoes(data: ActionIntended | ActionForgone | ApprovalRequested | CallDenied) -> str | None:
    return data.undoes.key if data.undoes is not None else None


def _proposed(event: Event, data: ApprovalRequested | CallDenied) -> dict[str, Scalar]:
    denied = isinstance(data, CallDenied)
    return {
        **_EMPTY,
        "tool": data.tool,
        "effect": "" if isinstance(data, CallDenied) else data.effect,
        "status": "denied" if denied else "asking",
        "at": event.at,
        "settled_at": event.at if denied else None,
        "reason": data.gate.reason,
        "args": data.args.text.decode(),
        "undoes": _undoes(data),
    }


def _set(event: Event, step: str, **columns: Scalar) -> RowOp:
    return RowOp("set", "actions", (event.run, step), columns)


def _changed(event: Event) -> tuple[RowOp, ...]:
    match event.data:
        case ActionRetried(step, attempt):
            return (_set(event, step, status="intended", attempts=attempt),)
        case ActionPerformed(step):
            return (_set(event, step, status="performed", settled_at=event.at, reason=event.data.evidence),)
        case ActionFailed(step, _, failure):
            reason = f"{failure.code}: {failure.message}"
            return (_set(event, step, status="failed", settled_at=event.at, reason=reason),)
        case ActionDoubted(step, _, message):
            return (_set(event, step, status="in_doubt", reason=message),)
        case ActionSettled(step, verdict, note):
            status = {"done": "performed", "not_done": "not_done"}.get(verdict, "unknown")
            return (_set(event, step, status=status, settled_at=event.at, reason=f"{event.by} said {verdict}: {note}"),)
        case ApprovalGranted(step):
            return (_set(event, step, status="approved", approved_by=event.by),)
        case ApprovalEdited(step):
            args = event.data.args.text.decode()
            if not event.data.is_enough:
                return (_set(event, step, args=args),)
            return (_set(event, step, status="approved", approved_by=event.by, args=args),)
        case ApprovalDenied(step, reason):
            why = f"{event.by} said no: {reason}"
            return (_set(event, step, status="not_approved", settled_at=event.at, reason=why),)
        case ApprovalExpired(step):
            return (_set(event, step, status="not_approved", settled_at=event.at, reason="nobody answered in time"),)
        case _:
            message = f"{type(event.data).__name__} changes no action"
            raise TypeError(message)
