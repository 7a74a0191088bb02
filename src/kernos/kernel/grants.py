"""Grants: which sources speak for the principal, until somebody revokes it."""

from collections.abc import Mapping
from dataclasses import replace

from kernos.kernel.administration import Administration, Decide, Evolve
from kernos.vocabulary.administration import AdministrationData
from kernos.vocabulary.errors import InvalidInput, NotFound
from kernos.vocabulary.events import Event
from kernos.vocabulary.grants import GrantRevoked, GrantSource, RevokeGrant, SourceGranted


def _grant(state: Administration, command: GrantSource) -> tuple[AdministrationData, ...]:
    says = command.says
    missing = [name for name in ("source", "field", "value", "tools", "roles") if not getattr(says, name)]
    if missing:
        message = f"a standing grant names {', '.join(missing)}, and nothing is named there"
        raise InvalidInput(message, hint="Say which field of which tool's answers proves the source, and what for.")
    return () if command.grant in state.grants else (SourceGranted(command.grant, says),)


def _revoke(state: Administration, command: RevokeGrant) -> tuple[AdministrationData, ...]:
    if command.grant not in state.grants:
        message = f"there is no standing grant {command.grant}"
        raise NotFound(message, hint="See which there are with `kernos grant list`.")
    return (GrantRevoked(command.grant, command.reason),)


DECIDE: Mapping[type, Decide] = {GrantSource: _grant, RevokeGrant: _revoke}


def _granted(state: Administration, event: Event, data: SourceGranted) -> Administration:
    del event
    return replace(state, grants={**state.grants, data.grant: data.says})


def _revoked(state: Administration, event: Event, data: GrantRevoked) -> Administration:
    del event
    return replace(state, grants={name: one for name, one in state.grants.items() if name != data.grant})


EVOLVE: Mapping[type, Evolve] = {SourceGranted: _granted, GrantRevoked: _revoked}
