"""Wait: timers, signals, questions, child runs; whichever comes first, nothing is lost and nothing comes twice."""

import pytest

from kernos.kernel.state import Phase, Status
from kernos.vocabulary.commands import (
    AnswerQuestion,
    AskPerson,
    AwaitSignal,
    DeliverSignal,
    EndChild,
    SetTimer,
    StartChild,
    Tick,
)
from kernos.vocabulary.effects import CancelChild, RunAgent, WakeAt
from kernos.vocabulary.errors import InvalidInput, LimitReached, NotAllowed, QueueFull, RunEnded
from kernos.vocabulary.events import (
    ApprovalExpired,
    ChildEnded,
    ChildStarted,
    EventData,
    QuestionAnswered,
    QuestionAsked,
    RunBlocked,
    RunCompleted,
    SignalAwaited,
    SignalReceived,
    TimerFired,
    TimerSet,
    WaitExpired,
)
from kernos.vocabulary.ids import EpochMs
from kernos.vocabulary.outcome import Failure
from kernos.vocabulary.quantities import SIGNALS_HELD_MAX, Json, Limits
from tests.behaviour.past import (
    ARGS,
    CANCELLING,
    CHILD,
    LATER,
    NOW,
    ONE,
    PARENT,
    PARKED,
    RESULT,
    TWO,
    asked,
    given,
    orders_of,
    requested,
    when,
)

TIMER = TimerSet(ONE, NOW)
SIGNAL = SignalAwaited(ONE, "go", NOW)
QUESTION = QuestionAsked(ONE, "lead", "Pay?", ("yes", "no"), NOW)
STARTED = ChildStarted(ONE, CHILD, "clerk", ARGS)
DATA = Json(b'"on"')


def test_a_timer_fires_when_it_is_due_and_not_before() -> None:
    assert when(given(requested()), SetTimer(ONE, NOW)) == (TIMER,)
    waiting = given(requested(), TIMER, PARKED)
    assert when(waiting, Tick(EpochMs(NOW - 1))) == ()
    assert when(waiting, Tick(NOW)) == (TimerFired(ONE),)
    assert when(given(requested(), TIMER, TimerFired(ONE)), Tick(LATER)) == ()
    assert orders_of(waiting, TimerFired(ONE)) == [RunAgent()]


@pytest.mark.parametrize(
    ("wait", "expiry"),
    [
        (TIMER, TimerFired(ONE)),
        (SIGNAL, WaitExpired(ONE)),
        (QUESTION, WaitExpired(ONE)),
        (asked(), ApprovalExpired(ONE)),
    ],
)
def test_everything_that_is_due_happens_in_one_tick_in_order(wait: EventData, expiry: EventData) -> None:
    state = given(requested(), wait, TimerSet(TWO, NOW))
    assert when(state, Tick(LATER)) == (expiry, TimerFired(TWO))
    blocked = given(requested(), wait, RunBlocked("diverged", "other code"))
    assert when(blocked, Tick(LATER)) == ()
    ended = given(requested(), wait, RunCompleted(RESULT))
    assert when(ended, Tick(LATER)) == ()


@pytest.mark.parametrize("wait", [TIMER, SIGNAL, QUESTION])
def test_a_wait_wakes_the_run_when_it_is_due(wait: EventData) -> None:
    assert orders_of(given(requested()), wait) == [WakeAt(NOW)]


def test_a_wait_without_an_end_wakes_nobody() -> None:
    assert orders_of(given(requested()), SignalAwaited(ONE, "go", EpochMs(0))) == []


def test_a_signal_goes_to_the_oldest_wait_for_its_topic() -> None:
    state = given(requested(), SignalAwaited(TWO, "go", EpochMs(0)), SignalAwaited(ONE, "go", EpochMs(0)), PARKED)
    (received,) = when(state, DeliverSignal("go", DATA))
    assert received == SignalReceived("go", DATA, "", TWO)
    assert orders_of(state, received) == [RunAgent()]
    assert when(state, DeliverSignal("stop", DATA)) == (SignalReceived("stop", DATA),)


def test_a_signal_that_came_early_is_held_first_come_first_served() -> None:
    held = [SignalReceived("go", Json(b"1")), SignalReceived("stop", DATA), SignalReceived("go", Json(b"2"))]
    state = given(requested(), *held)
    (awaited,) = when(state, AwaitSignal(ONE, "go", NOW))
    assert awaited == SignalAwaited(ONE, "go", NOW, held=0)
    state = given(requested(), *held, awaited)
    assert state.steps[ONE].outcome == Json(b"1")
    assert state.signals == (("stop", DATA), ("go", Json(b"2")))
    assert orders_of(given(requested()), held[0]) == []


def test_a_signal_with_a_known_key_arrives_once() -> None:
    state = given(requested(), SignalReceived("go", DATA, "k1"))
    assert when(state, DeliverSignal("go", DATA, "k1")) == ()
    assert when(state, DeliverSignal("go", DATA, "k2")) != ()


def test_a_run_holds_a_bounded_number_of_signals_and_ended_ones_take_none() -> None:
    full = given(requested(), *[SignalReceived("go", DATA)] * SIGNALS_HELD_MAX)
    with pytest.raises(QueueFull):
        when(full, DeliverSignal("go", DATA))
    with pytest.raises(RunEnded):
        when(given(requested(), RunCompleted(RESULT)), DeliverSignal("go", DATA))


def test_a_question_takes_one_of_its_options_once() -> None:
    assert when(given(requested()), AskPerson(ONE, "lead", "Pay?", ("yes", "no"), NOW)) == (QUESTION,)
    waiting = given(requested(), QUESTION, PARKED)
    assert when(waiting, AnswerQuestion(ONE, "yes")) == (QuestionAnswered(ONE, "yes"),)
    with pytest.raises(InvalidInput, match="yes, no"):
        when(waiting, AnswerQuestion(ONE, "maybe"))
    answered = given(requested(), QUESTION, PARKED, QuestionAnswered(ONE, "yes"))
    with pytest.raises(NotAllowed):
        when(answered, AnswerQuestion(ONE, "no"))
    with pytest.raises(NotAllowed, match="waits for a timer"):
        when(given(requested(), TIMER), AnswerQuestion(ONE, "yes"))
    with pytest.raises(RunEnded):
        when(given(requested(), QUESTION, RunCompleted(RESULT)), AnswerQuestion(ONE, "yes"))


def test_free_text_becomes_a_json_string_whatever_is_in_it() -> None:
    free = QuestionAsked(ONE, "lead", "Why?", (), NOW)
    answered = given(requested(), free, QuestionAnswered(ONE, 'a "quoted" \\ line\nbreak ü'))
    assert answered.steps[ONE].outcome == Json('"a \\"quoted\\" \\\\ line\\u000abreak ü"'.encode())


def test_a_child_is_waited_for_unless_it_is_detached() -> None:
    assert when(given(requested()), StartChild(ONE, CHILD, "clerk", ARGS)) == (STARTED,)
    assert given(requested(), STARTED).open_children() == (CHILD,)
    free = given(requested(), ChildStarted(ONE, CHILD, "clerk", ARGS, detached=True))
    assert free.open_children() == ()
    assert free.steps[ONE].outcome == Json(f'"{CHILD}"'.encode())


def test_limits_bound_the_width_and_the_depth_of_a_tree() -> None:
    narrow = given(requested(limits=Limits(fan_out=1)), STARTED)
    with pytest.raises(LimitReached, match="fan_out"):
        when(narrow, StartChild(TWO, PARENT, "clerk", ARGS))
    deep = given(requested(depth=3, limits=Limits(depth=3)))
    with pytest.raises(LimitReached, match="depth"):
        when(deep, StartChild(ONE, CHILD, "clerk", ARGS))


def test_a_childs_end_is_told_once() -> None:
    waiting = given(requested(), STARTED, PARKED)
    end = EndChild(ONE, CHILD, RESULT)
    (ended,) = when(waiting, end)
    assert ended == ChildEnded(ONE, CHILD, RESULT)
    assert orders_of(waiting, ended) == [RunAgent()]
    assert when(given(requested(), STARTED, PARKED, ended), end) == ()
    assert when(waiting, EndChild(ONE, PARENT, RESULT)) == ()
    assert when(waiting, EndChild(TWO, CHILD, RESULT)) == ()
    failure = Failure("unclear", "why")
    assert when(waiting, EndChild(ONE, CHILD, failure=failure)) == (ChildEnded(ONE, CHILD, failure=failure),)


def test_a_childs_end_after_its_parents_is_kept_and_wakes_nobody() -> None:
    over = given(requested(), STARTED, RunCompleted(RESULT, (CHILD,)))
    (late,) = when(over, EndChild(ONE, CHILD, RESULT))
    assert late == ChildEnded(ONE, CHILD, RESULT, late=True)
    assert orders_of(over, late) == []


def test_a_child_started_while_its_parent_is_being_cancelled_is_cancelled_too() -> None:
    state = given(requested(), CANCELLING)
    assert orders_of(state, STARTED) == [CancelChild(CHILD, "the customer withdrew")]
    assert orders_of(state, ChildStarted(ONE, CHILD, "clerk", ARGS, detached=True)) == []


def test_what_arrives_sends_a_waiting_run_on() -> None:
    for wait, arrival in (
        (TIMER, TimerFired(ONE)),
        (SIGNAL, SignalReceived("go", DATA, "", ONE)),
        (SIGNAL, WaitExpired(ONE)),
        (QUESTION, QuestionAnswered(ONE, "yes")),
        (STARTED, ChildEnded(ONE, CHILD, RESULT)),
    ):
        state = given(requested(), wait, PARKED, arrival)
        assert (state.status, state.steps[ONE].phase) == (Status.RUNNING, Phase.DONE)
