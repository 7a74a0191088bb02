"""Window: how many calls may be under way at once at something whose capacity nobody told us.

Calls that have to wait at the other end begin to be answered later than calls of their size can be. As long as some begin as soon as ever, there was a
free place and the window grows by one; when for some time none does, calls wait there always, and it shrinks by as many. A refusal cuts it.
"""

from dataclasses import dataclass, field
from math import log2

CUT = 0.8
"""What is left of the window when calls are refused because there are too many."""

ANSWERS_MIN = 4
"""Answers looked at before the window changes; more for a large one: half of it."""

GROWTH = 0.4
"""By how much the window grows with each answer until it meets a bound for the first time."""

_CHANCES = 16
"""Over the limit: how many of the answers since the last look came soon by chance, because two places became free at once."""

_CARE = 64
"""Answers for each place by which the window grows where refusals bound it: every one of them costs a pause."""

_LATE_MS = 5.0
"""Lateness that is chance."""

_WAITING = 0.25
"""Calls that wait at the other end at least, on average, where each of some answers comes late; below it is chance."""

_SIZES = 3
"""Kinds of prompts between one length and its double: longer ones are answered later."""

_SEEN_MIN = 3
"""Answers of a kind before any of them counts as late."""

_FADE_MS = 60_000
"""How long the soonest answer counts as what is possible, at least."""

_SMOOTH = 1 / 16
"""Weight of the newest call in how long calls take."""


@dataclass(slots=True)
class _Soonest:
    """The soonest that a kind of call began to be answered, of this minute and of the one before."""

    now: float
    before: float
    since: float
    seen: int = 0

    def note(self, first_ms: float, at: float) -> None:
        if at - self.since > _FADE_MS:
            self.before, self.now, self.since = self.now, first_ms, at
        self.now = min(self.now, first_ms)
        self.seen += 1


@dataclass(slots=True)
class Window:
    """How many calls may be under way."""

    limit: float = 8.0
    limit_max: float = 1_000.0
    total_ms: float = 0.0
    """How long calls take, of late."""
    is_new: bool = True
    """It has never met a bound: it grows with each answer."""
    _cut_at: float = -1e18
    _late: list[float] = field(default_factory=list)
    """By how much the answers since the last look began later than they could."""
    _is_used: bool = False
    _is_refused: bool = False
    """Refusals bound it, not lateness: it grows with care."""
    _soonest: dict[int, _Soonest] = field(default_factory=dict)

    def answered(self, sent_at: float, at: float, first_ms: float | None, prompt_tokens: int, under_way: int) -> None:
        """Take notice of an answer: when it was asked for and given (ms), how soon it began, and how many calls were under way with it.

        `first_ms`: None where an answer came in one piece. Of such ones only refusals tell that there are too many.
        """
        took = at - sent_at
        self.total_ms = took if not self.total_ms else self.total_ms + _SMOOTH * (took - self.total_ms)
        late = 0.0 if first_ms is None else self._lateness(first_ms, int(_SIZES * log2(max(1, prompt_tokens))), at)
        self._is_used = self._is_used or under_way >= self.limit - 1
        if self.is_new and self._is_used:
            self._grow(GROWTH)
        if late is None:
            return
        self._late.append(late)
        if len(self._late) >= (ANSWERS_MIN if self.is_new else max(2 * ANSWERS_MIN, self.limit / 2)):
            self._look()

    def _lateness(self, first_ms: float, size: int, at: float) -> float | None:
        """Return by how much an answer began later than that of a call of its size, or a larger one, can; None while that is not known."""
        own = self._soonest.get(size)
        if own is None:
            own = self._soonest[size] = _Soonest(first_ms, first_ms, at)
        own.note(first_ms, at)
        known = [one for kind, one in self._soonest.items() if kind >= size and one.seen >= _SEEN_MIN]
        return first_ms - min(min(one.now, one.before) for one in known) if known else None

    def _look(self) -> None:
        """See whether calls wait at the other end: all but those for which a place came free by chance."""
        answers, is_used = len(self._late), self._is_used
        late = sorted(self._late)[min(answers - 1, int(_CHANCES / self.limit))]
        self._late, self._is_used = [], False
        waiting = self.limit * late / max(1.0, self.total_ms)
        if late > _LATE_MS and waiting > _WAITING:
            self.is_new = self._is_refused = False
            self.limit = max(1.0, self.limit - min(max(1.0, waiting), self.limit / 2))
        elif is_used and not self.is_new:
            self._grow(answers / _CARE if self._is_refused else min(1.0, answers / 8))

    def _grow(self, by: float) -> None:
        self.limit = min(self.limit_max, self.limit + by)

    def refused(self, at: float) -> None:
        """Take notice that a call was refused because there are too many; one cut for all of the same time."""
        self.is_new = False
        self._is_refused = True
        if at - self._cut_at >= self.total_ms:
            self.limit = max(1.0, self.limit * CUT)
            self._cut_at = at
