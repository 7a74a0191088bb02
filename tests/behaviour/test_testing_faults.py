"""Fault plans: which call meets which fault, what the kernel makes of it, and the same in front of a real service."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from pydantic import BaseModel

from kernos import CallFailed, Context, Found, HttpService, Retry, ToolCall, ToolFailed, agent, tool
from kernos.testing import (
    Exactly,
    Fault,
    Ledger,
    Outage,
    Seeded,
    Trouble,
    VirtualKernel,
    faults,
    faulty_service,
    run_virtually,
)
from kernos.testing.fault_plans import Counted, FaultPlan
from kernos.vocabulary.errors import InvalidInput
from kernos.vocabulary.outcome import FailureKind


class Refund(BaseModel):
    order: str


@tool("shop.refund", effect="idempotent", retry=Retry(attempts=3), timeout_ms=2_000)
async def refund(request: Refund, call: ToolCall) -> str:
    return f"R-{request.order}"


async def find(request: Refund, call: ToolCall) -> Found:
    return Found(None, "nobody knows")


@tool("shop.mail", effect="verifiable", look_up=find)
async def mail(request: Refund, call: ToolCall) -> str:
    return f"M-{request.order}"


@agent(tools=[refund, mail])
async def desk(ctx: Context, order: str) -> list[str]:
    said = []
    for one in (refund, mail):
        try:
            said.append(await ctx.call(one, Refund(order=order)))
        except CallFailed as error:
            said.append(error.failure)
    return said


def outcome(trouble: Fault | str) -> tuple[list[str], int, int, float]:
    """Let the first attempt of both tools meet a fault; return what the desk said, the effects of both tools, and the seconds it took."""
    ledger = Ledger()
    tools = [faults(ledger.fake(one), {1: trouble}) for one in (refund, mail)]

    async def work() -> tuple[list[str], int, int, float]:
        async with VirtualKernel(desk, tools=tools) as kernel:
            said = await kernel.finish(desk, "A1")
        return said, ledger.times("shop.refund"), ledger.times("shop.mail"), asyncio.get_running_loop().time()

    return run_virtually(work())


@pytest.mark.parametrize(
    "trouble", ["busy", "error_before", "error_after", "reset", "lost_reply", "timeout_after", "down", "slow"]
)
def test_whatever_the_network_does_both_effects_happen_once(trouble: str) -> None:
    said, refunds, mails, _ = outcome(trouble)
    assert (said, refunds, mails) == (["R-A1", "M-A1"], 1, 1)


def test_a_refusal_is_final_and_changes_nothing() -> None:
    assert outcome("refused")[:3] == (["refused", "refused"], 0, 0)


def test_a_request_that_the_network_delivers_twice_acts_twice_only_without_a_key() -> None:
    _, refunds, mails, _ = outcome("twice")
    assert (refunds, mails) == (1, 2)


def test_a_busy_service_is_left_alone_as_long_as_it_asks() -> None:
    assert outcome(Fault(Trouble.BUSY, 90_000))[3] >= 180
    assert outcome("busy")[3] < 10


def test_an_answer_that_does_not_come_costs_the_time_of_the_tool() -> None:
    assert 32 <= outcome("timeout_after")[3] < 40  # 2 s for the refund, 30 s for the mail.


def test_an_outage_ends_by_itself_and_plans_stand_in_their_order() -> None:
    plan: list[FaultPlan] = [Outage(0, 5_000), Exactly({2: "slow"})]

    async def met() -> list[str | None]:
        counted = Counted(plan)
        found = []
        for wait_s in (0.0, 1.0, 5.0):
            await asyncio.wait([asyncio.get_running_loop().create_future()], timeout=wait_s)
            fault = counted.next()
            found.append(fault.trouble.value if fault is not None else None)
        return found

    assert run_virtually(met()) == ["down", "down", None]


def test_a_seed_repeats_its_faults_and_keeps_its_rates() -> None:
    def thrown(seed: int) -> list[str | None]:
        plan = Seeded(seed, {"busy": 0.1, "lost_reply": 0.2})
        met = [plan.fault(number, 0) for number in range(2_000)]
        return [fault.trouble.value if fault else None for fault in met]

    assert thrown(1) == thrown(1) != thrown(2)
    assert 150 < thrown(1).count("busy") < 250
    assert 350 < thrown(1).count("lost_reply") < 450


def test_shares_of_more_than_all_calls_are_refused() -> None:
    with pytest.raises(InvalidInput):
        Seeded(1, {"busy": 0.6, "reset": 0.6})


def test_a_service_that_honours_keys_does_not_refuse_what_it_did() -> None:
    ledger = Ledger()
    faulty = faults(ledger.fake(refund), {1: "lost_reply", 2: "refused"})

    async def work() -> list[str]:
        async with VirtualKernel(desk, tools=[faulty, ledger.fake(mail)]) as kernel:
            return await kernel.finish(desk, "A1")

    assert run_virtually(work()) == ["R-A1", "M-A1"]


# --- in front of a real service --------------------------------------------------------------------------------------


@asynccontextmanager
async def shop() -> AsyncIterator[tuple[str, list[str]]]:
    seen: list[str] = []

    async def take(request: web.Request) -> web.Response:
        seen.append(request.headers["Idempotency-Key"])
        return web.json_response({"asked": await request.json(), "query": request.query_string})

    app = web.Application()
    app.router.add_post("/refunds", take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}", seen
    await runner.cleanup()


def call_within(timeout_ms: int) -> ToolCall:
    return ToolCall("shop.refund", "K.1", 1, "desk@1", "K", "money back", "", timeout_ms)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("trouble", "kind", "requests"),
    [
        ("busy", FailureKind.RETRYABLE, 0),
        ("refused", FailureKind.FINAL, 0),
        ("error_before", FailureKind.UNKNOWN, 0),
        ("error_after", FailureKind.UNKNOWN, 1),
        ("reset", FailureKind.UNKNOWN, 0),
        ("lost_reply", FailureKind.UNKNOWN, 1),
        ("timeout_after", FailureKind.UNKNOWN, 1),
    ],
)
async def test_a_real_client_meets_the_same_faults(trouble: str, kind: FailureKind, requests: int) -> None:
    async with shop() as (url, seen), faulty_service(url, {1: trouble}) as behind:
        service = HttpService(behind)
        with pytest.raises(ToolFailed) as error:
            await service.request("POST", "/refunds", query={"a": "1"}, call=call_within(500), body={"order": "A1"})
        assert error.value.attempt.kind is kind
        assert len(seen) == requests
        reply = await service.request(
            "POST", "/refunds", query={"a": "1"}, call=call_within(5_000), body={"order": "A1"}
        )
        assert reply.text == b'{"asked": {"order": "A1"}, "query": "a=1"}'
        await service.close()


async def test_a_real_service_gets_a_doubled_request_twice_under_one_key() -> None:
    async with shop() as (url, seen), faulty_service(url, {1: "twice"}) as behind:
        service = HttpService(behind)
        await service.post("/refunds", call=call_within(5_000), body={})
        assert seen == ["K.1", "K.1"]
        await service.close()
