"""Access: commands are given by whoever a credential belongs to, in their tenant; what is of others is not there for them."""

import inspect
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kernos import Access, Context, Kernel, Run, agent, tool
from kernos.app.spending import Spending
from kernos.control.authority import new_secret
from kernos.kernel.state import Status
from kernos.testing.clock import SeededChance
from kernos.vocabulary.budget import Cap, Caps, Over, Unit
from kernos.vocabulary.errors import InvalidInput, KernosError, NotAllowed, NotFound
from kernos.vocabulary.events import ApprovalGranted
from kernos.vocabulary.undo import UndoPlan
from tests.behaviour.shop import Receipt, Refund

DAY_MS = 86_400_000


@tool("shop.refund", effect="once")
async def refund(request: Refund) -> Receipt:
    return Receipt(id=f"R-{request.order}")


@tool("shop.find", effect="read")
async def find_order(request: Refund) -> Receipt:
    return Receipt(id=request.order)


@agent(tools=[refund, find_order])
async def desk(ctx: Context, request: Refund) -> str:
    await ctx.call(find_order, request)
    receipt = await ctx.call(refund, request)
    return str(receipt)


@agent()
async def asker(ctx: Context, request: Refund) -> str:
    return await ctx.ask("lead", f"pay {request.order}?", ["yes", "no"])


@agent()
async def quick(ctx: Context, request: Refund) -> str:
    return request.order


@agent(tools=[find_order])
async def boss(ctx: Context, request: Refund) -> str:
    return await ctx.run(desk, request)


AGENTS = (desk, asker, quick, boss)
POLICY = """
permit (principal, action, resource);
@id("money") forbid (principal, action == Action::"unattended", resource is shop::refund)
unless { context.roles.contains("treasurer") };
"""


@dataclass
class Deployment:
    """A store with two tenants; agents run in this process."""

    path: Path
    whole: Kernel
    root: str
    shop: str
    other: str

    def as_(self, token: str) -> Kernel:
        return Kernel(self.path, agents=AGENTS, policies=POLICY, works=False, token=token)


@pytest.fixture
async def deployment(store: Path) -> AsyncIterator[Deployment]:
    async with Kernel(store, works=False) as kernel:
        root = (await Access(kernel).require("person:root")).text
    async with Kernel(store, agents=AGENTS, policies=POLICY, token=root) as whole:
        access = Access(whole)
        scopes = ["look", "start", "answer", "operate"]
        await access.admit("person:ana", tenant="shop")
        await access.admit("person:eve", tenant="other")
        shop = (await access.issue("person:ana", scopes, tenant="shop")).text
        other = (await access.issue("person:eve", scopes, tenant="other")).text
        yield Deployment(store, whole, root, shop, other)


async def until(kernel: Kernel, run: Run[Any], status: Status) -> None:
    while True:
        changed = kernel.engine.changed(run.id)
        if (await run.state()).status is status:
            return
        await changed


async def test_an_open_store_takes_commands_under_any_name(store: Path) -> None:
    async with Kernel(store, agents=AGENTS) as kernel:
        run = await kernel.start(quick, Refund(order="A", amount_cents=1), by="person:bo", tenant="shop")
        assert await run.result() == "A"
        assert (await run.state()).requested_by == "person:bo"


@pytest.mark.parametrize("token", ["", "kernos_x_y", "nonsense", "kernos__", "\ud800"])
async def test_a_store_that_asks_for_credentials_is_opened_by_nobody_without_a_good_one(
    deployment: Deployment, token: str
) -> None:
    with pytest.raises(NotAllowed):
        async with deployment.as_(token):
            pass


async def test_a_secret_of_another_credential_is_no_secret(deployment: Deployment) -> None:
    name, secret = deployment.shop.split("_")[1], deployment.other.split("_")[2]
    with pytest.raises(NotAllowed, match="not good here"):
        async with deployment.as_(f"kernos_{name}_{secret}"):
            pass


async def test_the_secret_stands_nowhere_in_the_store(deployment: Deployment) -> None:
    await deployment.whole.engine.settle()
    secret = deployment.shop.split("_")[2].encode()
    for file in deployment.path.parent.rglob("*"):
        assert not file.is_file() or secret not in file.read_bytes(), file


async def test_a_run_belongs_to_the_tenant_of_whoever_started_it_and_is_in_their_name(deployment: Deployment) -> None:
    async with deployment.as_(deployment.shop) as ana:
        run = await ana.start(quick, Refund(order="A", amount_cents=1))
        assert await run.result() == "A"
        state = await run.state()
        assert (state.requested_by, state.request().tenant) == ("person:ana", "shop")


@pytest.mark.parametrize(
    "given", [{"by": "person:root"}, {"by": "person:anna"}, {"tenant": "other"}, {"tenant": "default"}]
)
async def test_nobody_speaks_for_another_or_in_another_tenant(deployment: Deployment, given: dict[str, str]) -> None:
    async with deployment.as_(deployment.shop) as ana:
        with pytest.raises(NotAllowed):
            await ana.start(quick, Refund(order="A", amount_cents=1), **given)  # type: ignore[arg-type]
        assert await ana.runs() == []


async def test_a_start_key_is_the_tenants_own(deployment: Deployment) -> None:
    async with deployment.as_(deployment.shop) as ana, deployment.as_(deployment.other) as eve:
        first = await ana.start(quick, Refund(order="A", amount_cents=1), key="K")
        second = await eve.start(quick, Refund(order="B", amount_cents=1), key="K")
        assert first.id != second.id
        assert (await first.result(), await second.result()) == ("A", "B")


FOREIGN: dict[str, Any] = {
    "find": lambda k, run: k.find(run),
    "run": lambda k, run: k.run(run),
    "approve": lambda k, run: k.approve(run),
    "deny": lambda k, run: k.deny(run, "no"),
    "edit": lambda k, run: k.edit(run, {"amount_cents": 2}),
    "ask_back": lambda k, run: k.ask_back(run, "why?"),
    "explain": lambda k, run: k.explain(run, "so"),
    "answer": lambda k, run: k.answer(run, "yes"),
    "settle": lambda k, run: k.settle(f"{run}.1", "not_done", "seen"),
    "signal": lambda k, run: k.signal(run, "topic"),
    "cancel": lambda k, run: k.cancel(run, "stop"),
    "resume": lambda k, run: k.resume(run),
    "plan_revert": lambda k, run: k.plan_revert(run),
    "revert": lambda k, run: k.revert(UndoPlan(run, "", (), "")),
}
LISTS: dict[str, Any] = {
    "runs": lambda k: k.runs(),
    "waiting": lambda k: k.waiting(),
    "actions": lambda k: k.actions(),
}
NOT_ABOUT_RUNS = {"start", "reconcile", "take_back", "reload_policies", "stop", "go"}
"""`start` has tests of its own; the others concern every tenant and are refused to whoever belongs to one."""


def test_every_command_of_a_kernel_is_tried_across_tenants() -> None:
    commands = {
        name
        for kind in Kernel.__mro__
        for name, value in vars(kind).items()
        if inspect.iscoroutinefunction(value) and not name.startswith("_")
    }
    assert commands == {*FOREIGN, *LISTS, *NOT_ABOUT_RUNS}


@pytest.mark.parametrize("shown", [4, 13])
@pytest.mark.parametrize("word", FOREIGN)
@pytest.mark.parametrize("contract", [desk, asker, quick], ids=lambda c: c.name)
async def test_no_command_reaches_a_run_of_another_tenant_or_tells_of_it(
    deployment: Deployment, word: str, contract: Any, shown: int
) -> None:
    async with deployment.as_(deployment.shop) as ana, deployment.as_(deployment.other) as eve:
        run = await ana.start(contract, Refund(order="PRIVATE", amount_cents=7))
        await until(ana, run, Status.COMPLETED if contract is quick else Status.WAITING)
        before = len(await deployment.whole.journal.read(run.id))
        with pytest.raises(NotFound) as foreign:
            await FOREIGN[word](eve, run.id[:shown])
        with pytest.raises(NotFound) as nothing:
            await FOREIGN[word](eve, "zzzzzzzzzzzzz"[:shown])
        assert str(foreign.value).replace(run.id[:shown], "?") == str(nothing.value).replace("z" * shown, "?")
        assert len(await deployment.whole.journal.read(run.id)) == before
        assert await eve.journal.read(run.id) == ()


async def test_lists_and_the_journal_show_the_tenants_own_alone(deployment: Deployment) -> None:
    async with deployment.as_(deployment.shop) as ana, deployment.as_(deployment.other) as eve:
        run = await ana.start(desk, Refund(order="PRIVATE", amount_cents=7))
        await until(ana, run, Status.WAITING)
        await ana.approve(run.id)
        await run.result()
        asked = await ana.start(asker, Refund(order="PRIVATE", amount_cents=7))
        await until(ana, asked, Status.WAITING)
        own = await eve.start(quick, Refund(order="OWN", amount_cents=7))
        await own.result()
        for look in LISTS.values():
            assert {row["run"] for row in await look(eve)} <= {own.id}
            assert {row["run"] for row in await look(ana)} <= {run.id, asked.id}
        assert [row["run"] for row in await eve.runs()] == [own.id]
        assert {entry.run async for _, entry in eve.journal.scan()} == {own.id}
        for table in ("runs", "waiting", "actions", "counts", "deliveries", "refs", "spend"):
            assert not any("PRIVATE" in str(row) or run.id in str(row) for row in await eve.journal.dump(table)), table
        assert len(await ana.actions()) == 1
        assert await eve.journal.select("runs", {"tenant": "shop"}) == ()


async def test_a_tenant_sees_its_own_accounts_and_nothing_of_the_whole_or_of_others(store: Path) -> None:
    caps = Caps(tuple(Cap(over, Unit.RUNS, 9) for over in (Over.TENANT, Over.STORE, Over.AGENT)))
    async with Kernel(store, works=False) as kernel:
        root = (await Access(kernel).require("person:root")).text
    async with Kernel(store, agents=AGENTS, policies=POLICY, budgets=caps, token=root) as whole:
        access = Access(whole)
        await access.admit("person:ana", tenant="shop")
        await access.admit("person:eve", tenant="other")
        tokens = {
            one: (await access.issue(f"person:{who}", ["look"], tenant=one)).text
            for who, one in (("ana", "shop"), ("eve", "other"))
        }
        await whole.start(asker, Refund(order="PRIVATE", amount_cents=7), tenant="shop", key="k")
        spending = Spending(whole)
        await spending.raise_cap(Over.TENANT, "", Unit.RUNS, 20, reason="sale", tenant="shop", by="person:root")
        await spending.raise_cap(Over.STORE, "", Unit.RUNS, 30, reason="all", by="person:root")
        assert {(line.tenant, line.over) for line in await spending.lines()} == {
            ("shop", "tenant"),
            ("*", "store"),
            ("shop", "agent"),
        }
        assert [one.data.tenant for one, _ in spending.raised()] == ["shop", "*"]
        async with Kernel(store, works=False, budgets=caps, token=tokens["shop"]) as ana:
            assert {(line.over, line.cap, line.used) for line in await Spending(ana).lines()} == {
                ("tenant", 20, 1),
                ("agent", 9, 1),
            }
            assert [one.data.reason for one, _ in Spending(ana).raised()] == ["sale"]
            assert list(await Spending(ana).standing()) == []
            assert await ana.journal.select("accounts", {"tenant": "*"}) == ()
        async with Kernel(store, works=False, budgets=caps, token=tokens["other"]) as eve:
            assert (list(await Spending(eve).lines()), list(Spending(eve).raised())) == ([], [])


async def test_what_concerns_everybody_is_refused_to_whoever_belongs_to_one_tenant(deployment: Deployment) -> None:
    async with deployment.as_(deployment.other) as eve:
        access = Access(eve)
        with pytest.raises(NotAllowed):
            await eve.reconcile()
        with pytest.raises(NotAllowed):
            await eve.reload_policies(POLICY)
        with pytest.raises(NotAllowed):
            await eve.journal.verify(lambda *_: None)
        with pytest.raises(NotAllowed):
            await eve.journal.rebuild((), lambda _: None)  # type: ignore[arg-type, return-value]
        with pytest.raises(NotAllowed):
            access.members()
        with pytest.raises(NotAllowed):
            access.credentials()
        with pytest.raises(NotAllowed):
            await access.admit("person:eve", tenant="shop")
    async with Kernel(deployment.path, agents=AGENTS, token=deployment.other) as eve:
        assert not eve.works, "agents of every tenant are run by whoever acts for all"


@pytest.mark.parametrize(
    ("scope", "may"),
    [
        ("look", {"runs", "plan_revert"}),
        ("start", {"start", "signal", "explain"}),
        ("answer", {"approve", "deny", "edit", "ask_back", "answer", "settle"}),
        ("operate", {"cancel", "resume", "revert"}),
    ],
)
async def test_a_credential_is_good_for_its_scopes_alone(deployment: Deployment, scope: str, may: set[str]) -> None:
    one = (await Access(deployment.whole).issue("person:ana", [scope], tenant="shop")).text
    async with deployment.as_(one) as kernel:
        tried = {**FOREIGN, "runs": lambda k, _: k.runs()}
        tried["start"] = lambda k, _: k.start(quick, Refund(order="A", amount_cents=1))
        del tried["find"], tried["run"]
        for word, command in tried.items():
            try:
                await command(kernel, "zzzzzzzzzzzzz")
                refused = False
            except NotAllowed as error:
                refused = "lacks the scope" in str(error)
            except KernosError:
                refused = False
            assert refused == (word not in may), word


async def test_a_revoked_or_expired_credential_ends_what_is_open(deployment: Deployment) -> None:
    access = Access(deployment.whole)
    async with deployment.as_(deployment.shop) as ana:
        run = await ana.start(quick, Refund(order="A", amount_cents=1))
        await access.revoke(deployment.shop.split("_")[1], reason="lost")
        await ana.administrator.follow()
        looks = (run.result(), run.state(), anext(run.events()), ana.find(run.id))
        for command in (ana.runs(), ana.start(quick, Refund(order="B", amount_cents=1)), *looks):
            with pytest.raises(NotAllowed, match="not good here"):
                await command
    short = await access.issue("person:eve", ["look"], tenant="other", valid_ms=1)
    held = {one.credential: one for one in access.credentials()}
    assert not held[deployment.shop.split("_")[1]].is_good
    assert held[deployment.other.split("_")[1]].is_good
    assert short.credential in held


async def test_a_scope_that_is_none_is_refused(deployment: Deployment) -> None:
    with pytest.raises(InvalidInput, match="no such scope"):
        await Access(deployment.whole).issue("person:root", ["everything"], tenant="*")


async def test_policies_know_the_roles_of_whoever_a_run_acts_for_in_its_tenant(deployment: Deployment) -> None:
    access = Access(deployment.whole)
    await access.admit("person:ana", tenant="shop", roles=["treasurer"])
    await access.admit("person:eve", tenant="shop", roles=["treasurer"])
    async with deployment.as_(deployment.shop) as ana, deployment.as_(deployment.other) as eve:
        run = await ana.start(desk, Refund(order="A", amount_cents=1))
        assert await run.result() == str(Receipt(id="R-A"))
        assert not any([isinstance(event.data, ApprovalGranted) async for event in run.events()])
        asked = await eve.start(desk, Refund(order="A", amount_cents=1))
        await until(eve, asked, Status.WAITING)  # A role in another tenant is none here.


@pytest.mark.parametrize("contract", [desk, boss], ids=lambda c: c.name)
async def test_a_run_and_all_below_it_call_only_what_was_granted(deployment: Deployment, contract: Any) -> None:
    whole = deployment.whole
    run = await whole.start(contract, Refund(order="A", amount_cents=1), grant=[find_order])
    outcome = await whole.engine.end_of(run.id)
    assert "was not granted the tool shop.refund" in str(outcome)


async def test_a_child_is_granted_no_more_than_its_parent(store: Path) -> None:
    @agent()
    async def generous(ctx: Context, request: Refund) -> str:
        return await ctx.run(desk, request, grant=[find_order, refund])

    async with Kernel(store, agents=[generous, desk], policies="permit (principal, action, resource);") as kernel:
        run = await kernel.start(generous, Refund(order="A", amount_cents=1), grant=[find_order])
        assert "(granted: shop.find)" in str(await kernel.engine.end_of(run.id))
        free = await kernel.start(generous, Refund(order="A", amount_cents=1))
        assert await free.result() == str(Receipt(id="R-A"))


def test_secrets_differ_and_their_digest_is_not_the_secret() -> None:
    chance = SeededChance(1)
    made = [new_secret(chance) for _ in range(100)]
    assert len({one.text for one in made}) == len({one.credential for one in made}) == 100
    assert all(one.digest not in one.text for one in made)
