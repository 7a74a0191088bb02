"""Reenact: a run's code run again from the journal alone. Every question is answered from the record; nothing is recorded, nothing called.

Ordered: the questions of one branch. Side by side: its branches, as when it ran. Bounded: by the record, whose answers come at once, and by a time for code
that waits for something else. Kept: nothing.

What the code asked is compared with what it asked then, byte for byte, whatever the order in which its branches came to it; then its end. A question that
left nothing in the journal (a read that was under way when the run ended) is no difference as long as the end is the same.
"""

import asyncio
import hashlib
from dataclasses import dataclass
from typing import Any

from kernos.control.assignment import assignment_of
from kernos.control.code import PARK_TURNS
from kernos.control.record import (
    SEPARATE,
    Ending,
    Record,
    answer_of,
    bytes_of,
    details_of,
    shown_end,
    shown_question,
    shown_status,
    shown_step,
    waits_for,
)
from kernos.kernel.decide import decide
from kernos.kernel.replay import admit_step, identity
from kernos.kernel.state import Phase, Status
from kernos.ports.plane import NO_STEP, Worker
from kernos.vocabulary.commands import StartChild
from kernos.vocabulary.contract import AgentContract, ModelReply
from kernos.vocabulary.errors import Diverged
from kernos.vocabulary.ids import RunId, StepName
from kernos.vocabulary.outcome import AttemptFailed, Effect, Found, Outcome
from kernos.vocabulary.quantities import Json
from kernos.vocabulary.questions import Answered, AskCall, AskChild, AskFork, AskModel, Hold, Question, Reply

STALLED_S_MAX = 30.0
"""How long code may wait for something that the journal does not give: replayed steps take microseconds."""


@dataclass(frozen=True, slots=True)
class Difference:
    """The first place where the code does something else than it did. `step` is empty at the run's end."""

    step: str
    recorded: str
    now: str


@dataclass(frozen=True, slots=True)
class Reenacted:
    """What came of it: identical unless there is a difference."""

    run: RunId
    agent: str
    recorded_version: str
    version: str
    start: str
    """The checkpoint that it began at; empty for the run's start."""
    status: Status
    steps: int
    """Recorded steps that the code came to."""
    stands: tuple[str, ...]
    """Where an open run stands: what each of its open steps waits for, and what the code would ask next."""
    difference: Difference | None
    trace: str
    """SHA-256 of input, questions, answers and end, 64 hex digits."""


class Stage:
    """Implements the run plane over a record."""

    def __init__(self, record: Record, agent: AgentContract[Any, Any], steps_before: int, *, strict: bool) -> None:
        """Begin with one branch that has something to do, before any question.

        `strict` compares all that the journal has of a question; else only what a resumed run must ask again, and more may be asked.
        """
        self._record = record
        self._strict = strict
        self._tools = {tool.name: tool for tool in agent.tools}
        self._steps_before = steps_before
        self._asked: set[StepName] = set()
        self._beyond: dict[StepName, str] = {}
        """Questions that the journal does not have."""
        self._tried: set[StepName] = set()
        """Those of them of which it has attempts that failed."""
        self._busy = 1
        self._signs = 0
        self._watching = False
        self.difference: Difference | None = None
        self.ending: Ending | None = None
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    # --- the run plane -------------------------------------------------------------------------------------------

    def ask(self, step: StepName, question: Question) -> Reply:
        """Answer from the record. Raises Diverged at the first difference."""
        if self.done.done():
            raise asyncio.CancelledError
        recorded = self._record.state.steps.get(step)
        kind, what, args = identity(question)
        if recorded is None:
            return self._unrecorded(step, question, shown_question(kind, what, args, details_of(question)))
        self._asked.add(step)
        more = ""
        then = ""
        if self._strict and step in self._record.details:
            more, then = details_of(question), self._record.details[step]
        asked_with = recorded.proposed or recorded.args
        if recorded.kind is not kind or recorded.what != what or asked_with != args or more != then:
            now = shown_question(kind, what, args, more or details_of(question))
            self._differs(step, shown_step(recorded, self._record.details.get(step, "")), now)
        answer = answer_of(recorded)
        return Answered(answer) if answer is not None else Hold()

    def report(self, step: StepName, attempt: int, outcome: Json | ModelReply | AttemptFailed) -> Reply:
        """Take no report: no attempt is ever ordered."""
        return Hold()

    def report_look_up(self, step: StepName, found: Found | AttemptFailed) -> Reply:
        """Take no report, as above."""
        return Hold()

    async def held(self, step: StepName) -> Reply:
        """Never return: nothing arrives any more."""
        never: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        return await never

    async def durable(self, before: StepName = NO_STEP) -> None:
        """Return at once: nothing is recorded."""

    def busy(self, change: int) -> None:
        """Count branches that have something to do; at 0 the code has come to where it holds."""
        self._busy += change
        self._signs += 1
        if self._busy == 0 and not self._watching:
            self._watching = True
            self._watch(PARK_TURNS, self._signs)

    def end(self, outcome: Outcome, *, declared: bool) -> None:
        """Take how the code ended."""
        self.ending = Ending(outcome, declared)
        self._finish()

    # --- what it came to -----------------------------------------------------------------------------------------

    def _watch(self, turns: int, signs: int) -> None:
        """Let the loop take some turns, as before a run is parked."""
        if self.done.done():
            return
        if signs != self._signs:
            self._watching = False
            self.busy(0)
        elif turns:
            asyncio.get_running_loop().call_soon(self._watch, turns - 1, signs)
        else:
            self._finish()

    def _unrecorded(self, step: StepName, question: Question, shown: str) -> Reply:
        """Answer what the journal does not have: by the limits of the contract, or not at all."""
        if isinstance(question, AskFork) and not question.winners:
            return Hold()
        state = self._record.state
        admit_step(state)
        if isinstance(question, AskChild):
            decide(
                state, StartChild(step, RunId(""), question.agent, question.input)
            )  # Raises LimitReached, as it did.
        self._beyond[step] = shown
        if step in state.tried and self._record.ending is None:
            self._tried.add(step)  # Its attempts failed so far; the run is parked until the next.
        elif self._is_closed() and not self._leaves_no_trace(question):
            self._differs(step, f"nothing: {self._then()}", shown)
        return Hold()

    def _is_closed(self) -> bool:
        """Tell whether all that the code asked before its answer stands in the journal."""
        parked = self._strict and self._record.status is Status.WAITING
        return self._record.ending is not None or parked

    def _leaves_no_trace(self, question: Question) -> bool:
        """Tell whether a question of this kind may have been asked without an entry: nothing is recorded before its answer."""
        if isinstance(question, AskCall):
            tool = self._tools.get(question.tool)
            return tool is not None and (tool.effect is Effect.READ or tool.observe is not None)
        return isinstance(question, AskModel)

    def _differs(self, step: StepName, recorded: str, now: str) -> None:
        self.difference = Difference(step, recorded, now)
        self._finish()
        raise Diverged(f"run {self._record.state.run} asked something else at step {step} than before")

    def _finish(self) -> None:
        if not self.done.done():
            self.done.set_result(None)

    def stall(self) -> None:
        """Give code up that neither asks nor ends."""
        self.difference = Difference("", self._then(), "the code waits for something that is no step")
        self._finish()

    def conclude(self) -> None:
        """Compare what the code came to with what the journal says it came to, unless a difference was met on the way."""
        if self.difference is not None:
            return
        missing = [name for name in self._record.state.steps if name not in self._asked and not self._passed_by(name)]
        if missing:
            name = missing[0]
            step = self._record.state.steps[name]
            recorded = shown_step(step, self._record.details.get(name, ""))
            self.difference = Difference(name, recorded, f"nothing: {self._now()}")
        elif self._is_closed() and self.ending is None and self._beyond.keys() - self._tried:
            name, shown = next(pair for pair in self._beyond.items() if pair[0] not in self._tried)
            self.difference = Difference(name, f"nothing: {self._then()}", shown)
        elif self._is_closed() and self.ending != self._record.ending:
            self.difference = Difference("", self._then(), self._now())

    def _passed_by(self, name: StepName) -> bool:
        """Tell whether the code need not come to a step: it lies before the checkpoint, or in a branch that was given up."""
        return name.startswith(self._record.given_up) or int(name.partition(".")[0]) <= self._steps_before

    def _then(self) -> str:
        if self._record.ending is not None:
            return f"the run {shown_end(self._record.ending)}"
        return f"the run {shown_status(self._record.status)} " + "; ".join(self._open_steps())

    def _now(self) -> str:
        if self.ending is not None:
            return f"the run {shown_end(self.ending)}"
        return "the code waits at " + ("; ".join(self.stands()) or "nothing that the journal has")

    def _open_steps(self) -> list[str]:
        steps = self._record.state.steps
        return [f"step {name}: {waits_for(step)}" for name, step in steps.items() if step.phase is not Phase.DONE]

    def stands(self) -> tuple[str, ...]:
        """Say where the code stands that has not ended: at open steps it came to, and at questions that the journal does not have."""
        open_steps = [
            f"step {name}: {waits_for(step)}"
            for name, step in self._record.state.steps.items()
            if name in self._asked and answer_of(step) is None
        ]
        return (*open_steps, *(f"step {name}, not recorded: {shown}" for name, shown in self._beyond.items()))

    def count(self) -> int:
        """Return how many recorded steps the code came to."""
        return len(self._asked)

    def trace(self, given: Json) -> str:
        """Hash what was asked and answered, in the order of the journal, between input and end."""
        parts = [given.text]
        details = self._record.details
        for name, step in self._record.state.steps.items():
            if name in self._asked:
                asked = f"\n{name}\x1f{step.kind}\x1f{step.what}\x1f{details.get(name, '')}\x1f"
                outcome = answer_of(step)
                answer = b"" if outcome is None else bytes_of(outcome)
                parts += (asked.encode("utf-8", "surrogatepass"), (step.proposed or step.args).text, SEPARATE, answer)
        if self.ending is not None:
            parts += (b"\n\n", bytes_of(self.ending.outcome))
        return hashlib.sha256(b"".join(parts)).hexdigest()


async def reenact(
    record: Record,
    agent: AgentContract[Any, Any],
    worker: Worker,
    *,
    from_checkpoint: bool = False,
    strict: bool = True,
    patience_s: float = STALLED_S_MAX,
) -> Reenacted:
    """Run the code of a recorded run again: from its start, or from its newest checkpoint that carries a state.

    Without `strict` the question is whether a resumed run would go on: only what it must ask again is compared. `patience_s`: for code that
    waits for something that is no step. Raises Outgrown when the recorded values do not fit the agent's types.
    """
    assignment = assignment_of(record.state, agent, from_checkpoint=from_checkpoint)
    stage = Stage(record, agent, assignment.steps_before, strict=strict)
    worker.start(assignment, stage)
    try:
        async with asyncio.timeout(patience_s):
            await stage.done
    except TimeoutError:
        stage.stall()
    finally:
        worker.stop(assignment.run)
        await asyncio.sleep(0)  # Stopped code ends in the next turn.
    stage.conclude()
    point = record.state.resume_from if from_checkpoint else None
    return Reenacted(
        run=assignment.run,
        agent=agent.name,
        recorded_version=record.state.request().agent_version,
        version=agent.version,
        start=point.name if point is not None else "",
        status=record.status,
        steps=stage.count(),
        stands=stage.stands() if stage.ending is None else (),
        difference=stage.difference,
        trace=stage.trace(record.state.request().input),
    )
