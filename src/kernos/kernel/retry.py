"""Retry: whether another attempt is made, and when."""

from kernos.vocabulary.ids import EpochMs
from kernos.vocabulary.quantities import WAIT_MS_MAX, Retry

CHANCE_BITS = 16
"""Random bits that one delay needs: finer jitter than a millisecond in a minute is of no use."""


def next_attempt_at(retry: Retry, attempt: int, at: EpochMs, chance: int, retry_after_ms: int = 0) -> EpochMs | None:
    """Return when the attempt after `attempt` (from 1) starts, None when there is none.

    Exponential backoff with jitter over the upper half of the delay, so that callers who failed together do not come back
    together; never before the service's own wish. `chance`: 0 <= chance < 2**16.
    """
    assert attempt >= 1, attempt
    assert 0 <= chance < 1 << CHANCE_BITS, chance
    if attempt >= retry.attempts:
        return None
    full = min(retry.delay_max_ms, int(retry.first_delay_ms * retry.factor ** (attempt - 1)))
    delay = full // 2 + (full - full // 2) * chance // (1 << CHANCE_BITS)
    return EpochMs(at + min(max(delay, retry_after_ms), WAIT_MS_MAX))
