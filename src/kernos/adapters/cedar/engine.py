"""Engine: what reads, checks and evaluates policies behind `CedarPolicy`: cedarpy, or Python alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from kernos.adapters.cedar.schema import ToolType
from kernos.adapters.cedar.shape import Shape

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Schema:
    """What policies can speak about: the tools' types by tool, what is known besides the call, and both as Cedar's schema text."""

    tools: Mapping[str, ToolType]
    known: Mapping[str, Shape]
    text: str


@dataclass(frozen=True, slots=True)
class Sides:
    """A call in Cedar's terms: entities as type and id, and values as JSON has them."""

    principal: tuple[str, str]
    resource: tuple[str, str]
    parents: Sequence[tuple[str, str]]
    attributes: Mapping[str, object]
    principal_attributes: Mapping[str, object]
    context: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether it is allowed, the policies that determined it, and what could not be evaluated, in words."""

    allowed: bool
    reasons: Sequence[str]
    errors: Sequence[str]


class PolicySet(Protocol):
    """Some policies, ready to be asked."""

    def ask(self, sides: Sides) -> tuple[Verdict, Verdict]:
        """Answer for `Action::"invoke"` and for `Action::"unattended"`. Total."""
        ...

    def ask_once(self, sides: Sides) -> Verdict:
        """Answer for `Action::"invoke"`, where no policy tells the two actions apart. Total."""
        ...

    def ask_open(self, sides: Sides) -> Verdict:
        """Answer for `Action::"open"`. Total."""
        ...


class Engine(Protocol):
    """One way to deal with Cedar; made for one schema."""

    def read(self, statement: str) -> tuple[Body, bool]:
        """Return the form of one policy in Cedar's JSON, and whether it is a template. Raises ValueError, where known with `offset`."""
        ...

    def faults(self, statement: str, body: Body) -> Sequence[str]:
        """Return how a policy does not fit the schema, in Cedar's words."""
        ...

    def load(self, bodies: Mapping[str, Body]) -> PolicySet:
        """Return policies by id, ready to be asked."""
        ...
