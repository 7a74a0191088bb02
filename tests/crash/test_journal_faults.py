"""Storage faults at each call of one workflow: reported or survived, never silent, and nothing acknowledged is lost."""

import asyncio
import os
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from kernos.adapters.ed25519.signer import FileSigner
from kernos.adapters.sqlite.journal import SqliteJournal
from kernos.adapters.system.clock import SystemClock
from kernos.ports.journal import Changes
from kernos.testing.conformance.journal import RUNS, body, unheard
from kernos.testing.conformance.views import TABLES, put
from kernos.vocabulary.errors import KernosError, StorageFailed, Tampered
from kernos.vocabulary.ids import RunId
from kernos.vocabulary.journal import Append, RowOp
from tests.crash.storage_faults import Fault, FaultyFiles, FaultyVfs

Places = list[tuple[RunId, int, bytes]]
_GROUPS = 9
_HALF = 4
_CALLS_MAX = 2_000
_IN_TIME_S = 20


def _plan() -> list[list[Append]]:
    groups = []
    for group in range(_GROUPS):
        text = "x" * 40_000 if group % 5 == 3 else str(group)
        groups.append(
            [Append(run, group, (body(text),), (put(run, due_at=group),)) for run in RUNS[: 1 + group % 3 * 2]]
        )
    numbers: Counter[RunId] = Counter()
    for appends in groups:
        for index, append in enumerate(appends):
            rows = (put(append.run, due_at=numbers[append.run]),)
            appends[index] = Append(append.run, numbers[append.run], append.bodies, rows)
            numbers[append.run] += 1
    return groups


def _entries(groups: list[list[Append]]) -> Places:
    return [(append.run, append.first, append.bodies[0]) for appends in groups for append in appends]


def _changes(found: Places) -> Changes:
    async def changes(after: int) -> AsyncIterator[tuple[int, Sequence[RowOp]]]:
        if after < 0:
            yield len(found), [put(run, due_at=n) for run, n, _ in found]

    return changes


async def _half_written(home: Path, copy: Path, plan: list[list[Append]]) -> None:
    """Leave a store as a killed process does: half of the plan in it, most of that in SQLite's write-ahead log only."""
    home.mkdir()
    journal = SqliteJournal(home / "desk.kernos", TABLES, SystemClock(), open_key=FileSigner.at, checkpoint_pages=20)
    for appends in plan[:_HALF]:
        await journal.append(appends).durable()
    shutil.copytree(home, copy)
    await journal.close()
    (copy / "desk.kernos-shm").unlink()
    assert (copy / "desk.kernos-wal").stat().st_size > 0


async def _work(path: Path, vfs: FaultyVfs, plan: list[list[Append]], first: int) -> int:
    """Write the rest of a store and read it; return the groups acknowledged. Raises the KernosError that a fault was reported by."""
    acknowledged = first
    try:
        journal = SqliteJournal(
            path,
            TABLES,
            SystemClock(),
            open_key=FileSigner.at,
            vfs="faulty",
            files=FaultyFiles(vfs),
            checkpoint_pages=12,
        )
    except KernosError as error:
        error.add_note(str(first))
        raise
    try:
        for appends in plan[first:]:
            await asyncio.wait_for(journal.append(appends).durable(), _IN_TIME_S)
            acknowledged += 1
        expected = _entries(plan)
        for run in RUNS[:5]:
            found = [(entry.run, entry.n, entry.body) for entry in await journal.read(run)]
            assert found == [place for place in expected if place[0] == run], "read something else without a word"
        assert [(entry.run, entry.n, entry.body) async for _, entry in journal.scan()] == expected
        await journal.rebuild(TABLES, _changes(expected))
    except KernosError as error:
        error.add_note(str(acknowledged))
        raise
    finally:
        await journal.close()
    return acknowledged


async def _check(path: Path, plan: list[list[Append]], acknowledged: int) -> None:
    """Open the store on a medium that is well again. Raises Tampered when what the fault left behind is detected."""
    journal = SqliteJournal(path, TABLES, SystemClock(), open_key=FileSigner.at)
    try:
        expected = _entries(plan)
        found = [(entry.run, entry.n, entry.body) async for _, entry in journal.scan()]
        assert found == expected[: len(found)]
        assert len(found) >= len(_entries(plan[:acknowledged])), "acknowledged entries are gone"
        verification = await journal.verify(unheard)
        if verification.findings:
            raise Tampered(verification.findings[0].message)
        assert {row["run"]: row["due_at"] for row in await journal.dump("jobs")} == {run: n for run, n, _ in found}
        await journal.append([Append(RUNS[50], 0, (body("life goes on"),))]).durable()
    finally:
        await journal.close()


async def _strike(home: Path, vfs: FaultyVfs, fault: Fault, plan: list[list[Append]], first: int) -> str:
    """Let one fault happen, and say what came of it; nothing when it found no call to strike."""
    path = home / "desk.kernos"
    vfs.fault = fault
    try:
        acknowledged = await _work(path, vfs, plan, first)
        outcome = "survived"
    except KernosError as error:
        if fault.kind != "flipped" and not isinstance(error, (StorageFailed, Tampered)):
            raise
        acknowledged = int(error.__notes__[-1])
        outcome = "reported"
    vfs.fault = Fault("error", -1, lasts=False)
    if not fault.struck:
        return ""
    try:
        await _check(path, plan, acknowledged)
    except KernosError:
        if fault.kind != "flipped":
            raise
        outcome = "detected later"
    return outcome


@pytest.mark.slow
@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # apsw's, where SQLite ignores a failure.
@pytest.mark.parametrize("first", [0, _HALF])
@pytest.mark.parametrize("lasts", [False, True])
@pytest.mark.parametrize("kind", ["error", "full", "short", "flipped"])
async def test_a_fault_at_any_call_is_reported_or_survived(tmp_path: Path, kind: str, lasts: bool, first: int) -> None:
    memory = Path("/dev/shm")
    home = (memory if memory.is_dir() else tmp_path) / f"kernos-faults-{os.getpid()}"
    plan = _plan()
    half = tmp_path / "half"
    await _half_written(tmp_path / "home", half, plan)
    vfs = FaultyVfs("faulty")
    outcomes: Counter[str] = Counter()
    try:
        for at in range(_CALLS_MAX):
            shutil.rmtree(home, ignore_errors=True)
            if first:
                shutil.copytree(half, home)
            else:
                home.mkdir()
            fault = Fault(kind, at, lasts=lasts)
            try:
                outcome = await _strike(home, vfs, fault, plan, first)
            except (AssertionError, KernosError) as error:
                error.add_note(f"{kind} at call {at} ({fault.struck})")
                raise
            if not outcome:
                break
            outcomes[outcome] += 1
    finally:
        vfs.unregister()
        shutil.rmtree(home, ignore_errors=True)
    life = "in a second life" if first else "from the begin"
    print(
        f"storage faults {life}: {kind}{', lasting' if lasts else ''}: {outcomes.total()} calls struck, {dict(outcomes)}"
    )
    assert 10 < outcomes.total() < _CALLS_MAX
