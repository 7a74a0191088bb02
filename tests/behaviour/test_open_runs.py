"""Caps on open runs: a start takes a place, an end gives it back, and without a place a start is answered, not lost."""

import asyncio
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from kernos import CallFailed, Context, Kernel, agent
from kernos.app.budgets import caps_of
from kernos.app.spending import Spending
from kernos.authoring.codec import codec_of
from kernos.control.admission import Admission
from kernos.control.codec import decode_entry
from kernos.control.projections import TABLES
from kernos.control.record import record_of
from kernos.control.reenact import reenact
from kernos.control.replay import compare, rebuild
from kernos.control.tenant_store import TenantStore
from kernos.control.treasury import Bookings
from kernos.execution.worker import InProcessWorker
from kernos.testing import VirtualKernel, run_virtually
from kernos.testing.storage import MemoryDisk, MemoryJournal
from kernos.vocabulary.budget import Account, Booking, BudgetSpent, Cap, Caps, Over, Unit
from kernos.vocabulary.commands import RequestRun
from kernos.vocabulary.errors import NotFound, QueueFull, RunDidNotComplete, StaleRunNumber
from kernos.vocabulary.events import ChildRefused, RunRequested
from kernos.vocabulary.ids import DEFAULT_TENANT, EpochMs, PrincipalId, RunId, TenantId
from kernos.vocabulary.quantities import Json, Limits, Retry


@agent("waiter")
async def waiter(ctx: Context, text: str) -> str:
    return await ctx.wait("go", str)


@agent("breaker")
async def breaker(ctx: Context, text: str) -> str:
    raise ValueError(text)


@agent("asker")
async def asker(ctx: Context, text: str) -> str:
    try:
        return await ctx.run(waiter, text)
    except CallFailed as failed:
        return failed.failure


@agent("patient")
async def patient(ctx: Context, text: str) -> str:
    return await ctx.run(waiter, text, retry=Retry(attempts=3, first_delay_ms=1_000))


@agent("spawner")
async def spawner(ctx: Context, text: str) -> str:
    try:
        return await ctx.spawn(waiter, text)
    except CallFailed as failed:
        return failed.failure


@agent("crowd")
async def crowd(ctx: Context, count: int) -> list[str]:
    return list(await ctx.fork(*[lambda c: c.run(asker, "x") for _ in range(count)]))


def capped(over: Over, amount: int, name: str = "") -> Caps:
    return Caps((Cap(over, Unit.RUNS, amount, name),))


async def open_now(kernel: Kernel) -> int:
    return sum(int(row["used"] or 0) for row in await kernel.journal.select("accounts", {"unit": "runs"}))


async def is_rebuilt_equal(kernel: VirtualKernel) -> None:
    rebuilt = MemoryJournal(MemoryDisk(TABLES), kernel.clock)
    await rebuild(kernel.journal, rebuilt, lambda _: None)
    assert await compare(kernel.journal, rebuilt) == []


@pytest.mark.parametrize("over", [Over.AGENT, Over.WORKFLOW, Over.TENANT, Over.STORE])
def test_a_start_over_the_cap_is_answered_with_a_reason_and_when_to_come_back(over: Over) -> None:
    async def live() -> None:
        async with VirtualKernel(waiter, budgets=capped(over, 1)) as kernel:
            first = await kernel.start(waiter, "one")
            so_many = (
                "as many runs are open as may be of the whole store" if over is Over.STORE else "1 of 1 runs are open"
            )
            with pytest.raises(QueueFull, match=f"{so_many}.*kernos budget raise {over} runs") as full:
                await kernel.start(waiter, "two", key="again")
            assert full.value.retry_after_ms == 1_000
            assert full.value.retry_helps
            assert len(await kernel.runs()) == 1
            await kernel.signal(first.id, "go", "on")
            assert await first.result() == "on"
            second = await kernel.start(waiter, "two", key="again")
            assert await open_now(kernel) == 1
            assert (await kernel.start(waiter, "two", key="again")).id == second.id

    run_virtually(live())


def test_however_a_run_ends_its_place_is_free_again() -> None:
    async def live() -> None:
        async with VirtualKernel(waiter, breaker, asker, budgets=capped(Over.STORE, 2)) as kernel:
            cancelled = await kernel.start(waiter, "one")
            await kernel.cancel(cancelled.id, "not needed")
            late = await kernel.start(waiter, "one", deadline_ms=1_000)
            broken = await kernel.start(breaker, "one")
            for run in (cancelled, late, broken):
                with pytest.raises(RunDidNotComplete):
                    await run.result()
            assert await open_now(kernel) == 0
            above = await kernel.start(asker, "one")
            await moment(0.1)
            await kernel.cancel(above.id, "not needed")  # Takes the child with it.
            with pytest.raises(RunDidNotComplete):
                await above.result()
            await moment(0.1)
            assert await open_now(kernel) == 0
            await is_rebuilt_equal(kernel)

    run_virtually(live())


def test_a_child_without_a_place_fails_at_once_so_that_no_parent_waits_for_itself() -> None:
    async def live() -> None:
        caps = capped(Over.WORKFLOW, 1, "asker")
        async with VirtualKernel(waiter, asker, spawner, budgets=caps) as kernel:
            run = await kernel.start(asker, "one")
            assert await run.result() == "over_budget"
            entries = [decode_entry(entry) for entry in await kernel.journal.read(run.id)]
            (refused,) = [event.data for event in entries if isinstance(event.data, ChildRefused)]
            assert refused.failure.details is not None
            assert refused.failure.details.text == b'{"retry_after_ms":1000}'
            assert len([event for event in entries if isinstance(event.data, BudgetSpent)]) == 1
            replayed = await reenact(record_of(entries), asker, InProcessWorker({}, codec_of))
            assert replayed.difference is None
        async with VirtualKernel(waiter, spawner, budgets=capped(Over.TENANT, 1)) as kernel:
            assert await (await kernel.start(spawner, "one")).result() == "over_budget"

    run_virtually(live())


def test_a_parent_that_retries_gets_its_child_once_there_is_a_place() -> None:
    async def live() -> None:
        async with VirtualKernel(waiter, patient, budgets=capped(Over.AGENT, 1, "waiter")) as kernel:
            first = await kernel.start(waiter, "one")
            second = await kernel.start(patient, "two")
            await moment(0.1)
            await kernel.signal(first.id, "go", "on")
            await moment(2)
            (child,) = await kernel.runs(status="waiting", limit=1)
            await kernel.signal(str(child["run"]), "go", "now")
            assert await second.result() == "now"

    run_virtually(live())


def test_many_children_at_once_stay_within_the_cap() -> None:
    async def live() -> None:
        caps = capped(Over.AGENT, 5, "waiter")
        async with VirtualKernel(crowd, asker, waiter, budgets=caps, group_delay_ms=lambda: 3) as kernel:
            run = await kernel.start(crowd, 40)
            await moment(3)
            assert await open_now(kernel) == 5
            for row in await kernel.runs(status="waiting"):
                if row["agent"] == "waiter":
                    await kernel.signal(str(row["run"]), "go", "on")
            answers = await run.result()
            assert answers.count("on") == 5
            assert answers.count("over_budget") == 35
            assert await open_now(kernel) == 0
            await is_rebuilt_equal(kernel)

    run_virtually(live())


def test_a_crash_keeps_the_place_until_the_run_has_ended() -> None:
    async def live() -> None:
        disk = MemoryDisk(TABLES)
        first = VirtualKernel(waiter, store=disk, budgets=capped(Over.AGENT, 1))
        await first.__aenter__()
        run = await first.start(waiter, "one")
        await first.die()
        async with VirtualKernel(waiter, store=disk, budgets=capped(Over.AGENT, 1)) as second:
            with pytest.raises(QueueFull):
                await second.start(waiter, "two")
            await second.signal(run.id, "go", "on")
            assert await (await second.run(run.id)).result() == "on"
            await second.start(waiter, "two")

    run_virtually(live())


def test_a_raise_makes_a_place() -> None:
    async def live() -> None:
        async with VirtualKernel(waiter, budgets=capped(Over.AGENT, 1)) as kernel:
            await kernel.start(waiter, "one")
            await Spending(kernel).raise_cap(Over.AGENT, "waiter", Unit.RUNS, 2, reason="more", by="person:ana")
            await kernel.start(waiter, "two")

    run_virtually(live())


async def test_starts_of_two_processes_at_once_never_take_one_place_twice(tmp_path: Path) -> None:
    caps = capped(Over.AGENT, 3)
    store = tmp_path / "store"
    async with (
        Kernel(store, agents=[waiter], budgets=caps) as works,
        Kernel(store, agents=[waiter], budgets=caps, works=False) as asks,
    ):
        starts = [(works, asks)[n % 2].start(waiter, str(n)) for n in range(20)]
        answers = await asyncio.gather(*starts, return_exceptions=True)
        refused = [answer for answer in answers if isinstance(answer, QueueFull)]
        assert len(refused) == 17
        assert await open_now(works) == 3
        assert len(await works.runs()) == 3


@pytest.mark.parametrize("caps", [None, capped(Over.STORE, 50)], ids=["without", "with"])
async def test_one_start_key_used_by_many_in_two_processes_at_once_is_one_run_and_one_place(
    tmp_path: Path, caps: Caps | None
) -> None:
    store = tmp_path / "store"
    async with (
        Kernel(store, agents=[waiter], budgets=caps) as works,
        Kernel(store, agents=[waiter], budgets=caps, works=False) as asks,
    ):
        for number in range(12):
            callers = (works, asks, works, asks, asks)[: 2 + number % 4]
            starts = [kernel.start(waiter, "x", key=f"same{number}") for kernel in callers]
            assert len({run.id for run in await asyncio.gather(*starts)}) == 1
        assert len(await works.runs()) == 12
        assert await open_now(works) == (12 if caps else 0)


async def test_what_one_tenant_uses_adds_up_alike_through_its_own_view(tmp_path: Path) -> None:
    async with Kernel(tmp_path / "store", agents=[waiter], budgets=capped(Over.STORE, 9)) as kernel:
        await kernel.start(waiter, "x", tenant="shop")
        view = TenantStore(kernel.journal, TenantId("shop"))
        where = {"unit": "runs"}
        assert view.totals("accounts", where, of="used", at="used") == kernel.journal.totals(
            "accounts", where, of="used", at="used"
        )
        assert view.totals("accounts", where, of="used", at="used").total == 1


def admission_of(treasury: object, sessions: object) -> tuple[Admission, list[str]]:
    """Return an admission over stand-ins, and what it waited for."""
    waited: list[str] = []

    async def settle() -> None:
        waited.append("settled")

    shared = SimpleNamespace(treasury=treasury, clock=SimpleNamespace(now=lambda: 0))
    return Admission(shared, sessions, lambda _: None, settle), waited  # type: ignore[arg-type, return-value]


REQUESTED = RunRequested("waiter", "1", "", "", Json(b"1"), DEFAULT_TENANT, Limits(), EpochMs(0), start_key="k")


async def test_a_start_that_others_overtake_again_and_again_is_answered_in_the_end() -> None:
    async def borrow(run: RunId) -> None:
        raise NotFound(run)

    treasury = SimpleNamespace(admit=lambda *_: None)
    admission, waited = admission_of(treasury, SimpleNamespace(borrow=borrow, get=lambda _: None))
    with pytest.raises(QueueFull, match="others took places 50 times while it was tried") as full:
        await admission.request(RunId("r"), REQUESTED, PrincipalId("person:ana"))
    assert (full.value.retry_after_ms, len(waited)) == (1_000, 50)


async def test_who_asks_second_is_answered_once_the_first_is_durable_or_was_overtaken() -> None:
    released: list[str] = []
    waited: list[str] = []

    async def durable() -> None:
        waited.append("durable")
        raise StaleRunNumber("another process was faster")

    async def borrow(run: RunId) -> object:
        if not released and sessions.first:
            sessions.first = False
            raise NotFound(run)
        return SimpleNamespace(durable=durable)

    sessions = SimpleNamespace(first=True, borrow=borrow, get=lambda _: object(), release=released.append)
    admission, _ = admission_of(None, sessions)
    with pytest.raises(StaleRunNumber, match="run r exists already"):
        await admission.request(RunId("r"), REQUESTED, PrincipalId("person:ana"))
    assert (released, waited) == (["r"], ["durable"])


PLACE = Booking(Account(DEFAULT_TENANT, Over.AGENT, "waiter", "", Unit.RUNS), 1, 2)


@pytest.mark.parametrize(("places", "exists", "tries", "kept"), [
    ((), False, 1, True), ((), True, 1, True), ((PLACE,), True, 1, True), ((PLACE,), False, 50, False),
])  # fmt: skip
async def test_who_is_overtaken_while_a_run_begins_tries_again_only_for_a_place_that_others_took(
    places: tuple[Booking, ...], *, exists: bool, tries: int, kept: bool
) -> None:
    applied: list[tuple[object, ...]] = []
    known: set[RunId] = set()
    held: list[str] = []
    waited: list[str] = []

    async def overtaken() -> None:
        raise StaleRunNumber("another process was faster")

    async def durable() -> None:
        waited.append("durable")

    async def borrow(run: RunId) -> object:
        if not exists:
            raise NotFound(run)
        held.append(run)
        return SimpleNamespace(durable=durable)

    session = SimpleNamespace(run=RunId("r"), apply=lambda *said: applied.append(said), durable=overtaken)
    sessions = SimpleNamespace(
        borrow=borrow,
        get=lambda _: None,
        put=lambda one: known.add(one.run),
        hold=held.append,
        release=held.remove,
        forget=known.remove,
    )
    shared = SimpleNamespace(
        treasury=SimpleNamespace(admit=lambda *_: Bookings(places, ())), clock=SimpleNamespace(now=lambda: 0)
    )
    asked, by = replace(REQUESTED, start_key=""), PrincipalId("person:ana")
    admission = Admission(shared, sessions, lambda _: session, durable)  # type: ignore[arg-type, return-value]
    with pytest.raises(QueueFull if tries > 1 else StaleRunNumber):
        await admission.request(RunId("r"), asked, by)
    assert applied == [(RequestRun(asked, places), by, "call")] * tries
    assert (bool(known), held) == (kept, [])
    assert len(waited) == (exists and bool(places)), "whoever is told that it exists is told for good"


def test_a_cap_on_open_runs_is_read_from_the_file(tmp_path: Path) -> None:
    (tmp_path / "budgets.toml").write_text('[[cap]]\nover = "tenant"\nruns = 4\n')
    assert caps_of(None, tmp_path).caps == (Cap(Over.TENANT, Unit.RUNS, 4),)


async def moment(seconds: float) -> None:
    passed = asyncio.Event()
    asyncio.get_running_loop().call_later(seconds, passed.set)
    await passed.wait()
