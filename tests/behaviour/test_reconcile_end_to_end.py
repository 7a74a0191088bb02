"""A service that doubles and delays, its own list, and the kernel that finds what is too much and takes it back."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from kernos import (
    CallFailed,
    Context,
    Failed,
    Kernel,
    Listed,
    Retry,
    RunDidNotComplete,
    Sweep,
    ToolCall,
    ToolFailed,
    Undo,
    agent,
    listing,
    tool,
)
from kernos.vocabulary.contract import AgentContract

ALLOW = "permit(principal, action, resource);"
ASK_TO_UNDO = 'permit(principal, action, resource); forbid(principal, action == Action::"unattended", resource) when { context.undo };'
ONCE = Retry(attempts=1)


class Payment(BaseModel):
    order: str
    cents: int


class Bank:
    """Keeps no keys. `script` says how the next payments end: `ok`, `twice` (the network delivered two), `late` (done, but it said no)."""

    def __init__(self, *script: str) -> None:
        self.script = list(script)
        self.moves: list[Payment] = []
        self.is_away = False

    @property
    def balance(self) -> int:
        return sum(move.cents for move in self.moves)

    def desk(self) -> AgentContract[Payment, str]:
        @listing("bank.moves")
        async def moves(sweep: Sweep) -> list[Listed]:
            if self.is_away:
                raise ToolFailed.retryable("the bank is closed")
            orders = {request["order"] for request in sweep.requests}
            return [
                Listed(f"m{n}", {"order": move.order, "cents": abs(move.cents)}, tools=(tool_of(move),))
                for n, move in enumerate(self.moves)
                if move.order in orders or move.order == "stray"
            ]

        def tool_of(move: Payment) -> str:
            return "bank.pay" if move.cents > 0 else "bank.fetch_back"

        @tool("bank.fetch_back", effect="once", retry=ONCE, listed=moves)
        async def fetch_back(payment: Payment, call: ToolCall) -> None:
            self.moves.append(Payment(order=payment.order, cents=-payment.cents))

        @tool("bank.pay", effect="once", retry=ONCE, listed=moves, compensate=Undo(fetch_back, lambda payment: payment))
        async def pay(payment: Payment, call: ToolCall) -> None:
            how = self.script.pop(0) if self.script else "ok"
            self.moves.extend([payment] * (2 if how == "twice" else 1))
            if how == "late":
                raise ToolFailed.final("no")

        @agent("desk", tools=[pay])
        async def desk(ctx: Context, payment: Payment) -> str:
            try:
                await ctx.call(pay, payment)
            except CallFailed as failed:
                return failed.failure
            return "paid"

        return desk


async def pay(kernel: Kernel, *orders: str) -> None:
    for order in orders:
        await (await kernel.start("desk", Payment(order=order, cents=500))).result()


def told(found: Any) -> list[tuple[str, str, bool]]:
    return [(one.deviation, one.reference, one.undo is not None) for one in found.differences]


async def test_what_is_doubled_or_late_is_found_with_its_action_and_taken_back_once(tmp_path: Path) -> None:
    bank = Bank("ok", "twice", "late")
    async with Kernel(tmp_path / "k.kernos", agents=[bank.desk()], policies=ALLOW) as kernel:
        await pay(kernel, "o1", "o2", "o3")
        found = await kernel.reconcile()
        assert told(found) == [("late", "m3", True), ("doubled", "m2", True)]
        assert (found.actions, found.effects) == (3, 4)
        taken = await kernel.take_back(found)
        assert taken is not None
        assert len((await taken.result()).undone) == 2
        again = await kernel.reconcile()
        assert [(one.deviation, one.settled[:10]) for one in again.differences] == [
            ("late", "taken back"),
            ("doubled", "taken back"),
        ]
        assert await kernel.take_back(again) is None
    assert bank.balance == 1_000


async def test_what_nobody_intended_and_what_is_missing_is_told_without_an_undo(tmp_path: Path) -> None:
    bank = Bank()
    async with Kernel(tmp_path / "k.kernos", agents=[bank.desk()], policies=ALLOW) as kernel:
        await pay(kernel, "o1")
        bank.moves[0] = Payment(order="stray", cents=9)
        assert told(await kernel.reconcile()) == [("unintended", "m0", False), ("missing", "", False)]


async def test_a_list_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    bank = Bank()
    async with Kernel(tmp_path / "k.kernos", agents=[bank.desk()], policies=ALLOW) as kernel:
        await pay(kernel, "o1")
        bank.is_away = True
        found = await kernel.reconcile()
    assert (found.differences, found.unheard) == ((), ("bank.moves: the bank is closed",))


async def test_taking_back_on_a_schedule_asks_where_policy_asks_and_a_person_who_saw_it_is_not_asked_again(
    tmp_path: Path,
) -> None:
    bank = Bank("twice", "twice")
    async with Kernel(tmp_path / "k.kernos", agents=[bank.desk()], policies=ASK_TO_UNDO) as kernel:
        await pay(kernel, "o1")
        unseen = await kernel.take_back(await kernel.reconcile())
        assert unseen is not None
        async for event in unseen.events():
            if type(event.data).__name__ == "ApprovalRequested":
                await kernel.approve(unseen.id)
        await pay(kernel, "o2")
        seen = await kernel.take_back(await kernel.reconcile(), by="person:ana", seen=True)
        assert seen is not None
        assert len((await seen.result()).undone) == 1
    assert bank.balance == 1_000


async def test_an_undo_is_known_by_its_own_key_in_the_services_list(tmp_path: Path) -> None:
    moves: list[tuple[str, str, Payment]] = []

    @listing("bank.moves")
    def listed(sweep: Sweep) -> list[Listed]:
        return [
            Listed(f"m{n}", {"booked": move.cents}, key, tools=(name,)) for n, (name, key, move) in enumerate(moves)
        ]

    @tool("bank.fetch_back", effect="idempotent", listed=listed)
    def fetch_back(payment: Payment, call: ToolCall) -> None:
        moves.append(("bank.fetch_back", call.key, payment))

    @tool("bank.pay", effect="idempotent", listed=listed, compensate=Undo(fetch_back, lambda payment: payment))
    def pay_once(payment: Payment, call: ToolCall) -> None:
        moves.append(("bank.pay", call.key, payment))

    @agent("desk", tools=[pay_once], failures=["regret"], on_failure={"regret": "compensate"})
    async def desk(ctx: Context, payment: Payment) -> str:
        await ctx.call(pay_once, payment)
        raise Failed("regret", "it shall not be so")

    async with Kernel(tmp_path / "k.kernos", agents=[desk], policies=ALLOW) as kernel:
        run = await kernel.start(desk, Payment(order="A1", cents=500))
        with pytest.raises(RunDidNotComplete):
            await run.result()
        found = await kernel.reconcile()
    assert [name for name, _, _ in moves] == ["bank.pay", "bank.fetch_back"]
    assert (found.actions, found.effects, found.differences) == (2, 2, ())
