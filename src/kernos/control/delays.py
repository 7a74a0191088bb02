"""Delays: ways to answer a step of a run's code not now but when it may go on."""

from collections.abc import Callable
from dataclasses import dataclass

from kernos.control.paying import PutsOff
from kernos.vocabulary.ids import EpochMs, StepName
from kernos.vocabulary.questions import Hold, Reply


@dataclass(frozen=True, slots=True)
class Delays:
    """What one activation of code can wait for; each takes the step and what to answer it with then."""

    later: Callable[[StepName, EpochMs, Callable[[], Reply]], Hold]
    """A time."""
    in_turn: Callable[[StepName, Callable[[], Reply]], Hold]
    """Room under a cap."""
    called: Callable[[StepName, str, Callable[[], Reply]], Hold | None]
    """Its turn at a model; None where that is now."""

    def off(self, name: StepName, again: Callable[[], Reply]) -> PutsOff:
        """Return how to look at a call again that has no room."""
        return PutsOff(lambda at: self.later(name, at, again), lambda: self.in_turn(name, again))
