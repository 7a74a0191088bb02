"""actions: ten actions a run, each with its intent on disk before its effect; 1 KB results; 1, 64 and 256 runs at once.

No peer makes an intent durable before an effect. DBOS' step is counted as it is: one write after the effect, so that a crash in
between repeats it. The bare loop writes intent and result like kernos.
"""

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

from benchmarks.contestant import Contestant, measure_all, with_folder
from benchmarks.durable import AT_ONCE, BARE, KERNOS, peers
from benchmarks.measure import STEPS_A_RUN
from benchmarks.row import FOLDER, Options, Row, against, at_most

_ACTION_CPU_MS, _FSYNCS = 0.4, 2.5
_OURS = replace(KERNOS, name="kernos, actions", variant="actions", waves=8)
_BARE = replace(BARE, variant="actions", waves=20)


def run(options: Options) -> list[Row]:
    """Measure kernos and, unless it is left out, DBOS."""
    beside = [peer for peer in peers(options, ("dbos",)) if peer.variant == "wal"]
    contestants = [_OURS, _BARE, *beside]
    rows = []
    for at_once in AT_ONCE if options.full else AT_ONCE[:2]:
        costs = measure_all(contestants, at_once, options)
        rates = {name: cost.steps / cost.seconds for name, cost in costs.items()}
        speed = Row(f"{at_once} at once: {_OURS.name}", rates[_OURS.name], "actions/s")
        for name, cost in costs.items():
            what = f"{at_once} at once: {name}"
            cpu = cost.cpu_ms / cost.steps
            if name == _OURS.name:
                rows += [against(speed, {other: rates[other]}) for other in rates if other != name]
                rows.append(at_most(what, cpu, "CPU ms/action", _ACTION_CPU_MS))
            else:
                rows += [Row(what, rates[name], "actions/s"), Row(what, cpu, "CPU ms/action")]
            rows.append(Row(what, cost.disk_bytes / cost.steps / 1_024, "KB/action"))
    return rows + _fsyncs([_OURS, *beside], options)


def _fsyncs(contestants: list[Contestant], options: Options) -> list[Row]:
    """Count the fsyncs of one run alone, as the difference of two programs with different numbers of runs."""
    strace = shutil.which("strace")
    if strace is None:
        options.say("left out: fsyncs of an action (strace is not installed)")
        return []
    few, many = 5, 25
    rows = []
    for contestant in contestants:
        options.say(f"counting fsyncs: {contestant.name} ...")
        counts = [_count(strace, contestant, runs) for runs in (few, many)]
        each = (counts[1] - counts[0]) / ((many - few) * STEPS_A_RUN)
        what = f"one run alone: {contestant.name}"
        rows.append(
            at_most(what, each, "fsyncs/action", _FSYNCS) if contestant is _OURS else Row(what, each, "fsyncs/action")
        )
    return rows


def _count(strace: str, contestant: Contestant, runs: int) -> int:
    def traced(folder: Path) -> dict[str, float]:
        log = folder / "calls"
        load = ("--folder", folder, "--at-once", "1", "--runs", str(runs), "--warm-up", "1")
        program = (contestant.python, "-m", contestant.module, *load, "--variant", contestant.variant)
        command = (strace, "-f", "-qq", "-o", log, "-e", "trace=fsync,fdatasync", *program)
        subprocess.run(command, cwd=FOLDER, check=True, capture_output=True, timeout=300)
        calls = re.findall(r"\b(?:fsync|fdatasync)\(", log.read_text(encoding="utf-8", errors="replace"))
        return {"calls": len(calls)}

    return int(with_folder(traced)["calls"])
