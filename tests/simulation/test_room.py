"""Runs that wait for room under a cap: what wakes them, in which order, and that no cap is ever exceeded by them."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernos import Budget, Kernel, agent
from kernos.app.cli.foreground import waits
from kernos.app.spending import Spending
from kernos.app.story import tell
from kernos.control.codec import decode_entry
from kernos.control.projections import TABLES
from kernos.testing import VirtualKernel, run_virtually
from kernos.testing.storage import MemoryDisk
from kernos.vocabulary.budget import BudgetReserved, Cap, Caps, Over, Unit
from kernos.vocabulary.errors import BadDeclaration
from kernos.vocabulary.room import RoomAwaited, RoomFound
from tests.simulation.line_shop import (
    AGENTS,
    CAPS,
    DAY_MS,
    DONE,
    GATES,
    Order,
    asks,
    check_books,
    events_of,
    hurried,
    patient,
    raised,
    shop,
    shops,
    waiting,
)


@pytest.mark.parametrize("name", ["buy", "look"])
def test_a_call_without_room_waits_for_a_raise_and_is_made_then(name: str) -> None:
    async def live() -> None:
        async with shop() as kernel:
            run = await kernel.start(patient, Order(name=name, price=150))
            (row,) = await waiting(kernel, 1)
            assert (row["run"], row["kind"], row["subject"]) == (run.id, "room", f"shop.{name}")
            assert kernel.engine.shared.line._runs
            assert not len(kernel.engine._sessions), "it holds memory while it waits"
            await raised(kernel, 120)  # Not enough.
            assert await waiting(kernel, 1)
            await raised(kernel, 150)
            assert await run.result() == "done"
            assert [name] == DONE
            kinds = [type(data) for data in await events_of(kernel, run.id)]
            assert kinds.count(RoomAwaited) == kinds.count(RoomFound) == 1
            assert kinds.index(RoomFound) < kinds.index(BudgetReserved)
            assert not await kernel.waiting(kind="room")
            await check_books(kernel, run.id, patient)

    run_virtually(live())


def test_what_a_run_waits_for_is_shown_with_the_command_that_makes_room() -> None:
    async def live() -> None:
        async with shop() as kernel:
            run = await kernel.start(patient, Order(name="a", price=150))
            await waiting(kernel, 1)
            (wait,) = await waits(kernel, run.id)
            assert "room for shop.buy" in wait.text()
            assert "kernos budget raise store microusd AMOUNT" in wait.text()
            assert "a person who administers" in wait.text()
            events = [decode_entry(entry) for entry in await kernel.journal.read(run.id)]
            assert any("waits for room for shop.buy: " in sentence for _, sentence in tell(events).happened)

    run_virtually(live())


def test_a_model_call_waits_as_well() -> None:
    async def live() -> None:
        caps = Caps((Cap(Over.STORE, Unit.CALLS, 0),))
        async with VirtualKernel(asks, replies=[{"words": 3}], budgets=caps) as kernel:
            run = await kernel.start(asks, "one two three")
            (row,) = await waiting(kernel, 1)
            assert row["subject"] == "default"
            assert kernel.model.requests == []
            await Spending(kernel).raise_cap(Over.STORE, "", Unit.CALLS, 1, reason="why", by="person:ana")
            assert await run.result() == 3
            await check_books(kernel, run.id, asks)

    run_virtually(live())


def test_a_waiting_run_goes_on_when_the_next_day_begins() -> None:
    async def live() -> None:
        async with shop() as kernel:
            first = await kernel.start(patient, Order(name="a", price=80))
            assert await first.result() == "done"
            second = await kernel.start(patient, Order(name="b", price=80))
            await waiting(kernel, 1)
            day = kernel.clock.now() // DAY_MS
            assert await second.result() == "done"
            assert kernel.clock.now() // DAY_MS == day + 1
            assert kernel.clock.now() % DAY_MS < 1_000

    run_virtually(live())


def test_a_waiting_run_goes_on_when_a_call_under_way_gives_back_what_it_did_not_use() -> None:
    async def live() -> None:
        async with shop() as kernel:
            GATES["half"] = asyncio.Event()
            first = await kernel.start(patient, Order(name="half", price=100))
            await asyncio.sleep(1)
            second = await kernel.start(patient, Order(name="b", price=50))
            await asyncio.sleep(1)
            assert await kernel.waiting(kind="room")
            assert DONE == []
            at = kernel.clock.now()
            GATES["half"].set()
            assert [await first.result(), await second.result()] == ["done", "done"]
            assert kernel.clock.now() - at < 1_000
            assert DONE == ["half", "b"]

    run_virtually(live())


def test_runs_go_on_in_the_order_in_which_they_began_to_wait() -> None:
    async def live() -> None:
        async with shop() as kernel:
            runs = []
            for name in "abcdef":
                runs.append(await kernel.start(patient, Order(name=name, price=101)))
                await waiting(kernel, len(runs))
            for count in range(1, 7):
                await raised(kernel, 101 * count)
                await waiting(kernel, 6 - count)
                assert list("abcdef")[:count] == DONE
            assert [await run.result() for run in runs] == ["done"] * 6
            for run in runs:  # No run was woken in vain.
                assert [type(data) for data in await events_of(kernel, run.id)].count(RoomFound) == 1

    run_virtually(live())


def test_a_small_call_does_not_overtake_one_that_waits_for_what_a_call_under_way_gives_back() -> None:
    async def live() -> None:
        async with shop() as kernel:
            GATES["half"] = asyncio.Event()
            first = await kernel.start(patient, Order(name="half", price=90))
            await asyncio.sleep(1)
            large = await kernel.start(patient, Order(name="large", price=50))
            await asyncio.sleep(1)
            small = await kernel.start(patient, Order(name="small", price=5))
            await asyncio.sleep(1)
            assert DONE == []
            assert len(await kernel.waiting(kind="room")) == 2
            GATES["half"].set()
            assert [await run.result() for run in (first, large, small)] == ["done"] * 3
            assert DONE == ["half", "large", "small"]

    run_virtually(live())


def test_one_that_only_a_raise_helps_keeps_nobody_back() -> None:
    async def live() -> None:
        async with shop() as kernel:
            await kernel.start(patient, Order(name="large", price=500))
            await waiting(kernel, 1)
            at = kernel.clock.now()
            small = await kernel.start(patient, Order(name="small", price=5))
            assert await small.result() == "done"
            assert kernel.clock.now() - at < 1_000
            assert DONE == ["small"]

    run_virtually(live())


def test_without_the_word_a_call_without_room_fails_as_before() -> None:
    async def live() -> None:
        async with shop() as kernel:
            run = await kernel.start(hurried, Order(name="a", price=150))
            assert (await run.result()).startswith("over_budget: ")
            assert not [data for data in await events_of(kernel, run.id) if isinstance(data, RoomAwaited)]

    run_virtually(live())


def test_a_kernel_that_dies_while_runs_wait_goes_on_with_them_in_order() -> None:
    async def live() -> None:
        disk = MemoryDisk(TABLES)
        kernel = shop(store=disk)
        await kernel.__aenter__()
        names = []
        for name in "abc":
            names.append((await kernel.start(patient, Order(name=name, price=120), key=name)).id)
            await waiting(kernel, len(names))
        await kernel.die()
        async with VirtualKernel(*AGENTS, budgets=CAPS, store=disk) as kernel:
            assert len(await waiting(kernel, 3)) == 3
            await raised(kernel, 240)
            await waiting(kernel, 1)
            assert DONE == ["a", "b"]
            await raised(kernel, 360)
            assert await (await kernel.run(names[2])).result() == "done"
            assert DONE == ["a", "b", "c"]
            for run in names:
                await check_books(kernel, run, patient)

    run_virtually(live())


def test_a_wait_that_says_nothing_is_refused_where_it_is_declared() -> None:
    with pytest.raises(BadDeclaration, match="without_room"):
        agent("odd", without_room="perhaps")(shops)
    with pytest.raises(BadDeclaration, match="room_wait_ms"):
        agent("odd", room_wait_ms=5)(shops)
    with pytest.raises(BadDeclaration, match="room_wait_ms"):
        agent("odd", without_room="wait", room_wait_ms=-1)(shops)


@settings(max_examples=30, deadline=None)
@given(
    orders=st.lists(
        st.tuples(st.sampled_from(["half", "whole", "look"]), st.integers(0, 130), st.booleans(), st.integers(0, 50)),
        min_size=1,
        max_size=10,
    ),
    raises=st.lists(st.integers(101, 1_500), max_size=4),
    delay=st.integers(0, 30),
    dies=st.booleans(),
)
def test_runs_that_wait_never_exceed_the_cap_and_all_end_once_there_is_room(
    orders: list[tuple[str, int, bool, int]], raises: list[int], delay: int, dies: bool
) -> None:
    async def live() -> None:
        disk = MemoryDisk(TABLES)
        kernel = shop(store=disk, group_delay_ms=lambda: delay)
        await kernel.__aenter__()
        cap, runs = 100, []
        for index, (kind, price, is_patient, pause) in enumerate(orders):
            order = Order(name=f"{kind}{index}", price=price)
            runs.append((await kernel.start(patient if is_patient else hurried, order, key=str(index))).id)
            await asyncio.sleep(pause / 1_000)
        if dies:
            await kernel.die()
            kernel = VirtualKernel(*AGENTS, budgets=CAPS, store=disk, group_delay_ms=lambda: delay)
            await kernel.__aenter__()
        for amount in [*sorted(set(raises)), 2_000]:
            await asyncio.sleep(2)
            (row,) = await kernel.journal.select("accounts", {"over": "store"}) or [{"used": 0}]
            assert int(row["used"] or 0) <= cap
            await raised(kernel, amount)
            cap = amount
        for run, (_, _, is_patient, _) in zip(runs, orders, strict=True):
            result = await (await kernel.run(run)).result()
            assert result == "done" or not is_patient
            await check_books(kernel, run, patient if is_patient else hurried)
        assert not await kernel.waiting(kind="room")
        assert len(DONE) == len(set(DONE)) or dies
        await kernel.__aexit__(None, None, None)

    run_virtually(live())


def test_a_run_with_a_budget_of_its_own_waits_until_that_is_raised() -> None:
    async def live() -> None:
        async with shop(Caps()) as kernel:
            run = await kernel.start(patient, Order(name="a", price=150), budget=Budget(microusd=100))
            await waiting(kernel, 1)
            await Spending(kernel).raise_cap(Over.RUN, run.id, Unit.MICROUSD, 150, reason="why", by="person:ana")
            assert await run.result() == "done"

    run_virtually(live())


async def test_a_raise_in_another_process_wakes_who_waits(tmp_path: Path) -> None:
    DONE.clear()
    GATES.clear()
    store, rules = tmp_path / "shop.kernos", "permit (principal, action, resource);"
    async with Kernel(store, agents=AGENTS, policies=rules, budgets=CAPS) as kernel:
        run = await kernel.start(patient, Order(name="a", price=150), by="person:ana")
        async for event in run.events():
            if isinstance(event.data, RoomAwaited):
                break
        async with Kernel(store, works=False) as other:
            await Spending(other).raise_cap(Over.STORE, "", Unit.MICROUSD, 150, reason="more", by="person:ana")
            assert await run.result() == "done"
