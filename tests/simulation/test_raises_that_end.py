"""A raise with an end: it counts until then, is signed with it, and what held before holds again."""

import asyncio
from dataclasses import replace

import pytest

from kernos import CallFailed, Context, agent
from kernos.app.spending import Spending
from kernos.control.projections import TABLES
from kernos.testing import VirtualKernel, run_virtually
from kernos.testing.storage import MemoryDisk
from kernos.vocabulary.budget import Cap, CapRaised, Caps, Over, Unit
from kernos.vocabulary.errors import InvalidInput
from kernos.vocabulary.ids import DEFAULT_TENANT, EpochMs

CAPS = Caps((Cap(Over.AGENT, Unit.CALLS, 1),))
KEY = (DEFAULT_TENANT, Over.AGENT, "reader", Unit.CALLS)
HOUR_MS = 3_600_000


@agent("reader")
async def reader(ctx: Context, text: str) -> str:
    try:
        return await ctx.model("read", text, str)
    except CallFailed as failed:
        return failed.failure


def opened(disk: MemoryDisk) -> VirtualKernel:
    return VirtualKernel(reader, replies=["read"] * 9, budgets=CAPS, store=disk)


async def raised(kernel: VirtualKernel, amount: int, hours: int = 0) -> CapRaised:
    until = kernel.clock.now() + hours * HOUR_MS if hours else 0
    return await Spending(kernel).raise_cap(
        Over.AGENT, "reader", Unit.CALLS, amount, reason="more", by="person:ana", until=until
    )


async def read(kernel: VirtualKernel) -> str:
    return await kernel.finish(reader, "x")


def test_a_raise_ends_when_it_says_and_the_cap_before_holds_again() -> None:
    async def live() -> None:
        async with opened(MemoryDisk(TABLES)) as kernel:
            assert [await read(kernel), await read(kernel)] == ["read", "over_budget"]
            said = await raised(kernel, 3, hours=1)
            assert [await read(kernel), await read(kernel), await read(kernel)] == ["read", "read", "over_budget"]
            await asyncio.sleep(3_601)
            assert kernel.raises.amounts() == {}
            ((_, wrong),) = Spending(kernel).raised()
            assert wrong == "it has ended"
            assert await raised(kernel, 4) != said
            assert kernel.raises.amounts() == {KEY: 4}

    run_virtually(live())


def test_of_raises_within_one_another_each_holds_until_its_own_end() -> None:
    async def live() -> None:
        disk = MemoryDisk(TABLES)
        kernel = opened(disk)
        await kernel.__aenter__()
        await raised(kernel, 2)
        await raised(kernel, 5, hours=5)
        await raised(kernel, 7, hours=2)
        await raised(kernel, 9, hours=1)
        found = []
        for seconds in (0, 3_601, 3_600, 3 * 3_600):
            await asyncio.sleep(seconds)
            found.append(kernel.raises.amounts()[KEY])
        assert found == [9, 7, 5, 2]
        await kernel.__aexit__(None, None, None)

    run_virtually(live())


def test_a_raise_that_outlasts_those_before_takes_their_place() -> None:
    async def live() -> None:
        async with opened(MemoryDisk(TABLES)) as kernel:
            await raised(kernel, 5, hours=1)
            await raised(kernel, 6, hours=2)
            assert kernel.administrator.state.caps[KEY].before is None
            await asyncio.sleep(2 * 3_600 + 1)
            assert kernel.raises.amounts() == {}

    run_virtually(live())


def test_the_end_is_signed_and_lies_in_the_future() -> None:
    async def live() -> None:
        async with opened(MemoryDisk(TABLES)) as kernel:
            await raised(kernel, 5, hours=1)
            ((good, wrong),) = Spending(kernel).raised()
            assert wrong == ""
            longer = replace(good, data=replace(good.data, until=EpochMs(good.data.until + 1)))
            assert "another word" in kernel.raises.complaint(longer)
            assert "another word" in kernel.raises.complaint(replace(good, data=replace(good.data, until=EpochMs(0))))
            with pytest.raises(InvalidInput, match="ended already"):
                await raised(kernel, 9, hours=-1)

    run_virtually(live())
