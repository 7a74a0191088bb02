"""Properties of decide and evolve: whatever is asked in whatever order, the rules hold and the journal gives the same state again."""

import json
import os
from functools import cache
from typing import Any

from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from kernos.control.codec import decode_entry, encode_event
from kernos.kernel.decide import decide
from kernos.kernel.evolve import evolve, fold
from kernos.kernel.react import react
from kernos.kernel.state import Phase, RunState, Status
from kernos.vocabulary import commands as c
from kernos.vocabulary.errors import AgentError, CallerError
from kernos.vocabulary.events import (
    KINDS,
    ActionIntended,
    ActionRetried,
    ApprovalEdited,
    ApprovalGranted,
    ApprovalRequested,
    Event,
    EventData,
)
from kernos.vocabulary.gate import Decision
from kernos.vocabulary.ids import EpochMs, PrincipalId, StepName, run_id
from kernos.vocabulary.journal import Entry
from kernos.vocabulary.outcome import AttemptFailed, Effect, Failure, FailureKind, Found
from kernos.vocabulary.quantities import Json, Limits, Retry, Usage
from tests.behaviour.past import ALLOW, ARGS, ASK, DENY, RESULT, RUN, requested

EXAMPLES = 5_000 if os.environ.get("KERNOS_NIGHTLY") else 100
STEPS = [StepName(name) for name in ("1", "2", "3.0.1", "3.1.1", "4", "5", "6", "7")]
TOPICS = ["go", "stop"]
CHILDREN = [run_id((1 << 41) + number) for number in range(3)]
RETRY = Retry(attempts=3, first_delay_ms=10, delay_max_ms=100)
TIMES = st.integers(1_000, 4_000).map(EpochMs)
GATES = st.sampled_from([ALLOW, ALLOW, ASK, ASK, DENY])
FAILURES = st.builds(Failure, st.just("unclear"), st.just("why"))
OUTCOMES = st.one_of(st.just(RESULT), st.builds(AttemptFailed, st.sampled_from(FailureKind), st.just("no answer")))

_LEAVES = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8)
JSONS = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
).map(lambda value: Json(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()))
st.register_type_strategy(Json, JSONS)


@cache
def from_outside(step: StepName) -> st.SearchStrategy[c.Command]:
    """Return what anybody may ask at any time, of any step."""
    return st.one_of(
        st.just(c.RequestRun(requested(deadline_at=EpochMs(3_500), limits=Limits(fan_out=2)))),
        st.just(c.CancelRun("withdrawn")),
        st.just(c.ResumeRun()),
        st.builds(c.DeliverSignal, st.sampled_from(TOPICS), st.just(RESULT), st.sampled_from(["", "k1", "k2"])),
        st.builds(c.AnswerQuestion, st.just(step), st.sampled_from(["yes", "maybe"])),
        st.builds(c.GrantApproval, st.just(step), st.sampled_from(["d1", "d2"]), TIMES),
        st.builds(c.EditApproval, st.just(step), st.just(RESULT), st.just("d2"), GATES, TIMES),
        st.builds(c.DenyApproval, st.just(step), st.just("no"), TIMES),
        st.builds(c.SettleAction, st.just(step), st.sampled_from(["done", "not_done", "unknown", "?"]), st.just("")),
        st.builds(c.EndChild, st.just(step), st.sampled_from(CHILDREN), st.just(RESULT)),
        st.builds(c.Tick, TIMES),
    )


@cache
def of_new_step(step: StepName) -> st.SearchStrategy[c.Command]:
    """Return what a run's code may ask under a new name."""
    name = st.just(step)
    effects = st.sampled_from(Effect)
    calls = st.builds(
        c.CallTool, name, st.just("shop.refund"), effects, st.just(ARGS), GATES, st.just("d1"), TIMES, TIMES
    )
    return st.one_of(
        st.builds(c.RecordValue, name, st.just("now"), st.just(RESULT)),
        st.builds(c.ReachCheckpoint, name, st.just("found"), st.just("words"), st.none() | st.just(RESULT)),
        st.builds(c.JoinFork, name, st.just((0,))),
        *[calls] * 8,
        st.builds(
            c.AnswerRead, name, st.just("look"), st.just(ARGS), st.just(ALLOW), st.just(RESULT), st.none(), st.just(1)
        ),
        st.builds(c.SetTimer, name, TIMES),
        st.builds(c.AwaitSignal, name, st.sampled_from(TOPICS), TIMES),
        st.builds(c.AskPerson, name, st.just("lead"), st.just("Pay?"), st.just(("yes",)), TIMES),
        st.builds(c.StartChild, name, st.sampled_from(CHILDREN), st.just("clerk"), st.just(ARGS), st.booleans()),
        st.builds(
            c.AnswerModel,
            name,
            st.just("default"),
            st.just(ARGS),
            st.just(ALLOW),
            st.just(Usage()),
            st.just(RESULT),
            st.none(),
            st.just(1),
        ),
    )


def of_recorded_step(step: StepName, phase: Phase, attempt: int) -> st.SearchStrategy[c.Command]:
    """Return what the execution plane or a person may say about a step that stands where it stands."""
    name = st.just(step)
    use = st.builds(c.UseApproval, name, st.sampled_from(["d1", "d1", "d2"]), GATES, TIMES)
    yes = st.builds(c.GrantApproval, name, st.just("d1"), TIMES)
    match phase:
        case Phase.INTENDED:
            report = st.builds(
                c.ReportAttempt, name, st.just(attempt), OUTCOMES, st.just(RETRY), TIMES, st.integers(0, 65_535)
            )
            return st.one_of(report, report, st.builds(c.LoseAttempt, name, st.just(RETRY), TIMES), use)
        case Phase.LOOKING_UP:
            found = st.builds(Found, st.sampled_from([True, False, None]), st.just("the list"))
            return st.builds(c.ReportLookUp, name, found, st.just(RETRY))
        case Phase.BACKING_OFF:
            return st.just(c.RetryAction(step))
        case Phase.GRANTED:
            return st.one_of(
                use, use, yes, st.builds(c.EditApproval, name, st.just(RESULT), st.just("d1"), GATES, TIMES)
            )
        case Phase.ASKING:
            return st.one_of(yes, yes, from_outside(step))
        case Phase.DOUBTED:
            return st.builds(c.SettleAction, name, st.sampled_from(["done", "not_done", "unknown"]), st.just(""))
        case _:
            return from_outside(step)


_recorded = cache(of_recorded_step)


OF_THE_RUN = st.one_of(
    st.just(c.ParkRun()),
    st.just(c.StopRun()),
    st.just(c.BlockRun("diverged", "other code")),
    st.builds(c.EndRun, failure=FAILURES),
    st.just(c.EndRun(output=RESULT)),
)


def next_command(draw: st.DataObject, state: RunState) -> c.Command:
    """Ask for something: mostly that a step goes on, now and then for a new one, seldom that the run itself changes."""
    turn = draw.draw(st.integers(0, 99))
    going_on = [name for name, step in state.steps.items() if step.phase is not Phase.DONE]
    new = [name for name in STEPS if name not in state.steps]
    if turn < 3 and state.status is not Status.ABSENT:
        command: c.Command = draw.draw(OF_THE_RUN)
    elif turn < 15 or not (going_on or new):
        command = draw.draw(from_outside(draw.draw(st.sampled_from(STEPS))))
    elif state.status is Status.RUNNING and new and (turn < 35 or not going_on):
        command = draw.draw(of_new_step(draw.draw(st.sampled_from(new))))
    elif going_on:
        name = draw.draw(st.sampled_from(going_on))
        step = state.steps[name]
        asks = step.phase in (Phase.GRANTED, Phase.BACKING_OFF) and state.status is not Status.RUNNING
        command = draw.draw(from_outside(name) if asks else _recorded(name, step.phase, step.attempt))
    else:
        command = draw.draw(from_outside(STEPS[0]))
    return command


def history(draw: st.DataObject) -> tuple[list[Event], RunState]:
    """Let somebody ask for many things, and return what happened."""
    state = RunState(RUN)
    events: list[Event] = []
    first = draw.draw(from_outside(STEPS[0])) if draw.draw(st.booleans()) else None
    pending = [first] if first is not None else [c.RequestRun(requested(limits=Limits(fan_out=2)))]
    for _ in range(draw.draw(st.integers(5, 40))):
        command = pending.pop() if pending else next_command(draw, state)
        before = state
        try:
            datas = decide(state, command)
        except (CallerError, AgentError):
            continue
        for data in datas:
            event = Event(RUN, state.next_n, EpochMs(1_000), PrincipalId("person:ana"), "call", data)
            state = evolve(state, event)
            react(state, event)
            events.append(event)
        check_step(before, state, datas)
    return events, state


def check_step(before: RunState, after: RunState, datas: tuple[EventData, ...]) -> None:
    if before.ended:
        assert after.status is before.status
        new = set(after.steps) - set(before.steps)
        assert not new, f"an ended run took the steps {new}"
        assert not any(isinstance(data, ActionIntended | ActionRetried) for data in datas)
    if after.ended:
        open_ones = (Phase.INTENDED, Phase.LOOKING_UP, Phase.BACKING_OFF)
        left = [name for name, step in after.steps.items() if step.phase in open_ones]
        assert not left, f"nobody says what became of {left}"


@settings(max_examples=EXAMPLES, deadline=None)
@for_all(st.data())
def test_whatever_is_asked_only_callers_and_agents_are_refused_and_the_journal_gives_the_state_again(
    draw: st.DataObject,
) -> None:
    events, state = history(draw)
    stored = [Entry(event.run, event.n, encode_event(event)) for event in events]
    assert fold(RunState(RUN), (decode_entry(entry) for entry in stored)) == state


@settings(max_examples=EXAMPLES, deadline=None)
@for_all(st.data())
def test_an_action_is_never_done_again_while_nobody_knows_whether_it_happened(draw: st.DataObject) -> None:
    events, _ = history(draw)
    state = RunState(RUN)
    for event in events:
        data = event.data
        if isinstance(data, ActionRetried):
            step = state.steps[data.step]
            assert step.phase is Phase.BACKING_OFF
            assert not step.unsure or step.effect is Effect.IDEMPOTENT, (step, event)
            assert not step.is_abandoned
        if isinstance(data, ActionIntended):
            earlier = state.steps.get(data.step)
            assert earlier is None or earlier.phase is Phase.GRANTED, "an action was intended twice"
        state = evolve(state, event)


@settings(max_examples=EXAMPLES, deadline=None)
@for_all(st.data())
def test_a_yes_is_used_at_most_once(draw: st.DataObject) -> None:
    events, _ = history(draw)
    yes: dict[str, int] = {}
    for event in events:
        data = event.data
        if isinstance(data, ApprovalRequested):
            yes[data.step] = 0  # Asked anew: the yes before was to something else, and counts no more.
        elif isinstance(data, ApprovalGranted) or (isinstance(data, ApprovalEdited) and data.is_enough):
            yes[data.step] = yes.get(data.step, 0) + 1
        elif isinstance(data, ActionIntended) and data.approval:
            assert yes.get(data.step, 0) == 1, "a call was made without a yes of its own"
            yes[data.step] = 0


for _number in (EpochMs, int):
    st.register_type_strategy(_number, st.integers(-(2**53), 2**53))
for _value in (Decision, Failure):
    st.register_type_strategy(_value, st.builds(_value))


@settings(max_examples=4 * EXAMPLES, deadline=None)
@for_all(st.sampled_from(sorted(KINDS, key=lambda kind: kind.__name__)).flatmap(st.builds), st.text())
def test_every_kind_of_event_survives_the_journal(data: Any, by: str) -> None:
    event = Event(RUN, 7, EpochMs(1_000), PrincipalId(by), "call", data)
    body = encode_event(event)
    assert decode_entry(Entry(RUN, 7, body)) == event
    assert encode_event(decode_entry(Entry(RUN, 7, body))) == body
