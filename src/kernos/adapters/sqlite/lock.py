"""Locks: which process runs agents over a store, and which one rebuilds its projections; freed by the operating system however that process ends."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar, Self

from kernos.vocabulary.errors import StorageFailed


class WorkerLock:
    """The right to run agents over one store."""

    ENDING: ClassVar[str] = "lock"
    """Of the name of the file that is locked."""

    def __init__(self, handle: int) -> None:
        """Take the locked file; `try_lock` makes one."""
        self._handle = handle

    @classmethod
    def try_lock(cls, store: Path) -> Self | None:
        """Take the right, or return None when another process has it. Raises StorageFailed."""
        path = cls._file_of(store)
        with _told(path):
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.ftruncate(handle, 0)
                os.write(handle, f"{os.getpid()}\n".encode())
            except BlockingIOError:
                os.close(handle)
                return None
            except OSError:
                os.close(handle)
                raise
        return cls(handle)

    @classmethod
    def holder(cls, store: Path) -> int | None:
        """Return the id of the process that holds the right, None when nobody does. Raises StorageFailed."""
        path = cls._file_of(store)
        try:
            with _told(path):
                handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            text = os.read(handle, 32).strip()
            return int(text) if text.isdigit() else 0
        else:
            return None
        finally:
            os.close(handle)

    def release(self) -> None:
        """Give the right up."""
        os.close(self._handle)

    @classmethod
    def _file_of(cls, store: Path) -> Path:
        """Return the file that is locked."""
        return store.with_name(f"{store.name}.{cls.ENDING}")


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Say in words what the operating system refuses, except that there is no such file."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        message = f"{path}: {error.strerror or error}"
        raise StorageFailed(
            message, hint="See that it is a file which this user may write, on a disk with room."
        ) from error


class RebuildLock(WorkerLock):
    """The right to rebuild the projections of one store."""

    ENDING: ClassVar[str] = "rebuild"
