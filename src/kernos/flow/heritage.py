"""Heritage: what a run that gets a value from another must know of it. For children, and for parents that hear of their children's ends.

A part that the other run may trust is one that could decide there who gets something: what only names that outsiders chose select stays foreign.
"""

from kernos.flow.facts import Facts
from kernos.flow.records import Value, pointers
from kernos.vocabulary.flow import Heritage, Origin


def handed(facts: Facts, value: Value, intent: str = "") -> Heritage:
    """Return what is known of a value that a run's code hands over; `intent`: the words of the request that goes with it, if new ones.

    What a model made up that has read something foreign counts as foreign: who wrote what it read may have written it.
    """
    said = (tuple(sorted(facts.endorsed)), tuple(sorted(facts.refused)))
    if not (facts.is_tainted or facts.modelled or facts.smuggled):
        return Heritage((), (), *said)
    untrusted: list[str] = []
    modelled: list[str] = []
    for pointer, _, leaf in pointers(value):
        origin = Origin.CODE if leaf is None or isinstance(leaf, bool) or leaf == "" else _origin(facts, leaf)
        if origin is Origin.UNTRUSTED or (origin is Origin.MODEL and facts.is_tainted):
            untrusted.append(pointer)
        elif origin is Origin.MODEL:
            modelled.append(pointer)
    return Heritage(
        tuple(untrusted),
        tuple(modelled),
        *said,
        is_intent_untrusted=bool(intent)
        and intent not in facts.words.texts
        and _origin(facts, intent) in (Origin.UNTRUSTED, Origin.MODEL),
    )


def _origin(facts: Facts, leaf: Value) -> Origin:
    return facts.origin_of(leaf, by_code=True, firm=True, selected=True)
