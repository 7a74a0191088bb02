"""Tracing: the story of one run on paper, the plain words first."""

from collections.abc import Mapping, Sequence

import msgspec

from kernos.adapters.sqlite.lock import WorkerLock
from kernos.app.cli.foreground import waits
from kernos.app.cli.halting import told_stops
from kernos.app.cli.opening import dev_command, plain_kernel
from kernos.app.cli.showing import print_indented, print_json, print_table
from kernos.app.kernel import Kernel
from kernos.app.outside import deeds_of
from kernos.app.settings import Settings
from kernos.app.story import SHORT, Effect, Story, Wait, shown, tell, when
from kernos.control.codec import decode_entry
from kernos.vocabulary.ids import RunId
from kernos.vocabulary.journal import Entry
from kernos.vocabulary.quantities import Json

TREE_MAX = 1_000
"""Runs below a run whose costs are added up: more than a person would read about."""


async def trace_run(settings: Settings, name: str, *, with_events: bool, as_json: bool) -> None:
    """Print the story of the run that begins with `name`. Raises NotFound, Ambiguous, Tampered."""
    async with plain_kernel(settings) as kernel:
        run = await kernel.find(name)
        entries = await kernel.journal.read(run)
        story = tell([decode_entry(entry) for entry in entries])
        below = await _below(kernel, story)
        pending = await waits(kernel, run)
        stops = told_stops(kernel, settings)
        taken_back = (await deeds_of(kernel, run, tree=False)).taken_back
    if as_json:
        events = [_event(entry) for entry in entries]
        print_json(
            {"story": story, "waits": pending, "taken_back_by": taken_back, "runs_below": below, "events": events}
        )
        return
    _print_story(story, taken_back)
    if not story.ended_at or pending:
        _print_waits(story, pending, stops, settings)
    _print_costs(story, below)
    if with_events:
        print()
        _print_events(entries)


async def _below(kernel: Kernel, story: Story) -> list[Story]:
    """Return the stories of the runs below, as far as they exist."""
    found: list[Story] = []
    queue = list(story.children)
    while queue and len(found) < TREE_MAX:
        entries = await kernel.journal.read(RunId(queue.pop(0)))
        if entries:
            child = tell([decode_entry(entry) for entry in entries])
            found.append(child)
            queue += child.children
    return found


def _print_story(story: Story, taken_back: Mapping[str, str]) -> None:
    ended = f" at {when(story.ended_at)}" if story.ended_at else ""
    print(f"run {story.run} of agent {story.agent} version {story.version}: {story.status}{ended}")
    print()
    print_indented(f"asked by {story.asked_by} at {when(story.asked_at)}: {story.intent}", rest="  ")
    print_indented(f"input {shown(_json(story.input))}", first="  ", rest="    ")
    print("\nwhat it found and decided, and why")
    for at, sentence in story.happened:
        print_indented(sentence, first=f"  {when(at)[11:]} ", rest=" " * 12)
    if not story.happened:
        print("  nothing yet")
    print("\nwhat it did outside")
    for effect in story.effects.values():
        _print_effect(effect)
        if effect.key in taken_back:
            print(f"    taken back by {taken_back[effect.key]}")
    if not story.effects:
        print("  nothing")


def _print_waits(story: Story, pending: Sequence[Wait], stops: Sequence[tuple[str, str]], settings: Settings) -> None:
    print("\nwhat it waits for")
    for wait in pending:
        print_indented(wait.text(), first="  ", rest="    ")
        if wait.command():
            print(f"    {wait.command(settings.repeated)}")
    if not pending:
        print(f"  {_what_moves_it(story, settings)}")
    for stopped, command in () if story.ended_at else stops:
        print_indented(
            f"where it calls what is stopped, a person who lets it go on: {stopped}", first="  ", rest="    "
        )
        print(f"    {command}")


def _print_costs(story: Story, below: Sequence[Story]) -> None:
    print("\nwhat it cost")
    print(f"  {_cost([story, *below])}")
    if below:
        print("\nruns below it")
        for child in below:
            print(f"  {child.run[:SHORT]} {child.agent}: {child.status}")


def _what_moves_it(story: Story, settings: Settings) -> str:
    """Say what a run waits for that asked for nothing."""
    if story.status == "blocked":
        return f"somebody to mend what blocks it: kernos resume {story.run[:SHORT]}{settings.repeated}"
    if WorkerLock.holder(settings.store) is None:
        return f"a process that runs agents: {dev_command(settings)}"
    return "nothing; the process that runs agents goes on with it"


def _print_effect(effect: Effect) -> None:
    by = f", approved by {effect.approved_by}" if effect.approved_by else ""
    print_indented(f"{effect.tool} ({effect.effect}) {effect.args}", first="  ", rest="    ")
    tries = f"{effect.attempts} attempt{'' if effect.attempts == 1 else 's'}"
    result = f": {effect.outcome}" if effect.outcome else ""
    print_indented(f"{effect.status}, key {effect.key}, {tries}{by}{result}", first="    ", rest="      ")


def _cost(stories: Sequence[Story]) -> str:
    calls = sum(story.model_calls for story in stories)
    if not calls:
        return "no model was called"
    prompt = sum(story.usage.prompt_tokens for story in stories)
    completion = sum(story.usage.completion_tokens for story in stories)
    usd = sum(story.usage.cost_microusd for story in stories) / 1_000_000
    unpriced = sum(story.calls_unpriced for story in stories)
    unknown = f", and {unpriced} of unknown price" if unpriced else ""
    runs = f" over {len(stories)} runs" if len(stories) > 1 else ""
    return (
        f"{calls} model call{'' if calls == 1 else 's'}{runs}, {prompt} + {completion} tokens, {usd:.6f} USD{unknown}"
    )


def _json(value: object) -> Json:
    return Json(msgspec.json.encode(value))


def _event(entry: Entry) -> dict[str, object]:
    body: dict[str, object] = msgspec.json.decode(entry.body)
    return {"n": entry.n, **body}


def _print_events(entries: Sequence[Entry]) -> None:
    rows = []
    for entry in entries:
        event = decode_entry(entry)
        body = msgspec.json.decode(entry.body)
        data = msgspec.json.encode(body["data"]).decode()
        rows.append((str(entry.n), when(event.at)[11:], str(body["kind"]), str(event.by), event.cause, data))
    print_table(("N", "TIME", "KIND", "BY", "CAUSE", "DATA"), rows)
