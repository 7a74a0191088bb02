"""Stake: the money in a call, found by the name of an argument. A name is a guess: whoever shows a sum says which argument it was."""

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from kernos.vocabulary.quantities import Json

_NAMES = ("amount", "total", "price", "sum", "cost", "fee", "value")
"""What money is called, the surest name first."""

_UNITS = "cents|cent|minor|micros|microusd|usd|eur|gbp|chf|jpy"
_MONEY = re.compile(rf"(?:\w+_)?(?P<name>{'|'.join(_NAMES)})(?:_(?P<unit>{_UNITS}))?")
_BOUND = re.compile(r"(?:min|max|limit|count|quantity)_|_(?:min|max|limit|count|quantity)\b")


@dataclass(frozen=True, slots=True)
class Stake:
    """Money in a call: which argument, how much, and in which unit (empty when nothing says)."""

    argument: str
    amount: Decimal
    unit: str


def stake_of(args: Json) -> Stake | None:
    """Return the money in a call's arguments, None when no argument looks like money.

    A name with a unit goes before one without (`amount_cents`, then `amount`), an outer argument before an inner one. A text argument
    `currency` beside it tells or completes the unit.
    """
    value = msgspec.json.decode(args.text)
    level: list[tuple[str, Any]] = [("", value)]
    while level:
        found = [stake for at, part in level if isinstance(part, dict) for stake in _of_object(at, part)]
        if found:
            return min(found)[2]
        level = [
            (f"{at}.{name}" if at else str(name), inner)
            for at, part in level
            if isinstance(part, dict)
            for name, inner in part.items()
        ]
    return None


def _of_object(at: str, value: dict[str, Any]) -> list[tuple[int, str, Stake]]:
    """Return the money among the arguments of one object, with what ranks it."""
    currency = value.get("currency")
    spoken = currency.upper() if isinstance(currency, str) else ""
    found: list[tuple[int, str, Stake]] = []
    for name, part in value.items():
        matched = _MONEY.fullmatch(name.lower())
        amount = _amount(part)
        if matched is None or amount is None or _BOUND.search(name.lower()):
            continue
        unit = matched["unit"] or ""
        in_words = " ".join(word for word in (unit, spoken) if word)
        rank = _NAMES.index(matched["name"]) * 2 + (not unit)
        full = f"{at}.{name}" if at else name
        found.append((rank, full, Stake(full, amount, in_words)))
    return found


def _amount(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None
