"""Erasure: which keys of subjects are destroyed, for good: there is no event that brings one back. And who was shown what they seal."""

from collections.abc import Mapping
from dataclasses import replace

from kernos.kernel.administration import Administration, Decide, Evolve
from kernos.vocabulary.administration import AdministrationData
from kernos.vocabulary.erasure import EraseSubject, ShowValues, SubjectErased, ValuesShown
from kernos.vocabulary.errors import InvalidInput
from kernos.vocabulary.events import Event


def _erase(state: Administration, command: EraseSubject) -> tuple[AdministrationData, ...]:
    keys = tuple(key for key in command.keys if key not in state.erased)
    return (SubjectErased(command.tenant, keys, command.values, command.reason),) if keys else ()


def _show(state: Administration, command: ShowValues) -> tuple[AdministrationData, ...]:
    del state
    if not command.reason:
        raise InvalidInput("whoever looks at sealed values says why", hint="Say it with --reason; it is kept.")
    return (ValuesShown(command.tenant, command.run, command.step, command.labels, command.reason),)


DECIDE: Mapping[type, Decide] = {EraseSubject: _erase, ShowValues: _show}


def _erased(state: Administration, event: Event, data: SubjectErased) -> Administration:
    del event
    return replace(state, erased=state.erased | frozenset(data.keys))


def _shown(state: Administration, event: Event, data: ValuesShown) -> Administration:
    del event, data
    return state


EVOLVE: Mapping[type, Evolve] = {SubjectErased: _erased, ValuesShown: _shown}
