"""Bounds: waiting is free, promises are durable, and one caller's or tool's oddity stops nobody else."""

import asyncio
import math
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, PlainSerializer

from kernos import Context, Found, Kernel, Limits, Retry, RunDidNotComplete, ToolFailed, agent, tool
from kernos.authoring.codec import codec_of
from kernos.control.codec import decode_entry
from kernos.control.family import Family
from kernos.kernel.retry import next_attempt_at
from kernos.vocabulary.commands import Command
from kernos.vocabulary.contract import ModelReply, ModelRequest
from kernos.vocabulary.errors import (
    BadConfiguration,
    BadDeclaration,
    ContractBroken,
    ForeignStore,
    KernosError,
    StaleRunNumber,
)
from kernos.vocabulary.ids import EpochMs, PrincipalId, RunId
from kernos.vocabulary.journal import Entry
from kernos.vocabulary.quantities import WAIT_MS_MAX, Json, Usage
from tests.behaviour.shop import FAST, Receipt, Refund
from tests.behaviour.test_runs_end_to_end import until
from tests.surface.desk_folder import Folder

ALLOW = "permit(principal, action, resource);"
SOON_S = 20.0
REQUEST = Refund(order="A1", amount_cents=5)


@agent("other")
async def other(ctx: Context, request: Refund) -> str:
    return "done"


async def test_runs_that_back_off_for_long_leave_their_places_to_others(store: Path) -> None:
    @tool("shop.busy", effect="idempotent")
    async def busy(request: Refund) -> Receipt:
        raise ToolFailed.retryable("429", retry_after_ms=3_600_000)

    @agent("desk", tools=[busy])
    async def desk(ctx: Context, request: Refund) -> Receipt:
        return await ctx.call(busy, request)

    async with Kernel(store, agents=[desk, other], policies=ALLOW, active_max=2) as kernel:
        for _ in range(2):
            await until(await kernel.start(desk, REQUEST), "CallAttemptFailed")
        run = await kernel.start(other, REQUEST)
        async with asyncio.timeout(SOON_S):
            assert await run.result() == "done"


async def test_whoever_asks_second_with_a_key_is_answered_when_the_run_is_durable_too(store: Path) -> None:
    async with Kernel(store, agents=[other], policies=ALLOW) as kernel:
        asked = [asyncio.ensure_future(kernel.start(other, REQUEST, key="K")) for _ in range(2)]
        done, _ = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
        for one in done:
            assert await kernel.journal.read((await one).id)
        await asyncio.gather(*asked)


@pytest.mark.parametrize("name", ["", ".1"])
async def test_an_empty_name_names_no_run(store: Path, name: str) -> None:
    async with Kernel(store, agents=[other]) as kernel:
        await kernel.start(other, REQUEST)
        for command in (kernel.cancel(name, "oops"), kernel.approve(name), kernel.signal(name, "t")):
            with pytest.raises(KernosError) as refused:
                await command
            assert refused.value.code in ("not_found", "invalid_input")


async def test_a_name_that_ends_in_a_dot_is_refused_in_words(store: Path) -> None:
    async with Kernel(store, agents=[other]) as kernel:
        run = await kernel.start(other, REQUEST)
        with pytest.raises(KernosError):
            await kernel.approve(f"{run.id}.")


@pytest.mark.parametrize(
    "given",
    [
        {"intent": 7}, {"intent": "\ud800"}, {"by": None}, {"tenant": None}, {"profile": None}, {"key": "\ud800"},
        {"deadline_ms": 1.5}, {"deadline_ms": 10**30},
    ],
    ids=repr,
)  # fmt: skip
async def test_a_start_that_cannot_be_recorded_is_refused_and_disturbs_nobody(store: Path, given: Any) -> None:
    async with Kernel(store, agents=[other], policies=ALLOW) as kernel:
        with pytest.raises(KernosError) as refused:
            await kernel.start(other, REQUEST, **given)
        assert refused.value.code == "invalid_input"
        async with asyncio.timeout(SOON_S):
            assert await (await kernel.start(other, REQUEST)).result() == "done"


@pytest.mark.parametrize("reason", [None, 5, "\udcff"], ids=repr)
async def test_a_reason_that_cannot_be_recorded_is_refused(store: Path, reason: Any) -> None:
    async with Kernel(store, agents=[other], policies=ALLOW, works=False) as kernel:
        run = await kernel.start(other, REQUEST)
        with pytest.raises(KernosError) as refused:
            await kernel.cancel(run.id, reason)
        assert refused.value.code == "invalid_input"
        assert [event async for event in run.events(follow=False)]


@pytest.mark.parametrize("delay", [1e16, 1e300], ids=repr)
async def test_a_sleep_beyond_all_times_fails_its_run_and_nobody_elses(store: Path, delay: float) -> None:
    @agent("desk")
    async def desk(ctx: Context, request: Refund) -> str:
        await ctx.sleep(delay)
        return "awake"

    async with Kernel(store, agents=[desk, other], policies=ALLOW) as kernel:
        long = await kernel.start(desk, REQUEST)
        with pytest.raises(RunDidNotComplete):
            async with asyncio.timeout(SOON_S):
                await long.result()
        assert await (await kernel.start(other, REQUEST)).result() == "done"


@pytest.mark.parametrize("question", [{"to": None}, {"options": [1, 2]}, {"to": "\ud800"}], ids=repr)
async def test_a_question_that_cannot_be_recorded_fails_its_run(store: Path, question: Any) -> None:
    @agent("desk")
    async def desk(ctx: Context, request: Refund) -> str:
        return await ctx.ask(**{"to": "lead", "question": "Pay?", **question})

    async with Kernel(store, agents=[desk], policies=ALLOW) as kernel:
        run = await kernel.start(desk, REQUEST)
        with pytest.raises(RunDidNotComplete):
            async with asyncio.timeout(SOON_S):
                await run.result()
        assert [event async for event in run.events(follow=False)]


# --- what cannot be recorded ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", [{"topic": None}, {"topic": "t", "key": 5}, {"topic": "t", "by": 7}], ids=repr)
async def test_a_signal_that_cannot_be_recorded_is_refused(store: Path, given: Any) -> None:
    async with Kernel(store, agents=[other], policies=ALLOW, works=False) as kernel:
        run = await kernel.start(other, REQUEST)
        with pytest.raises(KernosError) as refused:
            await kernel.signal(run.id, **given)
        assert refused.value.code == "invalid_input"
        assert any(name in str(refused.value) for name in given)
        assert len([event async for event in run.events(follow=False)]) == 1


@pytest.mark.parametrize("given", [(None, "summary"), ("name", 5), ("name", "\udcff")], ids=repr)
async def test_a_checkpoint_that_cannot_be_recorded_fails_its_run(store: Path, given: Any) -> None:
    @agent("desk")
    async def desk(ctx: Context, request: Refund) -> str:
        await ctx.checkpoint(*given)
        return "done"

    async with Kernel(store, agents=[desk], policies=ALLOW) as kernel:
        run = await kernel.start(desk, REQUEST)
        with pytest.raises(RunDidNotComplete) as failed:
            async with asyncio.timeout(SOON_S):
                await run.result()
        assert failed.value.mode == "invalid_input"
        assert [event async for event in run.events(follow=False)]


async def test_a_child_whose_intent_cannot_be_recorded_leaves_nothing_behind(store: Path) -> None:
    @agent("desk")
    async def desk(ctx: Context, request: Refund) -> str:
        return await ctx.run(other, request, intent=7)  # type: ignore[arg-type]

    async with Kernel(store, agents=[desk, other], policies=ALLOW) as kernel:
        run = await kernel.start(desk, REQUEST)
        with pytest.raises(RunDidNotComplete):
            async with asyncio.timeout(SOON_S):
                await run.result()
        assert len(await kernel.runs()) == 1
        assert len(kernel.engine._sessions) <= 1


@pytest.mark.parametrize("body", [b"no JSON", b'{"kind":"run.parked","v":1,"at":1,"by":null,"cause":"n0","data":{}}'])
def test_an_event_that_cannot_be_read_is_named(body: bytes) -> None:
    with pytest.raises(ForeignStore, match="event 3 of run 5r0kd7v3m2axq cannot be read"):
        decode_entry(Entry(RunId("5r0kd7v3m2axq"), 3, body))


@pytest.mark.parametrize("tokens", [10**30, 1.5, -2])
async def test_a_model_that_used_what_cannot_be_counted_fails_its_call_and_nobody_elses(
    store: Path, tokens: Any
) -> None:
    class Odd:
        metered = False

        async def complete(self, request: ModelRequest) -> ModelReply:
            return ModelReply(Json(b'"fine"'), Usage(prompt_tokens=tokens))

    @agent("desk")
    async def desk(ctx: Context, request: Refund) -> str:
        return await ctx.model("read", request, str)

    async with Kernel(store, agents=[desk, other], models={"default": Odd()}, policies=ALLOW) as kernel:
        with pytest.raises(RunDidNotComplete):
            async with asyncio.timeout(SOON_S):
                await (await kernel.start(desk, REQUEST)).result()
        assert await (await kernel.start(other, REQUEST)).result() == "done"


def test_bytes_that_are_no_text_on_the_command_line_are_refused_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Folder(tmp_path, capsys)
    assert folder.kernos("run", "asker", "--input", '"Pay?"').code == 3
    run = folder.kernos("ps", "--json").out.split('"run": "')[1][:13]
    for given in (("answer", run, "yes", "--by", "person:\udcff"), ("cancel", run, "--reason", "\udcff")):
        refused = folder.kernos(*given)
        assert refused.code == 1
        assert "error[invalid_input]" in refused.err


def test_input_of_three_thousand_brackets_is_refused_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Folder(tmp_path, capsys)
    refused = folder.kernos("run", "asker", "--input", "[" * 3_000 + "]" * 3_000)
    assert refused.code == 1
    assert "error[invalid_input]" in refused.err


# --- times ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "waits",
    [
        lambda ctx: ctx.wait("t", int, timeout=1e16),
        lambda ctx: ctx.ask("lead", "Pay?", timeout=math.inf),
        lambda ctx: ctx.sleep(math.nan),
    ],
    ids=["wait", "ask", "sleep"],
)
async def test_a_timeout_beyond_all_times_fails_its_run(store: Path, waits: Callable[[Context], Any]) -> None:
    @agent("desk")
    async def desk(ctx: Context, request: Refund) -> str:
        return str(await waits(ctx))

    async with Kernel(store, agents=[desk], policies=ALLOW) as kernel:
        with pytest.raises(RunDidNotComplete) as failed:
            async with asyncio.timeout(SOON_S):
                await (await kernel.start(desk, REQUEST)).result()
        assert failed.value.mode == "invalid_input"


async def test_the_longest_sleep_can_be_waited_for(store: Path) -> None:
    @agent("desk")
    async def desk(ctx: Context, request: Refund) -> None:
        await ctx.sleep(WAIT_MS_MAX / 1_000)

    for _ in range(2):  # The second one finds it at its start.
        async with Kernel(store, agents=[desk], policies=ALLOW) as kernel:
            run = await kernel.start(desk, REQUEST, key="K", deadline_ms=WAIT_MS_MAX)
            await until(run, "TimerSet")
            assert kernel.engine.stopped is None


def test_a_question_cannot_stand_for_ever(store: Path) -> None:
    for ttl_ms in (0, 10**30):
        with pytest.raises(BadConfiguration, match="approval_ttl_ms"):
            Kernel(store, approval_ttl_ms=ttl_ms)


def test_a_service_cannot_put_the_next_attempt_off_beyond_all_times() -> None:
    assert next_attempt_at(FAST, 1, EpochMs(7), 0, retry_after_ms=10**30) == EpochMs(7 + WAIT_MS_MAX)


@pytest.mark.parametrize(
    "given",
    [
        {"retry": Retry(delay_max_ms=10**30)}, {"retry": Retry(factor=1e9)}, {"retry": Retry(attempts=0)},
        {"effect": "verifiable", "look_up": lambda request, call: Found(None, ""), "late_ms": 10**30},
    ],
    ids=["delay", "factor", "attempts", "late"],
)  # fmt: skip
def test_a_tool_whose_delays_cannot_be_waited_for_is_refused(given: Any) -> None:
    with pytest.raises(BadDeclaration):

        @tool("shop.odd", **{"effect": "idempotent", **given})
        async def odd(request: Refund) -> Receipt:
            return Receipt(id="x")


@pytest.mark.parametrize("limits", [Limits(wall_time_ms=10**30), Limits(steps=1.5)])  # type: ignore[arg-type]
def test_an_agent_whose_limits_are_none_is_refused(limits: Limits) -> None:
    with pytest.raises(BadDeclaration):

        @agent("odd", limits=limits)
        async def odd(ctx: Context, request: Refund) -> str:
            return "x"


# --- values --------------------------------------------------------------------------------------------------------


class Tagged(BaseModel):
    tags: set[str]


class Sorted(BaseModel):
    tags: Annotated[frozenset[str], PlainSerializer(sorted)]


class Measured(BaseModel):
    weight: float | None


@pytest.mark.parametrize("kind", [Tagged, list[Tagged], dict[str, frozenset[int]], set])
def test_a_type_with_a_set_in_it_is_refused_because_processes_order_it_differently(kind: Any) -> None:
    with pytest.raises(BadDeclaration, match="there is a set in it"):
        codec_of(kind)


def test_a_set_whose_field_sorts_it_is_taken() -> None:
    assert codec_of(Sorted).encode(Sorted(tags=frozenset({"b", "a", "c"}))) == Json(b'{"tags":["a","b","c"]}')


def test_a_set_among_values_of_any_type_is_refused() -> None:
    with pytest.raises(ContractBroken, match="give a list"):
        codec_of(Any).encode({"tags": [{"a"}]})


@pytest.mark.parametrize("weight", [math.nan, math.inf, -math.inf])
def test_a_number_that_json_does_not_have_is_refused(weight: float) -> None:
    for kind, value in ((Measured, Measured(weight=weight)), (Any, [weight]), (list[float], [weight])):
        with pytest.raises(ContractBroken, match="is no number in JSON"):
            codec_of(kind).encode(value)
    assert codec_of(Measured).encode(Measured(weight=None)) == Json(b'{"weight":null}')


# --- families ------------------------------------------------------------------------------------------------------


class Parent:
    """A parent's session, whose newest events become durable when `known` is set, or never."""

    run = RunId("5r0kd7v3m2axq")

    def __init__(self, error: KernosError | None) -> None:
        self.known = asyncio.Event()
        self.error = error

    async def durable(self) -> None:
        await self.known.wait()
        if self.error is not None:
            raise self.error


@pytest.mark.parametrize("error", [None, StaleRunNumber("somebody was faster")], ids=["durable", "lost"])
async def test_a_child_is_cancelled_when_what_wants_that_is_durable(error: KernosError | None) -> None:
    cancelled: list[RunId] = []

    async def command(run: RunId, command: Command, by: PrincipalId, cause: str = "call") -> bool:
        cancelled.append(run)
        return True

    anything: Any = None
    family = Family(anything, anything, anything, command, anything)
    parent: Any = Parent(error)
    cancelling = asyncio.ensure_future(family.cancel(RunId("child"), "it ended", parent))
    await asyncio.wait([cancelling], timeout=0.01)
    assert not cancelled
    parent.known.set()
    await cancelling
    assert len(cancelled) == (1 if error is None else 0)
