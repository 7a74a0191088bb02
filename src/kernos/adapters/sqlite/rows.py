"""Rows: projections' tables, and how row changes become SQL."""

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

import apsw

from kernos.vocabulary.ids import number_of, run_id
from kernos.vocabulary.journal import RowOp, Scalar, Table

_TYPES = {"text": "TEXT", "int": "INTEGER", "run": "INTEGER"}


def shape(tables: Sequence[Table]) -> str:
    """Describe tables, so that a store can tell whether it was laid out for the same ones."""
    return json.dumps([[t.name, t.columns, t.key_columns, t.indexes] for t in tables])


def lay_out(connection: apsw.Connection, tables: Sequence[Table]) -> None:
    """Drop and create the tables, empty."""
    for table in tables:
        connection.execute(f"DROP TABLE IF EXISTS {table.name}")
        columns = ", ".join(f"{name} {_TYPES[kind]}" for name, kind in table.columns)
        key = ", ".join(name for name, _ in table.columns[: table.key_columns])
        connection.execute(f"CREATE TABLE {table.name}({columns}, PRIMARY KEY({key})) WITHOUT ROWID")
        for index in table.indexes:
            name = f"{table.name}_{'_'.join(index)}"
            partial = f" WHERE {index[0]} IS NOT NULL"
            connection.execute(f"CREATE INDEX {name} ON {table.name}({', '.join(index)}){partial}")


class Rows:
    """Writes row changes, and turns rows into what callers see."""

    def __init__(self, tables: Sequence[Table]) -> None:
        """Take the tables."""
        self.tables = {table.name: table for table in tables}
        self._keys = {t.name: tuple(name for name, _ in t.columns[: t.key_columns]) for t in tables}
        self._runs = {t.name: frozenset(name for name, kind in t.columns if kind == "run") for t in tables}

    def apply(self, connection: apsw.Connection, ops: Iterable[RowOp]) -> None:
        """Merge changes and write them."""
        for op in self._merge(ops):
            names = self._keys[op.table][: len(op.key)]
            key = [self.stored(op.table, name, value) for name, value in zip(names, op.key, strict=True)]
            if op.op == "drop":
                connection.execute(_drop(op.table, names), key)
                continue
            columns = [self.stored(op.table, name, value) for name, value in op.columns.items()]
            sql = _SQL[op.op](op.table, names, tuple(op.columns))
            connection.execute(sql, (*columns, *key) if op.op == "set" else (*key, *columns))

    def stored(self, table: str, column: str, value: Scalar) -> Scalar:
        """Return a value as the table keeps it: run ids by their number."""
        if value is None or column not in self._runs[table]:
            return value
        return number_of(str(value))

    def shown(self, table: str, columns: Sequence[str], values: Sequence[Scalar]) -> dict[str, Scalar]:
        """Return a row as callers see it."""
        row = dict(zip(columns, values, strict=True))
        for column in self._runs[table]:
            number = row.get(column)
            if isinstance(number, int):
                row[column] = run_id(number)
        return row

    def first_key(self, table: str) -> str:
        """Name the first column of a table's key."""
        return self._keys[table][0]

    def key(self, table: str) -> str:
        """Name a table's key columns, for ORDER BY."""
        return ", ".join(self._keys[table])

    def _merge(self, ops: Iterable[RowOp]) -> list[RowOp]:
        """Make one change of several on the same row; the result has the same effect as the changes in their order."""
        pending: dict[tuple[str, tuple[Scalar, ...]], RowOp] = {}
        for op in ops:
            place = (op.table, op.key)
            before = pending.get(place)
            if op.op == "drop" and len(op.key) < len(self._keys[op.table]):
                for other in [p for p in pending if p[0] == op.table and p[1][: len(op.key)] == op.key]:
                    del pending[other]
            if op.op in ("put", "drop") or before is None:
                pending.pop(place, None)  # Goes last: a drop of several rows may stand between.
                pending[place] = op
            elif op.op == "set" and before.op != "drop":
                pending[place] = RowOp(before.op, op.table, op.key, {**before.columns, **op.columns})
            elif op.op == "add" and before.op != "drop":
                pending[place] = RowOp(before.op, op.table, op.key, _sum(before.columns, op.columns))
            elif op.op == "add":
                pending[place] = RowOp("put", op.table, op.key, op.columns)
        return list(pending.values())


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
    changes = ", ".join(f"{column}={column}+excluded.{column}" for column in columns)
    names = (*keys, *columns)
    insert = f"INSERT INTO {table}({', '.join(names)}) VALUES({', '.join('?' * len(names))})"
    return f"{insert} ON CONFLICT({', '.join(keys)}) DO UPDATE SET {changes}"


_SQL = {"put": _put, "set": _set, "add": _add}
