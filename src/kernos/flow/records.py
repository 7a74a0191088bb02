"""Records: the objects in tools' answers: what names them, and what in them outsiders cannot have written."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from kernos.flow.text import addresses_in, key_of, number_of, tokens
from kernos.vocabulary.flow import ResultFields

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
    is_narrow: bool
    """It is what a call answered that was asked with more than the words say: whoever asked may have left out what else they could mean."""
    is_open: bool
    """It stands in a list from which nothing was left out that nobody spoke of."""
    is_own: bool
    """Outsiders can write nothing in it."""
    parties: frozenset[str]
    """Whose it is: the values of proof fields such as owner, sender, customer, e-mail."""
    details: frozenset[str]
    """Texts in its naming and proof fields that say where somebody lives or the like, in one case."""
    codes: frozenset[str]
    """Numbers in its naming values that are long enough to be no accident: of an order, of an invoice."""
    several: frozenset[str]
    """Of its proof values those that stand in a list: members, participants."""
    measures: Mapping[str, Decimal | str]
    """By their paths: its numbers, and its days and times, as far as outsiders cannot have filled them in."""
    value: Value
    """The object itself."""
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


def own_record(
    source: str, fields: ResultFields, value: Mapping[str, Value], *, is_chosen: bool, is_open: bool, is_narrow: bool
) -> Record:
    """Return a record that outsiders can write nothing in: all of it is proof; without naming fields each of its texts names it."""
    names: set[str] = set()
    keys: set[str] = set()
    phrases: set[str] = set()
    proof: set[str] = set()
    numbers: set[Decimal] = set()
    measures: dict[str, Decimal | str] = {}
    for path, leaf in leaves({name: inner for name, inner in value.items() if not _holds_objects(inner)}):
        proof.update(keys_of(leaf))
        _measure(measures, path, leaf)
        if _counts(path, leaf):
            numbers.add(number_of(leaf) or Decimal(0))
        if isinstance(leaf, str) and (is_field(path, fields.names) or not fields.names):
            names.update(tokens(leaf))
            keys.add(key_of(leaf))
            if len(tokens(leaf)) >= _PHRASE_MIN:
                phrases.add(key_of(leaf))
    named, whole = frozenset(names), frozenset(keys - {""})
    return Record(
        source, named, named, whole, whole, frozenset(phrases), frozenset(proof), frozenset(), frozenset(numbers),
        is_chosen, is_listed=is_open, is_narrow=is_narrow, is_open=is_open, is_own=True, parties=frozenset(), details=frozenset(), codes=_codes(named), several=_several(value), measures=measures, value=value,
    )  # fmt: skip


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


def _counts(path: str, leaf: Value) -> bool:
    """Tell whether a value is a number that counts or measures something, not one that names it."""
    return number_of(leaf) is not None and _NAMING_NUMBER.isdisjoint(tokens(path.rpartition(".")[2].replace("_", " ")))


_NAMING_NUMBER = frozenset(
    tokens("account bic code date day id iban index key month no nr number phone postcode ref reference time year zip")
)
"""Words in the name of a field whose number names something."""


def record_of(
    source: str,
    fields: ResultFields,
    value: Value,
    path: str,
    *,
    is_chosen: bool,
    is_listed: bool,
    is_open: bool,
    is_narrow: bool,
) -> Record:
    """Return what can be relied on in one object of an answer at `path`, by what its tool declares."""
    names: set[str] = set()
    firm: set[str] = set()
    keys: set[str] = set()
    proof: set[str] = set()
    claimed: set[str] = set()
    phrases: set[str] = set()
    firm_keys: set[str] = set()
    numbers: set[Decimal] = set()
    is_from_outsider = False
    parties: set[str] = set()
    details: set[str] = set()
    measures: dict[str, Decimal | str] = {}
    for at, leaf in leaves(value, path):
        if _is_detail(leaf) and is_field(at, (*fields.names, *fields.proof)):
            details.add(str(leaf).casefold())
        if is_field(at, fields.proof) and not _PARTY.isdisjoint(tokens(at.rpartition(".")[2].replace("_", " "))):
            parties.update(keys_of(leaf))
        is_author = not _AUTHOR.isdisjoint(tokens(at.rpartition(".")[2].replace("_", " ")))
        is_its_own = is_field(at, (*fields.names, *fields.proof)) or at.rpartition(".")[0] == path
        is_from_outsider = is_from_outsider or (is_author and is_its_own)
        if is_field(at, fields.names):
            names.update(tokens(str(leaf)))
            if is_field(at, fields.proof):
                firm_keys.update(keys_of(leaf))
                if not any(
                    True for _ in addresses_in(str(leaf))
                ):  # Anybody may have an address with anybody's name in it.
                    firm.update(tokens(str(leaf)))
            keys.add(key_of(str(leaf)))
            if len(tokens(str(leaf))) >= _PHRASE_MIN:
                phrases.add(key_of(str(leaf)))
        if is_field(at, fields.proof):
            proof.update(keys_of(leaf))
            if is_field(at, fields.names) or is_author:
                claimed.update(keys_of(leaf))
            _measure(measures, at, leaf)
            number = number_of(leaf)
            if number is not None and _counts(at, leaf):
                numbers.add(number)
    if is_from_outsider:
        claimed |= proof  # Whoever sent it is meant by whatever it says of somebody: their address, their account.
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
        is_narrow,
        is_open,
        is_own=False,
        parties=frozenset(parties),
        details=frozenset(details),
        codes=_codes(names),
        several=_several(value),
        measures=measures,
        value=value,
    )
