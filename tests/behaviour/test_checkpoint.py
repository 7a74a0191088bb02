"""Checkpoint, recorded values, forks, and the retry rule: the steps that stay inside."""

import pytest

from kernos.kernel.retry import next_attempt_at
from kernos.kernel.state import Phase
from kernos.vocabulary.commands import Command, JoinFork, LoseAttempt, ReachCheckpoint, RecordValue, ReportAttempt
from kernos.vocabulary.effects import CancelChild
from kernos.vocabulary.events import (
    ActionDoubted,
    ActionFailed,
    ActionPerformed,
    CallAttemptFailed,
    CheckpointReached,
    ChildStarted,
    EventData,
    ForkJoined,
    TimerSet,
    ValueRecorded,
)
from kernos.vocabulary.ids import EpochMs, IdempotencyKey, StepName, step_key
from kernos.vocabulary.outcome import Effect, Failure, FailureKind
from kernos.vocabulary.quantities import Json, Retry
from tests.behaviour.past import (
    ARGS,
    CHILD,
    NOW,
    ONE,
    RESULT,
    RETRYABLE,
    RUN,
    TWICE,
    TWO,
    UNKNOWN,
    asked,
    given,
    intended,
    orders_of,
    requested,
    when,
)

STATE = Json(b'{"done":2}')


def test_a_value_of_the_clock_or_of_chance_is_kept() -> None:
    recorded = ValueRecorded(ONE, "now", Json(b"5"))
    assert when(given(requested()), RecordValue(ONE, "now", Json(b"5"))) == (recorded,)
    assert given(requested(), recorded).steps[ONE].outcome == Json(b"5")


def test_a_checkpoint_carries_the_intent_and_every_action_so_far() -> None:
    state = given(requested(), intended(Effect.ONCE), asked(TWO))
    name = StepName("3")
    (reached,) = when(state, ReachCheckpoint(name, "paid", "the money is back", STATE))
    keys = (IdempotencyKey(step_key(RUN, ONE)),)
    assert reached == CheckpointReached(name, "paid", "the money is back", "return the shoes", keys, STATE)


def test_a_run_resumes_from_the_last_checkpoint_that_has_a_state() -> None:
    with_state = CheckpointReached(ONE, "found", "", "", (), STATE)
    without = CheckpointReached(TWO, "paid", "", "", ())
    state = given(requested(), with_state, without)
    assert state.checkpoint is not None
    assert state.resume_from is not None
    assert (state.checkpoint.name, state.resume_from.name, state.resume_from.state) == ("paid", "found", STATE)


def test_a_fork_gives_up_what_the_other_branches_wait_for_but_no_action_under_way() -> None:
    started = ChildStarted(StepName("1.1.1"), CHILD, "clerk", ARGS)
    timer, kept = TimerSet(StepName("1.10.1"), NOW), TimerSet(StepName("1.0.2"), NOW)
    state = given(requested(), timer, kept, started, intended(Effect.ONCE, StepName("1.2.1")), asked(StepName("1.3.1")))
    (joined,) = when(state, JoinFork(ONE, (0,)))
    assert joined == ForkJoined(ONE, (0,), (timer.step, started.step, StepName("1.3.1")), (CHILD,))
    after = given(
        requested(), timer, kept, started, intended(Effect.ONCE, StepName("1.2.1")), asked(StepName("1.3.1")), joined
    )
    outcome = after.steps[started.step].outcome
    assert isinstance(outcome, Failure)
    assert outcome.code == "abandoned"
    assert after.steps[kept.step].phase is Phase.WAITING
    assert after.steps[StepName("1.2.1")].phase is Phase.INTENDED
    assert after.steps[ONE].outcome == Json(b"[0]")
    assert orders_of(state, joined) == [CancelChild(CHILD, "another branch was faster")]


@pytest.mark.parametrize(("attempt", "delay_ms"), [(1, 500), (2, 1_000), (3, 2_000), (4, 3_000)])
def test_delays_double_up_to_their_bound_with_jitter_over_the_upper_half(attempt: int, delay_ms: int) -> None:
    retry = Retry(attempts=5, first_delay_ms=500, delay_max_ms=3_000)
    assert next_attempt_at(retry, attempt, NOW, 0) == NOW + delay_ms // 2
    last = next_attempt_at(retry, attempt, NOW, (1 << 16) - 1)
    assert last is not None
    assert NOW + delay_ms // 2 <= last < NOW + delay_ms


def test_the_services_own_wish_is_heard_and_the_last_attempt_is_the_last() -> None:
    assert next_attempt_at(Retry(), 1, NOW, 0, retry_after_ms=90_000) == EpochMs(NOW + 90_000)
    assert next_attempt_at(Retry(attempts=3), 3, NOW, 0) is None
    assert next_attempt_at(Retry(attempts=1), 1, NOW, 0) is None


LOSER = StepName("1.1.1")


@pytest.mark.parametrize(
    ("effect", "failure", "left"),
    [
        (Effect.IDEMPOTENT, FailureKind.UNKNOWN, ActionDoubted),
        (Effect.VERIFIABLE, FailureKind.UNKNOWN, ActionDoubted),
        (Effect.IDEMPOTENT, FailureKind.RETRYABLE, ActionFailed),
    ],
)
def test_a_fork_says_what_became_of_an_action_between_two_attempts(
    effect: Effect, failure: FailureKind, left: type[ActionDoubted | ActionFailed]
) -> None:
    failed = CallAttemptFailed(LOSER, "shop.refund", 1, failure, "no answer", NOW)
    doubt, joined = when(given(requested(), intended(effect, LOSER), failed), JoinFork(ONE, (0,)))
    assert isinstance(doubt, left)
    assert joined == ForkJoined(ONE, (0,))


@pytest.mark.parametrize("effect", [Effect.IDEMPOTENT, Effect.VERIFIABLE, Effect.ONCE])
def test_an_action_of_a_branch_given_up_ends_and_is_not_tried_again(effect: Effect) -> None:
    state = given(requested(), intended(effect, LOSER), ForkJoined(ONE, (0,)))

    def ends(command: Command) -> type[EventData]:
        (event,) = when(state, command)
        return type(event)

    assert ends(ReportAttempt(LOSER, 1, RESULT, TWICE, NOW, 0)) is ActionPerformed
    assert ends(ReportAttempt(LOSER, 1, RETRYABLE, TWICE, NOW, 0)) is ActionFailed
    assert ends(ReportAttempt(LOSER, 1, UNKNOWN, TWICE, NOW, 0)) is ActionDoubted
    assert ends(LoseAttempt(LOSER, TWICE, NOW)) is ActionDoubted
