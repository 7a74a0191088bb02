"""The bare grouped-append loop: what the file itself gives when nothing but the append is left.

Variants: `steps` (a step is one append, waited for) and `actions` (a step is an intent, waited for, and a result, which the next intent's
group or the last wait makes durable).

Writers (one for each run) put one step at a time into the open group and go on when it is durable; a thread commits a group while the next one fills.
WAL, `synchronous=FULL`; a step is fenced by the unique pair (run, n) and linked to the one before it by SHA-256. No events' envelopes, no
policy, no projections, no replay, no signature: the upper bound that a kernel over the same file is compared with.
"""

import asyncio
import hashlib
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import apsw

from benchmarks.measure import RESULT, STEPS_A_RUN, Load, Meter, in_tasks, load_arguments, report

Step = tuple[int, int, bytes]

_INTENT = b"i" * 200
"""What an intent says at least: tool, arguments, key."""


class Log:
    """An append-only file with group commit."""

    def __init__(self, path: Path) -> None:
        """Make the file."""
        self._connection = apsw.Connection(str(path))
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.execute(
            "CREATE TABLE steps(pos INTEGER PRIMARY KEY, run INTEGER, n INTEGER, body BLOB, hash BLOB, UNIQUE(run, n))"
        )
        self._last = bytes(32)
        self._group: list[tuple[Step, asyncio.Future[None]]] = []
        self._thread = ThreadPoolExecutor(1)
        self._busy = False

    def append(self, step: Step) -> asyncio.Future[None]:
        """Put a step into the open group; the future is done once it is on disk."""
        done = asyncio.get_running_loop().create_future()
        self._group.append((step, done))
        if not self._busy:
            self._commit_next()
        return done

    def _commit_next(self) -> None:
        group, self._group = self._group, []
        self._busy = True
        loop = asyncio.get_running_loop()
        committing = loop.run_in_executor(self._thread, self._commit, [step for step, _ in group])
        committing.add_done_callback(lambda ended: self._committed(ended, group))

    def _committed(self, ended: asyncio.Future[None], group: list[tuple[Step, asyncio.Future[None]]]) -> None:
        ended.result()
        self._busy = False
        for _, done in group:
            done.set_result(None)
        if self._group:
            self._commit_next()

    def _commit(self, steps: list[Step]) -> None:
        rows = []
        for run, n, body in steps:
            place = run.to_bytes(8, "big") + n.to_bytes(4, "big")
            self._last = hashlib.sha256(self._last + place + body).digest()
            rows.append((run, n, body, self._last))
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany("INSERT INTO steps(run, n, body, hash) VALUES(?, ?, ?, ?)", rows)
        self._connection.execute("COMMIT")


async def measure(load: Load) -> None:
    log = Log(load.folder / "bare.sqlite")
    numbers = count()
    body = RESULT.encode()

    async def steps() -> None:
        run = next(numbers)
        for n in range(STEPS_A_RUN):
            await log.append((run, n, body))

    async def actions() -> None:
        run = next(numbers)
        for n in range(0, 2 * STEPS_A_RUN, 2):
            await log.append((run, n, _INTENT))
            result = log.append((run, n + 1, body))
        await result

    make_run = {"steps": steps, "actions": actions}[load.variant]
    await in_tasks(make_run, load.warm_up, load.at_once)
    meter = Meter(load.folder)
    await in_tasks(make_run, load.runs, load.at_once)
    report(meter.end(load.runs * STEPS_A_RUN))


if __name__ == "__main__":
    asyncio.run(measure(load_arguments()))
