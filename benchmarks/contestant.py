"""Contestants: kernos and its peers as processes that take the same load, measured in turns.

One repetition measures every contestant once, in an order that rotates, so that what else the machine does falls on all of them; medians
over repetitions are compared.
"""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.measure import Cost
from benchmarks.row import FOLDER, Options

_PROGRAM_SECONDS_MAX = 600  # No single measurement is meant to take more than one; a hung peer must not hang the rest.
_RUNS_MIN = 40  # One run at a time is still measured over some hundred steps.


@dataclass(frozen=True, slots=True)
class Contestant:
    """One way to do the work."""

    name: str
    python: Path
    module: str
    variant: str = ""
    waves: int = 1
    """Runs that it makes for each one at once: enough for a second or so of work."""


class ProgramFailed(Exception):
    """A measured program ended with an error."""


def run_program(python: Path, module: str, *arguments: object) -> dict[str, float]:
    """Run a measured program in the project's folder; return the JSON object of its last line. Raises ProgramFailed."""
    command = [str(python), "-m", module, *map(str, arguments)]
    done = subprocess.run(
        command, check=False, cwd=FOLDER, capture_output=True, text=True, timeout=_PROGRAM_SECONDS_MAX
    )
    if done.returncode:
        message = f"{' '.join(command)} ended with code {done.returncode}:\n{done.stderr.strip()[-2_000:]}"
        raise ProgramFailed(message)
    result: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return result


def with_folder(work: Callable[[Path], dict[str, float]]) -> dict[str, float]:
    """Give `work` an empty folder on the project's own disk (a temporary folder may be memory, where fsync is free)."""
    parent = FOLDER / ".venvs"
    parent.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=parent))
    try:
        return work(folder)
    finally:
        shutil.rmtree(folder)


def measure_all(contestants: Sequence[Contestant], at_once: int, options: Options) -> Mapping[str, Cost]:
    """Return the median cost of each contestant, by name."""
    costs: dict[str, list[Cost]] = {contestant.name: [] for contestant in contestants}
    for repetition in range(options.repetitions):
        turn = repetition % len(contestants)
        for contestant in (*contestants[turn:], *contestants[:turn]):
            options.say(f"{at_once} at once, {repetition + 1} of {options.repetitions}: {contestant.name} ...")
            costs[contestant.name].append(_measure(contestant, at_once, options))
    return {name: _median(each) for name, each in costs.items()}


def _measure(contestant: Contestant, at_once: int, options: Options) -> Cost:
    runs = max(at_once, _RUNS_MIN) * (contestant.waves if options.full else 1)
    load = (
        "--at-once",
        at_once,
        "--runs",
        runs,
        "--warm-up",
        max(at_once, 5),
        "--variant",
        contestant.variant,
    )
    result = with_folder(lambda folder: run_program(contestant.python, contestant.module, "--folder", folder, *load))
    return Cost(int(result["steps"]), result["seconds"], result["cpu_ms"], int(result["disk_bytes"]))


def _median(costs: Sequence[Cost]) -> Cost:
    steps = costs[0].steps
    return Cost(
        steps,
        median(cost.seconds for cost in costs),
        median(cost.cpu_ms for cost in costs),
        int(median(cost.disk_bytes for cost in costs)),
    )
