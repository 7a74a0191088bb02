"""A tool that looks before it acts: a service without keys, where only counting tells whether an action happened."""

from pathlib import Path

import pytest
from pydantic import BaseModel

from kernos import CallFailed, Context, Found, Kernel, Retry, ToolCall, ToolFailed, agent, tool
from kernos.vocabulary.contract import AgentContract, ToolContract
from kernos.vocabulary.events import ActionForgone, ActionIntended

ALLOW = "permit(principal, action, resource);"
ASK = 'permit(principal, action == Action::"invoke", resource);'
FAST = Retry(attempts=3, first_delay_ms=1, delay_max_ms=2)


class Payment(BaseModel):
    order: str
    cents: int


class Till:
    """Pays whenever it is told to; `script` says how the next payments end: `ok`, `lost` (paid, no answer), `vanish` (neither)."""

    def __init__(self, paid: int, script: list[str]) -> None:
        self.paid = paid
        self.script = script
        self.blind = 0
        """How often the list is out of order."""

    def tool(self) -> ToolContract[Payment, None]:
        async def count(payment: Payment, call: ToolCall) -> int:
            if self.blind:
                self.blind -= 1
                raise ToolFailed.retryable("the list is out of order")
            return self.paid

        async def one_more(payment: Payment, call: ToolCall, before: int) -> Found:
            return Found(self.paid > before, f"{before} payments before, {self.paid} now")

        @tool("till.pay", effect="verifiable", observe=count, look_up=one_more, retry=FAST)
        async def pay(payment: Payment, call: ToolCall) -> None:
            how = self.script.pop(0) if self.script else "ok"
            self.paid += how != "vanish"
            if how != "ok":
                raise ToolFailed.unknown("no answer")

        return pay


def clerk(pay: ToolContract[Payment, None]) -> AgentContract[Payment, str]:
    @agent("clerk", tools=[pay])
    async def clerk(ctx: Context, payment: Payment) -> str:
        try:
            await ctx.call(pay, payment)
        except CallFailed as failed:
            return failed.failure
        return "paid"

    return clerk


@pytest.mark.parametrize("script", [["ok"], ["lost"], ["vanish", "ok"], ["vanish", "vanish", "lost"]])
@pytest.mark.parametrize("policy", [ALLOW, ASK])
async def test_one_more_than_before_is_told_from_there_was_one(tmp_path: Path, script: list[str], policy: str) -> None:
    till = Till(paid=7, script=script)
    contract = clerk(till.tool())
    async with Kernel(tmp_path / "k.kernos", agents=[contract], policies=policy) as kernel:
        run = await kernel.start(contract, Payment(order="o1", cents=500))
        async for event in run.events():
            if type(event.data).__name__ == "ApprovalRequested":
                await kernel.approve(run.id)
        assert await run.result() == "paid"
        intents = [event.data async for event in run.events() if isinstance(event.data, ActionIntended)]
    assert till.paid == 8
    assert [one.before.text for one in intents if one.before] == [b"7"]


async def test_an_action_is_not_tried_while_the_state_before_it_cannot_be_seen(tmp_path: Path) -> None:
    till = Till(paid=7, script=[])
    till.blind = 3
    contract = clerk(till.tool())
    async with Kernel(tmp_path / "k.kernos", agents=[contract], policies=ALLOW) as kernel:
        run = await kernel.start(contract, Payment(order="o1", cents=500))
        assert await run.result() == "exhausted"
        forgone = [event.data async for event in run.events() if isinstance(event.data, ActionForgone)]
        assert [row["status"] for row in await kernel.actions()] == ["failed"]
    assert till.paid == 7
    assert [one.attempts for one in forgone] == [3]


async def test_looking_is_tried_again_before_the_action(tmp_path: Path) -> None:
    till = Till(paid=7, script=["lost"])
    till.blind = 2
    contract = clerk(till.tool())
    async with Kernel(tmp_path / "k.kernos", agents=[contract], policies=ALLOW) as kernel:
        run = await kernel.start(contract, Payment(order="o1", cents=500))
        assert await run.result() == "paid"
    assert till.paid == 8
