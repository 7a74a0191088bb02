"""A shop whose agents wait for room under a cap, and what tests see of it. For test_room.py and test_room_ends.py."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from kernos import CallFailed, Context, Cost, agent, tool
from kernos.app.spending import Spending
from kernos.authoring.codec import codec_of
from kernos.control.codec import decode_entry
from kernos.control.projections import TABLES
from kernos.control.record import record_of
from kernos.control.reenact import reenact
from kernos.control.replay import compare, rebuild
from kernos.execution.worker import InProcessWorker
from kernos.testing import VirtualKernel
from kernos.testing.storage import MemoryDisk, MemoryJournal
from kernos.vocabulary.budget import Cap, Caps, Over, Unit
from kernos.vocabulary.ids import RunId

DAY_MS = 86_400_000


class Order(BaseModel):
    name: str
    price: int


class Receipt(BaseModel):
    charged: int


class Reading(BaseModel):
    words: int


DONE: list[str] = []
GATES: dict[str, asyncio.Event] = {}


@tool("shop.buy", effect="idempotent", cost=Cost(argument="price", reported="charged"))
async def buy(order: Order) -> Receipt:
    if order.name in GATES:
        await GATES[order.name].wait()
    DONE.append(order.name)
    return Receipt(charged=order.price // 2 if order.name.startswith("half") else order.price)


@tool("shop.look", effect="read", cost=Cost(argument="price"))
async def look(order: Order) -> Receipt:
    DONE.append(order.name)
    return Receipt(charged=order.price)


async def shops(ctx: Context, order: Order) -> str:
    try:
        await ctx.call(look if order.name.startswith("look") else buy, order)
    except CallFailed as failed:
        return f"{failed.failure}: {failed}"
    return "done"


@agent("patient", tools=[buy, look], without_room="wait")
async def patient(ctx: Context, order: Order) -> str:
    return await shops(ctx, order)


@agent("hurried", tools=[buy, look])
async def hurried(ctx: Context, order: Order) -> str:
    return await shops(ctx, order)


@agent("an_hour", tools=[buy, look], without_room="wait", room_wait_ms=3_600_000)
async def an_hour(ctx: Context, order: Order) -> str:
    return await shops(ctx, order)


@agent("asks", without_room="wait")
async def asks(ctx: Context, text: str) -> int:
    return (await ctx.model("count", text, Reading, completion_tokens_max=50)).words


AGENTS = (patient, hurried, an_hour)
CAPS = Caps((Cap(Over.STORE, Unit.MICROUSD, 100),))


def shop(caps: Caps = CAPS, **more: Any) -> VirtualKernel:
    DONE.clear()
    GATES.clear()
    return VirtualKernel(*AGENTS, budgets=caps, **more)


async def raised(kernel: VirtualKernel, amount: int) -> None:
    await Spending(kernel).raise_cap(Over.STORE, "", Unit.MICROUSD, amount, reason="it goes on", by="person:ana")


async def waiting(kernel: VirtualKernel, count: int) -> Sequence[Mapping[str, object]]:
    """Return what waits for room once so many runs wait and have left memory."""
    while True:
        rows = await kernel.waiting(kind="room")
        parked = await kernel.runs(status="waiting")
        if len(rows) == len(parked) == count:
            return rows
        await asyncio.sleep(0.01)


async def events_of(kernel: VirtualKernel, run: RunId) -> list[object]:
    return [decode_entry(entry).data for entry in await kernel.journal.read(run)]


async def check_books(kernel: VirtualKernel, run: RunId, agent: Any) -> None:
    """Check that projections rebuilt are equal, and that the run's code, run again from the record, does the same."""
    rebuilt = MemoryJournal(MemoryDisk(TABLES), kernel.clock)
    await rebuild(kernel.journal, rebuilt, lambda _: None)
    assert await compare(kernel.journal, rebuilt) == []
    record = record_of([decode_entry(entry) for entry in await kernel.journal.read(run)])
    assert (await reenact(record, agent, InProcessWorker({}, codec_of))).difference is None
