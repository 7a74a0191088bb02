"""Payloads: bodies too large for a row, each in a file of its own that is named by its SHA-256.

A payload's content and name are on disk before the row that refers to it is committed. A crash in between leaves a file that nobody refers to;
it is harmless, and the same body takes it over.
"""

import hashlib
import os
import struct
from pathlib import Path

from kernos.adapters.sqlite.files import Files
from kernos.vocabulary.errors import InvalidInput, Tampered
from kernos.vocabulary.quantities import PAYLOAD_BYTES_MAX, PAYLOAD_INLINE_BYTES_MAX

_MARK = b"\1"  # A body is JSON, so it cannot be taken for a marker.
_MARKER = struct.Struct(">c32sQ")
MARKER_BYTES = _MARKER.size


def check_body(body: bytes) -> None:
    """Refuse what cannot be stored. Raises InvalidInput: over 64 MiB, or no JSON."""
    if len(body) > PAYLOAD_BYTES_MAX:
        message = f"an event of {len(body)} bytes is over the largest payload ({PAYLOAD_BYTES_MAX})"
        raise InvalidInput(message, hint="Keep large things in files and hand their names on.")
    if body[:1] == _MARK:
        raise InvalidInput("an event begins with the byte 1, so it is no JSON text")


class Payloads:
    """The folder of large bodies beside a store."""

    def __init__(self, folder: Path, files: Files) -> None:
        """Take the folder; it is made when the first payload comes."""
        self._folder = folder
        self._files = files

    def put(self, body: bytes) -> bytes:
        """Return what stands in the row: the body, or a marker once the body is durable in its file. Raises OSError."""
        if len(body) <= PAYLOAD_INLINE_BYTES_MAX:
            return body
        digest = hashlib.sha256(body).digest()
        path = self._path(digest)
        files = self._files
        files.make_folder(self._folder)
        files.make_folder(path.parent)
        part = path.with_name(f"{path.name}.{os.getpid()}.part")
        # Written again when the file is there: a process that died may have left a name that never reached the disk.
        files.write(part, body)
        files.rename(part, path)
        for folder in (path.parent, self._folder, self._folder.parent):
            files.sync_folder(folder)
        return _MARKER.pack(_MARK, digest, len(body))

    def get(self, stored: bytes, place: str) -> bytes:
        """Return the body that a row stands for, checked. Raises Tampered, naming `place`."""
        if stored[:1] != _MARK:
            return stored
        if len(stored) != MARKER_BYTES:
            raise Tampered(f"{place} refers to its payload in a way that kernos does not")
        _, digest, length = _MARKER.unpack(stored)
        path = self._path(digest)
        try:
            body = self._files.read(path)
        except FileNotFoundError as error:
            raise Tampered(f"the payload of {place} is missing: {path} ({length} bytes)") from error
        if len(body) != length or hashlib.sha256(body).digest() != digest:
            raise Tampered(f"the payload of {place} is not what was written: {path}")
        return body

    def _path(self, digest: bytes) -> Path:
        name = digest.hex()
        return self._folder / name[:2] / name[2:]
