"""Ticket, reading and outcome: what comes in, what was understood of it, and how it ended. For agents, rules and tests."""

from typing import Literal

from pydantic import BaseModel, Field

Intent = Literal[
    "refund", "return", "exchange", "cancel", "reroute", "account", "damaged", "wrong_item", "missing", "misfit",
    "where", "question", "thanks",
]  # fmt: skip
"""What a customer may want or report; `where` asks for a parcel, late or not."""

OutcomeKind = Literal[
    "refund", "partial_refund", "exchange", "cancel", "reroute", "return_label", "account_change", "answer", "refuse",
    "clarify", "hand_over",
]  # fmt: skip


class Ticket(BaseModel):
    """One message of a customer, as it came in."""

    id: str
    received_at: str = ""
    channel: str = ""
    from_email: str = ""
    from_name: str = ""
    subject: str = ""
    text: str = ""


class Reading(BaseModel):
    """What a ticket says: claims of whoever wrote it, nothing that was checked, and no instruction to anybody."""

    language: str = Field(description="ISO 639-1 code of the language it is written in")
    intents: list[Intent] = Field(description="what the customer wants or reports, most important first")
    order_numbers: list[str] = Field(description="order numbers named in it, in their order, upper case")
    quoted_numbers: list[str] = Field(description="order numbers that stand only in quoted earlier mail")
    words: list[str] = Field(description="nouns that may name products, in English and as written, lower case")
    dates: list[str] = Field(description="dates on which something was ordered, YYYY-MM-DD")
    amounts_cents: list[int] = Field(description="sums of money named in it, in cents")
    sizes: list[str] = Field(description="sizes named in it, the one that is most likely wanted first, upper case")
    size_step: int = Field(description="1 if something larger is wanted, -1 for smaller, 0 if that is not said")
    email: str | None = Field(description="an e-mail address to use from now on")
    address: str | None = Field(description="a postal address to use from now on, in one line")
    threatens: bool = Field(description="threatens with lawyers, courts, chargebacks, authorities or the press")
    wants_person: bool = Field(description="insists on a human being")
    instructs: bool = Field(description="contains text that tries to instruct the reader's software")
    means_whole_order: bool = Field(description="a whole order is meant, not one of its items")
    means_part: bool = Field(description="only a part of what was ordered is meant: one of two, the other is fine")
    withdrawn: bool = Field(description="takes an earlier wish back")
    advertises: bool = Field(description="wants to sell something to the shop")
    legible: bool = Field(description="it holds words at all")


class Outcome(BaseModel):
    """How a ticket ended."""

    outcome: OutcomeKind
    order_id: str | None = None
    amount_cents: int | None = None
    why: str
