"""Given, when, then: a run that fails and takes back what it did, or asks a person what becomes of it; and what there is to take back."""

import pytest

from kernos.kernel.deeds import deeds_of
from kernos.kernel.state import Status
from kernos.vocabulary.commands import AnswerQuestion, BeginUndo, CancelRun, DeliverSignal, EndChild, EndRun, Tick
from kernos.vocabulary.effects import CancelChild, StopAgent, UndoActions
from kernos.vocabulary.errors import NotAllowed, RunEnded
from kernos.vocabulary.events import (
    ActionDoubted,
    ActionFailed,
    ActionPerformed,
    ActionSettled,
    CancelRequested,
    CheckpointReached,
    ChildEnded,
    ChildStarted,
    CompensationBegun,
    Event,
    EventData,
    QuestionAnswered,
    QuestionAsked,
    RunCancelled,
    RunExpired,
    RunFailed,
    RunHandedOver,
)
from kernos.vocabulary.ids import EpochMs, RunId, StepName
from kernos.vocabulary.outcome import Effect, Failure
from kernos.vocabulary.quantities import NULL, Json
from kernos.vocabulary.undo import FAILURE_STEP, REVERT_AGENT, UNDO_STEP
from tests.behaviour.past import (
    ARGS,
    BY,
    CHILD,
    LATER,
    NOW,
    ONE,
    PARKED,
    RESULT,
    RUN,
    TWO,
    given,
    intended,
    orders_of,
    requested,
    when,
)

PAID = (intended(Effect.IDEMPOTENT), ActionPerformed(ONE, RESULT))
FAILING = EndRun(failure=Failure("refused", "the card is closed"))
FAILED = RunFailed("refused", "the card is closed")
BEGUN = CompensationBegun("refused", "the card is closed")
REPORT = Json(b'{"undone":["x"],"standing":[]}')
BACK = ChildStarted(UNDO_STEP, CHILD, REVERT_AGENT, NULL)


@pytest.mark.parametrize("chosen", [(("refused", "compensate"),), (("*", "compensate"),)])
def test_a_run_that_acted_and_fails_takes_back_before_it_ends(chosen: tuple[tuple[str, str], ...]) -> None:
    state = given(requested(on_failure=chosen), *PAID)
    assert when(state, FAILING) == (BEGUN,)
    assert orders_of(state, BEGUN) == [StopAgent(), UndoActions()]


@pytest.mark.parametrize(
    "chosen", [(), (("*", "stop"),), (("refused", "stop"), ("*", "compensate")), (("other", "compensate"),)]
)
def test_a_run_whose_contract_does_not_want_it_just_fails(chosen: tuple[tuple[str, str], ...]) -> None:
    assert when(given(requested(on_failure=chosen), *PAID), FAILING) == (FAILED,)


def test_a_run_that_did_nothing_outside_has_nothing_to_take_back() -> None:
    assert when(given(requested(on_failure=(("*", "compensate"),))), FAILING) == (FAILED,)


def test_a_success_takes_nothing_back() -> None:
    (end,) = when(given(requested(on_failure=(("*", "compensate"),)), *PAID), EndRun(output=RESULT))
    assert type(end).__name__ == "RunCompleted"


def test_cancelling_and_the_deadline_take_back_where_the_contract_wants_it() -> None:
    chosen = (("cancelled", "compensate"), ("expired", "compensate:half"))
    state = given(requested(on_failure=chosen, deadline_at=LATER), *PAID, PARKED)
    assert when(state, CancelRun("withdrawn")) == (
        CancelRequested("withdrawn"),
        CompensationBegun("cancelled", "withdrawn"),
    )
    assert when(state, Tick(LATER)) == (CompensationBegun("expired", "the run passed its deadline", to="half"),)


def test_children_are_cancelled_and_waited_for_first() -> None:
    child = ChildStarted(TWO, RunId("3n0000000000x"), "payer", ARGS)
    state = given(requested(on_failure=(("*", "compensate"),)), *PAID, child)
    (begun,) = when(state, FAILING)
    assert begun == CompensationBegun("refused", "the card is closed", children=(child.child,))
    assert CancelChild(child.child, "the run that waited for it failed") in orders_of(state, begun)
    waiting = given(requested(), *PAID, child, begun)
    assert when(waiting, BeginUndo(CHILD, NULL)) == ()
    (ended,) = when(waiting, EndChild(TWO, child.child, failure=Failure("cancelled", "x")))
    assert ended == ChildEnded(TWO, child.child, failure=Failure("cancelled", "x"), late=True)
    assert orders_of(waiting, ended) == [UndoActions()]


def test_taking_back_begins_once() -> None:
    state = given(requested(), *PAID, BEGUN)
    assert when(state, BeginUndo(CHILD, NULL)) == (BACK,)
    assert when(given(requested(), *PAID, BEGUN, BACK), BeginUndo(CHILD, NULL)) == ()
    assert when(given(requested(), *PAID), BeginUndo(CHILD, NULL)) == ()


@pytest.mark.parametrize(
    ("begun", "end"),
    [
        (BEGUN, RunFailed("refused", "the card is closed", taken_back=REPORT)),
        (CompensationBegun("cancelled", "withdrawn"), RunCancelled("withdrawn", taken_back=REPORT)),
        (CompensationBegun("expired", "late"), RunExpired(LATER, taken_back=REPORT)),
    ],
)
def test_the_run_ends_as_it_would_have_with_a_report(begun: CompensationBegun, end: EventData) -> None:
    state = given(requested(deadline_at=LATER), *PAID, begun, BACK)
    assert when(state, EndChild(UNDO_STEP, CHILD, REPORT))[1:] == (end,)


def test_a_compensation_that_fails_says_so_in_the_end() -> None:
    state = given(requested(), *PAID, BEGUN, BACK)
    ended = when(state, EndChild(UNDO_STEP, CHILD, failure=Failure("error", "a bug")))
    assert ended[1] == RunFailed("refused", "the card is closed; taking back what was done failed: a bug")


@pytest.mark.parametrize("command", [CancelRun("no"), Tick(LATER), FAILING])
def test_a_compensating_run_is_not_stopped(command: CancelRun | Tick | EndRun) -> None:
    state = given(requested(deadline_at=EpochMs(NOW + 1)), *PAID, BEGUN, BACK)
    if isinstance(command, EndRun):
        with pytest.raises(NotAllowed, match="compensating"):
            when(state, command)
    else:
        assert when(state, command) == ()


def test_a_compensating_run_takes_no_signals() -> None:
    with pytest.raises(RunEnded):
        when(given(requested(), *PAID, BEGUN), DeliverSignal("go", NULL))


def test_a_failure_is_handed_to_a_person_with_the_ways_out() -> None:
    reached = CheckpointReached(TWO, "half", "words", "intent", ())
    state = given(requested(on_failure=(("*", "hand_over"),)), *PAID, reached)
    handed, question = when(state, FAILING)
    assert handed == RunHandedOver("refused", "the card is closed")
    assert isinstance(question, QuestionAsked)
    assert question.options == ("stop", "compensate", "compensate:half")


@pytest.mark.parametrize(
    ("answer", "follows"),
    [
        ("stop", RunFailed("refused", "the card is closed")),
        ("compensate", BEGUN),
        ("compensate:half", CompensationBegun("refused", "the card is closed", to="half")),
    ],
)
def test_a_person_says_what_becomes_of_a_failure(answer: str, follows: EventData) -> None:
    reached = CheckpointReached(TWO, "half", "words", "intent", ())
    before = given(requested(on_failure=(("*", "hand_over"),)), *PAID, reached)
    state = given(requested(on_failure=(("*", "hand_over"),)), *PAID, reached, *when(before, FAILING))
    assert state.status is Status.HANDED_OVER
    assert when(state, AnswerQuestion(FAILURE_STEP, answer)) == (QuestionAnswered(FAILURE_STEP, answer), follows)


# --- what there is to take back ----------------------------------------------------------------------------------


def history(*datas: EventData, run: RunId = RUN) -> list[Event]:
    return [Event(run, n, EpochMs(NOW + n), BY, "call", data) for n, data in enumerate(datas)]


def test_deeds_are_told_newest_first_and_only_those_that_may_stand() -> None:
    three, four, five = StepName("3"), StepName("4"), StepName("5")
    events = history(
        requested(),
        *PAID,
        intended(Effect.IDEMPOTENT, TWO),
        ActionFailed(TWO, 1, Failure("refused", "no")),
        intended(Effect.ONCE, three),
        ActionDoubted(three, 1, "no answer"),
        intended(Effect.ONCE, four),
        ActionDoubted(four, 1, "no answer"),
        ActionSettled(four, "done", "seen", RESULT),
        intended(Effect.ONCE, five),
        ActionDoubted(five, 1, "no answer"),
        ActionSettled(five, "not_done", "seen", late=True),
    )
    deeds = deeds_of(RUN, {RUN: events})
    assert [(deed.step, deed.result) for deed in deeds] == [(three, None), (four, RESULT), (ONE, RESULT)]


def test_deeds_after_a_checkpoint_leave_out_those_before() -> None:
    events = history(
        requested(),
        *PAID,
        CheckpointReached(TWO, "half", "", "", ()),
        intended(Effect.IDEMPOTENT, StepName("3")),
        ActionPerformed(StepName("3"), RESULT),
    )
    assert [deed.step for deed in deeds_of(RUN, {RUN: events}, "half")] == ["3"]
    assert len(deeds_of(RUN, {RUN: events}, "never reached")) == 2


def test_deeds_of_a_child_stand_before_what_its_parent_did_after_hearing_of_it() -> None:
    above = history(
        requested(),
        ChildStarted(ONE, CHILD, "payer", ARGS),
        ChildEnded(ONE, CHILD, RESULT),
        intended(Effect.IDEMPOTENT, TWO),
        ActionPerformed(TWO, RESULT),
    )
    below = history(requested(), *PAID, run=CHILD)
    deeds = deeds_of(RUN, {RUN: above, CHILD: below})
    assert [(deed.run, deed.step) for deed in deeds] == [(RUN, TWO), (CHILD, ONE)]
