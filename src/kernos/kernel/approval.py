"""Approval: which calls wait for a person, and what a person's answer changes.

A yes belongs to the digest of the exact arguments and is used up by the intent to act (`action`). No answer in time counts as no.
"""

from collections.abc import Mapping
from dataclasses import replace

from kernos.kernel.quorum import is_signed_enough, may_voice, wanted
from kernos.kernel.state import Decide, Evolve, Phase, React, RunState, Step, StepKind, Voice, with_step, woken
from kernos.vocabulary.commands import DenyApproval, EditApproval, ExplainApproval, GrantApproval, QuestionApproval
from kernos.vocabulary.effects import EffectOrder, RunAgent, WakeAt
from kernos.vocabulary.errors import NotAllowed, RunEnded
from kernos.vocabulary.events import (
    ApprovalDenied,
    ApprovalEdited,
    ApprovalExpired,
    ApprovalExplained,
    ApprovalGranted,
    ApprovalQuestioned,
    ApprovalRequested,
    ApprovalVoiced,
    Event,
    EventData,
)
from kernos.vocabulary.flow import INTENT
from kernos.vocabulary.gate import Answer, Decision
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
    if any(voice.by == command.by for voice in step.voices):
        return ()  # One person counts once.
    counts_for = _counting(state, step, step.gate, command)
    is_last = _is_enough(step.gate, (*step.voices, Voice(command.by, command.at, command.token, counts_for)))
    kind = ApprovalGranted if is_last else ApprovalVoiced
    return (kind(command.step, command.digest, command.note, command.token, counts_for, command.own_signature),)


def _counting(
    state: RunState, step: Step, gate: Decision | None, command: GrantApproval | EditApproval
) -> tuple[str, ...]:
    """Return the rules whose demand for people this yes helps to meet. Raises NotAllowed where rules want people and not this one."""
    requires = gate.requires if gate is not None else ()
    waited_ms = command.at - step.asked_at
    theirs = tuple(
        requirement
        for requirement in requires
        if may_voice(requirement, command.by, command.roles, state.requested_by, waited_ms)
    )
    found = tuple(one.rule for one in theirs if is_signed_enough(one, command.own_signature))
    if requires and not found:
        whose = "; ".join(wanted(requirement) for requirement in requires)
        message = f"the yes of {command.by} does not count here: {whose}"
        hint = "Ask one of them; `kernos access list` shows who has which role."
        if theirs:
            hint = "Sign it: `kernos approve RUN --sign-with FILE`, with a key that is yours here (docs/approvals.md)."
        raise NotAllowed(message, hint=hint)
    return found


def _is_enough(gate: Decision | None, voices: tuple[Voice, ...]) -> bool:
    """Tell whether all have said yes whom the rules want. Whether they still may is looked at when the yes is used."""
    requires = gate.requires if gate is not None else ()
    return all(sum(one.rule in voice.counts_for for voice in voices) >= one.quorum for one in requires)


def _edit(state: RunState, command: EditApproval) -> tuple[EventData, ...]:
    step = _asked(state, command.step)
    if command.at >= step.due_at:
        return (ApprovalExpired(command.step),)
    if command.gate.answer is Answer.DENY:
        message = f"policy denies the changed arguments: {command.gate.reason or 'no rule permits them'}"
        raise NotAllowed(message, hint="Change them to something policy permits, or deny the approval.")
    counts_for = _counting(state, step, command.gate, command)
    edited = ApprovalEdited(
        command.step,
        step.args,
        command.args,
        command.digest,
        command.gate,
        command.note,
        command.token,
        counts_for,
        _is_enough(command.gate, (Voice(command.by, command.at, command.token, counts_for),)),
        command.own_signature,
    )
    return (edited,)


def _question(state: RunState, command: QuestionApproval) -> tuple[EventData, ...]:
    _asked(state, command.step)
    return (ApprovalQuestioned(command.step, command.question),)


def _explain(state: RunState, command: ExplainApproval) -> tuple[EventData, ...]:
    step = _asked(state, command.step)
    if not step.remarks:
        message = f"nothing was asked back about step {command.step} of run {state.run}"
        raise NotAllowed(message, hint="See what is asked with `kernos approval show`.")
    return (ApprovalExplained(command.step, command.text),)


def _deny(state: RunState, command: DenyApproval) -> tuple[EventData, ...]:
    step = _asked(state, command.step)
    if command.at >= step.due_at:
        return (ApprovalExpired(command.step),)
    return (ApprovalDenied(command.step, command.reason),)


DECIDE: Mapping[type, Decide] = {
    GrantApproval: _grant,
    EditApproval: _edit,
    DenyApproval: _deny,
    QuestionApproval: _question,
    ExplainApproval: _explain,
}


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
        asked_at=event.at,
    )
    return with_step(state, data.step, step)


def _voiced(state: RunState, event: Event, data: ApprovalVoiced | ApprovalGranted) -> RunState:
    step = state.steps[data.step]
    voice = Voice(event.by, event.at, data.token, data.counts_for, data.own_signature)
    return with_step(state, data.step, replace(step, voices=(*step.voices, voice)))


def _granted(state: RunState, event: Event, data: ApprovalGranted) -> RunState:
    voiced = _voiced(state, event, data)
    step = voiced.steps[data.step]
    granted = woken(with_step(voiced, data.step, replace(step, phase=Phase.GRANTED)))
    return replace(granted, endorsed=granted.endorsed.union(step.concerns)) if step.concerns else granted


def _edited(state: RunState, event: Event, data: ApprovalEdited) -> RunState:
    before = state.steps[data.step]
    step = replace(
        before,
        phase=Phase.GRANTED if data.is_enough else Phase.ASKING,
        args=data.args,
        digest=data.digest,
        proposed=before.proposed or data.before,
        gate=data.gate,
        voices=(Voice(event.by, event.at, data.token, data.counts_for, data.own_signature),),
    )
    changed = with_step(state, data.step, step)
    return woken(changed) if data.is_enough else changed


def _remarked(state: RunState, event: Event, data: ApprovalQuestioned | ApprovalExplained) -> RunState:
    step = state.steps[data.step]
    text = data.question if isinstance(data, ApprovalQuestioned) else data.text
    return with_step(state, data.step, replace(step, remarks=(*step.remarks, (event.by, text))))


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
    ApprovalVoiced: _voiced,
    ApprovalGranted: _granted,
    ApprovalEdited: _edited,
    ApprovalQuestioned: _remarked,
    ApprovalExplained: _remarked,
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
    return () if isinstance(data, ApprovalEdited) and not data.is_enough else (RunAgent(),)


REACT: Mapping[type, React] = {
    ApprovalRequested: _wait,
    ApprovalGranted: _answered,
    ApprovalEdited: _answered,
    ApprovalDenied: _answered,
    ApprovalExpired: _answered,
}
