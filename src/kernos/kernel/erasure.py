"""Erasure: which keys of subjects are destroyed, for good: there is no event that brings one back."""

from collections.abc import Mapping
from dataclasses import replace

from kernos.kernel.administration import Administration, Decide, Evolve
from kernos.vocabulary.administration import AdministrationData
from kernos.vocabulary.erasure import EraseSubject, SubjectErased
from kernos.vocabulary.events import Event


def _erase(state: Administration, command: EraseSubject) -> tuple[AdministrationData, ...]:
    keys = tuple(key for key in command.keys if key not in state.erased)
    return (SubjectErased(command.tenant, keys, command.values, command.reason),) if keys else ()


DECIDE: Mapping[type, Decide] = {EraseSubject: _erase}


def _erased(state: Administration, event: Event, data: SubjectErased) -> Administration:
    del event
    return replace(state, erased=state.erased | frozenset(data.keys))


EVOLVE: Mapping[type, Evolve] = {SubjectErased: _erased}
