"""The client of taubench on kernos: one run for each task, its calls one after the other as actions, taken back when one is refused for good.

Started by taubench's runner, killed by it at any moment, and started again on the same store. When all tasks have ended it compares the
services' own lists with its journal, takes back what is there too often, and writes what it found to `reconciled.json`.
"""

import asyncio
import gc
import json
import os
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from pydantic import BaseModel

from kernos import Context, HttpService, Kernel, Limits, RunDidNotComplete, agent
from kernos.vocabulary.contract import AgentContract, ToolContract
from kernos.vocabulary.events import RunFailed
from tests.external.taubench_tools import Call, Request, Services

AT_ONCE = 16
"""Tasks worked on side by side: the service has a thread for each."""

DOUBTS_EVERY_S = 0.5

ALLOW = "permit(principal, action, resource);"


class Task(BaseModel):
    task: str
    calls: list[Call]


class Outcomes:
    """The file of outcomes: each task's line stands in it once, whoever is killed when."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.tasks: set[str] = set()
        if path.exists():
            whole = path.read_bytes()
            with path.open("r+b") as file:  # A line that was cut off was never acknowledged.
                file.truncate(whole.rfind(b"\n") + 1)
            self.tasks = {json.loads(line)["task"] for line in path.read_text().splitlines()}

    def append(self, task: str, status: str, error: str) -> None:
        self.tasks.add(task)
        with self._path.open("ab", buffering=0) as file:  # Not synced: what is lost of it stands in the journal.
            file.write(json.dumps({"task": task, "status": status, "error": error}).encode() + b"\n")


def task_agent(tools: dict[str, ToolContract[Request, dict[str, object]]]) -> AgentContract[Task, None]:
    @agent("taubench_task", tools=list(tools.values()), limits=Limits(steps=200), on_failure={"*": "compensate"})
    async def taubench_task(ctx: Context, task: Task) -> None:
        for call in task.calls:
            await ctx.call(tools[call.op], Request(task=task.task, args=call.args, undo=call.undo))

    return taubench_task


class Pause(BaseModel):
    seconds: float


@agent("pause")
async def pause(ctx: Context, how: Pause) -> None:
    await ctx.sleep(how.seconds)


async def say_unknown(kernel: Kernel, ended: asyncio.Event) -> None:
    """Settle whatever comes to be in doubt as unknown: nobody watches a benchmark."""
    while not ended.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), DOUBTS_EVERY_S)
        for row in await kernel.actions(status="in_doubt"):
            await kernel.settle(f"{row['run']}.{row['step']}", "unknown", "nobody watches a benchmark")


async def one(kernel: Kernel, contract: AgentContract[Task, None], task: Task, outcomes: Outcomes) -> None:
    run = await kernel.start(contract, task, key=task.task, intent=f"task {task.task}")
    try:
        await run.result()
    except RunDidNotComplete as failed:
        ends = [event.data async for event in run.events(follow=False) if isinstance(event.data, RunFailed)]
        report = ends[-1].taken_back if ends else None
        is_clean = report is not None and not json.loads(report.text)["standing"]
        outcomes.append(task.task, "compensated" if is_clean else "failed", str(failed))
    else:
        outcomes.append(task.task, "done", "")


async def reconcile(kernel: Kernel, path: Path, late_ms: int) -> None:
    """Wait until nothing can arrive late any more; take back what is there too often; write down what was found."""
    await (await kernel.start(pause, Pause(seconds=late_ms / 1_000))).result()
    found = await kernel.reconcile()
    taken = await kernel.take_back(found)
    if taken is not None:
        await taken.result()
    left = await kernel.reconcile()
    path.write_text(json.dumps({"found": asdict(found), "left": asdict(left)}))


async def main() -> None:
    plan = json.loads(Path(os.environ["TAUBENCH_PLAN"]).read_text())
    work = Path(os.environ["TAUBENCH_WORKDIR"])
    timeout_ms = int(float(os.environ.get("TAUBENCH_TIMEOUT_S", "0.4")) * 1_000)
    tasks = [Task.model_validate({"task": one["task"], "calls": one["calls"]}) for one in plan]
    outcomes = Outcomes(work / "outcomes.jsonl")
    http = HttpService(os.environ["TAUBENCH_URL"])
    services = Services(http, timeout_ms, honours_keys=os.environ.get("TAUBENCH_KEYS") == "honour")
    contract = task_agent(services.tools(call for task in tasks for call in task.calls))
    async with Kernel(work / "taubench.kernos", agents=[contract, pause], policies=ALLOW, active_max=AT_ONCE) as kernel:
        ended = asyncio.Event()
        doubts = asyncio.create_task(say_unknown(kernel, ended))
        await asyncio.gather(
            *(one(kernel, contract, task, outcomes) for task in tasks if task.task not in outcomes.tasks)
        )
        ended.set()
        await doubts
        if os.environ.get("TAUBENCH_RECONCILE"):
            await reconcile(kernel, work / "reconciled.json", 2 * timeout_ms)
    await http.close()


if __name__ == "__main__":
    gc.freeze()  # What was imported stays; looking through it again and again is no work of ours.
    asyncio.run(main())
