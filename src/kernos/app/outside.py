"""Outside: all that a run, and the runs below it, did outside, in the order in which it was done."""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from kernos.app.account import Account, accounts_of
from kernos.app.finding import TREE_MAX, events_of, tree_of, undoing_runs
from kernos.app.kernel import Kernel
from kernos.control.references import references
from kernos.vocabulary.quantities import Json


@dataclass(frozen=True, slots=True)
class Deeds:
    """Actions in order; `runs` were looked at, and `cut` says whether there are more."""

    actions: tuple[Account, ...]
    taken_back: Mapping[str, str]
    """By key of an action that was taken back, or is being: the key of the action that does it and its state."""
    runs: int
    cut: bool


async def deeds_of(kernel: Kernel, run: str, *, tree: bool) -> Deeds:
    """Return the actions of a run, with `tree` also of the runs below it. Reads and models are no actions."""
    told = await tree_of(kernel, run) if tree else [await events_of(kernel, run)]
    found = [account for events in told for account in accounts_of(events).values() if account.kind == "action"]
    found.sort(key=lambda account: account.intended_at or account.at)
    return Deeds(
        tuple(found), await _taken_back(kernel, run, {one.key for one in found}), len(told), len(told) == TREE_MAX
    )


async def _taken_back(kernel: Kernel, run: str, keys: set[str]) -> dict[str, str]:
    """Find the undos of actions, also those in runs that a person started to take them back."""
    found: dict[str, str] = {}
    for root in await undoing_runs(kernel, run):
        for events in await tree_of(kernel, root):
            undos = [one for one in accounts_of(events).values() if one.undoes in keys]
            found |= {one.undoes: f"{one.key} ({one.state})" for one in undos}
    return found


def reference_of(account: Account) -> str:
    """Return under what the outside knows the action: the first reference in its result, empty when there is none."""
    if not account.has_result:
        return ""
    found = references(Json(msgspec.json.encode(account.result)))
    return found[0][1] if found else ""
