"""What all tests share: a store of their own, and a time limit, so that a test that hangs fails under its name and the suite goes on.

A test's setup, its body and its teardown each have their limit. At the limit an alarm raises where the main thread stands, which is where an async
test waits, too; it comes again as long as it is swallowed. What no alarm can reach ends the process, with the stacks of all threads: pytest-xdist
then names the test and goes on in another process.
"""

import asyncio
import faulthandler
import io
import os
import signal
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from tests.canaries import leaks_below

NIGHTLY = bool(os.environ.get("KERNOS_NIGHTLY"))
LIMIT_S = 45.0
"""For most tests: several times the slowest on a quiet machine. With a teardown that hangs, too, it is over within a minute."""

SLOW_LIMIT_S = 3_600.0 if NIGHTLY else 300.0
TEARDOWN_LIMIT_S = 10.0
AGAIN_S = 4.0
"""From one alarm to the next: what a failing test may take to end its processes."""

GRACE_S = 9.0
"""From the first alarm to the end of the process, and from the end of the tests to that of the process."""

STDERR = pytest.StashKey[int]()
"""Where the stacks go: tests' own output is captured."""


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "desk.kernos"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Fail a test whose stores have sealed what stands in the open: in a file that it left, or in what it printed or logged."""
    report = yield
    folder = getattr(item, "funcargs", {}).get("tmp_path")
    if call.when == "teardown" and report.passed and folder is not None and folder.is_dir():
        leaks = leaks_below(folder, "\n".join(text for _, text in report.sections))
        if leaks:
            report.outcome, report.longrepr = "failed", "sealed values stand in the open:\n" + "\n".join(leaks)
    return report


# --- the time limit ----------------------------------------------------------------------------------------------------


def pytest_configure(config: pytest.Config) -> None:
    assert sys.__stderr__ is not None
    config.stash[STDERR] = os.dup(sys.__stderr__.fileno())


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):  # Processes of pytest-xdist are ended by the one that started them.
        faulthandler.dump_traceback_later(GRACE_S, exit=True, file=config.stash[STDERR])


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, Any, Any]:
    with within(limit_of(item), item):
        return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    with within(limit_of(item), item):
        return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, Any, Any]:
    with within(min(limit_of(item), TEARDOWN_LIMIT_S), item):
        return (yield)


def limit_of(item: pytest.Item) -> float:
    own = item.get_closest_marker("limit")
    if own is not None:
        return float(own.args[0])
    return LIMIT_S if item.get_closest_marker("slow") is None else SLOW_LIMIT_S


@contextmanager
def within(limit_s: float, item: pytest.Item) -> Iterator[None]:
    """Fail what is inside at the limit, unless somebody looks at it in a debugger."""
    if item.config.getoption("usepdb"):
        yield
        return

    too_late = f"{item.nodeid} did not end within {limit_s:g} s"
    has_failed = False

    def fail(number: int, frame: FrameType | None) -> None:
        nonlocal has_failed
        has_failed = True
        pytest.fail(f"{too_late}\n{waiting_tasks()}")

    before = signal.signal(signal.SIGALRM, fail)
    signal.setitimer(signal.ITIMER_REAL, limit_s, AGAIN_S)
    faulthandler.dump_traceback_later(limit_s + GRACE_S, exit=True, file=item.config.stash[STDERR])
    try:
        yield
        if has_failed:
            pytest.fail(f"{too_late}, and swallowed the alarm")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        faulthandler.cancel_dump_traceback_later()


def waiting_tasks() -> str:
    """Say where each task of the running loop waits; nothing without a loop."""
    try:
        tasks = asyncio.all_tasks()
    except RuntimeError:
        return ""
    text = io.StringIO()
    for task in tasks:
        task.print_stack(file=text)
    return text.getvalue()
