"""Files: what lies beside the store, written so that it survives a power loss. Tests put a recording or a failing one in its place."""

import fcntl
import os
from pathlib import Path
from typing import Protocol


def key_path(store: Path) -> Path:
    """Return where the key of a store lies."""
    return store.with_name(f"{store.name}.key")


class LogFile(Protocol):
    """A file that only grows, shared by the processes that write one store."""

    def read_end(self, length: int) -> tuple[int, bytes]:
        """Return where the last `length` bytes begin, and these bytes."""
        ...

    def add(self, text: bytes) -> None:
        """Append `text` in one piece; it reaches the disk some time later."""
        ...

    def cut(self, length: int) -> None:
        """Cut the file to its first `length` bytes."""
        ...

    def sync(self) -> None:
        """Return once what was added is on disk."""
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...


class Files:
    """The operating system's files."""

    def open_log(self, path: Path) -> LogFile:
        """Open a log, or make an empty one whose name is durable."""
        is_new = not path.exists()
        log = _OsLogFile(path)
        if is_new:
            self.sync_folder(path.parent)
        return log

    def write(self, path: Path, content: bytes) -> None:
        """Write a whole new file and return once its content is on disk; its name is not, before `sync_folder`."""
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            _write_all(handle, content)
            os.fsync(handle)
        finally:
            os.close(handle)

    def rename(self, old: Path, new: Path) -> None:
        """Give a file its name; a file that had it is replaced."""
        old.rename(new)

    def replace(self, new: Path, old: Path) -> None:
        """Give a file the name of another, and once that is durable overwrite what the other one held, as far as a disk does so."""
        handle = os.open(old, os.O_WRONLY | os.O_CLOEXEC)
        try:
            self.rename(new, old)
            self.sync_folder(old.parent)
            self.overwrite(handle)
        finally:
            os.close(handle)

    def overwrite(self, handle: int) -> None:
        """Put zeros in the place of everything in an open file."""
        _write_all(handle, bytes(os.fstat(handle).st_size))
        os.fsync(handle)

    def remove(self, path: Path) -> None:
        """Overwrite a file and take its name away; the name may come back at a power loss."""
        handle = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            self.overwrite(handle)
        finally:
            os.close(handle)
        path.unlink()

    def make_folder(self, path: Path) -> bool:
        """Make a folder unless there is one; return whether it is new. Its name is durable after `sync_folder` of its parent."""
        try:
            path.mkdir(mode=0o700)
        except FileExistsError:
            return False
        return True

    def sync_folder(self, path: Path) -> None:
        """Return once the names in a folder are on disk."""
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def read(self, path: Path) -> bytes:
        """Return a file's content. Raises FileNotFoundError."""
        return path.read_bytes()


class _OsLogFile:
    def __init__(self, path: Path) -> None:
        self._handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def read_end(self, length: int) -> tuple[int, bytes]:
        size = os.fstat(self._handle).st_size
        begin = max(0, size - length)
        return begin, os.pread(self._handle, size - begin, begin)

    def add(self, text: bytes) -> None:
        fcntl.flock(self._handle, fcntl.LOCK_EX)  # Another process may be repairing the end.
        try:
            _write_all(self._handle, text)
        finally:
            fcntl.flock(self._handle, fcntl.LOCK_UN)

    def cut(self, length: int) -> None:
        os.ftruncate(self._handle, length)

    def sync(self) -> None:
        os.fsync(self._handle)

    def close(self) -> None:
        os.close(self._handle)


def _write_all(handle: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(handle, rest) :]
