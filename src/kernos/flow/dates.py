"""Dates: whether the principal's words say the day and the time that a call names, as people say them in English and German.

Nobody tells the rules which day it is: so `tomorrow` and `next week` fit any day, and `on Thursday` any Thursday. What is said exactly binds.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from kernos.flow.text import tokens


@dataclass(frozen=True, slots=True)
class Moment:
    """A day, perhaps with a time of that day, as a call names it."""

    day: date
    clock: tuple[int, int] | None
    """Hour and minute; None for a whole day."""


_ISO = re.compile(r"(?<!\d)(\d{4})-(\d{1,2})-(\d{1,2})(?!\d)(?:[T ](\d{1,2}):(\d{2}))?")
_DOTTED = re.compile(r"(?<![\d.])(\d{1,2})\.\s?(\d{1,2})\.(?:\s?(\d{4}))?(?![\d])")
_MONTHS = {
    name: n
    for names in (
        "january february march april may june july august september october november december",
        "januar februar märz april mai juni juli august september oktober november dezember",
        "jan feb mar apr may jun jul aug sep oct nov dec",
        "jänner feber mrz apr mai jun jul aug sept okt nov dez",
    )
    for n, name in enumerate(names.split(), 1)
}
_WEEKDAYS = {
    name: n
    for names in (
        "monday tuesday wednesday thursday friday saturday sunday",
        "montag dienstag mittwoch donnerstag freitag samstag sonntag",
    )
    for n, name in enumerate(names.split())
} | {"sonnabend": 5}
_ORDINALS = {
    name: n
    for names in ("first second third fourth fifth sixth seventh eighth ninth tenth", "ersten zweiten dritten vierten fünften sechsten siebten")
    for n, name in enumerate(names.split(), 1)
}  # fmt: skip
_HOURS = {
    name: n
    for names in ("one two three four five six seven eight nine ten eleven twelve", "eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf")
    for n, name in enumerate(names.split(), 1)
}  # fmt: skip

_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_DAY = r"\d{1,2}(?:st|nd|rd|th|\.)?"
_BETWEEN = r"\s*(?:-|–|to|until|till|and|bis|und|,)\s*(?:the |den |zum )?"
_DAYS_MONTH = re.compile(rf"(?<![\d.])({_DAY}(?:{_BETWEEN}{_DAY})*)\s*(?:of )?({_MONTH})\b")
_MONTH_DAYS = re.compile(rf"\b({_MONTH})\.? ({_DAY}(?:{_BETWEEN}{_DAY})*)(?![\d:])")
_ORDINAL_MONTH = re.compile(rf"\b({'|'.join(_ORDINALS)})(?: of)? ({_MONTH})\b")
_ORDINAL_DAY = re.compile(
    rf"\b(\d{{1,2}})(?:st|nd|rd|th)\b|\b(?:am|vom|zum|bis|den) (\d{{1,2}})\.(?!\d)|\b(?:on|from|until|by) the ({'|'.join(_ORDINALS)})\b"
)
_MARK = r"am|pm|a\.m|p\.m|o['’]?clock|uhr|h"
_CLOCK = re.compile(
    rf"\b(?P<hour>\d{{1,2}})(?::(?P<minute>\d{{2}})|\.(?P<part>\d{{2}})(?=\s?(?:{_MARK})\b))(?:\s?(?P<half>{_MARK})\b)?"
    rf"|\b(?P<whole>\d{{1,2}}|{'|'.join(_HOURS)})\s?(?P<mark>{_MARK})\b"
    rf"|\b(?:at|um|gegen) (?P<spoken>\d{{1,2}}|{'|'.join(_HOURS)})\b(?![.,:]?\d|\s?(?:€|%|\$|eur|dollar|percent|prozent))"
    r"|\b(?P<noon>noon|mittags?)\b"
)
_UNIT_DAYS = {
    "day": (1, 1), "night": (1, 1), "week": (7, 7), "fortnight": (14, 14), "month": (28, 31), "year": (365, 366),
    "tag": (1, 1), "nacht": (1, 1), "nächte": (1, 1), "woche": (7, 7), "monat": (28, 31), "jahr": (365, 366),
}  # fmt: skip
_MANY = {**_HOURS, "a": 1, "an": 1, "another": 1, "eine": 1, "einen": 1, "einem": 1}
_LASTING = re.compile(rf"\b(\d{{1,3}}|{'|'.join(_MANY)}) ({'|'.join(_UNIT_DAYS)})(?:s|e|en|n)?\b")
_UNIT = "|".join(_UNIT_DAYS)
_RELATIVE = re.compile(
    rf"""\b(?:today|tonight|tomorrow|yesterday|asap|immediately|weekend|heute|morgen|übermorgen|gestern|sofort|wochenende
    |(?:next|this|coming|following|same|every|each|first|last|nächste[nmrs]?|kommende[nmrs]?|diese[nmrs]?|jede[nmrs]?)\s(?:{_UNIT})(?:s|e|en|n)?)\b""",
    re.VERBOSE,
)
_YEAR = re.compile(rf"(?:\b(?:in|{_MONTH})|\b\d{{1,2}}(?:st|nd|rd|th)?),? (20\d\d)\b")
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::00)?")
_EARLY = re.compile(r"\b(?:morning|early|night|früh|vormittags?|nachts?)\b|morgens\b")
_AFTERNOON, _MORNING = 1, 6
"""Hours between which people mean the afternoon unless they say otherwise."""
_HALF_DAY, _DAY_HOURS, _HOUR_MINUTES = 12, 24, 60


def moments_in(value: object) -> Iterator[Moment]:
    """Yield the days that a value names in figures."""
    for year, month, day, hour, minute in _ISO.findall(str(value)):
        if (found := _day(int(year), int(month), int(day))) is not None:
            yield Moment(found, (int(hour), int(minute)) if hour and (hour, minute) != ("00", "00") else None)
    for day, month, year in _DOTTED.findall(str(value)):
        if year and (found := _day(int(year), int(month), int(day))) is not None:
            yield Moment(found, None)


def clock_of(value: object) -> tuple[int, int] | None:
    """Return the time that a value is and no more than that; None for anything else."""
    found = _TIME.fullmatch(str(value).strip())
    return (int(found[1]), int(found[2])) if found else None


class Saying:
    """What some words say of when."""

    def __init__(self, texts: Iterable[str]) -> None:
        """Read everything they say, in any order."""
        whole = " \n ".join(texts).casefold()
        self._days = frozenset(_days(whole))
        """Year and month, where they are said, and day."""
        bare = _ISO.sub(" ", whole)
        words = tokens(bare)
        self._weekdays = frozenset(_WEEKDAYS[_singular(word)] for word in words if _singular(word) in _WEEKDAYS)
        self._months = frozenset(_MONTHS[word] for word in words if word in _MONTHS and word not in _SAID_OTHERWISE)
        self._years = frozenset(int(one) for one in _YEAR.findall(whole))
        self._clocks = frozenset(_clocks(bare))
        self._lasting = tuple(_lasting(bare))
        self._is_relative = _RELATIVE.search(bare) is not None

    @property
    def is_silent(self) -> bool:
        """Tell whether they say nothing of any day."""
        return not (self._days or self._weekdays or self._months or self._is_relative or self._lasting)

    def name(self, day: date) -> bool:
        """Tell whether they name this very day, by its number."""
        return any(
            day.day == number and month in (day.month, None) and year in (day.year, None)
            for year, month, number in self._days
        )

    def fit(self, moment: Moment) -> bool:
        """Tell whether a day, and its time, if it has one, is what they say, or as exactly as they say it."""
        if moment.clock is not None and not self.fit_clock(moment.clock):
            return False
        if self._years and moment.day.year not in self._years:
            return False
        return self._fit_day(moment.day) or any(
            self._fit_day(moment.day - timedelta(days))
            for least, most in self._lasting
            for days in range(least, most + 1)
        )

    def fit_clock(self, clock: tuple[int, int]) -> bool:
        """Tell whether a time is one that they say, or whether they say none."""
        return not self._clocks or clock in self._clocks

    def _fit_day(self, day: date) -> bool:
        if self._is_relative or day.weekday() in self._weekdays or self.name(day):
            return self._is_relative or self._fit_month(day)
        if self._days or self._weekdays:
            return False
        return day.month in self._months or (bool(self._lasting) and not self._months)

    def _fit_month(self, day: date) -> bool:
        return not self._months or day.month in self._months or day.weekday() in self._weekdays


_SAID_OTHERWISE = frozenset({"may", "mar"})
"""Names of months that mean something else, too; with a day beside them they are found."""


def _singular(word: str) -> str:
    return word.removesuffix("s")


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _days(text: str) -> Iterator[tuple[int | None, int | None, int]]:
    for year, month, day, _, _ in _ISO.findall(text):
        yield int(year), int(month), int(day)
    rest = _ISO.sub(" ", text)
    for day, month, year in _DOTTED.findall(rest):
        yield (int(year) if year else None), int(month), int(day)
    rest = _DOTTED.sub(" ", rest)
    for pattern, is_month_first in ((_DAYS_MONTH, False), (_MONTH_DAYS, True)):
        for one, other in pattern.findall(rest):
            days, month = (other, one) if is_month_first else (one, other)
            for day in re.findall(r"\d{1,2}", days):
                yield None, _MONTHS[month], int(day)
    for ordinal, month in _ORDINAL_MONTH.findall(rest):
        yield None, _MONTHS[month], _ORDINALS[ordinal]
    rest = _MONTH_DAYS.sub(" ", _DAYS_MONTH.sub(" ", rest))
    for english, german, spelled in _ORDINAL_DAY.findall(rest):
        yield None, None, _ORDINALS[spelled] if spelled else int(english or german)


def _clocks(text: str) -> Iterator[tuple[int, int]]:
    """Yield the times that are said; where nobody says which half of the day is meant, both, but nobody means four at night by `at four`."""
    is_morning = _EARLY.search(text) is not None
    for found in _CLOCK.finditer(text):
        said = found["hour"] or found["whole"] or found["spoken"] or "12"
        hour = int(said) if said.isdigit() else _HOURS[said]
        minute = int(found["minute"] or found["part"] or 0)
        half = (found["half"] or found["mark"] or "")[:1]
        if hour < _DAY_HOURS and minute < _HOUR_MINUTES:
            is_early = said.startswith("0") or not _AFTERNOON <= hour < _MORNING or half == "a" or is_morning
            if (half != "p" and is_early) or hour >= _HALF_DAY:
                yield hour, minute
            if half != "a" and hour < _HALF_DAY and not said.startswith("0"):
                yield hour + _HALF_DAY, minute
            if hour == _HALF_DAY and half == "a":
                yield 0, minute


def _lasting(text: str) -> Iterator[tuple[int, int]]:
    """Yield how many days something is said to last, at least and at most."""
    for count, unit in _LASTING.findall(text):
        times = int(count) if count.isdigit() else _MANY[count]
        least, most = _UNIT_DAYS[unit]
        if times * most <= _LASTING_MAX:
            yield times * least, times * most


_LASTING_MAX = 3_700
"""Days beyond which no length is worked out: ten years."""
