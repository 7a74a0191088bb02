"""What is too large to be kept: a run ends or waits for somebody all the same. For tests/behaviour/."""

import asyncio
from pathlib import Path

import pytest

from kernos import Context, Failed, Kernel, Retry, RunDidNotComplete, agent, tool
from kernos.vocabulary.quantities import PAYLOAD_BYTES_MAX
from tests.behaviour.shop import Refund
from tests.behaviour.test_runs_end_to_end import until

ALLOW = "permit(principal, action, resource);"
SOON_S = 30.0
TOO_LONG = "x" * (PAYLOAD_BYTES_MAX + 1)


@agent("writer", failures=["bad"])
async def writer(ctx: Context, how: str) -> str:
    if how == "raises":
        raise Failed("bad", TOO_LONG)
    return TOO_LONG


@pytest.mark.parametrize("how", ["returns", "raises"])
async def test_a_run_whose_end_is_too_large_fails(store: Path, how: str) -> None:
    async with Kernel(store, agents=[writer]) as kernel, asyncio.timeout(SOON_S):
        run = await kernel.start(writer, how)
        with pytest.raises(RunDidNotComplete, match="over the largest payload") as ended:
            await run.result()
        assert ended.value.mode == "invalid_input"


async def test_an_action_whose_answer_is_too_large_is_in_doubt(store: Path) -> None:
    calls: list[str] = []

    @tool("shop.refund", effect="idempotent", retry=Retry(attempts=2, first_delay_ms=1))
    async def refund(request: Refund) -> str:
        calls.append(request.order)
        return TOO_LONG

    @agent("desk", tools=[refund])
    async def desk(ctx: Context, request: Refund) -> str:
        return await ctx.call(refund, request)

    async with Kernel(store, agents=[desk], policies=ALLOW) as kernel, asyncio.timeout(SOON_S):
        run = await kernel.start(desk, Refund(order="A1", amount_cents=1))
        await until(run, "ActionDoubted")
        await kernel.settle(run.id, "done", "it is in their list", result="R-1")
        assert await run.result() == "R-1"
    assert calls == ["A1", "A1"]
