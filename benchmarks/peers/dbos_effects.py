"""DBOS at the saga: a workflow for each task, a step for each call, keys made of workflow and place. Variants: `rollback` and `wal`."""

# The workload is found on the path that its runner sets, the peer in an environment of its own.
# mypy: disable-error-code="import-not-found,untyped-decorator"

import sys
from typing import Any

from dbos import DBOS, SetWorkflowID
from taubench.clients import wire

from benchmarks.peers.dbos_launch import launch
from benchmarks.saga import folder, in_threads, working


@DBOS.step()
def act(task: str, n: int, op: str, args: dict[str, Any]) -> Any:
    return wire.post(task, op, args, f"{DBOS.workflow_id}-{n}", {"X-Checkpoint": f"{DBOS.workflow_id}:{n}"})


@DBOS.step()
def finish(task: str) -> None:
    wire.finish(task, "done")


@DBOS.workflow()
def work(task: dict[str, Any]) -> None:
    for n, call in enumerate(task["calls"]):
        act(task["task"], n, call["op"], call["args"])
    finish(task["task"])


def make_run(task: dict[str, Any]) -> None:
    with SetWorkflowID(task["task"]):
        work(task)


if __name__ == "__main__":
    with working():
        launch(folder() / "dbos.sqlite", sys.argv[1])
        in_threads(make_run)
    DBOS.destroy()
