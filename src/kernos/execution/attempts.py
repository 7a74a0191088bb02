"""Attempts: one call of a tool or a model, made within its time and reported; it goes on when the code that asked is stopped.

Ordered: an attempt starts when everything before it is durable, and is reported once. Survives a crash: nothing; the journal's intent
tells the next process that an attempt was under way.
"""

import asyncio
from collections.abc import Awaitable, Generator, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from types import coroutine
from typing import Any, TypeVar

from kernos.execution.seals import Seals, Seen
from kernos.ports.model import Model, Streams
from kernos.ports.plane import RunPlane
from kernos.vocabulary.contract import Codec, ModelReply, ToolContract
from kernos.vocabulary.errors import (
    ContractBroken,
    Erased,
    InvalidInput,
    KernosError,
    NotSealedHere,
    StaleRunNumber,
    StorageFailed,
)
from kernos.vocabulary.ids import StepName
from kernos.vocabulary.outcome import AttemptFailed, FailureKind
from kernos.vocabulary.quantities import Json, Usage
from kernos.vocabulary.questions import Consult, Hold, LookUp, Observe, Perform, Reply
from kernos.vocabulary.secret import READING, Reading


class Attempts:
    """Makes attempts for one run."""

    def __init__(
        self,
        models: Mapping[str, Model],
        sheltered: set[asyncio.Task[Reply]],
        stand_ins: Mapping[str, ToolContract[Any, Any]],
        seals: Seals,
    ) -> None:
        """Take the models by name, the worker's set of attempts that must not be cut off, what acts in place of tools, and the wall."""
        self._seals = seals
        self._models = models
        self._stand_ins = stand_ins
        self._sheltered = sheltered
        self._under_way: set[asyncio.Task[Reply]] = set()

    async def perform(self, tool: ToolContract[Any, Any], order: Perform, plane: RunPlane, step: StepName) -> Reply:
        """Make an attempt of a tool call; return what follows from it.

        A call that leaves the kernel is sheltered: it ends and is reported even when the code that asked for it is stopped.
        """
        tool = self._stand_ins.get(tool.name, tool)
        if not order.leaves:
            if order.is_reserved:
                await plane.durable()
            return plane.report(step, order.call.attempt, await self._call(tool, order))
        return await self._shelter(self._act(tool, order, plane, step))

    async def _act(self, tool: ToolContract[Any, Any], order: Perform, plane: RunPlane, step: StepName) -> Reply:
        try:
            await plane.durable(step)
        except (StorageFailed, StaleRunNumber):
            return Hold()  # The intent may not be in the journal, so it must not happen here and now.
        outcome = await self._call(tool, order)
        try:
            return plane.report(step, order.call.attempt, outcome)
        except InvalidInput as error:
            lost = AttemptFailed(FailureKind.UNKNOWN, f"what it answered cannot be kept: {error}")
            return plane.report(step, order.call.attempt, lost)

    async def _call(self, tool: ToolContract[Any, Any], order: Perform) -> Json | AttemptFailed:
        """Make the attempt with the values that handles stand for; return what came of it, sealed."""
        seen = Seen()
        args = self._opened(order.args, seen)
        if isinstance(args, AttemptFailed):
            return args
        with _reading(tool, seen):
            outcome = await _within(tool.attempt(args, order.call), order.call.timeout_ms)
        sealed = self._seals.answered(tool.output, outcome, seen, order.args)
        assert not isinstance(sealed, ModelReply), tool.name
        return sealed

    def _opened(self, args: Json, seen: Seen) -> Json | AttemptFailed:
        """Return arguments with their values, or that the call was not made because one cannot be had."""
        try:
            return self._seals.opened(args, seen)
        except (Erased, NotSealedHere) as error:
            return AttemptFailed(FailureKind.FINAL, str(error))
        except KernosError as error:  # The vault's file cannot be read now.
            return AttemptFailed(FailureKind.RETRYABLE, str(error))

    async def look_up(self, tool: ToolContract[Any, Any], order: LookUp, plane: RunPlane, step: StepName) -> Reply:
        """Ask the tool whether an action happened; return what follows from its answer."""
        tool = self._stand_ins.get(tool.name, tool)
        assert tool.look_up is not None, tool.name
        seen = Seen()
        args = self._opened(order.args, seen)
        if isinstance(args, AttemptFailed):
            return plane.report_look_up(step, args)
        before = self._seals.opened(order.before, seen) if order.before is not None else None
        with _reading(tool, seen):
            found = await _within(tool.look_up(args, order.call, before), order.call.timeout_ms)
        return plane.report_look_up(step, self._seals.found(tool.output, found, seen, order.args))

    async def observe(self, tool: ToolContract[Any, Any], order: Observe, plane: RunPlane, step: StepName) -> Reply:
        """Ask the tool what it sees before an action; return what follows from it."""
        tool = self._stand_ins.get(tool.name, tool)
        assert tool.observe is not None, tool.name
        seen = Seen()
        args = self._opened(order.args, seen)
        if isinstance(args, AttemptFailed):
            return plane.report(step, order.call.attempt, args)
        with _reading(tool, seen):
            observed = await _within(tool.observe(args, order.call), order.call.timeout_ms)
        return plane.report(step, order.call.attempt, self._seals.answered(None, observed, seen))

    async def consult(self, order: Consult, plane: RunPlane, step: StepName, answer: Codec) -> Reply:
        """Make an attempt at a model, which must answer what `answer` can read."""
        model = self._models[order.model]
        if model.metered or order.is_reserved:
            await plane.durable()
        seen = Seen()
        try:
            request = self._seals.opened_request(order.request, seen, order.opens)
        except (Erased, NotSealedHere) as error:
            return plane.report(step, order.attempt, AttemptFailed(FailureKind.FINAL, str(error)))
        with _read_by(Reading(f"the model {order.model}", None, seen.secrets)):
            if order.is_streamed and isinstance(model, Streams):
                asked = model.stream(request, _unheard)
            else:
                asked = model.complete(request)
            outcome = await _within(asked, MODEL_TIMEOUT_MS)
        if not _is_counted(outcome.usage):
            outcome = AttemptFailed(
                FailureKind.FINAL, f"the model says that it used what cannot be counted: {outcome.usage}"
            )
        if isinstance(outcome, ModelReply):
            try:
                answer.decode(outcome.output)
            except ContractBroken as wrong:
                outcome = AttemptFailed(FailureKind.RETRYABLE, f"the answer does not fit: {wrong}", usage=outcome.usage)
        return plane.report(step, order.attempt, self._seals.answered(answer, outcome, seen, order.request.input))

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


def _reading(tool: ToolContract[Any, Any], seen: Seen) -> AbstractContextManager[None]:
    """Let a tool read the secrets that it declares, and note which it read."""
    return _read_by(Reading(f"tool {tool.name}", tool.secrets, seen.secrets))


@contextmanager
def _read_by(reading: Reading) -> Iterator[None]:
    before = READING.set(reading)
    try:
        yield
    finally:
        READING.reset(before)


def _unheard(piece: str) -> None:
    """Nobody listens while an answer comes."""


MODEL_TIMEOUT_MS = 300_000
"""For one model call: long answers of slow local models take minutes."""


_T = TypeVar("_T")


class _Begun(Generator[Any, Any, _T]):
    """Work that was done up to its first wait, or to its end; to await it is to do the rest.

    Work that waits on when its time is over has STOP_GRACE_S for that; then it is left to a task of its own, and to await it ends.
    """

    def __init__(self, work: Awaitable[_T]) -> None:
        self._steps = work.__await__()
        self._first: list[object] = []
        self._grace: asyncio.TimerHandle | None = None
        self._is_over = False
        self.limit: asyncio.Timeout
        """How long it may take, once it is awaited."""
        self.ended: list[_T] = []
        """What it came to, if it waited for nothing."""
        try:
            self._first.append(next(self._steps))
        except StopIteration as end:
            self.ended.append(end.value)

    def __await__(self) -> Generator[Any, Any, _T]:
        return self

    def send(self, value: Any) -> Any:
        """Go on; what the work waited for first has not been handed on yet."""
        return self._first.pop() if self._first else self._steps.send(value)

    def throw(self, *error: Any) -> Any:
        """Raise an error where the work waits: a cancellation, for example."""
        waits_for = self._steps.throw(*error)
        task = asyncio.current_task()
        assert task is not None, waits_for
        if self._is_over:
            rest = asyncio.create_task(_left_alone(self._steps, waits_for))
            _LEFT.add(rest)
            rest.add_done_callback(_forget)
            task.uncancel()  # What `_leave` asked for is done.
            raise asyncio.CancelledError
        if self._grace is None and self.limit.expired():
            self._grace = asyncio.get_running_loop().call_later(STOP_GRACE_S, self._leave, task)
        return waits_for

    def _leave(self, task: asyncio.Task[Any]) -> None:
        self._is_over = True
        task.cancel()

    def close(self) -> None:
        """Take notice that nobody awaits it any more."""
        if self._grace is not None:
            self._grace.cancel()


def _is_counted(usage: Usage | None) -> bool:
    """Tell whether a usage is one that can be kept and added up."""
    numbers = (usage.prompt_tokens, usage.completion_tokens, usage.cost_microusd) if usage is not None else ()
    return all(type(number) is int and -1 <= number <= USAGE_MAX for number in numbers)


USAGE_MAX = 10**15
"""Tokens or micro-dollars of one call: a billion dollars, and sums of many calls stay within 64 bits."""

STOP_GRACE_S = 1.0
"""For what a tool has to close behind it when its time is over: connections, files."""

_LEFT: set[asyncio.Task[None]] = set()
"""Work that was told to stop and did not; an event loop alone would not keep it."""


async def _left_alone(steps: Generator[Any, Any, object], waits_for: object) -> None:
    await _rest_of(steps, waits_for)


@coroutine
def _rest_of(steps: Generator[Any, Any, object], waits_for: object) -> Generator[Any, Any, None]:
    yield waits_for
    yield from steps


def _forget(left: asyncio.Task[None]) -> None:
    """Take notice that it ended; whatever it came to, it was reported as unknown."""
    _LEFT.discard(left)
    if not left.cancelled():
        left.exception()


async def _within(work: Awaitable[_T], timeout_ms: int) -> _T | AttemptFailed:
    """Return what the work comes to, or that it took too long; work that waits for nothing needs no alarm.

    Work that does not stop when its time is over is left alone.
    """
    begun = _Begun(work)
    if begun.ended:
        return begun.ended[0]
    try:
        async with asyncio.timeout(timeout_ms / 1_000) as begun.limit:
            return await begun
    except TimeoutError:
        return AttemptFailed(FailureKind.UNKNOWN, f"no answer within {timeout_ms} ms")
    finally:
        begun.close()
