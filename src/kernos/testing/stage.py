"""Stage: one world in which a check lets kernels live and die: what outlives them, who attends to them, and whether the books agree at the end."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kernos.app.policies import load_policy
from kernos.control.codec import decode_entry
from kernos.control.projections import TABLES
from kernos.control.registry import Registry
from kernos.control.replay import compare, rebuild
from kernos.kernel.state import ENDED
from kernos.ports.model import Model
from kernos.ports.policy import Policy
from kernos.testing.fault_plans import Plan, faults
from kernos.testing.kernel import VirtualKernel
from kernos.testing.ledger import Ledger
from kernos.testing.model import ScriptedModel
from kernos.testing.open_values import open_values
from kernos.testing.people import People, settle
from kernos.testing.points import Points
from kernos.testing.policy import AllowAll
from kernos.testing.storage import MemoryDisk, MemoryJournal
from kernos.vocabulary.budget import Caps
from kernos.vocabulary.contract import AgentContract, ModelReply, ToolContract
from kernos.vocabulary.errors import NotFound
from kernos.vocabulary.events import ActionIntended, ActionPerformed, ActionSettled, Event
from kernos.vocabulary.ids import RunId
from kernos.vocabulary.outcome import Effect
from kernos.vocabulary.quantities import Json

ALL_ENDS = frozenset(status.value for status in ENDED)
_FOR_PEOPLE = frozenset({"approval", "question", "signal"})
_SOON_S = 0.05
_SILENT_MAX = 5
"""Looks at the inbox without anything to say, after which what waits for a signal waits for ever."""
POLL_S_MAX = 86_400.0
"""People look at their inbox when something has changed, and at least this often."""


class CheckFailed(AssertionError):
    """A check of `kernos.testing` found something wrong; `findings` says what, one sentence each."""

    def __init__(self, about: str, findings: Sequence[str] = ()) -> None:
        """Take what was checked and what was found."""
        super().__init__("\n".join((about, *(f"  - {finding}" for finding in findings))))
        self.findings = tuple(findings)


@dataclass(frozen=True, slots=True)
class Cast:
    """What a check runs: the agents, what stands in for the world, and who says yes."""

    agents: tuple[AgentContract[Any, Any], ...]
    stand_ins: Mapping[str, ToolContract[Any, Any]]
    models: Mapping[str, Model] | Callable[[], Mapping[str, Model]]
    policy: Policy
    people: People
    ledger: Ledger
    watches: bool
    """Whether the ledger is the check's own, which tools' calls are written to; else the user's fakes write to theirs."""
    budgets: Caps | None = None

    def tools(self) -> tuple[ToolContract[Any, Any], ...]:
        """Return all tools, each as whatever stands in for it."""
        declared = Registry(self.agents, {}).tools
        return tuple(self.stand_ins.get(tool.name, tool) for tool in declared)


def cast_of(
    workflow: AgentContract[Any, Any],
    *,
    agents: Sequence[AgentContract[Any, Any]] = (),
    tools: Sequence[ToolContract[Any, Any]] = (),
    models: Mapping[str, Model] | Callable[[], Mapping[str, Model]] | None = None,
    policies: str | Path | Policy | None = None,
    budgets: Caps | None = None,
    people: People | None = None,
    ledger: Ledger | None = None,
) -> Cast:
    """Put together what a check runs; see `crash_everywhere` for what each of them is."""
    everyone = tuple({agent.name: agent for agent in (workflow, *agents)}.values())
    stand_ins = {tool.name: tool for tool in tools}
    names = models() if callable(models) else models or {}
    policy = AllowAll() if policies is None else load_policy(policies, Registry(everyone, names))  # Once for all lives.
    return Cast(
        everyone, stand_ins, models or {}, policy, people or People(), ledger or Ledger(), ledger is None, budgets
    )


@dataclass(slots=True)
class Stage:
    """One world: the disk, the ledger and what models answered outlive its kernels."""

    cast: Cast
    seed: int = 0
    plan: Callable[[str, str], Plan] | None = None
    """Gives the faults of each tool, and of its look-ups: called with the tool's name and `attempt` or `look-up`."""
    group_delay_ms: Callable[[], int] = lambda: 0
    disk: MemoryDisk | Path = field(default_factory=lambda: MemoryDisk(TABLES))
    """In memory, or a store's file."""
    lives: int = 0
    waits: list[str] = field(default_factory=list)
    """What runs waited for when people last looked."""
    _points: list[Points] = field(default_factory=list)
    _remembered: dict[bytes, ModelReply] = field(default_factory=dict)
    _models: Mapping[str, Model] = field(default_factory=dict)
    _tools: Sequence[ToolContract[Any, Any]] = ()

    def __post_init__(self) -> None:
        """Clear the ledger, and put faults around the tools; the plans count on over all lives."""
        self.cast.ledger.clear()
        models = self.cast.models
        given = models() if callable(models) else models
        self._models = {
            name: model.begun_anew() if isinstance(model, ScriptedModel) else model for name, model in given.items()
        }
        self._tools = [self._in_this_world(tool) for tool in self.cast.tools()]

    def _in_this_world(self, tool: ToolContract[Any, Any]) -> ToolContract[Any, Any]:
        watched = self.cast.ledger.watch(tool) if self.cast.watches else tool
        if self.plan is None:
            return watched
        return faults(watched, self.plan(tool.name, "attempt"), look_ups=self.plan(tool.name, "look-up"))

    def kernel(self, points: Points, **more: Any) -> VirtualKernel:
        """Return the next kernel to live in this world."""
        self.lives += 1
        self._points.append(points)
        made = VirtualKernel(
            *self.cast.agents,
            tools=[points.around(tool) for tool in self._tools],
            models=self._models,
            policies=self.cast.policy,
            budgets=self.cast.budgets,
            store=self.disk,
            seed=self.seed * 1_000 + self.lives,
            points=points,
            group_delay_ms=self.group_delay_ms,
            **more,
        )
        made.remembered = self._remembered
        return made

    @property
    def calls(self) -> int:
        """Attempts and look-ups of tools so far, over all lives."""
        return sum(points.calls for points in self._points)

    async def attend(self, kernel: VirtualKernel) -> None:
        """Say what people say, until every run has ended. Raises CheckFailed for a run that is blocked, or waits for nobody."""
        silent = 0
        while True:
            await asyncio.sleep(_SOON_S)
            change = kernel.next_change()
            said, _ = await self.listen(kernel, lambda: False)
            if await self.all_ended(kernel):
                return
            self.waits = await whoever_waits(kernel)
            silent = 0 if said else silent + 1
            if silent >= _SILENT_MAX and await _nothing_is_due(kernel):
                raise CheckFailed("it is stuck", self.waits)
            if not said:
                await asyncio.wait({change}, timeout=POLL_S_MAX)

    async def listen(self, kernel: VirtualKernel, hesitates: Callable[[], bool]) -> tuple[int, int]:
        """Say what people say to whatever waits for them; return to how much something was said, and about how much they hesitate."""
        said = left = 0
        for row in await kernel.waiting():
            if row["kind"] not in _FOR_PEOPLE:
                continue
            if hesitates():
                left += 1
            else:
                said += await self.cast.people.answer(kernel, row)
        for row in await kernel.actions(status="in_doubt"):
            said += await settle(kernel, row, self.cast.ledger)
        return said, left

    async def all_ended(self, kernel: VirtualKernel) -> bool:
        """Tell whether there is nothing left to happen. Raises CheckFailed for a run that is blocked."""
        runs = await kernel.runs()
        blocked = [f"agent {row['agent']}: {row['reason']}" for row in runs if row["status"] == "blocked"]
        if blocked:
            raise CheckFailed("a run is blocked", blocked)
        doubts = await kernel.actions(status="in_doubt")
        return bool(runs) and not doubts and all(row["status"] in ALL_ENDS for row in runs)


async def _nothing_is_due(kernel: VirtualKernel) -> bool:
    """Tell whether runs wait for nothing but signals and one another, without an end."""
    waiting = await kernel.waiting()
    runs = [row for row in await kernel.runs() if row["status"] not in ALL_ENDS]
    endless = all(row["kind"] in {"signal", "child"} and not row["due_at"] for row in waiting)
    return bool(waiting) and endless and all(row["status"] == "waiting" for row in runs)


async def whoever_waits(kernel: VirtualKernel) -> list[str]:
    """Say what open runs wait for, one sentence each."""
    found = [
        f"run {row['run']} waits for {row['kind']} {row['subject'] or ''} {row['details'] or ''}".rstrip()
        for row in await kernel.waiting()
    ]
    stuck = [row for row in await kernel.runs() if row["status"] not in ALL_ENDS]
    return found or [f"run {row['run']} of agent {row['agent']} is {row['status']}" for row in stuck]


async def events_of(kernel: VirtualKernel) -> list[Event]:
    """Return all events of a store, in the journal's order."""
    return [decode_entry(entry) async for _, entry in kernel.journal.scan()]


async def books(kernel: VirtualKernel, stage: Stage) -> list[str]:
    """Compare what the journal says with the ledger, the projections with the journal, the tree with its entries, what is sealed with what stands in them; say what is wrong."""
    events = await events_of(kernel)
    wrong = _effects_and_intents(events, stage.cast)
    open_ones = [row for row in await kernel.actions() if row["status"] == "intended"]
    wrong += [f"its run ended, and it is still intended: {row['run']}.{row['step']}" for row in open_ones]
    other = MemoryJournal(MemoryDisk(TABLES), kernel.engine.shared.clock)
    await rebuild(kernel.journal, other, lambda _: None)
    wrong += [f"projection: {difference}" for difference in await compare(kernel.journal, other)]
    findings = (await kernel.journal.verify(_unheard)).findings
    wrong += [f"tree: {finding.message}" for finding in findings]
    return wrong + open_values(kernel, [entry async for _, entry in kernel.journal.scan()])


def _unheard(done: int, of_all: int) -> None:
    """Take notice of progress."""


def _effects_and_intents(events: Sequence[Event], cast: Cast) -> list[str]:
    """Compare effects with intents, by key; what was written down without a key is not looked at."""
    intended = {(event.run, event.data.step): event.data for event in events if isinstance(event.data, ActionIntended)}
    performed = [
        intended[event.run, event.data.step]
        for event in events
        if isinstance(event.data, ActionPerformed)
        or (isinstance(event.data, ActionSettled) and event.data.verdict == "done")
    ]
    done = {action.key for action in performed}
    kinds = {tool.name: tool.effect for tool in cast.tools()}
    lines = [line for line in cast.ledger.lines if line.key and kinds.get(line.what) is not Effect.READ]
    happened = Counter((line.key, line.what) for line in lines)
    wrong = [f"{what} happened {count} times under {key}" for (key, what), count in happened.items() if count != 1]
    keys = {key for key, _ in happened}
    wrong += [f"done without an intent: {key}" for key in sorted(keys - {one.key for one in intended.values()})]
    wrong += [f"done, and the journal does not say so: {key}" for key in sorted(keys - done)]
    seen = {action.key for action in performed if action.tool in cast.ledger.watched}
    return wrong + [f"said to be done, and is not: {key}" for key in sorted(seen - keys)]


async def outcome_of(kernel: VirtualKernel, run: RunId) -> tuple[str, str]:
    """Return how a run ended: its status, with its output or its failure mode. Raises NotFound."""
    row = next(iter(await kernel.journal.select("runs", {"run": run})), None)
    if row is None:
        message = f"there is no run {run}"
        raise NotFound(message)
    state = await kernel.engine.state(run)
    end = state.end
    if isinstance(end, Json):
        return str(row["status"]), end.text.decode()
    return str(row["status"]), "" if end is None else end.code
