"""Extensions: Cedar's decimals, addresses, points in time and durations: made from text, and asked with methods.

Sources: Cedar's reference of extension types. Every function raises Unevaluable for what is not well-formed or does not fit 64 bits.
"""

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from kernos.adapters.cedar.shape import LONG_MAX, LONG_MIN

_DAY_MS = 86_400_000
_DECIMAL = re.compile(r"(-?)([0-9]+)\.([0-9]+)")
_DECIMAL_PLACES = 4
_DURATION = re.compile(r"(-?)(?:([0-9]+)d)?(?:([0-9]+)h)?(?:([0-9]+)m)?(?:([0-9]+)s)?(?:([0-9]+)ms)?")
_UNITS_MS = (_DAY_MS, 3_600_000, 60_000, 1_000, 1)
_DATETIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{3}))?(?:Z|([+-])([0-9]{2})([0-9]{2})))?"
)
_CYCLE_DAYS = 146_097
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_HOUR_MAX, _MINUTE_MAX = 23, 59
_DIGITS_MAX = 20
_LOOPBACK_BITS = {4: 8, 6: 128}
_MULTICAST_BITS = {4: 4, 6: 8}


class Unevaluable(ValueError):
    """An expression has no value; the message says why, without the values of the call."""


@dataclass(frozen=True, slots=True, order=True)
class DecimalValue:
    """A number with four places, in ten-thousandths."""

    units: int


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time in milliseconds; may be negative."""

    ms: int


@dataclass(frozen=True, slots=True)
class Datetime:
    """A point in time in milliseconds since 1970."""

    ms: int


@dataclass(frozen=True, slots=True)
class Address:
    """An address or a block of them: version 4 or 6, the number as written, the prefix's bits."""

    version: int
    number: int
    bits: int

    def ends(self) -> tuple[int, int]:
        """Return the first and the last address of the block."""
        rest = (1 << (32 if self.version == 4 else 128) - self.bits) - 1  # noqa: PLR2004 - the bits of each version
        return self.number & ~rest, self.number | rest


def _decimal(text: str) -> DecimalValue:
    found = _DECIMAL.fullmatch(text)
    if found is None or len(found[3]) > _DECIMAL_PLACES:
        message = "a decimal is written with one to four digits after the point"
        raise Unevaluable(message)
    units = _number(found[2]) * 10**_DECIMAL_PLACES + int(found[3].ljust(_DECIMAL_PLACES, "0"))
    return DecimalValue(_within(-units if found[1] else units))


def _duration(text: str) -> Duration:
    found = _DURATION.fullmatch(text)
    if found is None or not any(found.groups()[1:]):
        message = "a duration is written as 1d2h3m4s5ms, each part at most once and in this order"
        raise Unevaluable(message)
    total = sum(_number(count or "0") * unit for count, unit in zip(found.groups()[1:], _UNITS_MS, strict=True))
    return Duration(_within(-total if found[1] else total))


def _datetime(text: str) -> Datetime:
    found = _DATETIME.fullmatch(text)
    message = "a datetime is written as 2026-11-02, 2026-11-02T08:30:00Z or 2026-11-02T08:30:00.000+0100"
    if found is None:
        raise Unevaluable(message)
    year, month, day, hour, minute, second, part, off_hour, off_minute = (
        int(found[place] or 0) for place in (1, 2, 3, 4, 5, 6, 7, 9, 10)
    )
    if max(hour, off_hour) > _HOUR_MAX or max(minute, second, off_minute) > _MINUTE_MAX:
        raise Unevaluable(message)
    cycle = 400 if year == 0 else 0  # Python's years begin with 1; after 400 years the calendar repeats.
    try:
        days = date(year + cycle, month, day).toordinal() - _EPOCH_DAY - (_CYCLE_DAYS if cycle else 0)
    except ValueError as wrong:
        raise Unevaluable(message) from wrong
    clock = hour * _UNITS_MS[1] + minute * _UNITS_MS[2] + second * _UNITS_MS[3] + part
    shift = off_hour * _UNITS_MS[1] + off_minute * _UNITS_MS[2]
    return Datetime(days * _DAY_MS + clock - (-shift if found[8] == "-" else shift))


def _address(text: str) -> Address:
    plain, slash, bits = text.partition("/")
    message = "an address is written as 10.0.0.1, 10.0.0.0/8, ::1 or fe80::/10"
    if "%" in plain or (":" in plain and "." in plain):
        raise Unevaluable(message)
    try:
        found = ipaddress.ip_address(plain)
    except ValueError as wrong:
        raise Unevaluable(message) from wrong
    if not slash:
        return Address(found.version, int(found), found.max_prefixlen)
    if not re.fullmatch(r"0|[1-9][0-9]{0,2}", bits) or int(bits) > found.max_prefixlen:
        raise Unevaluable(message)
    return Address(found.version, int(found), int(bits))


def _number(digits: str) -> int:
    digits = digits.lstrip("0") or "0"
    return int(digits) if len(digits) <= _DIGITS_MAX else _within(LONG_MAX + 1)


def _within(number: int) -> int:
    if not LONG_MIN <= number <= LONG_MAX:
        message = "the result is beyond 64 bits"
        raise Unevaluable(message)
    return number


def _loopback(one: Address) -> bool:
    first = one.number >> 24 == 127 if one.version == 4 else one.number == 1  # noqa: PLR2004 - 127.0.0.0/8 and ::1
    return first and one.bits >= _LOOPBACK_BITS[one.version]


def _multicast(one: Address) -> bool:
    first = one.number >> 28 == 0xE if one.version == 4 else one.number >> 120 == 0xFF  # noqa: PLR2004 - 224/4, ff00::/8
    return first and one.bits >= _MULTICAST_BITS[one.version]


def _in_range(one: Address, other: Address) -> bool:
    (first, last), (lowest, highest) = one.ends(), other.ends()
    return one.version == other.version and lowest <= first and last <= highest


def _whole(unit_ms: int) -> Callable[[Duration], int]:
    """Return how many whole units a duration has, cut off towards zero."""
    return lambda one: one.ms // unit_ms if one.ms >= 0 else -(-one.ms // unit_ms)


@dataclass(frozen=True, slots=True)
class Method:
    """A function of an extension: the kinds of its arguments, the first being what it is asked of, and of its result."""

    takes: tuple[type, ...]
    gives: type
    ask: Callable[..., Any]


CONSTRUCTORS = {
    "decimal": Method((str,), DecimalValue, _decimal),
    "ip": Method((str,), Address, _address),
    "datetime": Method((str,), Datetime, _datetime),
    "duration": Method((str,), Duration, _duration),
}
METHODS = {
    "lessThan": Method((DecimalValue, DecimalValue), bool, lambda one, other: one < other),
    "lessThanOrEqual": Method((DecimalValue, DecimalValue), bool, lambda one, other: one <= other),
    "greaterThan": Method((DecimalValue, DecimalValue), bool, lambda one, other: one > other),
    "greaterThanOrEqual": Method((DecimalValue, DecimalValue), bool, lambda one, other: one >= other),
    "isIpv4": Method((Address,), bool, lambda one: one.version == 4),  # noqa: PLR2004 - the version itself
    "isIpv6": Method((Address,), bool, lambda one: one.version == 6),  # noqa: PLR2004 - the version itself
    "isLoopback": Method((Address,), bool, _loopback),
    "isMulticast": Method((Address,), bool, _multicast),
    "isInRange": Method((Address, Address), bool, _in_range),
    "offset": Method((Datetime, Duration), Datetime, lambda one, by: Datetime(_within(one.ms + by.ms))),
    "durationSince": Method((Datetime, Datetime), Duration, lambda one, other: Duration(_within(one.ms - other.ms))),
    "toDate": Method((Datetime,), Datetime, lambda one: Datetime(_within(one.ms // _DAY_MS * _DAY_MS))),
    "toTime": Method((Datetime,), Duration, lambda one: Duration(one.ms % _DAY_MS)),
    "toMilliseconds": Method((Duration,), int, lambda one: one.ms),
    "toSeconds": Method((Duration,), int, _whole(1_000)),
    "toMinutes": Method((Duration,), int, _whole(60_000)),
    "toHours": Method((Duration,), int, _whole(3_600_000)),
    "toDays": Method((Duration,), int, _whole(_DAY_MS)),
}
FUNCTIONS = CONSTRUCTORS | METHODS
