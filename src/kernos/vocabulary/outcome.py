"""Outcomes: how a step or an attempt ended, apart from what was persisted about it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from kernos.vocabulary.quantities import Json, Usage


class Effect(StrEnum):
    """The effect class of a tool: what may be done when the outcome of a call is unknown (design section 7)."""

    READ = "read"
    IDEMPOTENT = "idempotent"
    VERIFIABLE = "verifiable"
    ONCE = "once"


class FailureKind(StrEnum):
    """What a failed attempt means for the next one."""

    FINAL = "final"
    """It did not happen and will not: a repeat gets the same answer."""
    RETRYABLE = "retryable"
    """It did not happen; later it may."""
    UNKNOWN = "unknown"
    """It may have happened: no answer, or one that does not say."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why something did not succeed. `code` is stable; for a failed child it is the child's failure mode."""

    code: str
    message: str
    details: Json | None = None

    def __bool__(self) -> bool:
        """Refuse: ask `isinstance(outcome, Failure)`."""
        message = "a Failure is neither true nor false; ask isinstance(outcome, Failure)"
        raise TypeError(message)


@dataclass(frozen=True, slots=True)
class AttemptFailed:
    """One attempt's failure, classified by its adapter. `retry_after_ms` is the service's own wish, 0 for none."""

    kind: FailureKind
    message: str
    retry_after_ms: int = 0
    details: Json | None = None
    usage: Usage | None = None
    """What a model used although its answer is of no use; None where none answered."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a look-up saw: the action happened (`result`), did not happen, or cannot be told."""

    done: bool | None
    evidence: str
    result: Any = None
    """What the tool would have returned, as its own type or as Json; in the kernel always Json or None."""


Outcome = Json | Failure
"""How a step ended: its result, or a failure that the agent's code gets as an exception."""
