"""A cancelled run ends, wherever its actions stand. For tests/behaviour/."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from kernos import Context, Found, Kernel, RunDidNotComplete, ToolCall, ToolFailed, agent, tool
from kernos.vocabulary.contract import AgentContract, ToolContract
from tests.behaviour.shop import FAST, Receipt, Refund
from tests.behaviour.test_runs_end_to_end import until

ALLOW = "permit(principal, action, resource);"
SOON_S = 20.0
REQUEST = Refund(order="A1", amount_cents=5)

DIES = """
import asyncio, os, sys
from kernos import Context, Kernel, agent, tool
from tests.behaviour.shop import Receipt, Refund

@tool("shop.phone", effect="once")
async def phone(request: Refund) -> Receipt:
    os._exit(9)

@agent("desk", tools=[phone])
async def desk(ctx: Context, request: Refund) -> Receipt:
    return await ctx.call(phone, request)

async def main():
    async with Kernel(sys.argv[1], agents=[desk], policies="permit(principal, action, resource);") as kernel:
        run = await kernel.start(desk, Refund(order="A1", amount_cents=5))
        await run.result()

asyncio.run(main())
"""


def calling(used: ToolContract[Refund, Receipt]) -> AgentContract[Refund, Receipt]:
    @agent("desk", tools=[used])
    async def desk(ctx: Context, request: Refund) -> Receipt:
        return await ctx.call(used, request)

    return desk


@pytest.mark.parametrize("when", ["acting", "looking"])
async def test_a_run_cancelled_before_or_during_a_look_up_ends(store: Path, when: str) -> None:
    reached = {"acting": asyncio.Event(), "looking": asyncio.Event()}
    go_on = asyncio.Event()

    async def pause(place: str) -> None:
        reached[place].set()
        if place == when:
            await go_on.wait()

    async def look(request: Refund, call: ToolCall) -> Found:
        await pause("looking")
        return Found(done=False, evidence="the list of mails")

    @tool("shop.mail", effect="verifiable", look_up=look, retry=FAST)
    async def mail(request: Refund) -> Receipt:
        await pause("acting")
        raise ToolFailed.unknown("no answer")

    desk = calling(mail)
    async with Kernel(store, agents=[desk], policies=ALLOW) as kernel:
        run = await kernel.start(desk, REQUEST)
        await reached[when].wait()
        await kernel.cancel(run.id, "never mind")
        go_on.set()
        with pytest.raises(RunDidNotComplete) as ended:
            async with asyncio.timeout(SOON_S):
                await run.result()
        assert ended.value.mode == "cancelled"


@pytest.mark.parametrize("why", ["diverged", "unknown_agent"])
async def test_a_blocked_run_whose_action_was_cut_off_by_a_crash_can_be_cancelled(store: Path, why: str) -> None:
    died = subprocess.run([sys.executable, "-c", DIES, str(store)], cwd=Path(__file__).parents[2], check=False)
    assert died.returncode == 9

    @agent("desk")
    async def desk(ctx: Context, request: Refund) -> Receipt:
        await ctx.now()  # Another question than the call that was intended.
        raise AssertionError

    async with Kernel(store, agents=[desk] if why == "diverged" else [], policies=ALLOW) as kernel:
        (row,) = await kernel.runs()
        run = await kernel.run(str(row["run"]))
        await until(run, "RunBlocked")
        await kernel.cancel(run.id, "give up")
        with pytest.raises(RunDidNotComplete):
            async with asyncio.timeout(SOON_S):
                await run.result()
        assert len(await kernel.actions(status="in_doubt")) == 1
