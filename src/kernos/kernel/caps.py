"""Caps: which were raised by persons, and how far."""

from collections.abc import Mapping
from dataclasses import replace

from kernos.kernel.administration import Administration, Decide, Evolve
from kernos.kernel.budget import AMOUNT_MAX
from kernos.vocabulary.administration import AdministrationData
from kernos.vocabulary.budget import CapRaised, RaiseCap
from kernos.vocabulary.errors import InvalidInput
from kernos.vocabulary.events import Event


def _raise(state: Administration, command: RaiseCap) -> tuple[AdministrationData, ...]:
    if not command.reason:
        raise InvalidInput("raising a cap needs a reason: whoever pays will ask", hint="Say why with --reason.")
    before = max(command.old, state.caps.get((command.tenant, command.over, command.name, command.unit), 0))
    if not before < command.new <= AMOUNT_MAX:
        message = f"{command.new} does not raise the cap of {before} {command.unit}"
        raise InvalidInput(message, hint=f"Give more than that, at most {AMOUNT_MAX}.")
    raised = CapRaised(command.tenant, command.over, command.name, command.unit, before, command.new, command.reason)
    return (raised,)


DECIDE: Mapping[type, Decide] = {RaiseCap: _raise}


def _raised(state: Administration, event: Event, data: CapRaised) -> Administration:
    del event
    return replace(state, caps={**state.caps, (data.tenant, data.over, data.name, data.unit): data.new})


EVOLVE: Mapping[type, Evolve] = {CapRaised: _raised}
