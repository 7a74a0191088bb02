"""Rows: how row changes become SQL, and how rows come back."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache

import apsw

from kernos.ports.journal import Range
from kernos.vocabulary.ids import number_of, run_id
from kernos.vocabulary.journal import RowOp, Scalar, Table


class Rows:
    """Writes row changes, and turns rows into what callers see."""

    def __init__(self, tables: Sequence[Table]) -> None:
        """Take the tables."""
        self._keys = {t.name: tuple(name for name, _ in t.columns[: t.key_columns]) for t in tables}
        self._names = {t.name: tuple(name for name, _ in t.columns) for t in tables}
        self._runs = {t.name: frozenset(name for name, kind in t.columns if kind == "run") for t in tables}

    def apply(self, connection: apsw.Connection, ops: Iterable[RowOp]) -> None:
        """Merge changes and write them."""
        for op in self._merge(ops):
            names = self._keys[op.table][: len(op.key)]
            key = [self._stored(op.table, name, value) for name, value in zip(names, op.key, strict=True)]
            if op.op == "drop":
                connection.execute(_drop(op.table, names), key)
                continue
            columns = [self._stored(op.table, name, value) for name, value in op.columns.items()]
            sql = _SQL[op.op](op.table, names, tuple(op.columns))
            connection.execute(sql, (*columns, *key) if op.op == "set" else (*key, *columns))

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
        keys = self._keys[table]
        if after is not None:
            conditions.append(f"{keys[0]}>?")
            values.append(self._stored(table, keys[0], after))
        direction = " DESC" if descending else ""
        by = ", ".join(f"{name}{direction}" for name in dict.fromkeys((order, *keys) if order else keys))
        filters = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        return f"SELECT {', '.join(self._names[table])} FROM {table}{filters} ORDER BY {by} LIMIT ?", values

    def _merge(self, ops: Iterable[RowOp]) -> list[RowOp]:
        """Make one change of several on the same row; the result has the same effect as the changes in their order.

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
        return [*done, *pending.values()]


def _sum(left: Mapping[str, Scalar], right: Mapping[str, Scalar]) -> dict[str, Scalar]:
    return {**left, **{name: int(left.get(name) or 0) + int(value or 0) for name, value in right.items()}}


@cache
def _drop(table: str, keys: tuple[str, ...]) -> str:
    return f"DELETE FROM {table} WHERE {' AND '.join(f'{key}=?' for key in keys)}"


@cache
def _put(table: str, keys: tuple[str, ...], columns: tuple[str, ...]) -> str:
    names = (*keys, *columns)
    return f"INSERT OR REPLACE INTO {table}({', '.join(names)}) VALUES({', '.join('?' * len(names))})"


@cache
def _set(table: str, keys: tuple[str, ...], columns: tuple[str, ...]) -> str:
    changes = ", ".join(f"{column}=?" for column in columns)
    return f"UPDATE {table} SET {changes} WHERE {' AND '.join(f'{key}=?' for key in keys)}"


@cache
def _add(table: str, keys: tuple[str, ...], columns: tuple[str, ...]) -> str:
    changes = ", ".join(f"{column}=ifnull({column}, 0)+excluded.{column}" for column in columns)
    names = (*keys, *columns)
    insert = f"INSERT INTO {table}({', '.join(names)}) VALUES({', '.join('?' * len(names))})"
    return (
        f"{insert} ON CONFLICT({', '.join(keys)}) DO UPDATE SET {changes}"
        if columns
        else f"{insert} ON CONFLICT DO NOTHING"
    )


_SQL = {"put": _put, "set": _set, "add": _add}
