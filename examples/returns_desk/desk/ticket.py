"""Ticket, reading and outcome: what comes in, what was understood of it, and how it ended. For agents, rules and tests."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from kernos import Label, Plain

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
    """One message of a customer, as it came in. Whose it is says the address that it came from, which is what that person is erased by."""

    id: str
    received_at: str = ""
    channel: str = ""
    from_email: Annotated[str, Label("pii.email", subject="from_email")] = ""
    from_name: Annotated[str, Label("pii.name", subject="from_email")] = ""
    subject: Annotated[str, Label("pii.letter", subject="from_email")] = ""
    text: Annotated[str, Label("pii.letter", subject="from_email")] = ""


class Reading(BaseModel):
    """What a ticket says: claims of whoever wrote it, nothing that was checked, and no instruction to anybody.

    It is what is left of a letter once that is sealed, so it names nobody; new addresses are its sender's, and sealed, too.
    """

    language: str = Field(description="ISO 639-1 code of the language it is written in")
    intents: list[Intent] = Field(description="what the customer wants or reports, most important first")
    order_numbers: list[Annotated[str, Plain()]] = Field(
        description="order numbers named in it, in their order, upper case"
    )
    quoted_numbers: list[Annotated[str, Plain()]] = Field(
        description="order numbers that stand only in quoted earlier mail"
    )
    words: list[Annotated[str, Plain()]] = Field(
        description="words that the goods are called by, in English, lower case; no names of people, streets or towns"
    )
    dates: list[Annotated[str, Plain()]] = Field(description="dates on which something was ordered, YYYY-MM-DD")
    amounts_cents: list[int] = Field(description="sums of money named in it, in cents")
    sizes: list[Annotated[str, Plain()]] = Field(
        description="sizes named in it, the one that is most likely wanted first, upper case"
    )
    size_step: int = Field(description="1 if something larger is wanted, -1 for smaller, 0 if that is not said")
    email: Annotated[str, Label("pii.email", subject="from_email")] | None = Field(
        description="an e-mail address to use from now on"
    )
    address: Annotated[str, Label("pii.address", subject="from_email")] | None = Field(
        description="a postal address to use from now on, in one line"
    )
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
