"""Layout: the projections' tables, and how a store knows for which projections it was laid out."""

import json
from collections.abc import Sequence
from pathlib import Path

import apsw

from kernos.adapters.sqlite.lock import WorkerLock
from kernos.adapters.sqlite.store import transaction
from kernos.vocabulary.errors import ForeignStore, StoreBusy
from kernos.vocabulary.journal import Table

BESIDE = "new_"
"""What the names of tables begin with that a rebuild makes beside those in use."""

_TYPES = {"text": "TEXT", "int": "INTEGER", "run": "INTEGER"}


class Layout:
    """The tables that one build of kernos wants, in one store."""

    def __init__(self, path: Path, tables: Sequence[Table]) -> None:
        """Take the tables; nothing happens before `lay_out`."""
        self._path = path
        self._tables = tables
        self._shape = shape_of(tables)
        self._connection: apsw.Connection | None = None
        self.rebuild_due = False

    def lay_out(self, connection: apsw.Connection) -> None:
        """Make the tables unless they are there in this shape. Those of another build are dropped; then a rebuild is due.

        That it is due stands in the store until it is done, so that no crash in between leaves projections empty. Raises StoreBusy
        when a process that runs agents uses the other shape.
        """
        self._connection = connection
        with transaction(connection, "IMMEDIATE"):
            known = connection.execute("SELECT value FROM meta WHERE key='projections'").get
            if known != self._shape:
                if known is not None and WorkerLock.holder(self._path) is not None:
                    message = f"{self._path} is used by a kernos whose projections have another shape"
                    raise StoreBusy(message, hint="Stop it, then start this one: it rebuilds them.")
                for table in json.loads(str(known)) if known is not None else ():
                    connection.execute(f"DROP TABLE IF EXISTS {table[0]}")
                _make(connection, self._tables)
                connection.execute("INSERT OR REPLACE INTO meta VALUES('projections', ?)", (self._shape,))
                if connection.execute("SELECT max(pos) FROM events").get is not None:
                    connection.execute("INSERT OR REPLACE INTO meta VALUES('rebuild_due', 'yes')")
            due = connection.execute("SELECT 1 FROM meta WHERE key='rebuild_due'").get
        self.rebuild_due = due is not None

    def check(self) -> None:
        """Check that the tables are still ours. Raises ForeignStore when another build has laid them out anew."""
        assert self._connection is not None
        self._check_in(self._connection)

    def _check_in(self, connection: apsw.Connection) -> None:
        is_ours = connection.execute("SELECT value=? FROM meta WHERE key='projections'", (self._shape,)).get
        if not is_ours:
            message = f"another kernos has given the projections of {self._path} another shape"
            raise ForeignStore(message, hint="Start this process again with that version.")

    def lay_out_beside(self, connection: apsw.Connection, tables: Sequence[Table]) -> None:
        """Make tables beside those in use, empty; those that an interrupted rebuild left are dropped."""
        left = connection.execute("SELECT name FROM sqlite_schema WHERE type='table' AND name GLOB ?", (f"{BESIDE}*",))
        for (name,) in left.fetchall():
            connection.execute(f"DROP TABLE {name}")
        _make(connection, tables, BESIDE)

    def exchange(self, connection: apsw.Connection, tables: Sequence[Table]) -> None:
        """Put the tables made beside into the places of those in use. Raises ForeignStore when another build laid those out meanwhile."""
        self._check_in(connection)
        for table in tables:
            connection.execute(f"DROP TABLE {table.name}")
            connection.execute(f"ALTER TABLE {BESIDE}{table.name} RENAME TO {table.name}")
        connection.execute("DELETE FROM meta WHERE key='rebuild_due'")


def shape_of(tables: Sequence[Table]) -> str:
    """Return the text by which a store knows for which projections it was laid out."""
    return json.dumps([[t.name, t.columns, t.key_columns, t.indexes] for t in tables])


def _make(connection: apsw.Connection, tables: Sequence[Table], prefix: str = "") -> None:
    edition = connection.pragma(
        "schema_version"
    )  # Never twice the same, so that indexes keep their names when tables change theirs.
    for table in tables:
        columns = ", ".join(f"{name} {_TYPES[kind]}" for name, kind in table.columns)
        key = ", ".join(name for name, _ in table.columns[: table.key_columns])
        connection.execute(f"CREATE TABLE {prefix}{table.name}({columns}, PRIMARY KEY({key})) WITHOUT ROWID")
        for index in table.indexes:
            name = f"{table.name}_{'_'.join(index)}_{edition}"
            partial = f" WHERE {index[0]} IS NOT NULL"
            connection.execute(f"CREATE INDEX {name} ON {prefix}{table.name}({', '.join(index)}){partial}")
