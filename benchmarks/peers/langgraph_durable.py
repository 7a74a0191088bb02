"""LangGraph with its SQLite saver: runs of ten steps, each a node whose 1 KB result is checkpointed.

Variants: `sync` (each checkpoint is on disk before the next node starts: durable on every step) and `async` (LangGraph's default: the
checkpoint is written while the next node runs). The state holds the last result only, the cheapest a graph with such steps can be; the saver
keeps one checkpoint for each step, in WAL mode with `synchronous=FULL`. Every run has a thread: faster than the asynchronous saver.
"""

# Checked where kernos is installed; the peer lives in an environment of its own.
# mypy: disable-error-code="import-not-found"

from typing import Any, TypedDict
from uuid import uuid4

from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph

from benchmarks.measure import RESULT, STEPS_A_RUN, Meter, in_threads, load_arguments, report


class State(TypedDict):
    n: int
    answer: str


def step(state: State) -> State:
    return {"n": state["n"] + 1, "answer": RESULT}


def next_node(state: State) -> str:
    return "step" if state["n"] < STEPS_A_RUN else END


def graph(saver: SqliteSaver) -> Any:
    """Return the compiled graph of one run."""
    builder = StateGraph(State)
    builder.add_node("step", step)
    builder.add_edge(START, "step")
    builder.add_conditional_edges("step", next_node, ["step", END])
    return builder.compile(checkpointer=saver)


def main() -> None:
    load = load_arguments()
    with SqliteSaver.from_conn_string(str(load.folder / "langgraph.sqlite")) as saver:
        compiled = graph(saver)

        def make_run() -> None:
            config = {"configurable": {"thread_id": str(uuid4())}, "recursion_limit": 2 * STEPS_A_RUN}
            end = compiled.invoke({"n": 0, "answer": ""}, config, durability=load.variant)
            assert end == {"n": STEPS_A_RUN, "answer": RESULT}

        in_threads(make_run, load.warm_up, load.at_once)
        assert saver.conn.execute("PRAGMA synchronous").fetchone() == (2,), "not FULL"
        meter = Meter(load.folder)
        in_threads(make_run, load.runs, load.at_once)
        report(meter.end(load.runs * STEPS_A_RUN))


if __name__ == "__main__":
    main()
