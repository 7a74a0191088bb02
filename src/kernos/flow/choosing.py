"""Choosing: which records of a list the words leave to whoever does the work: any, all, or the cheapest, the best rated, the latest."""

from collections.abc import Iterable, Sequence

from kernos.flow.records import Record
from kernos.flow.text import tokens
from kernos.flow.words import Words


def is_left_to_choose(record: Record, records: Sequence[Record], words: Words, *, firm: bool) -> bool:
    """Tell whether a record is one of those that the words leave to choose from what a tool lists.

    Of the principal's own records that is each, where all are wanted; of any, the one that has the most or the least of what the words say.
    `firm`: the record would decide who gets something, so one that an outsider could have made does not count.
    """
    is_of_kind = words.leave_a_choice(record.source)
    if not record.placing.is_listed or not (is_of_kind or words.mean_one):
        return False
    found = is_extreme(record, records, words.extremes)
    if found is not None:
        return found and (record.is_own or not firm)
    if not is_of_kind:
        return False
    return words.want_all_of(record.source) if record.is_own else not firm


def is_extreme(
    record: Record, records: Sequence[Record], extremes: Iterable[tuple[frozenset[str], bool]]
) -> bool | None:
    """Tell whether a record has the least or, if True, the most of its list in a field of such a name; None where no field of it tells.

    Only a list counts from which nothing was left out that nobody spoke of: a model could make any record the cheapest of those that it asks for.
    """
    is_told = False
    for fields, is_most in extremes:
        for path, value in record.measures.items():
            if fields.isdisjoint(tokens(path.rpartition(".")[2].replace("_", " "))):
                continue
            is_told = True
            rivals = [one.measures[path] for one in records if one.batch == record.batch and path in one.measures]
            kind = [one for one in rivals if type(one) is type(value)]
            if record.placing.is_open and value == (max(kind) if is_most else min(kind)):
                return True
    return False if is_told else None
