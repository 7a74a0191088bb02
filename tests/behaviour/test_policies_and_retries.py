"""A further attempt goes by the policies of its own time: what was decided stands only while the set that it was decided under is in force."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from kernos import Context, Kernel, Retry, ToolFailed, agent, tool
from kernos.app.account import accounts_of
from kernos.control.codec import decode_entry
from kernos.testing.model import ScriptedModel
from kernos.vocabulary import events as ev
from kernos.vocabulary.errors import RunDidNotComplete
from kernos.vocabulary.gate import Answer
from kernos.vocabulary.ids import RunId
from kernos.vocabulary.outcome import AttemptFailed, FailureKind

ALL = '@id("all") permit(principal, action, resource);\n'
NO = '@id("no") forbid(principal, action, resource);\n'
ASK = '@id("asked") permit(principal, action == Action::"invoke", resource);\n'
ASK_LEADS = '@id("asked") @approvers("lead") permit(principal, action == Action::"invoke", resource);\n'
REREAD = "// The same rules, in a set with another digest.\n"
AT_ONCE = Retry(attempts=3, first_delay_ms=1)
ANA = "person:ana"


class Refund(BaseModel):
    order: str
    cents: int = 100


Failing = Callable[[str], ToolFailed]


class Till:
    """A till whose first attempt fails, after another policy set came into force."""

    kernel: Kernel

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.attempts: list[str] = []
        self.keys: list[str] = []

    def write(self, rules: str, context: str = "") -> Path:
        self.folder.mkdir(exist_ok=True)
        (self.folder / "desk.cedar").write_text(rules)
        (self.folder / "context.toml").write_text(context)
        return self.folder

    async def first_time(self, order: str, rules: str, fails: Failing, context: str = "") -> None:
        self.attempts.append(order)
        if len(self.attempts) > 1:
            return
        self.write(rules, context)
        await self.kernel.reload_policies(by=ANA)
        raise fails("the line broke")


@pytest.fixture
def till(tmp_path: Path) -> Till:
    return Till(tmp_path / "policies")


def desk_of(
    till: Till, rules: str, fails: Failing = ToolFailed.retryable, effect: Any = "idempotent", context: str = ""
) -> Any:
    @tool("till.refund", effect=effect, retry=AT_ONCE)
    async def refund(request: Refund) -> str:
        await till.first_time(request.order, rules, fails, context)
        return "paid"

    @agent("desk", tools=[refund])
    async def desk(ctx: Context, order: str) -> str:
        return await ctx.call(refund, Refund(order=order))

    return desk


async def events(kernel: Kernel, run: RunId) -> list[Any]:
    return [decode_entry(entry).data for entry in await kernel.journal.read(run)]


async def until(is_so: Callable[[], Awaitable[object]]) -> None:
    while not await is_so():
        await asyncio.sleep(0)


@pytest.mark.parametrize("effect", ["idempotent", "once"])
async def test_an_action_that_policy_has_come_to_forbid_is_not_tried_again(
    store: Path, till: Till, effect: str
) -> None:
    desk = desk_of(till, ALL + NO, effect=effect)
    async with Kernel(store, agents=[desk], policies=till.write(ALL)) as till.kernel:
        run = await till.kernel.start(desk, "A1")
        with pytest.raises(RunDidNotComplete, match=r"not permitted by now, under policy set .*: forbidden by no"):
            await run.result()
        (failed,) = (data for data in await events(till.kernel, run.id) if isinstance(data, ev.ActionFailed))
        assert failed.failure.code == "denied"
        assert failed.gate is not None
        assert (failed.gate.answer, failed.gate.policy_set) == (Answer.DENY, till.kernel.policy.digest()[:16])
        (account,) = accounts_of([decode_entry(entry) for entry in await till.kernel.journal.read(run.id)]).values()
    assert till.attempts == ["A1"]
    assert [(one.answer, one.rules) for one in account.decisions] == [("allow", ("all",)), ("deny", ("no",))]


async def test_where_an_attempt_may_have_happened_a_person_says_before_the_action_is_given_up(
    store: Path, till: Till
) -> None:
    desk = desk_of(till, NO, ToolFailed.unknown)
    async with Kernel(store, agents=[desk], policies=till.write(ALL)) as till.kernel:
        run = await till.kernel.start(desk, "A1")
        await until(lambda: till.kernel.actions(status="in_doubt"))
        (doubted,) = (data for data in await events(till.kernel, run.id) if isinstance(data, ev.ActionDoubted))
        assert doubted.gate is not None
        assert "not permitted by now" in doubted.message
        await till.kernel.settle(run.id, "not_done", "I rang them up", by=ANA)
        with pytest.raises(RunDidNotComplete, match="not permitted by now"):
            await run.result()
    assert till.attempts == ["A1"]


async def test_under_another_set_that_permits_it_an_action_is_tried_again_and_does_not_count_against_itself(
    store: Path, till: Till
) -> None:
    counters = """[count.refunds]
    tools = ["till.refund"]
    by = "order"
    [count.here]
    tools = ["till.refund"]
    within = "run"
    [sum.since_refund]
    tools = ["till.refund"]
    of = "cents"
    since = ["till.refund"]
    """
    first = '@id("first") forbid(principal, action, resource is till::refund) when { context.refunds > 0 || context.here > 0 };\n'
    none_since = '@id("none") forbid(principal, action, resource is till::refund) when { context.since_refund > 0 || context.approvals > 0 };\n'
    desk = desk_of(till, ALL + first + none_since + REREAD, context=counters)
    async with Kernel(store, agents=[desk], policies=till.write(ALL + first, counters)) as till.kernel:
        assert await (await till.kernel.start(desk, "A1")).result() == "paid"
        with pytest.raises(RunDidNotComplete, match="forbidden by first"):
            await (await till.kernel.start(desk, "A1")).result()
    assert till.attempts == ["A1", "A1"]


async def test_what_begins_a_count_anew_is_looked_for_before_the_action_itself(store: Path, till: Till) -> None:
    counters = """[count.refunds]
    tools = ["till.refund"]
    since = ["till.close"]
    """
    limit = '@id("limit") forbid(principal, action, resource is till::close) when { context.refunds < 2 };\n'

    @tool("till.refund", effect="idempotent")
    def refund(request: Refund) -> str:
        return "paid"

    @tool("till.close", effect="idempotent", retry=AT_ONCE)
    async def close(request: Refund) -> str:
        await till.first_time(request.order, ALL + limit + REREAD, ToolFailed.retryable, counters)
        return "closed"

    @agent("desk", tools=[refund, close])
    async def desk(ctx: Context, refunds: int) -> str:
        for order in range(refunds):
            await ctx.call(refund, Refund(order=f"A{order}"))
        return await ctx.call(close, Refund(order="day"))

    async with Kernel(store, agents=[desk], policies=till.write(ALL + limit, counters)) as till.kernel:
        assert await (await till.kernel.start(desk, 2)).result() == "closed"
        with pytest.raises(RunDidNotComplete, match="forbidden by limit"):
            await (await till.kernel.start(desk, 1)).result()
    assert till.attempts == ["day", "day"]


async def test_an_action_that_takes_a_yes_by_now_is_not_tried_again_without_one(store: Path, till: Till) -> None:
    desk = desk_of(till, ASK)
    async with Kernel(store, agents=[desk], policies=till.write(ALL)) as till.kernel:
        run = await till.kernel.start(desk, "A1")
        with pytest.raises(RunDidNotComplete, match="takes a person's yes by now"):
            await run.result()
    assert till.attempts == ["A1"]


@pytest.mark.parametrize(("rules", "attempts"), [(ASK + REREAD, 2), (ASK_LEADS, 1)])
async def test_a_yes_counts_on_for_a_further_attempt_where_the_same_people_are_asked_for(
    store: Path, till: Till, rules: str, attempts: int
) -> None:
    desk = desk_of(till, rules)
    async with Kernel(store, agents=[desk], policies=till.write(ASK)) as till.kernel:
        run = await till.kernel.start(desk, "A1")
        await until(lambda: till.kernel.journal.select("waiting", {"run": run.id}))
        await till.kernel.approve(run.id, by=ANA)
        outcome = await asyncio.gather(run.result(), return_exceptions=True)
    assert len(till.attempts) == attempts
    assert ("paid" in outcome) is (attempts == 2)


async def test_a_read_that_policy_has_come_to_forbid_is_not_made_again(store: Path, till: Till) -> None:
    desk = desk_of(till, ALL + NO, effect="read")
    async with Kernel(store, agents=[desk], policies=till.write(ALL)) as till.kernel:
        run = await till.kernel.start(desk, "A1")
        with pytest.raises(RunDidNotComplete, match="forbidden by no"):
            await run.result()
    assert till.attempts == ["A1"]


async def test_a_model_that_policy_has_come_to_forbid_is_not_asked_again(store: Path, till: Till) -> None:
    class Slow(ScriptedModel):
        async def complete(self, request: Any) -> Any:
            if not self.requests:
                till.write(ALL + NO)
                await till.kernel.reload_policies(by=ANA)
            return await super().complete(request)

    model = Slow([AttemptFailed(FailureKind.RETRYABLE, "busy"), "yes"])

    @agent("desk")
    async def desk(ctx: Context, text: str) -> str:
        return await ctx.model("read", text, str)

    async with Kernel(store, agents=[desk], policies=till.write(ALL), models={"default": model}) as till.kernel:
        run = await till.kernel.start(desk, "A1")
        with pytest.raises(RunDidNotComplete, match="forbidden by no"):
            await run.result()
    assert len(model.requests) == 1
