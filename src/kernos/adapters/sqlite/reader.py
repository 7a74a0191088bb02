"""Reader: checked reads. What is returned was proven to belong to the tree that the newest signed head covers.

Entries are proven a block at a time: the hashes of 16 neighbours give their common root, and the way from there to the signed root is computed
from kept nodes. Proven blocks and proven nodes are remembered, so that reading many runs costs little more than reading their rows. When an entry
is not what was written, its whole block is refused, and the error names the entry.
"""

import struct
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import apsw

from kernos.adapters.sqlite.payloads import Payloads
from kernos.adapters.sqlite.tree import Frontier, height_at, leaf_hash, node_over, parent_hash, subtree_of, subtree_root
from kernos.vocabulary.errors import Tampered
from kernos.vocabulary.ids import RunId, number_of, run_id
from kernos.vocabulary.journal import Entry

_BLOCK_HEIGHT = 4
"""A block has 2**4 entries: a look at its rows costs 20 us, as much as five single look-ups."""

_SCAN_HEIGHT = 8
"""A portion of a scan has 2**8 entries."""

_DENSE = 64
"""Entries of one run in a portion from which on the portion is proven as a whole: a quarter, as many as four blocks hold."""

_BLOCKS_REMEMBERED = 8_192
"""Proven blocks kept, some 5 MB."""

_NODES_REMEMBERED = 16_384
"""Proven nodes kept, some 4 MB."""

_NODE_HEIGHT_MIN = 7
"""Nodes below stand over few entries and are seldom met again."""

_HASH_BYTES = 32
_ASKED_AT_ONCE = 16

Row = tuple[int, int, int, bytes]
"""Position, run's number, number in the run, stored bytes."""


class Reader:
    """Reads entries on one connection and proves them."""

    def __init__(
        self,
        connection: apsw.Connection,
        path: Path,
        payloads: Payloads,
        trusted: Callable[[int], Frontier],
        next_known: Callable[[RunId], int],
    ) -> None:
        """Take the connection; `trusted(position)` gives a checked edge of the tree, beyond the position if there is one."""
        self._connection = connection
        self._path = path
        self._payloads = payloads
        self._trusted = trusted
        self._next_known = next_known
        self._blocks: dict[int, bytes] = {}
        self._nodes: dict[tuple[int, int], bytes] = {}

    def read(self, run: RunId, after: int) -> list[Entry]:
        """Return a run's entries above number `after`, proven. Raises Tampered, naming the place."""
        number = number_of(run)
        known = self._next_known(run)
        rows: list[Any] = self._connection.execute(
            "SELECT pos, n, body FROM events WHERE run=? AND n>? ORDER BY n", (number, after)
        ).fetchall()
        frontier = self._trusted(max(row[0] for row in rows)) if rows else None
        entries: list[Entry] = []
        fresh = self._dense(rows, frontier) if frontier is not None and len(rows) >= _DENSE else {}
        expected = after + 1
        for pos, n, body in rows:
            if n != expected:
                message = (
                    f"entry {expected} of run {run} is missing from {self._path}; entry {n} follows (position {pos})"
                )
                raise Tampered(message)
            place = f"entry {n} of run {run} (position {pos} of {self._path})"
            assert frontier is not None
            if not 0 <= pos < frontier.size:
                raise Tampered(f"{place} is not covered by the newest tree head (size {frontier.size})")
            if fresh.get(pos) != (pos, number, n, body):
                leaves = self._block(pos >> _BLOCK_HEIGHT, frontier)
                begin = pos % (1 << _BLOCK_HEIGHT) * _HASH_BYTES
                if _leaf(number, n, body) != leaves[begin : begin + _HASH_BYTES]:
                    raise Tampered(f"{place} is not what was written")
            entries.append(Entry(run, n, self._payloads.get(body, place)))
            expected += 1
        if expected < known:
            message = (
                f"entries {expected} to {known - 1} of run {run} are missing from {self._path}; they were there before"
            )
            raise Tampered(message)
        return entries

    def scan(self, after: int) -> list[tuple[int, Entry]]:
        """Return the next entries after a position, proven, with their positions; none at the end. Raises Tampered."""
        last = self._connection.execute("SELECT max(pos) FROM events").get
        if not isinstance(last, int) or last <= after:
            return []
        frontier = self._trusted(last)
        begin = (after + 1) >> _SCAN_HEIGHT << _SCAN_HEIGHT
        rows, leaves = self._rows(begin, _SCAN_HEIGHT, frontier)
        self._prove(begin, _SCAN_HEIGHT, leaves, frontier, rows)
        entries: list[tuple[int, Entry]] = []
        for pos, run, n, stored in rows:
            if pos > after:
                name = run_id(run)
                body = self._payloads.get(stored, f"entry {n} of run {name} (position {pos} of {self._path})")
                entries.append((pos, Entry(name, n, body)))
        return entries

    # --- proofs --------------------------------------------------------------------------------------------------

    def _dense(self, rows: Sequence[Any], frontier: Frontier) -> dict[int, Row]:
        """Prove the portions of which a run fills a good part as a whole; return their rows by position."""
        found: dict[int, Row] = {}
        for portion, count in Counter(row[0] >> _SCAN_HEIGHT for row in rows).items():
            begin = portion << _SCAN_HEIGHT
            if count >= _DENSE and 0 <= begin < frontier.size:
                proven, leaves = self._rows(begin, _SCAN_HEIGHT, frontier)
                self._prove(begin, _SCAN_HEIGHT, leaves, frontier, proven)
                found.update((row[0], row) for row in proven)
        return found

    def _block(self, block: int, frontier: Frontier) -> bytes:
        """Return the proven hashes of a block's entries, one after the other."""
        known = self._blocks.get(block)
        if known is not None:
            return known
        begin = block << _BLOCK_HEIGHT
        rows, leaves = self._rows(begin, _BLOCK_HEIGHT, frontier)
        self._prove(begin, _BLOCK_HEIGHT, leaves, frontier, rows)
        joined = b"".join(leaves)
        if len(leaves) == 1 << _BLOCK_HEIGHT:
            if len(self._blocks) >= _BLOCKS_REMEMBERED:
                del self._blocks[next(iter(self._blocks))]
            self._blocks[block] = joined
        return joined

    def _rows(self, begin: int, height: int, frontier: Frontier) -> tuple[Sequence[Row], list[bytes]]:
        end = min(begin + (1 << height), frontier.size)
        rows: list[Any] = self._connection.execute(
            "SELECT pos, run, n, body FROM events WHERE pos>=? AND pos<? ORDER BY pos", (begin, end)
        ).fetchall()
        if len(rows) != end - begin:
            there = {row[0] for row in rows}
            missing = next(pos for pos in range(begin, end) if pos not in there)
            raise Tampered(f"the entry at position {missing} is missing from {self._path}")
        return rows, [_leaf(run, n, body) for _, run, n, body in rows]

    def _prove(self, begin: int, height: int, leaves: list[bytes], frontier: Frontier, rows: Sequence[Row]) -> None:
        """Compare the root over the hashes with what was signed. Raises Tampered, naming the first entry that differs."""
        edge = Frontier()
        for leaf in leaves:
            edge.add(leaf)
        if len(leaves) == 1 << height:
            if self._leads_up(begin, height, edge.parts[0], frontier):
                return
        elif edge.parts == frontier.parts[-len(edge.parts) :]:
            return
        raise Tampered(self._what_differs(begin, height, frontier, rows))

    def _what_differs(self, begin: int, height: int, frontier: Frontier, rows: Sequence[Row]) -> str:
        """Name the entry for which a block was refused: one of its own, or one that the way up had to be computed from."""
        _, top, _ = subtree_of(begin, frontier.size)
        siblings = [begin >> level << level ^ 1 << level for level in range(height, top)]
        ends = [at + (1 << level) - 1 for level, at in enumerate(siblings, height) if at > begin]
        for pos in (*(row[0] for row in rows), *ends):
            row: Any = self._connection.execute("SELECT run, n, body, node FROM events WHERE pos=?", (pos,)).fetchone()
            if row is None:
                return f"the entry at position {pos} is missing from {self._path}"
            run, n, body, node = row
            if node_over(pos, _leaf(run, n, body), self._node) != node:
                name = run_id(run) if isinstance(run, int) and 0 <= run < 1 << 63 else "?"
                return f"entry {n} of run {name} (position {pos} of {self._path}) is not what was written"
        last = begin + len(rows) - 1
        return f"positions {begin} to {last} of {self._path} are not what was written: they do not lead to the signed tree head"

    def _leads_up(self, begin: int, height: int, root: bytes, frontier: Frontier) -> bool:
        """Compute the way up until something proven is met; if that is equal, all that lay on the way is proven, too."""
        _, top, index = subtree_of(begin, frontier.size)
        proven = self._nodes
        at, level = begin, height
        siblings: list[tuple[int, int]] = []
        while level < top and (at, level) not in proven:
            siblings.append((at ^ 1 << level, level))
            at &= ~(1 << level)
            level += 1
        expected = proven[at, level] if level < top else frontier.parts[index]
        nodes, leaves = self._fetch([place for place in siblings if place not in proven])
        way: dict[tuple[int, int], bytes] = {}
        at, level = begin, height
        for sibling, level in siblings:
            other = proven.get((sibling, level))
            if other is None:
                other = subtree_root(sibling, level, nodes.__getitem__, leaves.__getitem__)
            way[at, level] = root
            way[sibling, level] = other
            root = parent_hash(root, other) if sibling > at else parent_hash(other, root)
            at = min(at, sibling)
        if root != expected:
            return False
        for place, node in way.items():
            if place[1] >= _NODE_HEIGHT_MIN:
                proven[place] = node
        for pos, node in nodes.items():
            level = height_at(pos)
            if level >= _NODE_HEIGHT_MIN:
                proven[pos + 1 - (1 << level), level] = node
        while len(proven) > _NODES_REMEMBERED:
            del proven[next(iter(proven))]
        return True

    def _fetch(self, subtrees: Sequence[tuple[int, int]]) -> tuple[Mapping[int, bytes], Mapping[int, bytes]]:
        """Look up what the roots of some subtrees are computed from: kept nodes, and the hashes of last entries."""
        nodes: dict[int, bytes] = {}
        leaves: dict[int, bytes] = {}
        for begin, height in subtrees:
            last = begin + (1 << height) - 1
            if begin >> height & 1:
                nodes.update((last - (1 << level), b"") for level in range(height))
                leaves[last] = b""
            else:
                nodes[last] = b""
        nodes.update((pos, node) for pos, node in self._at("node", nodes) if isinstance(node, bytes))
        leaves.update((pos, _leaf(run, n, body)) for pos, run, n, body in self._at("run, n, body", leaves))
        return nodes, leaves

    def _at(self, columns: str, positions: Collection[int]) -> list[Any]:
        """Look several positions up at once. The question has one of few lengths, so that SQLite need not compile it anew."""
        asked = [*positions]
        asked += asked[:1] * (-len(asked) % _ASKED_AT_ONCE)
        sql = f"SELECT pos, {columns} FROM events WHERE pos IN ({','.join('?' * len(asked))})"
        return self._connection.execute(sql, asked).fetchall() if asked else []

    def _node(self, pos: int) -> bytes:
        node = self._connection.execute("SELECT node FROM events WHERE pos=?", (pos,)).get
        return node if isinstance(node, bytes) else b""


def _leaf(run: int, n: int, body: bytes) -> bytes:
    """Hash an entry; nothing for values of a kind that no kernos wrote."""
    try:
        return leaf_hash(run, n, body)
    except (TypeError, struct.error):
        return b""
