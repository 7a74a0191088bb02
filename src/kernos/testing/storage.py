"""Storage in memory: the journal and views ports for the simulator, with the guarantees of the real ones and a crash on demand.

What is durable lies in a `MemoryDisk`, which outlives its journals; several journals over one disk are several processes. A group becomes durable
some virtual time after it was begun, while the next one fills. Everything happens in the event loop, so a seed repeats a run to the byte.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kernos.adapters.ed25519.signer import FileSigner
from kernos.adapters.sqlite.groups import Backlog, Group, Pending
from kernos.adapters.sqlite.guards import Guarded
from kernos.adapters.sqlite.heads import NO_HEAD, ChainedHead, Notary
from kernos.adapters.sqlite.payloads import check_body
from kernos.adapters.sqlite.tree import Frontier, leaf_hash
from kernos.ports.clock import Clock
from kernos.ports.journal import Changes, Commit, Range, Row
from kernos.testing.rows import MemoryRows
from kernos.testing.vault import MemoryVault
from kernos.vocabulary.circumstances import Totals
from kernos.vocabulary.errors import CapReached, KernelStopped, KernosError, StaleRunNumber, Tampered
from kernos.vocabulary.ids import EpochMs, RunId, number_of
from kernos.vocabulary.journal import Append, Entry, Finding, Scalar, Table, TreeHead, Verification

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
"""Always the same, so that equal journals have equal heads."""


@dataclass(slots=True, eq=False)
class MemoryDisk:
    """What outlives a crash: entries with the hashes they were written with, heads, rows."""

    tables: Sequence[Table]
    entries: list[Entry] = field(default_factory=list)
    leaves: list[bytes] = field(default_factory=list)
    heads: list[ChainedHead] = field(default_factory=list)
    frontier: Frontier = field(default_factory=Frontier)
    by_run: dict[RunId, list[int]] = field(default_factory=dict)
    journals: list["MemoryJournal"] = field(default_factory=list)
    fails: KernosError | None = None
    """Set it, and the next group finds a medium that takes no more."""
    rows: MemoryRows = field(init=False)
    vault: MemoryVault = field(default_factory=MemoryVault)

    def __post_init__(self) -> None:
        """Lay out the tables."""
        self.rows = MemoryRows(self.tables)


class MemoryJournal:
    """Implements the journal and views ports over a MemoryDisk."""

    def __init__(self, disk: MemoryDisk, clock: Clock, delay_ms: Callable[[], int] = lambda: 0) -> None:
        """Open the disk. `delay_ms` is asked at the begin of each group how long it takes to become durable."""
        self.disk = disk
        self._clock = clock
        self._delay_ms = delay_ms
        self._notary = Notary(FileSigner(KEY))
        self._backlog = Backlog()
        self._writing: Group | None = None
        self._idle = asyncio.Event()
        self._idle.set()
        self._dead: set[object] = set()
        self._listener: Callable[[Sequence[tuple[RunId, int]]], None] | None = None
        self._broken: KernosError | None = None
        self._crashed = False
        disk.journals.append(self)

    @property
    def projections_changed(self) -> bool:
        """Whether a rebuild is due: never, the tables are those of the disk."""
        return False

    def crash(self) -> None:
        """Drop what is not durable, as if the process had died: whoever waits for it waits for ever, and nothing is written any more."""
        self._crashed = True
        self._leave()

    def _leave(self) -> None:
        if self in self.disk.journals:
            self.disk.journals.remove(self)

    # --- journal -------------------------------------------------------------------------------------------------

    def append(self, appends: Sequence[Append], on_failure: Callable[[Exception], None] | None = None) -> Commit:
        """Put entries in. Raises InvalidInput for a body that cannot be stored, QueueFull when too much waits."""
        for append in appends:
            number_of(append.run)
            for body in append.bodies:
                check_body(body)
        if self._broken is not None:
            pending = Pending(appends, on_failure, Group())
            pending.error = self._broken
            pending.group.pending.append(pending)
            asyncio.get_running_loop().call_soon(pending.group.finish)
            return pending
        pending = self._backlog.add(appends, on_failure)
        if self._writing is None and self._idle.is_set():
            self._idle.clear()
            asyncio.get_running_loop().call_soon(self._begin)
        return pending

    def _begin(self) -> None:
        """Take the next group, and write it when its time has come."""
        self._writing = None if self._crashed else self._backlog.take()
        if self._writing is None:
            self._idle.set()
            return
        self._clock.call_at(EpochMs(self._clock.now() + self._delay_ms()), self._end)

    def _end(self) -> None:
        group = self._writing
        if self._crashed or group is None:
            return
        if self.disk.fails is not None:
            self._broken = self.disk.fails
        if self._broken is None:
            self._write(group)
            if self._crashed:
                return
        else:
            for pending in group.pending:
                pending.error = self._broken
        group.finish()
        self._begin()

    def _write(self, group: Group) -> None:
        """Make a group durable, all of it at once."""
        disk = self.disk
        before = len(disk.entries)
        for pending in group.pending:
            if not self._fits(pending):
                continue
            for append in pending.appends:
                for n, body in enumerate(append.bodies, append.first):
                    leaf = leaf_hash(number_of(append.run), n, body)
                    disk.frontier.add(leaf)
                    disk.leaves.append(leaf)
                    disk.by_run.setdefault(append.run, []).append(len(disk.entries))
                    disk.entries.append(Entry(append.run, n, body))
                disk.rows.apply(append.rows)
        new = disk.entries[before:]
        if not new:
            return
        link = self._notary.digest(disk.heads[-1]) if disk.heads else NO_HEAD
        disk.heads.append(self._notary.sign(disk.frontier.size, self._clock.now(), link, disk.frontier.root()))
        for journal in disk.journals:
            if journal is not self:
                journal.tell([(entry.run, entry.n) for entry in new])

    def _fits(self, pending: Pending) -> bool:
        moved: dict[RunId, int] = {}
        for append in pending.appends:
            expected = moved.get(append.run, len(self.disk.by_run.get(append.run, ())))
            if append.first != expected or (append.lineage is not None and append.lineage in self._dead):
                self._dead.update(one.lineage for one in pending.appends if one.lineage is not None)
                what = f"run {append.run} has {expected} events, and an append wanted to be number {append.first}"
                pending.error = StaleRunNumber(what)
                return False
            moved[append.run] = expected + len(append.bodies)
        broken = Guarded(self.disk.rows.stands).admit(pending.appends)
        if broken is not None:
            self._dead.update(one.lineage for one in pending.appends if one.lineage is not None)
            pending.error = CapReached(f"{broken.column} of {broken.table} {broken.key} would be over {broken.limit}")
        return broken is None

    async def read(self, run: RunId, after: int = -1) -> Sequence[Entry]:
        """Return a run's entries, compared with what was written."""
        entries: list[Entry] = []
        for n, pos in enumerate(self.disk.by_run.get(run, ())):
            entry = self.disk.entries[pos]
            if entry.n != n or leaf_hash(number_of(entry.run), n, entry.body) != self.disk.leaves[pos]:
                raise Tampered(f"entry {n} of run {run} (position {pos}) is not what was written")
            if n > after:
                entries.append(entry)
        return entries

    async def scan(self, after: int = -1) -> AsyncIterator[tuple[int, Entry]]:
        """Yield every entry after a position."""
        pos = after + 1
        while pos < len(self.disk.entries):
            entry = self.disk.entries[pos]
            if leaf_hash(number_of(entry.run), entry.n, entry.body) != self.disk.leaves[pos]:
                raise Tampered(f"entry {entry.n} of run {entry.run} (position {pos}) is not what was written")
            yield pos, entry
            pos += 1

    async def head(self) -> TreeHead | None:
        """Return the newest tree head."""
        return self.disk.heads[-1].public() if self.disk.heads else None

    async def verify(self, progress: Callable[[int, int], None]) -> Verification:
        """Compare every entry with its hash, and every head with the tree and the head before."""
        disk = self.disk
        findings: list[Finding] = []
        heads = {head.size: head for head in disk.heads}
        frontier = Frontier()
        link = NO_HEAD
        for pos, entry in enumerate(disk.entries):
            leaf = leaf_hash(number_of(entry.run), entry.n, entry.body)
            if leaf != disk.leaves[pos]:
                message = f"entry {entry.n} of run {entry.run} (position {pos}) is not what was written"
                findings.append(Finding("edited", pos, entry.run, entry.n, message))
            frontier.add(disk.leaves[pos])
            head = heads.get(pos + 1)
            if head is not None:
                if head.previous != link or head.root != frontier.root() or not self._notary.is_ours(head):
                    findings.append(
                        Finding("head", pos, "", -1, f"the tree head of size {pos + 1} is not what was signed")
                    )
                link = self._notary.digest(head)
        progress(len(disk.entries), len(disk.entries))
        return Verification(len(disk.entries), len(disk.heads), frontier.root(), tuple(findings[:100]))

    async def close(self) -> None:
        """Make pending appends durable."""
        if not self._crashed:
            await self._idle.wait()
        self._broken = KernelStopped("the journal is closed")
        self._leave()

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
        return self.disk.rows.select(table, where, order, after, limit, descending=descending)

    def totals(self, table: str, where: Mapping[str, Scalar | Range], *, of: str, at: str) -> Totals:
        """Add rows up."""
        rows = self.disk.rows.select(table, where, "", None, -1, descending=False)
        newest = max((int(row[at] or 0) for row in rows), default=0)
        return Totals(len(rows), sum(int(row[of] or 0) for row in rows), EpochMs(newest))

    async def dump(self, table: str) -> Sequence[Row]:
        """Return all rows of a table."""
        return await self.select(table, {}, limit=-1)

    async def rebuild(self, tables: Sequence[Table], changes: Changes) -> None:
        """Replace the content of tables, all or nothing."""
        made = MemoryRows(self.disk.tables)
        done = -1
        for _ in range(2):  # What came while the loop was elsewhere comes the second time.
            async for position, ops in changes(done):
                made.apply(ops)
                done = position
        names = [table.name for table in tables]
        self.disk.rows.take_over(made, names)

    def watch(self, listener: Callable[[Sequence[tuple[RunId, int]]], None]) -> None:
        """Report other journals' entries on this disk from now on."""
        self._listener = listener

    def tell(self, places: Sequence[tuple[RunId, int]]) -> None:
        """Take notice of entries that another journal wrote."""
        if self._listener is not None:
            asyncio.get_running_loop().call_soon(self._listener, places)
