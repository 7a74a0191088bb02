"""Access: who may give commands to a store, for programs and for the command line.

`Access(kernel).admit("person:ana", roles=["lead"], tenant="shop")`, then `.issue(...)`, whose text the holder shows as `Kernel(token=...)`.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from kernos.adapters.joserfc.tokens import TokenReader
from kernos.app.kernel import Kernel
from kernos.control.authority import Secret, new_secret
from kernos.kernel.identity import is_good
from kernos.vocabulary.administration import (
    EVERY_TENANT,
    AdministrationCommand,
    AdmitPrincipal,
    DismissPrincipal,
    IssueCredential,
    RequireAccess,
    RevokeCredential,
    Scope,
)
from kernos.vocabulary.errors import InvalidInput
from kernos.vocabulary.ids import DEFAULT_TENANT, EpochMs, PrincipalId, TenantId
from kernos.vocabulary.own_keys import AddOwnKey, RevokeOwnKey

CREDENTIAL_MS = 90 * 86_400_000
"""How long a credential is good unless told otherwise: a quarter."""


@dataclass(frozen=True, slots=True)
class Member:
    """A principal that may act in a tenant."""

    principal: str
    tenant: str
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Held:
    """A credential that was given out, without its secret."""

    credential: str
    principal: str
    tenant: str
    scopes: tuple[str, ...]
    expires_at: EpochMs
    is_good: bool


@dataclass(frozen=True, slots=True)
class PersonsKey:
    """A key that a person signs with."""

    key: str
    principal: str
    public_key: str
    is_revoked: bool


class Access:
    """The administration of a store, as far as it is about people, services and their credentials. All of it needs the scope `administer`."""

    def __init__(self, kernel: Kernel) -> None:
        """Take an open kernel."""
        self._kernel = kernel

    async def admit(
        self, principal: str, *, roles: Sequence[str] = (), tenant: str = DEFAULT_TENANT, by: str = ""
    ) -> None:
        """Let a person or service act in a tenant, in exactly these roles. Raises InvalidInput, NotAllowed."""
        await self._command(AdmitPrincipal(PrincipalId(principal), TenantId(tenant), tuple(roles)), by)

    async def dismiss(self, principal: str, *, tenant: str = DEFAULT_TENANT, reason: str = "", by: str = "") -> None:
        """Let them act there no more; their credentials for it are void at once. Raises NotFound, NotAllowed."""
        await self._command(DismissPrincipal(PrincipalId(principal), TenantId(tenant), reason), by)

    async def issue(
        self,
        principal: str,
        scopes: Collection[str],
        *,
        tenant: str = DEFAULT_TENANT,
        valid_ms: int = CREDENTIAL_MS,
        by: str = "",
    ) -> Secret:
        """Give a principal a new credential; its text is known to nobody after this. Raises InvalidInput, NotAllowed."""
        strange = sorted(set(scopes) - set(Scope))
        if strange:
            message = f"{', '.join(strange)}: no such scope"
            raise InvalidInput(message, hint=f"There are: {', '.join(Scope)}.")
        shared = self._kernel.engine.shared
        secret, at = new_secret(shared.chance), shared.clock.now()
        command = IssueCredential(
            secret.credential,
            PrincipalId(principal),
            TenantId(tenant),
            tuple(scope for scope in Scope if scope in scopes),
            secret.digest,
            EpochMs(at + valid_ms),
            at,
        )
        await self._command(command, by)
        return secret

    async def revoke(self, credential: str, *, reason: str = "", by: str = "") -> None:
        """Make a credential void, by its id. Raises NotFound, NotAllowed."""
        await self._command(RevokeCredential(credential, reason), by)

    async def add_key(self, principal: str, public_key: str, *, by: str = "") -> str:
        """Let a person sign with a key of their own, given as JSON Web Key or PEM; return its id. Raises BadConfiguration, InvalidInput, NotAllowed."""
        key = TokenReader.of(public_key).newest
        await self._command(AddOwnKey(key.id, PrincipalId(principal), key.public_key.hex()), by)
        return key.id

    async def revoke_key(self, key: str, *, reason: str = "", by: str = "") -> None:
        """Let what a person's key signed count no more, by its id. Raises NotFound, NotAllowed."""
        await self._command(RevokeOwnKey(key, reason), by)

    async def require(self, principal: str, *, valid_ms: int = CREDENTIAL_MS, by: str = "") -> Secret:
        """Take commands only with credentials from now on; `principal` gets the first, good for everything in the whole deployment."""
        await self.admit(principal, tenant=EVERY_TENANT, by=by)
        secret = await self.issue(principal, tuple(Scope), tenant=EVERY_TENANT, valid_ms=valid_ms, by=by)
        await self._command(RequireAccess(self._kernel.engine.shared.clock.now()), by)
        return secret

    def members(self) -> list[Member]:
        """Return who may act where."""
        self._kernel.authority.whole("", Scope.ADMINISTER, "who may act")
        state = self._kernel.administrator.state
        return sorted(
            (Member(principal, tenant, tuple(sorted(roles))) for (tenant, principal), roles in state.members.items()),
            key=lambda member: (member.tenant, member.principal),
        )

    def credentials(self) -> list[Held]:
        """Return which credentials there are, newest last."""
        self._kernel.authority.whole("", Scope.ADMINISTER, "which credentials there are")
        state, at = self._kernel.administrator.state, self._kernel.engine.shared.clock.now()
        return [
            Held(name, one.principal, one.tenant, tuple(sorted(one.scopes)), one.expires_at, is_good(state, one, at))
            for name, one in state.credentials.items()
        ]

    def own_keys(self) -> list[PersonsKey]:
        """Return which keys people sign with, newest last."""
        self._kernel.authority.whole("", Scope.ADMINISTER, "whose keys there are")
        keys = self._kernel.administrator.state.own_keys
        return [PersonsKey(name, one.principal, one.public_key, one.is_revoked) for name, one in keys.items()]

    async def _command(self, command: AdministrationCommand, by: str) -> None:
        who = self._kernel.authority.whole(by, Scope.ADMINISTER, "who may do what")
        await self._kernel.administrator.command(command, who)
