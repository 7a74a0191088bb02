"""Accounts: what is used of each cap, with what is reserved of it for calls under way. Guards look at these rows inside the transaction."""

from kernos.vocabulary.budget import Account, Booking, BudgetReserved, BudgetSpent
from kernos.vocabulary.events import Event
from kernos.vocabulary.journal import Guard, RowOp, Scalar, Table

TABLE = Table(
    "accounts",
    (
        ("tenant", "text"),
        ("over", "text"),
        ("name", "text"),
        ("period", "text"),
        ("unit", "text"),
        ("used", "int"),
        ("reserved", "int"),
    ),
    key_columns=5,
)

KINDS = frozenset({BudgetReserved, BudgetSpent})


def key_of(account: Account) -> tuple[Scalar, ...]:
    """Return an account's primary key."""
    return (str(account.tenant), account.over.value, account.name, account.period, account.unit.value)


def project(event: Event) -> tuple[RowOp, ...]:
    """Count a reservation as used; once the call is over, count what it came to instead."""
    match event.data:
        case BudgetReserved(bookings=bookings):
            return tuple(_add(one.account, one.amount, one.amount) for one in bookings)
        case BudgetSpent(spendings=spendings):
            return tuple(_add(one.account, one.amount - one.reserved, -one.reserved) for one in spendings)
        case _:
            return ()


def _add(account: Account, used: int, reserved: int) -> RowOp:
    return RowOp("add", TABLE.name, key_of(account), {"used": used, "reserved": reserved})


def guard(booking: Booking) -> Guard:
    """Return what must hold once a reservation is in."""
    return Guard(TABLE.name, key_of(booking.account), "used", booking.cap)
