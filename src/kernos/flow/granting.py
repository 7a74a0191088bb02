"""Granting: whether a source that a person lets speak for the principal says what a call needs somebody to vouch for."""

import re

from kernos.flow.facts import Facts
from kernos.flow.records import is_field, leaves
from kernos.flow.text import is_number, key_of
from kernos.flow.words import Words
from kernos.vocabulary.flow import INTENT, Concern, FlowContract
from kernos.vocabulary.grants import StandingGrant

_QUOTED = re.compile(
    r"^\s*>.*$|^[-_ ]*(?:original message|forwarded message|weitergeleitete nachricht)[-_ ]*$[\s\S]*",
    re.IGNORECASE | re.MULTILINE,
)
"""What somebody else wrote, as mail shows it."""


def granting(tool: str, flow: FlowContract, concern: Concern, facts: Facts) -> str:
    """Return the id of a standing grant that a concern about a call rests on; empty for none.

    Secrets and what was done before rest on no grant.
    """
    role, _, _ = concern.key.partition(":")
    for name, grant in facts.grants.items():
        is_intent = concern.key.startswith(INTENT)
        if tool not in grant.tools or not (is_intent or role in grant.roles):
            continue
        words = _words_of(name, grant, facts)
        if words is None:
            continue
        if is_intent:
            says = words.ask_for(tool, flow, facts.tools)
        else:
            says = words.say(concern.value) or (is_number(concern.value) and words.say_number(concern.value))
        if says:
            return name
    return ""


def _words_of(name: str, grant: StandingGrant, facts: Facts) -> Words | None:
    """Return what the source wrote, as far as the run has read it; kept until the run reads more."""
    known = facts.heard.get(name)
    if known is None or known[0] != len(facts.sources):
        said = [
            _QUOTED.sub(" ", leaf)
            for source, fields, answer in facts.sources
            if source == grant.source
            and is_field(grant.field, fields.proof)
            and _is_exactly(answer.get(grant.field.rpartition(".")[2]), grant.value)
            for path, leaf in leaves(answer)
            if isinstance(leaf, str) and not is_field(path, (grant.field,))
        ]
        known = facts.heard[name] = (len(facts.sources), Words(said) if said else None)
    return known[1]


def _is_exactly(value: object, wanted: str) -> bool:
    """Tell whether a field holds exactly this, letter by letter: no name beside it, no list, nothing that looks like it."""
    return isinstance(value, (str, int)) and not isinstance(value, bool) and key_of(str(value)) == key_of(wanted)
