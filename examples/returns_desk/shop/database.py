"""Database: the shop's own SQLite file, its tables, and what is read from them."""

import json
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from examples.returns_desk.shop.catalogue import BY_SKU
from examples.returns_desk.shop.refused import Refused
from examples.returns_desk.shop.seeding import TODAY, Seeded, seed_shop

Record = dict[str, Any]

DAY_MS = (TODAY.toordinal() - 719_163) * 86_400_000
"""The start of the shop's day in epoch milliseconds; 719163 is the ordinal of 1970-01-01."""

SCHEMA = """
CREATE TABLE shop (seed INTEGER NOT NULL);
CREATE TABLE customers (id TEXT PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL UNIQUE, address TEXT NOT NULL,
    language TEXT NOT NULL, vip INTEGER NOT NULL);
CREATE TABLE orders (id TEXT PRIMARY KEY, customer_id TEXT NOT NULL, placed_on TEXT NOT NULL, status TEXT NOT NULL,
    delivered_on TEXT, address TEXT NOT NULL, items TEXT NOT NULL, total_cents INTEGER NOT NULL,
    payment_id TEXT NOT NULL, shipment_id TEXT);
CREATE INDEX orders_of ON orders (customer_id);
CREATE TABLE payments (id TEXT PRIMARY KEY, order_id TEXT NOT NULL, captured_cents INTEGER NOT NULL);
CREATE TABLE shipments (id TEXT PRIMARY KEY, order_id TEXT NOT NULL, status TEXT NOT NULL, address TEXT NOT NULL,
    promised_on TEXT NOT NULL, delivered_on TEXT);
CREATE TABLE stock (sku TEXT NOT NULL, size TEXT NOT NULL, quantity INTEGER NOT NULL, PRIMARY KEY (sku, size));
CREATE TABLE refunds (n INTEGER PRIMARY KEY, payment_id TEXT NOT NULL, order_id TEXT NOT NULL,
    amount_cents INTEGER NOT NULL, reason TEXT NOT NULL, key TEXT NOT NULL, run TEXT NOT NULL, at INTEGER NOT NULL);
CREATE INDEX refunds_of ON refunds (payment_id);
CREATE TABLE voids (n INTEGER PRIMARY KEY, refund_id TEXT NOT NULL UNIQUE, payment_id TEXT NOT NULL,
    order_id TEXT NOT NULL, amount_cents INTEGER NOT NULL, reason TEXT NOT NULL, key TEXT NOT NULL, run TEXT NOT NULL,
    at INTEGER NOT NULL);
CREATE INDEX voids_of ON voids (payment_id);
CREATE TABLE returns (n INTEGER PRIMARY KEY, order_id TEXT NOT NULL, skus TEXT NOT NULL, reason TEXT NOT NULL,
    label TEXT NOT NULL, status TEXT NOT NULL, key TEXT NOT NULL, run TEXT NOT NULL, at INTEGER NOT NULL);
CREATE TABLE exchanges (n INTEGER PRIMARY KEY, order_id TEXT NOT NULL, sku TEXT NOT NULL, size TEXT NOT NULL,
    reason TEXT NOT NULL, status TEXT NOT NULL, key TEXT NOT NULL, run TEXT NOT NULL, at INTEGER NOT NULL);
CREATE TABLE mail (n INTEGER PRIMARY KEY, "to" TEXT NOT NULL, subject TEXT NOT NULL, text TEXT NOT NULL,
    key TEXT NOT NULL, run TEXT NOT NULL, at INTEGER NOT NULL);
CREATE INDEX mail_key ON mail (key);
CREATE TABLE notes (n INTEGER PRIMARY KEY, "case" TEXT NOT NULL, text TEXT NOT NULL,
    key TEXT NOT NULL, run TEXT NOT NULL, at INTEGER NOT NULL);
CREATE INDEX notes_key ON notes (key);
CREATE TABLE audit (n INTEGER PRIMARY KEY, effect TEXT NOT NULL, target TEXT NOT NULL, amount_cents INTEGER,
    key TEXT NOT NULL, agent TEXT NOT NULL, run TEXT NOT NULL, intent TEXT NOT NULL, checkpoint TEXT NOT NULL,
    at INTEGER NOT NULL);
CREATE TABLE answers (key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, answer TEXT NOT NULL);
"""

APPEND_ONLY = tuple(
    f"CREATE TRIGGER audit_no_{verb} BEFORE {verb} ON audit BEGIN SELECT RAISE(ABORT, 'the audit only grows'); END"
    for verb in ("update", "delete")
)

PREFIXES = {"refunds": "F", "voids": "V", "returns": "R", "exchanges": "X", "mail": "M", "notes": "N"}
"""The letter before the number in the ids of each table whose rows are numbered."""

_ORDER_NUMBER = re.compile(r"#?\s*(?:A[-\s]?)?(\d{5})", re.IGNORECASE)


def open_database(path: Path, seed: int) -> sqlite3.Connection:
    """Open the shop's file; a new one is filled from the seed, an old one keeps what it holds."""
    db = sqlite3.connect(path, isolation_level=None)
    db.row_factory = sqlite3.Row
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = NORMAL")  # A killed process loses nothing; only a power cut could.
    if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'shop'").fetchone():
        fill(db, seed)
    return db


def seed_of(db: sqlite3.Connection) -> int:
    """Return the seed that the file was filled from."""
    return int(db.execute("SELECT seed FROM shop").fetchone()[0])


def fill(db: sqlite3.Connection, seed: int) -> None:
    """Empty the file and fill it from the seed, all or nothing."""
    seeded = seed_shop(seed)
    with transaction(db):
        for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            db.execute(f'DROP TABLE "{name}"')
        for statement in (*SCHEMA.split(";"), *APPEND_ONLY):
            db.execute(statement)
        db.execute("INSERT INTO shop VALUES (?)", (seed,))
        _insert(db, seeded)


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """Commit what is written inside, or nothing of it."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def _insert(db: sqlite3.Connection, seeded: Seeded) -> None:
    orders = [{**order, "items": json.dumps(order["items"])} for order in seeded.orders]
    before = {"reason": "before today", "key": "", "run": "", "at": DAY_MS - 1}
    tables = {
        "customers": seeded.customers,
        "orders": orders,
        "payments": seeded.payments,
        "shipments": seeded.shipments,
        "stock": seeded.stock,
        "refunds": [{**refund, **before} for refund in seeded.refunds],
    }
    for table, rows in tables.items():
        if rows:
            names = ", ".join(rows[0])
            db.executemany(f"INSERT INTO {table} ({names}) VALUES ({', '.join(f':{name}' for name in rows[0])})", rows)


# --- what is read ------------------------------------------------------------------------------------------------


def customers(db: sqlite3.Connection, query: Mapping[str, str]) -> Record:
    """Find customers by exact e-mail address and part of the name."""
    email, name, limit = query.get("email", ""), query.get("name", "").casefold(), _number(query, "limit", 50)
    where = "WHERE lower(email) = lower(?1)" if email else "WHERE ?1 = ''"
    rows = (dict(row) for row in db.execute(f"SELECT * FROM customers {where} ORDER BY id", (email,)))
    fitting = [_customer(row) for row in rows if name in row["name"].casefold()]
    return {"customers": fitting[:limit]}


def customer(db: sqlite3.Connection, record_id: str) -> Record:
    return _customer(one(db, "customers", record_id))


def order(db: sqlite3.Connection, record_id: str) -> Record:
    """Find an order; its number may be spelt as people do, without the letter or the dash."""
    spelt = _ORDER_NUMBER.fullmatch(record_id.strip())
    return _order(one(db, "orders", f"A-{spelt[1]}" if spelt else record_id))


def orders_of(db: sqlite3.Connection, record_id: str) -> Record:
    one(db, "customers", record_id)
    rows = db.execute("SELECT * FROM orders WHERE customer_id = ? ORDER BY placed_on DESC, id DESC", (record_id,))
    return {"orders": [_order(dict(row)) for row in rows]}


def payment(db: sqlite3.Connection, record_id: str) -> Record:
    """Find a payment with all refunds of it and their voids; `refunded_cents` is what the customer has of it now."""
    found = one(db, "payments", record_id)
    refunds, voids = (_of_payment(db, table, record_id) for table in ("refunds", "voids"))
    return {**found, "refunded_cents": _sum(refunds) - _sum(voids), "refunds": refunds, "voids": voids}


def _of_payment(db: sqlite3.Connection, table: str, record_id: str) -> list[Record]:
    columns = "n, refund_id, amount_cents, reason, at" if table == "voids" else "n, amount_cents, reason, at"
    rows = db.execute(f"SELECT {columns} FROM {table} WHERE payment_id = ? ORDER BY n", (record_id,))
    return [_numbered(table, row) for row in rows]


def shipment(db: sqlite3.Connection, record_id: str) -> Record:
    return one(db, "shipments", record_id)


def stock(db: sqlite3.Connection, sku: str) -> Record:
    product = BY_SKU.get(sku)
    if product is None:
        raise Refused(404, "not_found", f"There is no product {sku}.")
    sizes = {row["size"]: row["quantity"] for row in db.execute("SELECT * FROM stock WHERE sku = ?", (sku,))}
    return {"sku": sku, "name": product.name, "sizes": sizes, "unit_cents": product.unit_cents}


def listed(db: sqlite3.Connection, table: str, query: Mapping[str, str], filters: tuple[str, ...]) -> list[Record]:
    """List the rows of a numbered table since the shop's day began, or `since`, oldest first.

    Each of `filters` narrows it where the query holds it.
    """
    terms = [(f'"{name}" = ?', query[name]) for name in filters if query.get(name)]
    where = " AND ".join(["at >= ?", *(term for term, _ in terms)])
    values = [_number(query, "since", DAY_MS), *(value for _, value in terms)]
    return [_numbered(table, row) for row in db.execute(f"SELECT * FROM {table} WHERE {where} ORDER BY n", values)]


def ledger(db: sqlite3.Connection) -> Record:
    """Sum up the money taken, given back, and taken in again by voids; each of these is a row of its own."""
    captured = db.execute("SELECT sum(captured_cents) FROM payments").fetchone()[0]
    refunds = _entries(db, "refunds", "payment_id, order_id, amount_cents, key, run")
    voids = _entries(db, "voids", "refund_id, payment_id, order_id, amount_cents, key, run")
    return {
        "captured_cents": captured,
        "refunded_cents": _sum(refunds),
        "voided_cents": _sum(voids),
        "refunds": refunds,
        "voids": voids,
    }


def _entries(db: sqlite3.Connection, table: str, columns: str) -> list[Record]:
    return [_numbered(table, row) for row in db.execute(f"SELECT n, {columns} FROM {table} ORDER BY n")]


def _sum(rows: Iterable[Record]) -> int:
    return sum(int(row["amount_cents"]) for row in rows)


def audit(db: sqlite3.Connection) -> Record:
    """List every effect of a write since the shop was seeded."""
    return {"effects": [dict(row) for row in db.execute("SELECT * FROM audit ORDER BY n")]}


def numbered(db: sqlite3.Connection, table: str, record_id: str) -> Record:
    """Find a row of a numbered table by its id, or refuse; its number stands under `n`."""
    letter, _, digits = record_id.partition("-")
    known = letter == PREFIXES[table] and digits.isdecimal()
    row = db.execute(f"SELECT * FROM {table} WHERE n = ?", (int(digits),)).fetchone() if known else None
    if row is None:
        raise Refused(404, "not_found", f"There is no {table[:-1]} {record_id}.")
    return dict(row)


def one(db: sqlite3.Connection, table: str, record_id: str) -> Record:
    """Find a record by its id, or refuse."""
    row = db.execute(f"SELECT * FROM {table} WHERE id = ?", (record_id,)).fetchone()
    if row is None:
        raise Refused(404, "not_found", f"There is no {table[:-1]} {record_id}.")
    return dict(row)


def _customer(row: Record) -> Record:
    return {**row, "vip": bool(row["vip"])}


def _order(row: Record) -> Record:
    return {**row, "items": json.loads(row["items"])}


def _numbered(table: str, row: sqlite3.Row) -> Record:
    """Turn a row's number into its id."""
    rest = {name: row[name] for name in row.keys() if name != "n"}
    if "skus" in rest:
        rest["skus"] = json.loads(rest["skus"])
    return {"id": f"{PREFIXES[table]}-{row['n']:05}", **rest}


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, "")
    if not text.isdecimal() and text:
        raise Refused(400, "bad_query", f"{name} should be a whole number; it is {text!r}.")
    return int(text) if text else default
