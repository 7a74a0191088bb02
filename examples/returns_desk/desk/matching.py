"""Matching: which order, and which of its items, a ticket is about."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from examples.returns_desk.desk.reading.products import name_words
from examples.returns_desk.desk.records import Item, Order
from examples.returns_desk.desk.ticket import Reading

SAID = "what it says about product, date or price"


@dataclass(frozen=True, slots=True)
class Match:
    """An order, the items of it that the ticket names (empty: none in particular), and why it was chosen."""

    order: Order
    items: tuple[Item, ...]
    grounds: str
    says_product: bool
    """Whether the ticket names a product of the order."""


def best_match(orders: Sequence[Order], reading: Reading, today: date) -> Match | None:
    """Return the one order that fits the ticket best, None where none or several do.

    Product words weigh most, then a date of the order, then a sum; where nothing is named, a customer's only order
    (or only order on its way, for wishes about parcels) is meant.
    """
    open_ones = [order for order in orders if order.status in ("placed", "packed")]
    if reading.intents[:1] == ["cancel"] and open_ones:  # Only what has not left can be meant.
        orders = open_ones
    scored = sorted(((_score(order, reading), order) for order in orders), key=lambda pair: -pair[0])
    if not scored:
        return None
    best, order = scored[0]
    if best > 0 and (len(scored) == 1 or best > scored[1][0]):
        return _match(order, reading, SAID)
    if len(scored) == 1:
        return _match(order, reading, "being their only order")
    rivals = [order for score, order in scored if score == best]
    fitting = [order for order in rivals if _fits_state(order, reading, today)]
    return _match(fitting[0], reading, "being the one order that this can be about") if len(fitting) == 1 else None


def _match(order: Order, reading: Reading, grounds: str) -> Match:
    names = frozenset().union(*(name_words(item.name) for item in order.items))
    return Match(order, items_meant(order, reading), grounds, bool(names & set(reading.words)))


def items_meant(order: Order, reading: Reading) -> tuple[Item, ...]:
    """Return the items of an order that the ticket names best; none where nothing tells."""
    said = set(reading.words)
    weights = [(len(said & name_words(item.name)), item) for item in order.items]
    best = max((weight for weight, _ in weights), default=0)
    if best:
        return tuple(item for weight, item in weights if weight == best)
    priced = [item for item in order.items if item.unit_cents in reading.amounts_cents]
    return tuple(priced) or (tuple(order.items) if len(order.items) == 1 else ())


def _score(order: Order, reading: Reading) -> int:
    said = set(reading.words)
    words = max((len(said & name_words(item.name)) for item in order.items), default=0)
    sums = {order.total_cents, *(item.unit_cents for item in order.items)}
    dated = order.placed_on.isoformat() in reading.dates
    delivered = order.delivered_on is not None and order.delivered_on.isoformat() in reading.dates
    return 4 * words + 3 * dated + 2 * delivered + 2 * bool(sums & set(reading.amounts_cents))


_RECENT_DAYS = 45


def _fits_state(order: Order, reading: Reading, today: date) -> bool:
    """Tell whether the ticket's first wish makes sense for the order as it stands."""
    arrived = order.delivered_on
    match reading.intents[0] if reading.intents else "":
        case "cancel":
            return order.status in ("placed", "packed")
        case "reroute" | "where":
            return order.status in ("placed", "packed", "shipped")
        case "":
            return False
        case _:
            return arrived is not None and (today - arrived).days <= _RECENT_DAYS
