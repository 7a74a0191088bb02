"""DBOS over its SQLite system database: runs of ten steps, each step durable before the next.

Variants: `rollback` (the database as DBOS makes it) and `wal` (the same file, switched to write-ahead logging before DBOS opens it). Every
run has a thread, which calls the workflow as a plain function: faster than DBOS' asyncio functions.
"""

# Checked where kernos is installed; the peer lives in an environment of its own.
# mypy: disable-error-code="import-not-found,untyped-decorator"

from dbos import DBOS

from benchmarks.measure import RESULT, STEPS_A_RUN, Meter, in_threads, load_arguments, report
from benchmarks.peers.dbos_launch import launch


@DBOS.step()
def answer(n: int) -> str:
    return RESULT


@DBOS.workflow()
def work() -> int:
    return sum(len(answer(n)) for n in range(STEPS_A_RUN))


def make_run() -> None:
    assert work() == STEPS_A_RUN * len(RESULT)


def main() -> None:
    load = load_arguments()
    launch(load.folder / "dbos.sqlite", load.variant)
    in_threads(make_run, load.warm_up, load.at_once)
    meter = Meter(load.folder)
    in_threads(make_run, load.runs, load.at_once)
    report(meter.end(load.runs * STEPS_A_RUN))
    DBOS.destroy()


if __name__ == "__main__":
    main()
