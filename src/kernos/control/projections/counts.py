"""Counts: one row for each counter entry of an action that happened, may have happened or is under way. For the caps of policies.

An action that did not happen, or was taken back, leaves. In journal order: what takes an action back stands after it.
"""

from kernos.vocabulary.events import ActionFailed, ActionIntended, ActionPerformed, ActionSettled, Event
from kernos.vocabulary.ids import split_step_key
from kernos.vocabulary.journal import RowOp, Table

TABLE = Table(
    "counts",
    (
        ("run", "run"),
        ("step", "text"),
        ("counter", "text"),
        ("key", "text"),
        ("at", "int"),
        ("amount", "int"),
    ),
    key_columns=3,
    indexes=(("counter", "key", "at", "amount"),),
)

KINDS = frozenset({ActionIntended, ActionFailed, ActionPerformed, ActionSettled})


def project(event: Event) -> tuple[RowOp, ...]:
    """Add the entries of an action with its intent; remove them once it is known not to stand."""
    match event.data:
        case ActionIntended(step, counts=counts):
            return tuple(
                RowOp(
                    "put",
                    "counts",
                    (event.run, step, entry.counter),
                    {"key": entry.key, "at": event.at, "amount": entry.amount},
                )
                for entry in counts
            )
        case ActionFailed(step):
            return (RowOp("drop", "counts", (event.run, step), {}),)
        case ActionSettled(step, verdict, late=late) if verdict == "not_done" and late:
            return (RowOp("drop", "counts", (event.run, step), {}),)
        case ActionPerformed(undone=undone) | ActionSettled(undone=undone) if undone:
            return (RowOp("drop", "counts", split_step_key(undone), {}),)
        case _:
            return ()
