"""Meter: what one stretch of a program cost, measured alike for kernos and for every peer.

Standard library only, because peers run it in virtual environments of their own. A measured program is a process: it gets a
`Load` as arguments, warms up, measures, and prints one JSON object as its last line.
"""

import argparse
import asyncio
import json
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path

STEPS_A_RUN = 10
RESULT = "x" * 1_024
"""What every step returns: 1 KB."""


@dataclass(frozen=True, slots=True)
class Load:
    """How much a program is to do: `runs` runs of ten steps each, `at_once` of them at any time, after `warm_up` runs."""

    folder: Path
    variant: str
    at_once: int
    runs: int
    warm_up: int
    """At least `at_once`, so that every connection, thread and cache has been used."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What `steps` steps cost."""

    steps: int
    seconds: float
    cpu_ms: float
    """User and system time of the whole process, all its threads."""
    disk_bytes: int
    """Growth of all files in the folder, after a checkpoint of the SQLite files."""


def load_arguments() -> Load:
    """Parse the command line of a measured program."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--variant", default="")
    parser.add_argument("--at-once", type=int, required=True)
    parser.add_argument("--runs", type=int, required=True)
    parser.add_argument("--warm-up", type=int, required=True)
    return Load(**vars(parser.parse_args()))


class Meter:
    """Reads clock, CPU and disk at both ends of a stretch."""

    def __init__(self, folder: Path) -> None:
        """Begin the stretch now."""
        self._folder = folder
        self._bytes = bytes_on_disk(folder)
        self._cpu_ms = cpu_ms()
        self._start = time.perf_counter()

    def end(self, steps: int) -> Cost:
        """End the stretch, in which `steps` steps were made durable."""
        seconds = time.perf_counter() - self._start
        spent_ms = cpu_ms() - self._cpu_ms
        return Cost(steps, seconds, spent_ms, bytes_on_disk(self._folder) - self._bytes)


def cpu_ms() -> float:
    """Return the CPU time of this process and its threads so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return (used.ru_utime + used.ru_stime) * 1_000


def bytes_on_disk(folder: Path) -> int:
    """Return what all files in a folder hold: looked at by a process of its own, see `benchmarks.disk`."""
    command = (sys.executable, "-m", "benchmarks.disk", str(folder))
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def shares(total: int, workers: int) -> Callable[[], bool]:
    """Return a function that says `total` times, to whichever worker asks, that there is one more run to make."""
    assert workers <= total, (workers, total)
    left = iter(range(total))
    return lambda: next(left, None) is not None


def in_threads(make_run: Callable[[], None], runs: int, at_once: int) -> None:
    """Make runs, `at_once` at any time, each in a thread. Raises the first error of any."""
    more = shares(runs, at_once)
    errors: list[Exception] = []

    def worker() -> None:
        try:
            while more():
                make_run()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=worker) for _ in range(at_once)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


async def in_tasks(make_run: Callable[[], Awaitable[None]], runs: int, at_once: int) -> None:
    """Make runs, `at_once` at any time, each in a task."""
    more = shares(runs, at_once)

    async def worker() -> None:
        while more():
            await make_run()

    await asyncio.gather(*(worker() for _ in range(at_once)))


def report(cost: Cost | dict[str, float]) -> None:
    """Print the result of a measured program."""
    print(json.dumps(asdict(cost) if isinstance(cost, Cost) else cost), flush=True)
