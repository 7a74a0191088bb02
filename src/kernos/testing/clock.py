"""Clock: virtual time for the simulator and for tests; it jumps as soon as nothing can run, so a month takes a moment.

Ordered: as in any asyncio event loop, and always the same way, because nothing but the loop's own queue decides. What others do in threads is
done at once in the loop itself. What must not be used in it: sockets, whose time is not ours; a store on disk is waited for under `outside`.
"""

import asyncio
import random
import selectors
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from kernos.ports.clock import Alarm
from kernos.vocabulary.ids import EpochMs

T = TypeVar("T")

BEGIN = EpochMs(1_700_000_000_000)
"""What virtual clocks show first: some day in 2023, so that times look like times."""


class _JumpingSelector(selectors.SelectSelector):
    """Lets time pass instead of waiting."""

    def __init__(self, turn_s: Callable[[], float]) -> None:
        super().__init__()
        self._turn_s = turn_s
        self.passed_s = 0.0
        self.outside = 0
        """How much is under way outside of the loop that its time waits for."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return at once, that much later; nothing can run and nothing is due: nobody would ever go on."""
        if self.outside:
            return super().select(None if timeout is None or timeout > 0 else 0)
        if timeout is None:
            message = "everything waits, and nothing is due any more"
            raise RuntimeError(message)
        self.passed_s += max(timeout, self._turn_s())
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time jumps to the next due call as soon as nothing can run."""

    def __init__(self, turn_s: Callable[[], float] = float) -> None:
        """Begin at time 0. `turn_s` is asked how long each turn of the loop takes; unless told, it takes no time."""
        self._jumping = _JumpingSelector(turn_s)
        super().__init__(self._jumping)

    def time(self) -> float:
        """Return the seconds that passed in this loop."""
        return self._jumping.passed_s

    def run_in_executor(self, pool: object, function: Callable[..., T], *args: Any) -> asyncio.Task[T]:  # type: ignore[override]
        """Call the function in the loop itself, some time soon: it takes no time, and its place in the order is always the same."""

        async def call() -> T:
            return function(*args)

        return self.create_task(call())

    @contextmanager
    def outside(self) -> Iterator[None]:
        """Let time stand still while the block awaits something real, such as a disk."""
        self._jumping.outside += 1
        try:
            yield
        finally:
            self._jumping.outside -= 1


class VirtualClock:
    """The time of day in a VirtualLoop: a `ports.clock.Clock`."""

    def __init__(self, begin: EpochMs = BEGIN) -> None:
        """Show `begin` when the loop begins."""
        self._begin = begin
        self._loop: asyncio.AbstractEventLoop | None = None

    def now(self) -> EpochMs:
        """Return the time, to the nearest millisecond. A thread may ask once the loop has."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        return EpochMs(self._begin + round(self._loop.time() * 1_000))

    def call_at(self, at: EpochMs, call: Callable[[], None]) -> Alarm:
        """Call at `at`, or soon when that is past."""
        loop = asyncio.get_running_loop()
        return loop.call_at(max((at - self._begin) / 1_000, loop.time()), call)


class SeededChance:
    """Random bits that a seed repeats: a `ports.clock.Chance`."""

    def __init__(self, seed: int) -> None:
        """Take the seed."""
        self._random = random.Random(seed)  # noqa: S311 - repeatable is what it is for

    def bits(self, count: int) -> int:
        """Return `count` random bits."""
        return self._random.getrandbits(count)


def run_virtually(work: Coroutine[Any, Any, T], *, turn_s: Callable[[], float] = float) -> T:
    """Run a coroutine in a VirtualLoop of its own. Raises RuntimeError when everything waits for what will never come."""
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(turn_s)) as runner:
        return runner.run(work)
