"""Payloads: bodies too large for a row, each in a file of its own that is named by its SHA-256."""

import hashlib
import os
import struct
from pathlib import Path

from kernos.adapters.sqlite.store import sync_folder
from kernos.vocabulary.errors import InvalidInput, Tampered
from kernos.vocabulary.quantities import PAYLOAD_BYTES_MAX, PAYLOAD_INLINE_BYTES_MAX

_MARK = b"\1"  # A body is JSON and begins with a brace, so it cannot be taken for a marker.
_MARKER = struct.Struct(">c32sQ")


class Payloads:
    """The folder of large bodies beside a store."""

    def __init__(self, folder: Path) -> None:
        """Take the folder; it is made when the first payload comes."""
        self._folder = folder

    def put(self, body: bytes) -> bytes:
        """Return what stands in the row: the body, or a marker once the body is durable in its file.

        Raises InvalidInput over 64 MiB, OSError when the medium does not take it.
        """
        if len(body) <= PAYLOAD_INLINE_BYTES_MAX:
            return body
        if len(body) > PAYLOAD_BYTES_MAX:
            message = f"an event of {len(body)} bytes is over the largest payload ({PAYLOAD_BYTES_MAX})"
            raise InvalidInput(message, hint="Keep large things in files and hand their names on.")
        digest = hashlib.sha256(body).digest()
        path = self._path(digest)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_name(f"{path.name}.{os.getpid()}.part")
            with part.open("wb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            part.rename(path)
            for folder in (path.parent, self._folder, self._folder.parent):
                sync_folder(folder)
        return _MARKER.pack(_MARK, digest, len(body))

    def get(self, stored: bytes, place: str) -> bytes:
        """Return the body that a row stands for, checked. Raises Tampered, naming `place`."""
        if not stored.startswith(_MARK):
            return stored
        _, digest, length = _MARKER.unpack(stored)
        path = self._path(digest)
        try:
            body = path.read_bytes()
        except FileNotFoundError as error:
            message = f"the payload of {place} is missing: {path.name} ({length} bytes)"
            raise Tampered(message) from error
        if hashlib.sha256(body).digest() != digest:
            message = f"the payload of {place} is not what was written: {path}"
            raise Tampered(message)
        return body

    def _path(self, digest: bytes) -> Path:
        name = digest.hex()
        return self._folder / name[:2] / name[2:]
