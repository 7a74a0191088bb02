"""Selection: what the answers of tools prove, for those of their records that the principal's words and the values of the input select."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from decimal import Decimal

from kernos.flow.choosing import is_left_to_choose
from kernos.flow.records import Record, Value, is_field, is_party, leaves
from kernos.flow.text import has_digit, key_of, tokens
from kernos.flow.words import Words, kinds_of
from kernos.vocabulary.flow import FlowContract, Origin, ResultFields


@dataclass(slots=True)
class Selection:
    """The records of a run, and which of them are meant; they only grow."""

    words: Words
    tools: Mapping[str, FlowContract]
    """All that the run may call: what is asked for by the name of one of them is not asked of another."""
    trusted: Mapping[str, Origin]
    """Values that stand in the input or in a trusted record, by key."""
    smuggled: AbstractSet[str]
    """Values that a call wrote somewhere although nobody vouched for them."""
    records: list[Record] = field(default_factory=list)
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

    # --- what is learned -----------------------------------------------------------------------------------------

    def hear(self, words: Words) -> None:
        """Take in all that the principal has said by now."""
        self.words = words
        self._named.clear()

    def take(self, records: Iterable[Record]) -> None:
        """Take in what stands in one answer."""
        self._named.clear()
        for record in records:
            self._add(record)
        self._batches += 1

    def meet(self, fields: ResultFields, answer: Value) -> None:
        """Take in whose addresses stand in a list that was asked for openly."""
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

    # --- what is asked -------------------------------------------------------------------------------------------

    def selects(self, key: str, *, firm: bool) -> bool:
        """Tell whether a value is proven; `firm`: by a record that outsiders cannot have named so, or one in which no outsider is meant by it."""
        if self._proves(self._proving.get(key, ()), firm=firm, key=key):
            return True
        return firm and self._proves(self._unclaimed.get(key, ()), firm=False, gets=True, key=key)

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

    def is_of_one_party(self, key: str) -> bool:
        """Tell whether a value stands in one of several records that the words name alike, all of them of the same party."""
        where = self._proving.get(key, ())
        for group, _ in self._groups(firm=False):
            whose = {frozenset(self.records[n].parties) for n in group}
            if len(whose) == 1 and all(whose) and not set(group).isdisjoint(where):
                return True
        return False

    def is_only_correspondent(self, key: str) -> bool:
        """Tell whether an address is the only one, in all that was listed, that has a name to which the words want something told.

        Anybody may take an address with a name in it, so a second one of that name is enough to ask; and only lists count that were asked for with
        nothing, or with what somebody vouches for: a model could leave the right one out of any other.
        """
        own = [name for name in tokens(key.rpartition(".")[0]) if self.words.address(name)]
        found = [theirs for name in own if key in (theirs := self._correspondents.get(name, ()))]
        return bool(found) and all(len(theirs) == 1 for theirs in found)

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

    def shows(self, text: str) -> bool:
        """Tell whether a text stands in a record that the words name."""
        folded = text.casefold()
        return any(
            self._is_named(n, firm=False)
            and any(isinstance(leaf, str) and folded in leaf.casefold() for _, leaf in leaves(record.value))
            for n, record in enumerate(self.records)
        )

    # --- which records are meant ---------------------------------------------------------------------------------

    def _proves(self, where: Sequence[int], *, firm: bool, gets: bool = False, key: str = "") -> bool:
        """Tell whether a value, which stands in proof fields of the records at `where`, does so in one that is selected.

        A record is selected by a naming value that the principal said or somebody vouches for, by the arguments of the call that
        answered it, or by words of its name; where those words fit several records as well, the value must stand in each of them.
        `firm`: only by what outsiders cannot fill. `gets`: the value says who gets something, so that no mere name leads to it from another record.
        """
        return any(self._is_picked(self.records[n], where, firm=firm, gets=gets or firm, value=key) for n in where) or (
            bool(where) and any(self._is_meant(where, group, used) for group, used in self._groups(firm=firm))
        )

    def _is_meant(self, where: Sequence[int], group: Sequence[int], used: frozenset[str]) -> bool:
        """Tell whether the words that name a group mean records of `where`: all that are named so, or any where all are wanted."""
        return all(n in where for n in group) or (self.words.want_all(used) and not set(group).isdisjoint(where))

    def _is_picked(
        self, record: Record, where: Sequence[int], *, firm: bool, gets: bool = False, value: str = ""
    ) -> bool:
        """Tell whether a record is selected for a value that stands in those at `where`."""
        if record.placing.is_chosen:
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
        return record.placing.is_narrow or any(
            gets or not one.parties or one.parties != record.parties for one in rivals
        )

    def _is_named(self, position: int, *, firm: bool) -> bool:
        """Tell whether the words themselves select a record; `firm`: by what outsiders cannot fill."""
        record = self.records[position]
        return record.placing.is_chosen or any(
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
                if used and not record.placing.is_narrow:
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


_NEAR_MIN = 7
"""Letters that two words begin with alike before one could be meant by the other."""

_CONTEST_MIN = 1
"""Words that two records share before one could be taken for the other."""

_NUMBER = "number "
"""Before the amounts among the values of proof fields: 40.00 is 40."""


def _is_firm(key: str) -> bool:
    """Tell whether a name said as a whole is no accident: a word of everyday talk, which anybody may give to a record, is not enough."""
    return "@" in key or "/" in key or any(letter.isdigit() for letter in key)
