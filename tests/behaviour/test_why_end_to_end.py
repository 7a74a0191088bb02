"""Why: actions that were tried several times, looked up, taken back or reverted, each found and told with all that is behind it."""

from pathlib import Path

import pytest

from kernos import Context, Kernel, RunDidNotComplete, agent
from kernos.app.account import Account
from kernos.app.finding import find_calls
from kernos.app.outside import deeds_of
from kernos.app.why import Why, explain
from kernos.vocabulary.errors import NotFound
from tests.behaviour.shop import Receipt, Refund, Shop
from tests.behaviour.test_compensation_end_to_end import ALLOW, Books, Money, desk_of


def unheard(done: int) -> None:
    """Listen to no progress."""


async def why(kernel: Kernel, reference: str) -> Why:
    (found,) = await find_calls(kernel, reference, unheard)
    return await explain(kernel, found)


async def account(shop: Shop, store: Path, name: str, script: list[str]) -> Account:
    tool = shop.tools()[name]
    shop.script = script

    @agent("desk", tools=[tool])
    async def desk(ctx: Context, request: Refund) -> Receipt:
        return await ctx.call(tool, request)

    async with Kernel(store, agents=[desk], policies=ALLOW) as kernel:
        run = await kernel.start(desk, Refund(order="A1", amount_cents=5))
        receipt = await run.result()
        return (await why(kernel, receipt.id)).account


async def test_every_attempt_is_told_with_how_it_ended(store: Path) -> None:
    told = await account(Shop(), store, "refund", ["busy", "lost", "ok"])
    assert [attempt.number for attempt in told.attempts] == [1, 2, 3]
    assert [attempt.ended for attempt in told.attempts] == [
        "retryable: come back later", "unknown: the connection broke", "answered",
    ]  # fmt: skip
    assert (told.state, told.look_ups) == ("performed", [])


async def test_a_look_up_that_settled_it_is_told_with_its_evidence(store: Path) -> None:
    told = await account(Shop(), store, "mail", ["lost"])
    assert [attempt.ended for attempt in told.attempts] == ["unknown: the connection broke"]
    ((done, evidence),) = [(looked.done, looked.evidence) for looked in told.look_ups]
    assert done is True
    assert evidence == f"the list of mails for {told.key}" == told.outcome


async def test_an_action_that_was_compensated_leads_to_its_undo_and_back(store: Path) -> None:
    desk = desk_of(Books(), {"*": "compensate"})
    async with Kernel(store, agents=[desk], policies=ALLOW) as kernel:
        run = await kernel.start(desk, Money(order="o1", cents=1_500))
        with pytest.raises(RunDidNotComplete):
            await run.result()
        told = await why(kernel, f"{run.id}.1")
        (undo,) = told.taken_back
        assert (undo.tool, undo.key, undo.undoes, undo.state) == (
            "shop.charge", f"{run.id}.1.undo", f"{run.id}.1", "performed",
        )  # fmt: skip
        back = await why(kernel, undo.key)
        assert back.account == undo
        assert [link.agent for link in back.chain] == ["desk", "kernos.revert"]
        deeds = await deeds_of(kernel, run.id, tree=True)
    performed = [one for one in deeds.actions if one.state == "performed"]
    assert [one.tool for one in performed] == ["shop.refund", "shop.refund", "shop.charge", "shop.charge"]
    assert set(deeds.taken_back) == {one.key for one in performed[:2]}


async def test_an_action_that_a_person_reverted_later_names_the_run_that_did_it(store: Path) -> None:
    desk = desk_of(Books(), {})
    async with Kernel(store, agents=[desk], policies=ALLOW) as kernel:
        run = await kernel.start(desk, Money(order="o1", cents=500))
        await run.result()
        reverting = await kernel.revert(await kernel.plan_revert(run.id), by="person:bo")
        await reverting.result()
        told = await why(kernel, f"{run.id}.3")
        (undo,) = told.taken_back
        assert undo.run == reverting.id
        back = await why(kernel, undo.key)
        deeds = await deeds_of(kernel, run.id, tree=True)
    assert [(link.asked_by, link.reverts) for link in back.chain] == [("person:bo", run.id)]
    assert [deeds.taken_back[one.key].split()[0] for one in deeds.actions] == [
        f"{one.key}.undo" for one in deeds.actions
    ]


async def test_a_reference_that_nobody_knows_is_refused(store: Path) -> None:
    desk = desk_of(Books(), {})
    async with Kernel(store, agents=[desk], policies=ALLOW) as kernel:
        for reference in ("", "R-1", "x.undo", "5r0kd7v3m2axq.4", "5r0kd7v3m2axq.4.undo", "\udcff"):
            with pytest.raises(NotFound, match="nothing that was done outside is known as"):
                await find_calls(kernel, reference, unheard)
