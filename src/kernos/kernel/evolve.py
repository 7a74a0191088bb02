"""Evolve: from a run's state and an event to its next state. Total: no rule, no raise."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from kernos.kernel import action, approval, checkpoint, run, wait
from kernos.kernel.state import Evolve, RunState
from kernos.vocabulary.events import Event

FOLDS: Mapping[type, Evolve] = {
    **run.EVOLVE,
    **checkpoint.EVOLVE,
    **action.EVOLVE,
    **approval.EVOLVE,
    **wait.EVOLVE,
}


def evolve(state: RunState, event: Event) -> RunState:
    """Fold one fact into the state. Events come in order of their numbers, without gaps."""
    assert event.n == state.next_n, (event.run, event.n, state.next_n)
    after = FOLDS[type(event.data)](state, event, event.data)
    return replace(after, next_n=event.n + 1)


def fold(state: RunState, events: Iterable[Event]) -> RunState:
    """Fold many."""
    for event in events:
        state = evolve(state, event)
    return state
