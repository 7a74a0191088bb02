"""Session: one run in memory, between the rules and the journal.

Ordered: events of the run, by number; they are folded in at once and become durable in that order. Ahead of the disk: everything
that stays inside; whoever sends something out first awaits `durable`. Survives a crash: what is durable, nothing else of the session.
A session that another writer overtook is read anew (`reload`); attempts under way outlive that, because their intents are durable.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from kernos.control.code import Code
from kernos.control.codec import encode_event
from kernos.control.projections import project
from kernos.control.projections.accounts import guard, guard_once
from kernos.control.surroundings import Surroundings
from kernos.kernel.decide import decide
from kernos.kernel.evolve import evolve
from kernos.kernel.react import react
from kernos.kernel.state import Phase, RunState, Step
from kernos.ports.journal import Commit, Journal
from kernos.vocabulary.budget import BudgetReserved
from kernos.vocabulary.commands import (
    Command,
    LoseAttempt,
    ReportAttempt,
    ReportLookUp,
    StartChild,
    StopRun,
    Tick,
)
from kernos.vocabulary.contract import AgentContract
from kernos.vocabulary.effects import EffectOrder
from kernos.vocabulary.events import Event
from kernos.vocabulary.ids import KERNEL, PrincipalId, RunId, StepName
from kernos.vocabulary.journal import Append, Guard, RowOp
from kernos.vocabulary.outcome import AttemptFailed, FailureKind, Found
from kernos.vocabulary.quantities import Json, Retry
from kernos.vocabulary.questions import AskChild, Hold, Reply

_NO_MORE = Retry(attempts=1)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A decision that is not recorded yet: the entries, the state after them, and the orders that follow."""

    session: "Session"
    append: Append
    state: RunState
    orders: tuple[EffectOrder, ...]


class Overseer(Protocol):
    """What a session asks of the engine."""

    def carry_out(self, session: "Session", orders: Sequence[EffectOrder]) -> None:
        """Do what follows from events of the session's run."""
        ...

    def new_run(self) -> RunId:
        """Return an id for a new run."""
        ...

    def prepare_child(self, parent: "Session", command: StartChild, question: AskChild) -> Prepared:
        """Prepare the request of a child run."""
        ...

    def recorded(self, session: "Session", commit: Commit) -> None:
        """Take notice that the session appended something."""
        ...

    def overtaken(self, session: "Session", error: Exception) -> None:
        """Take notice that an append of this session failed."""
        ...

    def parked(self, session: "Session") -> None:
        """Let the session go: its run waits."""
        ...


class Session:
    """One run in memory."""

    def __init__(self, state: RunState, shared: Surroundings, journal: Journal, overseer: Overseer) -> None:
        """Begin with a run's state as the journal has it."""
        self.state = state
        self.shared = shared
        self.agent: AgentContract[Any, Any] | None = None
        self.code: Code | None = None
        """The run's code, while a worker runs it."""
        self.performing: set[StepName] = set()
        """Actions that an attempt was ordered for and not reported yet."""
        self.unmade: set[StepName] = set()
        """Actions whose ordered attempt was not made, because another writer was faster."""
        self.lost: Exception | None = None
        """Why its newest events will never be durable; it takes no more until it is read anew."""
        self._journal = journal
        self._overseer = overseer
        self._lineage = object()
        self._last: Commit | None = None
        self._settled: Commit | None = None
        self._reports: list[tuple[StepName, int, Json | AttemptFailed]] = []
        """How attempts ended, until that is durable: another writer may be faster, and then it is recorded anew."""
        self._by = PrincipalId("")

    # --- recording -----------------------------------------------------------------------------------------------

    @property
    def run(self) -> RunId:
        """The run's id."""
        return self.state.run

    def latest(self) -> str:
        """Name the run's newest event as a cause."""
        return f"n{self.state.next_n - 1}"

    def prepare(self, command: Command, by: PrincipalId, cause: str) -> Prepared | None:
        """Decide, and write down what would follow; None when nothing does. Raises what `decide` raises."""
        if self.lost is not None:
            raise self.lost
        datas = decide(self.state, command)
        if not datas:
            return None
        at = self.shared.clock.now()
        bodies: list[bytes] = []
        rows: list[RowOp] = []
        guards: list[Guard] = []
        orders: list[EffectOrder] = []
        state = self.state
        for data in datas:
            event = Event(state.run, state.next_n, at, by, cause, data)
            bodies.append(encode_event(event))
            rows.extend(project(event))
            if isinstance(data, BudgetReserved):
                guards.extend(map(guard, data.bookings))
                guards.extend(map(guard_once, data.warned))
            state = evolve(state, event)
            orders.extend(react(state, event))
        append = Append(state.run, self.state.next_n, tuple(bodies), tuple(rows), self._lineage, tuple(guards))
        return Prepared(self, append, state, tuple(orders))

    def commit(self, *prepared: Prepared) -> None:
        """Record prepared decisions of this session and of others, all or none, and see to their orders."""
        fails = [
            one.session.fail for one in prepared
        ]  # Not `prepared`: its states need not live until they are durable.

        def failed(error: Exception) -> None:
            for fail in fails:
                fail(error)

        commit = self._journal.append([one.append for one in prepared], fails[0] if len(fails) == 1 else failed)
        for one in prepared:
            self.shared.circumstances.take(one.append.run, one.append.rows, commit)
            if one.append.guards or self.state.held or one.state.held:
                self.shared.treasury.take(one.append.rows, commit)
                self.shared.line.look()
            one.session.advance(one.state, commit)
            self._overseer.recorded(one.session, commit)
        for one in prepared:
            if one.orders:
                self._overseer.carry_out(one.session, one.orders)

    def advance(self, state: RunState, commit: Commit) -> None:
        """Take over the state after a commit."""
        had = self.state.queued
        self.state = state
        self._last = commit
        if had or state.queued:
            self.shared.line.note(state)

    def fail(self, error: Exception) -> None:
        """Take notice that a commit failed: nothing after it will be durable."""
        if self.lost is None:
            self.lost = error
            self.shared.circumstances.forget(self.run)
            self._overseer.overtaken(self, error)

    def apply(self, command: Command, by: PrincipalId, cause: str) -> bool:
        """Decide, record and see to what follows; return whether anything happened."""
        prepared = self.prepare(command, by, cause)
        if prepared is None:
            return False
        self.commit(prepared)
        return True

    # --- for the engine ------------------------------------------------------------------------------------------

    @property
    def active(self) -> bool:
        """Whether a worker runs its code."""
        return self.code is not None

    def activate(self, agent: AgentContract[Any, Any]) -> Code:
        """Begin to run the run's code; return what the code asks."""
        self.agent = agent
        self._by = PrincipalId(f"agent:{agent.name}@{agent.version}")
        for name, step in self.state.steps.items():
            if step.is_abandoned and step.phase is Phase.INTENDED and name not in self.performing:
                self.record(LoseAttempt(name, Retry(), self.shared.clock.now()))  # The code will not ask for it.
        self.code = Code(self)
        return self.code

    def deactivate(self) -> None:
        """End that no worker runs its code any more."""
        if self.code is not None:
            self.code.close()
            self.code = None

    def reload(self, state: RunState) -> None:
        """Go on from what the journal has; attempts that ended meanwhile are recorded now."""
        self.state = state
        self.lost = None
        self.shared.line.note(state)
        self._lineage = object()
        self._last = self._settled = None
        reports, self._reports = self._reports, []
        for step, attempt, outcome in reports:
            self.report(step, attempt, outcome)

    def keep(self, step: StepName, attempt: int, outcome: Json | AttemptFailed) -> None:
        """Remember how an attempt ended until that is durable."""
        self._reports.append((step, attempt, outcome))

    def report(self, step: StepName, attempt: int, outcome: Json | AttemptFailed) -> Reply:
        """Record how an attempt ended that code before the present one asked for."""
        if self.lost is not None:
            self.keep(step, attempt, outcome)
            return Hold()
        code = self.code if self.code is not None else Code(self)
        code.note(step, attempt, outcome)
        return Hold()

    def settled(self) -> bool:
        """Tell whether everything recorded is known to be durable."""
        return self._last is self._settled

    def under_way(self) -> bool:
        """Tell whether an attempt may be under way, so that its report will come here."""
        return bool(self.performing) or (self.lost is not None and bool(self._reports))

    def after_attempt(self) -> None:
        """See to what had to wait for an attempt to end: a cancellation, a deadline."""
        if not self.is_stopping():
            return
        self.give_up_attempts()
        state = self.state
        if state.under_way() or state.closed:
            return
        if state.cancel_reason is not None:
            self.apply(StopRun(), KERNEL, self.latest())
        else:
            self.apply(Tick(self.shared.clock.now()), KERNEL, self.latest())

    def give_up_attempts(self) -> None:
        """Say what becomes of calls that a crash cut off and of look-ups that are owed, in a run that no code goes on with."""
        if self.code is not None or self.state.closed:
            return
        for name, step in self.state.steps.items():
            if step.phase is Phase.INTENDED and name not in self.performing:
                self.apply(self._given_up(name, step), KERNEL, self.latest())
        for name, step in self.state.steps.items():
            if step.phase is Phase.LOOKING_UP:
                found = Found(None, "nobody asked: no code goes on with the run")
                self.apply(ReportLookUp(name, found, _NO_MORE), KERNEL, self.latest())

    def _given_up(self, name: StepName, step: Step) -> Command:
        now = self.shared.clock.now()
        if name not in self.unmade:
            return LoseAttempt(name, _NO_MORE, now)
        unmade = AttemptFailed(FailureKind.RETRYABLE, "it was not made, and no code goes on with the run")
        return ReportAttempt(name, step.attempt, unmade, _NO_MORE, now, 0)

    def is_stopping(self) -> bool:
        """Tell whether the run is cancelled or past its deadline, so that no code of it goes on: only what is under way ends."""
        deadline = self.state.request().deadline_at
        return self.state.cancel_reason is not None or (bool(deadline) and self.shared.clock.now() >= deadline)

    async def durable(self) -> None:
        """Return once everything recorded so far is on disk. Raises StaleRunNumber or StorageFailed when it will not be."""
        last = self._last
        if last is not self._settled and last is not None:
            await last.durable()
            self._settled = last
            if last is self._last:
                self._reports.clear()
        if self.lost is not None:
            raise self.lost

    # --- for the code --------------------------------------------------------------------------------------------

    def record(self, command: Command, cause: str = "") -> bool:
        """Apply a command of the run's own code."""
        return self.apply(command, self._by or KERNEL, cause or self.latest())

    def record_child(self, command: StartChild, question: AskChild) -> None:
        """Apply the command that starts a child, together with the child's own request."""
        prepared = self.prepare(command, self._by, self.latest())
        assert prepared is not None, command
        self.commit(prepared, self._overseer.prepare_child(self, command, question))

    def new_run(self) -> RunId:
        """Return an id for a new run."""
        return self._overseer.new_run()

    def parked(self) -> None:
        """Let the run leave memory."""
        self._overseer.parked(self)
