"""Rows in memory: projections' tables for tests, with the meaning of row changes that the views port promises."""

from collections.abc import Iterable, Mapping, Sequence

from kernos.ports.journal import Range, Row
from kernos.vocabulary.ids import number_of
from kernos.vocabulary.journal import Guard, RowOp, Scalar, Table

Key = tuple[Scalar, ...]


class MemoryRows:
    """The rows of some tables."""

    def __init__(self, tables: Sequence[Table]) -> None:
        """Take the tables, empty."""
        self._tables = {table.name: table for table in tables}
        self._rows: dict[str, dict[Key, dict[str, Scalar]]] = {table.name: {} for table in tables}

    def apply(self, ops: Iterable[RowOp]) -> None:
        """Change rows, in order."""
        for op in ops:
            table = self._tables[op.table]
            rows = self._rows[op.table]
            if op.op == "drop":
                for key in [key for key in rows if key[: len(op.key)] == op.key]:
                    del rows[key]
                continue
            assert len(op.key) == table.key_columns, op
            names = [name for name, _ in table.columns[table.key_columns :]]
            assert set(op.columns) <= set(names), op
            row = rows.get(op.key)
            if op.op == "put" or (op.op == "add" and row is None):
                rows[op.key] = {name: op.columns.get(name) for name in names}
            elif op.op == "set" and row is not None:
                row.update(op.columns)
            elif op.op == "add" and row is not None:
                for name, value in op.columns.items():
                    row[name] = int(row[name] or 0) + int(value or 0)

    def stands(self, guard: Guard) -> int:
        """Return the number that a guard looks at."""
        return int(self._rows[guard.table].get(guard.key, {}).get(guard.column) or 0)

    def take_over(self, other: "MemoryRows", tables: Iterable[str]) -> None:
        """Replace the rows of some tables by another's."""
        for name in tables:
            self._rows[name] = other._rows[name]  # noqa: SLF001 - of the same class

    def select(
        self,
        name: str,
        where: Mapping[str, Scalar | Range],
        order: str,
        after: Scalar,
        limit: int,
        *,
        descending: bool,
    ) -> list[Row]:
        """Return rows as the views port says; a negative limit is none."""
        table = self._tables[name]
        kinds = dict(table.columns)
        names = tuple(kinds)
        keys = names[: table.key_columns]
        found: list[Row] = []
        for key, columns in self._rows[name].items():
            row = {**dict(zip(keys, key, strict=True)), **columns}
            is_later = after is None or _sorted(kinds[keys[0]], row[keys[0]]) > _sorted(kinds[keys[0]], after)
            if is_later and all(_fits(kinds[column], row[column], wanted) for column, wanted in where.items()):
                found.append(row)
        by = dict.fromkeys((order, *keys) if order else keys)
        found.sort(key=lambda row: [_sorted(kinds[column], row[column]) for column in by], reverse=descending)
        return found if limit < 0 else found[:limit]


def _sorted(kind: str, value: Scalar) -> tuple[int, int, str]:
    """Return what a value is sorted by: nothing first, runs by their number."""
    if value is None:
        return (0, 0, "")
    if isinstance(value, int):
        return (1, value, "")
    return (1, number_of(value), "") if kind == "run" else (2, 0, value)


def _fits(kind: str, value: Scalar, wanted: Scalar | Range) -> bool:
    if not isinstance(wanted, tuple):
        return value == wanted
    if value is None:
        return wanted == (None, None)
    low, high = wanted
    here = _sorted(kind, value)
    return (low is None or here >= _sorted(kind, low)) and (high is None or here < _sorted(kind, high))
