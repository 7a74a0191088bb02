"""Attempts: one call of a tool or a model, made within its time and reported; it goes on when the code that asked is stopped.

Ordered: an attempt starts when everything before it is durable, and is reported once. Survives a crash: nothing; the journal's intent
tells the next process that an attempt was under way.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from kernos.ports.model import Model
from kernos.ports.plane import RunPlane
from kernos.vocabulary.contract import ModelReply, ToolContract
from kernos.vocabulary.errors import StaleRunNumber, StorageFailed
from kernos.vocabulary.ids import StepName
from kernos.vocabulary.outcome import AttemptFailed, FailureKind
from kernos.vocabulary.quantities import Json
from kernos.vocabulary.questions import Consult, Hold, LookUp, Perform, Reply


class Attempts:
    """Makes attempts for one run."""

    def __init__(self, models: Mapping[str, Model], sheltered: set[asyncio.Task[Reply]]) -> None:
        """Take the models by name, and the worker's set of attempts that must not be cut off."""
        self._models = models
        self._sheltered = sheltered
        self._under_way: set[asyncio.Task[Reply]] = set()

    async def perform(self, tool: ToolContract[Any, Any], order: Perform, plane: RunPlane, step: StepName) -> Reply:
        """Make an attempt of a tool call; return what follows from it.

        A call that leaves the kernel is sheltered: it ends and is reported even when the code that asked for it is stopped.
        """
        if not order.leaves:
            return plane.report(
                step, order.call.attempt, await _within(tool.attempt(order.args, order.call), order.call.timeout_ms)
            )
        return await self._shelter(self._act(tool, order, plane, step))

    async def _act(self, tool: ToolContract[Any, Any], order: Perform, plane: RunPlane, step: StepName) -> Reply:
        try:
            await plane.durable()
        except (StorageFailed, StaleRunNumber):
            return Hold()  # The intent is not in the journal, so it must not happen here.
        outcome = await _within(tool.attempt(order.args, order.call), order.call.timeout_ms)
        return plane.report(step, order.call.attempt, outcome)

    async def look_up(self, tool: ToolContract[Any, Any], order: LookUp, plane: RunPlane, step: StepName) -> Reply:
        """Ask the tool whether an action happened; return what follows from its answer."""
        assert tool.look_up is not None, tool.name
        found = await _within(tool.look_up(order.args, order.call), order.call.timeout_ms)
        return plane.report_look_up(step, found)

    async def consult(self, order: Consult, plane: RunPlane, step: StepName, fits: Callable[[Json], str]) -> Reply:
        """Make an attempt at a model; `fits` says what is wrong with an answer, empty for nothing."""
        model = self._models[order.model]
        if model.metered:
            await plane.durable()
        outcome = await _within(model.complete(order.request), MODEL_TIMEOUT_MS)
        if isinstance(outcome, ModelReply):
            wrong = fits(outcome.output)
            if wrong:
                outcome = AttemptFailed(FailureKind.RETRYABLE, f"the answer does not fit: {wrong}")
        return plane.report(step, order.attempt, outcome)

    async def drain(self) -> None:
        """Return when no attempt of this run that left the kernel is under way any more."""
        while self._under_way:
            await asyncio.wait(list(self._under_way))

    async def _shelter(self, work: Awaitable[Reply]) -> Reply:
        task = asyncio.ensure_future(work)
        for under_way in (self._under_way, self._sheltered):
            under_way.add(task)
            task.add_done_callback(under_way.discard)
        return await asyncio.shield(task)


MODEL_TIMEOUT_MS = 300_000
"""For one model call: long answers of slow local models take minutes."""


_T = TypeVar("_T")


async def _within(work: Awaitable[_T], timeout_ms: int) -> _T | AttemptFailed:
    try:
        async with asyncio.timeout(timeout_ms / 1_000):
            return await work
    except TimeoutError:
        return AttemptFailed(FailureKind.UNKNOWN, f"no answer within {timeout_ms} ms")
