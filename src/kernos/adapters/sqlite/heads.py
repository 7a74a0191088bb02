"""Heads: signed statements about the tree, in the store and in a second place.

The second place is a text file, one head a line, written after each commit without waiting for the disk: after a power loss it may lag, and is
filled up from the store at the next open. It is never ahead of the store, unless the store lost what it once had.
"""

import hashlib
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path

from kernos.adapters.ed25519.signer import verify_signature
from kernos.ports.signer import Signer
from kernos.vocabulary.errors import Tampered
from kernos.vocabulary.ids import EpochMs
from kernos.vocabulary.journal import TreeHead

_DOMAIN = b"kernos tree head v1\0"
_BODY = struct.Struct(">32sQQ32s")


def head_message(public_key: bytes, size: int, at: int, root: bytes) -> bytes:
    """Return the bytes that a head's signature covers: domain, log id (hash of the key), size, time, root."""
    return _DOMAIN + _BODY.pack(hashlib.sha256(public_key).digest(), size, at, root)


def sign_head(signer: Signer, size: int, at: EpochMs, root: bytes) -> TreeHead:
    """Sign a head."""
    return TreeHead(size, at, root, signer.sign(head_message(signer.public_key(), size, at, root)))


def is_signed(public_key: bytes, head: TreeHead) -> bool:
    """Tell whether a head's signature is good."""
    return verify_signature(public_key, head.signature, head_message(public_key, head.size, head.at, head.root))


class HeadsFile:
    """The second place."""

    def __init__(self, path: Path) -> None:
        """Take the file's path; it is made when the first head comes."""
        self.path = path

    def add(self, heads: Iterable[TreeHead]) -> None:
        """Append heads."""
        lines = "".join(f"{h.size} {h.at} {h.root.hex()} {h.signature.hex()}\n" for h in heads)
        with self.path.open("a", encoding="ascii") as file:
            file.write(lines)

    def last(self) -> TreeHead | None:
        """Return the newest whole head, None for none. Raises Tampered for a line that is no head."""
        newest: TreeHead | None = None
        for _, head in self._tail():
            newest = head
        return newest

    def _tail(self) -> Iterator[tuple[int, TreeHead]]:
        try:
            with self.path.open("rb") as file:
                file.seek(0, 2)
                file.seek(max(0, file.tell() - 4_096))
                lines = file.read().split(b"\n")
        except FileNotFoundError:
            return
        for index, line in enumerate(lines[:-1][-2:]):
            yield index, _parse(line, self.path)

    def all(self) -> Iterator[TreeHead]:
        """Yield every whole head; a torn last line is left out."""
        try:
            with self.path.open("rb") as file:
                for line in file:
                    if line.endswith(b"\n"):
                        yield _parse(line[:-1], self.path)
        except FileNotFoundError:
            return


def _parse(line: bytes, path: Path) -> TreeHead:
    try:
        size, at, root, signature = line.decode("ascii").split(" ")
        return TreeHead(int(size), EpochMs(int(at)), bytes.fromhex(root), bytes.fromhex(signature))
    except ValueError as error:
        message = f"{path} holds a line that is no tree head: {line[:40]!r}"
        raise Tampered(message) from error
