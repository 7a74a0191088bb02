"""Build: fills the written texts from the seeded shop and writes both files: `python -m examples.returns_desk.tickets.build`.

Each text in `texts/*.toml` was written by hand; what it needs from the shop stands in braces: `{n}` (order number),
`{d}` (its digits), `{spaced}` (the number with spaces), `{name}`, `{first}`, `{plain}` (the local part of the e-mail
address), `{ordered:%d.%m.}` and `{promised:...}` (days); `{n@other}` takes it from another story.

A ticket's table names the story it is about and how it should end. `about = "none"` says that no order is meant,
`item` and `quantity` what a part of the money is for, `from_story` or `sender` who writes if it is not the customer,
and `tries` what a person turns down. `amount_cents`, `actions` and who is asked follow from the shop and the policy.
"""

import json
import random
import re
import tomllib
from collections import defaultdict
from datetime import date
from pathlib import Path
from typing import Any

from examples.returns_desk.shop.seeding import Row, Seeded, seed_shop

SEED = 7
ALONE_CENTS_MAX = 5_000
"""Up to here money goes back without a person."""

ACTIONS = {
    "refund": ["refund"],
    "partial_refund": ["refund"],
    "exchange": ["return", "exchange"],
    "cancel": ["cancel", "refund"],
    "reroute": ["reroute"],
    "return_label": ["return"],
    "account_change": ["account"],
}

HERE = Path(__file__).parent
_PLACEHOLDER = re.compile(r"\{(\w+)(?:@(\w+))?(?::([^{}]+))?\}")


class Shop:
    """The seeded shop, by story."""

    def __init__(self, seeded: Seeded) -> None:
        self._order_of = seeded.order_of
        self._orders = {order["id"]: order for order in seeded.orders}
        self._customers = {customer["id"]: customer for customer in seeded.customers}
        self._shipments = {shipment["order_id"]: shipment for shipment in seeded.shipments}
        self._refunded: dict[str, int] = defaultdict(int)
        for refund in seeded.refunds:
            self._refunded[refund["order_id"]] += refund["amount_cents"]

    def order(self, story: str) -> Row:
        return self._orders[self._order_of[story]]

    def customer(self, story: str) -> Row:
        return self._customers[self.order(story)["customer_id"]]

    def open_cents(self, story: str) -> int:
        """Return what can still be given back."""
        order = self.order(story)
        return int(order["total_cents"]) - self._refunded[order["id"]]

    def fill(self, text: str, story: str) -> str:
        """Put the story's facts where the text has braces; unknown words in braces are an error."""

        def fact(found: re.Match[str]) -> str:
            value = self._facts(found[2] or story)[found[1]]
            return f"{value:{found[3]}}" if found[3] else str(value)

        return _PLACEHOLDER.sub(fact, text)

    def _facts(self, story: str) -> dict[str, Any]:
        order, customer = self.order(story), self.customer(story)
        shipment = self._shipments.get(order["id"])
        digits = order["id"].removeprefix("A-")
        return {
            "n": order["id"],
            "d": digits,
            "spaced": f"A {digits[:2]} {digits[2:]}",
            "name": customer["name"],
            "first": customer["name"].split()[0],
            "plain": customer["email"].partition("@")[0],
            "ordered": date.fromisoformat(order["placed_on"]),
            "promised": date.fromisoformat(shipment["promised_on"]) if shipment else None,
        }


def build() -> tuple[list[Row], list[Row]]:
    """Return tickets and, in the same order, how they should end."""
    shop = Shop(seed_shop(SEED))
    written: list[Row] = []
    for path in sorted(HERE.glob("texts/*.toml")):
        written += tomllib.loads(path.read_text(encoding="utf-8"))["ticket"]
    tickets, expected = [], []
    for place, entry in enumerate(_in_order_of_arrival(written)):
        name, minute = f"T{place + 1:03}", 6 * 60 + 5 * place
        ticket = {"id": name, "received_at": f"2026-11-02T{minute // 60:02}:{minute % 60:02}:00Z"}
        tickets.append(ticket | _letter(shop, entry))
        expected.append({"id": name} | _ending(shop, entry, writes_back=bool(tickets[-1]["from_email"])))
    return tickets, expected


def _in_order_of_arrival(written: list[Row]) -> list[Row]:
    """Mix all tickets; those about the same story keep their order."""
    places = list(range(len(written)))
    random.Random(SEED).shuffle(places)
    by_story: dict[str, list[int]] = defaultdict(list)
    for place in places:
        by_story[written[place].get("story", f"#{place}")].append(place)
    waiting = {story: iter(sorted(found)) for story, found in by_story.items()}
    return [written[next(waiting[written[place].get("story", f"#{place}")])] for place in places]


def _letter(shop: Shop, entry: Row) -> Row:
    story = entry.get("story", "")
    filled = {
        name: shop.fill(entry.get(name, ""), story) if story else entry.get(name, "")
        for name in ("subject", "text", "name", "sender")
    }
    writer = shop.customer(str(entry.get("from_story", story))) if story else None
    return {
        "channel": entry.get("channel", "mail"),
        "from_email": filled["sender"] or (writer["email"] if writer else ""),
        "from_name": filled["name"] if "sender" in entry or writer is None else writer["name"],
        "subject": filled["subject"],
        "text": filled["text"].strip("\n"),
    }


def _ending(shop: Shop, entry: Row, *, writes_back: bool) -> Row:
    outcome, story = entry["outcome"], entry.get("story", "")
    amount = _amount_cents(shop, entry) if outcome in ("refund", "partial_refund", "cancel") else None
    person = entry.get("person")
    if (amount or 0) > ALONE_CENTS_MAX or outcome in ("reroute", "account_change"):
        person = "approve"
    about_order = story and entry.get("about") != "none"
    return {
        "outcome": outcome,
        "order_id": shop.order(story)["id"] if about_order else None,
        "amount_cents": amount,
        "actions": [*ACTIONS.get(outcome, []), *(["mail"] if writes_back else []), "note"],
        "needs_person": person is not None,
        "person": person,
        "why": entry["why"],
    }


def _amount_cents(shop: Shop, entry: Row) -> int:
    """Return what goes back: all that is open, or the price of the item that is named."""
    if "item" not in entry:
        return shop.open_cents(entry["story"])
    line = next(line for line in shop.order(entry["story"])["items"] if line["sku"] == entry["item"])
    return int(line["unit_cents"] * entry.get("quantity", line["quantity"]))


def main() -> None:
    """Write both files."""
    for name, rows in zip(("tickets", "expected"), build(), strict=True):
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (HERE / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    print(f"{len(lines.splitlines())} tickets written to {HERE}")


if __name__ == "__main__":
    main()
