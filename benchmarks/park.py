"""park: runs that wait. 100,000 parked ones (restart to ready, memory, wake), and 1,000 blocked half-way over a SIGKILL, beside DBOS.

Times count from the order of the new process, interpreter and imports included.
"""

import subprocess
import time
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks.contestant import ProgramFailed, run_program, with_folder
from benchmarks.peers.environment import own_python, python_of
from benchmarks.row import FOLDER, Options, Row, at_most

_OURS, _DBOS = "benchmarks.subject.park", "benchmarks.peers.dbos_park"
_READY_S, _MEMORY_MB, _WAKE_MS = 1.0, 50.0, 10.0
_FIRST_S, _LAST_S = 0.5, 2.0


def run(options: Options) -> list[Row]:
    """Measure parked and blocked runs."""
    parked, blocked = (100_000, 1_000) if options.full else (1_000, 50)
    return _parked(parked, options) + _blocked(blocked, options)


def _parked(runs: int, options: Options) -> list[Row]:
    python = own_python()

    def measured(folder: Path) -> dict[str, float]:
        options.say(f"parking {runs:,} runs ...")
        filled = _phase(python, _OURS, "fill", folder, runs)
        options.say("waking ...")
        woken = [_phase(python, _OURS, "wake", folder, runs) for _ in range(options.repetitions)]
        return {name: median(each[name] for each in woken) for name in woken[0]} | {"fill_s": filled["seconds"]}

    empty = [with_folder(lambda folder: _phase(python, _OURS, "empty", folder, 0)) for _ in range(options.repetitions)]
    found = with_folder(measured)
    memory = found["memory_mb"] - median(each["memory_mb"] for each in empty)
    what = f"{runs:,} parked runs"
    return [
        Row(f"{what}: started and parked", runs / found["fill_s"], "runs/s"),
        Row("empty kernel: restart to ready", median(each["ready_s"] for each in empty), "s"),
        at_most(f"{what}: restart to ready", found["ready_s"], "s", _READY_S),
        at_most(f"{what}: memory over an empty kernel", memory, "MB", _MEMORY_MB),
        at_most(f"{what}: wake one, p50", found["wake_p50_ms"], "ms", _WAKE_MS),
        at_most(f"{what}: wake one, p95", found["wake_p95_ms"], "ms", _WAKE_MS),
    ]


def _blocked(runs: int, options: Options) -> list[Row]:
    contestants = {"kernos": (own_python(), _OURS)}
    dbos = python_of("dbos", options)
    if dbos is not None:
        contestants["DBOS wal"] = (dbos, _DBOS)
    results: dict[str, list[dict[str, float]]] = {name: [] for name in contestants}
    for _ in range(options.repetitions):
        for name, (python, module) in contestants.items():
            options.say(f"{runs:,} runs blocked half-way, SIGKILL, restart: {name} ...")
            results[name].append(with_folder(partial(_killed, python, module, runs)))
    costs = {name: {key: median(each[key] for each in found) for key in found[0]} for name, found in results.items()}
    what = f"{runs:,} runs blocked half-way, SIGKILL"
    rows = []
    for key, label, limit in (
        ("first_s", "restart to first finished", _FIRST_S),
        ("last_s", "restart to last finished", _LAST_S),
    ):
        ours = at_most(f"{what}: {label}: kernos", costs["kernos"][key], "s", limit)
        for name, cost in costs.items():
            if name != "kernos":
                rows.append(Row(f"{what}: {label}: {name}", cost[key], "s"))
                ours = Row(ours.what, ours.value, ours.unit, name, ours.value / cost[key], ours.target, ours.met)
        rows.append(ours)
    return rows


def _killed(python: Path, module: str, runs: int, folder: Path) -> dict[str, float]:
    """Bring runs half-way in one process, kill it, and finish them in another."""
    errors = folder / "errors"
    command = (str(python), "-m", module, *_arguments("begin", folder, runs))
    with (
        errors.open("wb") as sink,
        subprocess.Popen(command, cwd=FOLDER, stdout=subprocess.PIPE, stderr=sink) as process,
    ):
        assert process.stdout is not None
        line = process.stdout.readline()
        process.kill()
    if line.strip() != b"ready":
        message = f"{module} begin ended early:\n{errors.read_text(encoding='utf-8')[-2_000:]}"
        raise ProgramFailed(message)
    return _phase(python, module, "finish", folder, runs)


def _phase(python: Path, module: str, name: str, folder: Path, runs: int) -> dict[str, float]:
    start = time.monotonic()
    result = run_program(python, module, *_arguments(name, folder, runs))
    return result | {"seconds": time.monotonic() - start}


def _arguments(name: str, folder: Path, runs: int) -> tuple[str, ...]:
    return (
        "--name",
        name,
        "--folder",
        str(folder),
        "--runs",
        str(runs),
        "--ordered-at",
        str(time.monotonic()),
    )
