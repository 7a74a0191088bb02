"""What the kernel knows about a call besides its arguments, as rules ask about it: counts, sums, records, sequences, time, people."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from kernos import CallRefused, Context, Found, Kernel, Retry, ToolCall, ToolFailed, Undo, agent, tool
from kernos.control.projections import counts
from kernos.control.replay import rebuild
from kernos.testing import VirtualKernel
from kernos.vocabulary.contract import AgentContract
from kernos.vocabulary.errors import BadConfiguration

DAY_S = 86_400
PERMIT = "permit(principal, action, resource);\n"


class Refund(BaseModel):
    order: str
    customer: str
    cents: int


class OrderId(BaseModel):
    id: str


class Order(BaseModel):
    id: str
    paid_cents: int


class Work(BaseModel):
    refunds: list[Refund]
    look_first: bool = False
    pause_s: float = 0


class Shop:
    """A till in memory; `script` says how the next refunds end."""

    def __init__(self) -> None:
        self.paid: list[Refund] = []
        self.script: list[str] = []

    def agent(self, *, observes: bool = False) -> AgentContract[Work, list[str]]:
        async def take_back(refund: Refund, call: ToolCall) -> None:
            self.paid.remove(refund)

        back = tool("till.charge", effect="idempotent")(take_back)

        async def watch(refund: Refund, call: ToolCall) -> int:
            await asyncio.sleep(0)
            return len(self.paid)

        def found(refund: Refund, call: ToolCall, before: int) -> Found:
            return Found(len(self.paid) > before, "counted")

        def pay(refund: Refund, call: ToolCall) -> None:
            how = self.script.pop(0) if self.script else "ok"
            if how == "refuse":
                raise ToolFailed.final("the card is closed")
            self.paid.append(refund)
            if how == "lost":
                raise ToolFailed.unknown("no answer")

        undo = Undo(back, lambda refund: refund)
        if observes:
            late = tool("till.refund", effect="verifiable", observe=watch, look_up=found, compensate=undo)
            refund = late(pay)
        else:
            refund = tool("till.refund", effect="once", compensate=undo)(pay)

        @tool("till.order", effect="read", retry=Retry(attempts=1))
        def order(asked: OrderId) -> Order:
            return Order(id=asked.id, paid_cents=5_000)

        @agent("desk", tools=[refund, order])
        async def desk(ctx: Context, work: Work) -> list[str]:
            ends: list[str] = []
            for one in work.refunds:
                if work.look_first:
                    await ctx.call(order, OrderId(id=one.order))
                try:
                    await ctx.call(refund, one)
                except CallRefused as refused:
                    ends.append(str(refused))
                except Exception as failed:  # noqa: BLE001 - how it failed is what the test looks at
                    ends.append(type(failed).__name__)
                else:
                    ends.append("paid")
                if work.pause_s:
                    await ctx.sleep(work.pause_s)
            return ends

        return desk


@pytest.fixture
def folder(tmp_path: Path) -> Callable[[str, str], Path]:
    def write(context: str, rules: str) -> Path:
        policies = tmp_path / "policies"
        policies.mkdir(exist_ok=True)
        (policies / "context.toml").write_text(context)
        (policies / "rules.cedar").write_text(PERMIT + rules)
        return policies

    return write


Folder = Callable[[str, str], Path]

CAP = """
[sum.refunded]
of = "cents"
tools = ["till.refund"]
by = "customer"
within = "24h"
"""
CAP_RULE = """@id("cap") forbid(principal, action, resource is till::refund)
when { context.refunded + resource.cents > 1000 };"""


def refunds(*cents: int, customer: str = "ana", order: str = "A1") -> list[Refund]:
    return [Refund(order=order, customer=customer, cents=each) for each in cents]


async def test_a_cap_over_a_day_holds_in_one_run_and_the_day_after_it_is_free_again(
    folder: Folder, virtual_kernel: type[VirtualKernel]
) -> None:
    shop = Shop()
    desk = shop.agent()
    async with virtual_kernel(desk, policies=folder(CAP, CAP_RULE)) as kernel:
        ends = await kernel.finish(desk, Work(refunds=refunds(600, 600, 400, 1), pause_s=1))
        assert [end == "paid" for end in ends] == [True, False, True, False]
        assert "cap" in ends[1]
        assert await kernel.finish(desk, Work(refunds=refunds(1_000, customer="bo"))) == ["paid"]
        await kernel.finish(desk, Work(refunds=refunds(2_000), pause_s=DAY_S))
        assert await kernel.finish(desk, Work(refunds=refunds(1_000))) == ["paid"]


@pytest.mark.parametrize("observes", [False, True])
@pytest.mark.parametrize("on_disk", [False, True])
async def test_runs_side_by_side_do_not_slip_under_a_cap(
    folder: Folder, tmp_path: Path, virtual_kernel: type[VirtualKernel], *, observes: bool, on_disk: bool
) -> None:
    shop = Shop()
    desk = shop.agent(observes=observes)
    where: dict[str, Any] = {"store": tmp_path / "k.kernos"} if on_disk else {"group_delay_ms": lambda: 20}
    async with virtual_kernel(desk, policies=folder(CAP, CAP_RULE), **where) as kernel:
        runs = [await kernel.start(desk, Work(refunds=refunds(100))) for _ in range(40)]
        ends = [(await run.result())[0] for run in runs]
    assert ends.count("paid") == 10
    assert sum(refund.cents for refund in shop.paid) == 1_000


async def test_what_failed_does_not_count_and_what_is_in_doubt_does(
    folder: Folder, virtual_kernel: type[VirtualKernel]
) -> None:
    shop = Shop()
    desk = shop.agent()
    shop.script = ["refuse", "lost"]
    async with virtual_kernel(desk, policies=folder(CAP, CAP_RULE)) as kernel:
        assert await kernel.finish(desk, Work(refunds=refunds(1_000))) == ["CallFailed"]
        doubted = await kernel.start(desk, Work(refunds=refunds(1_000)))
        async for event in doubted.events():
            if type(event.data).__name__ == "ActionDoubted":
                break
        assert "cap" in (await kernel.finish(desk, Work(refunds=refunds(1))))[0]
        await kernel.settle(doubted.id, "not_done", "the till says so")
        assert await doubted.result() == ["paid"]
        assert "cap" in (await kernel.finish(desk, Work(refunds=refunds(1))))[0]


async def test_what_was_taken_back_does_not_count(folder: Folder, virtual_kernel: type[VirtualKernel]) -> None:
    shop = Shop()
    desk = shop.agent()
    async with virtual_kernel(desk, policies=folder(CAP, CAP_RULE)) as kernel:
        run = await kernel.start(desk, Work(refunds=refunds(900)))
        await run.result()
        assert "cap" in (await kernel.finish(desk, Work(refunds=refunds(900))))[0]
        report = await (await kernel.revert(await kernel.plan_revert(run.id))).result()
        assert report is not None
        assert shop.paid == []
        assert await kernel.finish(desk, Work(refunds=refunds(900))) == ["paid"]


async def test_counts_survive_a_restart_and_are_rebuilt_as_they_were(folder: Folder, tmp_path: Path) -> None:
    desk = Shop().agent()
    store, policies = tmp_path / "k.kernos", folder(CAP, CAP_RULE)
    async with Kernel(store, agents=[desk], policies=policies) as kernel:
        await (await kernel.start(desk, Work(refunds=refunds(400, 500)))).result()
        before = await kernel.journal.dump(counts.TABLE.name)
        assert [row["amount"] for row in before] == [400, 500]
        await rebuild(kernel.journal, kernel.journal, lambda _: None)
        assert await kernel.journal.dump(counts.TABLE.name) == before
    async with Kernel(store, agents=[desk], policies=policies) as kernel:
        ends = await (await kernel.start(desk, Work(refunds=refunds(101, 100)))).result()
    assert [end == "paid" for end in ends] == [False, True]


async def test_not_twice_for_the_same_order(folder: Folder, virtual_kernel: type[VirtualKernel]) -> None:
    context = '[count.refunds_of_order]\ntools = ["till.refund"]\nby = "order"'
    rule = "forbid(principal, action, resource is till::refund) when { context.refunds_of_order > 0 };"
    desk = Shop().agent()
    async with virtual_kernel(desk, policies=folder(context, rule)) as kernel:
        ends = await kernel.finish(desk, Work(refunds=[*refunds(1), *refunds(1), *refunds(1, order="B2")]))
        assert [end == "paid" for end in ends] == [True, False, True]
        assert "paid" not in await kernel.finish(desk, Work(refunds=refunds(1, customer="bo")))


async def test_what_was_paid_is_what_the_run_read_of_this_order(
    folder: Folder, virtual_kernel: type[VirtualKernel]
) -> None:
    context = '[record.sale]\ntools = ["till.order"]\nby = { "till.order" = "id", "till.refund" = "order" }'
    rule = """forbid(principal, action, resource is till::refund)
    unless { context has sale && resource.cents <= context.sale.paid_cents };"""
    desk = Shop().agent()
    async with virtual_kernel(desk, policies=folder(context, rule)) as kernel:
        assert "paid" not in await kernel.finish(desk, Work(refunds=refunds(1)))
        ends = await kernel.finish(desk, Work(refunds=refunds(5_000, 5_001), look_first=True))
        assert [end == "paid" for end in ends] == [True, False]


async def test_a_sequence_one_refund_after_each_look_at_the_order(
    folder: Folder, virtual_kernel: type[VirtualKernel]
) -> None:
    context = """[count.since_look]
    tools = ["till.refund"]
    since = ["till.order"]
    within = "run"
    [count.looks]
    tools = ["till.order"]
    within = "run"
    """
    rule = """forbid(principal, action, resource is till::refund)
    when { context.looks == 0 || context.since_look > 0 };"""
    desk = Shop().agent()
    async with virtual_kernel(desk, policies=folder(context, rule)) as kernel:
        assert "paid" not in await kernel.finish(desk, Work(refunds=refunds(1)))
        assert await kernel.finish(desk, Work(refunds=refunds(1, 2), look_first=True)) == ["paid", "paid"]


async def test_a_count_over_runs_begins_anew_after_another_action(
    folder: Folder, virtual_kernel: type[VirtualKernel]
) -> None:
    context = """[count.since_charge]
    tools = ["till.refund"]
    since = ["till.charge"]
    by = "customer"
    """
    rule = "forbid(principal, action, resource is till::refund) when { context.since_charge > 0 };"
    shop = Shop()
    desk = shop.agent()
    charge = next(one.compensate.tool for one in desk.tools if one.compensate is not None)

    @agent("charger", tools=[charge])
    async def charger(ctx: Context, refund: Refund) -> None:
        await ctx.sleep(1)
        await ctx.call(charge, refund)
        await ctx.sleep(1)

    async with virtual_kernel(desk, charger, policies=folder(context, rule)) as kernel:
        assert await kernel.finish(desk, Work(refunds=refunds(1))) == ["paid"]
        assert "paid" not in await kernel.finish(desk, Work(refunds=refunds(1)))
        await kernel.finish(charger, refunds(1)[0])
        assert await kernel.finish(desk, Work(refunds=refunds(1))) == ["paid"]


async def test_time_of_day_goes_by_the_declared_zone(folder: Folder, virtual_kernel: type[VirtualKernel]) -> None:
    rule = """forbid(principal, action, resource is till::refund)
    unless { context.weekday == "wednesday" && context.hour == 7 && context.minute == 13 };"""
    desk = Shop().agent()
    async with virtual_kernel(desk, policies=folder('zone = "Asia/Tokyo"', rule)) as kernel:
        assert await kernel.finish(desk, Work(refunds=refunds(1))) == ["paid"]
    async with virtual_kernel(desk, policies=folder("", rule)) as kernel:
        assert "paid" not in await kernel.finish(desk, Work(refunds=refunds(1)))


async def test_a_yes_of_a_person_is_known_later_in_the_run(folder: Folder, virtual_kernel: type[VirtualKernel]) -> None:
    rule = """@id("once asked") forbid(principal, action == Action::"unattended", resource is till::refund)
    when { context.approvals == 0 };"""
    desk = Shop().agent()
    async with virtual_kernel(desk, policies=folder("", rule)) as kernel:
        run = await kernel.start(desk, Work(refunds=refunds(1, 2)))
        async for event in run.events():
            if type(event.data).__name__ == "ApprovalRequested":
                break
        await kernel.approve(run.id)
        assert await run.result() == ["paid", "paid"]
        assert await kernel.waiting(kind="approval") == []


async def test_a_rule_about_what_is_not_known_of_a_call_denies_it(
    folder: Folder, virtual_kernel: type[VirtualKernel]
) -> None:
    context = '[count.of_customer]\ntools = ["till.refund"]\nby = "customer"'
    desk = Shop().agent()
    async with virtual_kernel(
        desk, policies=folder(context, "forbid(principal, action, resource) when { context.of_customer > 3 };")
    ) as kernel:
        assert await kernel.finish(desk, Work(refunds=refunds(1))) == ["paid"]
        run = await kernel.start(desk, Work(refunds=refunds(1), look_first=True))
        with pytest.raises(Exception, match="cannot be evaluated"):
            await run.result()


@pytest.mark.parametrize(
    ("context", "rules", "said"),
    [
        (CAP, "forbid(principal, action, resource) when { context.refunds > 0 };", "refunds"),
        ("[count.n]\ntools = []", "", "n: it names no tool"),
        ('[count.n]\ntools = ["till.refnd"]', "", "no tool is named 'till.refnd'; there are: till.charge"),
        ('[count.n]\ntools = ["till.refund"]\nby = "client"', "", "till.refund has no argument client"),
        ('[sum.n]\ntools = ["till.refund"]\nof = "customer"', "", "customer of till.refund is no whole number"),
        ('[sum.n]\ntools = ["till.refund"]', "", "missing required field `of`"),
        ('[count.n]\ntools = ["till.refund"]\nwithin = "a day"', "", "is no span of time"),
        ('[count.n]\ntools = ["till.order"]', "", 'reads are counted within = "run" only'),
        ('[count.n]\ntools = ["till.refund"]\nsince = ["model"]', "", "model calls can only be asked about"),
        ('[count.hour]\ntools = ["till.refund"]', "", "context.hour is there without a declaration"),
        ('[count.N]\ntools = ["till.refund"]', "", "write names with a-z"),
        ('[count.n]\ntools = ["till.refund"]\n[record.n]\ntools = ["till.order"]', "", "declared twice"),
        ('[record.n]\ntools = ["till.refund"]', "", "does not only read"),
        ('[count.n]\ntools = ["till.refund"]\nwindow = "1d"', "", "unknown field `window`"),
        ('zone = "Mars/Olympus"', "", "no time zone known here"),
        ("zone = ", "", "context.toml: "),
    ],
)
def test_what_is_declared_wrongly_is_told_when_it_is_loaded(
    folder: Folder, context: str, rules: str, said: str
) -> None:
    with pytest.raises(BadConfiguration) as raised:
        VirtualKernel(Shop().agent(), policies=folder(context, rules))
    assert said in str(raised.value)


class Sale(BaseModel):
    order: str
    customer: str
    amount_cents: int


class Bought(BaseModel):
    paid_cents: int


@tool("shop.refund", effect="idempotent")
def refund_sale(sale: Sale) -> None:
    """Pay back."""


@tool("shop.find_order", effect="read")
def find_order(asked: OrderId) -> Bought:
    return Bought(paid_cents=30_000)


@agent("shop_desk", tools=[refund_sale, find_order])
async def shop_desk(ctx: Context, sales: list[Sale]) -> list[str]:
    ends: list[str] = []
    for sale in sales:
        await ctx.call(find_order, OrderId(id=sale.order))
        try:
            await ctx.call(refund_sale, sale)
        except CallRefused as refused:
            ends.append(str(refused).rpartition(" ")[2])
        else:
            ends.append("done")
    return ends


async def test_the_examples_of_the_page_do_what_it_says(tmp_path: Path, virtual_kernel: type[VirtualKernel]) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "policy.md").read_text(encoding="utf-8")
    _, _, rest = page.partition("## What the kernel knows besides")[2].partition("```toml\n")
    context, _, rest = rest.partition("```\n")
    rules, _, _ = rest.partition("```\n")[2].partition("```\n")
    (tmp_path / "context.toml").write_text(context)
    (tmp_path / "rules.cedar").write_text(rules)
    sales = [
        Sale(order=order, customer="ana", amount_cents=cents)
        for order, cents in (("A", 30_000), ("A", 1), ("B", 30_001), ("C", 20_001), ("D", 20_000))
    ]
    async with virtual_kernel(shop_desk, policies=tmp_path) as kernel:
        assert await kernel.finish(shop_desk, sales) == ["done", "once", "paid", "day", "done"]
