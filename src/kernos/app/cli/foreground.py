"""Foreground: what `dev` and `run` do while they hold the terminal.

Both end in order on Ctrl-C or SIGTERM: attempts under way end and are recorded, everything else goes on at the next start. A second Ctrl-C ends
at once, which loses nothing that was recorded.
"""

import asyncio
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kernos.adapters.sqlite.lock import WorkerLock
from kernos.app.cli.opening import full_kernel, who_goes_on
from kernos.app.cli.options import INTERRUPTED, WAITS
from kernos.app.cli.showing import json_text, read_json
from kernos.app.kernel import Kernel
from kernos.app.run import Run
from kernos.app.settings import Settings
from kernos.app.story import SHORT, Teller, Wait, waits_of, when
from kernos.control.codec import decode_entry
from kernos.kernel.state import Phase, RunState, Status
from kernos.vocabulary import events as ev
from kernos.vocabulary.errors import ContractBroken, InvalidInput, RunDidNotComplete, StoreBusy
from kernos.vocabulary.ids import RunId
from kernos.vocabulary.outcome import Failure

LOOK_S = 0.2
"""How often `dev` looks for what to print, and `run` whether the other process still lives: soon for a person, free for a machine."""
STAY_MS = 60_000
"""A run that sleeps no longer than this is waited for: shorter than what it takes to come back to it."""
_ENDS = (ev.RunCompleted, ev.RunFailed, ev.RunCancelled, ev.RunExpired)


@dataclass(frozen=True, slots=True)
class Asked:
    """What `run` was given."""

    agent: str
    input: str
    key: str
    intent: str
    detach: bool


@contextmanager
def told_to_stop() -> Iterator[asyncio.Event]:
    """Give an event that Ctrl-C and SIGTERM set; a second Ctrl-C interrupts as usual."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()

    def tell() -> None:
        told.set()
        loop.remove_signal_handler(signal.SIGINT)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, tell)
    try:
        yield told
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


def _note(text: str) -> None:
    """Tell a person; answers for programs go to stdout."""
    print(text, file=sys.stderr, flush=True)


# --- dev -----------------------------------------------------------------------------------------------------------


async def work(settings: Settings) -> int:
    """Run agents until told to stop; print each thing that happens. Raises StoreBusy, and whatever stops the kernel."""
    with told_to_stop() as told:
        async with full_kernel(settings, works=True) as kernel:
            if not kernel.works:
                message = f"process {WorkerLock.holder(settings.store)} runs agents over {settings.store} already"
                raise StoreBusy(
                    message, hint="Use it: `kernos run` and all other commands work beside it; or stop it first."
                )
            kernel.engine.on_broken = lambda _: told.set()
            await _greet(kernel, settings)
            await _print_on(kernel, told)
            broken = kernel.engine.stopped
            if broken is None:
                print("stopping: attempts under way end and are recorded", flush=True)
                going_on = await _going_on(kernel)
    if broken is not None:
        raise broken
    print(f"stopped; at the next `kernos dev`: {going_on}", flush=True)
    return 0


async def _greet(kernel: Kernel, settings: Settings) -> None:
    names = ", ".join(agent.name for agent in kernel.registry.agents) or "none; name modules in `agents` of kernos.toml"
    print(f"kernos runs agents over {settings.store} (agents: {names})")
    print(f"found: {await _going_on(kernel)}")
    print("Ctrl-C ends it in order", flush=True)


async def _going_on(kernel: Kernel) -> str:
    running = len(await kernel.runs(status="running"))
    waiting = len(await kernel.runs(status="waiting"))
    return f"{running} run{'' if running == 1 else 's'} to go on with, {waiting} waiting"


async def _print_on(kernel: Kernel, told: asyncio.Event) -> None:
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
            if sentence:
                print(f"{when(event.at)[11:]} {event.run[:SHORT]}  {sentence}", flush=True)
            if isinstance(event.data, ev.RunParked):
                for wait in await waits(kernel, event.run):
                    print(f"{when(event.at)[11:]} {event.run[:SHORT]}  waits for {wait.text()}", flush=True)
                    if wait.kind != "child" and wait.command():
                        print(f"{'':19} answer with: {wait.command()}", flush=True)
            elif isinstance(event.data, _ENDS):
                teller.forget(event.run)


async def waits(kernel: Kernel, run: str) -> list[Wait]:
    """Return what a run waits for."""
    waiting = await kernel.journal.select("waiting", {"run": run})
    return waits_of(waiting, await kernel.journal.select("actions", {"run": run, "status": "in_doubt"}))


# --- run -----------------------------------------------------------------------------------------------------------


async def ask(asked: Asked, settings: Settings) -> int:
    """Start a run, wait for its end, and print its output; leave when it waits for something from outside."""
    with told_to_stop() as told:
        ready = full_kernel(settings, works=not asked.detach)
        value = _checked(ready, asked)  # Before the store is opened: what is refused must not make one.
        async with ready as kernel:
            started: Run[Any] = await kernel.start(
                asked.agent, value, intent=asked.intent, key=asked.key, by=settings.by
            )
            run = started.id
            if asked.detach:
                print(run)
                _note(who_goes_on(settings.store))
                return 0
            holder = None if kernel.works else WorkerLock.holder(settings.store)
            where = f" in process {holder}, which works on this store" if holder else ""
            _note(f"run {run[:SHORT]}: {asked.agent}, asked by {settings.by}{where}")
            kernel.engine.on_broken = lambda _: told.set()
            how = await _follow(kernel, run, told, settings)
            broken = kernel.engine.stopped
            if broken is not None:
                raise broken
            if how == "ended":
                return _answer(run, await kernel.engine.end_of(run))
            pending = await _tree_waits(kernel, run) if how == "waits" else []
            blocked = (await kernel.engine.state(run)).blocked
    return _left(run, how, pending, blocked, settings)


def _checked(kernel: Kernel, asked: Asked) -> Any:
    """Return the input as the agent's type. Raises UnknownAgent, InvalidInput."""
    contract = kernel.registry.agent(asked.agent)
    value = read_json(_input_text(asked.input), "the input")
    try:
        return contract.input.decode(json_text(value))
    except ContractBroken as broken:
        message = f"agent {asked.agent} was not started: {broken}"
        hint = "See what it takes with `kernos config`, and give it with --input JSON."
        raise InvalidInput(message, hint=hint) from broken


def _input_text(given: str) -> str:
    if given == "-":
        return sys.stdin.read()
    if not given.startswith("@"):
        return given
    try:
        return Path(given[1:]).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"the input file {given[1:]} could not be read: {error}"
        raise InvalidInput(message, hint="Give --input @FILE with a JSON file, or --input JSON.") from error


async def _follow(kernel: Kernel, run: RunId, told: asyncio.Event, settings: Settings) -> str:
    """Wait until the run `ended`, `waits` for something from outside, is `alone` without a worker, or we were `told` to stop."""
    stop = asyncio.ensure_future(told.wait())
    try:
        while True:
            changes: list[asyncio.Future[Any]] = []
            if await _is_stuck(kernel, run, changes):
                await kernel.engine.settle()
                return "waits"
            state = await kernel.engine.state(run)
            if state.ended:
                return "ended"
            await asyncio.wait((stop, *changes), timeout=LOOK_S * 5, return_when=asyncio.FIRST_COMPLETED)
            if told.is_set():
                return "told"
            if not kernel.works and WorkerLock.holder(settings.store) is None:
                return "alone"
    finally:
        stop.cancel()


async def _is_stuck(kernel: Kernel, run: RunId, changes: list[asyncio.Future[Any]]) -> bool:
    """Tell whether only something from outside, or much time, moves the run on; `changes` collects what may alter that."""
    changes.append(kernel.engine.changed(run))  # Before the look, so that no change falls between the two.
    state = await kernel.engine.state(run)
    if state.status is Status.BLOCKED:
        return True
    if state.status is not Status.WAITING or _moves_soon(state, kernel):
        return False
    for child in state.open_children():
        if not await _is_stuck(kernel, child, changes):
            return False
    return True


def _moves_soon(state: RunState, kernel: Kernel) -> bool:
    soon = kernel.engine.shared.clock.now() + STAY_MS
    active = (Phase.GRANTED, Phase.INTENDED, Phase.LOOKING_UP)
    return any(
        step.phase in active or (step.phase is not Phase.DONE and 0 < step.due_at <= soon)
        for step in state.steps.values()
    )


async def _tree_waits(kernel: Kernel, run: str) -> list[Wait]:
    """Return what the run and the runs below it wait for from outside."""
    found: list[Wait] = []
    for wait in await waits(kernel, run):
        found += await _tree_waits(kernel, wait.subject) if wait.kind == "child" else [wait]
    return found


def _answer(run: RunId, outcome: Any) -> int:
    if isinstance(outcome, Failure):
        message = f"run {run[:SHORT]} ended without a result ({outcome.code}): {outcome.message}"
        raise RunDidNotComplete(message, mode=outcome.code, hint=f"See why with `kernos trace {run[:SHORT]}`.")
    print(outcome.text.decode())
    return 0


def _left(run: RunId, how: str, pending: list[Wait], blocked: Failure | None, settings: Settings) -> int:
    """Say why we leave before the end, and what comes next."""
    name = run[:SHORT]
    if how == "told":
        _note(f"stopped; run {name} goes on: {who_goes_on(settings.store)}")
        return INTERRUPTED
    if how == "alone":
        _note(f"the process that worked on this store has ended; run {name} goes on with `kernos dev`")
        return WAITS
    if isinstance(blocked, Failure):
        _note(f"run {name} is blocked ({blocked.code}): {blocked.message}")
        _note(f"next: mend that, then kernos resume {name}")
        return WAITS
    for wait in pending:
        _note(f"run {name} waits for {wait.text()}")
        _note(f"next: {wait.command() or who_goes_on(settings.store)}")
    if WorkerLock.holder(settings.store) is None:
        _note("then: kernos dev")
    return WAITS
