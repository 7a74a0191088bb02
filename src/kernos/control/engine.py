"""Engine: admits commands, keeps the sessions of runs that have something to do, and carries out what the rules order.

What is ordered: the events of one run. What runs side by side: the code of up to `active_max` runs. What is bounded: sessions in memory,
runs that queue. What survives a crash: the journal; everything here is found again by `recovery`. A run that waits has no
session: whatever arrives for it loads its state, applies itself, and takes the run up when its code has something to do.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

from kernos.control.admission import Admission
from kernos.control.assignment import assignment_of
from kernos.control.family import Family
from kernos.control.run_queue import RunQueue
from kernos.control.session import Prepared, Session
from kernos.control.sessions import Sessions
from kernos.control.surroundings import Surroundings
from kernos.kernel.state import RunState, Status
from kernos.ports.clock import Alarm
from kernos.ports.journal import Commit, Journal
from kernos.ports.plane import Worker
from kernos.vocabulary.commands import BlockRun, Command, StartChild, Tick
from kernos.vocabulary.effects import (
    AnnounceEnd,
    CancelChild,
    EffectOrder,
    RunAgent,
    StopAgent,
    TellParent,
    UndoActions,
    WakeAt,
)
from kernos.vocabulary.errors import (
    KernelStopped,
    KernosError,
    NotFound,
    Outgrown,
    QueueFull,
    StaleRunNumber,
    UnknownAgent,
)
from kernos.vocabulary.events import RunRequested
from kernos.vocabulary.ids import (
    KERNEL,
    RUN_RANDOM_BITS,
    EpochMs,
    PrincipalId,
    RunId,
    StepName,
    TenantId,
    run_id,
    run_number,
)
from kernos.vocabulary.outcome import Outcome
from kernos.vocabulary.questions import AskChild
from kernos.vocabulary.room import FindRoom
from kernos.vocabulary.undo import UndoPlan

_ENDS_REMEMBERED = 1_024
"""Outcomes kept for whoever asks shortly after the end; later they are read from the journal."""

_COMMANDS_MAX = 64
"""Commands under way at once, others queue: enough to fill a commit group, few enough that the first run of a thousand goes on
before the last is loaded."""

_TRIES_MAX = 50
"""Times a command is decided anew because another writer was faster; each time somebody else made progress."""


class Engine:
    """The control plane of one process. All calls come from one event loop."""

    def __init__(
        self,
        journal: Journal,
        shared: Surroundings,
        worker: Worker,
        plan_undo: Callable[[RunId, str], Awaitable[UndoPlan]],
        *,
        active_max: int,
        queue_max: int,
    ) -> None:
        """Take the parts; nothing happens before a command. `plan_undo` says how to take back what a run did after a checkpoint."""
        self.journal = journal
        self.shared = shared
        self._worker = worker
        self._queue_max = queue_max
        self._sessions = Sessions(journal, self._new_session, self._keeps, self._reloaded, self._chore)
        self._admission = Admission(shared, self._sessions, self._new_session, self.settle)
        self.family = Family(shared, self._sessions, self._new_session, self.command, plan_undo)
        self._queue = RunQueue(shared.clock, active_max)
        self._last_number = 0
        self._alarm: Alarm | None = None
        self._alarm_at = EpochMs(0)
        self._chores: set[asyncio.Task[None]] = set()
        self._ends: dict[RunId, list[asyncio.Future[Outcome]]] = {}
        self._ended: OrderedDict[RunId, Outcome] = OrderedDict()
        self._commands = asyncio.Semaphore(_COMMANDS_MAX)
        self._changes: dict[RunId, asyncio.Future[None]] = {}
        self._newest: Commit | None = None
        self.on_due: Callable[[], None] | None = None
        """Called when something that is not in memory may be due."""
        self.on_broken: Callable[[Exception], None] | None = None
        """Called when the journal takes no more."""
        self.stopped: Exception | None = None
        self.works = False
        """Whether this process runs agents; another one may do so on the same store."""

    # --- commands ------------------------------------------------------------------------------------------------

    def new_run(self) -> RunId:
        """Return an id for a new run: later than the ones before, also within one millisecond."""
        number = run_number(self.shared.clock.now(), self.shared.chance.bits(RUN_RANDOM_BITS))
        number = max(number, self._last_number + 1)
        self._last_number = number
        return run_id(number)

    async def request(self, run: RunId, requested: RunRequested, by: PrincipalId) -> None:
        """Begin a run and return once that is durable. Raises QueueFull; StaleRunNumber when the run exists."""
        self._check_up()
        if len(self._queue) >= self._queue_max:
            message = f"{len(self._queue)} runs queue already, the most this kernel keeps"
            raise QueueFull(message, hint="Come back when some have ended; `kernos ps` lists them.")
        await self._admission.request(run, requested, by)

    async def command(self, run: RunId, command: Command, by: PrincipalId, cause: str = "call") -> bool:
        """Apply a command to a run and return, once it is durable, whether it changed anything.

        Decided anew when another writer was faster. Raises NotFound for an unknown run, and what the rules raise.
        """
        async with self._commands:
            return await self._command(run, command, by, cause)

    async def _command(self, run: RunId, command: Command, by: PrincipalId, cause: str) -> bool:
        self._check_up()
        for _ in range(_TRIES_MAX):
            session = await self._sessions.borrow(run)
            try:
                happened = session.apply(command, by, cause)
                await session.durable()
            except StaleRunNumber:
                continue
            else:
                return happened
            finally:
                self._sessions.release(run)
        message = f"run {run} was changed by others {_TRIES_MAX} times while this command was tried"
        raise StaleRunNumber(message)

    async def state(self, run: RunId) -> RunState:
        """Return a run's state. Raises NotFound."""
        session = await self._sessions.borrow(run)
        try:
            return session.state
        finally:
            self._sessions.release(run)

    async def end_of(self, run: RunId) -> Outcome:
        """Return the run's outcome once it has ended and that is durable."""
        self._check_up()
        ended = self._ended.get(run)
        if ended is not None:
            return ended
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._ends.setdefault(run, []).append(future)
        while not future.done():
            session = await self._sessions.borrow(run)
            try:
                if session.state.end is not None:
                    await session.durable()
                    self._announce(run)
                break
            except StaleRunNumber:
                pass  # It did not end like this: it is read anew.
            finally:
                self._sessions.release(run)
        return await future

    def changed(self, run: RunId) -> asyncio.Future[None]:
        """Return a future that is done once more of the run's events are durable, or once somebody else changed it."""
        future = self._changes.get(run)
        if future is None:
            future = self._changes[run] = asyncio.get_running_loop().create_future()
            session = self._sessions.get(run)
            if session is not None and not session.settled():
                self._chore(self._tell_changed(session))  # What is on its way to the disk is a change to come.
        return future

    async def settle(self) -> None:
        """Return once everything appended so far is durable, or has failed."""
        newest = self._newest
        if newest is not None:
            try:
                await newest.durable()
            except KernosError:
                pass  # Whoever appended it is told.

    def recorded(self, session: Session, commit: Commit) -> None:
        """Take notice that a session appended something."""
        self._newest = commit
        if session.run in self._changes:
            self._chore(self._tell_changed(session))

    async def _tell_changed(self, session: Session) -> None:
        try:
            await session.durable()
        except StaleRunNumber:
            pass  # Somebody else changed the run, which is a change as well.
        self._changed(session.run)

    def _changed(self, run: RunId) -> None:
        future = self._changes.pop(run, None)
        if future is not None and not future.done():
            future.set_result(None)

    # --- sessions ------------------------------------------------------------------------------------------------

    def _new_session(self, state: RunState) -> Session:
        self.shared.line.note(state)
        return Session(state, self.shared, self.journal, self)

    def _keeps(self, run: RunId) -> bool:
        """Tell whether an idle session is worth keeping: its turn comes soon."""
        return run in self._queue and len(self._sessions) <= 2 * self._queue.active_max

    def _reloaded(self, session: Session) -> None:
        if session.state.status is Status.RUNNING:
            asyncio.get_running_loop().call_soon(self._run_agent, session)

    # --- what sessions ask for -----------------------------------------------------------------------------------

    def prepare_child(self, parent: Session, command: StartChild, question: AskChild) -> Prepared:
        """Prepare the request of a child run."""
        return self.family.prepare_child(parent, command, question)

    async def _undo_actions(self, run: RunId) -> None:
        """Let a run take back what was done, or the next open one above: each end further down may be the one it waits for."""
        above = await self.family.open_above(run)
        if above is not None and self.works and self.stopped is None:  # Else whoever works on the store does it.
            await self.family.take_back(above, self.new_run())

    def carry_out(self, session: Session, orders: Sequence[EffectOrder]) -> None:
        """Do what follows from events of the session's run."""
        for order in orders:
            match order:
                case RunAgent():
                    self._run_agent(session)
                case StopAgent():
                    self._stop_agent(session)
                case WakeAt(at):
                    self.wake_at(at)
                case CancelChild(child, reason):
                    self._chore(self.family.cancel(child, reason, session))
                case UndoActions():
                    self._chore(self._undo_actions(session.run))
                case TellParent():
                    self._chore(self.family.tell_parent(session, order, self._undo_actions))
                case AnnounceEnd():
                    self._chore(self._announce_durable(session))

    def overtaken(self, session: Session, error: Exception) -> None:
        """Read a run anew when another writer was faster; stop when the journal takes no more."""
        if session.active:
            self._leave(session)
        if isinstance(error, StaleRunNumber):
            if session.state.next_n and not self._sessions.is_held(session.run):
                self._chore(self._catch_up(session.run))
            return
        self.halt(error)

    def parked(self, session: Session) -> None:
        """Let a waiting run go."""
        self._leave(session)
        self._sessions.drop_if_idle(session.run)

    def follow(self, run: RunId) -> None:
        """Catch up with a run that another process changed, some time soon."""
        self._chore(self._catch_up(run))

    async def _catch_up(self, run: RunId) -> None:
        """Go on with a run that another writer changed: read it anew if it is in memory, take it up if it has something to do."""
        self._changed(run)
        session = self._sessions.get(run)
        if session is not None and session.lost is None:
            newer = await self.journal.read(run, session.state.next_n - 1)
            if not newer or session.lost is not None:
                return
            if session.active:
                self._leave(session)
            session.lost = StaleRunNumber(f"run {run} was changed by another process")
        try:
            session = await self._sessions.borrow(run)
        except NotFound:
            self._sessions.forget(run)
            return
        try:
            if session.state.status is Status.RUNNING:
                self._run_agent(session)
            elif session.state.status is Status.COMPENSATING:
                self._chore(self._undo_actions(run))
            elif session.state.ended:
                self._chore(self._announce_durable(session))  # Its end may be on its way to the disk.
                self._chore(self._undo_actions(run))
            elif self.works:
                session.after_attempt()  # Cancelled where no code goes on.
            due_at = session.state.due_at()
            if due_at:
                self.wake_at(due_at)
        finally:
            self._sessions.release(run)

    # --- running code --------------------------------------------------------------------------------------------

    def take_up(self, run: RunId, profile: str, tenant: TenantId, left: float) -> None:
        """Let a run wait to become active whose code has something to do."""
        if run not in self._queue:
            self._queue.put(run, profile, tenant, left)
            self._chore(self._work_off())

    def _run_agent(self, session: Session) -> None:
        if session.lost is not None or session.state.status is not Status.RUNNING:
            return  # It is about to be read anew, and taken up then; or an event of the same commit stopped it.
        if session.code is not None:
            session.code.poke()
        elif self.works and self.stopped is None:
            if self._queue.has_room():
                self._queue.begun(session.run)
                self._start(session)
                if not session.active:
                    self._queue.over(session.run)
            else:
                asked = session.state.request()
                self.take_up(session.run, asked.profile, asked.tenant, self.shared.dispatch.left(session.state))

    async def _work_off(self) -> None:
        while self.works and self.stopped is None and (run := self._queue.next()) is not None:
            try:
                session = await self._sessions.borrow(run)
            except NotFound:  # It never began: somebody else took its place.
                self._sessions.forget(run)
                self._queue.over(run)
                continue
            try:
                if not session.active and session.state.status is Status.RUNNING:
                    self._start(session)
                if not session.active:
                    self._queue.over(run)
            finally:
                self._sessions.release(run)

    def _start(self, session: Session) -> None:
        if session.is_stopping():  # Also when it was read anew or a process began: its code would act on.
            session.after_attempt()
            return
        state = session.state
        try:
            agent = self.shared.registry.agent(state.request().agent)
            assignment = assignment_of(state, agent)
        except (UnknownAgent, Outgrown) as error:
            session.apply(BlockRun(error.code, str(error)), KERNEL, session.latest())
            return
        code = session.activate(agent)
        self._worker.start(assignment, code)

    def _stop_agent(self, session: Session) -> None:
        if session.active:
            self._leave(session)
        if session.state.cancel_reason is not None and not session.state.ended:
            asyncio.get_running_loop().call_soon(self._after_stop, session)

    def _after_stop(self, session: Session) -> None:
        if session.lost is None and self.stopped is None and self.works:  # Else the attempt is another process's.
            session.after_attempt()
            self._sessions.drop_if_idle(session.run)

    def _leave(self, session: Session) -> None:
        self._worker.stop(session.run)
        session.deactivate()
        self._queue.over(session.run)
        if self._queue:
            self._chore(self._work_off())

    # --- ends ----------------------------------------------------------------------------------------------------

    async def _announce_durable(self, session: Session) -> None:
        try:
            await session.durable()
        except StaleRunNumber:
            return  # It did not end like this.
        if session.run not in self._ended:
            self.shared.dispatch.ended(session.state)
        self._announce(session.run, session.state.end)
        self._sessions.drop_if_idle(session.run)

    def _announce(self, run: RunId, end: Outcome | None = None) -> None:
        session = self._sessions.get(run)
        end = end if end is not None else session.state.end if session is not None else None
        if end is None:
            return
        self._ended[run] = end
        if len(self._ended) > _ENDS_REMEMBERED:
            self._ended.popitem(last=False)
        for future in self._ends.pop(run, ()):
            if not future.done():
                future.set_result(end)

    # --- time ----------------------------------------------------------------------------------------------------

    def wake_at(self, at: EpochMs) -> None:
        """Look for what is due at `at`, or earlier if that was asked for already."""
        if self._alarm is not None:
            if self._alarm_at <= at:
                return
            self._alarm.cancel()
        self._alarm_at = at
        self._alarm = self.shared.clock.call_at(at, self._due)

    def _due(self) -> None:
        self._alarm = None
        if self.on_due is not None and self.stopped is None:
            self.on_due()

    async def tick(self, run: RunId) -> bool:
        """Let everything happen in a run that is due by now; return whether anything did."""
        session = await self._sessions.borrow(run)
        try:
            if self.works:
                if session.active and session.is_stopping():
                    self._leave(session)  # Else its branches take turns, and some action is always under way.
                session.after_attempt()  # A deadline does not wait for what nobody goes on with.
        finally:
            self._sessions.release(run)
        return await self.command(run, Tick(self.shared.clock.now()), KERNEL, "clock")

    async def give_turn(self, run: RunId, step: StepName) -> bool:
        """Give a call its turn that waits for room; return whether it waited."""
        try:
            return await self.command(run, FindRoom(step), KERNEL, "clock")
        except NotFound:  # It never began: somebody else took its place.
            self.shared.line.forget(run)
            return False

    # --- life ----------------------------------------------------------------------------------------------------

    def _check_up(self) -> None:
        if self.stopped is not None:
            if isinstance(self.stopped, KernosError):
                raise self.stopped
            message = f"the kernel has stopped: {self.stopped}"
            raise KernelStopped(message)

    def _chore(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._chores.add(task)
        task.add_done_callback(self._chore_done)

    def _chore_done(self, task: asyncio.Task[None]) -> None:
        self._chores.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and self.stopped is None:
            self.halt(error if isinstance(error, Exception) else KernelStopped(str(error)))

    def halt(self, error: Exception) -> None:
        """Stop everything because `error` leaves no way to go on; what is durable goes on at the next start."""
        if self.stopped is not None:
            return
        self.stopped = error
        for futures in self._ends.values():
            for future in futures:
                if not future.done():
                    future.set_exception(error)
        self._ends.clear()
        for changed in self._changes.values():
            changed.cancel()
        self._changes.clear()
        for session in self._sessions.all():
            if session.active:
                self._worker.stop(session.run)
                session.deactivate()
        if self.on_broken is not None:
            self.on_broken(error)

    async def stop(self) -> None:
        """Stop taking runs up, let attempts under way end and be recorded; everything else goes on at the next start."""
        self.works = False
        for session in self._sessions.all():
            if session.active:
                self._leave(session)
        await self._worker.drain()
        while self._chores and self.stopped is None:
            await asyncio.wait(list(self._chores))
        self.halt(KernelStopped("the kernel was closed"))
        if self._alarm is not None:
            self._alarm.cancel()
