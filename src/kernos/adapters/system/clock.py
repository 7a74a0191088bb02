"""The machine's clock and the operating system's random numbers."""

import asyncio
import secrets
import time
from collections.abc import Callable

from kernos.ports.clock import Alarm
from kernos.vocabulary.ids import EpochMs

_LONGEST_S = 10.0
"""A longer wait is cut and resumed by whoever asked: loops count by a clock that stands still while the machine sleeps, and that nobody sets."""


class SystemClock:
    """The time of day of this machine."""

    def now(self) -> EpochMs:
        """Return the time."""
        return EpochMs(time.time_ns() // 1_000_000)

    def call_at(self, at: EpochMs, call: Callable[[], None]) -> Alarm:
        """Call at `at`, or after some seconds if that is sooner: callers look at the time again."""
        delay = max(0.0, (at - self.now()) / 1_000)
        return asyncio.get_running_loop().call_later(min(delay, _LONGEST_S), call)


class SystemChance:
    """Random numbers of the operating system."""

    def bits(self, count: int) -> int:
        """Return `count` random bits."""
        return secrets.randbits(count)
