"""Two engines: what cedarpy and Cedar in Python say of the same policies."""

import json
import re
from typing import Any

import cedarpy

from kernos.adapters.cedar.pure.evaluation import Entity, Facts, Policies, Question, Verdict, value_of
from kernos.adapters.cedar.pure.text import read
from kernos.adapters.cedar.pure.tokens import Unreadable

_POLICY_NAME = re.compile(r"for policy `([^`]*)`|evaluating policy `([^`]*)`")

Forms = tuple[list[object], list[object]]
"""Of static policies, and of templates."""


def asked(text: str, context: dict[str, Any], attrs: dict[str, Any]) -> tuple[bool, list[str], list[str]]:
    """Ask cedarpy: whether it is allowed, the policies that determined it, and those that could not be evaluated."""
    found = cedarpy.is_authorized(
        {
            "principal": {"type": "Agent", "id": "a"},
            "action": {"type": "Action", "id": "x"},
            "resource": {"type": "T", "id": "r"},
            "context": context,
        },
        text,
        [
            {
                "uid": {"type": "T", "id": "r"},
                "attrs": attrs,
                "parents": [{"type": "Effect", "id": "read"}],
                "tags": {"a": "t"},
            }
        ],
    )
    errors = found.diagnostics.errors
    names = [name for error in errors for pair in _POLICY_NAME.findall(error) for name in pair if name]
    assert len(names) == len(errors), errors
    return found.allowed, sorted(found.diagnostics.reasons), sorted(names)


def question(context: dict[str, Any], attrs: dict[str, Any]) -> Question:
    """Return the same question in the terms of the engine in Python."""
    own = Facts(value_of(attrs), frozenset({Entity("Effect", "read")}), {"a": "t"})
    resource = Entity("T", "r")
    return Question(Entity("Agent", "a"), Entity("Action", "x"), resource, value_of(context), {resource: own})


def pure(text: str, context: dict[str, Any], attrs: dict[str, Any]) -> Verdict:
    """Ask the engine in Python."""
    forms = {f"policy{place}": form for place, (form, _) in enumerate(read(text))}
    return Policies(forms).ask(question(context, attrs))


def told(verdict: Verdict) -> tuple[bool, list[str], list[str]]:
    """Return a verdict as `asked` does."""
    return verdict.allowed, sorted(verdict.reasons), sorted(name for name, _ in verdict.errors)


def cedar_forms(text: str) -> Forms | None:
    """Read with cedarpy; None for what it refuses."""
    try:
        found = json.loads(cedarpy.policies_to_json_str(text))
    except ValueError:
        return None
    return list(found["staticPolicies"].values()), list(found["templates"].values())


def pure_forms(text: str) -> tuple[Forms | None, int]:
    """Read with the engine in Python: the forms, or None and the offset of what it refuses."""
    try:
        found = read(text)
    except Unreadable as refused:
        return None, refused.offset
    return ([form for form, slots in found if not slots], [form for form, slots in found if slots]), 0
