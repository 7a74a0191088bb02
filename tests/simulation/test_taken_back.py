"""A thousand random workflows that fail, under faults and crashes at any point: the world after is the world before."""

import random
from collections import Counter
from functools import cache

import msgspec
import pytest
from pydantic import BaseModel

from kernos import Context, Failed, Found, Retry, ToolCall, Undo, agent, tool
from kernos.testing import Ledger, simulate
from kernos.vocabulary.events import CompensationBegun, RunCancelled, RunFailed, RunRequested

PATIENT = Retry(attempts=60, first_delay_ms=20, delay_max_ms=500)
"""So patient that no undo gives up: what is refused for good is another test's matter."""
RATES = {
    "busy": 0.05,
    "error_before": 0.04,
    "error_after": 0.05,
    "reset": 0.03,
    "lost_reply": 0.05,
    "timeout_after": 0.02,
}
PARTS, SEEDS, OPERATIONS = 10, 20, 60
LEDGER = Ledger()


class Pay(BaseModel):
    account: str
    cents: int


class Put(BaseModel):
    """Set what lies on a place; the result is what lay there before."""

    place: str
    thing: str


class Op(BaseModel):
    kind: str
    cents: int = 0
    place: str = ""
    thing: str = ""


class Work(BaseModel):
    name: str
    ops: list[Op]


class Order(BaseModel):
    work: Work
    below: list[Work]
    is_forked: bool


async def never_asked(put: Put, call: ToolCall) -> Found:
    raise AssertionError(call.key)  # The ledger answers in its place.


@tool("bank.fetch_back", effect="idempotent", retry=PATIENT, timeout_ms=5_000)
async def fetch_back(pay: Pay, call: ToolCall) -> None:
    raise AssertionError(call.key)


@tool("bank.pay", effect="idempotent", retry=PATIENT, timeout_ms=5_000, compensate=Undo(fetch_back, lambda pay: pay))
async def pay(pay: Pay, call: ToolCall) -> None:
    raise AssertionError(call.key)


@tool("shelf.put_back", effect="verifiable", look_up=never_asked, retry=PATIENT, timeout_ms=5_000)
async def put_back(put: Put, call: ToolCall) -> str:
    raise AssertionError(call.key)


@tool(
    "shelf.put",
    effect="verifiable",
    look_up=never_asked,
    retry=PATIENT,
    timeout_ms=5_000,
    compensate=Undo(put_back, lambda put, before: Put(place=put.place, thing=before)),
)
async def put(put: Put, call: ToolCall) -> str:
    raise AssertionError(call.key)


async def do(ctx: Context, work: Work) -> None:
    for op in work.ops:
        if op.kind == "pay":
            await ctx.call(pay, Pay(account=work.name, cents=op.cents))
        elif op.kind == "put":
            await ctx.call(put, Put(place=f"{work.name}/{op.place}", thing=op.thing))
        else:
            await ctx.checkpoint("so far", op.kind)


@agent("helper", tools=[pay, put])
async def helper(ctx: Context, work: Work) -> None:
    await do(ctx, work)


@agent("maker", tools=[pay, put], failures=["spoiled"], on_failure={"*": "compensate"})
async def maker(ctx: Context, order: Order) -> None:
    half = len(order.work.ops) // 2
    await do(ctx, Work(name=order.work.name, ops=order.work.ops[:half]))
    if order.is_forked:
        await ctx.fork(*(lambda c, work=work: c.run(helper, work) for work in order.below))
    else:
        for work in order.below:
            await ctx.run(helper, work)
    await do(ctx, Work(name=order.work.name, ops=order.work.ops[half:]))
    raise Failed("spoiled", "it was for nothing")


@cache
def _read(details: bytes) -> dict[str, object]:
    found: dict[str, object] = msgspec.json.decode(details)
    return found


def world() -> tuple[Counter[str], dict[str, object]]:
    """Return the balances that are not zero and the places that are not empty, as the ledger makes them line by line."""
    balances: Counter[str] = Counter()
    shelf: dict[str, object] = {}
    for line in LEDGER.lines:
        said = _read(line.details.text)
        if line.what.startswith("shelf"):
            shelf[str(said["place"])] = said["thing"]
        else:
            balances[str(said["account"])] += int(str(said["cents"])) * (1 if line.what == "bank.pay" else -1)
    return Counter({name: cents for name, cents in balances.items() if cents}), {k: v for k, v in shelf.items() if v}


def before(put: Put, call: ToolCall) -> str:
    return str(world()[1].get(put.place, ""))


TOOLS = [
    LEDGER.fake(pay, lambda *_: None),
    LEDGER.fake(fetch_back, lambda *_: None),
    LEDGER.fake(put, before),
    LEDGER.fake(put_back, before),
]


def some_work(dice: random.Random) -> Work:
    kinds = [
        lambda: Op(kind="pay", cents=dice.randrange(1, 10_000)),
        lambda: Op(kind="put", place=dice.choice("ab"), thing=f"t{dice.randrange(100)}"),
        lambda: Op(kind="checkpoint"),
    ]
    return Work(name=f"w{dice.getrandbits(40)}", ops=[dice.choice(kinds)() for _ in range(dice.randrange(1, 6))])


def some_order(dice: random.Random) -> Order:
    below = [some_work(dice) for _ in range(dice.randrange(3))]
    return Order(work=some_work(dice), below=below, is_forked=bool(below) and dice.random() < 0.5)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_the_world_after_a_failed_workflow_is_the_world_before(part: int) -> None:
    seen: Counter[str] = Counter()
    for seed in range(part * SEEDS, (part + 1) * SEEDS):
        (ended,) = simulate(
            maker,
            some_order,
            seeds=[seed],
            operations=OPERATIONS,
            agents=[helper],
            tools=TOOLS,
            ledger=LEDGER,
            policies="permit(principal, action, resource);",
            rates=RATES,
            crashes_max=12,
            withdrawn=0.0,
        )
        kinds = Counter(type(event.data) for event in ended.events)
        workflows = [e for e in ended.events if isinstance(e.data, RunRequested) and e.data.agent == "maker"]
        seen.update(workflows=len(workflows), crashes=ended.crashes, effects=ended.effects)
        seen.update(taken_back=kinds[CompensationBegun])
        for event in ended.events:
            if isinstance(event.data, (RunFailed, RunCancelled)) and event.data.taken_back is not None:
                assert msgspec.json.decode(event.data.taken_back.text)["standing"] == [], (seed, event)
        assert world() == (Counter(), {}), seed
    print(dict(seen))
    assert seen["workflows"] >= 100
    assert seen["taken_back"] >= seen["workflows"] // 2
    assert seen["crashes"] > 0
