"""Shape: the part of a tool's JSON Schema that Cedar can express, and values put into that form.

| JSON Schema | Cedar |
| --- | --- |
| string; enum and const of strings | String |
| integer; enum and const of integers | Long |
| boolean | Bool |
| array of one expressible type | Set |
| object with named properties | Record |
| a union of one of these with null, or not required | optional attribute, absent when null |

All else is left out of the schema and of the attributes alike: numbers (Cedar has whole ones only), open
maps, unions of several types, tuples, lists that may hold null, types that contain themselves, and names
that begin with two underscores.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

LONG_MIN = -(2**63)
LONG_MAX = 2**63 - 1

RESERVED = frozenset({"true", "false", "if", "then", "else", "in", "is", "like", "has", "__cedar"})
"""Words that Cedar's grammar keeps for itself: no identifier may be one."""

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_DEPTH_MAX = 16
"""Levels of nested types that are followed; deeper ones are left out, lest a schema exhaust the stack."""


class DoesNotFit(ValueError):
    """A value cannot be put into its attribute's form; the message names place and type, never the value."""


class LeftOut(ValueError):
    """A type that Cedar cannot express; the message says why."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """String, Long or Bool."""

    name: str

    def text(self, indent: str) -> str:
        """Write the type as Cedar schema text."""
        del indent
        return self.name

    def value(self, value: object, at: str) -> object:
        """Return the value as it stands in an entity's attributes."""
        wanted = _PYTHON[self.name]
        if type(value) is not wanted:
            message = f"{at} should be a {self.name}, and it is {_kind(value)}"
            raise DoesNotFit(message)
        if isinstance(value, int) and not LONG_MIN <= value <= LONG_MAX:
            message = f"{at} is beyond the 64 bits of a Long"
            raise DoesNotFit(message)
        return value


@dataclass(frozen=True, slots=True)
class SetOf:
    """A set of one type."""

    item: "Shape"

    def text(self, indent: str) -> str:
        """Write the type as Cedar schema text."""
        return f"Set<{self.item.text(indent)}>"

    def value(self, value: object, at: str) -> object:
        """Return the value as it stands in an entity's attributes."""
        if not isinstance(value, list):
            message = f"{at} should be a list, and it is {_kind(value)}"
            raise DoesNotFit(message)
        return [self.item.value(item, f"{at}[{place}]") for place, item in enumerate(value)]


@dataclass(frozen=True, slots=True)
class Attribute:
    """A named part of a record."""

    name: str
    shape: "Shape"
    required: bool


@dataclass(frozen=True, slots=True)
class Record:
    """Named attributes, and in words what was left out."""

    attributes: tuple[Attribute, ...] = ()
    left_out: tuple[str, ...] = ()

    def text(self, indent: str) -> str:
        """Write the type as Cedar schema text."""
        inner = indent + "  "
        lines = [f"{inner}// left out: {reason}\n" for reason in self.left_out]
        for attribute in self.attributes:
            mark = "" if attribute.required else "?"
            lines.append(f"{inner}{_name_text(attribute.name)}{mark}: {attribute.shape.text(inner)},\n")
        return "{\n" + "".join(lines) + indent + "}"

    def value(self, value: object, at: str) -> dict[str, object]:
        """Return the value as it stands in an entity's attributes; what was left out stays out."""
        if not isinstance(value, dict):
            message = f"{at} should be an object, and it is {_kind(value)}"
            raise DoesNotFit(message)
        found: dict[str, object] = {}
        for attribute in self.attributes:
            part = value.get(attribute.name)
            if part is not None:
                found[attribute.name] = attribute.shape.value(part, f"{at}.{attribute.name}")
            elif attribute.required:
                message = f"{at}.{attribute.name} is missing"
                raise DoesNotFit(message)
        return found


Shape = Scalar | SetOf | Record

_PYTHON: Mapping[str, type] = {"String": str, "Long": int, "Bool": bool}
_SCALARS = {"string": Scalar("String"), "integer": Scalar("Long"), "boolean": Scalar("Bool")}


def read_input(schema: object) -> Record:
    """Read the JSON Schema of a tool's input: a record, empty where Cedar can express nothing of it."""
    if not isinstance(schema, dict):
        return Record()
    try:
        shape, _ = _read(schema, _definitions(schema), ())
    except LeftOut as reason:
        return Record((), (f"everything: {reason}",))
    if isinstance(shape, Record):
        return shape
    return Record((), ("everything: the input is no object",))


def _read(schema: Mapping[str, Any], definitions: Mapping[str, Any], path: tuple[str, ...]) -> tuple[Shape, bool]:
    """Return the shape and whether null is allowed. `path` holds references and levels on the way here."""
    if len(path) > _DEPTH_MAX:
        message = f"nested deeper than {_DEPTH_MAX} levels"
        raise LeftOut(message)
    if "$ref" in schema:
        return _read_reference(str(schema["$ref"]), definitions, path)
    if "const" in schema or "enum" in schema:
        return _read_values(schema["enum"] if "enum" in schema else [schema["const"]])
    for union in ("anyOf", "oneOf", "allOf"):
        if union in schema:
            return _read_union(schema[union], union, definitions, (*path, ""))
    kinds = schema.get("type")
    if isinstance(kinds, list):
        return _read_union([{**schema, "type": kind} for kind in kinds], "type", definitions, (*path, ""))
    if kinds in ("array", "object"):
        read = _read_array if kinds == "array" else _read_object
        return read(schema, definitions, (*path, "")), False
    if kinds in _SCALARS:
        return _SCALARS[kinds], False
    message = "a number that may have a fraction" if kinds == "number" else "its type is open"
    raise LeftOut(message)


def _read_reference(reference: str, definitions: Mapping[str, Any], path: tuple[str, ...]) -> tuple[Shape, bool]:
    target = definitions.get(reference)
    if reference in path or not isinstance(target, dict):
        message = "a type that contains itself" if reference in path else "its definition is missing"
        raise LeftOut(message)
    return _read(target, definitions, (*path, reference))


def _read_values(values: Sequence[object]) -> tuple[Shape, bool]:
    kinds = {type(value) for value in values if value is not None}
    for shape in _SCALARS.values():
        if kinds == {_PYTHON[shape.name]}:
            return shape, None in values
    message = "its values are not all strings, all integers or all booleans"
    raise LeftOut(message)


def _read_union(
    members: Sequence[Mapping[str, Any]], keyword: str, definitions: Mapping[str, Any], path: tuple[str, ...]
) -> tuple[Shape, bool]:
    some = [member for member in members if member.get("type") != "null"]
    if keyword == "allOf" and len(some) > 1:
        message = "several schemas at once"
        raise LeftOut(message)
    read = [_read(member, definitions, path) for member in some]
    if not read or any(shape != read[0][0] for shape, _ in read):
        message = "a union of several types" if read else "nothing but null"
        raise LeftOut(message)
    return read[0][0], len(some) < len(members) or any(nullable for _, nullable in read)


def _read_array(schema: Mapping[str, Any], definitions: Mapping[str, Any], path: tuple[str, ...]) -> SetOf:
    items = schema.get("items")
    if "prefixItems" in schema or not isinstance(items, dict):
        message = "a tuple" if "prefixItems" in schema else "a list of anything"
        raise LeftOut(message)
    item, nullable = _read(items, definitions, path)
    if nullable:
        message = "a list that may hold null"
        raise LeftOut(message)
    return SetOf(item)


def _read_object(schema: Mapping[str, Any], definitions: Mapping[str, Any], path: tuple[str, ...]) -> Record:
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        message = "an open map"
        raise LeftOut(message)
    required = schema.get("required", ())
    attributes: list[Attribute] = []
    left_out: list[str] = []
    for name, part in properties.items():
        if name.startswith("__"):  # In Cedar's JSON, `__entity` and `__extn` turn a record into something else.
            left_out.append(f"{_name_text(name)}: names that begin with two underscores are Cedar's own")
            continue
        try:
            shape, nullable = _read(part if isinstance(part, dict) else {}, definitions, path)
        except LeftOut as reason:
            left_out.append(f"{_name_text(name)}: {reason}")
        else:
            attributes.append(Attribute(name, shape, name in required and not nullable))
    return Record(tuple(attributes), tuple(left_out))


def _definitions(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Map each reference that JSON Schema writes inside one document to what it stands for."""
    found: dict[str, Any] = {"#": schema}
    for keyword in ("$defs", "definitions"):
        for name, part in schema.get(keyword, {}).items():
            escaped = name.replace("~", "~0").replace("/", "~1")
            found[f"#/{keyword}/{escaped}"] = part
    return found


def _name_text(name: str) -> str:
    if _IDENTIFIER.fullmatch(name) and name not in RESERVED:
        return name
    plain = (letter if letter.isprintable() and letter not in '"\\' else f"\\u{{{ord(letter):x}}}" for letter in name)
    return '"' + "".join(plain) + '"'


def _kind(value: object) -> str:
    return {
        type(None): "null",
        bool: "a Bool",
        str: "a String",
        int: "a Long",
        float: "a number",
        list: "a list",
    }.get(type(value), "an object")
