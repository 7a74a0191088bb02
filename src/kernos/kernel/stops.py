"""Stops: which orders that nothing more leaves the kernel are in force, and whether one holds for a call."""

from collections.abc import Mapping
from dataclasses import replace

from kernos.kernel.administration import Administration, Decide, Evolve, Stop
from kernos.vocabulary.administration import AdministrationData
from kernos.vocabulary.errors import InvalidInput, NotFound
from kernos.vocabulary.events import Event
from kernos.vocabulary.ids import TenantId
from kernos.vocabulary.stops import LiftStop, OrderStop, StopKind, StopLifted, StopOrdered, shown_stop


def stop_for(state: Administration, tenant: TenantId, agent: str, version: str, tool: str) -> Stop | None:
    """Return the stop that holds for a call, the widest one first; None when it may leave. `tool`: empty for a model call."""
    if not state.stops:
        return None
    for key in (
        (StopKind.ALL, ""),
        (StopKind.TENANT, tenant),
        (StopKind.AGENT, agent),
        (StopKind.AGENT, f"{agent}@{version}"),
        (StopKind.TOOL, tool),
    ):
        if key in state.stops:
            return state.stops[key]
    return None


def _order(state: Administration, command: OrderStop) -> tuple[AdministrationData, ...]:
    if (command.name == "") != (command.kind is StopKind.ALL):
        message = f"a stop of kind {command.kind} {'names nothing' if command.name else 'needs a name'}"
        raise InvalidInput(message, hint="Stop everything, or name one tenant, agent or tool.")
    if not command.reason:
        raise InvalidInput("a stop needs a reason: whoever lifts it must know", hint="Say why with --reason.")
    if (command.kind, command.name) in state.stops:
        return ()
    return (StopOrdered(command.kind, command.name, command.reason),)


def _lift(state: Administration, command: LiftStop) -> tuple[AdministrationData, ...]:
    if (command.kind, command.name) not in state.stops:
        message = f"{shown_stop(command.kind, command.name)} is not stopped"
        listed = ", ".join(shown_stop(*key) for key in state.stops) or "nothing"
        raise NotFound(message, hint=f"Stopped is: {listed}.")
    return (StopLifted(command.kind, command.name, command.reason),)


DECIDE: Mapping[type, Decide] = {OrderStop: _order, LiftStop: _lift}


def _ordered(state: Administration, event: Event, data: StopOrdered) -> Administration:
    stop = Stop(data.kind, data.name, data.reason, event.by, event.at)
    return replace(state, stops={**state.stops, (data.kind, data.name): stop})


def _lifted(state: Administration, event: Event, data: StopLifted) -> Administration:
    del event
    return replace(state, stops={key: stop for key, stop in state.stops.items() if key != (data.kind, data.name)})


EVOLVE: Mapping[type, Evolve] = {StopOrdered: _ordered, StopLifted: _lifted}
