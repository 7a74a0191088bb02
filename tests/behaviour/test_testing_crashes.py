"""crash_everywhere and kill_everywhere: what they let pass, and that they find and explain what does not survive a crash."""

import itertools
from typing import Annotated

import pytest
from pydantic import BaseModel

from kernos import Context, Found, Label, Retry, ToolCall, agent, tool
from kernos.testing import CheckFailed, Ledger, People, ScriptedModel, crash_everywhere, kill_everywhere
from kernos.vocabulary.contract import AgentContract
from kernos.vocabulary.errors import InvalidInput


class Order(BaseModel):
    id: str


async def unasked(order: Order, call: ToolCall) -> Found:
    raise AssertionError(call.key)


@tool("shop.refund", effect="idempotent")
async def refund(order: Order, call: ToolCall) -> str:
    return f"R-{order.id}"


@tool("shop.mail", effect="verifiable", look_up=unasked)
async def mail(order: Order, call: ToolCall) -> str:
    return f"M-{order.id}"


@tool("shop.call", effect="once", retry=Retry(attempts=2))
def ring(order: Order) -> str:
    return f"C-{order.id}"


@agent("child", tools=[mail])
async def child(ctx: Context, order: Order) -> str:
    return await ctx.call(mail, order)


@agent("desk", tools=[refund, ring])
async def desk(ctx: Context, order: Order) -> list[str]:
    """Use every kind of step: models, people, signals, timers, forks, children, and all classes of effect."""
    reading = await ctx.model("read", order, str)
    await ctx.checkpoint("read", reading)
    yes = await ctx.ask("lead", "Pay?", ["no", "yes"])
    went = await ctx.wait("go", str)
    await ctx.sleep(3_600)
    paid, called = await ctx.fork(lambda c: c.call(refund, order), lambda c: c.call(ring, order))
    return [reading, yes, went, paid, called, await ctx.run(child, order)]


LEDGER = Ledger()
PEOPLE = People(answers={"Pay?": "yes"}, signals={"go": "now"})
MODELS = {"default": ScriptedModel(["broken lamp"])}
A1 = Order(id="A1")


def test_a_sound_workflow_ends_the_same_wherever_it_crashes() -> None:
    done = crash_everywhere(
        desk, A1, agents=[child], models=MODELS, people=PEOPLE, ledger=LEDGER,
        tools=[LEDGER.fake(one) for one in (refund, mail, ring)],
    )  # fmt: skip
    assert done.clean.outcome == ("completed", '["broken lamp","yes","now","R-A1","C-A1","M-A1"]')
    assert sorted(done.clean.effects.elements()) == [f'shop.{op} {{"id":"A1"}}' for op in ("call", "mail", "refund")]
    names = [point.name for point in done.points]
    assert len(set(names)) == len(names) > 50
    moments = {name.rsplit(" ", 1)[0] for name in names}
    assert moments >= {"step", "before attempt", "after attempt", "before group", "after group", "after model"}


def test_one_point_is_repeated_alone() -> None:
    done = crash_everywhere(ringing, A1, at="after attempt 1")
    assert [str(point) for point in done.points] == ["after attempt 1 (shop.call)"]


def test_a_point_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(InvalidInput) as error:
        crash_everywhere(ringing, A1, at="after attempt 99")
    assert "before attempt 1 (shop.call)" in error.value.hint


@agent("ringing", tools=[ring])
async def ringing(ctx: Context, order: Order) -> str:
    return await ctx.call(ring, order)


SENT: list[str] = []


@agent("careless", tools=[refund])
async def careless(ctx: Context, order: Order) -> str:
    await ctx.checkpoint("read", "the ticket is read")
    SENT.append(f"mail about {order.id}")  # An effect that no tool knows of.
    return await ctx.call(refund, order)


def test_an_effect_beside_the_tools_is_found_and_explained() -> None:
    ledger = Ledger(observe=lambda: SENT, reset=SENT.clear)
    with pytest.raises(CheckFailed) as error:
        crash_everywhere(careless, A1, ledger=ledger)
    first = error.value.findings[0]
    assert '"mail about A1" happened 2 times, and once without' in first
    assert "let a tool do it" in first
    name = first.split("at='")[1].split("'")[0]
    with pytest.raises(CheckFailed, match="1 points tried"):
        crash_everywhere(careless, A1, ledger=ledger, at=name)


LYING: list[str] = []


@tool("shop.lie", effect="idempotent")
async def lie(order: Order, call: ToolCall) -> str:
    LYING.append(order.id)  # It says that it honours keys, and does not look at them.
    return "done"


@agent("trusting", tools=[lie])
async def trusting(ctx: Context, order: Order) -> str:
    return await ctx.call(lie, order)


def test_a_tool_that_claims_keys_and_ignores_them_is_found_at_its_own_attempt() -> None:
    with pytest.raises(CheckFailed) as error:
        crash_everywhere(trusting, A1, ledger=Ledger(observe=lambda: LYING, reset=LYING.clear))
    assert any("crash after attempt 1 (shop.lie)" in finding for finding in error.value.findings)
    assert not any("crash before attempt 1" in finding for finding in error.value.findings)


MOODS = itertools.count()
COUNT = itertools.count()


@agent("moody", tools=[refund, ring])
async def moody(ctx: Context, order: Order) -> str:
    await ctx.checkpoint("read", "the ticket is read")
    return await ctx.call(refund if next(MOODS) % 3 < 2 else ring, order)


def test_code_that_decides_otherwise_after_a_crash_is_found_with_both_questions() -> None:
    with pytest.raises(CheckFailed) as error:
        crash_everywhere(moody, A1)
    assert "diverged" in str(error.value)
    assert "before: call shop" in str(error.value)


@agent("fickle")
async def fickle(ctx: Context, order: Order) -> int:
    return next(COUNT)


def test_a_workflow_that_ends_differently_without_any_crash_is_told_so() -> None:
    with pytest.raises(CheckFailed, match="run twice, ends differently"):
        crash_everywhere(fickle, A1)


def test_what_of_an_outcome_has_to_be_equal_can_be_said() -> None:
    crash_everywhere(fickle, A1, same=lambda output: int(output) >= 0)


@agent("forlorn")
async def forlorn(ctx: Context, order: Order) -> str:
    return await ctx.wait("nobody", str)


def test_a_run_that_nobody_sends_on_does_not_hang_the_test() -> None:
    with pytest.raises(CheckFailed, match="forlorn"):
        crash_everywhere(forlorn, A1)


@agent("stuck")
async def stuck(ctx: Context, order: Order) -> str:
    return await ctx.run(child, order)


def test_an_agent_that_is_missing_blocks_the_run_and_is_named() -> None:
    with pytest.raises(CheckFailed, match="child"):
        crash_everywhere(stuck, A1)


@pytest.mark.slow
def test_the_same_holds_for_real_processes_and_sigkill() -> None:
    done = kill_everywhere(
        desk, A1, agents=[child], models=MODELS, people=PEOPLE, ledger=LEDGER,
        tools=[LEDGER.fake(one) for one in (refund, mail, ring)],
    )  # fmt: skip
    assert done.clean.outcome[0] == "completed"
    assert len(done.points) > 20


def test_a_killed_process_shows_an_effect_beside_the_tools() -> None:
    ledger = Ledger()

    @agent("hasty", tools=[ring])
    async def hasty(ctx: Context, order: Order) -> str:
        ledger.add("note", id=order.id)
        return await ctx.call(ring, order)

    with pytest.raises(CheckFailed) as error:
        kill_everywhere(hasty, A1, ledger=ledger, tools=[ledger.fake(ring)], at="after attempt 1")
    assert 'note {"id":"A1"} happened 3 times, and once without' in str(error.value)


# --- sealed values -----------------------------------------------------------------------------------------------

CANARY = "Zephyrine Quetzalcoatl"


class Letter(BaseModel):
    name: Annotated[str, Label("pii.name")] = CANARY


def greeter_who_says(name: str) -> AgentContract[Letter, str]:
    @agent("greeter", version="1")
    async def greeter(ctx: Context, letter: Letter) -> str:
        await ctx.checkpoint("read", f"{letter.name} writes, as {name} said")
        return "hello"

    return greeter


def test_a_sealed_value_that_stands_in_the_journal_is_found_in_every_world() -> None:
    crash_everywhere(greeter_who_says("nobody"), Letter(), ledger=LEDGER)
    with pytest.raises(CheckFailed, match=r"holds a value labelled pii\.name in the open") as failed:
        crash_everywhere(greeter_who_says(CANARY), Letter(), ledger=LEDGER)
    assert CANARY not in str(failed.value)
