"""replay: CPU of `kernos replay` of one run of 1,000 steps, from opening the store to the verdict, without starting the process.

Once for steps that read (one event each) and once for actions (two events each); a peer that replays from a journal offline is not known.
"""

from functools import partial
from pathlib import Path
from statistics import median

from benchmarks.contestant import run_program, with_folder
from benchmarks.peers.environment import own_python
from benchmarks.row import Options, Row, at_most

_LIMIT_MS = 50


def run(options: Options) -> list[Row]:
    """Record a run and replay it again and again."""
    steps = 1_000 if options.full else 100
    rows = []
    for kind in ("reads", "actions"):
        options.say(f"{steps} {kind} ...")
        program = partial(_measured, kind, steps)
        cpu_ms = median(with_folder(program)["cpu_ms"] for _ in range(options.repetitions))
        rows.append(at_most(f"replay of {steps} {kind}", cpu_ms, "CPU ms", _LIMIT_MS))
    return rows


def _measured(kind: str, steps: int, folder: Path) -> dict[str, float]:
    return run_program(own_python(), "benchmarks.subject.replay", folder, kind, steps)
