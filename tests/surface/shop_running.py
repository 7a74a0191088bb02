"""The shop's service as a process of its own, and a way to talk to it."""

import http.client
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from examples.returns_desk.shop.seeding import Seeded, seed_shop

ROOT = Path(__file__).resolve().parents[2]
REFUND = {"amount_cents": 100, "reason": "broken"}


@dataclass(frozen=True)
class Answer:
    status: int
    body: dict[str, Any]
    headers: dict[str, str]


@dataclass
class Shop:
    """The service's process and a way to talk to it."""

    data: Path
    seed: int = 7
    process: subprocess.Popen[str] = field(init=False)
    host: str = ""

    def start(self) -> None:
        command = [
            sys.executable,
            "-m",
            "examples.returns_desk.shop",
            "--data",
            str(self.data),
            "--seed",
            str(self.seed),
        ]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.host = urlsplit(self.process.stdout.readline().split()[-1]).netloc

    def end(self, with_signal: int = signal.SIGTERM) -> int:
        self.process.send_signal(with_signal)
        code = self.process.wait(timeout=10)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code

    def ask(self, method: str, path: str, body: object = None, *, timeout: float = 10, **headers: str) -> Answer:
        connection = http.client.HTTPConnection(self.host, timeout=timeout)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, None if body is None else json.dumps(body), named)
            response = connection.getresponse()
            return Answer(response.status, json.loads(response.read()), dict(response.headers))
        finally:
            connection.close()

    def get(self, path: str, **query: str) -> dict[str, Any]:
        return self.ask("GET", f"{path}?{urlencode(query)}").body

    def post(self, path: str, body: object, **headers: str) -> Answer:
        return self.ask("POST", path, body, timeout=10, **headers)

    def order(self, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Return the first order of the seeded shop that fits and of which nothing was given back."""
        made = seeded(self.seed)
        refunded = {refund["order_id"] for refund in made.refunds}
        return dict(next(order for order in made.orders if fits(order) and order["id"] not in refunded))

    def refund_path(self) -> str:
        return f"/payments/{self.order(is_('delivered'))['payment_id']}/refunds"

    def fail(self, **rates: float) -> None:
        assert self.post("/admin/faults", {"seed": 3, "rates": rates}).status == 200

    def refunds(self) -> int:
        return len(self.get("/ledger")["refunds"])


def is_(status: str) -> Callable[[dict[str, Any]], bool]:
    return lambda order: order["status"] == status


@cache
def seeded(seed: int) -> Seeded:
    return seed_shop(seed)


def parcel(shop: Shop, order: dict[str, Any]) -> dict[str, Any]:
    return shop.get(f"/shipments/{order['shipment_id']}")


@contextmanager
def running_shop(folder: Path) -> Iterator[Shop]:
    """Have a shop run that keeps its data in a folder."""
    started = Shop(folder / "shop.sqlite")
    started.start()
    yield started
    started.end()


def as_seeded(running: Shop) -> Shop:
    """Return the running shop as it was seeded; started again where a test has ended it."""
    if running.process.poll() is not None:
        running.start()
    assert running.post("/admin/reset", {}).status == 200
    return running
