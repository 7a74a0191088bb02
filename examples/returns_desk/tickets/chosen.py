"""Chosen: orders of the generated shop that fit a kind of ticket, each handed out once."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

from examples.returns_desk.shop.seeding import TODAY, seed_shop

SEED = 7
Fits = Callable[[Mapping[str, Any]], bool]


def _days(order: Mapping[str, Any]) -> int:
    day = order["delivered_on"]
    return (TODAY - date.fromisoformat(day)).days if day else -1


def _one(order: Mapping[str, Any]) -> bool:
    return len(order["items"]) == 1 and order["items"][0]["quantity"] == 1


def _sale(order: Mapping[str, Any]) -> bool:
    return any(item["final_sale"] for item in order["items"])


def _whole(order: Mapping[str, Any]) -> bool:
    return order["status"] == "delivered" and not order["refunded_cents"]


def _late(order: Mapping[str, Any]) -> bool:
    return order["status"] == "shipped" and TODAY - date.fromisoformat(order["promised_on"]) > timedelta(days=14)


KINDS: Mapping[str, Fits] = {
    "small": lambda o: _whole(o) and _one(o) and not _sale(o) and 0 <= _days(o) <= 28 and o["total_cents"] <= 5000,
    "big": lambda o: _whole(o) and _one(o) and not _sale(o) and 0 <= _days(o) <= 28 and o["total_cents"] > 5000,
    "several": lambda o: _whole(o) and len(o["items"]) > 1 and not _sale(o) and 0 <= _days(o) <= 28,
    "month_old": lambda o: _whole(o) and _one(o) and not _sale(o) and 34 <= _days(o) <= 58 and o["total_cents"] <= 5000,
    "ancient": lambda o: _whole(o) and _one(o) and not _sale(o) and _days(o) > 65,
    "sale": lambda o: _whole(o) and _one(o) and _sale(o) and 0 <= _days(o) <= 28,
    "sized": lambda o: (
        _whole(o) and _one(o) and bool(o["items"][0]["size"]) and 0 <= _days(o) <= 28 and bool(o["other_size"])
    ),
    "unsent": lambda o: o["status"] in ("placed", "packed"),
    "sent": lambda o: o["status"] == "shipped" and not _late(o),
    "late": _late,
    "paid_back": lambda o: (
        o["status"] == "delivered" and o["refunded_cents"] >= o["total_cents"] and 0 <= _days(o) <= 58
    ),
}


def _other_size(item: Mapping[str, Any], there: Mapping[tuple[str, str], int]) -> str:
    """Return a size of the same product that is in stock."""
    sizes = [size for (sku, size), quantity in there.items() if sku == item["sku"] and size and quantity > 0]
    return next((size for size in sizes if item["size"] and size != item["size"]), "")


class Chosen:
    """Hands out orders by kind, in the order of their numbers."""

    def __init__(self) -> None:
        """Generate the shop, and lay its orders out."""
        seeded = seed_shop(SEED)
        customers = {row["id"]: row for row in seeded.customers}
        parcels = {row["order_id"]: row for row in seeded.shipments}
        refunded: dict[str, int] = {}
        for refund in seeded.refunds:
            refunded[refund["order_id"]] = refunded.get(refund["order_id"], 0) + refund["amount_cents"]
        there = {(row["sku"], row["size"]): row["quantity"] for row in seeded.stock}
        orders = [
            {
                **order,
                "refunded_cents": refunded.get(order["id"], 0),
                "promised_on": parcels[order["id"]]["promised_on"] if order["id"] in parcels else TODAY.isoformat(),
                "other_size": _other_size(order["items"][0], there),
                "customer": customers[order["customer_id"]],
            }
            for order in seeded.orders
        ]
        counts: dict[str, int] = {}
        for order in orders:
            counts[order["customer_id"]] = counts.get(order["customer_id"], 0) + 1
        self._orders = sorted(orders, key=lambda order: -counts[order["customer_id"]])
        self._counts = counts
        self._used: set[str] = set()

    def next(self, kind: str, *, alone: bool) -> dict[str, Any]:
        """Return an order of this kind whose customer was not taken before; `alone`: and who has no other order."""
        for order in self._orders:
            customer = order["customer_id"]
            if customer not in self._used and KINDS[kind](order) and not (alone and self._counts[customer] > 1):
                self._used.add(customer)
                return order
        message = f"the shop has too few orders of the kind {kind!r}"
        raise LookupError(message)
