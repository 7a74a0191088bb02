"""kernos policy init: starter sets fitted to the tools that there are, good from the first minute."""

import json
import tomllib
from pathlib import Path

import pytest

from examples.content_studio.studio import OUTBOX, Piece, studio
from kernos.app.cli import main
from kernos.testing import VirtualKernel
from tests.surface.desk_folder import Answered

ROOT = Path(__file__).resolve().parents[2]
STUDIO = ("--agents", "examples.content_studio.studio")
DESK = ("--agents", "examples.returns_desk.desk.agents")
OWN_POLICIES = ROOT / "examples" / "content_studio" / "policies"

ODD = '''
"""Tools with names of their own."""

from typing import Annotated

from pydantic import BaseModel, Field

from kernos import Context, ToolCall, agent, tool


class Payment(BaseModel):
    sale_ref: str
    pence: int


class Strict(BaseModel):
    code: Annotated[str, Field(pattern="^[A-Z]{3}$")]
    amount: int


class Book(BaseModel):
    paid: int


@tool("till.book", effect="read")
def book(request: Payment, call: ToolCall) -> Book:
    return Book(paid=1)


@tool("till.pay", effect="idempotent")
def pay(request: Payment, call: ToolCall) -> str:
    return "paid"


@tool("till.refund_card", effect="idempotent")
def refund_card(request: Strict, call: ToolCall) -> str:
    return "paid"


@tool("till.refund_cash", effect="idempotent")
def refund_cash(request: Strict, call: ToolCall) -> str:
    return "paid"


@agent("payer", tools=[pay, book])
async def payer(ctx: Context, request: Payment) -> str:
    return await ctx.call(pay, request)


@agent("cashier", tools=[refund_card, refund_cash])
async def cashier(ctx: Context, request: Strict) -> str:
    return await ctx.call(refund_card, request)
'''


class Place:
    """An empty folder with settings, and the command in it."""

    def __init__(self, path: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.path = path
        self._capture = capture
        self.odd = f"odd_{path.parent.name}_{path.name}".replace("-", "_")
        (path / f"{self.odd}.py").write_text(ODD)
        (path / "kernos.toml").write_text("")

    def kernos(self, *arguments: str) -> Answered:
        self._capture.readouterr()
        code = main([*arguments, "--config", str(self.path / "kernos.toml")])
        captured = self._capture.readouterr()
        return Answered(code, captured.out, captured.err)

    def begun(self, kind: str, *options: str) -> Answered:
        return self.kernos("policy", "init", kind, str(self.path / "policies"), *options)

    def read(self, name: str) -> str:
        return (self.path / "policies" / name).read_text()


@pytest.fixture
def place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Place:
    return Place(tmp_path, capsys)


@pytest.mark.parametrize(("kind", "agents"), [("returns", DESK), ("content", STUDIO)])
def test_a_starter_set_is_right_and_its_cases_reach_every_rule(
    place: Place, kind: str, agents: tuple[str, str]
) -> None:
    begun = place.begun(kind, *agents)
    assert begun.code == 0, begun.all
    assert " 0 failed" in begun.out
    assert 'policies = "policies" under [kernos]' in begun.out
    checked = place.kernos("policy", "check", str(place.path / "policies"), *agents)
    assert checked.code == 0, checked.all
    assert "never applies" not in checked.out
    tested = place.kernos("policy", "test", "--strict", "--policies", str(place.path / "policies"), *agents)
    assert tested.code == 0, tested.all


def test_the_returns_set_knows_the_desks_money_orders_and_payments(place: Place) -> None:
    begun = place.begun("returns", *DESK)
    wanted = (
        "refund: shop.refund (amount: amount_cents, order: order_id, what was paid: captured_cents of shop.payment)"
    )
    assert wanted in begun.out
    assert 'by = { "shop.payment" = "id", "shop.refund" = "payment_id" }' in place.read("context.toml")
    rules = place.read("returns.cedar")
    assert "resource.amount_cents > context.sale.captured_cents" in rules
    assert "$" not in rules + place.read("context.toml") + place.read("cases.toml")


def test_nothing_is_overwritten_and_no_rules_are_added_to_others(place: Place) -> None:
    folder = place.path / "policies"
    folder.mkdir()
    (folder / "mine.cedar").write_text("permit(principal, action, resource);")
    refused = place.begun("content", *STUDIO)
    assert refused.code == 1
    assert "has mine.cedar already; nothing was written" in refused.err
    assert [path.name for path in folder.iterdir()] == ["mine.cedar"]
    (folder / "mine.cedar").unlink()
    (folder / "cases.toml").write_text("")
    assert place.begun("content", *STUDIO).code == 1


def test_tools_and_arguments_of_other_names_are_said(place: Place) -> None:
    odd = ("--agents", f"{place.odd}:payer")
    refused = place.begun("returns", *odd)
    assert refused.code == 1
    assert "no tool here does what the starter set returns is about (tools: till.book, till.pay)" in refused.err
    told = ("--tool", "refund=till.pay", "--argument", "refund.amount=pence", "--argument", "refund.order=sale_ref")
    begun = place.begun("returns", *told, *odd)
    assert begun.code == 0, begun.all
    assert "refund: till.pay (amount: pence, order: sale_ref)" in begun.out
    assert "record.sale" not in place.read("context.toml")  # The book says what was paid, but not for which sale.
    assert "resource is till::pay)\nwhen { resource.pence <= 5000 }" in place.read("returns.cedar")


def test_what_is_not_found_is_left_out_and_said(place: Place) -> None:
    begun = place.begun("returns", "--tool", "refund=till.pay", "--agents", f"{place.odd}:payer")
    assert "left out: rules about refund.amount: till.pay has no whole number of such a name" in begun.out
    assert "left out: mail: no tool's name says so; name one with --tool mail=NAME" in begun.out
    assert "refund.small" not in place.read("returns.cedar")


def test_where_no_sample_fits_a_tool_its_cases_are_left_to_the_user(place: Place) -> None:
    begun = place.begun("returns", "--tool", "refund=till.refund_card", "--agents", f"{place.odd}:cashier")
    assert begun.code == 0, begun.all
    assert "left out: cases about till.refund_card: no sample of its arguments could be made" in begun.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("returns",), "several tools could be what the part refund is about: till.refund_card, till.refund_cash"),
        (("sales",), "there is no starter set 'sales'"),
        (("returns", "--tool", "refnd=till.refund_card"), "the starter set has no part 'refnd'"),
        (("returns", "--tool", "refund=till.order"), "no agent declares an acting tool 'till.order'"),
        (("returns", "--tool", "refund"), "'refund' names nothing"),
        (("returns", "--argument", "refund.price=amount"), "knows no argument 'refund.price'"),
        (
            ("returns", "--tool", "refund=till.refund_card", "--argument", "refund.amount=code"),
            "till.refund_card has no argument 'code' of type integer",
        ),
    ],
)
def test_what_cannot_be_meant_is_an_error_and_writes_nothing(
    place: Place, arguments: tuple[str, ...], said: str
) -> None:
    kind, *rest = arguments
    refused = place.begun(kind, *rest, "--agents", f"{place.odd}:cashier")
    assert refused.code == 1
    assert said in refused.err
    assert not (place.path / "policies").exists()


# --- the example ---------------------------------------------------------------------------------------------------


def test_the_studios_policies_are_the_starter_set(place: Place) -> None:
    place.begun("content", *STUDIO)
    for path in OWN_POLICIES.iterdir():
        assert path.read_text() == place.read(path.name), path.name


async def test_the_studio_plans_and_answers_alone_and_publishes_with_a_yes() -> None:
    plan = [
        Piece(kind="schedule", text="On ink", about="Ink"),
        Piece(kind="reply", text="Cotton", about="C-1"),
        Piece(kind="publish", text="On paper", about="Paper"),
        Piece(kind="newsletter", text="All of it", about="May"),
        Piece(kind="newsletter", text="All of it again", about="June"),
    ]
    OUTBOX.clear()
    async with VirtualKernel(studio, policies=OWN_POLICIES) as kernel:
        run = await kernel.start(studio, plan)
        async for event in run.events():
            if type(event.data).__name__ == "RunParked":
                await kernel.approve(run.id)
        *_, last = await run.result()
    assert "forbidden by newsletter.once" in last
    assert [line.partition(" ")[2] for line in OUTBOX] == [
        "planned Ink for tomorrow", "answered C-1", "published Paper", "sent May"
    ]  # fmt: skip


def test_programs_read_the_cases_of_a_starter_set(place: Place) -> None:
    place.begun("content", *STUDIO)
    told = place.kernos("policy", "test", "--json", "--policies", str(place.path / "policies"), *STUDIO)
    names = [case["name"] for case in tomllib.loads(place.read("cases.toml"))["case"]]
    assert [case["name"] for case in json.loads(told.out)["cases"]] == names
