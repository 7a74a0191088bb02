"""Approvals: a call that policy puts to a person, through the whole kernel with Cedar."""

from pathlib import Path
from typing import Any

import pytest

from kernos import CallRefused, Context, Kernel, Run, agent
from kernos.vocabulary.contract import AgentContract
from kernos.vocabulary.errors import InvalidInput, NotAllowed
from kernos.vocabulary.events import ActionIntended, ApprovalEdited
from tests.behaviour.shop import Receipt, Refund, Shop
from tests.behaviour.test_runs_end_to_end import until

POLICY = """
@id("refunds") permit(principal, action == Action::"invoke", resource is shop::refund);
@id("small") permit(principal, action == Action::"unattended", resource is shop::refund) when { resource.amount_cents <= 5000 };
@id("cap") forbid(principal, action, resource is shop::refund) when { resource.amount_cents > 100000 };
"""


def desk(shop: Shop) -> AgentContract[Refund, str]:
    tools = shop.tools()

    @agent("desk", tools=[tools["refund"]])
    async def contract(ctx: Context, request: Refund) -> str:
        try:
            receipt: Receipt = await ctx.call(tools["refund"], request)
        except CallRefused as refusal:
            return str(refusal)
        return receipt.id

    return contract


async def asked(kernel: Kernel, contract: AgentContract[Refund, str], amount: int) -> Run[str]:
    run = await kernel.start(contract, Refund(order="A1", amount_cents=amount))
    await until(run, "RunParked")
    return run


async def test_policy_allows_asks_and_denies_with_its_rules(store: Path) -> None:
    shop = Shop()
    contract = desk(shop)
    async with Kernel(store, agents=[contract], policies=POLICY) as kernel:
        small = await kernel.start(contract, Refund(order="A1", amount_cents=5000))
        assert await small.result() == "refund-1"
        huge = await kernel.start(contract, Refund(order="A1", amount_cents=100001))
        assert "denied" in await huge.result()
        run = await asked(kernel, contract, 5001)
        decided: dict[str, Any] = {}
        for one in (small, huge, run):
            async for event in one.events(follow=False):
                gate = getattr(event.data, "gate", None)
                if gate is not None:
                    decided[one.id] = (gate.answer, gate.rules, gate.policy_set)
        digest = kernel.policy.digest()[:16]
        assert decided == {
            small.id: ("allow", ("refunds", "small"), digest),
            huge.id: ("deny", ("cap",), digest),
            run.id: ("ask", ("refunds",), digest),
        }
    assert len(shop.effects) == 1


async def test_a_yes_lets_exactly_this_call_happen_once(store: Path) -> None:
    shop = Shop()
    contract = desk(shop)
    async with Kernel(store, agents=[contract], policies=POLICY) as kernel:
        run = await asked(kernel, contract, 6000)
        with pytest.raises(NotAllowed, match="other arguments"):
            await kernel.approve(run.id, digest="0" * 64)
        await kernel.approve(run.id, by="person:ana")
        assert await run.result() == "refund-1"
        intended = [e.data async for e in run.events() if isinstance(e.data, ActionIntended)]
        assert [one.approval for one in intended] == [f"{run.id}.1"]
        with pytest.raises(NotAllowed):
            await kernel.approve(f"{run.id}.1")
    assert len(shop.effects) == 1


async def test_a_no_and_silence_refuse_the_call(store: Path) -> None:
    shop = Shop()
    contract = desk(shop)
    async with Kernel(store, agents=[contract], policies=POLICY, approval_ttl_ms=40) as kernel:
        run = await asked(kernel, contract, 6000)
        await kernel.deny(run.id, "not under warranty", by="person:ana")
        assert "person:ana said no: not under warranty" in await run.result()
        silent = await kernel.start(contract, Refund(order="A1", amount_cents=6000))
        assert "nobody answered in time" in await silent.result()
    assert shop.effects == []


async def test_an_edit_runs_the_changed_arguments_and_keeps_the_proposal(store: Path) -> None:
    shop = Shop()
    contract = desk(shop)
    async with Kernel(store, agents=[contract], policies=POLICY) as kernel:
        run = await asked(kernel, contract, 9000)
        with pytest.raises(InvalidInput, match="no argument"):
            await kernel.edit(run.id, {"amount": 1})
        with pytest.raises(InvalidInput, match="do not fit"):
            await kernel.edit(run.id, {"amount_cents": "much"})
        with pytest.raises(NotAllowed, match="denies"):
            await kernel.edit(run.id, {"amount_cents": 200000})
        await kernel.edit(run.id, {"amount_cents": 4000}, by="person:ana")
        assert await run.result() == "refund-1"
        (edited,) = [e.data async for e in run.events() if isinstance(e.data, ApprovalEdited)]
        assert b'"amount_cents":9000' in edited.before.text
        assert b'"amount_cents":4000' in edited.args.text


async def test_a_second_process_may_approve_beside_a_running_kernel(store: Path) -> None:
    shop = Shop()
    contract = desk(shop)
    async with Kernel(store, agents=[contract], policies=POLICY) as kernel:
        run = await asked(kernel, contract, 6000)
        async with Kernel(store, agents=[contract], policies=POLICY, works=False) as other:
            assert not other.works
            await other.approve(run.id[:8], by="person:ana")
            assert await run.result() == "refund-1"


async def test_policy_of_the_moment_of_acting_counts(store: Path) -> None:
    shop = Shop()
    contract = desk(shop)
    async with Kernel(store, agents=[contract], policies=POLICY) as kernel:
        run = await asked(kernel, contract, 6000)
    stricter = POLICY.replace("100000", "1000")
    async with Kernel(store, agents=[contract], policies=stricter) as kernel:
        await kernel.approve(run.id)
        assert "denied" in await (await kernel.run(run.id)).result()
    assert shop.effects == []
