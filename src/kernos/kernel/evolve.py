"""Evolve: from a run's state and an event to its next state. Total: no rule, no raise."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from kernos.kernel import action, approval, budget, checkpoint, compensation, room, run, wait
from kernos.kernel.state import Evolve, RunState, numbered
from kernos.vocabulary.events import Event, ForkJoined
from kernos.vocabulary.ids import StepName

FOLDS: Mapping[type, Evolve] = {
    **run.EVOLVE,
    **checkpoint.EVOLVE,
    **action.EVOLVE,
    **budget.EVOLVE,
    **approval.EVOLVE,
    **wait.EVOLVE,
    **room.EVOLVE,
    **compensation.EVOLVE,
}

_LOOKS_AROUND = frozenset({ForkJoined})
"""Events whose fold looks at other steps than the one they name."""

_PORTION = 24
"""Events folded together: few enough that the steps they name are copied in a microsecond."""


def evolve(state: RunState, event: Event) -> RunState:
    """Fold one fact into the state. Events come in order of their numbers, without gaps."""
    assert event.n == state.next_n, (event.run, event.n, state.next_n)
    after = FOLDS[type(event.data)](state, event, event.data)
    return numbered(after, event.n + 1, state)


def fold(state: RunState, events: Iterable[Event]) -> RunState:
    """Fold many, in portions: each over those steps only that its events name, so that the cost grows with the number of events."""
    steps = dict(state.steps)
    for portion in _portions(events):
        names = [StepName(getattr(event.data, "step", "")) for event in portion]
        looks_around = type(portion[0].data) in _LOOKS_AROUND
        state = replace(state, steps=steps if looks_around else {name: steps[name] for name in names if name in steps})
        for event in portion:
            state = evolve(state, event)
        steps.update(state.steps)
    return replace(state, steps=steps)


def _portions(events: Iterable[Event]) -> Iterator[list[Event]]:
    """Cut events into portions; an event whose fold looks at other steps than its own is one by itself."""
    portion: list[Event] = []
    for event in events:
        looks_around = type(event.data) in _LOOKS_AROUND
        if portion and (looks_around or len(portion) == _PORTION):
            yield portion
            portion = []
        if looks_around:
            yield [event]
        else:
            portion.append(event)
    if portion:
        yield portion
