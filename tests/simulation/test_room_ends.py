"""Waits for room that end without: by time, a cancellation, a stop, a branch given up, a person; none keeps room from others then."""

import asyncio
from dataclasses import replace

import pytest

from kernos import Context, agent
from kernos.testing import VirtualKernel, run_virtually
from kernos.testing.policy import AllowAll
from kernos.vocabulary.budget import Cap, Caps, Over, Unit
from kernos.vocabulary.errors import RunDidNotComplete
from kernos.vocabulary.gate import Answer, Decision, Request
from kernos.vocabulary.room import RoomForgone, RoomFound
from tests.simulation.line_shop import (
    CAPS,
    DONE,
    GATES,
    Order,
    an_hour,
    buy,
    check_books,
    events_of,
    patient,
    raised,
    shop,
    waiting,
)


def test_the_longest_wait_ends_it_and_the_call_fails_then() -> None:
    async def live() -> None:
        async with shop() as kernel:
            at = kernel.clock.now()
            run = await kernel.start(an_hour, Order(name="a", price=150))
            result = await run.result()
            assert result.startswith("over_budget: ")
            assert "it waited for room as long as it may" in result
            assert 3_600_000 <= kernel.clock.now() - at < 3_601_000
            assert [data for data in await events_of(kernel, run.id) if isinstance(data, RoomForgone)]
            assert not await kernel.waiting(kind="room")
            await check_books(kernel, run.id, an_hour)

    run_virtually(live())


def test_a_cancellation_ends_the_wait_and_lets_the_next_one_have_its_turn() -> None:
    async def live() -> None:
        async with shop() as kernel:
            GATES["half"] = asyncio.Event()
            first = await kernel.start(patient, Order(name="half", price=90))
            await asyncio.sleep(1)
            large = await kernel.start(patient, Order(name="large", price=50))
            await asyncio.sleep(1)
            small = await kernel.start(patient, Order(name="small", price=5))
            await asyncio.sleep(1)
            await kernel.cancel(large.id, "not any more", by="person:ana")
            with pytest.raises(RunDidNotComplete):
                await large.result()
            assert await small.result() == "done"
            GATES["half"].set()
            await first.result()
            assert DONE == ["small", "half"]
            assert not await kernel.waiting(kind="room")

    run_virtually(live())


def test_the_deadline_of_the_run_ends_the_wait() -> None:
    async def live() -> None:
        async with shop(Caps((Cap(Over.RUN, Unit.MICROUSD, 100),))) as kernel:
            run = await kernel.start(patient, Order(name="a", price=150))
            with pytest.raises(RunDidNotComplete, match="deadline"):
                await run.result()
            assert not await kernel.waiting(kind="room")
            assert DONE == []

    run_virtually(live())


def test_a_stopped_run_takes_no_room_and_keeps_nobody_back_until_the_stop_is_lifted() -> None:
    async def live() -> None:
        async with shop() as kernel:
            first = await kernel.start(patient, Order(name="a", price=150))
            await waiting(kernel, 1)
            second = await kernel.start(an_hour, Order(name="b", price=150))
            await waiting(kernel, 2)
            await kernel.stop("agent", "patient", reason="look at it", by="person:ana")
            await raised(kernel, 150)
            assert await second.result() == "done"
            await raised(kernel, 300)
            await asyncio.sleep(60)
            assert DONE == ["b"]
            assert RoomFound not in [type(data) for data in await events_of(kernel, first.id)]
            await kernel.go("agent", "patient", reason="it is well", by="person:ana")
            assert await first.result() == "done"

    run_virtually(live())


def test_a_branch_that_is_given_up_waits_no_more() -> None:
    @agent("races", tools=[buy], without_room="wait")
    async def races(ctx: Context, order: Order) -> str:
        async def slow(c: Context) -> str:
            await c.call(buy, order)
            return "bought"

        async def fast(c: Context) -> str:
            await c.sleep(5)
            return "slept"

        (said,) = await ctx.fork(slow, fast, take=1)
        await ctx.sleep(60)
        return said

    async def live() -> None:
        DONE.clear()
        async with VirtualKernel(races, budgets=CAPS) as kernel:
            run = await kernel.start(races, Order(name="a", price=150))
            await asyncio.sleep(20)
            assert not await kernel.waiting(kind="room")
            await raised(kernel, 200)
            assert await run.result() == "slept"
            assert DONE == []
            await check_books(kernel, run.id, races)

    run_virtually(live())


class Wavering(AllowAll):
    """Allows everything, and one day asks a person before each purchase."""

    asks = False

    def decide(self, request: Request) -> Decision:
        asks = self.asks and request.tool == "shop.buy"
        return replace(super().decide(request), answer=Answer.ASK) if asks else super().decide(request)


def test_a_turn_that_ends_at_a_person_keeps_no_room_from_others() -> None:
    async def live() -> None:
        policy = Wavering()
        async with shop(policies=policy) as kernel:
            first = await kernel.start(patient, Order(name="a", price=150))
            await waiting(kernel, 1)
            second = await kernel.start(patient, Order(name="look", price=150))
            await waiting(kernel, 2)
            policy.asks = True
            await raised(kernel, 150)
            assert await second.result() == "done"
            (row,) = await kernel.waiting(kind="approval")
            assert row["run"] == first.id
            await raised(kernel, 300)
            await kernel.approve(first.id, by="person:ana")
            assert await first.result() == "done"
            assert DONE == ["look", "a"]

    run_virtually(live())


@agent("busy", tools=[buy], without_room="wait")
async def busy(ctx: Context, order: Order) -> str:
    async def holds(c: Context) -> None:
        await c.call(buy, Order(name="gate", price=0))

    async def buys(c: Context) -> None:
        await c.sleep(5)
        await c.call(buy, order)

    await ctx.fork(holds, buys)
    return "done"


@pytest.mark.parametrize("is_stopped", [False, True])
def test_room_belongs_to_whose_turn_has_come_unless_a_stop_holds_for_them(is_stopped: bool) -> None:
    async def live() -> None:
        DONE.clear()
        GATES.clear()
        async with VirtualKernel(patient, busy, budgets=CAPS, active_max=1) as kernel:
            first = await kernel.start(patient, Order(name="first", price=150))
            await waiting(kernel, 1)
            GATES["gate"] = asyncio.Event()
            second = await kernel.start(busy, Order(name="second", price=100))
            await asyncio.sleep(1)
            await raised(kernel, 150)  # It is the turn of the first, which cannot go on while the second runs.
            await asyncio.sleep(1)
            assert RoomFound in [type(data) for data in await events_of(kernel, first.id)]
            if is_stopped:
                await kernel.stop("agent", "patient", reason="look at it", by="person:ana")
            await asyncio.sleep(10)
            GATES["gate"].set()
            await asyncio.sleep(60)
            assert (["second", "gate"] if is_stopped else ["gate", "first"]) == DONE
            if is_stopped:
                await kernel.go("agent", "patient", reason="it is well", by="person:ana")
            assert [await first.result(), await second.result()] == ["done", "done"]

    run_virtually(live())
