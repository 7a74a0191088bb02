"""Forgetting, and what comes before it: shows sealed values to a person; erases one, and prints the receipt."""

import asyncio

from kernos.app.cli.agreeing import agreed
from kernos.app.cli.opening import plain_kernel
from kernos.app.cli.options import FAILED
from kernos.app.cli.showing import print_json
from kernos.app.disclosure import Disclosed, Disclosure
from kernos.app.erasure import Erasure, Receipt
from kernos.app.settings import Settings
from kernos.app.story import when


def forget(settings: Settings, subject: str, tenant: str, reason: str, *, yes: bool, as_json: bool) -> int:
    """Do it, once that is agreed; return the exit code. Raises what `Erasure.erase` raises."""
    receipt = asyncio.run(_forget(settings, subject, tenant, reason, yes=yes))
    if receipt is None:
        return FAILED
    if as_json:
        print_json(receipt)
        return 0
    print(f"erased: {receipt.values} sealed values of tenant {receipt.tenant}, by {receipt.by} at {when(receipt.at)}")
    print(f"destroyed keys: {', '.join(receipt.keys)}; event {receipt.event} of the store's administration")
    print(f"the journal verifies as before: kernos verify{settings.repeated}")
    print("backups that were made before still hold the keys: let them expire")
    return 0


async def _forget(settings: Settings, subject: str, tenant: str, reason: str, *, yes: bool) -> Receipt | None:
    async with plain_kernel(settings) as kernel:
        found = Erasure(kernel).look(subject, tenant=tenant, by=settings.by)
        if not yes:
            print(f"{found.values} sealed values of this subject in tenant {found.tenant} would be gone for good.")
        if not agreed("Erase them? Nothing brings them back.", yes=yes):
            return None
        return await Erasure(kernel).erase(subject, tenant=tenant, reason=reason, by=settings.by)


def show(settings: Settings, place: str, reason: str) -> None:
    """Print it as JSON. Raises what `Disclosure.show` raises."""
    print_json(asyncio.run(_show(settings, place, reason)).values)


async def _show(settings: Settings, place: str, reason: str) -> Disclosed:
    async with plain_kernel(settings) as kernel:
        return await Disclosure(kernel).show(place, reason=reason, by=settings.by)
