"""Rules: the task `read_ticket` answered without a language model, from a ticket to what it says."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from examples.returns_desk.desk.reading import facts, lexicon
from examples.returns_desk.desk.reading.languages import language_of
from examples.returns_desk.desk.reading.products import product_words, product_words_known
from examples.returns_desk.desk.reading.text import fold, parts_of
from examples.returns_desk.desk.reading.typos import corrected
from examples.returns_desk.desk.ticket import Intent, Reading, Ticket


def read_ticket(values: Mapping[str, Any]) -> dict[str, Any]:
    """Read a ticket given as JSON values; return a Reading as JSON values."""
    ticket = Ticket.model_validate(values)
    parts, subject = parts_of(ticket.text), parts_of(ticket.subject)
    is_reply = bool(_REPLY.match(fold(ticket.subject)))
    own = parts.own if is_reply else f"{subject.own} . {parts.own}"
    quoted = f"{subject.own}\n{parts.quoted}" if is_reply else parts.quoted
    plain = facts.without_order_numbers(fold(own))
    language = language_of(facts.without_order_numbers(fold(parts.own)) or plain)
    folded = corrected(plain, language)
    intents = _intents(folded, language)
    if not intents and parts.quoted:  # "Yes, that please": what it answers to says what.
        older = corrected(facts.without_order_numbers(fold(quoted)), language)
        intents = _intents(older, language)
    email, address = facts.email_in(own, ticket.from_email), facts.address_in(parts.own)
    received = date.fromisoformat(ticket.received_at[:10])
    return Reading(
        language=language,
        intents=intents,
        order_numbers=facts.order_numbers_in(own),
        quoted_numbers=facts.order_numbers_in(quoted),
        words=product_words(_telling(folded, language) if len(intents) else folded),
        dates=facts.dates_in(folded, received),
        amounts_cents=facts.amounts_in(own),
        sizes=facts.sizes_in(folded),
        size_step=facts.size_step_in(folded),
        email=email,
        address=address,
        threatens=lexicon.threatens(folded),
        wants_person=lexicon.wants_person(folded),
        instructs=parts.instructs or subject.instructs,
        means_whole_order=lexicon.means_whole_order(folded),
        means_part=lexicon.means_part(folded),
        withdrawn=lexicon.is_withdrawn(folded),
        advertises=lexicon.advertises(folded),
        legible=bool(re.search(r"[a-z]{3}.*[a-z]{3}", fold(own))),
    ).model_dump()


_REPLY = re.compile(r"(\[?(re|aw|fwd?|wg|rif|rv|tr|antw|enc|res)\]? ?: ?)")
"""Subjects of replies and of mail sent on name what was talked about before."""


def _intents(folded: str, language: str) -> list[Intent]:
    """Return the wishes; thanks count only where nothing else is said, because most people are polite."""
    found = lexicon.intents_in(folded, language)
    wishes: list[Intent] = [intent for intent in found if intent != "thanks"]
    return wishes or found


def _telling(folded: str, language: str) -> str:
    """Return the sentences that hold a wish or a report and name a product; the whole text where none does."""
    sentences = re.split(r"(?<=[.!?;:)]) ", folded)
    telling = [one for one in sentences if set(_intents(one, language)) - {"thanks"} and product_words_known(one)]
    return " ".join(telling) or folded
