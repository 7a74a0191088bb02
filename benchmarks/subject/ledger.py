"""kernos at the services of `ledger_service`. Phases: `act` (runs of ten calls, `--first` numbers the first of them) and `compare`.

A run charges four times, mails three times and opens three tickets, each time with the same arguments: "there is one already" and "there is one
more than before" must be told apart. `compare` lays the services' ledger beside the account of every action in the journal.
"""

import argparse
import asyncio
import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import apsw
from pydantic import BaseModel

from benchmarks.measure import STEPS_A_RUN, cpu_ms, in_tasks, report
from benchmarks.subject.ledger_service import LEDGER
from kernos import Context, Found, HttpService, Kernel, Retry, ToolCall, agent, tool
from kernos.app.account import Account, accounts_of
from kernos.app.records import Records
from kernos.vocabulary.contract import AgentContract
from kernos.vocabulary.quantities import Json

AT_ONCE = 64
_TIMEOUT_MS = 4_000
"""Above the longest delay that the services take over an answer that they give."""
_LATE_MS = 500
"""What was sent may still arrive that long after its connection broke."""
_PATIENT = Retry(attempts=20, first_delay_ms=50, delay_max_ms=1_000)
_STORE = "ledger.kernos"
_ALLOW = "permit(principal, action, resource);"


class Order(BaseModel):
    number: int


class Act(BaseModel):
    subject: str


class Numbers(BaseModel):
    numbers: list[int]


def clerk_of(honours: HttpService, ignores: HttpService) -> AgentContract[Order, None]:
    """Return the agent with its three tools."""

    async def send(service: HttpService, path: str, act: Act, call: ToolCall) -> Numbers:
        return _numbers(await service.post(path, call=call, body=act.model_dump()))

    @tool("charges", effect="idempotent", timeout_ms=_TIMEOUT_MS, retry=_PATIENT)
    async def charge(act: Act, call: ToolCall) -> Numbers:
        return await send(honours, "/charges", act, call)

    async def is_sent(act: Act, call: ToolCall) -> Found:
        found = await ignores.get("/mails", call=call, query={"key": call.key})
        return Found(bool(_numbers(found).numbers), "the list of mails by key", found)

    @tool("mails", effect="verifiable", look_up=is_sent, late_ms=_LATE_MS, timeout_ms=_TIMEOUT_MS, retry=_PATIENT)
    async def mail(act: Act, call: ToolCall) -> Numbers:
        return await send(ignores, "/mails", act, call)

    async def listed(act: Act, call: ToolCall) -> list[int]:
        return _numbers(await ignores.get("/tickets", call=call, query={"subject": act.subject})).numbers

    async def one_more(act: Act, call: ToolCall, before: list[int]) -> Found:
        new = [number for number in await listed(act, call) if number not in before]
        return Found(bool(new), f"{len(new)} more than before", Json(json.dumps({"numbers": new}).encode()))

    @tool(
        "tickets",
        effect="verifiable",
        observe=listed,
        look_up=one_more,
        late_ms=_LATE_MS,
        timeout_ms=_TIMEOUT_MS,
        retry=_PATIENT,
    )
    async def ticket(act: Act, call: ToolCall) -> Numbers:
        return await send(ignores, "/tickets", act, call)

    @agent("clerk", tools=[charge, mail, ticket])
    async def clerk(ctx: Context, order: Order) -> None:
        await ctx.checkpoint("taken", f"order {order.number} is taken")
        for n in range(STEPS_A_RUN):
            await ctx.call((charge, mail, ticket)[n % 3], Act(subject=f"order {order.number}"))

    return clerk


def _numbers(answer: Json) -> Numbers:
    return Numbers.model_validate_json(answer.text)


async def act(folder: Path, services: dict[str, str], first: int, runs: int) -> None:
    """Make the runs and report what they took, from opening the store to the last answer."""
    start, spent_ms = time.perf_counter(), cpu_ms()
    honours, ignores = HttpService(services["honours"]), HttpService(services["ignores"])
    clerk = clerk_of(honours, ignores)
    orders = iter(range(first, first + runs))
    async with Kernel(folder / _STORE, agents=[clerk], policies=_ALLOW) as kernel:

        async def make_run() -> None:
            number = next(orders)
            run = await kernel.start(clerk, Order(number=number), intent=f"order {number}", key=str(number))
            await run.result()

        await in_tasks(make_run, runs, min(runs, AT_ONCE))
    await honours.close()
    await ignores.close()
    report({"seconds": time.perf_counter() - start, "cpu_ms": cpu_ms() - spent_ms})


async def compare(folder: Path) -> None:
    """Lay both accounts side by side; report how many effects and intents there are, and how many of them have no fellow."""
    intents: dict[str, Account] = {}
    with Records(folder / _STORE) as records:
        for run in list(records.runs()):
            found = accounts_of(await records.events(run))
            intents |= {one.key: one for one in found.values() if one.kind == "action"}
    ledger = apsw.Connection(str(folder / LEDGER), flags=apsw.SQLITE_OPEN_READONLY)
    effects = list(ledger.execute("SELECT id, what, args, key, agent, run, intent, checkpoint, trace FROM effects"))
    times = Counter(effect[3] for effect in effects)
    report(
        {
            "intents": len(intents),
            "effects": len(effects),
            "doubled": sum(count - 1 for count in times.values()),
            "lost": sum(key not in times for key in intents),
            "unintended": sum(not _is_meant(intents.get(effect[3]), effect) for effect in effects),
            "bare": sum(not all(effect[3:]) for effect in effects),
            "unfinished": sum(one.state != "performed" for one in intents.values()),
            "misreported": sum(_is_misreported(intents.get(effect[3]), effect[0]) for effect in effects),
            "attempts": sum(len(one.attempts) for one in intents.values()),
            "look_ups": sum(len(one.look_ups) for one in intents.values()),
        }
    )


def _is_meant(intent: Account | None, effect: tuple[Any, ...]) -> bool:
    """Tell whether an effect is what was intended: the same tool with the same arguments, by the same run."""
    _, what, args, _, _, run, *_ = effect
    return intent is not None and (intent.tool, intent.args, intent.run) == (what, json.loads(args), run)


def _is_misreported(intent: Account | None, number: int) -> bool:
    """Tell whether the answer that is recorded for an action is not the service's."""
    return intent is not None and intent.state == "performed" and intent.result != {"numbers": [number]}


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("phase", choices=["act", "compare"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--services", type=json.loads, default={})
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--runs", type=int, default=0)
    given = parser.parse_args()
    asyncio.run(
        act(given.folder, given.services, given.first, given.runs) if given.phase == "act" else compare(given.folder)
    )
