"""Policies in force: which set decides, which one somebody wants to, and what became of that."""

from collections.abc import Mapping
from dataclasses import replace

from kernos.kernel.administration import Administration, Decide, Evolve
from kernos.vocabulary.administration import AdministrationData
from kernos.vocabulary.events import Event
from kernos.vocabulary.policies import (
    EnterPolicies,
    PoliciesEntered,
    PoliciesProposed,
    PoliciesRefused,
    ProposePolicies,
    RefusePolicies,
)


def _propose(state: Administration, command: ProposePolicies) -> tuple[AdministrationData, ...]:
    in_force, pending = state.policies_in_force, state.policies_proposed
    if pending is not None and pending.digest == command.digest:
        return ()
    if pending is None and in_force is not None and in_force.digest == command.digest:
        return ()
    return (PoliciesProposed(command.digest, command.files),)


def _enter(state: Administration, command: EnterPolicies) -> tuple[AdministrationData, ...]:
    in_force, pending = state.policies_in_force, state.policies_proposed
    if command.answers and (pending is None or pending.digest != command.digest):
        return ()
    if pending is None and in_force is not None and in_force.digest == command.digest:
        return ()
    return (PoliciesEntered(command.digest, command.files),)


def _refuse(state: Administration, command: RefusePolicies) -> tuple[AdministrationData, ...]:
    pending = state.policies_proposed
    if pending is None or pending.digest != command.digest:
        return ()  # Answered already, or another set is wanted by now.
    return (PoliciesRefused(command.digest, command.reason),)


DECIDE: Mapping[type, Decide] = {ProposePolicies: _propose, EnterPolicies: _enter, RefusePolicies: _refuse}


def _proposed(state: Administration, event: Event, data: PoliciesProposed) -> Administration:
    del event
    return replace(state, policies_proposed=data, policies_refused=None)


def _entered(state: Administration, event: Event, data: PoliciesEntered) -> Administration:
    del event
    return replace(state, policies_in_force=data, policies_proposed=None, policies_refused=None)


def _refused(state: Administration, event: Event, data: PoliciesRefused) -> Administration:
    del event
    return replace(state, policies_proposed=None, policies_refused=data)


EVOLVE: Mapping[type, Evolve] = {PoliciesProposed: _proposed, PoliciesEntered: _entered, PoliciesRefused: _refused}
