"""Taking back: shows what revert and reconcile would do, asks, and follows the run that does it."""

import asyncio
import re
import sys
from dataclasses import dataclass
from typing import Any

from kernos.app.cli.agreeing import agreed
from kernos.app.cli.foreground import see_through, told_to_stop
from kernos.app.cli.opening import existing, full_kernel
from kernos.app.cli.options import FAILED
from kernos.app.cli.showing import print_json
from kernos.app.kernel import Kernel
from kernos.app.reliance import Reliance, relied_on
from kernos.app.run import Run
from kernos.app.settings import Settings
from kernos.app.story import SHORT, shown, when
from kernos.control.reconciler import Difference, Reconciliation
from kernos.vocabulary.errors import InvalidInput
from kernos.vocabulary.quantities import Json
from kernos.vocabulary.undo import PlannedUndo, UndoPlan

_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_NUMBER = re.compile(r"0*[1-9][0-9]{0,5}")  # At most a million days: nobody means more.


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a command was told: not to ask, to print JSON, to take back."""

    yes: bool
    as_json: bool
    take_back: bool = False


# --- revert --------------------------------------------------------------------------------------------------------


async def revert_run(name: str, to: str, wanted: Wanted, settings: Settings) -> int:
    """Show the plan, ask, and take back; return the exit code."""

    async def start(kernel: Kernel) -> Run[Any] | None:
        plan = await kernel.plan_revert(name, to=to)
        reliance = await relied_on(kernel, plan)
        if wanted.as_json and not wanted.yes:
            print_json({"plan": plan, "relied_on_by": reliance})
            return None
        _show_plan(plan, reliance)
        if any(kernel.registry.tool(undo.undone.tool) is None for undo in plan.undos):
            print("next: name the agents with those tools: --agents MODULE, or `agents` in kernos.toml")
        sys.stdout.flush()  # The plan comes before what is said about the run, also where both go into one file.
        if all(undo.obstacle for undo in plan.undos) or not agreed("Take this back?", yes=wanted.yes):
            return None
        return await kernel.revert(plan, by=settings.by)

    ready = full_kernel(existing(settings), works=True)
    return await see_through(ready, start, settings)


def _show_plan(plan: UndoPlan, reliance: list[Reliance]) -> None:
    run = plan.run[:SHORT]
    if not plan.undos:
        print(f"Nothing of run {run} is left to take back.")
        return
    after = f" after checkpoint {plan.to}" if plan.to else ""
    print(f"To take back what run {run} did{after}, newest first (plan {plan.digest}):")
    for number, undo in enumerate(plan.undos, 1):
        print(f"{number:3}. {undo.undone.tool} {shown(Json(undo.done_args.encode()))}")
        print(f"     done {when(undo.done_at)} as {undo.undone.key}")
        if undo.obstacle:
            print(f"     cannot be taken back: {undo.obstacle}")
        else:
            print(f"     by {undo.with_tool} {shown(Json(undo.args.encode()))}")
        if undo.leaves:
            print(f"     what stays: {undo.leaves}")
    possible = [undo for undo in plan.undos if not undo.obstacle]
    cost = sum(undo.cost_microusd for undo in possible)
    print(f"{len(possible)} of {len(plan.undos)} can be taken back; that costs {cost / 1_000_000:.2f} USD.")
    for one in reliance:
        print(f"Relied on by run {one.run[:SHORT]} ({one.agent}): {one.why}")


# --- reconcile -----------------------------------------------------------------------------------------------------


async def reconcile_store(since: str, every: str, wanted: Wanted, settings: Settings) -> int:
    """Sweep once, or again and again until told to stop; return the exit code."""
    since_ms, every_ms = _milliseconds(since), _milliseconds(every) if every else 0
    if not every_ms:
        return await _sweep(since_ms, wanted, settings)
    with told_to_stop() as told:
        while not told.is_set():
            await _sweep(since_ms, wanted, settings, told)
            try:
                await asyncio.wait_for(told.wait(), every_ms / 1_000)
            except TimeoutError:
                pass  # The usual case: it is time again.
    return 0


async def _sweep(since_ms: int, wanted: Wanted, settings: Settings, stop: asyncio.Event | None = None) -> int:
    found: Reconciliation | None = None

    async def start(kernel: Kernel) -> Run[Any] | None:
        nonlocal found
        found = await kernel.reconcile(since_ms=since_ms)
        if wanted.as_json:
            print_json(found)
        else:
            _show_found(found)
            if not any(tool.listed is not None for tool in kernel.registry.tools):
                print("nothing was compared: no tool here names its service's own list; declare one with listed=")
        if not wanted.take_back or not any(_can_undo(one) for one in found.differences):
            return None
        return await kernel.take_back(found, by=settings.by, seen=wanted.yes)

    code = await see_through(full_kernel(existing(settings), works=True), start, settings, stop=stop)
    assert found is not None
    is_open = any(not one.settled for one in found.differences) or bool(found.unheard)
    return code or (FAILED if is_open and not wanted.take_back else 0)


def _can_undo(one: Difference) -> bool:
    return one.undo is not None and not one.undo.obstacle


def _show_found(found: Reconciliation) -> None:
    span = f"{when(found.since)} to {when(found.until)}"
    print(f"{found.actions} actions and {found.effects} listed effects, {span}: {len(found.differences)} differences")
    for one in found.differences:
        place = f"{one.run[:SHORT]}.{one.step}" if one.run else "no action"
        what = f"{one.tool} {shown(Json(one.args.encode()))}" if one.tool else f"in the list {one.listing}"
        print(f"{one.deviation:10}  {place:12}  {one.reference or '-'}  {what}")
        print(f"{'':12}{_next(one)}")
    for reason in found.unheard:
        print(f"not heard   {reason}")


def _next(one: Difference) -> str:
    if one.settled:
        return one.settled
    if one.undo is not None:
        return f"cannot be taken back: {one.undo.obstacle}" if one.undo.obstacle else f"next: {_by(one.undo)}"
    if one.deviation == "happened":
        return f"next: kernos settle {one.run[:SHORT]}.{one.step} done --note 'in the list as {one.reference}'"
    if one.deviation == "missing":
        return f"next: ask the service about it; kernos why {one.run[:SHORT]}.{one.step} tells what was sent"
    return "next: find out who did this; nothing in this journal asked for it"


def _by(undo: PlannedUndo) -> str:
    return f"kernos reconcile --take-back  ({undo.with_tool} {shown(Json(undo.args.encode()))})"


def _milliseconds(text: str) -> int:
    number, unit = text[:-1], text[-1:]
    if unit not in _SECONDS or not _NUMBER.fullmatch(number):
        message = f"{text!r} is no length of time"
        raise InvalidInput(message, hint="Write a number and s, m, h or d: 90s, 15m, 24h, 7d.")
    return int(number) * _SECONDS[unit] * 1_000
