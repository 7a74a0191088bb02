"""A returns desk that runs: the shop's service and the desk as processes, and somebody who sends tickets about the shop's own orders."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from examples.returns_desk.desk.agents import AGENTS, models, returns_desk
from examples.returns_desk.desk.books import Books, Money, compare_books, shop_money
from examples.returns_desk.desk.records import Customer, Order
from examples.returns_desk.desk.serve import POLICIES
from examples.returns_desk.desk.ticket import Outcome, Ticket
from examples.returns_desk.processes import Process
from kernos import HttpService, Kernel, Run
from kernos.vocabulary.events import ChildStarted

WITHIN_DAYS_FROM = "2026-10-05"
"""Orders delivered from this day on are within every window on 2026-11-02, the shop's fixed day."""

Chosen = tuple[Customer, Order]


@dataclass
class Desk:
    """A running desk: the kernel to ask, the process that works, and the shop behind it."""

    kernel: Kernel
    process: Process
    shop: HttpService
    url: str
    before: Money

    async def choose(self, fits: Callable[[Order], bool], count: int = 1) -> list[Chosen]:
        """Return customers with an order that fits, each customer once."""
        found: list[Chosen] = []
        listed = await self.get("/customers", limit="400")
        for customer in map(Customer.model_validate, listed["customers"]):
            orders = (await self.get(f"/customers/{customer.id}/orders"))["orders"]
            fitting = [order for order in map(Order.model_validate, orders) if fits(order)]
            if fitting and not (await self.get(f"/payments/{fitting[0].payment_id}"))["refunded_cents"]:
                found.append((customer, fitting[0]))
            if len(found) == count:
                return found
        message = f"the shop has only {len(found)} orders that fit"
        raise AssertionError(message)

    async def get(self, path: str, **query: str) -> Any:
        return msgspec.json.decode((await self.shop.get(path, call=None, query=query)).text)

    async def outcome(self, run: Run[Outcome]) -> Outcome:
        """Return how a ticket ended."""
        return await run.result()

    async def start(self, name: str, chosen: Chosen, text: str, sender: str = "") -> Run[Outcome]:
        ticket = Ticket(id=name, received_at="2026-11-02", channel="mail", from_email=sender or chosen[0].email,
                        from_name=chosen[0].name, subject="my order", text=text)  # fmt: skip
        return await self.kernel.start(returns_desk, ticket, key=name)

    async def waiting(self, run: Run[Outcome]) -> dict[str, Any]:
        """Return what the run, or a run that it waits for, waits for, once that is a person."""
        async for event in run.events():
            if isinstance(event.data, ChildStarted) and event.data.agent != "reader":
                return await self.waiting(await self.kernel.run(event.data.child))
            if type(event.data).__name__ in {"ApprovalRequested", "QuestionAsked"}:
                rows = [row for row in await self.kernel.waiting() if row["run"] == run.id]
                return dict(rows[0])
        message = "the run ended without asking anybody"
        raise AssertionError(message)

    async def books(self) -> Books:
        """Stop the faults, so that the books can be read, and compare them."""
        await self.shop.post("/admin/faults", call=None, body={})
        return await compare_books(self.kernel, self.shop, self.before)

    async def refunded_cents(self) -> int:
        return (await shop_money(self.shop)).back_cents - self.before.back_cents


@asynccontextmanager
async def running_desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """Have the shop and the desk run as processes of their own."""
    ready, store = tmp_path / "url", tmp_path / "desk.kernos"
    arguments = ["--port", "0", "--data", str(tmp_path / "shop.sqlite"), "--seed", "7", "--ready-file", str(ready)]
    service = Process(["examples.returns_desk.shop", *arguments], tmp_path / "shop.log")
    service.start()
    worker: Process | None = None
    try:
        url = await service.address(ready)
        shop = HttpService(url)
        serve = ["examples.returns_desk.desk.serve", "--store", str(store), "--shop", url]
        worker = Process(serve, tmp_path / "desk.log")
        async with Kernel(store, agents=AGENTS, models=models(), policies=POLICIES, works=False) as kernel:
            worker.start()
            yield Desk(kernel, worker, shop, url, await shop_money(shop))
        await shop.close()
    finally:
        if worker is not None:
            worker.stop()
        service.stop()


def delivered(low_cents: int, high_cents: int) -> Callable[[Order], bool]:
    """Fit orders of one item that arrived lately, whose price lies between two sums."""

    def fits(order: Order) -> bool:
        lately = order.delivered_on is not None and order.delivered_on.isoformat() >= WITHIN_DAYS_FROM
        single = len(order.items) == 1 and not order.items[0].final_sale
        return order.status == "delivered" and lately and single and low_cents <= order.total_cents <= high_cents

    return fits
