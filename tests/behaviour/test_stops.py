"""Stops: nothing of what is stopped leaves the kernel, over processes and restarts, until a person lets it go on; then what waited is done once."""

from pathlib import Path
from typing import Any

import pytest

from kernos import (
    Access,
    Context,
    Found,
    Guests,
    GuestTool,
    Kernel,
    Limits,
    Retry,
    Run,
    ToolCall,
    ToolFailed,
    agent,
    tool,
)
from kernos.kernel.administering import administer, administered
from kernos.kernel.administration import Administration
from kernos.kernel.state import Phase, Status
from kernos.kernel.stops import stop_for
from kernos.testing.kernel import VirtualKernel
from kernos.vocabulary.administration import ADMINISTRATION, AdministrationCommand
from kernos.vocabulary.errors import InvalidInput, KernosError, NotAllowed, NotFound
from kernos.vocabulary.events import ActionIntended, Event, ModelAnswered
from kernos.vocabulary.gate import Answer
from kernos.vocabulary.ids import EpochMs, PrincipalId, TenantId
from kernos.vocabulary.stops import LiftStop, OrderStop, StopKind
from tests.behaviour.shop import Receipt, Refund

ALLOW = "permit (principal, action, resource);"
ANA = PrincipalId("person:ana")


@agent()
async def sleeper(ctx: Context, seconds: float) -> str:
    await ctx.sleep(seconds)
    return "rested"


class Shop:
    """Counts what left the kernel."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.failing = 0

        @tool("shop.refund", effect="idempotent", retry=Retry(attempts=9, first_delay_ms=2_000))
        async def refund(request: Refund) -> Receipt:
            if self.failing:
                self.failing -= 1
                raise ToolFailed.retryable("busy")
            self.made.append(request.order)
            return Receipt(id=f"R-{request.order}")

        @tool("shop.find", effect="read")
        async def find(request: Refund) -> Receipt:
            self.made.append(f"looked for {request.order}")
            return Receipt(id=request.order)

        @agent(tools=[refund, find], version="3", limits=Limits(wall_time_ms=30 * 86_400_000))
        async def desk(ctx: Context, request: Refund) -> str:
            receipt = await ctx.call(refund, request)
            return receipt.id

        @agent(tools=[find])
        async def looker(ctx: Context, request: Refund) -> str:
            receipt = await ctx.call(find, request)
            return receipt.id

        @agent()
        async def thinker(ctx: Context, request: Refund) -> str:
            return await ctx.model("think", request, str)

        self.desk, self.looker, self.thinker = desk, looker, thinker
        self.agents = (desk, looker, thinker, sleeper)


ORDER = Refund(order="A1", amount_cents=5)


async def waits_on(kernel: VirtualKernel, run: Run[Any]) -> None:
    """Let a virtual minute pass, in which the run does not end."""
    assert await kernel.finish(sleeper, 60.0) == "rested"
    assert not (await run.state()).ended


@pytest.mark.parametrize(
    ("kind", "name"),
    [("all", ""), ("tenant", "default"), ("agent", "desk"), ("agent", "desk@3"), ("tool", "shop.refund")],
)
@pytest.mark.virtual
async def test_an_action_waits_for_the_end_of_the_stop_and_is_made_once(kind: str, name: str) -> None:
    shop = Shop()
    async with VirtualKernel(*shop.agents) as kernel:
        await kernel.stop(kind, name, reason="strange refunds")
        run = await kernel.start(shop.desk, ORDER)
        await waits_on(kernel, run)
        assert shop.made == []
        assert not any([isinstance(e.data, ActionIntended) async for e in run.events(follow=False)])
        await kernel.go(kind, name)
        assert await run.result() == "R-A1"
        assert shop.made == ["A1"]


@pytest.mark.parametrize(
    ("kind", "name"), [("tenant", "other"), ("agent", "looker"), ("agent", "desk@2"), ("tool", "shop.find")]
)
@pytest.mark.virtual
async def test_what_is_not_stopped_goes_on(kind: str, name: str) -> None:
    shop = Shop()
    async with VirtualKernel(*shop.agents) as kernel:
        await kernel.stop(kind, name, reason="strange")
        assert await kernel.finish(shop.desk, ORDER) == "R-A1"


@pytest.mark.virtual
async def test_reads_and_models_wait_as_well() -> None:
    shop = Shop()
    async with VirtualKernel(*shop.agents, replies=["well"]) as kernel:
        await kernel.stop("all", reason="strange")
        runs = [await kernel.start(shop.looker, ORDER), await kernel.start(shop.thinker, ORDER)]
        for run in runs:
            await waits_on(kernel, run)
        assert shop.made == []
        await kernel.go("all")
        assert [await run.result() for run in runs] == ["A1", "well"]
        assert sum([isinstance(e.data, ModelAnswered) async for e in runs[1].events()]) == 1


@pytest.mark.virtual
async def test_the_next_attempt_of_a_failing_action_waits() -> None:
    shop = Shop()
    shop.failing = 2
    async with VirtualKernel(*shop.agents) as kernel:
        run = await kernel.start(shop.desk, ORDER)
        while not any(step.phase is Phase.BACKING_OFF for step in (await run.state()).steps.values()):
            await kernel.engine.changed(run.id)
        left = shop.failing
        await kernel.stop("tool", "shop.refund", reason="strange")
        await waits_on(kernel, run)
        assert shop.failing == left
        await kernel.go("tool", "shop.refund")
        assert await run.result() == "R-A1"
        assert shop.made == ["A1"]


@pytest.mark.virtual
async def test_a_yes_is_not_used_while_it_is_stopped() -> None:
    shop = Shop()
    policies = 'permit (principal, action == Action::"invoke", resource);'
    async with VirtualKernel(*shop.agents, policies=policies) as kernel:
        run = await kernel.start(shop.desk, ORDER)
        while (await run.state()).status is not Status.WAITING:
            await kernel.engine.changed(run.id)
        await kernel.stop("all", reason="strange")
        await kernel.approve(run.id)
        await waits_on(kernel, run)
        assert shop.made == []
        await kernel.go("all")
        assert await run.result() == "R-A1"


@pytest.mark.virtual
@pytest.mark.parametrize("is_asked", [False, True])
async def test_an_action_whose_tool_looked_before_the_stop_waits_all_the_same(*, is_asked: bool) -> None:
    made: list[str] = []

    async def look(request: Refund, call: ToolCall) -> int:
        await kernel.stop("all", reason="strange")
        return len(made)

    def count(request: Refund, call: ToolCall, before: int) -> Found:
        return Found(len(made) > before, "counted")

    @tool("till.pay", effect="verifiable", observe=look, look_up=count)
    async def pay(request: Refund) -> None:
        made.append(request.order)

    @agent(tools=[pay], limits=Limits(wall_time_ms=30 * 86_400_000))
    async def clerk(ctx: Context, request: Refund) -> str:
        await ctx.call(pay, request)
        return "paid"

    policies = 'permit (principal, action == Action::"invoke", resource);' if is_asked else ALLOW
    async with VirtualKernel(clerk, sleeper, policies=policies) as kernel:
        run = await kernel.start(clerk, ORDER)
        if is_asked:
            while (await run.state()).status is not Status.WAITING:
                await kernel.engine.changed(run.id)
            await kernel.approve(run.id)
        await waits_on(kernel, run)
        assert made == []
        await run.cancel("enough")


async def test_it_holds_over_a_restart_and_in_a_process_that_did_not_order_it(store: Path) -> None:
    shop = Shop()
    async with Kernel(store, agents=shop.agents, policies=ALLOW) as working, Kernel(store, works=False) as other:
        await working.start(shop.desk, Refund(order="before", amount_cents=1))
        await other.stop("all", reason="strange")
        while not working.administrator.state.stops:
            await working.administrator.follow()
        run = await working.start(shop.desk, ORDER)
    async with Kernel(store, agents=shop.agents, policies=ALLOW) as working, Kernel(store, works=False) as other:
        again = await working.run(run.id)
        assert "A1" not in shop.made
        await other.go("all", by="person:ana")
        assert await again.result() == "R-A1"
        assert shop.made.count("A1") == 1


@pytest.mark.virtual
async def test_a_guest_is_told_no() -> None:
    guests = Guests("travel", [GuestTool("mail.send", "egress", {"to": "destination"})])
    async with VirtualKernel(guests.agent) as kernel:
        await kernel.stop("tool", "mail.send", reason="strange mails", by="person:root")
        async with guests.enter(kernel, "send anna@example.org a greeting") as guest:
            said = await guest.propose("mail.send", {"to": "anna@example.org", "body": "hello"})
            assert said.answer is Answer.DENY
            assert "person:root stopped tool mail.send: strange mails" in said.reason


@pytest.mark.virtual
async def test_only_a_person_lifts_it() -> None:
    async with VirtualKernel(*Shop().agents) as kernel:
        await kernel.stop("all", reason="strange", by="service:monitor")
        with pytest.raises(NotAllowed, match="only a person lifts"):
            await kernel.go("all", by="service:monitor")
        await kernel.go("all", by="person:ana")


async def test_somebody_of_one_tenant_stops_that_alone(store: Path) -> None:
    async with Kernel(store, works=False) as kernel:
        access = Access(kernel)
        await access.admit("person:ana", tenant="shop")
        text = (await access.issue("person:ana", ["look", "operate"], tenant="shop")).text
        await kernel.stop("tenant", "other", reason="strange")
    async with Kernel(store, works=False, token=text) as ana:
        await ana.stop("tenant", "shop", reason="strange")
        stops = ana.administrator.state.stops.values()
        assert [stop.name for stop in stops if ana.sees_stop(stop)] == ["shop"]
        for kind, name in (("tenant", "other"), ("all", ""), ("tool", "shop.refund")):
            with pytest.raises(NotAllowed, match="every tenant"):
                await ana.stop(kind, name, reason="strange")
        await ana.go("tenant", "shop")


# --- the rules ---------------------------------------------------------------------------------------------------------


def told(*commands: AdministrationCommand) -> Administration:
    state = Administration()
    for command in commands:
        for data in administer(state, command):
            state = administered(state, [Event(ADMINISTRATION, state.next_n, EpochMs(5), ANA, "call", data)])
    return state


@pytest.mark.parametrize(
    ("command", "error", "said"),
    [
        (OrderStop(StopKind.ALL, "x", "why"), InvalidInput, "names nothing"),
        (OrderStop(StopKind.TOOL, "", "why"), InvalidInput, "needs a name"),
        (OrderStop(StopKind.ALL, "", ""), InvalidInput, "needs a reason"),
        (LiftStop(StopKind.ALL, ""), NotFound, "everything is not stopped"),
        (LiftStop(StopKind.TOOL, "x"), NotFound, "tool x is not stopped"),
    ],
)
def test_what_cannot_be_is_refused(command: AdministrationCommand, error: type[KernosError], said: str) -> None:
    with pytest.raises(error, match=said):
        administer(Administration(), command)


def test_a_stop_is_ordered_once_and_told_with_who_and_why() -> None:
    state = told(OrderStop(StopKind.TOOL, "shop.refund", "strange"))
    assert administer(state, OrderStop(StopKind.TOOL, "shop.refund", "again")) == ()
    stop = stop_for(state, TenantId("t"), "desk", "3", "shop.refund")
    assert stop is not None
    assert (stop.by, stop.at, stop.reason) == (ANA, 5, "strange")
    assert stop_for(state, TenantId("t"), "desk", "3", "shop.find") is None
    assert stop_for(Administration(), TenantId("t"), "desk", "3", "shop.refund") is None


@pytest.mark.virtual
async def test_a_kind_that_is_none_is_refused() -> None:
    async with VirtualKernel(*Shop().agents) as kernel:
        for say in (kernel.stop("world", reason="strange"), kernel.go("world")):
            with pytest.raises(InvalidInput, match="nothing that can be stopped"):
                await say
