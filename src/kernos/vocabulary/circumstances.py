"""Circumstances: what policies may ask about a call besides its arguments, as it is declared beside them, and how it is counted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from kernos.vocabulary.ids import EpochMs

MODEL_CALLS = "model"
"""Stands among `since` for the run's model calls."""

ALWAYS: Mapping[str, str] = {
    "tool": "String",
    "digest": "String",
    "now_ms": "Long",
    "hour": "Long",
    "minute": "Long",
    "weekday": "String",
    "read_untrusted": "Bool",
    "unvouched": "Set<String>",
    "approvals": "Long",
    "roles": "Set<String>",
    "labels": "Set<String>",
}
"""What policies may ask about without a declaration, with its Cedar type."""

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True)
class KeyPath:
    """Where in a tool's arguments the key stands: dotted paths, with others for some tools."""

    paths: tuple[str, ...] = ()
    """None: no key, all calls count together."""
    others: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def of(self, tool: str) -> tuple[str, ...]:
        """Return the paths for a tool."""
        return self.others.get(tool, self.paths)


@dataclass(frozen=True, slots=True)
class Counter:
    """A number of actions, or the sum of one of their arguments, that policies know as `context.NAME`."""

    name: str
    tools: tuple[str, ...]
    by: KeyPath = KeyPath()
    of: KeyPath | None = None
    """The argument that is summed up; None: the actions are counted."""
    within_ms: int = 0
    """How far back; 0 for ever."""
    in_run: bool = False
    """Only this run's own calls, reads among them."""
    since: tuple[str, ...] = ()
    """Only what came after the newest call of one of these tools with the same key."""


@dataclass(frozen=True, slots=True)
class RecordRead:
    """The newest answer of a reading tool in this run, for the same key, that policies know as `context.NAME`."""

    name: str
    tools: tuple[str, ...]
    by: KeyPath = KeyPath()


@dataclass(frozen=True, slots=True)
class Declared:
    """What `context.toml` declares."""

    zone: str = "UTC"
    counters: tuple[Counter, ...] = ()
    records: tuple[RecordRead, ...] = ()


NOTHING_DECLARED = Declared()


@dataclass(frozen=True, slots=True)
class Counted:
    """One entry of a counter: an action adds it with its intent."""

    counter: str
    key: str
    amount: int


@dataclass(frozen=True, slots=True)
class Totals:
    """What rows add up to."""

    rows: int
    total: int
    newest: EpochMs
    """0 without any row."""


class Known(Protocol):
    """What the kernel knows about one call."""

    def value(self, name: str) -> object:
        """Return what policies know as `context.NAME`, as a JSON value; None when there is none for this call."""
        ...
