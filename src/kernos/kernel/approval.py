"""Approval: which calls wait for a person, and what a person's answer changes.

A yes belongs to the digest of the exact arguments and is used up by the intent to act (`action`). No answer in time counts as no.
"""

from collections.abc import Mapping
from dataclasses import replace

from kernos.kernel.state import Decide, Evolve, Phase, React, RunState, Step, StepKind, with_step, woken
from kernos.vocabulary.commands import DenyApproval, EditApproval, GrantApproval
from kernos.vocabulary.effects import EffectOrder, RunAgent, WakeAt
from kernos.vocabulary.errors import NotAllowed, RunEnded
from kernos.vocabulary.events import (
    ApprovalDenied,
    ApprovalEdited,
    ApprovalExpired,
    ApprovalGranted,
    ApprovalRequested,
    Event,
    EventData,
)
from kernos.vocabulary.flow import INTENT
from kernos.vocabulary.gate import Answer
from kernos.vocabulary.ids import EpochMs, StepName
from kernos.vocabulary.outcome import Failure


def _asked(state: RunState, name: StepName) -> Step:
    if state.closed:
        message = f"run {state.run} has ended ({state.status}); nothing waits for an answer any more"
        raise RunEnded(message)
    return state.step_in(name, Phase.ASKING)


def _grant(state: RunState, command: GrantApproval) -> tuple[EventData, ...]:
    present = state.steps.get(command.step)
    if present is not None and present.phase is Phase.GRANTED and present.digest == command.digest:
        return ()  # Answered twice with the same yes.
    step = _asked(state, command.step)
    if command.at >= step.due_at:
        return (ApprovalExpired(command.step),)  # A late answer discovers the expiry.
    if command.digest != step.digest:
        message = (
            f"the yes is for other arguments (digest {command.digest[:12]}) than those asked about ({step.digest[:12]})"
        )
        raise NotAllowed(message, hint="Look at the present arguments with `kernos trace`, then approve those.")
    return (ApprovalGranted(command.step, command.digest, command.note, command.token),)


def _edit(state: RunState, command: EditApproval) -> tuple[EventData, ...]:
    step = _asked(state, command.step)
    if command.at >= step.due_at:
        return (ApprovalExpired(command.step),)
    if command.gate.answer is Answer.DENY:
        message = f"policy denies the changed arguments: {command.gate.reason or 'no rule permits them'}"
        raise NotAllowed(message, hint="Change them to something policy permits, or deny the approval.")
    edited = ApprovalEdited(
        command.step, step.args, command.args, command.digest, command.gate, command.note, command.token
    )
    return (edited,)


def _deny(state: RunState, command: DenyApproval) -> tuple[EventData, ...]:
    step = _asked(state, command.step)
    if command.at >= step.due_at:
        return (ApprovalExpired(command.step),)
    return (ApprovalDenied(command.step, command.reason),)


DECIDE: Mapping[type, Decide] = {GrantApproval: _grant, EditApproval: _edit, DenyApproval: _deny}


def _requested(state: RunState, event: Event, data: ApprovalRequested) -> RunState:
    before = state.steps.get(data.step)
    step = Step(
        StepKind.CALL,
        data.tool,
        data.args,
        Phase.ASKING,
        event.n,
        due_at=data.expires_at,
        effect=data.effect,
        digest=data.digest,
        proposed=before.proposed if before else None,
        gate=data.gate,
        undoes=data.undoes,
        concerns=data.concerns,
        tool_digest=data.tool_digest,
    )
    return with_step(state, data.step, step)


def _granted(state: RunState, event: Event, data: ApprovalGranted) -> RunState:
    del event
    step = state.steps[data.step]
    granted = woken(with_step(state, data.step, replace(step, phase=Phase.GRANTED, token=data.token)))
    return replace(granted, endorsed=granted.endorsed.union(step.concerns)) if step.concerns else granted


def _edited(state: RunState, event: Event, data: ApprovalEdited) -> RunState:
    del event
    before = state.steps[data.step]
    step = replace(
        before,
        phase=Phase.GRANTED,
        args=data.args,
        digest=data.digest,
        proposed=before.proposed or data.before,
        gate=data.gate,
        token=data.token,
    )
    return woken(with_step(state, data.step, step))


def _refused(state: RunState, event: Event, data: ApprovalDenied | ApprovalExpired) -> RunState:
    reason = data.reason if isinstance(data, ApprovalDenied) else "nobody answered in time, which counts as no"
    who = f"{event.by} said no: {reason}" if isinstance(data, ApprovalDenied) else reason
    asked = state.steps[data.step]
    step = replace(asked, phase=Phase.DONE, outcome=Failure("not_approved", who), due_at=EpochMs(0))
    known = woken(with_step(state, data.step, step))
    return replace(known, refused=known.refused.union(_refuses(asked.concerns))) if asked.concerns else known


def _refuses(concerns: tuple[str, ...]) -> tuple[str, ...]:
    """Return which data a no is to: the data themselves; to the kind of action only where that was all that was asked about."""
    return tuple(key for key in concerns if not key.startswith(INTENT)) or concerns


EVOLVE: Mapping[type, Evolve] = {
    ApprovalRequested: _requested,
    ApprovalGranted: _granted,
    ApprovalEdited: _edited,
    ApprovalDenied: _refused,
    ApprovalExpired: _refused,
}


def _wait(state: RunState, event: Event, data: ApprovalRequested) -> tuple[EffectOrder, ...]:
    del state, event
    return (WakeAt(data.expires_at),)


def _answered(
    state: RunState, event: Event, data: ApprovalGranted | ApprovalEdited | ApprovalDenied | ApprovalExpired
) -> tuple[EffectOrder, ...]:
    del state, event
    return (RunAgent(),)


REACT: Mapping[type, React] = {
    ApprovalRequested: _wait,
    ApprovalGranted: _answered,
    ApprovalEdited: _answered,
    ApprovalDenied: _answered,
    ApprovalExpired: _answered,
}
