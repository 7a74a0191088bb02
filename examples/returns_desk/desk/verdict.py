"""Verdict: what the policy says about a case, and what is to be done for it."""

from dataclasses import dataclass

from examples.returns_desk.desk.shop_tools import AccountChange, Cancellation, Exchange, Refund, Reroute, ReturnLabel
from examples.returns_desk.desk.ticket import OutcomeKind

Act = Refund | ReturnLabel | Exchange | Cancellation | Reroute | AccountChange


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a ticket should end, why, which letter says so (empty: it is sent already), and what is done for it, in order."""

    outcome: OutcomeKind
    why: str
    letter: str
    acts: tuple[Act, ...] = ()
    amount_cents: int | None = None
    question: str = ""
    """What a person is asked first, for cases that are theirs."""
