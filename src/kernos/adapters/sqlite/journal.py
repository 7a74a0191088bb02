"""The journal and views ports over one SQLite file.

Beside `NAME` lie `NAME.key` (the signing key), `NAME.heads` (tree heads, the second place), `NAME.payloads/` and `NAME.lock`.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path

import apsw

from kernos.adapters.ed25519.signer import FileSigner
from kernos.adapters.sqlite.heads import HeadsFile
from kernos.adapters.sqlite.payloads import Payloads
from kernos.adapters.sqlite.reader import Reader
from kernos.adapters.sqlite.rows import Rows, lay_out, shape
from kernos.adapters.sqlite.store import connect, prepare, said_plainly
from kernos.adapters.sqlite.tree import Frontier
from kernos.adapters.sqlite.verify import Verifier
from kernos.adapters.sqlite.writer import Pending, Writer, load_frontier
from kernos.ports.clock import Clock
from kernos.ports.journal import Commit, Range, Row
from kernos.vocabulary.errors import BadConfiguration, Tampered
from kernos.vocabulary.ids import EpochMs, RunId
from kernos.vocabulary.journal import Append, Entry, RowOp, Scalar, Table, TreeHead, Verification

_SCAN_PAGE = 2_000


class _SqliteCommit:
    """The promise of one append."""

    __slots__ = ("_pending",)

    def __init__(self, pending: Pending) -> None:
        self._pending = pending

    async def durable(self) -> None:
        """Return once the append is on disk; raise why it is not."""
        pending = self._pending
        if pending.error is None and not pending.group.done.done():
            await pending.group.done
            while pending.error is None and not pending.group.done.done():
                await pending.group.done  # The append was moved on to a later group.
        if pending.error is not None:
            raise pending.error


class SqliteJournal:
    """Implements the journal and views ports."""

    def __init__(self, path: Path, tables: Sequence[Table], clock: Clock, *, vfs: str | None = None) -> None:
        """Open the store, or make one. Call in the event loop that will use it.

        Raises ForeignStore, Tampered, StorageFailed, StoreBusy, BadConfiguration (a key file that is none).
        """
        self.path = path
        self.projections_changed = False
        """Whether the projections' tables were laid out anew, so that `rebuild` is due."""
        with said_plainly(path):
            self._rows = Rows(tables)
            payloads = Payloads(path.with_name(f"{path.name}.payloads"))
            self._heads = HeadsFile(path.with_name(f"{path.name}.heads"))
            connection = connect(path, vfs=vfs, writable=True)
            is_new = prepare(connection, path)
            self._signer = self._open_key(connection, is_new=is_new)
            self._lay_out_rows(connection, tables)
            self._fill_heads(connection)
            self._writer = Writer(connection, path, self._rows, self._signer, clock, self._heads, payloads)
            self._reading = connect(path, vfs=vfs, writable=False)
            self._reader = Reader(self._reading, path, payloads, self._trusted)
            self._verifier = Verifier(self._reading, path, self._signer.public_key(), self._heads, payloads)
        self._seen = self._writer.frontier
        self._closed = False

    def _open_key(self, connection: apsw.Connection, *, is_new: bool) -> FileSigner:
        path = self.path.with_name(f"{self.path.name}.key")
        known = connection.execute("SELECT value FROM meta WHERE key='public_key'").get
        if known is None and (is_new or not connection.execute("SELECT count(*) FROM events").get):
            signer = FileSigner.open_or_make(path)
            connection.execute("INSERT OR IGNORE INTO meta VALUES('public_key', ?)", (signer.public_key().hex(),))
            known = connection.execute("SELECT value FROM meta WHERE key='public_key'").get
        try:
            signer = FileSigner.open(path)
        except FileNotFoundError as error:
            message = f"{path} is missing: the key that signs the tree heads of {self.path}"
            raise BadConfiguration(message, hint="Restore the key file; without it nothing can be added.") from error
        if signer.public_key().hex() != known:
            message = f"{path} is not the key that {self.path} was made with"
            raise Tampered(message, hint="Restore the key file that belongs to this store.")
        return signer

    def _lay_out_rows(self, connection: apsw.Connection, tables: Sequence[Table]) -> None:
        wanted = shape(tables)
        if connection.execute("SELECT value FROM meta WHERE key='projections'").get == wanted:
            return
        connection.execute("BEGIN IMMEDIATE")
        lay_out(connection, tables)
        connection.execute("INSERT OR REPLACE INTO meta VALUES('projections', ?)", (wanted,))
        connection.execute("COMMIT")
        self.projections_changed = bool(connection.execute("SELECT count(*) FROM events LIMIT 1").get)

    def _fill_heads(self, connection: apsw.Connection) -> None:
        """Check the second place against the store, and give it what it lacks. Raises Tampered."""
        last = self._heads.last()
        since = -1
        if last is not None:
            since = last.size
            row = connection.execute("SELECT root FROM heads WHERE size=?", (last.size,)).fetchone()
            if row is None or row[0] != last.root:
                size = connection.execute("SELECT max(size) FROM heads").get or 0
                what = f"was cut: it ends at {size} entries" if size < last.size else "was rewritten"
                message = f"{self.path} {what}, but {self._heads.path} has a tree head of size {last.size}"
                raise Tampered(message)
        rows = connection.execute("SELECT size, at, root, signature FROM heads WHERE size>? ORDER BY size", (since,))
        missing = [TreeHead(*row) for row in rows]
        if missing:
            self._heads.add(missing)

    def _trusted(self) -> Frontier:
        """Return the newest tree edge, also when another process moved it on."""
        frontier = self._writer.frontier
        newest = self._reading.execute("SELECT max(pos) FROM events").get
        if newest is not None and newest >= max(frontier.size, self._seen.size):
            self._reading.execute("BEGIN")  # One snapshot: another process may commit between two statements.
            try:
                self._seen = load_frontier(self._reading, self._signer.public_key(), self.path)
            finally:
                self._reading.execute("COMMIT")
        return frontier if frontier.size >= self._seen.size else self._seen

    # --- journal -------------------------------------------------------------------------------------------------

    def append(self, appends: Sequence[Append], on_failure: Callable[[Exception], None] | None = None) -> Commit:
        """Put entries in."""
        return _SqliteCommit(self._writer.put(appends, on_failure))

    async def read(self, run: RunId, after: int = -1) -> Sequence[Entry]:
        """Return a run's entries, proven."""
        with said_plainly(self.path):
            return self._reader.read(run, after)

    async def scan(self, after: int = -1) -> AsyncIterator[tuple[int, Entry]]:
        """Yield every entry after a position."""
        while True:
            with said_plainly(self.path):
                page = self._reader.scan(after, _SCAN_PAGE)
            for position, entry in page:
                yield position, entry
            if len(page) < _SCAN_PAGE:
                return
            after = page[-1][0]

    async def head(self) -> TreeHead | None:
        """Return the newest tree head."""
        with said_plainly(self.path):
            row = self._reading.execute(
                "SELECT size, at, root, signature FROM heads ORDER BY size DESC LIMIT 1"
            ).fetchone()
        return TreeHead(row[0], EpochMs(row[1]), row[2], row[3]) if row is not None else None

    async def verify(self, progress: Callable[[int, int], None]) -> Verification:
        """Check everything."""
        with said_plainly(self.path):
            return self._verifier.verify(progress)

    async def close(self) -> None:
        """Make pending appends durable and close the file."""
        if self._closed:
            return
        self._closed = True
        await self._writer.close()
        self._reading.close()
        self._writer.close_connection()

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
        conditions: list[str] = []
        values: list[Scalar] = []
        for column, wanted in where.items():
            if isinstance(wanted, tuple):
                bounds = zip((">=", "<"), wanted, strict=True)
                for sign, bound in bounds:
                    if bound is not None:
                        conditions.append(f"{column}{sign}?")
                        values.append(self._rows.stored(table, column, bound))
            else:
                conditions.append(f"{column} IS ?")
                values.append(self._rows.stored(table, column, wanted))
        if after is not None:
            first = self._rows.first_key(table)
            conditions.append(f"{first}>?")
            values.append(self._rows.stored(table, first, after))
        names = [name for name, _ in self._rows.tables[table].columns]
        by = order or self._rows.key(table)
        direction = " DESC" if descending else ""
        filters = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        sql = f"SELECT {', '.join(names)} FROM {table}{filters} ORDER BY {by}{direction} LIMIT ?"
        with said_plainly(self.path):
            rows: list[tuple[Scalar, ...]] = list(self._reading.execute(sql, (*values, limit)))
        return [self._rows.shown(table, names, row) for row in rows]

    async def dump(self, table: str) -> Sequence[Row]:
        """Return all rows of a table."""
        return await self.select(table, {}, limit=-1)

    async def rebuild(self, tables: Sequence[Table], rows: AsyncIterator[Sequence[RowOp]]) -> None:
        """Replace the content of tables, in one transaction."""
        with said_plainly(self.path):
            connection = connect(self.path, vfs=None, writable=False)
            connection.execute("BEGIN IMMEDIATE")
            try:
                lay_out(connection, tables)
                async for ops in rows:
                    self._rows.apply(connection, ops)
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            else:
                connection.execute("COMMIT")
            finally:
                connection.close()
        self.projections_changed = False

    def watch(self, listener: Callable[[Sequence[tuple[RunId, int]]], None]) -> None:
        """Report other processes' entries from now on."""
        self._writer.watch(listener)
