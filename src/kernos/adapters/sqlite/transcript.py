"""Transcript: how one group of appends becomes rows, nodes and a signed head, in one transaction. Runs in the writer's thread."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

import apsw

from kernos.adapters.sqlite.groups import Group, Pending
from kernos.adapters.sqlite.guards import Guarded
from kernos.adapters.sqlite.heads import COLUMNS, ChainedHead, Notary, head_of_row
from kernos.adapters.sqlite.payloads import Payloads
from kernos.adapters.sqlite.rows import Rows, Statement, execute_rows
from kernos.adapters.sqlite.second_place import HeadsFile
from kernos.adapters.sqlite.store import transaction
from kernos.adapters.sqlite.tail import Tail, load_tail
from kernos.adapters.sqlite.tree import Frontier, leaf_hash
from kernos.ports.clock import Clock
from kernos.vocabulary.errors import CapReached, StaleRunNumber, Tampered
from kernos.vocabulary.ids import RunId, number_of, run_id
from kernos.vocabulary.journal import Guard, RowOp

_RUNS_REMEMBERED = 16_384
"""Next numbers kept, some 4 MB: a miss costs one look-up in the index."""

_LINEAGES_REMEMBERED = 4_096
"""Failed lineages kept: each has its few appends in this group or the next."""

_ENTRIES = Statement("INSERT INTO events VALUES")

Foreign = Sequence[tuple[RunId, int]]
"""Runs and numbers of entries that other processes appended."""

_number = lru_cache(_RUNS_REMEMBERED)(number_of)


class Transcript:
    """Writes groups on one connection, and knows where the journal ends."""

    def __init__(
        self,
        connection: apsw.Connection,
        path: Path,
        rows: Rows,
        notary: Notary,
        clock: Clock,
        heads: HeadsFile,
        payloads: Payloads,
        check_shape: Callable[[], None],
    ) -> None:
        """Take the parts and read where the journal ends. `check_shape` raises when the projections' tables are not ours any more.

        Raises Tampered.
        """
        self._connection = connection
        self._path = path
        self._rows = rows
        self._notary = notary
        self._clock = clock
        self._heads = heads
        self._payloads = payloads
        self._check_shape = check_shape
        self._next: dict[RunId, int] = {}
        self._dead: dict[object, None] = {}
        self._committed: Group | None = None
        with transaction(connection, "DEFERRED"):
            self.tail = load_tail(connection, notary, path)
            self._version = connection.pragma("data_version")

    def has_committed(self, group: Group) -> bool:
        """Tell whether a group is durable, whatever failed afterwards."""
        return group is self._committed

    def next_known(self, run: RunId) -> int:
        """Return the next number of a run as far as this process remembers, else 0. May be called in any thread."""
        return self._next.get(run, 0)

    # --- a group -------------------------------------------------------------------------------------------------

    def write(self, group: Group) -> Foreign:
        """Commit a group; return what other processes appended before it. Appends that fail alone get their `error`.

        Raises what the medium raises: then nothing of the group was acknowledged.
        """
        put = self._payloads.put
        stored = [[tuple(map(put, append.bodies)) for append in pending.appends] for pending in group.pending]
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        foreign = self.catch_up()
        frontier = self.tail.frontier.copy()
        entries: list[tuple[int, int, int, bytes, bytes]] = []
        ops: list[RowOp] = []
        touched: dict[RunId, int] = {}
        has_guards = any(append.guards for pending in group.pending for append in pending.appends)
        guarded = Guarded(self._stands) if has_guards else None
        for pending, bodies in zip(group.pending, stored, strict=True):
            self._place(pending, bodies, frontier, entries, ops, touched, guarded)
        if not entries:
            connection.execute("ROLLBACK")
            self._committed = group
            return foreign
        execute_rows(connection, _ENTRIES, entries)
        if ops:
            self._rows.apply(connection, ops)
        head = self._notary.sign(frontier.size, self._clock.now(), self.tail.link, frontier.root())
        connection.execute(
            "INSERT INTO heads VALUES(?,?,?,?,?)", (head.size, head.at, head.previous, head.root, head.signature)
        )
        connection.execute("COMMIT")
        self._committed = group
        self._advance(frontier, head, touched)
        self._heads.add((head,))
        return foreign

    def _place(
        self,
        pending: Pending,
        bodies: Sequence[Sequence[bytes]],
        frontier: Frontier,
        entries: list[tuple[int, int, int, bytes, bytes]],
        ops: list[RowOp],
        touched: dict[RunId, int],
        guarded: Guarded | None,
    ) -> None:
        """Give one append its positions, or its error when one of its runs has moved on."""
        moved: dict[RunId, int] = {}
        for append in pending.appends:
            run = append.run
            expected = moved.get(run)
            if expected is None:
                expected = touched.get(run)
            if expected is None:
                expected = self._next_number(run)
            if append.first != expected or (append.lineage is not None and append.lineage in self._dead):
                self._bury(pending)
                what = f"run {run} has {expected} events, and an append wanted to be number {append.first}"
                pending.error = StaleRunNumber(what)
                return
            moved[run] = expected + len(append.bodies)
        broken = guarded.admit(pending.appends) if guarded is not None else None
        if broken is not None:
            self._bury(pending)
            pending.error = CapReached(f"{broken.column} of {broken.table} {broken.key} would be over {broken.limit}")
            return
        touched.update(moved)
        for append, stored in zip(pending.appends, bodies, strict=True):
            number = _number(append.run)
            position = frontier.size
            for n, body in enumerate(stored, append.first):
                entries.append((position, number, n, body, frontier.add(leaf_hash(number, n, body))))
                position += 1
            ops.extend(append.rows)

    def _stands(self, guard: Guard) -> int:
        """Return a guarded number as it is durable."""
        sql, values = self._rows.totals_query(guard.table, self._rows.place(guard), guard.column, guard.column)
        found = self._connection.execute(sql, values).fetchone()
        assert found is not None, guard
        return int(found[1])

    def _bury(self, pending: Pending) -> None:
        """Let everything fail that was decided on what this append would have made true."""
        for append in pending.appends:
            if append.lineage is not None:
                self._dead[append.lineage] = None
        while len(self._dead) > _LINEAGES_REMEMBERED:
            del self._dead[next(iter(self._dead))]

    def _next_number(self, run: RunId) -> int:
        known = self._next.pop(run, None)
        if known is not None:
            self._next[run] = known  # Last again: the first ones are forgotten first.
            return known
        last = self._connection.execute("SELECT max(n) FROM events WHERE run=?", (_number(run),)).get
        return last + 1 if isinstance(last, int) else 0

    def _advance(self, frontier: Frontier, head: ChainedHead, touched: dict[RunId, int]) -> None:
        self.tail = Tail(frontier, self._notary.digest(head), head)
        self._next.update(touched)
        while len(self._next) > _RUNS_REMEMBERED:
            del self._next[next(iter(self._next))]

    # --- other processes -----------------------------------------------------------------------------------------

    def is_behind(self) -> bool:
        """Tell whether another connection has written since."""
        return bool(self._connection.pragma("data_version") != self._version)

    def catch_up(self) -> Foreign:
        """Inside a transaction: take over what other processes appended since; return their entries' places. Raises Tampered."""
        version = self._connection.pragma("data_version")
        if version == self._version:
            return ()
        self._check_shape()
        before = self.tail
        tail = load_tail(self._connection, self._notary, self._path)
        if before.head is not None:
            row = self._connection.execute(f"SELECT {COLUMNS} FROM heads WHERE size=?", (before.head.size,)).fetchone()
            if row is None or head_of_row(row) != before.head:
                size = before.head.size
                raise Tampered(f"{self._path} was cut or rewritten while in use: its tree head of size {size} is gone")
        places = self._connection.execute("SELECT run, n FROM events WHERE pos>=?", (before.frontier.size,))
        foreign = [(run_id(run), n) for run, n in places]
        for run, _ in foreign:
            self._next.pop(run, None)
        self.tail = tail
        self._version = version
        return foreign
