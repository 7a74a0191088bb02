"""The shop's service as kernos tools: what the desk may look at, and what it may do.

| effect class | tools | why |
| --- | --- | --- |
| read | customers, order, orders_of, payment, shipment, stock | they change nothing |
| idempotent | refund, return_label, exchange, cancel, reroute, account | the service honours our key |
| verifiable | mail, note | it ignores the key, but keeps it, so that they can be looked up by it |

`facts` in the arguments of an action are for the person who may be asked about it; they are not sent to the shop.
"""

import os
from collections.abc import Mapping
from urllib.parse import quote

import msgspec
from pydantic import BaseModel

from examples.returns_desk.desk.records import Customers, Order, Orders, Payment, Shipment, Stock, Written
from kernos import Found, HttpService, Retry, ToolCall, tool
from kernos.vocabulary.quantities import Json

SHOP_VARIABLE = "RETURNS_DESK_SHOP"
"""The environment variable that holds the service's base URL; read at each call."""

shop = HttpService(lambda: os.environ.get(SHOP_VARIABLE, "http://127.0.0.1:1"), timeout_ms=5_000)

PATIENT = Retry(attempts=8, first_delay_ms=100, delay_max_ms=5_000)
"""Some ten seconds: the service restarts faster than that, and no customer notices."""


class Search(BaseModel):
    """Which customers: by exact e-mail address, or by a part of the name."""

    email: str = ""
    name: str = ""


class ById(BaseModel):
    """Which record."""

    id: str


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
    address: str
    facts: list[str]


class AccountChange(BaseModel):
    """Another e-mail or postal address for a customer; null leaves it as it is."""

    customer_id: str
    email: str | None
    address: str | None
    facts: list[str]


class Mail(BaseModel):
    """A mail to a customer."""

    to: str
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
    return Order.model_validate_json((await shop.get(f"/orders/{_part(request.id)}", call=call)).text)


@tool("shop.orders_of", effect="read", retry=PATIENT)
async def orders_of(request: ById, call: ToolCall) -> Orders:
    """Look at a customer's orders."""
    return Orders.model_validate_json((await shop.get(f"/customers/{_part(request.id)}/orders", call=call)).text)


@tool("shop.payment", effect="read", retry=PATIENT)
async def payment(request: ById, call: ToolCall) -> Payment:
    """Look at a payment and its refunds."""
    return Payment.model_validate_json((await shop.get(f"/payments/{_part(request.id)}", call=call)).text)


@tool("shop.shipment", effect="read", retry=PATIENT)
async def shipment(request: ById, call: ToolCall) -> Shipment:
    """Look at a parcel."""
    return Shipment.model_validate_json((await shop.get(f"/shipments/{_part(request.id)}", call=call)).text)


@tool("shop.stock", effect="read", retry=PATIENT)
async def stock(request: ById, call: ToolCall) -> Stock:
    """Look at what is there of a product."""
    return Stock.model_validate_json((await shop.get(f"/stock/{_part(request.id)}", call=call)).text)


@tool("shop.refund", effect="idempotent", retry=PATIENT)
async def refund(request: Refund, call: ToolCall) -> Written:
    """Give money back."""
    body = {"amount_cents": request.amount_cents, "reason": request.reason}
    return await _write(f"/payments/{_part(request.payment_id)}/refunds", body, call)


@tool("shop.return_label", effect="idempotent", retry=PATIENT)
async def return_label(request: ReturnLabel, call: ToolCall) -> Written:
    """Make a return label."""
    body = {"skus": request.skus, "reason": request.reason}
    return await _write(f"/orders/{_part(request.order_id)}/returns", body, call)


@tool("shop.exchange", effect="idempotent", retry=PATIENT)
async def exchange(request: Exchange, call: ToolCall) -> Written:
    """Send the product once more, perhaps in another size."""
    body = {"sku": request.sku, "wanted_size": request.wanted_size, "reason": request.reason}
    return await _write(f"/orders/{_part(request.order_id)}/exchanges", body, call)


@tool("shop.cancel", effect="idempotent", retry=PATIENT)
async def cancel(request: Cancellation, call: ToolCall) -> Written:
    """Cancel an order that has not left yet."""
    return await _write(f"/orders/{_part(request.order_id)}/cancel", {"reason": request.reason}, call)


@tool("shop.reroute", effect="idempotent", retry=PATIENT)
async def reroute(request: Reroute, call: ToolCall) -> Written:
    """Send a parcel to another address."""
    return await _write(f"/shipments/{_part(request.shipment_id)}/address", {"address": request.address}, call)


@tool("shop.account", effect="idempotent", retry=PATIENT)
async def account(request: AccountChange, call: ToolCall) -> Written:
    """Change a customer's e-mail or postal address."""
    body = {name: value for name, value in (("email", request.email), ("address", request.address)) if value}
    return await _write(f"/customers/{_part(request.customer_id)}/account", body, call)


async def _mail_of_key(request: Mail, call: ToolCall) -> Found:
    return await _found("mail", call)


@tool("shop.mail", effect="verifiable", look_up=_mail_of_key, retry=PATIENT)
async def mail(request: Mail, call: ToolCall) -> Written:
    """Mail a customer."""
    return await _write("/mail", request.model_dump(), call)


async def _note_of_key(request: Note, call: ToolCall) -> Found:
    return await _found("notes", call)


@tool("shop.note", effect="verifiable", look_up=_note_of_key, retry=PATIENT)
async def note(request: Note, call: ToolCall) -> Written:
    """Note something on a case."""
    return await _write("/notes", request.model_dump(), call)


READS = (customers, order, orders_of, payment, shipment, stock)
ACTIONS = (refund, return_label, exchange, cancel, reroute, account, mail, note)


def _part(name: str) -> str:
    """Quote one part of a path."""
    return quote(name, safe="")


async def _write(path: str, body: Mapping[str, object], call: ToolCall) -> Written:
    return Written.model_validate_json((await shop.post(path, call=call, body=body)).text)


async def _found(kind: str, call: ToolCall) -> Found:
    """Look for what was sent under this call's key."""
    listed = msgspec.json.decode((await shop.get(f"/{kind}", call=call, query={"key": call.key})).text)[kind]
    if not listed:
        return Found(False, f"the shop's {kind} hold none with key {call.key}")
    result = Json(msgspec.json.encode({"id": listed[0]["id"]}))
    return Found(True, f"the shop's {kind} hold {listed[0]['id']} with key {call.key}", result)
