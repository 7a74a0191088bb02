"""Service: the shop's routes. Reads answer from the database; writes go through keys, faults, effect and audit."""

import asyncio
import hashlib
import json
import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from examples.returns_desk.shop import database as data
from examples.returns_desk.shop import effects, undoing
from examples.returns_desk.shop.effects import Tags, Write
from examples.returns_desk.shop.faults import Faults, read_faults
from examples.returns_desk.shop.refused import Refused

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

HOLD_S = 60.0
"""How long a request whose answer is lost on purpose is held: longer than any client waits. The end cuts it short."""

RETRY_AFTER_S = "1"

KEYED: dict[str, Write] = {
    "/payments/{id}/refunds": effects.refund,
    "/orders/{id}/returns": effects.make_return,
    "/orders/{id}/exchanges": effects.exchange,
    "/orders/{id}/cancel": effects.cancel,
    "/shipments/{id}/address": effects.reroute,
    "/customers/{id}/account": effects.change_account,
    "/refunds/{id}/void": undoing.void_refund,
    "/returns/{id}/withdraw": undoing.withdraw_label,
    "/exchanges/{id}/recall": undoing.recall_exchange,
    "/orders/{id}/reopen": undoing.reopen,
}
"""Writes that honour the key of a request."""

UNKEYED: dict[str, Write] = {"/mail": effects.send_mail, "/notes": effects.add_note}

RECORDS: dict[str, Callable[[sqlite3.Connection, str], data.Record]] = {
    "/customers/{id}": data.customer,
    "/customers/{id}/orders": data.orders_of,
    "/orders/{id}": data.order,
    "/payments/{id}": data.payment,
    "/shipments/{id}": data.shipment,
    "/stock/{id}": data.stock,
}

LISTS: dict[str, tuple[str, ...]] = {
    "refunds": ("key", "payment_id"),
    "voids": ("key", "payment_id"),
    "returns": ("key", "order_id"),
    "exchanges": ("key", "order_id"),
    "mail": ("key", "to"),
    "notes": ("key", "case"),
}
"""Lists with what narrows them."""


class Service:
    """The shop behind its routes. One thread does all: a write is whole before the next request is looked at."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._faults = Faults()
        self._at_work: set[str] = set()

    def application(self) -> web.Application:
        """Return the application with all routes."""
        app = web.Application(middlewares=[_errors_as_json])
        for path, read in RECORDS.items():
            app.router.add_get(path, self._record(read))
        for name, filters in LISTS.items():
            app.router.add_get(f"/{name}", self._list(name, filters))
        app.router.add_get("/customers", self._customers)
        app.router.add_get("/ledger", self._ledger)
        app.router.add_get("/audit", self._audit)
        for path, write in (KEYED | UNKEYED).items():
            app.router.add_post(path, self._write(write, keyed=path in KEYED))
        app.router.add_post("/admin/faults", self._set_faults)
        app.router.add_get("/admin/state", self._state)
        app.router.add_post("/admin/reset", self._reset)
        return app

    def _record(self, read: Callable[[sqlite3.Connection, str], data.Record]) -> Handler:
        async def handle(request: web.Request) -> web.Response:
            return web.json_response(read(self._db, request.match_info["id"]))

        return handle

    def _list(self, name: str, filters: tuple[str, ...]) -> Handler:
        async def handle(request: web.Request) -> web.Response:
            return web.json_response({name: data.listed(self._db, name, request.query, filters)})

        return handle

    async def _customers(self, request: web.Request) -> web.Response:
        return web.json_response(data.customers(self._db, request.query))

    async def _ledger(self, request: web.Request) -> web.Response:
        return web.json_response(data.ledger(self._db))

    async def _audit(self, request: web.Request) -> web.Response:
        return web.json_response(data.audit(self._db))

    def _write(self, write: Write, *, keyed: bool) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            body, tags = await _body(request), _tags(request)
            key = tags.key if keyed else ""
            trouble = self._faults.draw(tags.key or request.path)
            _strike_before(trouble)
            if key in self._at_work:
                raise Refused(409, "in_progress", f"A request with the key {key} is at work; ask again in a moment.")
            if key:
                self._at_work.add(key)
            try:
                if self._faults.delay_ms:
                    await asyncio.sleep(self._faults.delay_ms / 1000)
                answer, replayed = self._perform(write, request, body, tags, key)
            finally:
                self._at_work.discard(key)
            await self._strike_after(trouble, request)
            return web.json_response(answer, headers={"Idempotency-Replayed": "true"} if replayed else None)

        return handle

    def _perform(
        self, write: Write, request: web.Request, body: data.Record, tags: Tags, key: str
    ) -> tuple[data.Record, bool]:
        """Write once per key and return the answer, and whether it is that of an earlier request."""
        canonical = json.dumps([request.path, body], sort_keys=True)
        fingerprint = hashlib.sha256(canonical.encode()).hexdigest()
        with data.transaction(self._db):
            stored = self._db.execute("SELECT fingerprint, answer FROM answers WHERE key = ?", (key,)).fetchone()
            if stored is not None:
                if stored["fingerprint"] != fingerprint:
                    raise Refused(422, "key_reused", f"The key {key} was used for another request.")
                return json.loads(stored["answer"]), True
            effect = write(self._db, request.match_info.get("id", ""), body, tags)
            effects.add_audit(self._db, effect, tags)
            if effect.name == "return" and effect.target in self._faults.sells_out:
                undoing.sell_out(self._db, effect.target)
            if key:
                self._db.execute("INSERT INTO answers VALUES (?, ?, ?)", (key, fingerprint, json.dumps(effect.answer)))
        return effect.answer, False

    async def _strike_after(self, trouble: str, request: web.Request) -> None:
        """Lose the answer to a write that is committed."""
        match trouble:
            case "error_500_after":
                raise Refused(500, "trouble", "Something went wrong.")
            case "reset_after" if request.transport is not None:
                request.transport.abort()
            case "timeout_after":
                await asyncio.sleep(HOLD_S)

    async def _set_faults(self, request: web.Request) -> web.Response:
        self._faults = read_faults(await _body(request))
        return await self._state(request)

    async def _state(self, request: web.Request) -> web.Response:
        tables = ("customers", "orders", "refunds", "voids", "returns", "exchanges", "mail", "notes", "audit")
        counts = {name: self._db.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables}
        faults = self._faults
        state = {
            "seed": faults.seed,
            "rates": faults.rates,
            "delay_ms": faults.delay_ms,
            "sells_out": sorted(faults.sells_out),
            "requests": faults.requests.total(),
            "struck": dict(faults.struck),
        }
        return web.json_response({"seed": data.seed_of(self._db), "faults": state, "rows": counts})

    async def _reset(self, request: web.Request) -> web.Response:
        data.fill(self._db, data.seed_of(self._db))
        self._faults = Faults()
        return await self._state(request)


@web.middleware
async def _errors_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except Refused as refused:
        headers = {"Retry-After": RETRY_AFTER_S} if refused.status == 429 else None
        answer = {"error": refused.code, "message": refused.message}
        return web.json_response(answer, status=refused.status, headers=headers)
    except web.HTTPException as error:
        answer = {
            "error": error.reason.lower().replace(" ", "_"),
            "message": f"{request.method} {request.path}: {error}",
        }
        return web.json_response(answer, status=error.status)


def _strike_before(trouble: str) -> None:
    """Turn a write away before anything is written."""
    if trouble == "throttle":
        raise Refused(429, "too_many_requests", f"Too many requests; ask again in {RETRY_AFTER_S} s.")
    if trouble == "error_500_before":
        raise Refused(500, "trouble", "Something went wrong.")


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.read() or b"{}")
    except ValueError as error:
        raise Refused(400, "bad_json", f"The body is no JSON: {error}.") from error
    if not isinstance(body, dict):
        raise Refused(422, "bad_body", "The body should be a JSON object.")
    return body


def _tags(request: web.Request) -> Tags:
    kernos = {name: request.headers.get(f"Kernos-{name}", "") for name in ("agent", "run", "intent", "checkpoint")}
    return Tags(key=request.headers.get("Idempotency-Key", ""), **kernos)
