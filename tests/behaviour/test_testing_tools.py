"""check_tool: tools that are what they say pass; each way of not being it is found and explained."""

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel

from kernos import Found, ToolCall, ToolFailed, Undo, tool
from kernos.testing import CheckFailed, Ledger, check_tool
from kernos.vocabulary.contract import ToolContract
from kernos.vocabulary.quantities import Json


class Order(BaseModel):
    id: str


class Shop:
    """A service in memory: refunds by order, and the answers it gave by key."""

    def __init__(self) -> None:
        self.refunds: list[str] = []
        self.by_key: dict[str, str] = {}

    def act(self, order: Order, key: str) -> str:
        self.refunds.append(order.id)
        self.by_key[key] = f"R-{len(self.refunds)}"
        return self.by_key[key]

    def world(self) -> list[str]:
        return sorted(self.refunds)


Attempt = Callable[[Shop, Order, ToolCall], str]


def declared(effect: str, attempt: Attempt, find: Callable[[Shop, Order, ToolCall], Found] | None = None) -> Any:
    shop = Shop()

    async def look_up(order: Order, call: ToolCall) -> Found:
        assert find is not None
        return find(shop, order, call)

    @tool("shop.refund", effect=effect, look_up=look_up if find is not None else None)
    async def refund(order: Order, call: ToolCall) -> str:
        return attempt(shop, order, call)

    return refund, shop


def honours_keys(shop: Shop, order: Order, call: ToolCall) -> str:
    return shop.by_key.get(call.key) or shop.act(order, call.key)


def ignores_keys(shop: Shop, order: Order, call: ToolCall) -> str:
    return shop.act(order, call.key)


def by_key(shop: Shop, order: Order, call: ToolCall) -> Found:
    return found(shop.by_key.get(call.key))


def found(refund: str | None) -> Found:
    return Found(refund is not None, "the list of refunds", None if refund is None else Json(f'"{refund}"'.encode()))


async def findings(contract: ToolContract[Any, Any], shop: Shop) -> str:
    with pytest.raises(CheckFailed) as error:
        await check_tool(contract, Order(id="A1"), shop.world)
    return str(error.value)


@pytest.mark.parametrize(
    ("effect", "attempt", "find"),
    [
        ("idempotent", honours_keys, None),
        ("verifiable", ignores_keys, by_key),
        ("once", ignores_keys, None),
        ("read", lambda shop, order, call: order.id, None),
    ],
)
async def test_a_tool_that_is_what_it_says_passes(effect: str, attempt: Attempt, find: Any) -> None:
    contract, shop = declared(effect, attempt, find)
    await check_tool(contract, Order(id="A1"), shop.world)
    await check_tool(contract, lambda number: Order(id=f"A{number}"), shop.world)


async def test_the_fakes_of_a_ledger_are_what_they_say() -> None:
    for effect, attempt, find in (("idempotent", ignores_keys, None), ("verifiable", ignores_keys, by_key)):
        contract, _ = declared(effect, attempt, find)
        ledger = Ledger()
        await check_tool(ledger.fake(contract), Order(id="A1"), lambda seen=ledger: [str(line) for line in seen.lines])


async def test_a_read_that_changes_something_is_found() -> None:
    assert "call 1 changed the world, and its class is read" in await findings(*declared("read", ignores_keys))


async def test_claimed_keys_that_are_ignored_are_found() -> None:
    assert "the same key twice changed the world twice" in await findings(*declared("idempotent", ignores_keys))


async def test_a_key_that_counts_for_one_action_only_while_it_is_the_newest_is_found() -> None:
    def remembers_the_last(shop: Shop, order: Order, call: ToolCall) -> str:
        if call.key in shop.by_key and list(shop.by_key)[-1] == call.key:
            return shop.by_key[call.key]
        shop.by_key.pop(call.key, None)
        return shop.act(order, call.key)

    assert "late, after another action, changed the world again" in await findings(
        *declared("idempotent", remembers_the_last)
    )


async def test_a_key_that_counts_only_for_later_attempts_is_found() -> None:
    def trusts_the_first(shop: Shop, order: Order, call: ToolCall) -> str:
        return shop.act(order, call.key) if call.attempt == 1 else honours_keys(shop, order, call)

    assert "a first attempt that was delivered after the second" in await findings(
        *declared("idempotent", trusts_the_first)
    )


async def test_two_answers_under_one_key_are_found() -> None:
    def forgets_its_answer(shop: Shop, order: Order, call: ToolCall) -> str:
        return "done already" if call.key in shop.by_key else shop.act(order, call.key)

    assert "got two answers" in await findings(*declared("idempotent", forgets_its_answer))


async def test_two_actions_that_are_taken_for_one_are_found() -> None:
    def by_order(shop: Shop, order: Order, call: ToolCall) -> str:
        return "R-1" if order.id in shop.refunds else shop.act(order, call.key) and "R-1"

    assert "another key changed nothing" in await findings(*declared("idempotent", by_order))


async def test_a_world_that_does_not_show_the_effect_proves_nothing() -> None:
    contract, _ = declared("idempotent", honours_keys)
    with pytest.raises(CheckFailed, match="does not see what this tool does"):
        await check_tool(contract, Order(id="A1"), lambda: "always the same")


@pytest.mark.parametrize(
    ("find", "said"),
    [
        (lambda shop, order, call: Found(False, "an empty list"), "did not find it after it had happened"),
        (lambda shop, order, call: Found(None, "no list"), "could not tell after it had happened"),
        (lambda shop, order, call: found("R-1"), "found it before it happened"),
        (lambda shop, order, call: found("R-1" if shop.refunds else None), "took an earlier action for another"),
        (
            lambda shop, order, call: found("R-9" if call.key in shop.by_key else None),
            'another result than the call gave ("R-9"',
        ),
        (lambda shop, order, call: found(shop.act(order, "x")), "the look-up itself changed the world"),
    ],
)
async def test_a_look_up_that_says_the_wrong_thing_is_found(find: Any, said: str) -> None:
    assert said in await findings(*declared("verifiable", ignores_keys, find))


async def test_a_tool_that_fails_is_found() -> None:
    def refuses(shop: Shop, order: Order, call: ToolCall) -> str:
        raise ToolFailed.final("the shop is closed")

    assert "failed (final): the shop is closed" in await findings(*declared("idempotent", refuses))


# --- taking back -----------------------------------------------------------------------------------------------------


class Account:
    """A service that charges and refunds cents, by key."""

    def __init__(self) -> None:
        self.moved: dict[str, int] = {}

    def world(self) -> int:
        return sum(self.moved.values())

    def charging(self, given_back: int, *, leaves: str = "", honours_keys: bool = True) -> Any:
        """Declare a charge of 100 whose undo gives back so many."""

        @tool("account.give_back", effect="idempotent")
        async def give_back(order: Order, call: ToolCall) -> str:
            key = call.key if honours_keys else f"{call.key}.{call.attempt}"
            self.moved.setdefault(key, -given_back)
            return "given back"

        undo = Undo(give_back, lambda order, result: order, leaves=leaves)

        @tool("account.charge", effect="idempotent", compensate=undo)
        async def charge(order: Order, call: ToolCall) -> str:
            self.moved.setdefault(call.key, 100)
            return "charged"

        return charge


async def test_an_undo_that_leaves_the_world_as_it_was_passes() -> None:
    account = Account()
    await check_tool(account.charging(100), Order(id="A1"), account.world)


async def test_an_undo_that_gives_back_less_is_found_unless_it_says_so() -> None:
    account = Account()
    with pytest.raises(CheckFailed, match=r"after account.give_back the world is not as before"):
        await check_tool(account.charging(90), Order(id="A1"), account.world)
    await check_tool(account.charging(90, leaves="a fee of 10 cents stays"), Order(id="A1"), account.world)


async def test_an_undo_that_happens_twice_is_found() -> None:
    account = Account()
    with pytest.raises(CheckFailed, match="under the same key took it back twice"):
        await check_tool(account.charging(100, honours_keys=False), Order(id="A1"), account.world)
