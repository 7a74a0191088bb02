"""Quorum: whether the people who said yes are those that the rules want, as far as each may count."""

from collections.abc import Iterable, Mapping, Sequence

from kernos.kernel.state import Voice
from kernos.vocabulary.gate import Requirement
from kernos.vocabulary.ids import EpochMs, PrincipalId

Roles = Mapping[PrincipalId, frozenset[str]]
"""The roles of whoever said yes, in the run's tenant."""


def may_voice(
    requirement: Requirement, by: PrincipalId, roles: frozenset[str], requester: PrincipalId, waited_ms: int
) -> bool:
    """Tell whether this person's yes counts for a requirement, once persons have been asked for `waited_ms`."""
    if by == requester and not requirement.is_requester_free:
        return False
    later = {who for after_ms, who in requirement.later if waited_ms >= after_ms}
    return not {*requirement.approvers, *later}.isdisjoint({by, *roles})


def is_signed_enough(requirement: Requirement, own_signature: str) -> bool:
    """Tell whether a yes is signed the way a requirement wants; that the signature is good is looked at elsewhere."""
    return own_signature != "" or not requirement.wants_own_key


def lacking(
    requires: Iterable[Requirement], voices: Sequence[Voice], roles: Roles, requester: PrincipalId, asked_at: EpochMs
) -> str:
    """Say what is wrong with the people who said yes, by the roles that they have now; empty when nothing is."""
    for requirement in requires:
        counted = {
            voice.by
            for voice in voices
            if may_voice(requirement, voice.by, roles.get(voice.by, frozenset()), requester, voice.at - asked_at)
            and is_signed_enough(requirement, voice.own_signature)
        }
        if len(counted) < requirement.quorum:
            return f"{wanted(requirement)}, and of those who said yes only {len(counted)} may"
    return ""


def wanted(requirement: Requirement) -> str:
    """Say whose yes a requirement wants."""
    people = " or ".join(requirement.approvers)
    number = f"{requirement.quorum} different people of: {people}" if requirement.quorum > 1 else people
    alone = "" if requirement.is_requester_free else ", not whoever it acts for"
    later = "".join(f", after {_duration(after_ms)} also {who}" for after_ms, who in requirement.later)
    signed = ", signed with a key of their own" if requirement.wants_own_key else ""
    return f"rule {requirement.rule} wants the yes of {number}{alone}{later}{signed}"


def _duration(ms: int) -> str:
    for unit, name in ((86_400_000, "d"), (3_600_000, "h"), (60_000, "min")):
        if ms % unit == 0:
            return f"{ms // unit} {name}"
    return f"{ms / 1_000:g} s"
