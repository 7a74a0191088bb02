"""React: what the shell has to do because an event happened, after it was folded in."""

from collections.abc import Mapping

from kernos.kernel import action, approval, checkpoint, compensation, room, run, wait
from kernos.kernel.state import React, RunState
from kernos.vocabulary.effects import EffectOrder
from kernos.vocabulary.events import Event

ORDERS: Mapping[type, React] = {
    **run.REACT,
    **checkpoint.REACT,
    **action.REACT,
    **approval.REACT,
    **wait.REACT,
    **room.REACT,
    **compensation.REACT,
}


def react(state: RunState, event: Event) -> tuple[EffectOrder, ...]:
    """Return the orders that follow from `event`; `state` is the state after it."""
    rule = ORDERS.get(type(event.data))
    return rule(state, event, event.data) if rule is not None else ()
