"""Rules of waiting for room: a call's place in the line, from its wait to its reservation."""

from dataclasses import replace

import pytest

from kernos.kernel.decide import decide
from kernos.kernel.evolve import evolve
from kernos.kernel.react import react
from kernos.kernel.state import RunState, Status, Turn
from kernos.vocabulary.budget import Account, Booking, Over, ReserveBudget, Unit
from kernos.vocabulary.commands import Command, JoinFork, Tick
from kernos.vocabulary.effects import RunAgent, WakeAt
from kernos.vocabulary.events import Event, RunParked, RunRequested
from kernos.vocabulary.ids import DEFAULT_TENANT, EpochMs, PrincipalId, StepName, run_id
from kernos.vocabulary.quantities import NULL, Limits
from kernos.vocabulary.room import AwaitRoom, FindRoom, RoomAwaited, RoomForgone, RoomFound

RUN, STEP, BY = run_id(7), StepName("1"), PrincipalId("agent:desk@1")
NEEDS = (Booking(Account(DEFAULT_TENANT, Over.STORE, "", "2026-01-31", Unit.CALLS), 1, 0),)
REQUESTED = RunRequested("desk", "1", "", "", NULL, DEFAULT_TENANT, Limits(), EpochMs(0))


def after(state: RunState, *datas: object) -> RunState:
    for data in datas:
        state = evolve(state, Event(RUN, state.next_n, EpochMs(0), BY, "call", data))  # type: ignore[arg-type]
    return state


def does(state: RunState, command: Command) -> RunState:
    return after(state, *decide(state, command))


def wait(at: int, wait_ms: int = 0, step: StepName = STEP) -> AwaitRoom:
    return AwaitRoom(step, "shop.buy", False, NEEDS, "no room", EpochMs(at), wait_ms)


BEGUN = after(RunState(RUN), REQUESTED)
WAITING = does(BEGUN, wait(5, 100))
PARKED = after(WAITING, RunParked())


def test_a_call_waits_until_its_turn_comes_and_its_run_goes_on_then() -> None:
    assert WAITING.awaits_room(STEP)
    found = does(PARKED, FindRoom(STEP))
    assert (found.status, found.awaits_room(STEP), found.queued[STEP].turn) == (Status.RUNNING, False, Turn.COME)
    assert decide(found, FindRoom(STEP)) == ()
    assert react(found, Event(RUN, 3, EpochMs(0), BY, "", RoomFound(STEP))) == (RunAgent(),)


def test_a_call_that_lost_its_room_keeps_its_place_and_its_end() -> None:
    again = does(does(PARKED, FindRoom(STEP)), wait(50, 100))
    assert (again.queued[STEP].since, again.queued[STEP].due_at) == (5, 105)
    assert again.awaits_room(STEP)


def test_a_reservation_takes_a_call_out_of_the_line() -> None:
    held = does(does(PARKED, FindRoom(STEP)), ReserveBudget(STEP, NEEDS, ()))
    assert held.queued == {}
    assert does(held, wait(70)).queued[STEP].since == 70


def test_the_end_of_the_longest_wait_is_due_like_any_other() -> None:
    assert PARKED.due_at() == 105
    assert react(WAITING, Event(RUN, 1, EpochMs(0), BY, "", decide(BEGUN, wait(5, 100))[0])) == (WakeAt(EpochMs(105)),)
    assert decide(PARKED, Tick(EpochMs(104))) == ()
    assert decide(PARKED, Tick(EpochMs(105))) == (RoomForgone(STEP),)
    late = does(PARKED, Tick(EpochMs(105)))
    assert (late.status, late.queued[STEP].turn, late.due_at()) == (Status.RUNNING, Turn.MISSED, 0)
    assert decide(late, Tick(EpochMs(200))) == decide(late, FindRoom(STEP)) == ()
    assert does(BEGUN, wait(5)).due_at() == 0


@pytest.mark.parametrize("status", [Status.BLOCKED, Status.HANDED_OVER, Status.COMPLETED, Status.CANCELLED])
def test_no_turn_comes_to_a_run_that_takes_no_steps(status: Status) -> None:
    assert decide(replace(PARKED, status=status), FindRoom(STEP)) == ()
    assert decide(replace(PARKED, cancel_reason="no more"), FindRoom(STEP)) == ()


def test_branches_that_are_given_up_leave_the_line_and_others_stay() -> None:
    lost, kept, other = StepName("2.0.1"), StepName("2.1.1"), StepName("22.0.1")
    state = BEGUN
    for step in (lost, kept, other):
        state = does(state, wait(5, step=step))
    join = JoinFork(StepName("2"), (1,))
    assert [data for data in decide(state, join) if isinstance(data, RoomForgone)] == [RoomForgone(lost, is_late=False)]
    assert set(does(state, join).queued) == {kept, other}
    assert react(state, Event(RUN, 9, EpochMs(0), BY, "", RoomForgone(lost, is_late=False))) == ()


def test_what_a_call_waits_for_is_recorded_with_who_can_make_room() -> None:
    assert decide(BEGUN, wait(5, 100)) == (
        RoomAwaited(STEP, "shop.buy", False, NEEDS, "no room", EpochMs(5), EpochMs(105)),
    )
