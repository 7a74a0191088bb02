"""The policy sequences of the external workload, through the gate: `python -m tests.external.taubench_policy` scores all of them.

The rules are Cedar (`retail_policy/rules.cedar`) over what the kernel knows (`retail_policy/context.toml`). The agent here does what a model
would: it thinks once a turn, looks at the records that a call is about, and makes the call. Nothing here decides; the reading tools
answer with what the shop has on file, and the customer's words come from the chat.
"""

import argparse
import asyncio
import importlib
import json
import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from kernos import CallFailed, CallRefused, Context, Limits, RulesModel, ToolCall, ToolFailed, agent, tool
from kernos.control.gate import digest_of
from kernos.testing import VirtualKernel
from kernos.testing.clock import run_virtually
from kernos.vocabulary.contract import ToolContract
from tests.external.taubench_matrix import FOLDER, PRESENT

POLICIES = Path(__file__).with_name("retail_policy")
AT_ONCE = 64
CENTS = 100


class Cancel(BaseModel):
    order_id: str
    reason: str


class Return(BaseModel):
    order_id: str
    item_ids: list[str]
    payment_method_id: str


class Swap(Return):
    new_item_ids: list[str]


class Payment(BaseModel):
    order_id: str
    payment_method_id: str


class Address(BaseModel):
    address1: str
    address2: str
    city: str
    country: str
    state: str
    zip: str


class OrderAddress(Address):
    order_id: str


class UserAddress(Address):
    user_id: str


class Transfer(BaseModel):
    summary: str


class Goodwill(BaseModel):
    order_id: str | None
    amount: float


class Email(BaseModel):
    email: str


class Customer(BaseModel):
    user_id: str
    email: str


class YesId(BaseModel):
    place: int


class Yes(BaseModel):
    by: str
    tool: str
    digest: str
    until_ms: int


class OrderId(BaseModel):
    order_id: str


class Order(BaseModel):
    user_id: str
    status: str
    payments: int
    first_is_payment: bool
    first_method: str
    first_cents: int


class Method(BaseModel):
    is_on_profile: bool
    is_gift_card: bool
    balance_cents: int


class ItemsOf(BaseModel):
    order_id: str
    item_ids: list[str]


class Lines(BaseModel):
    are_on_order: bool


class Pairs(ItemsOf):
    new_item_ids: list[str]


class Quote(BaseModel):
    same_length: bool
    same_products: bool
    other_items: bool
    available: bool
    difference_cents: int


class Sequence(BaseModel):
    id: str
    events: list[dict[str, Any]]


OPERATIONS: dict[str, type[BaseModel]] = {
    "cancel_pending_order": Cancel,
    "return_delivered_order_items": Return,
    "exchange_delivered_order_items": Swap,
    "modify_pending_order_items": Swap,
    "modify_pending_order_payment": Payment,
    "modify_pending_order_address": OrderAddress,
    "modify_user_address": UserAddress,
    "transfer_to_human_agents": Transfer,
}


class Shop:
    """One shop for each sequence, and what reached it."""

    def __init__(self, bench: Any, data: Any) -> None:
        self._bench = bench
        self._base = data.load_db()
        self._worlds: dict[str, Any] = {}
        self.sequences: dict[str, Sequence] = {}
        self.begun_ms: dict[str, int] = {}
        self.applied: dict[str, list[tuple[str, dict[str, Any]]]] = {}
        self.writes = {name: self._write(name, args) for name, args in OPERATIONS.items()}
        self.goodwill = tool("retail.issue_goodwill_refund", effect="once")(_never)

    def open(self, sequence: Sequence, now_ms: int) -> None:
        self.sequences[sequence.id] = sequence
        self.begun_ms[sequence.id] = now_ms
        self._worlds[sequence.id] = self._bench.Tenant(self._base)
        self.applied[sequence.id] = []

    def email_of(self, user: str) -> str:
        return str(self._base["users"][user]["email"])

    def _write(self, name: str, args: type[BaseModel]) -> ToolContract[Any, Any]:
        def perform(request: BaseModel, call: ToolCall) -> None:
            given = request.model_dump()
            self.applied[call.intent].append((name, given))
            try:
                self._bench.call(self._worlds[call.intent], f"tools/{name}", given)
            except (self._bench.Refused, StopIteration) as refused:
                raise ToolFailed.final(str(refused)) from refused

        perform.__annotations__["request"] = args
        return tool(f"retail.{name}", effect="once")(perform)

    def _order(self, call: ToolCall, order_id: str) -> dict[str, Any]:
        try:
            found: dict[str, Any] = self._worlds[call.intent].order(order_id)
        except self._bench.Refused as refused:
            raise ToolFailed.final(str(refused)) from refused
        return found

    def reads(self) -> dict[str, ToolContract[Any, Any]]:
        @tool("retail.find_customer", effect="read")
        def find_customer(asked: Email) -> Customer:
            users = self._base["users"].items()
            return Customer(user_id=next(u for u, one in users if one["email"] == asked.email), email=asked.email)

        @tool("retail.customer_says_yes", effect="read")
        def says_yes(asked: YesId, call: ToolCall) -> Yes:
            said = self.sequences[call.intent].events[asked.place]
            operation = self.writes.get(said["tool"])
            args = OPERATIONS[said["tool"]](**said["args"]) if operation is not None else None
            digest = digest_of(operation.input.encode(args)) if operation is not None else ""
            until_ms = self.begun_ms[call.intent] + 1_000 * int(said["t"] + said["ttl"])
            return Yes(by=said["by"], tool=f"retail.{said['tool']}", digest=digest, until_ms=until_ms)

        @tool("retail.read_order", effect="read")
        def order(asked: OrderId, call: ToolCall) -> Order:
            found = self._order(call, asked.order_id)
            history = found["payment_history"]
            first = history[0]
            return Order(
                user_id=found["user_id"],
                status=found["status"],
                payments=len(history),
                first_is_payment=first["transaction_type"] == "payment",
                first_method=first["payment_method_id"],
                first_cents=round(first["amount"] * CENTS),
            )

        @tool("retail.read_method", effect="read")
        def method(asked: Payment, call: ToolCall) -> Method:
            user = self._worlds[call.intent].user(self._order(call, asked.order_id)["user_id"])
            found = user["payment_methods"].get(asked.payment_method_id)
            gift = found is not None and found["source"] == "gift_card"
            balance = round(found["balance"] * CENTS) if found is not None and gift else 0
            return Method(is_on_profile=found is not None, is_gift_card=gift, balance_cents=balance)

        @tool("retail.read_lines", effect="read")
        def lines(asked: ItemsOf, call: ToolCall) -> Lines:
            have = Counter(item["item_id"] for item in self._order(call, asked.order_id)["items"])
            return Lines(are_on_order=bool(asked.item_ids) and not Counter(asked.item_ids) - have)

        @tool("retail.quote_swap", effect="read")
        def swap(asked: Pairs, call: ToolCall) -> Quote:
            return self._quote(asked, self._order(call, asked.order_id)["items"])

        return {"find": find_customer, "yes": says_yes, "order": order, "method": method, "lines": lines, "swap": swap}

    def _quote(self, asked: Pairs, items: list[dict[str, Any]]) -> Quote:
        by_id = {item["item_id"]: item for item in items}
        pairs = [pair for pair in zip(asked.item_ids, asked.new_item_ids, strict=False) if pair[0] in by_id]
        products = self._base["products"]
        variants = [products[by_id[old]["product_id"]]["variants"].get(new) for old, new in pairs]
        due = sum(
            variant["price"] - by_id[old]["price"]
            for (old, _), variant in zip(pairs, variants, strict=True)
            if variant is not None
        )
        return Quote(
            same_length=len(asked.item_ids) == len(asked.new_item_ids),
            same_products=None not in variants,
            other_items=all(old != new for old, new in zip(asked.item_ids, asked.new_item_ids, strict=False)),
            available=all(variant["available"] for variant in variants if variant is not None),
            difference_cents=round(due * CENTS),
        )


def _never(goodwill: Goodwill) -> None:
    raise ToolFailed.final(f"nobody pays {goodwill.amount} back out of kindness")


async def play(sequences: list[dict[str, Any]], bench: Any, data: Any) -> tuple[dict[str, dict[int, str]], Shop]:
    """Play sequences through the gate; return the positions of the events that it refused, with why, by sequence; and the shop."""
    shop = Shop(bench, data)
    reads = shop.reads()

    @agent("retail", tools=[*shop.writes.values(), *reads.values()], limits=Limits(steps=1_000, wall_time_ms=10**8))
    async def retail(ctx: Context, sequence: Sequence) -> dict[int, str]:
        refused: dict[int, str] = {}
        now = turn = -1
        for place, event in enumerate(sequence.events):
            if event.get("t", 0) > max(now, 0):
                await ctx.sleep(event["t"] - max(now, 0))
                now = event["t"]
            if event["type"] == "act" and event["turn"] != turn:
                turn = event["turn"]
                await ctx.model("think", turn, int)
            try:
                await act(ctx, place, event)
            except CallRefused as why:
                refused[place] = str(why)
            except CallFailed:
                continue
        return refused

    async def act(ctx: Context, place: int, event: dict[str, Any]) -> None:
        if event["type"] == "auth":
            await ctx.call(reads["find"], Email(email=shop.email_of(event["user"])))
        elif event["type"] == "approve":
            await ctx.call(reads["yes"], YesId(place=place))
        elif event["tool"] not in shop.writes:
            await ctx.call(shop.goodwill, Goodwill(**event["args"]))
        else:
            args = event["args"]
            await look(ctx, args)
            await ctx.call(shop.writes[event["tool"]], OPERATIONS[event["tool"]](**args))

    async def look(ctx: Context, args: dict[str, Any]) -> None:
        """Read what the call is about."""
        for name, model in (("order", OrderId), ("method", Payment), ("lines", ItemsOf), ("swap", Pairs)):
            if set(model.model_fields) <= set(args):
                await ctx.call(reads[name], model(**args))

    denied: dict[str, dict[int, str]] = {}
    models = {"default": RulesModel({"think": lambda turn: turn})}
    async with VirtualKernel(retail, policies=POLICIES, models=models) as kernel:
        gap = asyncio.Semaphore(AT_ONCE)

        async def one(sequence: Sequence) -> None:
            async with gap:
                shop.open(sequence, kernel.clock.now())
                denied[sequence.id] = await kernel.finish(retail, sequence, intent=sequence.id)

        await asyncio.gather(*(one(Sequence.model_validate(sequence)) for sequence in sequences))
    return denied, shop


def _names_a_broken_rule(broken: list[str], why: str) -> bool:
    return any(rule in why for rule in broken) or ("R21" in broken and "does not declare the tool" in why)


def main() -> int:
    """Score the sequences; return 1 unless every good one went through and every bad one was stopped before its effect."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--split", default="train")
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--every", type=int, default=1, help="play one sequence in so many")
    given = arguments.parse_args()
    if not PRESENT:
        sys.exit("the folder of the external workload is not here: ../shared/taubench, seen from the project's root")
    sys.path.insert(0, os.fspath(FOLDER))
    bench, data, policy = (importlib.import_module(f"taubench.{name}") for name in ("domain", "data", "policy"))
    sequences = [one for one in policy.everything(given.split, seed=given.seed) if one["kind"] != "gold_breaks_policy"]
    sequences = sequences[:: given.every]
    denied, shop = run_virtually(play(sequences, bench, data))
    score = policy.score(sequences, {name: list(refused) for name, refused in denied.items()}, shop.applied)
    score["stopped_by_no_rule_broken"] = sum(
        not _names_a_broken_rule(event.get("rules", ()), denied[one["id"]][place])
        for one in sequences
        for place, event in enumerate(one["events"])
        if place in denied[one["id"]]
    )
    print(json.dumps(score))
    wrong = (
        "should_deny_but_let_through",
        "should_let_but_denied",
        "effects_that_should_not_be",
        "stopped_by_no_rule_broken",
    )
    return 1 if any(score[name] for name in wrong) else 0


if __name__ == "__main__":
    sys.exit(main())
