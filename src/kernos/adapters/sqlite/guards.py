"""Guards: whether appends leave the rows that they name below their limits, also beside others of the same group."""

from collections.abc import Callable, Sequence

from kernos.vocabulary.journal import Append, Guard, RowOp, Scalar

_Place = tuple[str, tuple[Scalar, ...], str]
"""Table, key and column."""


class Guarded:
    """The numbers that guards of one group look at. Only rows that are changed by `add` are guarded."""

    def __init__(self, stands: Callable[[Guard], int]) -> None:
        """Take how to look up what a guarded number is before the group."""
        self._stands = stands
        self._numbers: dict[_Place, int] = {}
        self._changes: dict[_Place, int] = {}
        """What appends of the group that are in changed so far."""

    def admit(self, appends: Sequence[Append]) -> Guard | None:
        """Count appends in, or return the first guard of theirs that would not hold: then they are not counted in."""
        more: dict[_Place, int] = {}
        for append in appends:
            for row in append.rows:
                _count(row, more)
        for append in appends:
            for guard in append.guards:
                place = (guard.table, guard.key, guard.column)
                if place not in self._numbers:
                    self._numbers[place] = self._stands(guard)
                if self._numbers[place] + self._changes.get(place, 0) + more.get(place, 0) > guard.limit:
                    return guard
        for place, change in more.items():
            self._changes[place] = self._changes.get(place, 0) + change
        return None


def _count(row: RowOp, changes: dict[_Place, int]) -> None:
    if row.op == "add":
        for column, value in row.columns.items():
            if isinstance(value, int):
                place = (row.table, row.key, column)
                changes[place] = changes.get(place, 0) + value
