"""Faults: what goes wrong between the kernel and a service, at exact calls or by a seed, put around a tool.

A fault is what the caller gets to hear; whether the effect happened is the fault's own point: a lost reply comes after it, a reset before.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from kernos.vocabulary.contract import ToolCall, ToolContract
from kernos.vocabulary.errors import InvalidInput
from kernos.vocabulary.outcome import AttemptFailed, FailureKind, Found
from kernos.vocabulary.quantities import Json

Told = TypeVar("Told", Json, Found)


class Trouble(StrEnum):
    """What can go wrong with one call. "After" means that the effect happened."""

    BUSY = "busy"
    """429 with Retry-After; nothing happened."""
    REFUSED = "refused"
    """The service says no, for good; nothing happened."""
    ERROR_BEFORE = "error_before"
    """500; nothing happened, which the caller cannot know."""
    ERROR_AFTER = "error_after"
    """500 after the effect."""
    RESET = "reset"
    """The connection breaks; nothing happened, which the caller cannot know."""
    LOST_REPLY = "lost_reply"
    """The connection breaks after the effect."""
    TIMEOUT_AFTER = "timeout_after"
    """The effect happens, and no answer comes within the tool's time."""
    SLOW = "slow"
    """All is well, and takes a while."""
    TWICE = "twice"
    """The network delivers the request a second time."""
    DOWN = "down"
    """Nobody listens; nothing happened, and the caller knows."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. `delay_ms`: the Retry-After of `busy`, the time that `slow` takes."""

    trouble: Trouble
    delay_ms: int = 0


class FaultPlan(Protocol):
    """Which call meets which fault."""

    def fault(self, number: int, at_ms: int) -> Fault | None:
        """Return the fault of call `number` (from 1, look-ups and model calls count apart), `at_ms` after the first; None for none."""
        ...


@dataclass(frozen=True, slots=True)
class Exactly:
    """Faults of exact calls: `Exactly({2: "lost_reply"})`."""

    calls: Mapping[int, Fault | str]

    def fault(self, number: int, at_ms: int) -> Fault | None:
        """Return what was written for this call."""
        found = self.calls.get(number)
        return Fault(Trouble(found)) if isinstance(found, str) else found


@dataclass(frozen=True, slots=True)
class Outage:
    """Nobody listens from `from_ms` to `to_ms` after the first call."""

    from_ms: int
    to_ms: int

    def fault(self, number: int, at_ms: int) -> Fault | None:
        """Return `down` within the window."""
        return Fault(Trouble.DOWN) if self.from_ms <= at_ms < self.to_ms else None


USUAL_RATES: Mapping[str, float] = {
    Trouble.BUSY: 0.06,
    Trouble.RESET: 0.03,
    Trouble.ERROR_BEFORE: 0.02,
    Trouble.LOST_REPLY: 0.05,
    Trouble.ERROR_AFTER: 0.03,
    Trouble.TIMEOUT_AFTER: 0.02,
    Trouble.SLOW: 0.1,
    Trouble.DOWN: 0.02,
    Trouble.REFUSED: 0.02,
}
"""Shares of calls, a third of them with some fault: a bad day of a service, so that a short simulation meets each of them."""

_DELAYS_MS = (1, 20, 300, 3_000)


class Seeded:
    """Faults by chance that a seed repeats; `rates` gives the share of calls of each trouble."""

    def __init__(self, seed: int, rates: Mapping[str, float] = USUAL_RATES) -> None:
        """Take the seed. Raises ValueError for an unknown trouble, InvalidInput for shares that are more than the whole."""
        self._random = random.Random(seed)  # noqa: S311 - repeatable is what it is for
        self._rates = {Trouble(name): rate for name, rate in rates.items()}
        if sum(self._rates.values()) > 1:
            message = f"the shares of faults are {sum(self._rates.values())} together, more than every call"
            raise InvalidInput(message)

    def fault(self, number: int, at_ms: int) -> Fault | None:
        """Throw the dice."""
        thrown = self._random.random()
        for trouble, rate in self._rates.items():
            thrown -= rate
            if thrown < 0:
                return Fault(trouble, self._random.choice(_DELAYS_MS))
        return None


Plan = FaultPlan | Mapping[int, Fault | str] | Sequence[FaultPlan]
"""One plan, exact calls, or several plans: the first that has a fault for a call counts."""


class Counted:
    """The calls of one tool or service against its plan."""

    def __init__(self, plan: Plan) -> None:
        """Begin before the first call."""
        given: Sequence[FaultPlan] = (
            [Exactly(plan)] if isinstance(plan, Mapping) else plan if isinstance(plan, Sequence) else [plan]
        )
        self._plans = given
        self._calls = 0
        self._begin_s: float | None = None

    def next(self) -> Fault | None:
        """Return the next call's fault."""
        now_s = asyncio.get_running_loop().time()
        if self._begin_s is None:
            self._begin_s = now_s
        self._calls += 1
        at_ms = round((now_s - self._begin_s) * 1_000)
        found = (plan.fault(self._calls, at_ms) for plan in self._plans)
        return next((fault for fault in found if fault is not None), None)


def faults(tool: ToolContract[Any, Any], plan: Plan, *, look_ups: Plan = ()) -> ToolContract[Any, Any]:
    """Return the tool with faults around its attempts, and around its look-ups with a plan of their own.

    `faults(refund, {2: "lost_reply"})` loses the reply of the second attempt; `faults(refund, Seeded(7))` follows a seed; `faults(refund,
    [Outage(0, 5_000), Seeded(7)])` does both. Give the result to a kernel for tests in `tools=`. Times are those of the event loop.
    """
    counted, counted_look_ups = Counted(plan), Counted(look_ups)
    inner_look_up = tool.look_up
    acted: set[str] = set()

    async def act(args: Json, call: ToolCall) -> Json | AttemptFailed:
        outcome = await tool.attempt(args, call)
        if not isinstance(outcome, AttemptFailed):
            acted.add(call.key)
        return outcome

    async def attempt(args: Json, call: ToolCall) -> Json | AttemptFailed:
        fault = counted.next()
        if fault is not None and fault.trouble is Trouble.REFUSED and call.key in acted:
            fault = None  # A service that honours keys does not refuse what it did.
        told: Json | AttemptFailed = await _meet(fault, call, lambda: act(args, call))
        return told

    async def look_up(args: Json, call: ToolCall, *before: Any) -> Found | AttemptFailed:
        assert inner_look_up is not None, tool.name
        looking = inner_look_up
        told: Found | AttemptFailed = await _meet(counted_look_ups.next(), call, lambda: looking(args, call, *before))
        return told

    return replace(tool, attempt=attempt, look_up=None if inner_look_up is None else look_up)


async def _meet(fault: Fault | None, call: ToolCall, act: Callable[[], Awaitable[Any]]) -> Any:
    """Act as the fault lets it."""
    if fault is None:
        return await act()
    name = fault.trouble.value
    match fault.trouble:
        case Trouble.BUSY:
            return AttemptFailed(FailureKind.RETRYABLE, "429: too many requests", fault.delay_ms)
        case Trouble.DOWN:
            return AttemptFailed(FailureKind.RETRYABLE, "nobody listens there")
        case Trouble.REFUSED:
            return AttemptFailed(FailureKind.FINAL, "the service refused")
        case Trouble.ERROR_BEFORE | Trouble.RESET:
            return AttemptFailed(FailureKind.UNKNOWN, f"no answer ({name})")
        case Trouble.SLOW:
            await asyncio.sleep(fault.delay_ms / 2_000)
            outcome = await act()
            await asyncio.sleep(fault.delay_ms / 2_000)
            return outcome
        case Trouble.TWICE:
            outcome = await act()
            await act()
            return outcome
        case Trouble.ERROR_AFTER | Trouble.LOST_REPLY | Trouble.TIMEOUT_AFTER:
            outcome = await act()
            if isinstance(outcome, AttemptFailed):
                return outcome
            if fault.trouble is Trouble.TIMEOUT_AFTER:
                await asyncio.sleep(call.timeout_ms / 1_000 + 1)
            return AttemptFailed(FailureKind.UNKNOWN, f"no answer ({name})")
