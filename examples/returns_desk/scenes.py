"""Scenes: what the demo shows after its tickets: one that fails half-way, and a settled refund that is taken back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from examples.returns_desk.desk.agents import LEAD, returns_desk
from examples.returns_desk.desk.ticket import Outcome, Ticket
from examples.returns_desk.shop.seeding import TODAY, Row, seed_shop
from kernos import HttpService, Kernel
from kernos.vocabulary.events import RunFailed
from kernos.vocabulary.ids import RunId
from kernos.vocabulary.sealing import with_handles
from kernos.vocabulary.undo import UndoReport

PERSON = f"person:{LEAD}"

WITHIN_DAYS = 20
"""Since the delivery of the order that is to be exchanged: well within the window."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Who would like which item of which order in what size."""

    order: Row
    customer: Row
    item: Row
    size: str


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What `run` did and `by` took back: how many actions are undone, and how many stand. `reference` is the shop's for one."""

    run: RunId
    by: RunId
    undone: int
    standing: int
    reference: str


# --- a ticket that fails half-way --------------------------------------------------------------------------------


async def fail_half_way(kernel: Kernel, shop: HttpService, console: Console, seed: int) -> TakenBack | None:
    """Ask for an exchange of what sells out while the desk is at it, and tell what became of it; None if it worked out."""
    wish = _wish(seed)
    before = msgspec.json.decode((await shop.get("/admin/state", call=None)).text)["faults"]
    faults = {name: before[name] for name in ("seed", "rates", "delay_ms")}
    await shop.post("/admin/faults", call=None, body={**faults, "sells_out": [wish.order["id"]]})
    first, name = str(wish.customer["name"]).split()[0], str(wish.item["name"])
    text = f"Hello, the {name} of order {wish.order['id']} does not fit. May I have size {wish.size} instead? {first}"
    ticket = Ticket(
        id="D1", received_at=f"{TODAY}T18:00:00Z", channel="mail", from_email=wish.customer["email"],
        from_name=wish.customer["name"], subject="another size", text=text,
    )  # fmt: skip
    run = await kernel.start(returns_desk, ticket, key=ticket.id, intent="settle ticket D1", by="service:mail")
    outcome: Outcome = await run.result()
    runs = await kernel.runs()
    child = next(
        (RunId(str(row["run"])) for row in runs if row["parent"] == run.id and row["agent"] == "exchanger"), None
    )
    console.print(
        f"[bold]A ticket fails half-way.[/bold] {first} wants the {name} in {wish.size};"
        " other customers buy up the last ones while the desk is at it.",
        soft_wrap=True,
    )
    ended = [event.data async for event in (await kernel.run(child)).events()][-1] if child else None
    if child is None or not isinstance(ended, RunFailed) or ended.taken_back is None:
        console.print(f"  It did not: the ticket ended as {outcome.outcome}.", style="red")
        return None
    report = msgspec.json.decode(ended.taken_back.text, type=UndoReport)
    _tell(console, await _actions(kernel, child), ended.message, report)
    label, letter = await _in_the_shop(shop, wish)
    console.print(
        f"  The shop has label {label['id']} as {label['status']}; the ticket ends as: {outcome.outcome}."
        f' The last mail says: "{escape(letter)}"',
        soft_wrap=True,
    )
    by = next(RunId(str(row["run"])) for row in runs if row["parent"] == child)
    return TakenBack(child, by, len(report.undone), len(report.standing), str(wish.order["id"]))


async def _in_the_shop(shop: HttpService, wish: Wish) -> tuple[Row, str]:
    """Return the label that was made for the order, and what the last mail to the customer says between its greetings."""
    made = (await shop.get("/returns", call=None, query={"order_id": wish.order["id"]})).text
    sent = (await shop.get("/mail", call=None, query={"to": wish.customer["email"]})).text
    label: Row = msgspec.json.decode(made)["returns"][-1]
    return label, str(msgspec.json.decode(sent)["mail"][-1]["text"]).split("\n\n")[1]


def _wish(seed: int) -> Wish:
    """Choose an order of the seeded shop that no ticket is about: it came lately, and its item is there in another size."""
    seeded = seed_shop(seed)
    taken = {*seeded.order_of.values(), *(refund["order_id"] for refund in seeded.refunds)}
    customers = {customer["id"]: customer for customer in seeded.customers}
    stock = {(row["sku"], row["size"]): row["quantity"] for row in seeded.stock}
    for order in seeded.orders:
        if order["status"] != "delivered" or order["id"] in taken or len(order["items"]) != 1:
            continue
        (item,) = order["items"]
        lately = (TODAY - date.fromisoformat(order["delivered_on"])).days <= WITHIN_DAYS
        sizes = [size for (sku, size), count in stock.items() if sku == item["sku"] and count and size != item["size"]]
        if lately and item["size"] and sizes and not item["final_sale"]:
            return Wish(order, customers[order["customer_id"]], item, sizes[0])
    message = f"the shop of seed {seed} has no order that could be exchanged"
    raise SystemExit(message)


async def _actions(kernel: Kernel, run: RunId) -> list[Mapping[str, Any]]:
    rows = await kernel.journal.select("actions", {"run": run})
    return sorted(rows, key=lambda row: int(row["at"] or 0))


def _tell(console: Console, done: list[Mapping[str, Any]], why: str, report: UndoReport) -> None:
    """Print what was done, what was not and why, and what became of it, newest first."""
    stands = {one.key: one.reason for one in report.standing}
    table = _lines()
    for row in done:
        if row["status"] == "performed":
            table.add_row("  done", row["tool"], _about(row["args"]))
        else:
            table.add_row("  [red]failed[/red]", row["tool"], escape(why.removeprefix(f"{row['tool']}: ")))
    for row in reversed(done):
        key = f"{row['run']}.{row['step']}"
        if key in report.undone:
            table.add_row("  [green]taken back[/green]", row["tool"], _about(row["args"]))
        elif key in stands:
            table.add_row("  [yellow]stands[/yellow]", row["tool"], escape(stands[key]))
    console.print(table)


# --- a settled refund that is taken back -------------------------------------------------------------------------


async def take_back(kernel: Kernel, shop: HttpService, console: Console, run: RunId, ticket: str) -> TakenBack:
    """Show the plan for a settled run, say yes to it as a person would, and tell what the run that does it came to."""
    plan = await kernel.plan_revert(run)
    console.print(f"\n[bold]A settled refund is taken back[/bold] (ticket {ticket}). The plan, newest first:")
    table = _lines()
    for number, undo in enumerate(plan.undos, 1):
        way = escape(f"cannot be: {undo.obstacle}") if undo.obstacle else f"by {undo.with_tool}: {_about(undo.args)}"
        table.add_row(f"  {number}.", undo.undone.tool, way)
    console.print(table)
    doing = await kernel.revert(plan, by=PERSON)
    report = await doing.result()
    voids = msgspec.json.decode((await shop.get("/voids", call=None)).text)["voids"]
    (void,) = [one for one in voids if one["run"] == doing.id]
    left = [undo for undo in (await kernel.plan_revert(run)).undos if not undo.obstacle]
    console.print(
        f"  {PERSON} says yes. Run [bold]{doing.id}[/bold] does it; the shop's ledger has {void['id']} over"
        f" {void['amount_cents'] / 100:.2f} now, for refund {void['refund_id']}.",
        soft_wrap=True,
    )
    console.print(f"  Asked for once more, {len(left) or 'nothing'} is left to take back.\n")
    return TakenBack(run, doing.id, len(report.undone), len(report.standing), void["refund_id"])


def _lines() -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(min_width=13)
    table.add_column()
    table.add_column()
    return table


_SHOWN = ("refund_id", "return_id", "exchange_id", "order_id", "wanted_size", "to")


def _about(args: object) -> str:
    """Return what of an action's arguments tells people what it is about."""
    given = msgspec.json.decode(str(args))
    told = [str(given[name]) for name in _SHOWN if given.get(name)]
    if "amount_cents" in given:
        told.append(f"{given['amount_cents'] / 100:.2f}")
    return escape(with_handles(", ".join(told), lambda handle: f"[{handle.label} {handle.mac[:4]}]"))  # As commands do.
