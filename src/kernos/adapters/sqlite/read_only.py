"""Read-only: a store opened to look at, beside a kernel that works on it or without one. Every entry is proven; nothing is written.

In a folder where this user may not write, SQLite cannot make the small files that it shares with other processes. Then the store is read as a file
that does not change: nobody who could change it is expected there.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import apsw

from kernos.adapters.sqlite.files import Files
from kernos.adapters.sqlite.keyring import open_notary, read_keys
from kernos.adapters.sqlite.layout import shape_of
from kernos.adapters.sqlite.payloads import Payloads
from kernos.adapters.sqlite.reader import Reader
from kernos.adapters.sqlite.rows import Rows
from kernos.adapters.sqlite.store import check_mark, let_go, said_plainly, transaction
from kernos.adapters.sqlite.tail import Tail, load_tail
from kernos.adapters.sqlite.tree import Frontier
from kernos.ports.journal import Range, Row
from kernos.ports.signer import CheckSignature, OpenKey
from kernos.vocabulary.ids import RunId, number_of, run_id
from kernos.vocabulary.journal import Entry, Scalar, Table
from kernos.vocabulary.signing import SigningKey

_WAIT_MS = 10_000
"""How long a look waits while another process makes a file its own: as long as a write does."""

_RUNS = """
WITH RECURSIVE runs(run) AS (
    SELECT min(run) FROM events
    UNION ALL SELECT (SELECT min(events.run) FROM events WHERE events.run > runs.run) FROM runs WHERE runs.run IS NOT NULL)
SELECT run FROM runs WHERE run IS NOT NULL"""
"""Every run once, by its number: one step in the index a run, however many entries it has."""


class ReadOnlyJournal:
    """What the journal and views ports tell, without what they change."""

    def __init__(self, path: Path, tables: Sequence[Table], *, open_key: OpenKey) -> None:
        """Open a store that exists. Raises ForeignStore, Tampered, StorageFailed, StoreBusy, BadConfiguration (the key is missing)."""
        self.path = path
        self._rows = Rows(tables)
        self._tail: Tail | None = None
        with said_plainly(path), ExitStack() as opened:
            self._connection = _connect(path)
            opened.callback(let_go, self._connection)
            check_mark(self._connection, path)
            known = self._connection.execute("SELECT value FROM meta WHERE key='projections'").get
            due = self._connection.execute("SELECT 1 FROM meta WHERE key='rebuild_due'").get
            self._notary = open_notary(self._connection, path, open_key)
            opened.pop_all()  # From here on `close` lets go of it.
        self.has_projections = known == shape_of(tables) and due is None
        """Whether the projections are those of this build, so that `select` may be asked."""
        payloads = Payloads(path.with_name(f"{path.name}.payloads"), Files())
        self._reader = Reader(self._connection, path, payloads, self._trusted, lambda _: 0)

    def _trusted(self, position: int) -> Frontier:
        """Return a checked edge of the tree beyond `position`."""
        if self._tail is None or position >= self._tail.frontier.size:
            with transaction(self._connection, "DEFERRED"):
                self._tail = load_tail(self._connection, self._notary, self.path)
        return self._tail.frontier

    def entries(self, run: RunId, after: int = -1) -> Sequence[Entry]:
        """Return a run's entries, proven."""
        with said_plainly(self.path):
            return self._reader.read(run, after)

    async def read(self, run: RunId, after: int = -1) -> Sequence[Entry]:
        """Return a run's entries, proven."""
        return self.entries(run, after)

    async def scan(self, after: int = -1) -> AsyncIterator[tuple[int, Entry]]:
        """Yield every entry after a position, proven."""
        while True:
            with said_plainly(self.path):
                portion = self._reader.scan(after)
            if not portion:
                return
            for place in portion:
                yield place
            after = portion[-1][0]

    def knows(self, run: RunId) -> bool:
        """Tell whether the journal has the run, without reading it."""
        with said_plainly(self.path):
            return (
                self._connection.execute("SELECT 1 FROM events WHERE run=? LIMIT 1", (number_of(run),)).get is not None
            )

    def runs(self) -> Iterator[RunId]:
        """Yield every run of the journal, oldest first, whatever the projections say."""
        with said_plainly(self.path):
            for (number,) in self._connection.execute(_RUNS):
                yield run_id(number)

    async def select(
        self,
        table: str,
        where: Mapping[str, Scalar | Range],
        *,
        order: str = "",
        descending: bool = False,
        after: Scalar = None,
        limit: int = 1_000,
    ) -> Sequence[Row]:
        """Return rows of a projection."""
        sql, values = self._rows.query(table, where, order, after, descending=descending)
        with said_plainly(self.path):
            rows: list[Any] = self._connection.execute(sql, (*values, limit)).fetchall()
        return [self._rows.shown(table, row) for row in rows]

    def close(self) -> None:
        """Let go of the file."""
        let_go(self._connection)


def keys_of(path: Path, is_signed: CheckSignature) -> tuple[SigningKey, ...]:
    """Return the keys of a store, oldest first; needs no private key. Raises BadConfiguration (it has none yet), Tampered, ForeignStore."""
    with said_plainly(path):
        connection = _connect(path)
        try:
            check_mark(connection, path)
            return read_keys(connection, path, is_signed)
        finally:
            let_go(connection)


def _connect(path: Path) -> apsw.Connection:
    try:
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        connection.set_busy_timeout(_WAIT_MS)
        connection.pragma("user_version")  # The first look: opening alone touches nothing.
    except (apsw.CantOpenError, apsw.ReadOnlyError):
        if not path.is_file() or _has_log(path):
            raise
        uri = f"{path.resolve().as_uri()}?immutable=1"
        connection = apsw.Connection(uri, flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI)
    return connection


def _has_log(path: Path) -> bool:
    """Tell whether entries lie in the write-ahead log, which cannot be read without the shared files."""
    log = path.with_name(f"{path.name}-wal")
    return log.exists() and log.stat().st_size > 0
