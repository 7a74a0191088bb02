"""A process that appends to a store and stands still in the middle of its first checkpoint, until a line comes: `python -m tests.crash.held_checkpoint STORE`.

It says `held` when it stands there, and how many entries it appended when it ends.
"""

import asyncio
import sys
from pathlib import Path

import apsw

from kernos.adapters.ed25519.signer import FileSigner
from kernos.adapters.sqlite.journal import SqliteJournal
from kernos.adapters.system.clock import SystemClock
from kernos.testing.conformance.journal import RUNS, body
from kernos.testing.conformance.views import TABLES
from kernos.vocabulary.journal import Append

RUN = RUNS[1]
_ENTRIES_MIN = 10
"""Appended in any case: most of them after the line has come."""


class _HeldVfs(apsw.VFS):
    """SQLite's files; the first write into the store itself, which only a checkpoint makes, waits."""

    def __init__(self) -> None:
        self.has_held = False
        super().__init__("held", "")

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:
        return _HeldFile(self, name, flags)


class _HeldFile(apsw.VFSFile):
    def __init__(self, vfs: _HeldVfs, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        self._vfs = vfs
        self._is_store = bool(flags[0] & apsw.SQLITE_OPEN_MAIN_DB)
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:
        if self._is_store and not self._vfs.has_held:
            self._vfs.has_held = True
            print("held", flush=True)
            sys.stdin.readline()
        super().xWrite(data, offset)


async def main(path: Path) -> None:
    vfs = _HeldVfs()
    journal = SqliteJournal(path, TABLES, SystemClock(), open_key=FileSigner.at, vfs="held", checkpoint_pages=1)
    count = 0
    while count < _ENTRIES_MIN or not vfs.has_held:
        await journal.append([Append(RUN, count, (body(str(count)),))]).durable()
        count += 1
    await journal.close()
    print(count)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
