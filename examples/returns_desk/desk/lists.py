"""Lists: the shop's own account of what happened, for `kernos reconcile` to compare with the journal.

The shop's clock is its own, so its lists of the day are narrowed by what recent actions were about, not by time.
"""

from typing import Any

import msgspec

from examples.returns_desk.desk.service import shop
from kernos import Listed, Sweep, listing


@listing()
async def refunds(sweep: Sweep) -> list[Listed]:
    """Return the refunds of the payments that recent actions were about."""
    about = {request["payment_id"] for request in sweep.requests}
    return [
        Listed(one["id"], {name: one[name] for name in ("payment_id", "amount_cents")}, one["key"], {"id": one["id"]})
        for one in await _today("refunds")
        if one["payment_id"] in about
    ]


@listing()
async def mails(sweep: Sweep) -> list[Listed]:
    """Return the mails to those whom recent actions wrote to."""
    about = {request["to"] for request in sweep.requests}
    return [
        Listed(one["id"], {name: one[name] for name in ("to", "subject", "text")}, one["key"])
        for one in await _today("mail")
        if one["to"] in about
    ]


async def _today(kind: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = msgspec.json.decode((await shop.get(f"/{kind}", call=None)).text)[kind]
    return found
