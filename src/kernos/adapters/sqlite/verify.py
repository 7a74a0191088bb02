"""Verify: the whole store against its tree, its signed heads and the second place; what is wrong is named with its place.

One pass in order of position. Blocks of 1,024 entries are hashed and compared with the kept nodes as a whole, and with the heads that were signed
in between: every head's link to the one before, the root and the signature of the last one, which vouches for the others. That a block differs is
seen here; where and how is found out by `Locator`, entry by entry. A million entries take some 3 s.
"""

import asyncio
import hashlib
import struct
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import apsw

from kernos.adapters.sqlite.comparison import Comparison
from kernos.adapters.sqlite.files import Files
from kernos.adapters.sqlite.heads import COLUMNS, ChainedHead, head_of_row
from kernos.adapters.sqlite.kept_heads import KeptComparison, kept_length
from kernos.adapters.sqlite.locate import EntryRow, Findings, Locator
from kernos.adapters.sqlite.payloads import Payloads
from kernos.adapters.sqlite.store import check_mark, connect, let_go, said_plainly
from kernos.adapters.sqlite.tree import height_at, root_of_parts
from kernos.adapters.sqlite.trust import LOOKS, Trusted, find_signer, follow_keys, is_in_force
from kernos.ports.signer import OpenKey, Signer
from kernos.vocabulary.errors import Tampered
from kernos.vocabulary.journal import Verification

_BLOCK_HEIGHT = 10
_BLOCK = 1 << _BLOCK_HEIGHT
_POSITIONS_MAX = 1 << 62
"""Far beyond any journal, and so far below the largest number of SQLite that nothing computed from a position leaves its range."""

_PLACE = struct.Struct(">cQI")
_sha256 = hashlib.sha256


async def verify_store(
    path: Path,
    open_key: OpenKey,
    progress: Callable[[int, int], None],
    *,
    heads: Path | None = None,
    vfs: str | None = None,
    trusted: Trusted | None = None,
    kept: Path | None = None,
) -> Verification:
    """Check a store as it is now, also one that cannot be opened for use any more; others may go on using it meanwhile.

    `progress(done, of_all)` is called now and then; the event loop runs in between. `trusted`: a public key that the store must be signed
    by or lead on from; then its own private key is not needed. `kept`: a file of tree heads from elsewhere that the store must have. Raises
    ForeignStore, StorageFailed, BadConfiguration.
    """
    with said_plainly(path):
        connection = connect(path, vfs=vfs)
        try:
            check_mark(connection, path)
            second_place = heads or path.with_name(f"{path.name}.heads")
            looks_left = LOOKS
            while True:
                looks_left -= 1
                signer = find_signer(connection, path, open_key, is_needed=trusted is None)
                # The second place is measured before the store is looked at: what others add meanwhile is not ahead of it.
                verifier = Verifier(connection, path, signer, second_place, trusted, kept)
                connection.execute("BEGIN")
                if not looks_left or signer is None or is_in_force(connection, signer):
                    break
                connection.execute("ROLLBACK")  # Perhaps it was rotated between the two looks.
            for done, of_all in verifier.steps():
                progress(done, of_all)
                await asyncio.sleep(0)
            await asyncio.to_thread(verifier.check_file)
        finally:
            let_go(connection)
    return verifier.result()


class Verifier:
    """Checks one store, in one read transaction of its connection."""

    def __init__(
        self,
        connection: apsw.Connection,
        path: Path,
        signer: Signer | None,
        second_place: Path,
        trusted: Trusted | None = None,
        kept: Path | None = None,
    ) -> None:
        """Take the store's parts; `signer` or `trusted` may be missing, not both."""
        self._connection = connection
        self._path = path
        self._signer = signer
        self._trusted = trusted
        self._second_place = second_place
        self._second_length = second_place.stat().st_size if second_place.exists() else 0
        self._kept = kept
        self._kept_length = kept_length(kept) if kept is not None else 0
        self._kept_size: int | None = None
        self._findings = Findings()
        self._payloads = Payloads(path.with_name(f"{path.name}.payloads"), Files())
        self._heads = 0
        self._size = 0
        self._newest: ChainedHead | None = None

    def result(self) -> Verification:
        """Return what was found, once all steps were taken."""
        root = root_of_parts(self._locator.parts)
        return Verification(self._size, self._heads, root, self._findings.sorted(), self._kept_size)

    def steps(self) -> Iterator[tuple[int, int]]:
        """Check everything but the file's inner order; yield (entries done, of all) after each portion."""
        connection = self._connection
        last = connection.execute("SELECT max(pos) FROM events WHERE pos BETWEEN 0 AND ?", (_POSITIONS_MAX,)).get
        self._size = last + 1 if isinstance(last, int) else 0
        self._heads = int(connection.execute("SELECT count(*) FROM heads").get)
        self._notary = follow_keys(connection, self._signer, self._trusted, self._findings)
        self._locator = Locator(connection, self._notary, self._payloads, self._findings)
        outside = "SELECT pos, run, n FROM events WHERE pos<0 OR pos>? ORDER BY pos LIMIT 100"
        for pos, run, n in connection.execute(outside, (_POSITIONS_MAX,)):
            self._findings.add("inserted", pos, f"position {pos} does not exist in a journal", run, n)
        second_place = Comparison(connection, self._second_place, self._second_length, self._notary, self._findings)
        for _ in second_place.steps(self._size, self._heads):
            yield 0, self._size
        if self._kept is not None:
            kept_heads = KeptComparison(connection, self._kept, self._kept_length, self._notary, self._findings)
            for _ in kept_heads.steps(self._size):
                yield 0, self._size
            self._kept_size = kept_heads.agreed
        yield from self._entries()
        self._locator.end(self._newest, self._size)
        self._numbers()

    # --- entries -------------------------------------------------------------------------------------------------

    def _entries(self) -> Iterator[tuple[int, int]]:
        locator = self._locator
        heads = self._head_rows()
        head = next(heads, None)
        begin = 0
        try:
            while begin < self._size:
                end = begin + _BLOCK
                rows: list[Any] = self._connection.execute(
                    "SELECT pos, run, n, body, node FROM events WHERE pos>=? AND pos<? ORDER BY pos", (begin, end)
                ).fetchall()
                if not rows:  # One entry far behind the others must not cost a walk over all that is not between.
                    there = self._connection.execute("SELECT min(pos) FROM events WHERE pos>=?", (end,)).get
                    end = max(end, int(there) // _BLOCK * _BLOCK)
                within: list[ChainedHead] = []
                while head is not None and head.size <= end:
                    within.append(head)
                    head = next(heads, None)
                if not locator.lost and not self._is_good(begin, rows, within):
                    locator.walk(rows, within)
                begin = min(end, self._size)
                yield begin, self._size
            while head is not None:
                head = next(heads, None)
        except apsw.CorruptError as error:
            self._findings.add("damaged", begin, f"what lies from position {begin} on cannot be read: {error}")
            locator.lost = True

    def _head_rows(self) -> Iterator[ChainedHead]:
        for row in self._connection.execute(f"SELECT {COLUMNS} FROM heads ORDER BY size"):
            try:
                head = head_of_row(row)
            except ValueError:
                size = row[0] if isinstance(row[0], int) else 0
                self._findings.add("head", size - 1, f"the tree head of size {row[0]} is damaged")
                continue
            self._newest = head
            yield head

    def _is_good(self, begin: int, rows: Sequence[EntryRow], heads: Sequence[ChainedHead]) -> bool:
        """Check a block as a whole and, if all is well, move on behind it."""
        count = len(rows)
        if not rows or rows[0][0] != begin or rows[-1][0] != begin + count - 1 or self._locator.parts_end() != begin:
            return False
        pack = _PLACE.pack
        try:
            levels = [[_sha256(pack(b"\0", run, n) + body).digest() for _, run, n, body, _ in rows]]
        except (TypeError, struct.error):
            return False
        while len(levels[-1]) > 1:
            below = levels[-1]
            pairs = zip(below[::2], below[1::2], strict=False)
            levels.append([_sha256(b"\1" + left + right).digest() for left, right in pairs])
        expected: list[bytes] = [b""] * count
        for height, level in enumerate(levels):
            expected[(1 << height) - 1 :: 2 << height] = level[::2]
        before = self._locator.parts
        parts = before
        if count == _BLOCK:
            node = levels[_BLOCK_HEIGHT][0]
            parts = before.copy()
            for _ in range(height_at(begin + count - 1) - _BLOCK_HEIGHT):
                node = _sha256(b"\1" + parts.pop() + node).digest()
            parts.append(node)
            expected[-1] = node
        if expected != [row[4] for row in rows] or not self._are_payloads_good(rows):
            return False
        if not self._are_heads_good(begin, levels, before, heads):
            return False
        if count < _BLOCK:
            parts = before + _parts_within(levels, count)
        self._locator.move_on(begin + count, parts, heads)
        return True

    def _are_payloads_good(self, rows: Sequence[EntryRow]) -> bool:
        for row in rows:
            if row[3][:1] == b"\1":
                try:
                    self._payloads.get(row[3], "")
                except Tampered:
                    return False
        return True

    def _are_heads_good(
        self, begin: int, levels: Sequence[Sequence[bytes]], before: list[bytes], heads: Sequence[ChainedHead]
    ) -> bool:
        """Check every link, and root and signature of the last head: these vouch for the links, and so for all heads before."""
        if not heads:
            return True
        digest = self._notary.digest
        link = self._locator.link
        for head in heads:
            if head.previous != link:
                return False
            link = digest(head)
        last = heads[-1]
        if last.size > begin + len(levels[0]):
            return False
        root = root_of_parts(before + _parts_within(levels, last.size - begin))
        return root == last.root and self._notary.is_ours(last)

    # --- the rest ------------------------------------------------------------------------------------------------

    def _numbers(self) -> None:
        """Each run's numbers go from 0 without gaps; told only when nothing else explains a gap."""
        if self._findings.exist():
            return
        gaps = "SELECT run, min(n), max(n), count(*) FROM events GROUP BY run HAVING max(n)+1<>count(*) OR min(n)<>0 LIMIT 100"
        for run, first, last, count in self._connection.execute(gaps):
            message = f"the run has {count} entries, but their numbers go from {first} to {last}"
            self._findings.add("deleted", -1, message, run, last)

    def check_file(self) -> None:
        """Let SQLite check that its pages and indexes fit together; may run in a thread."""
        try:
            faults = [row[0] for row in self._connection.execute("PRAGMA integrity_check(10)")]
        except apsw.CorruptError as error:
            faults = [str(error)]
        if faults != ["ok"]:
            self._findings.add("damaged", -1, f"SQLite finds its file damaged: {'; '.join(map(str, faults))}")


def _parts_within(levels: Sequence[Sequence[bytes]], count: int) -> list[bytes]:
    """Return the parts of a frontier over the first `count` leaves of a block."""
    parts: list[bytes] = []
    begin = 0
    for height in range(len(levels) - 1, -1, -1):
        if count >> height & 1:
            parts.append(levels[height][begin >> height])
            begin += 1 << height
    return parts
