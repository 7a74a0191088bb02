"""Window: how many calls may be under way at once at something whose capacity nobody told us.

Calls that have to wait at the other end begin to be answered later than others. By how much later than when none waited, times how many are under way, over how
long they take, is how many wait (Little's law). While fewer than one does the window grows, when more do it shrinks by as many; a refusal cuts it.
"""

from dataclasses import dataclass, field
from math import log2
from statistics import fmean

CUT = 0.8
"""What is left of the window when calls are refused because there are too many."""

LOOK_MIN = 16
"""Answers between two looks at how late they began; half a window of them where that is more."""

LOOK_NEW = 8
"""The same as long as the window has met no bound."""

GROWTH = 0.4
"""By how much the window grows with each answer until it meets a bound for the first time."""

TRIAL = 0.8
"""What is left of the window for one look, now and then, to see how soon answers begin when surely none waits."""

TRIAL_MS = 60_000
"""From one such look to the next."""

WAITING_MAX = 1.5
"""Calls that may wait at the other end on average: a place that is free is taken at once, and who comes next waits for few."""

_CARE = 64
"""Answers for each place by which the window grows where refusals bound it: every one of them costs a pause."""

_STEP_SHARE = 16
"""A small window grows by this share of itself at a look, a larger one by one."""

_LATE_MS = 5.0
"""Lateness that is chance."""

_SIZES = 3
"""Kinds of prompts between one length and its double: longer ones are answered later."""

_SEEN_MIN = 3
"""Answers of a kind before any of them counts as late."""

_FADE_MS = 60_000
"""How long what was best counts as what is possible, at least."""

_SMOOTH = 1 / 16
"""Weight of the newest call in how long calls take."""


@dataclass(slots=True)
class _Least:
    """The least of something, of this minute and of the one before."""

    now: float
    before: float
    since: float
    seen: int = 0

    def note(self, value: float, at: float) -> None:
        if at - self.since > _FADE_MS:
            self.before, self.now, self.since = self.now, value, at
        self.now = min(self.now, value)
        self.seen += 1

    @property
    def value(self) -> float:
        return min(self.now, self.before)


@dataclass(slots=True)
class Window:
    """How many calls may be under way."""

    limit: float = 8.0
    limit_max: float = 1_000.0
    total_ms: float = 0.0
    """How long calls take, of late."""
    is_new: bool = True
    """It has never met a bound: it grows with each answer."""
    _is_refused: bool = False
    """Refusals bound it, not lateness: it grows with care."""
    _cut_at: float = -1e18
    _tried_at: float = 0.0
    _before_trial: float = 0.0
    """The limit before it was lowered to see how soon answers can begin; 0 where it is not."""
    _late: list[float] = field(default_factory=list)
    """By how much the answers since the last look began later than the soonest of their kind."""
    _is_used: bool = False
    _usual: _Least | None = None
    """How late answers are on average when none waits."""
    _soonest: dict[int, _Least] = field(default_factory=dict)

    def answered(self, sent_at: float, at: float, first_ms: float | None, prompt_tokens: int, under_way: int) -> None:
        """Take notice of an answer: when it was asked for and given (ms), how soon it began, and how many calls were under way with it.

        `first_ms`: None where an answer came in one piece. Where all do, only refusals tell that there are too many.
        """
        took = at - sent_at
        self.total_ms = took if not self.total_ms else self.total_ms + _SMOOTH * (took - self.total_ms)
        if first_ms is None:
            late = None if self._soonest else 0.0
        else:
            late = self._lateness(first_ms, int(_SIZES * log2(max(1, prompt_tokens))), at)
        self._is_used = self._is_used or under_way >= self.limit - 1
        if self.is_new and self._is_used and self._usual is not None:
            self._grow(GROWTH)
        if late is None:
            return
        self._late.append(late)
        if len(self._late) >= (LOOK_NEW if self.is_new else max(LOOK_MIN, self.limit / 2)):
            self._look(at)

    def _lateness(self, first_ms: float, size: int, at: float) -> float | None:
        """Return by how much an answer began later than that of a call of its size, or a larger one, can; None while that is not known."""
        own = self._soonest.get(size)
        if own is None:
            own = self._soonest[size] = _Least(first_ms, first_ms, at)
        own.note(first_ms, at)
        known = [one.value for kind, one in self._soonest.items() if kind >= size and one.seen >= _SEEN_MIN]
        return first_ms - min(known) if known else None

    def _look(self, at: float) -> None:
        """See how many calls wait at the other end."""
        answers, is_used, late = len(self._late), self._is_used, fmean(self._late)
        self._late, self._is_used = [], False
        if self._usual is None:
            self._usual = _Least(late, late, at)
        later = late - self._usual.value
        if answers >= LOOK_MIN:
            self._usual.note(late, at)
        if self._before_trial:
            self.limit, self._before_trial = self._before_trial, 0.0
        waiting = self.limit * later / max(1.0, self.total_ms)
        if later > _LATE_MS and waiting > WAITING_MAX:
            self.is_new = self._is_refused = False
            self.limit = max(1.0, self.limit - min(max(0.5, waiting - 0.5), self.limit / 2))
        elif is_used and not self.is_new:
            self._grow(answers / _CARE if self._is_refused else min(1.0, self.limit / _STEP_SHARE))
        if at - self._tried_at > TRIAL_MS and not self.is_new:
            self._tried_at, self._before_trial = at, self.limit
            self.limit = max(1.0, min(self.limit * TRIAL, self.limit - 2))

    def _grow(self, by: float) -> None:
        self.limit = min(self.limit_max, self.limit + by)

    def refused(self, at: float) -> None:
        """Take notice that a call was refused because there are too many; one cut for all of the same time."""
        self.is_new = False
        self._is_refused = True
        if at - self._cut_at >= self.total_ms:
            self.limit = max(1.0, self.limit * CUT)
            self._cut_at = at
