"""Reliance: which other runs built on what a run did, for a person who thinks of taking it back."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from kernos.app.kernel import Kernel
from kernos.control.codec import decode_entry
from kernos.vocabulary.events import ActionIntended, ActionPerformed, ChildStarted, ReadAnswered, RunRequested
from kernos.vocabulary.ids import RunId, split_step_key
from kernos.vocabulary.undo import REVERT_AGENT, UndoPlan

_REFERENCE_LENGTH_MIN = 4
"""Letters from which on a value in a result is taken for a reference: shorter ones (numbers of pieces, codes) match by chance."""


@dataclass(frozen=True, slots=True)
class Reliance:
    """One run that relied on another, and how that shows."""

    run: str
    agent: str
    why: str


async def relied_on(kernel: Kernel, plan: UndoPlan) -> list[Reliance]:
    """Return the runs that got the run's result, or that later called a tool with a reference from a result that is to be taken back."""
    found: dict[str, Reliance] = {}
    run = RunId(plan.run)
    parent = (await kernel.engine.state(run)).request().parent
    if parent:
        found[parent] = Reliance(parent, await _agent(kernel, parent), "it asked for this run and got its answer")
    tree = set(await kernel.planner.histories(run))
    references = await _references(kernel, plan)
    needles = tuple(reference.encode() for reference in references)
    if not needles:
        return list(found.values())
    async for _, entry in kernel.journal.scan():
        if entry.run in tree or entry.run in found or not any(needle in entry.body for needle in needles):
            continue
        data = decode_entry(entry).data
        if isinstance(data, (ActionIntended, ReadAnswered)):
            used = sorted(references.intersection(_leaves(msgspec.json.decode(data.args.text))))
            agent = await _agent(kernel, entry.run) if used else ""
            if used and agent != REVERT_AGENT:
                found[entry.run] = Reliance(entry.run, agent, f"its call of {data.tool} names {', '.join(used)}")
    return list(found.values())


async def _agent(kernel: Kernel, run: RunId | str) -> str:
    return (await kernel.engine.state(RunId(run))).request().agent


async def _references(kernel: Kernel, plan: UndoPlan) -> set[str]:
    """Return values of results that stand in no arguments: what the outside named for us."""
    keys = {undo.undone.key for undo in plan.undos}
    found: set[str] = set()
    for run in {split_step_key(key)[0] for key in keys}:
        given: set[str] = set()
        for entry in await kernel.journal.read(run):
            data = decode_entry(entry).data
            if isinstance(data, RunRequested):
                given.update(_leaves(msgspec.json.decode(data.input.text)))
            elif isinstance(data, (ActionIntended, ReadAnswered, ChildStarted)):
                value = data.input if isinstance(data, ChildStarted) else data.args
                given.update(_leaves(msgspec.json.decode(value.text)))
            elif isinstance(data, ActionPerformed) and f"{run}.{data.step}" in keys:
                found.update(set(_leaves(msgspec.json.decode(data.result.text))) - given)
    return found


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for part in value.values():
            yield from _leaves(part)
    elif isinstance(value, list):
        for part in value:
            yield from _leaves(part)
    elif isinstance(value, str) and len(value) >= _REFERENCE_LENGTH_MIN:
        yield value
