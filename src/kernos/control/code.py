"""Code: one activation of a run's code: where it holds, how busy it is, and when the run is parked.

Ordered: answers to one step. Side by side: the branches of the run. Bounded: by the limits of the contract. It ends with the activation: code that
was stopped asks in vain, but attempts that it ordered are still reported.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from kernos.control.answers import Answers
from kernos.control.delays import Delays
from kernos.control.surroundings import Surroundings
from kernos.kernel.state import Phase, RunState, Status
from kernos.ports.clock import Alarm
from kernos.ports.plane import NO_STEP
from kernos.vocabulary.commands import BlockRun, Command, EndRun, ParkRun, StartChild
from kernos.vocabulary.contract import AgentContract, ModelReply
from kernos.vocabulary.errors import Diverged, StaleRunNumber
from kernos.vocabulary.ids import KERNEL, EpochMs, PrincipalId, RunId, StepName
from kernos.vocabulary.outcome import AttemptFailed, Failure, Found, Outcome
from kernos.vocabulary.quantities import Json
from kernos.vocabulary.questions import AskChild, Hold, Question, Reply

PARK_GRACE_MS = 2
"""How long a run that has nothing to do stays: most waits for another run or a fast service are over by then."""

PARK_TURNS = 8
"""Turns of the event loop without a sign of the run's code before it is parked: tasks that the code made itself take some turns to show
what they do next, however long a turn takes."""

PARK_BACK_OFF_MS = 1_000
"""How far off the next attempt may be for a run to stay: coming back costs a load and a replay, some 20 ms for the longest, and most attempts
follow sooner."""

_ANSWERABLE = (Phase.DONE, Phase.GRANTED, Phase.BACKING_OFF, Phase.LOOKING_UP)


class Recorder(Protocol):
    """The session, as its code sees it."""

    state: RunState
    shared: Surroundings
    agent: AgentContract[Any, Any] | None
    lost: Exception | None
    performing: set[StepName]
    unmade: set[StepName]
    code: "Code | None"

    def keep(self, step: StepName, attempt: int, outcome: Json | AttemptFailed) -> None:
        """Remember how an attempt ended until that is durable."""
        ...

    def record(self, command: Command, cause: str = "") -> bool:
        """Apply a command of the run's own code; return whether anything happened."""
        ...

    def record_child(self, command: StartChild, question: AskChild) -> None:
        """Apply the command that starts a child, together with the child's own request."""
        ...

    def apply(self, command: Command, by: PrincipalId, cause: str) -> bool:
        """Apply a command of somebody; return whether anything happened."""
        ...

    def report(self, step: StepName, attempt: int, outcome: Json | AttemptFailed) -> Reply:
        """Record how an attempt ended that earlier code asked for."""
        ...

    def after_attempt(self) -> None:
        """See to what had to wait for an attempt to end."""
        ...

    def new_run(self) -> RunId:
        """Return an id for a new run."""
        ...

    def latest(self) -> str:
        """Name the run's newest event as a cause."""
        ...

    def parked(self) -> None:
        """Let the run leave memory."""
        ...

    async def durable(self) -> None:
        """Return once everything recorded so far is on disk."""
        ...


class Code:
    """Implements the run plane for one activation."""

    def __init__(self, session: Recorder) -> None:
        """Begin with one branch that has something to do."""
        self._session = session
        self._answers = Answers(session, Delays(self.answer_later, self.answer_in_turn, self.answer_called))
        self._open = True
        self._waiters: dict[StepName, asyncio.Future[Callable[[], Reply]]] = {}
        self._going_on: set[asyncio.Future[Callable[[], Reply]]] = set()
        """Answers given whose code has not gone on yet."""
        self._alarms: dict[StepName, tuple[EpochMs, Alarm]] = {}
        self._ready: dict[StepName, Callable[[], Reply]] = {}
        self._in_line: dict[StepName, Callable[[], Reply]] = {}
        """What to answer those with that wait for room, once their turn has come."""
        self._uncalled: set[StepName] = set()
        """Those that wait for their turn at a model."""
        self._parking: Alarm | None = None
        self._signs = 0
        """Counts whatever the code showed or was told."""
        self._busy = 1

    def close(self) -> None:
        """End the activation; code that holds is never answered."""
        self._open = False
        for _, alarm in self._alarms.values():
            alarm.cancel()
        if self._parking is not None:
            self._parking.cancel()
        self._session.shared.dispatch.leave(self._session.state.run)

    def poke(self) -> None:
        """Answer the code wherever it holds and there is something to do now."""
        for step in list(self._waiters):
            if self._has_answer(step):
                self._resolve(step, self._anew(step))
        self._park_soon()

    # --- the run plane -------------------------------------------------------------------------------------------

    def ask(self, step: StepName, question: Question) -> Reply:
        """Decide about a step, or answer it from the journal."""
        return self._taken(lambda: self._answers.to(step, question))

    def _taken(self, reply: Callable[[], Reply]) -> Reply:
        """Decide in the very moment in which the code hears it: what is ordered then is done, even if the code is stopped next."""
        session = self._session
        if not self._open or session.lost is not None or session.state.status is not Status.RUNNING:
            raise asyncio.CancelledError  # Code that was stopped, or left a task behind: nobody listens any more.
        try:
            return reply()
        except Diverged as error:
            session.apply(BlockRun(error.code, str(error)), KERNEL, session.latest())
            raise

    def report(self, step: StepName, attempt: int, outcome: Json | ModelReply | AttemptFailed) -> Reply:
        """Record how an attempt ended, and say what follows."""
        session = self._session
        session.performing.discard(step)
        if not self._open or session.lost is not None:
            return Hold() if isinstance(outcome, ModelReply) else session.report(step, attempt, outcome)
        return self._reported(step, self._answers.reported(step, attempt, outcome))

    def note(self, step: StepName, attempt: int, outcome: Json | AttemptFailed) -> None:
        """Record how an attempt ended that code before this one asked for; whoever asks for the step now is answered."""
        session = self._session
        session.performing.discard(step)
        self._answers.note(step, attempt, outcome)
        session.after_attempt()
        if session.code is self:
            self.poke()

    def _not_made(self, step: StepName) -> None:
        """Take notice that an ordered attempt is not made, because what it depends on may not be in the journal; later it may be."""
        session = self._session
        session.performing.discard(step)
        session.unmade.add(step)
        if session.code is not None and session.lost is None:
            session.code.offer(step)

    def offer(self, step: StepName) -> None:
        """Answer code that holds at a step whose attempt was not made."""
        recorded = self._session.state.steps.get(step)
        if step in self._waiters and recorded is not None and recorded.phase is Phase.INTENDED:
            self._resolve(step, lambda: self._answers.anew(step))

    def report_look_up(self, step: StepName, found: Found | AttemptFailed) -> Reply:
        """Record what a look-up found, and say what follows."""
        if not self._open or self._session.lost is not None:
            return Hold()  # A look-up changes nothing: it is made again.
        return self._reported(step, self._answers.looked_up(step, found))

    def _reported(self, step: StepName, reply: Reply) -> Reply:
        self._session.after_attempt()
        if step in self._waiters and self._has_answer(step):
            self._resolve(
                step, lambda: self._answers.anew(step)
            )  # Asked by code that came after the one that made the attempt.
            return Hold()
        return reply

    async def held(self, step: StepName) -> Reply:
        """Return once there is something to do at `step`."""
        ready = self._ready.pop(step, None)
        if ready is not None:
            return self._taken(ready)
        if self._has_answer(step):
            return self._taken(self._anew(step))
        future: asyncio.Future[Callable[[], Reply]] = asyncio.get_running_loop().create_future()
        self._waiters[step] = future
        try:
            return self._taken(await future)
        finally:
            self._going_on.discard(future)

    async def durable(self, before: StepName = NO_STEP) -> None:
        """Return once everything recorded so far is on disk."""
        try:
            await self._session.durable()
        except StaleRunNumber:
            if before:
                self._not_made(before)
            raise

    def busy(self, change: int) -> None:
        """Count branches that have something to do."""
        self._busy += change
        self._signs += 1
        if self._busy == 0:
            self._park_soon()

    def end(self, outcome: Outcome, *, declared: bool) -> None:
        """Record that the code returned or failed."""
        session = self._session
        if not self._open or session.lost is not None or session.state.status is not Status.RUNNING:
            return
        if isinstance(outcome, Failure):
            session.record(EndRun(failure=outcome, declared=declared))
        else:
            session.record(EndRun(output=outcome, heritage=self._answers.handed_back(outcome)))

    # --- holding and parking -------------------------------------------------------------------------------------

    def answer_later(self, step: StepName, at: EpochMs, reply: Callable[[], Reply]) -> Hold:
        """Answer `step` with `reply()` at a time, if the run is in memory then; the clock takes a parked one up."""

        def due() -> None:
            self._alarms.pop(step, None)
            if self._session.shared.clock.now() < at:
                self.answer_later(step, at, reply)  # The clock was set back, or cut a long wait.
            elif step in self._waiters:
                self._resolve(step, reply)
            else:
                self._ready[step] = reply  # The code is on its way to `held`.

        old = self._alarms.pop(step, None)
        if old is not None:
            old[1].cancel()
        if self._open:
            self._alarms[step] = (at, self._session.shared.clock.call_at(at, due))
        return Hold()

    def answer_in_turn(self, step: StepName, reply: Callable[[], Reply]) -> Hold:
        """Answer `step` with `reply()` once its turn has come to have room, if the run is in memory then."""
        self._in_line[step] = reply
        return Hold()

    def answer_called(self, step: StepName, model: str, reply: Callable[[], Reply]) -> Hold | None:
        """Answer `step` with `reply()` when its turn at a model has come; None where that is now. The run stays in memory until then."""

        def called() -> None:
            self._uncalled.discard(step)
            if step in self._waiters:
                self._resolve(step, reply)
            else:
                self._ready[step] = reply  # The code is on its way to `held`.

        if self._session.shared.dispatch.has_turn(self._session.state, step, model, called):
            return None
        self._uncalled.add(step)
        return Hold()

    def _anew(self, step: StepName) -> Callable[[], Reply]:
        """Return what to answer code with that holds at a step where there is something to do now."""
        return self._in_line.pop(step, None) or (lambda: self._answers.anew(step))

    def _resolve(self, step: StepName, reply: Callable[[], Reply]) -> None:
        future = self._waiters.pop(step, None)
        self._signs += 1
        if future is not None and not future.done():
            self._going_on.add(future)
            future.set_result(reply)

    def _has_answer(self, step: StepName) -> bool:
        if self._session.state.awaits_room(step):
            return False
        if step in self._in_line:
            return True
        recorded = self._session.state.steps.get(step)
        return recorded is not None and step not in self._alarms and recorded.phase in _ANSWERABLE

    def _has_soon(self) -> bool:
        """Tell whether an attempt follows so soon that the run stays for it."""
        if self._uncalled:
            return True
        if not self._alarms:
            return False
        soon = self._session.shared.clock.now() + PARK_BACK_OFF_MS
        return any(at <= soon for at, _ in self._alarms.values())

    def _park_soon(self) -> None:
        if self._open and self._busy == 0 and self._parking is None and not self._has_soon():
            clock = self._session.shared.clock
            at = EpochMs(clock.now() + PARK_GRACE_MS)
            self._parking = clock.call_at(at, lambda: self._watch(PARK_TURNS, self._signs))

    def _watch(self, turns: int, signs: int) -> None:
        """Let the loop take some turns; park the run when its code showed no sign in any of them."""
        if signs != self._signs:
            self._parking = None
            self._park_soon()
        elif turns:
            asyncio.get_running_loop().call_soon(self._watch, turns - 1, signs)
        else:
            self._park()

    def _park(self) -> None:
        """Let the run leave memory, unless something came up since this was put off."""
        self._parking = None
        session = self._session
        if not self._open or self._busy or self._going_on or self._ready or session.lost is not None:
            return
        if self._has_soon():
            return  # It goes on by itself, and comes by here again.
        if session.performing or session.state.under_way() or not self._waiters:
            return  # Code that holds nowhere has something to do, whatever it is doing.
        if any(self._has_answer(step) for step in self._waiters):
            self.poke()
        elif session.record(ParkRun(min((at for at, _ in self._alarms.values()), default=EpochMs(0)))):
            session.parked()
