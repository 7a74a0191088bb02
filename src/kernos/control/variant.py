"""Variant: a recorded run lived again from a step on with something changed: another input, model, instruction, policy or code. Dry: nothing outside changes.

What the code asks as it asked then is answered from the record. New reads are made, new model calls are asked; new actions are never performed: they get the
result of the recorded call that is most like them, or the smallest one that fits, and stand in the list of what would have happened. Children are lived
again with their parents. Ordered: the questions of one branch. Bounded: by the limits of the contracts. Kept: nothing.
"""

import asyncio
from dataclasses import replace
from typing import Any

from msgspec import json

from kernos.control.assignment import assignment_of
from kernos.control.code import PARK_TURNS
from kernos.control.pending import MODEL_RETRY
from kernos.control.recollection import Recollection, nearest
from kernos.control.record import Ending, answer_of, details_of, shown_question, shown_step, waits_for
from kernos.control.scene import How, Lived, Recorded, Scene
from kernos.control.specimen import specimen_of
from kernos.kernel.evolve import evolve
from kernos.kernel.replay import identity
from kernos.kernel.state import RunState, Step, StepKind
from kernos.ports.plane import NO_STEP
from kernos.vocabulary.contract import AgentContract, Codec, ModelReply, ModelRequest, ToolCall, ToolContract
from kernos.vocabulary.errors import ContractBroken
from kernos.vocabulary.events import Event, RunRequested
from kernos.vocabulary.gate import Answer
from kernos.vocabulary.ids import IdempotencyKey, PrincipalId, RunId, StepName, step_key
from kernos.vocabulary.outcome import AttemptFailed, Effect, Failure, FailureKind, Found, Outcome
from kernos.vocabulary.quantities import NULL, Json, Usage
from kernos.vocabulary.questions import (
    Answered,
    AskCall,
    AskCheckpoint,
    AskChild,
    AskFork,
    AskModel,
    AskSleep,
    AskValue,
    Consult,
    Hold,
    Perform,
    Question,
    Reply,
)

_REFUSED = frozenset({"denied", "not_approved"})
_REFUSALS = {Answer.DENY: "denied", Answer.ASK: "not_approved"}
"""What a call is refused as, by what the gate says about it."""


class Variant:
    """Implements the run plane for one run of a variant."""

    def __init__(self, scene: Scene, recorded: Recorded | None, state: RunState, at: StepName | None) -> None:
        """Take what is shared, the run of the original if there was one, the request as it is now, and where it forks."""
        self._scene = scene
        self._usage = recorded.usage if recorded is not None else {}
        self._memory = Recollection(recorded.record if recorded is not None else None, at)
        self._state = state
        self._agent: AgentContract[Any, Any] = scene.registry.agent(state.request().agent)
        self.name = self._agent.name
        self._waiters: dict[StepName, asyncio.Future[Reply]] = {}
        self._pending: dict[StepName, Consult | Perform] = {}
        self._children = 0
        self._busy = 1
        self._signs = 0
        self._watching = False
        self.ending: Ending | None = None
        self.stands: list[str] = []
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def start(self) -> None:
        """Run the code, from its start."""
        self._scene.worker.start(assignment_of(self._state, self._agent, from_checkpoint=False), self)

    # --- the run plane -------------------------------------------------------------------------------------------

    def ask(self, step: StepName, question: Question) -> Reply:
        """Answer from the record, from the world as far as it stays as it is, or by simulation."""
        if self.done.done():
            raise asyncio.CancelledError
        if isinstance(question, AskModel):
            question = self._changed_model(question)
        kind, what, args = identity(question)
        earlier = self._memory.before(step, kind, what)
        if earlier is not None:
            asked = earlier.proposed or earlier.args
            self._lived(step, How.EQUAL if asked == args else How.CHANGED, question, earlier, "the record")
            return self._recorded(step, earlier)
        match question:
            case AskCall():
                return self._call(step, question)
            case AskModel():
                return self._model(step, question)
            case AskChild():
                return self._child(step, question)
            case AskFork() if not question.winners and step not in self._memory.steps:
                return Hold()
            case _:
                return self._inside(step, question)

    def report(self, step: StepName, attempt: int, outcome: Json | ModelReply | AttemptFailed) -> Reply:
        """Take what a read or a model call came to; a model that failed for now is asked again some times."""
        order = self._pending.pop(step)
        if isinstance(outcome, AttemptFailed):
            again = outcome.kind is not FailureKind.FINAL and attempt < MODEL_RETRY.attempts
            if isinstance(order, Consult) and again:
                self._pending[step] = following = replace(order, attempt=attempt + 1)
                return following
            code = "refused" if outcome.kind is FailureKind.FINAL else "exhausted"
            return Answered(Failure(code, outcome.message, outcome.details))
        if isinstance(outcome, ModelReply):
            self._scene.account.cost.append(outcome.usage)
            self._scene.account.spent.append(outcome.usage)
            return Answered(outcome.output)
        return Answered(outcome)

    def report_look_up(self, step: StepName, found: Found | AttemptFailed) -> Reply:
        """Take no report: no look-up is ever ordered."""
        return Hold()

    async def held(self, step: StepName) -> Reply:
        """Return once a child has ended; never, where the variant has no answer."""
        future = self._waiters.setdefault(step, asyncio.get_running_loop().create_future())
        return await future

    async def durable(self, before: StepName = NO_STEP) -> None:
        """Return at once: nothing is recorded."""

    def busy(self, change: int) -> None:
        """Count branches that have something to do."""
        self._busy += change
        self._signs += 1
        if self._busy == 0 and not self._watching:
            self._watching = True
            self._watch(PARK_TURNS, self._signs)

    def end(self, outcome: Outcome, *, declared: bool) -> None:
        """Take how the code ended."""
        self.ending = Ending(outcome, declared)
        self._finish()

    # --- questions -----------------------------------------------------------------------------------------------

    def _changed_model(self, question: AskModel) -> AskModel:
        """Return the question as the changed models and instructions have it."""
        model = self._scene.models.get(question.model, question.model)
        words = self._scene.prompts.get(question.request.task)
        if words is None:
            return replace(question, model=model)
        request = replace(question.request, instructions=words)
        return AskModel(model, request, _model_args(request))

    def _inside(self, step: StepName, question: Question) -> Reply:
        """Answer a step that stays inside, or one that waits for somebody: from the record, else as if nothing stood in the way."""
        kind, what, args = identity(question)
        same = self._memory.same(step, kind, what, args)
        if same is not None:
            equal = kind is not StepKind.CHECKPOINT or details_of(question) == self._recorded_details(step)
            self._lived(step, How.EQUAL if equal else How.CHANGED, question, same, "the record")
            return self._recorded(step, same)
        self._lived(step, How.NEW, question, self._memory.instead(step, kind, what), "")
        match question:
            case AskValue("now"):
                return Answered(Json(str(self._scene.clock.now()).encode()))
            case AskValue(value):
                return Answered(Json(b'"00000000-0000-4000-8000-000000000000"' if value == "uuid" else b"0.5"))
            case AskCheckpoint() | AskSleep():
                return Answered(NULL)
            case AskFork(winners):
                return Answered(Json(json.encode(winners))) if winners else Hold()
            case _:
                shown = shown_question(kind, what, args, details_of(question))
                self._scene.account.would_ask.append(f"{self.name} step {step}: {shown}")
                self.stands.append(f"step {step}: {shown}")
                return Hold()

    def _call(self, step: StepName, question: AskCall) -> Reply:
        scene = self._scene
        contract = scene.registry.tool(question.tool)
        same = self._memory.same(step, StepKind.CALL, question.tool, question.args)
        if same is None and contract is not None and contract.effect is Effect.READ:
            same = self._memory.again(question.tool, question.args)
        if same is not None and not scene.gate_is_new:
            return self._as_before(step, question, same)
        request, by = self._state.request(), self._state.requested_by
        gate = scene.gate.decide_call(request, by, self._agent, question.tool, question.args)
        answer = answer_of(same) if same is not None else None
        refused = answer.code if isinstance(answer, Failure) and answer.code in _REFUSED else ""
        if same is not None and _REFUSALS.get(gate.answer, "") == refused:
            return self._as_before(step, question, same)  # No then and no now, or yes then and yes now.
        other = same or self._memory.instead(step, StepKind.CALL, question.tool)
        if gate.answer is Answer.DENY:
            self._otherwise(step, question, other, "denied by policy")
            return Answered(Failure("denied", gate.reason or "policy does not permit it"))
        if gate.answer is Answer.ASK and not (
            same is not None and same.gate is not None and same.gate.answer is Answer.ASK
        ):
            shown = shown_question(StepKind.CALL, question.tool, question.args, "")
            scene.account.would_ask.append(f"{self.name} step {step}: a person's yes to {shown} (taken as given)")
        if same is not None and not refused:
            return self._as_before(step, question, same)
        assert contract is not None, question.tool  # Else the gate denies it.
        return self._new_call(step, question, other, contract)

    def _new_call(
        self, step: StepName, question: AskCall, other: Step | None, contract: ToolContract[Any, Any]
    ) -> Reply:
        """Make a read; simulate anything else."""
        is_read = contract.effect is Effect.READ
        if is_read and not self._scene.offline:
            self._otherwise(step, question, other, "the tool")
            order = Perform(question.args, self._tool_call(step, question.tool, contract.timeout_ms), leaves=False)
            self._pending[step] = order
            return order
        if not is_read:
            shown = shown_question(StepKind.CALL, question.tool, question.args, "")
            self._scene.account.would_do.append(f"{self.name} step {step}: {shown}")
        self._otherwise(step, question, other, "simulated")
        return self._simulated(StepKind.CALL, question.tool, question.args, contract.output)

    def _as_before(self, step: StepName, question: Question, same: Step) -> Reply:
        self._lived(step, How.EQUAL, question, same, "the record")
        return self._recorded(step, same)

    def _otherwise(self, step: StepName, question: Question, other: Step | None, source: str) -> None:
        """Take notice of a step that is not as it was, and of what does not happen in its stead."""
        self._lived(step, How.NEW if other is None else How.CHANGED, question, other, source)
        if other is not None:
            self._scene.leave_out(self.name, step, other)

    def _model(self, step: StepName, question: AskModel) -> Reply:
        scene = self._scene
        same = self._memory.same(step, StepKind.MODEL, question.model, question.args)
        if same is not None:
            return self._as_before(step, question, same)
        other = self._memory.steps.get(step)
        is_same_task = (
            other is not None and other.kind is StepKind.MODEL and _task_of(other.args) == question.request.task
        )
        other = self._memory.instead(step, StepKind.MODEL, other.what) if other is not None and is_same_task else None
        how = How.CHANGED if other is not None else How.NEW
        gate = scene.gate.decide_model(
            self._state.request(), self._state.requested_by, self._agent, question.model, question.request.task
        )
        if gate.answer is not Answer.ALLOW:
            self._lived(step, how, question, other, "denied by policy")
            return Answered(Failure("denied", gate.reason or "policy does not permit it"))
        model = scene.registry.model(question.model)
        if scene.offline and model is not None and model.metered:
            self._lived(step, how, question, other, "simulated")
            recorded = other.what if other is not None else question.model
            found = nearest(scene.pool, StepKind.MODEL, recorded, question.args)
            return Answered(found or specimen_of(question.request.schema))
        self._lived(step, how, question, other, f"model {question.model}")
        order = Consult(question.model, question.request, 1)
        self._pending[step] = order
        return order

    def _child(self, step: StepName, question: AskChild) -> Reply:
        """Live a child again: from its own record where it was asked the same, else as a new one."""
        scene = self._scene
        same = self._memory.same(step, StepKind.CHILD, question.agent, question.input)
        other = same or self._memory.instead(step, StepKind.CHILD, question.agent)
        how = How.NEW if other is None else How.EQUAL if other.args == question.input else How.CHANGED
        self._lived(step, how, question, other, "lived again")
        run = other.child if other is not None else scene.new_run()
        recorded = scene.records.get(run)
        agent = scene.registry.agent(question.agent)
        requested = replace(
            self._state.request(),
            agent=agent.name,
            agent_version=agent.version,
            code_digest=agent.code_digest,
            intent=question.intent or self._state.request().intent,
            input=question.input,
            limits=agent.limits,
            parent=self._state.run,
            parent_step=step,
            depth=self._state.request().depth + 1,
            detached=question.detached,
        )
        child = Variant(scene, recorded, requested_state(run, requested, self._state.requested_by), None)
        self._children += 1
        child.done.add_done_callback(lambda _: self._child_done(step, child, detached=question.detached))
        child.start()
        return Answered(Json(json.encode(run))) if question.detached else Hold()

    def _child_done(self, step: StepName, child: "Variant", *, detached: bool) -> None:
        self._children -= 1
        self._signs += 1
        if child.ending is None:
            self.stands += [f"{child.name} {place}" for place in child.stands]
        elif not detached:
            future = self._waiters.setdefault(step, asyncio.get_running_loop().create_future())
            if not future.done():
                future.set_result(Answered(child.ending.outcome))
        self.busy(0)

    # --- answers -------------------------------------------------------------------------------------------------

    def _recorded(self, step: StepName, recorded: Step) -> Reply:
        """Answer from a recorded step; hold where the original got no answer."""
        if recorded.kind is StepKind.MODEL:
            name = next((name for name, other in self._memory.steps.items() if other is recorded), step)
            self._scene.account.cost.append(self._usage.get(name, Usage()))
        elif recorded.kind is StepKind.CHILD:
            self._scene.account.cost += self._scene.usage_below(recorded.child)
        answer = answer_of(recorded)
        if answer is not None:
            return Answered(answer)
        self.stands.append(f"step {step}: {waits_for(recorded)}")
        return Hold()

    def _simulated(self, kind: StepKind, what: str, args: Json, output: Codec) -> Reply:
        for value in (nearest(self._scene.pool, kind, what, args), specimen_of(output.schema)):
            if value is None:
                continue
            try:
                output.decode(value)
            except ContractBroken:
                continue
            return Answered(value)
        return Answered(Failure("exhausted", f"no answer of {what} could be made up"))

    def _lived(self, step: StepName, how: How, question: Question, recorded: Step | None, source: str) -> None:
        kind, what, args = identity(question)
        now = shown_question(kind, what, args, details_of(question))
        before = shown_step(recorded, "") if recorded is not None else ""
        self._scene.account.lived.append(Lived(self.name, step, how, now, before, source))

    def _recorded_details(self, step: StepName) -> str:
        return self._memory.record.details.get(step, "") if self._memory.record is not None else ""

    def _tool_call(self, step: StepName, tool: str, timeout_ms: int) -> ToolCall:
        request = self._state.request()
        return ToolCall(
            tool=tool,
            key=IdempotencyKey(step_key(self._state.run, step)),
            attempt=1,
            agent=f"{self._agent.name}@{self._agent.version}",
            run=self._state.run,
            intent=request.intent,
            checkpoint="",
            timeout_ms=timeout_ms,
        )

    # --- the end -------------------------------------------------------------------------------------------------

    def _watch(self, turns: int, signs: int) -> None:
        """Let the loop take some turns; the run has come to where it holds when none of its branches shows a sign."""
        if self.done.done():
            return
        if signs != self._signs:
            self._watching = False
            self.busy(0)
        elif turns:
            asyncio.get_running_loop().call_soon(self._watch, turns - 1, signs)
        elif self._children:
            self._watching = False  # The end of a child is a sign.
        else:
            self._finish()

    def _finish(self) -> None:
        if self.done.done():
            return
        for name, step in self._memory.left():
            shown = shown_step(step, self._recorded_details(name))
            self._scene.account.lived.append(Lived(self.name, name, How.GONE, "", shown))
            self._scene.leave_out(self.name, name, step)
        self._scene.worker.stop(self._state.run)
        self.done.set_result(None)


def requested_state(run: RunId, requested: RunRequested, by: PrincipalId) -> RunState:
    """Return the state of a run that was just asked for."""
    event = Event(run, 0, requested.deadline_at, by, "", requested)
    return evolve(RunState(run), event)


def _model_args(request: ModelRequest) -> Json:
    """Write a request down as the context does."""
    asked = json.encode({"task": request.task, "instructions": request.instructions})
    return Json(asked[:-1] + b',"input":' + request.input.text + b"}")


def _task_of(args: Json) -> str:
    asked = json.decode(args.text)
    return str(asked.get("task", "")) if isinstance(asked, dict) else ""
