"""Text: how values and words are compared: exactly where a letter decides who gets it, loosely where people name things.

Nothing is normalised that would make two different destinations equal: letters are only folded to one case, and no look-alike is
taken for what it looks like.
"""

import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from unicodedata import category

from kernos.vocabulary.detection import ACCOUNT, CARD
from kernos.vocabulary.detection import EMAIL as SEALED_EMAIL
from kernos.vocabulary.detection import PHONE as SEALED_PHONE
from kernos.vocabulary.sealing import Handle, handles_in, with_handles

WORD = re.compile(r"[^\W_]+")


def tokens(text: str) -> list[str]:
    """Return the words and numbers of a text in order, in one case."""
    return WORD.findall(text.casefold())


EMAIL = re.compile(r"[\w.+-]+(?:'[\w.+-]+)*@[\w-]+(?:\.[\w-]+)+")
URL = re.compile(r"(?:https?://|www\.)[^\s<>\"')\]]+", re.IGNORECASE)
BARE_HOST = re.compile(
    r"(?<![@\w.-])(?:[a-z0-9-]+\.)+(?:com|org|net|io|de|eu|co|info|biz|app|dev|xyz|ru|cn|ai|me)(?:/[^\s<>\"')\]]*)?",
    re.IGNORECASE,
)
IBAN = re.compile(r"[A-Z](?<!\w\w)[A-Z]\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")
PHONE = re.compile(r"(?<![\w.])\+?\d[\d ()/-]{6,}\d(?!\w)")
WALLET = re.compile(
    r"[0b13](?:(?<=\b0)x[0-9a-fA-F]{40}|(?<=\bb)c1[0-9a-z]{20,60}|(?<=\b[13])[1-9A-HJ-NP-Za-km-z]{25,34})\b"
)
"""These two begin with their first letter, not with a boundary of words: so they are looked for several times faster."""
_NUMBER = re.compile(r"(?<![\w.])[-+]?\d[\d.,']*(?:k\b)?", re.IGNORECASE)
_UNITS = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
    nineteen"""
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_EINER = "null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn achtzehn neunzehn"
_ZEHNER = "zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig"
_SPOKEN = {
    word: n
    for units, tens in ((_UNITS, _TENS), (_EINER, _ZEHNER))
    for words, first, step in ((units, 0, 1), (tens, 20, 10))
    for n, word in zip(range(first, 100, step), tokens(words), strict=False)
}
_TIMES = {"hundred": 100, "thousand": 1_000, "dozen": 12, "hundert": 100, "tausend": 1_000, "dutzend": 12}
_HINT = re.compile(r"[@/\d]|\.\w")
"""Without one of these there is no address in a text."""
_INNER_DOT = re.compile(r"\.\w")
_DIGIT = re.compile(r"\d")
_PHONE_DIGITS_MIN = 8
_DIGITS_MIN = 5
"""Digits from which a number is more than a year or a sum of everyday life."""
_WORD_LENGTH_MAX = 24
_DECIMAL = re.compile(r"[-+]?\d+\.\d+")
_SEALED_ADDRESSES = frozenset({SEALED_EMAIL, SEALED_PHONE, CARD, ACCOUNT})
"""Labels of what somebody could be reached or paid at: a handle with one of them is an address as its value is."""
_DATE = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}")


def key_of(value: str) -> str:
    """Return under what a value is found again: an address as it stands, a name without what separates its words, 5.0 as 5."""
    folded = value.strip().casefold()
    if not folded.isascii() and any(category(letter) == "Cf" for letter in folded):
        return folded  # What nobody sees makes it another value.
    if "@" in folded:
        return value.strip().lower()  # Not folded: an address with ss is another one than that with sharp s.
    if _DECIMAL.fullmatch(folded):
        return format(Decimal(folded).normalize(), "f")
    if "/" in folded or not WORD.search(folded):
        return folded.rstrip("/")
    if IBAN.fullmatch(value.strip()):
        return folded.replace(" ", "")
    return "".join(WORD.findall(folded)) if folded.isascii() or " " in folded else folded


def addresses_in(text: str) -> Iterator[str]:
    """Yield what in a text somebody could be reached or paid at, or something be fetched from."""
    if not _HINT.search(text):
        return
    yield from (str(handle) for handle in _handles(text) if handle.label in _SEALED_ADDRESSES)
    rest = text = _without_handles(text)
    digits = len(_DIGIT.findall(text))
    for pattern in _patterns(text, digits):
        found = pattern.findall(rest)
        for one in found:
            yield one.rstrip(".,;:!?")
        rest = pattern.sub(" ", rest) if found else rest
    if digits >= _PHONE_DIGITS_MIN:
        for one in PHONE.findall(_DATE.sub(" ", rest)):
            if sum(letter.isdigit() for letter in one) >= _PHONE_DIGITS_MIN:
                yield one.strip()


def _patterns(text: str, digits: int) -> Iterator[re.Pattern[str]]:
    """Yield those patterns, in order, without whose marks a text is not worth searching: most texts hold none of them."""
    if "://" in text or "www." in text.casefold():
        yield URL
    if "@" in text:
        yield EMAIL
    if digits:
        yield IBAN
        yield WALLET
    if _INNER_DOT.search(text):
        yield BARE_HOST


def telling_in(text: str) -> Iterator[str]:
    """Yield what in a question could tell something about somebody: addresses, long numbers, and rows of letters that no language has."""
    yield from addresses_in(text)
    yield from (str(handle) for handle in _handles(text) if handle.label not in _SEALED_ADDRESSES)
    for word in tokens(without_addresses(text)):
        if sum(letter.isdigit() for letter in word) >= _DIGITS_MIN or len(word) > _WORD_LENGTH_MAX:
            yield word


def has_digit(text: str) -> bool:
    """Tell whether a digit stands in a text."""
    return _DIGIT.search(text) is not None


def without_addresses(text: str) -> str:
    """Return a text without what somebody could be reached or paid at."""
    text = _without_handles(text)
    for pattern in (URL, EMAIL, IBAN, WALLET, BARE_HOST):
        text = pattern.sub(" ", text)
    return text


def _handles(text: str) -> list[Handle]:
    return list(handles_in(text.encode(errors="replace"))) if "sealed:" in text else []


def _without_handles(text: str) -> str:
    """Return a text without handles: their letters and digits follow from chance, and say nothing."""
    return with_handles(text, lambda _: " ")


def number_of(value: object) -> Decimal | None:
    """Return the number that a value is, as JSON or as people write it; None when it is none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float, Decimal)):
        return Decimal(str(value)).normalize()
    if isinstance(value, str):
        found = _NUMBER.findall(value)
        return _parsed(found[0]) if len(found) == 1 else None
    return None


def is_number(value: object) -> bool:
    """Tell whether a value is a number and nothing besides: a text that merely holds one may say anything."""
    if isinstance(value, str):
        return _NUMBER.fullmatch(value) is not None
    return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)


def numbers_in(text: str) -> set[Decimal]:
    """Return all numbers that a text names, in digits or in English words."""
    text = _without_handles(text)
    found = {number for one in _NUMBER.findall(text) if (number := _parsed(one)) is not None}
    return found | _spoken(tokens(text))


def _parsed(text: str) -> Decimal | None:
    """Read `1,200.50`, `1.200,50`, `1'200`, `12k`."""
    plain = text.rstrip(".,'").replace("'", "")
    times = 1
    if plain[-1:].casefold() == "k":
        plain, times = plain[:-1], 1_000
    comma, point = plain.rfind(","), plain.rfind(".")
    if comma > point and (point >= 0 or len(plain) - comma - 1 != 3):  # noqa: PLR2004 - three digits are thousands
        plain = plain.replace(".", "").replace(",", ".")
    else:
        plain = plain.replace(",", "")
    try:
        return (Decimal(plain) * times).normalize()
    except InvalidOperation:
        return None


def _spoken(words: list[str]) -> set[Decimal]:
    found: set[Decimal] = set()
    total, heard = 0, False
    for word in [*words, ""]:
        if word in _SPOKEN:
            total, heard = total + _SPOKEN[word], True
        elif word in _TIMES:
            total, heard = max(total, 1) * _TIMES[word], True
        elif word != "and" or not heard:
            if heard:
                found.add(Decimal(total).normalize())
            total, heard = 0, False
    return found
