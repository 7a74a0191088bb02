"""Cover: which branches of the security core no test takes, by part. Every test runs, and the processes that it starts are measured, too."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import coverage
from coverage.data import CoverageData

from tests.core.parts import PARTS, ROOT, SOURCES, files_of

FOLDER = ROOT / ".core"
_DATA = FOLDER / "coverage"
_SETTINGS = f"""[run]
branch = true
parallel = true
patch = subprocess
core = ctrace
source = kernos
data_file = {_DATA}
[report]
exclude_also =
    ^\\s*assert_never\\(
    ^\\s*\\.\\.\\.$
"""


@dataclass(frozen=True, slots=True)
class Covered:
    """What tests take of one part."""

    branches: int
    """Ways out of lines that have several, and lines."""
    missed: tuple[str, ...]
    """Places: `file:line` never run, `file:line->line` never taken."""


def measure(tests: Sequence[str] = ()) -> int:
    """Run the tests (all, where none are named) under coverage; return pytest's exit code."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    FOLDER.joinpath("settings").write_text(_SETTINGS, encoding="utf-8")
    command = [sys.executable, "-m", "coverage", "run", "-m", "pytest", "-q", "-n", "2", "-p", "tests.core.contexts"]
    environment = {
        **os.environ,
        "COVERAGE_RCFILE": str(FOLDER / "settings"),
        "KERNOS_CORE": str(FOLDER),
        "PYTHONPATH": str(SOURCES),
    }
    code = subprocess.run([*command, *tests], cwd=ROOT, env=environment, check=False).returncode
    subprocess.run([sys.executable, "-m", "coverage", "combine", "-q"], cwd=ROOT, env=environment, check=True)
    return code


def measured() -> coverage.Coverage:
    """Return what was measured last. Ends the program with a sentence when nothing was."""
    if not _DATA.exists():
        raise SystemExit("nothing was measured yet: python -m tests.core cover")
    found = coverage.Coverage(config_file=str(FOLDER / "settings"))
    found.load()
    return found


def data() -> CoverageData:
    """Return what was measured, with the tests of each line."""
    return measured().get_data()


def covered(part: str, found: Mapping[str, Any]) -> Covered:
    """Return what is taken of a part; `found`: the files of coverage's own report."""
    branches, missed = 0, []
    for path in files_of(part):
        name, seen = path.relative_to(SOURCES / "kernos"), found[str(path.relative_to(ROOT))]
        branches += seen["summary"]["num_branches"] + seen["summary"]["num_statements"]
        lines = set(seen["missing_lines"])
        missed += [f"{name}:{line}" for line in sorted(lines)]
        for line, to in seen["missing_branches"]:
            if line not in lines and to not in lines:
                missed.append(f"{name}:{line}->{'end' if to < 0 else to}")
    return Covered(branches, tuple(missed))


def report() -> int:
    """Print what is missed, by part; return 1 when anything is."""
    whole = FOLDER / "report.json"
    measured().json_report(outfile=str(whole))
    found, is_whole = json.loads(whole.read_text(encoding="utf-8"))["files"], True
    for part in PARTS:
        one = covered(part, found)
        is_whole &= not one.missed
        share = 100 * (1 - len(one.missed) / one.branches)
        print(f"{part:10} {one.branches:5} lines and branches, {len(one.missed):3} missed, {share:.2f} %")
        for place in one.missed:
            print(f"    {place}")
    return 0 if is_whole else 1


def tests_of(path: Path, known: CoverageData) -> dict[int, list[str]]:
    """Return the tests that run each line of a file."""
    lines = known.contexts_by_lineno(str(path))
    return {line: [test for test in tests if test] for line, tests in lines.items()}
