"""Survey: what a set of rules means for the calls that can come about, from heads and from rules without conditions alone.

A rule with conditions may apply or not; so "never" here is certain, and what is not named here may still never happen.
"""

from collections.abc import Collection, Sequence

from kernos.adapters.cedar.rules import Rule
from kernos.adapters.cedar.scope import fits, is_about, names
from kernos.vocabulary.policies import PossibleCall, Survey

INVOKE, UNATTENDED, OPEN = "invoke", "unattended", "open"

_Call = tuple[PossibleCall, str, str, Collection[str]]
"""A call with its type, its id and its effects, as policies name them."""


def survey(rules: Sequence[Rule], calls: Sequence[_Call]) -> Survey:
    """Return it; `calls` are those that can come about."""
    never: list[PossibleCall] = []
    attended: list[PossibleCall] = []
    idle = {rule.id: "no agent that is declared here makes such a call" for rule in rules}
    for reach, kind, name, effects in calls:
        fitting = [rule for rule in rules if fits(rule.body, reach.agent, kind, name, effects)]
        open_to = {action for action in (INVOKE, UNATTENDED) if _is_open(fitting, action)}
        if INVOKE not in open_to:
            never.append(reach)
        elif UNATTENDED not in open_to:
            attended.append(reach)
        for rule in fitting:
            fault = _why_idle(rule, fitting, open_to)
            if not fault:
                idle.pop(rule.id, None)
            elif rule.id in idle:
                idle[rule.id] = fault
    found = [(rule.text, idle[rule.id]) for rule in rules if rule.id in idle]
    return Survey(tuple(never), tuple(attended), tuple(found))


def _is_open(fitting: Sequence[Rule], action: str) -> bool:
    """Tell whether some rule may permit the action, and none forbids it in every case."""
    about = [rule for rule in fitting if is_about(rule.body, action)]
    shut = any(rule.body["effect"] == "forbid" and not rule.body["conditions"] for rule in about)
    return not shut and any(rule.body["effect"] == "permit" for rule in about)


def _why_idle(rule: Rule, fitting: Sequence[Rule], open_to: Collection[str]) -> str:
    """Say why a rule whose head fits a call never matters to it; empty when it may."""
    if rule.body["effect"] == "forbid" or names(rule.body, OPEN):
        return ""
    if not any(is_about(rule.body, action) for action in open_to):
        return "a rule without conditions forbids all that it permits"
    if INVOKE not in open_to and any(is_about(one.body, INVOKE) for one in fitting):
        return "a rule without conditions forbids all that it permits"
    if INVOKE not in open_to:
        return 'it permits unattended what no rule permits at all: permit it for Action::"invoke" too'
    return ""
