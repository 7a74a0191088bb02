"""Identity: who may act in which tenant, in which roles, and which credentials prove it."""

from collections.abc import Mapping
from dataclasses import replace

from kernos.kernel.administration import Administration, Credential, Decide, Evolve
from kernos.vocabulary.administration import (
    EVERY_TENANT,
    AccessRequired,
    AdministrationData,
    AdmitPrincipal,
    CredentialIssued,
    CredentialRevoked,
    DismissPrincipal,
    IssueCredential,
    PrincipalAdmitted,
    PrincipalDismissed,
    RequireAccess,
    RevokeCredential,
    Scope,
)
from kernos.vocabulary.errors import InvalidInput, NotAllowed, NotFound
from kernos.vocabulary.events import Event
from kernos.vocabulary.ids import EpochMs, PrincipalId, TenantId

_KINDS = ("person", "service")
"""Who can be admitted; an agent acts under the authority of whoever started it."""


def roles_of(state: Administration, principal: PrincipalId, tenant: TenantId) -> frozenset[str]:
    """Return the roles of a principal in a tenant, those in the whole deployment among them."""
    here = state.members.get((tenant, principal), frozenset())
    return here | state.members.get((EVERY_TENANT, principal), frozenset())


def is_good(state: Administration, credential: Credential, at: EpochMs) -> bool:
    """Tell whether a credential proves anything at this time."""
    holds = not credential.is_revoked and at < credential.expires_at
    return holds and (credential.tenant, credential.principal) in state.members


def _admit(state: Administration, command: AdmitPrincipal) -> tuple[AdministrationData, ...]:
    kind, _, name = command.principal.partition(":")
    if kind not in _KINDS or not name:
        message = f"{command.principal!r} cannot be admitted: only persons and services can"
        raise InvalidInput(message, hint="Write person:NAME or service:NAME; an agent acts for whoever started it.")
    _check_tenant(command.tenant)
    roles = tuple(sorted(set(command.roles)))
    if state.members.get((command.tenant, command.principal)) == frozenset(roles):
        return ()
    return (PrincipalAdmitted(command.principal, command.tenant, roles),)


def _check_tenant(tenant: TenantId) -> None:
    if not tenant or any(letter.isspace() for letter in tenant):
        message = f"{tenant!r} is no tenant's name"
        raise InvalidInput(message, hint="Give a word without spaces, or * for the whole deployment.")


def _dismiss(state: Administration, command: DismissPrincipal) -> tuple[AdministrationData, ...]:
    if (command.tenant, command.principal) not in state.members:
        message = f"{command.principal} is not admitted in tenant {command.tenant}"
        raise NotFound(message, hint="See who is with `kernos access list`.")
    left = replace(state, members=_without(state, command.tenant, command.principal))
    _check_somebody_administers(state, left)
    return (PrincipalDismissed(command.principal, command.tenant, command.reason),)


def _issue(state: Administration, command: IssueCredential) -> tuple[AdministrationData, ...]:
    if (command.tenant, command.principal) not in state.members:
        message = f"{command.principal} is not admitted in tenant {command.tenant}"
        raise NotAllowed(message, hint="Admit them first with `kernos access admit`.")
    if not command.scopes:
        raise InvalidInput("a credential without a scope is good for nothing", hint=f"Give one of {_SCOPES}.")
    if command.expires_at <= command.at:
        raise InvalidInput("the credential would have expired already", hint="Give a time to come.")
    if command.credential in state.credentials:
        return ()
    issued = CredentialIssued(
        command.credential, command.principal, command.tenant, command.scopes, command.digest, command.expires_at
    )
    return (issued,)


_SCOPES = ", ".join(Scope)


def _revoke(state: Administration, command: RevokeCredential) -> tuple[AdministrationData, ...]:
    known = state.credentials.get(command.credential)
    if known is None:
        message = f"there is no credential {command.credential}"
        raise NotFound(message, hint="See which there are with `kernos access list`.")
    if known.is_revoked:
        return ()
    revoked = replace(known, is_revoked=True)
    _check_somebody_administers(state, replace(state, credentials={**state.credentials, command.credential: revoked}))
    return (CredentialRevoked(command.credential, command.reason),)


def _require(state: Administration, command: RequireAccess) -> tuple[AdministrationData, ...]:
    if state.is_access_required:
        return ()
    if not any(
        _administers(state, credential) and command.at < credential.expires_at
        for credential in state.credentials.values()
    ):
        message = "nobody could give commands any more: no credential for the whole deployment administers"
        raise NotAllowed(message, hint="Issue one first: `kernos access require NAME` does both.")
    return (AccessRequired(),)


def _administers(state: Administration, credential: Credential) -> bool:
    return (
        Scope.ADMINISTER in credential.scopes
        and credential.tenant == EVERY_TENANT
        and not credential.is_revoked
        and (credential.tenant, credential.principal) in state.members
    )


def _check_somebody_administers(before: Administration, after: Administration) -> None:
    """Refuse to lock everybody out."""
    had = any(_administers(before, one) for one in before.credentials.values())
    has = any(_administers(after, one) for one in after.credentials.values())
    if before.is_access_required and had and not has:
        message = "nobody could administer the deployment any more"
        raise NotAllowed(message, hint="Issue another credential that administers first.")


DECIDE: Mapping[type, Decide] = {
    AdmitPrincipal: _admit,
    DismissPrincipal: _dismiss,
    IssueCredential: _issue,
    RevokeCredential: _revoke,
    RequireAccess: _require,
}


def _admitted(state: Administration, event: Event, data: PrincipalAdmitted) -> Administration:
    del event
    return replace(state, members={**state.members, (data.tenant, data.principal): frozenset(data.roles)})


def _without(
    state: Administration, tenant: TenantId, principal: PrincipalId
) -> Mapping[tuple[TenantId, PrincipalId], frozenset[str]]:
    return {key: roles for key, roles in state.members.items() if key != (tenant, principal)}


def _dismissed(state: Administration, event: Event, data: PrincipalDismissed) -> Administration:
    del event
    credentials = {
        name: replace(one, is_revoked=True) if (one.tenant, one.principal) == (data.tenant, data.principal) else one
        for name, one in state.credentials.items()
    }
    return replace(state, members=_without(state, data.tenant, data.principal), credentials=credentials)


def _issued(state: Administration, event: Event, data: CredentialIssued) -> Administration:
    credential = Credential(data.principal, data.tenant, frozenset(data.scopes), data.digest, event.at, data.expires_at)
    return replace(state, credentials={**state.credentials, data.credential: credential})


def _revoked(state: Administration, event: Event, data: CredentialRevoked) -> Administration:
    del event
    revoked = replace(state.credentials[data.credential], is_revoked=True)
    return replace(state, credentials={**state.credentials, data.credential: revoked})


def _required(state: Administration, event: Event, data: AccessRequired) -> Administration:
    del event, data
    return replace(state, is_access_required=True)


EVOLVE: Mapping[type, Evolve] = {
    PrincipalAdmitted: _admitted,
    PrincipalDismissed: _dismissed,
    CredentialIssued: _issued,
    CredentialRevoked: _revoked,
    AccessRequired: _required,
}
