"""Action: the table of effect classes, row by row: what follows from each outcome of an attempt."""

from dataclasses import replace

import pytest

from kernos.kernel.state import Phase, RunState, Tried
from kernos.vocabulary.commands import (
    CallTool,
    LoseAttempt,
    ReportAttempt,
    ReportLookUp,
    RetryAction,
    SettleAction,
    UseApproval,
)
from kernos.vocabulary.effects import RunAgent
from kernos.vocabulary.errors import InvalidInput, NotAllowed
from kernos.vocabulary.events import (
    ActionDoubted,
    ActionFailed,
    ActionLookedUp,
    ActionPerformed,
    ActionRetried,
    ActionSettled,
    ApprovalExpired,
    ApprovalGranted,
    ApprovalRequested,
    CallAttemptFailed,
    CallDenied,
    EventData,
    ReadAnswered,
    RunCompleted,
)
from kernos.vocabulary.gate import Decision
from kernos.vocabulary.ids import EpochMs, StepName
from kernos.vocabulary.outcome import AttemptFailed, Effect, Failure, FailureKind, Found
from kernos.vocabulary.quantities import NULL, Json
from tests.behaviour.past import (
    ALLOW,
    ARGS,
    ASK,
    CANCELLING,
    DENY,
    FINAL,
    LATER,
    NOW,
    ONE,
    RESULT,
    RETRYABLE,
    TWICE,
    UNKNOWN,
    after,
    asked,
    given,
    intended,
    orders_of,
    requested,
    when,
)

ACTING = [Effect.IDEMPOTENT, Effect.VERIFIABLE, Effect.ONCE]
TOOL = "shop.refund"


def failed(kind: FailureKind, attempt: int = 1, at: EpochMs = NOW) -> CallAttemptFailed:
    return CallAttemptFailed(ONE, TOOL, attempt, kind, "no answer", at)


def acting(effect: Effect, *more: EventData) -> RunState:
    return given(requested(), intended(effect), *more)


def second(effect: Effect, first: FailureKind, *more: EventData) -> RunState:
    """Return a run whose action failed once like `first` and is under way for the second and last time."""
    looked = (ActionLookedUp(ONE, False, "the list"),) if effect is Effect.VERIFIABLE and first == "unknown" else ()
    return acting(effect, failed(first), *looked, ActionRetried(ONE, 2), *more)


def report(state: RunState, outcome: Json | AttemptFailed) -> tuple[EventData, ...]:
    return when(state, ReportAttempt(ONE, state.steps[ONE].attempt, outcome, TWICE, NOW, 0))


def call(effect: Effect, gate: Decision = ALLOW) -> CallTool:
    return CallTool(ONE, TOOL, effect, ARGS, gate, "d1", NOW, LATER)


@pytest.mark.parametrize("effect", ACTING)
def test_an_allowed_action_is_intended_under_its_key(effect: Effect) -> None:
    assert when(given(requested()), call(effect)) == (intended(effect),)


def test_an_allowed_read_leaves_no_trace_before_its_answer() -> None:
    assert when(given(requested()), call(Effect.READ)) == ()


@pytest.mark.parametrize("effect", list(Effect))
def test_the_gate_may_ask_or_deny_before_anything_is_intended(effect: Effect) -> None:
    state = given(requested())
    assert when(state, call(effect, DENY)) == (CallDenied(ONE, TOOL, ARGS, DENY),)
    assert when(state, call(effect, ASK)) == (ApprovalRequested(ONE, TOOL, effect, ARGS, "d1", ASK, LATER),)


@pytest.mark.parametrize("effect", ACTING)
def test_an_answer_is_performed_and_a_refusal_is_final(effect: Effect) -> None:
    assert report(acting(effect), RESULT) == (ActionPerformed(ONE, RESULT, 1),)
    assert report(acting(effect), FINAL) == (ActionFailed(ONE, 1, Failure("refused", FINAL.message)),)


@pytest.mark.parametrize("effect", ACTING)
def test_what_surely_did_not_happen_is_tried_again_after_a_delay_until_attempts_run_out(effect: Effect) -> None:
    again = CallAttemptFailed(ONE, TOOL, 1, FailureKind.RETRYABLE, "busy", EpochMs(NOW + 500))
    assert report(acting(effect), RETRYABLE) == (again,)
    over = report(second(effect, FailureKind.RETRYABLE), RETRYABLE)
    assert over == (ActionFailed(ONE, 2, Failure("exhausted", "busy")),)


def test_an_unknown_outcome_follows_the_effect_class() -> None:
    again = CallAttemptFailed(ONE, TOOL, 1, FailureKind.UNKNOWN, "no answer", EpochMs(NOW + 500))
    look = CallAttemptFailed(ONE, TOOL, 1, FailureKind.UNKNOWN, "no answer", NOW)
    assert report(acting(Effect.IDEMPOTENT), UNKNOWN) == (again,)
    assert report(acting(Effect.VERIFIABLE), UNKNOWN) == (look,)
    assert report(acting(Effect.ONCE), UNKNOWN) == (ActionDoubted(ONE, 1, "no answer"),)
    assert acting(Effect.IDEMPOTENT, again).steps[ONE].phase is Phase.BACKING_OFF
    assert acting(Effect.VERIFIABLE, look).steps[ONE].phase is Phase.LOOKING_UP


@pytest.mark.parametrize("last", [UNKNOWN, RETRYABLE])
def test_an_action_that_may_have_happened_is_never_said_to_have_failed_when_attempts_run_out(
    last: AttemptFailed,
) -> None:
    (doubted,) = report(second(Effect.IDEMPOTENT, FailureKind.UNKNOWN), last)
    assert isinstance(doubted, ActionDoubted)


def test_a_look_up_that_found_nothing_takes_the_doubt_away() -> None:
    state = second(Effect.VERIFIABLE, FailureKind.UNKNOWN)
    assert report(state, RETRYABLE) == (ActionFailed(ONE, 2, Failure("exhausted", "busy")),)


def test_a_cancelled_run_tries_nothing_again() -> None:
    (stopped,) = report(acting(Effect.ONCE, CANCELLING), RETRYABLE)
    assert stopped == ActionFailed(ONE, 1, Failure("cancelled", "busy"))
    (doubted,) = report(acting(Effect.IDEMPOTENT, CANCELLING), UNKNOWN)
    assert isinstance(doubted, ActionDoubted)
    (looked,) = report(acting(Effect.VERIFIABLE, CANCELLING), UNKNOWN)
    assert isinstance(looked, CallAttemptFailed)
    assert report(acting(Effect.ONCE, CANCELLING), RESULT) == (ActionPerformed(ONE, RESULT, 1),)


def test_an_attempt_lost_with_the_process_follows_the_effect_class() -> None:
    def lose(state: RunState) -> EventData:
        (event,) = when(state, LoseAttempt(ONE, TWICE, NOW))
        return event

    assert isinstance(lose(acting(Effect.IDEMPOTENT)), CallAttemptFailed)
    assert isinstance(lose(acting(Effect.VERIFIABLE)), CallAttemptFailed)
    assert isinstance(lose(acting(Effect.ONCE)), ActionDoubted)
    assert isinstance(lose(second(Effect.IDEMPOTENT, FailureKind.RETRYABLE)), ActionDoubted)
    assert isinstance(lose(second(Effect.VERIFIABLE, FailureKind.RETRYABLE)), CallAttemptFailed)
    assert isinstance(lose(acting(Effect.IDEMPOTENT, CANCELLING)), ActionDoubted)
    assert isinstance(lose(acting(Effect.VERIFIABLE, CANCELLING)), CallAttemptFailed)


@pytest.mark.parametrize("cancelled", [False, True])
def test_a_look_up_says_done_not_done_or_nothing(cancelled: bool) -> None:
    more = (CANCELLING,) if cancelled else ()
    state = acting(Effect.VERIFIABLE, failed(FailureKind.UNKNOWN), *more)

    def look(done: bool | None, result: Json | None = None) -> tuple[EventData, ...]:
        return when(state, ReportLookUp(ONE, Found(done, "the list", result), TWICE))

    done = ActionPerformed(ONE, RESULT, 1, "the list")
    assert look(True, RESULT) == (ActionLookedUp(ONE, True, "the list"), done)
    assert look(True)[1] == ActionPerformed(ONE, NULL, 1, "the list")
    assert isinstance(look(None)[1], ActionDoubted)
    not_done = look(False)
    assert not_done[0] == ActionLookedUp(ONE, False, "the list")
    assert [type(event) for event in not_done[1:]] == ([ActionFailed] if cancelled else [])


def test_a_look_up_after_the_last_attempt_ends_the_action() -> None:
    state = second(Effect.VERIFIABLE, FailureKind.RETRYABLE, failed(FailureKind.UNKNOWN, 2))
    events = when(state, ReportLookUp(ONE, Found(False, "the list"), TWICE))
    assert isinstance(events[1], ActionFailed)
    assert events[1].failure.code == "exhausted"


def test_an_action_is_tried_again_only_out_of_a_delay() -> None:
    assert when(acting(Effect.ONCE, failed(FailureKind.RETRYABLE)), RetryAction(ONE)) == (ActionRetried(ONE, 2),)
    for state in (
        acting(Effect.ONCE),
        acting(Effect.VERIFIABLE, failed(FailureKind.UNKNOWN)),
        acting(Effect.ONCE, ActionDoubted(ONE, 1, "no answer")),
        acting(Effect.ONCE, ActionPerformed(ONE, RESULT)),
    ):
        with pytest.raises(NotAllowed):
            when(state, RetryAction(ONE))


@pytest.mark.parametrize(
    ("verdict", "phase", "outcome"),
    [("done", Phase.DONE, RESULT), ("not_done", Phase.BACKING_OFF, None), ("unknown", Phase.DONE, "in_doubt")],
)
def test_a_person_settles_a_doubt_once(verdict: str, phase: Phase, outcome: object) -> None:
    state = acting(Effect.ONCE, ActionDoubted(ONE, 1, "no answer"))
    command = SettleAction(ONE, verdict, "I rang them up", RESULT if verdict == "done" else None)
    (settled,) = when(state, command)
    assert settled == ActionSettled(ONE, verdict, "I rang them up", command.result)
    step = acting(Effect.ONCE, ActionDoubted(ONE, 1, "no answer"), settled).steps[ONE]
    assert step.phase is phase
    assert (step.outcome.code if isinstance(step.outcome, Failure) else step.outcome) == outcome
    assert orders_of(state, settled) == [RunAgent()]
    with pytest.raises(NotAllowed):
        when(acting(Effect.ONCE, ActionDoubted(ONE, 1, "no answer"), settled), command)


def test_a_doubt_outlives_its_run_and_is_settled_late() -> None:
    ended = acting(Effect.ONCE, ActionDoubted(ONE, 1, "no answer"), RunCompleted(RESULT))
    (settled,) = when(ended, SettleAction(ONE, "not_done", "I rang them up"))
    assert isinstance(settled, ActionSettled)
    assert settled.late
    assert orders_of(ended, settled) == []
    with pytest.raises(InvalidInput, match="done, not_done, unknown"):
        when(ended, SettleAction(ONE, "perhaps", ""))
    with pytest.raises(NotAllowed):
        when(ended, SettleAction(StepName("9"), "done", ""))


def test_a_yes_is_used_up_by_the_intent() -> None:
    granted = given(requested(), asked(), ApprovalGranted(ONE, "d1"))
    use = UseApproval(ONE, "d1", ASK, NOW)
    (intent,) = when(granted, use)
    assert intent == replace(intended(Effect.IDEMPOTENT, approved=True), gate=ASK)
    with pytest.raises(NotAllowed):
        when(given(requested(), asked(), ApprovalGranted(ONE, "d1"), intent), use)


def test_a_yes_is_no_use_for_other_bytes_too_late_or_against_policy() -> None:
    granted = given(requested(), asked(), ApprovalGranted(ONE, "d1"))
    (other,) = when(granted, UseApproval(ONE, "d2", ASK, NOW))
    assert isinstance(other, ApprovalRequested)
    assert other.digest == "d2"
    assert when(granted, UseApproval(ONE, "d1", ASK, LATER)) == (ApprovalExpired(ONE),)
    assert when(granted, UseApproval(ONE, "d1", DENY, NOW)) == (CallDenied(ONE, TOOL, ARGS, DENY),)


def test_failed_attempts_of_what_has_no_step_yet_are_counted_until_it_is_answered() -> None:
    tried = given(requested(), failed(FailureKind.RETRYABLE, at=LATER))
    assert tried.tried == {ONE: Tried(1, LATER)}
    assert after(tried, [ReadAnswered(ONE, TOOL, ARGS, ALLOW, RESULT, attempts=2)]).tried == {}
    assert (
        acting(Effect.ONCE).tried == after(acting(Effect.ONCE), [failed(FailureKind.RETRYABLE, at=LATER)]).tried == {}
    )
