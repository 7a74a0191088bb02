"""Forecast: how much work a run still needs, learned from runs of the same agent that have ended.

Runs are told apart by their agent and by how large their input is. What is left of one that has had its share already is what was left of those that
had had as much. Without anything learned every run is the same, so that what was begun first is finished first.
"""

from collections import OrderedDict, deque
from collections.abc import Sequence
from math import log2

SAMPLES_MAX = 64
"""Ended runs remembered of each kind."""

KINDS_MAX = 4_096
"""Kinds remembered: some two megabytes."""

_ENOUGH = 4
"""Ended runs of a kind from which on it is forecast by itself, and not like all of its agent."""

_ANY_SIZE = -1


class Forecast:
    """What runs of each agent came to."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._samples: OrderedDict[tuple[str, int], deque[float]] = OrderedDict()

    def learn(self, agent: str, input_bytes: int, work: float) -> None:
        """Take in what an ended run has used."""
        for kind in ((agent, _size(input_bytes)), (agent, _ANY_SIZE)):
            samples = self._samples.get(kind)
            if samples is None:
                samples = self._samples[kind] = deque(maxlen=SAMPLES_MAX)
                if len(self._samples) > KINDS_MAX:
                    self._samples.popitem(last=False)
            else:
                self._samples.move_to_end(kind)
            samples.append(work)

    def left(self, agent: str, input_bytes: int, done: float) -> float:
        """Return how much a run still needs that has used `done`; 0 where nothing is known."""
        alike = self._alike(agent, input_bytes)
        if not alike:
            return 0.0
        longer = [work - done for work in alike if work > done]
        return sum(longer) / len(longer) if longer else max(done / 4, min(alike) / 4)

    def _alike(self, agent: str, input_bytes: int) -> Sequence[float]:
        size = _size(input_bytes)
        own = self._samples.get((agent, size), ())
        if len(own) >= _ENOUGH:
            return list(own)
        near = [*own, *self._samples.get((agent, size - 1), ()), *self._samples.get((agent, size + 1), ())]
        return near if len(near) >= _ENOUGH else list(self._samples.get((agent, _ANY_SIZE), ()))


def _size(input_bytes: int) -> int:
    """Return which size an input has: four of them between one length and its double."""
    return int(4 * log2(max(1, input_bytes)))
