"""Groups of the SQLite journal: when one is written although nobody waits for it, and rows that share a statement."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

import apsw

from kernos.adapters.ed25519.signer import FileSigner
from kernos.adapters.sqlite.journal import SqliteJournal
from kernos.adapters.system.clock import SystemClock
from kernos.testing.conformance.journal import RUNS, body
from kernos.testing.conformance.views import TABLES
from kernos.vocabulary.ids import RunId, run_id
from kernos.vocabulary.journal import Append, RowOp

_PATIENCE_S = 10.0


def opened(folder: Path) -> SqliteJournal:
    return SqliteJournal(folder / "store", TABLES, SystemClock(), open_key=FileSigner.at)


def one(run: RunId, ops: Sequence[RowOp] = ()) -> list[Append]:
    return [Append(run, 0, (body("x"),), tuple(ops))]


async def test_an_append_that_nobody_waits_for_becomes_durable_by_itself(tmp_path: Path) -> None:
    journal, other = opened(tmp_path), opened(tmp_path)
    heard: asyncio.Future[Sequence[tuple[RunId, int]]] = asyncio.get_running_loop().create_future()
    other.watch(heard.set_result)
    journal.append(one(RUNS[0]))
    assert await asyncio.wait_for(heard, _PATIENCE_S) == [(RUNS[0], 0)]
    await other.close()
    await journal.close()


async def test_an_append_becomes_durable_while_the_event_loop_is_stuck(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    beside = apsw.Connection(str(tmp_path / "store"))
    journal.append(one(RUNS[0]))
    deadline = time.monotonic() + _PATIENCE_S
    while beside.execute("SELECT count(*) FROM events").get == 0:
        assert time.monotonic() < deadline, "nothing was written while the loop was stuck"
    await journal.close()


async def test_changes_of_many_rows_are_those_of_each_of_them(tmp_path: Path) -> None:
    """More rows than the longest statement takes, and a rest for each of the shorter ones."""
    journal = opened(tmp_path)
    runs = [run_id(number) for number in range(1, 512 + 64 + 8 + 3)]
    new = {"status": "new", "due_at": None, "parent": None}
    await journal.append(one(RUNS[0], [RowOp("put", "jobs", (run,), {**new, "parent": run}) for run in runs])).durable()
    parts = [RowOp("add", "parts", (run, step), {"calls": 1}) for run in runs for step in ("1", "2")]
    await journal.append(one(RUNS[1], parts)).durable()
    changes = [
        *(RowOp("set", "jobs", (run,), {"status": "old", "due_at": n}) for n, run in enumerate(runs[5:])),
        RowOp("set", "jobs", (RUNS[9],), {"status": "nobody"}),
        *(RowOp("add", "parts", (run, "2"), {"calls": 2}) for run in runs),
        *(RowOp("drop", "parts", (run,), {}) for run in runs[:100]),
        *(RowOp("drop", "parts", (run, "1"), {}) for run in runs),
    ]
    await journal.append(one(RUNS[2], changes)).durable()
    jobs, left = await journal.dump("jobs"), await journal.dump("parts")
    await journal.close()
    assert [(row["run"], row["status"], row["due_at"], row["parent"]) for row in jobs] == [
        (run, "old" if n >= 5 else "new", n - 5 if n >= 5 else None, run) for n, run in enumerate(runs)
    ]
    assert [(row["run"], row["step"], row["calls"]) for row in left] == [(run, "2", 3) for run in runs[100:]]
