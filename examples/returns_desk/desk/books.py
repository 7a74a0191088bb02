"""Books: what the desk did by kernos' journal, beside what happened by the shop's own ledger and audit."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from kernos import HttpService, Kernel
from kernos.ports.journal import Row

_ACTIONS_MAX = 1_000_000


@dataclass(frozen=True, slots=True)
class Money:
    """Sums over some time, in cents: given back to customers, and taken in again by voiding refunds."""

    back_cents: int
    voided_cents: int


@dataclass(frozen=True, slots=True)
class Books:
    """Both accounts over the same time. Keys stand for actions, undos among them."""

    kernel: Money
    shop: Money
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
        return self.kernel == self.shop and not wrong


async def shop_money(shop: HttpService) -> Money:
    """Return all the money that the shop's ledger says moved so far."""
    ledger = msgspec.json.decode((await shop.get("/ledger", call=None)).text)
    return Money(ledger["refunded_cents"], ledger["voided_cents"])


async def compare_books(kernel: Kernel, shop: HttpService, before: Money) -> Books:
    """Compare the journal's actions with the shop's audit and ledger since `before` was read."""
    rows = [row for row in await kernel.actions(limit=_ACTIONS_MAX) if row["effect"] != "read"]
    performed = {_key(row): row for row in rows if row["status"] == "performed"}
    effects = msgspec.json.decode((await shop.get("/audit", call=None)).text)["effects"]
    known = Counter(effect["key"] for effect in effects if effect["key"])
    now = await shop_money(shop)
    return Books(
        kernel=Money(_cents(performed.values(), "shop.refund"), _cents(performed.values(), "shop.void_refund")),
        shop=Money(now.back_cents - before.back_cents, now.voided_cents - before.voided_cents),
        actions=len(performed),
        doubled=tuple(sorted(key for key, count in known.items() if count > 1)),
        lost=tuple(sorted(performed.keys() - known.keys())),
        unseen=tuple(sorted(known.keys() - performed.keys())),
        open=sum(row["status"] in ("intended", "approved", "in_doubt") for row in rows),
    )


def _key(row: Row) -> str:
    """Return the key that an action went out with; an undo's is made from that of what it takes back."""
    return f"{row['undoes']}.undo" if row["undoes"] else f"{row['run']}.{row['step']}"


def _cents(rows: Iterable[Row], tool: str) -> int:
    args = (msgspec.json.decode(str(row["args"])) for row in rows if row["tool"] == tool)
    return sum(int(one["amount_cents"]) for one in args)
