"""Redaction: values of named fields replaced wherever they stand in a record, so that code which worked with them still fits together.

A stand-in keeps the shape of its value (letters for letters, their case, digits for digits) and is the same for the same words everywhere: in other fields, in
texts that were made of the value, in names of which a text uses only one. It follows from the value and a salt that nobody keeps. Handles of sealed values are
stand-ins already and stay.
"""

import hashlib
import re
import string
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, replace
from typing import Any

import msgspec

from kernos.vocabulary.events import Event
from kernos.vocabulary.ids import PrincipalId
from kernos.vocabulary.outcome import Failure
from kernos.vocabulary.quantities import Json
from kernos.vocabulary.sealing import HANDLE, between_handles, handles_in

_LENGTH_MIN = 3
"""Shorter texts stand in too many others by chance: they are replaced only where they are the whole value."""

_NAME_WORDS_MAX = 4
"""A value of so many words and nothing else is taken for a name; a longer one is a sentence, whose words are everybody's."""

_NAMES = frozenset(
    {"step", "tool", "model", "agent", "agent_version", "code_digest", "key", "digest", "mode", "what", "verdict"}
)
"""Fields of events that code and kernel name things by: they hold no values."""

_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"(\s*:)?')
_ESCAPE = re.compile(r"\\u[0-9a-fA-F]{4}|\\.")
_WORD = re.compile(r"[^\W\d_]{3,}")
_RUN = re.compile(r"[^\W\d_]+|\d+")


class Redaction:
    """Replaces the values of fields: `email` for every field of that name, `customer.email` for those inside a `customer`, `input.email` for inputs."""

    def __init__(self, fields: Sequence[str], salt: bytes) -> None:
        """Take the fields, and chance that makes the stand-ins unguessable."""
        self._paths = [tuple(field.split(".")) for field in fields if field]
        self._salt = salt

    def apply(self, events: Sequence[Event]) -> list[Event]:
        """Return the events of a run with all values of the fields replaced in all of them."""
        values = [value for event in events for value in _values(event.data)]
        found = [leaf for name, value in values for leaf in self._leaves(msgspec.json.decode(value.text), (name,))]
        whole = {_raw(leaf) for leaf in found if isinstance(leaf, str) and leaf}
        units = {text for text in whole if len(text) >= _LENGTH_MIN}
        for text in whole:
            words = _WORD.findall(text)
            if 1 < len(words) <= _NAME_WORDS_MAX and " ".join(words) == text:  # Other texts may use a part of it.
                units.update(words)
        inside = _any_of(units) if units else None
        numbers = [re.compile(rf'("{re.escape(path[-1])}"\s*:\s*)(-?\d+(?:\.\d+)?)') for path in self._paths]

        def change(text: str) -> str:
            return self._replaced(text, whole, inside, numbers)

        return [
            replace(event, by=PrincipalId(_in_words(event.by, change)), data=_changed(event.data, change))
            for event in events
        ]

    def _replaced(
        self, text: str, whole: set[str], inside: re.Pattern[str] | None, numbers: Sequence[re.Pattern[str]]
    ) -> str:
        def token(match: re.Match[str]) -> str:
            written, colon = match[1], match[2] or ""
            if colon:  # The name of a field.
                return match[0]
            if written in whole:
                return f'"{self._stand_in(written)}"'
            return f'"{inside.sub(lambda hit: self._stand_in(hit[0]), written)}"' if inside is not None else match[0]

        text = _TOKEN.sub(token, text)
        for number in numbers:
            text = number.sub(lambda match: match[1] + self._number(match[2]), text)
        return text

    def _leaves(self, value: Any, path: tuple[str, ...]) -> Iterator[Any]:
        """Yield what stands below the named fields."""
        if isinstance(value, dict):
            for name, part in value.items():
                yield from self._leaves(part, (*path, name))
        elif isinstance(value, list):
            for part in value:
                yield from self._leaves(part, path)
        elif any(path[n : n + len(wanted)] == wanted for wanted in self._paths for n in range(len(path))):
            yield value

    def _stand_in(self, written: str) -> str:
        """Replace word by word, so that a part of a name gets what it gets inside the whole; escapes stay."""
        pieces: list[str] = []
        at = 0
        for escape in _ESCAPE.finditer(written):
            pieces += [self._words(written[at : escape.start()]), escape[0]]
            at = escape.end()
        return "".join((*pieces, self._words(written[at:])))

    def _words(self, text: str) -> str:
        return between_handles(text, lambda part: _RUN.sub(lambda match: self._word(match[0]), part))

    def _word(self, word: str) -> str:
        chance = hashlib.shake_256(self._salt + word.casefold().encode()).digest(len(word))
        return "".join(_like(letter, bits) for letter, bits in zip(word, chance, strict=True))

    def _number(self, number: str) -> str:
        stand_in = self._words(number)
        sign = "-" if stand_in.startswith("-") else ""
        digits = stand_in.removeprefix("-")
        return f"{sign}1{digits[1:]}" if len(digits) > 1 and digits[0] == "0" and digits[1] != "." else stand_in


def _any_of(units: set[str]) -> re.Pattern[str]:
    """Find any of them, the longest first, and handles as wholes, of which no word is taken for one of them."""
    longest = sorted(units, key=len, reverse=True)
    around = [re.escape(unit) for unit in longest if next(handles_in(unit.encode()), None) is not None]
    others = [re.escape(unit) for unit in longest]
    return re.compile(rf"(?<![^\W_])(?:{'|'.join((*around, HANDLE, *others))})(?![^\W_])", re.IGNORECASE)


def _values(data: Any) -> Iterator[tuple[str, Json]]:
    """Yield the JSON values in an event's data, each with its field: `input`, `args`, `result`, `output`, `state`."""
    for column in fields(data):
        value = getattr(data, column.name)
        if isinstance(value, Json):
            yield column.name, value
        elif isinstance(value, Failure):
            yield from _values(value)


def _changed(data: Any, change: Callable[[str], str]) -> Any:
    """Return an event's data with its values and its words changed; names stay."""
    changes: dict[str, Any] = {}
    for column in fields(data):
        value = getattr(data, column.name)
        if isinstance(value, Json):
            changes[column.name] = Json(change(value.text.decode()).encode())
        elif isinstance(value, Failure):
            changes[column.name] = _changed(value, change)
        elif column.name in _NAMES:
            continue
        elif type(value) is str:
            changes[column.name] = _in_words(value, change)
        elif isinstance(value, tuple) and all(type(item) is str for item in value):
            changes[column.name] = tuple(_in_words(item, change) for item in value)
    return replace(data, **changes)


def _in_words(text: str, change: Callable[[str], str]) -> str:
    """Change what stands in words outside of JSON."""
    return str(msgspec.json.decode(change(msgspec.json.encode(text).decode())))


def _like(letter: str, bits: int) -> str:
    if letter.isdigit():
        return string.digits[bits % 10]
    chosen = string.ascii_lowercase[bits % 26]
    return chosen.upper() if letter.isupper() else chosen


def _raw(text: str) -> str:
    """Write a text as it stands between the quotes of JSON."""
    return msgspec.json.encode(text)[1:-1].decode()
