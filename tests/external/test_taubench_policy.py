"""The policy sequences of the external workload: Cedar rules over what the kernel knows stop every bad one before its effect, and no good one."""

import json
import os
import subprocess
import sys

import pytest

from tests.external.taubench_matrix import PRESENT, ROOT


@pytest.mark.slow
@pytest.mark.skipif(not PRESENT, reason="the folder of the external workload, ../shared/taubench, is not here")
def test_the_retail_rules_stop_every_bad_sequence_and_no_good_one() -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "src")])}
    command = [sys.executable, "-m", "tests.external.taubench_policy", "--every", "5"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["by_kind"]["good"][0] > 0
