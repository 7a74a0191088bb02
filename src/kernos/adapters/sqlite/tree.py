"""Tree: RFC 6962 hashing over the stored entries.

Each position keeps one hash, its *node*: the root of the largest complete subtree that ends there. So the roots that make up a tree of any size
(its frontier) are found with log2(size) look-ups, and nothing is ever rewritten.
"""

import hashlib
import struct
from collections.abc import Callable, Iterable

HASH_BYTES = 32
_PLACE = struct.Struct(">cQI")
_sha256 = hashlib.sha256


def leaf_hash(run: int, n: int, body: bytes) -> bytes:
    """Hash one entry: 0x00, the run's number (8 bytes), the number in the run (4 bytes), the stored bytes."""
    return _sha256(_PLACE.pack(b"\0", run, n) + body).digest()


def parent_hash(left: bytes, right: bytes) -> bytes:
    """Hash two subtrees into one."""
    return _sha256(b"\1" + left + right).digest()


def frontier_positions(size: int) -> list[tuple[int, int]]:
    """Return (height, last position) of the complete subtrees that a tree of `size` leaves consists of, left to right."""
    parts: list[tuple[int, int]] = []
    begin = 0
    for height in range(size.bit_length() - 1, -1, -1):
        if size >> height & 1:
            begin += 1 << height
            parts.append((height, begin - 1))
    return parts


class Frontier:
    """The right edge of a growing tree."""

    __slots__ = ("parts", "size")

    def __init__(self, size: int = 0, nodes: Iterable[bytes] = ()) -> None:
        """Begin at a size, with the nodes at `frontier_positions(size)`."""
        self.size = size
        self.parts: list[bytes] = list(nodes)
        assert len(self.parts) == size.bit_count(), (size, len(self.parts))

    def copy(self) -> "Frontier":
        """Return an independent copy."""
        return Frontier(self.size, self.parts)

    def add(self, leaf: bytes) -> bytes:
        """Add a leaf; return the node of its position."""
        node = leaf
        parts = self.parts
        size = self.size
        while size & 1:
            node = _sha256(b"\1" + parts.pop() + node).digest()
            size >>= 1
        parts.append(node)
        self.size += 1
        return node

    def root(self) -> bytes:
        """Return the RFC 6962 root of the whole tree."""
        if not self.parts:
            return _sha256(b"").digest()
        node = self.parts[-1]
        for left in reversed(self.parts[:-1]):
            node = parent_hash(left, node)
        return node


Node = Callable[[int], bytes]
"""From a position to its stored node."""


def subtree_root(begin: int, height: int, node: Node, leaf: Node) -> bytes:
    """Compute the root of the complete subtree of 2**height leaves from `begin` on, from stored nodes and its last leaf.

    The left half of a subtree ends where exactly its own root is stored; only the right edge has to be walked down.
    """
    lefts: list[bytes] = []
    while height:
        height -= 1
        half = 1 << height
        lefts.append(node(begin + half - 1))
        begin += half
    root = leaf(begin)
    for left in reversed(lefts):
        root = parent_hash(left, root)
    return root


def root_over(position: int, leaf: bytes, size: int, node: Node, leaf_at: Node) -> bytes:
    """Compute the root of the frontier subtree that holds `position`, with `leaf` in its place; the proof that it belongs there."""
    begin, height = subtree_of(position, size)
    root = leaf
    at = position
    for level in range(height):
        sibling = (at >> level ^ 1) << level
        if at >> level & 1:
            root = parent_hash(node(sibling + (1 << level) - 1), root)
        else:
            root = parent_hash(root, subtree_root(sibling, level, node, leaf_at))
        at = at >> (level + 1) << (level + 1)
    assert at == begin, (at, begin)
    return root


def subtree_of(position: int, size: int) -> tuple[int, int]:
    """Return (first position, height) of the frontier subtree of a tree of `size` leaves that holds `position`."""
    begin = 0
    for height, last in frontier_positions(size):
        if position <= last:
            return begin, height
        begin = last + 1
    message = f"position {position} is not in a tree of {size}"
    raise ValueError(message)
