"""Rows: how row changes become SQL, and how rows come back."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain, groupby

import apsw

from kernos.ports.journal import Range
from kernos.vocabulary.ids import number_of, run_id
from kernos.vocabulary.journal import Guard, RowOp, Scalar, Table


class Rows:
    """Writes row changes, and turns rows into what callers see."""

    def __init__(self, tables: Sequence[Table]) -> None:
        """Take the tables."""
        self._keys = {t.name: tuple(name for name, _ in t.columns[: t.key_columns]) for t in tables}
        self._names = {t.name: tuple(name for name, _ in t.columns) for t in tables}
        self._runs = {t.name: frozenset(name for name, kind in t.columns if kind == "run") for t in tables}

    def apply(self, connection: apsw.Connection, ops: Iterable[RowOp], prefix: str = "") -> None:
        """Merge changes and write them, into the tables whose names begin with `prefix`."""
        ordered, free = self._merge(ops)
        for some in (ordered, sorted(free, key=self._shape)):
            for shape, alike in groupby(some, self._shape):
                self._write(connection, prefix, shape, list(alike))

    def _shape(self, op: RowOp) -> "_Shape":
        return op.op, op.table, self._keys[op.table][: len(op.key)], tuple(op.columns)

    def _write(self, connection: apsw.Connection, prefix: str, shape: "_Shape", ops: Sequence[RowOp]) -> None:
        """Write changes that differ in their values only."""
        op, table, keys, columns = shape
        runs = self._runs[table]
        are_runs = [name in runs for name in (*keys, *columns)]
        rows = [
            [
                number_of(str(value)) if is_run and value is not None else value
                for is_run, value in zip(are_runs, (*op.key, *op.columns.values()), strict=True)
            ]
            for op in ops
        ]
        execute_rows(connection, _SQL[op](prefix + table, keys, columns), rows)

    def _stored(self, table: str, column: str, value: Scalar) -> Scalar:
        """Return a value as the table keeps it: run ids by their number."""
        if value is None or column not in self._runs[table]:
            return value
        return number_of(str(value))

    def shown(self, table: str, values: Sequence[Scalar]) -> dict[str, Scalar]:
        """Return a whole row as callers see it."""
        row = dict(zip(self._names[table], values, strict=True))
        for column in self._runs[table]:
            number = row[column]
            if isinstance(number, int):
                row[column] = run_id(number)
        return row

    def query(
        self, table: str, where: Mapping[str, Scalar | Range], order: str, after: Scalar, *, descending: bool
    ) -> tuple[str, list[Scalar]]:
        """Write the query for whole rows of a table, with a last parameter open for the limit."""
        filters, values = self._filters(table, where, after)
        keys = self._keys[table]
        direction = " DESC" if descending else ""
        by = ", ".join(f"{name}{direction}" for name in dict.fromkeys((order, *keys) if order else keys))
        return f"SELECT {', '.join(self._names[table])} FROM {table}{filters} ORDER BY {by} LIMIT ?", values

    def totals_query(
        self, table: str, where: Mapping[str, Scalar | Range], of: str, at: str
    ) -> tuple[str, list[Scalar]]:
        """Write the query for what rows add up to: how many, the sum of one column, the greatest of another."""
        filters, values = self._filters(table, where, None)
        return f"SELECT count(*), ifnull(sum({of}), 0), ifnull(max({at}), 0) FROM {table}{filters}", values

    def place(self, guard: Guard) -> dict[str, Scalar | Range]:
        """Return the filter that finds the row which a guard names."""
        return dict(zip(self._keys[guard.table], guard.key, strict=True))

    def _filters(self, table: str, where: Mapping[str, Scalar | Range], after: Scalar) -> tuple[str, list[Scalar]]:
        conditions: list[str] = []
        values: list[Scalar] = []
        for column, wanted in where.items():
            if isinstance(wanted, tuple):
                for sign, bound in zip((">=", "<"), wanted, strict=True):
                    if bound is not None:
                        conditions.append(f"{column}{sign}?")
                        values.append(self._stored(table, column, bound))
            elif wanted is None:
                conditions.append(f"{column} IS NULL")
            else:
                conditions.append(f"{column}=?")
                values.append(self._stored(table, column, wanted))
        if after is not None:
            first = self._keys[table][0]
            conditions.append(f"{first}>?")
            values.append(self._stored(table, first, after))
        return f" WHERE {' AND '.join(conditions)}" if conditions else "", values

    def _merge(self, ops: Iterable[RowOp]) -> tuple[Sequence[RowOp], Sequence[RowOp]]:
        """Make one change of several on the same row; return what has an order, and what comes after it in any order.

        Changes of different rows may change places, so only a drop of several rows must stay where it is: the changes of these rows
        before it have no effect, those after it come after it.
        """
        done: list[RowOp] = []
        pending: dict[tuple[str, tuple[Scalar, ...]], RowOp] = {}
        for op in ops:
            if op.op == "drop" and len(op.key) < len(self._keys[op.table]):
                for other in [p for p in pending if p[0] == op.table and p[1][: len(op.key)] == op.key]:
                    del pending[other]
                done.append(op)
                continue
            place = (op.table, op.key)
            before = pending.get(place)
            if before is None or op.op in ("put", "drop"):
                pending[place] = op
            elif op.op == "set" and before.op in ("put", "set"):
                pending[place] = RowOp(before.op, op.table, op.key, {**before.columns, **op.columns})
            elif op.op == "add" and before.op in ("put", "add"):
                pending[place] = RowOp(before.op, op.table, op.key, _sum(before.columns, op.columns))
            elif op.op == "add" and before.op == "drop":
                pending[place] = RowOp("put", op.table, op.key, op.columns)
            elif before.op != "drop":  # A `set` after an `add`, or an `add` after a `set`: each stays what it is.
                done.append(before)
                pending[place] = op
        return done, list(pending.values())


def _sum(left: Mapping[str, Scalar], right: Mapping[str, Scalar]) -> dict[str, Scalar]:
    return {**left, **{name: int(left.get(name) or 0) + int(value or 0) for name, value in right.items()}}


_Shape = tuple[str, str, tuple[str, ...], tuple[str, ...]]
"""What changes have in common that go into one statement: `op`, table, columns of the key, other columns."""

_PORTIONS = (512, 64, 8, 1)
"""Rows in one statement, most first: few enough statements for SQLite's cache of prepared ones."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement over any number of rows: what stands before and behind them."""

    head: str
    tail: str = ""


def execute_rows(connection: apsw.Connection, statement: Statement, rows: Sequence[Sequence[Scalar | bytes]]) -> None:
    """Execute a statement over rows of one length.

    Many rows share an execution, because the interpreter's lock is let go and taken again around each: while the event loop
    is busy, taking it costs more than the row.
    """
    at = 0
    for size in _PORTIONS:
        while len(rows) - at >= size:
            sql = _over(statement, size, len(rows[at]))
            connection.execute(sql, tuple(chain.from_iterable(rows[at : at + size])))
            at += size


@cache
def _over(statement: Statement, rows: int, columns: int) -> str:
    row = f"({','.join('?' * columns)})"
    return f"{statement.head} {','.join([row] * rows)}{statement.tail}"


@cache
def _drop(table: str, keys: tuple[str, ...], columns: tuple[str, ...]) -> Statement:
    assert not columns, (table, columns)
    return Statement(f"DELETE FROM {table} WHERE ({', '.join(keys)}) IN (VALUES", ")")


@cache
def _put(table: str, keys: tuple[str, ...], columns: tuple[str, ...]) -> Statement:
    return Statement(f"INSERT OR REPLACE INTO {table}({', '.join((*keys, *columns))}) VALUES")


@cache
def _set(table: str, keys: tuple[str, ...], columns: tuple[str, ...]) -> Statement:
    given = {name: f"given.column{place}" for place, name in enumerate((*keys, *columns), 1)}
    changes = ", ".join(f"{name}={given[name]}" for name in columns)
    same = " AND ".join(f"{table}.{name}={given[name]}" for name in keys)
    return Statement(f"UPDATE {table} SET {changes} FROM (VALUES", f") AS given WHERE {same}")


@cache
def _add(table: str, keys: tuple[str, ...], columns: tuple[str, ...]) -> Statement:
    changes = ", ".join(f"{column}=ifnull({column}, 0)+excluded.{column}" for column in columns)
    then = f" DO UPDATE SET {changes}" if columns else " DO NOTHING"
    head = f"INSERT INTO {table}({', '.join((*keys, *columns))}) VALUES"
    return Statement(head, f" ON CONFLICT({', '.join(keys)}){then}")


_SQL = {"put": _put, "set": _set, "add": _add, "drop": _drop}
