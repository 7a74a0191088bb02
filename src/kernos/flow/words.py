"""Words: what the principal said, and whether they said a value or asked for a kind of action."""

import re
from collections.abc import Iterable
from decimal import Decimal

from kernos.flow.lexicon import ASKED_BY, CHOICE, GENERIC, IRREGULAR, NO, PHRASES, PLAIN
from kernos.flow.text import addresses_in, key_of, number_of, numbers_in, tokens, without_addresses
from kernos.vocabulary.flow import Consequence, FlowContract

_NGRAM_MAX = 8
"""Words in a row that may spell one name."""
_NAME_WORD_MIN = 3
"""Letters below which a word of a longer name says nothing by itself."""

_NO_REACH = 3
"""Words behind a `not` that it still denies."""
_STEM_MIN = 3
_ENDINGS = ("ation", "ments", "ment", "ings", "ing", "ies", "ied", "ed", "es", "en", "st", "e", "s", "t", "y")


class Words:
    """What the principal said so far: the intent first, then what they added."""

    def __init__(self, texts: Iterable[str]) -> None:
        """Take everything they said, in order."""
        self.texts = tuple(texts)
        whole = " \n ".join(self.texts)
        self._tokens = tokens(re.sub(r"n['’]t\b", " not", whole))
        self._naming = frozenset(
            word
            for word in tokens(without_addresses(whole))
            if (len(word) >= _NAME_WORD_MIN or word.isdigit()) and word not in PLAIN and _stem(word) not in _VERBS
        )
        self._rows = _rows(self._tokens)
        self._addresses = frozenset(key_of(one) for one in addresses_in(whole))
        self.numbers: frozenset[Decimal] = frozenset(numbers_in(whole))
        self._asked: dict[str, bool] = {}
        phrased = (verb for pattern, verb in PHRASES if pattern.search(whole.casefold()))
        self._meant = frozenset(_stem(word) for word in (*_meant(self._tokens), *phrased))
        self.leave_a_choice: bool = not CHOICE.isdisjoint(self._tokens)
        """Whether they let whoever does the work choose from a list: the latest, all, the cheapest."""

    def say(self, value: str) -> bool:
        """Tell whether the words contain this very value: an address letter by letter, a name word by word."""
        key = key_of(value)
        if not key:
            return False
        if "@" in key or "/" in key:
            return key in self._addresses
        return key in self._rows or key in self._addresses

    def say_number(self, value: object) -> bool:
        """Tell whether the words name this number."""
        number = number_of(value)
        return number is not None and number in self.numbers

    def named(self, name_words: Iterable[str]) -> frozenset[str]:
        """Return those words of a record's name that the principal used, other than words that could stand in any request."""
        return self._naming.intersection(name_words)

    def ask_for(self, tool: str, flow: FlowContract) -> bool:
        """Tell whether the words show that the principal wants such a call made."""
        known = self._asked.get(tool)
        if known is None:
            known = self._asked[tool] = self._ask_for(tool, flow)
        return known

    def _ask_for(self, tool: str, flow: FlowContract) -> bool:
        wanted = {*ASKED_BY.get(flow.consequence, ()), *(word.casefold() for word in flow.asked_by)}
        spoken = [word for word in tokens(re.sub(r"([a-z])([A-Z])", r"\1 \2", tool)) if word not in GENERIC]
        if flow.consequence is not Consequence.CREDENTIAL:
            wanted.update(spoken[-2:] if "." in tool else spoken[:1])
        return any(self.say(word) if " " in word else _stem(word) in self._meant for word in wanted)


def _rows(words: list[str]) -> frozenset[str]:
    """Return all rows of words, written together."""
    return frozenset(
        "".join(words[begin : begin + length])
        for begin in range(len(words))
        for length in range(1, min(_NGRAM_MAX, len(words) - begin) + 1)
    )


def _meant(words: list[str]) -> list[str]:
    """Return the words that no `not` shortly before them denies."""
    return [word for n, word in enumerate(words) if not NO.intersection(words[max(0, n - _NO_REACH) : n + 1])]


def _stem(word: str) -> str:
    """Cut what English and German verbs end in, so that `paying`, `paid` and `pay` meet."""
    if word in IRREGULAR:
        return IRREGULAR[word]
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _STEM_MIN:
            return _stem(word[: -len(ending)])
    return word


_VERBS = frozenset(_stem(word) for words in ASKED_BY.values() for word in words)
"""What is done rather than what it is done with."""
