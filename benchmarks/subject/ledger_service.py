"""The services that `ledger` acts on, in a process of their own, with faults in front and a ledger behind.

Every effect is a row in the services' own SQLite file, with the headers it came with. `charges` honours keys; `mails` does a thing as often as it
is told and can be asked by key; `tickets` keeps no key that a caller can see, only a list by subject. Five in a hundred requests, look-ups
included, meet a fault of a seeded plan. A request is delivered twice only where keys are honoured: elsewhere nobody who calls from outside can
prevent what that does. Prints one JSON line with the two addresses, and runs until it is told to end.
"""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import apsw
from aiohttp import web

from kernos.testing import Fault, Seeded, Trouble, faulty_service
from kernos.testing.fault_plans import FaultPlan

LEDGER = "services.sqlite"
_TAG = ("Idempotency-Key", "Kernos-Agent", "Kernos-Run", "Kernos-Intent", "Kernos-Checkpoint", "traceparent")
_SHARED: Mapping[str, float] = {
    Trouble.BUSY: 0.01,
    Trouble.RESET: 0.005,
    Trouble.ERROR_BEFORE: 0.005,
    Trouble.LOST_REPLY: 0.01,
    Trouble.ERROR_AFTER: 0.005,
    Trouble.TIMEOUT_AFTER: 0.0025,
    Trouble.SLOW: 0.005,
}
HONOURED: Mapping[str, float] = {**_SHARED, Trouble.TWICE: 0.0075}
IGNORED: Mapping[str, float] = {**_SHARED, Trouble.LOST_REPLY: 0.0175}
"""Shares of requests, 5 % in each."""


class Ledger:
    """What happened, as the services know it."""

    def __init__(self, path: Path) -> None:
        """Make the file. It is not synced: nobody cuts this machine's power, and the services are never killed."""
        self._file = apsw.Connection(str(path))
        self._file.execute("PRAGMA journal_mode=WAL")
        self._file.execute("PRAGMA synchronous=OFF")
        self._file.execute(
            "CREATE TABLE effects(id INTEGER PRIMARY KEY, what TEXT, args TEXT, subject TEXT, key TEXT, agent TEXT, run TEXT, "
            "intent TEXT, checkpoint TEXT, trace TEXT)"
        )
        self._file.execute("CREATE INDEX by_key ON effects(what, key)")
        self._file.execute("CREATE INDEX by_subject ON effects(what, subject)")

    async def charge(self, request: web.Request) -> web.Response:
        """Act once for each key; the same key with other arguments is refused."""
        text = await request.text()
        key = request.headers.get(_TAG[0], "")
        for number, args in self._file.execute("SELECT id, args FROM effects WHERE what='charges' AND key=?", (key,)):
            return _answer([number]) if args == text else web.json_response({"error": "key_reused"}, status=422)
        return self._act("charges", text, request)

    async def mail(self, request: web.Request) -> web.Response:
        """Act, whatever the key."""
        return self._act("mails", await request.text(), request)

    async def ticket(self, request: web.Request) -> web.Response:
        """Act, whatever the key."""
        return self._act("tickets", await request.text(), request)

    async def mails(self, request: web.Request) -> web.Response:
        """List the mails that were sent under a key."""
        return self._list("SELECT id FROM effects WHERE what='mails' AND key=?", request.query["key"])

    async def tickets(self, request: web.Request) -> web.Response:
        """List the tickets of a subject."""
        return self._list(
            "SELECT id FROM effects WHERE what='tickets' AND subject=? ORDER BY id", request.query["subject"]
        )

    def _act(self, what: str, args: str, request: web.Request) -> web.Response:
        subject = str(json.loads(args)["subject"])
        tag = tuple(request.headers.get(name, "") for name in _TAG)
        self._file.execute("INSERT INTO effects VALUES(NULL,?,?,?,?,?,?,?,?,?)", (what, args, subject, *tag))
        return _answer([self._file.last_insert_rowid()])

    def _list(self, query: str, value: str) -> web.Response:
        return _answer([number for (number,) in self._file.execute(query, (value,))])


def _answer(numbers: list[int]) -> web.Response:
    return web.json_response({"numbers": numbers})


class Tally:
    """A fault plan that counts what it did."""

    def __init__(self, plan: FaultPlan) -> None:
        """Begin at nothing."""
        self._plan = plan
        self.requests = 0
        self.met: Counter[str] = Counter()

    def fault(self, number: int, at_ms: int) -> Fault | None:
        self.requests += 1
        found = self._plan.fault(number, at_ms)
        if found is not None:
            self.met[found.trouble.value] += 1
        return found


async def serve(folder: Path, seed: int) -> None:
    """Open the services and serve until the process is told to end."""
    ledger = Ledger(folder / LEDGER)
    tallies = (Tally(Seeded(seed, HONOURED)), Tally(Seeded(seed + 1, IGNORED)))

    async def met(_request: web.Request) -> web.Response:
        faults = sum((tally.met for tally in tallies), Counter[str]())
        return web.json_response({"requests": sum(tally.requests for tally in tallies), "faults": faults})

    app = web.Application()
    app.add_routes(
        [
            web.post("/charges", ledger.charge),
            web.post("/mails", ledger.mail),
            web.get("/mails", ledger.mails),
            web.post("/tickets", ledger.ticket),
            web.get("/tickets", ledger.tickets),
            web.get("/met", met),
        ]
    )
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    direct = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with faulty_service(direct, tallies[0]) as honours, faulty_service(direct, tallies[1]) as ignores:
        print(json.dumps({"direct": direct, "honours": honours, "ignores": ignores}), flush=True)
        await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2])))
