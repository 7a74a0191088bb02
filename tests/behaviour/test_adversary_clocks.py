"""Clocks that are set while runs wait, and answers that come too late."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from kernos import Context, Kernel, Retry, Run, ToolCall, ToolFailed, agent, tool
from kernos.adapters.system.clock import SystemClock
from kernos.ports.clock import Alarm
from kernos.vocabulary.errors import NotAllowed
from kernos.vocabulary.events import CallAttemptFailed
from kernos.vocabulary.ids import EpochMs
from tests.behaviour.shop import Receipt, Refund
from tests.behaviour.test_runs_end_to_end import until

ALLOW = "permit(principal, action, resource);"
SOON_S = 20.0
HOUR_MS = 3_600_000
REQUEST = Refund(order="A1", amount_cents=5)


class SetClock(SystemClock):
    """A clock that somebody sets; long waits are cut to `cut_ms`."""

    def __init__(self, cut_ms: int) -> None:
        self.ahead_ms = 0
        self.cut_ms = cut_ms
        self.on_look: Callable[[], None] | None = None

    def now(self) -> EpochMs:
        shown = EpochMs(super().now() + self.ahead_ms)
        if self.on_look is not None:
            self.on_look()
        return shown

    def call_at(self, at: EpochMs, call: Callable[[], None]) -> Alarm:
        return super().call_at(EpochMs(min(at, self.now() + self.cut_ms)), call)


@agent("sleeper")
async def sleeper(ctx: Context, seconds: float) -> str:
    await ctx.sleep(seconds)
    return "awake"


async def woken(run: Run[str]) -> float:
    async with asyncio.timeout(SOON_S):
        begin = time.monotonic()
        assert await run.result() == "awake"
        return time.monotonic() - begin


async def test_the_system_clock_looks_again_soon_however_long_a_wait_is() -> None:
    clock = SystemClock()
    alarm = clock.call_at(EpochMs(clock.now() + HOUR_MS), lambda: None)
    assert isinstance(alarm, asyncio.TimerHandle)
    assert alarm.when() - asyncio.get_running_loop().time() <= 10.5
    alarm.cancel()


async def test_timers_go_off_soon_after_the_clock_is_set_forward(store: Path) -> None:
    clock = SetClock(cut_ms=50)
    async with Kernel(store, agents=[sleeper], clock=clock) as kernel:
        long, longer = await kernel.start(sleeper, 1_800), await kernel.start(sleeper, 3_000)
        await until(long, "TimerSet")
        await until(longer, "TimerSet")
        clock.ahead_ms = HOUR_MS
        assert await woken(long) + await woken(longer) < SOON_S / 2
        assert [type(e.data).__name__ async for e in long.events()].count("TimerFired") == 1


async def test_a_timer_goes_off_once_and_not_too_early_when_the_clock_is_set_back(store: Path) -> None:
    clock = SetClock(cut_ms=50)
    async with Kernel(store, agents=[sleeper], clock=clock) as kernel:
        run = await kernel.start(sleeper, 0.2)
        await until(run, "TimerSet")
        clock.ahead_ms = -400
        assert await woken(run) >= 0.4
        assert [type(e.data).__name__ async for e in run.events()].count("TimerFired") == 1


async def test_a_timer_is_not_forgotten_when_the_clock_is_set_back_while_it_is_looked_at(store: Path) -> None:
    clock = SetClock(cut_ms=HOUR_MS)
    async with Kernel(store, agents=[sleeper], clock=clock) as kernel:
        run = await kernel.start(sleeper, 0.2)
        await until(run, "TimerSet")
        due = clock.now() + 200

        def set_back() -> None:
            if time.time_ns() // 1_000_000 >= due:  # The look that finds the timer due; what it does then is later.
                clock.ahead_ms, clock.on_look = -300, None

        clock.on_look = set_back
        await woken(run)
        assert [type(e.data).__name__ async for e in run.events()].count("TimerFired") == 1


async def test_nothing_is_tried_again_early_when_a_long_wait_is_cut(store: Path) -> None:
    calls: list[float] = []

    @tool("shop.stock", effect="read", retry=Retry(attempts=4, first_delay_ms=300, delay_max_ms=300))
    async def stock(request: Refund) -> Receipt:
        calls.append(time.time())
        if len(calls) < 4:
            raise ToolFailed.retryable("busy")
        return Receipt(id="ok")

    @agent("desk", tools=[stock])
    async def desk(ctx: Context, request: Refund) -> Receipt:
        return await ctx.call(stock, request)

    async with Kernel(store, agents=[desk], policies=ALLOW, clock=SetClock(cut_ms=5)) as kernel:
        run = await kernel.start(desk, REQUEST)
        async with asyncio.timeout(SOON_S):
            await run.result()
        due = [e.data.retry_at async for e in run.events() if isinstance(e.data, CallAttemptFailed)]
        assert len(due) == 3
        assert all(call * 1_000 >= at for call, at in zip(calls[1:], due, strict=True))


@pytest.mark.parametrize("word", ["approve", "deny", "edit"])
async def test_who_answers_too_late_is_told_so(store: Path, word: str) -> None:
    calls: list[str] = []

    @tool("shop.refund", effect="once")
    async def refund(request: Refund, call: ToolCall) -> Receipt:
        calls.append(call.key)
        return Receipt(id="paid")

    @agent("desk", tools=[refund])
    async def desk(ctx: Context, request: Refund) -> Receipt:
        return await ctx.call(refund, request)

    async with Kernel(store, agents=[desk], approval_ttl_ms=HOUR_MS) as kernel:
        run = await kernel.start(desk, REQUEST)
        await until(run, "RunParked")
    clock = SetClock(cut_ms=HOUR_MS)
    clock.ahead_ms = 2 * HOUR_MS
    async with Kernel(store, agents=[desk], works=False, clock=clock) as other:
        says = {
            "approve": lambda: other.approve(run.id),
            "deny": lambda: other.deny(run.id, "no"),
            "edit": lambda: other.edit(run.id, {"amount_cents": 4}),
        }
        with pytest.raises(NotAllowed, match="came too late"):
            await says[word]()
        assert [(row["status"], row["reason"]) for row in await other.actions()] == [
            ("not_approved", "nobody answered in time")
        ]
    assert calls == []
