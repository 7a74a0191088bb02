"""Overtaken: what becomes of calls under way while another process writes to the same run. For tests/behaviour/."""

import asyncio
import subprocess
import sys
from pathlib import Path

from kernos import Context, Kernel, ToolCall, agent, tool
from tests.behaviour.shop import FAST, Receipt, Refund

ALLOW = "permit(principal, action, resource);"
SOON_S = 20.0
REQUEST = Refund(order="A1", amount_cents=5)
SIGNALS = """
import asyncio, sys
from kernos import Kernel

async def main():
    async with Kernel(sys.argv[1], works=False) as kernel:
        await kernel.signal(sys.argv[2], "hello", 1)

asyncio.run(main())
"""


async def test_the_outcome_of_a_call_is_kept_when_somebody_else_writes_to_the_run_meanwhile(store: Path) -> None:
    others: list[Kernel] = []
    calls: list[int] = []

    @tool("shop.phone", effect="once", retry=FAST)
    async def phone(request: Refund, call: ToolCall) -> Receipt:
        calls.append(call.attempt)
        await others[0].signal(call.run, "hello", 1)  # Durable before the outcome of this call is recorded.
        return Receipt(id="called")

    @agent("desk", tools=[phone])
    async def desk(ctx: Context, request: Refund) -> Receipt:
        return await ctx.call(phone, request)

    async with (
        Kernel(store, agents=[desk], policies=ALLOW) as kernel,
        Kernel(store, agents=[desk], policies=ALLOW, works=False) as other,
    ):
        others.append(other)
        run = await kernel.start(desk, REQUEST)
        async with asyncio.timeout(SOON_S):
            assert await run.result() == Receipt(id="called")
    assert calls == [1]


async def test_a_call_whose_intent_is_durable_is_made_although_later_events_were_overtaken(store: Path) -> None:
    calls: list[int] = []

    @tool("shop.phone", effect="once", retry=FAST)
    async def phone(request: Refund, call: ToolCall) -> Receipt:
        calls.append(call.attempt)
        return Receipt(id="called")

    overtaken: list[bool] = []

    @agent("desk", tools=[phone])
    async def desk(ctx: Context, request: Refund) -> str:
        async def one(branch: Context) -> str:
            return (await branch.call(phone, request)).id

        async def two(branch: Context) -> str:
            if not overtaken:
                overtaken.append(True)
                subprocess.run([sys.executable, "-c", SIGNALS, str(store), ctx.run_id], check=True)
            await branch.now()  # This event is number one too many.
            return "two"

        return " ".join(await ctx.fork(one, two))

    async with Kernel(store, agents=[desk], policies=ALLOW) as kernel:
        run = await kernel.start(desk, REQUEST)
        async with asyncio.timeout(SOON_S):
            assert await run.result() == "called two"
    assert len(calls) == 1
