"""Tools: is a tool what it says it is? It is called twice, late, out of order and without its answer, and the world is looked at after each call.

What is checked follows from what the contract claims:

| it says | it is called | the world must |
| --- | --- | --- |
| `read` | once, and again | never change |
| `idempotent` | twice under one key, twice at once, late after another, with a lost reply | change once for each key |
| `verifiable` | once, and looked up before and after, under its key and another's | be told right, and not be changed by a look-up |
| `compensate=` | once, and taken back, and taken back again under the same key | be as before |
"""

import asyncio
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import Any, TypeVar

from kernos.adapters.system.clock import SystemChance
from kernos.authoring.codec import codec_of
from kernos.testing.stage import CheckFailed
from kernos.vocabulary.contract import CannotUndo, Compensation, ToolCall, ToolContract
from kernos.vocabulary.ids import IdempotencyKey, RunId
from kernos.vocabulary.outcome import AttemptFailed, Effect, FailureKind, Found
from kernos.vocabulary.quantities import Json

In = TypeVar("In")

_RUN = RunId("00000000000ck")


async def check_tool(
    tool: ToolContract[In, Any],
    example: In | Callable[[int], In],
    world: Callable[[], Any] | Callable[[], Awaitable[Any]],
) -> None:
    """Check that a tool is as idempotent, verifiable, undoable or read-only as it says.

    `example`: arguments that work several times over, or a function of a number (0, 1, ...) that makes some that do. `world`: looks at whatever the
    tool changes, and returns something that becomes JSON and is equal when nothing has changed; leave out what differs by itself.
    The real service is called: give it one of its own. Await it in any event loop. Raises CheckFailed with one sentence for each broken promise.
    """
    check = _Check(tool, example, world)
    match tool.effect:
        case Effect.READ:
            await check.read_only()
        case Effect.IDEMPOTENT:
            await check.idempotent()
        case Effect.VERIFIABLE:
            await check.verifiable()
        case Effect.ONCE:
            await check.acts()
    if tool.compensate is not None:
        await check.undoable(tool.compensate)
    if check.findings:
        raise CheckFailed(f"{tool.name} is not what it says ({tool.effect.value})", check.findings)


class _Check:
    """One tool against one world."""

    def __init__(self, tool: ToolContract[Any, Any], example: Any, world: Callable[[], Any]) -> None:
        self.tool = tool
        self.findings: list[str] = []
        self._example = example
        self._world = world
        self._examples = 0
        self._mark = SystemChance().bits(64)  # The service may remember the keys of an earlier check.

    async def read_only(self) -> None:
        """Call it twice; nothing may have changed."""
        before, args = await self.look(), self.args()
        for number in (1, 2):
            await self.call(args, number)
            if await self.look() != before:
                self.findings.append(f"call {number} changed the world, and its class is read")
                return

    async def acts(self) -> tuple[Json, Json | None]:
        """Call it once and return its arguments and its result; the world must show it, else no other check means anything."""
        before, args = await self.look(), self.args()
        result = await self.call(args, 1)
        if result is not None and await self.look() == before:
            self.findings.append("it acted, and the world looks as before: `world` does not see what this tool does")
        return args, result

    async def idempotent(self) -> None:
        """Repeat calls in every way in which a network and a crash repeat them."""
        args, first = await self.acts()
        if first is None or self.findings:
            return
        once = await self.look()
        second = await self.call(args, 1, attempt=2)
        if await self.look() != once:
            self.findings.append("the same key twice changed the world twice")
            return  # What follows would say the same again.
        if second is not None and second != first:
            said = f"{first.text.decode()}, then {second.text.decode()}"
            self.findings.append(f"the same key twice got two answers ({said}): a lost reply could not be made good")
        other = self.args()
        await self.call(other, 2)
        twice = await self.look()
        if twice == once:
            self.findings.append("another key changed nothing: it takes two actions for one")
        await self.call(args, 1, attempt=3)
        if await self.look() != twice:
            self.findings.append("a repeat that came late, after another action, changed the world again")
        await self._at_once()
        args = self.args()
        await self.call(args, 4, attempt=2)
        before = await self.look()
        await self.call(args, 4, attempt=1)
        if await self.look() != before:
            self.findings.append("a first attempt that was delivered after the second changed the world again")

    async def _at_once(self) -> None:
        args = self.args()
        await asyncio.gather(self.call(args, 3, may_refuse=True), self.call(args, 3, attempt=2, may_refuse=True))
        between = await self.look()
        await self.call(args, 3, attempt=3)
        if await self.look() != between:
            self.findings.append("two calls under one key at the same time did not count as one")

    async def verifiable(self) -> None:
        """Look it up before and after it acted, and ask for another action that did not happen."""
        args = self.args()
        seen = await self._observe(args, 1)
        untouched = await self.look()
        found = await self._look_up(args, 1, seen)
        if found is not None and found.done is True:
            self.findings.append(f"the look-up found it before it happened ({found.evidence})")
        if await self.look() != untouched:
            self.findings.append("the look-up itself changed the world")
        result = await self.call(args, 1)
        if result is None:
            return
        if await self.look() == untouched:
            self.findings.append("it acted, and the world looks as before: `world` does not see what this tool does")
        found = await self._look_up(args, 1, seen)
        if found is not None and found.done is not True:
            said = "did not find it" if found.done is False else "could not tell"
            self.findings.append(
                f"the look-up {said} after it had happened ({found.evidence}): a lost reply would double it"
            )
        elif found is not None and found.result != result:
            told = "none" if found.result is None else found.result.text.decode()
            self.findings.append(
                f"the look-up found another result than the call gave ({told}, not {result.text.decode()})"
            )
        other = args if not callable(self._example) else self.args()
        found = await self._look_up(other, 2, await self._observe(other, 2))
        if found is not None and found.done is True:
            self.findings.append(
                f"the look-up took an earlier action for another one that did not happen ({found.evidence}): it would be left out;"
                " look up by the key, or give `observe=` and compare with what was seen before"
            )

    async def undoable(self, undo: Compensation) -> None:
        """Act, take it back, and take it back again: the world must be as before."""
        before, args = await self.look(), self.args()
        result = await self.call(args, 8)
        if result is None:
            return
        try:
            undo_args = undo.args(args, result)
        except CannotUndo as cannot:
            self.findings.append(f"its undo says that the example cannot be taken back: {cannot}")
            return
        taker = _Check(undo.tool, None, self._world)
        await taker.call(undo_args, 9)
        self.findings += [f"its undo: {finding}" for finding in taker.findings]
        after = await self.look()
        if after != before and not undo.leaves:
            self.findings.append(
                f"after {undo.tool.name} the world is not as before ({_shown(before)}, then {_shown(after)}); if something has to stay, say so in `leaves=`"
            )
        if undo.tool.effect is Effect.IDEMPOTENT:
            await taker.call(undo_args, 9, attempt=2, may_refuse=True)
            if await self.look() != after:
                self.findings.append(f"{undo.tool.name} under the same key took it back twice")

    # --- the tool and the world ----------------------------------------------------------------------------------

    def args(self) -> Json:
        """Return the arguments of the next example."""
        value = self._example(self._examples) if callable(self._example) else self._example
        self._examples += 1
        return self.tool.input.encode(value)

    async def look(self) -> Json:
        """Look at the world."""
        seen = self._world()
        return codec_of(Any).encode(await seen if isawaitable(seen) else seen)

    async def call(self, args: Json, number: int, *, attempt: int = 1, may_refuse: bool = False) -> Json | None:
        """Make an attempt of action `number`; None when it failed, which is a finding unless the service `may_refuse`."""
        outcome = await self.tool.attempt(args, self._call(number, attempt))
        if not isinstance(outcome, AttemptFailed):
            return outcome
        if not (may_refuse and outcome.kind is not FailureKind.UNKNOWN):
            self.findings.append(
                f"attempt {attempt} of action {number} failed ({outcome.kind.value}): {outcome.message}"
            )
        return None

    def _call(self, number: int, attempt: int = 1) -> ToolCall:
        key = IdempotencyKey(f"{_RUN}.{self._mark:x}.{number}")
        tool, intent = self.tool.name, f"check {self.tool.name}"
        return ToolCall(tool, key, attempt, "check@1", _RUN, intent, "", self.tool.timeout_ms)

    async def _look_up(self, args: Json, number: int, seen: Json | None) -> Found | None:
        assert self.tool.look_up is not None, self.tool.name
        found = await self.tool.look_up(args, self._call(number), seen)
        if isinstance(found, AttemptFailed):
            self.findings.append(f"the look-up failed ({found.kind.value}): {found.message}")
            return None
        return found

    async def _observe(self, args: Json, number: int) -> Json | None:
        if self.tool.observe is None:
            return None
        seen = await self.tool.observe(args, self._call(number))
        if isinstance(seen, AttemptFailed):
            self.findings.append(f"observing failed ({seen.kind.value}): {seen.message}")
            return None
        return seen


_SHOWN_MAX = 200


def _shown(value: Json) -> str:
    text = value.text.decode()
    return text if len(text) <= _SHOWN_MAX else f"{text[:_SHOWN_MAX]}..."
