"""Clock and chance: time and randomness come in here, so that a simulator can be the world."""

from collections.abc import Callable
from typing import Protocol

from kernos.vocabulary.ids import EpochMs


class Alarm(Protocol):
    """A call that was put off."""

    def cancel(self) -> None:
        """Forget the call; too late or twice does nothing."""
        ...


class Clock(Protocol):
    """The time of day, and calls at a later time."""

    def now(self) -> EpochMs:
        """Return the time; it may stand still and, when an operator sets the machine's clock, go back."""
        ...

    def call_at(self, at: EpochMs, call: Callable[[], None]) -> Alarm:
        """Call once at `at` or shortly after, in the event loop; at once (but not within this call) when it is past.

        May call earlier, where `at` is seconds away: the clock may be set meanwhile. Whoever is called looks at the time.
        """
        ...


class Chance(Protocol):
    """Random bits."""

    def bits(self, count: int) -> int:
        """Return `count` (1 to 256) random bits as a number."""
        ...
