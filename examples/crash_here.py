"""What happens when it crashes here? `python -m examples.crash_here POINT EFFECT` kills a process at a point of an action, and shows what follows.

A child process asks an agent to pay once and is killed (SIGKILL) at the point; then another child process goes on. The world outside is a file
that both only append to, as a bank would. Without arguments every point is tried with every effect class, and the result is a table.
"""

import argparse
import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from kernos import Context, Failed, Found, Kernel, Retry, Run, ToolCall, Undo, agent, tool
from kernos.vocabulary.contract import AgentContract, ToolContract
from kernos.vocabulary.events import ActionDoubted, ChildStarted, RunParked

POINTS = {
    "before": "before anything is recorded about the action",
    "intended": "the intent is on the disk, nothing has left",
    "done": "it happened, the answer did not come back",
    "answered": "the answer came, and may not be on the disk yet",
    "undoing": "the run failed, and its action is just being taken back",
}
EFFECTS = ("idempotent", "verifiable", "once")
SOON = Retry(attempts=5, first_delay_ms=10, delay_max_ms=50)
STORE, BANK, SPENT = "pay.kernos", "bank.txt", "killed"


class Payment(BaseModel):
    """What to pay."""

    cents: int


class World:
    """The world outside, and the one crash in it."""

    def __init__(self, folder: Path, point: str) -> None:
        """Take the folder with the bank's book, and the point at which to die once."""
        self._book = folder / BANK
        self._spent = folder / SPENT
        self._point = point
        self.is_regretted = point == "undoing"
        """Whether the agent fails after the payment, so that it is taken back."""

    def lines(self) -> list[str]:
        """Return what the bank did: a key and a sum each."""
        return self._book.read_text().splitlines() if self._book.exists() else []

    def write(self, key: str, cents: int) -> None:
        """Let the bank do it."""
        with self._book.open("a") as book:
            book.write(f"{key} {cents}\n")

    def die_at(self, point: str) -> None:
        """Die here if this is the point, and nobody has died yet."""
        if point == self._point and not self._spent.exists():
            self._spent.touch()
            os.kill(os.getpid(), signal.SIGKILL)


def payer(world: World, effect: str) -> AgentContract[Payment, str]:
    """Return an agent that pays once with a tool of this effect class."""
    pay = _pay(world, effect)

    @agent("payer", tools=[pay], failures=["changed_my_mind"], on_failure={"changed_my_mind": "compensate"})
    async def payer(ctx: Context, payment: Payment) -> str:
        world.die_at("before")
        await ctx.call(pay, payment)
        world.die_at("answered")
        if world.is_regretted:
            raise Failed("changed_my_mind", "the money shall come back")
        return "paid"

    return payer


def _pay(world: World, effect: str) -> ToolContract[Payment, None]:
    def act(key: str, cents: int, died_before: str, died_after: str) -> None:
        world.die_at(died_before)
        if effect != "idempotent" or not any(line.startswith(f"{key} ") for line in world.lines()):
            world.write(key, cents)
        world.die_at(died_after)

    def find(payment: Payment, call: ToolCall) -> Found:
        return Found(any(line.startswith(f"{call.key} ") for line in world.lines()), "the bank's book")

    look_up = find if effect == "verifiable" else None

    @tool("bank.fetch_back", effect=effect, look_up=look_up, retry=SOON)
    def fetch_back(payment: Payment, call: ToolCall) -> None:
        act(call.key, -payment.cents, "", "undoing")

    @tool("bank.pay", effect=effect, look_up=look_up, retry=SOON, compensate=Undo(fetch_back, lambda payment: payment))
    def pay(payment: Payment, call: ToolCall) -> None:
        act(call.key, payment.cents, "intended", "done")

    return pay


async def live(folder: Path, point: str, effect: str) -> None:
    """Be the process that is killed, or the one that goes on."""
    desk = payer(World(folder, point), effect)
    async with Kernel(folder / STORE, agents=[desk], policies="permit(principal, action, resource);") as kernel:
        await _follow(kernel, await kernel.start(desk, Payment(cents=500), key="once"))


async def _follow(kernel: Kernel, run: Run[Any]) -> bool:
    """Wait until the run has ended, or until only a person goes on with it or with a run below it; return whether that is so."""
    is_doubted = False
    async for event in run.events():
        match event.data:
            case ActionDoubted():
                is_doubted = True
            case RunParked() if is_doubted:
                return True
            case ChildStarted(_, child):
                if await _follow(kernel, await kernel.run(child)):
                    return True
            case _:
                pass
    return False


def show(folder: Path, point: str, effect: str) -> str:
    """Let it crash and go on in `folder`; return what became of it in a line."""
    for _ in range(2):
        command = [sys.executable, "-m", "examples.crash_here", point, effect, "--live", str(folder)]
        subprocess.run(command, check=False, timeout=60)
    moves = [line.split()[1] for line in World(folder, "").lines()]
    return f"{point:9} {effect:11} {asyncio.run(_told(folder)):34} the bank moved {', '.join(moves) or 'nothing'}"


async def _told(folder: Path) -> str:
    async with Kernel(folder / STORE, works=False) as kernel:
        (row,) = [row for row in await kernel.runs() if row["agent"] == "payer"] or [{"status": "not asked for"}]
        doubts = await kernel.actions(status="in_doubt")
        again = [row for row in await kernel.actions() if row["attempts"] and int(row["attempts"]) > 1]
    how = ", a person must say" if doubts else ", called again" if again else ""
    return f"{row['status']}{how}"


def main() -> None:
    """Show one point, or all of them."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("point", nargs="?", choices=list(POINTS))
    arguments.add_argument("effect", nargs="?", choices=EFFECTS, default="idempotent")
    arguments.add_argument("--live", type=Path, help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.live:
        asyncio.run(live(given.live, given.point, given.effect))
        return
    for point in [given.point] if given.point else POINTS:
        print(f"killed here: {POINTS[point]}")
        for effect in [given.effect] if given.point else EFFECTS:
            folder = Path(tempfile.mkdtemp(prefix="crash-here-"))
            print(f"  {show(folder, point, effect)}", flush=True)
            if given.point:
                print(f"look at it: kernos ps --all --store {folder / STORE}")


if __name__ == "__main__":
    main()
