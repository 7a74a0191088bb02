"""Late tools: threads and coroutines that go on when their time is over, and calls that never got their turn. Nothing is believed too early,
nothing is repeated meanwhile, and neither a run nor the end of the process waits for them.
"""

import asyncio
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from kernos import Context, Found, Kernel, Retry, RunDidNotComplete, ToolCall, agent, tool
from kernos.authoring.threads import THREADS_MAX
from kernos.vocabulary.quantities import Json
from tests.behaviour.shop import FAST, Receipt, Refund
from tests.behaviour.test_runs_end_to_end import until

pytestmark = pytest.mark.slow

ALLOW = "permit(principal, action, resource);"
SOON_S = 20.0
REQUEST = Refund(order="A1", amount_cents=5)


async def test_nothing_happens_late_in_a_thread_after_a_look_up_was_believed(store: Path) -> None:
    effects: list[str] = []
    release = threading.Event()

    def look(request: Refund, call: ToolCall) -> Found:
        return Found(call.key in effects, "the list of mails")

    @tool("shop.mail", effect="verifiable", look_up=look, retry=FAST, timeout_ms=50)
    def mail(request: Refund, call: ToolCall) -> Receipt:
        release.wait(SOON_S)
        effects.append(call.key)
        return Receipt(id="sent")

    @agent("desk", tools=[mail])
    async def desk(ctx: Context, request: Refund) -> Receipt:
        return await ctx.call(mail, request)

    async with Kernel(store, agents=[desk], policies=ALLOW) as kernel:
        run = await kernel.start(desk, REQUEST)
        async for event in run.events():
            if type(event.data).__name__ in ("RunParked", "RunFailed"):
                break
        release.set()
    assert len(effects) <= 1


async def test_a_call_that_never_got_a_thread_is_not_in_doubt(store: Path) -> None:
    release = threading.Event()
    started: list[str] = []

    @tool("shop.slow", effect="once", retry=Retry(attempts=2, first_delay_ms=60_000), timeout_ms=200)
    def slow(request: Refund, call: ToolCall) -> Receipt:
        started.append(call.run)
        release.wait(SOON_S)
        return Receipt(id="x")

    @agent("desk", tools=[slow])
    async def desk(ctx: Context, request: Refund) -> Receipt:
        return await ctx.call(slow, request)

    async with Kernel(store, agents=[desk], policies=ALLOW) as kernel:
        runs = [await kernel.start(desk, REQUEST) for _ in range(THREADS_MAX + 8)]
        for run in runs:
            async for event in run.events():
                if type(event.data).__name__ in ("CallAttemptFailed", "ActionDoubted"):
                    break
        doubted = {row["run"] for row in await kernel.actions(status="in_doubt")}
        release.set()
    assert doubted == set(started)
    assert len(started) < len(runs)


async def test_a_tool_that_ignores_its_time_is_reported_when_it_is_over(store: Path) -> None:
    release = asyncio.Event()

    @tool("shop.stuck", effect="once", retry=FAST, timeout_ms=50)
    async def stuck(request: Refund) -> Receipt:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue
        return Receipt(id="late")

    @agent("desk", tools=[stuck])
    async def desk(ctx: Context, request: Refund) -> Receipt:
        return await ctx.call(stuck, request)

    async with Kernel(store, agents=[desk], policies=ALLOW) as kernel:
        run = await kernel.start(desk, REQUEST)
        try:
            async with asyncio.timeout(SOON_S):
                await until(run, "ActionDoubted")
        finally:
            release.set()


async def test_a_look_up_is_believed_again_once_the_thread_has_ended(store: Path) -> None:
    effects: list[str] = []
    release = threading.Event()
    looked = threading.Event()

    def look(request: Refund, call: ToolCall) -> Found:
        looked.set()
        return Found(call.key in effects, "the list of mails", Json(b'{"id":"sent"}'))

    @tool(
        "shop.mail",
        effect="verifiable",
        look_up=look,
        retry=Retry(attempts=50, first_delay_ms=5, delay_max_ms=20),
        timeout_ms=50,
    )
    def mail(request: Refund, call: ToolCall) -> Receipt:
        release.wait(SOON_S)
        effects.append(call.key)
        return Receipt(id="sent")

    @agent("desk", tools=[mail])
    async def desk(ctx: Context, request: Refund) -> Receipt:
        return await ctx.call(mail, request)

    async with Kernel(store, agents=[desk], policies=ALLOW) as kernel:
        run = await kernel.start(desk, REQUEST)
        await asyncio.to_thread(looked.wait, SOON_S)
        release.set()
        async with asyncio.timeout(SOON_S):
            assert await run.result() == Receipt(id="sent")
    assert len(effects) == 1


async def test_nothing_is_repeated_while_a_coroutine_ignores_that_its_time_is_over(store: Path) -> None:
    effects: list[str] = []
    release = asyncio.Event()

    async def look(request: Refund, call: ToolCall) -> Found:
        return Found(call.key in effects, "the list of mails")

    @tool("shop.mail", effect="verifiable", look_up=look, retry=FAST, timeout_ms=50)
    async def mail(request: Refund, call: ToolCall) -> Receipt:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue
        effects.append(call.key)
        return Receipt(id="sent")

    @agent("desk", tools=[mail])
    async def desk(ctx: Context, request: Refund) -> Receipt:
        return await ctx.call(mail, request)

    async with Kernel(store, agents=[desk], policies=ALLOW) as kernel:
        try:
            run = await kernel.start(desk, REQUEST)
            async with asyncio.timeout(SOON_S):
                await until(run, "ActionDoubted")
        finally:
            release.set()
        assert not effects


async def test_what_a_tool_closes_when_its_time_is_over_is_closed_first(store: Path) -> None:
    closed: list[bool] = []

    @tool("shop.slow", effect="once", retry=FAST, timeout_ms=50)
    async def slow(request: Refund) -> Receipt:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.get_running_loop().run_in_executor(None, closed.append, True)
        return Receipt(id="never")

    @agent("desk", tools=[slow])
    async def desk(ctx: Context, request: Refund) -> Receipt:
        return await ctx.call(slow, request)

    async with Kernel(store, agents=[desk], policies=ALLOW) as kernel:
        await until(await kernel.start(desk, REQUEST), "ActionDoubted")
        assert closed == [True]


async def test_a_read_that_ignores_its_time_ends_with_its_run(store: Path) -> None:
    release = asyncio.Event()

    @tool("shop.look", effect="read", retry=Retry(attempts=1), timeout_ms=50)
    async def look(request: Refund) -> Receipt:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue
        return Receipt(id="late")

    @agent("desk", tools=[look])
    async def desk(ctx: Context, request: Refund) -> Receipt:
        return await ctx.call(look, request)

    async with Kernel(store, agents=[desk], policies=ALLOW) as kernel:
        try:
            with pytest.raises(RunDidNotComplete):
                async with asyncio.timeout(SOON_S):
                    await (await kernel.start(desk, REQUEST)).result()
        finally:
            release.set()


STUCK = """
import asyncio, sys, threading
from pydantic import BaseModel
from kernos import Context, Kernel, agent, tool

class Request(BaseModel):
    order: str

@tool("shop.stuck", effect="once", timeout_ms=50)
def stuck(request: Request) -> str:
    threading.Event().wait()

@agent("desk", tools=[stuck])
async def desk(ctx: Context, request: Request) -> str:
    return await ctx.call(stuck, request)

async def main():
    async with Kernel(sys.argv[1], agents=[desk], policies="permit(principal, action, resource);") as kernel:
        run = await kernel.start(desk, Request(order="A1"))
        async for event in run.events():
            if type(event.data).__name__ == "ActionDoubted":
                break
    print("closed")

asyncio.run(main())
"""


def test_a_process_ends_although_a_thread_of_a_tool_never_returns(store: Path) -> None:
    ended = subprocess.run([sys.executable, "-c", STUCK, str(store)], capture_output=True, timeout=20, check=True)
    assert ended.stdout == b"closed\n"
