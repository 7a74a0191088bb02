"""The demo: a shop, its tickets, a desk that is killed again and again, a person who answers, and the books at the end.

`python -m examples.returns_desk.demo` starts the shop's service and the desk as processes of their own, feeds all
tickets to the desk, kills the desk's process (SIGKILL) three times on the way and starts it again, and answers what
waits for a person. Then a ticket fails half-way and is compensated, and a settled refund is taken back. A refund over the limit waits for a
signed yes, a hidden instruction is stopped, a customer is erased, and every file is searched for whoever wrote. At the end
kernos' journal is compared with the shop's ledger: it exits 0 only if they agree, and all of that has ended.
"""

import argparse
import asyncio
import contextlib
import json
import os
import shutil
import signal
import sys
from collections import defaultdict
from dataclasses import astuple, dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from examples.returns_desk.desk.agents import AGENTS, models, returns_desk
from examples.returns_desk.desk.books import Books, compare_books, shop_money
from examples.returns_desk.desk.serve import POLICIES
from examples.returns_desk.desk.service import SHOP_VARIABLE
from examples.returns_desk.desk.service import shop as shop_of_tools
from examples.returns_desk.desk.ticket import Outcome, Ticket
from examples.returns_desk.erased import Gone, erase
from examples.returns_desk.guarded import Guarded, guard
from examples.returns_desk.processes import ROOT, Process
from examples.returns_desk.scenes import PERSON, TakenBack, fail_half_way, take_back
from kernos import HttpService, Kernel, KernosError, Run, RunDidNotComplete
from kernos.vocabulary.ids import RunId

DATA = ROOT / "demo-data"
TICKETS = Path(__file__).parent / "tickets"
SEED = 7
"""Of the shop; the tickets are about its orders."""

AGENTS_MODULE = "examples.returns_desk.desk.agents"

KILLS_AT = (0.2, 0.45, 0.7)
"""Shares of the tickets after whose end the desk's process is killed."""

UNDER_WAY_MIN = 5
"""Runs that must be under way for a kill to be worth it."""

SENDERS_MAX = 24
"""Customers whose mail is handled at once: enough work for several kills to hit."""

FAULTS = {
    "seed": 7,
    "rates": {"error_500_before": 0.02, "error_500_after": 0.02, "reset_after": 0.02, "throttle": 0.02},
    "delay_ms": 10,
}
"""What the shop does wrong on purpose: it refuses, it acts and then answers with an error or not at all."""

ALL_S_MAX = 120.0
"""Far above what a slow machine needs; the demo then fails and says what is still open."""


@dataclass(slots=True)
class Demo:
    """What one demonstration knows while it goes on."""

    kernel: Kernel
    desk: Process
    expected: dict[str, dict[str, Any]]
    ticket_of: dict[str, str] = field(default_factory=dict)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    person: dict[str, str] = field(default_factory=dict)
    struck: set[str] = field(default_factory=set)
    kills: int = 0
    compensated: TakenBack | None = None
    reverted: TakenBack | None = None
    guarded: Guarded | None = None
    gone: Gone | None = None
    differences: int = 0
    """Between the journal and the shop's own lists."""


async def demonstrate(console: Console, data: Path) -> int:
    """Do all of it and return the exit code."""
    began = monotonic()
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    store, ready = data / "desk.kernos", data / "shop.url"
    seeded = ["--port", "0", "--data", str(data / "shop.sqlite"), "--seed", str(SEED), "--ready-file", str(ready)]
    shop_process = Process(["examples.returns_desk.shop", *seeded], data / "shop.log")
    shop_process.start()
    desk: Process | None = None
    try:
        url = await shop_process.address(ready)
        shop = HttpService(url)
        before = await shop_money(shop)
        await shop.post("/admin/faults", call=None, body=FAULTS)
        desk = Process(["examples.returns_desk.desk.serve", "--store", str(store), "--shop", url], data / "desk.log")
        async with Kernel(store, agents=AGENTS, models=models(), policies=POLICIES, works=False) as kernel:
            desk.start()
            demo = Demo(kernel, desk, _expected())
            await _work(demo, console)
            demo.compensated = await fail_half_way(kernel, shop, console, SEED)
            name, run = _small_refund(demo)
            demo.reverted = await take_back(kernel, shop, console, run, name)
            await shop.post("/admin/faults", call=None, body={"rates": {}})  # So that the books can be read.
            books = await compare_books(kernel, shop, before)
            demo.differences = await _differences(kernel, url)
            demo.gone = await erase(kernel, shop, console, run, _tickets(), before)
            os.environ[SHOP_VARIABLE] = url
            wishes = {demo.compensated.reference} if demo.compensated is not None else set[str]()
            demo.guarded = await guard(console, data / "guarded.kernos", SEED, wishes)
            await shop_of_tools.close()
        await shop.close()
    finally:
        if desk is not None:
            desk.stop()
        shop_process.stop()
    return _report(console, demo, books, store, monotonic() - began)


async def _differences(kernel: Kernel, url: str) -> int:
    """Compare the journal with the shop's lists of refunds and mails, as `kernos reconcile` does."""
    os.environ[SHOP_VARIABLE] = url
    found = await kernel.reconcile()
    await shop_of_tools.close()
    return len(found.differences) + len(found.unheard)


def _expected() -> dict[str, dict[str, Any]]:
    lines = (TICKETS / "expected.jsonl").read_text(encoding="utf-8").splitlines()
    return {entry["id"]: entry for entry in map(json.loads, lines)}


def _tickets() -> list[Ticket]:
    lines = (TICKETS / "tickets.jsonl").read_text(encoding="utf-8").splitlines()
    return [Ticket.model_validate_json(line) for line in lines]


async def _work(demo: Demo, console: Console) -> None:
    """Feed, kill, answer: until every ticket has ended."""
    lines = _tickets()
    senders: dict[str, list[Ticket]] = defaultdict(list)
    for ticket in lines:
        senders[ticket.from_email or ticket.id].append(ticket)
    room = asyncio.Semaphore(SENDERS_MAX)
    columns = (TextColumn("[bold]tickets"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TextColumn("{task.description}"), console=console, transient=True) as progress:
        bar = progress.add_task("", total=len(lines))
        async with asyncio.timeout(ALL_S_MAX), asyncio.TaskGroup() as group:
            person = group.create_task(_answer(demo))
            reaper = group.create_task(_kill(demo, progress, bar, len(lines)))
            feeding = [group.create_task(_feed(demo, tickets, room, progress, bar)) for tickets in senders.values()]
            await asyncio.wait(feeding)
            person.cancel()
            reaper.cancel()


async def _feed(demo: Demo, tickets: list[Ticket], room: asyncio.Semaphore, progress: Progress, bar: TaskID) -> None:
    """Hand one sender's tickets to the desk, the next when the last has ended, as one would read one's mail."""
    async with room:
        for ticket in tickets:
            intent, by = f"settle ticket {ticket.id}", f"service:{ticket.channel or 'mail'}"
            run: Run[Outcome] = await demo.kernel.start(returns_desk, ticket, key=ticket.id, intent=intent, by=by)
            demo.ticket_of[run.id] = ticket.id
            try:
                demo.outcomes[ticket.id] = await run.result()
            except RunDidNotComplete as end:
                progress.console.print(f"  ticket {ticket.id} has no outcome: {end}", style="red")
            progress.advance(bar)


async def _kill(demo: Demo, progress: Progress, bar: TaskID, total: int) -> None:
    """Kill the desk's process each time a share of the tickets has ended, and start it again."""
    for share in KILLS_AT:
        running: set[str] = set()
        while len(demo.outcomes) < share * total or len(running) < UNDER_WAY_MIN:
            await asyncio.sleep(0.02)
            running = {str(row["run"]) for row in await demo.kernel.runs(status="running")}
        await asyncio.to_thread(demo.desk.kill)
        demo.kills += 1
        demo.struck |= running & demo.ticket_of.keys()
        progress.update(bar, description=f"SIGKILL number {demo.kills}, {len(running)} runs under way")
        progress.console.print(f"  desk killed (SIGKILL) with {len(running)} runs under way; starting it again")
        demo.desk.start()


async def _answer(demo: Demo) -> None:
    """Be the person: look at what waits, now and then, and say what a lead would say."""
    while True:
        for row in await demo.kernel.waiting():
            asking = await demo.kernel.run(str(row["run"]))
            ticket = demo.ticket_of.get((await asking.state()).request().root or asking.id)
            if ticket is None or row["kind"] not in ("approval", "question"):
                continue
            place = f"{row['run']}.{row['step']}"
            verdict = demo.expected[ticket].get("person")
            with contextlib.suppress(KernosError):  # Answered before, and the list was a moment old.
                await _say(demo, place, str(row["kind"]), verdict)
                demo.person[ticket] = "no" if row["kind"] == "approval" and verdict != "approve" else "yes"
        await asyncio.sleep(0.1)


def _small_refund(demo: Demo, number: int = 0) -> tuple[str, RunId]:
    """Return a ticket that got money back without a person, and its run; there are many."""
    ended = sorted((name, RunId(run)) for run, name in demo.ticket_of.items() if name not in demo.person)
    return [one for one in ended if one[0] in demo.outcomes and demo.outcomes[one[0]].outcome == "refund"][number]


async def _say(demo: Demo, place: str, kind: str, verdict: str | None) -> None:
    if kind == "question":
        await demo.kernel.answer(place, "I take it", by=PERSON)
    elif verdict == "approve":
        await demo.kernel.approve(place, by=PERSON, note="the facts bear it out")
    else:
        await demo.kernel.deny(place, "the policy does not cover this", by=PERSON)


def _report(console: Console, demo: Demo, books: Books, store: Path, seconds: float) -> int:
    """Print the table and what to look at next; return the exit code."""
    total = len(demo.expected)
    right = sum(_is_right(demo.outcomes[name], entry) for name, entry in demo.expected.items() if name in demo.outcomes)
    refused = sum(outcome.outcome == "refuse" for outcome in demo.outcomes.values())
    table = Table(title="The returns desk", show_header=False, title_justify="left")
    table.add_column(style="bold")
    table.add_column(justify="right")
    table.add_row("tickets", f"{len(demo.outcomes)} of {total}")
    table.add_row("settled without a person", str(len(demo.outcomes.keys() - demo.person.keys())))
    table.add_row("settled by a person", str(len(demo.person)))
    table.add_row("refused", str(refused))
    table.add_row("right outcomes", f"{right} of {total} ({100 * right / total:.0f} %)")
    for title, cents in (
        ("money back by kernos' journal", books.kernel.back_cents),
        ("money back by the shop's ledger", books.shop.back_cents),
        ("of it voided by kernos' journal", books.kernel.voided_cents),
        ("of it voided by the shop's ledger", books.shop.voided_cents),
    ):
        table.add_row(title, f"{cents / 100:,.2f}")
    table.add_row("compensated after a failure", _counted(demo.compensated))
    table.add_row("reverted by a person", _counted(demo.reverted))
    table.add_row("actions performed", str(books.actions))
    table.add_row("actions doubled", str(len(books.doubled)))
    table.add_row("actions lost", str(len(books.lost) + len(books.unseen) + books.open))
    table.add_row("differences with the shop's lists", str(demo.differences))
    table.add_row("customer erased", _told(demo.gone))
    table.add_row("desk killed (SIGKILL)", f"{demo.kills} times, {len(demo.struck)} runs under way")
    table.add_row("time", f"{seconds:.1f} s")
    console.print(table)
    agree = books.agree and not demo.differences and len(demo.outcomes) == total
    verdict = "[green]The books agree.[/green]" if agree else "[red]The books do not agree.[/red]"
    console.print(verdict)
    _show_commands(console, demo, store)
    is_guarded = demo.guarded is not None and all(astuple(demo.guarded))
    is_gone = demo.gone is not None and demo.gone.is_in_order and not demo.gone.found
    return 0 if agree and demo.compensated and demo.reverted and is_guarded and is_gone else 1


def _counted(taken_back: TakenBack | None) -> str:
    if taken_back is None:
        return "[red]0 runs[/red]"
    return f"1 run: {taken_back.undone} taken back, {taken_back.standing} standing"


def _told(gone: Gone | None) -> str:
    if gone is None:
        return "[red]nobody[/red]"
    return f"{gone.values} values gone, {len(gone.found)} of {gone.files} files hold any"


def _show_commands(console: Console, demo: Demo, store: Path) -> None:
    """Name what to look at next, as commands that work from here."""
    telling = [run for run, name in demo.ticket_of.items() if run in demo.struck and name in demo.person]
    run = next(iter([*telling, *demo.struck, *demo.ticket_of]))
    here = Path.cwd()
    kernos, shown = (
        path.relative_to(here) if path.is_relative_to(here) else path
        for path in (Path(sys.executable).with_name("kernos"), store)
    )
    looks = [("ps --all", "all runs"), (f"trace {run[:8]}", f"ticket {demo.ticket_of[run]}: killed on the way")]
    if demo.compensated is not None and demo.reverted is not None:
        looks += [
            (f"trace {demo.compensated.run[:8]}", "the exchange that failed half-way"),
            (f"trace {demo.reverted.by[:8]}", "the run that took the refund back"),
            (f"why {demo.reverted.reference}", "whatever is known about that refund"),
        ]
    for place, (command, about) in enumerate(looks):
        head = "" if place else "Look at it:"
        console.print(f"{head:12}[bold]{kernos} {command} --store {shown}[/bold]  ({about})", soft_wrap=True)
    plan = f"revert {_small_refund(demo, 1)[1][:8]} --store {shown} --agents {AGENTS_MODULE}"
    console.print(
        f"{'':12}[bold]{kernos} {plan}[/bold]  (how another one would be taken back; the shop is closed, so say no)",
        soft_wrap=True,
    )


def _is_right(outcome: Outcome, expected: dict[str, Any]) -> bool:
    """Compare outcome, order and sum with what was expected."""
    said = (outcome.outcome, outcome.order_id, outcome.amount_cents)
    return said == (expected["outcome"], expected["order_id"], expected["amount_cents"])


async def _ended_in_order(console: Console, data: Path) -> int:
    """Run it so that SIGTERM, too, ends what was started."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await demonstrate(console, data)


def main() -> None:
    """Run the demo; Ctrl-C ends it and its processes, and so does whoever ends it with SIGTERM."""
    options = argparse.ArgumentParser(description="A shop, a desk that is killed on the way, and the books at the end.")
    options.add_argument("--data", type=Path, default=DATA, help="folder for both stores, emptied first")
    console = Console()
    try:
        sys.exit(asyncio.run(_ended_in_order(console, options.parse_args().data.resolve())))
    except (KeyboardInterrupt, asyncio.CancelledError):
        console.print("Stopped; the shop and the desk have ended.")
        sys.exit(130)
    except TimeoutError:
        console.print(
            f"Not all tickets ended within {ALL_S_MAX:.0f} s; desk.log and shop.log beside the stores say more.",
            style="red",
        )
        sys.exit(1)


if __name__ == "__main__":
    main()
