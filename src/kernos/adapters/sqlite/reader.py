"""Reader: checked reads. What is returned was proven to belong to the tree that the newest signed head covers."""

from collections.abc import Callable
from pathlib import Path

import apsw

from kernos.adapters.sqlite.payloads import Payloads
from kernos.adapters.sqlite.tree import Frontier, leaf_hash, parent_hash, subtree_of, subtree_root
from kernos.vocabulary.errors import Tampered
from kernos.vocabulary.ids import RunId, number_of, run_id
from kernos.vocabulary.journal import Entry

_PROVEN_MAX = 65_536  # Subtree roots kept once proven: some 10 MB; neighbours of a proven entry then cost one hash.


class Reader:
    """Reads entries on one connection and proves them."""

    def __init__(
        self, connection: apsw.Connection, path: Path, payloads: Payloads, trusted: Callable[[], Frontier]
    ) -> None:
        """Take the connection, and how to get the tree's right edge as of the newest commit."""
        self._connection = connection
        self._path = path
        self._payloads = payloads
        self._trusted = trusted
        self._proven: dict[tuple[int, int], bytes] = {}

    def read(self, run: RunId, after: int) -> list[Entry]:
        """Return a run's entries above number `after`, proven. Raises Tampered, naming the place."""
        number = number_of(run)
        found = self._connection.execute(
            "SELECT pos, n, body FROM events WHERE run=? AND n>? ORDER BY n", (number, after)
        )
        rows: list[tuple[int, int, bytes]] = list(found)
        entries: list[Entry] = []
        expected = after + 1
        for pos, n, body in rows:
            place = f"entry {n} of run {run} (position {pos} of {self._path})"
            if n != expected:
                message = f"entry {expected} of run {run} is missing from {self._path}; {place} follows"
                raise Tampered(message)
            self._prove(pos, leaf_hash(number, n, body), place)
            entries.append(Entry(run, n, self._payloads.get(body, place)))
            expected += 1
        return entries

    def _prove(self, pos: int, leaf: bytes, place: str) -> None:
        """Compute the way up from a leaf until something proven is met; keep what lies on it. Raises Tampered."""
        frontier = self._trusted()
        if pos >= frontier.size:
            message = f"{place} stands behind the newest tree head (size {frontier.size})"
            raise Tampered(message)
        begin, height = subtree_of(pos, frontier.size)
        way: dict[tuple[int, int], bytes] = {}
        root, at = leaf, pos
        for level in range(height):
            known = self._proven.get((at, level))
            if known is not None:
                self._compare(root, known, place)
                self._keep(way)
                return
            way[at, level] = root
            sibling = at ^ 1 << level
            other = self._subtree(sibling, level)
            way[sibling, level] = other
            root = parent_hash(root, other) if sibling > at else parent_hash(other, root)
            at = min(at, sibling)
        assert at == begin, (at, begin)
        part = sum(1 for bit in range(height + 1, frontier.size.bit_length()) if frontier.size >> bit & 1)
        self._compare(root, frontier.parts[part], place)
        way[at, height] = root
        self._keep(way)

    def _subtree(self, begin: int, height: int) -> bytes:
        known = self._proven.get((begin, height))
        return known if known is not None else subtree_root(begin, height, self._node, self._leaf)

    def _compare(self, computed: bytes, signed: bytes, place: str) -> None:
        if computed != signed:
            message = f"{place} is not what was written: its hash does not lead to the signed tree head"
            raise Tampered(message)

    def _keep(self, way: dict[tuple[int, int], bytes]) -> None:
        if len(self._proven) + len(way) > _PROVEN_MAX:
            self._proven.clear()
        self._proven.update(way)

    def _node(self, pos: int) -> bytes:
        node = self._connection.execute("SELECT node FROM events WHERE pos=?", (pos,)).get
        return node if isinstance(node, bytes) else b""

    def _leaf(self, pos: int) -> bytes:
        row = self._connection.execute("SELECT run, n, body FROM events WHERE pos=?", (pos,)).fetchone()
        return leaf_hash(*row) if row is not None else b""

    def scan(self, after: int, limit: int) -> list[tuple[int, Entry]]:
        """Return up to `limit` entries after a position, with their positions; checked by `verify`, not here."""
        rows = self._connection.execute(
            "SELECT pos, run, n, body FROM events WHERE pos>? ORDER BY pos LIMIT ?", (after, limit)
        )
        return [(pos, Entry(run_id(run), n, self._payloads.get(body, f"position {pos}"))) for pos, run, n, body in rows]
