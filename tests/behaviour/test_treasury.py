"""Treasury: each answer over a cap to the unit: what is held, which shares are told, what is on its way, and the words of a no."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from kernos.control.projections.accounts import TABLE, key_of
from kernos.control.treasury import Balance, Bookings, NoRoom, Treasury, day_of
from kernos.vocabulary.budget import Account, Booking, Budget, Cap, Caps, Cost, Over, Prices, Unit, Warned
from kernos.vocabulary.circumstances import Totals
from kernos.vocabulary.contract import ModelRequest
from kernos.vocabulary.ids import DEFAULT_TENANT, EpochMs, RunId, TenantId
from kernos.vocabulary.journal import RowOp
from kernos.vocabulary.outcome import Failure
from kernos.vocabulary.quantities import Json
from kernos.vocabulary.questions import AskModel
from kernos.vocabulary.undo import REVERT_AGENT
from tests.behaviour.past import ARGS, given, requested

NOW, DAY = EpochMs(86_400_000 + 5), "1970-01-02"
CALLS = Account(DEFAULT_TENANT, Over.AGENT, "desk", DAY, Unit.CALLS)
MONEY = Account(DEFAULT_TENANT, Over.AGENT, "desk", DAY, Unit.MICROUSD)
OPEN = Account(DEFAULT_TENANT, Over.TENANT, "default", "", Unit.RUNS)
ASK = AskModel("small", ModelRequest("count", "how", Json(b"12345"), Json(b'{"a":1}'), 100), Json(b"{}"))
"""3 + 5 + 5 + 7 bytes, and the schema once more."""


@dataclass
class Books:
    """Accounts as they stand on disk."""

    rows: dict[tuple[object, ...], dict[str, int]] = field(default_factory=dict)

    def totals(self, table: str, where: Mapping[str, Any], *, of: str, at: str) -> Totals:
        assert (table, at) == (TABLE.name, of)
        row = self.rows.get(tuple(where[name] for name, _ in TABLE.columns[: TABLE.key_columns]), {})
        return Totals(1, row.get(of, 0), EpochMs(0))


@dataclass
class Under:
    """An append on its way to the disk."""

    is_over: bool = False


def treasury(
    *caps: Cap,
    used: Mapping[Account, int] | None = None,
    warned: Mapping[Account, int] | None = None,
    raised: Mapping[Any, int] | None = None,
    prices: Prices | None = None,
    raised_by: tuple[str, ...] = (),
) -> Treasury:
    books = Books()
    for name, amounts in (("used", used or {}), ("warned", warned or {})):
        for account, amount in amounts.items():
            books.rows.setdefault(key_of(account), {})[name] = amount
    model = SimpleNamespace(prices=prices) if prices else SimpleNamespace()
    declared = Caps(caps, raised_by)
    return Treasury(lambda: declared, SimpleNamespace(model=lambda _: model), books, lambda: raised or {})  # type: ignore[arg-type]


def tool(cost: Cost | None) -> Any:
    return SimpleNamespace(name="shop.buy", cost=cost)


def cap(unit: Unit, amount: int, over: Over = Over.AGENT) -> Cap:
    return Cap(over, unit, amount)


def why(answer: object) -> str:
    answer = answer.failure if isinstance(answer, NoRoom) else answer
    assert isinstance(answer, Failure)
    assert answer.code == "over_budget"
    return answer.message


def test_a_day_is_that_of_utc_to_the_millisecond() -> None:
    assert [day_of(EpochMs(ms)) for ms in (0, 86_399_999, 86_400_000)] == ["1970-01-01", "1970-01-01", "1970-01-02"]


def test_without_a_cap_nothing_is_held_and_nothing_looked_up() -> None:
    desk = treasury()
    assert desk.accounts(given(requested()), NOW) == ()
    assert desk.hold(given(requested()), ASK, NOW) == Bookings((), ())
    assert desk.hold_call(given(requested()), tool(None), ARGS, NOW) == Bookings((), ())
    assert desk.admit(requested(), RunId("r"), NOW) == Bookings((), ())
    own = given(requested(budget=Budget(calls=0)), run=RunId("r"))
    assert desk.accounts(own, NOW) == ((Account(DEFAULT_TENANT, Over.RUN, "r", "", Unit.CALLS), 0),)


def test_an_account_stands_where_its_cap_is_and_where_a_person_raised_it_to() -> None:
    raised = {(DEFAULT_TENANT, Over.AGENT, "desk", Unit.CALLS): 7}
    assert treasury(cap(Unit.CALLS, 5)).accounts(given(requested()), NOW) == ((CALLS, 5),)
    assert treasury(cap(Unit.CALLS, 5), raised=raised).accounts(given(requested()), NOW) == ((CALLS, 7),)
    assert treasury(cap(Unit.CALLS, 0)).accounts(given(requested()), NOW) == ((CALLS, 0),), "nothing is a cap, too"


def test_a_model_call_may_use_what_its_texts_and_its_answer_can_come_to() -> None:
    tokens = 3 + 5 + 5 + 7 + 7 + 256 + 100
    assert treasury().needs(ASK) == {Unit.CALLS: 1, Unit.TOKENS: tokens, Unit.MICROUSD: None}
    priced = treasury(prices=Prices(1_000_000, 2_000_000))
    assert priced.needs(ASK) == {Unit.CALLS: 1, Unit.TOKENS: tokens, Unit.MICROUSD: tokens + 100}
    free = treasury(prices=Prices(None, None, has_tokens=False))
    assert free.needs(ASK) == {Unit.CALLS: 1, Unit.TOKENS: 0, Unit.MICROUSD: 0}


@pytest.mark.parametrize(("used", "is_held"), [(4, True), (5, False)])
def test_a_call_is_held_up_to_the_cap_and_not_beyond(used: int, *, is_held: bool) -> None:
    desk = treasury(cap(Unit.CALLS, 5), used={CALLS: used})
    for answer in (desk.hold(given(requested()), ASK, NOW), desk.hold_call(given(requested()), tool(None), ARGS, NOW)):
        if is_held:
            assert isinstance(answer, Bookings)
            assert answer.bookings == (Booking(CALLS, 1, 5),)
        else:
            assert why(answer) == (
                f"it may use up to 1 calls, and 5 of 5 are used or reserved of agent desk (calls, {DAY}); a person who administers "
                "can raise that: kernos budget raise agent calls AMOUNT --name desk --reason WHY"
            )


def test_a_tool_is_held_with_its_cost_and_where_its_result_tells_the_true_one() -> None:
    desk = treasury(cap(Unit.CALLS, 5), cap(Unit.MICROUSD, 1_000), cap(Unit.TOKENS, 0))

    def held(cost: Cost | None, args: bytes = b"{}") -> object:
        answer = desk.hold_call(given(requested()), tool(cost), Json(args), NOW)
        return answer.bookings if isinstance(answer, Bookings) else why(answer)

    assert held(Cost(300, reported="paid")) == (Booking(CALLS, 1, 5), Booking(MONEY, 300, 1_000, "paid"))
    assert held(Cost(300)) == (Booking(CALLS, 1, 5), Booking(MONEY, 300, 1_000))
    assert held(Cost(0)) == (Booking(CALLS, 1, 5),), "what is free touches no money"
    assert held(Cost(argument="price"), b'{"price":40}') == (Booking(CALLS, 1, 5), Booking(MONEY, 40, 1_000))
    unknown = f"agent desk (microusd, {DAY}) has a cap, and nobody knows what a call of shop.buy costs"
    assert [held(None), held(Cost(argument="price"))] == [unknown, unknown]
    assert str(held(Cost(1_001))).startswith("it may use up to 1001 microusd, and 0 of 1000 are used or reserved of ")


def test_a_model_whose_price_nobody_knows_is_named_where_money_is_capped() -> None:
    answer = treasury(cap(Unit.MICROUSD, 10)).hold(given(requested()), ASK, NOW)
    assert why(answer) == f"agent desk (microusd, {DAY}) has a cap, and nobody knows what small costs"


def test_what_is_on_its_way_counts_until_it_is_over_and_makes_others_wait() -> None:
    desk, first, second = treasury(cap(Unit.CALLS, 5), used={CALLS: 2}), Under(), Under()
    key = key_of(CALLS)

    def change(used: int | None, table: str = TABLE.name) -> RowOp:
        return RowOp("add", table, key, {"used": used, "reserved": 0})

    desk.take([change(2), change(9, "runs"), change(None)], first)  # type: ignore[arg-type]
    assert desk.balance(CALLS) == Balance(2, 2)
    desk.take([change(1)], second)  # type: ignore[arg-type]
    assert desk.balance(CALLS) == Balance(2, 3)
    assert desk.hold(given(requested()), ASK, NOW) is None, "there is room as soon as one of them is given back"
    assert desk.balance(MONEY) == Balance(0, 0)
    first.is_over = True
    assert desk.balance(CALLS) == Balance(2, 1)
    answer = desk.hold(given(requested()), ASK, NOW)
    assert isinstance(answer, Bookings)
    second.is_over = True
    assert desk.balance(CALLS) == Balance(2, 0)
    desk.take([change(-1)], Under())  # type: ignore[arg-type]
    assert desk.balance(CALLS) == Balance(2, -1)


@pytest.mark.parametrize(("used", "told_before", "fresh", "warned"), [
    (3, 0, (), ()), (4, 0, (50,), ((50, 0),)), (6, 50, (), ()), (7, 50, (80,), ((80, 50),)), (7, 80, (), ()), (7, 0, (80,), ((80, 0),)),
    (9, 80, (), ()),
])  # fmt: skip
def test_people_are_told_once_of_a_share_that_is_passed(
    used: int, told_before: int, fresh: tuple[int, ...], warned: tuple[tuple[int, int], ...]
) -> None:
    desk = treasury(cap(Unit.CALLS, 10), used={CALLS: used}, warned={CALLS: told_before})
    answer = desk.hold(given(requested()), ASK, NOW)
    assert isinstance(answer, Bookings)
    assert answer.warnings == tuple(f"{share} % of agent desk (calls, {DAY})" for share in fresh)
    assert answer.warned == tuple(Warned(CALLS, share, before) for share, before in warned)


def test_of_several_shares_passed_at_once_the_highest_stands_for_all() -> None:
    answer = treasury(cap(Unit.MICROUSD, 100)).hold_call(given(requested()), tool(Cost(90)), ARGS, NOW)
    assert isinstance(answer, Bookings)
    assert [text.split(" of ")[0] for text in answer.warnings] == ["50 %", "80 %"]
    assert answer.warned == (Warned(MONEY, 80, 0),)


def test_a_run_takes_one_place_of_those_that_may_be_open_and_no_share_is_told() -> None:
    places = treasury(cap(Unit.RUNS, 2, Over.TENANT), cap(Unit.CALLS, 0), used={OPEN: 1})
    assert places.admit(requested(), RunId("r"), NOW) == Bookings((Booking(OPEN, 1, 2),), ())
    full = treasury(cap(Unit.RUNS, 2, Over.TENANT), used={OPEN: 2})
    answer = full.admit(requested(), RunId("r"), NOW)
    assert why(answer) == (
        "2 of 2 runs are open of tenant default (runs); come back when one has ended, or a person who administers can raise that: "
        "kernos budget raise tenant runs AMOUNT --reason WHY"
    )
    assert isinstance(answer, Failure)
    assert answer.details == Json(b'{"retry_after_ms":1000}')
    assert full.admit(requested(agent=REVERT_AGENT), RunId("r"), NOW) == Bookings((), ()), (
        "taking back is never kept waiting"
    )


def test_what_the_whole_store_uses_is_not_told_to_one_tenant_and_who_may_raise_is_named() -> None:
    runs = Account(TenantId("*"), Over.STORE, "", "", Unit.RUNS)
    calls = Account(TenantId("*"), Over.STORE, "", DAY, Unit.CALLS)
    desk = treasury(
        cap(Unit.RUNS, 2, Over.STORE),
        cap(Unit.CALLS, 3, Over.STORE),
        used={runs: 2, calls: 3},
        raised_by=("lead", "owner"),
    )
    raising = "lead or owner can raise that: kernos budget raise store"
    assert why(desk.admit(requested(), RunId("r"), NOW)) == (
        f"as many runs are open as may be of the whole store (runs); come back when one has ended, or {raising} runs AMOUNT --reason WHY"
    )
    assert why(desk.hold(given(requested()), ASK, NOW)) == (
        f"it may use up to 1 calls, and less is left of the whole store (calls, {DAY}); {raising} calls AMOUNT --reason WHY"
    )
