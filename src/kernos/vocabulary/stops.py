"""Stops: orders that nothing more leaves the kernel, for everything, a tenant, an agent or a tool, until a person lifts them."""

from dataclasses import dataclass
from enum import StrEnum


class StopKind(StrEnum):
    """What a stop is for."""

    ALL = "all"
    TENANT = "tenant"
    AGENT = "agent"
    """By name, or by name and version as `desk@3`."""
    TOOL = "tool"


@dataclass(frozen=True, slots=True)
class StopOrdered:
    """Nothing of this leaves the kernel from now on; `name` is empty for `all`."""

    kind: StopKind
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class StopLifted:
    """A person let it go on."""

    kind: StopKind
    name: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class OrderStop:
    """Let nothing of this leave the kernel."""

    kind: StopKind
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class LiftStop:
    """Let it go on."""

    kind: StopKind
    name: str
    reason: str = ""


def shown_stop(kind: StopKind, name: str) -> str:
    """Say what a stop is for."""
    return "everything" if kind is StopKind.ALL else f"{kind} {name}"
