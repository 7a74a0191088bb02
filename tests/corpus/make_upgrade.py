"""Make the store of the upgrade tests: open and ended runs of agents at version 1, whose version 2 stands in `test_upgrade.py`.

`python -m tests.corpus.make_upgrade` writes tests/corpus/upgrade from the project's root. It is kept as it is: every later build must carry these runs on.
"""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pydantic import BaseModel

from kernos import Context, Kernel, Run, agent
from kernos.ports.clock import Alarm
from kernos.vocabulary.ids import EpochMs
from tests.corpus.make import HERE, KEY

HOME = HERE / "upgrade"
STORE = "desk.kernos"
_BEGIN = 1_795_000_000_000


class StandingClock:
    """Shows the time of the corpus, so that its runs are as old in every test; what is to happen later happens."""

    def now(self) -> EpochMs:
        return EpochMs(_BEGIN)

    def call_at(self, at: EpochMs, call: Callable[[], None]) -> Alarm:
        return asyncio.get_running_loop().call_later(max(0, at - _BEGIN) / 1_000, call)


def write_key(home: Path) -> None:
    """Write the key that the corpus was signed with beside the store."""
    key = Ed25519PrivateKey.from_private_bytes(KEY)
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (home / f"{STORE}.key").write_bytes(text)


class Ticket(BaseModel):
    order: str
    euros: float


class Place(BaseModel):
    parts: list[str]


class Answer(BaseModel):
    said: str


@agent("desk", version="1", state=Place)
async def desk(ctx: Context, ticket: Ticket) -> Answer:
    """Wait for two parts, with a checkpoint after the first; the early steps are the same in version 2."""
    place = ctx.state(Place)
    parts = place.parts if place else []
    if not parts:
        parts = [await ctx.wait(f"first {ticket.order}", str)]
        await ctx.checkpoint("first", "the first part is here", state=Place(parts=parts))
    parts.append(await ctx.wait("second", str))
    return Answer(said=f"{ticket.order} {ticket.euros:.2f} {' '.join(parts)}")


@agent("asker", version="1")
async def asker(ctx: Context, order: str) -> str:
    """Ask in other words in version 2, and declares no migration."""
    await ctx.now()
    return await ctx.ask("lead", f"Pay {order}?")


@agent("outgrown", version="1")
async def outgrown(ctx: Context, ticket: Ticket) -> str:
    """Take other input in version 2, and declares no migration."""
    return await ctx.wait("go", str)


@agent("gone", version="1")
async def gone(ctx: Context, order: str) -> str:
    """Be not there any more in version 2."""
    return await ctx.wait("go", str)


async def until(run: Run[Any], *kinds: str) -> None:
    """Return once the run has events of these kinds, one after the other."""
    left = list(kinds)
    async for event in run.events():
        if type(event.data).__name__ == left[0]:
            left.pop(0)
        if not left:
            return


async def make(home: Path) -> None:
    """Write the store."""
    home.mkdir()
    write_key(home)
    async with Kernel(home / STORE, agents=[desk, asker, outgrown, gone], clock=StandingClock()) as kernel:
        ended = await kernel.start(desk, Ticket(order="A1", euros=12.5), key="ended")
        await ended.signal("first A1", "one")
        await ended.signal("second", "two")
        await ended.result()
        half = await kernel.start(desk, Ticket(order="A2", euros=1.0), key="half")
        await half.signal("first A2", "one")
        runs: list[Run[Any]] = [await kernel.start(desk, Ticket(order="A3", euros=2.0), key="begun")]
        runs.append(await kernel.start(asker, "A4", key="asker"))
        runs.append(await kernel.start(outgrown, Ticket(order="A5", euros=3.0), key="outgrown"))
        runs.append(await kernel.start(gone, "A6", key="gone"))
        await until(half, "CheckpointReached", "RunParked")
        for run in runs:
            await until(run, "RunParked")
    for beside in (f"{STORE}.key", f"{STORE}.lock"):
        (home / beside).unlink()


if __name__ == "__main__":
    asyncio.run(make(Path(sys.argv[1]) if len(sys.argv) > 1 else HOME))
