"""Answer schema: the JSON Schema of an answer in the form that strict structured outputs demand.

Strict endpoints want every object closed and every property required. An answer to the stricter schema
fits the one it was made from. Open maps cannot be closed, so a schema with one is sent as it is and not
called strict.
"""

from collections.abc import Mapping
from typing import Any

_MAPS = ("$defs", "definitions", "properties")
"""Keywords whose value maps names to schemas: a property may be called `properties` itself."""


def strict(schema: object) -> tuple[dict[str, Any] | None, bool]:
    """Return the schema to send and whether it is strict; None for an answer that is no object."""
    if not isinstance(schema, Mapping):
        return None, False
    root: object = schema
    reference = str(schema.get("$ref", ""))
    if reference.startswith("#/$defs/"):
        root = schema.get("$defs", {}).get(reference.removeprefix("#/$defs/"), {})
    if not isinstance(root, Mapping) or root.get("type") != "object":
        return None, False
    if _open(schema):
        return dict(schema), False
    closed = _closed(schema)
    assert isinstance(closed, dict)
    return closed, True


def _open(node: object) -> bool:
    """Tell whether some object in the schema takes names that it does not list."""
    if isinstance(node, list):
        return any(_open(part) for part in node)
    if not isinstance(node, Mapping):
        return False
    if node.get("type") == "object" and (
        "properties" not in node or node.get("additionalProperties", False) is not False
    ):
        return True
    return any(_open(part) for part in _parts(node))


def _parts(node: Mapping[str, Any]) -> list[object]:
    parts: list[object] = []
    for keyword, part in node.items():
        if keyword in _MAPS and isinstance(part, Mapping):
            parts.extend(part.values())
        elif keyword not in ("default", "const", "enum", "examples"):  # Values, not schemas.
            parts.append(part)
    return parts


def _closed(node: object) -> object:
    if isinstance(node, list):
        return [_closed(part) for part in node]
    if not isinstance(node, Mapping):
        return node
    found: dict[str, Any] = {}
    for keyword, part in node.items():
        if keyword in _MAPS and isinstance(part, Mapping):
            found[keyword] = {name: _closed(inner) for name, inner in part.items()}
        elif keyword in ("const", "enum"):
            found[keyword] = part
        elif keyword not in (
            "default",
            "examples",
        ):  # Strict endpoints refuse them, and nothing is left to default.
            found[keyword] = _closed(part)
    if found.get("type") == "object":
        found["additionalProperties"] = False
        found["required"] = list(found.get("properties", {}))
    return found
