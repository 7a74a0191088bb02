"""Errors of the store: each is a clear sentence, and nothing acknowledged is lost."""

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import apsw
import pytest

from kernos.adapters.ed25519.signer import FileSigner
from kernos.adapters.sqlite.journal import SqliteJournal
from kernos.adapters.sqlite.lock import WorkerLock
from kernos.adapters.sqlite.second_place import portions
from kernos.adapters.sqlite.store import connect
from kernos.adapters.sqlite.verify import Verifier
from kernos.adapters.system.clock import SystemClock
from kernos.testing.conformance.journal import RUNS, body, unheard
from kernos.testing.conformance.views import TABLES, put
from kernos.vocabulary.errors import (
    BadConfiguration,
    ForeignStore,
    KernelStopped,
    QueueFull,
    StorageFailed,
    StoreBusy,
    Tampered,
)
from kernos.vocabulary.ids import run_id
from kernos.vocabulary.journal import Append, RowOp, Table
from tests.crash.held_checkpoint import RUN
from tests.crash.storage_faults import Fault, FaultyFiles, FaultyVfs

ROOT = Path(__file__).resolve().parents[2]


def _open(path: Path, tables: Sequence[Table] = TABLES, busy_timeout_ms: int = 50) -> SqliteJournal:
    return SqliteJournal(path, tables, SystemClock(), open_key=FileSigner.at, busy_timeout_ms=busy_timeout_ms)


async def _add(journal: SqliteJournal, n: int) -> None:
    await journal.append([Append(RUNS[0], n, (body(str(n)),), (put(RUNS[0], due_at=n),))]).durable()


async def _places(path: Path) -> list[int]:
    journal = _open(path)
    found = [entry.n async for _, entry in journal.scan()]
    assert (await journal.verify(unheard)).findings == ()
    await journal.close()
    return found


async def test_a_file_that_is_no_database_is_refused_and_left_alone(store: Path) -> None:
    store.write_bytes(b"my diary\n" * 1_000)
    with pytest.raises(ForeignStore, match="not a kernos store"):
        _open(store)
    assert store.read_bytes() == b"my diary\n" * 1_000
    assert not store.with_name(f"{store.name}.key").exists()


async def test_another_programs_database_is_refused_and_left_alone(store: Path) -> None:
    connection = apsw.Connection(str(store))
    connection.execute("CREATE TABLE recipes(name)")
    connection.close()
    before = store.read_bytes()
    with pytest.raises(ForeignStore, match="another program"):
        _open(store)
    assert store.read_bytes() == before


async def test_a_store_of_a_newer_kernos_is_refused(store: Path) -> None:
    await _open(store).close()
    connection = apsw.Connection(str(store))
    connection.pragma("user_version", 99)
    connection.close()
    with pytest.raises(ForeignStore, match="newer kernos") as refused:
        _open(store)
    assert "Install" in refused.value.hint


async def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageFailed, match="nowhere"):
        _open(tmp_path / "nowhere" / "desk.kernos")


async def test_a_locked_store_is_said_to_be_busy(store: Path) -> None:
    journal = _open(store)
    await _add(journal, 0)
    holder = apsw.Connection(str(store))
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreBusy, match="held by another process"):
        await _add(journal, 1)
    with pytest.raises(StoreBusy):
        await _add(journal, 1)
    holder.execute("ROLLBACK")
    holder.close()
    await journal.close()
    assert await _places(store) == [0]


async def test_a_read_only_file_is_named(store: Path) -> None:
    journal = _open(store)
    await _add(journal, 0)
    await journal.close()
    vfs = _ReadOnlyVfs()
    try:
        with pytest.raises(StorageFailed, match="read-only"):
            SqliteJournal(store, TABLES, SystemClock(), open_key=FileSigner.at, vfs="read-only")
    finally:
        vfs.unregister()
    assert await _places(store) == [0]


class _ReadOnlyVfs(apsw.VFS):
    """As for a user who may only read; a mode would not stop a test that runs as root."""

    def __init__(self) -> None:
        super().__init__("read-only", "")

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:
        if flags[0] & apsw.SQLITE_OPEN_MAIN_DB:
            flags[0] = flags[0] & ~(apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE) | apsw.SQLITE_OPEN_READONLY
        return apsw.VFSFile("", name, flags)


async def test_a_full_disk_fails_what_is_pending_and_keeps_what_was_acknowledged(store: Path) -> None:
    vfs = FaultyVfs("full")
    try:
        journal = SqliteJournal(
            store, TABLES, SystemClock(), open_key=FileSigner.at, vfs="full", files=FaultyFiles(vfs)
        )
        await _add(journal, 0)
        vfs.fault = Fault("full", 0, lasts=True)
        told: list[Exception] = []
        commits = [journal.append([Append(RUNS[n], 0, (body("x"),))], told.append) for n in range(1, 5)]
        for commit in commits:
            with pytest.raises(StorageFailed, match="disk is full"):
                await commit.durable()
        assert len(told) == 4
        vfs.fault = Fault("full", -1, lasts=False)
        with pytest.raises(StorageFailed):  # There is room again, but what the disk said once cannot be believed.
            await _add(journal, 1)
        assert [entry.n for entry in await journal.read(RUNS[0])] == [0]
        await journal.close()
    finally:
        vfs.unregister()
    assert await _places(store) == [0]


async def test_a_group_that_only_missed_the_second_place_is_acknowledged_and_the_next_is_not(store: Path) -> None:
    vfs = FaultyVfs("second")
    try:
        files = FaultyFiles(vfs)
        journal = SqliteJournal(store, TABLES, SystemClock(), open_key=FileSigner.at, vfs=None, files=files)
        vfs.fault = Fault("full", 0, lasts=True)
        await _add(journal, 0)
        with pytest.raises(StorageFailed, match="medium fails"):
            await _add(journal, 1)
        await journal.close()
    finally:
        vfs.unregister()
    assert await _places(store) == [0]


async def test_a_failed_checkpoint_stops_the_journal_and_loses_nothing(store: Path) -> None:
    vfs = FaultyVfs("checkpoint")
    try:
        journal = SqliteJournal(
            store, TABLES, SystemClock(), open_key=FileSigner.at, vfs="checkpoint", checkpoint_pages=1
        )
        vfs.fault = Fault("unsynced", 0, lasts=False)
        await _add(journal, 0)
        with pytest.raises(StorageFailed):
            await _add(journal, 1)
        assert vfs.fault.struck == "sync_file"
        await journal.close()
    finally:
        vfs.unregister()
    assert await _places(store) == [0]


async def test_a_cut_write_ahead_log_is_noticed_at_the_next_open(store: Path) -> None:
    journal = _open(store)
    for n in range(5):
        await _add(journal, n)
    home = store.parent / "copy"
    home.mkdir()
    for part in store.parent.glob(f"{store.name}*"):
        shutil.copy(part, home / part.name)
    await journal.close()
    log = home / f"{store.name}-wal"
    (home / f"{store.name}-shm").unlink()
    whole = log.read_bytes()
    log.write_bytes(whole[: len(whole) * 3 // 4])
    with pytest.raises(Tampered, match="was cut"):
        _open(home / store.name)
    assert log.read_bytes() == whole[: len(whole) * 3 // 4]  # The refusal left everything as it was.
    log.write_bytes(whole)
    assert await _places(home / store.name) == [0, 1, 2, 3, 4]


async def test_an_emptied_store_is_not_begun_anew_over_its_own_heads(store: Path) -> None:
    journal = _open(store)
    await _add(journal, 0)
    await journal.close()
    store.unlink()
    with pytest.raises(Tampered, match="tree heads of it"):
        _open(store)


async def test_the_second_place_is_filled_up_when_it_lags(store: Path) -> None:
    journal = _open(store)
    for n in range(5):
        await _add(journal, n)
    await journal.close()
    heads = store.with_name(f"{store.name}.heads")
    whole = heads.read_bytes()
    for kept in (0, 100, len(whole) // 2, len(whole) - 1):
        heads.write_bytes(whole[:kept])
        await _open(store).close()
        assert heads.read_bytes() == whole, kept
    heads.unlink()
    await _open(store).close()
    assert heads.read_bytes() == whole


async def test_the_second_place_may_lie_elsewhere(store: Path) -> None:
    elsewhere = store.parent / "far" / "heads"
    elsewhere.parent.mkdir()
    journal = SqliteJournal(store, TABLES, SystemClock(), open_key=FileSigner.at, heads=elsewhere)
    await _add(journal, 0)
    assert (await journal.verify(unheard)).findings == ()
    await journal.close()
    assert elsewhere.read_bytes().count(b"\n") == 1
    assert not store.with_name(f"{store.name}.heads").exists()


async def test_the_key_is_for_its_owner_only_and_a_missing_one_is_not_replaced(store: Path) -> None:
    journal = _open(store)
    key = store.with_name(f"{store.name}.key")
    assert key.stat().st_mode & 0o777 == 0o600
    await _add(journal, 0)
    await journal.close()
    kept = key.read_bytes()
    key.unlink()
    with pytest.raises(BadConfiguration, match="is missing"):
        _open(store)
    assert not key.exists()
    key.write_bytes(b"something else")
    with pytest.raises(BadConfiguration, match="not a private key"):
        _open(store)
    key.write_bytes(kept)
    assert await _places(store) == [0]


async def test_a_key_signs_the_same_every_time_it_is_read(tmp_path: Path) -> None:
    one = FileSigner.at(tmp_path / "key", may_make=True)
    two = FileSigner.at(tmp_path / "key", may_make=True)
    assert one.sign(b"message") == two.sign(b"message")
    assert one.public_key() == two.public_key()


async def test_too_much_that_waits_for_the_disk_is_refused(store: Path) -> None:
    journal = _open(store)
    holder = apsw.Connection(str(store))
    holder.execute("BEGIN IMMEDIATE")
    large = b"{" + bytes(60 * 1024 * 1024)
    appends = [[Append(run, 0, (large,))] for run in RUNS[:10]]
    with pytest.raises(QueueFull, match="wait for the disk"):
        list(map(journal.append, appends))
    holder.close()
    await journal.close()


async def test_entries_that_vanish_under_an_open_journal_are_missed(store: Path) -> None:
    journal = _open(store)
    for n in range(3):
        await _add(journal, n)
    thief = apsw.Connection(str(store))
    thief.execute("DELETE FROM events WHERE pos=2")
    thief.close()
    with pytest.raises(Tampered, match="missing"):
        await journal.read(RUNS[0])
    with pytest.raises(Tampered, match="was cut"):
        await _add(journal, 3)
    await journal.close()


async def test_what_was_proven_once_is_compared_again_each_time_it_is_read(store: Path) -> None:
    journal = _open(store)
    for n in range(8):
        for run in RUNS[:2]:
            await journal.append([Append(run, n, (body(str(n)),))]).durable()
    assert len(await journal.read(RUNS[0])) == len(await journal.read(RUNS[1])) == 8
    thief = apsw.Connection(str(store))
    thief.execute("UPDATE events SET body=x'7b7d' WHERE pos=6")
    thief.execute("DELETE FROM events WHERE pos=15")
    thief.execute("INSERT INTO events VALUES(-5, 77, 0, x'7b7d', zeroblob(32))")
    thief.close()
    with pytest.raises(Tampered, match=r"entry 3 of .* is not what was written"):
        await journal.read(RUNS[0])
    with pytest.raises(Tampered, match=r"entries 7 to 7 .* were there before"):
        await journal.read(RUNS[1])
    with pytest.raises(Tampered, match="not covered"):
        await journal.read(run_id(77))
    await journal.close()


async def test_opening_and_verifying_beside_a_busy_writer_find_nothing_wrong(store: Path) -> None:
    writer = _open(store)
    done = False

    async def write() -> None:
        n = 0
        while not done:
            await _add(writer, n)
            n += 1

    async def look() -> None:
        nonlocal done
        for _ in range(15):
            assert (await writer.verify(unheard)).findings == ()
            other = SqliteJournal(store, TABLES, SystemClock(), open_key=FileSigner.at)
            await other.read(RUNS[0])
            await other.close()
        done = True

    await asyncio.gather(write(), look())
    await writer.close()


async def test_two_processes_that_checkpoint_at_once_go_on_and_lose_nothing(store: Path) -> None:
    journal = SqliteJournal(store, TABLES, SystemClock(), open_key=FileSigner.at, checkpoint_pages=1)
    await _add(journal, 0)
    command = [sys.executable, "-m", "tests.crash.held_checkpoint", str(store)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        for n in range(1, 10):  # The other one is in the middle of a checkpoint all the while.
            await _add(journal, n)
        other.stdin.write("go on\n")
        other.stdin.flush()
        for n in range(10, 20):
            await _add(journal, n)
        theirs = int(other.stdout.read())
    assert other.returncode == 0
    assert [entry.n for entry in await journal.read(RUNS[0])] == list(range(20))
    assert [entry.n for entry in await journal.read(RUN)] == list(range(theirs))
    assert (await journal.verify(unheard)).findings == ()
    await journal.close()


async def test_what_is_written_during_a_verification_is_not_held_against_the_store(store: Path) -> None:
    journal = _open(store)
    await _add(journal, 0)
    connection = connect(store, vfs=None)
    key = FileSigner.open(store.with_name(f"{store.name}.key"))
    verifier = Verifier(connection, store, key, store.with_name(f"{store.name}.heads"))
    connection.execute("BEGIN")
    assert connection.execute("SELECT count(*) FROM events").get == 1
    await _add(journal, 1)
    assert list(verifier.steps())[-1] == (1, 1)
    assert verifier.result().findings == ()
    connection.close()
    await journal.close()


async def test_a_line_that_comes_after_the_second_place_was_measured_is_not_read(store: Path) -> None:
    journal = _open(store)
    for n in range(5):
        await _add(journal, n)
    await journal.close()
    heads = store.with_name(f"{store.name}.heads")
    lines = heads.read_bytes().splitlines(keepends=True)
    for count in range(1, 6):
        measured = sum(map(len, lines[:count]))
        assert [len(portion) for portion in portions(heads, measured)] == [count]


OTHER = (Table("jobs", (("run", "run"), ("status", "text"), ("since", "int")), 1),)


async def test_another_shape_of_projections_asks_for_a_rebuild_until_it_is_done(store: Path) -> None:
    journal = _open(store)
    assert not journal.projections_changed
    await _add(journal, 0)
    await journal.close()
    for _ in range(2):  # A crash between laying out and rebuilding leaves the rebuild due.
        journal = _open(store, OTHER)
        assert journal.projections_changed
        await journal.close()
    journal = _open(store, OTHER)
    await journal.rebuild(OTHER, _since)
    assert not journal.projections_changed
    await journal.close()
    journal = _open(store, OTHER)
    assert not journal.projections_changed
    assert list(await journal.dump("jobs")) == [{"run": RUNS[0], "status": None, "since": 5}]
    await journal.close()


async def _since(after: int) -> AsyncIterator[tuple[int, Sequence[RowOp]]]:
    if after < 0:
        yield 0, [RowOp("put", "jobs", (RUNS[0],), {"since": 5})]


async def test_a_second_rebuild_is_refused_by_the_name_of_whoever_does_the_first(store: Path) -> None:
    journal = _open(store)
    told: list[str] = []

    async def changes(after: int) -> AsyncIterator[tuple[int, Sequence[RowOp]]]:
        with pytest.raises(StoreBusy) as refused:
            await journal.rebuild(TABLES, changes)
        told.append(str(refused.value))
        yield after, []

    await journal.rebuild(TABLES, changes)
    assert told == [f"process {os.getpid()} rebuilds the projections of {store} just now"] * 2
    await journal.close()


async def test_a_rebuild_is_given_up_when_another_build_lays_the_projections_out_meanwhile(store: Path) -> None:
    journal = _open(store)
    await _add(journal, 0)

    async def changes(after: int) -> AsyncIterator[tuple[int, Sequence[RowOp]]]:
        if after < 0:
            other = _open(store, OTHER)
            yield 0, []
            await other.close()

    with pytest.raises(ForeignStore, match="another shape"):
        await journal.rebuild(TABLES, changes)
    await journal.close()
    journal = _open(store, OTHER)
    assert journal.projections_changed
    assert list(await journal.dump("jobs")) == []
    await journal.close()


async def test_another_shape_is_refused_while_agents_run_on_this_one(store: Path) -> None:
    journal = _open(store)
    lock = WorkerLock.try_lock(store)
    assert lock is not None
    with pytest.raises(StoreBusy, match="another shape"):
        _open(store, OTHER)
    lock.release()
    other = _open(store, OTHER)
    with pytest.raises(ForeignStore, match="another shape"):
        await _add(journal, 0)
    await other.close()
    await journal.close()


async def test_one_process_at_a_time_may_run_agents_and_a_dead_one_may_not(store: Path) -> None:
    assert WorkerLock.holder(store) is None
    code = (
        "import sys, pathlib; from kernos.adapters.sqlite.lock import WorkerLock\n"
        "lock = WorkerLock.try_lock(pathlib.Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(store)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    assert WorkerLock.try_lock(store) is None
    assert WorkerLock.holder(store) == process.pid
    process.kill()
    process.communicate()
    lock = WorkerLock.try_lock(store)
    assert lock is not None
    lock.release()


async def test_a_journal_that_closes_fulfils_what_was_begun_and_refuses_the_rest(store: Path) -> None:
    journal = _open(store)
    commit = journal.append([Append(RUNS[0], 0, (body("a"),))])

    async def append_late() -> None:
        with pytest.raises(KernelStopped):
            await journal.append([Append(RUNS[1], 0, (body("b"),))]).durable()

    await asyncio.gather(journal.close(), append_late())
    await commit.durable()
    assert await _places(store) == [0]
