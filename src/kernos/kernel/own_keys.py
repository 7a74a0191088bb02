"""Own keys: which keys people sign with themselves, besides the store."""

from collections.abc import Mapping
from dataclasses import replace

from kernos.kernel.administration import Administration, Decide, Evolve, OwnKey
from kernos.vocabulary.administration import AdministrationData
from kernos.vocabulary.errors import InvalidInput, NotAllowed, NotFound
from kernos.vocabulary.events import Event
from kernos.vocabulary.own_keys import AddOwnKey, OwnKeyAdded, OwnKeyRevoked, RevokeOwnKey


def _add(state: Administration, command: AddOwnKey) -> tuple[AdministrationData, ...]:
    kind, _, name = command.principal.partition(":")
    if kind != "person" or not name:
        message = f"{command.principal!r} is no person, and only a person has a key of their own"
        raise InvalidInput(message, hint="Write person:NAME.")
    known = state.own_keys.get(command.key)
    if known is None:
        return (OwnKeyAdded(command.key, command.principal, command.public_key, command.form),)
    if known.is_revoked:
        message = f"key {command.key} was revoked, and what it signs counts no more"
        raise NotAllowed(message, hint="Make another one: `kernos key new --file FILE`.")
    if known.principal != command.principal:
        message = f"key {command.key} is that of {known.principal}, and a key is one person's"
        raise NotAllowed(message, hint="Let each person make their own: `kernos key new --file FILE`.")
    return ()


def _revoke(state: Administration, command: RevokeOwnKey) -> tuple[AdministrationData, ...]:
    known = state.own_keys.get(command.key)
    if known is None:
        message = f"no person has a key {command.key}"
        raise NotFound(message, hint="See which there are with `kernos access list`.")
    return () if known.is_revoked else (OwnKeyRevoked(command.key, command.reason),)


DECIDE: Mapping[type, Decide] = {AddOwnKey: _add, RevokeOwnKey: _revoke}


def _added(state: Administration, event: Event, data: OwnKeyAdded) -> Administration:
    del event
    key = OwnKey(data.principal, data.public_key, data.form)
    return replace(state, own_keys={**state.own_keys, data.key: key})


def _revoked(state: Administration, event: Event, data: OwnKeyRevoked) -> Administration:
    del event
    revoked = replace(state.own_keys[data.key], is_revoked=True)
    return replace(state, own_keys={**state.own_keys, data.key: revoked})


EVOLVE: Mapping[type, Evolve] = {OwnKeyAdded: _added, OwnKeyRevoked: _revoked}
