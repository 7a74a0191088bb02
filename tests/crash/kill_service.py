"""A shop of its own process for the kill tests: refunds and notes honour idempotency keys, mails do not; the ledger is its own SQLite file.

Every point of a kill test has a world of its own, named by the first part of the path. `GET /quiet` answers once no other connection is
open, so that a request of a dead client is either in the ledger or will never be.
"""

import json
import sqlite3
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HONOURS_KEYS = ("refund", "note")


class Ledger:
    """What happened, and the first reply under each key."""

    def __init__(self, path: str) -> None:
        self._lock = threading.Lock()
        self._file = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._file.execute("PRAGMA synchronous=OFF")
        self._file.execute("CREATE TABLE effects (id INTEGER PRIMARY KEY, world TEXT, op TEXT, key TEXT, request TEXT)")

    def act(self, world: str, op: str, key: str, request: str) -> dict[str, Any]:
        with self._lock:
            if op in HONOURS_KEYS:
                done = self._file.execute("SELECT id FROM effects WHERE world=? AND key=?", (world, key)).fetchone()
                if done is not None:
                    return {"id": f"{op}-{done[0]}"}
            row = (world, op, key, request)
            cursor = self._file.execute("INSERT INTO effects (world, op, key, request) VALUES (?, ?, ?, ?)", row)
            return {"id": f"{op}-{cursor.lastrowid}"}

    def list(self, world: str) -> list[dict[str, Any]]:
        with self._lock:
            rows = self._file.execute("SELECT id, op, key, request FROM effects WHERE world=? ORDER BY id", (world,))
            return [{"id": f"{op}-{n}", "op": op, "key": key, "request": request} for n, op, key, request in rows]


class Shop(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, path: str) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.ledger = Ledger(path)
        self.changed = threading.Condition()
        self.live = 0

    def open_one(self, change: int) -> None:
        with self.changed:
            self.live += change
            self.changed.notify_all()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Shop

    def log_message(self, *args: object) -> None:
        pass

    def handle(self) -> None:
        self.server.open_one(1)
        try:
            super().handle()
        except OSError:
            pass  # The client was killed.
        finally:
            self.server.open_one(-1)

    def answer(self, body: object) -> None:
        raw = json.dumps(body).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(raw)}\r\n\r\n"
        self.wfile.write(head.encode() + raw)

    def do_GET(self) -> None:
        if self.path == "/quiet":
            with self.server.changed:
                quiet = self.server.changed.wait_for(lambda: self.server.live == 1, timeout=20)
            return self.answer({"quiet": quiet})
        _, world, op, *rest = self.path.split("/")
        if op == "order":
            return self.answer({"order": rest[0], "amount_cents": 1250})
        found = self.server.ledger.list(world)
        return self.answer([one for one in found if one["key"] == rest[0]] if op == "mails" else found)

    def do_POST(self) -> None:
        _, world, op = self.path.split("/")
        request = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.answer(self.server.ledger.act(world, op, self.headers["Idempotency-Key"], request))


if __name__ == "__main__":
    shop = Shop(sys.argv[1])
    print(shop.server_address[1], flush=True)
    shop.serve_forever()
