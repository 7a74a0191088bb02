"""Contexts: a pytest plugin that tells coverage which test is running, also for what runs in its event loop and threads, and how long each took."""

import json
import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import coverage
import pytest

_durations: dict[str, float] = {}


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    measured = coverage.Coverage.current()
    if measured is not None:
        measured.switch_context(item.nodeid)
    return (yield)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if not os.environ.get("PYTEST_XDIST_WORKER"):
        _durations[report.nodeid] = _durations.get(report.nodeid, 0.0) + report.duration


def pytest_sessionfinish() -> None:
    if not os.environ.get("PYTEST_XDIST_WORKER"):
        Path(os.environ["KERNOS_CORE"], "durations.json").write_text(json.dumps(_durations), encoding="utf-8")
