"""Facts: what one run knows about the origins of values: its principal's words, its input, and what its tools answered.

Values are found again by what they are, not by which variable held them: so an origin outlives memory, summaries, restarts and models.
A value that was written somewhere on nobody's word does not become trusted by being read back.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from kernos.flow.choosing import is_left_to_choose
from kernos.flow.dates import Saying
from kernos.flow.records import (
    Leaf,
    Record,
    Value,
    is_field,
    is_party,
    is_within,
    keys_of,
    leaves,
    mappings,
    objects,
    own_record,
    pointers,
    record_of,
)
from kernos.flow.text import has_digit, is_number, key_of, number_of, tokens
from kernos.flow.words import Words, kinds_of
from kernos.vocabulary.flow import Consequence, FlowContract, Heritage, Origin, ResultFields
from kernos.vocabulary.grants import StandingGrant


@dataclass(slots=True)
class Facts:
    """What is known so far; it only grows."""

    words: Words
    trusted: dict[str, Origin] = field(default_factory=dict)
    """Values that stand in the input or in a trusted record, by key."""
    given: set[Decimal] = field(default_factory=set)
    """The numbers in the input."""
    tools: Mapping[str, FlowContract] = field(default_factory=dict)
    """All that the run may call: what is asked for by the name of one of them is not asked of another."""
    made: set[str] = field(default_factory=set)
    """Actions that were made, by their keys in `judge`."""
    moved: dict[str, str] = field(default_factory=dict)
    """How much was moved to whom, by its key in `judge`, and by which tool."""
    offered: set[str] = field(default_factory=set)
    """Addresses that a place outside listed when it was asked, by key: what a search found."""
    told: set[str] = field(default_factory=set)
    """Who was told something since the principal spoke last, likewise."""
    records: list[Record] = field(default_factory=list)
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
    _proving: dict[str, list[int]] = field(default_factory=dict)
    """By a value in a proof field: the positions of the records that it stands in."""
    _batches: int = 0
    _detailed: dict[str, list[int]] = field(default_factory=dict)
    """By a detail of somebody: the positions of the records that tell it."""
    _unclaimed: dict[str, list[int]] = field(default_factory=dict)
    """As `_proving`, but where no outsider can be meant by it: other than the sender's own, verified address."""
    _correspondents: dict[str, set[str]] = field(default_factory=dict)
    """By a word: the addresses that hold it, by key, in proof and naming fields of lists that were asked for openly."""
    _bearing: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    """By a tool and a naming value as a whole: the positions of the records that bear it."""
    _named: dict[bool, Sequence[tuple[Sequence[int], frozenset[str]]]] = field(default_factory=dict)
    """Records by the words that name them; forgotten whenever something is learned."""

    @property
    def is_tainted(self) -> bool:
        """Tell whether the run has read what an outsider may have written."""
        return bool(self.outside)

    # --- what is learned -----------------------------------------------------------------------------------------

    def hear(self, text: str) -> None:
        """Take in what the principal says besides what they said before."""
        self.words = Words((*self.words.texts, text))
        self.told.clear()
        self._named.clear()

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
        self._named.clear()
        fields = flow.result
        for path, leaf in leaves(answer):
            if is_field(path, fields.secret):
                self.secrets.update(key for key in keys_of(leaf) if len(key) >= _SECRET_MIN)
        if fields.trusted:
            self._trust(leaves(answer), Origin.RECORD)
            for mapping in mappings(answer):
                is_whole = mapping is answer
                self._add(
                    own_record(
                        tool,
                        fields,
                        mapping,
                        is_chosen=is_chosen and is_whole,
                        is_open=is_open and not is_whole,
                        is_narrow=is_narrow and not (is_chosen and is_whole),
                    )
                )
            self._batches += 1
            return
        for _, leaf in leaves(answer):
            self._distrust(leaf)
            if flow.consequence is Consequence.FETCH and isinstance(leaf, str) and " " not in leaf:
                self.offered.add(key_of(leaf))
        if fields.proof:
            self.sources.extend((tool, fields, mapping) for mapping in mappings(answer))
        if is_open and not isinstance(answer, Mapping):
            self._meet(fields, answer)
        if fields.proof or fields.names:
            for value, path in objects(fields, answer):
                is_whole = value is answer
                self._add(
                    record_of(
                        tool,
                        fields,
                        value,
                        path,
                        is_chosen=is_chosen and is_whole,
                        is_listed=is_vouched and not is_whole,
                        is_open=is_open and not is_whole,
                        is_narrow=is_narrow and not (is_chosen and is_whole),
                    )
                )
            self._batches += 1

    def _meet(self, fields: ResultFields, answer: Value) -> None:
        for path, leaf in leaves(answer):
            if isinstance(leaf, str) and "@" in leaf and is_field(path, fields.proof) and is_party(path, fields):
                for word in tokens(leaf):
                    self._correspondents.setdefault(word, set()).add(key_of(leaf))

    def _add(self, record: Record) -> None:
        position = len(self.records)
        record.batch = self._batches
        self.records.append(record)
        for key in (*record.proof, *(_NUMBER + str(number) for number in record.numbers)):
            self._proving.setdefault(key, []).append(position)
        for key in (*record.keys, *record.firm_keys, *record.codes):
            self._bearing.setdefault((record.source, key), []).append(position)
        for detail in record.details:
            self._detailed.setdefault(detail, []).append(position)
        for key in record.proof - record.claimed:
            self._unclaimed.setdefault(key, []).append(position)

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
        if own is not None and (own is not Origin.RECORD or by_code or not selected or self._selects(key, firm=firm)):
            return own
        if key not in self.smuggled and (
            self._selects(key, firm=firm)
            or (told and self._is_of_one_party(key))
            or (firm and self._is_only_correspondent(key))
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
        if number in self.numbers_of(links):
            return Origin.PROOF
        if by_code and key_of(str(value)) not in self.modelled | self.outside_keys:
            return Origin.CODE
        return Origin.UNTRUSTED if key_of(str(value)) in self.outside_keys else Origin.MODEL

    def numbers_of(self, links: frozenset[str]) -> frozenset[Decimal]:
        """Return the numbers of the selected records that hold one of these values; without any, of all that are selected."""
        found: set[Decimal] = set()
        for number in {number for record in self.records for number in record.numbers}:
            where = self._proving.get(_NUMBER + str(number), ())
            held = [n for n in where if not links or not links.isdisjoint(self.records[n].proof)]
            if any(self._is_picked(self.records[n], where, firm=False) for n in held) or any(
                not set(group).isdisjoint(held) and self._is_meant(where, group, used)
                for group, used in self._groups(firm=False)
            ):
                found.add(number)
        return frozenset(found)

    def stands_outside(self, text: str) -> bool:
        """Tell whether a text stands, letter by letter, in what was read from outside."""
        wanted = text.casefold()
        return bool(wanted) and any(wanted in one for one in self.outside)

    def may_be_opened(self, address: str) -> bool:
        """Tell whether an address that outsiders wrote is one to open: the words speak of pages, it was found, or the one record that they name has it."""
        if self.words.mention_pages or key_of(address) in self.offered:
            return True
        folded = address.casefold()
        return any(
            self._is_named(n, firm=False)
            and any(isinstance(leaf, str) and folded in leaf.casefold() for _, leaf in leaves(record.value))
            for n, record in enumerate(self.records)
        )

    def is_day_proposed(self, day: date) -> bool:
        """Tell whether a text that an outsider may have written names a day."""
        return any(Saying([one]).name(day) for one in self.outside)

    def hint_at(self, text: str) -> bool:
        """Tell whether each word of a text was said, or stands in a record of the principal's own that the words name.

        The whole name of the only record of its kind that they name will do, too: Petra Schmidt, where they say Ms Schmidt.
        """
        key = key_of(text)
        if any(len(group) == 1 and key in self.records[group[0]].keys for group, _ in self._groups(firm=False)):
            return True
        left = {word for word in tokens(text) if not self.words.hint_at(word)}
        own = (record for group, _ in self._groups(firm=False) for record in (self.records[n] for n in group))
        return not left or left.issubset(
            {word for record in own if record.is_own for key in record.proof for word in tokens(key)}
        )

    def secrets_in(self, text: str) -> Iterator[str]:
        """Yield the secrets that a text holds, whatever separates their letters."""
        if not self.secrets:
            return
        pressed = key_of(" ".join(tokens(text)) + " ")
        folded = text.casefold()
        for secret in self.secrets:
            if secret in folded or secret in pressed:
                yield secret

    def _selects(self, key: str, *, firm: bool) -> bool:
        """Tell whether a value is proven; `firm`: by a record that outsiders cannot have named so, or one in which no outsider is meant by it."""
        if self._proves(self._proving.get(key, ()), firm=firm, key=key):
            return True
        return firm and self._proves(self._unclaimed.get(key, ()), firm=False, gets=True, key=key)

    def _proves(self, where: Sequence[int], *, firm: bool, gets: bool = False, key: str = "") -> bool:
        """Tell whether a value, which stands in proof fields of the records at `where`, does so in one that is selected.

        A record is selected by a naming value that the principal said or somebody vouches for, by the arguments of the call that
        answered it, or by words of its name; where those words fit several records as well, the value must stand in each of them.
        `firm`: only by what outsiders cannot fill. `gets`: the value says who gets something, so that no mere name leads to it from another record.
        """
        return any(self._is_picked(self.records[n], where, firm=firm, gets=gets or firm, value=key) for n in where) or (
            bool(where) and any(self._is_meant(where, group, used) for group, used in self._groups(firm=firm))
        )

    def is_outnamed(self, value: Value) -> bool:
        """Tell whether more of the words name something else than name what a value stands for: the car in Oslo is not the trip to Oslo."""
        where = self._proving.get(key_of(str(value)), ())
        used = frozenset().union(*(self.words.named_loosely(self.records[n].names) for n in where))
        if not used or self.words.say(str(value)) or self.words.want_all(used):
            return False
        tools = {self.records[n].source for n in where}
        return any(
            used < better and self.records[group[0]].source not in tools for group, better in self._groups(firm=False)
        )

    def _is_of_one_party(self, key: str) -> bool:
        """Tell whether a value stands in one of several records that the words name alike, all of them of the same party."""
        where = self._proving.get(key, ())
        for group, _ in self._groups(firm=False):
            whose = {self.records[n].parties for n in group}
            if len(whose) == 1 and all(whose) and not set(group).isdisjoint(where):
                return True
        return False

    def _is_meant(self, where: Sequence[int], group: Sequence[int], used: frozenset[str]) -> bool:
        """Tell whether the words that name a group mean records of `where`: all that are named so, or any where all are wanted."""
        return all(n in where for n in group) or (self.words.want_all(used) and not set(group).isdisjoint(where))

    def _is_picked(
        self, record: Record, where: Sequence[int], *, firm: bool, gets: bool = False, value: str = ""
    ) -> bool:
        """Tell whether a record is selected for a value that stands in those at `where`."""
        if record.is_chosen:
            return True
        # Every channel is each of them, not whoever is in one.
        if not (gets and value in record.several) and is_left_to_choose(record, self.records, self.words, firm=firm):
            return True
        keys = record.firm_keys if firm else record.keys
        return any(
            (
                (not gets or record.is_own or _is_firm(key))
                and self._is_given(key, record, firm=key not in record.codes)
                and not self._is_shared(key, record, where, gets=gets)
            )
            or (_is_firm(key) and self.words.say(key))
            for key in (*keys, *(() if firm else record.codes))
        )

    def _is_only_correspondent(self, key: str) -> bool:
        """Tell whether an address is the only one, in all that was listed, that has a name to which the words want something told.

        Anybody may take an address with a name in it, so a second one of that name is enough to ask; and only lists count that were asked for with
        nothing, or with what somebody vouches for: a model could leave the right one out of any other.
        """
        own = [name for name in tokens(key.rpartition(".")[0]) if self.words.address(name)]
        found = [theirs for name in own if key in (theirs := self._correspondents.get(name, ()))]
        return bool(found) and all(len(theirs) == 1 for theirs in found)

    def _is_given(self, key: str, record: Record, *, firm: bool) -> bool:
        """Tell whether a naming value stands in the input, or in a record that the words select; a record selects no other of its list."""
        if key in self.smuggled:
            return False
        if self.trusted.get(key) is Origin.INPUT:
            return True
        if record.is_own:
            return False
        return any(
            self.records[n].source != record.source and self._is_named(n, firm=firm) for n in self._proving.get(key, ())
        )

    def _is_shared(self, key: str, record: Record, where: Sequence[int], *, gets: bool) -> bool:
        """Tell whether a naming value names others of the tool's records, too, where the value looked for does not stand: a city, a channel.

        Several of one party's are not told apart, unless it is about who gets something.
        """
        rivals = [self.records[n] for n in self._bearing[record.source, key] if n not in where]
        return record.is_narrow or any(gets or not one.parties or one.parties != record.parties for one in rivals)

    def _is_named(self, position: int, *, firm: bool) -> bool:
        """Tell whether the words themselves select a record; `firm`: by what outsiders cannot fill."""
        record = self.records[position]
        return record.is_chosen or any(
            position in group and (len(group) == 1 or self.words.want_all(used))
            for group, used in self._groups(firm=firm)
        )

    def _is_contested(
        self,
        group: Sequence[int],
        source: str,
        used: frozenset[str],
        found: Mapping[tuple[str, frozenset[str]], Sequence[int]],
    ) -> bool:
        """Tell whether only words that outsiders may have chosen set these records before one of somebody else."""
        whose = frozenset[str]().union(*(self.records[n].parties for n in group))
        if not all(used.intersection(self.records[n].firm_names) for n in group) and self._has_near(
            group, source, used
        ):
            return True
        return any(
            other == source and lesser < used and len(lesser) >= _CONTEST_MIN and whose.isdisjoint(theirs)
            for (other, lesser), rivals in found.items()
            for theirs in (self.records[n].parties for n in rivals)
            if whose and theirs
        )

    def _has_near(self, group: Sequence[int], source: str, used: frozenset[str]) -> bool:
        """Tell whether somebody else's record has nearly the name by which an outsider may have put theirs forward: honeymoon, honeymooners."""
        whose = frozenset[str]().union(*(self.records[n].parties for n in group))
        named = frozenset[str]().union(*(self.records[n].names for n in group))
        starts = {word[:_NEAR_MIN] for word in used if len(word) >= _NEAR_MIN}
        return bool(starts) and any(
            other.source == source
            and other.parties
            and whose.isdisjoint(other.parties)
            and any(word[:_NEAR_MIN] in starts and word not in named for word in other.names)
            for other in self.records
        )

    def details_in(self, text: str) -> Iterator[str]:
        """Yield where somebody lives and the like, of people whom the words do not name, as far as a text tells it."""
        if not self._detailed or not has_digit(text):
            return  # Every detail holds a number.
        folded = text.casefold()
        for detail, where in self._detailed.items():
            if detail in folded and not all(
                self._is_picked(self.records[n], where, firm=False) or self._stands_named(n) for n in where
            ):
                yield detail

    def _stands_named(self, position: int) -> bool:
        return any(position in group for group, _ in self._groups(firm=False))

    def _groups(self, *, firm: bool) -> Sequence[tuple[Sequence[int], frozenset[str]]]:
        """Return records, by position, in groups that the same words of the principal name, the best named of each tool only."""
        if firm not in self._named:
            found: dict[tuple[str, frozenset[str]], list[int]] = {}
            whole: dict[str, list[int]] = {}
            asked = frozenset(word for tool in self.tools.values() for word in tool.asked_by)
            for n, record in enumerate(self.records):
                used = self.words.named(record.firm_names) if firm else self.words.named_loosely(record.names)
                used -= kinds_of(record.source)
                if not record.is_own:
                    used -= asked
                if used and not record.is_narrow:
                    found.setdefault((record.source, used), []).append(n)
                for key in () if firm else record.phrases:
                    if self.words.say(key):
                        whole.setdefault(key, []).append(n)
            best = [
                (group, used)
                for (source, used), group in found.items()
                if not any(other == source and used < better for other, better in found)
                and (firm or not self._is_contested(group, source, used, found))
            ]
            self._named[firm] = [
                *best,
                *(
                    (group, frozenset({key}))
                    for key, group in whole.items()
                    if not self._has_near(
                        group,
                        self.records[group[0]].source,
                        frozenset().union(*(self.words.named_loosely(self.records[n].names) for n in group)),
                    )
                ),
            ]
        return self._named[firm]


def _holds(folded: str, pieces: Iterable[str]) -> bool:
    return any(len(piece) >= _PIECE_MIN and piece in folded for piece in pieces)


_NEAR_MIN = 7
"""Letters that two words begin with alike before one could be meant by the other."""

_PIECE_MIN = 8
"""Letters below which a piece of a text turns up in another one by chance."""

_CONTEST_MIN = 1
"""Words that two records share before one could be taken for the other."""

_NUMBER = "number "
"""Before the amounts among the values of proof fields: 40.00 is 40."""

_SECRET_MIN = 4
"""Letters below which a secret turns up by chance."""


def _is_firm(key: str) -> bool:
    """Tell whether a name said as a whole is no accident: a word of everyday talk, which anybody may give to a record, is not enough."""
    return "@" in key or "/" in key or any(letter.isdigit() for letter in key)
