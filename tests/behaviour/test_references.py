"""References: what of an action's result is kept so that `why` finds it, and what is not."""

from pathlib import Path
from typing import Any

import pytest
from msgspec import json

from kernos import Context, Kernel, ToolCall, agent, tool
from kernos.control.references import REFERENCES_MAX, holds, is_reference, reference_digest, references
from kernos.vocabulary.quantities import Json
from tests.behaviour.shop import Refund

ALLOW = "permit(principal, action, resource);"


def value(of: Any) -> Json:
    return Json(json.encode(of))


@pytest.mark.parametrize(
    "leaf",
    [
        "R-1001",
        "re_3PqX",
        "5r0kd7v3m2axq.4",
        "<20261104.7@mail.example>".strip("<>"),
        "a1b2",
        "order#77",
        10_000,
        -12_345,
    ],
)
def test_names_of_things_look_like_references(leaf: Any) -> None:
    assert is_reference(leaf)


@pytest.mark.parametrize(
    "leaf", ["done", "a1", "paid in 3 parts", "2026-11-04", "2026-11-04T12:00:00Z", "x1" * 101, 9_999, 12.5, ""]
)
def test_words_prose_times_and_small_numbers_do_not(leaf: Any) -> None:
    assert not is_reference(leaf)


def test_references_are_found_at_any_depth_once_and_only_the_first_few() -> None:
    nested = value({"ok": True, "refund": {"id": "R-1", "lines": [{"sku": "S-1"}, {"sku": "S-1"}]}})
    assert references(nested) == [("refund.id", "R-1"), ("refund.lines[0].sku", "S-1")]
    assert len(references(value([f"R-{n}" for n in range(50)]))) == REFERENCES_MAX
    assert references(value("R-1")) == [("", "R-1")]
    assert references(value(None)) == references(None) == []


def test_a_value_holds_only_what_is_equal_to_a_whole_leaf() -> None:
    result = value({"id": "R-1", "count": 7, "price": 12.5, "paid": True, "of": [{"id": "é\n1"}]})
    assert holds(result, "R-1") == "id"
    assert holds(result, "7") == "count"
    assert holds(result, "12.5") == "price"
    assert holds(result, "é\n1") == "of[0].id"
    assert holds(Json(b'"caf\\u00e9"'), "café") == "the value itself"
    for other in ("R", "R-11", "id", "true", "1", "12.50", ""):
        assert holds(result, other) is None, other


async def test_results_of_actions_leave_rows_and_reads_leave_none(store: Path) -> None:
    @tool("shop.refund", effect="idempotent")
    def refund(request: Refund, call: ToolCall) -> dict[str, str]:
        return {"id": f"R-{request.order}", "state": "booked"}

    @tool("shop.look", effect="read")
    def look(request: Refund) -> dict[str, str]:
        return {"id": f"L-{request.order}"}

    @agent("desk", tools=[refund, look])
    async def desk(ctx: Context, request: Refund) -> None:
        await ctx.call(look, request)
        await ctx.call(refund, request)

    async with Kernel(store, agents=[desk], policies=ALLOW) as kernel:
        run = await kernel.start(desk, Refund(order="7", amount_cents=5))
        await run.result()
        rows = [dict(row) for row in await kernel.journal.dump("refs")]
    assert rows == [{"run": run.id, "step": "2", "digest": reference_digest("R-7")}]
