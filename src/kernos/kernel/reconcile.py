"""Reconcile: a service's own list of effects against what the journal says of a tool's actions."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from kernos.vocabulary.ids import IdempotencyKey


class Deviation(StrEnum):
    """How the world differs from the journal."""

    DOUBLED = "doubled"
    """It happened once more than was intended."""
    LATE = "late"
    """It happened although the journal says that it did not."""
    HAPPENED = "happened"
    """It happened, and the journal has it in doubt."""
    UNINTENDED = "unintended"
    """Nothing in the journal asked for it."""
    MISSING = "missing"
    """The journal says that it happened, and the list does not have it."""


@dataclass(frozen=True, slots=True)
class Acted:
    """An action as the journal has it; `status` is `performed`, `open` (under way), `doubted` or `failed`."""

    key: IdempotencyKey
    tool: str
    args: Mapping[str, Any]
    status: str


@dataclass(frozen=True, slots=True)
class Seen:
    """An effect as the service lists it."""

    reference: str
    args: Mapping[str, Any]
    key: str = ""
    tools: tuple[str, ...] = ()
    """Tools it may come from; empty: any."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference. `reference` is empty for what is missing, `key` for what nobody intended."""

    deviation: Deviation
    reference: str
    key: str


_LACKING = (("performed", None), ("open", None), ("doubted", Deviation.HAPPENED), ("failed", Deviation.LATE))
"""Whose effect a listed one is, most likely first, and what that says."""


def differences(actions: Sequence[Acted], effects: Iterable[Seen]) -> tuple[Finding, ...]:
    """Compare the actions of all tools that share a list with the effects in it.

    An effect belongs to the action with its key, or else to one with equal arguments that has none yet: a performed one, then one in doubt,
    then one that failed. An effect that is left over doubles the newest action with equal arguments, or was intended by nobody.
    """
    by_key = {action.key: action for action in actions}
    taken: dict[IdempotencyKey, str] = {}
    keyed: list[Seen] = []
    others: list[Seen] = []
    for effect in effects:
        (keyed if effect.key in by_key else others).append(effect)
    found: list[Finding] = []
    for effect in keyed:
        action = by_key[IdempotencyKey(effect.key)]
        if action.key in taken:
            found.append(Finding(Deviation.DOUBLED, effect.reference, action.key))
            continue
        taken[action.key] = effect.reference
        said = dict(_LACKING)[action.status]
        if said is not None:
            found.append(Finding(said, effect.reference, action.key))
    found.extend(_unkeyed(actions, others, taken))
    for action in actions:
        if action.status == "performed" and action.key not in taken:
            found.append(Finding(Deviation.MISSING, "", action.key))
    return tuple(found)


def _unkeyed(actions: Sequence[Acted], effects: Sequence[Seen], taken: dict[IdempotencyKey, str]) -> Iterator[Finding]:
    left = list(effects)
    for status, deviation in _LACKING:
        free = _Alike([one for one in actions if one.status == status and one.key not in taken])
        rest: list[Seen] = []
        for effect in left:
            alike = free.to(effect)
            if not alike:
                rest.append(effect)
                continue
            action = alike.pop(0)
            taken[action.key] = effect.reference
            if deviation is not None:
                yield Finding(deviation, effect.reference, action.key)
        left = rest
    every = _Alike(actions)
    for effect in left:
        alike = every.to(effect)
        if alike:
            yield Finding(Deviation.DOUBLED, effect.reference, alike[-1].key)
        else:
            yield Finding(Deviation.UNINTENDED, effect.reference, "")


class _Alike:
    """Actions by their values under some names, so that a long list is compared in one pass."""

    def __init__(self, actions: Sequence[Acted]) -> None:
        self._actions = actions
        self._by_names: dict[tuple[tuple[str, ...], tuple[str, ...]], dict[str, list[Acted]]] = {}

    def to(self, effect: Seen) -> list[Acted]:
        """Return the actions that have the effect's values, oldest first; what is taken out of it stays out."""
        names = tuple(sorted(effect.args))
        found = self._by_names.get((names, effect.tools))
        if found is None:
            found = self._by_names[names, effect.tools] = {}
            for action in self._actions:
                is_of_tool = not effect.tools or action.tool in effect.tools
                if is_of_tool and all(name in action.args for name in names):
                    found.setdefault(_values(action.args, names), []).append(action)
        return found.get(_values(effect.args, names), [])


def _values(args: Mapping[str, Any], names: Sequence[str]) -> str:
    return json.dumps([args[name] for name in names], sort_keys=True)
