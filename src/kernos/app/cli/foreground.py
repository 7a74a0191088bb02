"""Foreground: what `run` does while it holds the terminal, and how it and `dev` are told to stop.

Both end in order on Ctrl-C or SIGTERM: attempts under way end and are recorded, everything else goes on at the next start. A second Ctrl-C ends
the process at once, which loses nothing that was recorded.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from kernos.adapters.sqlite.lock import WorkerLock
from kernos.app.cli.halting import told_stops
from kernos.app.cli.opening import dev_command, full_kernel, who_goes_on
from kernos.app.cli.options import INTERRUPTED, WAITS
from kernos.app.cli.showing import json_text, read_json
from kernos.app.kernel import Kernel
from kernos.app.run import Run
from kernos.app.settings import Settings
from kernos.app.story import SHORT, Wait, waits_of
from kernos.kernel.state import Phase, RunState, Status
from kernos.vocabulary.errors import ContractBroken, InvalidInput, RunDidNotComplete, UnknownAgent
from kernos.vocabulary.ids import RunId
from kernos.vocabulary.outcome import Failure

LOOK_S = 1.0
"""How often `run` looks whether the other process still lives: soon for a person, free for a machine."""
STAY_MS = 60_000
"""A run that sleeps no longer than this is waited for: shorter than what it takes to come back to it."""


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
    """Give an event that Ctrl-C and SIGTERM set; a second Ctrl-C ends the process, and what it did is in the journal."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()

    def tell() -> None:
        if not told.is_set():
            told.set()
            _note("stopping: attempts under way end and are recorded; Ctrl-C again ends at once")
            return
        _note(
            "ended at once: what is recorded stays, and an attempt that was under way is looked into at the next start"
        )
        # Not an exception: the interpreter would still wait for the threads of plain functions that are under way.
        os._exit(INTERRUPTED)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, tell)
    try:
        yield told
    finally:
        told.set()  # The handlers stay: what is closed from here on may take its time, too, and Ctrl-C ends that.


def _note(text: str) -> None:
    """Tell a person; answers for programs go to stdout."""
    print(text, file=sys.stderr, flush=True)


async def waits(kernel: Kernel, run: str) -> list[Wait]:
    """Return what a run waits for."""
    waiting = await kernel.journal.select("waiting", {"run": run})
    found = waits_of(waiting, await kernel.journal.select("actions", {"run": run, "status": "in_doubt"}))
    (row,) = await kernel.journal.select("runs", {"run": run})
    return [*found, Wait(run, "", "attempt", "", "", int(row["wake_at"]))] if row["wake_at"] else found


async def ask(asked: Asked, settings: Settings) -> int:
    """Start a run, wait for its end, and print its output; leave when it waits for something from outside."""
    ready = full_kernel(settings, works=not asked.detach)
    value = _checked(ready, asked)  # Before the store is opened: what is refused must not make one.

    async def start(kernel: Kernel) -> Run[Any]:
        return await kernel.start(asked.agent, value, intent=asked.intent, key=asked.key, by=settings.by)

    return await see_through(ready, start, settings, detach=asked.detach)


async def see_through(
    ready: Kernel,
    start: Callable[[Kernel], Awaitable[Run[Any] | None]],
    settings: Settings,
    *,
    detach: bool = False,
    stop: asyncio.Event | None = None,
) -> int:
    """Open the kernel, start a run and follow it to its end, or to where only something from outside moves it on; return the exit code.

    `start` returns None when there is nothing to do. With `detach` the run is started and not followed. `stop` is what Ctrl-C sets, for
    a caller that listens to it already.
    """
    with nullcontext(stop) if stop is not None else told_to_stop() as told:
        async with ready as kernel:
            started = await start(kernel)
            if started is None:
                return 0
            run = started.id
            if detach:
                print(run)
                _note(who_goes_on(settings))
                return 0
            holder = None if kernel.works else WorkerLock.holder(settings.store)
            where = f" in process {holder}, which works on this store" if holder else ""
            state = await started.state()
            _note(f"run {run[:SHORT]}: {state.request().agent}, asked by {state.requested_by}{where}")
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
    try:
        contract = kernel.registry.agent(asked.agent)
    except UnknownAgent as unknown:
        close = get_close_matches(asked.agent, [agent.name for agent in kernel.registry.agents], 1)
        meant = f"Did you mean {close[0]}? " if close else ""
        hint = f"{meant}`kernos config` lists the agents; add a module of others to `agents` in kernos.toml."
        raise UnknownAgent(str(unknown), hint=hint) from unknown
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
    except (OSError, UnicodeDecodeError, RuntimeError) as error:  # The last: ~NAME of nobody.
        why = error.strerror if isinstance(error, OSError) else error
        message = f"the input file {given[1:]} could not be read: {why}"
        raise InvalidInput(message, hint="Give --input @FILE with a JSON file, or --input JSON.") from error


async def _follow(kernel: Kernel, run: RunId, told: asyncio.Event, settings: Settings) -> str:
    """Wait until the run `ended`, `waits` for something from outside, is `alone` without a worker, or we were `told` to stop."""
    stop = asyncio.ensure_future(told.wait())
    said: set[str] = set()
    try:
        while True:
            _note_stops(kernel, settings, said)
            changes: list[asyncio.Future[Any]] = []
            if await _is_stuck(kernel, run, changes):
                await kernel.engine.settle()
                return "waits"
            state = await kernel.engine.state(run)
            if state.ended:
                return "ended"
            await asyncio.wait((stop, *changes), timeout=LOOK_S, return_when=asyncio.FIRST_COMPLETED)
            if told.is_set():
                return "told"
            if not kernel.works and WorkerLock.holder(settings.store) is None:
                return "alone"
    finally:
        stop.cancel()


def _note_stops(kernel: Kernel, settings: Settings, said: set[str]) -> None:
    """Tell of stops that were not told of before: what they hold for waits in silence, maybe for days."""
    for stopped, command in told_stops(kernel, settings):
        if stopped not in said:
            said.add(stopped)
            _note(f"STOPPED: {stopped}")
            _note(f"  calls of it wait until a person lets it go on: {command}; Ctrl-C leaves the run waiting")


async def _is_stuck(kernel: Kernel, run: RunId, changes: list[asyncio.Future[Any]]) -> bool:
    """Tell whether only something from outside, or much time, moves the run on; `changes` collects what may alter that."""
    changes.append(kernel.engine.changed(run))  # Before the look, so that no change falls between the two.
    state = await kernel.engine.state(run)
    children = state.open_children()
    if state.status in (Status.BLOCKED, Status.HANDED_OVER):
        return True
    if state.status is Status.COMPENSATING and not children:
        return False
    if state.status not in (Status.WAITING, Status.COMPENSATING) or _moves_soon(state, kernel):
        return False
    for child in children:
        if not await _is_stuck(kernel, child, changes):
            return False
    return True


def _moves_soon(state: RunState, kernel: Kernel) -> bool:
    soon = kernel.engine.shared.clock.now() + STAY_MS
    if 0 < state.wake_at <= soon:
        return True
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
        _note(f"stopped; run {name} goes on: {who_goes_on(settings)}")
        return INTERRUPTED
    if how == "alone":
        _note(f"no process works on this store now; run {name} goes on with `{dev_command(settings)}`")
        return WAITS
    if isinstance(blocked, Failure):
        _note(f"run {name} is blocked ({blocked.code}): {blocked.message}")
        _note(f"next: mend that, then kernos resume {name}{settings.repeated}")
        return WAITS
    is_worked_on = WorkerLock.holder(settings.store) is not None
    for wait in pending:
        _note(f"run {name} waits for {wait.text()}")
        command = wait.command(settings.repeated)
        if command or is_worked_on:
            _note(f"next: {command or who_goes_on(settings)}")
    if not is_worked_on:
        _note(f"then: {dev_command(settings)}")
    return WAITS
