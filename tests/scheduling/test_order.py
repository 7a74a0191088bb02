"""Order: who goes next of all that wait."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernos.scheduling.order import PATIENCE_MS, Order, Place
from kernos.vocabulary.ids import EpochMs, RunId, TenantId
from kernos.vocabulary.profile import Latency

A, B = TenantId("a"), TenantId("b")


def place(
    latency: Latency = Latency.STANDARD,
    tenant: TenantId = A,
    left: float = 0.0,
    run: str = "1",
    since: int = 0,
    cost: float = 0.0,
    urgent_at: int = 0,
) -> Place:
    return Place(latency, tenant, left, RunId(run), EpochMs(since), cost, EpochMs(urgent_at))


def order_of(places: dict[str, Place], now: int = 0, **weights: float) -> list[str]:
    order: Order[str] = Order({TenantId(name): weight for name, weight in weights.items()})
    for name, one in places.items():
        order.put(name, one)
    return taken(order, now)


def taken(order: Order[str], now: int = 0) -> list[str]:
    found: list[str] = []
    while (name := order.next(EpochMs(now))) is not None:
        found.append(name)
        order.done(name, None, EpochMs(now))
    return found


def test_a_class_that_somebody_waits_for_goes_before_one_that_nobody_does() -> None:
    places = {"batch": place(Latency.BATCH), "standard": place(), "person": place(Latency.INTERACTIVE)}
    assert order_of(places) == ["person", "standard", "batch"]


def test_of_one_tenant_the_run_with_least_left_goes_first_and_then_the_one_that_began_first() -> None:
    places = {"long": place(left=9), "later": place(left=2, run="5"), "first": place(left=2, run="3")}
    assert order_of(places) == ["first", "later", "long"]


def test_tenants_take_turns_however_much_one_of_them_wants() -> None:
    places = {f"a{n}": place(tenant=A, cost=10) for n in range(6)} | {
        f"b{n}": place(tenant=B, cost=10) for n in range(2)
    }
    assert [name[0] for name in order_of(places)] == ["a", "b", "a", "b", "a", "a", "a", "a"]


def test_a_tenant_of_twice_the_weight_goes_twice_as_often() -> None:
    places = {f"{tenant}{n}": place(tenant=tenant, cost=10) for n in range(30) for tenant in (A, B)}
    assert Counter(name[0] for name in order_of(places, a=2.0)[:30]) == {"a": 20, "b": 10}


def test_what_a_turn_took_counts_and_not_what_was_thought() -> None:
    order: Order[str] = Order()
    for n in range(4):
        order.put(f"a{n}", place(tenant=A, cost=10, left=n))
        order.put(f"b{n}", place(tenant=B, cost=10, left=n))
    first = order.next(EpochMs(0))
    assert first == "a0"
    order.done("a0", 35, EpochMs(35))
    assert taken(order, 35) == ["b0", "b1", "b2", "b3", "a1", "a2", "a3"]


def test_who_comes_late_gets_a_share_from_then_on_and_nothing_for_the_time_before() -> None:
    order: Order[str] = Order()
    for n in range(100):
        order.put(f"a{n:03}", place(tenant=A, cost=10, left=n))
    for _ in range(50):
        name = order.next(EpochMs(0))
        assert name is not None
        order.done(name, 10, EpochMs(0))
    for n in range(20):
        order.put(f"b{n:03}", place(tenant=B, cost=10, left=n, since=1))
    assert Counter(name[0] for name in taken(order, 1)[:20]) == {"a": 10, "b": 10}


def test_a_short_pause_costs_a_tenant_nothing_and_a_long_one_saves_nothing_up() -> None:
    for pause_ms, lead in ((1_000, "bbbb"), (120_000, "abab")):
        order: Order[str] = Order()
        order.put("b", place(tenant=B, cost=10))
        assert order.next(EpochMs(0)) == "b"
        order.done("b", 10, EpochMs(0))
        for n in range(20):
            order.put(f"a{n:02}", place(tenant=A, cost=10, left=n))
        for _ in range(10):
            name = order.next(EpochMs(0))
            assert name is not None
            order.done(name, 10, EpochMs(0))
        for n in range(4):
            order.put(f"b{n}", place(tenant=B, cost=10, left=n, since=pause_ms))
        found = "".join(name[0] for name in taken(order, pause_ms)[:4])
        assert found in (lead, lead.translate(str.maketrans("ab", "ba"))), (pause_ms, found)


@pytest.mark.parametrize("latency", PATIENCE_MS)
def test_who_has_waited_as_long_as_its_class_may_counts_as_of_the_one_above(latency: Latency) -> None:
    above = Latency.INTERACTIVE if latency is Latency.STANDARD else Latency.STANDARD
    patience = PATIENCE_MS[latency]
    places = {"old": place(latency, left=1), "new": place(above, left=5, since=patience)}
    assert order_of(places, patience - 1) == ["new", "old"]
    assert order_of(places, patience) == ["old", "new"]


def test_a_run_whose_deadline_comes_near_goes_with_those_that_a_person_waits_for() -> None:
    places = {"due": place(Latency.BATCH, urgent_at=50), "soon": place(since=10)}
    assert order_of(places, 49) == ["soon", "due"]
    assert order_of(places, 50) == ["due", "soon"]


def test_what_is_dropped_has_no_turn_and_nothing_is_forgotten_of_the_others() -> None:
    order: Order[str] = Order()
    order.put("gone", place())
    order.put("here", place(left=3))
    order.drop("gone")
    order.drop("never was")
    assert (len(order), "gone" in order, list(order)) == (1, False, ["here"])
    assert taken(order) == ["here"]


def test_only_classes_that_are_wanted_have_a_turn() -> None:
    order: Order[str] = Order()
    order.put("batch", place(Latency.BATCH))
    assert order.next(EpochMs(0), Latency.INTERACTIVE) is None
    assert order.next(EpochMs(0)) == "batch"


turns = st.lists(
    st.tuples(st.sampled_from(list(Latency)), st.sampled_from("abc"), st.floats(0, 9), st.booleans()), max_size=40
)


@given(turns)
def test_everything_that_waits_has_exactly_one_turn(wanted: list[tuple[Latency, str, float, bool]]) -> None:
    order: Order[str] = Order()
    dropped = set()
    for n, (latency, tenant, left, is_dropped) in enumerate(wanted):
        order.put(str(n), place(latency, TenantId(tenant), left, run=f"{n:03}", since=n, cost=1))
        if is_dropped:
            order.drop(str(n))
            dropped.add(str(n))
    assert sorted(taken(order, 10**12)) == sorted({str(n) for n in range(len(wanted))} - dropped)
    assert len(order) == 0
