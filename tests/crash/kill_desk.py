"""A small returns desk that is killed at every write: a read, an approved refund, a timer, a mail, a note by a child; and what it acknowledged.

`work` runs or resumes the cases of a store and writes one line for everything it was told is durable; `check` compares these lines
with the store afterwards.
"""

import asyncio
import hashlib
import json
import os
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel

from kernos import Context, Found, HttpService, Kernel, Label, Retry, ToolCall, agent, tool
from kernos.control.codec import decode_entry
from kernos.vocabulary.contract import AgentContract
from kernos.vocabulary.errors import NotAllowed
from kernos.vocabulary.events import ApprovalGranted, ApprovalRequested, RunCompleted
from kernos.vocabulary.ids import RunId
from tests.canaries import leaks_below

POLICY = """
@id("all") permit(principal, action == Action::"invoke", resource);
@id("open") permit(principal, action == Action::"open", resource) when { context.declared };
@id("alone") permit(principal, action == Action::"unattended", resource) unless { resource is shop::refund };
"""
SOON = Retry(attempts=20, first_delay_ms=1, delay_max_ms=10)


class Case(BaseModel):
    order: str
    customer: Annotated[str, Label("pii.name", subject="order")] = ""


class Order(BaseModel):
    order: str
    amount_cents: int


class Done(BaseModel):
    id: str


def contracts(url: str) -> list[AgentContract[Any, Any]]:
    """Declare the desk and its child over the shop at `url`."""
    shop = HttpService(url)

    async def act(op: str, body: BaseModel, call: ToolCall) -> Done:
        return Done.model_validate_json((await shop.post(f"/{op}", call=call, body=body.model_dump())).text)

    @tool("shop.order", effect="read", retry=SOON)
    async def look(case: Case) -> Order:
        return Order.model_validate_json((await shop.get(f"/order/{case.order}", call=None)).text)

    @tool("shop.refund", effect="idempotent", retry=SOON)
    async def refund(order: Order, call: ToolCall) -> Done:
        return await act("refund", order, call)

    async def find(case: Case, call: ToolCall) -> Found:
        found = json.loads((await shop.get(f"/mails/{call.key}", call=None)).text)
        result = mail.output.encode(Done(id=found[0]["id"])) if found else None
        return Found(bool(found), "the shop's list of mails", result)

    @tool("shop.mail", effect="verifiable", look_up=find, retry=SOON)
    async def mail(case: Case, call: ToolCall) -> Done:
        return await act("mail", case, call)

    @tool("shop.note", effect="idempotent", retry=SOON)
    async def note(case: Case, call: ToolCall) -> Done:
        return await act("note", case, call)

    @agent("clerk", tools=[note])
    async def clerk(ctx: Context, case: Case) -> str:
        return (await ctx.call(note, case)).id

    @agent("desk", tools=[look, refund, mail])
    async def desk(ctx: Context, case: Case) -> str:
        order = await ctx.call(look, case)
        await ctx.checkpoint("found", f"order {order.order} over {order.amount_cents} cents")
        paid = await ctx.call(refund, order)
        await ctx.sleep(0.002)
        await ctx.fork(lambda c: c.run(clerk, case), lambda c: c.call(mail, case))
        return paid.id

    return [desk, clerk]


def digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:16]


async def follow(kernel: Kernel, desk: AgentContract[Case, str], case: str, acknowledged: int) -> None:
    """Start a case or go on with it, say yes when it asks, and write down whatever is acknowledged."""

    def say(*words: str) -> None:
        os.write(acknowledged, f"{' '.join(words)}\n".encode())

    run = await kernel.start(desk, Case(order=case, customer=f"Zephyrine Quetzalcoatl of {case}"), key=case)
    say("started", run.id, "-")
    async for event in run.events():
        entry = (await kernel.journal.read(run.id, event.n - 1))[0]
        say("event", run.id, str(event.n), digest(entry.body))
        if isinstance(event.data, ApprovalRequested):
            try:
                await kernel.approve(f"{run.id}.{event.data.step}", by="person:ana")
            except NotAllowed:
                continue  # Answered before the kill, and acted on already.
            say("approved", run.id, event.data.step)
    say("ended", run.id, await run.result())


async def work(folder: Path, url: str, cases: list[str]) -> None:
    """Bring every case to its end."""
    desk, clerk = contracts(url)
    acknowledged = os.open(folder / "acknowledged", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    async with Kernel(folder / "desk.kernos", agents=[desk, clerk], policies=POLICY) as kernel:
        await asyncio.gather(*(follow(kernel, desk, case, acknowledged) for case in cases))
    os.close(acknowledged)


async def check(folder: Path) -> list[str]:
    """Return what is wrong with the store: acknowledged things it lost, runs that did not end, findings of the tree."""
    wrong = leaks_below(folder)
    async with Kernel(folder / "desk.kernos", works=False) as kernel:
        for line in (folder / "acknowledged").read_text().splitlines():
            what, run, *rest = line.split(" ")
            entries = await kernel.journal.read(RunId(run))
            kept = [decode_entry(entry).data for entry in entries]
            match what:
                case "started":
                    held = bool(entries)
                case "event":
                    held = int(rest[0]) < len(entries) and digest(entries[int(rest[0])].body) == rest[1]
                case "approved":
                    held = any(isinstance(one, ApprovalGranted) and one.step == rest[0] for one in kept)
                case _:
                    held = any(
                        isinstance(one, RunCompleted) and one.output.text.decode() == f'"{rest[0]}"' for one in kept
                    )
            if not held:
                wrong.append(f"acknowledged and lost: {line}")
        wrong += [
            f"stuck: run {row['run']} is {row['status']}" for row in await kernel.runs() if row["status"] != "completed"
        ]
        wrong += [f"found: {one.message}" for one in (await kernel.journal.verify(lambda done, of_all: None)).findings]
    return wrong
