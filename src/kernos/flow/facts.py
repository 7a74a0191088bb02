"""Facts: what one run knows about the origins of values: its principal's words, its input, and what its tools answered.

Values are found again by what they are, not by which variable held them: so an origin outlives memory, summaries, restarts and models.
A value that was written somewhere on nobody's word does not become trusted by being read back.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from kernos.flow.dates import Saying
from kernos.flow.records import (
    Leaf,
    Placing,
    Value,
    is_field,
    is_within,
    keys_of,
    leaves,
    mappings,
    objects,
    own_record,
    pointers,
    record_of,
)
from kernos.flow.selection import Selection
from kernos.flow.text import is_number, key_of, number_of, tokens
from kernos.flow.words import Words
from kernos.vocabulary.flow import Consequence, FlowContract, Heritage, Origin, ResultFields
from kernos.vocabulary.grants import StandingGrant


@dataclass(slots=True)
class Facts:
    """What is known so far; it only grows."""

    words: Words
    tools: Mapping[str, FlowContract] = field(default_factory=dict)
    """All that the run may call: what is asked for by the name of one of them is not asked of another."""
    trusted: dict[str, Origin] = field(default_factory=dict)
    """Values that stand in the input or in a trusted record, by key."""
    given: set[Decimal] = field(default_factory=set)
    """The numbers in the input."""
    made: set[str] = field(default_factory=set)
    """Actions that were made, by their keys in `judge`."""
    moved: dict[str, str] = field(default_factory=dict)
    """How much was moved to whom, by its key in `judge`, and by which tool."""
    offered: set[str] = field(default_factory=set)
    """Addresses that a place outside listed when it was asked, by key: what a search found."""
    told: set[str] = field(default_factory=set)
    """Who was told something since the principal spoke last, likewise."""
    outside: list[str] = field(default_factory=list)
    """Texts that outsiders may have written, in one case."""
    outside_keys: set[str] = field(default_factory=set)
    """Values in them, and addresses within them, by key."""
    modelled: set[str] = field(default_factory=set)
    """Values that a model answered, by key."""
    drafts: list[str] = field(default_factory=list)
    """Texts that a model answered, in one case."""
    smuggled: set[str] = field(default_factory=set)
    """Values that a call wrote somewhere although nobody vouched for them."""
    secrets: set[str] = field(default_factory=set)
    grants: Mapping[str, StandingGrant] = field(default_factory=dict)
    """Sources that speak for the principal, by the grant's id."""
    sources: list[tuple[str, ResultFields, Mapping[str, Value]]] = field(default_factory=list)
    """What tools answered that outsiders may have written: the objects in it that prove anything."""
    heard: dict[str, tuple[int, Words | None]] = field(default_factory=dict)
    """What such sources wrote, for `granting`."""
    endorsed: set[str] = field(default_factory=set)
    """Data that a person said yes to, by the keys of their concerns."""
    refused: set[str] = field(default_factory=set)
    selection: Selection = field(init=False)
    """What the records prove that the words and the values of the input select."""

    def __post_init__(self) -> None:
        self.selection = Selection(self.words, self.tools, self.trusted, self.smuggled)

    @property
    def is_tainted(self) -> bool:
        """Tell whether the run has read what an outsider may have written."""
        return bool(self.outside)

    # --- what is learned -----------------------------------------------------------------------------------------

    def hear(self, text: str) -> None:
        """Take in what the principal says besides what they said before."""
        self.words = Words((*self.words.texts, text))
        self.told.clear()
        self.selection.hear(self.words)

    def take_input(self, value: Value, told: Heritage | None = None, untrusted: Sequence[str] = ()) -> None:
        """Take in the contract's input: its caller vouches for it, but not for what outsiders fill (`untrusted`, as the contract says).

        Nor does a parent for what it was handed itself from outside or by a model (`told`).
        """
        self._split(value, told or Heritage(), untrusted, Origin.INPUT)

    def take_handed(self, value: Value, told: Heritage) -> None:
        """Take in what a child answered: parts of it come from where the child says, the rest its code made."""
        self._split(value, told, (), None)

    def take_outside(self, value: Value) -> None:
        """Take in what an outsider may have written."""
        for _, leaf in leaves(value):
            self._distrust(leaf)

    def take_answer(self, value: Value) -> None:
        """Take in what a person answered to a question: they vouch for it."""
        self._trust(leaves(value), Origin.ENDORSED)

    def take_model(self, value: Value) -> None:
        """Take in what a model answered: it vouches for nothing."""
        for _, leaf in leaves(value):
            self.modelled.update(keys_of(leaf))
            if isinstance(leaf, str) and len(leaf) >= _PIECE_MIN:
                self.drafts.append(leaf.casefold())

    def _split(self, value: Value, told: Heritage, untrusted: Sequence[str], otherwise: Origin | None) -> None:
        outside, modelled = frozenset(told.untrusted), frozenset(told.modelled)
        for pointer, path, leaf in pointers(value):
            if pointer in outside or is_within(path, untrusted):
                self._distrust(leaf)
            elif pointer in modelled:
                self.take_model(leaf)
            elif otherwise is not None:
                self._trust([(path, leaf)], otherwise)

    def read(
        self,
        tool: str,
        flow: FlowContract,
        answer: Value,
        *,
        is_chosen: bool = False,
        is_vouched: bool = False,
        is_open: bool = False,
        is_narrow: bool = False,
    ) -> None:
        """Take in what a tool answered.

        `is_vouched`: somebody vouches for all that it was asked with. `is_chosen`: that told which record was wanted.
        `is_open`: it was asked with nothing, or only with what somebody vouches for, so that nothing was left out.
        `is_narrow`: it was asked for something particular that nobody spoke of.
        """
        fields = flow.result
        for path, leaf in leaves(answer):
            if is_field(path, fields.secret):
                self.secrets.update(key for key in keys_of(leaf) if len(key) >= _SECRET_MIN)
        whole = Placing(is_chosen, is_listed=False, is_open=False, is_narrow=is_narrow and not is_chosen)
        part = Placing(is_chosen=False, is_listed=is_vouched, is_open=is_open, is_narrow=is_narrow)
        if fields.trusted:
            self._trust(leaves(answer), Origin.RECORD)
            part = replace(part, is_listed=is_open)
            own = [own_record(tool, fields, one, whole if one is answer else part) for one in mappings(answer)]
            self.selection.take(own)
            return
        for _, leaf in leaves(answer):
            self._distrust(leaf)
            if flow.consequence is Consequence.FETCH and isinstance(leaf, str) and " " not in leaf:
                self.offered.add(key_of(leaf))
        if fields.proof:
            self.sources.extend((tool, fields, mapping) for mapping in mappings(answer))
        if is_open and not isinstance(answer, Mapping):
            self.selection.meet(fields, answer)
        if fields.proof or fields.names:
            found = objects(fields, answer)
            self.selection.take(
                record_of(tool, fields, one, path, whole if one is answer else part) for one, path in found
            )

    def wrote(self, unvouched: Iterable[Value]) -> None:
        """Take in which values an action wrote that nobody vouched for."""
        for value in unvouched:
            self.smuggled.update(keys_of(value))

    def _trust(self, found: Iterable[Leaf], origin: Origin) -> None:
        for _, leaf in found:
            for key in keys_of(leaf):
                if key in self.smuggled:
                    self.outside_keys.add(key)
                else:
                    self.trusted.setdefault(key, origin)
            number = number_of(leaf)
            if number is not None and origin is Origin.INPUT:
                self.given.add(number)

    def _distrust(self, leaf: Value) -> None:
        self.outside_keys.update(keys_of(leaf))
        if isinstance(leaf, str) and leaf:
            self.outside.append(leaf.casefold())

    # --- what is asked -------------------------------------------------------------------------------------------

    def origin_of(
        self, value: Value, *, by_code: bool, firm: bool = False, selected: bool = False, told: bool = False
    ) -> Origin:
        """Tell who vouches for a value: the best of its origins.

        `by_code`: the operator's code made the argument, not a model. `firm`: a record counts only if it is selected by what
        outsiders cannot fill, because the value decides who gets something. `selected`: that a value stands in a record of the principal's
        own is not enough, for which of them is meant decides what happens. `told`: it selects who is told something, so that any record of the
        one party that the words name will do.
        """
        text = str(value)
        key = key_of(text)
        if self.words.say(text) or (is_number(value) and self.words.say_number(value)):
            return Origin.PRINCIPAL
        own = self.trusted.get(key) if key not in self.smuggled else None
        if own is not None and (
            own is not Origin.RECORD or by_code or not selected or self.selection.selects(key, firm=firm)
        ):
            return own
        if key not in self.smuggled and (
            self.selection.selects(key, firm=firm)
            or (told and self.selection.is_of_one_party(key))
            or (firm and self.selection.is_only_correspondent(key))
        ):
            return Origin.PROOF
        if (
            key in self.outside_keys
            or key in self.smuggled
            or any(text.casefold() in one for one in self.outside if text)
        ):
            return Origin.UNTRUSTED
        return self.made_of(text, key) if by_code else Origin.MODEL

    def made_of(self, text: str, key: str) -> Origin:
        """Tell what the operator's code made a value of: of something foreign, if that stands in it; else its own word counts."""
        keys = {key, *keys_of(text)}
        folded = text.casefold()
        if not keys.isdisjoint(self.outside_keys | self.smuggled) or _holds(folded, self.outside):
            return Origin.UNTRUSTED
        if not keys.isdisjoint(self.modelled) or _holds(folded, self.drafts):
            return Origin.MODEL
        return Origin.CODE

    def origin_of_number(self, value: Value, links: frozenset[str], *, by_code: bool) -> Origin:
        """Tell who vouches for an amount in a call that acts on what `links` names (by key).

        A number of a record counts where the call acts on that record, or on none.
        """
        number = number_of(value)
        if number is None:
            return self.origin_of(value, by_code=by_code)
        if number in self.words.numbers and key_of(str(value)) not in links:
            return Origin.PRINCIPAL
        if number in self.given:
            return Origin.INPUT
        if number in self.selection.numbers_of(links):
            return Origin.PROOF
        if by_code and key_of(str(value)) not in self.modelled | self.outside_keys:
            return Origin.CODE
        return Origin.UNTRUSTED if key_of(str(value)) in self.outside_keys else Origin.MODEL

    def stands_outside(self, text: str) -> bool:
        """Tell whether a text stands, letter by letter, in what was read from outside."""
        wanted = text.casefold()
        return bool(wanted) and any(wanted in one for one in self.outside)

    def may_be_opened(self, address: str) -> bool:
        """Tell whether an address that outsiders wrote is one to open: the words speak of pages, it was found, or the one record that they name has it."""
        return self.words.mention_pages or key_of(address) in self.offered or self.selection.shows(address)

    def is_day_proposed(self, day: date) -> bool:
        """Tell whether a text that an outsider may have written names a day."""
        return any(Saying([one]).name(day) for one in self.outside)

    def secrets_in(self, text: str) -> Iterator[str]:
        """Yield the secrets that a text holds, whatever separates their letters."""
        if not self.secrets:
            return
        pressed = key_of(" ".join(tokens(text)) + " ")
        folded = text.casefold()
        for secret in self.secrets:
            if secret in folded or secret in pressed:
                yield secret


def _holds(folded: str, pieces: Iterable[str]) -> bool:
    return any(len(piece) >= _PIECE_MIN and piece in folded for piece in pieces)


_PIECE_MIN = 8
"""Letters below which a piece of a text turns up in another one by chance."""

_SECRET_MIN = 4
"""Letters below which a secret turns up by chance."""
