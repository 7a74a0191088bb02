"""A hundred settled runs of the returns desk as tests: offline, byte for byte, although its process was killed while they ran."""

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from examples.returns_desk.processes import ROOT
from kernos.app.cli import main
from kernos.app.records import Records
from kernos.vocabulary.events import RunCompleted, RunRequested
from kernos.vocabulary.ids import RunId

AGENTS = "examples.returns_desk.desk.agents"
RUNS = 100


async def settled(store: Path) -> list[RunId]:
    """Return runs of the desk that have completed, the longest first."""
    found: dict[RunId, int] = {}
    with Records(store) as records:
        for run in records.runs():
            events = await records.events(run)
            request = events[0].data
            is_desk = isinstance(request, RunRequested) and request.agent == "returns_desk"
            if is_desk and any(isinstance(event.data, RunCompleted) for event in events):
                found[run] = len(events)
    return sorted(found, key=lambda run: -found[run])


@pytest.mark.slow
def test_a_hundred_settled_runs_of_the_desk_are_exported_and_all_of_them_pass(tmp_path: Path) -> None:
    data, exports = tmp_path / "data", tmp_path / "exports"
    exports.mkdir()
    demo = [sys.executable, "-m", "examples.returns_desk.demo", "--data", str(data)]
    done = subprocess.run(demo, cwd=ROOT, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    store = data / "desk.kernos"
    runs = asyncio.run(settled(store))[:RUNS]
    assert len(runs) == RUNS
    more = {0: ("--redact", "from_name,from_email,input.text"), 1: ("--redact", "from_name")}
    for place, run in enumerate(runs):
        out = exports / f"test_{run}.py"
        words = ["export", run, "--as-test", "-o", str(out), "--store", str(store), "--agents", AGENTS]
        assert main([*words, *more.get(place, ())]) == 0
    store.unlink()
    offline = {name: value for name, value in os.environ.items() if name != "RETURNS_DESK_SHOP"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, str(exports)]
    tested = subprocess.run(
        command, cwd=tmp_path, env={**offline, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=120, check=False
    )  # fmt: skip
    assert re.search(rf"\b{RUNS} passed", tested.stdout), tested.stdout[-2_000:]
