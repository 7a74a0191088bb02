"""Saga: what a contestant of `effects` is told by the workload's runner, and how its working time is taken (standard library only).

A contestant imports all it needs, and only then begins to work: what it opens, recovers, sends and syncs counts, the interpreter's start and
imports do not. What it takes is written beside the outcomes, in the folder that the runner gives it.
"""

import json
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.measure import cpu_ms

AT_ONCE = 16
"""Tasks under way at once, of every contestant."""

TOOK = "took.json"


def folder() -> Path:
    """Return the folder that survives the contestant."""
    return Path(os.environ["TAUBENCH_WORKDIR"])


def tasks() -> list[dict[str, Any]]:
    """Return the tasks: each a name and the calls to make, one after the other."""
    plan: list[dict[str, Any]] = json.loads(Path(os.environ["TAUBENCH_PLAN"]).read_bytes())
    return plan


def in_threads(work: Callable[[dict[str, Any]], object]) -> None:
    """Do all tasks, some at any time, each in a thread."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(work, tasks()))


@contextmanager
def working() -> Iterator[None]:
    """Take the time of the work done within."""
    start, spent_ms = time.perf_counter(), cpu_ms()
    yield
    took = {"seconds": time.perf_counter() - start, "cpu_ms": cpu_ms() - spent_ms}
    (folder() / TOOK).write_text(json.dumps(took), encoding="utf-8")
