"""Rehearsal: what policies would have decided is what they decide when the same calls are made under them."""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec import json
from pydantic import BaseModel

from kernos import (
    CallFailed,
    CallRefused,
    Context,
    Failed,
    Kernel,
    RulesModel,
    Run,
    RunDidNotComplete,
    ToolCall,
    Undo,
    agent,
    tool,
)
from kernos.app.policies import load_policy
from kernos.control.gate import Gate
from kernos.control.projections import TABLES
from kernos.control.rehearsal import Rehearsal, Rehearser, groups_of, money_of
from kernos.control.stake import Stake, stake_of
from kernos.vocabulary import events as ev
from kernos.vocabulary.contract import AgentContract
from kernos.vocabulary.quantities import Json
from tests.behaviour.test_runs_end_to_end import until

pytestmark = pytest.mark.slow


class Refund(BaseModel):
    order: str
    amount_cents: int


class Mail(BaseModel):
    to: str


class Look(BaseModel):
    id: str


class Ticket(BaseModel):
    name: str
    amount_cents: int
    edited_cents: int = 0


@tool("shop.refund", effect="idempotent")
def refund(request: Refund, call: ToolCall) -> str:
    return f"R-{request.order}"


@tool("shop.mail", effect="once")
def mail(request: Mail, call: ToolCall) -> str:
    return "sent"


@tool("shop.look", effect="read")
def look(request: Look) -> str:
    return "seen"


async def attempt(work: Any) -> None:
    try:
        await work
    except (CallRefused, CallFailed):
        return


@agent("desk", tools=[refund, mail, look], version="1")
async def desk(ctx: Context, ticket: Ticket) -> None:
    await attempt(ctx.model("judge", ticket, str))
    await attempt(ctx.call(look, Look(id=ticket.name)))
    await attempt(ctx.call(refund, Refund(order=ticket.name, amount_cents=ticket.amount_cents)))
    await attempt(ctx.call(mail, Mail(to=ticket.name)))


@agent("boss")
async def boss(ctx: Context, ticket: Ticket) -> None:
    await ctx.run(desk, ticket)


OLD = """
@id("models") permit(principal, action, resource is Model);
@id("looks") permit(principal, action, resource is shop::look);
@id("refunds") permit(principal, action == Action::"invoke", resource is shop::refund);
@id("small") permit(principal, action == Action::"unattended", resource is shop::refund) when { resource.amount_cents <= 5000 };
@id("cap") forbid(principal, action, resource is shop::refund) when { resource.amount_cents > 20000 };
@id("mails") permit(principal, action, resource is shop::mail);
"""

NEW = """
@id("models") permit(principal, action, resource is Model) when { context.on_behalf_of != "person:eve" };
@id("looks") permit(principal, action == Action::"invoke", resource is shop::look);
@id("looks.alone") permit(principal, action == Action::"unattended", resource is shop::look) when { context.depth == 0 };
@id("refunds") permit(principal, action == Action::"invoke", resource is shop::refund);
@id("small") permit(principal, action == Action::"unattended", resource is shop::refund) when { resource.amount_cents <= 2000 };
@id("trusted") permit(principal, action == Action::"unattended", resource is shop::refund) when { context.on_behalf_of == "person:ana" };
@id("cap") forbid(principal, action, resource is shop::refund) when { resource.amount_cents > 8000 };
@id("raised") permit(principal, action, resource is shop::mail) when { context.tenant == "acme" };
"""

AMOUNTS = (100, 2000, 2001, 5000, 5001, 8000, 8001, 20_000, 20_001)
WORK = [
    (contract, Ticket(name=f"{contract.name}-{by}-{tenant}-{amount}", amount_cents=amount), f"person:{by}", tenant)
    for contract in (desk, boss)
    for by in ("ana", "eve")
    for tenant in ("acme", "other")
    for amount in AMOUNTS
]
MODELS = {"default": RulesModel({"judge": lambda value: "fair"})}

Decisions = dict[tuple[str, str], str]
"""Answers by ticket and step."""


async def answer_all(kernel: Kernel, run: Run[Any]) -> None:
    """Say yes to whatever is asked, until the run and its children have ended."""
    async for event in run.events():
        if isinstance(event.data, ev.ChildStarted):
            await answer_all(kernel, await kernel.run(event.data.child))
        if isinstance(event.data, ev.ApprovalRequested):
            await kernel.approve(f"{run.id}.{event.data.step}")


async def worked(kernel: Kernel) -> None:
    for contract, ticket, by, tenant in WORK:
        await answer_all(kernel, await kernel.start(contract, ticket, key=ticket.name, by=by, tenant=tenant))


async def first_decisions(kernel: Kernel) -> Decisions:
    """Return the first answer of the gate about every call of every ticket's desk."""
    found: Decisions = {}
    for row in await kernel.runs(limit=10_000):
        run = await kernel.run(str(row["run"]))
        if row["agent"] == "desk":
            events = [event async for event in run.events(follow=False)]
            asked = events[0].data
            assert isinstance(asked, ev.RunRequested)
            name = json.decode(asked.input.text)["name"]
            for event in events:
                gate = getattr(event.data, "gate", None)
                if gate is not None:
                    found.setdefault((name, str(getattr(event.data, "step", ""))), str(gate.answer))
    return found


async def rehearsed(kernel: Kernel, policies: str, last: int = 0) -> Rehearsal:
    policy = load_policy(policies, kernel.registry)
    rehearser = Rehearser(kernel.journal, kernel.registry, Gate(kernel.registry, policy), policy.digest())
    return await rehearser.rehearse(last, lambda done, of_all: None)


def kernel_of(store: Path, policies: str, agents: Sequence[AgentContract[Any, Any]] = (desk, boss)) -> Kernel:
    return Kernel(store, agents=agents, models=MODELS, policies=policies)


async def test_predicted_flips_are_what_then_really_happens(tmp_path: Path) -> None:
    async with kernel_of(tmp_path / "old.kernos", OLD) as kernel:
        await worked(kernel)
        before = await first_decisions(kernel)
        names = {row["run"]: await name_of(kernel, str(row["run"])) for row in await kernel.runs(limit=10_000)}
        found = await rehearsed(kernel, NEW)
    async with kernel_of(tmp_path / "new.kernos", NEW) as kernel:
        await worked(kernel)
        after = await first_decisions(kernel)
    assert len(before) == len(after) == 4 * len(WORK)
    real = {place: (before[place], after[place]) for place in before if before[place] != after[place]}
    predicted = {(names[flip.run], flip.step): (flip.was.answer, flip.would_be.answer) for flip in found.flips}
    assert predicted == real
    assert set(real.values()) == {
        ("allow", "ask"), ("allow", "deny"), ("ask", "allow"), ("ask", "deny"),
    }  # fmt: skip
    assert found.decisions - found.repeated == len(before)
    assert found.left_out.total() == 0


async def name_of(kernel: Kernel, run: str) -> str:
    state = await (await kernel.run(run)).state()
    return str(json.decode(state.request().input.text)["name"])


async def test_the_same_policies_flip_nothing_and_nothing_is_written(store: Path) -> None:
    async with kernel_of(store, OLD) as kernel:
        await worked(kernel)
        head = await kernel.journal.head()
        rows = [await kernel.journal.dump(table.name) for table in TABLES]
        same, other = await rehearsed(kernel, OLD), await rehearsed(kernel, NEW)
        assert (same.flipped, list(same.flips)) == (0, [])
        assert other.flips
        assert same.policy_set == kernel.policy.digest()[:16] != other.policy_set
        assert await kernel.journal.head() == head
        assert [await kernel.journal.dump(table.name) for table in TABLES] == rows


@pytest.mark.parametrize("last", [1, 2, 7, 50, 10_000])
async def test_only_the_last_decisions_are_taken_when_that_is_asked(store: Path, last: int) -> None:
    async with kernel_of(store, OLD) as kernel:
        await worked(kernel)
        every, some = await rehearsed(kernel, NEW), await rehearsed(kernel, NEW, last)
    assert some.decisions == min(last, every.decisions)
    assert list(some.flips) == list(every.flips)[len(every.flips) - len(some.flips) :]
    answered = some.answers.total() + some.repeated
    assert answered == some.decisions


async def test_arguments_that_a_person_changed_are_decided_on_as_well(store: Path) -> None:
    async with kernel_of(store, OLD) as kernel:
        run = await kernel.start(desk, Ticket(name="A1", amount_cents=6000))
        await until(run, "ApprovalRequested")
        await kernel.edit(run.id, {"amount_cents": 9000})
        await run.result()
        found = await rehearsed(kernel, NEW)
    refunds = [
        (flip.direction, json.decode(flip.args.text)["amount_cents"]) for flip in found.flips if flip.step == "3"
    ]
    assert refunds == [("ask -> deny", 9000)]
    assert found.repeated == 1


async def test_flips_are_grouped_by_direction_tool_and_rules_with_the_money_at_stake(store: Path) -> None:
    async with kernel_of(store, OLD) as kernel:
        for name, amount in (("A1", 2500), ("A2", 3000), ("A3", 100)):
            await (
                await kernel.start(desk, Ticket(name=name, amount_cents=amount), by="person:eve", tenant="acme")
            ).result()
        found = await rehearsed(kernel, NEW)
    denies, asks = groups_of(found.flips)
    assert (denies.direction, denies.tool, denies.lost) == ("allow -> deny", "model default", ("models",))
    assert (asks.direction, asks.tool, asks.lost, asks.gained) == ("allow -> ask", "shop.refund", ("small",), ())
    assert asks.reason == "no policy permits it unattended"
    assert money_of(asks.flips).sums == (("amount_cents", "cents", Decimal(5500), 2),)
    assert money_of(denies.flips).sums == ()
    assert money_of(denies.flips).unknown == 0


async def test_what_the_code_can_no_longer_ask_is_left_out_with_the_reason(store: Path) -> None:
    async with kernel_of(store, OLD) as kernel:
        await (await kernel.start(desk, Ticket(name="A1", amount_cents=100), tenant="acme")).result()
        await (await kernel.start(boss, Ticket(name="A2", amount_cents=100), tenant="acme")).result()

    @agent("desk", tools=[mail], version="2")
    async def shrunk(ctx: Context, ticket: Ticket) -> None:
        await ctx.call(mail, Mail(to=ticket.name))

    mails = 'permit(principal, action, resource is shop::mail) when { principal.version == "1" };'
    async with kernel_of(store, mails, (shrunk,)) as kernel:
        found = await rehearsed(kernel, mails)
    assert found.left_out == {
        "agent desk no longer declares shop.look": 2,
        "agent desk no longer declares shop.refund": 2,
    }
    assert [flip.tool for flip in found.flips] == ["model default"] * 2
    assert found.answers == {"allow": 2, "deny": 2}


@tool("till.put_back", effect="idempotent")
def put_back(request: Refund, call: ToolCall) -> str:
    return "back"


@tool("till.take", effect="idempotent", compensate=Undo(put_back, lambda request: request))
def take(request: Refund, call: ToolCall) -> str:
    return "taken"


@agent("cashier", tools=[take], failures=["regret"], on_failure={"regret": "compensate"})
async def cashier(ctx: Context, request: Refund) -> None:
    await ctx.call(take, request)
    raise Failed("regret", "it shall not be so")


async def test_an_undo_that_was_denied_is_decided_on_as_an_undo(store: Path) -> None:
    takes = "permit(principal, action, resource is till::take);"
    backs = "permit(principal, action, resource is till::put_back) when { context.undo };"
    async with kernel_of(store, takes, (cashier,)) as kernel:
        with pytest.raises(RunDidNotComplete):
            await (await kernel.start(cashier, Refund(order="A1", amount_cents=500))).result()
        found = await rehearsed(kernel, takes + backs)
    assert [(flip.direction, flip.tool) for flip in found.flips] == [("deny -> allow", "till.put_back")]
    assert found.left_out.total() == 0


@pytest.mark.parametrize(
    ("args", "stake"),
    [
        ({"amount_cents": 5, "total": 9}, Stake("amount_cents", Decimal(5), "cents")),
        ({"amount": "12.50", "currency": "eur"}, Stake("amount", Decimal("12.50"), "EUR")),
        ({"amount_minor": 7, "currency": "CHF"}, Stake("amount_minor", Decimal(7), "minor CHF")),
        ({"order": {"refund_total_eur": 3.5}}, Stake("order.refund_total_eur", Decimal("3.5"), "eur")),
        ({"price": 4}, Stake("price", Decimal(4), "")),
        ({"amount": True}, None),
        ({"amount_max": 7, "max_amount": 7, "count": 3, "surname": "total"}, None),
        ({"amount": "a lot"}, None),
        ([1, 2], None),
    ],
)
def test_money_is_found_by_the_name_of_an_argument(args: Any, stake: Stake | None) -> None:
    assert stake_of(Json(json.encode(args))) == stake
