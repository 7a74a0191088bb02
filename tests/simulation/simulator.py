"""The whole kernel in virtual time: engine, scheduler and worker over a disk in memory, killed at seeded moments, until every run has ended.

The seed decides everything: faults, delays, what people say and when, how long a group takes to become durable, when the process dies.
"""

import asyncio
import random
from dataclasses import dataclass, field

from kernos.app.kernel import run_for_key
from kernos.authoring.codec import codec_of
from kernos.control.answers import Surroundings
from kernos.control.codec import decode_entry
from kernos.control.engine import Engine
from kernos.control.gate import Gate
from kernos.control.projections import TABLES
from kernos.control.registry import Registry
from kernos.control.replay import compare, rebuild
from kernos.control.scheduler import Scheduler
from kernos.execution.worker import InProcessWorker
from kernos.ports.journal import Row
from kernos.testing.clock import BEGIN, SeededChance, VirtualClock, run_virtually
from kernos.testing.policy import TablePolicy
from kernos.testing.storage import MemoryDisk, MemoryJournal
from kernos.vocabulary.commands import (
    AnswerQuestion,
    CancelRun,
    Command,
    DeliverSignal,
    DenyApproval,
    GrantApproval,
    SettleAction,
)
from kernos.vocabulary.errors import CallerError, KernelStopped, StaleRunNumber
from kernos.vocabulary.events import ActionIntended, ActionPerformed, ActionSettled, Event, RunRequested
from kernos.vocabulary.gate import Answer
from kernos.vocabulary.ids import DEFAULT_TENANT, EpochMs, PrincipalId, RunId, StepName, step_key
from kernos.vocabulary.quantities import Json, Limits
from tests.simulation.world import Case, Shop, desk_over, receipt_of

ANA = PrincipalId("person:ana")
RUNS = 4
POLICY = TablePolicy(
    {
        "shop.look": Answer.ALLOW,
        "shop.refund": Answer.ASK,
        "shop.mail": Answer.ALLOW,
        "shop.call": Answer.ALLOW,
    }
)


@dataclass
class Ended:
    """What is left when everything has ended."""

    head: bytes
    events: list[Event]
    shop: Shop
    crashes: int
    virtual_ms: int
    wrong: list[str] = field(default_factory=list)


class Process:
    """One life of the kernel."""

    def __init__(self, disk: MemoryDisk, shop: Shop, dice: random.Random) -> None:
        self.clock = VirtualClock()
        self.journal = MemoryJournal(disk, self.clock, lambda: dice.choice((0, 0, 1, 2, 15)))
        self.registry = Registry(desk_over(shop), {})
        gate = Gate(self.registry, POLICY)
        shared = Surroundings(self.clock, SeededChance(dice.getrandbits(32)), self.registry, gate, 60_000)
        self.engine = Engine(self.journal, shared, InProcessWorker({}, codec_of), active_max=3, queue_max=100)
        self.scheduler = Scheduler(self.engine, self.journal)

    async def start(self) -> None:
        self.engine.works = True
        await self.scheduler.start()

    async def crash(self) -> None:
        """Die: whatever ran is gone, and what is not durable with it."""
        self.journal.crash()
        self.engine.halt(KernelStopped("the process died"))
        mine = asyncio.current_task()
        left = [task for task in asyncio.all_tasks() if task is not mine]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)


class People:
    """Those who ask for runs, say yes and no, look into doubts and change their minds; they try again after a crash."""

    def __init__(self, shop: Shop, seed: int) -> None:
        self.shop = shop
        self.dice = random.Random(seed)
        self.cases = [Case(order=f"A{number}", wants_person=self.dice.random() < 0.5) for number in range(RUNS)]
        self.runs = [run_for_key(DEFAULT_TENANT, "caller", case.order) for case in self.cases]
        self.silent = {run for run in self.runs if self.dice.random() < 0.15}
        self.withdrawn = {run for run in self.runs if self.dice.random() < 0.2}

    async def work(self, process: Process) -> None:
        """Go on until nothing is left to do."""
        for run, case in zip(self.runs, self.cases, strict=True):
            await self.ask_for(process, run, case)
        while not await self.nothing_left(process):
            await asyncio.sleep(self.dice.choice((0.05, 0.5, 2.0)))
            for row in await process.journal.select("waiting", {}):
                await self.answer(process, row)
            for row in await process.journal.select("actions", {"status": "in_doubt"}):
                key = step_key(RunId(str(row["run"])), StepName(str(row["step"])))
                happened = key in self.shop.effects
                verdict, result = ("done", receipt_of(self.shop.receipts[key])) if happened else ("not_done", None)
                await self.say(process, row, SettleAction(StepName(str(row["step"])), verdict, "rang them up", result))
            for run in sorted(self.withdrawn):
                if self.dice.random() < 0.1:
                    self.withdrawn.discard(run)
                    await self.say(process, {"run": run}, CancelRun("the customer withdrew"))

    async def ask_for(self, process: Process, run: RunId, case: Case) -> None:
        contract = process.registry.agent("caller")
        requested = RunRequested(
            agent="caller",
            agent_version=contract.version,
            code_digest=contract.code_digest,
            intent=f"case {case.order}",
            input=contract.input.encode(case),
            tenant=DEFAULT_TENANT,
            limits=Limits(),
            deadline_at=EpochMs(process.clock.now() + 3_600_000),
            start_key=case.order,
        )
        try:
            await process.engine.request(run, requested, ANA)
        except StaleRunNumber:
            pass  # It stood before the crash.

    async def nothing_left(self, process: Process) -> bool:
        runs = await process.journal.select("runs", {})
        open_ones = [row for row in runs if row["status"] not in ("completed", "failed", "cancelled", "expired")]
        doubts = await process.journal.select("actions", {"status": "in_doubt"})
        return len(runs) >= RUNS and not open_ones and not doubts

    async def answer(self, process: Process, row: Row) -> None:
        step, at = StepName(str(row["step"])), process.clock.now()
        state = await process.engine.state(RunId(str(row["run"])))
        recorded = state.steps.get(step)
        if recorded is None or self.dice.random() < 0.3:
            return
        match row["kind"]:
            case "approval" if self.dice.random() < 0.2:
                await self.say(process, row, DenyApproval(step, "not under warranty", at))
            case "approval":
                await self.say(process, row, GrantApproval(step, recorded.digest, at))
            case "question":
                await self.say(process, row, AnswerQuestion(step, "yes"))
            case "signal" if row["run"] not in self.silent:
                await self.say(process, row, DeliverSignal("go", Json(b'"refund"'), "the one"))

    async def say(self, process: Process, row: Row, command: Command) -> None:
        try:
            await process.engine.command(RunId(str(row["run"])), command, ANA)
        except (CallerError, StaleRunNumber):
            pass  # Somebody else was faster, or the run has ended.


async def live(seed: int, crashes_max: int) -> Ended:
    """Let a seed happen."""
    dice = random.Random(seed)
    disk = MemoryDisk(TABLES)
    shop = Shop(dice.getrandbits(32))
    people = People(shop, dice.getrandbits(32))
    crashes = 0
    while True:
        process = Process(disk, shop, dice)
        await process.start()
        working = asyncio.ensure_future(people.work(process))
        life_s = dice.expovariate(0.4) if crashes < crashes_max else 1_800.0
        await asyncio.wait({working}, timeout=life_s)
        if working.done():
            working.result()
            break
        assert crashes < crashes_max, "something is stuck"
        crashes += 1
        await process.crash()
    await process.scheduler.stop()
    await process.engine.stop()
    entries = [decode_entry(entry) async for _, entry in process.journal.scan()]
    ended = Ended(b"", entries, shop, crashes, process.clock.now() - BEGIN)
    ended.wrong = await books(process, shop, entries)
    head = await process.journal.head()
    assert head is not None
    ended.head = head.root
    await process.journal.close()
    return ended


async def books(process: Process, shop: Shop, events: list[Event]) -> list[str]:
    """Compare what the journal says with what the shop's ledger says, the projections with the journal, the tree with its entries."""
    wrong = [f"{count} times: {key}" for key, count in shop.effects.items() if count != 1]
    intended = {event.data.key for event in events if isinstance(event.data, ActionIntended)}
    done = {
        step_key(event.run, event.data.step)
        for event in events
        if isinstance(event.data, ActionPerformed)
        or (isinstance(event.data, ActionSettled) and event.data.verdict == "done")
    }
    wrong += [f"done without an intent: {key}" for key in set(shop.effects) - intended]
    wrong += [f"done, and the journal does not say so: {key} ({shop.ops[key]})" for key in set(shop.effects) - done]
    wrong += [f"said to be done, and is not: {key}" for key in done - set(shop.effects)]
    open_ones = [row for row in await process.journal.select("actions", {}) if row["status"] == "intended"]
    wrong += [f"its run ended, and it is still intended: {row['run']}.{row['step']}" for row in open_ones]
    other = MemoryJournal(MemoryDisk(TABLES), process.clock)
    await rebuild(process.journal, other, lambda _: None)
    wrong += [f"projection: {difference}" for difference in await compare(process.journal, other)]
    wrong += [
        f"tree: {finding.message}" for finding in (await process.journal.verify(lambda done, of_all: None)).findings
    ]
    return wrong


def simulate(seed: int, crashes_max: int = 6) -> Ended:
    """Run one seed in virtual time, every other one on a machine whose turns take a while."""
    dice = random.Random(~seed)
    turns_s = (0.0,) if seed % 2 else (0.0, 0.0005, 0.001, 0.003)
    return run_virtually(live(seed, crashes_max), turn_s=lambda: dice.choice(turns_s))
