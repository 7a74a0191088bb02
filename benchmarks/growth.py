"""growth: what a durable step and a wake cost in a journal of 10 thousand events and in one of several million, measured in turns."""

import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median

from benchmarks.contestant import run_program, with_folder
from benchmarks.peers.environment import own_python
from benchmarks.row import Options, Row

_MODULE = "benchmarks.subject.growth"
_EVENTS_A_RUN = 12
_TIMES_MAX = 1.2  # "Within 20 %".
_LABELS = {
    "cpu_ms": ("a durable step, 64 runs at once", "CPU ms/step"),
    "wake_p50_ms": ("wake one parked run, p50", "ms"),
    "wake_p95_ms": ("wake one parked run, p95", "ms"),
}


def run(options: Options) -> list[Row]:
    """Fill two journals and measure both alternately."""
    few, many = (10_000, 3_000_000) if options.full else (10_000, 50_000)
    results: dict[int, list[Mapping[str, float]]] = {few: [], many: []}

    def measured(folder: Path) -> dict[str, float]:
        for events in results:
            options.say(f"filling a journal with {events:,} events ...")
            (folder / str(events)).mkdir()
            _phase("fill", folder / str(events), events // _EVENTS_A_RUN)
        repetitions = 5 if options.full else 1
        for repetition in range(repetitions):
            options.say(f"measuring, {repetition + 1} of {repetitions} ...")
            for events, found in results.items():
                found.append(_phase("measure", folder / str(events), 0))
        return {}

    with_folder(measured)
    rows = []
    for key, (label, unit) in _LABELS.items():
        base, grown = (median(each[key] for each in results[events]) for events in (few, many))
        ratio = grown / base
        rows.append(Row(f"{few:,} events: {label}", base, unit))
        target, met = (f"<= {_TIMES_MAX:g} x", ratio <= _TIMES_MAX) if key != "wake_p95_ms" else ("", None)
        rows.append(Row(f"{many:,} events: {label}", grown, unit, f"{few:,} events", ratio, target, met))
    return rows


def _phase(name: str, folder: Path, runs: int) -> Mapping[str, float]:
    arguments = ("--name", name, "--folder", folder, "--runs", runs, "--ordered-at", time.monotonic())
    return run_program(own_python(), _MODULE, *arguments)
