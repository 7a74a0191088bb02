"""Caps: which count, which were raised by persons, and how far."""

from collections.abc import Mapping
from dataclasses import fields, replace

from kernos.kernel.administration import Administration, AskedRaise, Decide, Evolve, RaisedCap
from kernos.kernel.budget import AMOUNT_MAX
from kernos.vocabulary.administration import AdministrationData
from kernos.vocabulary.budget import AskRaise, CapRaised, Caps, CapsEntered, EnterCaps, Over, RaiseAsked, RaiseCap
from kernos.vocabulary.errors import InvalidInput, NotAllowed
from kernos.vocabulary.events import Event
from kernos.vocabulary.ids import EpochMs


def _raise(state: Administration, command: RaiseCap) -> tuple[AdministrationData, ...]:
    if not command.reason:
        raise InvalidInput("raising a cap needs a reason: whoever pays will ask", hint="Say why with --reason.")
    known = state.caps.get((command.tenant, command.over, command.name, command.unit))
    if command.after != (known.data.token if known is not None else ""):
        message = f"the cap of {command.over} {command.name} was raised by somebody else meanwhile"
        raise NotAllowed(message, hint="Look with `kernos budget show`, and raise it again if it is not enough.")
    if not command.old < command.new <= AMOUNT_MAX:
        message = f"{command.new} does not raise the cap of {command.old} {command.unit}"
        raise InvalidInput(message, hint=f"Give more than that, at most {AMOUNT_MAX}.")
    asked = state.raises_asked.get((command.tenant, command.over, command.name, command.unit))
    if command.asked_by and command.over is not Over.RUN and (asked is None or asked.by != command.asked_by):
        message = f"{command.asked_by} does not ask for the cap of {command.over} {command.name} to be raised".rstrip()
        raise NotAllowed(message, hint="Look with `kernos budget show` who asks for what.")
    names = (field.name for field in fields(CapRaised))
    return (CapRaised(**{name: getattr(command, name) for name in names}),)


def _enter(state: Administration, command: EnterCaps) -> tuple[AdministrationData, ...]:
    return () if command.caps == (state.caps_in_force or Caps()) else (CapsEntered(command.caps),)


def _ask(state: Administration, command: AskRaise) -> tuple[AdministrationData, ...]:
    del state
    if not command.reason or not 0 < command.new <= AMOUNT_MAX:
        message = f"{command.new} for {command.reason!r} asks for nothing that somebody could say yes to"
        raise InvalidInput(message, hint=f"Say how much, at most {AMOUNT_MAX}, and why with --reason.")
    names = (field.name for field in fields(RaiseAsked))
    return (RaiseAsked(**{name: getattr(command, name) for name in names}),)


DECIDE: Mapping[type, Decide] = {RaiseCap: _raise, AskRaise: _ask, EnterCaps: _enter}


def _raised(state: Administration, event: Event, data: CapRaised) -> Administration:
    key = (data.tenant, data.over, data.name, data.unit)
    raised = RaisedCap(event.by, event.at, data, _outlasting(state.caps.get(key), data.until))
    asked = {other: one for other, one in state.raises_asked.items() if other != key}
    return replace(state, caps={**state.caps, key: raised}, raises_asked=asked)


def _outlasting(before: RaisedCap | None, until: EpochMs) -> RaisedCap | None:
    """Return the raise that holds after `until` (0: never ends), with those that outlast that one in turn."""
    while before is not None and (not until or 0 < before.data.until <= until):
        before = before.before
    return before


def _asked(state: Administration, event: Event, data: RaiseAsked) -> Administration:
    asked = AskedRaise(event.by, event.at, data)
    key = (data.tenant, data.over, data.name, data.unit)
    return replace(state, raises_asked={**state.raises_asked, key: asked})


def _entered(state: Administration, event: Event, data: CapsEntered) -> Administration:
    del event
    return replace(state, caps_in_force=data.caps)


EVOLVE: Mapping[type, Evolve] = {CapRaised: _raised, RaiseAsked: _asked, CapsEntered: _entered}
