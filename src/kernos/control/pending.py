"""Pending: a call of which nothing is in the journal before its answer, and when it is tried again."""

from dataclasses import dataclass

from kernos.kernel.retry import next_attempt_at
from kernos.vocabulary.gate import Decision
from kernos.vocabulary.ids import EpochMs
from kernos.vocabulary.outcome import AttemptFailed
from kernos.vocabulary.quantities import Retry
from kernos.vocabulary.questions import AskCall, AskModel

MODEL_RETRY = Retry(attempts=3)
"""A model that fails three times in a row is better replaced than asked again."""

_WHEN_OVERLOADED = Retry(attempts=100, first_delay_ms=200, factor=1.5, delay_max_ms=60_000)
"""One that has too many calls is asked again for more than an hour: it refused what the kernel sends in all, not this call."""


@dataclass(slots=True)
class Pending:
    """A read, a model call, or a look at the world before an action."""

    question: AskCall | AskModel
    gate: Decision
    attempt: int = 1
    observes: bool = False
    refusals: int = 0
    """Times that the model had too many calls, one after the other."""

    def failed(self, failed: AttemptFailed, retry: Retry, at: EpochMs, chance: int) -> tuple[EpochMs | None, bool]:
        """Count a failed attempt; return when the next one is made, None for never, and whether this one is used up."""
        if isinstance(self.question, AskModel) and failed.retry_after_ms and failed.usage is None:
            self.refusals += 1
            return next_attempt_at(_WHEN_OVERLOADED, self.refusals, at, chance, failed.retry_after_ms), False
        self.refusals = 0
        next_at = next_attempt_at(retry, self.attempt, at, chance, failed.retry_after_ms)
        if next_at is not None:
            self.attempt += 1
        return next_at, True
