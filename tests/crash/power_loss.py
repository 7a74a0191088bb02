"""Power loss: a log of everything a store asks of the disk, and the states in which the disk may be found after each of these calls.

What was synced is there. What was not may be lost, kept, or kept in part: some writes and not others, a write up to some sector, the first of several
new names. A name made through SQLite is durable with the first sync of its file or of the write-ahead log, whose first sync includes the folder.
"""

import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw

from kernos.adapters.sqlite.files import Files, LogFile

_SECTOR = 512


@dataclass(slots=True)
class Log:
    """What was asked, in order: (call, path, arguments). Several threads ask."""

    calls: list[tuple[Any, ...]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, *call: Any) -> None:
        with self.lock:
            self.calls.append(call)


class RecordingVfs(apsw.VFS):
    """SQLite's files, on the real disk and in the log."""

    def __init__(self, name: str, log: Log) -> None:
        self.log = log
        super().__init__(name, "")

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:
        return _RecordingFile(self.log, name, flags)

    def xDelete(self, name: str, sync_folder: bool) -> None:
        self.log.add("delete", name)
        if sync_folder:
            self.log.add("sync_names", name)
        super().xDelete(name, sync_folder)


class _RecordingFile(apsw.VFSFile):
    def __init__(self, log: Log, name: Any, flags: list[int]) -> None:
        self.path = name.filename() if isinstance(name, apsw.URIFilename) else str(name)
        self.log = log
        log.add("create", self.path)
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:
        self.log.add("write", self.path, offset, bytes(data))
        super().xWrite(data, offset)

    def xTruncate(self, size: int) -> None:
        self.log.add("truncate", self.path, size)
        super().xTruncate(size)

    def xSync(self, flags: int) -> None:
        super().xSync(flags)
        self.log.add("sync", self.path)
        self.log.add("sync_names", self.path)


class RecordingFiles(Files):
    """The files beside the store, on the real disk and in the log."""

    def __init__(self, log: Log) -> None:
        self.log = log

    def open_log(self, path: Path) -> LogFile:
        self.log.add("create", str(path))
        return _RecordingLogFile(self.log, path, super().open_log(path))

    def write(self, path: Path, content: bytes) -> None:
        self.log.add("create", str(path))
        self.log.add("truncate", str(path), 0)
        self.log.add("write", str(path), 0, content)
        super().write(path, content)
        self.log.add("sync", str(path))

    def rename(self, old: Path, new: Path) -> None:
        self.log.add("rename", str(old), str(new))
        super().rename(old, new)

    def remove(self, path: Path) -> None:
        self.log.add("write", str(path), 0, bytes(path.stat().st_size))
        self.log.add("delete", str(path))
        super().remove(path)

    def make_folder(self, path: Path) -> bool:
        is_new = super().make_folder(path)
        if is_new:
            self.log.add("create", f"{path}/")
        return is_new

    def sync_folder(self, path: Path) -> None:
        super().sync_folder(path)
        self.log.add("sync_names", str(path / "any"))


class _RecordingLogFile:
    def __init__(self, log: Log, path: Path, inner: LogFile) -> None:
        self._log = log
        self._path = str(path)
        self._inner = inner
        self._end = path.stat().st_size

    def read_end(self, length: int) -> tuple[int, bytes]:
        return self._inner.read_end(length)

    def add(self, text: bytes) -> None:
        self._log.add("write", self._path, self._end, text)
        self._end += len(text)
        self._inner.add(text)

    def cut(self, length: int) -> None:
        self._log.add("truncate", self._path, length)
        self._end = length
        self._inner.cut(length)

    def sync(self) -> None:
        self._inner.sync()
        self._log.add("sync", self._path)

    def close(self) -> None:
        self._inner.close()


@dataclass(slots=True)
class _Content:
    durable: bytearray = field(default_factory=bytearray)
    newest: bytearray = field(default_factory=bytearray)
    pending: list[tuple[Any, ...]] = field(default_factory=list)


class Disk:
    """A disk that goes through a log, call by call."""

    def __init__(self) -> None:
        self.names: dict[str, _Content] = {}
        self._durable_names: dict[str, _Content] = {}
        self._pending_names: list[tuple[str, ...]] = []
        self._made: dict[str, _Content] = {}

    def take(self, call: tuple[Any, ...]) -> None:
        what, path, *arguments = call
        if what == "create":
            if path not in self.names:
                self._name("create", path)
        elif what in ("delete", "rename"):
            if path in self.names:
                self._name(what, path, *arguments)
        elif what == "sync_names":
            folder = _folder(path)
            for change in [change for change in self._pending_names if _folder(change[1]) == folder]:
                _rename(self._durable_names, change, self._made)
                self._pending_names.remove(change)
        elif path in self.names:
            content = self.names[path]
            if what == "sync":
                content.durable[:] = content.newest
                content.pending.clear()
            else:
                content.pending.append((what, *arguments))
                _change(content.newest, (what, *arguments))

    def _name(self, *change: str) -> None:
        if change[0] == "create":
            self._made[change[1]] = _Content()
        self._pending_names.append(change)
        _rename(self.names, change, self._made)

    def states(self, seed: int) -> Iterator[tuple[str, dict[str, bytes]]]:
        """Yield (kind, content by path) of the ways in which this disk may be found."""
        yield "dropped", {path: bytes(content.durable) for path, content in self._reachable(self._durable_names)}
        yield "kept", {path: bytes(content.newest) for path, content in self._reachable(self.names)}
        chance = random.Random(seed)
        for kind in ("half", "other half"):
            names = dict(self._durable_names)
            for change in self._pending_names[: chance.randint(0, len(self._pending_names))]:
                _rename(names, change, self._made)
            yield kind, {path: _half(content, chance) for path, content in self._reachable(names)}

    def _reachable(self, names: dict[str, _Content]) -> Iterator[tuple[str, _Content]]:
        """Yield the files whose folders have their names, too. A folder's name ends with a slash."""
        lost = [path for path in self._made if path.endswith("/") and path not in names]
        for path, content in names.items():
            if not path.endswith("/") and not any(path.startswith(folder) for folder in lost):
                yield path, content


def _folder(path: str) -> str:
    return path.rstrip("/").rpartition("/")[0]


def _rename(names: dict[str, _Content], change: tuple[str, ...], made: dict[str, _Content]) -> None:
    what, path, *rest = change
    if what == "create":
        names[path] = made[path]
    elif what == "delete":
        names.pop(path, None)
    else:
        names[rest[0]] = names.pop(path)
        made[rest[0]] = names[rest[0]]


def _half(content: _Content, chance: random.Random) -> bytes:
    made = bytearray(content.durable)
    for what, *arguments in content.pending:
        if chance.random() < 0.5:
            continue
        if what == "write" and chance.random() < 0.5:
            offset, data = arguments
            data = data[: chance.randint(0, len(data) // _SECTOR) * _SECTOR]
            arguments = [offset, data]
        _change(made, (what, *arguments))
    return bytes(made)


def _change(made: bytearray, change: tuple[Any, ...]) -> None:
    what, *arguments = change
    if what == "truncate":
        del made[arguments[0] :]
        made.extend(bytes(arguments[0] - len(made)))
        return
    offset, data = arguments
    if data:
        made.extend(bytes(max(0, offset - len(made))))
        made[offset : offset + len(data)] = data
