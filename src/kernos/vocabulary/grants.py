"""Grants: standing ones, by which a person lets what an authenticated source writes count as the principal's word."""

from dataclasses import dataclass

from kernos.vocabulary.flow import Role
from kernos.vocabulary.ids import TenantId


@dataclass(frozen=True, slots=True)
class StandingGrant:
    """What stands in an answer of `source` whose field `field` is exactly `value` counts as said, for these roles in calls of these tools.

    The field must be one that the tool declares as proof: one that nobody but that source can have filled so, such as a verified sender.
    """

    tenant: TenantId
    source: str
    """The reading tool, such as `mail.read`."""
    field: str
    value: str
    tools: tuple[str, ...]
    """The calls that it may be the reason for."""
    roles: tuple[Role, ...]


@dataclass(frozen=True, slots=True)
class SourceGranted:
    """A standing grant holds from now on, in the tenant that it names."""

    grant: str
    """Its id: 12 hex digits of what it says, so that the same one is given once."""
    says: StandingGrant


@dataclass(frozen=True, slots=True)
class GrantRevoked:
    """A standing grant holds no more; what it allowed before stands."""

    grant: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class GrantSource:
    """Let a source speak for the principal."""

    grant: str
    says: StandingGrant


@dataclass(frozen=True, slots=True)
class RevokeGrant:
    """Let a source speak for the principal no more."""

    grant: str
    reason: str = ""
