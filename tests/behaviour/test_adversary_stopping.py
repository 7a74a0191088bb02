"""Runs that are stopped while their actions are under way: from another process, across a crash, at a deadline, blocked. For tests/behaviour/."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from kernos import Context, Kernel, Retry, RunDidNotComplete, ToolCall, ToolFailed, agent, tool
from kernos.testing import VirtualKernel
from tests.behaviour.shop import Receipt, Refund
from tests.behaviour.test_runs_end_to_end import until

ALLOW = "permit(principal, action, resource);"
SOON_S = 20.0
REQUEST = Refund(order="A1", amount_cents=5)
ROOT = Path(__file__).parents[2]

DIES_CANCELLED = """
import asyncio, os, sys
from kernos import Context, Kernel, agent, tool
from tests.behaviour.shop import Receipt, Refund

hangs, kernels = asyncio.Event(), []

@tool("shop.phone", effect="once")
async def phone(request: Refund) -> Receipt:
    await hangs.wait()
    raise AssertionError

@tool("shop.refund", effect="idempotent")
async def refund(request: Refund) -> Receipt:
    (row,) = await kernels[0].runs()
    await kernels[0].cancel(str(row["run"]), "never mind")
    os._exit(9)

@agent("desk", tools=[phone, refund])
async def desk(ctx: Context, request: Refund) -> str:
    await ctx.fork(lambda c: c.call(phone, request), lambda c: c.call(refund, request))
    return "never"

async def main():
    async with Kernel(sys.argv[1], agents=[desk], policies="permit(principal, action, resource);") as kernel:
        kernels.append(kernel)
        run = await kernel.start(desk, Refund(order="A1", amount_cents=5))
        await run.result()

asyncio.run(main())
"""

DIES_ACTING = DIES_CANCELLED.replace('await kernels[0].cancel(str(row["run"]), "never mind")', "pass")


async def takes(seconds: float) -> None:
    over = asyncio.Event()
    asyncio.get_running_loop().call_later(seconds, over.set)
    await over.wait()


@pytest.mark.parametrize("effect", ["idempotent", "once"])
async def test_an_action_under_way_ends_first_when_another_process_cancels_its_run(store: Path, effect: str) -> None:
    acting, go_on = asyncio.Event(), asyncio.Event()

    @tool("shop.phone", effect=effect)
    async def phone(request: Refund, call: ToolCall) -> Receipt:
        acting.set()
        await go_on.wait()
        return Receipt(id=call.key)

    @agent("desk", tools=[phone])
    async def desk(ctx: Context, request: Refund) -> Receipt:
        return await ctx.call(phone, request)

    async with (
        Kernel(store, agents=[desk], policies=ALLOW) as kernel,
        Kernel(store, works=False) as other,
        asyncio.timeout(SOON_S),
    ):
        run = await kernel.start(desk, REQUEST)
        await acting.wait()
        await other.cancel(run.id, "never mind")
        await until(run, "CancelRequested")
        assert [row["status"] for row in await other.actions()] == ["intended"]
        go_on.set()
        with pytest.raises(RunDidNotComplete, match="never mind"):
            await run.result()
        assert [row["status"] for row in await kernel.actions()] == ["performed"]


async def test_a_cancelled_run_does_nothing_more_after_a_crash(store: Path) -> None:
    assert subprocess.run([sys.executable, "-c", DIES_CANCELLED, str(store)], cwd=ROOT, check=False).returncode == 9
    calls: list[str] = []

    @tool("shop.phone", effect="once")
    async def phone(request: Refund, call: ToolCall) -> Receipt:
        calls.append(call.key)
        return Receipt(id="phoned")

    @tool("shop.refund", effect="idempotent")
    async def refund(request: Refund, call: ToolCall) -> Receipt:
        calls.append(call.key)
        return Receipt(id="paid")

    @agent("desk", tools=[phone, refund])
    async def desk(ctx: Context, request: Refund) -> str:
        await ctx.fork(lambda c: c.call(phone, request), lambda c: c.call(refund, request))
        return "never"

    async with Kernel(store, agents=[desk], policies=ALLOW) as kernel, asyncio.timeout(SOON_S):
        (row,) = await kernel.runs()
        with pytest.raises(RunDidNotComplete, match="never mind"):
            await (await kernel.run(str(row["run"]))).result()
        assert [row["status"] for row in await kernel.actions()] == ["in_doubt", "in_doubt"]
    assert calls == []


async def test_a_deadline_holds_although_some_branch_is_always_acting(virtual_kernel: type[VirtualKernel]) -> None:
    acts_s = {"A": 0.1, "B": 0.073, "C": 0.131}

    @tool("shop.refund", effect="once")
    async def refund(request: Refund) -> Receipt:
        await takes(acts_s[request.order])
        return Receipt(id=request.order)

    @agent("desk", tools=[refund])
    async def desk(ctx: Context, orders: list[str]) -> str:
        async def branch(c: Context, order: str) -> None:
            for _ in range(20):
                await c.call(refund, Refund(order=order, amount_cents=1))

        await ctx.fork(*(lambda c, order=order: branch(c, order) for order in orders))
        return "all done"

    async with virtual_kernel(desk) as kernel:
        run = await kernel.start(desk, list(acts_s), deadline_ms=300)
        with pytest.raises(RunDidNotComplete) as ended:
            await run.result()
        assert ended.value.mode == "expired"
        assert asyncio.get_running_loop().time() <= 0.3 + max(acts_s.values())
        assert {row["status"] for row in await kernel.actions()} == {"performed"}


@pytest.mark.virtual
async def test_a_run_that_is_cancelled_just_when_an_action_is_tried_again_ends() -> None:
    @tool("shop.refund", effect="idempotent", retry=Retry(attempts=3, first_delay_ms=20, delay_max_ms=20))
    async def refund(request: Refund, call: ToolCall) -> Receipt:
        if call.attempt == 1:
            raise ToolFailed.retryable("come back later")
        await takes(0.005)
        return Receipt(id="paid")

    @agent("desk", tools=[refund])
    async def desk(ctx: Context, request: Refund) -> Receipt:
        return await ctx.call(refund, request)

    async def cancelled_after(ms: float, seed: int) -> tuple[str, str]:
        async with VirtualKernel(desk, seed=seed) as kernel, asyncio.timeout(60):
            run = await kernel.start(desk, REQUEST)
            asyncio.get_running_loop().call_later(
                ms / 1_000, lambda: asyncio.ensure_future(kernel.cancel(run.id, "never mind"))
            )
            try:
                await run.result()
            except RunDidNotComplete:
                pass  # As it shall.
            (row,), (action,) = await kernel.runs(), await kernel.actions()
            return str(row["status"]), str(action["status"])

    for seed in range(5):
        for ms in range(28):
            status, action = await cancelled_after(ms, seed)
            assert (status, action) in (
                ("cancelled", "failed"),
                ("cancelled", "performed"),
                ("completed", "performed"),
            )


async def test_a_blocked_run_that_another_process_cancels_ends_when_its_action_has(store: Path) -> None:
    acting, go_on = asyncio.Event(), asyncio.Event()
    runs_of_code: list[int] = []

    @tool("shop.phone", effect="once")
    async def phone(request: Refund, call: ToolCall) -> Receipt:
        acting.set()
        await go_on.wait()
        return Receipt(id="called")

    @agent("desk", tools=[phone])
    async def desk(ctx: Context, request: Refund) -> str:
        runs_of_code.append(len(runs_of_code))

        async def strange(c: Context) -> None:
            await (c.uuid() if len(runs_of_code) > 1 else c.now())
            await c.wait("never", str)

        await ctx.fork(lambda c: c.call(phone, request), strange)
        return "never"

    async with (
        Kernel(store, agents=[desk], policies=ALLOW) as kernel,
        Kernel(store, works=False) as other,
        asyncio.timeout(SOON_S),
    ):
        run = await kernel.start(desk, REQUEST)
        await acting.wait()
        await other.signal(run.id, "overtakes", 1)  # The code runs again, and asks something else.
        await until(run, "RunBlocked")
        await other.cancel(run.id, "give up")
        go_on.set()
        with pytest.raises(RunDidNotComplete, match="give up"):
            await run.result()
        assert [row["status"] for row in await kernel.actions()] == ["performed"]


async def test_a_blocked_run_that_was_cancelled_while_nobody_worked_ends_at_the_next_start(store: Path) -> None:
    assert subprocess.run([sys.executable, "-c", DIES_ACTING, str(store)], cwd=ROOT, check=False).returncode == 9
    async with asyncio.timeout(SOON_S):
        async with Kernel(store, policies=ALLOW) as kernel:
            (row,) = await kernel.runs()
            await until(await kernel.run(str(row["run"])), "RunBlocked")
        async with Kernel(store, works=False) as other:
            await other.cancel(str(row["run"]), "give up")
        async with Kernel(store, policies=ALLOW) as kernel:
            with pytest.raises(RunDidNotComplete, match="give up"):
                await (await kernel.run(str(row["run"]))).result()
            assert [action["status"] for action in await kernel.actions()] == ["in_doubt"] * 2
