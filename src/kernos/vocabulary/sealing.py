"""Sealing: labelled values, the handles that stand for them, and where a contract's JSON Schema says that they are.

A handle is `sealed:LABEL:KEY.MAC`: which key seals it (16 characters, one key for each subject), and a keyed digest of the value (26). So
equal values of one subject have equal handles, and nobody can tell a value from its handle, or a handle from its value, without the key.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

LABEL, SUBJECT, SEARCHED, PLAIN = "kernos:label", "kernos:subject", "kernos:searched", "kernos:plain"
"""Keywords in the JSON Schema of a contract: a value's label, the field that names its subject, text to search for values, text that stays."""

LABEL_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
HANDLE = r"sealed:([a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)+):([a-z2-7]{16})\.([a-z2-7]{26})"
"""How a handle is written: its label, the name of its key, and its own."""
_HANDLE = re.compile(HANDLE)
_HANDLE_IN_BYTES = re.compile(_HANDLE.pattern.encode())
_MARK = b"sealed:"


@dataclass(frozen=True, slots=True)
class Handle:
    """What stands for a labelled value."""

    label: str
    key: str
    """Which key seals it: one subject's, until that is erased."""
    mac: str

    def __str__(self) -> str:
        """Write it as it stands in texts."""
        return f"sealed:{self.label}:{self.key}.{self.mac}"


@dataclass(frozen=True, slots=True)
class Carried:
    """A labelled value on its way to a tool or a model, as policies see it."""

    label: str
    is_declared: bool = False
    """The tool declares this label for the argument that it stands in."""
    is_own: bool = False
    """Every destination of the call is of the same subject."""


def handle_of(text: str) -> Handle | None:
    """Return the handle that a text is, None for any other."""
    found = _HANDLE.fullmatch(text)
    return Handle(*found.groups()) if found else None


def handles_in(text: bytes) -> Iterator[Handle]:
    """Yield the handles in JSON or other text, in their order."""
    if _MARK in text:
        for found in _HANDLE_IN_BYTES.finditer(text):
            yield Handle(*(part.decode() for part in found.groups()))


def with_handles(text: str, other: Callable[[Handle], str]) -> str:
    """Return a text with something else in the place of each handle."""
    if "sealed:" not in text:
        return text
    return _HANDLE.sub(lambda found: other(Handle(*found.groups())), text)


def between_handles(text: str, change: Callable[[str], str]) -> str:
    """Return a text with everything but its handles changed."""
    pieces: list[str] = []
    at = 0
    for found in _HANDLE.finditer(text):
        pieces += [change(text[at : found.start()]), found[0]]
        at = found.end()
    return "".join((*pieces, change(text[at:])))


def opened(text: bytes, value_of: Callable[[Handle], str]) -> bytes:
    """Return JSON with the value in the place of each handle: all handles stand in strings."""

    def put(found: "re.Match[bytes]") -> bytes:
        handle = Handle(*(part.decode() for part in found.groups()))
        return json.dumps(value_of(handle), ensure_ascii=False)[1:-1].encode("utf-8", "backslashreplace")

    return _HANDLE_IN_BYTES.sub(put, text) if _MARK in text else text


# --- where labelled values stand ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Mark:
    """What a contract says of one place: the label of its value, or that its text is searched; and who the value is of."""

    label: str
    subject: str
    """Name of the field, beside it or around it, that says whose value it is; empty: each value is a subject of its own."""

    @property
    def is_searched(self) -> bool:
        """Tell whether the place holds free text that is searched."""
        return not self.label


Seal = Callable[[Mark, object, str], str]
"""From a mark, the subject as the field says it (None: none is named, or it is not there) and a text to what stands in its place."""


@dataclass(frozen=True, slots=True)
class SealingPlan:
    """Where the labelled values of one type stand."""

    schema: Mapping[str, Any] = field(hash=False)
    mark_of: Callable[[Mapping[str, Any]], Mark | None] | None = None
    """What marks a place; None: that it is labelled, or searched."""

    def apply(self, value: Any, seal: Seal, asked: Any = None) -> Any:
        """Return a JSON value with each marked text replaced by what `seal` says.

        `asked`: what it answers; its fields name subjects, too, where the value's own do not.
        """
        return self._sealed(value, self.schema, (asked,) if isinstance(asked, Mapping) else (), seal)

    def _sealed(self, value: Any, schema: Any, around: tuple[Mapping[str, Any], ...], seal: Seal) -> Any:
        if not isinstance(schema, Mapping):
            return value
        if isinstance(value, str):
            mark = (self.mark_of or _mark)(schema)
            if mark is not None:
                return seal(mark, _subject(mark, around), value)
        for inner in self._meant(schema):
            value = self._sealed(value, inner, around, seal)
        if isinstance(value, dict):
            return self._object(value, schema, (*around, value), seal)
        if isinstance(value, list):
            first: Sequence[Any] = schema.get("prefixItems", ())
            rest = schema.get("items")
            return [
                self._sealed(item, first[place] if place < len(first) else rest, around, seal)
                for place, item in enumerate(value)
            ]
        return value

    def _object(
        self, value: dict[str, Any], schema: Mapping[str, Any], around: tuple[Mapping[str, Any], ...], seal: Seal
    ) -> dict[str, Any]:
        named, others = schema.get("properties", {}), schema.get("additionalProperties")
        return {name: self._sealed(part, named.get(name, others), around, seal) for name, part in value.items()}

    def _meant(self, schema: Mapping[str, Any]) -> Iterator[Any]:
        """Yield what the schema refers to: a definition, or the members of a union."""
        reference = schema.get("$ref")
        if isinstance(reference, str):
            name = reference.rpartition("/")[2].replace("~1", "/").replace("~0", "~")
            yield self.schema.get("$defs", {}).get(name)
        for union in ("anyOf", "oneOf", "allOf"):
            yield from schema.get(union, ())


def plan_of(schema: Mapping[str, Any]) -> SealingPlan | None:
    """Return where labelled values stand in what a JSON Schema describes; None where there are none.

    Raises ValueError for a label on anything but text.
    """
    marked = [node for node in _nodes(schema) if _mark(node) is not None]
    for node in marked:
        if node.get("type") != "string":
            message = f"{_mark(node)} stands on a value that is no text"
            raise ValueError(message)
    return SealingPlan(schema) if marked else None


def plain_in(schema: Mapping[str, Any], value: Any) -> frozenset[str]:
    """Return the texts of a JSON value that its JSON Schema says stay in the open: words of a closed list, and what is marked as plain."""
    found: set[str] = set()

    def look(_: Mark, __: object, text: str) -> str:
        found.add(text)
        return text

    SealingPlan(schema, _plain).apply(value, look)
    return frozenset(found)


def _plain(node: Mapping[str, Any]) -> Mark | None:
    is_open = not node.keys().isdisjoint((PLAIN, "enum", "const"))
    return Mark("", "") if is_open and _mark(node) is None else None


def _mark(node: Mapping[str, Any]) -> Mark | None:
    if LABEL in node:
        return Mark(str(node[LABEL]), str(node.get(SUBJECT, "")))
    return Mark("", str(node.get(SUBJECT, ""))) if node.get(SEARCHED) else None


def _subject(mark: Mark, around: Sequence[Mapping[str, Any]]) -> object:
    """Return what the named field says, in the nearest object that has it."""
    for one in reversed(around) if mark.subject else ():
        if mark.subject in one:
            return one[mark.subject]
    return None


def _nodes(node: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(node, Mapping):
        yield node
        for part in node.values():
            yield from _nodes(part)
    elif isinstance(node, list):
        for part in node:
            yield from _nodes(part)
