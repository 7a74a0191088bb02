"""Halting: orders a stop or lifts one, and tells what that means."""

import asyncio
from collections.abc import Mapping

from kernos.app.kernel import Kernel
from kernos.app.settings import Settings
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
    asyncio.run(_halt(settings, verb, StopKind(kind), name, reason))
    what = shown_stop(StopKind(kind), name)
    option = f"--{kind}{f' {name}' if name else ''}"
    if verb == "stop":
        print(f"stopped: {what}; nothing of it leaves the kernel any more, over restarts too")
        print(f"a person lets it go on: kernos go {option}{settings.repeated}")
    else:
        print(f"{what} goes on; what waited is looked at within 15 seconds")


async def _halt(settings: Settings, verb: str, kind: StopKind, name: str, reason: str) -> None:
    async with Kernel(settings.store, works=False, token=settings.token) as kernel:
        say = kernel.stop if verb == "stop" else kernel.go
        await say(kind, name, reason=reason, by=settings.by)
