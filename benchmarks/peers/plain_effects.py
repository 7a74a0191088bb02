"""Plain Python at the saga, without faults to meet. Variants: `naive` (posts and hopes) and `careful`.

The careful one appends each call's intent to a journal of its own and syncs it, posts under a key, then appends and syncs the result. Started
again it skips what has a result, and what has only an intent goes out under the same key. That is the least a client must do that loses and
doubles nothing at a service that honours keys: no group commit, no checks, no hashes, no index, no approval, no undo.
"""

# The workload is found on the path that its runner sets.
# mypy: disable-error-code="import-not-found"

import json
import os
import sys
import threading
from functools import partial
from typing import Any

from taubench.clients import wire

from benchmarks.saga import folder, in_threads, working


class Journal:
    """Lines that are on disk when they are added."""

    def __init__(self) -> None:
        """Open, and read what an earlier process left; a line that was cut off was never acknowledged."""
        path = folder() / "careful.jsonl"
        self._file = path.open("ab+", buffering=0)
        self._file.seek(0)
        whole = self._file.read()
        self._file.truncate(whole.rfind(b"\n") + 1)
        lines = [json.loads(line) for line in whole[: whole.rfind(b"\n") + 1].splitlines()]
        self.results: dict[str, Any] = {line["key"]: line["result"] for line in lines if "result" in line}
        self._lock = threading.Lock()

    def add(self, line: dict[str, Any]) -> None:
        with self._lock:
            self._file.write(json.dumps(line).encode() + b"\n")
        os.fsync(self._file.fileno())  # Outside the lock: one sync may make the lines of several threads durable.


def naive(task: dict[str, Any]) -> None:
    for call in task["calls"]:
        wire.post(task["task"], call["op"], call["args"])
    wire.finish(task["task"], "done")


def careful(journal: Journal, task: dict[str, Any]) -> None:
    for n, call in enumerate(task["calls"]):
        key = f"{task['task']}-{n}"
        if key not in journal.results:
            journal.add({"key": key, "op": call["op"], "args": call["args"]})
            result = wire.post(task["task"], call["op"], call["args"], key, {"X-Checkpoint": key})
            journal.add({"key": key, "result": result})
    wire.finish(task["task"], "done")


if __name__ == "__main__":
    with working():
        in_threads(naive if sys.argv[1] == "naive" else partial(careful, Journal()))
