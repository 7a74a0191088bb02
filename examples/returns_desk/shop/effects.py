"""Effects: the shop's writes. Each takes the record's id and the request's body, writes, and says what it did.

They run inside a transaction of the caller, who adds the audit's row and the stored answer to it.
"""

import json
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from examples.returns_desk.shop.database import DAY_MS, PREFIXES, Record, customer, one, order, payment
from examples.returns_desk.shop.refused import Refused

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Tags:
    """What a request says of its cause, empty where it does not."""

    key: str = ""
    agent: str = ""
    run: str = ""
    intent: str = ""
    checkpoint: str = ""


@dataclass(frozen=True, slots=True)
class Effect:
    """What a write did: the answer to send, and what the audit keeps."""

    answer: Record
    name: str
    target: str
    amount_cents: int | None = None


Write = Callable[[sqlite3.Connection, str, Body, Tags], Effect]


def now_ms(db: sqlite3.Connection) -> int:
    """Return the shop's time: a second a write since its day began."""
    return DAY_MS + 1_000 * int(db.execute("SELECT coalesce(max(n), 0) + 1 FROM audit").fetchone()[0])


def refund(db: sqlite3.Connection, record_id: str, body: Body, tags: Tags) -> Effect:
    """Give money back, never more than is left of what was paid."""
    amount, reason = _cents(body), text(body, "reason")
    found = payment(db, record_id)
    left = found["captured_cents"] - found["refunded_cents"]
    if amount > left:
        message = f"Payment {record_id} has {left} cents left to give back; {amount} were asked for."
        raise Refused(409, "over_refund", message)
    row = {"payment_id": record_id, "order_id": found["order_id"], "amount_cents": amount, "reason": reason,
           **signed(db, tags)}  # fmt: skip
    made = add(db, "refunds", row)
    return Effect({"id": made, "payment_id": record_id, "amount_cents": amount}, "refund", record_id, amount)


def make_return(db: sqlite3.Connection, record_id: str, body: Body, tags: Tags) -> Effect:
    """Make a label to send items of a delivered order back with."""
    found, reason, skus = order(db, record_id), text(body, "reason"), body.get("skus")
    held = {item["sku"] for item in found["items"]}
    if not isinstance(skus, list) or not skus or not all(isinstance(sku, str) for sku in skus):
        raise Refused(422, "bad_body", "skus should be a list of at least one SKU.")
    if strange := set(skus) - held:
        raise Refused(409, "not_in_order", f"Order {found['id']} holds no {', '.join(sorted(strange))}.")
    if found["status"] != "delivered":
        raise Refused(409, "not_delivered", f"Order {found['id']} is {found['status']}, so nothing can come back yet.")
    earlier = db.execute("SELECT count(*) FROM returns WHERE order_id = ?", (found["id"],)).fetchone()[0]
    label = f"BACK-{found['id'].removeprefix('A-')}-{earlier + 1}"
    made = add(db, "returns", {"order_id": found["id"], "skus": json.dumps(skus), "reason": reason, "label": label,
                               "status": "made", **signed(db, tags)})  # fmt: skip
    return Effect({"id": made, "order_id": found["id"], "label": label}, "return", found["id"])


def exchange(db: sqlite3.Connection, record_id: str, body: Body, tags: Tags) -> Effect:
    """Take another one of an item from stock, in the size wanted or, where none is named, in the same."""
    found, sku, reason = order(db, record_id), text(body, "sku"), text(body, "reason")
    line = next((item for item in found["items"] if item["sku"] == sku), None)
    if line is None:
        raise Refused(409, "not_in_order", f"Order {found['id']} holds no {sku}.")
    size = body.get("wanted_size") or line["size"] or "one size"
    taken = db.execute(
        "UPDATE stock SET quantity = quantity - 1 WHERE sku = ? AND size = ? AND quantity > 0", (sku, size)
    )
    if taken.rowcount == 0:
        raise Refused(409, "out_of_stock", f"There is no {line['name']} in {size} left.")
    row = {"order_id": found["id"], "sku": sku, "size": size, "reason": reason, "status": "sent", **signed(db, tags)}
    made = add(db, "exchanges", row)
    return Effect({"id": made, "order_id": found["id"], "sku": sku, "size": size}, "exchange", found["id"])


def cancel(db: sqlite3.Connection, record_id: str, body: Body, tags: Tags) -> Effect:
    """Cancel an order that has not left. The money stays until it is refunded."""
    found, _ = order(db, record_id), text(body, "reason")
    if found["status"] == "cancelled":
        raise Refused(409, "already_cancelled", f"Order {found['id']} is cancelled already.")
    if found["status"] not in ("placed", "packed"):
        raise Refused(409, "already_shipped", f"Order {found['id']} is {found['status']} already.")
    db.execute("UPDATE orders SET status = 'cancelled', shipment_id = NULL WHERE id = ?", (found["id"],))
    db.execute("UPDATE shipments SET status = 'cancelled' WHERE order_id = ?", (found["id"],))
    return Effect({"id": found["id"], "status": "cancelled"}, "cancel", found["id"])


def reroute(db: sqlite3.Connection, record_id: str, body: Body, tags: Tags) -> Effect:
    """Send a parcel to another address, or only if it still goes to the one that `replaces` names."""
    found, address = one(db, "shipments", record_id), text(body, "address")
    if found["status"] not in ("preparing", "in_transit"):
        raise Refused(409, f"already_{found['status']}", f"Parcel {record_id} is {found['status']} already.")
    if body.get("replaces") not in (None, found["address"]):
        raise Refused(409, "changed_since", f"Parcel {record_id} goes to yet another address by now.")
    db.execute("UPDATE shipments SET address = ? WHERE id = ?", (address, record_id))
    db.execute("UPDATE orders SET address = ? WHERE id = ?", (address, found["order_id"]))
    return Effect({"id": record_id, "address": address, "address_before": found["address"]}, "reroute", record_id)


def change_account(db: sqlite3.Connection, record_id: str, body: Body, tags: Tags) -> Effect:
    """Change the e-mail address, the postal address, or both; or only if they still are what `replaces` holds."""
    found = customer(db, record_id)
    wanted = {name: text(body, name) for name in ("email", "address") if body.get(name) is not None}
    if not wanted:
        raise Refused(422, "bad_body", "Either email or address should be given.")
    replaces = body.get("replaces") or {}
    if any(found.get(name) != value for name, value in replaces.items()):
        raise Refused(409, "changed_since", f"Account {record_id} was changed once more.")
    email, address = wanted.get("email", found["email"]), wanted.get("address", found["address"])
    taken = db.execute("SELECT 1 FROM customers WHERE lower(email) = lower(?) AND id <> ?", (email, record_id))
    if taken.fetchone():
        raise Refused(409, "email_taken", "Another account has this e-mail address.")
    db.execute("UPDATE customers SET email = ?, address = ? WHERE id = ?", (email, address, record_id))
    before = {name: found[name] for name in wanted}
    return Effect({**customer(db, record_id), "before": before}, "account", record_id)


def send_mail(db: sqlite3.Connection, record_id: str, body: Body, tags: Tags) -> Effect:
    """Send one more mail."""
    row = {name: text(body, name) for name in ("to", "subject", "text")}
    made = add(db, "mail", {**row, **signed(db, tags)})
    return Effect({"id": made}, "mail", row["to"])


def add_note(db: sqlite3.Connection, record_id: str, body: Body, tags: Tags) -> Effect:
    """Add one more note to a case."""
    row = {name: text(body, name) for name in ("case", "text")}
    made = add(db, "notes", {**row, **signed(db, tags)})
    return Effect({"id": made}, "note", row["case"])


def add_audit(db: sqlite3.Connection, effect: Effect, tags: Tags) -> None:
    """Add an effect to the audit, which only ever grows."""
    db.execute(
        "INSERT INTO audit (effect, target, amount_cents, key, agent, run, intent, checkpoint, at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (effect.name, effect.target, effect.amount_cents, tags.key, tags.agent, tags.run, tags.intent,
         tags.checkpoint, now_ms(db)),
    )  # fmt: skip


def signed(db: sqlite3.Connection, tags: Tags) -> Record:
    """Return what every row of a write ends with: the key and the run it came with, and the time."""
    return {"key": tags.key, "run": tags.run, "at": now_ms(db)}


def add(db: sqlite3.Connection, table: str, row: Record) -> str:
    """Add a row to a numbered table and return its id."""
    names = ", ".join(f'"{name}"' for name in row)
    marks = ", ".join("?" for _ in row)
    number = db.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(row.values())).lastrowid
    return f"{PREFIXES[table]}-{number:05}"


def text(body: Body, name: str) -> str:
    """Return a text that has to be there, or refuse."""
    value = body.get(name)
    if not isinstance(value, str) or not value.strip():
        raise Refused(422, "bad_body", f"{name} should be a text that is not empty.")
    return value


def _cents(body: Body) -> int:
    value = body.get("amount_cents")
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise Refused(422, "bad_body", "amount_cents should be a whole number above 0.")
    return value
