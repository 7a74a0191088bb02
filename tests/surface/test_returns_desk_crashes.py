"""The returns desk with nothing but `kernos.testing`: a shop that is a ledger, under its real policies, crashed everywhere and simulated."""

import random
from datetime import date
from typing import Any

import pytest

from examples.returns_desk.desk import shop_tools as tools
from examples.returns_desk.desk.agents import AGENTS, models, reader, returns_desk
from examples.returns_desk.desk.records import Customer, Customers, Item, Order, Orders, Payment, Stock, Written
from examples.returns_desk.desk.serve import POLICIES
from examples.returns_desk.desk.ticket import Outcome, Ticket
from kernos import ToolCall
from kernos.testing import Ledger, People, VirtualKernel, crash_everywhere, simulate

ADA = Customer(id="C-100001", name="Ada Byron", email="ada@mail.test")
LEDGER = Ledger()


def lamp(cents: int) -> Order:
    return Order(
        id="A-100042", customer_id=ADA.id, placed_on=date(2026, 10, 12), status="delivered", payment_id="P-1",
        delivered_on=date(2026, 10, 20), items=[Item(sku="L1", name="Desk lamp", quantity=1, unit_cents=cents)],
        total_cents=cents,
    )  # fmt: skip


def shop(cents: int) -> dict[str, Any]:
    """Give what a check needs besides the ticket: the desk, its policies and rules, and a shop with one order over so much."""
    order = lamp(cents)
    payment = Payment(id="P-1", order_id=order.id, captured_cents=cents, refunded_cents=0)

    def written(request: object, call: ToolCall) -> Written:
        return Written(id=f"W-{call.key}")

    reads = [
        LEDGER.fake(tools.customers, Customers(customers=[ADA])),
        LEDGER.fake(tools.order, order),
        LEDGER.fake(tools.orders_of, Orders(orders=[order])),
        LEDGER.fake(tools.payment, payment),
        LEDGER.fake(tools.stock, Stock(sku="L1", name="Desk lamp", sizes={})),
    ]
    return {
        "tools": reads + [LEDGER.fake(tool, written) for tool in tools.ACTIONS],
        "models": models(),
        "policies": POLICIES,
    }


def ticket(name: str) -> Ticket:
    return Ticket(
        id=name, received_at="2026-11-02", channel="mail", from_email=ADA.email, from_name=ADA.name, subject="my lamp",
        text="Order A-100042 arrived broken, please refund me.",
    )  # fmt: skip


async def test_a_small_refund_is_paid_mailed_and_noted(virtual_kernel: type[VirtualKernel]) -> None:
    LEDGER.clear()
    async with virtual_kernel(*AGENTS, **shop(2_490)) as kernel:
        outcome: Outcome = await kernel.finish(returns_desk, ticket("T1"))
    assert (outcome.outcome, outcome.amount_cents) == ("refund", 2_490)
    assert [line.what for line in LEDGER.lines] == ["shop.refund", "shop.mail", "shop.note"]


def test_wherever_the_desk_crashes_it_pays_mails_and_notes_once() -> None:
    done = crash_everywhere(returns_desk, ticket("T2"), agents=[reader], ledger=LEDGER, **shop(2_490))
    assert done.clean.outcome[0] == "completed"
    assert sorted(effect.split(" ")[0] for effect in done.clean.effects.elements()) == [
        "shop.mail",
        "shop.note",
        "shop.refund",
    ]
    assert len(done.points) > 40


@pytest.mark.parametrize("says_yes", [True, False])
def test_wherever_it_crashes_a_large_refund_is_paid_only_after_a_yes(*, says_yes: bool) -> None:
    people = People(approve=says_yes)
    done = crash_everywhere(returns_desk, ticket("T3"), agents=[reader], ledger=LEDGER, people=people, **shop(24_900))
    assert any(effect.startswith("shop.refund") for effect in done.clean.effects) is says_yes


@pytest.mark.slow
def test_a_bad_day_of_the_shop_leaves_books_that_agree() -> None:
    def some_ticket(dice: random.Random) -> Ticket:
        return ticket(f"T{dice.randrange(1_000)}")

    worlds = simulate(returns_desk, some_ticket, agents=[reader], ledger=LEDGER, seeds=range(20), **shop(24_900))
    assert sum(world.crashes for world in worlds) > 20
    assert sum(world.effects for world in worlds) > 500
