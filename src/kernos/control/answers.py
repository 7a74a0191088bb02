"""Answers: what a run's code gets to hear for each of its questions; first from the journal, else from the rules.

The one place that turns the phase of a step into the next order for the execution plane.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from kernos.control.attestation import complaint, tool_digest
from kernos.control.calling import tagged
from kernos.control.deciding import Deciding
from kernos.control.delays import Delays
from kernos.control.gate import digest_of
from kernos.control.paying import act, consult, read
from kernos.control.pending import MODEL_RETRY, Pending
from kernos.control.recording import Recorder
from kernos.control.treasury import LOOK_AGAIN_MS, places_of
from kernos.kernel.replay import admit_step, identity, recall
from kernos.kernel.retry import CHANCE_BITS, next_attempt_at
from kernos.kernel.state import Phase, Step, StepKind
from kernos.vocabulary.commands import (
    AnswerModel,
    AnswerRead,
    AskPerson,
    AwaitSignal,
    CallTool,
    ForgoAction,
    JoinFork,
    LoseAttempt,
    NoteAttempt,
    ReachCheckpoint,
    RecordValue,
    RefuseChild,
    RefuseRetry,
    ReportAttempt,
    ReportLookUp,
    RetryAction,
    SetTimer,
    StartChild,
    UseApproval,
)
from kernos.vocabulary.contract import ModelReply, ToolCall, ToolContract
from kernos.vocabulary.errors import Diverged
from kernos.vocabulary.flow import Heritage
from kernos.vocabulary.gate import Answer, Decision
from kernos.vocabulary.ids import UUID_BITS, EpochMs, StepName, uuid4
from kernos.vocabulary.outcome import AttemptFailed, Effect, Failure, FailureKind, Found
from kernos.vocabulary.quantities import Json, Usage
from kernos.vocabulary.questions import (
    Answered,
    AskCall,
    AskCheckpoint,
    AskChild,
    AskFork,
    AskModel,
    AskPersonFor,
    AskSignal,
    AskSleep,
    AskValue,
    Consult,
    Hold,
    LookUp,
    Observe,
    Perform,
    Question,
    Reply,
)
from kernos.vocabulary.undo import Undone

_UNFINISHED = (Phase.INTENDED, Phase.BACKING_OFF, Phase.LOOKING_UP)
"""Where an action stands that cannot go on without its tool."""


class Answers:
    """Answers one session's questions."""

    def __init__(self, session: Recorder, delays: Delays) -> None:
        """Take the session to look at and to record in, and how to answer a step when it may go on."""
        self._session = session
        self._delays = delays
        self._pending: dict[StepName, Pending] = {}
        self._look_ups: dict[StepName, int] = {}
        self._deciding = Deciding(session)

    def to(self, name: StepName, question: Question) -> Reply:
        """Answer a question of the code. Raises Diverged or LimitReached."""
        state = self._session.state
        kind, what, args = identity(question)
        recorded = recall(state, name, kind, what, args)
        if recorded is not None:
            if recorded.kind is StepKind.CALL and recorded.phase in _UNFINISHED:
                self._tool(recorded.what)
            return self.of_recorded(name, recorded)
        if isinstance(question, AskFork) and not question.winners:
            return Hold()
        if isinstance(question, (AskCall, AskModel)):
            held = self._held(name, what if kind is StepKind.CALL else "", lambda: self.to(name, question))
            if held is not None:
                return held
        admit_step(state)
        return _NEW[type(question)](self, name, question)

    def of_recorded(self, name: StepName, step: Step) -> Reply:
        """Answer from where a recorded step stands."""
        is_unmade = step.phase is Phase.INTENDED and name in self._session.unmade
        if step.phase in (Phase.GRANTED, Phase.BACKING_OFF) or is_unmade:
            held = self._held(name, step.what, lambda: self.anew(name))
            if held is not None:
                return held
        match step.phase:
            case Phase.DONE:
                assert step.outcome is not None, name
                return Answered(step.outcome)
            case Phase.ASKING | Phase.WAITING | Phase.DOUBTED:
                return Hold()
            case Phase.GRANTED:
                return self._use_approval(name, step)
            case Phase.INTENDED:
                if name in self._session.performing:
                    return Hold()
                if name in self._session.unmade:
                    return self._perform(name, step)
                lost = LoseAttempt(name, self._tool(step.what).retry, self._now())
                self._session.record(lost, f"n{step.n}")
                return self.present(name)
            case Phase.BACKING_OFF:
                if step.due_at > self._now():
                    return self._delays.later(name, step.due_at, lambda: self.present(name))
                refused = self._deciding.against_retry(name, step)
                self._session.record(RetryAction(name) if refused is None else RefuseRetry(name, refused))
                if refused is not None:
                    return self.present(name)
                return self._perform(name, self._session.state.steps[name])
            case Phase.LOOKING_UP:
                return LookUp(step.args, self._call(name, step.what, step.attempt, step.undoes), step.before)

    def present(self, name: StepName) -> Reply:
        """Answer from where the step stands now; Hold when it is gone."""
        step = self._session.state.steps.get(name)
        if step is None:
            return Hold()
        if step.phase is Phase.INTENDED:
            return self._perform(name, step)
        return self.of_recorded(name, step)

    def anew(self, name: StepName) -> Reply:
        """Answer code that held at the step, from where it stands now; Hold when it is gone."""
        step = self._session.state.steps.get(name)
        return Hold() if step is None else self.of_recorded(name, step)

    # --- new questions -------------------------------------------------------------------------------------------

    def _value(self, name: StepName, question: AskValue) -> Reply:
        chance = self._session.shared.chance
        if question.what == "now":
            value = str(self._now())
        elif question.what == "random":
            value = repr(chance.bits(53) / (1 << 53))
        else:
            value = f'"{uuid4(chance.bits(UUID_BITS))}"'
        self._session.record(RecordValue(name, question.what, Json(value.encode())))
        return self.present(name)

    def _checkpoint(self, name: StepName, question: AskCheckpoint) -> Reply:
        self._session.record(ReachCheckpoint(name, question.name, question.summary, question.state))
        return self.present(name)

    def _fork(self, name: StepName, question: AskFork) -> Reply:
        self._session.record(JoinFork(name, question.winners))
        return self.present(name)

    def _sleep(self, name: StepName, question: AskSleep) -> Reply:
        self._session.record(SetTimer(name, EpochMs(self._now() + question.delay_ms)))
        return self.present(name)

    def _signal(self, name: StepName, question: AskSignal) -> Reply:
        self._session.record(AwaitSignal(name, question.topic, self._due(question.timeout_ms)))
        return self.present(name)

    def _person(self, name: StepName, question: AskPersonFor) -> Reply:
        due_at = self._due(question.timeout_ms)
        self._session.record(AskPerson(name, question.to, question.question, question.options, due_at))
        return self.present(name)

    def _child(self, name: StepName, question: AskChild) -> Reply:
        child = self._session.new_run()
        places = places_of(self._session.shared.treasury, self._session.state, child, question.agent, self._now())
        if places is None:
            again_at = EpochMs(self._now() + LOOK_AGAIN_MS)
            return self._delays.later(name, again_at, lambda: self.to(name, question))
        if isinstance(places, Failure):
            self._session.record(RefuseChild(name, question.agent, question.input, places))
            return self.present(name)
        heritage = self._deciding.handed(question.input, question.intent)
        command = StartChild(name, child, question.agent, question.input, question.detached, heritage, places)
        self._session.record_child(command, question)
        return self.present(name)

    def _call_tool(self, name: StepName, question: AskCall) -> Reply:
        gate, concerns = self._deciding.call(question.tool, question.args, question.undoes)
        contract = self._session.shared.registry.tool(question.tool)
        if contract is not None and contract.effect is Effect.READ and gate.answer is Answer.ALLOW:
            return self._begin(name, Pending(question, gate))
        digest = digest_of(question.args) if gate.answer is Answer.ASK else ""
        may = gate.answer is Answer.ALLOW or digest in self._session.state.request().approved
        if contract is not None and contract.observe is not None and may:
            return self._begin(name, Pending(question, gate, observes=True))
        return self._propose(name, question, gate, digest, None, concerns)

    def _propose(
        self,
        name: StepName,
        question: AskCall,
        gate: Decision,
        digest: str,
        before: Json | None,
        concerns: tuple[str, ...] = (),
    ) -> Reply:
        contract = self._session.shared.registry.tool(question.tool)
        effect = contract.effect if contract is not None else Effect.ONCE
        at = self._now()
        expires_at = EpochMs(at + self._session.shared.approval_ttl_ms)
        counts = self._session.shared.circumstances.counted(
            self._session.state.request().tenant, question.tool, question.args
        )
        command = CallTool(
            name,
            question.tool,
            effect,
            question.args,
            gate,
            digest,
            at,
            expires_at,
            before,
            question.undoes,
            concerns,
            tool_digest(contract) if digest and contract is not None else "",
            counts,
        )
        return self._act(name, command, question, lambda: self.to(name, question))

    def _act(
        self, name: StepName, command: CallTool | UseApproval, call: AskCall | Step, again: Callable[[], Reply]
    ) -> Reply:
        """Record a call once a cap has room for it."""
        shared = self._session.shared
        tool = shared.registry.tool(call.tool if isinstance(call, AskCall) else call.what)
        puts_off = self._delays.off(name, again)
        wait = act(shared.treasury, self._session, tool, command, call.args, call.undoes, puts_off)
        return wait or self.present(name)

    def _consult(self, name: StepName, question: AskModel) -> Reply:
        session = self._session
        gate = self._deciding.model(question)
        if gate.answer is not Answer.ALLOW:
            ask = "policy wants a person's yes before it, and nobody is asked about model calls"
            failure = Failure(
                "denied", gate.reason or (ask if gate.answer is Answer.ASK else "policy does not permit it")
            )
            session.record(AnswerModel(name, question.model, question.args, gate, Usage(), None, failure, 0))
            return self.present(name)
        return self._begin(name, Pending(question, gate))

    def _use_approval(self, name: StepName, step: Step) -> Reply:
        gate, _ = self._deciding.call(step.what, step.args, step.undoes)
        asked_with = AskCall(step.what, step.proposed or step.args, step.undoes)
        use = self._use(name, step, gate)
        looks_first = self._tool(step.what).observe is not None and step.due_at > use.at and not use.complaint
        if gate.answer is not Answer.DENY and looks_first:
            return self._begin(name, Pending(asked_with, gate, observes=True))
        if step.effect is Effect.READ:
            self._session.record(use)
            if (
                self._session.state.steps[name].phase is Phase.GRANTED
            ):  # It leaves no intent: its answer will close the step.
                return self._begin(name, Pending(asked_with, gate))
            return self.present(name)
        return self._act(name, use, step, lambda: self.anew(name))

    def _use(self, name: StepName, step: Step, gate: Decision, before: Json | None = None) -> UseApproval:
        """Check the signed yes against what is about to be sent."""
        session, at = self._session, self._now()
        token, wrong = complaint(session.shared, session.state, name, self._tool(step.what), at, gate)
        counts = session.shared.circumstances.counted(session.state.request().tenant, step.what, step.args)
        return UseApproval(name, digest_of(step.args), gate, at, before, token, wrong, counts)

    def _begin(self, name: StepName, pending: Pending) -> Reply:
        """Order the first attempt of what has no step before its answer, or the one after those that failed when the code ran before."""
        self._pending[name] = pending
        tried = self._session.state.tried.get(name)
        if tried is not None:
            pending.attempt = tried.attempts + 1
            if tried.retry_at > self._now():
                return self._delays.later(name, tried.retry_at, lambda: self._again(name, pending))
        return self._again(name, pending)

    def handed_back(self, output: Json) -> Heritage | None:
        """Return what the run's parent must know of its output's origins; None where nobody waits for it."""
        request = self._session.state.request()
        return self._deciding.handed(output) if request.parent and not request.detached else None

    # --- reports -------------------------------------------------------------------------------------------------

    def reported(self, name: StepName, attempt: int, outcome: Json | ModelReply | AttemptFailed) -> Reply:
        """Record how an attempt ended and say what follows; Hold when nobody asks for it any more."""
        pending = self._pending.get(name)
        if pending is not None:
            return self._reported_pending(name, pending, outcome)
        assert not isinstance(outcome, ModelReply), name
        if not self.note(name, attempt, outcome) or self._session.state.steps[name].phase is Phase.BACKING_OFF:
            return Hold()  # The next attempt is ordered where it is made: code may be stopped on its way there.
        return self.present(name)

    def note(self, name: StepName, attempt: int, outcome: Json | AttemptFailed) -> bool:
        """Record how an attempt of an action ended; return whether that was still open."""
        step = self._session.state.steps.get(name)
        if step is None or step.phase is not Phase.INTENDED or step.attempt != attempt:
            return False
        self._session.keep(name, attempt, outcome)
        chance = self._session.shared.chance.bits(CHANCE_BITS) if isinstance(outcome, AttemptFailed) else 0
        report = ReportAttempt(name, attempt, outcome, self._tool(step.what).retry, self._now(), chance)
        self._session.record(report, f"n{step.n}")
        return True

    def _reported_pending(self, name: StepName, pending: Pending, outcome: Json | ModelReply | AttemptFailed) -> Reply:
        question = pending.question
        tool = question.tool if isinstance(question, AskCall) else question.model
        if isinstance(question, AskModel):
            self._session.shared.dispatch.over(self._session.state.run, name, question, outcome)
        if isinstance(outcome, AttemptFailed) and outcome.kind is not FailureKind.FINAL:
            retry = self._tool(tool).retry if isinstance(question, AskCall) else MODEL_RETRY
            chance, attempt = self._session.shared.chance.bits(CHANCE_BITS), pending.attempt
            at, is_used_up = pending.failed(outcome, retry, self._now(), chance)
            if at is not None:
                self._session.record(NoteAttempt(name, tool, attempt, outcome, at, is_used_up))
                return self._delays.later(name, at, lambda: self._again(name, pending))
        del self._pending[name]
        failure: Failure | None = None
        result: Json | None = None
        if isinstance(outcome, AttemptFailed):
            code = "refused" if outcome.kind is FailureKind.FINAL else "exhausted"
            failure = Failure(code, outcome.message, outcome.details)
        else:
            result = outcome.output if isinstance(outcome, ModelReply) else outcome
        if pending.observes:
            return self._observed(name, pending, result, failure)
        self._answer_pending(name, pending, result, failure, outcome)
        return self.present(name)

    def _observed(self, name: StepName, pending: Pending, before: Json | None, failure: Failure | None) -> Reply:
        """Go on to the intent with what the tool saw, or give the action up because it could not see."""
        question = pending.question
        assert isinstance(question, AskCall), name
        step = self._session.state.steps.get(name)
        if failure is not None:
            effect, undoes = self._tool(question.tool).effect, question.undoes
            args = step.args if step is not None else question.args
            unseen = Failure(
                failure.code, f"it was not tried: the state before it could not be seen: {failure.message}"
            )
            self._session.record(
                ForgoAction(name, question.tool, effect, args, pending.gate, unseen, pending.attempt, undoes)
            )
            return self.present(name)
        again = (lambda: self.to(name, question)) if step is None else (lambda: self.anew(name))
        held = self._held(name, question.tool, again)
        if held is not None:
            return held
        # While the tool looked, others may have been counted, and other policies may have come into force.
        if step is None:
            gate, concerns = self._deciding.call(question.tool, question.args, question.undoes)
            digest = digest_of(question.args) if gate.answer is Answer.ASK else ""
            return self._propose(name, question, gate, digest, before, concerns)
        gate, _ = self._deciding.call(step.what, step.args, step.undoes)
        return self._act(name, self._use(name, step, gate, before), step, lambda: self.anew(name))

    def _answer_pending(
        self, name: StepName, pending: Pending, result: Json | None, failure: Failure | None, outcome: object
    ) -> None:
        question, gate, attempts = pending.question, pending.gate, pending.attempt
        knows = getattr(outcome, "kind", None) is not FailureKind.UNKNOWN
        if isinstance(question, AskModel):
            usage = outcome.usage if isinstance(outcome, (ModelReply, AttemptFailed)) else None
            knows = knows or usage is not None
            used, args, model = usage or Usage(), question.args, question.model
            self._session.record(AnswerModel(name, model, args, gate, used, result, failure, attempts, knows))
            return
        self._session.record(AnswerRead(name, question.tool, question.args, gate, result, failure, attempts, knows))

    def _again(self, name: StepName, pending: Pending) -> Reply:
        question, recorded = pending.question, self._session.state.steps.get(name)
        tool = question.tool if isinstance(question, AskCall) else ""
        if not self._deciding.is_of_now(pending.gate):
            del self._pending[name]
            return self.to(name, question) if recorded is None else self.of_recorded(name, recorded)
        held = self._held(name, tool, lambda: self._again(name, pending))
        if held is not None:
            return held
        shared = self._session.shared
        wait = self._delays.off(name, lambda: self._again(name, pending))
        gate, attempt, now = pending.gate, pending.attempt, self._now()
        if isinstance(question, AskModel):
            held = self._delays.called(name, question.model, lambda: self._again(name, pending))
            if held is not None:
                return held
            reply = consult(shared.treasury, self._session, name, question, gate, attempt, now, wait)
            if not isinstance(reply, Consult):
                shared.dispatch.forgo(self._session.state.run, name, question.model)
        else:
            args = recorded.args if recorded is not None else question.args
            call, contract = self._call(name, tool, attempt, question.undoes), self._tool(tool)
            if pending.observes:
                return Observe(args, call)
            reply = read(shared.treasury, self._session, name, contract, args, call, gate, now, wait)
        if reply is None:
            del self._pending[name]
        if isinstance(reply, Consult) and isinstance(question, AskModel):
            is_streamed = shared.dispatch.wants_pace(question.model)
            return replace(reply, opens=self._deciding.opened_to_model(question), is_streamed=is_streamed)
        return reply or self.present(name)

    def looked_up(self, name: StepName, found: Found | AttemptFailed) -> Reply:
        """Record what a look-up found; a look-up that failed is made again some times before it counts as `cannot tell`."""
        step = self._session.state.steps.get(name)
        if step is None or step.phase is not Phase.LOOKING_UP:
            return Hold()
        retry = self._tool(step.what).retry
        if isinstance(found, AttemptFailed):
            tries = self._look_ups.get(name, 0) + 1
            self._look_ups[name] = tries
            chance = self._session.shared.chance.bits(CHANCE_BITS)
            at = next_attempt_at(retry, tries, self._now(), chance, found.retry_after_ms)
            if at is not None:
                return self._delays.later(name, at, lambda: self.present(name))
            found = Found(None, f"the look-up failed {tries} times: {found.message}")
        self._look_ups.pop(name, None)
        believed_at = EpochMs(step.due_at + self._tool(step.what).late_ms)
        if found.done is False and step.refusal is None and self._now() < believed_at:
            return self._delays.later(name, believed_at, lambda: self.present(name))  # It may still be on its way.
        self._session.record(ReportLookUp(name, found, retry), f"n{step.n}")
        return self.present(name)

    # --- small parts ---------------------------------------------------------------------------------------------

    def _held(self, name: StepName, tool: str, again: Callable[[], Reply]) -> Hold | None:
        """Put a call off while it waits for room, or a stop holds for it."""
        if self._session.state.awaits_room(name):
            return self._delays.in_turn(name, again)
        at = self._deciding.put_off_until(tool)
        return None if at is None else self._delays.later(name, at, again)

    def _perform(self, name: StepName, step: Step) -> Perform:
        self._session.performing.add(name)
        self._session.unmade.discard(name)
        return Perform(step.args, self._call(name, step.what, step.attempt, step.undoes), leaves=True)

    def _call(self, name: StepName, tool: str, attempt: int, undoes: Undone | None = None) -> ToolCall:
        return tagged(self._session.state, name, self._tool(tool), attempt, undoes)

    def _tool(self, name: str) -> ToolContract[Any, Any]:
        contract = self._session.shared.registry.tool(name)
        if contract is None:
            message = f"run {self._session.state.run} has a call of the tool {name!r}, which no agent here declares"
            raise Diverged(message)
        return contract

    def _now(self) -> EpochMs:
        return self._session.shared.clock.now()

    def _due(self, timeout_ms: int) -> EpochMs:
        return EpochMs(self._now() + timeout_ms) if timeout_ms else EpochMs(0)


_NEW: Mapping[type, Callable[[Answers, StepName, Any], Reply]] = {
    AskCall: Answers._call_tool,  # noqa: SLF001 - the table of this class's own methods
    AskModel: Answers._consult,  # noqa: SLF001
    AskValue: Answers._value,  # noqa: SLF001
    AskCheckpoint: Answers._checkpoint,  # noqa: SLF001
    AskFork: Answers._fork,  # noqa: SLF001
    AskSleep: Answers._sleep,  # noqa: SLF001
    AskSignal: Answers._signal,  # noqa: SLF001
    AskPersonFor: Answers._person,  # noqa: SLF001
    AskChild: Answers._child,  # noqa: SLF001
}
