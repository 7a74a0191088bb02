"""The table of actions, through the whole kernel on a real file."""

from pathlib import Path
from typing import Any

import pytest

from kernos import CallFailed, Context, Kernel, RunDidNotComplete, agent
from kernos.vocabulary.contract import AgentContract
from kernos.vocabulary.errors import NotAllowed
from kernos.vocabulary.traceparent import traceparent
from tests.behaviour.shop import Receipt, Refund, Shop

ALLOW = "permit(principal, action, resource);"


def desk(shop: Shop, name: str) -> AgentContract[Refund, Receipt]:
    tools = shop.tools()

    @agent("desk", tools=list(tools.values()))
    async def run(ctx: Context, request: Refund) -> Receipt:
        return await ctx.call(tools[name], request)

    return run


async def outcome(store: Path, shop: Shop, name: str) -> Any:
    contract = desk(shop, name)
    async with Kernel(store, agents=[contract], policies=ALLOW) as kernel:
        run = await kernel.start(contract, Refund(order="A1", amount_cents=500))
        try:
            return await run.result()
        except RunDidNotComplete as error:
            return error.mode


@pytest.mark.parametrize("tool", ["refund", "mail", "call"])
async def test_an_action_that_answers_happens_once(store: Path, tool: str) -> None:
    shop = Shop()
    assert isinstance(await outcome(store, shop, tool), Receipt)
    assert len(shop.effects) == 1


@pytest.mark.parametrize("tool", ["refund", "mail", "call"])
async def test_a_service_that_is_busy_is_called_again_under_the_same_key(store: Path, tool: str) -> None:
    shop = Shop()
    shop.script = ["busy", "busy", "ok"]
    assert isinstance(await outcome(store, shop, tool), Receipt)
    assert len({call.key for call in shop.calls}) == 1
    assert [call.attempt for call in shop.calls] == [1, 2, 3]


@pytest.mark.parametrize("tool", ["refund", "mail", "call"])
async def test_a_refusal_is_final(store: Path, tool: str) -> None:
    shop = Shop()
    shop.script = ["refuse"]
    assert await outcome(store, shop, tool) == "refused"
    assert len(shop.calls) == 1


@pytest.mark.parametrize("tool", ["refund", "mail", "call"])
async def test_attempts_run_out(store: Path, tool: str) -> None:
    shop = Shop()
    shop.script = ["busy"] * 5
    assert await outcome(store, shop, tool) == "exhausted"
    assert len(shop.calls) == 3


async def test_an_idempotent_action_without_an_answer_is_repeated_and_happens_once(store: Path) -> None:
    shop = Shop()
    shop.script = ["lost", "ok"]
    assert isinstance(await outcome(store, shop, "refund"), Receipt)
    assert len(shop.effects) == 1
    assert len(shop.calls) == 2


async def test_a_verifiable_action_without_an_answer_is_looked_up_and_not_repeated_when_it_happened(
    store: Path,
) -> None:
    shop = Shop()
    shop.script = ["lost"]
    assert await outcome(store, shop, "mail") == Receipt(id="mail-1")
    assert (len(shop.effects), len(shop.calls), shop.look_ups) == (1, 1, 1)


async def test_a_verifiable_action_without_an_answer_is_repeated_when_it_did_not_happen(store: Path) -> None:
    shop = Shop()
    shop.script = ["vanish", "ok"]
    assert await outcome(store, shop, "mail") == Receipt(id="mail-1")
    assert (len(shop.effects), len(shop.calls), shop.look_ups) == (1, 2, 1)


@pytest.mark.parametrize(("verdict", "effects"), [("done", 1), ("not_done", 2), ("unknown", 1)])
async def test_a_once_action_without_an_answer_waits_for_a_person(store: Path, verdict: str, effects: int) -> None:
    shop = Shop()
    shop.script = ["lost"]
    contract = desk(shop, "call")
    async with Kernel(store, agents=[contract], policies=ALLOW) as kernel:
        run = await kernel.start(contract, Refund(order="A1", amount_cents=500))
        async for event in run.events():
            if type(event.data).__name__ == "RunParked":
                break
        rows = await kernel.actions(status="in_doubt")
        assert [row["run"] for row in rows] == [run.id]
        result = {"id": "by-phone"} if verdict == "done" else None
        for name in ("service:bot", "agent:desk@1"):
            with pytest.raises(NotAllowed, match="only a person says what became of"):
                await kernel.settle(run.id, verdict, "I rang them up", result=result, by=name)
        await kernel.settle(run.id, verdict, "I rang them up", result=result)
        if verdict == "unknown":
            with pytest.raises(RunDidNotComplete) as error:
                await run.result()
            assert error.value.mode == "in_doubt"
        else:
            assert (await run.result()).id == {"done": "by-phone", "not_done": "call-2"}[verdict]
    assert len(shop.effects) == effects


async def test_a_read_is_called_again_after_any_failure_but_a_refusal(store: Path) -> None:
    shop = Shop()
    shop.script = ["busy", "vanish", "ok"]
    assert isinstance(await outcome(store, shop, "look"), Receipt)
    assert len(shop.calls) == 3


async def test_every_action_carries_key_and_causal_tag(store: Path) -> None:
    shop = Shop()
    tools = shop.tools()

    @agent("desk", version="7", tools=list(tools.values()))
    async def contract(ctx: Context, request: Refund) -> Receipt:
        await ctx.checkpoint("decided", "it is within the window")
        return await ctx.call(tools["refund"], request)

    async with Kernel(store, agents=[contract], policies=ALLOW) as kernel:
        run = await kernel.start(contract, Refund(order="A1", amount_cents=500), intent="Rücksendung 100 %")
        await run.result()
    headers = shop.calls[0].headers()
    assert headers == {
        "Idempotency-Key": f"{run.id}.2",
        "Kernos-Agent": "desk@7",
        "Kernos-Run": run.id,
        "Kernos-Intent": "R%C3%BCcksendung 100 %25",
        "Kernos-Checkpoint": "decided",
        "traceparent": traceparent(run.id, f"{run.id}.2"),
    }


async def test_agents_code_may_catch_a_failed_call_and_go_on(store: Path) -> None:
    shop = Shop()
    shop.script = ["refuse"]
    tools = shop.tools()

    @agent("desk", tools=list(tools.values()))
    async def contract(ctx: Context, request: Refund) -> str:
        try:
            await ctx.call(tools["refund"], request)
        except CallFailed as error:
            return error.failure
        return "paid"

    async with Kernel(store, agents=[contract], policies=ALLOW) as kernel:
        run = await kernel.start(contract, Refund(order="A1", amount_cents=500))
        assert await run.result() == "refused"
