"""Context: what an agent's code can ask for. Each `await ctx...` is a step; on resume, recorded steps answer from the journal.

A step's name is its place in the branch that asks, taken when the method is called, so that names are the same under any
interleaving: several steps may be awaited together (`asyncio.gather(ctx.call(...), ctx.call(...))`), and branches of
several steps each go through `ctx.fork`, where every branch gets a context of its own. A context belongs to the task it
was given to.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from kernos.execution.attempts import Attempts
from kernos.execution.seals import Seals
from kernos.ports.plane import RunPlane
from kernos.vocabulary.contract import AgentContract, Codec, ModelRequest, ToolContract
from kernos.vocabulary.errors import (
    CallFailed,
    CallRefused,
    InvalidInput,
    LimitReached,
    MisusedContext,
)
from kernos.vocabulary.ids import PrincipalId, RunId, StepName
from kernos.vocabulary.outcome import Failure
from kernos.vocabulary.quantities import WAIT_MS_MAX, Json, Retry
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
    Assignment,
    Consult,
    Hold,
    LookUp,
    Observe,
    Perform,
    Question,
    Reply,
)
from kernos.vocabulary.undo import Undone

In = TypeVar("In")
Out = TypeVar("Out")
State = TypeVar("State")
Result = TypeVar("Result")

CodecOf = Callable[[Any], Codec]
"""From a type to its codec."""

_REFUSALS = frozenset({"denied", "not_approved"})


@dataclass(frozen=True, slots=True)
class Frame:
    """What all branches of one run share."""

    assignment: Assignment
    plane: RunPlane
    attempts: Attempts
    codec_of: CodecOf
    seals: Seals


class Context:
    """One branch of a run, as its code sees it."""

    def __init__(self, frame: Frame, prefix: str = "", steps_before: int = 0) -> None:
        """Begin a branch: its steps are named `prefix` and a number above `steps_before`."""
        self._frame = frame
        self._prefix = prefix
        self._count = steps_before
        self._task = asyncio.current_task()
        self._pending = 0
        self._held = 0

    # --- what is known ------------------------------------------------------------------------------------------

    @property
    def run_id(self) -> RunId:
        """The run's id."""
        return self._frame.assignment.run

    @property
    def intent(self) -> str:
        """What was asked, in words."""
        return self._frame.assignment.intent

    @property
    def on_behalf_of(self) -> PrincipalId:
        """Who asked."""
        return self._frame.assignment.on_behalf_of

    def state(self, kind: type[State]) -> State | None:
        """Return the state of the checkpoint that this run goes on from; None at its very start.

        The agent's contract names the type (`@agent(state=...)`). Raises ContractBroken when the recorded state does not
        fit it any more.
        """
        recorded = self._frame.assignment.state
        codec = self._frame.assignment.agent.state
        if codec is None:
            message = f"agent {self._frame.assignment.agent.name} declares no state"
            raise MisusedContext(message, hint="Declare its type: @agent(state=...).")
        if recorded is None:
            return None
        value = codec.decode(recorded)
        assert isinstance(value, kind), (type(value), kind)
        return value

    # --- calls --------------------------------------------------------------------------------------------------

    def call(self, tool: ToolContract[In, Out], value: In) -> Coroutine[Any, Any, Out]:
        """Call a tool and return its result.

        Raises CallRefused when the gate or a person says no, CallFailed when there is no result for good (its `failure`
        is `refused`, `exhausted`, `in_doubt` or `cancelled`). Both may be caught.
        """
        return self._call(self._next(), tool, value)

    def undo(self, undone: Undone, tool: ToolContract[Any, Any], args: Json) -> Coroutine[Any, Any, Json]:
        """Take an action back with a call of the tool that its own tool declares for it; the kernel's revert agent asks for this.

        Raises what `call` raises.
        """
        what = f"the call of {tool.name} that takes {undone.key} back"
        return self._answer(self._next(), AskCall(tool.name, args, undone), what, tool=tool)

    async def _call(self, name: StepName, tool: ToolContract[In, Out], value: In) -> Out:
        args = self._frame.seals.written(tool.input, value)
        answer = await self._answer(name, AskCall(tool.name, args), f"the call of {tool.name}", tool=tool)
        result: Out = tool.output.decode(answer)
        return result

    def model(
        self,
        task: str,
        value: object,
        output: type[Out],
        *,
        instructions: str = "",
        model: str = "default",
        completion_tokens_max: int = 2_048,
    ) -> Coroutine[Any, Any, Out]:
        """Let a model answer `task` for `value` with something of type `output`.

        `instructions` say in words what to do; `model` is a name given to the kernel. Raises CallRefused and CallFailed
        like `call`.
        """
        name = self._next()
        codec = self._frame.codec_of(output)
        args = self._frame.seals.written(self._frame.codec_of(type(value)), value)
        request = ModelRequest(task, instructions, args, codec.schema, completion_tokens_max)
        return self._model(name, model, request, codec)

    async def _model(self, name: StepName, model: str, request: ModelRequest, codec: Codec) -> Any:
        asked = self._frame.codec_of(dict).encode({"task": request.task, "instructions": request.instructions})
        args = Json(asked.text[:-1] + b',"input":' + request.input.text + b"}")

        question = AskModel(model, request, args)
        return codec.decode(await self._answer(name, question, f"the task {request.task}", answer=codec))

    # --- other agents and branches ------------------------------------------------------------------------------

    def run(
        self,
        agent: AgentContract[In, Out],
        value: In,
        *,
        intent: str = "",
        retry: Retry | None = None,
        grant: Iterable[ToolContract[Any, Any]] | None = None,
    ) -> Coroutine[Any, Any, Out]:
        """Ask another agent and return its output; with `retry`, a failed child is asked for anew, after a delay.

        `grant`: the only tools that it may call, and all that it asks in turn; it never may call more than this run may.

        Raises CallFailed when the child ends without an output; its `failure` is the child's failure mode.
        """
        question = AskChild(agent.name, self._frame.seals.written(agent.input, value), intent, grant=_names(grant))
        return self._run(self._next(), agent, question, retry or Retry(attempts=1))

    async def _run(self, name: StepName, agent: AgentContract[In, Out], question: AskChild, retry: Retry) -> Out:
        for attempt in range(1, retry.attempts + 1):
            step = name if attempt == 1 else StepName(f"{name}.try{attempt}")
            try:
                answer = await self._answer(step, question, f"agent {agent.name}")
            except CallFailed:
                if attempt == retry.attempts:
                    raise
                delay = min(retry.delay_max_ms, int(retry.first_delay_ms * retry.factor ** (attempt - 1)))
                await self._answer(StepName(f"{name}.delay{attempt}"), AskSleep(min(delay, WAIT_MS_MAX)), "the delay")
                continue
            output: Out = agent.output.decode(answer)
            return output
        message = f"{retry.attempts} attempts are none"
        raise InvalidInput(message, hint="Give retry at least one attempt.")

    def spawn(
        self,
        agent: AgentContract[In, Any],
        value: In,
        *,
        intent: str = "",
        grant: Iterable[ToolContract[Any, Any]] | None = None,
    ) -> Coroutine[Any, Any, RunId]:
        """Ask another agent without waiting for it: return the id of its run, which goes on by itself. `grant`: as in `run`."""
        question = AskChild(
            agent.name, self._frame.seals.written(agent.input, value), intent, detached=True, grant=_names(grant)
        )
        return self._spawn(self._next(), question)

    async def _spawn(self, name: StepName, question: AskChild) -> RunId:
        answer = await self._answer(name, question, f"agent {question.agent}")
        return RunId(str(self._frame.codec_of(str).decode(answer)))

    def fork(
        self, *branches: Callable[["Context"], Awaitable[Result]], take: int | None = None
    ) -> Coroutine[Any, Any, list[Result]]:
        """Run branches side by side, each with a context of its own, and return their results.

        Without `take` all of them, in their order; if some fail, all end first and the first one's error is raised. With
        `take`, those `take` that succeed first, in order of finishing (together: in their order); the others are given up: what they wait for is
        dropped and their child runs are cancelled, while an action under way ends and is recorded.
        """
        name = self._next()
        fan_out = self._frame.assignment.agent.limits.fan_out
        if len(branches) > fan_out:
            message = f"a fork of {len(branches)} branches is over the limit of agent's contract (fan_out {fan_out})"
            raise LimitReached(message, hint="Fork in portions, or raise fan_out in the agent's limits.")
        if take is not None and not 1 <= take <= len(branches):
            message = f"take={take} of {len(branches)} branches"
            raise InvalidInput(message, hint="Take at least 1 and at most as many as there are branches.")
        return self._fork(name, branches, take)

    async def _fork(
        self, name: StepName, branches: Sequence[Callable[["Context"], Awaitable[Result]]], take: int | None
    ) -> list[Result]:
        indexes: Sequence[int] = range(len(branches))
        joined = take is None
        if take is not None:
            reply = self._frame.plane.ask(name, AskFork())
            if isinstance(reply, Answered) and isinstance(reply.outcome, Json):
                indexes = list(self._frame.codec_of(list[int]).decode(reply.outcome))
                joined = True
        work = {i: self._branch(f"{name}.{i}.", branches[i]) for i in indexes}
        winners, tasks = await self._join(work, None if joined else take)
        if not joined:
            self._frame.plane.ask(name, AskFork(tuple(winners)))
        return [tasks[i].result() for i in (indexes if joined else winners)]

    async def _join(
        self, branches: Mapping[int, Coroutine[Any, Any, Result]], take: int | None
    ) -> tuple[list[int], Mapping[int, asyncio.Task[Result]]]:
        """Run branches until all have ended, or until `take` have succeeded; return those in order of finishing, and all tasks.

        A branch that ended counts as busy until this one has taken notice: else the run might be parked in between.
        """
        plane = self._frame.plane
        plane.busy(len(branches))
        tasks = {i: asyncio.create_task(branch) for i, branch in branches.items()}
        ends: asyncio.Queue[int] = asyncio.Queue()
        for i, task in tasks.items():
            task.add_done_callback(lambda _, i=i: ends.put_nowait(i))  # type: ignore[misc]
        unnoticed = set(tasks)
        winners: list[int] = []
        noticed = 0
        self._count_busy(1, 1)
        try:
            while unnoticed if take is None else len(winners) < take:
                if take is not None and len(winners) + len(unnoticed) < take:
                    first_failed = min(i for i in tasks if i not in unnoticed and i not in winners)
                    tasks[first_failed].result()  # Raises: too few can succeed.
                plane.busy(-noticed)
                ended = [await ends.get()]
                while not ends.empty():
                    ended.append(ends.get_nowait())
                noticed = len(ended)
                unnoticed.difference_update(ended)
                winners.extend(i for i in sorted(ended) if not tasks[i].cancelled() and tasks[i].exception() is None)
            return winners[:take], tasks
        finally:
            self._count_busy(-1, -1)
            plane.busy(-noticed)
            for i in unnoticed:
                tasks[i].cancel()
                tasks[i].add_done_callback(lambda _: plane.busy(-1))

    async def _branch(self, prefix: str, branch: Callable[["Context"], Awaitable[Result]]) -> Result:
        return await branch(Context(self._frame, prefix))

    # --- boundaries, time, chance -------------------------------------------------------------------------------

    def checkpoint(self, name: str, summary: str, *, state: object = None) -> Coroutine[Any, Any, None]:
        """Mark a semantic boundary: what is done so far, in words. With `state`, the run resumes from here.

        Only the first branch may give a state, because the code starts anew with it; its type is the contract's.
        """
        step = self._next()
        codec = self._frame.assignment.agent.state
        if state is not None and (codec is None or self._prefix):
            where = "inside a fork" if self._prefix else "of an agent that declares none"
            message = f"checkpoint {name!r} {where} cannot carry a state"
            raise MisusedContext(message, hint="Declare @agent(state=...), and give the state after the fork.")
        kept = self._frame.seals.written(codec, state) if codec is not None and state is not None else None
        return self._checkpoint(step, AskCheckpoint(name, summary, kept))

    async def _checkpoint(self, step: StepName, question: AskCheckpoint) -> None:
        await self._answer(step, question, "a checkpoint")

    def now(self) -> Coroutine[Any, Any, datetime]:
        """Return the time, recorded."""
        return self._now(self._next())

    async def _now(self, name: StepName) -> datetime:
        answer = await self._answer(name, AskValue("now"), "the time")
        return datetime.fromtimestamp(int(answer.text) / 1_000, UTC)

    def random(self) -> Coroutine[Any, Any, float]:
        """Return a random number x, recorded: 0 <= x < 1."""
        return self._random(self._next())

    async def _random(self, name: StepName) -> float:
        return float((await self._answer(name, AskValue("random"), "chance")).text)

    def uuid(self) -> Coroutine[Any, Any, UUID]:
        """Return a random UUID (version 4), recorded."""
        return self._uuid(self._next())

    async def _uuid(self, name: StepName) -> UUID:
        answer = await self._answer(name, AskValue("uuid"), "chance")
        return UUID(answer.text.decode().strip('"'))

    # --- waits --------------------------------------------------------------------------------------------------

    def sleep(self, delay: float | timedelta) -> Coroutine[Any, Any, None]:
        """Sleep for `delay` (seconds): the run leaves memory meanwhile."""
        return self._sleep(self._next(), _milliseconds(delay))

    async def _sleep(self, name: StepName, delay_ms: int) -> None:
        await self._answer(name, AskSleep(delay_ms), "the sleep")

    def wait(
        self, topic: str, kind: type[Out], *, timeout: float | timedelta | None = None
    ) -> Coroutine[Any, Any, Out]:
        """Wait for a signal of `topic` and return its data as `kind`. Signals that came before are held for this.

        Raises CallFailed with failure `timed_out` when none came within `timeout` (seconds).
        """
        return self._wait(self._next(), topic, self._frame.codec_of(kind), _milliseconds(timeout))

    async def _wait(self, name: StepName, topic: str, codec: Codec, timeout_ms: int) -> Any:
        return codec.decode(await self._answer(name, AskSignal(topic, timeout_ms), f"the signal {topic}"))

    def ask(
        self, to: str, question: str, options: Sequence[str] = (), *, timeout: float | timedelta | None = None
    ) -> Coroutine[Any, Any, str]:
        """Ask a person or a role and return the answer: one of `options`, or free text without any.

        Raises CallFailed with failure `timed_out` when nobody answers within `timeout` (seconds).
        """
        return self._ask(self._next(), AskPersonFor(to, question, tuple(options), _milliseconds(timeout)))

    async def _ask(self, name: StepName, question: AskPersonFor) -> str:
        answer = await self._answer(name, question, f"the question to {question.to}")
        return str(self._frame.codec_of(str).decode(answer))

    # --- the loop of one step -----------------------------------------------------------------------------------

    def _next(self) -> StepName:
        if asyncio.current_task() is not self._task:
            message = f"a context of run {self._frame.assignment.run} was used from another task than its own"
            raise MisusedContext(message)
        self._count += 1
        return StepName(f"{self._prefix}{self._count}")

    async def _answer(
        self,
        name: StepName,
        question: Question,
        what: str,
        tool: ToolContract[Any, Any] | None = None,
        answer: Codec | None = None,
    ) -> Json:
        """Ask, do what has to be done until there is an answer, and return it or raise its failure."""
        frame = self._frame
        self._count_busy(1, 0)
        try:
            reply = frame.plane.ask(name, question)
            while not isinstance(reply, Answered):
                reply = await self._follow(name, reply, tool, answer)
        finally:
            self._count_busy(-1, 0)
        outcome = reply.outcome
        if not isinstance(outcome, Failure):
            return outcome
        message = f"{what} failed ({outcome.code}): {outcome.message}"
        if outcome.code in _REFUSALS:
            refusal = f"{what} was refused ({outcome.code}): {outcome.message}"
            raise CallRefused(refusal)
        details = outcome.details.text if outcome.details is not None else None
        raise CallFailed(message, failure=outcome.code, details=details)

    async def _follow(
        self,
        name: StepName,
        reply: Reply,
        tool: ToolContract[Any, Any] | None,
        answer: Codec | None,
    ) -> Reply:
        attempts, plane = self._frame.attempts, self._frame.plane
        match reply:
            case Hold():
                self._count_busy(0, 1)
                try:
                    return await plane.held(name)
                finally:
                    self._count_busy(0, -1)
            case Perform():
                assert tool is not None, name
                return await attempts.perform(tool, reply, plane, name)
            case Observe():
                assert tool is not None, name
                return await attempts.observe(tool, reply, plane, name)
            case LookUp():
                assert tool is not None, name
                return await attempts.look_up(tool, reply, plane, name)
            case Consult():
                assert answer is not None, name
                return await attempts.consult(reply, plane, name, answer)
            case Answered():
                return reply

    def _count_busy(self, pending: int, held: int) -> None:
        """Tell the plane when the last step that this branch awaits begins to hold, and when one goes on."""
        before = 0 < self._pending == self._held
        self._pending += pending
        self._held += held
        after = 0 < self._pending == self._held
        if before is not after:
            self._frame.plane.busy(-1 if after else 1)


def _milliseconds(time: float | timedelta | None) -> int:
    if time is None:
        return 0
    seconds = time.total_seconds() if isinstance(time, timedelta) else time
    if not 0 <= seconds <= WAIT_MS_MAX / 1_000:  # Also what is no number at all.
        message = f"a time of {seconds} s lies in the past, or more than a hundred years ahead"
        raise InvalidInput(message, hint="Give a time of 0 seconds or more; leave the timeout out to wait for ever.")
    return max(1, round(seconds * 1_000))


def _names(grant: Iterable[ToolContract[Any, Any]] | None) -> tuple[str, ...] | None:
    return None if grant is None else tuple(tool.name for tool in grant)
