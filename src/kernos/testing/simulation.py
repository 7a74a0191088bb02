"""Simulation: a workflow on the whole kernel in virtual time, with faults, crashes and interleavings that a seed decides and repeats.

Each seed is a world of its own: runs are started until enough has happened, then everything is let end. What must hold at the end: every run has ended,
effects are intents, projections are the journal's, the tree proves itself. The same seed gives the same tree head.
"""

import asyncio
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from kernos.ports.model import Model
from kernos.ports.policy import Policy
from kernos.testing.clock import BEGIN, run_virtually
from kernos.testing.fault_plans import USUAL_RATES, Plan, Seeded
from kernos.testing.kernel import VirtualKernel
from kernos.testing.ledger import Ledger
from kernos.testing.people import People
from kernos.testing.points import MOMENTS, Points
from kernos.testing.stage import (
    ALL_ENDS,
    POLL_S_MAX,
    Cast,
    CheckFailed,
    Stage,
    books,
    cast_of,
    events_of,
    whoever_waits,
)
from kernos.vocabulary.contract import AgentContract, ToolContract
from kernos.vocabulary.errors import CallerError, StaleRunNumber
from kernos.vocabulary.events import Event
from kernos.vocabulary.ids import DEFAULT_TENANT, run_for_key

In = TypeVar("In")

LOOK_UP_RATES: Mapping[str, float] = {"reset": 0.05, "busy": 0.05, "slow": 0.1}
OPEN_MAX = 4
"""Runs under way at once: enough that they meet, few enough that a seed which fails can be read."""

REST_S = 40 * 86_400.0
"""Virtual time for the rest once no new run is started: longer than the longest wall time that a contract has unless told."""

_LIFE_S = 4.0  # How long a process lives on average, if it does not die at a point: some dozen actions.
_POINTS_MAX = 40  # A life of that length reaches about so many points of each moment.
_HESITATES = 0.3  # The share of looks at the inbox after which people do nothing about it.
_GROUP_DELAYS_MS = (0, 0, 1, 2, 15)
_TURNS_S = (0.0, 0.0005, 0.001, 0.003)


@dataclass(frozen=True, slots=True)
class World:
    """How one seed ended: the root of the tree, and how much happened in how much virtual time."""

    seed: int
    head: str
    operations: int
    runs: int
    crashes: int
    entries: int
    effects: int
    virtual_ms: int
    events: tuple[Event, ...] = field(default=(), repr=False, compare=False)
    """All that the journal holds, in its order."""


def simulate(
    workflow: AgentContract[In, Any],
    value: In | Callable[[random.Random], In],
    *,
    seeds: Iterable[int] = range(20),
    operations: int = 200,
    agents: Sequence[AgentContract[Any, Any]] = (),
    tools: Sequence[ToolContract[Any, Any]] = (),
    ledger: Ledger | None = None,
    models: Mapping[str, Model] | Callable[[], Mapping[str, Model]] | None = None,
    policies: str | Path | Policy | None = None,
    people: People | Callable[[random.Random], People] | None = None,
    rates: Mapping[str, float] = USUAL_RATES,
    crashes_max: int = 6,
    withdrawn: float = 0.1,
) -> list[World]:
    """Run `workflow` in one world a seed, and check the books of each; return what happened in each.

    `value`: the input, or a function that makes one from a seeded `random.Random`. `operations`: starts, calls and look-ups of tools, things that people
    say and crashes, of each world; runs are started until there were so many. `rates`: shares of calls by trouble (`faults.Trouble`).
    `people`: who answers, or a function that makes them from a seeded `random.Random`. `crashes_max`: how often a world's process dies. `withdrawn`: the share of runs that are cancelled under way. The rest is as for
    `crash_everywhere`; the ledger's keyed lines are compared with the intents.

    Call it outside of any event loop. Raises CheckFailed, which names the seed: `seeds=[N]` repeats it alone, to the byte.
    """
    cast = cast_of(workflow, agents=agents, tools=tools, models=models, policies=policies, ledger=ledger)
    worlds: list[World] = []
    for seed in seeds:
        dice = random.Random(~seed)  # noqa: S311 - repeatable is what it is for
        own = people(random.Random(dice.getrandbits(32))) if callable(people) else people or People()  # noqa: S311 - as above
        happening = _Happening(
            replace(cast, people=own), workflow, value, seed, operations, rates, crashes_max, withdrawn
        )
        turns_s = (0.0,) if seed % 2 else _TURNS_S
        worlds.append(run_virtually(happening.happen(), turn_s=lambda: dice.choice(turns_s)))  # noqa: B023 - used before it changes
    return worlds


class _Happening:
    """One world on its way."""

    def __init__(
        self,
        cast: Cast,
        workflow: AgentContract[Any, Any],
        value: object,
        seed: int,
        operations: int,
        rates: Mapping[str, float],
        crashes_max: int,
        withdrawn: float,
    ) -> None:
        self.cast = cast
        self.workflow = workflow
        self.value = value
        self.seed = seed
        self.operations = operations
        self.rates = rates
        self.crashes_left = crashes_max
        self.withdrawn = withdrawn
        self.dice = random.Random(seed)  # noqa: S311 - as above
        self.people_dice = random.Random(self.dice.getrandbits(32))  # noqa: S311 - as above
        self.said = 0
        self.started: list[object] = []
        self.unsure: set[int] = set()
        """Runs, by number, that are going to be cancelled."""
        self.stage = Stage(cast, seed, self._plan, lambda: self.dice.choice(_GROUP_DELAYS_MS))

    def _plan(self, tool: str, what: str) -> Plan:
        rates = (
            self.rates if what == "attempt" else {name: share for name, share in LOOK_UP_RATES.items() if self.rates}
        )
        return Seeded(self.dice.getrandbits(32), rates)

    @property
    def done(self) -> int:
        """Operations so far."""
        return self.stage.calls + self.said + len(self.started) + self.stage.lives - 1

    async def happen(self) -> World:
        """Let kernels live and die until everything has ended."""
        try:
            while True:
                kernel = self.stage.kernel(self._points(), active_max=3)
                if await self._life(kernel):
                    return await self._end(kernel)
        except CheckFailed as failed:
            raise CheckFailed(f"{self.workflow.name}, seed {self.seed}: {failed.args[0]}", failed.findings) from None

    def _points(self) -> Points:
        """Let half of the lives die at a point, if they live to see it: the others die at any time."""
        if not self._may_die() or self.dice.random() < 0.5:  # noqa: PLR2004 - half
            return Points(counts=False)
        return Points(f"{self.dice.choice(MOMENTS)} {self.dice.randrange(1, _POINTS_MAX)}", keeps=False)

    def _may_die(self) -> bool:
        return self.crashes_left > 0 and self.done < self.operations

    async def _life(self, kernel: VirtualKernel) -> bool:
        """Let one kernel live; return whether everything has ended, else it died."""
        died: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        kernel.points.on_death.append(lambda: None if died.done() else died.set_result(None))
        opening = asyncio.ensure_future(kernel.__aenter__())
        first: set[asyncio.Future[Any]] = {opening, died}
        await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
        if not opening.done():  # It died while it took up what the one before it left.
            opening.cancel()
            await asyncio.gather(opening, return_exceptions=True)
            self.crashes_left -= 1
            await kernel.die()
            return False
        opening.result()
        working = asyncio.ensure_future(self._work(kernel))
        may_die = self._may_die()
        life_s = self.dice.expovariate(1 / _LIFE_S) if may_die else REST_S
        await asyncio.wait({working, died}, timeout=life_s, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
            return True
        if not may_die and not died.done():
            waiting = await whoever_waits(kernel)
            await kernel.die()
            raise CheckFailed("it is stuck", waiting)
        self.crashes_left -= 1
        await kernel.die()
        return False

    async def _work(self, kernel: VirtualKernel) -> None:
        await asyncio.gather(self._start_runs(kernel), self._attend(kernel))

    async def _start_runs(self, kernel: VirtualKernel) -> None:
        """Begin runs until enough has happened; who asked and got no answer before the crash asks again."""
        for number, value in enumerate(self.started):
            await self._start(kernel, number, value)
        while self.done < self.operations:
            change = kernel.next_change()
            opened = [row for row in await kernel.runs() if row["status"] not in ALL_ENDS and not row["parent"]]
            if len(opened) >= OPEN_MAX:
                await asyncio.wait({change}, timeout=POLL_S_MAX)
            else:
                value = self.value(self.dice) if callable(self.value) else self.value
                self.started.append(value)
                if self.people_dice.random() < self.withdrawn:
                    self.unsure.add(len(self.started) - 1)
                await self._start(kernel, len(self.started) - 1, value)
            await asyncio.sleep(self.dice.choice((0.01, 0.2, 1.0)))

    async def _start(self, kernel: VirtualKernel, number: int, value: object) -> None:
        try:
            await kernel.start(self.workflow, value, key=f"{number}")
        except (StaleRunNumber, CallerError):
            pass  # It stood before the crash; or the queue is full, and it is asked for after the next one.

    async def _attend(self, kernel: VirtualKernel) -> None:
        """Say what people say, at their own pace, until enough was started and every run has ended."""
        dice = self.people_dice
        while True:
            await asyncio.sleep(dice.choice((0.05, 0.5, 2.0)))
            change = kernel.next_change()
            said, left = await self.stage.listen(kernel, lambda: dice.random() < _HESITATES)
            said += await self._withdraw(kernel)
            self.said += said
            if self.done >= self.operations and await self.stage.all_ended(kernel):
                return
            if not (said or left or self.unsure):
                await asyncio.wait({change}, timeout=POLL_S_MAX)

    async def _withdraw(self, kernel: VirtualKernel) -> int:
        """Cancel those runs that their callers think better of, each some time after its start."""
        for number in sorted(self.unsure):
            if self.people_dice.random() < _HESITATES:
                self.unsure.discard(number)
                run = run_for_key(DEFAULT_TENANT, self.workflow.name, str(number))
                try:
                    await kernel.cancel(run, "the caller thought better of it")
                except (StaleRunNumber, CallerError):
                    return 0  # It ended before.
                return 1
        return 0

    async def _end(self, kernel: VirtualKernel) -> World:
        """Close the books."""
        wrong = await books(kernel, self.stage)
        virtual_ms = kernel.engine.shared.clock.now() - BEGIN
        head = await kernel.journal.head()
        runs, events = await kernel.runs(), tuple(await events_of(kernel))
        await kernel.__aexit__(None, None, None)
        if wrong:
            raise CheckFailed("the books do not agree", wrong)
        assert head is not None
        effects = sum(self.cast.ledger.effects().values())
        crashes = self.stage.lives - 1
        return World(self.seed, head.root.hex(), self.done, len(runs), crashes, head.size, effects, virtual_ms, events)
