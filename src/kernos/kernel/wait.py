"""Wait: timers, signals, questions and child runs; what a run may wait for without holding anything.

A signal goes to the oldest step that waits for its topic, else it is held until one asks; so nothing is lost whichever comes first.
"""

from collections.abc import Mapping
from dataclasses import replace

from kernos.kernel.ending import end_as_told, end_badly, end_taken_back
from kernos.kernel.state import (
    Decide,
    Evolve,
    Phase,
    React,
    RunState,
    Status,
    Step,
    StepKind,
    with_step,
    woken,
)
from kernos.vocabulary.commands import (
    AnswerQuestion,
    AskPerson,
    AwaitSignal,
    DeliverSignal,
    EndChild,
    RefuseChild,
    SetTimer,
    StartChild,
    Tick,
)
from kernos.vocabulary.effects import CancelChild, EffectOrder, RunAgent, UndoActions, WakeAt
from kernos.vocabulary.errors import InvalidInput, LimitReached, NotAllowed, QueueFull, RunEnded
from kernos.vocabulary.events import (
    ApprovalExpired,
    ChildEnded,
    ChildRefused,
    ChildStarted,
    Event,
    EventData,
    QuestionAnswered,
    QuestionAsked,
    RunExpired,
    RunResumed,
    SignalAwaited,
    SignalReceived,
    TimerFired,
    TimerSet,
    WaitExpired,
)
from kernos.vocabulary.ids import EpochMs, StepName
from kernos.vocabulary.outcome import Failure, Outcome
from kernos.vocabulary.quantities import NULL, SIGNALS_HELD_MAX, Json
from kernos.vocabulary.room import RoomForgone
from kernos.vocabulary.undo import FAILURE_STEP, UNDO_STEP


def _set_timer(state: RunState, command: SetTimer) -> tuple[EventData, ...]:
    assert command.step not in state.steps, command.step
    return (TimerSet(command.step, command.due_at),)


def _await_signal(state: RunState, command: AwaitSignal) -> tuple[EventData, ...]:
    assert command.step not in state.steps, command.step
    held = next((index for index, (topic, _) in enumerate(state.signals) if topic == command.topic), -1)
    return (SignalAwaited(command.step, command.topic, command.due_at, held),)


def _ask(state: RunState, command: AskPerson) -> tuple[EventData, ...]:
    assert command.step not in state.steps, command.step
    return (QuestionAsked(command.step, command.to, command.question, command.options, command.due_at),)


def _start_child(state: RunState, command: StartChild) -> tuple[EventData, ...]:
    assert command.step not in state.steps, command.step
    limits = state.request().limits
    if len(state.open_children()) >= limits.fan_out:
        message = f"run {state.run} has {limits.fan_out} child runs open, the limit of its contract (fan_out)"
        raise LimitReached(message, hint="Wait for some of them first, or raise fan_out in the agent's limits.")
    if state.request().depth + 1 > limits.depth:
        message = f"run {state.run} is {state.request().depth} generations deep, the limit of its contract (depth)"
        raise LimitReached(message, hint="Call the agent from higher up, or raise depth in the first agent's limits.")
    return (ChildStarted(command.step, command.child, command.agent, command.input, command.detached),)


def _refuse_child(state: RunState, command: RefuseChild) -> tuple[EventData, ...]:
    assert command.step not in state.steps, command.step
    return (ChildRefused(command.step, command.agent, command.input, command.failure),)


def _deliver(state: RunState, command: DeliverSignal) -> tuple[EventData, ...]:
    if state.closed:
        message = f"run {state.run} has ended ({state.status}); the signal {command.topic!r} was not delivered"
        raise RunEnded(message)
    if command.key and command.key in state.signal_keys:
        return ()
    step = _waiting_for(state, command.topic)
    if not step and len(state.signals) >= SIGNALS_HELD_MAX:
        message = f"run {state.run} holds {SIGNALS_HELD_MAX} signals it has not asked for"
        raise QueueFull(message, hint="Send it again once the run has taken some.")
    return (SignalReceived(command.topic, command.data, command.key, step),)


def _waiting_for(state: RunState, topic: str) -> StepName:
    """Return the oldest step that waits for `topic`, empty for none."""
    waiting = [
        (step.n, name)
        for name, step in state.steps.items()
        if step.kind is StepKind.SIGNAL and step.phase is Phase.WAITING and step.what == topic
    ]
    return min(waiting)[1] if waiting else StepName("")


def _answer(state: RunState, command: AnswerQuestion) -> tuple[EventData, ...]:
    if state.ended:
        message = f"run {state.run} has ended ({state.status}); it no longer waits for an answer"
        raise RunEnded(message)
    step = state.step_in(command.step, Phase.WAITING)
    if step.kind is not StepKind.QUESTION:
        message = f"step {command.step} of run {state.run} waits for a {step.kind}, not for an answer"
        raise NotAllowed(message)
    if step.options and command.answer not in step.options:
        message = f"{command.answer!r} is none of the options: {', '.join(step.options)}"
        raise InvalidInput(message, hint="Answer with one of the options, spelled like it.")
    answered = QuestionAnswered(command.step, command.answer)
    return (answered, *end_as_told(state, command.answer)) if command.step == FAILURE_STEP else (answered,)


def _end_child(state: RunState, command: EndChild) -> tuple[EventData, ...]:
    step = state.steps.get(command.step)
    if step is None or step.child != command.child or (step.phase is Phase.DONE and not _is_given_up(step)):
        return ()
    late = state.closed or step.phase is Phase.DONE
    ended = ChildEnded(command.step, command.child, command.result, command.failure, late, command.heritage)
    if command.step == UNDO_STEP and not state.ended:
        return (ended, end_taken_back(state, command.result, command.failure))
    return (ended,)


def _is_given_up(child: Step) -> bool:
    """Tell whether a child run's branch was given up, and the run has not heard of its end yet."""
    return isinstance(child.outcome, Failure) and child.outcome.code == "abandoned" and not child.detached


def _tick(state: RunState, command: Tick) -> tuple[EventData, ...]:
    """Let everything happen that is due; a deadline waits until no action is under way."""
    if state.status in (Status.ABSENT, Status.COMPENSATING) or state.ended:
        return ()
    deadline = state.request().deadline_at
    if deadline and command.at >= deadline:
        if state.under_way():
            return ()
        return end_badly(state, RunExpired(deadline, state.open_children()))
    if state.status is not Status.RUNNING and state.status is not Status.WAITING:
        return ()
    due: list[tuple[int, EventData]] = []
    for name, step in state.steps.items():
        if not step.due_at or step.due_at > command.at:
            continue
        if step.phase is Phase.ASKING:
            due.append((step.n, ApprovalExpired(name)))
        elif step.phase is Phase.WAITING:
            due.append((step.n, TimerFired(name) if step.kind is StepKind.TIMER else WaitExpired(name)))
    due.extend(
        (queued.n, RoomForgone(name)) for name, queued in state.queued.items() if 0 < queued.due_at <= command.at
    )
    if not due and state.status is Status.WAITING and 0 < state.wake_at <= command.at:
        return (RunResumed(),)
    return tuple(event for _, event in sorted(due, key=lambda pair: pair[0]))


DECIDE: Mapping[type, Decide] = {
    SetTimer: _set_timer,
    AwaitSignal: _await_signal,
    AskPerson: _ask,
    StartChild: _start_child,
    RefuseChild: _refuse_child,
    DeliverSignal: _deliver,
    AnswerQuestion: _answer,
    EndChild: _end_child,
    Tick: _tick,
}


def _timer_set(state: RunState, event: Event, data: TimerSet) -> RunState:
    return with_step(state, data.step, Step(StepKind.TIMER, "sleep", NULL, Phase.WAITING, event.n, due_at=data.due_at))


def _signal_awaited(state: RunState, event: Event, data: SignalAwaited) -> RunState:
    step = Step(StepKind.SIGNAL, data.topic, NULL, Phase.WAITING, event.n, due_at=data.due_at)
    if data.held < 0:
        return with_step(state, data.step, step)
    taken = replace(step, phase=Phase.DONE, outcome=state.signals[data.held][1], due_at=EpochMs(0))
    rest = state.signals[: data.held] + state.signals[data.held + 1 :]
    return replace(with_step(state, data.step, taken), signals=rest)


def _signal_received(state: RunState, event: Event, data: SignalReceived) -> RunState:
    del event
    if data.key:
        state = replace(state, signal_keys=state.signal_keys | {data.key})
    if not data.step:
        return replace(state, signals=(*state.signals, (data.topic, data.data)))
    return _done(state, data.step, data.data)


def _done(state: RunState, name: StepName, outcome: Outcome) -> RunState:
    step = state.steps.get(name)
    if step is None or step.phase is not Phase.WAITING:
        return state
    done = replace(step, phase=Phase.DONE, outcome=outcome, due_at=EpochMs(0))
    return woken(with_step(state, name, done))


def _question_asked(state: RunState, event: Event, data: QuestionAsked) -> RunState:
    step = Step(
        StepKind.QUESTION,
        data.question,
        NULL,
        Phase.WAITING,
        event.n,
        due_at=data.due_at,
        options=data.options,
    )
    return with_step(state, data.step, step)


def _question_answered(state: RunState, event: Event, data: QuestionAnswered) -> RunState:
    del event
    return _done(state, data.step, Json(_json_string(data.answer)))


def _json_string(text: str) -> bytes:
    """Write `text` as a JSON string (RFC 8259, section 7)."""
    out = ['"']
    for letter in text:
        if letter in '"\\':
            out.append("\\" + letter)
        elif letter < " ":
            out.append(f"\\u{ord(letter):04x}")
        else:
            out.append(letter)
    out.append('"')
    return "".join(out).encode("utf-8", "surrogatepass")


def _expired(state: RunState, event: Event, data: WaitExpired) -> RunState:
    del event
    return _done(state, data.step, Failure("timed_out", "nothing arrived in time"))


def _timer_fired(state: RunState, event: Event, data: TimerFired) -> RunState:
    del event
    return _done(state, data.step, NULL)


def _child_started(state: RunState, event: Event, data: ChildStarted) -> RunState:
    step = Step(
        StepKind.CHILD, data.agent, data.input, Phase.WAITING, event.n, child=data.child, detached=data.detached
    )
    if data.detached:
        step = replace(step, phase=Phase.DONE, outcome=Json(_json_string(data.child)))
    return with_step(state, data.step, step)


def _child_refused(state: RunState, event: Event, data: ChildRefused) -> RunState:
    return with_step(state, data.step, Step(StepKind.CHILD, data.agent, data.input, Phase.DONE, event.n, data.failure))


def _child_ended(state: RunState, event: Event, data: ChildEnded) -> RunState:
    del event
    outcome = data.failure if data.failure is not None else data.result
    assert outcome is not None, data.child
    step = state.steps.get(data.step)
    if step is not None and _is_given_up(step):
        return with_step(state, data.step, replace(step, detached=True))  # It is heard of once.
    told = data.heritage
    if told is not None and step is not None:
        state = replace(
            with_step(state, data.step, replace(step, heritage=told)),
            endorsed=state.endorsed.union(told.endorsed),
            refused=state.refused.union(told.refused),
        )
    return _done(state, data.step, outcome)


EVOLVE: Mapping[type, Evolve] = {
    TimerSet: _timer_set,
    TimerFired: _timer_fired,
    SignalAwaited: _signal_awaited,
    SignalReceived: _signal_received,
    QuestionAsked: _question_asked,
    QuestionAnswered: _question_answered,
    WaitExpired: _expired,
    ChildStarted: _child_started,
    ChildRefused: _child_refused,
    ChildEnded: _child_ended,
}


def _wake_at(state: RunState, event: Event, data: TimerSet | SignalAwaited | QuestionAsked) -> tuple[EffectOrder, ...]:
    del event
    step = state.steps[data.step]
    return (WakeAt(step.due_at),) if step.due_at else ()


def _arrived(
    state: RunState, event: Event, data: TimerFired | QuestionAnswered | WaitExpired | ChildEnded
) -> tuple[EffectOrder, ...]:
    del event
    if state.status is Status.COMPENSATING:
        return (UndoActions(),)
    is_late = isinstance(data, ChildEnded) and data.late
    return () if state.closed or is_late else (RunAgent(),)


def _signalled(state: RunState, event: Event, data: SignalReceived) -> tuple[EffectOrder, ...]:
    del state, event
    return (RunAgent(),) if data.step else ()


def _child_of_cancelled(state: RunState, event: Event, data: ChildStarted) -> tuple[EffectOrder, ...]:
    del event
    if state.cancel_reason is None or data.detached or data.step == UNDO_STEP:
        return ()
    return (CancelChild(data.child, state.cancel_reason),)


REACT: Mapping[type, React] = {
    TimerSet: _wake_at,
    SignalAwaited: _wake_at,
    QuestionAsked: _wake_at,
    TimerFired: _arrived,
    QuestionAnswered: _arrived,
    WaitExpired: _arrived,
    ChildEnded: _arrived,
    SignalReceived: _signalled,
    ChildStarted: _child_of_cancelled,
}
