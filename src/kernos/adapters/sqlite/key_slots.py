"""Key slots: the wrapped keys of subjects in a file of slots of one size, overwritten in place when they are destroyed.

Not in the database, whose log and free pages would keep what was deleted. A slot is written and on disk before anything refers to it.
"""

import fcntl
import os
from pathlib import Path
from typing import Final

from kernos.vocabulary.errors import Tampered

SLOT_BYTES: Final = 128
"""A name of 16 letters, a wrapped key of 60 bytes, room to grow; no slot lies across two sectors of a disk."""

NAME_BYTES, WRAPPED_BYTES = 16, 60
_HELD, _DESTROYED = b"K", b"-"


class KeySlots:
    """One file of slots, shared by the processes that use one vault."""

    def __init__(self, path: Path) -> None:
        """Take the file's path; it is made with its first slot."""
        self._path = path

    def add(self, name: str, wrapped: bytes) -> int:
        """Write a key into a new slot and return the slot's number once it is on disk."""
        assert len(name) == NAME_BYTES and len(wrapped) == WRAPPED_BYTES, (name, len(wrapped))  # noqa: PT018
        is_new = not self._path.exists()
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            slot = -(-os.fstat(handle).st_size // SLOT_BYTES)  # A slot of which a part was written is left alone.
            body = _HELD + name.encode() + wrapped
            os.pwrite(handle, body.ljust(SLOT_BYTES, b"\0"), slot * SLOT_BYTES)
            os.fsync(handle)
        finally:
            os.close(handle)
        if is_new:
            self._sync_name()
        return slot

    def read(self, slot: int, name: str) -> bytes | None:
        """Return a wrapped key, None when it was destroyed. Raises Tampered when the slot is not that of this name."""
        try:
            with self._path.open("rb") as file:
                file.seek(slot * SLOT_BYTES)
                body = file.read(SLOT_BYTES)
        except FileNotFoundError:
            body = b""
        if len(body) != SLOT_BYTES or body[1 : 1 + NAME_BYTES] != name.encode() or body[:1] not in (_HELD, _DESTROYED):
            message = f"{self._path} has no key {name} in slot {slot}"
            raise Tampered(message, hint="Restore the vault's files together, from one backup.")
        return body[1 + NAME_BYTES : 1 + NAME_BYTES + WRAPPED_BYTES] if body[:1] == _HELD else None

    def destroy(self, slot: int, name: str) -> None:
        """Overwrite a key; return once that is on disk. Raises Tampered."""
        if self.read(slot, name) is None:
            return
        handle = os.open(self._path, os.O_RDWR | os.O_CLOEXEC)
        try:
            os.pwrite(handle, (_DESTROYED + name.encode()).ljust(SLOT_BYTES, b"\0"), slot * SLOT_BYTES)
            os.fsync(handle)
        finally:
            os.close(handle)

    def _sync_name(self) -> None:
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
