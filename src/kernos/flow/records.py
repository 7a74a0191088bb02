"""Records: the objects in tools' answers: what names them, and what in them outsiders cannot have written."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from kernos.flow.text import addresses_in, key_of, number_of, tokens
from kernos.vocabulary.flow import ResultFields

Value = object
"""A JSON value, decoded."""

Leaf = tuple[str, Value]
"""The path of a text, number, truth value or null, without positions in lists; and the value."""


@dataclass(frozen=True, slots=True)
class Placing:
    """Where a record stands in an answer, and what was asked there."""

    is_chosen: bool
    """It is what a call answered whose arguments somebody vouches for."""
    is_listed: bool
    """It stands in a list of such an answer."""
    is_open: bool
    """It stands in a list from which nothing was left out that nobody spoke of."""
    is_narrow: bool
    """It is what a call answered that was asked with more than the words say: whoever asked may have left out what else they could mean."""


@dataclass(slots=True)
class Record:
    """One object in a tool's answer: by what it is named, and which of its values outsiders cannot have filled in."""

    source: str
    value: Value
    """The object itself."""
    placing: Placing
    is_own: bool
    """Outsiders can write nothing in it."""
    names: set[str] = field(default_factory=set)
    """The words of its naming fields."""
    firm_names: set[str] = field(default_factory=set)
    """The words of those naming fields that outsiders cannot fill."""
    keys: set[str] = field(default_factory=set)
    """The naming values as a whole."""
    firm_keys: set[str] = field(default_factory=set)
    """Those of them that outsiders cannot fill."""
    phrases: set[str] = field(default_factory=set)
    """Those of several words, which nobody says by accident."""
    proof: set[str] = field(default_factory=set)
    claimed: set[str] = field(default_factory=set)
    """Of its proof values those that an outsider may be meant by: the sender's own address, verified or not."""
    numbers: set[Decimal] = field(default_factory=set)
    parties: set[str] = field(default_factory=set)
    """Whose it is: the values of proof fields such as owner, sender, customer, e-mail."""
    details: set[str] = field(default_factory=set)
    """Texts in its naming and proof fields that say where somebody lives or the like, in one case."""
    codes: frozenset[str] = frozenset()
    """Numbers in its naming values that are long enough to be no accident: of an order, of an invoice."""
    several: frozenset[str] = frozenset()
    """Of its proof values those that stand in a list: members, participants."""
    measures: dict[str, Decimal | str] = field(default_factory=dict)
    """By their paths: its numbers, and its days and times, as far as outsiders cannot have filled them in."""
    batch: int = 0
    """Of which answer it is part; set when it is taken in."""


_AUTHOR = frozenset(
    tokens(
        "author by counterparty creator from organiser organizer owner payer poster reply requester sender user username writer absender von"
    )
)
"""Words in the name of a field that says who made the record: an outsider is meant by it, however well it is verified."""

_CODE_MIN = 4
"""Digits of a number that names one thing."""

_YEAR = re.compile(r"(?:19|20)\d\d")

_PARTY = _AUTHOR | frozenset(
    tokens(
        "account client company creditor customer debtor email firm issuer organizer organiser owner payee supplier vendor"
    )
)
"""Words in the name of a field that says whose the record is."""

_DETAIL = re.compile(r"(?=.*[^\W\d_]{3})(?=.*\d)(?=.* ).{8,}")
"""Words and a number: a street, a row in a hall; no date and no single id."""

_PHRASE_MIN = 2
"""Words of a name that is no accident when it is said as a whole."""


def leaves(value: Value, path: str = "") -> Iterator[Leaf]:
    """Yield every text, number, truth value and null in a JSON value with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            inside = f"{path}.{name}" if path else str(name)
            if isinstance(inner, str):  # Most are: one generator less.
                yield inside, inner
            else:
                yield from leaves(inner, inside)
    elif isinstance(value, Sequence):
        for inner in value:
            yield from leaves(inner, path)
    else:
        yield path, value


def pointers(value: Value, pointer: str = "", path: str = "") -> Iterator[tuple[str, str, Value]]:
    """Yield every leaf with its JSON pointer (RFC 6901) and its path."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            step = str(name).replace("~", "~0").replace("/", "~1")
            yield from pointers(inner, f"{pointer}/{step}", f"{path}.{name}" if path else str(name))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for n, inner in enumerate(value):
            yield from pointers(inner, f"{pointer}/{n}", path)
    else:
        yield pointer, path, value


def keys_of(leaf: Value) -> set[str]:
    """Return under what a value is found again: itself, and each address in it."""
    if leaf is None or isinstance(leaf, bool):
        return set()
    text = str(leaf)
    found = {key_of(text), *(key_of(one) for one in addresses_in(text))} if isinstance(leaf, str) else {key_of(text)}
    return found - {""}


def is_field(path: str, fields: Iterable[str]) -> bool:
    """Tell whether a path is one of the fields, which are named by their last name or by a longer path."""
    return any(path == name or path.endswith(f".{name}") for name in fields)


def is_party(path: str, fields: ResultFields) -> bool:
    """Tell whether a field is one that names its record, or says who sent it."""
    return is_field(path, fields.names) or not _AUTHOR.isdisjoint(tokens(path.rpartition(".")[2].replace("_", " ")))


def is_within(path: str, fields: Iterable[str]) -> bool:
    """Tell whether a path is one of the fields, or part of one."""
    while path:
        if is_field(path, fields):
            return True
        path = path.rpartition(".")[0]
    return False


def objects(fields: ResultFields, value: Value, path: str = "") -> Iterator[tuple[Value, str]]:
    """Yield each object in an answer that has a naming or a proof field of its own, with its path."""
    if isinstance(value, Mapping):
        own = {
            f"{path}.{name}" if path else str(name) for name, inner in value.items() if not isinstance(inner, Mapping)
        }
        if any(is_field(one, (*fields.proof, *fields.names)) for one in own):
            yield value, path
        for name, inner in value.items():
            yield from objects(fields, inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for inner in value:
            yield from objects(fields, inner, path)


def mappings(value: Value) -> Iterator[Mapping[str, Value]]:
    """Yield every object in a JSON value, the outer ones first."""
    if isinstance(value, Mapping):
        yield value
        for inner in value.values():
            yield from mappings(inner)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for inner in value:
            yield from mappings(inner)


def own_record(source: str, fields: ResultFields, value: Mapping[str, Value], placing: Placing) -> Record:
    """Return a record that outsiders can write nothing in: all of it is proof; without naming fields each of its texts names it."""
    record = Record(source, value, placing, is_own=True)
    for path, leaf in leaves({name: inner for name, inner in value.items() if not _holds_objects(inner)}):
        _prove(record, path, leaf)
        if isinstance(leaf, str) and (is_field(path, fields.names) or not fields.names):
            _name(record, leaf)
    return _finished(record)


def record_of(source: str, fields: ResultFields, value: Value, path: str, placing: Placing) -> Record:
    """Return what can be relied on in one object of an answer at `path`, by what its tool declares."""
    record = Record(source, value, placing, is_own=False)
    is_from_outsider = False
    for at, leaf in leaves(value, path):
        is_name, is_proof = is_field(at, fields.names), is_field(at, fields.proof)
        title = tokens(at.rpartition(".")[2].replace("_", " "))
        is_author = not _AUTHOR.isdisjoint(title)
        is_from_outsider |= is_author and (is_name or is_proof or at.rpartition(".")[0] == path)
        if is_name:
            _name(record, str(leaf))
        if is_proof:
            _prove(record, at, leaf)
            if not _PARTY.isdisjoint(title):
                record.parties.update(keys_of(leaf))
            if is_name or is_author:
                record.claimed.update(keys_of(leaf))
        if is_name and is_proof:
            record.firm_keys.update(keys_of(leaf))
            if not any(True for _ in addresses_in(str(leaf))):  # Anybody may have an address with anybody's name in it.
                record.firm_names.update(tokens(str(leaf)))
        if (is_name or is_proof) and _is_detail(leaf):
            record.details.add(str(leaf).casefold())
    if is_from_outsider:
        record.claimed |= (
            record.proof
        )  # Whoever sent it is meant by whatever it says of somebody: their address, their account.
    return _finished(record)


def _name(record: Record, text: str) -> None:
    """Take in a text by which a record is named."""
    words = tokens(text)
    record.names.update(words)
    record.keys.update({key_of(text)} - {""})
    if len(words) >= _PHRASE_MIN:
        record.phrases.add(key_of(text))


def _prove(record: Record, path: str, leaf: Value) -> None:
    """Take in a value that outsiders cannot have filled in."""
    record.proof.update(keys_of(leaf))
    _measure(record.measures, path, leaf)
    number = number_of(leaf)
    if number is not None and _counts(path):
        record.numbers.add(number)


def _finished(record: Record) -> Record:
    """Return a record with what follows from all that was taken in."""
    if record.is_own:
        record.firm_names, record.firm_keys = record.names, record.keys
    record.codes = _codes(record.names)
    record.several = _several(record.value)
    return record


def _measure(measures: dict[str, Decimal | str], path: str, leaf: Value) -> None:
    if isinstance(leaf, str) and _WHEN.fullmatch(leaf):
        measures[path] = leaf
    elif isinstance(leaf, (int, float)) and not isinstance(leaf, bool):
        measures[path] = Decimal(str(leaf))


_WHEN = re.compile(r"\d{4}-\d{2}(?:-\d{2}(?:[T ][\d:.]+Z?)?)?|\d{2}:\d{2}")
"""Months, days and times that are earlier where their letters are less."""


def _several(value: Value) -> frozenset[str]:
    lists = value.values() if isinstance(value, Mapping) else ()
    return frozenset(
        key
        for inner in lists
        if isinstance(inner, Sequence) and not isinstance(inner, str)
        for _, leaf in leaves(inner)
        for key in keys_of(leaf)
    )


def _is_detail(leaf: Value) -> bool:
    return isinstance(leaf, str) and _DETAIL.fullmatch(leaf) is not None


def _codes(names: Iterable[str]) -> frozenset[str]:
    return frozenset(word for word in names if word.isdigit() and len(word) >= _CODE_MIN and not _YEAR.fullmatch(word))


def _holds_objects(value: Value) -> bool:
    return isinstance(value, Mapping) or (
        isinstance(value, Sequence) and not isinstance(value, str) and any(isinstance(one, Mapping) for one in value)
    )


def _counts(path: str) -> bool:
    """Tell whether a number there counts or measures something, and does not name it."""
    return _NAMING_NUMBER.isdisjoint(tokens(path.rpartition(".")[2].replace("_", " ")))


_NAMING_NUMBER = frozenset(
    tokens("account bic code date day id iban index key month no nr number phone postcode ref reference time year zip")
)
"""Words in the name of a field whose number names something."""
