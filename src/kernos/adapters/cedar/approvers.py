"""Approvers: whose yes a rule wants, as its annotations say: `@approvers("lead, owner") @quorum("2") @later("2h boss")`."""

import re
from collections.abc import Mapping
from difflib import get_close_matches

from kernos.vocabulary.gate import Requirement

_NAMES = ("approvers", "quorum", "requester", "later", "level")
_LIKENESS = 0.8
"""Of names that differ in a letter or two, or in case alone."""

_QUORUM_MAX = 20
_UNITS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000}
_LATER = re.compile(r"(\d{1,5})([mhd])\s+(\S+)")
_WORD = re.compile(r"[^\s,]+")


def requirement_of(rule: str, annotations: Mapping[str, str | None]) -> Requirement | None:
    """Return whose yes a rule wants, None where it does not say. Raises ValueError with what is wrong."""
    _check_spelling(annotations)
    said = annotations.get("approvers")
    if said is None:
        strange = [name for name in _NAMES[1:] if name in annotations]
        if strange:
            message = (
                f'@{strange[0]} says how many or which approvers there are, and @approvers("ROLE, ...") is missing'
            )
            raise ValueError(message)
        return None
    approvers = tuple(word.strip() for word in said.split(","))
    if not all(_WORD.fullmatch(word) for word in approvers):
        message = f'@approvers("{said}") names no roles or people; write @approvers("lead, person:ana")'
        raise ValueError(message)
    return Requirement(
        rule,
        approvers,
        _quorum(annotations),
        _is_requester_free(annotations),
        _later(annotations.get("later") or ""),
        _wants_own_key(annotations),
    )


def _check_spelling(annotations: Mapping[str, str | None]) -> None:
    """Raise ValueError for a name that is nearly one of ours: Cedar takes any, and the rule would let anybody say yes."""
    for name in annotations:
        meant = get_close_matches(name.casefold(), _NAMES, cutoff=_LIKENESS)
        if meant and name not in _NAMES:
            message = f"@{name} says nothing here; write @{meant[0]}, or give it a name that is less like it"
            raise ValueError(message)


def _quorum(annotations: Mapping[str, str | None]) -> int:
    said = annotations.get("quorum", "1") or ""
    if not said.isascii() or not said.isdigit() or not 1 <= int(said) <= _QUORUM_MAX:
        message = f'@quorum("{said}") is no number of people from 1 to {_QUORUM_MAX}'
        raise ValueError(message)
    return int(said)


def _is_requester_free(annotations: Mapping[str, str | None]) -> bool:
    said = annotations.get("requester", "")
    if said not in ("", "may"):
        message = f'@requester("{said}") says nothing; write @requester("may") where whoever asked may say yes, too'
        raise ValueError(message)
    return said == "may"


def _wants_own_key(annotations: Mapping[str, str | None]) -> bool:
    said = annotations.get("level", "")
    if said not in ("", "own-key"):
        message = (
            f'@level("{said}") is no way to sign; write @level("own-key") where each signs with a key of their own'
        )
        raise ValueError(message)
    return said == "own-key"


def _later(said: str) -> tuple[tuple[int, str], ...]:
    found: list[tuple[int, str]] = []
    for part in filter(None, (part.strip() for part in said.split(","))):
        match = _LATER.fullmatch(part)
        if match is None:
            message = f'@later("{said}") is no chain; write @later("2h owner, 1d person:boss")'
            raise ValueError(message)
        found.append((int(match[1]) * _UNITS[match[2]], match[3]))
    return tuple(sorted(found))
