"""Action: what follows from each outcome of an attempt, by effect class (the table of design section 7).

| effect class | unknown outcome, or the process ended in mid-call | no effect, may be repeated |
| idempotent   | again under the same key; doubted when attempts run out | again under the same key |
| verifiable   | look up: done, not done (again), cannot tell (doubted)   | again under the same key |
| once         | doubted: a person says                                    | again under the same key |

Nothing is repeated while its outcome is unknown, except under a key that the tool honours. A refusal ends an action; where the tool looked
before, a look-up first says whether it can be believed.
"""

from collections.abc import Mapping
from dataclasses import replace

from kernos.kernel.budget import spent, spent_by_tool
from kernos.kernel.retry import next_attempt_at
from kernos.kernel.state import (
    Decide,
    Evolve,
    Phase,
    React,
    RunState,
    Step,
    StepKind,
    Tried,
    changed_step,
    with_step,
    woken,
)
from kernos.vocabulary.commands import (
    AnswerModel,
    AnswerRead,
    CallTool,
    ForgoAction,
    LoseAttempt,
    NoteAttempt,
    RefuseRetry,
    ReportAttempt,
    ReportLookUp,
    RetryAction,
    SettleAction,
    UseApproval,
)
from kernos.vocabulary.effects import EffectOrder, RunAgent
from kernos.vocabulary.errors import InvalidInput
from kernos.vocabulary.events import (
    ActionDoubted,
    ActionFailed,
    ActionForgone,
    ActionIntended,
    ActionLookedUp,
    ActionPerformed,
    ActionRetried,
    ActionSettled,
    ApprovalExpired,
    ApprovalRequested,
    CallAttemptFailed,
    CallDenied,
    Event,
    EventData,
    ModelAnswered,
    ReadAnswered,
)
from kernos.vocabulary.gate import Answer
from kernos.vocabulary.ids import ApprovalId, EpochMs, IdempotencyKey, StepName, step_key
from kernos.vocabulary.outcome import AttemptFailed, Effect, Failure, FailureKind
from kernos.vocabulary.quantities import NULL, Json
from kernos.vocabulary.undo import undo_key

VERDICTS = ("done", "not_done", "unknown")
"""What a person may say about an action in doubt; `unknown` ends it as failed without claiming either."""


def _call(state: RunState, command: CallTool) -> tuple[EventData, ...]:
    assert command.step not in state.steps, command.step
    gate = command.gate
    if gate.answer is Answer.DENY:
        return (CallDenied(command.step, command.tool, command.args, gate, command.undoes, command.concerns),)
    # The plan that was approved with the request names this very call; where rules want certain people, that is not enough.
    seen = command.digest in state.request().approved and not gate.requires
    if gate.answer is Answer.ASK and not seen:
        return (
            ApprovalRequested(
                command.step,
                command.tool,
                command.effect,
                command.args,
                command.digest,
                gate,
                command.expires_at,
                command.undoes,
                command.concerns,
                command.tool_digest,
            ),
        )
    if command.effect is Effect.READ:
        return ()  # Nothing to remember before it: a read that was lost is made again.
    return (_intend(state, command, "request" if gate.answer is Answer.ASK else ""),)


def _intend(state: RunState, call: CallTool, approved_at: str, token: str = "") -> ActionIntended:
    return ActionIntended(
        call.step,
        call.tool,
        call.effect,
        call.args,
        undo_key(call.undoes.key) if call.undoes else IdempotencyKey(step_key(state.run, call.step)),
        call.gate,
        approval=ApprovalId(step_key(state.run, StepName(approved_at)) if approved_at else ""),
        intent=state.request().intent,
        checkpoint=state.checkpoint.name if state.checkpoint else "",
        before=call.before,
        undoes=call.undoes,
        token=token,
        counts=call.counts,
    )


def _forgo(state: RunState, command: ForgoAction) -> tuple[EventData, ...]:
    del state
    return (
        ActionForgone(
            command.step,
            command.tool,
            command.effect,
            command.args,
            command.gate,
            command.failure,
            command.attempts,
            command.undoes,
        ),
    )


def _use_approval(state: RunState, command: UseApproval) -> tuple[EventData, ...]:
    """Turn a yes into an intent, once: the step leaves GRANTED with the event that names the approval."""
    step = state.step_in(command.step, Phase.GRANTED)
    effect = step.effect
    assert effect is not None, command.step
    if command.gate.answer is Answer.DENY:
        return (CallDenied(command.step, step.what, step.args, command.gate, step.undoes),)
    if command.at >= step.due_at:
        return (ApprovalExpired(command.step),)
    if command.digest != step.digest or command.complaint:  # Other bytes than the approved ones, or no valid yes.
        asked = ApprovalRequested(
            command.step,
            step.what,
            effect,
            step.args,
            command.digest,
            command.gate,
            step.due_at,
            step.undoes,
            step.concerns,
            step.tool_digest,
            command.complaint or "the arguments are others than those that were approved",
        )
        return (asked,)
    if effect is Effect.READ:
        return ()
    call = CallTool(
        command.step,
        step.what,
        effect,
        step.args,
        command.gate,
        step.digest,
        command.at,
        step.due_at,
        command.before,
        step.undoes,
        counts=command.counts,
    )
    return (_intend(state, call, command.step, command.token),)


def _answer_read(state: RunState, command: AnswerRead) -> tuple[EventData, ...]:
    assert state.steps.get(command.step) is None or state.steps[command.step].phase is Phase.GRANTED, command.step
    return (
        *spent_by_tool(state, command.step, command.result, is_known=command.is_known),
        ReadAnswered(
            command.step, command.tool, command.args, command.gate, command.result, command.failure, command.attempts
        ),
    )


def _answer_model(state: RunState, command: AnswerModel) -> tuple[EventData, ...]:
    assert command.step not in state.steps, command.step
    return (
        *spent(state, command.step, command.usage if command.is_usage_known else None, is_known=command.is_usage_known),
        ModelAnswered(
            command.step,
            command.model,
            command.args,
            command.gate,
            command.usage,
            command.result,
            command.failure,
            command.attempts,
        ),
    )


def _note(state: RunState, command: NoteAttempt) -> tuple[EventData, ...]:
    failed = command.failed
    is_known = failed.kind is not FailureKind.UNKNOWN
    return (
        *spent(state, command.step, failed.usage, is_known=is_known),
        CallAttemptFailed(
            command.step,
            command.tool,
            command.attempt,
            failed.kind,
            failed.message,
            command.retry_at,
            failed.usage,
            is_used_up=command.is_used_up,
        ),
    )


def _report(state: RunState, command: ReportAttempt) -> tuple[EventData, ...]:
    step = state.step_in(command.step, Phase.INTENDED)
    assert command.attempt == step.attempt, (command.attempt, step.attempt)
    outcome = command.outcome
    if isinstance(outcome, Json):
        return (ActionPerformed(command.step, outcome, command.attempt, undone=_undone(step)),)
    if outcome.kind is FailureKind.FINAL:
        if (
            step.before is not None and not step.is_abandoned
        ):  # "No" may mean that it happened already: networks deliver twice.
            return (_again(command.step, step, outcome, command.at),)
        return (_failed(command.step, step, "refused", outcome),)
    unknown = outcome.kind is FailureKind.UNKNOWN
    if unknown and step.effect is Effect.ONCE:
        return (ActionDoubted(command.step, step.attempt, outcome.message),)
    if unknown and step.effect is Effect.VERIFIABLE and not step.is_abandoned:
        return (_again(command.step, step, outcome, command.at),)
    unsure = unknown or step.unsure
    if step.is_abandoned or state.cancel_reason is not None:
        why = "abandoned" if step.is_abandoned else "cancelled"
        if unsure:  # Another attempt would tell, but it might also make it happen now.
            return (ActionDoubted(command.step, step.attempt, f"{why}: {outcome.message}"),)
        return (_failed(command.step, step, why, outcome),)
    retry_at = next_attempt_at(command.retry, step.attempt, command.at, command.chance, outcome.retry_after_ms)
    if retry_at is not None:
        return (_again(command.step, step, outcome, retry_at),)
    if unsure:
        return (ActionDoubted(command.step, step.attempt, f"attempts ran out: {outcome.message}"),)
    return (_failed(command.step, step, "exhausted", outcome),)


def _again(name: StepName, step: Step, outcome: AttemptFailed, retry_at: EpochMs) -> CallAttemptFailed:
    kind, message, details = outcome.kind, outcome.message, outcome.details
    return CallAttemptFailed(name, step.what, step.attempt, kind, message, retry_at, details=details)


def _failed(name: StepName, step: Step, code: str, outcome: AttemptFailed) -> ActionFailed:
    return ActionFailed(name, step.attempt, Failure(code, outcome.message, outcome.details))


def _lose(state: RunState, command: LoseAttempt) -> tuple[EventData, ...]:
    step = state.step_in(command.step, Phase.INTENDED)
    lost = AttemptFailed(FailureKind.UNKNOWN, "the process ended while the call was under way")
    is_over = step.attempt >= command.retry.attempts or state.cancel_reason is not None
    if step.is_abandoned or step.effect is Effect.ONCE or (step.effect is Effect.IDEMPOTENT and is_over):
        return (ActionDoubted(command.step, step.attempt, lost.message),)
    return (_again(command.step, step, lost, command.at),)


def _report_look_up(state: RunState, command: ReportLookUp) -> tuple[EventData, ...]:
    step = state.step_in(command.step, Phase.LOOKING_UP)
    found = command.found
    looked = ActionLookedUp(command.step, found.done, found.evidence)
    if step.refusal is not None and not found.done:
        return (looked, ActionFailed(command.step, step.attempt, step.refusal))
    if found.done is None:
        return (looked, ActionDoubted(command.step, step.attempt, f"a look-up could not tell: {found.evidence}"))
    if found.done:
        return (
            looked,
            ActionPerformed(command.step, found.result or NULL, step.attempt, found.evidence, _undone(step)),
        )
    stop = "cancelled" if state.cancel_reason is not None else "exhausted"
    if state.cancel_reason is not None or step.attempt >= command.retry.attempts:
        failure = Failure(stop, f"it did not happen ({found.evidence}), and it is not tried again")
        return (looked, ActionFailed(command.step, step.attempt, failure))
    return (looked,)


def _retry(state: RunState, command: RetryAction) -> tuple[EventData, ...]:
    step = state.step_in(command.step, Phase.BACKING_OFF)
    return (ActionRetried(command.step, step.attempt + 1),)


def _refuse_retry(state: RunState, command: RefuseRetry) -> tuple[EventData, ...]:
    step, gate = state.step_in(command.step, Phase.BACKING_OFF), command.gate
    wants = "takes a person's yes" if gate.answer is Answer.ASK else "is not permitted"
    message = f"a further attempt {wants} by now, under policy set {gate.policy_set}"
    message += f": {gate.reason}" if gate.reason else ""
    if step.unsure:
        return (ActionDoubted(command.step, step.attempt, message, gate),)
    return (ActionFailed(command.step, step.attempt, Failure("denied", message), gate),)


def _settle(state: RunState, command: SettleAction) -> tuple[EventData, ...]:
    if command.verdict not in VERDICTS:
        message = f"{command.verdict!r} settles nothing: say one of {', '.join(VERDICTS)}"
        raise InvalidInput(message)
    step = state.step_in(command.step, Phase.DOUBTED)
    undone = _undone(step) if command.verdict == "done" else ""
    return (ActionSettled(command.step, command.verdict, command.note, command.result, state.closed, undone),)


def _undone(step: Step) -> str:
    return step.undoes.key if step.undoes is not None else ""


DECIDE: Mapping[type, Decide] = {
    CallTool: _call,
    ForgoAction: _forgo,
    UseApproval: _use_approval,
    AnswerRead: _answer_read,
    AnswerModel: _answer_model,
    NoteAttempt: _note,
    ReportAttempt: _report,
    LoseAttempt: _lose,
    ReportLookUp: _report_look_up,
    RetryAction: _retry,
    RefuseRetry: _refuse_retry,
    SettleAction: _settle,
}


def _denied(state: RunState, event: Event, data: CallDenied) -> RunState:
    failure = Failure("denied", data.gate.reason or "policy does not permit it")
    step = Step(StepKind.CALL, data.tool, data.args, Phase.DONE, event.n, failure, gate=data.gate)
    return with_step(state, data.step, step)


def _read(state: RunState, event: Event, data: ReadAnswered) -> RunState:
    outcome = data.failure if data.failure is not None else data.result
    step = Step(StepKind.CALL, data.tool, data.args, Phase.DONE, event.n, outcome, effect=Effect.READ)
    return with_step(state, data.step, step)


def _model(state: RunState, event: Event, data: ModelAnswered) -> RunState:
    outcome = data.failure if data.failure is not None else data.result
    step = Step(StepKind.MODEL, data.model, data.args, Phase.DONE, event.n, outcome)
    return with_step(state, data.step, step, work=data.usage.work)


def _intended(state: RunState, event: Event, data: ActionIntended) -> RunState:
    before = state.steps.get(data.step)
    step = Step(
        StepKind.CALL,
        data.tool,
        data.args,
        Phase.INTENDED,
        event.n,
        attempt=data.attempt,
        effect=data.effect,
        proposed=before.proposed if before else None,
        gate=data.gate,
        before=data.before,
        undoes=data.undoes,
    )
    return with_step(state, data.step, step, data.key)


def _forgone(state: RunState, event: Event, data: ActionForgone) -> RunState:
    before = state.steps.get(data.step)
    step = Step(
        StepKind.CALL,
        data.tool,
        data.args,
        Phase.DONE,
        event.n,
        data.failure,
        effect=data.effect,
        proposed=before.proposed if before else None,
    )
    return with_step(state, data.step, step)


def _changed(state: RunState, name: StepName, **changes: object) -> RunState:
    step = state.steps.get(name)
    if step is None:
        return state
    return with_step(state, name, changed_step(step, changes))


def _retried(state: RunState, event: Event, data: ActionRetried) -> RunState:
    return _changed(state, data.step, phase=Phase.INTENDED, attempt=data.attempt, due_at=EpochMs(0), n=event.n)


def _attempt_failed(state: RunState, event: Event, data: CallAttemptFailed) -> RunState:
    del event
    step = state.steps.get(data.step)
    if step is None or step.phase is not Phase.INTENDED:
        made = data.attempt if data.is_used_up else data.attempt - 1
        tried = {**state.tried, data.step: Tried(made, data.retry_at)}
        return replace(state, tried=tried, work=state.work + (data.usage.work if data.usage is not None else 0))
    refused = data.failure is FailureKind.FINAL
    look = refused or (data.failure is FailureKind.UNKNOWN and step.effect is Effect.VERIFIABLE)
    phase = Phase.LOOKING_UP if look else Phase.BACKING_OFF
    unsure = step.unsure or data.failure is FailureKind.UNKNOWN
    refusal = Failure("refused", data.message, data.details) if refused else None
    return _changed(state, data.step, phase=phase, due_at=data.retry_at, unsure=unsure, refusal=refusal)


def _performed(state: RunState, event: Event, data: ActionPerformed) -> RunState:
    del event
    return _changed(state, data.step, phase=Phase.DONE, outcome=data.result, due_at=EpochMs(0))


def _action_failed(state: RunState, event: Event, data: ActionFailed) -> RunState:
    del event
    return _changed(state, data.step, phase=Phase.DONE, outcome=data.failure, due_at=EpochMs(0))


def _doubted(state: RunState, event: Event, data: ActionDoubted) -> RunState:
    del event
    return _changed(state, data.step, phase=Phase.DOUBTED, due_at=EpochMs(0))


def _looked_up(state: RunState, event: Event, data: ActionLookedUp) -> RunState:
    del event
    if data.done is not False:
        return state
    return _changed(state, data.step, phase=Phase.BACKING_OFF, due_at=EpochMs(0), unsure=False)


def _settled(state: RunState, event: Event, data: ActionSettled) -> RunState:
    del event
    if data.verdict == "done":
        settled = _changed(state, data.step, phase=Phase.DONE, outcome=data.result or NULL)
    elif data.verdict == "not_done" and not data.late:
        settled = _changed(state, data.step, phase=Phase.BACKING_OFF, due_at=EpochMs(0), unsure=False)
    else:
        failure = Failure("in_doubt", f"a person could not tell whether it happened: {data.note}")
        settled = _changed(state, data.step, phase=Phase.DONE, outcome=failure)
    return woken(settled)


EVOLVE: Mapping[type, Evolve] = {
    CallDenied: _denied,
    ReadAnswered: _read,
    ModelAnswered: _model,
    ActionIntended: _intended,
    ActionForgone: _forgone,
    ActionRetried: _retried,
    CallAttemptFailed: _attempt_failed,
    ActionPerformed: _performed,
    ActionFailed: _action_failed,
    ActionDoubted: _doubted,
    ActionLookedUp: _looked_up,
    ActionSettled: _settled,
}


def _go_on(state: RunState, event: Event, data: ActionSettled) -> tuple[EffectOrder, ...]:
    del event
    del state
    return () if data.late else (RunAgent(),)


REACT: Mapping[type, React] = {ActionSettled: _go_on}
