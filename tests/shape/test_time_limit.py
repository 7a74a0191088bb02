"""Time limit: whatever a test hangs in, it fails under its name, the tests after it run, and the process ends."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.shape.code import ROOT

HANGING = """
import asyncio, threading
import pytest

pytestmark = pytest.mark.limit(0.5)

def test_hangs_in_a_lock():
    threading.Event().wait()

async def test_hangs_in_a_future():
    await asyncio.get_running_loop().create_future()

async def test_hangs_while_it_cleans_up():
    try:
        await asyncio.get_running_loop().create_future()
    finally:
        await asyncio.get_running_loop().create_future()

def test_hangs_and_swallows_the_alarm():
    try:
        threading.Event().wait()
    except BaseException:
        pass

@pytest.fixture
def opened():
    threading.Event().wait()

def test_has_a_fixture_that_hangs_before(opened):
    pass

@pytest.fixture
def closed():
    yield
    threading.Event().wait()

def test_has_a_fixture_that_hangs_afterwards(closed):
    pass

def test_comes_after_all_these():
    pass
"""
DEAF = """
import threading
import pytest

@pytest.mark.limit(0.5)
def test_hears_no_alarm():
    while True:
        try:
            threading.Event().wait()
        except BaseException:
            pass
"""
LEFT_BEHIND = """
import threading

def test_leaves_a_thread_that_never_ends():
    threading.Thread(target=threading.Event().wait).start()
"""


def outcome(folder: Path, code: str) -> tuple[int, str]:
    """Run a file of tests under the time limit of all tests; return pytest's code and what it said."""
    file = folder / "test_hanging.py"
    file.write_text(code, encoding="utf-8")
    alone = ["-p", "no:randomly", "-p", "no:xdist", "-p", "no:cacheprovider", "-c", os.devnull, "-W", "ignore"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.conftest", *alone, "-o", "asyncio_mode=auto", "-rA", str(file)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


@pytest.mark.slow
def test_a_test_that_hangs_fails_with_its_name_and_the_next_one_runs(tmp_path: Path) -> None:
    code, said = outcome(tmp_path, HANGING)
    assert code == 1, said
    for name in ("hangs_in_a_lock", "hangs_in_a_future", "hangs_while_it_cleans_up", "hangs_and_swallows_the_alarm"):
        assert f"Failed: test_hanging.py::test_{name} did not end within 0.5 s" in said, said
    assert "in test_hangs_in_a_future\n" in said  # Where it waits.
    assert "4 failed, 2 passed, 3 errors" in said
    for when, name in (("setup", "before"), ("teardown", "afterwards")):
        assert f"ERROR at {when} of test_has_a_fixture_that_hangs_{name} " in said
    assert "ERROR at teardown of test_hangs_while_it_cleans_up " in said


@pytest.mark.slow
def test_a_test_that_no_alarm_reaches_ends_with_the_stacks(tmp_path: Path) -> None:
    code, said = outcome(tmp_path, DEAF)
    assert code == 1, said
    assert "in test_hears_no_alarm\n" in said


@pytest.mark.slow
def test_a_thread_left_behind_does_not_keep_the_suite_from_ending(tmp_path: Path) -> None:
    code, said = outcome(tmp_path, LEFT_BEHIND)
    assert code == 1, said
    assert "1 passed" in said
    assert "Timeout" in said
