"""Facts: what one run knows about the origins of values: its principal's words, its input, and what its tools answered.

Values are found again by what they are, not by which variable held them: so an origin outlives memory, summaries, restarts and models.
A value that was written somewhere on nobody's word does not become trusted by being read back.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from kernos.flow.text import addresses_in, key_of, number_of, tokens
from kernos.flow.words import Words
from kernos.vocabulary.flow import FlowContract, Origin, ResultFields

Value = object
"""A JSON value, decoded."""

Leaf = tuple[str, Value]
"""The path of a text, number, truth value or null, without positions in lists; and the value."""


@dataclass(slots=True)
class Record:
    """One object in a tool's answer: by what it is named, and which of its values outsiders cannot have filled in."""

    source: str
    names: frozenset[str]
    """The words of its naming fields."""
    firm_names: frozenset[str]
    """The words of those naming fields that outsiders cannot fill."""
    keys: frozenset[str]
    """The naming values as a whole."""
    firm_keys: frozenset[str]
    """Those of them that outsiders cannot fill."""
    phrases: frozenset[str]
    """Those of several words, which nobody says by accident."""
    proof: frozenset[str]
    claimed: frozenset[str]
    """Of its proof values those that an outsider may be meant by: the sender's own address, verified or not."""
    numbers: frozenset[Decimal]
    is_chosen: bool
    """It is what a call answered whose arguments somebody vouches for."""
    is_listed: bool
    """It stands in a list of such an answer."""


@dataclass(slots=True)
class Facts:
    """What is known so far; it only grows."""

    words: Words
    trusted: dict[str, Origin] = field(default_factory=dict)
    """Values that stand in the input or in a trusted record, by key."""
    numbers: set[Decimal] = field(default_factory=set)
    """The numbers among them."""
    records: list[Record] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    """Texts that outsiders may have written, in one case."""
    outside_keys: set[str] = field(default_factory=set)
    """Values in them, and addresses within them, by key."""
    modelled: set[str] = field(default_factory=set)
    """Values that a model answered, by key."""
    smuggled: set[str] = field(default_factory=set)
    """Values that a call wrote somewhere although nobody vouched for them."""
    secrets: set[str] = field(default_factory=set)
    endorsed: set[str] = field(default_factory=set)
    """Data that a person said yes to, by the keys of their concerns."""
    refused: set[str] = field(default_factory=set)
    _proving: dict[str, list[int]] = field(default_factory=dict)
    """By a value in a proof field: the positions of the records that it stands in."""
    _unclaimed: set[str] = field(default_factory=set)
    """Values of proof fields that no outsider can be meant by: other than the sender's own, verified address."""
    _named: dict[bool, Sequence[Sequence[int]]] = field(default_factory=dict)
    """Records by the words that name them; forgotten whenever something is learned."""

    @property
    def is_tainted(self) -> bool:
        """Tell whether the run has read what an outsider may have written."""
        return bool(self.outside)

    # --- what is learned -----------------------------------------------------------------------------------------

    def hear(self, text: str) -> None:
        """Take in what the principal says besides what they said before."""
        self.words = Words((*self.words.texts, text))
        self._named.clear()

    def take_input(self, value: Value) -> None:
        """Take in the contract's input: its caller vouches for it."""
        self._trust(leaves(value), Origin.INPUT)

    def take_model(self, value: Value) -> None:
        """Take in what a model answered: it vouches for nothing."""
        for _, leaf in leaves(value):
            self.modelled.update(_keys(leaf))

    def read(
        self, tool: str, flow: FlowContract, answer: Value, *, is_chosen: bool = False, is_vouched: bool = False
    ) -> None:
        """Take in what a tool answered.

        `is_vouched`: somebody vouches for all that it was asked with. `is_chosen`: that told which record was wanted.
        """
        self._named.clear()
        fields = flow.result
        for path, leaf in leaves(answer):
            if _is_field(path, fields.secret):
                self.secrets.update(key for key in _keys(leaf) if len(key) >= _SECRET_MIN)
        if fields.trusted:
            self._trust(leaves(answer), Origin.RECORD)
        else:
            for _, leaf in leaves(answer):
                self._distrust(leaf)
        if fields.proof or fields.names:
            for value, path in _objects(fields, answer):
                is_whole = value is answer
                self._add(
                    _record(
                        tool,
                        fields,
                        value,
                        path,
                        is_chosen=is_chosen and is_whole,
                        is_listed=is_vouched and not is_whole,
                    )
                )

    def _add(self, record: Record) -> None:
        position = len(self.records)
        self.records.append(record)
        for key in (*record.proof, *(_NUMBER + str(number) for number in record.numbers)):
            self._proving.setdefault(key, []).append(position)
        self._unclaimed.update(record.proof - record.claimed)

    def wrote(self, unvouched: Iterable[Value]) -> None:
        """Take in which values an action wrote that nobody vouched for."""
        for value in unvouched:
            self.smuggled.update(_keys(value))

    def _trust(self, found: Iterable[Leaf], origin: Origin) -> None:
        for _, leaf in found:
            for key in _keys(leaf):
                if key in self.smuggled:
                    self.outside_keys.add(key)
                else:
                    self.trusted.setdefault(key, origin)
            number = number_of(leaf)
            if number is not None and key_of(str(leaf)) not in self.smuggled:
                self.numbers.add(number)

    def _distrust(self, leaf: Value) -> None:
        self.outside_keys.update(_keys(leaf))
        if isinstance(leaf, str) and leaf:
            self.outside.append(leaf.casefold())

    # --- what is asked -------------------------------------------------------------------------------------------

    def origin_of(self, value: Value, *, by_code: bool, firm: bool = False) -> Origin:
        """Tell who vouches for a value: the best of its origins.

        `by_code`: the operator's code made the argument, not a model. `firm`: a record counts only if it is selected by what
        outsiders cannot fill, because the value decides who gets something.
        """
        text = str(value)
        key = key_of(text)
        if self.words.say(text) or (number_of(value) is not None and self.words.say_number(value)):
            return Origin.PRINCIPAL
        if key in self.trusted and key not in self.smuggled:
            return self.trusted[key]
        if key not in self.smuggled and (
            self._proves(key, firm=firm) or (firm and key in self._unclaimed and self._proves(key, firm=False))
        ):
            return Origin.PROOF
        if (
            key in self.outside_keys
            or key in self.smuggled
            or any(text.casefold() in one for one in self.outside if text)
        ):
            return Origin.UNTRUSTED
        return Origin.CODE if by_code and key not in self.modelled else Origin.MODEL

    def origin_of_number(self, value: Value, *, by_code: bool) -> Origin:
        """Tell who vouches for an amount."""
        number = number_of(value)
        if number is None:
            return self.origin_of(value, by_code=by_code)
        if number in self.words.numbers:
            return Origin.PRINCIPAL
        if number in self.numbers:
            return Origin.RECORD
        if self._proves(_NUMBER + str(number), firm=False):
            return Origin.PROOF
        if by_code and key_of(str(value)) not in self.modelled | self.outside_keys:
            return Origin.CODE
        return Origin.UNTRUSTED if key_of(str(value)) in self.outside_keys else Origin.MODEL

    def vouched_numbers(self) -> frozenset[Decimal]:
        """Return all amounts that somebody vouches for."""
        known = {number for record in self.records for number in record.numbers}
        proven = (number for number in known if self._proves(_NUMBER + str(number), firm=False))
        return frozenset({*self.words.numbers, *self.numbers, *proven})

    def stands_outside(self, text: str) -> bool:
        """Tell whether a text stands, letter by letter, in what was read from outside."""
        wanted = text.casefold()
        return bool(wanted) and any(wanted in one for one in self.outside)

    def secrets_in(self, text: str) -> Iterator[str]:
        """Yield the secrets that a text holds, whatever separates their letters."""
        if not self.secrets:
            return
        pressed = key_of(" ".join(tokens(text)) + " ")
        folded = text.casefold()
        for secret in self.secrets:
            if secret in folded or secret in pressed:
                yield secret

    def _proves(self, key: str, *, firm: bool) -> bool:
        """Tell whether a value stands in the proof fields of a record that is selected.

        A record is selected by a naming value that the principal said or somebody vouches for, by the arguments of the call that
        answered it, or by words of its name; where those words fit several records as well, the value must stand in each of them.
        `firm`: only by what outsiders cannot fill.
        """
        where = self._proving.get(key, ())
        return any(self._is_picked(self.records[n], firm=firm) for n in where) or (
            bool(where) and any(all(n in where for n in group) for group in self._groups(firm=firm))
        )

    def _is_picked(self, record: Record, *, firm: bool) -> bool:
        if record.is_chosen or (record.is_listed and not firm and self.words.leave_a_choice):
            return True
        keys = record.firm_keys if firm else record.keys
        return any(
            (key in self.trusted and key not in self.smuggled) or (_is_firm(key) and self.words.say(key))
            for key in keys
        )

    def _groups(self, *, firm: bool) -> Sequence[Sequence[int]]:
        """Return records, by position, in groups that the same words of the principal name, the best named of each tool only."""
        if firm not in self._named:
            found: dict[tuple[str, frozenset[str]], list[int]] = {}
            whole: dict[str, list[int]] = {}
            for n, record in enumerate(self.records):
                used = self.words.named(record.firm_names if firm else record.names)
                if used:
                    found.setdefault((record.source, used), []).append(n)
                for key in () if firm else record.phrases:
                    if self.words.say(key):
                        whole.setdefault(key, []).append(n)
            self._named[firm] = [
                group
                for (source, used), group in found.items()
                if not any(other == source and used < better for other, better in found)
            ] + list(whole.values())
        return self._named[firm]


_NUMBER = "number "
"""Before the amounts among the values of proof fields: 40.00 is 40."""

_AUTHOR = frozenset(tokens("author by creator from poster reply requester sender user username writer absender von"))
"""Words in the name of a field that says who made the record: an outsider is meant by it, however well it is verified."""

_PHRASE_MIN = 2
"""Words of a name that is no accident when it is said as a whole."""

_SECRET_MIN = 4
"""Letters below which a secret turns up by chance."""


def leaves(value: Value, path: str = "") -> Iterator[Leaf]:
    """Yield every text, number, truth value and null in a JSON value with its path."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from leaves(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for inner in value:
            yield from leaves(inner, path)
    else:
        yield path, value


def _keys(leaf: Value) -> set[str]:
    """Return under what a value is found again: itself, and each address in it."""
    if leaf is None or isinstance(leaf, bool):
        return set()
    text = str(leaf)
    found = {key_of(text), *(key_of(one) for one in addresses_in(text))} if isinstance(leaf, str) else {key_of(text)}
    return found - {""}


def _is_field(path: str, fields: Iterable[str]) -> bool:
    return any(path == name or path.endswith(f".{name}") for name in fields)


def _objects(fields: ResultFields, value: Value, path: str = "") -> Iterator[tuple[Value, str]]:
    """Yield each object in an answer that has a naming or a proof field of its own, with its path."""
    if isinstance(value, Mapping):
        own = {
            f"{path}.{name}" if path else str(name) for name, inner in value.items() if not isinstance(inner, Mapping)
        }
        if any(_is_field(one, (*fields.proof, *fields.names)) for one in own):
            yield value, path
        for name, inner in value.items():
            yield from _objects(fields, inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for inner in value:
            yield from _objects(fields, inner, path)


def _record(source: str, fields: ResultFields, value: Value, path: str, *, is_chosen: bool, is_listed: bool) -> Record:
    names: set[str] = set()
    firm: set[str] = set()
    keys: set[str] = set()
    proof: set[str] = set()
    claimed: set[str] = set()
    phrases: set[str] = set()
    firm_keys: set[str] = set()
    numbers: set[Decimal] = set()
    for at, leaf in leaves(value, path):
        if _is_field(at, fields.names):
            names.update(tokens(str(leaf)))
            if _is_field(at, fields.proof):
                firm.update(tokens(str(leaf)))
                firm_keys.update(_keys(leaf))
            keys.add(key_of(str(leaf)))
            if len(tokens(str(leaf))) >= _PHRASE_MIN:
                phrases.add(key_of(str(leaf)))
        if _is_field(at, fields.proof):
            proof.update(_keys(leaf))
            if _is_field(at, fields.names) or not _AUTHOR.isdisjoint(tokens(at.rpartition(".")[2].replace("_", " "))):
                claimed.update(_keys(leaf))
            number = number_of(leaf)
            if number is not None:
                numbers.add(number)
    return Record(
        source,
        frozenset(names),
        frozenset(firm),
        frozenset(keys - {""}),
        frozenset(firm_keys),
        frozenset(phrases),
        frozenset(proof),
        frozenset(claimed),
        frozenset(numbers),
        is_chosen,
        is_listed,
    )


def _is_firm(key: str) -> bool:
    """Tell whether a name said as a whole is no accident: a word of everyday talk, which anybody may give to a record, is not enough."""
    return any(letter.isdigit() for letter in key) or "@" in key or "/" in key
