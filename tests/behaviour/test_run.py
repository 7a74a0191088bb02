"""Run: every move of its life, and what is no move."""

import pytest

from kernos.kernel.run import MOVES
from kernos.kernel.state import RunState, Status
from kernos.vocabulary.commands import (
    AnswerQuestion,
    BlockRun,
    CancelRun,
    Command,
    EndChild,
    EndRun,
    ParkRun,
    RequestRun,
    ResumeRun,
    StopRun,
    Tick,
)
from kernos.vocabulary.effects import AnnounceEnd, CancelChild, RunAgent, StopAgent, TellParent, WakeAt
from kernos.vocabulary.errors import NotAllowed, RunEnded
from kernos.vocabulary.events import (
    ActionDoubted,
    ActionFailed,
    ActionPerformed,
    ActionRetried,
    CallAttemptFailed,
    CancelRequested,
    ChildEnded,
    ChildStarted,
    CompensationBegun,
    EventData,
    QuestionAnswered,
    QuestionAsked,
    RunBlocked,
    RunCancelled,
    RunCompleted,
    RunExpired,
    RunFailed,
    RunHandedOver,
    RunParked,
    RunRequested,
    RunResumed,
)
from kernos.vocabulary.ids import EpochMs
from kernos.vocabulary.outcome import Effect, Failure, FailureKind
from kernos.vocabulary.quantities import NULL
from kernos.vocabulary.undo import FAILURE_STEP, REVERT_AGENT, UNDO_STEP
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
    RUN,
    TWO,
    after,
    asked,
    given,
    intended,
    orders_of,
    requested,
    when,
)

WHY = "the customer withdrew"
BLOCKED = RunBlocked("diverged", "other code")
LATE = requested(deadline_at=NOW)
BEFORE = EpochMs(NOW - 1)
UNDOING = requested(deadline_at=NOW, on_failure=(("*", "compensate"),))
HANDING = requested(deadline_at=NOW, on_failure=(("unclear", "hand_over"),))
PAID = (intended(Effect.IDEMPOTENT), ActionPerformed(ONE, RESULT))
BEGUN = CompensationBegun("unclear", "why")
ASKED = QuestionAsked(FAILURE_STEP, "operator", "?", ("stop", "compensate"), EpochMs(0))
HANDED = (HANDING, *PAID, RunHandedOver("unclear", "why"), ASKED)
ANSWERED = QuestionAnswered(FAILURE_STEP, "stop")
BACK = ChildStarted(UNDO_STEP, CHILD, REVERT_AGENT, NULL)
TOLD = EndChild(UNDO_STEP, CHILD, RESULT)
ENDED_CHILD = ChildEnded(UNDO_STEP, CHILD, RESULT, late=True)
CANCELLED_AND_BEGUN = CompensationBegun("cancelled", WHY)
EXPIRED_AND_BEGUN = CompensationBegun("expired", "the run passed its deadline")
UNCLEAR = EndRun(failure=Failure("unclear", "why"))
PASTS: dict[Status, tuple[EventData, ...]] = {
    Status.ABSENT: (),
    Status.RUNNING: (LATE,),
    Status.WAITING: (LATE, RunParked(BEFORE)),
    Status.BLOCKED: (LATE, BLOCKED),
    Status.HANDED_OVER: HANDED,
    Status.COMPENSATING: (UNDOING, *PAID, BEGUN, BACK),
    Status.COMPLETED: (LATE, RunCompleted(RESULT)),
    Status.FAILED: (LATE, RunFailed("unclear", "why")),
    Status.CANCELLED: (LATE, CANCELLING, RunCancelled(WHY)),
    Status.EXPIRED: (LATE, RunExpired(NOW)),
}
ENDED = [status for status in Status if not MOVES[status]]
DECIDED: list[tuple[Status, Command, tuple[EventData, ...]]] = [
    (Status.ABSENT, RequestRun(LATE), (LATE,)),
    (Status.RUNNING, ParkRun(BEFORE), (RunParked(BEFORE),)),
    (Status.RUNNING, BlockRun("diverged", "other code"), (BLOCKED,)),
    (Status.RUNNING, CancelRun(WHY), (CANCELLING,)),
    (Status.RUNNING, EndRun(output=RESULT), (RunCompleted(RESULT),)),
    (Status.RUNNING, EndRun(failure=Failure("unclear", "why")), (RunFailed("unclear", "why"),)),
    (Status.RUNNING, Tick(NOW), (RunExpired(NOW),)),
    (Status.WAITING, CancelRun(WHY), (CANCELLING, RunCancelled(WHY))),
    (Status.WAITING, Tick(BEFORE), (RunResumed(),)),
    (Status.WAITING, Tick(NOW), (RunExpired(NOW),)),
    (Status.BLOCKED, ResumeRun(), (RunResumed(),)),
    (Status.BLOCKED, CancelRun(WHY), (CANCELLING, RunCancelled(WHY))),
    (Status.BLOCKED, Tick(NOW), (RunExpired(NOW),)),
    (Status.HANDED_OVER, AnswerQuestion(FAILURE_STEP, "stop"), (ANSWERED, RunFailed("unclear", "why"))),
    (Status.HANDED_OVER, CancelRun(WHY), (CANCELLING, RunCancelled(WHY))),
    (Status.HANDED_OVER, Tick(NOW), (RunExpired(NOW),)),
    (Status.COMPENSATING, TOLD, (ENDED_CHILD, RunFailed("unclear", "why", taken_back=RESULT))),
]
TAKING_BACK: list[tuple[tuple[EventData, ...], Command, EventData]] = [
    ((UNDOING, *PAID), UNCLEAR, BEGUN),
    ((UNDOING, *PAID, PARKED), Tick(NOW), CompensationBegun("expired", "the run passed its deadline")),
    ((UNDOING, *PAID, BLOCKED), CancelRun(WHY), CompensationBegun("cancelled", WHY)),
    ((*HANDED,), AnswerQuestion(FAILURE_STEP, "compensate"), BEGUN),
    ((HANDING, *PAID), UNCLEAR, RunHandedOver("unclear", "why")),
    ((UNDOING, *PAID, CANCELLED_AND_BEGUN, BACK), TOLD, RunCancelled(WHY, taken_back=RESULT)),
    ((UNDOING, *PAID, EXPIRED_AND_BEGUN, BACK), TOLD, RunExpired(NOW, taken_back=RESULT)),
]
"""Moves that need actions to take back, or another reason for it."""


@pytest.mark.parametrize(("status", "command", "events"), DECIDED)
def test_a_command_makes_exactly_this_move(status: Status, command: Command, events: tuple[EventData, ...]) -> None:
    state = given(*PASTS[status])
    assert state.status is status
    assert when(state, command) == events


@pytest.mark.parametrize(("status", "kind"), [(status, kind) for status, moves in MOVES.items() for kind in moves])
def test_every_move_is_made_by_some_command_and_leads_where_the_table_says(
    status: Status, kind: type[EventData]
) -> None:
    pasts = [(PASTS[from_], command) for from_, command, _ in DECIDED]
    pasts.append(((LATE, CANCELLING), StopRun()))
    pasts += [(past, command) for past, command, _ in TAKING_BACK]
    found = False
    for past, command in pasts:
        state = given(*past)
        for event in when(state, command) if state.status is status else ():
            if type(event) is kind:
                assert after(state, [event]).status is MOVES[status][kind]
                found = True
    assert found, f"no command of these tests makes {kind.__name__} under {status}"


@pytest.mark.parametrize(("past", "command", "event"), TAKING_BACK)
def test_a_run_that_acted_takes_back_or_asks_before_it_ends(
    past: tuple[EventData, ...], command: Command, event: EventData
) -> None:
    assert event in when(given(*past), command)


def test_a_parked_run_goes_on_with_its_next_attempt_when_that_is_due_and_not_before() -> None:
    parked = given(requested(), RunParked(NOW))
    assert parked.due_at() == NOW
    assert orders_of(given(requested()), RunParked(NOW)) == [WakeAt(NOW)]
    assert orders_of(given(requested()), PARKED) == []
    assert when(parked, Tick(BEFORE)) == ()
    assert when(parked, Tick(NOW)) == (RunResumed(),)
    assert when(after(parked, [RunResumed()]), Tick(LATER)) == ()
    assert when(given(requested(), PARKED), Tick(LATER)) == ()


def test_a_cancelled_run_stops_once_no_action_is_under_way() -> None:
    busy = given(requested(), intended(Effect.IDEMPOTENT), CANCELLING)
    assert when(busy, StopRun()) == ()
    assert when(given(requested(), CANCELLING), StopRun()) == (RunCancelled(WHY),)
    assert when(given(requested()), StopRun()) == ()


def test_a_parked_run_with_an_action_under_way_is_not_cancelled_at_once() -> None:
    state = given(requested(), intended(Effect.VERIFIABLE), PARKED)
    assert when(state, CancelRun(WHY)) == (CANCELLING,)


@pytest.mark.parametrize("status", ENDED)
def test_an_ended_run_makes_no_move(status: Status) -> None:
    state = given(*PASTS[status])
    for command in (RequestRun(LATE), ResumeRun(), EndRun(failure=Failure("unclear", "why"))):
        if isinstance(command, EndRun) and state.cancel_reason is not None:
            continue
        with pytest.raises(RunEnded):
            when(state, command)
    for late in (CancelRun(WHY), ParkRun(), BlockRun("x"), StopRun(), Tick(LATER)):
        assert when(state, late) == ()


@pytest.mark.parametrize("status", [Status.RUNNING, Status.WAITING, Status.BLOCKED])
def test_a_run_is_requested_once(status: Status) -> None:
    with pytest.raises(NotAllowed):
        when(given(*PASTS[status]), RequestRun(LATE))


def test_what_is_so_already_changes_nothing() -> None:
    assert when(given(requested()), ResumeRun()) == ()
    assert when(given(requested(), PARKED), ResumeRun()) == ()
    assert when(given(requested(), PARKED), ParkRun()) == ()
    assert when(given(requested(), PARKED), BlockRun("x")) == ()
    assert when(given(requested(), CANCELLING), CancelRun("again")) == ()
    assert when(RunState(RUN), Tick(NOW)) == ()


def test_code_that_ends_after_a_cancellation_ends_cancelled() -> None:
    assert when(given(requested(), CANCELLING), EndRun(output=RESULT)) == (RunCancelled(WHY),)
    assert when(given(requested(), intended(Effect.ONCE), CANCELLING), EndRun(output=RESULT)) == ()


@pytest.mark.parametrize(
    ("command", "end"),
    [
        (CancelRun(WHY), RunCancelled(WHY)),
        (Tick(NOW), RunExpired(NOW)),
    ],
)
def test_an_end_leaves_no_action_without_an_outcome(command: Command, end: EventData) -> None:
    maybe = CallAttemptFailed(ONE, "shop.refund", 1, FailureKind.UNKNOWN, "no answer", LATER)
    surely_not = CallAttemptFailed(TWO, "shop.refund", 1, FailureKind.RETRYABLE, "busy", LATER)
    state = given(LATE, intended(Effect.IDEMPOTENT), intended(Effect.IDEMPOTENT, TWO), maybe, surely_not, PARKED)
    events = when(state, command)
    assert events[-1] == end
    left = [event for event in events if isinstance(event, ActionDoubted | ActionFailed)]
    assert [(type(event), event.step) for event in left] == [(ActionDoubted, ONE), (ActionFailed, TWO)]


def test_an_action_that_was_tried_again_in_vain_is_still_in_doubt_when_its_run_ends() -> None:
    maybe = CallAttemptFailed(ONE, "shop.refund", 1, FailureKind.UNKNOWN, "no answer", LATER)
    busy = CallAttemptFailed(ONE, "shop.refund", 2, FailureKind.RETRYABLE, "busy", LATER)
    state = given(requested(), intended(Effect.IDEMPOTENT), maybe, ActionRetried(ONE, 2), busy)
    doubted, ended = when(state, EndRun(output=RESULT))
    assert isinstance(doubted, ActionDoubted)
    assert isinstance(ended, RunCompleted)


def test_a_deadline_waits_for_an_action_under_way_and_counts_to_the_millisecond() -> None:
    assert when(given(LATE, intended(Effect.ONCE)), Tick(LATER)) == ()
    assert when(given(LATE), Tick(EpochMs(NOW - 1))) == ()
    assert when(given(requested()), Tick(LATER)) == ()


def test_what_follows_for_the_shell() -> None:
    child = ChildStarted(ONE, CHILD, "clerk", ARGS)
    running = given(LATE, child)
    assert orders_of(RunState(RUN), LATE) == [RunAgent(), WakeAt(NOW)]
    assert orders_of(RunState(RUN), requested()) == [RunAgent()]
    assert orders_of(running, BLOCKED) == [StopAgent()]
    assert orders_of(running, CancelRequested(WHY, (CHILD,))) == [StopAgent(), CancelChild(CHILD, WHY)]
    ends = orders_of(running, RunFailed("unclear", "why", children=(CHILD,)))
    assert ends == [StopAgent(), CancelChild(CHILD, "the run that waited for it ended"), AnnounceEnd()]
    below = given(requested(parent=PARENT, parent_step=TWO))
    told = TellParent(PARENT, TWO, RESULT, None)
    assert orders_of(below, RunCompleted(RESULT)) == [StopAgent(), told, AnnounceEnd()]
    free = given(requested(parent=PARENT, parent_step=TWO, detached=True))
    assert orders_of(free, RunCompleted(RESULT)) == [StopAgent(), AnnounceEnd()]


def test_open_steps_do_not_keep_a_run_from_ending() -> None:
    assert isinstance(when(given(requested(), asked()), EndRun(output=RESULT))[0], RunCompleted)
    assert isinstance(given(requested()).request(), RunRequested)
