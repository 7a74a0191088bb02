"""Erased: what the demo shows of sealed values: a person looks at one, a customer is erased, and no file of the store holds a word of anybody's."""

import json
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec
from rich.console import Console
from rich.markup import escape

from examples.returns_desk.desk.books import Money, compare_books
from examples.returns_desk.desk.ticket import Ticket
from examples.returns_desk.scenes import PERSON
from kernos import Disclosure, Erasure, HttpService, Kernel
from kernos.vocabulary.ids import RunId

_SHORT, _SHORT_LETTER = 8, 16
"""Characters below which a value, and the subject of a mail, is no canary: `Thank you` stands in the desk's own letters, too."""


@dataclass(frozen=True, slots=True)
class Gone:
    """What became of a customer who was erased, and of what everybody's values left behind."""

    values: int
    files: int
    """Looked through for the values of all who wrote: the stores, their logs, vaults and second places, and what the desk printed."""
    found: tuple[str, ...]
    """Files in which a value stands, in the open or as base64; empty if all is well."""
    is_in_order: bool
    """The journal verifies, the books agree, whoever looks at the ticket sees that its sender is erased, and the search finds them at the shop."""


async def erase(
    kernel: Kernel, shop: HttpService, console: Console, run: RunId, tickets: Iterable[Ticket], before: Money
) -> Gone:
    """Erase the customer whose ticket a run settled. `tickets`: all that came in; `before`: the shop's money before the first of them."""
    written = list(tickets)
    disclosure = Disclosure(kernel)
    ticket = Ticket(
        **(await disclosure.show(run, reason="who is it that wants to be erased?", by=PERSON)).values["input"]
    )
    console.print(
        f"[bold]A customer is erased.[/bold] {PERSON} looks at ticket {ticket.id}, which is on record: it is from"
        f" {escape(ticket.from_name)} <{escape(ticket.from_email)}>.",
        soft_wrap=True,
    )
    receipt = await Erasure(kernel).erase(ticket.from_email, reason="asked for it", by=PERSON)
    left = (await disclosure.show(run, reason="is it gone?", by=PERSON)).values["input"]
    report = await kernel.journal.verify(lambda *_: None)
    books = await compare_books(kernel, shop, before)
    values = [*_values_of(written), *await _known_to(shop, ticket.from_email)]
    everything = [file for file in sorted(kernel.path.parent.rglob("*")) if file.is_file()]
    files = [file for file in everything if not file.name.startswith("shop.")]
    found = tuple(file.name for file in files if _holds(file.read_bytes(), values))
    is_search_good = any(_holds(file.read_bytes(), values) for file in everything if file not in files)
    console.print(
        f"  {receipt.values} sealed values are gone; the ticket says {escape(left['from_name'])} <{escape(left['from_email'])}>."
        f" The journal verifies: {len(report.findings) or 'no'} findings. The books {'agree' if books.agree else 'do not agree'}."
        f" Files of the stores that hold an address, a name or a letter of anybody who wrote: {', '.join(found) or 'none'} of {len(files)}.\n",
        soft_wrap=True,
    )
    is_erased = left["from_email"] == "[pii.email erased]"
    return Gone(receipt.values, len(files), found, is_erased and not report.findings and books.agree and is_search_good)


def _values_of(tickets: Iterable[Ticket]) -> Iterable[str]:
    for ticket in tickets:
        yield from (ticket.from_email, ticket.from_name)
        yield from (part for part in (ticket.subject, ticket.text) if len(part) >= _SHORT_LETTER)


async def _known_to(shop: HttpService, email: str) -> list[str]:
    """Return what the shop itself knows of a customer: it is not erased there."""
    listed = msgspec.json.decode((await shop.get("/customers", call=None, query={"email": email})).text)["customers"]
    return [str(one[name]) for one in listed for name in ("name", "email", "address")]


def _holds(data: bytes, values: Iterable[str]) -> bool:
    """Tell whether one of the values stands in a file, as it is, quoted in JSON, or as base64."""
    for value in {value for value in values if len(value) >= _SHORT}:
        forms = (value.encode(), json.dumps(value)[1:-1].encode(), b64encode(value.encode()).rstrip(b"="))
        if any(form in data for form in forms):
            return True
    return False
