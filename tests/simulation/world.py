"""The simulated world: a shop with seeded faults, people with seeded delays, and agents that use both.

A request commits when it arrives, or not at all; its answer comes later, or never, or says something else. So the shop's own ledger tells
what happened, whatever the caller got to hear.
"""

import asyncio
import random
from collections import Counter
from typing import Any

from pydantic import BaseModel

from kernos import CallFailed, CallRefused, Context, Found, Retry, ToolCall, ToolFailed, agent, tool
from kernos.authoring.codec import codec_of
from kernos.vocabulary.contract import AgentContract
from kernos.vocabulary.quantities import Json

PATIENT = Retry(attempts=8, first_delay_ms=50, delay_max_ms=2_000)


class Case(BaseModel):
    order: str
    wants_person: bool


class Receipt(BaseModel):
    id: str


def receipt_of(receipt: Receipt | None) -> Json | None:
    return None if receipt is None else codec_of(Receipt).encode(receipt)


class Shop:
    """Commits effects under keys; honours keys for refunds and notes only."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.effects: Counter[str] = Counter()
        self.ops: dict[str, str] = {}
        self.receipts: dict[str, Receipt] = {}
        self.calls = 0

    async def delay(self) -> None:
        await asyncio.sleep(self.random.choice((0.001, 0.004, 0.02, 0.3, 1.5)))

    async def act(self, op: str, call: ToolCall, *, honours_keys: bool) -> Receipt:
        self.calls += 1
        fate = self.random.random()
        if honours_keys and call.key in self.receipts and fate < 0.12:
            fate = (
                0.05 if fate < 0.09 else 0.5
            )  # A key that is known is answered with its first outcome, or not at all.
        if fate < 0.06:
            raise ToolFailed.retryable("429", retry_after_ms=self.random.choice((0, 200, 3_000)))
        if fate < 0.10:
            await self.delay()
            raise ToolFailed.unknown("reset before anything happened")
        if fate < 0.12:
            await self.delay()
            raise ToolFailed.final("the card is closed")
        receipt = self.receipts.get(call.key) if honours_keys else None
        if receipt is None:
            receipt = Receipt(id=f"{op}-{len(self.receipts)}")
            self.effects[call.key] += 1
            self.ops[call.key] = op
            self.receipts[call.key] = receipt
        await self.delay()
        if fate < 0.20:
            raise ToolFailed.unknown("reset after commit")
        if fate < 0.24:
            await asyncio.sleep(10)  # Longer than the time the tool gives it.
        return receipt

    async def look(self, case: Case) -> Receipt:
        await self.delay()
        if self.random.random() < 0.1:
            raise ToolFailed.unknown("reset")
        return Receipt(id=f"order-{case.order}")

    async def find(self, call: ToolCall) -> Found:
        await self.delay()
        if self.random.random() < 0.1:
            raise ToolFailed.retryable("503")
        receipt = self.receipts.get(call.key)
        return Found(receipt is not None, "the list of mails", receipt_of(receipt))


def desk_over(shop: Shop) -> list[AgentContract[Any, Any]]:
    """Declare a caller, its desk, and what the desk asks, over one shop."""

    @tool("shop.look", effect="read", retry=PATIENT, timeout_ms=5_000)
    async def look(case: Case) -> Receipt:
        return await shop.look(case)

    @tool("shop.refund", effect="idempotent", retry=PATIENT, timeout_ms=5_000)
    async def refund(case: Case, call: ToolCall) -> Receipt:
        return await shop.act("refund", call, honours_keys=True)

    async def find(case: Case, call: ToolCall) -> Found:
        return await shop.find(call)

    @tool("shop.mail", effect="verifiable", look_up=find, retry=PATIENT, timeout_ms=5_000)
    async def mail(case: Case, call: ToolCall) -> Receipt:
        return await shop.act("mail", call, honours_keys=False)

    @tool("shop.call", effect="once", retry=PATIENT, timeout_ms=5_000)
    async def phone(case: Case, call: ToolCall) -> Receipt:
        return await shop.act("call", call, honours_keys=False)

    @agent("clerk", tools=[mail, phone], failures=["refused", "exhausted", "in_doubt", "cancelled"])
    async def clerk(ctx: Context, case: Case) -> str:
        first, second = await ctx.fork(lambda c: c.call(mail, case), lambda c: c.call(phone, case))
        return f"{first.id} {second.id}"

    @agent("echo")
    async def echo(ctx: Context, case: Case) -> str:
        return str(await ctx.uuid())

    async def maybe_mail(ctx: Context, case: Case) -> None:
        try:
            await ctx.call(mail, case)
        except CallFailed:
            await ctx.sleep(60)

    @agent("desk", tools=[look, refund, mail])
    async def desk(ctx: Context, case: Case) -> str:
        found = await ctx.call(look, case)
        await ctx.fork(lambda c: c.run(echo, case), lambda c: c.uuid())
        await ctx.fork(lambda c: c.sleep(0.05), lambda c: maybe_mail(c, case), take=1)
        await ctx.checkpoint("found", found.id)
        paid = "nothing"
        try:
            paid = (await ctx.call(refund, case)).id
        except (CallFailed, CallRefused) as error:
            paid = type(error).__name__
        await ctx.fork(lambda c: c.sleep(0.5), lambda c: c.wait("never", str), take=1)
        try:
            _, said = await ctx.fork(lambda c: c.sleep(0.2), lambda c: c.run(clerk, case))
        except CallFailed as error:
            return f"{paid} {error.failure}"
        return f"{paid} {said}"

    @agent("caller")
    async def caller(ctx: Context, case: Case) -> list[str]:
        said = await ctx.wait("go", str, timeout=30)
        number = await ctx.random()
        answer = await ctx.ask("lead", f"{said}?", ["yes", "no"]) if case.wants_person else "yes"
        return [answer, str(number), await ctx.run(desk, case)]

    return [desk, clerk, echo, caller]
