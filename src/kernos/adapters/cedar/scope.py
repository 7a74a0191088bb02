"""Scope: whether a policy's head can fit a call, decided from its parsed form alone.

A policy whose head does not fit is never satisfied, and its conditions are never evaluated (Cedar's
semantics of authorization), so leaving it out changes neither answer nor grounds. The action is not looked
at, because both are asked. A kind of head that is unknown here counts as fitting.
"""

from collections.abc import Collection, Mapping
from typing import Any


def fits(body: Mapping[str, Any], agent: str, kind: str, name: str, effects: Collection[str]) -> bool:
    """Tell whether a parsed policy's head fits a call by `agent` of `kind::"name"` with these parents."""
    parents = {("Effect", effect) for effect in effects}
    return _fits(body["principal"], ("Agent", agent), ()) and _fits(body["resource"], (kind, name), parents)


def is_about(body: Mapping[str, Any], action: str) -> bool:
    """Tell whether a parsed policy speaks about an action, by its name or about all."""
    return body["action"]["op"] not in ("==", "in") or names(body, action)


def names(body: Mapping[str, Any], action: str) -> bool:
    """Tell whether a parsed policy names an action."""
    head = body["action"]
    match head["op"]:
        case "==":
            return bool(head["entity"]["id"] == action)
        case "in":
            named = head["entities"] if "entities" in head else [head["entity"]]
            return any(one["id"] == action for one in named)
        case _:
            return False


def _fits(head: Mapping[str, Any], entity: tuple[str, str], parents: Collection[tuple[str, str]]) -> bool:
    match head["op"]:
        case "==":
            return _named(head) == entity
        case "in":
            return _named(head) in {entity, *parents}
        case "is":
            inside = head.get("in")
            within = inside is None or _named(inside) in {entity, *parents}
            return head["entity_type"] == entity[0] and within
        case _:
            return True


def _named(head: Mapping[str, Any]) -> tuple[str, str]:
    named = head["entity"]
    return named["type"], named["id"]
