"""A process that reserves and spends on one account of a store, until it has made its calls or is killed. For test_budget.py."""

import asyncio
import sys
from pathlib import Path

from kernos.adapters.ed25519.signer import FileSigner
from kernos.adapters.sqlite.journal import SqliteJournal
from kernos.adapters.system.clock import SystemClock
from kernos.control.codec import encode_event
from kernos.control.projections import TABLES, project
from kernos.control.projections.accounts import guard
from kernos.vocabulary.budget import Account, Booking, BudgetReserved, BudgetSpent, Over, Spending, Unit
from kernos.vocabulary.errors import CapReached
from kernos.vocabulary.events import Event
from kernos.vocabulary.ids import DEFAULT_TENANT, PrincipalId, RunId, StepName, run_id, run_number
from kernos.vocabulary.journal import Append

CAP, BOUND, USED = 20_000, 100, 70
ACCOUNT = Account(DEFAULT_TENANT, Over.TENANT, "default", "2026-01-01", Unit.TOKENS)


async def call(journal: SqliteJournal, run: RunId, clock: SystemClock) -> bool:
    """Reserve, call and spend, as a run does; return whether there was room."""
    by, step = PrincipalId("agent:desk@1"), StepName("1")
    held = Event(run, 0, clock.now(), by, "call", BudgetReserved(step, (Booking(ACCOUNT, BOUND, CAP),)))
    guards = (guard(Booking(ACCOUNT, BOUND, CAP)),)
    try:
        await journal.append([Append(run, 0, (encode_event(held),), project(held), object(), guards)]).durable()
    except CapReached:
        return False
    print("called", flush=True)  # The call that leaves: whoever reads this counts it.
    spent = Event(run, 1, clock.now(), by, "n0", BudgetSpent(step, (Spending(ACCOUNT, BOUND, USED),)))
    await journal.append([Append(run, 1, (encode_event(spent),), project(spent))]).durable()
    return True


async def main(path: Path, number: int, calls: int) -> None:
    """Make so many calls, some side by side."""
    clock = SystemClock()
    journal = SqliteJournal(path, TABLES, clock, open_key=FileSigner.at)
    for begin in range(0, calls, 8):
        runs = [run_id(run_number(clock.now(), number * 1_000 + begin + n)) for n in range(min(8, calls - begin))]
        await asyncio.gather(*(call(journal, run, clock) for run in runs))
    await journal.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
