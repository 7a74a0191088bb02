"""Sourcing: changes which sources speak for the principal, and tells what came of it."""

from collections.abc import Sequence

from kernos.app.cli.opening import plain_kernel
from kernos.app.cli.showing import print_json, print_table
from kernos.app.kernel import Kernel
from kernos.app.settings import Settings
from kernos.app.sources import ROLES, Sources
from kernos.vocabulary.errors import InvalidInput


async def add_grant(
    settings: Settings, source: str, proof: str, tools: Sequence[str], roles: Sequence[str], tenant: str
) -> None:
    """Give a standing grant and print its id. Raises InvalidInput, NotAllowed."""
    field, sign, value = proof.partition("=")
    if not (field and sign and value):
        message = f"{proof!r} names no field and value"
        raise InvalidInput(message, hint="Write it as FIELD=VALUE: sender=boss@firm.example.")
    async with Kernel(settings.store, works=False, token=settings.token) as kernel:  # Before the first run, too.
        name = await Sources(kernel).grant(
            source, field, value, tools=tools, roles=roles or ROLES, tenant=tenant, by=settings.by
        )
    print(f"grant {name}: where {source} answers {field} = {value}, it speaks for you in {', '.join(sorted(tools))}")


async def revoke_grant(settings: Settings, name: str, reason: str) -> None:
    """Revoke a standing grant. Raises NotFound, NotAllowed."""
    async with Kernel(settings.store, works=False, token=settings.token) as kernel:
        await Sources(kernel).revoke(name, reason=reason, by=settings.by)
    print(f"grant {name} holds no more")


async def list_all(settings: Settings, *, as_json: bool) -> None:
    """Print the standing grants in force."""
    async with plain_kernel(settings) as kernel:
        grants = Sources(kernel).all()
    if as_json:
        print_json([{"grant": name, "says": one} for name, one in grants.items()])
        return
    rows = [
        (name, one.tenant, one.source, f"{one.field} = {one.value}", ", ".join(one.tools), ", ".join(one.roles))
        for name, one in grants.items()
    ]
    print_table(("GRANT", "TENANT", "SOURCE", "PROOF", "FOR", "ROLES"), rows)
