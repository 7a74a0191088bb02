"""Calls of tools under caps: counted as calls and money, held with the intent, and settled with what they did cost."""

import asyncio
from typing import Any

import pytest
from pydantic import BaseModel

from kernos import Budget, CallFailed, Context, Cost, Retry, ToolCall, ToolFailed, agent, tool
from kernos.authoring.codec import codec_of
from kernos.control.codec import decode_entry
from kernos.control.projections import TABLES
from kernos.control.record import record_of
from kernos.control.reenact import reenact
from kernos.control.replay import compare, rebuild
from kernos.execution.worker import InProcessWorker
from kernos.testing import VirtualKernel, run_virtually
from kernos.testing.storage import MemoryDisk, MemoryJournal
from kernos.vocabulary.budget import BudgetReserved, BudgetSpent
from kernos.vocabulary.contract import ToolContract
from kernos.vocabulary.errors import BadDeclaration
from kernos.vocabulary.events import ActionIntended

ALLOW = "permit (principal, action, resource);"
ASK_FIRST = 'permit (principal, action == Action::"invoke", resource);'


class Order(BaseModel):
    name: str
    price: int = 0


class Bill(BaseModel):
    cost: int


class Plain(BaseModel):
    text: str


ANSWERS: list[Any] = []


async def answer() -> Bill:
    given = ANSWERS.pop(0) if ANSWERS else Bill(cost=100)
    if isinstance(given, Exception):
        raise given
    assert isinstance(given, Bill)
    return given


@tool("shop.buy", effect="idempotent", cost=Cost(300, reported="cost"))
async def buy(order: Order) -> Bill:
    return await answer()


@tool("shop.ask", effect="read", cost=Cost(300, reported="cost"), retry=Retry(attempts=2, first_delay_ms=10))
async def ask(order: Order) -> Bill:
    return await answer()


@tool("shop.pay", effect="once", cost=Cost(argument="price"))
async def pay(order: Order) -> Bill:
    return await answer()


@tool("shop.free", effect="idempotent", cost=0)
async def free(order: Order) -> Bill:
    return await answer()


@tool("shop.unpriced", effect="idempotent")
async def unpriced(order: Order) -> Bill:
    return await answer()


TOOLS = {one.name: one for one in (buy, ask, pay, free, unpriced)}


@agent("shopper", tools=list(TOOLS.values()))
async def shopper(ctx: Context, calls: list[str]) -> list[str]:
    said = []
    for call in calls:
        name, _, price = call.partition(" ")
        try:
            await ctx.call(TOOLS[f"shop.{name}"], Order(name=name, price=int(price or 0)))
            said.append("done")
        except CallFailed as failed:
            said.append(failed.failure)
    return said


async def used(kernel: VirtualKernel) -> dict[str, tuple[int, int]]:
    rows = await kernel.journal.select("accounts", {})
    return {str(row["unit"]): (int(row["used"] or 0), int(row["reserved"] or 0)) for row in rows}


def shopping(
    calls: list[str], budget: Budget, answers: tuple[Any, ...] = ()
) -> tuple[list[str], dict[str, tuple[int, int]]]:
    found: list[Any] = []
    ANSWERS[:] = answers

    async def live() -> None:
        async with VirtualKernel(shopper, policies=ALLOW) as kernel:
            run = await kernel.start(shopper, calls, budget=budget)
            found.append(await run.result())
            found.append(await used(kernel))
            rebuilt = MemoryJournal(MemoryDisk(TABLES), kernel.clock)
            await rebuild(kernel.journal, rebuilt, lambda _: None)
            assert await compare(kernel.journal, rebuilt) == []
            record = record_of([decode_entry(entry) for entry in await kernel.journal.read(run.id)])
            assert (await reenact(record, shopper, InProcessWorker({}, codec_of))).difference is None

    run_virtually(live())
    return found[0], found[1]


@pytest.mark.parametrize("name", ["buy", "ask"])
def test_a_call_is_held_with_the_most_it_can_cost_and_settled_with_what_it_did(name: str) -> None:
    said, accounts = shopping([name, name], Budget(microusd=450, calls=9), (Bill(cost=150), Bill(cost=40)))
    assert said == ["done", "done"]
    assert accounts == {"microusd": (190, 0), "calls": (2, 0)}
    said, accounts = shopping([name, name], Budget(microusd=450), (Bill(cost=151),))
    assert said == ["done", "over_budget"]
    assert accounts == {"microusd": (151, 0)}


def test_a_cost_can_stand_in_an_argument() -> None:
    said, accounts = shopping(["pay 400", "pay 101", "pay 100", "pay -1"], Budget(microusd=500))
    assert said == ["done", "over_budget", "done", "over_budget"]
    assert accounts == {"microusd": (500, 0)}


def test_a_tool_without_a_price_is_not_called_where_money_is_capped() -> None:
    assert shopping(["unpriced"], Budget(microusd=500)) == (["over_budget"], {})
    assert shopping(["unpriced", "free"], Budget(calls=1)) == (["done", "over_budget"], {"calls": (1, 0)})
    assert shopping(["free"], Budget(microusd=0)) == (["done"], {})


def test_a_call_that_was_refused_costs_nothing_and_one_that_nobody_saw_costs_all() -> None:
    no, lost = ToolFailed.final("no"), ToolFailed.unknown("lost")
    budget = Budget(microusd=1_000, calls=9)
    assert shopping(["buy"], budget, (no,))[1] == {"microusd": (0, 0), "calls": (1, 0)}
    assert shopping(["ask"], budget, (no,))[1] == {"microusd": (0, 0), "calls": (1, 0)}
    assert shopping(["ask"], budget, (lost, Bill(cost=50)))[1] == {"microusd": (350, 0), "calls": (2, 0)}
    assert shopping(["ask"], budget, (lost, lost))[1] == {"microusd": (600, 0), "calls": (2, 0)}
    wrong = Bill(cost=-4)
    assert shopping(["buy"], budget, (wrong,))[1] == {"microusd": (300, 0), "calls": (1, 0)}
    more = Bill(cost=999)
    assert shopping(["buy"], budget, (more,))[1] == {"microusd": (999, 0), "calls": (1, 0)}


def test_an_action_that_is_tried_again_under_its_key_is_held_once() -> None:
    said, accounts = shopping(["buy"], Budget(microusd=300, calls=1), (ToolFailed.unknown("lost"), Bill(cost=7)))
    assert (said, accounts) == (["done"], {"microusd": (7, 0), "calls": (1, 0)})


@pytest.mark.parametrize("verdict", ["done", "not_done", "unknown"])
def test_an_action_in_doubt_stays_held_until_a_person_settles_it(verdict: str) -> None:
    async def live() -> None:
        ANSWERS[:] = [ToolFailed.unknown("lost")]
        async with VirtualKernel(shopper, policies=ALLOW) as kernel:
            run = await kernel.start(shopper, ["pay 400"], budget=Budget(microusd=500))
            await moment(0.1)
            assert await used(kernel) == {"microusd": (400, 400)}
            (doubt,) = await kernel.actions(status="in_doubt")
            await kernel.settle(f"{run.id}.{doubt['step']}", verdict, "looked", result={"cost": 5}, by="person:ana")
            await run.result()
            datas = [decode_entry(entry).data for entry in await kernel.journal.read(run.id)]
            assert len([data for data in datas if isinstance(data, BudgetSpent)]) == 1
            assert (await used(kernel))["microusd"] == (400, 0)

    run_virtually(live())


def test_an_action_that_was_not_done_and_is_over_gives_back_what_was_held() -> None:
    async def live() -> None:
        ANSWERS[:] = [ToolFailed.unknown("lost")]
        async with VirtualKernel(shopper, policies=ALLOW) as kernel:
            run = await kernel.start(shopper, ["pay 400"], budget=Budget(microusd=500, calls=3))
            await moment(0.1)
            await kernel.cancel(run.id, "not needed")
            assert await used(kernel) == {"microusd": (400, 400), "calls": (1, 1)}
            (doubt,) = await kernel.actions(status="in_doubt")
            await kernel.settle(f"{run.id}.{doubt['step']}", "not_done", "looked", by="person:ana")
            assert await used(kernel) == {"microusd": (0, 0), "calls": (1, 0)}

    run_virtually(live())


def test_an_action_that_needs_a_yes_is_held_when_it_is_made_and_forgone_without_room() -> None:
    async def live() -> None:
        for budget, answer in ((Budget(calls=1), "done"), (Budget(calls=0), "over_budget")):
            async with VirtualKernel(shopper, policies=ASK_FIRST) as kernel:
                run = await kernel.start(shopper, ["pay 4"], budget=budget)
                await moment(0.1)
                assert await used(kernel) == {}
                (wait,) = await kernel.waiting(kind="approval")
                await kernel.approve(f"{run.id}.{wait['step']}", by="person:ana")
                assert await run.result() == [answer]
                kinds = [type(decode_entry(entry).data) for entry in await kernel.journal.read(run.id)]
                assert (ActionIntended in kinds) is (BudgetReserved in kinds) is (answer == "done")

    run_virtually(live())


def test_after_a_crash_in_mid_call_the_same_reservation_goes_on() -> None:
    async def live() -> None:
        disk = MemoryDisk(TABLES)
        stuck = asyncio.Event()

        @tool("shop.buy", effect="idempotent", cost=300)
        async def slow(order: Order, call: ToolCall) -> Bill:
            if call.attempt == 1:
                await stuck.wait()
            return Bill(cost=1)

        @agent("shopper", tools=[slow])
        async def buyer(ctx: Context, calls: list[str]) -> list[str]:
            await ctx.call(slow, Order(name="x"))
            return ["done"]

        first = VirtualKernel(buyer, policies=ALLOW, store=disk)
        await first.__aenter__()
        run = await first.start(buyer, [], budget=Budget(microusd=300, calls=1))
        await moment(1)
        assert await used(first) == {"microusd": (300, 300), "calls": (1, 1)}
        await first.die()
        async with VirtualKernel(buyer, policies=ALLOW, store=disk) as second:
            assert await (await second.run(run.id)).result() == ["done"]
            assert await used(second) == {"microusd": (300, 0), "calls": (1, 0)}

    run_virtually(live())


@pytest.mark.parametrize(
    "cost", [-1, 10**16, Cost(), Cost(3, argument="price"), Cost(3, reported="none"), Cost(argument="no")]
)
def test_a_cost_that_could_never_be_told_is_refused(cost: Any) -> None:
    with pytest.raises(BadDeclaration, match="cost"):

        @tool("shop.wrong", effect="read", cost=cost)
        async def wrong(order: Order) -> Plain:
            return Plain(text="")


def test_a_declared_cost_stands_in_the_contract() -> None:
    assert isinstance(buy, ToolContract)
    assert (buy.cost, free.cost, unpriced.cost) == (Cost(300, reported="cost"), Cost(0), None)


async def moment(seconds: float) -> None:
    passed = asyncio.Event()
    asyncio.get_running_loop().call_later(seconds, passed.set)
    await passed.wait()
