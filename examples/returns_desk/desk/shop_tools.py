"""The shop's service as kernos tools: what the desk may look at, and what it may do.

| effect class | tools | why |
| --- | --- | --- |
| read | customers, order, orders_of, payment, shipment, stock | they change nothing |
| idempotent | refund, return_label, exchange, cancel, reroute, account | the service honours our key |
| verifiable | mail, note | it ignores the key, but keeps it, so that they can be looked up by it |

| action | taken back by | until |
| --- | --- | --- |
| refund | void_refund | the bank pays it out, after five days |
| return_label | withdraw_label | |
| exchange | recall_exchange | the parcel leaves, after two hours |
| cancel | reopen, once the money is back | |
| reroute, account | address_back, account_back | somebody changes it once more |
| mail, note | nothing | |

`facts` in the arguments of an action are for the person who may be asked about it, and so is `address_now`; they are not sent to the shop.
`customer` is the e-mail address by which the shop knows whose the answer is.
"""

from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel

from examples.returns_desk.desk import undo_tools as undo
from examples.returns_desk.desk.lists import mails, refunds
from examples.returns_desk.desk.records import (
    Account,
    Changed,
    Customers,
    Order,
    Orders,
    Payment,
    Rerouted,
    Shipment,
    Stock,
    Written,
)
from examples.returns_desk.desk.service import PATIENT, SHOP_VARIABLE, look_up, part, shop, write
from kernos import CannotUndo, Consequence, FlowContract, Found, Label, Role, ToolCall, Undo, tool

__all__ = ["SHOP_VARIABLE", "shop"]

VOIDABLE = timedelta(days=5)
"""Until then a refund has not reached the bank, so that it can be voided."""

IN_THE_HOUSE = timedelta(hours=2)
"""Until then a parcel has not left, so that it can be held back."""


Email = Annotated[str, Label("pii.email")]
Address = Annotated[str, Label("pii.address")]


class Search(BaseModel):
    """Which customers: by exact e-mail address, or by a part of the name."""

    email: Email = ""
    name: Annotated[str, Label("pii.name")] = ""


class ById(BaseModel):
    """Which record."""

    id: str


class Parcel(BaseModel):
    """Which parcel, and of whom."""

    id: str
    customer: Email


class Refund(BaseModel):
    """Money back. What was captured and refunded so far stands here so that policy can compare it."""

    order_id: str
    payment_id: str
    amount_cents: int
    captured_cents: int
    refunded_cents: int
    reason: str
    facts: list[str]


class ReturnLabel(BaseModel):
    """A label to send items back with."""

    order_id: str
    skus: list[str]
    reason: str
    facts: list[str]


class Exchange(BaseModel):
    """The same product once more, perhaps in another size."""

    order_id: str
    sku: str
    wanted_size: str | None
    reason: str
    facts: list[str]


class Cancellation(BaseModel):
    """An order that is not to be sent."""

    order_id: str
    reason: str
    facts: list[str]


class Reroute(BaseModel):
    """Another address for a parcel that is not delivered yet."""

    order_id: str
    shipment_id: str
    customer: Email
    address: Address
    address_now: Address = ""
    facts: list[str]


class AccountChange(BaseModel):
    """Another e-mail or postal address for a customer; null leaves it as it is."""

    customer_id: str
    customer: Email
    email: Email | None
    address: Address | None
    address_now: Address = ""
    facts: list[str]


class Mail(BaseModel):
    """A mail to a customer."""

    to: Email
    subject: str
    text: str


class Note(BaseModel):
    """A note on a case, for colleagues."""

    case: str
    text: str


@tool("shop.customers", effect="read", retry=PATIENT)
async def customers(request: Search, call: ToolCall) -> Customers:
    """Find customers."""
    query = {name: value for name, value in request.model_dump().items() if value}
    return Customers.model_validate_json((await shop.get("/customers", call=call, query={**query, "limit": "20"})).text)


@tool("shop.order", effect="read", retry=PATIENT)
async def order(request: ById, call: ToolCall) -> Order:
    """Look at an order."""
    return Order.model_validate_json((await shop.get(f"/orders/{part(request.id)}", call=call)).text)


@tool("shop.orders_of", effect="read", retry=PATIENT)
async def orders_of(request: ById, call: ToolCall) -> Orders:
    """Look at a customer's orders."""
    return Orders.model_validate_json((await shop.get(f"/customers/{part(request.id)}/orders", call=call)).text)


@tool("shop.payment", effect="read", retry=PATIENT)
async def payment(request: ById, call: ToolCall) -> Payment:
    """Look at a payment and its refunds."""
    return Payment.model_validate_json((await shop.get(f"/payments/{part(request.id)}", call=call)).text)


@tool("shop.shipment", effect="read", retry=PATIENT)
async def shipment(request: Parcel, call: ToolCall) -> Shipment:
    """Look at a parcel."""
    return Shipment.model_validate_json((await shop.get(f"/shipments/{part(request.id)}", call=call)).text)


@tool("shop.stock", effect="read", retry=PATIENT)
async def stock(request: ById, call: ToolCall) -> Stock:
    """Look at what is there of a product."""
    return Stock.model_validate_json((await shop.get(f"/stock/{part(request.id)}", call=call)).text)


# --- actions -----------------------------------------------------------------------------------------------------


def _void(request: Refund, made: Written) -> undo.RefundVoid:
    return undo.RefundVoid(
        refund_id=made.id,
        payment_id=request.payment_id,
        amount_cents=request.amount_cents,
        reason=f"taken back: {request.reason}",
    )


@tool(
    "shop.refund",
    effect="idempotent",
    retry=PATIENT,
    listed=refunds,
    compensate=Undo(undo.void_refund, _void, within=VOIDABLE),
)
async def refund(request: Refund, call: ToolCall) -> Written:
    """Give money back."""
    body = {"amount_cents": request.amount_cents, "reason": request.reason}
    return await write(f"/payments/{part(request.payment_id)}/refunds", body, call, Written)


def _withdrawal(request: ReturnLabel, made: Written) -> undo.LabelWithdrawal:
    reason = f"taken back: {request.reason}"
    return undo.LabelWithdrawal(return_id=made.id, order_id=request.order_id, reason=reason)


@tool("shop.return_label", effect="idempotent", retry=PATIENT, compensate=Undo(undo.withdraw_label, _withdrawal))
async def return_label(request: ReturnLabel, call: ToolCall) -> Written:
    """Make a return label."""
    body = {"skus": request.skus, "reason": request.reason}
    return await write(f"/orders/{part(request.order_id)}/returns", body, call, Written)


def _recall(request: Exchange, made: Written) -> undo.ExchangeRecall:
    reason = f"taken back: {request.reason}"
    return undo.ExchangeRecall(exchange_id=made.id, order_id=request.order_id, sku=request.sku, reason=reason)


@tool(
    "shop.exchange",
    effect="idempotent",
    retry=PATIENT,
    compensate=Undo(undo.recall_exchange, _recall, within=IN_THE_HOUSE),
)
async def exchange(request: Exchange, call: ToolCall) -> Written:
    """Send the product once more, perhaps in another size."""
    body = {"sku": request.sku, "wanted_size": request.wanted_size, "reason": request.reason}
    return await write(f"/orders/{part(request.order_id)}/exchanges", body, call, Written)


def _reopening(request: Cancellation) -> undo.Reopening:
    return undo.Reopening(order_id=request.order_id, reason=f"taken back: {request.reason}")


@tool("shop.cancel", effect="idempotent", retry=PATIENT, compensate=Undo(undo.reopen, _reopening))
async def cancel(request: Cancellation, call: ToolCall) -> Written:
    """Cancel an order that has not left yet."""
    return await write(f"/orders/{part(request.order_id)}/cancel", {"reason": request.reason}, call, Written)


def _address_before(request: Reroute, made: Rerouted) -> undo.AddressBack:
    if not made.address_before:
        message = "the shop did not say where the parcel was to go before"
        raise CannotUndo(message)
    return undo.AddressBack(shipment_id=request.shipment_id, address=made.address_before, replaces=request.address)


@tool("shop.reroute", effect="idempotent", retry=PATIENT, compensate=Undo(undo.address_back, _address_before))
async def reroute(request: Reroute, call: ToolCall) -> Rerouted:
    """Send a parcel to another address."""
    return await write(f"/shipments/{part(request.shipment_id)}/address", {"address": request.address}, call, Rerouted)


def _account_before(request: AccountChange, made: Changed) -> undo.AccountBack:
    if made.before == Account():
        message = "the shop did not say what the account said before"
        raise CannotUndo(message)
    return undo.AccountBack(
        customer_id=request.customer_id,
        email=made.before.email,
        address=made.before.address,
        replaces=Account(email=request.email or None, address=request.address or None),
    )


@tool("shop.account", effect="idempotent", retry=PATIENT, compensate=Undo(undo.account_back, _account_before))
async def account(request: AccountChange, call: ToolCall) -> Changed:
    """Change a customer's e-mail or postal address."""
    return await write(f"/customers/{part(request.customer_id)}/account", _changes(request), call, Changed)


def _changes(request: AccountChange) -> dict[str, str]:
    return {name: value for name, value in (("email", request.email), ("address", request.address)) if value}


async def _mail_of_key(request: Mail, call: ToolCall) -> Found:
    return await look_up("mail", call)


@tool(
    "shop.mail",
    effect="verifiable",
    look_up=_mail_of_key,
    retry=PATIENT,
    listed=mails,
    flow=FlowContract(Consequence.EGRESS, {"to": Role.DESTINATION}),
    compensate="a mail cannot be called back",
)
async def mail(request: Mail, call: ToolCall) -> Written:
    """Mail a customer."""
    return await write("/mail", request.model_dump(), call, Written)


async def _note_of_key(request: Note, call: ToolCall) -> Found:
    return await look_up("notes", call)


@tool(
    "shop.note",
    effect="verifiable",
    look_up=_note_of_key,
    retry=PATIENT,
    compensate="the file of a case only grows",
)
async def note(request: Note, call: ToolCall) -> Written:
    """Note something on a case."""
    return await write("/notes", request.model_dump(), call, Written)


READS = (customers, order, orders_of, payment, shipment, stock)
ACTIONS = (refund, return_label, exchange, cancel, reroute, account, mail, note)
