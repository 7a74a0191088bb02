"""Deliveries: what one run owes another and has not handed over yet. After a crash it is handed over again.

One row for each child run that is waited for. `owed` says what is missing: `end`, the child ended and its parent does not know;
`cancel`, its parent gave up and the child has not ended; empty, nothing.
"""

from kernos.vocabulary.events import (
    CancelRequested,
    ChildEnded,
    CompensationBegun,
    Event,
    ForkJoined,
    RunCancelled,
    RunCompleted,
    RunExpired,
    RunFailed,
    RunHandedOver,
    RunRequested,
)
from kernos.vocabulary.journal import RowOp, Table

TABLE = Table(
    "deliveries",
    (("child", "run"), ("parent", "run"), ("step", "text"), ("owed", "text")),
    key_columns=1,
    indexes=(("owed",),),
)

_ENDS = (RunCompleted, RunFailed, RunCancelled, RunExpired)
_GIVES_UP = (CancelRequested, ForkJoined, RunHandedOver, CompensationBegun)
KINDS = frozenset({RunRequested, ChildEnded, *_GIVES_UP, *_ENDS})


def project(event: Event) -> tuple[RowOp, ...]:
    """Keep a row from a child's request until its parent knows its end."""
    data = event.data
    if isinstance(data, RunRequested):
        if not data.parent or data.detached:
            return ()
        row = {"parent": data.parent, "step": data.parent_step, "owed": ""}
        return (RowOp("put", "deliveries", (event.run,), row),)
    if isinstance(data, ChildEnded):
        return (RowOp("drop", "deliveries", (data.child,), {}),)
    assert isinstance(data, (*_GIVES_UP, *_ENDS)), data
    given_up = tuple(RowOp("set", "deliveries", (child,), {"owed": "cancel"}) for child in data.children)
    if isinstance(data, _GIVES_UP):
        return given_up
    return (*given_up, RowOp("set", "deliveries", (event.run,), {"owed": "end"}))
