"""Budgets: what is reserved before a model is called, what takes its place, and where a cap says no."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from pydantic import BaseModel

from kernos import Budget, CallFailed, Context, Kernel, agent
from kernos.app.budgets import caps_of
from kernos.app.spending import Spending
from kernos.authoring.codec import codec_of
from kernos.control.codec import decode_entry
from kernos.control.projections import TABLES
from kernos.control.record import record_of
from kernos.control.reenact import reenact
from kernos.control.replay import compare, rebuild
from kernos.execution.worker import InProcessWorker
from kernos.ports.journal import Row
from kernos.testing import VirtualKernel, run_virtually
from kernos.testing.model import ScriptedModel
from kernos.testing.storage import MemoryDisk, MemoryJournal
from kernos.vocabulary.administration import ADMINISTRATION
from kernos.vocabulary.budget import BudgetReserved, BudgetSpent, Cap, CapRaised, Caps, CapsEntered, Over, Prices, Unit
from kernos.vocabulary.contract import ModelReply, ModelRequest
from kernos.vocabulary.errors import BadConfiguration, InvalidInput, NotAllowed, NotFound
from kernos.vocabulary.ids import DEFAULT_TENANT, KERNEL
from kernos.vocabulary.outcome import AttemptFailed, FailureKind
from kernos.vocabulary.quantities import Json, Usage


class Reading(BaseModel):
    words: int


def reply(tokens: int, cost: int = 0) -> ModelReply:
    return ModelReply(Json(b'{"words":3}'), Usage(tokens - 10, 10, cost))


@agent("reader")
async def reader(ctx: Context, text: str) -> str:
    try:
        await ctx.model("count", text, Reading, completion_tokens_max=50)
    except CallFailed as failed:
        return failed.failure
    return "read"


@agent("twice")
async def twice(ctx: Context, text: str) -> list[str]:
    return [await ctx.run(reader, text), await ctx.run(reader, text)]


@agent("crowd")
async def crowd(ctx: Context, count: int) -> list[str]:
    return list(await ctx.fork(*[lambda c: c.run(reader, "one two") for _ in range(count)]))


def used(rows: Sequence[Row]) -> dict[tuple[object, ...], tuple[object, object]]:
    return {(row["over"], row["unit"]): (row["used"], row["reserved"]) for row in rows}


def test_what_a_call_may_use_is_reserved_and_what_it_used_takes_its_place() -> None:
    async def live() -> None:
        async with VirtualKernel(reader, replies=[reply(40)]) as kernel:
            run = await kernel.start(reader, "one two three", budget=Budget(tokens=1_000, calls=5))
            assert await run.result() == "read"
            assert used(await kernel.journal.select("accounts", {})) == {
                ("run", "tokens"): (40, 0),
                ("run", "calls"): (1, 0),
            }
            datas = [decode_entry(entry).data for entry in await kernel.journal.read(run.id)]
            (held,) = [data for data in datas if isinstance(data, BudgetReserved)]
            (spent,) = [data for data in datas if isinstance(data, BudgetSpent)]
            assert [one.reserved for one in spent.spendings] == [one.amount for one in held.bookings]
            assert 40 < held.bookings[0].amount < 1_000

    run_virtually(live())


def test_a_run_without_a_cap_records_nothing_of_it() -> None:
    async def live() -> None:
        async with VirtualKernel(reader, replies=[reply(40)]) as kernel:
            run = await kernel.start(reader, "one two three")
            await run.result()
            assert not await kernel.journal.select("accounts", {})
            datas = [decode_entry(entry).data for entry in await kernel.journal.read(run.id)]
            assert not [data for data in datas if isinstance(data, BudgetReserved | BudgetSpent)]

    run_virtually(live())


def test_a_call_that_could_go_over_the_cap_is_not_made_and_says_who_can_raise_it() -> None:
    async def live() -> None:
        async with VirtualKernel(reader, replies=[reply(40)]) as kernel:
            run = await kernel.start(reader, "one two three", budget=Budget(tokens=100))
            assert await run.result() == "over_budget"
            assert kernel.model.requests == []
            story = [str(event) async for event in run.events()]
            assert any(f"kernos budget raise run tokens AMOUNT --name {run.id}" in line for line in story)

    run_virtually(live())


def test_children_share_the_budget_of_the_first_run() -> None:
    async def live() -> None:
        async with VirtualKernel(twice, reader, replies=[reply(700), reply(700)]) as kernel:
            run = await kernel.start(twice, "one", budget=Budget(tokens=1_000))
            assert await run.result() == ["read", "over_budget"]

    run_virtually(live())


@pytest.mark.parametrize("over", list(Over))
def test_each_kind_of_cap_counts_calls(over: Over) -> None:
    async def live() -> None:
        caps = Caps((Cap(over, Unit.CALLS, 1),))
        async with VirtualKernel(twice, reader, replies=[reply(40), reply(40)], budgets=caps) as kernel:
            run = await kernel.start(twice, "one")
            assert await run.result() == ["read", "over_budget"]
            assert used(await kernel.journal.select("accounts", {})) == {(over.value, "calls"): (1, 0)}

    run_virtually(live())


def test_a_cap_by_name_counts_instead_of_the_one_for_each() -> None:
    async def live() -> None:
        caps = Caps((Cap(Over.WORKFLOW, Unit.CALLS, 2, "twice"), Cap(Over.WORKFLOW, Unit.CALLS, 0)))
        async with VirtualKernel(twice, reader, replies=[reply(40), reply(40)], budgets=caps) as kernel:
            assert await (await kernel.start(twice, "one")).result() == ["read", "read"]
            assert await (await kernel.start(reader, "one")).result() == "over_budget"

    run_virtually(live())


def test_an_unknown_price_is_refused_where_money_is_capped() -> None:
    class Unpriced:
        metered = False

        async def complete(self, request: ModelRequest) -> ModelReply | AttemptFailed:
            return reply(40)

    async def live() -> None:
        for model, answer in (
            (Unpriced(), "over_budget"),
            (ScriptedModel([reply(40)], prices=Prices(5, None)), "over_budget"),
            (ScriptedModel([reply(40, 7)], prices=Prices(1_000_000, 2_000_000)), "read"),
        ):
            async with VirtualKernel(reader, models={"default": model}) as kernel:
                run = await kernel.start(reader, "one", budget=Budget(microusd=10_000))
                assert await run.result() == answer

    run_virtually(live())


def test_an_answer_that_nobody_saw_counts_as_all_that_was_reserved() -> None:
    lost = AttemptFailed(FailureKind.UNKNOWN, "no answer")
    busy = AttemptFailed(FailureKind.RETRYABLE, "busy")

    async def spent(*replies: object) -> tuple[int, int]:
        async with VirtualKernel(reader, replies=replies) as kernel:
            run = await kernel.start(reader, "one", budget=Budget(tokens=100_000))
            await run.result()
            datas = [decode_entry(entry).data for entry in await kernel.journal.read(run.id)]
            bound = next(data.bookings[0].amount for data in datas if isinstance(data, BudgetReserved))
            ((total, reserved),) = used(await kernel.journal.select("accounts", {})).values()
            assert reserved == 0
            assert isinstance(total, int)
            return total, bound

    async def live() -> None:
        total, bound = await spent(lost, reply(40))
        assert total == bound + 40
        total, _ = await spent(busy, reply(40))
        assert total == 40
        total, bound = await spent(lost, lost, lost)
        assert total == 3 * bound

    run_virtually(live())


def test_warnings_stand_in_the_event_that_passes_a_share() -> None:
    async def live() -> None:
        caps = Caps((Cap(Over.TENANT, Unit.CALLS, 2),))
        async with VirtualKernel(twice, reader, replies=[reply(40), reply(40)], budgets=caps) as kernel:
            await (await kernel.start(twice, "one")).result()
            warned = []
            async for _, entry in kernel.journal.scan():
                data = decode_entry(entry).data
                if isinstance(data, BudgetReserved):
                    warned.append([text.split(" of ")[0] for text in data.warnings])
            assert warned == [["50 %"], ["80 %"]]

    run_virtually(live())


def test_people_are_told_of_a_share_once_in_each_day_however_often_it_is_passed() -> None:
    async def live() -> None:
        caps = Caps((Cap(Over.TENANT, Unit.TOKENS, 1_000),), (), (50, 80))
        async with VirtualKernel(reader, replies=[reply(20), reply(20), reply(20)] * 2, budgets=caps) as kernel:
            spending = Spending(kernel)

            async def told() -> int:
                warned = []
                async for _, entry in kernel.journal.scan():
                    data = decode_entry(entry).data
                    if isinstance(data, BudgetReserved):
                        warned += list(data.warnings)
                return len(warned)

            for _ in range(3):  # Each holds more than half, and gives most of it back.
                assert await kernel.finish(reader, "one") == "read"
            assert await told() == 1
            (line,) = await spending.lines()
            assert line.warned == 50
            await moment(86_400)
            for _ in range(2):
                assert await kernel.finish(reader, "one") == "read"
            assert await told() == 2
            await is_rebuilt_equal(kernel)

    run_virtually(live())


async def moment(seconds: float) -> None:
    passed = asyncio.Event()
    asyncio.get_running_loop().call_later(seconds, passed.set)
    await passed.wait()


async def is_rebuilt_equal(kernel: VirtualKernel) -> None:
    rebuilt = MemoryJournal(MemoryDisk(TABLES), kernel.clock)
    await rebuild(kernel.journal, rebuilt, lambda _: None)
    assert await compare(kernel.journal, rebuilt) == []
    assert await rebuilt.dump("accounts")


async def crowded(kernel: Kernel) -> tuple[list[str], int]:
    run = await kernel.start(crowd, 64, budget=Budget(tokens=2_000))
    answers = await run.result()
    ((total, reserved),) = used(await kernel.journal.select("accounts", {"unit": "tokens"})).values()
    assert reserved == 0
    assert isinstance(total, int)
    return answers, total


def test_64_children_at_once_stay_within_the_cap_of_their_tree() -> None:
    class Slow:
        metered = True
        prices = Prices(0, 0)

        async def complete(self, request: ModelRequest) -> ModelReply | AttemptFailed:
            await moment(0.1)
            return reply(300)

    async def live() -> None:
        for seed in range(5):
            async with VirtualKernel(
                crowd, reader, models={"default": Slow()}, seed=seed, group_delay_ms=lambda: 3
            ) as kernel:
                answers, total = await crowded(kernel)
                assert len(answers) == 64
                assert 0 < total == 300 * answers.count("read") <= 2_000
                assert set(answers) == {"read", "over_budget"}
                await is_rebuilt_equal(kernel)

    run_virtually(live())


@pytest.mark.parametrize("verdict_given", ["done", "not_done", "unknown"])
def test_a_crash_leaves_what_was_reserved_counted_as_used_until_a_person_settles_it(verdict_given: str) -> None:
    class Stuck:
        metered = True
        prices = Prices(0, 0)

        async def complete(self, request: ModelRequest) -> ModelReply | AttemptFailed:
            await asyncio.Event().wait()
            raise AssertionError

    async def live() -> None:
        disk = MemoryDisk(TABLES)
        first = VirtualKernel(reader, models={"default": Stuck()}, store=disk)
        await first.__aenter__()
        run = await first.start(reader, "one", budget=Budget(calls=2))
        await moment(1)
        assert used(await first.journal.select("accounts", {})) == {("run", "calls"): (1, 1)}
        await first.die()
        async with VirtualKernel(reader, replies=[reply(40)], store=disk) as second:
            assert await (await second.run(run.id)).result() == "read"
            assert used(await second.journal.select("accounts", {})) == {("run", "calls"): (2, 1)}
            spending = Spending(second)
            (left,) = await spending.standing()
            assert (left.run, left.amounts, left.why) == (run.id, "1 calls", "cut off by a crash")
            place = f"{left.run}.{left.n}"
            for by, verdict, note, error in (
                ("service:web", "not_done", "seen", NotAllowed),
                ("person:ana", "perhaps", "seen", InvalidInput),
                ("person:ana", "not_done", "", InvalidInput),
            ):
                with pytest.raises(error):
                    await spending.settle(place, verdict, note, by=by)
            with pytest.raises(InvalidInput):
                await spending.settle("nothing", "done", "seen", by="person:ana")
            await spending.settle(place, verdict_given, "asked the provider", by="person:ana")
            left_used = 1 if verdict_given == "not_done" else 2
            assert used(await second.journal.select("accounts", {})) == {("run", "calls"): (left_used, 0)}
            assert await spending.standing() == []
            with pytest.raises(NotAllowed):
                await spending.settle(place, "done", "seen", by="person:ana")
            await is_rebuilt_equal(second)

    run_virtually(live())


def test_a_run_with_a_budget_is_replayed_as_it_was() -> None:
    async def live() -> None:
        async with VirtualKernel(reader, replies=[reply(40)]) as kernel:
            run = await kernel.start(reader, "one", budget=Budget(calls=1))
            assert await run.result() == "read"
            refused = await kernel.start(reader, "one", budget=Budget(calls=0))
            assert await refused.result() == "over_budget"
            for one in (run, refused):
                record = record_of([decode_entry(entry) for entry in await kernel.journal.read(one.id)])
                replayed = await reenact(record, reader, InProcessWorker({}, codec_of))
                assert replayed.difference is None

    run_virtually(live())


def test_a_person_raises_a_cap_and_the_next_call_is_made() -> None:
    async def live() -> None:
        caps = Caps((Cap(Over.AGENT, Unit.CALLS, 1),))
        async with VirtualKernel(reader, replies=[reply(40), reply(40)], budgets=caps) as kernel:
            spending = Spending(kernel)
            answers = [await kernel.finish(reader, "one") for _ in range(2)]
            for by, amount, error in (("service:web", 2, NotAllowed), ("person:ana", 1, InvalidInput)):
                with pytest.raises(error):
                    await spending.raise_cap(Over.AGENT, "reader", Unit.CALLS, amount, reason="more", by=by)
            with pytest.raises(NotFound):
                await spending.raise_cap(Over.STORE, "", Unit.CALLS, 2, reason="more", by="person:ana")
            raised = await spending.raise_cap(Over.AGENT, "reader", Unit.CALLS, 2, reason="more", by="person:ana")
            assert (raised.old, raised.new) == (1, 2)
            answers.append(await kernel.finish(reader, "one"))
            assert answers == ["read", "over_budget", "read"]
            (line,) = await spending.lines()
            assert (line.cap, line.used, line.reserved) == (2, 2, 0)
            entered, event = [decode_entry(entry) for entry in await kernel.journal.read(ADMINISTRATION)]
            assert (entered.data, entered.by) == (CapsEntered(kernel.caps), KERNEL)
            assert (event.data, event.by) == (raised, "person:ana")
            assert raised == CapRaised(DEFAULT_TENANT, Over.AGENT, "reader", Unit.CALLS, 1, 2, "more", raised.token)

    run_virtually(live())


NO_AMOUNTS = [f'[[cap]]\nover = "store"\nusd = {amount}' for amount in ("nan", "inf", "-inf", "-0.5", "1e300")]


def test_caps_are_read_from_the_file_beside_the_policies(tmp_path: Path) -> None:
    file = tmp_path / "budgets.toml"
    file.write_text('raised_by = ["lead"]\n[[cap]]\nover = "agent"\nname = "desk"\nusd = 0.5\ncalls = 3\n')
    expected = (Cap(Over.AGENT, Unit.MICROUSD, 500_000, "desk"), Cap(Over.AGENT, Unit.CALLS, 3, "desk"))
    assert caps_of(None, tmp_path) == Caps(expected, ("lead",))
    (tmp_path / "rules.cedar").write_text("permit (principal, action, resource);")
    assert caps_of(None, tmp_path / "rules.cedar") == Caps(expected, ("lead",)), "they lie beside a single file, too"
    assert caps_of(None, "permit (principal, action, resource);") == Caps()
    for wrong in (
        '[[cap]]\nover = "moon"\ncalls = 1',
        '[[cap]]\nover = "run"',
        "warn_at = [0]",
        "cap = 3",
        "x",
        *NO_AMOUNTS,
    ):
        file.write_text(wrong)
        with pytest.raises(BadConfiguration, match=r"budgets\.toml"):
            caps_of(file, None)
