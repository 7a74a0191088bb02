"""Administering: the one place where the rules of all concerns of a store meet commands and events."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from kernos.kernel import caps, erasure, grants, identity, own_keys, policies, stops
from kernos.kernel.administration import Administration, Decide, Evolve
from kernos.vocabulary.administration import AdministrationCommand, AdministrationData
from kernos.vocabulary.events import Event

RULES: Mapping[type, Decide] = {
    **identity.DECIDE,
    **own_keys.DECIDE,
    **policies.DECIDE,
    **stops.DECIDE,
    **grants.DECIDE,
    **caps.DECIDE,
    **erasure.DECIDE,
}
FOLDS: Mapping[type, Evolve] = {
    **identity.EVOLVE,
    **own_keys.EVOLVE,
    **policies.EVOLVE,
    **stops.EVOLVE,
    **grants.EVOLVE,
    **caps.EVOLVE,
    **erasure.EVOLVE,
}


def administer(state: Administration, command: AdministrationCommand) -> tuple[AdministrationData, ...]:
    """Say what happens; change nothing. No events: the command changes nothing. Raises one of the caller's errors."""
    return RULES[type(command)](state, command)


def administered(state: Administration, events: Iterable[Event]) -> Administration:
    """Fold facts in. They come in order of their numbers, without gaps."""
    for event in events:
        assert event.n == state.next_n, (event.n, state.next_n)
        state = replace(FOLDS[type(event.data)](state, event, event.data), next_n=event.n + 1)
    return state
