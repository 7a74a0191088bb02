"""The returns desk takes back what it did: an exchange that fails half-way, a cancellation that a person stops, a refund that was settled."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from examples.returns_desk.desk.records import Order
from examples.returns_desk.desk.ticket import Outcome
from kernos import Kernel, Run, RunDidNotComplete
from kernos.vocabulary.errors import NotAllowed
from kernos.vocabulary.events import ActionIntended, ChildStarted
from kernos.vocabulary.ids import RunId
from tests.surface.desk_running import Chosen, Desk, delivered, running_desk

pytestmark = pytest.mark.slow


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with running_desk(tmp_path) as running:
        yield running


def in_sizes(order: Order) -> bool:
    return delivered(1, 100_000)(order) and order.items[0].sku in ("TEE-BASIC", "SHIRT-OX", "TROUSERS")


def placed_over_the_limit(order: Order) -> bool:
    return order.status in ("placed", "packed") and order.total_cents > 5_000


async def ask_for_another_size(desk: Desk, chosen: Chosen) -> Run[Outcome]:
    order = chosen[1]
    size = "S" if order.items[0].size != "S" else "L"
    text = f"The {order.items[0].name} of order {order.id} does not fit. May I have size {size} instead?"
    return await desk.start("X1", chosen, text)


async def sells_out(desk: Desk, chosen: Chosen, delay_ms: int = 0) -> None:
    """Let other customers buy up what the order could be exchanged for, as soon as its label is made."""
    body = {"seed": 3, "rates": {}, "delay_ms": delay_ms, "sells_out": [chosen[1].id]}
    await desk.shop.post("/admin/faults", call=None, body=body)


async def below(kernel: Kernel, run: RunId, agent: str) -> RunId:
    (found,) = [row for row in await kernel.runs() if row["parent"] == run and row["agent"] == agent]
    return RunId(str(found["run"]))


async def assert_compensated(desk: Desk, chosen: Chosen, run: Run[Outcome]) -> None:
    """The label is withdrawn, nothing was sent, both mails stand, and the books agree."""
    outcome = await desk.outcome(run)
    assert (outcome.outcome, outcome.order_id) == ("answer", chosen[1].id)
    assert "left" in outcome.why
    labels = (await desk.get("/returns", order_id=chosen[1].id))["returns"]
    assert [label["status"] for label in labels] == ["withdrawn"]
    assert (await desk.get("/exchanges", order_id=chosen[1].id))["exchanges"] == []
    assert len((await desk.get("/mail", to=chosen[0].email))["mail"]) == 2
    books = await desk.books()
    assert books.agree, books


# --- a run that fails half-way -----------------------------------------------------------------------------------


async def test_an_exchange_sends_a_label_with_the_mail_and_then_the_goods(desk: Desk) -> None:
    (chosen,) = await desk.choose(in_sizes)
    outcome = await desk.outcome(await ask_for_another_size(desk, chosen))
    assert outcome.outcome == "exchange"
    (label,) = (await desk.get("/returns", order_id=chosen[1].id))["returns"]
    (mail,) = (await desk.get("/mail", to=chosen[0].email))["mail"]
    (sent,) = (await desk.get("/exchanges", order_id=chosen[1].id))["exchanges"]
    assert label["at"] < mail["at"] < sent["at"]
    assert (label["status"], sent["status"]) == ("made", "sent")


async def test_an_exchange_of_what_sold_out_meanwhile_takes_the_label_back_and_says_that_the_mail_stands(
    desk: Desk,
) -> None:
    (chosen,) = await desk.choose(in_sizes)
    await sells_out(desk, chosen)
    run = await ask_for_another_size(desk, chosen)
    await assert_compensated(desk, chosen, run)
    exchanger = await desk.kernel.run(await below(desk.kernel, run.id, "exchanger"))
    with pytest.raises(RunDidNotComplete, match="sold_out"):
        await exchanger.result()
    report = await (await desk.kernel.run(await below(desk.kernel, exchanger.id, "kernos.revert"))).result()
    assert [one.split(".")[1] for one in report.undone] == ["1"]
    assert [(one.tool, one.reason) for one in report.standing] == [("shop.mail", "a mail cannot be called back")]


@pytest.mark.parametrize("point", ["shop.mail", "shop.exchange", "shop.withdraw_label"])
async def test_a_desk_that_is_killed_in_a_half_done_exchange_takes_it_back_once(desk: Desk, point: str) -> None:
    (chosen,) = await desk.choose(in_sizes)
    await sells_out(desk, chosen, delay_ms=250)
    run = await ask_for_another_size(desk, chosen)
    assert await until_intended(desk.kernel, run, point)
    desk.process.kill()
    assert not (await run.state()).ended
    desk.process.start()
    await assert_compensated(desk, chosen, run)
    effects = [effect["effect"] for effect in (await desk.get("/audit"))["effects"]]
    assert effects.count("withdraw") == 1


async def until_intended(kernel: Kernel, run: Run[Any], tool: str) -> bool:
    """Wait until a run, or one that it waits for, calls a tool: each write takes the shop long enough to be killed in it."""
    async for event in run.events():
        match event.data:
            case ActionIntended() if event.data.tool == tool:
                return True
            case ChildStarted(_, child):
                if await until_intended(kernel, await kernel.run(child), tool):
                    return True
            case _:
                pass
    return False


async def test_a_no_to_the_money_of_a_cancelled_order_opens_the_order_again(desk: Desk) -> None:
    (chosen,) = await desk.choose(placed_over_the_limit)
    before = await desk.get(f"/orders/{chosen[1].id}")
    run = await desk.start("C1", chosen, f"Please cancel order {chosen[1].id}.")
    asked = await desk.waiting(run)
    assert (await desk.get(f"/orders/{chosen[1].id}"))["status"] == "cancelled"
    await desk.kernel.deny(f"{asked['run']}.{asked['step']}", "they ordered it for a wedding", by="person:lead")
    assert (await desk.outcome(run)).outcome == "refuse"
    assert await desk.get(f"/orders/{chosen[1].id}") == before
    books = await desk.books()
    assert books.agree, books
    assert books.kernel.back_cents == 0


# --- a run that has ended ----------------------------------------------------------------------------------------


async def refunded(desk: Desk, low_cents: int, high_cents: int) -> tuple[Run[Outcome], Order]:
    """Have an order refunded, with a yes if one is wanted."""
    (chosen,) = await desk.choose(delivered(low_cents, high_cents))
    run = await desk.start("R1", chosen, f"Order {chosen[1].id} arrived broken, please refund me.")
    if low_cents > 5_000:
        asked = await desk.waiting(run)
        await desk.kernel.approve(f"{run.id}.{asked['step']}", by="person:lead")
    assert (await desk.outcome(run)).amount_cents == chosen[1].total_cents
    return run, chosen[1]


@pytest.mark.parametrize(("low_cents", "high_cents"), [(1, 5_000), (5_001, 100_000)])
async def test_a_settled_refund_is_reverted_after_its_plan_was_seen(
    desk: Desk, low_cents: int, high_cents: int
) -> None:
    run, order = await refunded(desk, low_cents, high_cents)
    plan = await desk.kernel.plan_revert(run.id)
    assert [(undo.undone.tool, undo.with_tool) for undo in plan.undos if not undo.obstacle] == [
        ("shop.refund", "shop.void_refund")
    ]
    assert [undo.undone.tool for undo in plan.undos if undo.obstacle] == ["shop.note", "shop.mail"]
    assert await desk.refunded_cents() == order.total_cents  # A plan does nothing.
    report = await (await desk.kernel.revert(plan, by="person:lead")).result()
    assert (len(report.undone), len(report.standing)) == (1, 2)
    ledger = await desk.get("/ledger")
    assert [(void["amount_cents"], void["order_id"]) for void in ledger["voids"]] == [(order.total_cents, order.id)]
    assert (await desk.get(f"/payments/{order.payment_id}"))["refunded_cents"] == 0
    books = await desk.books()
    assert books.agree, books
    assert books.shop.back_cents == books.shop.voided_cents == order.total_cents


async def test_a_refund_reverted_twice_is_void_once(desk: Desk) -> None:
    run, _ = await refunded(desk, 1, 5_000)
    plan = await desk.kernel.plan_revert(run.id)
    first, second = [await desk.kernel.revert(plan, by="person:lead") for _ in range(2)]
    assert first.id == second.id
    await first.result()
    with pytest.raises(NotAllowed, match="no longer what would be done"):
        await desk.kernel.revert(plan, by="person:lead")
    later = await (await desk.kernel.revert(await desk.kernel.plan_revert(run.id), by="person:lead")).result()
    assert later.undone == ()
    with pytest.raises(NotAllowed, match="takes actions back"):
        await desk.kernel.plan_revert(first.id)
    assert len((await desk.get("/ledger"))["voids"]) == 1


async def test_a_desk_that_is_killed_in_a_revert_voids_the_refund_once(desk: Desk) -> None:
    run, order = await refunded(desk, 1, 5_000)
    body = {"seed": 3, "rates": {}, "delay_ms": 250}
    await desk.shop.post("/admin/faults", call=None, body=body)
    reverting = await desk.kernel.revert(await desk.kernel.plan_revert(run.id), by="person:lead")
    assert await until_intended(desk.kernel, reverting, "shop.void_refund")
    desk.process.kill()
    assert not (await reverting.state()).ended
    desk.process.start()
    assert len((await reverting.result()).undone) == 1
    books = await desk.books()
    assert books.agree, books
    assert books.shop.voided_cents == order.total_cents
