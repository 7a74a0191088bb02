"""Journal and views ports: the suites, for each adapter behind them."""

from pathlib import Path

import apsw

from kernos.adapters.ed25519.signer import FileSigner
from kernos.adapters.sqlite.journal import SqliteJournal
from kernos.adapters.system.clock import SystemClock
from kernos.testing.conformance.journal import JournalSuite
from kernos.testing.conformance.views import TABLES, ViewsSuite
from kernos.testing.storage import MemoryDisk, MemoryJournal
from kernos.vocabulary.journal import Entry

DISKS: dict[Path, MemoryDisk] = {}


class _Sqlite:
    async def open(self, folder: Path) -> SqliteJournal:
        return SqliteJournal(folder / "store", TABLES, SystemClock(), open_key=FileSigner.at)

    async def edit(self, folder: Path, position: int, content: bytes) -> None:
        connection = apsw.Connection(str(folder / "store"))
        connection.execute("UPDATE events SET body=? WHERE pos=?", (content, position))
        connection.close()


class _Memory:
    async def open(self, folder: Path) -> MemoryJournal:
        disk = DISKS.setdefault(folder, MemoryDisk(TABLES))
        return MemoryJournal(disk, SystemClock())

    async def edit(self, folder: Path, position: int, content: bytes) -> None:
        entries = DISKS[folder].entries
        entries[position] = Entry(entries[position].run, entries[position].n, content)


class TestSqliteJournal(_Sqlite, JournalSuite):
    pass


class TestSqliteViews(_Sqlite, ViewsSuite):
    pass


class TestMemoryJournal(_Memory, JournalSuite):
    pass


class TestMemoryViews(_Memory, ViewsSuite):
    pass
