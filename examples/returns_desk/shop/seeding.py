"""Seeding: makes a whole shop from a seed, always the same one, as rows for the database."""

import random
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from examples.returns_desk.shop.catalogue import BY_SKU, PRODUCTS, Product
from examples.returns_desk.shop.people import COUNTRIES, MAIL_HOSTS
from examples.returns_desk.shop.stories import STORIES, Story

TODAY = date(2026, 11, 2)
CUSTOMERS = 640
ORDERS = 1_280
"""Of customers and orders that no story is about."""

FIRST_ORDER = 10_204
FIRST_CUSTOMER = 1_001

Row = dict[str, Any]


@dataclass
class Seeded:
    """Rows by table, and the order of each story."""

    customers: list[Row] = field(default_factory=list)
    orders: list[Row] = field(default_factory=list)
    payments: list[Row] = field(default_factory=list)
    shipments: list[Row] = field(default_factory=list)
    refunds: list[Row] = field(default_factory=list)
    stock: list[Row] = field(default_factory=list)
    order_of: dict[str, str] = field(default_factory=dict)


def seed_shop(seed: int) -> Seeded:
    """Make the shop of a seed."""
    rng = random.Random(seed)
    drafts = [*_stories(), *(_draft(rng, place) for place in range(ORDERS))]
    people = _people(rng, drafts)
    drafts.sort(key=lambda draft: (draft.placed_on, draft.story, draft.customer))
    seeded = Seeded(customers=[row for _, row in sorted(people.items(), key=lambda pair: str(pair[1]["id"]))])
    number = FIRST_ORDER
    for draft in drafts:
        number += rng.randint(1, 9)
        _add_order(seeded, draft, people[draft.customer], f"A-{number}")
    seeded.stock = list(_stock(rng))
    return seeded


@dataclass(slots=True)
class _Draft:
    """An order before it has a number. `delivered` and `promised` are dates; `customer` names whose it is."""

    customer: str
    language: str
    status: str
    placed_on: date
    lines: list[Row]
    story: str = ""
    delivered: date | None = None
    promised: date | None = None
    lost: bool = False
    refunded: int | None = None
    """Cents given back before today; None for nothing, -1 for all of it."""
    vip: bool = False


def _stories() -> Iterator[_Draft]:
    for story in STORIES:
        yield _of_story(story)


def _of_story(story: Story) -> _Draft:
    status, _, figure = story.status.partition(" ")
    days = int(figure or 0)
    draft = _Draft(story.of or story.name, story.language, status, TODAY, [_line(word) for word in story.items.split()])
    draft.story, draft.refunded, draft.vip = story.name, story.refunded, story.vip
    match status:
        case "delivered":
            draft.delivered = TODAY - timedelta(days=days)
            draft.placed_on = draft.delivered - timedelta(days=4)
            draft.promised = draft.delivered + timedelta(days=1)
        case "shipped" | "lost":
            draft.status, draft.lost = "shipped", status == "lost"
            draft.promised = TODAY + timedelta(days=days)
            draft.placed_on = min(draft.promised - timedelta(days=6), TODAY - timedelta(days=2))
        case _:
            draft.placed_on = TODAY - timedelta(days=days)
            draft.promised = draft.placed_on + timedelta(days=6)
    if status == "cancelled":
        draft.refunded = -1
    return draft


def _line(word: str) -> Row:
    """Read `SKU`, `SKU:SIZE`, `SKU*2` or `SKU!` (final sale)."""
    final = word.endswith("!")
    rest, _, count = word.rstrip("!").partition("*")
    sku, _, size = rest.partition(":")
    return _item(BY_SKU[sku], int(count or 1), final, size or None)


def _item(product: Product, quantity: int, final_sale: bool, size: str | None) -> Row:
    return {
        "sku": product.sku,
        "name": product.name,
        "quantity": quantity,
        "unit_cents": product.unit_cents,
        "final_sale": final_sale,
        "size": size,
    }


def _draft(rng: random.Random, place: int) -> _Draft:
    """Make an order of one of the customers that no story is about; each of them gets one before any gets three."""
    customer = place if place < CUSTOMERS else rng.randrange(CUSTOMERS)
    chosen = rng.sample(PRODUCTS, rng.choices((1, 2, 3), (60, 28, 12))[0])
    lines = [
        _item(product, rng.choices((1, 2), (88, 12))[0], rng.random() < 0.06, rng.choice(product.sizes or (None,)))
        for product in chosen
    ]
    age = rng.choice((0, 1, 2, 3, 4, 5, 6)) if rng.random() < 0.15 else rng.randint(7, 130)
    placed_on = TODAY - timedelta(days=age)
    draft = _Draft(f"#{customer:03}", _language(customer), "delivered", placed_on, lines)
    draft.promised = placed_on + timedelta(days=6)
    if age < 2:
        draft.status = "placed"
    elif age == 2:
        draft.status = "packed"
    elif age < 7 or rng.random() < 0.04:
        draft.status, draft.lost = "shipped", age > 40
    else:
        draft.delivered = placed_on + timedelta(days=rng.randint(3, 7))
        draft.refunded = rng.choices((None, -1, lines[0]["unit_cents"]), (90, 6, 4))[0]
    if age > 1 and rng.random() < 0.03:
        draft.status, draft.delivered, draft.lost, draft.refunded = "cancelled", None, False, -1
    return draft


def _language(customer: int) -> str:
    return ("en", "de", "en", "fr", "es", "en", "it", "nl", "en", "pt", "de")[customer % 11]


def _people(rng: random.Random, drafts: list[_Draft]) -> dict[str, Row]:
    """Give every customer of a draft a name, an e-mail address that is theirs alone, and an id."""
    languages = {draft.customer: draft.language for draft in reversed(drafts)}
    vips = {draft.customer for draft in drafts if draft.vip}
    names = sorted(languages)
    rng.shuffle(names)
    taken: set[str] = set()
    people = {}
    for place, name in enumerate(names):
        country = COUNTRIES[languages[name]]
        first, last = rng.choice(country.first), rng.choice(country.last)
        people[name] = {
            "id": f"C{FIRST_CUSTOMER + place}",
            "name": f"{first} {last}",
            "email": _address_of(rng, first, last, taken),
            "address": f"{rng.choice(country.streets).format(rng.randint(1, 98))}, {rng.choice(country.towns)}",
            "language": languages[name],
            "vip": name in vips or rng.random() < 0.03,
        }
    return people


def _address_of(rng: random.Random, first: str, last: str, taken: set[str]) -> str:
    plain = unicodedata.normalize("NFKD", f"{first}.{last}".lower()).encode("ascii", "ignore").decode()
    host, number = rng.choice(MAIL_HOSTS), ""
    while (email := f"{plain}{number}@{host}") in taken:
        number = str(rng.randint(2, 99))
    taken.add(email)
    return email


def _add_order(seeded: Seeded, draft: _Draft, person: Row, order_id: str) -> None:
    digits = order_id.removeprefix("A-")
    total = sum(line["quantity"] * line["unit_cents"] for line in draft.lines)
    delivered = draft.delivered.isoformat() if draft.delivered else None
    sent = draft.status in ("packed", "shipped", "delivered")
    order = {
        "id": order_id,
        "customer_id": person["id"],
        "placed_on": draft.placed_on.isoformat(),
        "status": draft.status,
        "delivered_on": delivered,
        "address": person["address"],
        "items": draft.lines,
        "total_cents": total,
        "payment_id": f"P-{digits}",
        "shipment_id": f"S-{digits}" if sent else None,
    }
    seeded.orders.append(order)
    seeded.payments.append({"id": f"P-{digits}", "order_id": order_id, "captured_cents": total})
    if sent:
        state = {"packed": "preparing", "shipped": "in_transit", "delivered": "delivered"}[draft.status]
        assert draft.promised is not None
        seeded.shipments.append(
            {
                "id": f"S-{digits}",
                "order_id": order_id,
                "status": "lost" if draft.lost else state,
                "address": person["address"],
                "promised_on": draft.promised.isoformat(),
                "delivered_on": delivered,
            }
        )
    if draft.refunded is not None:
        amount = total if draft.refunded < 0 else draft.refunded
        seeded.refunds.append({"payment_id": f"P-{digits}", "order_id": order_id, "amount_cents": amount})
    if draft.story:
        seeded.order_of[draft.story] = order_id


OUT_OF_STOCK = frozenset({("BOOTS", "43"), ("SWEATER", "XL"), ("TEAPOT", "one size"), ("SNEAKERS", "38")})
"""Sold out whatever the seed, so that stories can count on it."""


def _stock(rng: random.Random) -> Iterator[Row]:
    for product in PRODUCTS:
        for size in product.sizes or ("one size",):
            quantity = 0 if (product.sku, size) in OUT_OF_STOCK else rng.randint(15, 60)
            yield {"sku": product.sku, "size": size, "quantity": quantity}
