"""Power loss: in every state in which the disk may be found, the store opens, has all that was acknowledged, and verifies clean."""

import os
import shutil
from pathlib import Path

import pytest

from kernos.adapters.ed25519.signer import FileSigner
from kernos.adapters.sqlite.journal import SqliteJournal
from kernos.adapters.system.clock import SystemClock
from kernos.testing.conformance.journal import RUNS, body, unheard
from kernos.testing.conformance.views import TABLES, put
from kernos.vocabulary.ids import RunId
from kernos.vocabulary.journal import Append
from tests.crash.power_loss import Disk, Log, RecordingFiles, RecordingVfs

STATES_MIN = 2_000
_LIVES = ((18, 4), (14, 60), (10, 8))
"""Groups in each life of the store, and pages after which its write-ahead log is carried over: often, once, often."""


def _open(path: Path, log: Log | None = None, pages: int = 1_000) -> SqliteJournal:
    if log is None:
        return SqliteJournal(path, TABLES, SystemClock(), open_key=FileSigner.at)
    files = RecordingFiles(log)
    return SqliteJournal(
        path, TABLES, SystemClock(), open_key=FileSigner.at, vfs="recording", files=files, checkpoint_pages=pages
    )


def _body(group: int, run: int) -> bytes:
    return body(f"{group} " + "x" * (40_000 if group % 9 == 4 and run == 0 else 300 * run))


async def _live(path: Path, log: Log) -> list[tuple[RunId, int, bytes]]:
    """Write a store in three lives, and log what was acknowledged; return all entries in order."""
    written: list[tuple[RunId, int, bytes]] = []
    next_n = dict.fromkeys(RUNS, 0)
    group = 0
    for groups, pages in _LIVES:
        journal = _open(path, log, pages)
        for _ in range(groups):
            appends = []
            for number in range(1 + group % 4):
                run = RUNS[number]
                stored = _body(group, number)
                appends.append(Append(run, next_n[run], (stored,), (put(run, status=str(group), due_at=next_n[run]),)))
                written.append((run, next_n[run], stored))
                next_n[run] += 1
            await journal.append(appends).durable()
            log.add("acknowledged", str(len(written)))
            group += 1
        await journal.close()
    return written


async def _check(path: Path, written: list[tuple[RunId, int, bytes]], acknowledged: int) -> None:
    journal = _open(path)
    found = [(entry.run, entry.n, entry.body) async for _, entry in journal.scan()]
    assert len(found) >= acknowledged, f"{acknowledged} entries were acknowledged, {len(found)} are there"
    assert found == written[: len(found)]
    last = {run: n for run, n, _ in found}
    assert {row["run"]: row["due_at"] for row in await journal.dump("jobs")} == last
    for run, n in last.items():
        assert [entry.n for entry in await journal.read(run)] == list(range(n + 1))
    assert (await journal.verify(unheard)).findings == ()
    await journal.append([Append(RUNS[50], 0, (body("life goes on"),))]).durable()
    await journal.close()
    journal = _open(path)
    assert len(await journal.read(RUNS[50])) == 1
    await journal.close()


@pytest.mark.slow
async def test_every_state_after_a_power_loss_has_what_was_acknowledged(tmp_path: Path) -> None:
    memory = Path("/dev/shm")
    base = memory / f"kernos-power-loss-{os.getpid()}" if memory.is_dir() else tmp_path / "states"
    home = tmp_path / "home"
    home.mkdir()
    path = home / "desk.kernos"
    FileSigner.at(home / "desk.kernos.key", may_make=True)
    key = (home / "desk.kernos.key").read_bytes()
    log = Log()
    vfs = RecordingVfs("recording", log)
    written = await _live(path, log)
    vfs.unregister()
    disk = Disk()
    acknowledged = 0
    states = 0
    seen: set[int] = set()
    try:
        for number, call in enumerate(log.calls):
            if call[0] == "acknowledged":
                acknowledged = int(call[1])
                continue
            disk.take(call)
            for kind, contents in disk.states(seed=number):
                states += 1
                mark = hash((acknowledged, tuple(sorted(contents.items()))))
                if mark in seen:
                    continue  # The same disk and the same promise as in a state that was tried.
                seen.add(mark)
                shutil.rmtree(base, ignore_errors=True)
                base.mkdir()
                for name, content in contents.items():
                    file = base / Path(name).relative_to(home)
                    file.parent.mkdir(parents=True, exist_ok=True)
                    file.write_bytes(content)
                (base / "desk.kernos.key").write_bytes(key)
                try:
                    await _check(base / "desk.kernos", written, acknowledged)
                except BaseException as error:
                    error.add_note(
                        f"power lost after call {number} of {len(log.calls)} {call[:2]}, un-synced writes {kind}"
                    )
                    raise
    finally:
        shutil.rmtree(base, ignore_errors=True)
    print(
        f"power loss: {len(log.calls)} calls, {states} states, {len(seen)} of them different, nothing acknowledged lost"
    )
    assert len(seen) >= STATES_MIN
