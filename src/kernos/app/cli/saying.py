"""Saying: hands what a person said to the kernel, and tells what it was about and who goes on."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from kernos.app.cli.foreground import waits
from kernos.app.cli.opening import existing, full_kernel, plain_kernel, settings_of, who_goes_on
from kernos.app.cli.showing import print_json
from kernos.app.kernel import Kernel
from kernos.app.own_keys import open_own_key
from kernos.app.settings import Settings
from kernos.app.story import SHORT, Wait, waits_of
from kernos.kernel.state import RunState, Status
from kernos.vocabulary.errors import InvalidInput, NotAllowed, NotFound, RunEnded
from kernos.vocabulary.ids import RunId, StepName

_ABOUT = {
    "approve": "approval",
    "deny": "approval",
    "edit": "approval",
    "ask_back": "approval",
    "explain": "approval",
    "answer": "question",
    "settle": "doubt",
}
_DONE = {
    "approve": "said yes to",
    "deny": "said no to",
    "edit": "changed and said yes to",
    "ask_back": "asked {question!r} about",
    "explain": "answered {text!r} about",
    "answer": "answered",
    "settle": "settled",
    "signal": "sent the signal {topic} to",
    "cancel": "asked to stop",
    "resume": "sent on",
}
_WANTED = {"approval": "a yes or no", "question": "an answer", "doubt": "anybody to settle an action"}
_VERDICTS = ("done", "not_done", "unknown")


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
        except (UnicodeError, RecursionError) as error:
            message = f"the value of {name} is no text in UTF-8, or its values lie too deep inside one another"
            raise InvalidInput(message, hint="Write NAME=VALUE, where VALUE is JSON or text.") from error
    return changes


def signing(path: str) -> dict[str, Any]:
    """Return what goes with a yes that the key in a file signs; nothing without a file. Raises BadConfiguration."""
    return {"sign": open_own_key(Path(path)).sign} if path else {}


def say(said: Said, config: str, store: str, by: str, as_json: bool) -> None:
    """Hand it over and tell what happened."""
    if said.words.get("verdict", "done") not in _VERDICTS:
        message = f"{said.words['verdict']!r} settles nothing: say one of {', '.join(_VERDICTS)}"
        raise InvalidInput(
            message, hint=f"For example: kernos settle {said.name} not_done --note 'their list lacks it'"
        )
    settings = existing(settings_of(config, store, by=by))
    about, state, by = asyncio.run(_hand_over(said, settings))
    if as_json:
        print_json({"run": state.run, "said": said.verb, "by": by, "about": about})
        return
    name = state.run[:SHORT]
    what = about.about() if about is not None else f"run {name}"
    if about is not None and about.kind == "question":
        what = f"{about.subject}'s question: {about.details}"
    print(f"{by} {_DONE[said.verb].format(**said.words)} {what}")
    print(f"run {name} has ended: {state.status}" if state.ended else who_goes_on(settings))


async def _hand_over(said: Said, settings: Settings) -> tuple[Wait | None, RunState, str]:
    """Return what it was about, as it is now, where the run stands after it, and who said it."""
    # Only these look at a tool's types and at policy; the others work on any store, whatever agents it belongs to.
    needs_agents = said.verb == "edit" or (said.verb == "settle" and said.words["verdict"] == "done")
    async with full_kernel(settings, works=False) if needs_agents else plain_kernel(settings) as kernel:
        prefix, dot, step = said.name.partition(".")
        if dot and not step:
            message = f"{said.name!r} names no step"
            raise InvalidInput(message, hint=f"Write {prefix}.STEP, or {prefix} alone.")
        run = await kernel.find(prefix)
        state = await kernel.engine.state(run)
        _refuse_what_changes_nothing(said.verb, state)
        kind = _ABOUT.get(said.verb, "")
        about = await _about(kernel, run, step, kind)
        if kind and about is None and not step:
            await _refuse_what_nobody_asked(kernel, state, kind, settings)
        words = dict(said.words)
        if said.verb in ("signal", "cancel", "resume"):
            name = str(run)
        else:
            name = f"{run}.{about.step}" if about is not None else f"{run}{dot}{step}"
        if said.verb == "approve" and about is not None:
            # What is said yes to is what is shown below, not what may stand there a moment later.
            words["digest"] = state.steps[StepName(about.step)].digest
        await getattr(kernel, said.verb)(name, **words, by=settings.by)
        state, who = await kernel.engine.state(run), kernel.authority.caller.principal
    if said.verb == "edit" and about is not None:
        about = replace(about, details=state.steps[StepName(about.step)].args.text.decode())
    return about, state, settings.by or who


def _refuse_what_changes_nothing(verb: str, state: RunState) -> None:
    """Say so where the kernel would take the word and do nothing. Raises RunEnded, NotAllowed."""
    name = state.run[:SHORT]
    if verb in ("cancel", "resume") and state.ended:
        message = (
            f"run {name} has ended ({state.status}); there is nothing to {'stop' if verb == 'cancel' else 'send on'}"
        )
        raise RunEnded(message, hint=f"See how it ended with `kernos trace {name}`.")
    if verb == "resume" and state.status is not Status.BLOCKED:
        message = f"run {name} is not blocked: it is {state.status.replace('_', ' ')}"
        raise NotAllowed(message, hint=f"See what it waits for with `kernos trace {name}`.")


async def _refuse_what_nobody_asked(kernel: Kernel, state: RunState, kind: str, settings: Settings) -> None:
    """Say what the run waits for instead of this. Raises NotFound; returns when several steps wait for it."""
    pending = await waits(kernel, state.run)
    if any(wait.kind == kind for wait in pending):
        return
    name = state.run[:SHORT]
    answerable = [wait for wait in pending if wait.command()]
    stands = f"it has ended ({state.status})" if state.ended else f"it is {state.status.replace('_', ' ')}"
    if pending:
        stands = f"it waits for {'; '.join(wait.text() for wait in pending)}"
    hint = f"Answer that: {answerable[0].command(settings.repeated)}" if answerable else f"See `kernos trace {name}`."
    message = f"run {name} does not wait for {_WANTED[kind]}: {stands}"
    raise NotFound(message, hint=hint)


async def _about(kernel: Kernel, run: RunId, step: str, kind: str) -> Wait | None:
    """Return the one thing of this kind that the run waits for, None when there is none or several and no step is named."""
    if not kind:
        return None
    if kind == "doubt":
        found = waits_of((), await kernel.journal.select("actions", {"run": run, "status": "in_doubt"}))
    else:
        found = waits_of(await kernel.journal.select("waiting", {"run": run, "kind": kind}), ())
    found = [wait for wait in found if wait.step == step or not step]
    return found[0] if len(found) == 1 else None
