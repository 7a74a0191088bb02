"""Given past events, when a command, then exactly these events: what the kernel's behaviour tests are written with."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from kernos.kernel.decide import decide
from kernos.kernel.evolve import evolve
from kernos.kernel.react import react
from kernos.kernel.state import RunState
from kernos.vocabulary.commands import Command
from kernos.vocabulary.effects import EffectOrder
from kernos.vocabulary.events import (
    ActionIntended,
    ApprovalRequested,
    CancelRequested,
    Event,
    EventData,
    RunParked,
    RunRequested,
)
from kernos.vocabulary.gate import Answer, Decision
from kernos.vocabulary.ids import (
    DEFAULT_TENANT,
    ApprovalId,
    EpochMs,
    IdempotencyKey,
    PrincipalId,
    RunId,
    StepName,
    run_id,
    step_key,
)
from kernos.vocabulary.outcome import AttemptFailed, Effect, FailureKind
from kernos.vocabulary.quantities import Json, Limits, Retry

RUN = run_id(1 << 40)
CHILD = run_id((1 << 40) + 1)
PARENT = run_id((1 << 40) + 2)
BY = PrincipalId("person:ana")
NOW = EpochMs(1_000_000)
LATER = EpochMs(2_000_000)
ONE, TWO = StepName("1"), StepName("2")
ARGS, RESULT = Json(b'{"order":"A1"}'), Json(b'{"id":"r-1"}')
ALLOW = Decision(Answer.ALLOW, "0" * 16, ("all",))
ASK = Decision(Answer.ASK, "0" * 16, ("ask",))
DENY = Decision(Answer.DENY, "0" * 16, ("cap",), "over the cap")
TWICE = Retry(attempts=2, first_delay_ms=1_000, delay_max_ms=1_000)
FINAL = AttemptFailed(FailureKind.FINAL, "the card is closed")
RETRYABLE = AttemptFailed(FailureKind.RETRYABLE, "busy")
UNKNOWN = AttemptFailed(FailureKind.UNKNOWN, "no answer")


def requested(**changes: Any) -> RunRequested:
    plain = RunRequested(
        agent="desk",
        agent_version="1",
        code_digest="0" * 16,
        intent="return the shoes",
        input=ARGS,
        tenant=DEFAULT_TENANT,
        limits=Limits(),
        deadline_at=EpochMs(0),
    )
    return replace(plain, **changes)


def intended(effect: Effect, step: StepName = ONE, *, approved: bool = False) -> ActionIntended:
    key = step_key(RUN, step)
    approval = ApprovalId(key) if approved else ApprovalId("")
    return ActionIntended(
        step, "shop.refund", effect, ARGS, IdempotencyKey(key), ALLOW, approval=approval, intent="return the shoes"
    )


def asked(step: StepName = ONE, effect: Effect = Effect.IDEMPOTENT) -> ApprovalRequested:
    return ApprovalRequested(step, "shop.refund", effect, ARGS, "d1", ASK, LATER)


PARKED = RunParked()
CANCELLING = CancelRequested("the customer withdrew")


def given(*past: EventData, run: RunId = RUN) -> RunState:
    """Fold past events."""
    return after(RunState(run), past)


def after(state: RunState, datas: Sequence[EventData], at: EpochMs = NOW) -> RunState:
    for data in datas:
        state = evolve(state, Event(state.run, state.next_n, at, BY, "call", data))
    return state


def when(state: RunState, command: Command) -> tuple[EventData, ...]:
    """Decide, and see that the state can take what was decided."""
    events = decide(state, command)
    after(state, events)
    return events


def orders_of(state: RunState, *datas: EventData) -> list[EffectOrder]:
    """Return what the shell has to do because of events that come after `state`."""
    orders: list[EffectOrder] = []
    for data in datas:
        event = Event(state.run, state.next_n, NOW, BY, "call", data)
        state = evolve(state, event)
        orders.extend(react(state, event))
    return orders
