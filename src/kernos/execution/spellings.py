"""Spellings: the forms in which a sealed value comes back from a tool: as it is, in a URL, quoted in JSON, HTML or Python, or as base64.

Libraries write addresses into the texts of their errors this way; nobody means to let them out.
"""

import html
import json
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable
from functools import lru_cache

INSIDE_LENGTH_MIN = 4
"""Shorter values stand in too many texts by chance: they are looked for only as the whole text."""

_APART_LENGTH_MIN = 8
"""From here on a value that is more than one word is meant wherever its letters stand, whatever stands beside them."""

_PARTS = re.compile(r"\\+|[^\\]", re.DOTALL)
"""A run of backslashes, or one other character."""

_QUOTED_MAX = 8
"""Backslashes before a quoted character: it was quoted three times. A bound, so that a text full of them is searched quickly."""

_SPELLED_LENGTH_MAX = 256
"""Longer values are letters and reports; they are looked for as they are."""


def form_of(values: Iterable[str]) -> "re.Pattern[str] | None":
    """Return what finds values inside a text, the group's number saying which one; None where none is long enough.

    Of two that begin at the same place the longer one is found. Letters' case does not matter.
    """
    forms = [(value, f"({_anywhere(value)})" if len(value) >= INSIDE_LENGTH_MIN else "((?!))") for value in values]
    if all(len(value) < INSIDE_LENGTH_MIN for value, _ in forms):
        return None
    return re.compile("|".join(form for _, form in forms), re.IGNORECASE)


@lru_cache(maxsize=1_024)
def _anywhere(value: str) -> str:
    """Return the pattern of one value, in all its forms."""
    if len(value) > _SPELLED_LENGTH_MAX:
        return re.escape(value)
    text = "".join(_spelled(part) for part in _PARTS.findall(value))
    if value.isalnum() or len(value) < _APART_LENGTH_MIN:  # A name may be the beginning of another word.
        text = rf"(?<![^\W_]){text}(?![^\W_])"
    raw = value.encode(errors="surrogatepass")
    coded = {re.escape(code(raw).decode().rstrip("=")) for code in (b64encode, urlsafe_b64encode)}
    return "|".join((text, *sorted(rf"(?<![^\W_]){one}(?![^\W_])" for one in coded)))


@lru_cache(maxsize=1_024)
def _spelled(part: str) -> str:
    """Return the pattern of one character: itself, and how URLs, JSON, HTML and Python write it; of a run of backslashes, likewise.

    What matched is not tried in another way (`(?>`, `+`), so that no text makes the search long.
    """
    if part.isascii() and part.isalnum():
        return part  # Everybody writes it like this.
    if part.startswith("\\"):
        return rf"(?>\\{{{len(part)},{_QUOTED_MAX * len(part)}}}+|(?:%5c){{{len(part)}}})"
    raw = part.encode(errors="surrogatepass")
    forms = {part, "".join(f"%{byte:02x}" for byte in raw), html.escape(part), f"&#{ord(part)};", f"&#x{ord(part):x};"}
    forms |= {"+"} if part == " " else set()
    quoted = {one.lstrip("\\") for one in (part, json.dumps(part)[1:-1], ascii(part)[1:-1])}
    found = [re.escape(form) for form in sorted(forms, key=len, reverse=True)]
    found += [rf"\\{{1,{_QUOTED_MAX}}}+{re.escape(form)}" for form in sorted(quoted, key=len, reverse=True)]
    if len(raw) > 1:
        found.append("".join(rf"\\{{1,{_QUOTED_MAX}}}+x{byte:02x}" for byte in raw))
    return f"(?>{'|'.join(found)})"
