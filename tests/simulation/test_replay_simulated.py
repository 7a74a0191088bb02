"""Replay in the simulator: whatever faults, crashes and people made of a run, its code comes to the same from the journal alone."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

from kernos.authoring.codec import codec_of
from kernos.control.record import record_of
from kernos.control.reenact import Reenacted, reenact
from kernos.control.registry import Registry
from kernos.execution.worker import InProcessWorker
from kernos.kernel.evolve import evolve, fold
from kernos.kernel.state import RunState
from kernos.testing import simulate
from kernos.vocabulary.events import Event
from kernos.vocabulary.ids import RunId
from tests.simulation.world import AGENTS, CALLED, WORLD, caller, some_case

REGISTRY = Registry([caller, *AGENTS], {})


def events_of(seed: int) -> Sequence[Event]:
    return simulate(caller, some_case, seeds=[seed], operations=40, **WORLD)[0].events


def runs_of(events: Sequence[Event]) -> list[list[Event]]:
    found: dict[RunId, list[Event]] = {}
    for event in events:
        found.setdefault(event.run, []).append(event)
    return list(found.values())


async def replayed(*histories: Sequence[Event], strict: bool = True) -> list[Reenacted]:
    worker = InProcessWorker({}, codec_of)
    found = []
    for events in histories:
        record = record_of(events)
        agent: Any = REGISTRY.agent(record.state.request().agent)
        found.append(await reenact(record, agent, worker, strict=strict))
    return found


@pytest.mark.parametrize("seed", range(12))
def test_every_run_replays_identically_whatever_happened_to_it(seed: int) -> None:
    runs = runs_of(events_of(seed))
    CALLED.clear()
    replays = asyncio.run(replayed(*runs))
    assert [(replay.run, replay.difference) for replay in replays if replay.difference is not None] == []
    assert sum(replay.steps for replay in replays) > len(runs)
    assert CALLED == []


@pytest.mark.parametrize("seed", [1, 2, 7])
def test_every_beginning_of_a_run_replays_up_to_there(seed: int) -> None:
    runs = runs_of(events_of(seed))
    beginnings = [events[:length] for events in runs for length in range(1, len(events) + 1)]
    replays = asyncio.run(replayed(*beginnings))
    wrong = [
        (replay.run, len(events), type(events[-1].data).__name__, replay.difference)
        for replay, events in zip(replays, beginnings, strict=True)
        if replay.difference is not None
    ]
    assert wrong == []
    assert len(Counter(replay.trace for replay in replays)) > len(runs)


@pytest.mark.parametrize("seed", [0, 3, 4])
def test_many_events_folded_together_give_what_they_give_one_by_one(seed: int) -> None:
    for events in runs_of(events_of(seed)):
        state = RunState(events[0].run)
        for event in events:
            state = evolve(state, event)
        assert fold(RunState(events[0].run), events) == state
