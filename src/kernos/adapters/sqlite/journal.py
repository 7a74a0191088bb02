"""The journal and views ports over one SQLite file.

Beside `NAME` lie `NAME.key` (the signing key; `NAME.key.next` while it is rotated), `NAME.heads` (tree heads, the second place), `NAME.payloads/`, `NAME.lock` and `NAME.rebuild`.
Reads happen in the event loop, on a connection of their own: a point read takes some 20 us, less than a hop to a thread.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import apsw

from kernos.adapters.sqlite.files import Files, key_path
from kernos.adapters.sqlite.heads import COLUMNS, Notary, head_of_row
from kernos.adapters.sqlite.keyring import first_key, open_notary
from kernos.adapters.sqlite.layout import Layout
from kernos.adapters.sqlite.mending import mend_second_place, settle_keys
from kernos.adapters.sqlite.payloads import Payloads
from kernos.adapters.sqlite.reader import Reader
from kernos.adapters.sqlite.rebuild import rebuild
from kernos.adapters.sqlite.rows import Rows
from kernos.adapters.sqlite.second_place import HeadsFile
from kernos.adapters.sqlite.store import BUSY_TIMEOUT_MS, connect, let_go, prepare, said_plainly, transaction
from kernos.adapters.sqlite.tail import load_tail
from kernos.adapters.sqlite.transcript import Transcript
from kernos.adapters.sqlite.tree import Frontier
from kernos.adapters.sqlite.verify import verify_store
from kernos.adapters.sqlite.writer import CHECKPOINT_PAGES, Writer
from kernos.ports.clock import Clock
from kernos.ports.journal import Changes, Commit, Range, Row
from kernos.ports.signer import OpenKey
from kernos.vocabulary.circumstances import Totals
from kernos.vocabulary.ids import EpochMs, RunId
from kernos.vocabulary.journal import Append, Entry, Scalar, Table, TreeHead, Verification


class SqliteJournal:
    """Implements the journal and views ports."""

    def __init__(
        self,
        path: Path,
        tables: Sequence[Table],
        clock: Clock,
        *,
        open_key: OpenKey,
        heads: Path | None = None,
        vfs: str | None = None,
        files: Files | None = None,
        checkpoint_pages: int = CHECKPOINT_PAGES,
        busy_timeout_ms: int = BUSY_TIMEOUT_MS,
    ) -> None:
        """Open the store, or make one. Call in the event loop that will use it.

        `open_key` reads or makes the key, `NAME.key`. `heads`: the file of the second place, when it shall not lie beside the store.
        `vfs` and `files` put other file systems in their place. `checkpoint_pages`: pages in SQLite's write-ahead log from which on
        they are carried into the file. `busy_timeout_ms`: how long a write waits for another process. Raises ForeignStore, Tampered, StorageFailed, StoreBusy, BadConfiguration (the key is missing or is none).
        """
        self.path = path
        self._vfs = vfs
        self._files = files or Files()
        self._open_key = open_key
        self._heads_path = heads or path.with_name(f"{path.name}.heads")
        self._payloads = Payloads(path.with_name(f"{path.name}.payloads"), self._files)
        self._rows = Rows(tables)
        self._layout = Layout(path, tables)
        self._closed = False
        with said_plainly(path), ExitStack() as opened:
            connection = connect(path, vfs=vfs, may_make=True, busy_timeout_ms=busy_timeout_ms)
            opened.callback(let_go, connection)
            prepare(connection, path, self._heads_path)
            self._notary = self._open_notary(connection)
            self._layout.lay_out(connection)
            self._second = HeadsFile(self._heads_path, self._files)
            opened.callback(self._second.close)
            self._transcript = Transcript(
                connection, path, self._rows, self._notary, clock, self._second, self._payloads, self._layout.check
            )
            mend_second_place(connection, path, self._second, self._notary, self._transcript.tail.frontier.size)
            settle_keys(connection, path, self._second, open_key, self._files)
            self._reading = connect(path, vfs=vfs)
            opened.pop_all()  # From here on `close` lets go of them.
        self._reader = Reader(self._reading, path, self._payloads, self._trusted, self._transcript.next_known)
        self._seen = self._transcript.tail
        self._writer = Writer(connection, path, self._transcript, checkpoint_pages)

    @property
    def projections_changed(self) -> bool:
        """Whether the projections' tables were laid out anew, so that `rebuild` is due before anything is appended."""
        return self._layout.rebuild_due

    def _open_notary(self, connection: apsw.Connection) -> Notary:
        """Open the key in force; a store without entries may be given its first one."""
        if not first_key(connection):
            is_empty = connection.execute("SELECT max(pos) FROM events").get is None
            made = self._open_key(key_path(self.path), may_make=is_empty)
            connection.execute("INSERT OR IGNORE INTO meta VALUES('public_key', ?)", (made.public_key().hex(),))
        return open_notary(connection, self.path, self._open_key)

    def _trusted(self, position: int) -> Frontier:
        """Return a checked edge of the tree beyond `position`, also when another process moved it on."""
        own = self._transcript.tail
        if own.frontier.size > self._seen.frontier.size:
            self._seen = own
        if position >= self._seen.frontier.size:
            with transaction(self._reading, "DEFERRED"):
                self._seen = load_tail(self._reading, self._notary, self.path)
        return self._seen.frontier

    # --- journal -------------------------------------------------------------------------------------------------

    def append(self, appends: Sequence[Append], on_failure: Callable[[Exception], None] | None = None) -> Commit:
        """Put entries in. Raises InvalidInput for a body that cannot be stored, QueueFull when too much waits for the disk."""
        return self._writer.put(appends, on_failure)

    async def read(self, run: RunId, after: int = -1) -> Sequence[Entry]:
        """Return a run's entries, proven."""
        with said_plainly(self.path):
            return self._reader.read(run, after)

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

    async def head(self) -> TreeHead | None:
        """Return the newest tree head."""
        with said_plainly(self.path):
            row = self._reading.execute(f"SELECT {COLUMNS} FROM heads ORDER BY size DESC LIMIT 1").fetchone()
        return head_of_row(row).public() if row is not None else None

    async def verify(self, progress: Callable[[int, int], None]) -> Verification:
        """Check everything."""
        return await verify_store(self.path, self._open_key, progress, heads=self._heads_path, vfs=self._vfs)

    async def close(self) -> None:
        """Make pending appends durable and close the files."""
        if self._closed:
            return
        self._closed = True
        let_go(self._reading)
        await self._writer.close()
        self._second.close()

    # --- views ---------------------------------------------------------------------------------------------------

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
        """Return rows."""
        sql, values = self._rows.query(table, where, order, after, descending=descending)
        with said_plainly(self.path):
            rows: list[Any] = self._reading.execute(sql, (*values, limit)).fetchall()
        return [self._rows.shown(table, row) for row in rows]

    def totals(self, table: str, where: Mapping[str, Scalar | Range], *, of: str, at: str) -> Totals:
        """Add rows up."""
        sql, values = self._rows.totals_query(table, where, of, at)
        with said_plainly(self.path):
            found: Any = self._reading.execute(sql, values).fetchone()
        rows, total, newest = found
        return Totals(rows, total, EpochMs(newest))

    async def dump(self, table: str) -> Sequence[Row]:
        """Return all rows of a table."""
        return await self.select(table, {}, limit=-1)

    async def rebuild(self, tables: Sequence[Table], changes: Changes) -> None:
        """Replace the content of tables."""
        with said_plainly(self.path):
            await rebuild(self.path, self._vfs, self._layout, self._rows, tables, changes)
        self._layout.rebuild_due = False

    def watch(self, listener: Callable[[Sequence[tuple[RunId, int]]], None]) -> None:
        """Report other processes' entries from now on."""
        self._writer.watch(listener)
