"""Halting: orders a stop or lifts one, and tells what that means."""

import asyncio
import sys
from collections.abc import Mapping

from kernos.app.kernel import Kernel
from kernos.app.settings import Settings
from kernos.app.story import when
from kernos.vocabulary.errors import InvalidInput
from kernos.vocabulary.stops import StopKind, shown_stop


def halt(settings: Settings, verb: str, given: Mapping[str, str | bool], reason: str) -> None:
    """Do it, and print what holds now. Raises InvalidInput unless exactly one thing is named, and what the kernel raises."""
    named = [(kind, value) for kind, value in given.items() if value]
    if len(named) != 1:
        message = f"`kernos {verb}` is about one thing, and {len(named) or 'none'} {'are' if named else 'is'} named"
        raise InvalidInput(message, hint="Give one of --all, --tenant, --agent and --tool.")
    ((kind, value),) = named
    name = value if isinstance(value, str) else ""
    is_known = asyncio.run(_halt(settings, verb, StopKind(kind), name, reason))
    what = shown_stop(StopKind(kind), name)
    option = f"--{kind}{f' {name}' if name else ''}"
    if verb == "stop":
        print(f"stopped: {what}; nothing of it leaves the kernel any more, over restarts too")
        print(f"a person lets it go on: kernos go {option}{settings.repeated}")
        if not is_known:
            note = f"this store knows of no {what} so far (reads leave no mark): is it spelled as in `kernos config` and `kernos ps --all`?"
            sys.stdout.flush()
            print(note, file=sys.stderr)
    else:
        print(f"{what} goes on; what waited is looked at within 15 seconds")


def told_stops(kernel: Kernel, settings: Settings) -> list[tuple[str, str]]:
    """Return each stop in force that whoever asks may know of: what is stopped, by whom and why, and the command that lifts it."""
    return [
        (
            f"{shown_stop(stop.kind, stop.name)}, by {stop.by} at {when(stop.at)}: {stop.reason}",
            f"kernos go --{stop.kind}{f' {stop.name}' if stop.name else ''}{settings.repeated}",
        )
        for stop in kernel.administrator.state.stops.values()
        if kernel.sees_stop(stop)
    ]


async def _halt(settings: Settings, verb: str, kind: StopKind, name: str, reason: str) -> bool:
    """Order or lift it; return whether anything in the store has that name."""
    async with Kernel(settings.store, works=False, token=settings.token) as kernel:
        say = kernel.stop if verb == "stop" else kernel.go
        await say(kind, name, reason=reason, by=settings.by)
        return await _is_known(kernel, kind, name)


async def _is_known(kernel: Kernel, kind: StopKind, name: str) -> bool:
    """Tell whether a run of that tenant or agent was asked for, or an action of that tool; a tool that only reads leaves no action."""
    match kind:
        case StopKind.ALL:
            return True
        case StopKind.TOOL:
            return bool(await kernel.journal.select("actions", {"tool": name}, limit=1))
        case StopKind.TENANT:
            return bool(await kernel.journal.select("runs", {"tenant": name}, limit=1))
        case StopKind.AGENT:
            agent, _, version = name.partition("@")
            wanted = {"agent": agent, "version": version} if version else {"agent": agent}
            return bool(await kernel.journal.select("runs", wanted, limit=1))
