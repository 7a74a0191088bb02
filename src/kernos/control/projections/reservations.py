"""Reservations: what is reserved and not settled: for calls under way, in doubt or cut off by a crash, and for places of open runs."""

from kernos.vocabulary.budget import BudgetReserved, BudgetSpent
from kernos.vocabulary.events import Event
from kernos.vocabulary.journal import RowOp, Table

TABLE = Table("reservations", (("run", "run"), ("n", "int"), ("step", "text"), ("at", "int")), key_columns=2)

KINDS = frozenset({BudgetReserved, BudgetSpent})


def project(event: Event) -> tuple[RowOp, ...]:
    """Keep a reservation until it is settled."""
    match event.data:
        case BudgetReserved(step=step):
            return (RowOp("put", TABLE.name, (event.run, event.n), {"step": step, "at": event.at}),)
        case BudgetSpent(reservation=reservation):
            return (RowOp("drop", TABLE.name, (event.run, reservation), {}),)
        case _:
            return ()
