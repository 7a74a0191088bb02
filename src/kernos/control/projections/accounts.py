"""Accounts: what is used of each cap, with what is reserved of it for calls under way. Guards look at these rows inside the transaction."""

from kernos.vocabulary.budget import Account, Booking, BudgetReserved, BudgetSpent, Warned
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
        ("warned", "int"),
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
        case BudgetReserved(bookings=bookings, warned=warned):
            shares = {one.account: one.share - one.before for one in warned}
            return tuple(_add(one.account, one.amount, one.amount, shares.get(one.account, 0)) for one in bookings)
        case BudgetSpent(spendings=spendings):
            return tuple(_add(one.account, one.amount - one.reserved, -one.reserved) for one in spendings)
        case _:
            return ()


def _add(account: Account, used: int, reserved: int, warned: int = 0) -> RowOp:
    return RowOp("add", TABLE.name, key_of(account), {"used": used, "reserved": reserved, "warned": warned})


def guard(booking: Booking) -> Guard:
    """Return what must hold once a reservation is in."""
    return Guard(TABLE.name, key_of(booking.account), "used", booking.cap)


def guard_once(warned: Warned) -> Guard:
    """Return what must hold so that people are told of a share once, whoever else passes it at the same time."""
    return Guard(TABLE.name, key_of(warned.account), "warned", warned.share)
