"""verify: CPU of checking a whole journal, of a million events, beside a bare loop that reads and hashes the same rows.

Events as runs of ten steps with 1 KB results leave them, in commit groups as 64 runs at once make them; and the same with a signed head for each
event, as a lone run of actions leaves it.
"""

import time
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks.contestant import run_program, with_folder
from benchmarks.peers.environment import own_python
from benchmarks.row import Options, Row

_OURS, _BARE = "benchmarks.subject.verify", "benchmarks.peers.bare_verify"
_EVENTS_A_RUN = 12
_EVENTS_BESIDE = 1
"""That the policies are in force, once for the store."""
_RUNS_A_FILL = 8_000
"""Written by one process: progress is shown, and no process takes longer than any other measured one."""

_CPU_S_MAX = 5.0
_PEER = "bare loop, read and hash"


def run(options: Options) -> list[Row]:
    """Measure both journals."""
    runs = 1_000_000 // _EVENTS_A_RUN + 1 if options.full else 1_000
    rows = []
    for phase, heads in (("fill", "24 events to a head"), ("fill_singly", "a head for each event")):
        found = with_folder(partial(_measured, options, phase, runs))
        what = f"{found['events']:,.0f} events, {heads}"
        target, met = (f"<= {_CPU_S_MAX:g} CPU s", found["ours_s"] <= _CPU_S_MAX) if options.full else ("", None)
        rows.append(Row(f"{what}: {_PEER}", found["bare_s"], "CPU s"))
        rows.append(
            Row(f"{what}: verify", found["ours_s"], "CPU s", _PEER, found["ours_s"] / found["bare_s"], target, met)
        )
    return rows


def _measured(options: Options, fill: str, runs: int, folder: Path) -> dict[str, float]:
    """Fill a journal, then let both read it, in turns."""
    for done in range(0, runs, _RUNS_A_FILL):
        options.say(f"{fill}: {done * _EVENTS_A_RUN:,} of {runs * _EVENTS_A_RUN:,} events ...")
        _phase(fill, folder, min(_RUNS_A_FILL, runs - done))
    ours, bare = [], []
    for repetition in range(options.repetitions):
        options.say(f"{fill}: verifying, {repetition + 1} of {options.repetitions} ...")
        ours.append(_phase("verify", folder, 0))
        bare.append(run_program(own_python(), _BARE, folder / "bench.kernos"))
    events = {found["events"] for found in (*ours, *bare)}
    (count,) = events
    assert count == runs * _EVENTS_A_RUN + _EVENTS_BESIDE, count
    return {
        "events": count,
        "ours_s": median(found["cpu_s"] for found in ours),
        "bare_s": median(found["cpu_s"] for found in bare),
    }


def _phase(name: str, folder: Path, runs: int) -> dict[str, float]:
    arguments = ("--name", name, "--folder", folder, "--runs", runs, "--ordered-at", time.monotonic())
    return run_program(own_python(), _OURS, *arguments)
