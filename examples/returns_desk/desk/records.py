"""Records: what the shop's service says about customers, orders, payments, shipments and stock. Money is in cents.

Who a customer is, is sealed; what the desk has no use for (where an order went, how it was paid) it does not take over.
"""

from datetime import date
from typing import Annotated

from pydantic import BaseModel

from kernos import Label


class Customer(BaseModel):
    """A customer. The e-mail address is what a ticket's sender is checked against."""

    id: str
    name: Annotated[str, Label("pii.name", subject="email")]
    email: Annotated[str, Label("pii.email", subject="email")]
    address: Annotated[str, Label("pii.address", subject="email")] = ""
    language: str = "en"
    vip: bool = False


class Item(BaseModel):
    """One line of an order."""

    sku: str
    name: str
    quantity: int
    unit_cents: int
    final_sale: bool = False
    size: str | None = None

    @property
    def line_cents(self) -> int:
        """What the line cost."""
        return self.quantity * self.unit_cents


class Order(BaseModel):
    """An order; `delivered_on` stands only where it was delivered."""

    id: str
    customer_id: str
    placed_on: date
    status: str
    delivered_on: date | None = None
    items: list[Item]
    total_cents: int
    payment_id: str
    shipment_id: str | None = None


class Payment(BaseModel):
    """A payment with what was given back of it."""

    id: str
    order_id: str
    captured_cents: int
    refunded_cents: int

    @property
    def open_cents(self) -> int:
        """What can still be given back."""
        return self.captured_cents - self.refunded_cents


class Shipment(BaseModel):
    """A parcel on its way, or not any more. Its address is that of whom the desk asked for."""

    id: str
    order_id: str
    status: str
    address: Annotated[str, Label("pii.address", subject="customer")] = ""
    promised_on: date | None = None
    delivered_on: date | None = None


class Stock(BaseModel):
    """What is there of one product, by size."""

    sku: str
    name: str
    sizes: dict[str, int]
    unit_cents: int = 0


class Customers(BaseModel):
    """The result of a search for customers."""

    customers: list[Customer]


class Orders(BaseModel):
    """The orders of one customer, newest first."""

    orders: list[Order]


class Written(BaseModel):
    """What every write answers with: the id of what was made or changed."""

    id: str


class Rerouted(Written):
    """The answer to a change of address, with the address before; empty where the shop does not say."""

    address_before: Annotated[str, Label("pii.address", subject="customer")] = ""


class Account(BaseModel):
    """What an account says, of what is to be changed in it; null for the rest."""

    email: Annotated[str, Label("pii.email", subject="customer")] | None = None
    address: Annotated[str, Label("pii.address", subject="customer")] | None = None


class Changed(Written):
    """The answer to a change of an account, with what was changed as it was before."""

    before: Account = Account()
