"""Strange code: agents and tools that raise what nobody expects, or hand over what no journal can keep. A run always ends or waits,
what a call may have done is never forgotten, and the store can be read afterwards.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, Field

from kernos import (
    CallFailed,
    Context,
    Failed,
    Found,
    Kernel,
    Retry,
    RunDidNotComplete,
    ToolCall,
    ToolFailed,
    agent,
    tool,
)
from kernos.control.codec import decode_entry
from kernos.vocabulary.contract import AgentContract, ToolContract
from kernos.vocabulary.events import Event
from kernos.vocabulary.quantities import Json
from tests.behaviour.shop import FAST, Receipt, Refund, Shop
from tests.behaviour.test_runs_end_to_end import until

ALLOW = "permit(principal, action, resource);"
SOON_S = 20.0
"""For what happens at once if it happens at all."""


class Strange(BaseException):
    """An error that is no Exception."""


async def cancelled_inside() -> None:
    """Await a task of its own that was cancelled, as code with a race in it does."""
    task = asyncio.ensure_future(asyncio.Event().wait())
    task.cancel()
    await task


async def leaves() -> None:
    raise SystemExit(3)


async def strange() -> None:
    raise Strange("out of order")


RAISES = [cancelled_inside, leaves, strange]


def calling(used: ToolContract[Refund, Receipt]) -> AgentContract[Refund, Receipt]:
    @agent("desk", tools=[used])
    async def desk(ctx: Context, request: Refund) -> Receipt:
        return await ctx.call(used, request)

    return desk


async def read_back(kernel: Kernel) -> list[Event]:
    return [decode_entry(entry) async for _, entry in kernel.journal.scan()]


async def ending(store: Path, desk: AgentContract[Any, Any], value: Any) -> str:
    """Return how a run ended, after its store was closed, opened and read once more."""
    async with Kernel(store, agents=[desk], policies=ALLOW) as kernel:
        run = await kernel.start(desk, value)
        try:
            async with asyncio.timeout(SOON_S):
                ended = repr(await run.result())
        except RunDidNotComplete as failure:
            ended = f"{failure.mode}: {failure}"
    async with Kernel(store, agents=[desk], policies=ALLOW) as kernel:
        assert await read_back(kernel)
    return ended


@pytest.mark.parametrize("raising", RAISES)
async def test_whatever_an_agent_raises_ends_its_run(store: Path, raising: Callable[[], Awaitable[None]]) -> None:
    @agent("desk")
    async def desk(ctx: Context, request: Refund) -> Receipt:
        await raising()
        raise AssertionError

    ended = await ending(store, desk, Refund(order="A1", amount_cents=5))
    assert ended.startswith("error: ")
    assert ".py:" in ended


@pytest.mark.parametrize("raising", RAISES)
async def test_whatever_a_once_tool_raises_puts_its_action_in_doubt(
    store: Path, raising: Callable[[], Awaitable[None]]
) -> None:
    @tool("shop.phone", effect="once", retry=FAST)
    async def phone(request: Refund) -> Receipt:
        await raising()
        raise AssertionError

    desk = calling(phone)
    async with Kernel(store, agents=[desk], policies=ALLOW) as kernel:
        run = await kernel.start(desk, Refund(order="A1", amount_cents=5))
        async with asyncio.timeout(SOON_S):
            await until(run, "RunParked")
        (row,) = await kernel.actions(status="in_doubt")
        assert "process ended" not in str(row["reason"])
        await kernel.settle(run.id, "not_done", "nobody was rung up")


async def test_a_plain_tool_that_leaves_its_program_is_called_again_where_that_is_allowed(store: Path) -> None:
    shop = Shop()

    @tool("shop.refund", effect="idempotent", retry=FAST)
    def refund(request: Refund, call: ToolCall) -> Receipt:
        receipt = shop.act("refund", call, honours_keys=True)
        if call.attempt == 1:
            raise SystemExit(1)
        return receipt

    assert "refund-1" in await ending(store, calling(refund), Refund(order="A1", amount_cents=5))
    assert (len(shop.calls), len(shop.effects)) == (2, 1)


@pytest.mark.parametrize(
    "failure",
    [
        ToolFailed.final(123),  # type: ignore[arg-type]
        ToolFailed.final("half a pair: \ud800"),
        ToolFailed.final("no", details={"a": 1}),  # type: ignore[arg-type]
        ToolFailed.final("no", details=Json(b"{garbage")),
        ToolFailed.retryable("busy", retry_after_ms=0.5),  # type: ignore[arg-type]
        ToolFailed.retryable("busy", retry_after_ms=math.nan),  # type: ignore[arg-type]
        ToolFailed.retryable("busy", retry_after_ms=-5),
        ValueError("half a pair: \udcff"),
    ],
    ids=repr,
)
@pytest.mark.parametrize("effect", ["read", "idempotent"])
async def test_whatever_a_failure_holds_the_store_can_be_read(store: Path, effect: str, failure: Exception) -> None:
    @tool("shop.act", effect=effect, retry=FAST)
    async def act(request: Refund) -> Receipt:
        raise failure

    @agent("desk", tools=[act])
    async def desk(ctx: Context, request: Refund) -> str:
        try:
            await ctx.call(act, request)
        except CallFailed as failed:
            return failed.failure
        return "acted"

    async with Kernel(store, agents=[desk], policies=ALLOW) as kernel:
        run = await kernel.start(desk, Refund(order="A1", amount_cents=5))
        kinds = "RunCompleted" if not (effect == "idempotent" and isinstance(failure, ValueError)) else "RunParked"
        async with asyncio.timeout(SOON_S):
            await until(run, kinds)
        assert await read_back(kernel)


async def test_a_wish_to_be_left_alone_for_ever_is_cut_to_a_day(store: Path) -> None:
    @tool("shop.act", effect="idempotent", retry=Retry(attempts=2, first_delay_ms=1))
    async def act(request: Refund) -> Receipt:
        raise ToolFailed.retryable("busy", retry_after_ms=math.inf)  # type: ignore[arg-type]

    desk = calling(act)
    async with Kernel(store, agents=[desk], policies=ALLOW) as kernel:
        run = await kernel.start(desk, Refund(order="A1", amount_cents=5))
        await until(run, "CallAttemptFailed")
        (failed,) = [event for event in await read_back(kernel) if type(event.data).__name__ == "CallAttemptFailed"]
        delay_ms = failed.data.retry_at - failed.at  # type: ignore[union-attr]
        assert 86_000_000 < delay_ms <= 86_400_001
        await kernel.cancel(run.id, "seen")


@pytest.mark.parametrize(
    "found",
    [
        Found(done="yes", evidence="the list"),  # type: ignore[arg-type]
        Found(done=True, evidence="the list", result={"no_such_field": "x"}),
        Found(done=True, evidence="the list", result=Json(b"{garbage")),
    ],
    ids=repr,
)
async def test_a_look_up_that_returns_no_answer_cannot_tell(store: Path, found: Found) -> None:
    def look(request: Refund, call: ToolCall) -> Found:
        return found

    @tool("shop.mail", effect="verifiable", look_up=look, retry=FAST)
    async def mail(request: Refund) -> Receipt:
        raise ToolFailed.unknown("no answer")

    desk = calling(mail)
    async with Kernel(store, agents=[desk], policies=ALLOW) as kernel:
        run = await kernel.start(desk, Refund(order="A1", amount_cents=5))
        async with asyncio.timeout(SOON_S):
            await until(run, "RunParked")
        assert len(await kernel.actions(status="in_doubt")) == 1
        assert await read_back(kernel)


@pytest.mark.parametrize("details", [Json(b"{garbage"), {"a": 1}], ids=repr)
async def test_an_agent_that_fails_with_strange_details_ends_with_its_mode(store: Path, details: Any) -> None:
    @agent("desk", failures=["unclear"])
    async def desk(ctx: Context, request: Refund) -> Receipt:
        raise Failed("unclear", "half a pair: \ud800", details=details)

    ended = await ending(store, desk, Refund(order="A1", amount_cents=5))
    assert ended.startswith("unclear: ")
    assert "no Json" in ended


async def test_an_agents_error_may_hold_text_that_is_no_unicode(store: Path) -> None:
    @agent("desk")
    async def desk(ctx: Context, request: Refund) -> Receipt:
        message = "cannot read caf\udce9.txt"
        raise ValueError(message)

    assert "caf\\udce9.txt" in await ending(store, desk, Refund(order="A1", amount_cents=5))


@pytest.mark.parametrize("order", [2**53, 2**60 + 1, 2**63 - 2])
async def test_a_person_can_be_asked_about_numbers_that_json_has_no_exact_form_for(store: Path, order: int) -> None:
    class Booking(BaseModel):
        order: int

    @tool("shop.book", effect="idempotent")
    async def book(request: Booking) -> int:
        return request.order

    @agent("desk", tools=[book])
    async def desk(ctx: Context, request: Booking) -> int:
        return await ctx.call(book, request)

    async with Kernel(
        store, agents=[desk], policies='permit(principal, action == Action::"invoke", resource);'
    ) as kernel:
        digests = []
        for number in (order, order + 1):
            run = await kernel.start(desk, Booking(order=number))
            await until(run, "RunParked")
            state = await run.state()
            (step,) = state.steps.values()
            digests.append(step.digest)
        assert digests[0] != digests[1]
        await kernel.approve(run.id)
        assert await run.result() == order + 1


async def test_arguments_may_have_other_names_outside_than_in_the_code(store: Path) -> None:
    class Booking(BaseModel):
        order: str = Field(alias="orderId")

    @tool("shop.book", effect="idempotent")
    async def book(request: Booking) -> str:
        return request.order

    @agent("desk", tools=[book])
    async def desk(ctx: Context, request: Booking) -> str:
        return await ctx.call(book, Booking(orderId=request.order))

    async with Kernel(store, agents=[desk], policies=ALLOW) as kernel:
        run = await kernel.start(desk, Booking(orderId="A1"))
        assert await run.result() == "A1"


async def test_an_action_under_way_whose_tool_is_no_longer_declared_blocks_its_run(store: Path) -> None:
    looking = asyncio.Event()

    async def look(request: Refund, call: ToolCall) -> Found:
        looking.set()
        await asyncio.Event().wait()
        raise AssertionError

    @tool("shop.mail", effect="verifiable", look_up=look, retry=FAST)
    async def mail(request: Refund) -> Receipt:
        raise ToolFailed.unknown("no answer")

    async def code(ctx: Context, request: Refund) -> Receipt:
        return await ctx.call(mail, request)

    before, after = agent("desk", tools=[mail])(code), agent("desk")(code)
    async with Kernel(store, agents=[before], policies=ALLOW) as kernel:
        run = await kernel.start(before, Refund(order="A1", amount_cents=5))
        await looking.wait()
    async with Kernel(store, agents=[after], policies=ALLOW) as kernel:
        async with asyncio.timeout(SOON_S):
            await until(await kernel.run(run.id), "RunBlocked")
        (row,) = await kernel.runs(status="blocked")
        assert "'shop.mail', which no agent here declares" in str(row["reason"])


async def test_an_attempt_to_come_whose_tool_is_no_longer_declared_blocks_its_run_at_once(store: Path) -> None:
    @tool("shop.refund", effect="idempotent", retry=Retry(first_delay_ms=600))  # Too soon for the run to be parked.
    async def refund(request: Refund) -> Receipt:
        raise ToolFailed.retryable("come back later")

    async def code(ctx: Context, request: Refund) -> Receipt:
        return await ctx.call(refund, request)

    before, after = agent("desk", tools=[refund])(code), agent("desk")(code)
    async with Kernel(store, agents=[before], policies=ALLOW) as kernel:
        run = await kernel.start(before, Refund(order="A1", amount_cents=5))
        await until(run, "CallAttemptFailed")
    async with Kernel(store, agents=[after], policies=ALLOW) as kernel:
        async with asyncio.timeout(SOON_S):
            await until(await kernel.run(run.id), "RunBlocked")
