"""Tree: RFC 6962 hashing over the stored entries.

Each position keeps one hash, its *node*: the root of the largest complete subtree that ends there. So the roots that make up a tree of any size
(its frontier) are found with log2(size) look-ups, nothing is ever rewritten, and the root of every left half of a subtree is a stored node.
"""

import hashlib
import struct
from collections.abc import Callable, Iterable, Sequence

_PLACE = struct.Struct(">cQI")
_sha256 = hashlib.sha256

Node = Callable[[int], bytes]
"""From a position to the hash kept there, or to the entry's own hash."""


def leaf_hash(run: int, n: int, body: bytes) -> bytes:
    """Hash one entry: 0x00, the run's number (8 bytes), the number in the run (4 bytes), the stored bytes.

    Raises TypeError or struct.error for values that no kernos wrote.
    """
    return _sha256(_PLACE.pack(b"\0", run, n) + body).digest()


def parent_hash(left: bytes, right: bytes) -> bytes:
    """Hash two subtrees into one."""
    return _sha256(b"\1" + left + right).digest()


def height_at(position: int) -> int:
    """Return the height of the largest complete subtree that ends at a position: its node's."""
    return ((position + 1) & -(position + 1)).bit_length() - 1


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
        return root_of_parts(self.parts)


def root_of_parts(parts: Sequence[bytes]) -> bytes:
    """Return the RFC 6962 root over a frontier's parts."""
    if not parts:
        return _sha256(b"").digest()
    node = parts[-1]
    for left in reversed(parts[:-1]):
        node = _sha256(b"\1" + left + node).digest()
    return node


def node_over(position: int, leaf: bytes, node: Node) -> bytes:
    """Compute the node of a position from the entry's own hash and the nodes kept to its left."""
    for level in range(height_at(position)):
        leaf = parent_hash(node(position - (1 << level)), leaf)
    return leaf


def subtree_root(begin: int, height: int, node: Node, leaf: Node) -> bytes:
    """Compute the root of the complete subtree of 2**height leaves from `begin` on, from kept nodes and its last entry.

    A left half's root is kept where it ends; only a right edge has to be walked down.
    """
    if begin >> height & 1 == 0:
        return node(begin + (1 << height) - 1)
    last = begin + (1 << height) - 1
    root = leaf(last)
    for level in range(height):
        root = parent_hash(node(last - (1 << level)), root)
    return root


def subtree_of(position: int, size: int) -> tuple[int, int, int]:
    """Return (first position, height, index among the parts) of the frontier's subtree that holds `position`, in a tree of `size`."""
    begin = 0
    for index, (height, last) in enumerate(frontier_positions(size)):
        if position <= last:
            return begin, height, index
        begin = last + 1
    message = f"position {position} is not in a tree of {size}"
    raise ValueError(message)
