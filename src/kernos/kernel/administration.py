"""Administration: what the events of the store's own history add up to. One field for each concern; the rules stand in files of their own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from kernos.vocabulary.administration import AdministrationData, Scope
from kernos.vocabulary.budget import CapRaised, Caps, Over, RaiseAsked, Unit
from kernos.vocabulary.events import Event
from kernos.vocabulary.grants import StandingGrant
from kernos.vocabulary.ids import EpochMs, PrincipalId, TenantId
from kernos.vocabulary.policies import PoliciesEntered, PoliciesProposed, PoliciesRefused
from kernos.vocabulary.stops import StopKind


@dataclass(frozen=True, slots=True)
class Credential:
    """A secret that was given out, as far as the store knows it."""

    principal: PrincipalId
    tenant: TenantId
    scopes: frozenset[Scope]
    digest: str
    issued_at: EpochMs
    expires_at: EpochMs
    is_revoked: bool = False


@dataclass(frozen=True, slots=True)
class RaisedCap:
    """What a person said of a cap."""

    by: PrincipalId
    at: EpochMs
    data: CapRaised
    before: "RaisedCap | None" = None
    """The raise that holds again when this one has ended; None where none outlasts it."""

    def all(self) -> "tuple[RaisedCap, ...]":
        """Return it and those that outlast it."""
        return (self, *(self.before.all() if self.before is not None else ()))


@dataclass(frozen=True, slots=True)
class AskedRaise:
    """Somebody's wish that a cap be raised."""

    by: PrincipalId
    at: EpochMs
    data: RaiseAsked


@dataclass(frozen=True, slots=True)
class OwnKey:
    """A key that a person signs with, as far as the store knows it."""

    principal: PrincipalId
    public_key: str
    form: str
    is_revoked: bool = False


@dataclass(frozen=True, slots=True)
class Stop:
    """An order that nothing more of something leaves the kernel."""

    kind: StopKind
    name: str
    reason: str
    by: PrincipalId
    at: EpochMs


@dataclass(frozen=True, slots=True)
class Administration:
    """The store's own affairs as they stand."""

    next_n: int = 0
    members: Mapping[tuple[TenantId, PrincipalId], frozenset[str]] = field(default_factory=lambda: MappingProxyType({}))
    """Who may act where, in which roles."""
    credentials: Mapping[str, Credential] = field(default_factory=lambda: MappingProxyType({}))
    """By id, revoked and expired ones included."""
    is_access_required: bool = False
    own_keys: Mapping[str, OwnKey] = field(default_factory=lambda: MappingProxyType({}))
    """Keys that people sign with, by id, revoked ones included."""
    stops: Mapping[tuple[StopKind, str], Stop] = field(default_factory=lambda: MappingProxyType({}))
    """By what they are for."""
    grants: Mapping[str, StandingGrant] = field(default_factory=lambda: MappingProxyType({}))
    """Sources that speak for the principal, by id; those that were revoked are gone."""
    caps: Mapping[tuple[TenantId, Over, str, Unit], RaisedCap] = field(default_factory=lambda: MappingProxyType({}))
    """The newest raise of each cap; whether it counts is looked at where it does (`control/raising.py`)."""
    raises_asked: Mapping[tuple[TenantId, Over, str, Unit], AskedRaise] = field(
        default_factory=lambda: MappingProxyType({})
    )
    """What people want raised, and nobody has raised since."""
    caps_in_force: Caps | None = None
    """The caps that count, as far as they are recorded."""
    erased: frozenset[str] = frozenset()
    """Keys of subjects that are destroyed."""
    policies_in_force: PoliciesEntered | None = None
    """The policy set that decides, as far as it is recorded."""
    policies_proposed: PoliciesProposed | None = None
    """A set that somebody wants in force, until the process that runs agents has answered."""
    policies_refused: PoliciesRefused | None = None
    """The newest answer, where that was no."""


Decide = Callable[[Administration, Any], tuple[AdministrationData, ...]]
Evolve = Callable[[Administration, Event, Any], Administration]
