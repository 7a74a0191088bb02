"""Replaying: a run's code run again from the journal alone, and the verdict on paper."""

from collections.abc import Sequence

from kernos.adapters.system.clock import SystemClock
from kernos.app.cli.opening import find_registry, recorded_agent
from kernos.app.cli.options import FAILED
from kernos.app.cli.showing import print_json
from kernos.app.records import Records
from kernos.app.settings import Settings
from kernos.app.stores import open_vault
from kernos.app.story import SHORT
from kernos.authoring.codec import codec_of
from kernos.control.record import record_of
from kernos.control.reenact import Difference, Reenacted, reenact
from kernos.execution.worker import InProcessWorker

SHOWN_MAX = 300
"""Letters of a question that are shown: around the first one that differs, where it is longer."""


async def replay_run(settings: Settings, name: str, *, as_json: bool) -> int:
    """Print the verdict; return 1 when the code does something else than it did. Raises NotFound, UnknownAgent, Outgrown."""
    registry = find_registry(settings)
    clock = SystemClock()
    began = clock.now()
    with Records(settings.store, settings.token) as records:
        record = record_of(await records.events(records.find(name)))
    agent = recorded_agent(registry, record.state.request().agent)
    worker = InProcessWorker({}, codec_of, vault=open_vault(settings.store))
    replays = [await reenact(record, agent, worker)]
    if record.state.resume_from is not None:
        replays.append(await reenact(record, agent, worker, from_checkpoint=True))
    took_ms = clock.now() - began
    identical = all(replay.difference is None for replay in replays)
    if as_json:
        print_json({"identical": identical, "run": record.state.run, "took_ms": took_ms, "replays": replays})
    else:
        _print(replays, took_ms)
    return 0 if identical else FAILED


def _print(replays: Sequence[Reenacted], took_ms: int) -> None:
    first = replays[0]
    now = "" if first.version == first.recorded_version else f", recorded by version {first.recorded_version}"
    for replay in replays:
        verdict = "identical" if replay.difference is None else "different"
        start = f", from checkpoint {replay.start}" if replay.start else ""
        print(f"{verdict}: run {replay.run[:SHORT]} of {replay.agent} version {replay.version}{now}{start}")
        if replay.difference is not None:
            print_difference(replay.difference)
        for place in replay.stands if replay.difference is None else ():
            print(f"  replayed up to where it stands ({replay.status}): {place[:SHOWN_MAX]}")
        print(f"  {replay.steps} steps; trace sha256 {replay.trace}")
    print(f"  {took_ms} ms, nothing recorded, nothing called")


def print_difference(difference: Difference, indent: str = "  ") -> None:
    """Print both sides of a difference."""
    place = f"at step {difference.step}" if difference.step else "at the end"
    before, now = shown_apart(difference.recorded, difference.now)
    print(f"{indent}first difference {place}\n{indent}  recorded: {before}\n{indent}  now:      {now}")


def shown_apart(left: str, right: str) -> tuple[str, str]:
    """Return two texts short enough to be looked at: where they are long, around the first letter that differs."""
    same = next((n for n, pair in enumerate(zip(left, right, strict=False)) if pair[0] != pair[1]), 0)
    begin = max(0, same - SHOWN_MAX // 3) if max(len(left), len(right)) > SHOWN_MAX else 0
    return _cut(left, begin), _cut(right, begin)


def _cut(text: str, begin: int) -> str:
    end = begin + SHOWN_MAX
    return ("..." if begin else "") + text[begin:end] + ("..." if end < len(text) else "")
