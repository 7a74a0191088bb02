"""Words: what the principal said, and whether they said a value or asked for a kind of action."""

import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

from kernos.flow.lexicon import ALL, ASKED_BY, CHOICE, GENERIC, IRREGULAR, NO, PHRASES, PLAIN
from kernos.flow.text import addresses_in, key_of, number_of, numbers_in, tokens, without_addresses
from kernos.vocabulary.flow import Consequence, FlowContract

_NGRAM_MAX = 8
"""Words in a row that may spell one name."""
_NAME_WORD_MIN = 3
"""Letters below which a word of a longer name says nothing by itself."""

_CHOICE_REACH = 4
"""Words behind `all` or `the cheapest` among which stands what is chosen from."""

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
            if len(word) >= _NAME_WORD_MIN and word not in PLAIN and _stem(word) not in _VERBS
        )
        self._singular = frozenset(map(_singular, self._naming))
        self._addressed = _addressed(self._tokens)
        self._rows = _rows(self._tokens)
        self._addresses = frozenset(key_of(one) for one in addresses_in(whole))
        self.numbers: frozenset[Decimal] = frozenset(numbers_in(whole))
        self._asked: dict[str, bool] = {}
        phrased = (verb for pattern, verb in PHRASES if pattern.search(whole.casefold()))
        self._meant = frozenset(_stem(word) for word in (*_meant(self._tokens), *phrased))
        self._all_of = frozenset(_behind(whole, ALL))
        self._chosen_of = frozenset(_stem(word) for word in _behind(whole, CHOICE))

    def say(self, value: str) -> bool:
        """Tell whether the words contain this very value: an address letter by letter, a name word by word."""
        key = key_of(value)
        if not key:
            return False
        if "@" in key or "/" in key:
            return key in self._addresses
        return key in self._rows or key in self._addresses

    def hold(self, text: str) -> bool:
        """Tell whether each word of a text was said, in whatever order."""
        words = tokens(text)
        return bool(words) and set(words).issubset(self._tokens)

    def say_number(self, value: object) -> bool:
        """Tell whether the words name this number."""
        number = number_of(value)
        return number is not None and number in self.numbers

    def named(self, name_words: Iterable[str]) -> frozenset[str]:
        """Return those words of a record's name that the principal used, other than words that could stand in any request."""
        return self._naming.intersection(name_words)

    def named_loosely(self, name_words: Iterable[str]) -> frozenset[str]:
        """As `named`, where one and several of a thing have the same name."""
        return frozenset(word for word in name_words if word in self._naming or _singular(word) in self._singular)

    def address(self, name: str) -> bool:
        """Tell whether they speak of writing, sending or telling something to somebody of this name: `tell Anna`, `send it to Anna`."""
        return name in self._addressed

    def leave_a_choice(self, tool: str) -> bool:
        """Tell whether they let whoever does the work choose from what a tool lists: the latest mail, all orders, the cheapest hotel."""
        return any(_stem(word) in self._chosen_of for word in tokens(tool.replace("_", " ")))

    def want_all(self, used: frozenset[str]) -> bool:
        """Tell whether they want all that some of their words name: all the old invoices."""
        return not used.isdisjoint(self._all_of)

    def ask_for(self, tool: str, flow: FlowContract, tools: Mapping[str, FlowContract] | None = None) -> bool:
        """Tell whether the words show that the principal wants such a call made, and not one of another of the `tools`."""
        known = self._asked.get(tool)
        if known is None:
            known = self._asked[tool] = self._ask_for(tool, flow, tools or {})
        return known

    def _ask_for(self, tool: str, flow: FlowContract, tools: Mapping[str, FlowContract]) -> bool:
        wanted = {*ASKED_BY.get(flow.consequence, ()), *(word.casefold() for word in flow.asked_by)}
        spoken = _named_by(tool)
        if flow.consequence is not Consequence.CREDENTIAL:
            wanted.update(spoken[-2:] if "." in tool else spoken[:1])
        if flow.consequence in _PARTICULAR:
            # What is asked for by another tool's own verb is asked of that one: to confirm a trip is not to move it.
            own = {_stem(word) for word in (*spoken[-1:], *flow.asked_by)}
            others = {
                _stem(word)
                for name, other in tools.items()
                if name != tool and other.consequence in _PARTICULAR
                for word in (*_named_by(name)[-1:], *other.asked_by)
            }
            wanted = {word for word in wanted if _stem(word) in own or _stem(word) not in others}
        return any(self.say(word) if " " in word else _stem(word) in self._meant for word in wanted)


def _named_by(tool: str) -> list[str]:
    return [word for word in tokens(re.sub(r"([a-z])([A-Z])", r"\1 \2", tool)) if word not in GENERIC]


def _rows(words: list[str]) -> frozenset[str]:
    """Return all rows of words, written together."""
    return frozenset(
        "".join(words[begin : begin + length])
        for begin in range(len(words))
        for length in range(1, min(_NGRAM_MAX, len(words) - begin) + 1)
    )


def _behind(text: str, first: frozenset[str]) -> Iterator[str]:
    """Yield what stands shortly behind certain words, in the same part of a sentence; `any more` chooses nothing."""
    for part in _PARTS.split(_NO_CHOICE.sub(" ", text)):
        words = tokens(part)
        for n, word in enumerate(words):
            if word in first:
                yield from words[n + 1 : n + 1 + _CHOICE_REACH]


_PARTS = re.compile(r"[.,;:!?\n]+(?:\s|$)")
_NO_CHOICE = re.compile(r"\bany ?(?:more|longer|way|how)\b|\bat (?:all|least|most|last)\b|\ball right\b", re.IGNORECASE)


def _singular(word: str) -> str:
    return word[:-1] if word.endswith("s") and len(word) > _NAME_WORD_MIN else word


def _addressed(words: list[str]) -> frozenset[str]:
    """Return the words behind a verb of telling, or behind a `to` or `an` that follows one: those that may name who is told."""
    found: set[str] = set()
    told = False
    for n, word in enumerate(words):
        is_telling = _stem(word) in _TELLING or (word == "let" and "know" in words[n + 1 : n + 2 + _LET_REACH])
        told = told or is_telling
        if is_telling or (told and word in _TO):
            found.update(words[n + 1 : n + 1 + _TOLD_REACH])
        if word in _AND and words[n - 1] in found:
            found.update(words[n + 1 : n + 2])
    return frozenset(found)


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


_TELLING = frozenset(_stem(word) for word in ASKED_BY[Consequence.EGRESS])
_TO = frozenset({"to", "an", "with", "for", "für"})
_AND = frozenset({"and", "und", "or", "oder"})
_TOLD_REACH = 2
"""Words behind a verb of telling that may name who is told: first and last name."""

_LET_REACH = 6
"""Words between `let` and `know`."""

_PARTICULAR = frozenset({Consequence.MONEY, Consequence.COMMITMENT, Consequence.DESTRUCTIVE, Consequence.CREDENTIAL})
"""What is too grave for a verb that another tool is named by."""

_VERBS = frozenset(_stem(word) for words in ASKED_BY.values() for word in words)
"""What is done rather than what it is done with."""
