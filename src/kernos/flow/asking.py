"""Asking: which words of a text ask for something to be done, and which only speak of it. For `words`.

`The cancelled trip` names one, `Bob sends` and `Bob sent` tell of Bob, `her message` is a thing, and `that the flat is let` is what somebody is told. What is left may ask. Where it cannot be told, a word counts as asking: then the other rules still hold.
"""

import re
from collections.abc import Iterator, Sequence

from kernos.flow.lexicon import ASKED_BY, IRREGULAR, LATE_NO, NO, TAKING
from kernos.flow.text import tokens
from kernos.vocabulary.flow import Consequence

_NO_REACH = 3
"""Words behind a `not` that it still denies."""

_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_CLAUSE = re.compile(r"[.,;:!?\n]+(?:\s|$)|\s[-–]\s")

_OWNERS = frozenset(tokens("a an the my our your his her its their this that these those which any no s"))
"""What stands before a thing."""
_KNOWN = frozenset(tokens("the these those his her their its"))
"""What stands before several that are there already: the reviews."""
_THAT = frozenset({"that", "dass"})
"""Behind these, after a verb of telling, stands what is told: that the flat is let."""
_DOING = frozenset(
    tokens(
        "arrange complete do execute file finish give handle initiate issue leave make perform prepare process put start submit trigger"
    )
)
"""What is done with a noun: to make a transfer is to transfer."""
_WANTING = frozenset(tokens("as get have like need request want"))
"""With these, a noun is asked for if it is a new one: a refund, not the refund."""
_DOING_REACH = 3
"""Words before a noun among which stands what is done with it."""
_WISHED = frozenset(tokens("be get have has like need needs see want wants"))
"""Before a participle: it shall be so."""
_WISHED_REACH = 6
_ITSELF = frozenset(tokens("have has get"))
"""With these something stands between: `have it paid` asks, `have paid` tells."""

_LEXICON = frozenset(
    word for consequence, words in ASKED_BY.items() if consequence is not Consequence.CREDENTIAL for word in words
)  # A password is a thing by itself.
_NOUNS = ("ation", "ations", "ment", "ments")
"""A payment and a reservation are things; to make one is to pay, to reserve."""
_PAST = frozenset(word for word, base in IRREGULAR.items() if word not in {base, f"{base}s"})


def asking(text: str) -> Iterator[str]:
    """Yield the words of a text that may ask for something, in order; none that a `not` shortly before denies."""
    for sentence in _SENTENCE.split(text):
        yield from _asking(sentence)


def taken(text: str) -> Iterator[str]:
    """Yield the words of a text that may name what somebody wants to have: they stand behind a word that takes, in the same clause."""
    for clause in _CLAUSE.split(text):
        words = tokens(clause)
        first = next(
            (n for n, word in enumerate(words) if word in TAKING and NO.isdisjoint(words[max(0, n - _NO_REACH) : n])),
            len(words),
        )
        yield from words[first + 1 :]


def _asking(sentence: str) -> Iterator[str]:
    words: list[str] = []
    is_telling = is_told = is_denied = False
    for clause in _CLAUSE.split(sentence):
        begin = len(words)
        words += tokens(clause)
        asked = begin + taken_back(words[begin:])
        for n in range(begin, len(words)):
            is_telling = is_telling or words[n] in ASKED_BY[Consequence.EGRESS]
            is_told = (is_told or (is_telling and words[n] in _THAT)) and not _goes_on(words, n)
            # Also over a comma and an `or`: do not pay, cancel or move.
            is_denied = not NO.isdisjoint(words[max(0, n - _NO_REACH) : n + 1]) or (
                is_denied and (words[n] in _OR or words[n - 1] in _OR)
            )
            if (
                n >= asked
                and not is_denied
                and not is_told
                and not _only_tells(words[n], words[max(begin, n - _WISHED_REACH) : n])
            ):
                yield words[n]


def taken_back(words: Sequence[str]) -> int:
    """Return how many words of a clause a German `not` behind them takes back: `zahl die Miete nicht`."""
    for n, word in enumerate(words):
        if word in _THAT:
            return 0  # What comes now is told, and not asked for.
        if word in LATE_NO:
            return n
    return 0


def _goes_on(words: list[str], n: int) -> bool:
    """Tell whether a new request begins with this word: tell Anna that I come, and book a table."""
    return n > 0 and words[n - 1] in _AND and (words[n] in _LEXICON or words[n].rstrip("e") in _LEXICON)


_OR = frozenset({"or", "nor", "oder"})
_AND = frozenset(tokens("and then please und dann bitte"))


def _only_tells(word: str, before: list[str]) -> bool:
    """Tell whether a verb stands where it names a thing or tells what somebody does or did; `before`: what it follows in its clause."""
    if word in _PAST or (word.endswith("ed") and word not in _LEXICON):
        return not any(
            one in _WISHED and not (one in _ITSELF and at == len(before) - 1) for at, one in enumerate(before)
        ) or (bool(before) and before[-1] in _OWNERS)
    is_base = word in _LEXICON
    is_form = not is_base and word.endswith("s") and (word[:-1] in _LEXICON or word[:-2] in _LEXICON)
    is_noun = (not is_base and word.endswith(_NOUNS)) or ((is_base or word.endswith("ing")) and _is_owned(before))
    is_known = word.endswith("s") and bool(before) and before[-1] in _KNOWN
    return (is_form or is_noun or is_known) and not _is_to_be_done(before)


def _is_owned(before: list[str]) -> bool:
    """Tell whether an article or an owner stands before a word, or before the one before it."""
    if not before or (before[-1] == "s" and before[-2:-1] == ["let"]):
        return False
    return before[-1] in _OWNERS or (len(before) > 1 and before[-2] in _OWNERS and before[-1] not in _LEADING)


_LEADING = frozenset(tokens("and or please to then you we i they now also just s"))
"""Behind these stands a verb."""


def _is_to_be_done(before: list[str]) -> bool:
    near = before[-_DOING_REACH:]
    return not _DOING.isdisjoint(near) or (not _WANTING.isdisjoint(near) and not {"a", "an"}.isdisjoint(near))
