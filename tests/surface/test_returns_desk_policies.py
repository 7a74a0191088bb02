"""The returns desk's Cedar policies: what goes on alone, what waits for a person, what never happens."""

from pathlib import Path
from typing import Any

import pytest

from examples.returns_desk.desk import shop_tools as tools
from examples.returns_desk.desk.agents import AGENTS, models
from examples.returns_desk.desk.serve import POLICIES
from kernos import Kernel
from kernos.vocabulary.contract import ToolContract
from kernos.vocabulary.gate import Request
from kernos.vocabulary.ids import PrincipalId, TenantId


def answer(tool: ToolContract[Any, Any], value: object, agent: str = "returns_desk") -> str:
    policy = Kernel(Path("unused.kernos"), agents=AGENTS, models=models(), policies=POLICIES).policy
    args = tool.input.encode(value)
    request = Request(agent, "1", PrincipalId("service:mail"), TenantId("default"), tool.name, tool.effect, args)
    return policy.decide(request).answer.value


def refund(amount_cents: int, captured_cents: int = 20_000, refunded_cents: int = 0) -> tools.Refund:
    return tools.Refund(
        order_id="A-1", payment_id="P-1", amount_cents=amount_cents, captured_cents=captured_cents,
        refunded_cents=refunded_cents, reason="broken", facts=["ticket T1"],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (refund(5_000), "allow"),
        (refund(5_001), "ask"),
        (refund(20_000), "ask"),
        (refund(20_001), "deny"),
        (refund(3_000, captured_cents=5_000, refunded_cents=2_001), "deny"),
        (refund(0), "deny"),
        (refund(-100), "deny"),
    ],
)
def test_money_goes_alone_up_to_50_waits_above_and_never_exceeds_what_was_paid(
    request_: tools.Refund, expected: str
) -> None:
    assert answer(tools.refund, request_) == expected


def test_other_addresses_and_accounts_always_wait_for_a_person() -> None:
    assert answer(tools.reroute, tools.Reroute(order_id="A-1", shipment_id="S-1", address="x", facts=[])) == "ask"
    changed = tools.AccountChange(customer_id="C-1", email="a@b.test", address=None, facts=[])
    assert answer(tools.account, changed) == "ask"


def test_the_reader_may_not_act() -> None:
    assert answer(tools.refund, refund(100), agent="reader") == "deny"
    assert answer(tools.mail, tools.Mail(to="a@b.test", subject="x", text="y"), agent="reader") == "deny"
