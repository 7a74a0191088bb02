"""Sums: whether an amount follows from numbers that somebody vouches for by what the principal asked to be worked out."""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from kernos.flow.facts import Facts
from kernos.flow.text import tokens

_CENTS = Decimal("0.01")
_LARGEST = Decimal(10) ** 15
_PERCENT = Decimal(100)
_PARTS = {
    "half": 2,
    "halve": 2,
    "halves": 2,
    "hälfte": 2,
    "third": 3,
    "drittel": 3,
    "quarter": 4,
    "viertel": 4,
    "fifth": 5,
}
_TIMES = {"double": 2, "twice": 2, "doppelt": 2, "triple": 3}
_SHARED = frozenset(tokens("divide divided each equally share shared split teilen aufteilen je"))
_SHARERS_MAX = 12
"""People that a bill is split among without their number being said."""

_DIFFERENCE = frozenset(
    tokens("""add cut deduct difference decrease differenz discount erhöhe erhöhen increase less lower minus missing more off outstanding plus rabatt raise reduce remainder remaining rest senke senken
    subtract tax tip vat""")
)
_REST = frozenset(tokens("balance outstanding remainder remaining rest restbetrag restliche restlichen"))
"""What is left of an amount: not the amount itself."""
_TOTAL = frozenset(tokens("add altogether average both combined gesamt insgesamt sum summe together total zusammen"))
_PERCENTS = frozenset(tokens("percent prozent"))


def asks_for_part(texts: Iterable[str]) -> bool:
    """Tell whether the words ask for a part of an amount: then the amount itself is not what they ask for."""
    said = tokens(" ".join(texts))
    return not _PARTS.keys().isdisjoint(said) or not _REST.isdisjoint(said)


def is_worked_out(number: Decimal, links: frozenset[str], facts: Facts) -> bool:
    """Tell whether an amount is what the words ask to work out, from numbers they say and numbers of the records that the call acts on."""
    said = " ".join(facts.words.texts)
    words = frozenset(tokens(said))
    operands = [*facts.words.numbers, *facts.selection.numbers_of(links), *facts.given]
    if abs(number) >= _LARGEST:
        return False
    wanted = number.quantize(_CENTS)
    results = _results(words, operands, facts.words.numbers, has_percent="%" in said)
    return any(abs(made) < _LARGEST and made.quantize(_CENTS) == wanted for made in results)


def _results(
    words: frozenset[str], operands: list[Decimal], said: Iterable[Decimal], *, has_percent: bool
) -> Iterator[Decimal]:
    """Yield what the operations that the words ask for make of the operands."""
    for word in words.intersection(_PARTS):
        yield from (one / _PARTS[word] for one in operands)
    for word in words.intersection(_TIMES):
        yield from (one * _TIMES[word] for one in operands)
    if words.intersection(_SHARED):
        yield from (one / n for one in operands for n in range(2, _SHARERS_MAX + 1))
    if has_percent or words.intersection(_PERCENTS):
        for one in operands:
            for percent in said:
                share = one * percent / _PERCENT
                yield from (share, one + share, one - share)
    if words.intersection(_DIFFERENCE | _REST):
        yield from (one - other for one in operands for other in operands if one > other)
    if words.intersection(_DIFFERENCE - _REST):
        yield from (one + other for one in operands for other in operands)
    if words.intersection(_TOTAL):
        yield from (one + other for one in operands for other in operands)
        yield from (one * other for one in operands for other in operands)
        yield sum(operands, Decimal(0))
