"""Runs: waiting, resuming, branching, ending; through the whole kernel on a real file."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from kernos import CallFailed, Context, Failed, Kernel, Limits, Retry, Run, RunDidNotComplete, agent, chain
from kernos.kernel.state import Status
from kernos.vocabulary.contract import AgentContract
from kernos.vocabulary.errors import InvalidInput, MisusedContext, NotAllowed, QueueFull, RunEnded
from kernos.vocabulary.events import ForkJoined, RunFailed
from kernos.vocabulary.ids import StepName
from kernos.vocabulary.quantities import Json
from tests.behaviour.shop import Receipt, Refund, Shop

ALLOW = "permit(principal, action, resource);"


async def until(run: Run[Any], kind: str) -> None:
    """Return once the run has an event of this kind."""
    async for event in run.events():
        if type(event.data).__name__ == kind:
            return
    message = f"the run ended without {kind}"
    raise AssertionError(message)


def kinds(events: list[Any]) -> list[str]:
    return [type(event.data).__name__ for event in events]


def waiter() -> AgentContract[int, str]:
    @agent("waiter")
    async def contract(ctx: Context, seconds: int) -> str:
        before = await ctx.now()
        number = await ctx.uuid()
        got = await ctx.wait("go", str)
        after = await ctx.now()
        assert after >= before
        assert number == await asyncio.to_thread(lambda: number)
        return got

    return contract


async def test_a_run_waits_in_no_memory_and_goes_on_after_a_restart(store: Path) -> None:
    contract = waiter()
    async with Kernel(store, agents=[contract]) as kernel:
        run = await kernel.start(contract, 1)
        await until(run, "RunParked")
        assert [(row["run"], row["kind"], row["subject"]) for row in await kernel.waiting()] == [
            (run.id, "signal", "go")
        ]
    async with Kernel(store, agents=[contract]) as kernel:
        again = await kernel.run(run.id[:6])
        await again.signal("go", "on")
        assert await again.result() == "on"
        assert await kernel.waiting() == []


async def test_a_signal_that_comes_early_is_held_and_a_key_makes_it_arrive_once(store: Path) -> None:
    @agent("collector")
    async def contract(ctx: Context, wanted: int) -> list[str]:
        await ctx.sleep(0.02)
        return [await ctx.wait("item", str) for _ in range(wanted)]

    async with Kernel(store, agents=[contract]) as kernel:
        run = await kernel.start(contract, 2)
        for data, key in (("a", "1"), ("a", "1"), ("b", "2")):
            await run.signal("item", data, key=key)
        assert await run.result() == ["a", "b"]


async def test_the_same_start_key_gives_the_same_run(store: Path) -> None:
    contract = waiter()
    async with Kernel(store, agents=[contract]) as kernel:
        first = await kernel.start(contract, 1, key="T1")
        second = await kernel.start(contract, 1, key="T1")
        assert first.id == second.id
        with pytest.raises(InvalidInput, match="another input"):
            await kernel.start(contract, 2, key="T1")


async def test_code_that_asks_something_else_than_before_stops_before_anything_leaves(store: Path) -> None:
    shop = Shop()
    tools = shop.tools()

    def build(amount: int) -> AgentContract[Refund, Receipt]:
        @agent("desk", tools=list(tools.values()))
        async def contract(ctx: Context, request: Refund) -> Receipt:
            await ctx.call(tools["refund"], Refund(order="A1", amount_cents=amount))
            await ctx.wait("go", str)
            return await ctx.call(tools["mail"], request)

        return contract

    async with Kernel(store, agents=[build(100)], policies=ALLOW) as kernel:
        run = await kernel.start(build(100), Refund(order="A1", amount_cents=1))
        await until(run, "RunParked")
        await run.signal("go", "on")  # Taken up by the next kernel, or by this one: both must refuse other code.
        await run.result()
    other = store.with_name("other.kernos")
    async with Kernel(other, agents=[build(100)], policies=ALLOW) as kernel:
        run = await kernel.start(build(100), Refund(order="A1", amount_cents=1))
        await until(run, "RunParked")
    calls = len(shop.calls)
    async with Kernel(other, agents=[build(999)], policies=ALLOW) as kernel:
        again = await kernel.run(run.id)
        await again.signal("go", "on")
        await until(again, "RunBlocked")
        state = await again.state()
        assert state.status is Status.BLOCKED
        assert state.blocked is not None
        assert '"amount_cents":100' in state.blocked.message
        assert '"amount_cents":999' in state.blocked.message
        assert len(shop.calls) == calls
    async with Kernel(other, agents=[build(100)], policies=ALLOW) as kernel:
        again = await kernel.run(run.id)
        await kernel.resume(run.id)
        assert isinstance(await again.result(), Receipt)


async def test_branches_have_stable_names_whichever_is_faster(store: Path) -> None:
    async def names(delays: list[float]) -> dict[str, str]:
        @agent("forker")
        async def contract(ctx: Context, n: int) -> list[str]:
            async def branch(c: Context, i: int) -> str:
                await c.sleep(delays[i])
                return str(await c.uuid())

            return await ctx.fork(lambda c: branch(c, 0), lambda c: branch(c, 1), lambda c: branch(c, 2))

        path = store.with_name(f"{delays[0]}.kernos")
        async with Kernel(path, agents=[contract]) as kernel:
            run = await kernel.start(contract, 1)
            result = await run.result()
            state = await run.state()
            values = [state.steps[StepName(f"1.{i}.2")].outcome for i in range(3)]
            assert values == [Json(f'"{item}"'.encode()) for item in result]
            return {name: step.kind for name, step in state.steps.items()}

    assert await names([0.001, 0.02, 0.04]) == await names([0.04, 0.02, 0.001])


async def test_a_fork_may_take_the_first_branches_and_gives_the_others_up(store: Path) -> None:
    @agent("child")
    async def child(ctx: Context, topic: str) -> str:
        return await ctx.wait(topic, str)

    @agent("parent")
    async def parent(ctx: Context, n: int) -> list[str]:
        first = await ctx.fork(*(lambda c, i=i: c.run(child, f"t{i}") for i in range(3)), take=2)
        await ctx.wait("end", str)
        return first

    async with Kernel(store, agents=[parent, child]) as kernel:
        run = await kernel.start(parent, 1)
        await until(run, "RunParked")
        children = {str(row["run"]): row for row in await kernel.runs() if row["agent"] == "child"}
        state = await run.state()
        by_step = {name: step.child for name, step in state.steps.items() if step.child}
        for step in ("1.2.1", "1.0.1"):
            await kernel.signal(by_step[StepName(step)], f"t{step[2]}", step)
        await until(run, "ForkJoined")
        (joined,) = [e.data async for e in run.events(follow=False) if isinstance(e.data, ForkJoined)]
        assert sorted(joined.winners) == [0, 2]
        lost = await kernel.run(by_step[StepName("1.1.1")])
        with pytest.raises(RunDidNotComplete) as error:
            await lost.result()
        assert error.value.mode == "cancelled"
    assert len(children) == 3
    async with Kernel(
        store, agents=[parent, child]
    ) as kernel:  # Replayed from the journal: the same two, in the same order.
        again = await kernel.run(run.id)
        await again.signal("end", "now")
        assert await again.result() == [f"1.{index}.1" for index in joined.winners]


async def test_a_context_used_from_another_task_says_so(store: Path) -> None:
    @agent("wrong")
    async def contract(ctx: Context, n: int) -> str:
        async def other() -> str:
            return str(await ctx.uuid())

        return (await asyncio.gather(other(), other()))[0]

    @agent("right")
    async def gathered(ctx: Context, n: int) -> int:
        return len(set(await asyncio.gather(ctx.uuid(), ctx.uuid())))

    async with Kernel(store, agents=[contract, gathered]) as kernel:
        with pytest.raises(RunDidNotComplete) as error:
            await (await kernel.start(contract, 1)).result()
        assert error.value.mode == MisusedContext.code
        assert await (await kernel.start(gathered, 1)).result() == 2


async def test_cancel_reaches_the_whole_tree(store: Path) -> None:
    @agent("leaf")
    async def leaf(ctx: Context, n: int) -> str:
        return await ctx.wait("never", str)

    @agent("branch")
    async def branch(ctx: Context, n: int) -> str:
        return await ctx.run(leaf, n)

    @agent("root")
    async def root(ctx: Context, n: int) -> list[str]:
        return await ctx.fork(lambda c: c.run(branch, 1), lambda c: c.run(branch, 2))

    async with Kernel(store, agents=[root, branch, leaf]) as kernel:
        run = await kernel.start(root, 1)
        while len(await kernel.waiting(kind="signal")) < 2:
            await asyncio.wait([asyncio.ensure_future(run.state())])
        await run.cancel("the customer withdrew")
        with pytest.raises(RunDidNotComplete, match="withdrew"):
            await run.result()
        while await kernel.runs(status="running") or await kernel.journal.select("deliveries", {}):
            await asyncio.wait([asyncio.ensure_future(run.state())])
        assert {row["status"] for row in await kernel.runs()} == {"cancelled"}
        assert len(await kernel.runs()) == 5
        with pytest.raises(RunEnded):
            await run.signal("go")


async def test_a_run_over_its_deadline_expires(store: Path) -> None:
    contract = waiter()
    async with Kernel(store, agents=[contract]) as kernel:
        run = await kernel.start(contract, 1, deadline_ms=30)
        with pytest.raises(RunDidNotComplete) as error:
            await run.result()
        assert error.value.mode == "expired"


async def test_a_wait_may_time_out(store: Path) -> None:
    @agent("impatient")
    async def contract(ctx: Context, n: int) -> str:
        try:
            return await ctx.wait("never", str, timeout=0.01)
        except CallFailed as error:
            return error.failure

    async with Kernel(store, agents=[contract]) as kernel:
        assert await (await kernel.start(contract, 1)).result() == "timed_out"


async def test_a_question_takes_one_of_its_options(store: Path) -> None:
    @agent("asker")
    async def contract(ctx: Context, n: int) -> str:
        return await ctx.ask("lead", "Refund anyway?", ["yes", "no"])

    async with Kernel(store, agents=[contract]) as kernel:
        run = await kernel.start(contract, 1)
        await until(run, "RunParked")
        with pytest.raises(InvalidInput, match="yes, no"):
            await kernel.answer(run.id, "maybe")
        await kernel.answer(run.id, "yes", by="person:ana")
        assert await run.result() == "yes"


async def test_limits_end_a_run_with_a_reason(store: Path) -> None:
    @agent("endless", limits=Limits(steps=5))
    async def endless(ctx: Context, n: int) -> str:
        while True:
            await ctx.now()

    @agent("deep", limits=Limits(depth=3))
    async def deep(ctx: Context, n: int) -> int:
        return await ctx.run(deep, n + 1)

    async with Kernel(store, agents=[endless, deep]) as kernel:
        with pytest.raises(RunDidNotComplete, match="5 steps"):
            await (await kernel.start(endless, 1)).result()
        with pytest.raises(RunDidNotComplete, match="generations"):
            await (await kernel.start(deep, 1)).result()
        assert len([row for row in await kernel.runs() if row["agent"] == "deep"]) == 4


async def test_failure_modes_are_declared_or_said_to_be_undeclared(store: Path) -> None:
    @agent("failing", failures=["unclear"])
    async def contract(ctx: Context, how: str) -> str:
        if how == "declared":
            raise Failed("unclear", "two customers share this name")
        if how == "undeclared":
            raise Failed("strange", "nobody said this could happen")
        raise ValueError(how)

    async with Kernel(store, agents=[contract]) as kernel:
        seen = {}
        for how in ("declared", "undeclared", "bug"):
            run = await kernel.start(contract, how)
            with pytest.raises(RunDidNotComplete):
                await run.result()
            last = [event async for event in run.events()][-1].data
            assert isinstance(last, RunFailed)
            seen[how] = (last.mode, last.declared)
        assert seen == {"declared": ("unclear", True), "undeclared": ("strange", False), "bug": ("error", False)}


class Progress(BaseModel):
    done: int


async def test_a_run_resumes_from_its_checkpoints_state(store: Path) -> None:
    begun: list[int] = []

    @agent("counter", state=Progress)
    async def contract(ctx: Context, wanted: int) -> int:
        progress = ctx.state(Progress) or Progress(done=0)
        begun.append(progress.done)
        while progress.done < wanted:
            if progress.done == 2:
                await ctx.wait("go", str)
            await ctx.uuid()
            progress = Progress(done=progress.done + 1)
            await ctx.checkpoint("counted", f"{progress.done} done", state=progress)
        return progress.done

    async with Kernel(store, agents=[contract]) as kernel:
        run = await kernel.start(contract, 4)
        await until(run, "RunParked")
        await run.signal("go", "on")
        assert await run.result() == 4
    assert begun == [0, 2]


async def test_children_chain_and_are_asked_anew(store: Path) -> None:
    tries: list[int] = []

    @agent("double")
    async def double(ctx: Context, n: int) -> int:
        return 2 * n

    @agent("flaky", failures=["unlucky"])
    async def flaky(ctx: Context, n: int) -> int:
        tries.append(n)
        if len(tries) < 3:
            raise Failed("unlucky", "again")
        return n + 1

    line = chain("line", double, flaky, double, retry=Retry(attempts=4, first_delay_ms=1))
    async with Kernel(store, agents=[line, double, flaky]) as kernel:
        assert await (await kernel.start(line, 5)).result() == 22
    assert len(tries) == 3


async def test_a_full_queue_refuses_with_a_reason(store: Path) -> None:
    contract = waiter()
    async with Kernel(store, agents=[contract], active_max=1, queue_max=2) as kernel:
        with pytest.raises(QueueFull, match="queue"):
            await asyncio.gather(*(kernel.start(contract, 1) for _ in range(200)))


async def test_a_blocked_run_of_an_unknown_agent_goes_on_once_it_is_there(store: Path) -> None:
    contract = waiter()
    async with Kernel(store, agents=[contract]) as kernel:
        run = await kernel.start(contract, 1)
        await until(run, "RunParked")
    async with Kernel(store) as kernel:
        await kernel.signal(run.id, "go", "on")
        again = await kernel.run(run.id)
        await until(again, "RunBlocked")
        with pytest.raises(NotAllowed):
            await kernel.settle(f"{run.id}.1", "done", "no such doubt")
    async with Kernel(store, agents=[contract]) as kernel:
        await kernel.resume(run.id)
        assert await (await kernel.run(run.id)).result() == "on"
