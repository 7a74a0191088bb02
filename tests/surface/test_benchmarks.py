"""Benchmarks: the one command that runs them all runs, and leaves rows that a program can read."""

import json
import math
import re
import resource
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from benchmarks.__main__ import BENCHMARKS
from benchmarks.row import FOLDER, Row

CPU_S_MAX = 60.0
"""A minute on a machine with nothing else to do; CPU and not time, because other tests run at once."""


@pytest.mark.slow
def test_all_benchmarks_at_small_scale_end_in_a_minute_with_well_formed_rows(tmp_path: Path) -> None:
    file = tmp_path / "rows.json"
    command = [sys.executable, "-m", "benchmarks", "all", "--scale", "small", "--no-peers", "--json", str(file)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stderr
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < CPU_S_MAX
    assert [name for name in BENCHMARKS if not re.search(rf"^{name}\s*$", done.stdout, re.MULTILINE)] == []
    rows = json.loads(file.read_text(encoding="utf-8"))
    assert isinstance(rows, list)
    assert len(rows) > 2 * len(BENCHMARKS)
    assert [row for row in rows if not is_well_formed(row)] == []
    assert len({(row["what"], row["unit"], row["peer"]) for row in rows}) == len(rows)  # No row says what another says.


def is_well_formed(row: dict[str, object]) -> bool:
    if list(row) != [field.name for field in fields(Row)]:
        return False
    value, ratio = row["value"], row["ratio"]
    return (
        bool(row["what"] and row["unit"])
        and isinstance(value, int | float)
        and math.isfinite(value)
        and (ratio is None or (isinstance(ratio, float) and math.isfinite(ratio)))
        and (row["met"] is None or (isinstance(row["met"], bool) and bool(row["target"])))
        and bool(row["peer"]) == (ratio is not None)
    )
