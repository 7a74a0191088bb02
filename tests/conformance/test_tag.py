"""The tag: every action carries its key and causal tag outwards; a tool that drops any of it is refused."""

import os
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import pytest
from pydantic import BaseModel

from examples.returns_desk.desk import shop_tools as desk
from kernos import HttpService, ToolCall, tool
from kernos.testing import CheckFailed, Outside, check_tag
from kernos.vocabulary.contract import ToolContract
from kernos.vocabulary.ids import is_run_id
from kernos.vocabulary.traceparent import run_of_trace, span_id


class Refund(BaseModel):
    order: str


REFUND = Refund(order="A1")


@pytest.fixture
def outside() -> Iterator[Outside]:
    with Outside(b'{"id": "R-7"}') as service:
        yield service


@pytest.fixture
async def service(outside: Outside) -> AsyncIterator[HttpService]:
    client = HttpService(outside.url)
    yield client
    await client.close()


# --- what passes ---------------------------------------------------------------------------------------------------


async def test_our_own_http_adapter_sends_key_and_tag(outside: Outside, service: HttpService) -> None:
    @tool("shop.refund", effect="idempotent")
    async def refund(request: Refund, call: ToolCall) -> dict[str, Any]:
        await service.get("/orders/A1", call=call)
        await service.post("/refunds", call=call, body=request.model_dump())
        return {}

    await check_tag(refund, REFUND, outside.taken)
    assert len(outside.taken()) == 2
    for sent in outside.taken():
        traced = run_of_trace(sent["traceparent"])
        assert traced is not None
        assert is_run_id(traced[0])
        assert traced[1] == span_id(sent["idempotency-key"])


async def test_a_service_may_want_the_key_in_the_body(outside: Outside, service: HttpService) -> None:
    @tool("shop.refund", effect="idempotent")
    async def refund(request: Refund, call: ToolCall) -> str:
        body = {"order": request.order, "reference": call.key, "tag": list(call.headers().values())}
        await service.post("/refunds", call=None, body=body)
        return "done"

    await check_tag(refund, REFUND, outside.taken)


async def test_a_tool_without_http_is_checked_by_what_its_outside_wrote_down() -> None:
    mails: list[Mapping[str, str]] = []

    @tool("shop.mail", effect="once")
    def mail(request: Refund, call: ToolCall) -> str:
        mails.append({"to": request.order, **{f"X-{name}": text for name, text in call.headers().items()}})
        return "sent"

    await check_tag(mail, REFUND, lambda: mails)


EXAMPLES: dict[str, BaseModel] = {
    "shop.refund": desk.Refund(
        order_id="O-1", payment_id="P-1", amount_cents=1, captured_cents=9, refunded_cents=0, reason="r", facts=[]
    ),
    "shop.return_label": desk.ReturnLabel(order_id="O-1", skus=["S"], reason="r", facts=[]),
    "shop.exchange": desk.Exchange(order_id="O-1", sku="S", wanted_size=None, reason="r", facts=[]),
    "shop.cancel": desk.Cancellation(order_id="O-1", reason="r", facts=[]),
    "shop.reroute": desk.Reroute(order_id="O-1", shipment_id="S-1", customer="a@b.test", address="a", facts=[]),
    "shop.account": desk.AccountChange(customer_id="C-1", customer="a@b.test", email="e", address=None, facts=[]),
    "shop.mail": desk.Mail(to="e", subject="s", text="t"),
    "shop.note": desk.Note(case="c", text="t"),
}


@pytest.fixture
async def shop(outside: Outside) -> AsyncIterator[Outside]:
    """Point the returns desk at the outside; its tools read the variable at each call."""
    before = os.environ.get(desk.SHOP_VARIABLE)
    os.environ[desk.SHOP_VARIABLE] = outside.url
    yield outside
    await desk.shop.close()
    del os.environ[desk.SHOP_VARIABLE]
    if before is not None:
        os.environ[desk.SHOP_VARIABLE] = before


@pytest.mark.parametrize("action", desk.ACTIONS, ids=lambda action: action.name)
async def test_every_action_of_the_returns_desk_carries_its_tag(action: ToolContract[Any, Any], shop: Outside) -> None:
    await check_tag(action, EXAMPLES[action.name], shop.taken)


# --- what is refused -----------------------------------------------------------------------------------------------


async def test_an_adapter_that_drops_the_whole_tag_is_refused(outside: Outside, service: HttpService) -> None:
    @tool("shop.refund", effect="idempotent")
    async def refund(request: Refund, call: ToolCall) -> str:
        await service.post("/refunds", call=None, body=request.model_dump())
        return "done"

    with pytest.raises(CheckFailed, match=r"it does not send Idempotency-Key, Kernos-Agent, .*traceparent"):
        await check_tag(refund, REFUND, outside.taken)


@pytest.mark.parametrize(
    "dropped", ["Idempotency-Key", "Kernos-Agent", "Kernos-Run", "Kernos-Intent", "Kernos-Checkpoint", "traceparent"]
)
async def test_an_adapter_that_drops_one_part_is_refused_by_name(outside: Outside, dropped: str) -> None:
    @tool("shop.refund", effect="idempotent")
    async def refund(request: Refund, call: ToolCall) -> str:
        kept = {name: text for name, text in call.headers().items() if name != dropped}
        partial = HttpService(outside.url, headers=kept)
        await partial.post("/refunds", call=None, body=request.model_dump())
        await partial.close()
        return "done"

    with pytest.raises(CheckFailed, match=f"shop.refund:\n.*it does not send {dropped}:"):
        await check_tag(refund, REFUND, outside.taken)


async def test_a_tag_that_is_the_same_for_every_action_is_refused() -> None:
    seen: list[Mapping[str, str]] = []

    @tool("shop.refund", effect="idempotent")
    def refund(request: Refund, call: ToolCall) -> str:
        seen.append(seen[0] if seen else call.headers())
        return "done"

    with pytest.raises(CheckFailed, match="does not send Idempotency-Key"):
        await check_tag(refund, REFUND, lambda: seen)


async def test_one_request_of_several_without_the_tag_is_refused(outside: Outside, service: HttpService) -> None:
    @tool("shop.refund", effect="idempotent")
    async def refund(request: Refund, call: ToolCall) -> str:
        await service.post("/refunds", call=call, body={})
        await service.delete("/drafts/7", call=None)
        return "done"

    with pytest.raises(CheckFailed, match="does not send"):
        await check_tag(refund, REFUND, outside.taken)


async def test_a_tool_that_never_reaches_the_outside_or_fails_is_told_so(outside: Outside) -> None:
    @tool("shop.refund", effect="idempotent")
    def elsewhere(request: Refund, call: ToolCall) -> str:
        return "done"

    @tool("shop.mail", effect="once")
    def broken(request: Refund, call: ToolCall) -> str:
        raise ValueError(request.order)

    @tool("shop.look", effect="read")
    def look(request: Refund) -> str:
        return "seen"

    with pytest.raises(CheckFailed, match="it only reads"):
        await check_tag(look, REFUND, outside.taken)
    with pytest.raises(CheckFailed, match="point it there"):
        await check_tag(elsewhere, REFUND, outside.taken)
    with pytest.raises(CheckFailed, match="unknown: ValueError: A1"):
        await check_tag(broken, REFUND, outside.taken)
