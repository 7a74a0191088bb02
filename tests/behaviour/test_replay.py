"""Replay: recorded runs of real kernels, run again from their events alone by the same code and by changed code."""

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from kernos import CallFailed, Context, Failed, Kernel, Limits, RulesModel, ToolFailed, agent, tool
from kernos.app.records import Records
from kernos.authoring.codec import codec_of
from kernos.control.record import record_of
from kernos.control.reenact import Reenacted, reenact
from kernos.execution.worker import InProcessWorker
from kernos.vocabulary.contract import AgentContract
from kernos.vocabulary.ids import RunId
from tests.behaviour.shop import Refund, Shop
from tests.behaviour.test_runs_end_to_end import until

ALLOW = "permit(principal, action, resource);"
MODELS = {"default": RulesModel({"judge": lambda value: "fair"})}
REQUEST = Refund(order="A1", amount_cents=100)


class Change(BaseModel):
    """What a changed agent does otherwise."""

    amount_cents: int = 100
    summary: str = "all is well"
    task: str = "judge"
    asks: str = "Pay?"
    options: list[str] = ["yes", "no"]
    branches: int = 2
    more: bool = False
    result: str = "done"


@agent("echo")
async def echo(ctx: Context, number: int) -> int:
    return number


def desk(shop: Shop, change: Change = Change()) -> AgentContract[Refund, str]:  # noqa: B008 - a frozen default
    tools = shop.tools()

    @agent("desk", tools=list(tools.values()), failures=["unclear"])
    async def contract(ctx: Context, request: Refund) -> str:
        await ctx.now()
        await ctx.random()
        await ctx.call(tools["look"], request)
        await ctx.model(change.task, request, str)
        await ctx.checkpoint("judged", change.summary)
        await ctx.fork(*[lambda c: c.uuid()] * change.branches)
        await ctx.fork(lambda c: c.sleep(0.01), lambda c: c.wait("never", str), take=1)
        first, _ = await asyncio.gather(ctx.call(tools["refund"], REQUEST), ctx.run(echo, 4))
        said = await ctx.ask("lead", change.asks, change.options)
        await ctx.call(tools["mail"], Refund(order=first.id, amount_cents=change.amount_cents))
        if change.more:
            await ctx.now()
        return f"{change.result} {said}"

    return contract


async def recorded(store: Path) -> RunId:
    """Record a run of the unchanged desk, with a shop that is busy and loses answers, and with a restart in the middle."""
    shop = Shop()
    shop.script = ["ok", "busy", "ok", "lost"]
    contract = desk(shop)
    async with Kernel(store, agents=[contract, echo], models=MODELS, policies=ALLOW) as kernel:
        run = await kernel.start(contract, REQUEST)
        await until(run, "QuestionAsked")
    async with Kernel(store, agents=[contract, echo], models=MODELS, policies=ALLOW) as kernel:
        await kernel.answer(run.id, "yes")
        assert await (await kernel.run(run.id)).result() == "done yes"
    return run.id


async def replayed(store: Path, run: RunId, contract: AgentContract[Any, Any], **options: Any) -> Reenacted:
    with Records(store) as records:
        record = record_of(await records.events(run))
    worker = InProcessWorker({}, codec_of)
    return await reenact(record, contract, worker, **options)


async def test_a_run_with_every_kind_of_step_replays_identically_and_calls_nothing(store: Path) -> None:
    run = await recorded(store)
    shop = Shop()
    first, second = await replayed(store, run, desk(shop)), await replayed(store, run, desk(shop))
    assert first.difference is None
    assert first == second
    assert (first.steps, first.stands, shop.calls, shop.effects) == (13, (), [], [])


@pytest.mark.parametrize(
    ("change", "step", "recorded_says", "now_says"),
    [
        (Change(task="weigh"), "4", '"task":"judge"', '"task":"weigh"'),
        (Change(summary="hm"), "5", "all is well", "hm"),
        (Change(branches=1), "6.1.1", "value uuid", "nothing: the run completed"),
        (Change(branches=3), "6.2.1", "nothing: the run completed", "value uuid"),
        (Change(asks="Pay now?"), "10", "Pay?", "Pay now?"),
        (Change(options=["yes", "never"]), "10", "[yes | no]", "[yes | never]"),
        (Change(amount_cents=7), "11", '"amount_cents":100', '"amount_cents":7'),
        (Change(more=True), "12", "nothing: the run completed", "value now"),
        (Change(result="undone"), "", '"done yes"', '"undone yes"'),
    ],
)
async def test_a_difference_is_shown_at_its_first_step_with_both_sides(
    store: Path, change: Change, step: str, recorded_says: str, now_says: str
) -> None:
    run = await recorded(store)
    replay = await replayed(store, run, desk(Shop(), change))
    assert replay.difference is not None
    assert replay.difference.step == step
    assert recorded_says in replay.difference.recorded
    assert now_says in replay.difference.now
    assert replay.trace != (await replayed(store, run, desk(Shop()))).trace or step


@pytest.mark.parametrize("change", [Change(summary="hm"), Change(options=["maybe"])])
async def test_what_a_resumed_run_need_not_repeat_is_no_difference_for_it(store: Path, change: Change) -> None:
    run = await recorded(store)
    assert (await replayed(store, run, desk(Shop(), change), strict=False)).difference is None


async def of_failures(store: Path, contract: AgentContract[int, str]) -> Callable[..., Any]:
    async with Kernel(store, agents=[contract], policies=ALLOW) as kernel:
        run = await kernel.start(contract, 1)
        await until(run, "RunFailed")
    return partial(replayed, store, run.id)


def failing(mode: str, message: str) -> AgentContract[int, str]:
    @agent("failing", failures=["unclear"])
    async def contract(ctx: Context, number: int) -> str:
        raise Failed(mode, message)

    return contract


async def test_a_failure_is_compared_with_its_mode_its_words_and_whether_it_is_declared(store: Path) -> None:
    replay = await of_failures(store, failing("unclear", "which order?"))
    assert (await replay(failing("unclear", "which order?"))).difference is None
    other = (await replay(failing("unclear", "which one?"))).difference
    assert (other.step, other.now) == ("", "the run failed (unclear): which one?")
    undeclared = (await replay(failing("lost", "which order?"))).difference
    assert undeclared.now == "the run failed (lost, not declared): which order?"


async def test_a_run_that_ran_into_its_limit_does_so_again(store: Path) -> None:
    @agent("failing", limits=Limits(steps=3))
    async def endless(ctx: Context, number: int) -> str:
        while True:
            await ctx.now()

    replay = await (await of_failures(store, endless))(endless)
    assert (replay.difference, replay.steps) == (None, 3)


async def test_a_read_that_was_under_way_when_the_run_failed_is_no_difference(store: Path) -> None:
    shop = Shop()
    shop.script = ["refuse"]
    phone = shop.tools()["call"]

    @tool("shop.stuck", effect="read")
    async def stuck(request: Refund) -> str:
        never: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        return await never

    @agent("failing", tools=[stuck, phone])
    async def both(ctx: Context, number: int) -> str:
        await asyncio.gather(ctx.call(stuck, REQUEST), ctx.call(phone, REQUEST))
        return "never"

    replay = await (await of_failures(store, both))(both)
    assert (replay.difference, replay.steps) == (None, 1)


async def test_a_question_that_is_waited_for_and_stands_nowhere_is_a_difference(store: Path) -> None:
    look = Shop().tools()["look"]

    @agent("failing", tools=[look])
    async def reading(ctx: Context, number: int) -> str:
        await ctx.call(look, REQUEST)
        raise Failed("unclear", "which order?")

    replay = await (await of_failures(store, failing("unclear", "which order?")))(reading)
    assert replay.difference is not None
    assert (replay.difference.step, replay.difference.now[:14]) == ("1", "call shop.look")


async def test_code_that_waits_for_what_is_no_step_is_given_up(store: Path) -> None:
    @agent("failing")
    async def stuck(ctx: Context, number: int) -> str:
        await asyncio.get_running_loop().create_future()
        return "never"

    replay = await of_failures(store, failing("unclear", "which order?"))
    assert "no step" in (await replay(stuck, patience_s=0.01)).difference.now


class Place(BaseModel):
    done: int


def counting(before: str, after: str, limit: int = 4) -> AgentContract[int, list[str]]:
    """An agent that goes on from its checkpoints; its first and its later steps can be made to differ."""

    @agent("counter", state=Place)
    async def contract(ctx: Context, number: int) -> list[str]:
        place = ctx.state(Place)
        done = place.done if place else 0
        if place is None:
            await ctx.ask("lead", before)
        while done < limit:
            await ctx.now()
            done += 1
            await ctx.checkpoint(f"done {done}", "", state=Place(done=done))
        return [await ctx.ask("lead", after)]

    return contract


async def test_a_run_with_a_checkpoint_replays_from_its_start_and_from_there(store: Path) -> None:
    contract = counting("begin?", "end?")
    async with Kernel(store, agents=[contract]) as kernel:
        run = await kernel.start(contract, 1)
        await until(run, "QuestionAsked")
        await kernel.answer(run.id, "yes")
        async for event in run.events():
            if getattr(event.data, "question", "") == "end?":
                break
    start = await replayed(store, run.id, contract)
    later = await replayed(store, run.id, contract, from_checkpoint=True)
    assert (start.difference, start.steps, start.start) == (None, 10, "")
    assert (later.difference, later.steps, later.start) == (None, 1, "done 4")
    assert later.stands == ("step 10: question end?",)
    old_begin = counting("shall we?", "end?")
    assert (await replayed(store, run.id, old_begin)).difference is not None
    assert (await replayed(store, run.id, old_begin, from_checkpoint=True)).difference is None
    other_end = await replayed(store, run.id, counting("begin?", "over?"), from_checkpoint=True)
    assert other_end.difference is not None
    assert other_end.difference.step == "10"


async def test_a_run_that_caught_a_lost_call_replays_its_other_way(store: Path) -> None:
    shop = Shop()
    shop.script = ["refuse"]
    refund = shop.tools()["refund"]

    @agent("failing", tools=[refund])
    async def catching(ctx: Context, number: int) -> str:
        try:
            await ctx.call(refund, REQUEST)
        except CallFailed as failed:
            raise Failed("unclear", failed.failure) from failed
        return "paid"

    replay = await (await of_failures(store, catching))(catching)
    assert (replay.difference, replay.steps) == (None, 1)


async def test_an_action_that_nobody_went_on_with_never_answers_the_code(store: Path) -> None:
    shop = Shop()
    shop.script = ["refuse"]
    phone = shop.tools()["call"]

    @tool("shop.slow", effect="idempotent")
    async def slow(request: Refund) -> str:
        raise ToolFailed.retryable("come back in a minute", retry_after_ms=60_000)

    @agent("failing", tools=[slow, phone])
    async def both(ctx: Context, number: int) -> str:
        await asyncio.gather(ctx.call(slow, REQUEST), ctx.call(phone, REQUEST))
        return "never"

    replay = await (await of_failures(store, both))(both)
    assert (replay.difference, replay.steps) == (None, 2)
