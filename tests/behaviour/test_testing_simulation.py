"""simulate: a user's workflow under seeded faults and crashes; it lets sound ones pass and finds those that are not."""

import random

import pytest
from pydantic import BaseModel

from kernos import CallFailed, Context, Retry, ToolCall, agent, tool
from kernos.testing import CheckFailed, Ledger, People, simulate
from kernos.vocabulary.events import RunCompleted

PATIENT = Retry(attempts=10, first_delay_ms=20, delay_max_ms=500)


class Order(BaseModel):
    id: str


@tool("shop.refund", effect="idempotent", retry=PATIENT, timeout_ms=1_000)
async def refund(order: Order, call: ToolCall) -> str:
    return f"R-{order.id}"


@tool("shop.call", effect="once", retry=PATIENT, timeout_ms=1_000)
async def ring(order: Order) -> str:
    return f"C-{order.id}"


@agent("desk", tools=[refund, ring])
async def desk(ctx: Context, order: Order) -> list[str]:
    await ctx.sleep(1)
    said = [await ctx.ask("lead", "Pay?", ["yes", "no"])]
    for one in (refund, ring):
        try:
            said.append(await ctx.call(one, order))
        except CallFailed as error:
            said.append(error.failure)
    return said


def some_order(dice: random.Random) -> Order:
    return Order(id=f"A{dice.randrange(100)}")


def test_a_sound_workflow_keeps_its_books_under_faults_and_crashes() -> None:
    worlds = simulate(desk, some_order, seeds=range(6), operations=80)
    assert [world.seed for world in worlds] == [0, 1, 2, 3, 4, 5]
    assert all(world.operations >= 80 and world.runs > 3 for world in worlds)
    assert sum(world.crashes for world in worlds) > 6
    assert sum(world.effects for world in worlds) > 30
    assert len({world.head for world in worlds}) == 6


def test_a_seed_repeats_its_world_to_the_byte() -> None:
    once = simulate(desk, some_order, seeds=[4, 5], operations=60)
    assert simulate(desk, some_order, seeds=[5], operations=60) == once[1:]


def test_without_faults_and_crashes_nothing_goes_wrong_at_all() -> None:
    (world,) = simulate(desk, Order(id="A1"), seeds=[1], operations=30, rates={}, crashes_max=0, withdrawn=0)
    assert world.crashes == 0
    assert world.effects == 2 * world.runs


def test_a_tool_that_claims_keys_and_ignores_them_is_found_with_its_seed() -> None:
    ledger = Ledger()

    @tool("shop.pay", effect="idempotent", retry=PATIENT)
    async def pay(order: Order, call: ToolCall) -> str:
        ledger.add("shop.pay", call.key, result="paid", id=order.id)  # Each time anew.
        return "paid"

    @agent("payer", tools=[pay])
    async def payer(ctx: Context, order: Order) -> str:
        return await ctx.call(pay, order)

    with pytest.raises(CheckFailed, match=r"payer, seed \d+: the books do not agree") as error:
        simulate(payer, Order(id="A1"), seeds=range(5), operations=60, ledger=ledger)
    assert any("shop.pay happened 2 times under" in finding for finding in error.value.findings)


def test_people_may_be_made_from_the_seed() -> None:
    def people(dice: random.Random) -> People:
        return People(answers={"Pay?": dice.choice(["yes", "no"])})

    outputs = {
        event.data.output.text.split(b",")[0]
        for world in simulate(desk, some_order, seeds=range(5), operations=20, people=people, rates={})
        for event in world.events
        if isinstance(event.data, RunCompleted)
    }
    assert outputs == {b'["yes"', b'["no"'}
