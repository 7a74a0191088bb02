"""The returns desk with nothing but `kernos.testing`: a shop that is a ledger, under its real policies, crashed everywhere and simulated."""

import json
import random
from datetime import date
from typing import Any

import pytest

from examples.returns_desk.desk import shop_tools as tools
from examples.returns_desk.desk.agents import AGENTS, models, returns_desk
from examples.returns_desk.desk.records import Customer, Customers, Item, Order, Orders, Payment, Stock, Written
from examples.returns_desk.desk.serve import POLICIES
from examples.returns_desk.desk.ticket import Outcome, Ticket
from examples.returns_desk.desk.undo_tools import UNDOS
from kernos import RunDidNotComplete, ToolCall, ToolFailed
from kernos.kernel.state import Status
from kernos.testing import Ledger, People, VirtualKernel, crash_everywhere, kill_everywhere, simulate
from kernos.vocabulary.quantities import Json

pytestmark = pytest.mark.slow

ADA = Customer(id="C-100001", name="Ada Byron", email="ada@mail.test")
LEDGER = Ledger()


LAST_ONE_GONE = {"error": "out_of_stock", "message": "There is no Oxford shirt in M left."}


def lamp(cents: int) -> Order:
    return Order(
        id="A-100042", customer_id=ADA.id, placed_on=date(2026, 10, 12), status="delivered", payment_id="P-1",
        delivered_on=date(2026, 10, 20), items=[Item(sku="L1", name="Desk lamp", quantity=1, unit_cents=cents)],
        total_cents=cents,
    )  # fmt: skip


def shirt() -> Order:
    item = Item(sku="SHIRT-OX", name="Oxford shirt", quantity=1, unit_cents=5_490, size="L")
    return lamp(5_490).model_copy(update={"items": [item]})


def shop(cents: int, order: Order | None = None) -> dict[str, Any]:
    """Give what a check needs besides the ticket: the desk, its policies and rules, and a shop with one order over so much.

    A shirt is there in another size when the desk looks, and gone when it is to be sent; a note on case `T9` is refused.
    """
    order = order or lamp(cents)
    payment = Payment(id="P-1", order_id=order.id, captured_cents=cents, refunded_cents=0)

    def written(request: object, call: ToolCall) -> Written:
        return Written(id=f"W-{call.tool}")  # Not of the key: runs are named by chance.

    def sold_out(request: object, call: ToolCall) -> Written:
        raise ToolFailed.final("it answered 409", details=Json(json.dumps(LAST_ONE_GONE).encode()))

    def noted(request: tools.Note, call: ToolCall) -> Written:
        if request.case == "T9":
            raise ToolFailed.final("the file of case T9 is closed")
        return written(request, call)

    answers = {"shop.exchange": sold_out, "shop.note": noted}
    reads = [
        LEDGER.fake(tools.customers, Customers(customers=[ADA])),
        LEDGER.fake(tools.order, order),
        LEDGER.fake(tools.orders_of, Orders(orders=[order])),
        LEDGER.fake(tools.payment, payment),
        LEDGER.fake(tools.stock, Stock(sku="SHIRT-OX", name="Oxford shirt", sizes={"M": 1, "L": 4})),
    ]
    return {
        "tools": reads + [LEDGER.fake(tool, answers.get(tool.name, written)) for tool in (*tools.ACTIONS, *UNDOS)],
        "models": models(),
        "policies": POLICIES,
    }


def ticket(name: str, text: str = "Order A-100042 arrived broken, please refund me.") -> Ticket:
    return Ticket(
        id=name, received_at="2026-11-02", channel="mail", from_email=ADA.email, from_name=ADA.name, subject="my order", text=text,
    )  # fmt: skip


async def test_a_small_refund_is_paid_mailed_and_noted(virtual_kernel: type[VirtualKernel]) -> None:
    LEDGER.clear()
    async with virtual_kernel(*AGENTS, **shop(2_490)) as kernel:
        outcome: Outcome = await kernel.finish(returns_desk, ticket("T1"))
    assert (outcome.outcome, outcome.amount_cents) == ("refund", 2_490)
    assert [line.what for line in LEDGER.lines] == ["shop.refund", "shop.mail", "shop.note"]


def test_wherever_the_desk_crashes_it_pays_mails_and_notes_once() -> None:
    done = crash_everywhere(returns_desk, ticket("T2"), agents=AGENTS, ledger=LEDGER, **shop(2_490))
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
    done = crash_everywhere(returns_desk, ticket("T3"), agents=AGENTS, ledger=LEDGER, people=people, **shop(24_900))
    assert any(effect.startswith("shop.refund") for effect in done.clean.effects) is says_yes


# --- taking back -------------------------------------------------------------------------------------------------

EXCHANGE = "The Oxford shirt of order A-100042 does not fit, it is too large. May I have it in M instead?"
HALF_DONE = ["shop.mail", "shop.mail", "shop.note", "shop.return_label", "shop.withdraw_label"]


def test_wherever_it_crashes_a_half_done_exchange_is_taken_back_once_and_the_customer_hears_of_it() -> None:
    world = shop(5_490, shirt())
    done = crash_everywhere(returns_desk, ticket("T4", EXCHANGE), agents=AGENTS, ledger=LEDGER, **world)
    assert done.clean.outcome[0] == "completed"
    assert json.loads(done.clean.outcome[1])["outcome"] == "answer"
    assert sorted(effect.split(" ")[0] for effect in done.clean.effects.elements()) == HALF_DONE
    assert len(done.points) > 60


@pytest.mark.slow
@pytest.mark.limit(120)
def test_wherever_it_is_killed_a_half_done_exchange_is_taken_back_once() -> None:
    world = shop(5_490, shirt())
    done = kill_everywhere(returns_desk, ticket("T5", EXCHANGE), agents=AGENTS, ledger=LEDGER, **world)
    assert sorted(effect.split(" ")[0] for effect in done.clean.effects.elements()) == HALF_DONE


@pytest.mark.parametrize("says_yes", [True, False])
async def test_a_desk_that_breaks_down_asks_a_person_and_a_large_refund_is_voided_only_after_another_yes(
    virtual_kernel: type[VirtualKernel], *, says_yes: bool
) -> None:
    LEDGER.clear()
    async with virtual_kernel(*AGENTS, **shop(24_900)) as kernel:
        run = await kernel.start(returns_desk, ticket("T9"))
        await until_asked(kernel, "approval")
        await kernel.approve(run.id, by="person:lead")
        await until_asked(kernel, "question")
        assert (await run.state()).status is Status.HANDED_OVER
        await kernel.answer(run.id, "compensate", by="person:lead")
        place = await until_asked(kernel, "approval")
        assert [line.what for line in LEDGER.lines] == ["shop.refund", "shop.mail"]
        if says_yes:
            await kernel.approve(place, by="person:lead")
        else:
            await kernel.deny(place, "they keep it", by="person:lead")
        with pytest.raises(RunDidNotComplete):
            await run.result()
    voided = [line.what for line in LEDGER.lines if line.what == "shop.void_refund"]
    assert voided == ["shop.void_refund"] * says_yes


async def until_asked(kernel: VirtualKernel, kind: str) -> str:
    """Wait until a person is asked, and return where."""
    while True:
        change = kernel.next_change()
        for row in await kernel.waiting(kind=kind):
            return f"{row['run']}.{row['step']}"
        await change


@pytest.mark.slow
def test_a_bad_day_of_the_shop_leaves_books_that_agree() -> None:
    def some_ticket(dice: random.Random) -> Ticket:
        return ticket(f"T{dice.randrange(1_000)}")

    worlds = simulate(returns_desk, some_ticket, agents=AGENTS, ledger=LEDGER, seeds=range(20), **shop(24_900))
    assert sum(world.crashes for world in worlds) > 20
    assert sum(world.effects for world in worlds) > 500
