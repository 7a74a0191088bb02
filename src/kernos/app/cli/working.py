"""Working: what `dev` does: it runs agents over a store and tells each thing that happens."""

import asyncio
import sys

from kernos.adapters.sqlite.lock import WorkerLock
from kernos.app.cli.foreground import told_to_stop, waits
from kernos.app.cli.listing import moves
from kernos.app.cli.opening import full_kernel
from kernos.app.cli.showing import print_indented
from kernos.app.kernel import Kernel
from kernos.app.settings import Settings
from kernos.app.story import SHORT, Teller, when
from kernos.control.codec import decode_entry
from kernos.kernel.state import Status
from kernos.vocabulary import events as ev
from kernos.vocabulary.administration import Scope
from kernos.vocabulary.errors import BadConfiguration, StoreBusy

LOOK_S = 0.2
"""How often it looks for what to print: soon for a person, free for a machine."""
COUNT_MAX = 1_000
"""Runs of one status that are counted for the greeting; more would make a person wait for it."""
_ENDS = (ev.RunCompleted, ev.RunFailed, ev.RunCancelled, ev.RunExpired)


async def work(settings: Settings) -> int:
    """Run agents until told to stop; print each thing that happens. Raises StoreBusy, and whatever stops the kernel."""
    if not settings.agents:  # It would do nothing but block every open run, for want of its agent.
        message = "no agents are named, so there is nothing to run"
        hint = "Name modules in `agents` of kernos.toml or with --agents MODULE, or begin with `kernos init`."
        raise BadConfiguration(message, hint=hint)
    with told_to_stop() as told:
        async with full_kernel(settings, works=True) as kernel:
            kernel.authority.whole("", Scope.OPERATE, "running agents")
            if not kernel.works:
                message = f"process {WorkerLock.holder(settings.store)} runs agents over {settings.store} already"
                raise StoreBusy(
                    message, hint="Use it: `kernos run` and all other commands work beside it; or stop it first."
                )
            kernel.engine.on_broken = lambda _: told.set()
            await _greet(kernel, settings)
            await _print_on(kernel, told, settings)
            broken = kernel.engine.stopped
            if broken is None:
                going_on = await _going_on(kernel)
    if broken is not None:
        raise broken
    print(f"stopped; at the next `kernos dev`: {going_on}", flush=True)
    return 0


async def _greet(kernel: Kernel, settings: Settings) -> None:
    names = ", ".join(agent.name for agent in kernel.registry.agents)
    print(f"kernos runs agents over {settings.store} (agents: {names})")
    print(f"found: {await _going_on(kernel)}")
    print("Ctrl-C ends it in order", flush=True)


async def _going_on(kernel: Kernel) -> str:
    async def number(*statuses: Status) -> int:
        return sum([len(await kernel.runs(status=status, limit=COUNT_MAX)) for status in statuses])

    undoing = await kernel.runs(status=Status.COMPENSATING, limit=COUNT_MAX)
    moving = sum([moves(row, await waits(kernel, str(row["run"]))) for row in undoing])
    going = await number(Status.RUNNING) + moving
    waiting = await number(Status.WAITING, Status.HANDED_OVER) + len(undoing) - moving
    blocked = await number(Status.BLOCKED)
    also = f", {_many(blocked)} blocked" if blocked else ""
    return f"{_many(going)} run{'' if going == 1 else 's'} to go on with, {_many(waiting)} waiting{also}"


def _many(number: int) -> str:
    return f"{number}{' or more' if number >= COUNT_MAX else ''}"


async def _print_on(kernel: Kernel, told: asyncio.Event, settings: Settings) -> None:
    """Print what goes into the journal from now on, until told to stop."""
    teller = Teller()
    head = await kernel.journal.head()
    position = head.size - 1 if head is not None else -1
    while not told.is_set():
        try:
            await asyncio.wait_for(told.wait(), LOOK_S)
        except TimeoutError:
            pass  # The usual case: look, and wait on.
        if kernel.engine.stopped is not None:
            return
        async for place, entry in kernel.journal.scan(position):
            position = place
            event = decode_entry(entry)
            sentence = teller.say(event)
            begin, rest = f"{when(event.at)[11:]} {event.run[:SHORT]}  ", " " * 20
            if sentence:
                print_indented(sentence, first=begin, rest=rest)
            if isinstance(event.data, ev.RunBlocked):
                print(f"{rest}next: mend that, then kernos resume {event.run[:SHORT]}{settings.repeated}")
            if isinstance(event.data, ev.RunParked):
                for wait in await waits(kernel, event.run):
                    print_indented(f"waits for {wait.text()}", first=begin, rest=rest)
                    if wait.kind != "child" and wait.command():
                        print(f"{rest}answer with: {wait.command(settings.repeated)}")
            sys.stdout.flush()
            if isinstance(event.data, _ENDS):
                teller.forget(event.run)
