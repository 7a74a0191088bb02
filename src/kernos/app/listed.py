"""Listed: services' own lists over journals with sealed values: what a service lists in the open is compared as handles."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from kernos.execution.seals import Seals, Seen
from kernos.ports.vault import Vault
from kernos.vocabulary.contract import OutsideEffect, ToolContract
from kernos.vocabulary.errors import Erased, NotSealedHere
from kernos.vocabulary.ids import DEFAULT_TENANT, EpochMs
from kernos.vocabulary.quantities import Json
from kernos.vocabulary.sealing import handles_in


def over_handles(tool: ToolContract[Any, Any], vault: Vault) -> ToolContract[Any, Any]:
    """Return the tool with a list that speaks in handles; one that has none as it is.

    The service is asked with the values themselves: it got them with the actions that are compared.
    """
    listing = tool.listed
    if listing is None:
        return tool

    async def ask(since: EpochMs, until: EpochMs, args: Sequence[Json]) -> Sequence[OutsideEffect]:
        seen = Seen()
        listed = await listing.ask(since, until, [_opened(vault, one, seen) for one in args])
        return [
            replace(one, args=seen.hide_in(one.args) or one.args, result=seen.hide_in(one.result)) for one in listed
        ]

    return replace(tool, listed=replace(listing, ask=ask))


def _opened(vault: Vault, args: Json, seen: Seen) -> Json:
    """Return arguments with their values; what was erased stays a handle, which then equals nothing that is listed."""
    tenants = {vault.tenant_of(handle.key) for handle in handles_in(args.text)} - {None}
    try:
        return Seals(vault, tenants.pop() or DEFAULT_TENANT).opened(args, seen) if len(tenants) == 1 else args
    except (Erased, NotSealedHere):
        return args
