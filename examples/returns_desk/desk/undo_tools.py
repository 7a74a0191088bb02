"""Undo tools: how the shop takes back what the desk did, and from what each call is made. All are idempotent: keys are honoured.

No agent declares them, so none can call them by itself: the kernel does, for an action that it takes back.
"""

from typing import Annotated

from pydantic import BaseModel

from examples.returns_desk.desk.records import Account, Written
from examples.returns_desk.desk.service import PATIENT, part, write
from kernos import Label, ToolCall, tool


class RefundVoid(BaseModel):
    """The money of one refund, taken in again before the bank pays it out. The sum stands here for policy."""

    refund_id: str
    payment_id: str
    amount_cents: int
    reason: str


class LabelWithdrawal(BaseModel):
    """A return label that is not to be used any more."""

    return_id: str
    order_id: str
    reason: str


class ExchangeRecall(BaseModel):
    """What was sent in exchange, held back before it leaves the house."""

    exchange_id: str
    order_id: str
    sku: str
    reason: str


class Reopening(BaseModel):
    """A cancelled order that goes on after all."""

    order_id: str
    reason: str


class AddressBack(BaseModel):
    """The address that a parcel went to before, if nobody changed it once more."""

    shipment_id: str
    address: Annotated[str, Label("pii.address")]
    replaces: Annotated[str, Label("pii.address")]


class AccountBack(BaseModel):
    """What an account said before, if nobody changed it once more; null where nothing was changed."""

    customer_id: str
    email: Annotated[str, Label("pii.email")] | None
    address: Annotated[str, Label("pii.address")] | None
    replaces: Account


@tool("shop.void_refund", effect="idempotent", retry=PATIENT)
async def void_refund(request: RefundVoid, call: ToolCall) -> Written:
    """Take the money of a refund in again."""
    return await write(f"/refunds/{part(request.refund_id)}/void", {"reason": request.reason}, call, Written)


@tool("shop.withdraw_label", effect="idempotent", retry=PATIENT)
async def withdraw_label(request: LabelWithdrawal, call: ToolCall) -> Written:
    """Make a return label worthless."""
    return await write(f"/returns/{part(request.return_id)}/withdraw", {"reason": request.reason}, call, Written)


@tool("shop.recall_exchange", effect="idempotent", retry=PATIENT)
async def recall_exchange(request: ExchangeRecall, call: ToolCall) -> Written:
    """Hold an exchange back, and put it on the shelf again."""
    return await write(f"/exchanges/{part(request.exchange_id)}/recall", {"reason": request.reason}, call, Written)


@tool("shop.reopen", effect="idempotent", retry=PATIENT)
async def reopen(request: Reopening, call: ToolCall) -> Written:
    """Let a cancelled order go on."""
    return await write(f"/orders/{part(request.order_id)}/reopen", {"reason": request.reason}, call, Written)


@tool("shop.address_back", effect="idempotent", retry=PATIENT)
async def address_back(request: AddressBack, call: ToolCall) -> Written:
    """Send a parcel where it was to go before."""
    body = {"address": request.address, "replaces": request.replaces}
    return await write(f"/shipments/{part(request.shipment_id)}/address", body, call, Written)


@tool("shop.account_back", effect="idempotent", retry=PATIENT)
async def account_back(request: AccountBack, call: ToolCall) -> Written:
    """Put an account back to what it said before."""
    body = request.model_dump(include={"email", "address"}, exclude_none=True)
    path = f"/customers/{part(request.customer_id)}/account"
    replaces = request.replaces.model_dump(exclude_none=True)
    return await write(path, {**body, "replaces": replaces}, call, Written)


UNDOS = (void_refund, withdraw_label, recall_exchange, reopen, address_back, account_back)
