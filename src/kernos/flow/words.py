"""Words: what the principal said, and whether they said a value or asked for a kind of action."""

import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from functools import cache

from kernos.flow.asking import asking, taken, taken_back
from kernos.flow.dates import Saying
from kernos.flow.lexicon import (
    ALL,
    ASKED_BY,
    CHOICE,
    EVERY,
    EVERYTHING,
    FAMILIES,
    GENERIC,
    IRREGULAR,
    MAKING,
    NO,
    PAGES,
    PHRASES,
    PLAIN,
    QUESTION,
    REQUEST,
    SAYING,
    SEPARABLE,
    SUPERLATIVES,
)
from kernos.flow.text import EMAIL, addresses_in, key_of, number_of, numbers_in, tokens, without_addresses
from kernos.vocabulary.flow import Consequence, FlowContract, Role

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
        whole = re.sub(r"n['’]t\b", " not", " \n ".join(self.texts))
        self._tokens = tokens(whole)
        self._naming = frozenset(
            word
            for word in tokens(without_addresses(whole))
            if len(word) >= _NAME_WORD_MIN and word not in PLAIN and _stem(word) not in _VERBS
        )
        self._said_singular = frozenset(map(_singular, self._tokens))
        self._singular = frozenset(map(_singular, self._naming))
        self._addressed = _addressed(self._tokens)
        self._rows = frozenset().union(*(_rows(tokens(part)) for part in EMAIL.split(whole)))
        self._addresses = frozenset(key_of(one) for one in addresses_in(whole))
        self.numbers: frozenset[Decimal] = frozenset(numbers_in(whole))
        self._asked: dict[str, bool] = {}
        wished = _wished(whole)
        phrased = (verb for pattern, verb in PHRASES if pattern.search(wished.casefold()))
        meant = (*asking(wished), *phrased, *_separated(wished))
        self._meant = frozenset(_stem(word) for word in meant if word not in PLAIN)
        self._plainly = PLAIN.intersection(meant)
        """Small words only mean what they are: the German for `we` does not ask to wire."""
        self._all_of = frozenset(_behind(whole, ALL))
        self._chosen_of = frozenset(_stem(word) for word in _behind(whole, CHOICE))
        self._every = _stems(EVERY.findall(whole.casefold()))
        self._extremes = tuple(
            (fields, is_most) for pattern, fields, is_most in SUPERLATIVES if pattern.search(whole.casefold())
        )
        self._taken = _stems(taken(wished))
        self._wished = wished
        self._is_nameless = any(
            _NAMELESS.match(whole, found.end()) is not None
            for pattern, _, _ in SUPERLATIVES
            for found in pattern.finditer(whole.casefold())
        )
        self._when: Saying | None = None

    @property
    def when(self) -> Saying:
        """What they say of days and times; read when a call first names one."""
        if self._when is None:
            self._when = Saying(self.texts)
        return self._when

    def say(self, value: str) -> bool:
        """Tell whether the words contain this very value: an address letter by letter, a name word by word."""
        key = key_of(value)
        if not key:
            return False
        if "@" in key or "/" in key:
            return key in self._addresses or self._say_host(value)
        return key in self._rows or key in self._addresses

    def _say_host(self, address: str) -> bool:
        """Tell whether an address is the front page of a host that they name, with or without `https://` and `www.`."""
        found = _FRONT.fullmatch(address.strip())
        if found is None:
            return False
        scheme = f"(?:{found[1]}://)?" if found[1] else "(?:https?://)?"
        host = re.escape(found[2])
        said = rf"(?<![\w@.:/-]){scheme}(?:www\.)?{host}(?!/?[\w@-]|[.:]\w)"
        return any(re.search(said, text, re.IGNORECASE | re.ASCII) for text in self.texts)

    def hold(self, text: str) -> bool:
        """Tell whether each word of a text was said, in whatever order."""
        words = tokens(text)
        return bool(words) and set(words).issubset(self._tokens)

    def hint_at(self, word: str) -> bool:
        """Tell whether a word was said, be it of one or several."""
        return word in self._tokens or _singular(word) in self._said_singular

    def _say_apart(self, phrase: str) -> bool:
        """Tell whether they wish for something by several words, with little between: `take her off`."""
        between = r"(?:\W+\w+){0,3}?\W+".join(map(re.escape, phrase.split()))
        return re.search(rf"\b{between}\b", self._wished, re.IGNORECASE) is not None

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
        """Tell whether they want all that some of their words name: all the old invoices, but not the cheapest of all the offers."""
        return not self._extremes and not used.isdisjoint(self._all_of)

    def want_all_of(self, tool: str) -> bool:
        """Tell whether they want all that a tool lists, and nothing narrows it: every channel, but not every channel of the museum."""
        return any(_stem(word) in self._every for word in tokens(tool.replace("_", " ")))

    @property
    def mean_one(self) -> bool:
        """Tell whether what they want to be the most or the least has no name: the cheapest one."""
        return self._is_nameless

    @property
    def extremes(self) -> tuple[tuple[frozenset[str], bool], ...]:
        """What they want to be the least or, if True, the most: words in the names of fields that tell how much that is."""
        return self._extremes

    @property
    def mention_pages(self) -> bool:
        """Tell whether they speak of pages, links or the web, so that an address that somebody wrote may be opened."""
        return not PAGES.isdisjoint(self._tokens) or bool(self._addresses)

    def ask_for(self, tool: str, flow: FlowContract, tools: Mapping[str, FlowContract] | None = None) -> bool:
        """Tell whether the words show that the principal wants such a call made, and not one of another of the `tools`."""
        known = self._asked.get(tool)
        if known is None:
            known = self._asked[tool] = self._ask_for(tool, flow, tools or {})
        return known

    def _ask_for(self, tool: str, flow: FlowContract, tools: Mapping[str, FlowContract]) -> bool:
        spoken = _named_by(tool)
        meaning = {word.casefold() for word in flow.asked_by}
        if flow.consequence is not Consequence.CREDENTIAL:
            meaning.update(spoken[-1:])
        wanted = {*_verbs_of(flow), *flow.asked_by, *_akin(meaning)}
        if flow.consequence is not Consequence.CREDENTIAL:
            is_verb_first = "." not in tool
            wanted.update(spoken[:1] if is_verb_first else spoken[-(2 if flow.consequence in _SPOKEN_OF else 1) :])
            if not is_verb_first and not self._taken.isdisjoint(_stems(spoken[-2:-1])):
                return True  # Who takes a hotel wants one.
        if flow.consequence in _PARTICULAR:
            # What is asked for by another tool's own verb is asked of that one: to confirm a trip is not to move it.
            others = {
                word.casefold()
                for name, other in tools.items()
                if name != tool and other.consequence in _PARTICULAR
                for word in (*_named_by(name)[-1:], *other.asked_by)
            }
            own, akin = _stems(meaning), _stems(_akin(meaning)) - _stems(others)
            taken = _stems(_akin(others))
            wanted = {word for word in wanted if (stem := _stem(word)) in own or stem in akin or stem not in taken}
        return any(
            self._say_apart(word) if " " in word else _stem(word) in self._meant or word in self._plainly
            for word in wanted
        )


def _wished(text: str) -> str:
    """Return a text without the questions in it, which ask to be told and nothing else, and without what is to be told to whoever speaks."""
    return _TO_ME.sub(" ", " ".join(one for one in _SENTENCE.findall(text) if not _is_question(one)))


def _is_question(sentence: str) -> bool:
    return sentence.rstrip().endswith("?") and QUESTION.match(sentence) is not None and REQUEST.search(sentence) is None


_FRONT = re.compile(r"(?:(https?)://)?(?:www\.)?([a-z0-9-]+(?:\.[a-z0-9-]+)+)/?", re.IGNORECASE | re.ASCII)
_NAMELESS = re.compile(r"\s*(?:[.,;:!?\n]|$)|\s+ones?\b")
_SENTENCE = re.compile(r"(?:[^.!?\n]|[.!?](?=\S))+[.!?\n]*")
_TO_ME = re.compile(r"\b(?:tell|let|inform|sag\w*) (?:me|us|mir|uns)\b(?: know| bescheid)?", re.IGNORECASE)


def _akin(words: Iterable[str]) -> frozenset[str]:
    """Return words with those that mean the same, in English and German."""
    found = frozenset(words)
    return found.union(*(_FAMILY.get(word, ()) for one in found for word in (one, _stem(one))))


def _verbs_of(flow: FlowContract) -> frozenset[str]:
    """Return by which verbs such a call is asked for: to post a message is to speak, to move a meeting is not."""
    verbs = ASKED_BY.get(flow.consequence, frozenset())
    if flow.consequence is not Consequence.SHARED_WRITE:
        return verbs
    roles = frozenset(flow.roles.values())
    if Role.DESTINATION in roles and roles <= _SPEAKING:
        return verbs | ASKED_BY[Consequence.EGRESS]
    if Role.TARGET in roles:
        return verbs - SAYING - MAKING
    return verbs - SAYING if Role.DATE in roles else verbs


_SPEAKING = frozenset({Role.DESTINATION, Role.CONTENT, Role.OPTION, Role.REFERENCES})


def _named_by(tool: str) -> list[str]:
    return [word for word in tokens(re.sub(r"([a-z])([A-Z])", r"\1 \2", tool)) if word not in GENERIC]


@cache
def kinds_of(tool: str) -> frozenset[str]:
    """Return the words for what a tool is about, of one and of several: the ticket is any of `tickets.list`."""
    return frozenset(form for word in _named_by(tool) for form in (word, _singular(word), f"{word}s"))


def _stems(words: Iterable[str]) -> frozenset[str]:
    return frozenset(map(_stem, words))


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
            elif word in EVERYTHING and first is ALL:
                yield from [one for one in words[n + 1 :] if one not in PLAIN][:_CHOICE_REACH]


def _separated(text: str) -> Iterator[str]:
    """Yield the German verbs whose first half stands at the end of a part of a sentence: `buch die Anzahlung ab` is to `abbuchen`."""
    for part in _PARTS.split(text):
        words = tokens(part)
        words = words[taken_back(words) :]
        if words and words[-1] in SEPARABLE and NO.isdisjoint(words[-1 - _NO_REACH :]):
            yield from (words[-1] + _stem(word) for word in _meant(words[:-1]))


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
    if word.endswith(("ern", "eln")):
        return word[:-1]  # German infinitives: `ändern`, `erinnern`.
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

_SPOKEN_OF = frozenset({Consequence.PRIVATE_WRITE})
"""What a mere noun is enough for."""

_VERBS = frozenset(_stem(word) for words in ASKED_BY.values() for word in words)
"""What is done rather than what it is done with."""

_FAMILY = {word: family for family in FAMILIES for one in family for word in (one, _stem(one))}
"""By a verb: those that mean the same."""
