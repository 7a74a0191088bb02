"""Law 1: dropped and rebuilt from the journal, every projection is equal to the live one."""

from pathlib import Path

from kernos import CallFailed, CallRefused, Context, Failed, Kernel, agent
from kernos.adapters.system.clock import SystemClock
from kernos.app.stores import open_store
from kernos.control.projections import TABLES
from kernos.control.replay import compare, rebuild
from tests.behaviour.shop import Receipt, Refund, Shop
from tests.behaviour.test_runs_end_to_end import until

POLICY = """
permit(principal, action, resource) unless { resource is shop::refund };
permit(principal, action == Action::"invoke", resource is shop::refund);
permit(principal, action == Action::"unattended", resource is shop::refund) when { resource.amount_cents <= 5000 };
"""


async def test_rebuilt_projections_equal_the_live_ones(store: Path, tmp_path: Path) -> None:
    shop = Shop()
    tools = shop.tools()

    @agent("child", failures=["unlucky"])
    async def child(ctx: Context, how: str) -> str:
        if how == "fail":
            raise Failed("unlucky", "as asked")
        return await ctx.wait("never", str, timeout=0.01 if how == "time out" else None)

    @agent("desk", tools=list(tools.values()))
    async def desk(ctx: Context, amount: int) -> str:
        await ctx.checkpoint("begun", "nothing done yet")
        shop.script = ["busy", "lost", "ok"]
        await ctx.call(tools["mail"], Refund(order="A", amount_cents=amount))
        await ctx.sleep(0.005)
        for how in ("fail", "time out"):
            try:
                await ctx.run(child, how)
            except CallFailed:
                continue
        try:
            receipt: Receipt = await ctx.call(tools["refund"], Refund(order="A", amount_cents=amount))
        except CallRefused:
            return "refused"
        await ctx.fork(lambda c: c.now(), lambda c: c.run(child, "wait"), take=1)
        return receipt.id

    async with Kernel(store, agents=[desk, child], policies=POLICY) as kernel:
        for number, amount in enumerate((100, 6000, 7000, 8000)):
            run = await kernel.start(desk, amount, key=str(number))
            if amount > 5000:
                await until(run, "ApprovalRequested")
            if amount == 6000:
                await kernel.approve(run.id)
            elif amount == 7000:
                await kernel.deny(run.id, "no")
            elif amount == 8000:
                await run.cancel("enough")
                continue
            await run.result()
        waiting = await kernel.start(child, "wait")
        await until(waiting, "RunParked")
        await kernel.engine.settle()
        other = open_store(tmp_path / "other.kernos", SystemClock())
        try:
            await rebuild(kernel.journal, other, lambda _: None)
            assert await compare(kernel.journal, other) == []
            assert all(
                [
                    await other.dump(table.name)
                    for table in TABLES
                    if table.name not in ("counts", "accounts", "reservations", "spend", "deliveries")
                ]
            )
            before = [await kernel.journal.dump(table.name) for table in TABLES]
            await rebuild(kernel.journal, kernel.journal, lambda _: None)
            assert [await kernel.journal.dump(table.name) for table in TABLES] == before
        finally:
            await other.close()
