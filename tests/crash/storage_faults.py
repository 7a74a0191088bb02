"""Storage faults: SQLite's files, and those beside the store, on a medium that fails at one call."""

import errno
from pathlib import Path
from typing import Any

import apsw

from kernos.adapters.sqlite.files import Files, LogFile

CALLS = {
    "error": ("open", "read", "write", "sync", "sync_file", "truncate", "size", "delete", "file"),
    "full": ("write", "file"),
    "short": ("write",),
    "unsynced": ("sync_file",),
    "flipped": ("read",),
}
"""Kinds of faults, and the calls that each may strike: `sync` is of the write-ahead log, `sync_file` of the store itself."""

_CODES = {
    "open": apsw.SQLITE_CANTOPEN,
    "read": apsw.SQLITE_IOERR_READ,
    "write": apsw.SQLITE_IOERR_WRITE,
    "sync": apsw.SQLITE_IOERR_FSYNC,
    "sync_file": apsw.SQLITE_IOERR_FSYNC,
    "truncate": apsw.SQLITE_IOERR_TRUNCATE,
    "size": apsw.SQLITE_IOERR_FSTAT,
    "delete": apsw.SQLITE_IOERR_DELETE,
}


class Fault:
    """What fails and when: the call number `at` (from 0) of those that the kind may strike; `lasts` says whether all later ones do, too."""

    def __init__(self, kind: str, at: int, *, lasts: bool) -> None:
        self.kind = kind
        self.at = at
        self.lasts = lasts
        self.struck = ""
        self._calls = 0

    def strikes(self, call: str) -> bool:
        if call not in CALLS[self.kind]:
            return False
        number = self._calls
        self._calls += 1
        if number == self.at or (self.lasts and number > self.at):
            self.struck = self.struck or call
            return True
        return False

    def check(self, call: str) -> None:
        if self.strikes(call):
            raise apsw.exception_for(apsw.SQLITE_FULL if self.kind == "full" else _CODES[call])


class FaultyVfs(apsw.VFS):
    """SQLite's files; `fault` may be exchanged."""

    def __init__(self, name: str) -> None:
        self.fault = Fault("error", -1, lasts=False)
        super().__init__(name, "")

    def excepthook(self, etype: object, evalue: object, etraceback: object) -> bool:
        """SQLite goes on after some failures, as of deleting its log when it closes; then nobody else takes the error."""
        return True

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:
        self.fault.check("open")
        return _FaultyFile(self, name, flags)

    def xDelete(self, name: str, sync_folder: bool) -> None:
        self.fault.check("delete")
        super().xDelete(name, sync_folder)


class _FaultyFile(apsw.VFSFile):
    def __init__(self, vfs: FaultyVfs, name: Any, flags: list[int]) -> None:
        self._vfs = vfs
        self._is_store = bool(flags[0] & apsw.SQLITE_OPEN_MAIN_DB)
        super().__init__("", name, flags)

    def excepthook(self, etype: object, evalue: object, etraceback: object) -> bool:
        """As above."""
        return True

    def xRead(self, amount: int, offset: int) -> bytes:
        fault = self._vfs.fault
        content = super().xRead(amount, offset)
        if fault.kind != "flipped":
            fault.check("read")
        elif content and fault.strikes("read"):
            changed = bytearray(content)
            changed[(fault.at * 7919) % len(changed)] ^= 1 << fault.at % 8
            return bytes(changed)
        return content

    def xWrite(self, data: bytes, offset: int) -> None:
        fault = self._vfs.fault
        if fault.kind != "short":
            fault.check("write")
        elif fault.strikes("write"):
            super().xWrite(data[: len(data) // 2], offset)
            raise apsw.exception_for(apsw.SQLITE_FULL)
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:
        self._vfs.fault.check("sync_file" if self._is_store else "sync")
        super().xSync(flags)

    def xTruncate(self, size: int) -> None:
        self._vfs.fault.check("truncate")
        super().xTruncate(size)

    def xFileSize(self) -> int:
        self._vfs.fault.check("size")
        return super().xFileSize()


class FaultyFiles(Files):
    """The files beside the store, struck by the same fault as the VFS."""

    def __init__(self, vfs: FaultyVfs) -> None:
        self._vfs = vfs

    def _check(self, path: Path) -> None:
        if self._vfs.fault.strikes("file"):
            code = errno.ENOSPC if self._vfs.fault.kind == "full" else errno.EIO
            raise OSError(code, "the medium fails", str(path))

    def open_log(self, path: Path) -> LogFile:
        self._check(path)
        return _FaultyLogFile(super().open_log(path), lambda: self._check(path))

    def write(self, path: Path, content: bytes) -> None:
        self._check(path)
        super().write(path, content)

    def rename(self, old: Path, new: Path) -> None:
        self._check(old)
        super().rename(old, new)

    def make_folder(self, path: Path) -> bool:
        self._check(path)
        return super().make_folder(path)

    def sync_folder(self, path: Path) -> None:
        self._check(path)
        super().sync_folder(path)

    def read(self, path: Path) -> bytes:
        self._check(path)
        return super().read(path)


class _FaultyLogFile:
    def __init__(self, inner: LogFile, check: Any) -> None:
        self._inner = inner
        self._check = check

    def read_end(self, length: int) -> tuple[int, bytes]:
        self._check()
        return self._inner.read_end(length)

    def add(self, text: bytes) -> None:
        try:
            self._check()
        except OSError:
            self._inner.add(text[: len(text) // 2])
            raise
        self._inner.add(text)

    def cut(self, length: int) -> None:
        self._check()
        self._inner.cut(length)

    def sync(self) -> None:
        self._check()
        self._inner.sync()

    def close(self) -> None:
        self._inner.close()
