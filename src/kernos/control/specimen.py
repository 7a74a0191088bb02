"""Specimen: the smallest value that fits a JSON Schema, for answers that nobody gave."""

from collections.abc import Mapping
from typing import Any

from msgspec import json

from kernos.vocabulary.quantities import Json

_DEPTH_MAX = 32
"""A schema may refer to itself; deeper than this nothing is filled in any more."""

_TEXTS = {
    "date": "1970-01-01",
    "date-time": "1970-01-01T00:00:00Z",
    "time": "00:00:00Z",
    "email": "nobody@example.com",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "uri": "https://example.com/",
    "duration": "PT0S",
}


def specimen_of(schema: Json) -> Json:
    """Return a small value for a schema: constants, first choices, defaults, required fields, lowest numbers."""
    whole = json.decode(schema.text)
    return Json(json.encode(_specimen(whole, whole, 0)))


def _specimen(part: Any, whole: Any, depth: int) -> Any:
    if not isinstance(part, dict) or depth > _DEPTH_MAX:
        return None
    for name in ("const", "default"):
        if name in part:
            return part[name]
    if "enum" in part:
        return part["enum"][0]
    if "$ref" in part:
        return _specimen(_referred(part["$ref"], whole), whole, depth + 1)
    for name in ("anyOf", "oneOf", "allOf"):
        if part.get(name):
            return _specimen(part[name][0], whole, depth + 1)
    kind = part.get("type", "object" if "properties" in part else "null")
    match kind[0] if isinstance(kind, list) else kind:
        case "object":
            properties = part.get("properties", {})
            return {name: _specimen(properties.get(name), whole, depth + 1) for name in part.get("required", ())}
        case "array":
            items = part.get("prefixItems") or [part.get("items")] * part.get("minItems", 0)
            return [_specimen(item, whole, depth + 1) for item in items]
        case "string":
            return _TEXTS.get(part.get("format", ""), "x" * part.get("minLength", 0))
        case "integer" | "number":
            return _lowest(part)
        case "boolean":
            return False
        case _:
            return None


def _referred(name: str, whole: Any) -> Any:
    for step in name.removeprefix("#/").split("/"):
        whole = whole.get(step, {}) if isinstance(whole, dict) else {}
    return whole


def _lowest(part: Mapping[str, Any]) -> Any:
    if "exclusiveMinimum" in part:
        return part["exclusiveMinimum"] + 1
    lowest = part.get("minimum", 0)
    return min(lowest, part["maximum"]) if "maximum" in part and "minimum" not in part else lowest
