"""Back-off: a run that only waits for its next attempt holds no memory, and goes on when that is due (law 8)."""

import asyncio
from typing import Any

import pytest
from pydantic import BaseModel

from kernos import CallFailed, Context, Retry, RunDidNotComplete, ToolCall, ToolFailed, agent, tool
from kernos.app.cli.foreground import waits
from kernos.app.run import Run
from kernos.control.code import PARK_BACK_OFF_MS
from kernos.control.codec import decode_entry
from kernos.testing import VirtualKernel
from kernos.vocabulary.contract import AgentContract, ToolContract
from kernos.vocabulary.outcome import AttemptFailed, FailureKind
from kernos.vocabulary.quantities import Json

LONG_MS = 600_000


class Order(BaseModel):
    order: str


def flaky(effect: str, calls: list[ToolCall], *, waits_ms: int = LONG_MS, fails: int = 1) -> ToolContract[Order, str]:
    """Return a tool that sends its first callers away for a while."""

    @tool("shop.ask", effect=effect, retry=Retry(attempts=3, first_delay_ms=10, delay_max_ms=10))
    def ask(asked: Order, call: ToolCall) -> str:
        calls.append(call)
        if len(calls) <= fails:
            raise ToolFailed.retryable("busy", retry_after_ms=waits_ms)
        return f"{asked.order} at last"

    return ask


def caller(ask: ToolContract[Order, str]) -> AgentContract[str, str]:
    @agent("desk", tools=[ask])
    async def desk(ctx: Context, order: str) -> str:
        try:
            return await ctx.call(ask, Order(order=order))
        except CallFailed as failed:
            return failed.failure

    return desk


async def parked(run: Run[Any]) -> None:
    async for event in run.events():
        if type(event.data).__name__ == "RunParked":
            return


async def kinds(kernel: VirtualKernel, run: Run[Any]) -> list[str]:
    return [type(decode_entry(entry).data).__name__ for entry in await kernel.journal.read(run.id)]


def passed_ms() -> int:
    return round(asyncio.get_running_loop().time() * 1_000)


@pytest.mark.virtual
@pytest.mark.parametrize("effect", ["read", "idempotent", "once"])
async def test_a_run_that_backs_off_for_long_holds_no_memory_and_tries_again_in_time(effect: str) -> None:
    calls: list[ToolCall] = []
    desk = caller(flaky(effect, calls))
    async with VirtualKernel(desk) as kernel:
        seen: list[tuple[int, int]] = []

        def look() -> None:
            seen.append((len(kernel.engine._sessions), kernel.engine._queue.active))

        asyncio.get_running_loop().call_later(LONG_MS / 2_000, look)
        run = await kernel.start(desk, "A1")
        await parked(run)
        assert [row["wake_at"] for row in await kernel.runs(status="waiting")] == [
            kernel.engine.shared.clock.now() - passed_ms() + LONG_MS
        ]
        (wait,) = await waits(kernel, run.id)
        assert (wait.text(), wait.command()) == ("its next attempt at 2023-11-14 22:23:20Z", "")
        assert await run.result() == "A1 at last"
        assert LONG_MS <= passed_ms() < LONG_MS + 100
        assert await waits(kernel, run.id) == []
        assert seen == [(0, 0)]
        assert [(call.attempt, call.key) for call in calls] == [(1, calls[0].key), (2, calls[0].key)]
        assert [row["wake_at"] for row in await kernel.runs()] == [None]


@pytest.mark.virtual
async def test_a_model_that_wants_to_be_left_alone_is_left_alone_without_memory() -> None:
    @agent("desk")
    async def desk(ctx: Context, text: str) -> str:
        return await ctx.model("read", text, str)

    busy = AttemptFailed(FailureKind.RETRYABLE, "busy", retry_after_ms=LONG_MS)
    async with VirtualKernel(desk, replies=[busy, busy, Json(b'"read"')]) as kernel:
        run = await kernel.start(desk, "A1")
        assert await run.result() == "read"
        assert 2 * LONG_MS <= passed_ms() < 2 * LONG_MS + 100
        assert (await kinds(kernel, run)).count("RunParked") == 2


@pytest.mark.virtual
@pytest.mark.parametrize("effect", ["read", "idempotent"])
async def test_attempts_are_counted_on_over_parks(effect: str) -> None:
    calls: list[ToolCall] = []
    desk = caller(flaky(effect, calls, fails=10))
    async with VirtualKernel(desk) as kernel:
        assert await kernel.finish(desk, "A1") == "exhausted"
    assert [call.attempt for call in calls] == [1, 2, 3]


@pytest.mark.virtual
@pytest.mark.parametrize(("waits_ms", "parks"), [(PARK_BACK_OFF_MS, 0), (PARK_BACK_OFF_MS + 100, 1)])
async def test_a_run_stays_for_an_attempt_that_follows_soon(waits_ms: int, parks: int) -> None:
    calls: list[ToolCall] = []
    desk = caller(flaky("idempotent", calls, waits_ms=waits_ms))
    async with VirtualKernel(desk) as kernel:
        run = await kernel.start(desk, "A1")
        assert await run.result() == "A1 at last"
        assert (await kinds(kernel, run)).count("RunParked") == parks


@pytest.mark.virtual
@pytest.mark.parametrize("effect", ["read", "once"])
async def test_another_process_goes_on_with_the_next_attempt_when_it_is_due(effect: str) -> None:
    calls: list[ToolCall] = []
    desk = caller(flaky(effect, calls))
    async with VirtualKernel(desk) as first:
        run = await first.start(desk, "A1", key="one")
        await parked(run)
    async with VirtualKernel(desk, store=first.disk) as second:
        assert await second.finish(desk, "A1", key="one") == "A1 at last"
        assert LONG_MS <= passed_ms() < LONG_MS + 100
    assert [call.attempt for call in calls] == [1, 2]


@pytest.mark.virtual
@pytest.mark.parametrize("effect", ["read", "idempotent"])
async def test_what_arrives_meanwhile_is_heard_and_hastens_no_attempt(effect: str) -> None:
    calls: list[ToolCall] = []
    ask = flaky(effect, calls)

    @agent("desk", tools=[ask])
    async def desk(ctx: Context, order: str) -> list[str]:
        async def hears(c: Context) -> str:
            heard = await c.wait("news", str)
            await c.checkpoint("heard", heard)
            return heard

        return await ctx.fork(lambda c: c.call(ask, Order(order=order)), hears)

    async with VirtualKernel(desk) as kernel:
        run = await kernel.start(desk, "A1")
        await parked(run)
        await run.signal("news", "hurry")
        async for event in run.events():
            if type(event.data).__name__ == "CheckpointReached":
                break
        assert passed_ms() < PARK_BACK_OFF_MS
        assert await run.result() == ["A1 at last", "hurry"]
        assert LONG_MS <= passed_ms() < LONG_MS + 100
    assert [call.attempt for call in calls] == [1, 2]


@pytest.mark.virtual
async def test_a_run_that_is_cancelled_in_its_back_off_says_that_its_action_did_not_happen() -> None:
    calls: list[ToolCall] = []
    desk = caller(flaky("once", calls))
    async with VirtualKernel(desk) as kernel:
        run = await kernel.start(desk, "A1")
        await parked(run)
        await run.cancel("enough")
        with pytest.raises(RunDidNotComplete):
            await run.result()
        assert [row["status"] for row in await kernel.actions()] == ["failed"]
        assert passed_ms() < PARK_BACK_OFF_MS
    assert len(calls) == 1
