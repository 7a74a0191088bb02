"""Case: the facts about a ticket that the shop's records bear out, and how they are found."""

from dataclasses import dataclass
from datetime import date

from examples.returns_desk.desk import shop_tools as tools
from examples.returns_desk.desk.matching import SAID, Match, best_match
from examples.returns_desk.desk.records import Customer, Order, Payment, Shipment, Stock
from examples.returns_desk.desk.ticket import Reading, Ticket
from kernos import CallFailed, Context

BY_NUMBER = "its number"

_NUMBERS_MAX = 4
"""Order numbers that are looked up per ticket; whoever names more gets a question back."""


@dataclass(frozen=True, slots=True)
class Case:
    """What is known: `sender` is the customer whose e-mail address the ticket came from, `order` what it is about.

    `owned` says whether the order is the sender's. `unknown_numbers` were named and are no orders; `choices` are the
    sender's orders among which nothing told.
    """

    ticket: Ticket
    reading: Reading
    today: date
    sender: Customer | None = None
    order: Order | None = None
    owned: bool = False
    found_by: str = ""
    payment: Payment | None = None
    shipment: Shipment | None = None
    stock: Stock | None = None
    match: Match | None = None
    unknown_numbers: tuple[str, ...] = ()
    choices: int = 0

    @property
    def named(self) -> bool:
        """Whether the ticket itself names the order or a product of it; else the order is only the likeliest."""
        return self.found_by in (BY_NUMBER, SAID)

    @property
    def days_since_delivery(self) -> int | None:
        """How long ago the order arrived; None while it has not."""
        delivered = self.order.delivered_on if self.order else None
        return (self.today - delivered).days if delivered else None

    def summary(self) -> str:
        """Say in one sentence what was found."""
        who = f"customer {self.sender.id}" if self.sender else "an unknown sender"
        if self.order is None:
            return f"{who}; no order found" + (f" among {self.choices}" if self.choices else "")
        whose = "their" if self.owned else "somebody else's"
        return f"{who}; {whose} order {self.order.id}, found by {self.found_by}"


async def find_case(ctx: Context, ticket: Ticket, reading: Reading) -> Case:
    """Look up sender and order: by a number, else among the sender's orders by product, date and amount."""
    today = date.fromisoformat(ticket.received_at[:10])
    found = (
        (await ctx.call(tools.customers, tools.Search(email=ticket.from_email))).customers if ticket.from_email else []
    )
    sender = found[0] if found else None
    numbers = (reading.order_numbers or reading.quoted_numbers)[:_NUMBERS_MAX]
    named: list[Order] = []
    unknown: list[str] = []
    for number in numbers:
        order = await _order(ctx, number)
        if order is None:
            unknown.append(number)
        else:
            named.append(order)
    theirs: list[Order] = []
    if sender is not None:
        theirs = [order for order in named if order.customer_id == sender.id]
    order, match, found_by, choices = None, None, "", 0
    if named:
        order, found_by = (theirs or named)[0], BY_NUMBER
        match = best_match([order], reading, today)
    only_quoted = not reading.order_numbers and match is not None and not match.says_product
    if sender is not None and (only_quoted or not (named or unknown)):
        orders = (await ctx.call(tools.orders_of, tools.ById(id=sender.id))).orders
        choices = len(orders)
        other = best_match(orders, reading, today)
        if other is not None and (not named or other.says_product):
            order, match, found_by = other.order, other, other.grounds
    case = Case(ticket, reading, today, sender, order, found_by=found_by, match=match,
                unknown_numbers=tuple(unknown), choices=choices)  # fmt: skip
    return await _with_records(ctx, case) if order is not None else case


async def _order(ctx: Context, number: str) -> Order | None:
    try:
        return await ctx.call(tools.order, tools.ById(id=number))
    except CallFailed as failed:
        if failed.failure == "refused":
            return None
        raise


async def _with_records(ctx: Context, case: Case) -> Case:
    """Add what belongs to the order; of somebody else's order nothing more is looked at."""
    order, sender = case.order, case.sender
    assert order is not None
    if sender is None or order.customer_id != sender.id:
        return Case(case.ticket, case.reading, case.today, case.sender, order, found_by=case.found_by)
    payment = await ctx.call(tools.payment, tools.ById(id=order.payment_id))
    shipment: Shipment | None = None
    if order.shipment_id is not None:
        shipment = await ctx.call(tools.shipment, tools.Parcel(id=order.shipment_id, customer=sender.email))
    stock: Stock | None = None
    if (
        case.match is not None
        and case.match.items
        and {"exchange", "misfit", "damaged", "wrong_item"} & set(case.reading.intents)
    ):
        stock = await ctx.call(tools.stock, tools.ById(id=case.match.items[0].sku))
    return Case(case.ticket, case.reading, case.today, case.sender, order, True, case.found_by, payment, shipment,
                stock, case.match, case.unknown_numbers, case.choices)  # fmt: skip
