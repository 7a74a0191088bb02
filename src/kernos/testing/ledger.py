"""Ledger: what happened outside, as a service would know it; what the fakes of a user's tools write to."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from inspect import isawaitable
from typing import Any

from kernos.authoring.codec import codec_of
from kernos.vocabulary.contract import ToolCall, ToolContract, ToolFailed
from kernos.vocabulary.outcome import AttemptFailed, Effect, Found
from kernos.vocabulary.quantities import NULL, Json


@dataclass(frozen=True, slots=True)
class Line:
    """One effect: what happened (a tool's name), to what (JSON values), under which key, with which answer."""

    what: str
    details: Json
    key: str = ""
    result: Json | None = None

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.what} {self.details.text.decode()}"


class Ledger:
    """The effects of one world, in order. It outlives the kernels that crash in a check, and is cleared between worlds."""

    def __init__(
        self, *, observe: Callable[[], Sequence[object]] | None = None, reset: Callable[[], None] | None = None
    ) -> None:
        """Begin empty. `observe` adds what a world of your own knows (any values that become JSON), `reset` empties that world."""
        self._observe = observe
        self._reset = reset
        self.lines: list[Line] = []
        self.watched: set[str] = set()
        """Names of tools whose every effect is written down here."""

    def add(self, what: str, key: str = "", *, result: object = None, **details: object) -> None:
        """Write an effect down. With a `key`, a doubt about it is settled from here, with `result` as the answer."""
        answer = None if result is None else codec_of(type(result)).encode(result)
        self.lines.append(Line(what, codec_of(dict[str, Any]).encode(details), key, answer))

    def clear(self) -> None:
        """Begin a new world."""
        self.lines.clear()
        if self._reset is not None:
            self._reset()

    def find(self, what: str, key: str) -> Line | None:
        """Return the first effect of a tool under a key."""
        return next((line for line in self.lines if line.key == key and line.what == what), None)

    def times(self, what: str) -> int:
        """Count the effects of a tool."""
        return sum(line.what == what for line in self.lines)

    def effects(self) -> Counter[str]:
        """Return what happened and how often, whatever the order and the keys."""
        seen = Counter(str(line) for line in self.lines)
        for value in self._observe() if self._observe is not None else ():
            seen[codec_of(Any).encode(value).text.decode()] += 1
        return seen

    def fake(self, tool: ToolContract[Any, Any], answer: object = None) -> ToolContract[Any, Any]:
        """Return a stand-in for a tool that does what its effect class promises, and writes effects down here.

        `answer`: what it returns, or a function of (request, call) that returns it or raises ToolFailed; without, the tool's own
        function is called. A known key of an `idempotent` tool gets its first answer and has no second effect; a `verifiable` tool
        is looked up here.
        """

        async def make(args: Json, call: ToolCall) -> Json | AttemptFailed:
            if answer is None:
                return await tool.attempt(args, call)
            try:
                value = answer(tool.input.decode(args), call) if callable(answer) else answer
                return tool.output.encode(await value if isawaitable(value) else value)
            except ToolFailed as failed:
                return failed.attempt

        async def observe(_args: Json, _call: ToolCall) -> Json:
            return NULL  # The ledger knows keys: it needs nothing to compare with.

        seeing = None if tool.observe is None else observe
        return self.watch(replace(tool, attempt=make, observe=seeing), looks_up=True)

    def watch(self, tool: ToolContract[Any, Any], *, looks_up: bool = False) -> ToolContract[Any, Any]:
        """Return a stand-in that calls the tool itself, and writes down here what it did.

        A call of an `idempotent` tool under a known key counts as the same effect, and `read` has none. With `looks_up`, known keys are
        answered and looked up from here.
        """
        honours_keys = tool.effect is Effect.IDEMPOTENT
        self.watched.add(tool.name)

        async def attempt(args: Json, call: ToolCall) -> Json | AttemptFailed:
            known = self.find(tool.name, call.key) if honours_keys else None
            if known is not None and known.result is not None and looks_up:
                return known.result
            outcome = await tool.attempt(args, call)
            if known is None and tool.effect is not Effect.READ and not isinstance(outcome, AttemptFailed):
                self.lines.append(Line(tool.name, args, call.key, outcome))
            return outcome

        async def look_up(args: Json, call: ToolCall, *_: Any) -> Found:
            known = self.find(tool.name, call.key)
            return Found(known is not None, "the ledger", None if known is None else known.result)

        looking = look_up if looks_up and tool.effect is Effect.VERIFIABLE else tool.look_up
        return replace(tool, attempt=attempt, look_up=looking)
