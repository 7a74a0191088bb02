"""The whole matrix of the external workload: `make external` runs it, a cell after the other, and prints a line for each.

A cell is right when no task ends wrong. Where the network itself doubles or delays (`dup`, `harsh`) and the service keeps no keys, nobody can
prevent that from outside: there a cell is right when every wrong task is one that kernos lists, and all that has an undo is taken back.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT.parent / "shared"
PRESENT = (FOLDER / "taubench" / "runner.py").exists()
CLIENT = f"{sys.executable} -m tests.external.taubench_client"

SPLITS = ("train", "v1-train", "v1-dev")
FACES = ("saga", "mono")
PROFILES = ("mixed", "crash", "crash_mixed", "kills")
UNPREVENTABLE = ("harsh", "dup")
KILLS = ("--profile", "none", "--kill-every", "2,5", "--work-ms", "100")
"""Random kills every two to five seconds, of a service that takes its time."""


@dataclass(frozen=True)
class Cell:
    split: str
    face: str
    profile: str
    keys: str
    seed: int
    poison: bool = False

    @property
    def reconciles(self) -> bool:
        return self.profile in UNPREVENTABLE and self.keys == "ignore"

    def options(self) -> list[str]:
        options = ["--split", self.split, "--face", self.face, "--keys", self.keys, "--seed", str(self.seed)]
        options += list(KILLS) if self.profile == "kills" else ["--profile", self.profile]
        return [*options, "--poison"] if self.poison else options

    def name(self) -> str:
        poison = " poison" if self.poison else ""
        return f"{self.split:8} {self.face:4} {self.profile:11} keys {self.keys:6} seed {self.seed}{poison}"


@dataclass(frozen=True)
class Verdict:
    cell: Cell
    tasks: int
    wrong: int
    """Tasks that end wrong; where nobody can prevent it: wrong ones that kernos does not list, or does not take back although it could."""
    listed: int
    kills: int
    bare: int
    """Effects without a key or without a causal tag."""
    wall_s: float
    trouble: str = ""


def cells(seeds: Sequence[int], splits: Sequence[str]) -> Iterator[Cell]:
    """Yield all cells, the quickest seeds of every kind first."""
    for seed in seeds:
        for split in splits:
            for face in FACES:
                for keys in ("ignore", "honour"):
                    for profile in (*PROFILES, *UNPREVENTABLE):
                        yield Cell(split, face, profile, keys, seed)
            for keys in ("ignore", "honour"):
                yield Cell(split, "saga", "crash_mixed", keys, seed, poison=True)


def run(cell: Cell, deadline_s: int = 900, limit: int = 0) -> Verdict:
    """Run one cell under taubench's runner, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        rows_path = Path(folder) / "rows.json"
        command = [sys.executable, "-m", "taubench.runner", "--client", CLIENT, *cell.options()]
        command += ["--deadline", str(deadline_s), "--max-kills", "1000", "--rows", str(rows_path)]
        command += ["--limit", str(limit)]
        path = os.pathsep.join([str(FOLDER), str(ROOT), str(ROOT / "src")])
        environment = {**os.environ, "PYTHONPATH": path, "TMPDIR": folder}
        if cell.reconciles:
            environment["TAUBENCH_RECONCILE"] = "1"
        ended = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=deadline_s + 120, check=False
        )
        if ended.returncode or not rows_path.exists():
            return Verdict(cell, 0, 1, 0, 0, 0, 0, ended.stderr[-500:])
        summary = json.loads(ended.stdout)
        rows = json.loads(rows_path.read_text())
        reconciled = Path(summary["workdir"]) / "reconciled.json"
        found = json.loads(reconciled.read_text()) if reconciled.exists() else None
    trouble = "timed out" if summary["timed_out"] else "" if summary["exit"] == 0 else f"exit {summary['exit']}"
    wrong = [row for row in rows if row["verdict"] not in ("ok", "compensated")]
    listed: set[str] = set()
    if found is not None:
        listed = {task_of(one) for one in found["found"]["differences"]}
        stuck = {task_of(one) for one in found["left"]["differences"] if not one["settled"]}
        wrong = [row for row in wrong if row["task"] not in listed or not (row["net_ok"] or row["task"] in stuck)]
    bare = summary["untagged"] + summary["unkeyed"]
    return Verdict(
        cell, len(rows), len(wrong) + bool(trouble), len(listed), summary["kills"], bare, summary["wall_s"], trouble
    )


def task_of(difference: dict[str, Any]) -> str:
    """Return the task in whose world a difference was found."""
    args = json.loads(difference["args"]) if difference["args"] else {}
    return str(args.get("task") or difference["reference"].split("/")[0])


def main() -> int:
    """Run the matrix; return 1 when a cell is wrong."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seeds", default="1,2,3,4,5")
    arguments.add_argument("--splits", default=",".join(SPLITS))
    arguments.add_argument("--jobs", type=int, default=2)
    arguments.add_argument("--only", default="", help="cells whose name contains this")
    given = arguments.parse_args()
    if not PRESENT:
        sys.exit("the folder of the external workload is not here: ../shared/taubench, seen from the project's root")
    seeds = [int(seed) for seed in given.seeds.split(",")]
    chosen = [cell for cell in cells(seeds, given.splits.split(",")) if given.only in cell.name()]
    begun, done, wrong, bare, kills, tasks = time.monotonic(), 0, 0, 0, 0, 0
    with ThreadPoolExecutor(given.jobs) as pool:
        for verdict in pool.map(run, chosen):
            done += 1
            wrong += verdict.wrong
            bare += verdict.bare
            kills += verdict.kills
            tasks += verdict.tasks
            share = f"{verdict.tasks:4} tasks, {verdict.wrong} wrong, {verdict.listed} listed, {verdict.kills} kills"
            print(
                f"{done:4}/{len(chosen)} {verdict.cell.name()}: {share}, {verdict.wall_s} s {verdict.trouble}",
                flush=True,
            )
    took = time.monotonic() - begun
    print(f"{done} cells, {tasks} tasks, {wrong} wrong, {bare} without key or tag, {kills} kills, {took:.0f} s")
    return 1 if wrong or bare else 0


if __name__ == "__main__":
    sys.exit(main())
