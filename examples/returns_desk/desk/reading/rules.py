"""Rules: the task `read_ticket` answered without a language model, from a ticket to what it says."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from examples.returns_desk.desk.reading import facts, lexicon
from examples.returns_desk.desk.reading.languages import language_of
from examples.returns_desk.desk.reading.products import product_words
from examples.returns_desk.desk.reading.text import fold, parts_of
from examples.returns_desk.desk.reading.typos import corrected
from examples.returns_desk.desk.ticket import Intent, Reading, Ticket


def read_ticket(values: Mapping[str, Any]) -> dict[str, Any]:
    """Read a ticket given as JSON values; return a Reading as JSON values."""
    ticket = Ticket.model_validate(values)
    parts = parts_of(ticket.text)
    subject = parts_of(ticket.subject)
    whole = f"{subject.own}\n{parts.own}"
    plain = facts.without_order_numbers(fold(f"{ticket.subject if not subject.instructs else ''} . {parts.own}"))
    language = language_of(facts.without_order_numbers(fold(parts.own)) or plain)
    folded = corrected(plain, language)
    received = date.fromisoformat(ticket.received_at[:10])
    return Reading(
        language=language,
        intents=_intents(folded),
        order_numbers=facts.order_numbers_in(whole),
        quoted_numbers=facts.order_numbers_in(parts.quoted),
        words=product_words(folded),
        dates=facts.dates_in(folded, received),
        amounts_cents=facts.amounts_in(whole),
        sizes=facts.sizes_in(folded),
        size_step=facts.size_step_in(folded),
        email=facts.email_in(whole, ticket.from_email),
        address=facts.address_in(parts.own),
        threatens=lexicon.threatens(folded),
        wants_person=lexicon.wants_person(folded),
        instructs=parts.instructs or subject.instructs,
        means_whole_order=lexicon.means_whole_order(folded),
        legible=bool(re.search(r"[a-z]{3}.*[a-z]{3}", fold(whole))),
    ).model_dump()


def _intents(folded: str) -> list[Intent]:
    """Return the wishes; thanks count only where nothing else is said, because most people are polite."""
    found = lexicon.intents_in(folded)
    wishes: list[Intent] = [intent for intent in found if intent != "thanks"]
    return wishes or found
