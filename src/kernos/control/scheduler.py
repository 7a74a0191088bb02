"""Scheduler: what is due by the clock, what a start finds unfinished, and what other processes put into the store.

Ordered: nothing across runs. Bounded: rows are fetched in pages, ticks run a bounded number at a time. Survives a crash: everything, because
it all comes from the projections; what happens twice changes nothing the second time.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence

from kernos.control.engine import Engine
from kernos.control.projections.runs import CANCEL_REQUESTED
from kernos.ports.journal import Range, Row, Views
from kernos.vocabulary.administration import ADMINISTRATION
from kernos.vocabulary.commands import CancelRun, EndChild
from kernos.vocabulary.errors import KernosError
from kernos.vocabulary.ids import KERNEL, EpochMs, RunId, StepName, TenantId
from kernos.vocabulary.journal import Scalar
from kernos.vocabulary.outcome import Failure

_PAGE = 1_000  # Rows in memory at once: some hundred kilobytes.
_NEVER = EpochMs(1 << 62)


class Scheduler:
    """Sends runs on when their time comes."""

    def __init__(self, engine: Engine, views: Views) -> None:
        """Take the engine to drive and the projections to look at."""
        self._engine = engine
        self._views = views
        self._looking = False
        self._look_again = False
        self._task: asyncio.Task[None] | None = None
        self._following: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Take up what a start finds: runs that have something to do, deliveries that are owed, and the first due time."""
        await self._engine.shared.administrator.follow()
        if self._engine.works:
            await self._engine.shared.dispatch.learn(self._views)
        self._engine.on_due = self._look
        self._views.watch(self._foreign)
        async for row in self._pages("runs", "run", {"status": "running"}):
            agent, size, work = str(row["agent"]), int(row["input_bytes"] or 0), int(row["work"] or 0)
            left = self._engine.shared.dispatch.left_of(agent, size, work)
            self._engine.take_up(RunId(str(row["run"])), str(row["profile"]), TenantId(str(row["tenant"])), left)
        async for row in self._pages("runs", "run", {"status": "compensating"}):
            self._engine.follow(RunId(str(row["run"])))
        async for row in self._pages("runs", "run", {"status": "blocked"}):
            if str(row["reason"]).startswith(CANCEL_REQUESTED):  # While an attempt of it was under way.
                self._engine.follow(RunId(str(row["run"])))
        for owed in ("end", "cancel"):
            async for row in self._pages("deliveries", "child", {"owed": owed}):
                await self._deliver(row)
        if self._engine.works:
            async for row in self._pages("waiting", "run", {"kind": "room"}):
                await self._engine.state(RunId(str(row["run"])))  # Whoever loads it tells the line.
            self._engine.shared.line.begin(self._engine.settle, self._engine.give_turn, self._engine.halt)
        self._look()

    async def stop(self) -> None:
        """Let go of what is being looked at."""
        await self._engine.shared.line.end()
        tasks = [*self._following, *([self._task] if self._task is not None else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _pages(self, table: str, key: str, where: Mapping[str, Scalar | Range]) -> AsyncIterator[Row]:
        """Yield all rows, a page at a time, by the key, which is one column."""
        after: Scalar = None
        while True:
            page = await self._views.select(table, where, after=after, limit=_PAGE)
            for row in page:
                yield row
            if len(page) < _PAGE:
                return
            after = page[-1][key]

    async def _deliver(self, row: Row) -> None:
        """Hand over what one run owed another when the process ended: a child's end, or a parent's cancellation."""
        parent, child = RunId(str(row["parent"])), RunId(str(row["child"]))
        state = await self._engine.state(child)
        if not state.ended:
            await self._engine.command(child, CancelRun("the run that waited for it ended"), KERNEL, parent)
            return
        end = state.end
        result, failure = (None, end) if isinstance(end, Failure) else (end, None)
        command = EndChild(StepName(str(row["step"])), child, result, failure, state.heritage)
        await self._engine.command(parent, command, KERNEL, f"{child}/n{state.next_n - 1}")

    def _look(self) -> None:
        """Look for what is due, now or once the present look is over."""
        if self._looking:
            self._look_again = True
            return
        self._looking = True
        self._task = asyncio.get_running_loop().create_task(self._look_all())

    async def _look_all(self) -> None:
        try:
            while True:
                self._look_again = False
                await self._engine.settle()  # What was set a moment ago has to be found.
                now = self._engine.shared.clock.now()
                more = await self._tick_due(now)
                due_at = await self._next_due(min(now, self._engine.shared.clock.now()))  # It may have been set back.
                if not (more or self._look_again):
                    break
        except KernosError as error:
            if self._engine.stopped is None:
                self._engine.halt(error)
            return
        finally:
            self._looking = False
        if due_at < _NEVER:
            self._engine.wake_at(due_at)

    async def _tick_due(self, now: EpochMs) -> bool:
        """Tick every run that has something due by `now`; return whether there may be more."""
        waits = await self._views.select("waiting", {"due_at": (1, now + 1)}, order="due_at", limit=_PAGE)
        late = await self._views.select("runs", {"deadline_at": (1, now + 1)}, order="deadline_at", limit=_PAGE)
        tries = await self._views.select("runs", {"wake_at": (1, now + 1)}, order="wake_at", limit=_PAGE)
        runs = dict.fromkeys(str(row["run"]) for row in (*waits, *late, *tries))
        ticked = await asyncio.gather(*(self._engine.tick(RunId(run)) for run in runs))
        return any(ticked) and max(len(waits), len(late), len(tries)) == _PAGE

    async def _next_due(self, now: EpochMs) -> EpochMs:
        """Return the first due time after `now`."""
        waits = await self._views.select("waiting", {"due_at": (now + 1, None)}, order="due_at", limit=1)
        ends = await self._views.select("runs", {"deadline_at": (now + 1, None)}, order="deadline_at", limit=1)
        tries = await self._views.select("runs", {"wake_at": (now + 1, None)}, order="wake_at", limit=1)
        found = ((waits, "due_at"), (ends, "deadline_at"), (tries, "wake_at"))
        times = [int(row[column] or 0) for rows, column in found for row in rows]
        return EpochMs(min(times, default=_NEVER))

    def _foreign(self, changes: Sequence[tuple[RunId, int]]) -> None:
        """Go on with runs that another process put something into."""
        for run in dict.fromkeys(run for run, _ in changes):
            if run == ADMINISTRATION:
                self._follow_administration()
            else:
                self._engine.follow(run)
        self._engine.shared.line.look()

    def _follow_administration(self) -> None:
        """Take in what another process changed about the store as a whole."""
        self._following.add(task := asyncio.get_running_loop().create_task(self._engine.shared.administrator.follow()))
        task.add_done_callback(self._followed)

    def _followed(self, task: asyncio.Task[None]) -> None:
        self._following.discard(task)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, KernosError) and self._engine.stopped is None:
            self._engine.halt(error)  # Who may do what is not known any more.
