"""Secret: how a credential is named without being told, and who reads which while something is attempted."""

import re
from contextvars import ContextVar
from dataclasses import dataclass, field

_FORMS = {
    "env": re.compile(r"[A-Za-z_][A-Za-z0-9_]*"),
    "file": re.compile(r".+", re.DOTALL),
    "keyring": re.compile(r"[^/]+/.+"),
}
HINT = "Write env:NAME, file:PATH or keyring:SERVICE/NAME."


def parts_of(reference: str) -> tuple[str, str]:
    """Return kind and place of a reference. Raises ValueError, which never quotes what is none: it may be the secret itself."""
    kind, _, place = reference.partition(":")
    form = _FORMS.get(kind)
    if form is None or form.fullmatch(place) is None:
        raise ValueError("that is no reference to a secret (it is not shown: it may be one)")
    return kind, place


@dataclass(frozen=True, slots=True)
class Reading:
    """Which secrets may be read for what is attempted, and those that were."""

    who: str
    """In words, for the refusal."""
    allowed: frozenset[str] | None
    """References; None: any, for an adapter of the operator's own."""
    values: dict[str, str] = field(default_factory=dict)
    """What was read, with its reference: it is taken out of whatever is told of the attempt."""


READING: ContextVar[Reading | None] = ContextVar("kernos_reading", default=None)
"""None outside of runs: in a program's own code, and at its start."""
