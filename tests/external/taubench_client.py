"""The client of taubench on kernos: one run of `taubench_task` for each task, its calls one after the other as actions.

Started by taubench's runner, killed by it at any moment, and started again on the same store. Where the service honours keys its tools
are `idempotent`; where it ignores them they are `once`, and a call in doubt ends the task as failed because nobody is there to look.
"""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from kernos import CallFailed, Context, Found, HttpService, Kernel, Limits, Retry, Run, ToolCall, agent, tool
from kernos.kernel.state import Phase
from kernos.vocabulary.contract import AgentContract, ToolContract
from kernos.vocabulary.outcome import Effect
from kernos.vocabulary.quantities import Json

PATIENT = Retry(attempts=100, first_delay_ms=20, delay_max_ms=400)
"""A hundred attempts: the whole process is killed some thirty times, and each kill may cost every call under way one."""

AT_ONCE = 16
"""Tasks worked on side by side: the service has a thread for each."""


class Call(BaseModel):
    op: str
    args: dict[str, Any]


class Task(BaseModel):
    task: str
    calls: list[Call]


class Request(BaseModel):
    """What a tool sends: the arguments of an operation, in the world of one task."""

    task: str
    args: dict[str, Any]


class Line(BaseModel):
    task: str
    status: str
    error: str = ""


class Outcomes:
    """The file of outcomes: each task's line stands in it once, whoever is killed when."""

    def __init__(self, path: Path) -> None:
        self._path = path
        if path.exists():
            whole = path.read_bytes()
            with path.open("r+b") as file:  # A line that was cut off was never acknowledged.
                file.truncate(whole.rfind(b"\n") + 1)

    def tasks(self) -> set[str]:
        if not self._path.exists():
            return set()
        return {json.loads(line)["task"] for line in self._path.read_text().splitlines()}

    def append(self, line: Line) -> None:
        with self._path.open("ab", buffering=0) as file:
            file.write(line.model_dump_json().encode() + b"\n")
            os.fsync(file.fileno())


def tool_name(op: str) -> str:
    return op.replace("/", ".")


def tools_of(ops: list[str], service: HttpService, effect: Effect, timeout_ms: int) -> list[ToolContract[Any, Any]]:
    """Make a tool of each operation."""

    def build(op: str) -> ToolContract[Any, Any]:
        @tool(tool_name(op), effect=effect, timeout_ms=timeout_ms, retry=PATIENT)
        async def perform(request: Request, call: ToolCall) -> dict[str, Any]:
            answer: Json = await service.post(f"/t/{request.task}/{op}", call=call, body=request.args)
            result: dict[str, Any] = json.loads(answer.text)
            return result

        return perform

    return [build(op) for op in ops]


def task_agent(ops: list[ToolContract[Any, Any]], outcomes: Outcomes) -> AgentContract[Task, str]:
    def look(line: Line, call: ToolCall) -> Found:
        return Found(line.task in outcomes.tasks(), "outcomes.jsonl", Json(b"null"))

    @tool("outcomes.append", effect="verifiable", look_up=look, retry=PATIENT)
    def append(line: Line) -> None:
        outcomes.append(line)

    by_name = {one.name: one for one in ops}

    @agent("taubench_task", tools=[*ops, append], limits=Limits(steps=200))
    async def taubench_task(ctx: Context, task: Task) -> str:
        line = Line(task=task.task, status="done")
        try:
            for call in task.calls:
                await ctx.call(by_name[tool_name(call.op)], Request(task=task.task, args=call.args))
        except CallFailed as failed:
            line = Line(task=task.task, status="failed", error=str(failed))
        await ctx.call(append, line)
        return line.status

    return taubench_task


async def say_unknown(kernel: Kernel, run: Run[str]) -> None:
    """Settle what is in doubt in a run as unknown: nobody watches a benchmark."""
    for name, step in (await run.state()).steps.items():
        if step.phase is Phase.DOUBTED:
            await kernel.settle(f"{run.id}.{name}", "unknown", "nobody watches a benchmark")


async def one(kernel: Kernel, contract: AgentContract[Task, str], task: Task) -> None:
    run = await kernel.start(contract, task, key=task.task, intent=f"task {task.task}")
    async for event in run.events():
        if type(event.data).__name__ == "ActionDoubted":
            await say_unknown(kernel, run)
    await run.result()


async def main() -> None:
    plan = json.loads(Path(os.environ["TAUBENCH_PLAN"]).read_text())
    work = Path(os.environ["TAUBENCH_WORKDIR"])
    timeout_ms = int(float(os.environ.get("TAUBENCH_TIMEOUT_S", "0.4")) * 1_000)
    effect = Effect.IDEMPOTENT if os.environ.get("TAUBENCH_KEYS") == "honour" else Effect.ONCE
    tasks = [Task.model_validate({"task": one["task"], "calls": one["calls"]}) for one in plan]
    ops = sorted({call.op for task in tasks for call in task.calls})
    outcomes = Outcomes(work / "outcomes.jsonl")
    finished = outcomes.tasks()
    service = HttpService(os.environ["TAUBENCH_URL"])
    contract = task_agent(tools_of(ops, service, effect, timeout_ms), outcomes)
    allow = "permit(principal, action, resource);"
    async with Kernel(work / "taubench.kernos", agents=[contract], policies=allow, active_max=AT_ONCE) as kernel:
        await asyncio.gather(*(one(kernel, contract, task) for task in tasks if task.task not in finished))
    await service.close()


if __name__ == "__main__":
    asyncio.run(main())
