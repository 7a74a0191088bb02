"""Saying: hands what a person said to the kernel, and tells what it was about and who goes on."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from kernos.app.cli.opening import existing, full_kernel, plain_kernel, settings_of, who_goes_on
from kernos.app.cli.showing import print_json
from kernos.app.kernel import Kernel
from kernos.app.settings import Settings
from kernos.app.story import SHORT, Wait, waits_of
from kernos.vocabulary.errors import InvalidInput
from kernos.vocabulary.ids import RunId, StepName

_ABOUT = {"approve": "approval", "deny": "approval", "edit": "approval", "answer": "question", "settle": "doubt"}
_DONE = {
    "approve": "said yes to",
    "deny": "said no to",
    "edit": "changed and said yes to",
    "answer": "answered",
    "settle": "settled",
    "signal": "sent the signal to",
    "cancel": "asked to stop",
    "resume": "sent on",
}


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that a person says: the command's name, the run or step, and what goes with it."""

    verb: str
    name: str
    words: Mapping[str, Any]


def changes_of(pairs: Sequence[str]) -> dict[str, Any]:
    """Return the arguments that NAME=VALUE pairs change; a value that is no JSON is text. Raises InvalidInput."""
    changes: dict[str, Any] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            message = f"{pair!r} changes no argument"
            raise InvalidInput(message, hint="Write NAME=VALUE, for example amount_cents=4000.")
        try:
            changes[name] = msgspec.json.decode(value)
        except msgspec.DecodeError:
            changes[name] = value
    return changes


def say(said: Said, config: str, store: str, by: str, as_json: bool) -> None:
    """Hand it over and tell what happened."""
    settings = existing(settings_of(config, store, by=by))
    about, run = asyncio.run(_hand_over(said, settings))
    if as_json:
        print_json({"run": run, "said": said.verb, "by": settings.by, "about": about})
        return
    what = about.about() if about is not None else f"run {run[:SHORT]}"
    print(f"{settings.by} {_DONE[said.verb]} {what}")
    print(who_goes_on(settings.store))


async def _hand_over(said: Said, settings: Settings) -> tuple[Wait | None, str]:
    # Only these look at a tool's types and at policy; the others work on any store, whatever agents it belongs to.
    needs_agents = said.verb == "edit" or (said.verb == "settle" and said.words["verdict"] == "done")
    async with full_kernel(settings, works=False) if needs_agents else plain_kernel(settings) as kernel:
        prefix, dot, step = said.name.partition(".")
        if dot and not step:
            message = f"{said.name!r} names no step"
            raise InvalidInput(message, hint=f"Write {prefix}.STEP, or {prefix} alone.")
        run = await kernel.find(prefix)
        about = await _about(kernel, run, step, _ABOUT.get(said.verb, ""))
        words = dict(said.words)
        if said.verb in ("signal", "cancel", "resume"):
            name = str(run)
        else:
            name = f"{run}.{about.step}" if about is not None else f"{run}{dot}{step}"
        if said.verb == "approve" and about is not None:
            # What is said yes to is what is shown below, not what may stand there a moment later.
            words["digest"] = (await kernel.engine.state(run)).steps[StepName(about.step)].digest
        await getattr(kernel, said.verb)(name, **words, by=settings.by)
    return about, str(run)


async def _about(kernel: Kernel, run: RunId, step: str, kind: str) -> Wait | None:
    """Return the one thing of this kind that the run waits for, None when there is none or several and no step is named."""
    if not kind:
        return None
    if kind == "doubt":
        waits = waits_of((), await kernel.journal.select("actions", {"run": run, "status": "in_doubt"}))
    else:
        waits = waits_of(await kernel.journal.select("waiting", {"run": run, "kind": kind}), ())
    found = [wait for wait in waits if wait.step == step or not step]
    return found[0] if len(found) == 1 else None
