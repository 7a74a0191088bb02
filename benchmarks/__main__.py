"""The benchmarks' command line: `python -m benchmarks NAME [--scale small] [--no-peers] [--json FILE]`, `all` for every one."""

import argparse
import sys
from functools import partial
from pathlib import Path

from rich.console import Console

from benchmarks import (
    actions,
    approvals,
    budgets,
    durable,
    effects,
    fuzz,
    gate,
    growth,
    ledger,
    park,
    replay,
    sealing,
    start,
    tampering,
    verify,
)
from benchmarks.contestant import ProgramFailed
from benchmarks.report import print_rows, write_rows
from benchmarks.row import Options, Row

BENCHMARKS = {
    "durable": durable.run,
    "actions": actions.run,
    "approvals": approvals.run,
    "budgets": budgets.run,
    "park": park.run,
    "growth": growth.run,
    "verify": verify.run,
    "tampering": tampering.run,
    "fuzz": fuzz.run,
    "gate": gate.run,
    "replay": replay.run,
    "effects": effects.run,
    "ledger": ledger.run,
    "sealing": sealing.run,
    "start": start.run,
}
_WIDTH = 140  # Columns of the table where nobody's terminal sets them.


def main() -> int:
    """Run what is named; return the exit code: 1 when a measured program failed. Targets missed are shown, not failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure kernos beside its peers.")
    parser.add_argument("name", choices=[*BENCHMARKS, "all"])
    parser.add_argument("--json", type=Path, help="also write the rows to this file")
    parser.add_argument(
        "--scale", choices=["small", "full"], default="full", help="small: seconds, to see that it runs"
    )
    parser.add_argument("--no-peers", action="store_true", help="measure kernos alone")
    parser.add_argument("--inputs", type=int, default=0, help="fuzz: inputs for each reader")
    given = parser.parse_args()
    width = None if sys.stdout.isatty() else _WIDTH
    console, progress = Console(width=width), Console(stderr=True, highlight=False)
    names = list(BENCHMARKS) if given.name == "all" else [given.name]
    rows: list[Row] = []
    failed = False
    for name in names:
        options = Options(given.scale == "full", not given.no_peers, partial(_say, progress, name), given.inputs)
        try:
            found = BENCHMARKS[name](options)
        except ProgramFailed as error:
            progress.print(f"{name}: {error}", style="red", markup=False)
            failed = True
            continue
        print_rows(console, name, found)
        rows += found
    if given.json is not None:
        write_rows(given.json, rows)
    return 1 if failed else 0


def _say(progress: Console, name: str, line: str) -> None:
    progress.print(f"{name}: {line}", markup=False)


if __name__ == "__main__":
    sys.exit(main())
