"""Caps: the pure rules of raising, booking and counting."""

from dataclasses import replace

import pytest

from kernos.control.treasury import Bookings, places_of, raising, shown
from kernos.kernel.administering import administer
from kernos.kernel.administration import Administration, RaisedCap
from kernos.kernel.budget import _spent_with, accounts, bound, cost_of, passed, spent, spent_by_tool, standing
from kernos.kernel.state import Held, Phase, RunState, Status, Step, StepKind
from kernos.vocabulary.budget import (
    PLACE,
    Account,
    Booking,
    Budget,
    BudgetReserved,
    BudgetSpent,
    Cap,
    CapRaised,
    Cost,
    Over,
    Prices,
    RaiseCap,
    Spending,
    Unit,
)
from kernos.vocabulary.errors import InvalidInput, NotAllowed
from kernos.vocabulary.events import ActionPerformed, ActionSettled, RunRequested
from kernos.vocabulary.ids import DEFAULT_TENANT, EpochMs, PrincipalId, RunId, StepName, TenantId
from kernos.vocabulary.outcome import Failure
from kernos.vocabulary.quantities import Json, Usage
from tests.behaviour.past import given, requested

STEP = StepName("1")
USED_BY_CALLS = (Unit.MICROUSD, Unit.TOKENS, Unit.CALLS)


def used(unit: Unit, usage: Usage | None, *, is_known: bool = True) -> int:
    account = Account(DEFAULT_TENANT, Over.TENANT, "default", "2026-01-01", unit)
    state = RunState(RunId("0000000000001"), held={STEP: Held(STEP, 1, (Booking(account, 100, 500),))})
    (data,) = spent(state, STEP, usage, is_known=is_known)
    return data.spendings[0].amount


def test_what_was_used_takes_the_place_of_what_was_reserved() -> None:
    assert spent(RunState(RunId("0000000000001")), STEP, Usage(1, 1, 1), is_known=True) == ()
    assert [used(unit, Usage(30, 3, 9)) for unit in USED_BY_CALLS] == [9, 33, 1 * 100]
    assert used(Unit.MICROUSD, Usage(30, 3, -1)) == 100
    assert used(Unit.MICROUSD, Usage(30, 3, 0)) == 0, "an answer may cost nothing"
    assert used(Unit.TOKENS, Usage(300, 3, 9)) == 303
    assert used(Unit.TOKENS, Usage(30, 3, 9), is_known=False) == 33, "what was told counts, whatever came of the call"
    assert [used(unit, Usage(0, 0, 120)) for unit in (Unit.MICROUSD, Unit.TOKENS)] == [120, 100]
    assert [used(unit, None) for unit in USED_BY_CALLS] == [0, 0, 100]
    assert [used(unit, None, is_known=False) for unit in USED_BY_CALLS] == [100, 100, 100]


def test_a_bound_is_of_bytes_and_prices_rounded_up() -> None:
    assert bound(Prices(1, 3), 44, 100) == {Unit.CALLS: 1, Unit.TOKENS: 400, Unit.MICROUSD: 1}
    assert bound(Prices(2_000_000, 3_000_000), 44, 100)[Unit.MICROUSD] == 900
    assert bound(Prices(None, None, has_tokens=False), 44, 100)[Unit.MICROUSD] == 0
    assert bound(Prices(None, None, has_tokens=False), 44, 100) == {Unit.CALLS: 1, Unit.TOKENS: 0, Unit.MICROUSD: 0}
    assert bound(Prices(10**12, 0), 44, 100)[Unit.MICROUSD] == 300 * 10**6
    assert bound(Prices(0, 10**12), 44, 100)[Unit.MICROUSD] == 100 * 10**6
    for unknown in (None, Prices(None, 3), Prices(3, None), Prices(-1, 3), Prices(1, -3)):
        assert bound(unknown, 44, 100) == {Unit.CALLS: 1, Unit.TOKENS: 400, Unit.MICROUSD: None}


def test_a_share_is_passed_once() -> None:
    assert passed(0, 50, 100, (50, 80)) == (50,)
    assert passed(50, 10, 100, (50, 80)) == ()
    assert passed(49, 51, 100, (50, 80)) == (50, 80)
    assert passed(999, 1, 2_000, (50,)) == (50,)
    assert passed(998, 1, 2_000, (50,)) == ()


@pytest.mark.parametrize(("new", "reason"), [(10, "more"), (5, "more"), (10**15 + 1, "more"), (11, "")])
def test_a_raise_gives_more_for_a_reason(new: int, reason: str) -> None:
    with pytest.raises(InvalidInput):
        administer(Administration(), RaiseCap(DEFAULT_TENANT, Over.TENANT, "default", Unit.CALLS, 10, new, reason))


def test_who_has_not_seen_the_newest_raise_raises_nothing() -> None:
    known = RaisedCap(
        PrincipalId("person:bo"),
        EpochMs(1),
        CapRaised(DEFAULT_TENANT, Over.TENANT, "default", Unit.CALLS, 10, 20, "x", "tok"),
    )
    state = Administration(caps={(DEFAULT_TENANT, Over.TENANT, "default", Unit.CALLS): known})
    command = RaiseCap(DEFAULT_TENANT, Over.TENANT, "default", Unit.CALLS, 10, 30, "more", "new")
    with pytest.raises(NotAllowed, match="raised by somebody else meanwhile"):
        administer(state, command)
    (raised,) = administer(state, replace(command, after="tok"))
    assert raised == CapRaised(DEFAULT_TENANT, Over.TENANT, "default", Unit.CALLS, 10, 30, "more", "new")


# --- what is left of reservations ---------------------------------------------------------------------------------------

ACCOUNT = Account(DEFAULT_TENANT, Over.AGENT, "desk", "2026-11-23", Unit.MICROUSD)
TWO_STEPS, RUN_ID = StepName("2"), RunId("0000000000001")


def reserved(step: StepName = STEP, n: int = 4, reported: str = "") -> Held:
    return Held(step, n, (Booking(ACCOUNT, 100, 500, reported), Booking(replace(ACCOUNT, unit=Unit.CALLS), 1, 9)))


def call(phase: Phase, outcome: Json | Failure | None = None) -> Step:
    return Step(StepKind.CALL, "shop.refund", Json(b"{}"), phase, 3, outcome)


def test_only_what_nothing_will_tell_any_more_is_left_for_a_person() -> None:
    cut, open_one, place = reserved(n=2), reserved(), reserved(PLACE, 1)
    state = RunState(RUN_ID, held={STEP: open_one, PLACE: place}, cut_off={2: cut})
    assert standing(state) == (cut,), "the run goes on"
    ended = replace(state, status=Status.COMPLETED)
    assert standing(ended) == (cut, open_one), "its step never was"
    assert standing(replace(ended, steps={STEP: call(Phase.DONE, Json(b"1"))})) == (cut, open_one)
    assert standing(replace(ended, steps={STEP: call(Phase.DOUBTED)})) == (cut,), (
        "a look-up or a person settles the action"
    )
    assert standing(replace(ended, held={PLACE: place}, cut_off={})) == ()


@pytest.mark.parametrize(("reported", "result", "is_known", "amount"), [
    ("charged", b'{"charged":30}', True, 30), ("charged", b'{"charged":130}', True, 130), ("charged", b'{"charged":0}', True, 0),
    ("charged", b'{"charged":-1}', True, 100), ("charged", b'{"charged":1.5}', True, 100), ("charged", b'{"charged":true}', True, 100),
    ("charged", b'{"charged":"30"}', True, 100), ("charged", b'{"other":30}', True, 100), ("charged", b"[30]", True, 100),
    ("charged", b'{"charged":1000000000000001}', True, 100), ("charged", b'{"charged":1000000000000000}', True, 10**15),
    ("", b'{"charged":30}', True, 100), ("charged", b'{"charged":30}', False, 100),
])  # fmt: skip
def test_what_a_tool_says_that_it_did_cost_takes_the_place_of_what_was_held(
    reported: str, result: bytes, amount: int, *, is_known: bool
) -> None:
    state = RunState(RUN_ID, held={STEP: reserved(reported=reported)})
    (data,) = spent_by_tool(state, STEP, Json(result), is_known=is_known)
    assert data == BudgetSpent(
        STEP, (Spending(ACCOUNT, 100, amount), Spending(replace(ACCOUNT, unit=Unit.CALLS), 1, 1)), 4
    )


def test_what_was_refused_costs_nothing_but_the_call() -> None:
    state = RunState(RUN_ID, held={STEP: reserved()})
    (data,) = spent_by_tool(state, STEP, None)
    assert [one.amount for one in data.spendings] == [0, 1]
    (unsure,) = spent_by_tool(state, STEP, None, is_known=False)
    assert [one.amount for one in unsure.spendings] == [100, 1]
    assert spent_by_tool(state, TWO_STEPS, None) == ()


def test_a_cost_is_the_most_that_a_call_says_of_itself() -> None:
    assert cost_of(None, Json(b"{}")) is None
    assert cost_of(Cost(250), Json(b"{}")) == 250
    by_argument = Cost(argument="price")
    assert [cost_of(by_argument, Json(text)) for text in (b'{"price":7}', b'{"price":-7}', b'{"price":"7"}', b'{"other":7}', b"[7]")] == [7, None, None, None, None]  # fmt: skip


def test_an_account_is_named_with_its_unit_and_day_and_how_it_is_raised() -> None:
    assert shown(ACCOUNT) == "agent desk (microusd, 2026-11-23)"
    store = Account(TenantId("*"), Over.STORE, "", "", Unit.RUNS)
    assert shown(store) == "the whole store (runs)"
    assert raising(ACCOUNT) == "kernos budget raise agent microusd AMOUNT --name desk --reason WHY"
    assert raising(store) == "kernos budget raise store runs AMOUNT --reason WHY"
    tenant = Account(DEFAULT_TENANT, Over.TENANT, "default", "2026-11-23", Unit.CALLS)
    assert raising(tenant) == "kernos budget raise tenant calls AMOUNT --reason WHY"
    assert (
        raising(replace(ACCOUNT, over=Over.RUN, name="r1"))
        == "kernos budget raise run microusd AMOUNT --name r1 --reason WHY"
    )


def test_the_cap_by_name_counts_before_the_one_for_each_and_a_runs_own_before_both_and_a_raise_over_all() -> None:
    caps = (Cap(Over.AGENT, Unit.CALLS, 5, "desk"), Cap(Over.AGENT, Unit.CALLS, 9), Cap(Over.RUN, Unit.TOKENS, 7), Cap(Over.STORE, Unit.RUNS, 3), Cap(Over.WORKFLOW, Unit.CALLS, 8, "other"))  # fmt: skip
    asked = requested(budget=Budget(tokens=11))
    found = {(one.over, one.unit): (one, cap) for one, cap in accounts(caps, {}, asked, RUN_ID, "2026-11-23")}
    assert {key: cap for key, (_, cap) in found.items()} == {
        (Over.AGENT, Unit.CALLS): 5, (Over.RUN, Unit.TOKENS): 11, (Over.STORE, Unit.RUNS): 3,
    }  # fmt: skip
    assert found[Over.AGENT, Unit.CALLS][0] == Account(DEFAULT_TENANT, Over.AGENT, "desk", "2026-11-23", Unit.CALLS)
    assert found[Over.RUN, Unit.TOKENS][0] == Account(DEFAULT_TENANT, Over.RUN, RUN_ID, "", Unit.TOKENS)
    assert found[Over.STORE, Unit.RUNS][0] == Account(TenantId("*"), Over.STORE, "", "", Unit.RUNS)
    child = accounts(caps, {}, replace(asked, agent="clerk", root=RunId("top"), workflow="other"), RUN_ID, "d")
    assert {(one.over, one.name): cap for one, cap in child} == {
        (Over.AGENT, "clerk"): 9, (Over.WORKFLOW, "other"): 8, (Over.RUN, "top"): 11, (Over.STORE, ""): 3,
    }  # fmt: skip
    raised = {(DEFAULT_TENANT, Over.AGENT, "desk", Unit.CALLS): 50, (DEFAULT_TENANT, Over.RUN, RUN_ID, Unit.TOKENS): 2}
    again = {one.over: cap for one, cap in accounts(caps, raised, asked, RUN_ID, "d")}
    assert (again[Over.AGENT], again[Over.RUN]) == (50, 11), "nothing lowers a cap"


@pytest.mark.parametrize(("settled", "amounts"), [
    (ActionSettled(STEP, "done", "seen", Json(b'{"charged":30}')), [30, 1]), (ActionSettled(STEP, "done", "seen"), [100, 1]),
    (ActionSettled(STEP, "unknown", "?", Json(b'{"charged":30}')), [100, 1]), (ActionSettled(STEP, "not_done", "no", late=True), [0, 1]),
    (ActionSettled(STEP, "not_done", "no"), []), (ActionPerformed(STEP, Json(b'{"charged":40}')), [40, 1]),
])  # fmt: skip
def test_what_became_of_an_action_settles_what_was_held_for_it(
    settled: ActionSettled | ActionPerformed, amounts: list[int]
) -> None:
    state = RunState(RUN_ID, held={STEP: reserved(reported="charged")})
    assert [one.amount for data in _spent_with(state, settled) for one in data.spendings] == amounts


def test_a_settled_reservation_is_held_no_more_and_one_that_was_cut_off_stands_until_then() -> None:
    first = BudgetReserved(STEP, reserved().bookings)
    held = given(requested(), first)
    assert held.held == {STEP: Held(STEP, 1, first.bookings)}
    again = given(requested(), first, first)
    assert (again.held[STEP].n, again.cut_off) == (2, {1: Held(STEP, 1, first.bookings)})
    other = BudgetReserved(TWO_STEPS, first.bookings)
    settled = given(requested(), first, first, other, BudgetSpent(STEP, (), 1))
    assert (set(settled.held), settled.cut_off) == ({STEP, TWO_STEPS}, {})
    assert set(given(requested(), first, other, BudgetSpent(STEP, (), 1)).held) == {TWO_STEPS}
    two = given(requested(), first, first, first, BudgetSpent(STEP, (), 2))
    assert set(two.cut_off) == {1}


class Admits:
    """Notes what is asked to begin."""

    def __init__(self, answer: object) -> None:
        self.answer = answer
        self.asked: list[tuple[object, ...]] = []

    def admit(self, wanted: RunRequested, run: RunId, now: EpochMs) -> object:
        self.asked.append((wanted.agent, wanted.root, wanted.workflow, run, now))
        return self.answer


def test_a_child_takes_its_place_in_the_tree_and_workflow_of_the_first_run() -> None:
    places = Bookings(reserved().bookings, ())
    admits = Admits(places)
    top = given(requested(), run=RunId("top"))
    below = given(requested(root=RunId("first"), workflow="boss"), run=RunId("mid"))
    for parent in (top, below):
        assert places_of(admits, parent, RunId("c"), "clerk", EpochMs(5)) == places.bookings  # type: ignore[arg-type]
    assert admits.asked == [("clerk", "top", "desk", "c", 5), ("clerk", "first", "boss", "c", 5)]
    for answer in (None, Failure("over_budget", "full")):
        assert places_of(Admits(answer), top, RunId("c"), "clerk", EpochMs(5)) is answer  # type: ignore[arg-type]
