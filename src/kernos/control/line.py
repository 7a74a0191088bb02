"""Line: the calls of all runs that wait for room under a cap, and whose turn it is.

Ordered: by when they began to wait. A call that could have room once those under way are settled keeps later ones back where it lacks room; one that
only a raise or the next day helps keeps nobody back. Bounded: a few hundred bytes a call; so many are woken at once, and what the woken ones may use is
theirs until they hold it. Survives a crash: the line is what the runs' events say, read again at a start; a turn is a look, and only a reservation holds.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from kernos.control.administrator import Administrator
from kernos.control.registry import Registry
from kernos.control.treasury import Treasury
from kernos.kernel.state import Phase, RunState, Status, Turn
from kernos.kernel.stops import stop_for
from kernos.ports.clock import Alarm, Clock
from kernos.vocabulary.budget import Account, Booking, Unit
from kernos.vocabulary.errors import KernosError, UnknownAgent
from kernos.vocabulary.events import RunRequested
from kernos.vocabulary.ids import EpochMs, RunId, StepName
from kernos.vocabulary.quantities import NULL

_WAKES_MAX = 64
"""Calls woken in one look: what is free is theirs until they hold it, so more would only load runs earlier than they can go on."""

_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class _Waiter:
    """A call in the line; `requested` without its input, which may be large."""

    run: RunId
    step: StepName
    since: EpochMs
    needs: Mapping[Unit, int]
    tool: str
    requested: RunRequested
    has_turn: bool

    def order(self) -> tuple[EpochMs, RunId, StepName]:
        """Return what the line is sorted by."""
        return self.since, self.run, self.step


class Line:
    """All calls that wait for room, as one process knows them; the one that runs agents gives the turns."""

    def __init__(self, treasury: Treasury, registry: Registry, administrator: Administrator, clock: Clock) -> None:
        """Take what knows of caps, agents and stops, and when a day is over."""
        self._treasury = treasury
        self._registry = registry
        self._administrator = administrator
        self._clock = clock
        self._runs: dict[RunId, tuple[_Waiter, ...]] = {}
        self._kept_back: frozenset[Account] = frozenset()
        """Accounts where somebody waits for what those under way give back."""
        self._alarm: Alarm | None = None
        self._looking: asyncio.Task[None] | None = None
        self._again = False
        self._settle: Callable[[], Awaitable[None]] | None = None
        self._wake: Callable[[RunId, StepName], Awaitable[bool]] | None = None
        self._fail: Callable[[Exception], None] | None = None
        administrator.on_change(self.look)

    def begin(
        self,
        settle: Callable[[], Awaitable[None]],
        wake: Callable[[RunId, StepName], Awaitable[bool]],
        fail: Callable[[Exception], None],
    ) -> None:
        """Give turns from now on: `settle` waits for what is on its way to the disk, `wake` gives a call its turn, `fail` is told why that is impossible."""
        self._settle, self._wake, self._fail = settle, wake, fail
        self.look()

    async def end(self) -> None:
        """Give no more turns."""
        self._wake = None
        if self._alarm is not None:
            self._alarm.cancel()
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    def note(self, state: RunState) -> None:
        """Take notice of how a run stands now."""
        before, now = self._runs.get(state.run, ()), self._waiters(state)
        if now:
            self._runs[state.run] = now
        else:
            self._runs.pop(state.run, None)
        if before != now:
            self.look()

    def _waiters(self, state: RunState) -> tuple[_Waiter, ...]:
        if not state.queued or state.status not in (Status.RUNNING, Status.WAITING) or state.cancel_reason is not None:
            return ()
        requested = replace(state.request(), input=NULL, intent="", heritage=None)
        return tuple(
            _Waiter(
                state.run,
                name,
                queued.since,
                {one.account.unit: one.amount for one in queued.needs},
                "" if queued.is_model else queued.what,
                requested,
                queued.turn is Turn.COME,
            )
            for name, queued in state.queued.items()
            if queued.turn is Turn.TO_COME or (queued.turn is Turn.COME and _is_about_to_hold(state, name))
        )

    def forget(self, run: RunId) -> None:
        """Take out a run that never began."""
        self._runs.pop(run, None)

    def keeps_back(self, bookings: tuple[Booking, ...]) -> bool:
        """Tell whether a call that begins has to stand in the line although there is room: others came before it."""
        if not self._runs:
            return False
        if any(one.account in self._kept_back for one in bookings):
            return True
        promised = self._promised()
        return any(
            one.account in promised and self._treasury.used(one.account) + promised[one.account] + one.amount > one.cap
            for one in bookings
        )

    def _promised(self) -> dict[Account, int]:
        """Return what is free and belongs to calls whose turn has come."""
        found: dict[Account, int] = {}
        now = self._clock.now()
        for waiter in self._all():
            if waiter.has_turn and not self._is_stopped(waiter):
                for account, _ in self._treasury.against(waiter.requested, waiter.run, now):
                    found[account] = found.get(account, 0) + waiter.needs.get(account.unit, 0)
        return found

    def _all(self) -> Iterator[_Waiter]:
        return (waiter for waiters in self._runs.values() for waiter in waiters)

    # --- turns ---------------------------------------------------------------------------------------------------

    def look(self) -> None:
        """Look whose turn it is, now or once the present look is over."""
        if not self._runs:
            self._kept_back = frozenset()
        if self._wake is None or not self._runs:
            return
        if self._looking is not None and not self._looking.done():
            self._again = True
            return
        self._looking = asyncio.get_running_loop().create_task(self._look())

    async def _look(self) -> None:
        try:
            self._again = True
            while self._again and self._wake is not None and self._settle is not None:
                self._again = False
                await self._settle()  # What was given back a moment ago counts once it is durable.
                turns = self._turns(self._clock.now())
                if turns:
                    wake = self._wake
                    await asyncio.gather(*(wake(one.run, one.step) for one in turns))
                    self._again = True
        except KernosError as error:
            if self._fail is not None:
                self._fail(error)
            return
        self._look_at_midnight()

    def _look_at_midnight(self) -> None:
        """Look again when the next day (UTC) begins, and its accounts are empty."""
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm = None
        if self._runs and self._wake is not None:
            at = EpochMs((self._clock.now() // _DAY_MS + 1) * _DAY_MS)
            self._alarm = self._clock.call_at(at, self.look)

    def _turns(self, now: EpochMs) -> list[_Waiter]:
        """Return the calls whose turn it is, first come first; remember where later ones are kept back."""
        promised, kept_back, turns = self._promised(), set[Account](), list[_Waiter]()
        balances: dict[Account, tuple[int, int]] = {}
        for waiter in sorted(self._all(), key=_Waiter.order):
            if waiter.has_turn or self._is_stopped(waiter):
                continue
            lacks, comes_free = list[Account](), True
            needs = [
                (account, cap, waiter.needs[account.unit])
                for account, cap in self._treasury.against(waiter.requested, waiter.run, now)
                if account.unit in waiter.needs
            ]
            for account, cap, amount in needs:
                if account not in balances:
                    balances[account] = (self._treasury.used(account), self._treasury.reserved(account))
                used, reserved = balances[account]
                if used + promised.get(account, 0) + amount > cap:
                    lacks.append(account)
                    comes_free = comes_free and used - reserved + amount <= cap
            if lacks:
                kept_back.update(lacks if comes_free else ())
            elif not kept_back.intersection(account for account, _, _ in needs) and len(turns) < _WAKES_MAX:
                turns.append(waiter)
                for account, _, amount in needs:
                    promised[account] = promised.get(account, 0) + amount
        self._kept_back = frozenset(kept_back)
        return turns

    def _is_stopped(self, waiter: _Waiter) -> bool:
        """Tell whether a stop holds for a call: it takes no room meanwhile, and keeps nobody back."""
        state = self._administrator.state
        if not state.stops:
            return False
        try:
            agent = self._registry.agent(waiter.requested.agent)
        except UnknownAgent:
            return True  # Its run could not go on either.
        return stop_for(state, waiter.requested.tenant, agent.name, agent.version, waiter.tool) is not None


def _is_about_to_hold(state: RunState, step: StepName) -> bool:
    """Tell whether a call whose turn came goes on now; not one that policy said no to meanwhile, or asks a person about."""
    recorded = state.steps.get(step)
    return state.status is Status.RUNNING and (recorded is None or recorded.phase is Phase.GRANTED)
