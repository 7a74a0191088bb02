"""The returns desk's tools against the shop's real service: each is called twice, late and out of order, and taken back; and what reconciling finds."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pydantic import BaseModel

from examples.returns_desk.desk import shop_tools as tools
from examples.returns_desk.desk import undo_tools as undo
from examples.returns_desk.desk.records import Account
from examples.returns_desk.desk.service import SHOP_VARIABLE, shop
from examples.returns_desk.processes import Process
from examples.returns_desk.shop.seeding import Row, seed_shop
from kernos import HttpService
from kernos.testing import Outside, check_tag, check_tool
from kernos.vocabulary.contract import ToolContract
from tests.surface.desk_running import Desk, delivered, running_desk

pytestmark = pytest.mark.slow

SEEDED = seed_shop(7)
REFUNDED = {refund["order_id"] for refund in SEEDED.refunds}


def orders(status: str) -> list[Row]:
    return [order for order in SEEDED.orders if order["status"] == status and order["id"] not in REFUNDED]


HOME, OPEN, MOVING = orders("delivered")[0], orders("placed"), orders("packed")[0]
SKU = HOME["items"][0]["sku"]
FACTS: dict[str, Any] = {"reason": "x", "facts": []}


def refund(_: int) -> tools.Refund:
    return tools.Refund(
        order_id=HOME["id"], payment_id=HOME["payment_id"], amount_cents=1, captured_cents=9_999, refunded_cents=0,
        **FACTS,
    )  # fmt: skip


def return_label(_: int) -> tools.ReturnLabel:
    return tools.ReturnLabel(order_id=HOME["id"], skus=[SKU], **FACTS)


def exchange(_: int) -> tools.Exchange:
    return tools.Exchange(order_id=HOME["id"], sku=SKU, wanted_size=None, **FACTS)


def cancel(number: int) -> tools.Cancellation:
    return tools.Cancellation(order_id=OPEN[number]["id"], **FACTS)


def reroute(number: int) -> tools.Reroute:
    address = f"{number} New Road"
    return tools.Reroute(
        order_id=MOVING["id"], shipment_id=MOVING["shipment_id"], customer="a@b.test", address=address, facts=[]
    )


def account(number: int) -> tools.AccountChange:
    email, address = f"new{number}@post.example", f"{number} New Road"
    return tools.AccountChange(
        customer_id=HOME["customer_id"], customer="a@b.test", email=email, address=address, facts=[]
    )


def mail(number: int) -> tools.Mail:
    return tools.Mail(to="a@post.example", subject=str(number), text="t")


def note(number: int) -> tools.Note:
    return tools.Note(case=f"T{number}", text="t")


WORLDS: dict[str, tuple[str, ...]] = {
    "shop.refund": (f"/payments/{HOME['payment_id']}",),
    "shop.return_label": ("/returns",),
    "shop.exchange": (f"/stock/{SKU}",),
    "shop.cancel": tuple(f"/orders/{order['id']}" for order in OPEN[:8]),
    "shop.reroute": (f"/shipments/{MOVING['shipment_id']}", f"/orders/{MOVING['id']}"),
    "shop.account": (f"/customers/{HOME['customer_id']}",),
    "shop.mail": ("/mail",),
    "shop.note": ("/notes",),
}
"""Where the effects of each tool show."""

EXAMPLES: list[Callable[[int], Any]] = [refund, return_label, exchange, cancel, reroute, account, mail, note]


@pytest.fixture
async def url(tmp_path: Path) -> AsyncIterator[str]:
    """Have the shop's service run."""
    ready = tmp_path / "url"
    arguments = ["--port", "0", "--data", str(tmp_path / "shop.sqlite"), "--seed", "7", "--ready-file", str(ready)]
    service = Process(["examples.returns_desk.shop", *arguments], tmp_path / "shop.log")
    service.start()
    yield await service.address(ready)
    service.stop()


@pytest.fixture
async def look(url: str) -> AsyncIterator[Callable[[str], Awaitable[Any]]]:
    """Point the desk's tools at the shop, and give a way to look at it."""
    os.environ[SHOP_VARIABLE] = url
    looking = HttpService(url)

    async def get(path: str) -> Any:
        return msgspec.json.decode((await looking.get(path, call=None)).text)

    yield get
    await looking.close()
    await shop.close()
    del os.environ[SHOP_VARIABLE]


def as_it_stands(seen: Any) -> Any:
    """Leave out what a void and a withdrawal add by right: their own rows, and that there was a label."""
    if "returns" in seen:
        return sum(one["status"] == "made" for one in seen["returns"])
    return {name: value for name, value in seen.items() if name not in ("refunds", "voids")}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: str(example.__name__))
async def test_a_tool_of_the_desk_keeps_what_it_promises_and_its_undo_puts_the_shop_back(
    example: Callable[[int], Any], look: Callable[[str], Awaitable[Any]]
) -> None:
    tool: ToolContract[Any, Any] = next(tool for tool in tools.ACTIONS if tool.name == f"shop.{example.__name__}")

    async def world() -> list[Any]:
        return [as_it_stands(await look(path)) for path in WORLDS[tool.name]]

    await check_tool(tool, example, world)


UNDOS: list[tuple[ToolContract[Any, Any], BaseModel]] = [
    (undo.void_refund, undo.RefundVoid(refund_id="F-1", payment_id="P-1", amount_cents=1, reason="x")),
    (undo.withdraw_label, undo.LabelWithdrawal(return_id="R-1", order_id="A-1", reason="x")),
    (undo.recall_exchange, undo.ExchangeRecall(exchange_id="X-1", order_id="A-1", sku="S", reason="x")),
    (undo.reopen, undo.Reopening(order_id="A-1", reason="x")),
    (undo.address_back, undo.AddressBack(shipment_id="S-1", address="x", replaces="y")),
    (undo.account_back, undo.AccountBack(customer_id="C1", email="e", address=None, replaces=Account(email="f"))),
]


@pytest.mark.parametrize(("tool", "request_"), UNDOS, ids=lambda value: getattr(value, "name", ""))
async def test_every_undo_carries_its_key_and_its_tag(tool: ToolContract[Any, Any], request_: BaseModel) -> None:
    assert {tool for tool, _ in UNDOS} == set(undo.UNDOS)
    with Outside(b'{"id": "U-7"}') as outside:
        os.environ[SHOP_VARIABLE] = outside.url
        await check_tag(tool, request_, outside.taken)
        await shop.close()
        del os.environ[SHOP_VARIABLE]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with running_desk(tmp_path) as running:
        os.environ[SHOP_VARIABLE] = running.url
        yield running
        await shop.close()
        del os.environ[SHOP_VARIABLE]


async def test_reconciling_finds_a_refund_that_somebody_sent_a_second_time_and_voids_it(desk: Desk) -> None:
    (chosen,) = await desk.choose(delivered(1_000, 2_400))
    run = await desk.start("R1", chosen, f"Order {chosen[1].id} arrived broken, please refund me the whole order.")
    assert (await desk.outcome(run)).outcome == "refund"
    found = await desk.kernel.reconcile()
    assert (found.differences, found.unheard) == ((), ())
    assert found.effects == 2  # The refund, and the mail.
    path, amount = f"/payments/{chosen[1].payment_id}/refunds", chosen[1].total_cents
    voided = (await desk.get("/refunds"))["refunds"][0]["id"]
    await desk.shop.post(f"/refunds/{voided}/void", call=None, body={"reason": "by hand, so that there is room"})
    await desk.shop.post(path, call=None, body={"amount_cents": amount, "reason": "once more"})
    found = await desk.kernel.reconcile()
    assert [difference.deviation for difference in found.differences] == ["doubled"]
    taking_back = await desk.kernel.take_back(found, by="person:lead")
    assert taking_back is not None
    assert len((await taking_back.result()).undone) == 1
    assert (await desk.get(f"/payments/{chosen[1].payment_id}"))["refunded_cents"] == 0
    (again,) = (await desk.kernel.reconcile()).differences
    assert again.settled.startswith("taken back by")
