"""Caps: the pure rules of raising, booking and counting."""

import pytest

from kernos.kernel.administering import administer
from kernos.kernel.administration import Administration
from kernos.kernel.budget import bound, passed, spent
from kernos.kernel.state import Held, RunState
from kernos.vocabulary.budget import Account, Booking, Over, Prices, RaiseCap, Unit
from kernos.vocabulary.errors import InvalidInput
from kernos.vocabulary.ids import DEFAULT_TENANT, RunId, StepName
from kernos.vocabulary.quantities import Usage

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
    assert used(Unit.TOKENS, Usage(300, 3, 9)) == 303
    assert [used(unit, Usage(0, 0, 120)) for unit in (Unit.MICROUSD, Unit.TOKENS)] == [120, 100]
    assert [used(unit, None) for unit in USED_BY_CALLS] == [0, 0, 100]
    assert [used(unit, None, is_known=False) for unit in USED_BY_CALLS] == [100, 100, 100]


def test_a_bound_is_of_bytes_and_prices_rounded_up() -> None:
    assert bound(Prices(1, 3), 44, 100) == {Unit.CALLS: 1, Unit.TOKENS: 400, Unit.MICROUSD: 1}
    assert bound(Prices(2_000_000, 3_000_000), 44, 100)[Unit.MICROUSD] == 900
    assert bound(Prices(None, None, has_tokens=False), 44, 100)[Unit.MICROUSD] == 0
    for unknown in (None, Prices(None, 3), Prices(3, None)):
        assert bound(unknown, 44, 100) == {Unit.CALLS: 1, Unit.TOKENS: 400, Unit.MICROUSD: None}


def test_a_share_is_passed_once() -> None:
    assert passed(0, 50, 100, (50, 80)) == (50,)
    assert passed(50, 10, 100, (50, 80)) == ()
    assert passed(49, 51, 100, (50, 80)) == (50, 80)


@pytest.mark.parametrize(("new", "reason"), [(10, "more"), (5, "more"), (10**15 + 1, "more"), (11, "")])
def test_a_raise_gives_more_for_a_reason(new: int, reason: str) -> None:
    with pytest.raises(InvalidInput):
        administer(Administration(), RaiseCap(DEFAULT_TENANT, Over.TENANT, "default", Unit.CALLS, 10, new, reason))
