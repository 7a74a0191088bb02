"""References: under which names the outside knows what was done: the leaves of JSON values, and which of them look like a reference."""

import hashlib
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from kernos.vocabulary.quantities import Json

REFERENCES_MAX = 8
"""References kept of one result. A service's answer names what it made in its first fields; lists of records belong to reads."""

LENGTH_MIN, LENGTH_MAX = 3, 200
"""Letters of a text that may be a reference: shorter ones are codes and sizes, longer ones are prose."""

DIGITS_MIN = 5
"""Digits of a whole number that may be a reference: smaller ones count things."""

_REFERENCE = re.compile(rf"(?=\S*\d)[\w.:/@#+=~-]{{{LENGTH_MIN},{LENGTH_MAX}}}")
_TIME = re.compile(r"\d{4}-\d\d-\d\d([T ][\d:.,+Z-]*)?")
_DIGEST_BITS = 63

Leaf = str | int | float


def leaves(value: Any, at: str = "") -> Iterator[tuple[str, Leaf]]:
    """Yield every text and number in a JSON value with its path, such as `refund.id`, in their order."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield from leaves(part, f"{at}.{name}" if at else str(name))
    elif isinstance(value, list):
        for place, part in enumerate(value):
            yield from leaves(part, f"{at}[{place}]")
    elif isinstance(value, (str, int, float)) and not isinstance(value, bool):
        yield at, value


def is_reference(leaf: Leaf) -> bool:
    """Tell whether a leaf looks like the name of something: one word with a digit that is no time, or a large whole number."""
    if isinstance(leaf, str):
        return _REFERENCE.fullmatch(leaf) is not None and _TIME.fullmatch(leaf) is None
    return isinstance(leaf, int) and len(str(abs(leaf))) >= DIGITS_MIN


def references(value: Json | None) -> list[tuple[str, str]]:
    """Return path and text of what looks like a reference in a value, the first REFERENCES_MAX of them."""
    if value is None:
        return []
    found: dict[str, str] = {}
    for at, leaf in leaves(msgspec.json.decode(value.text)):
        if is_reference(leaf):
            found.setdefault(str(leaf), at)
            if len(found) == REFERENCES_MAX:
                break
    return [(at, text) for text, at in found.items()]


def holds(value: Json | None, reference: str) -> str | None:
    """Return the path of the leaf that is exactly `reference` (a text, or a number written that way), None when none is."""
    if value is None:
        return None
    for at, leaf in leaves(msgspec.json.decode(value.text)):
        if (leaf if isinstance(leaf, str) else _number(leaf)) == reference:
            return at or "the value itself"
    return None


def _number(leaf: float) -> str:
    return msgspec.json.encode(leaf).decode()


def reference_digest(reference: str) -> int:
    """Return what the projection keeps of a reference: 63 bits, so that a row is small and holds nobody's name."""
    digest = hashlib.blake2b(reference.encode(errors="surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> (64 - _DIGEST_BITS)
