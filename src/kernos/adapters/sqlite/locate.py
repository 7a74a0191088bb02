"""Locate: where a store differs from what was written, and how, entry by entry. For `verify`, once a block is known to differ.

What can be told: the node that a position keeps says whether its entry is the one that was written, unless nodes were changed as well; then the
signed heads say between which sizes the change lies. After each finding the walk goes on from what was signed, so that later damage is found too.
"""

import struct
from collections.abc import Sequence
from typing import Any

import apsw

from kernos.adapters.sqlite.heads import ChainedHead, Notary
from kernos.adapters.sqlite.payloads import Payloads
from kernos.adapters.sqlite.tree import (
    frontier_positions,
    height_at,
    leaf_hash,
    node_over,
    parent_hash,
    root_of_parts,
)
from kernos.vocabulary.errors import Tampered
from kernos.vocabulary.ids import run_id
from kernos.vocabulary.journal import Finding

FINDINGS_MAX = 100

_NEIGHBOURS_ASKED = 8
"""Entries looked at behind a place to tell whether everything was shifted."""

EntryRow = tuple[int, int, int, bytes, bytes]
"""Position, run's number, number in the run, stored bytes, kept node."""


class Findings:
    """What is wrong, at most 100 things."""

    def __init__(self) -> None:
        """Begin with none."""
        self._found: dict[tuple[str, int], Finding] = {}

    def add(self, kind: str, at: int, message: str, run: object = None, n: object = -1) -> None:
        """Add a finding, once for each kind and place."""
        if len(self._found) < FINDINGS_MAX:
            name = run_id(run) if isinstance(run, int) and 0 <= run < 1 << 63 else ""
            number = n if isinstance(n, int) else -1
            self._found.setdefault((kind, at), Finding(kind, at, name, number, message))

    def is_edited(self, pos: int) -> bool:
        """Tell whether the entry at a position was found edited."""
        return ("edited", pos) in self._found

    def replace(self, first: int, second: int, message: str) -> None:
        """Make one finding of two edited entries that changed places."""
        one = self._found.pop(("edited", first))
        self._found.pop(("edited", second), None)
        self._found["swapped", first] = Finding("swapped", first, one.run, one.n, message)

    def exist(self) -> bool:
        """Tell whether there is one."""
        return bool(self._found)

    def has(self, kind: str) -> bool:
        """Tell whether there is one of a kind."""
        return any(one.kind == kind for one in self._found.values())

    def sorted(self) -> tuple[Finding, ...]:
        """Return all, first to last."""
        return tuple(sorted(self._found.values(), key=lambda finding: (finding.at, finding.kind)))


class Locator:
    """Walks over entries and heads in order, one by one, and knows the edge of the tree up to there."""

    def __init__(self, connection: apsw.Connection, notary: Notary, payloads: Payloads, findings: Findings) -> None:
        """Begin before the first entry."""
        self._connection = connection
        self._notary = notary
        self._payloads = payloads
        self._findings = findings
        self.parts: list[bytes] = []
        """The frontier; an empty part is one that is not known."""
        self.link, _ = notary.link_of(None)
        self.lost = False
        """Whether nothing behind can be told apart any more."""
        self._end = 0
        self._good = 0
        """The size of the newest head that was good in every way."""
        self._changed_from: int | None = None
        """Where entries and their nodes were changed alike; reported, and wrong in the frontier until a kept node mends it."""
        self._unsigned: list[ChainedHead] = []
        self._edited: list[tuple[int, bytes, bytes]] = []

    def parts_end(self) -> int:
        """Return the size that the frontier stands for."""
        return self._end

    def move_on(self, end: int, parts: list[bytes], heads: Sequence[ChainedHead]) -> None:
        """Take over from a check of many entries at once that found everything good up to `end`."""
        self._end = end
        self.parts = parts
        if heads:
            self._sign_off(heads[-1])

    # --- entries -------------------------------------------------------------------------------------------------

    def walk(self, rows: Sequence[EntryRow], heads: Sequence[ChainedHead]) -> None:
        """Check entries and the heads between them."""
        left = list(heads)
        for row in rows:
            while left and left[0].size <= self._end:
                self._head(left.pop(0))
            self._entry(row)
            if self.lost:
                return
        while left and left[0].size <= self._end:
            self._head(left.pop(0))

    def _entry(self, row: EntryRow) -> None:
        pos, run, n, body, _ = row
        kept = row[4] if isinstance(row[4], bytes) else b""
        if pos > self._end:
            self._missing(self._end, pos)
        leaf = _leaf(run, n, body)
        node = leaf
        is_known = True
        parts = self.parts
        for _ in range(height_at(pos)):
            left = parts.pop()
            is_known = is_known and bool(left)
            node = parent_hash(left, node)
        self._end = pos + 1
        if not leaf or (is_known and node != kept):
            parts.append(self._differs((pos, run, n, body, kept), leaf, node))
        else:
            parts.append(node if is_known else kept)
            self._payload(row)

    def _payload(self, row: EntryRow) -> None:
        pos, run, n, body, _ = row
        try:
            self._payloads.get(body, f"entry {n} of run {run_id(run)} (position {pos})")
        except Tampered as error:
            self._findings.add("payload", pos, str(error), run, n)

    def _missing(self, first: int, end: int) -> None:
        what = f"position {first} is missing" if end == first + 1 else f"positions {first} to {end - 1} are missing"
        gaps = self._connection.execute(
            "SELECT run, max(n)+1-count(*) FROM events GROUP BY run HAVING max(n)+1<>count(*) LIMIT 2"
        ).fetchall()
        run, n = None, -1
        if end == first + 1 and len(gaps) == 1 and gaps[0][1] == 1:
            run = gaps[0][0]
            numbers = [
                row[0] for row in self._connection.execute("SELECT n FROM events WHERE run=? ORDER BY n", (run,))
            ]
            n = next(number for number, there in enumerate(numbers) if number != there)
        self._findings.add("deleted", first, what, run, n)
        self.parts = [self._node(position) for _, position in frontier_positions(end)]
        self._end = end

    def _differs(self, row: EntryRow, leaf: bytes, node: bytes) -> bytes:
        """Say what differs at a position; return what the walk goes on with."""
        pos, run, n, _, kept = row
        begin = pos + 1 - (1 << height_at(pos))
        if leaf and self._changed_from is not None and begin <= self._changed_from:
            self._changed_from = None  # Reported already; the kept node here is of before the change.
            self._edited.append((pos, leaf, kept))
            return kept
        is_kept_good = self._leads_on(pos, kept)
        if leaf and not is_kept_good and self._leads_on(pos, node):
            self._findings.add(
                "node", pos, f"the tree's node at position {pos} is damaged; the entry is what was written", run, n
            )
            return node
        if self._is_shifted(pos):
            newest = self._connection.execute("SELECT max(size) FROM heads").get or 0
            size = self._connection.execute("SELECT count(*) FROM events").get
            kind, what = ("deleted", "was taken out") if size < newest else ("inserted", "was put in")
            self._findings.add(
                kind, pos, f"an entry {what} at position {pos}, and those behind it were shifted", run, n
            )
            self.lost = True
            return kept
        message = f"entry {n} of run {_name(run)} (position {pos}) is not what was written"
        if begin < pos and self._good < pos:
            message += f"; if nodes were changed too, it is one from position {max(begin, self._good)} on"
        self._findings.add("edited", pos, message, run, n)
        self._edited.append((pos, leaf, kept))
        if not is_kept_good:
            self._changed_from = begin
        return kept

    def _leads_on(self, pos: int, value: bytes) -> bool:
        """Tell whether a node of this value at a position leads to the next kept node above it, or else to the newest head."""

        def node(position: int) -> bytes:
            return value if position == pos else self._node(position)

        above = pos + (1 << height_at(pos))
        row: Any = self._connection.execute("SELECT run, n, body, node FROM events WHERE pos=?", (above,)).fetchone()
        if row is not None:
            return bool(node_over(above, _leaf(*row[:3]), node) == row[3])
        head: Any = self._connection.execute("SELECT size, root FROM heads ORDER BY size DESC LIMIT 1").fetchone()
        if head is None:
            return False
        parts = [node(position) for _, position in frontier_positions(head[0])]
        return bool(root_of_parts(parts) == head[1])

    def _is_shifted(self, pos: int) -> bool:
        """Tell whether the entries behind a position moved by one with their nodes: at odd positions, too, each keeps its own hash."""
        rows = self._connection.execute(
            "SELECT pos, run, n, body, node FROM events WHERE pos>? ORDER BY pos LIMIT ?", (pos, _NEIGHBOURS_ASKED)
        )
        odd = [_leaf(run, n, body) == node for at, run, n, body, node in rows if at & 1]
        return bool(odd) and all(odd)

    def _node(self, pos: int) -> bytes:
        node = self._connection.execute("SELECT node FROM events WHERE pos=?", (pos,)).get
        return node if isinstance(node, bytes) else b""

    # --- heads ---------------------------------------------------------------------------------------------------

    def _head(self, head: ChainedHead) -> None:
        is_linked = head.previous == self.link
        is_known = head.size == self._end and all(self.parts)
        has_root = is_known and root_of_parts(self.parts) == head.root
        self.link = self._notary.digest(head)
        if not self._notary.is_ours(head):
            self._unsigned.append(head)
        elif has_root:
            if not is_linked and not self._unsigned:
                self._findings.add(
                    "head", head.size - 1, f"the tree head before the one of size {head.size} is not the one it names"
                )
            self._sign_off(head)
        elif is_known and self._changed_from is None:
            message = f"positions {self._good} to {head.size - 1} are not the entries that the tree head of size {head.size} was signed over"
            self._findings.add("rewritten", self._good, message, *self._place(self._good))
            self._changed_from = self._good

    def _sign_off(self, head: ChainedHead) -> None:
        """A head is good in every way: unsigned ones before it are damaged statements over good entries."""
        for unsigned in self._unsigned:
            self._findings.add(
                "head", unsigned.size - 1, f"the tree head of size {unsigned.size} is not what was signed"
            )
        self._unsigned.clear()
        self._good = head.size
        self._changed_from = None
        self.link = self._notary.digest(head)

    def _place(self, pos: int) -> tuple[object, object]:
        row = self._connection.execute("SELECT run, n FROM events WHERE pos=?", (pos,)).fetchone()
        return (row[0], row[1]) if row is not None else (None, -1)

    # --- the end -------------------------------------------------------------------------------------------------

    def end(self, newest: ChainedHead | None, size: int) -> None:
        """Say what the end of the store tells, after the last entry."""
        if self.lost:
            return
        covered = newest.size if newest is not None else 0
        if covered > size:
            self._findings.add(
                "cut", size, f"the store ends at {size} entries, and it has a tree head of size {covered}"
            )
        elif self._unsigned:
            message = f"positions {self._good} to {size - 1} stand under tree heads that this store's key did not sign"
            self._findings.add("rewritten", self._good, message, *self._place(self._good))
        elif covered < size and not self._findings.has("cut"):
            rows = self._connection.execute(
                "SELECT pos, run, n FROM events WHERE pos>=? ORDER BY pos LIMIT ?", (covered, FINDINGS_MAX)
            )
            for pos, run, n in rows:
                message = f"entry {n} of run {_name(run)} (position {pos}) stands behind the newest tree head (size {covered})"
                self._findings.add("inserted", pos, message, run, n)
        self._tell_swaps()

    def _tell_swaps(self) -> None:
        """Two edited entries, each of which fits where the other stands, changed places."""
        left = self._edited[:FINDINGS_MAX]
        while left:
            pos, leaf, kept = left.pop(0)
            for other in left:
                at, leaf_there, kept_there = other
                here = node_over(pos, leaf_there, self._node)
                there = node_over(at, leaf, self._node)
                if {here, there} <= {kept, kept_there} and self._findings.is_edited(pos):
                    self._findings.replace(pos, at, f"the entries at positions {pos} and {at} changed places")
                    left.remove(other)
                    break


def _leaf(run: int, n: int, body: bytes) -> bytes:
    """Hash an entry; nothing for values of a kind that no kernos wrote."""
    try:
        return leaf_hash(run, n, body)
    except (TypeError, struct.error):
        return b""


def _name(run: object) -> str:
    return run_id(run) if isinstance(run, int) and 0 <= run < 1 << 63 else repr(run)
