"""Approval: one answer to the exact arguments, in time."""

from collections.abc import Callable

import pytest

from kernos.kernel.state import Phase
from kernos.vocabulary.commands import Command, DenyApproval, EditApproval, GrantApproval
from kernos.vocabulary.effects import RunAgent, WakeAt
from kernos.vocabulary.errors import NotAllowed, RunEnded
from kernos.vocabulary.events import (
    ApprovalDenied,
    ApprovalEdited,
    ApprovalExpired,
    ApprovalGranted,
    EventData,
    RunCompleted,
)
from kernos.vocabulary.ids import EpochMs
from kernos.vocabulary.outcome import Failure
from kernos.vocabulary.quantities import Json
from tests.behaviour.past import (
    ALLOW,
    ARGS,
    DENY,
    LATER,
    NOW,
    ONE,
    PARKED,
    RESULT,
    asked,
    given,
    orders_of,
    requested,
    when,
)

CHANGED = Json(b'{"order":"A2"}')
JUST_IN_TIME = EpochMs(LATER - 1)
ANSWERS: list[Callable[[EpochMs], Command]] = [
    lambda at: GrantApproval(ONE, "d1", at, "fine"),
    lambda at: EditApproval(ONE, CHANGED, "d2", ALLOW, at, "cheaper"),
    lambda at: DenyApproval(ONE, "not under warranty", at),
]
SAID: list[EventData] = [
    ApprovalGranted(ONE, "d1", "fine"),
    ApprovalEdited(ONE, ARGS, CHANGED, "d2", ALLOW, "cheaper"),
    ApprovalDenied(ONE, "not under warranty"),
]
WAITING = given(requested(), asked(), PARKED)


@pytest.mark.parametrize(("answer", "said"), list(zip(ANSWERS, SAID, strict=True)))
def test_a_person_answers_once_and_the_run_goes_on(answer: Callable[[EpochMs], Command], said: EventData) -> None:
    assert when(WAITING, answer(JUST_IN_TIME)) == (said,)
    assert given(requested(), asked(), PARKED, said).status == "running"
    assert orders_of(WAITING, said) == [RunAgent()]
    answered = given(requested(), asked(), PARKED, said, RunCompleted(RESULT))
    with pytest.raises(RunEnded):
        when(answered, DenyApproval(ONE, "too late", NOW))


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_that_comes_too_late_discovers_the_expiry(answer: Callable[[EpochMs], Command]) -> None:
    assert when(WAITING, answer(LATER)) == (ApprovalExpired(ONE),)


@pytest.mark.parametrize("first", SAID)
@pytest.mark.parametrize("second", ANSWERS[1:])
def test_there_is_no_second_answer(first: EventData, second: Callable[[EpochMs], Command]) -> None:
    with pytest.raises(NotAllowed):
        when(given(requested(), asked(), first), second(NOW))


def test_the_same_yes_twice_changes_nothing_and_another_is_refused() -> None:
    granted = given(requested(), asked(), ApprovalGranted(ONE, "d1"))
    assert when(granted, GrantApproval(ONE, "d1", NOW)) == ()
    with pytest.raises(NotAllowed):
        when(granted, GrantApproval(ONE, "d2", NOW))


def test_a_yes_to_other_arguments_is_refused() -> None:
    with pytest.raises(NotAllowed, match="other arguments"):
        when(WAITING, GrantApproval(ONE, "d2", NOW))


def test_policy_may_deny_what_a_person_changed() -> None:
    with pytest.raises(NotAllowed, match="over the cap"):
        when(WAITING, EditApproval(ONE, CHANGED, "d2", DENY, NOW))


def test_an_edit_keeps_what_the_code_proposed() -> None:
    step = given(requested(), asked(), SAID[1]).steps[ONE]
    assert (step.phase, step.args, step.proposed, step.digest) == (Phase.GRANTED, CHANGED, ARGS, "d2")


def test_a_no_and_silence_refuse_the_call_in_words() -> None:
    for said, words in ((SAID[2], "not under warranty"), (ApprovalExpired(ONE), "counts as no")):
        outcome = given(requested(), asked(), said).steps[ONE].outcome
        assert isinstance(outcome, Failure)
        assert outcome.code == "not_approved"
        assert words in outcome.message


def test_a_question_wakes_the_run_when_it_expires() -> None:
    assert orders_of(given(requested()), asked()) == [WakeAt(LATER)]
