"""JSON values, limits and retry policies: the numbers a contract is made of, each with its unit, default and reason."""

from dataclasses import dataclass


class Json:
    """One JSON value as its UTF-8 bytes, exactly as it was first written; equal when the bytes are equal.

    No dataclass, so that the journal's encoder does not take it for an object with a field `text`.
    """

    __slots__ = ("text",)
    text: bytes

    def __init__(self, text: bytes) -> None:
        """Take JSON text; it is not checked here, but by whoever made it."""
        object.__setattr__(self, "text", text)

    def __setattr__(self, name: str, value: object) -> None:
        """Refuse: a Json is frozen."""
        message = f"a Json cannot be changed ({name})"
        raise AttributeError(message)

    def __eq__(self, other: object) -> bool:
        """Compare the bytes."""
        return isinstance(other, Json) and self.text == other.text

    def __hash__(self) -> int:
        """Hash the bytes."""
        return hash(self.text)

    def __repr__(self) -> str:
        """Show the text."""
        return f"Json({self.text!r})"


NULL = Json(b"null")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one run may use at most. A run over a limit fails with code `limit`; nothing is cut silently."""

    steps: int = 1_000
    """Recorded steps. A thousand steps replay in some 20 ms, so a resume stays unnoticed."""
    depth: int = 8
    """Generations of child runs below the first run: deeper trees are loops by mistake."""
    fan_out: int = 100
    """Branches of one fork, and child runs open at once."""
    wall_time_ms: int = 30 * 86_400_000
    """From request to end, waiting included: 30 days outlast a holiday of whoever approves."""


@dataclass(frozen=True, slots=True)
class Retry:
    """How often and how far apart attempts follow one another: exponential backoff with full jitter."""

    attempts: int = 5
    """Attempts in all, the first included (1 to 100). Five span about half a minute with these defaults."""
    first_delay_ms: int = 500
    delay_max_ms: int = 60_000
    factor: float = 2.0


@dataclass(frozen=True, slots=True)
class Usage:
    """What one model call used. Costs are micro-dollars; 0 is free of charge (a local model), -1 is unknown."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_microusd: int = 0
    cached_tokens: int = 0
    """Of the prompt tokens those that the provider had at hand from calls before."""

    @property
    def work(self) -> int:
        """Return what a model's time goes into, in tokens written: to read is some thirty times quicker than to write."""
        return self.completion_tokens + self.prompt_tokens // READ_PER_WRITTEN


@dataclass(frozen=True, slots=True)
class Pace:
    """How one call went on the way: milliseconds, and what the service said of its own limits; -1 where nobody knows."""

    first_ms: int = -1
    """From asking to the first piece of the answer, where that came by itself."""
    requests_left: int = -1
    tokens_left: int = -1
    resets_in_ms: int = -1
    """After how long those are whole again."""


READ_PER_WRITTEN = 32
"""Tokens that a model reads in the time in which it writes one; from 20 to 100 on today's hardware."""


PAYLOAD_INLINE_BYTES_MAX = 32 * 1024
"""Larger event data lies beside the journal by its SHA-256: one page chain per event would slow every scan."""

PAYLOAD_BYTES_MAX = 64 * 1024 * 1024
"""The largest single event data: what a laptop's memory takes several times over. Larger things are files."""

SIGNALS_HELD_MAX = 1_000
"""Signals a run holds before it asks for them; the next one is refused to its sender."""

QUEUE_RUNS_MAX = 100_000
"""Runs admitted but not yet taken by a worker; further requests are refused with a time to come back."""

ACTIVE_RUNS_MAX = 512
"""Runs in memory at once: enough to fill a commit group, few enough to stay within some tens of megabytes."""

WAIT_MS_MAX = 100 * 365 * 86_400_000
"""The longest wait, deadline or delay: a hundred years. Who gives more means never, and dates and 64-bit numbers end somewhere."""

APPROVAL_TOKEN_MS = 15 * 60_000
"""How long a person's signed yes may be used: the run goes on at once; a yes that lay longer meets another world."""

APPROVAL_TTL_MS = 7 * 86_400_000
"""How long a question to a person stands before it counts as denied: a week covers weekends and short illness."""
