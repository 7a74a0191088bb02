"""Projections: tables derived from events, one file each; dropped and rebuilt they are equal, byte for byte.

Each module names its table and gives `project(event)`, the row changes that follow from one event alone. A projection never reads
the clock, another table or a run's state, so that any order of runs gives the same rows.
"""

from collections.abc import Callable, Mapping

from kernos.control.projections import (
    accounts,
    actions,
    counts,
    deliveries,
    references,
    reservations,
    runs,
    spend,
    waiting,
)
from kernos.vocabulary.events import Event
from kernos.vocabulary.journal import RowOp, Table

TABLES: tuple[Table, ...] = (
    runs.TABLE,
    waiting.TABLE,
    actions.TABLE,
    counts.TABLE,
    accounts.TABLE,
    reservations.TABLE,
    spend.TABLE,
    deliveries.TABLE,
    references.TABLE,
)

_RULES: Mapping[type, tuple[Callable[[Event], tuple[RowOp, ...]], ...]] = {
    kind: tuple(
        module.project
        for module in (runs, waiting, actions, counts, accounts, reservations, spend, deliveries, references)
        if kind in module.KINDS
    )
    for kind in {
        *runs.KINDS,
        *waiting.KINDS,
        *actions.KINDS,
        *counts.KINDS,
        *accounts.KINDS,
        *reservations.KINDS,
        *spend.KINDS,
        *deliveries.KINDS,
        *references.KINDS,
    }
}


def project(event: Event) -> tuple[RowOp, ...]:
    """Return the changes of all projections that follow from one event."""
    rules = _RULES.get(type(event.data))
    if rules is None:
        return ()
    return tuple(change for rule in rules for change in rule(event))
