"""Replay: a recorded run as a test: the agent's code must still do what it did, byte for byte. `kernos export RUN --as-test` writes such tests."""

import asyncio
from collections.abc import Sequence
from typing import Any

from kernos.authoring.codec import codec_of
from kernos.control.codec import decode_entry
from kernos.control.record import record_of
from kernos.control.reenact import Reenacted, reenact
from kernos.execution.worker import InProcessWorker
from kernos.testing.stage import CheckFailed
from kernos.vocabulary.contract import AgentContract
from kernos.vocabulary.ids import RunId
from kernos.vocabulary.journal import Entry


def check_replay(agent: AgentContract[Any, Any], run: str, events: Sequence[str]) -> str:
    """Run the agent's code again over recorded events, with no store and no network; return the SHA-256 of the trace.

    `events` are the run's journal entries as JSON, from its request on. Raises CheckFailed with both sides of the first difference.
    """
    entries = [Entry(RunId(run), n, text.encode()) for n, text in enumerate(events)]
    first, *others = asyncio.run(_replays(agent, entries))
    for replay in (first, *others):
        if replay.difference is not None:
            there = replay.difference
            place = f"step {there.step}" if there.step else "its end"
            start = f" from checkpoint {replay.start}" if replay.start else ""
            about = f"agent {agent.name} does something else than in run {run}{start}, first at {place}"
            raise CheckFailed(about, (f"recorded: {there.recorded}", f"now:      {there.now}"))
    return first.trace


async def _replays(agent: AgentContract[Any, Any], entries: Sequence[Entry]) -> list[Reenacted]:
    record = record_of([decode_entry(entry) for entry in entries])
    worker = InProcessWorker({}, codec_of)
    replays = [await reenact(record, agent, worker)]
    if record.state.resume_from is not None:
        replays.append(await reenact(record, agent, worker, from_checkpoint=True))
    return replays
