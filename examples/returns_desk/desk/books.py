"""Books: what the desk did by kernos' journal, beside what happened by the shop's own ledger and audit."""

from collections import Counter
from dataclasses import dataclass

import msgspec

from kernos import HttpService, Kernel

_ACTIONS_MAX = 1_000_000


@dataclass(frozen=True, slots=True)
class Books:
    """Both accounts over the same time. Money is in cents; keys stand for actions."""

    kernel_refunded_cents: int
    shop_refunded_cents: int
    actions: int
    doubled: tuple[str, ...]
    """Keys under which the shop shows more than one effect."""
    lost: tuple[str, ...]
    """Keys that the journal calls performed and the shop does not know."""
    unseen: tuple[str, ...]
    """Keys that the shop knows and the journal does not call performed."""
    open: int
    """Actions that are neither settled nor waiting for a person."""

    @property
    def agree(self) -> bool:
        """Whether money is equal and nothing is doubled, lost, unseen or unsettled."""
        wrong = self.doubled or self.lost or self.unseen or self.open
        return self.kernel_refunded_cents == self.shop_refunded_cents and not wrong


async def shop_refunded_cents(shop: HttpService) -> int:
    """Return all the money that the shop's ledger says was given back so far."""
    return int(msgspec.json.decode((await shop.get("/ledger", call=None)).text)["refunded_cents"])


async def compare_books(kernel: Kernel, shop: HttpService, refunded_before_cents: int) -> Books:
    """Compare the journal's actions with the shop's audit and ledger since `refunded_before_cents` was read."""
    rows = [row for row in await kernel.actions(limit=_ACTIONS_MAX) if row["effect"] != "read"]
    performed = {f"{row['run']}.{row['step']}": row for row in rows if row["status"] == "performed"}
    refunds = [msgspec.json.decode(str(row["args"])) for row in performed.values() if row["tool"] == "shop.refund"]
    effects = msgspec.json.decode((await shop.get("/audit", call=None)).text)["effects"]
    known = Counter(effect["key"] for effect in effects if effect["key"])
    return Books(
        kernel_refunded_cents=sum(refund["amount_cents"] for refund in refunds),
        shop_refunded_cents=await shop_refunded_cents(shop) - refunded_before_cents,
        actions=len(performed),
        doubled=tuple(sorted(key for key, count in known.items() if count > 1)),
        lost=tuple(sorted(performed.keys() - known.keys())),
        unseen=tuple(sorted(known.keys() - performed.keys())),
        open=sum(row["status"] in ("intended", "approved", "in_doubt") for row in rows),
    )
