"""Writer: the thread that commits groups of appends.

Ordered: appends, as they were put in; one group is one transaction and ends with a signed head. Side by side: the next group fills while one
is synced. Bounded: entries and bytes of a group. Survives a crash: whole groups. After a write fails nothing more is taken: what a
disk answers after a failed sync cannot be believed.
"""

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import apsw

from kernos.adapters.sqlite.heads import HeadsFile, is_signed, sign_head
from kernos.adapters.sqlite.payloads import Payloads
from kernos.adapters.sqlite.rows import Rows
from kernos.adapters.sqlite.store import plainly
from kernos.adapters.sqlite.tree import Frontier, frontier_positions, leaf_hash
from kernos.ports.clock import Clock
from kernos.ports.signer import Signer
from kernos.vocabulary.errors import KernosError, StaleRunNumber, StorageFailed, Tampered
from kernos.vocabulary.ids import RunId, number_of, run_id
from kernos.vocabulary.journal import Append, RowOp, TreeHead

GROUP_APPENDS_MAX = 4_096
"""Appends in one transaction: some milliseconds of work, so that nobody waits long for others."""

_RUNS_REMEMBERED = 65_536  # Next numbers kept: a miss costs one look-up in the index.
_DEAD_REMEMBERED = 4_096  # Failed lineages kept: each has its few appends in this group or the next.
_WATCH_S = 0.05  # How often an idle writer looks for entries of other processes.


@dataclass(slots=True)
class Pending:
    """One append on its way."""

    appends: Sequence[Append]
    on_failure: Callable[[Exception], None] | None
    group: "Group"
    error: Exception | None = None


@dataclass(slots=True)
class Group:
    """Appends that become durable together."""

    done: asyncio.Future[None]
    pending: list[Pending] = field(default_factory=list)


class Writer:
    """Owns the writing connection and its thread."""

    def __init__(
        self,
        connection: apsw.Connection,
        path: Path,
        rows: Rows,
        signer: Signer,
        clock: Clock,
        heads: HeadsFile,
        payloads: Payloads,
    ) -> None:
        """Take the parts, read where the journal ends, and start the thread. Raises Tampered."""
        self._connection = connection
        self._path = path
        self._rows = rows
        self._signer = signer
        self._clock = clock
        self._heads = heads
        self._payloads = payloads
        self._loop = asyncio.get_running_loop()
        self._next: OrderedDict[int, int] = OrderedDict()
        self._dead: OrderedDict[object, None] = OrderedDict()
        self._version: object = None
        self._foreign: Callable[[Sequence[tuple[RunId, int]]], None] | None = None
        self._wake = threading.Condition()
        self._open = Group(self._loop.create_future())
        self._closing = False
        self.broken: KernosError | None = None
        self.frontier = load_frontier(connection, signer.public_key(), path)
        """The tree as of the newest commit of this process; replaced as a whole, so that readers may keep one."""
        self._version = connection.pragma("data_version")
        self._thread = threading.Thread(target=self._work, name="kernos-journal", daemon=True)
        self._thread.start()

    # --- in the event loop ---------------------------------------------------------------------------------------

    def put(self, appends: Sequence[Append], on_failure: Callable[[Exception], None] | None) -> Pending:
        """Put an append into the open group."""
        with self._wake:
            pending = Pending(appends, on_failure, self._open)
            if self.broken is not None or self._closing:
                pending.error = self.broken or StorageFailed(f"{self._path} is closed")
                if on_failure is not None:
                    self._loop.call_soon(on_failure, pending.error)
                return pending
            self._open.pending.append(pending)
            if len(self._open.pending) == 1:
                self._wake.notify()
        return pending

    def watch(self, listener: Callable[[Sequence[tuple[RunId, int]]], None]) -> None:
        """Report other processes' entries from now on."""
        with self._wake:
            self._foreign = listener
            self._wake.notify()

    async def close(self) -> None:
        """Make everything durable and end the thread."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        await asyncio.to_thread(self._thread.join)

    def close_connection(self) -> None:
        """Close the file, after `close`."""
        self._connection.close()

    def _finished(self, group: Group) -> None:
        for pending in group.pending:
            if pending.error is not None and pending.on_failure is not None:
                pending.on_failure(pending.error)
        if not group.done.done():
            group.done.set_result(None)

    # --- in the thread -------------------------------------------------------------------------------------------

    def _work(self) -> None:
        while True:
            with self._wake:
                while not self._open.pending and not self._closing:
                    if not self._wake.wait(_WATCH_S if self._foreign is not None else None):
                        break
                group = self._take()
                if group is None and self._closing:
                    return
            if group is None:
                self._look_for_foreign()
            else:
                self._commit(group)

    def _take(self) -> Group | None:
        if not self._open.pending:
            return None
        group = self._open
        rest = group.pending[GROUP_APPENDS_MAX:]
        self._open = Group(self._loop.create_future())
        if rest:
            del group.pending[GROUP_APPENDS_MAX:]
            for pending in rest:
                pending.group = self._open
            self._open.pending = rest
        return group

    def _commit(self, group: Group) -> None:
        if self.broken is None:
            try:
                self._write(group)
            except (apsw.Error, OSError, KernosError) as error:
                self.broken = error if isinstance(error, KernosError) else plainly(self._path, error)
                if self._connection.in_transaction:
                    self._roll_back()
        if self.broken is not None:
            for pending in group.pending:
                pending.error = self.broken
        self._tell(self._finished, group)

    def _roll_back(self) -> None:
        try:
            self._connection.execute("ROLLBACK")
        except apsw.Error:
            return  # SQLite has rolled back by itself, as it does after most failed writes.

    def _tell(self, call: Callable[..., None], *args: object) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(call, *args)

    def _write(self, group: Group) -> None:
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        foreign = self._catch_up()
        frontier = self.frontier.copy()
        entries: list[tuple[int, int, int, bytes, bytes]] = []
        ops: list[RowOp] = []
        touched: dict[int, int] = {}
        for pending in group.pending:
            self._place(pending, frontier, entries, ops, touched)
        if not entries:
            connection.execute("ROLLBACK")
        else:
            connection.executemany("INSERT INTO events VALUES(?,?,?,?,?)", entries)
            self._rows.apply(connection, ops)
            head = sign_head(self._signer, frontier.size, self._clock.now(), frontier.root())
            connection.execute("INSERT INTO heads VALUES(?,?,?,?)", (head.size, head.at, head.root, head.signature))
            connection.execute("COMMIT")
            self._committed(frontier, touched, head)
        if foreign:
            self._report_foreign(foreign)

    def _place(
        self,
        pending: Pending,
        frontier: Frontier,
        entries: list[tuple[int, int, int, bytes, bytes]],
        ops: list[RowOp],
        touched: dict[int, int],
    ) -> None:
        """Give one append its positions, or its error when one of its runs has moved on."""
        numbers: list[int] = []
        for append in pending.appends:
            run = number_of(append.run)
            expected = touched.get(run)
            if expected is None:
                expected = self._next_number(run)
            dead = append.lineage is not None and append.lineage in self._dead
            if dead or append.first != expected:
                self._bury(pending)
                pending.error = StaleRunNumber(
                    f"run {append.run} has {expected} events, and an append wanted to be number {append.first}"
                )
                return
            numbers.append(run)
        for run, append in zip(numbers, pending.appends, strict=True):
            n = append.first
            for body in append.bodies:
                stored = self._payloads.put(body)
                node = frontier.add(leaf_hash(run, n, stored))
                entries.append((frontier.size - 1, run, n, stored, node))
                n += 1
            touched[run] = n
            ops.extend(append.rows)

    def _bury(self, pending: Pending) -> None:
        """Let everything fail that was decided on what this append would have made true."""
        for append in pending.appends:
            if append.lineage is not None:
                self._dead[append.lineage] = None
        while len(self._dead) > _DEAD_REMEMBERED:
            self._dead.popitem(last=False)

    def _next_number(self, run: int) -> int:
        known = self._next.get(run)
        if known is not None:
            self._next.move_to_end(run)
            return known
        last = self._connection.execute("SELECT max(n) FROM events WHERE run=?", (run,)).get
        return 0 if last is None else last + 1

    def _committed(self, frontier: Frontier, touched: dict[int, int], head: TreeHead) -> None:
        self.frontier = frontier
        self._next.update(touched)
        while len(self._next) > _RUNS_REMEMBERED:
            self._next.popitem(last=False)
        self._heads.add((head,))

    # --- other processes -----------------------------------------------------------------------------------------

    def _catch_up(self) -> list[tuple[RunId, int]]:
        """Inside a transaction: take over what other processes appended since; return their entries' places."""
        version = self._connection.pragma("data_version")
        if version == self._version:
            return []
        self._version = version
        before = self.frontier.size
        size = (self._connection.execute("SELECT max(pos) FROM events").get or 0) + 1
        if size <= before:
            return []
        self.frontier = load_frontier(self._connection, self._signer.public_key(), self._path)
        self._next.clear()
        places = self._connection.execute("SELECT run, n FROM events WHERE pos>=?", (before,))
        return [(run_id(run), n) for run, n in places]

    def _look_for_foreign(self) -> None:
        if self.broken is not None:
            return
        try:
            if self._connection.pragma("data_version") == self._version:
                return
            self._connection.execute("BEGIN")
            try:
                foreign = self._catch_up()
            finally:
                self._connection.execute("COMMIT")
        except (apsw.Error, KernosError) as error:
            self.broken = error if isinstance(error, KernosError) else plainly(self._path, error)
            return
        if foreign:
            self._report_foreign(foreign)

    def _report_foreign(self, foreign: Sequence[tuple[RunId, int]]) -> None:
        if self._foreign is not None:
            self._tell(self._foreign, foreign)


def load_frontier(connection: apsw.Connection, public_key: bytes, path: Path) -> Frontier:
    """Read the tree's right edge and check it against the newest signed head. Raises Tampered."""
    last = connection.execute("SELECT max(pos) FROM events").get
    size = 0 if last is None else last + 1
    row = connection.execute("SELECT size, at, root, signature FROM heads ORDER BY size DESC LIMIT 1").fetchone()
    if row is None:
        if size:
            message = f"{path} holds {size} entries and no tree head"
            raise Tampered(message)
        return Frontier()
    head = TreeHead(*row)
    nodes = []
    for _, position in frontier_positions(size):
        found = connection.execute("SELECT node FROM events WHERE pos=?", (position,)).get
        nodes.append(found if isinstance(found, bytes) else b"")
    frontier = Frontier(size, nodes)
    if not is_signed(public_key, head):
        message = f"the newest tree head of {path} (size {head.size}) is not signed by this store's key"
        raise Tampered(message)
    if head.size != size or head.root != frontier.root():
        message = (
            f"{path} holds {size} entries, which are not the {head.size} that its newest tree head was signed over"
        )
        raise Tampered(message)
    return frontier
