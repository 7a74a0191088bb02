"""Heads: signed statements about the tree, each chained to the one before.

A head signs the size, the time, the root and the digest of the head before it, signature included. So one good signature vouches for every
older head, byte for byte, and for every entry below: a million heads are checked with a million short hashes instead of a million signatures.
"""

import hashlib
import struct
from collections.abc import Iterable
from dataclasses import dataclass

from kernos.ports.signer import Signer
from kernos.vocabulary.ids import EpochMs
from kernos.vocabulary.journal import TreeHead

_DOMAIN = b"kernos tree head v1\0"
_STATEMENT = struct.Struct(">32sQQ32s32s")
_NUMBER_MAX = (1 << 63) - 1  # What SQLite can keep.
_DIGEST_BYTES = 32
_SIGNATURE_BYTES = 64

NO_HEAD = bytes(_DIGEST_BYTES)
"""What the first head names as the digest of the head before it."""

COLUMNS = "size, at, previous, root, signature"
"""The columns of the store's table, in the order of `ChainedHead`'s fields."""


@dataclass(frozen=True, slots=True)
class ChainedHead:
    """A tree head with its link to the head before it."""

    size: int
    at: EpochMs
    previous: bytes
    root: bytes
    signature: bytes

    def public(self) -> TreeHead:
        """Return what callers see."""
        return TreeHead(self.size, self.at, self.root, self.signature)

    def line(self) -> bytes:
        """Write the head as a line of the second place."""
        return f"{self.size} {self.at} {self.previous.hex()} {self.root.hex()} {self.signature.hex()}\n".encode()


def head_of_row(row: Iterable[object]) -> ChainedHead:
    """Make a head of a store's row. Raises ValueError for a row that no kernos wrote."""
    size, at, previous, root, signature = row
    is_whole = (
        isinstance(size, int)
        and isinstance(at, int)
        and isinstance(previous, bytes)
        and isinstance(root, bytes)
        and isinstance(signature, bytes)
        and 0 < size <= _NUMBER_MAX
        and 0 <= at <= _NUMBER_MAX
        and len(previous) == len(root) == _DIGEST_BYTES
        and len(signature) == _SIGNATURE_BYTES
    )
    if not is_whole:
        raise ValueError("no tree head")
    return ChainedHead(size, EpochMs(at), previous, root, signature)  # type: ignore[arg-type]  # Checked above.


def head_of_line(line: bytes) -> ChainedHead:
    """Read a line of the second place, without its end. Raises ValueError."""
    size, at, previous, root, signature = line.decode("ascii").split(" ")
    head = head_of_row((int(size), int(at), bytes.fromhex(previous), bytes.fromhex(root), bytes.fromhex(signature)))
    if head.line()[:-1] != line:
        raise ValueError("no tree head")
    return head


class Notary:
    """Signs heads, and knows its own."""

    def __init__(self, signer: Signer) -> None:
        """Take the store's key; the log's id is the hash of its public half."""
        self._signer = signer
        self._log = hashlib.sha256(signer.public_key()).digest()

    def sign(self, size: int, at: EpochMs, previous: bytes, root: bytes) -> ChainedHead:
        """Sign a head; `previous` is the `digest` of the head before it, or NO_HEAD."""
        statement = _DOMAIN + _STATEMENT.pack(self._log, size, at, previous, root)
        return ChainedHead(size, at, previous, root, self._signer.sign(statement))

    def is_ours(self, head: ChainedHead) -> bool:
        """Tell whether a head was signed by this key. Ed25519 is deterministic, so signing again must give the same."""
        return self._signer.sign(self._statement(head)) == head.signature

    def digest(self, head: ChainedHead) -> bytes:
        """Return what the next head names as its `previous`."""
        return hashlib.sha256(self._statement(head) + head.signature).digest()

    def _statement(self, head: ChainedHead) -> bytes:
        return _DOMAIN + _STATEMENT.pack(self._log, head.size, head.at, head.previous, head.root)
