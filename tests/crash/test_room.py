"""Waiting for room under SIGKILL: a run that waits for the next day's cap is killed at each of its points, and ends as it does without."""

import pytest
from pydantic import BaseModel

from kernos import CallFailed, Context, Cost, agent, tool
from kernos.testing import crash_everywhere, kill_everywhere
from kernos.vocabulary.budget import Cap, Caps, Over, Unit


class Order(BaseModel):
    name: str
    price: int


class Receipt(BaseModel):
    name: str


@tool("shop.buy", effect="idempotent", cost=Cost(argument="price"))
async def buy(order: Order) -> Receipt:
    return Receipt(name=order.name)


@agent("patient", tools=[buy], without_room="wait")
async def patient(ctx: Context, price: int) -> list[str]:
    return [(await ctx.call(buy, Order(name=name, price=price))).name for name in ("a", "b", "c")]


@agent("an_hour", tools=[buy], without_room="wait", room_wait_ms=3_600_000)
async def an_hour(ctx: Context, price: int) -> list[str]:
    said = []
    for name in ("a", "b"):
        try:
            said.append((await ctx.call(buy, Order(name=name, price=price))).name)
        except CallFailed as failed:
            said.append(failed.failure)
    return said


CAPS = Caps((Cap(Over.STORE, Unit.MICROUSD, 100),))


@pytest.mark.slow
def test_a_run_that_waits_for_room_is_killed_anywhere_and_buys_each_thing_once() -> None:
    done = kill_everywhere(patient, 80, budgets=CAPS)
    assert done.clean.outcome == ("completed", '["a","b","c"]')
    assert sum(done.clean.effects.values()) == 3
    assert len(done.points) > 10


@pytest.mark.slow
def test_a_run_that_waits_for_room_crashes_before_and_after_each_commit_and_buys_each_thing_once() -> None:
    done = crash_everywhere(patient, 80, budgets=CAPS)
    assert done.clean.outcome == ("completed", '["a","b","c"]')
    assert len(done.points) > 20


@pytest.mark.slow
def test_a_run_whose_wait_ends_without_room_is_killed_anywhere_and_fails_that_call() -> None:
    done = kill_everywhere(an_hour, 80, budgets=CAPS)
    assert done.clean.outcome == ("completed", '["a","over_budget"]')
