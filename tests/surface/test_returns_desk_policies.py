"""The returns desk's Cedar policies: what goes on alone, what waits for a person, what never happens."""

from pathlib import Path
from typing import Any

import pytest

from examples.returns_desk.desk import shop_tools as tools
from examples.returns_desk.desk import undo_tools as undo
from examples.returns_desk.desk.agents import AGENTS, models
from examples.returns_desk.desk.records import Account
from examples.returns_desk.desk.serve import POLICIES
from kernos import Kernel
from kernos.vocabulary.contract import ToolContract
from kernos.vocabulary.gate import Request
from kernos.vocabulary.ids import PrincipalId, TenantId


def answer(tool: ToolContract[Any, Any], value: object, agent: str = "returns_desk", *, is_undo: bool = False) -> str:
    policy = Kernel(Path("unused.kernos"), agents=AGENTS, models=models(), policies=POLICIES).policy
    args = tool.input.encode(value)
    request = Request(
        agent, "1", PrincipalId("service:mail"), TenantId("default"), tool.name, tool.effect, args, undo=is_undo
    )
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
    assert (
        answer(
            tools.reroute, tools.Reroute(order_id="A-1", shipment_id="S-1", customer="a@b.test", address="x", facts=[])
        )
        == "ask"
    )
    changed = tools.AccountChange(customer_id="C-1", customer="a@b.test", email="a@b.test", address=None, facts=[])
    assert answer(tools.account, changed) == "ask"


def test_the_reader_may_not_act() -> None:
    assert answer(tools.refund, refund(100), agent="reader") == "deny"
    assert answer(tools.mail, tools.Mail(to="a@b.test", subject="x", text="y"), agent="reader") == "deny"


EXCHANGE = tools.Exchange(order_id="A-1", sku="TEE-BASIC", wanted_size="M", reason="fit", facts=[])
CANCELLATION = tools.Cancellation(order_id="A-1", reason="asked", facts=[])


@pytest.mark.parametrize(
    ("agent", "exchanges", "cancels", "refunds"),
    [
        ("returns_desk", "deny", "deny", "allow"),
        ("exchanger", "allow", "deny", "deny"),
        ("canceller", "deny", "allow", "allow"),
    ],
)
def test_each_agent_may_do_only_its_own_work(agent: str, exchanges: str, cancels: str, refunds: str) -> None:
    assert answer(tools.exchange, EXCHANGE, agent) == exchanges
    assert answer(tools.cancel, CANCELLATION, agent) == cancels
    assert answer(tools.refund, refund(100), agent) == refunds


@pytest.mark.parametrize(("amount_cents", "expected"), [(5_000, "allow"), (5_001, "ask")])
def test_a_refund_is_voided_alone_up_to_50_and_above_with_a_persons_yes(amount_cents: int, expected: str) -> None:
    void = undo.RefundVoid(refund_id="F-00001", payment_id="P-1", amount_cents=amount_cents, reason="taken back")
    assert answer(undo.void_refund, void, is_undo=True) == expected


TAKING_BACK: list[tuple[ToolContract[Any, Any], object, str]] = [
    (undo.withdraw_label, undo.LabelWithdrawal(return_id="R-00001", order_id="A-1", reason="x"), "allow"),
    (
        undo.recall_exchange,
        undo.ExchangeRecall(exchange_id="X-00001", order_id="A-1", sku="TEE-BASIC", reason="x"),
        "allow",
    ),
    (undo.reopen, undo.Reopening(order_id="A-1", reason="x"), "allow"),
    (undo.address_back, undo.AddressBack(shipment_id="S-1", address="x", replaces="y"), "ask"),
    (
        undo.account_back,
        undo.AccountBack(customer_id="C1", email=None, address="x", replaces=Account(address="y")),
        "ask",
    ),
]


@pytest.mark.parametrize(("tool", "value", "expected"), TAKING_BACK, ids=lambda value: getattr(value, "name", ""))
def test_goods_are_taken_back_alone_and_addresses_with_a_persons_yes(
    tool: ToolContract[Any, Any], value: object, expected: str
) -> None:
    assert answer(tool, value, is_undo=True) == expected


def test_nobody_undoes_what_is_no_undo() -> None:
    for tool, value, _ in TAKING_BACK:
        assert answer(tool, value) == "deny"
