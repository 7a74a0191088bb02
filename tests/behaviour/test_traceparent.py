"""Traceparent: the form that W3C Trace Context wants, one trace for a whole tree of runs, and the way back to the run."""

import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as some

from kernos import Context, Kernel, agent
from kernos.vocabulary.ids import RunId, run_id
from kernos.vocabulary.traceparent import run_of_trace, span_id, trace_id, traceparent
from tests.behaviour.shop import Receipt, Refund, Shop

FORM = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-01")
"""Version 00, a trace id and a parent id that are not all zero, sampled: section 3.2 of the standard."""


@given(some.integers(0, (1 << 63) - 1), some.text(min_size=1, max_size=20))
def test_every_run_and_key_give_a_valid_header_that_leads_back(number: int, step: str) -> None:
    run = run_id(number)
    header = traceparent(run, f"{run}.{step}")
    assert FORM.fullmatch(header)
    assert run_of_trace(header) == (run, span_id(f"{run}.{step}"))
    assert run_of_trace(trace_id(run)) == (run, "")


@given(some.from_regex(r"[0-9a-f]{32}", fullmatch=True))
def test_a_trace_id_that_kernos_did_not_make_leads_nowhere(foreign: str) -> None:
    assert run_of_trace(foreign) is None
    assert run_of_trace(f"00-{foreign}-00f067aa0ba902b7-01") is None


def test_what_is_no_trace_id_leads_nowhere_and_any_name_has_a_header() -> None:
    for text in ("", "R-1", "0" * 32, trace_id(run_id(7))[:-1], trace_id(run_id(7)) + "0", "00--"):
        assert run_of_trace(text) is None, text
    assert FORM.fullmatch(traceparent(RunId("r1"), "r1.4"))


async def test_all_runs_below_a_request_are_one_trace(store: Path) -> None:
    shop = Shop()
    refund = shop.tools()["refund"]

    @agent("clerk", tools=[refund])
    async def clerk(ctx: Context, request: Refund) -> Receipt:
        return await ctx.call(refund, request)

    @agent("desk", tools=[refund])
    async def desk(ctx: Context, request: Refund) -> Receipt:
        await ctx.call(refund, request)
        return await ctx.run(clerk, request)

    @agent("boss")
    async def boss(ctx: Context, request: Refund) -> Receipt:
        return await ctx.run(desk, request)

    async with Kernel(store, agents=[boss, desk, clerk], policies="permit(principal, action, resource);") as kernel:
        run = await kernel.start(boss, Refund(order="A1", amount_cents=5))
        await run.result()
        other = await kernel.start(clerk, Refund(order="A2", amount_cents=5))
        await other.result()
    headers = [call.headers()["traceparent"] for call in shop.calls]
    assert len({call.run for call in shop.calls}) == 3
    assert [header.split("-")[1] for header in headers] == [trace_id(run.id), trace_id(run.id), trace_id(other.id)]
    assert len({header.split("-")[2] for header in headers}) == 3
