"""Undoing: the shop's writes that take an earlier write back. Each is refused where that is not so any more.

They are effects like the others: a void is a row of its own beside the refund, which stays.
"""

import sqlite3

from examples.returns_desk.shop.database import Record, numbered, order, payment
from examples.returns_desk.shop.effects import Body, Effect, Tags, add, signed, text
from examples.returns_desk.shop.refused import Refused


def void_refund(db: sqlite3.Connection, record_id: str, body: Body, tags: Tags) -> Effect:
    """Take all the money of a refund in again, once."""
    found, reason = numbered(db, "refunds", record_id), text(body, "reason")
    if db.execute("SELECT 1 FROM voids WHERE refund_id = ?", (record_id,)).fetchone():
        raise Refused(409, "already_void", f"Refund {record_id} is void already.")
    row = {"refund_id": record_id, "payment_id": found["payment_id"], "order_id": found["order_id"],
           "amount_cents": found["amount_cents"], "reason": reason, **signed(db, tags)}  # fmt: skip
    made = add(db, "voids", row)
    answer = {"id": made, "refund_id": record_id, "amount_cents": found["amount_cents"]}
    return Effect(answer, "void", record_id, found["amount_cents"])


def withdraw_label(db: sqlite3.Connection, record_id: str, body: Body, tags: Tags) -> Effect:
    """Make a return label worthless."""
    text(body, "reason")
    _turn(db, "returns", record_id, "made", "withdrawn")
    return Effect({"id": record_id, "status": "withdrawn"}, "withdraw", record_id)


def recall_exchange(db: sqlite3.Connection, record_id: str, body: Body, tags: Tags) -> Effect:
    """Hold the parcel of an exchange back, and put what is in it on the shelf again."""
    text(body, "reason")
    found = _turn(db, "exchanges", record_id, "sent", "recalled")
    db.execute("UPDATE stock SET quantity = quantity + 1 WHERE sku = ? AND size = ?", (found["sku"], found["size"]))
    return Effect({"id": record_id, "status": "recalled"}, "recall", record_id)


def reopen(db: sqlite3.Connection, record_id: str, body: Body, tags: Tags) -> Effect:
    """Put a cancelled order, and its parcel if it was packed, where they stood; the money has to be back before."""
    found = order(db, record_id)
    text(body, "reason")
    if found["status"] != "cancelled":
        raise Refused(409, "not_cancelled", f"Order {found['id']} is {found['status']}.")
    if payment(db, found["payment_id"])["refunded_cents"]:
        raise Refused(409, "paid_back", f"What was paid for order {found['id']} went back; void that first.")
    parcel = db.execute("SELECT id FROM shipments WHERE order_id = ?", (found["id"],)).fetchone()
    status, shipment = ("packed", parcel["id"]) if parcel else ("placed", None)
    db.execute("UPDATE orders SET status = ?, shipment_id = ? WHERE id = ?", (status, shipment, found["id"]))
    db.execute("UPDATE shipments SET status = 'preparing' WHERE order_id = ?", (found["id"],))
    return Effect({"id": found["id"], "status": status}, "reopen", found["id"])


def sell_out(db: sqlite3.Connection, order_id: str) -> None:
    """Let other customers buy all that is left of an order's items, in every size."""
    for item in order(db, order_id)["items"]:
        db.execute("UPDATE stock SET quantity = 0 WHERE sku = ?", (item["sku"],))


def _turn(db: sqlite3.Connection, table: str, record_id: str, was: str, becomes: str) -> Record:
    """Change the status of a row, or refuse where it is another one by now."""
    found = numbered(db, table, record_id)
    if found["status"] != was:
        raise Refused(409, f"already_{found['status']}", f"{record_id} is {found['status']} already.")
    db.execute(f"UPDATE {table} SET status = ? WHERE n = ?", (becomes, found["n"]))
    return found
