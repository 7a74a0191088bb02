"""The simulated world: agents that use every kind of step, over a shop that is nothing but a ledger."""

import random
from typing import Annotated, Any

from pydantic import BaseModel

from kernos import CallFailed, CallRefused, Context, Found, Label, Retry, ToolCall, agent, tool
from kernos.testing import Ledger, People, TablePolicy
from kernos.vocabulary.gate import Answer

PATIENT = Retry(attempts=8, first_delay_ms=50, delay_max_ms=2_000)
LEDGER = Ledger()
POLICY = TablePolicy(
    {
        "shop.look": Answer.ALLOW,
        "shop.refund": Answer.ASK,
        "shop.mail": Answer.ALLOW,
        "shop.call": Answer.ALLOW,
    }
)


CANARY = "Zephyrine Quetzalcoatl"


class Case(BaseModel):
    order: str
    customer: Annotated[str, Label("pii.name", subject="order")] = CANARY
    """A canary: the books are searched for what is sealed, and the first tool says it again."""
    wants_person: bool


class Receipt(BaseModel):
    id: str


CALLED: list[str] = []
"""Names of the tools that were called, in order."""


def receipt(op: str, call: ToolCall) -> Receipt:
    CALLED.append(op)
    return Receipt(id=f"{op}-{call.key}")


async def never_asked(case: Case, call: ToolCall) -> Found:
    raise AssertionError(call.key)  # The ledger answers in its place.


@tool("shop.look", effect="read", retry=PATIENT, timeout_ms=5_000)
async def look(case: Case) -> Receipt:
    CALLED.append("look")
    return Receipt(id=f"order-{case.order} of {case.customer}")


@tool("shop.refund", effect="idempotent", retry=PATIENT, timeout_ms=5_000)
async def refund(case: Case, call: ToolCall) -> Receipt:
    return receipt("refund", call)


@tool("shop.mail", effect="verifiable", look_up=never_asked, retry=PATIENT, timeout_ms=5_000)
async def mail(case: Case, call: ToolCall) -> Receipt:
    return receipt("mail", call)


@tool("shop.call", effect="once", retry=PATIENT, timeout_ms=5_000)
async def phone(case: Case, call: ToolCall) -> Receipt:
    return receipt("call", call)


TOOLS = [LEDGER.fake(one) for one in (look, refund, mail, phone)]


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


AGENTS = [desk, clerk, echo]


def some_case(dice: random.Random) -> Case:
    return Case(order=f"A{dice.randrange(1_000)}", wants_person=dice.random() < 0.5)


def some_people(dice: random.Random) -> People:
    """Say yes to four of five, and "go" to whoever waits for it."""
    return People(approve=lambda tool: dice.random() < 0.8, signals={"go": "refund"})


WORLD: dict[str, Any] = {
    "agents": AGENTS,
    "tools": TOOLS,
    "ledger": LEDGER,
    "policies": POLICY,
    "people": some_people,
}
"""What `simulate` needs besides the caller and its case."""
