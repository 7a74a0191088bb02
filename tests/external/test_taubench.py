"""The external workload: every task exactly once, under faults and kills, with a service that honours keys."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT.parent / "shared"
CLIENT = f"{sys.executable} -m tests.external.taubench_client"
PRESENT = (FOLDER / "taubench" / "runner.py").exists()


def run(profile: str) -> dict[str, Any]:
    """Run the client under taubench's runner, in the project's root; return its summary."""
    path = os.pathsep.join([str(FOLDER), str(ROOT), str(ROOT / "src")])
    command = [sys.executable, "-m", "taubench.runner", "--client", CLIENT, "--split", "train", "--face", "saga"]
    command += ["--profile", profile, "--keys", "honour"]
    ended = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-2_000:]
    summary: dict[str, Any] = json.loads(ended.stdout)
    return summary


@pytest.mark.slow
@pytest.mark.skipif(not PRESENT, reason="the folder of the external workload, ../shared/taubench, is not here")
@pytest.mark.parametrize("profile", ["none", "mixed", "crash"])
def test_every_task_of_the_external_workload_happens_exactly_once(profile: str) -> None:
    summary = run(profile)
    print(json.dumps({key: value for key, value in summary.items() if key not in ("client", "workdir")}))
    assert summary["wrong_any_pct"] == 0, summary
    assert not summary["timed_out"]
    if profile == "crash":
        assert summary["kills"] > 0
