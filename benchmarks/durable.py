"""durable: ten steps a run, 1 KB results, every step recorded durably; 1, 64 and 256 runs at once.

Peers wait for the disk on every step. kernos' steps here only read: they are recorded at once, run ahead of the disk, and the answer of
the run waits for all of them; what waits for the disk on every step is measured by `actions`. LangGraph's `async` is the peer that runs
ahead likewise. The bare loop is the file's own bound: grouped appends and nothing else.
"""

import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from statistics import median

from benchmarks.contestant import Contestant, measure_all
from benchmarks.measure import Cost
from benchmarks.peers.environment import own_python, python_of
from benchmarks.row import FOLDER, Options, Row, against, at_most

AT_ONCE = (1, 64, 256)
_TIMES_PEER, _TIMES_BARE = 20, 0.3
_STEP_CPU_MS, _STEP_KB = 0.15, 2.0
_LONE_STEP_US = 150

KERNOS = Contestant("kernos, read-only steps", own_python(), "benchmarks.subject.durable", "reads", waves=16)
BARE = Contestant("bare grouped append", own_python(), "benchmarks.peers.bare_durable", "steps", waves=40)


def run(options: Options) -> list[Row]:
    """Measure kernos and, unless they are left out, its peers."""
    contestants = [KERNOS, BARE, *peers(options, ("dbos", "langgraph"))]
    rows = [Row("one fdatasync of 4 KB on this disk", fdatasync_us(), "us")]
    for at_once in AT_ONCE if options.full else AT_ONCE[:2]:
        costs = measure_all(contestants, at_once, options)
        rows += _rows(at_once, costs)
    return rows


def peers(options: Options, names: Sequence[str]) -> list[Contestant]:
    """Return those of the named peers that are wanted and can be had, in all their variants."""
    found = []
    for name in names:
        python = python_of(name, options)
        if python is not None:
            module = f"benchmarks.peers.{name}_durable"
            title, variants = _VARIANTS[name]
            found += [Contestant(f"{title} {variant}", python, module, variant) for variant in variants]
    return found


def _rows(at_once: int, measured: Mapping[str, Cost]) -> list[Row]:
    place, costs = f"{at_once} at once", dict(measured)
    rates = {name: cost.steps / cost.seconds for name, cost in costs.items()}
    ours, cost = rates.pop(KERNOS.name), costs.pop(KERNOS.name)
    bare = rates.pop(BARE.name)
    speed = Row(f"{place}: {KERNOS.name}", ours, "steps/s")
    rows = [Row(f"{place}: {name}", rate, "steps/s") for name, rate in {**rates, BARE.name: bare}.items()]
    targets = (_TIMES_PEER, _TIMES_BARE) if at_once > 1 else (None, None)
    rows.append(against(speed, rates, times_at_least=targets[0]))
    rows.append(against(speed, {BARE.name: bare}, times_at_least=targets[1]))
    if at_once == 1:
        rows.append(at_most(f"{place}: {KERNOS.name}, each", 1e6 / ours, "us", _LONE_STEP_US))
    for name, other in costs.items():
        rows.append(Row(f"{place}: {name}", other.cpu_ms / other.steps, "CPU ms/step"))
    rows.append(at_most(f"{place}: {KERNOS.name}", cost.cpu_ms / cost.steps, "CPU ms/step", _STEP_CPU_MS))
    for name, other in costs.items():
        rows.append(Row(f"{place}: {name}", other.disk_bytes / other.steps / 1_024, "KB/step"))
    rows.append(at_most(f"{place}: {KERNOS.name}", cost.disk_bytes / cost.steps / 1_024, "KB/step", _STEP_KB))
    return rows


def fdatasync_us() -> float:
    """Return the median time to make 4 KB durable, so that figures of two machines can be read side by side."""
    times = []
    with tempfile.TemporaryFile(dir=FOLDER) as file:
        for _ in range(200):
            file.write(bytes(4_096))
            file.flush()
            start = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - start)
    return median(times) * 1e6


_VARIANTS = {"dbos": ("DBOS", ("rollback", "wal")), "langgraph": ("LangGraph", ("sync", "async"))}
