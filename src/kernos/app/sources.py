"""Sources: who may speak for the principal besides them, for programs and for `kernos grant`."""

import hashlib
from collections.abc import Collection, Mapping

from kernos.app.kernel import Kernel
from kernos.vocabulary.administration import Scope
from kernos.vocabulary.errors import InvalidInput
from kernos.vocabulary.flow import Role
from kernos.vocabulary.grants import GrantSource, RevokeGrant, StandingGrant
from kernos.vocabulary.ids import DEFAULT_TENANT, TenantId

ROLES = (Role.DESTINATION, Role.TARGET, Role.AMOUNT, Role.REFERENCES, Role.IDENTITY, Role.PLACE)
"""What a source may speak about if nothing else is said: all that needs somebody to vouch for it, but no secret."""


class Sources:
    """The standing grants of a store. To change them needs the scope `administer`."""

    def __init__(self, kernel: Kernel) -> None:
        """Take an open kernel."""
        self._kernel = kernel

    async def grant(
        self,
        source: str,
        field: str,
        value: str,
        *,
        tools: Collection[str],
        roles: Collection[str] = ROLES,
        tenant: str = DEFAULT_TENANT,
        by: str = "",
    ) -> str:
        """Let what `source` answers, where its proof field `field` is exactly `value`, count as the principal's word in calls of `tools`.

        Returns the grant's id. Raises InvalidInput, NotAllowed.
        """
        strange = sorted(set(roles) - set(Role))
        if strange:
            message = f"{', '.join(strange)}: no such role"
            raise InvalidInput(message, hint=f"There are: {', '.join(Role)}.")
        if not by.startswith("person:") and by:
            message = f"{by} is no person, and only a person lets others speak for the principal"
            raise InvalidInput(message, hint="Say who grants it: --by person:NAME.")
        says = StandingGrant(
            TenantId(tenant), source, field, value, tuple(sorted(tools)), tuple(one for one in Role if one in roles)
        )
        text = repr((says.tenant, source, field, value, says.tools, tuple(map(str, says.roles))))
        name = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:12]
        who = self._kernel.authority.whole(by, Scope.ADMINISTER, "who speaks for the principal")
        await self._kernel.administrator.command(GrantSource(name, says), who)
        return name

    async def revoke(self, grant: str, *, reason: str = "", by: str = "") -> None:
        """Let a source speak for the principal no more. Raises NotFound, NotAllowed."""
        who = self._kernel.authority.whole(by, Scope.ADMINISTER, "who speaks for the principal")
        await self._kernel.administrator.command(RevokeGrant(grant, reason), who)

    def all(self) -> Mapping[str, StandingGrant]:
        """Return what holds, by id. Raises NotAllowed."""
        self._kernel.authority.whole("", Scope.ADMINISTER, "who speaks for the principal")
        return dict(self._kernel.administrator.state.grants)
