"""budgets: what is spent under a cap by many at once, also when some of them are killed; and what holding a reservation costs.

Eight kernel processes run agents over one store, each with a worker's lock of its own, which no deployment has: every process takes up every run, and
only the journal keeps them apart. Four of them get SIGKILL in the middle of their calls.
"""

import asyncio
import subprocess
from pathlib import Path
from statistics import median

from benchmarks.contestant import run_program, with_folder
from benchmarks.peers.environment import own_python
from benchmarks.row import FOLDER, Options, Row, at_most
from benchmarks.subject.budgets import CAP, CROWD, CROWD_CAP, USED
from kernos.adapters.ed25519.signer import FileSigner
from kernos.adapters.sqlite.journal import SqliteJournal
from kernos.adapters.system.clock import SystemClock
from kernos.control.projections import TABLES

_SUBJECT = "benchmarks.subject.budgets"
_PROCESSES = 8
_BEFORE_KILL = 5
"""Lines that a process says before it is killed: it is in the middle of its calls."""


def run(options: Options) -> list[Row]:
    """Measure the crowd, the processes and the cost of a reservation."""
    rows = []
    seeds = range(8 if options.full else 1)
    options.say("64 children under one cap ...")
    crowds = [run_program(own_python(), _SUBJECT, "crowd", seed) for seed in seeds]
    what = f"{CROWD} children at once, {len(seeds)} seeds"
    rows.append(at_most(f"{what}: most spent", max(one["spent"] for one in crowds), "tokens", CROWD_CAP))
    rows.append(Row(f"{what}: fewest calls refused", min(one["refused"] for one in crowds), "calls"))
    each = 63 if options.full else 8
    options.say("8 kernel processes under one cap, some of them killed ...")
    found = with_folder(lambda folder: _processes(folder / "store", each))
    what = f"{_PROCESSES * each} calls of {_PROCESSES} processes"
    rows.append(at_most(f"{what}: spent and reserved", found["used"], "tokens", CAP))
    rows.append(at_most(f"{what}: calls that left x {USED} tokens", found["called"] * USED, "tokens", CAP))
    rows.append(Row(f"{what}: refused, as those told that lived", found["refused"], "calls"))
    rows.append(Row(f"{what}: left reserved", found["reserved"], "tokens"))
    rows.append(Row(f"{what}: processes killed", found["killed"], "processes"))
    return [*rows, *_costs(options)]


def _processes(store: Path, each: int) -> dict[str, float]:
    command = [str(own_python()), "-m", _SUBJECT, "spender", str(store)]
    asyncio.run(_standing(store))  # It is made before eight open it at once.
    spenders = [
        subprocess.Popen([*command, str(number), str(each)], cwd=FOLDER, stdout=subprocess.PIPE, text=True)
        for number in range(_PROCESSES)
    ]
    said: list[str] = []
    killed = 0
    for spender in spenders[::2]:
        assert spender.stdout is not None
        said.extend(spender.stdout.readline() for _ in range(_BEFORE_KILL))
        spender.kill()
        killed += 1
    for spender in spenders:
        said.extend(spender.communicate(timeout=300)[0].splitlines(keepends=True))
    words = [line.split()[0] for line in said if line.strip()]
    standing = asyncio.run(_standing(store))
    return {**standing, "called": words.count("called"), "refused": words.count("refused"), "killed": killed}


async def _standing(store: Path) -> dict[str, float]:
    journal = SqliteJournal(store, TABLES, SystemClock(), open_key=FileSigner.at)
    rows = await journal.select("accounts", {})
    await journal.close()
    return {name: sum(int(row[name] or 0) for row in rows) for name in ("used", "reserved")}


def _costs(options: Options) -> list[Row]:
    runs = 1_024 if options.full else 64
    found: dict[str, list[float]] = {"free": [], "capped": []}
    for _ in range(options.repetitions):
        for kind, costs in found.items():
            options.say(f"a run with one model call, {kind} ...")

            def measured(folder: Path, kind: str = kind) -> dict[str, float]:
                return run_program(own_python(), _SUBJECT, "cost", kind, folder / "store", runs)

            costs.append(with_folder(measured)["cpu_us"])
    free, capped = median(found["free"]), median(found["capped"])
    return [
        Row("a run with one model call, no cap", free, "CPU us"),
        Row("the same, held against a cap and settled", capped, "CPU us", "no cap", capped / free),
    ]
