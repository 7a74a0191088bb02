"""Erasure: destroys what is sealed of a person, for programs and for the command line.

`await Erasure(kernel).erase("C017", tenant="shop", reason="asked for it")`. The journal stays as it is and verifies as before: handles stand
in it, and what they stood for is gone. Ordered: the order to erase is durable before a key is destroyed, so that a crash in between only delays it.
"""

from dataclasses import dataclass

from kernos.app.kernel import Kernel
from kernos.vocabulary.administration import Scope
from kernos.vocabulary.erasure import EraseSubject
from kernos.vocabulary.errors import InvalidInput, NotAllowed, NotFound
from kernos.vocabulary.ids import EpochMs, PrincipalId, TenantId


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was erased; it does not say who it was, so that it can be kept."""

    tenant: str
    keys: tuple[str, ...]
    """Names of the destroyed keys, as they stand in handles in the journal."""
    values: int
    by: PrincipalId
    at: EpochMs
    event: int
    """Number of the event in the history of the store's administration, which signed tree heads cover."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Sealed:
    """What is sealed of a person, and would be gone."""

    tenant: TenantId
    keys: tuple[str, ...]
    values: int
    by: PrincipalId
    """Who would erase it."""


class Erasure:
    """Erases people from an open kernel's store; it needs the scope `administer`, and a person to order it."""

    def __init__(self, kernel: Kernel) -> None:
        """Take an open kernel."""
        self._kernel = kernel

    def look(self, subject: str, *, tenant: str = "", by: str = "") -> Sealed:
        """Return what is sealed of a subject; nothing is erased. Raises what `erase` raises."""
        kernel = self._kernel
        who = kernel.authority.who(by, Scope.ADMINISTER)
        own = kernel.authority.tenant(tenant)
        if not who.startswith("person:"):
            message = f"{who} is no person, and only a person has somebody erased: it cannot be taken back"
            raise NotAllowed(message, hint="Let a person give the command.")
        name = subject.strip().casefold()
        if not name:
            message = "nobody is named who is to be erased"
            raise InvalidInput(message, hint="Name the subject as contracts do: a customer's number, or an address.")
        keys = tuple(kernel.vault.keys(own, name))
        if not keys:
            message = f"nothing is sealed of this subject in tenant {own}"
            raise NotFound(
                message, hint="Subjects are named as the contracts' subject fields say; another tenant needs --tenant."
            )
        return Sealed(own, keys, sum(kernel.vault.count(key) for key in keys), who)

    async def erase(self, subject: str, *, tenant: str = "", reason: str = "", by: str = "") -> Receipt:
        """Destroy everything that is sealed of a subject; return once it is gone from the disk.

        `subject`: what the subject fields of contracts say (a customer's number), or the value itself where none is named (an address).
        Raises NotFound when nothing of this subject is sealed, NotAllowed, InvalidInput.
        """
        kernel, found = self._kernel, self.look(subject, tenant=tenant, by=by)
        await kernel.administrator.command(EraseSubject(found.tenant, found.keys, found.values, reason), found.by)
        state = kernel.administrator.state
        kernel.vault.destroy(found.keys)
        at = kernel.engine.shared.clock.now()
        return Receipt(found.tenant, found.keys, found.values, found.by, at, state.next_n - 1, reason)
