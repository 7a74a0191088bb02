"""Hand-overs: statements by which one key of a store names the next, each a link in the chain of tree heads.

A hand-over is signed by the key before it, over the new public key and over the size, the root and the link of the journal's end at that moment. The head
after it names its digest as `previous`. So whoever trusts one key of a store can follow to the newest one, and none can be taken out or put in.
"""

import hashlib
import struct
from collections.abc import Iterable
from dataclasses import dataclass

from kernos.vocabulary.ids import EpochMs

_DOMAIN = b"kernos key hand-over v1\0"
_STATEMENT = struct.Struct(">32sQQQ32s32s32s?")
_WORDS = {"1": True, "0": False}
_FIELDS = 10
_NUMBER_MAX = (1 << 63) - 1
_DIGEST_BYTES = 32
_SIGNATURE_BYTES = 64

TEXT_MAX = 500
"""Characters of a reason: a sentence or two. A line of the second place stays far below what is read of its end."""

HAND_OVER_COLUMNS = "number, size, at, previous, root, public_key, is_compromised, person, reason, signature"
"""The columns of the store's table, in the order of `HandOver`'s fields."""

LAYOUT = """
CREATE TABLE hand_overs(
    number INTEGER PRIMARY KEY, size INTEGER NOT NULL, at INTEGER NOT NULL, previous BLOB NOT NULL, root BLOB NOT NULL,
    public_key BLOB NOT NULL, is_compromised INTEGER NOT NULL, person TEXT NOT NULL, reason TEXT NOT NULL, signature BLOB NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Cause:
    """Who rotates a key, and why."""

    by: str
    reason: str = ""
    is_compromised: bool = False
    """Whether others may have the key that goes."""


@dataclass(frozen=True, slots=True)
class HandOver:
    """The end of one key's time and the begin of the next one's."""

    number: int
    """From 1 on, without gaps."""
    size: int
    """Entries of the journal: heads up to this size are of the key before, greater ones of the next."""
    at: EpochMs
    previous: bytes
    """The digest of the tree head or hand-over before it."""
    root: bytes
    public_key: bytes
    """The next key."""
    is_compromised: bool
    """Of the key before."""
    by: str
    reason: str
    signature: bytes = b""

    def statement(self, log: bytes) -> bytes:
        """Return what is signed; `log` is the SHA-256 of the public key before."""
        texts = [text.encode() for text in (self.by, self.reason)]
        packed = _STATEMENT.pack(
            log, self.number, self.size, self.at, self.previous, self.root, self.public_key, self.is_compromised
        )
        return _DOMAIN + packed + b"".join(struct.pack(">I", len(text)) + text for text in texts)

    def digest(self, log: bytes) -> bytes:
        """Return what the head or hand-over after it names as its `previous`."""
        return hashlib.sha256(self.statement(log) + self.signature).digest()

    def row(self) -> tuple[int | bytes | str, ...]:
        """Return the store's row."""
        return (
            self.number, self.size, self.at, self.previous, self.root, self.public_key, int(self.is_compromised), self.by,
            self.reason, self.signature,
        )  # fmt: skip

    def line(self) -> bytes:
        """Write it as a line of the second place; texts in hex, a dot before each, so that an empty one is seen, too."""
        hexes = " ".join(part.hex() for part in (self.previous, self.root, self.public_key))
        texts = " ".join(f".{text.encode().hex()}" for text in (self.by, self.reason))
        numbers = f"{self.number} {self.size} {self.at}"
        return f"key {numbers} {hexes} {int(self.is_compromised)} {texts} {self.signature.hex()}\n".encode()


def hand_over_of_row(row: Iterable[object]) -> HandOver:
    """Make a hand-over of a store's row. Raises ValueError for a row that no kernos wrote."""
    number, size, at, previous, root, public_key, is_compromised, by, reason, signature = row
    is_whole = (
        all(isinstance(one, int) and 0 <= one <= _NUMBER_MAX for one in (number, size, at))
        and all(isinstance(one, bytes) and len(one) == _DIGEST_BYTES for one in (previous, root, public_key))
        and is_compromised in (0, 1)
        and isinstance(by, str)
        and isinstance(reason, str)
        and isinstance(signature, bytes)
        and len(signature) == _SIGNATURE_BYTES
    )
    if not is_whole:
        raise ValueError("no hand-over")
    return HandOver(number, size, at, previous, root, public_key, bool(is_compromised), by, reason, signature)  # type: ignore[arg-type]  # Checked above.


def is_hand_over_line(line: bytes) -> bool:
    """Tell a hand-over's line of the second place from a tree head's."""
    return line.startswith(b"key ")


def hand_over_of_line(line: bytes) -> HandOver:
    """Read a line of the second place, without its end. Raises ValueError."""
    parts = line.decode("ascii").split(" ")[1:]
    if len(parts) != _FIELDS or parts[6] not in _WORDS or not all(text.startswith(".") for text in parts[7:9]):
        raise ValueError("no hand-over")
    numbers = [int(part) for part in parts[:3]]
    hexes = [bytes.fromhex(part) for part in parts[3:6]]
    texts = [bytes.fromhex(part[1:]).decode() for part in parts[7:9]]
    hand_over = hand_over_of_row((*numbers, *hexes, _WORDS[parts[6]], *texts, bytes.fromhex(parts[9])))
    if hand_over.line()[:-1] != line:
        raise ValueError("no hand-over")
    return hand_over
