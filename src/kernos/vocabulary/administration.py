"""Administration: what is recorded of a store as a whole and of no single run: who may act, and what they prove it with.

It stands in the journal like everything else, as the history of an id that no run has.
"""

from dataclasses import dataclass
from enum import StrEnum

from kernos.vocabulary.budget import AskRaise, CapRaised, CapsEntered, EnterCaps, RaiseAsked, RaiseCap
from kernos.vocabulary.erasure import EraseSubject, ShowValues, SubjectErased, ValuesShown
from kernos.vocabulary.grants import GrantRevoked, GrantSource, RevokeGrant, SourceGranted
from kernos.vocabulary.ids import EVERY, EpochMs, PrincipalId, RunId, TenantId
from kernos.vocabulary.own_keys import AddOwnKey, OwnKeyAdded, OwnKeyRevoked, RevokeOwnKey
from kernos.vocabulary.policies import (
    EnterPolicies,
    PoliciesEntered,
    PoliciesProposed,
    PoliciesRefused,
    ProposePolicies,
    RefusePolicies,
)
from kernos.vocabulary.stops import LiftStop, OrderStop, StopLifted, StopOrdered

ADMINISTRATION = RunId("0000000000000")
"""The id that the store's own affairs stand under: run number 0, which no clock gives."""

EVERY_TENANT = EVERY
"""Stands for the whole deployment where a tenant is named."""


class Scope(StrEnum):
    """What a credential is good for."""

    LOOK = "look"
    """See runs, actions, what waits."""
    START = "start"
    """Start agents, send signals."""
    ANSWER = "answer"
    """Approve, deny, edit, answer, settle, endorse."""
    OPERATE = "operate"
    """Run agents, cancel, resume, revert."""
    ADMINISTER = "administer"
    """Everything that changes who may do what."""


# --- events ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PrincipalAdmitted:
    """A person or service may act in a tenant from now on, in these roles and no others."""

    principal: PrincipalId
    tenant: TenantId
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PrincipalDismissed:
    """A person or service may not act in a tenant any more; its credentials there are void."""

    principal: PrincipalId
    tenant: TenantId
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CredentialIssued:
    """A principal was given a secret to prove itself with; only the secret's SHA-256 is kept."""

    credential: str
    """Its id, which begins the text that the principal holds."""
    principal: PrincipalId
    tenant: TenantId
    scopes: tuple[Scope, ...]
    digest: str
    """SHA-256 of the secret, 64 hex digits; the secret has 256 random bits."""
    expires_at: EpochMs


@dataclass(frozen=True, slots=True)
class CredentialRevoked:
    """A credential is void from now on."""

    credential: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class AccessRequired:
    """From now on whoever gives commands shows a credential."""


AdministrationData = (
    PrincipalAdmitted | PrincipalDismissed | CredentialIssued | CredentialRevoked | AccessRequired
    | OwnKeyAdded | OwnKeyRevoked | PoliciesProposed | PoliciesEntered | PoliciesRefused | StopOrdered | StopLifted | SourceGranted | GrantRevoked | CapRaised | RaiseAsked | CapsEntered
    | SubjectErased | ValuesShown
)  # fmt: skip

# --- commands ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AdmitPrincipal:
    """Let a principal act in a tenant, in exactly these roles."""

    principal: PrincipalId
    tenant: TenantId
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DismissPrincipal:
    """Let a principal act in a tenant no more."""

    principal: PrincipalId
    tenant: TenantId
    reason: str = ""


@dataclass(frozen=True, slots=True)
class IssueCredential:
    """Give a principal a secret of which `digest` is the SHA-256."""

    credential: str
    principal: PrincipalId
    tenant: TenantId
    scopes: tuple[Scope, ...]
    digest: str
    expires_at: EpochMs
    at: EpochMs


@dataclass(frozen=True, slots=True)
class RevokeCredential:
    """Make a credential void."""

    credential: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RequireAccess:
    """Let nobody give commands without a credential any more; there must be one that administers."""

    at: EpochMs


AdministrationCommand = (
    AdmitPrincipal | DismissPrincipal | IssueCredential | RevokeCredential | RequireAccess
    | AddOwnKey | RevokeOwnKey | ProposePolicies | EnterPolicies | RefusePolicies | OrderStop | LiftStop | GrantSource | RevokeGrant | RaiseCap | AskRaise | EnterCaps
    | EraseSubject | ShowValues
)  # fmt: skip
