"""Heads: signed statements about the tree, each chained to the one before.

A head signs the size, the time, the root and the digest of the head before it, signature included. So one good signature vouches for every
older head, byte for byte, and for every entry below: a million heads are checked with a million short hashes instead of a million signatures.
Where the key was rotated, a hand-over is a link in between.
"""

import hashlib
import struct
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, replace

from kernos.adapters.sqlite.hand_overs import Cause, HandOver
from kernos.ports.signer import CheckSignature, Signer
from kernos.vocabulary.ids import EpochMs
from kernos.vocabulary.journal import TreeHead

_DOMAIN = b"kernos tree head v1\0"
_STATEMENT = struct.Struct(">32sQQ32s32s")
_NUMBER_MAX = (1 << 63) - 1  # What SQLite can keep.
_DIGEST_BYTES = 32
_SIGNATURE_BYTES = 64

NO_HEAD = bytes(_DIGEST_BYTES)
"""What the first head names as the digest of the head before it."""

EMPTY_ROOT = hashlib.sha256().digest()
"""The root of a tree without entries (RFC 6962)."""

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

    def statement(self, log: bytes) -> bytes:
        """Return what is signed; `log` is the SHA-256 of the public key of its time."""
        return _DOMAIN + _STATEMENT.pack(log, self.size, self.at, self.previous, self.root)

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
    """Signs heads with the key in force, and knows what each key of the store signed in its time."""

    def __init__(self, signer: Signer | None, *, first: bytes = b"", is_signed: CheckSignature | None = None) -> None:
        """Take the key in force; `first`: the public key that the store was made with, when that was another one.

        Without `signer`, for whoever only checks, `first` and `is_signed` are needed. Then `follow` each hand-over, in order.
        """
        self._signer = signer
        self._own = b""
        if signer is not None:
            self._own = signer.public_key()
            first, is_signed = first or self._own, is_signed or signer.is_signed
        assert first
        assert is_signed is not None
        self._is_signed = is_signed
        self.keys = [first]
        """The public keys, in order."""
        self.hand_overs: list[HandOver] = []
        self._logs = [hashlib.sha256(first).digest()]
        self._sizes: list[int] = []
        self._links: dict[int, bytes] = {}

    def follow(self, hand_over: HandOver, before: ChainedHead | None) -> None:
        """Believe the next key from here on; `before`: the head of the hand-over's size. Raises ValueError, which says what does not fit."""
        number, size = len(self.hand_overs) + 1, hand_over.size
        if hand_over.number != number or size < max(self._sizes, default=0):
            raise ValueError(f"it should be number {number}: one before it is gone, or was put in")
        if size and before is None:
            raise ValueError(f"the store has no tree head of its size, {size}")
        previous, root = self.link_of(before)
        if (hand_over.previous, hand_over.root) != (previous, root):
            raise ValueError("it is no link to the tree head before it")
        if not self._is_signed(self.keys[-1], hand_over.statement(self._logs[-1]), hand_over.signature):
            raise ValueError("the key before it did not sign it")
        self._links[size] = hand_over.digest(self._logs[-1])
        self._sizes.append(size)
        self.hand_overs.append(hand_over)
        self.keys.append(hand_over.public_key)
        self._logs.append(hashlib.sha256(hand_over.public_key).digest())

    def link_of(self, head: ChainedHead | None) -> tuple[bytes, bytes]:
        """Return what comes next names as its `previous`, and the root, behind a head or (None) in an empty store."""
        if head is None:
            return self._links.get(0, NO_HEAD), EMPTY_ROOT
        return self.digest(head), head.root

    def hand_over(self, public_key: bytes, before: ChainedHead | None, at: EpochMs, cause: Cause) -> HandOver:
        """Sign that from the end of the journal on, at the head `before`, another key is in force."""
        assert self._signer is not None
        previous, root = self.link_of(before)
        size = before.size if before is not None else 0
        unsigned = HandOver(
            len(self.hand_overs) + 1, size, at, previous, root, public_key, cause.is_compromised, cause.by, cause.reason
        )
        return replace(unsigned, signature=self._signer.sign(unsigned.statement(self._logs[-1])))

    def has_signed(self, said: ChainedHead | HandOver) -> bool:
        """Tell whether one of these keys signed a head or a hand-over, wherever that belongs."""
        return any(
            self._is_signed(key, said.statement(log), said.signature)
            for key, log in zip(self.keys, self._logs, strict=True)
        )

    def sign(self, size: int, at: EpochMs, previous: bytes, root: bytes) -> ChainedHead:
        """Sign a head; `previous` is the `digest` of the head before it, or NO_HEAD."""
        assert self._signer is not None
        statement = _DOMAIN + _STATEMENT.pack(self._logs[-1], size, at, previous, root)
        return ChainedHead(size, at, previous, root, self._signer.sign(statement))

    def is_ours(self, head: ChainedHead) -> bool:
        """Tell whether a head was signed by the key of its time. Ed25519 is deterministic, so signing again must give the same."""
        term = self._term(head.size)
        if self._signer is not None and self.keys[term] == self._own:
            return self._signer.sign(self._statement(head)) == head.signature
        return self._is_signed(self.keys[term], self._statement(head), head.signature)

    def digest(self, head: ChainedHead) -> bytes:
        """Return what the next head names as its `previous`: this head, or the last hand-over that follows on it."""
        if self._links and head.size in self._links:
            return self._links[head.size]
        return hashlib.sha256(self._statement(head) + head.signature).digest()

    def _term(self, size: int) -> int:
        """Return which key signs heads of a size."""
        return bisect_left(self._sizes, size)

    def _statement(self, head: ChainedHead) -> bytes:
        log = self._logs[self._term(head.size) if self._sizes else 0]
        return head.statement(log)
