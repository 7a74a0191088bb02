"""DBOS with runs blocked half-way: five steps, a `recv`, five steps. Phases: `begin` and `finish`.

WAL mode; messages are looked for every second, DBOS' default: looking more often was slower with so many runs. All are sent in one
transaction. A run's end is noted by the run itself, before DBOS records it.
"""

# Checked where kernos is installed; the peer lives in an environment of its own.
# mypy: disable-error-code="import-not-found,untyped-decorator"

import threading
import time
from typing import TypeVar
from uuid import uuid4

from dbos import DBOS, SendMessage, SetWorkflowID

from benchmarks.measure import RESULT, STEPS_A_RUN, report
from benchmarks.peers.dbos_launch import launch
from benchmarks.phase import Phase, phase_arguments, wait_to_be_killed

_T = TypeVar("_T")
_WAIT_SECONDS = 3_600
_half_way: list[str] = []
_ends: list[float] = []
_changed = threading.Condition()


def note(into: list[_T], value: _T) -> None:
    """Add to what the main thread waits for."""
    with _changed:
        into.append(value)
        _changed.notify()


@DBOS.step()
def answer(n: int) -> str:
    return RESULT


@DBOS.workflow()
def work() -> int:
    half = STEPS_A_RUN // 2
    length = sum(len(answer(n)) for n in range(half))
    note(_half_way, DBOS.workflow_id or "")
    assert DBOS.recv("go", timeout_seconds=_WAIT_SECONDS) == 1
    length += sum(len(answer(n)) for n in range(half))
    note(_ends, time.monotonic())
    return length


def begin(phase: Phase) -> None:
    """Bring runs to their middle and wait to be killed."""
    ids = [str(uuid4()) for _ in range(phase.runs)]
    (phase.folder / "ids").write_text("\n".join(ids), encoding="utf-8")
    for name in ids:
        with SetWorkflowID(name):
            DBOS.start_workflow(work)
    with _changed:
        _changed.wait_for(lambda: len(_half_way) == phase.runs)
    wait_to_be_killed()


def finish(phase: Phase) -> None:
    """Let DBOS recover the runs, send every message, and note when the first and the last one ended."""
    ready_s = phase.seconds()
    ids = (phase.folder / "ids").read_text(encoding="utf-8").split()
    DBOS.send_bulk([SendMessage(name, 1, "go") for name in ids])
    with _changed:
        _changed.wait_for(lambda: len(_ends) == phase.runs)
    report(
        {
            "ready_s": ready_s,
            "first_s": min(_ends) - phase.ordered_at,
            "last_s": max(_ends) - phase.ordered_at,
        }
    )


if __name__ == "__main__":
    given = phase_arguments()
    launch(given.folder / "dbos.sqlite", "wal")
    {"begin": begin, "finish": finish}[given.name](given)
    DBOS.destroy()
