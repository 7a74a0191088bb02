"""Undo plan: from what a tree of runs did to the calls that take it back, with what cannot be taken back and why."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

import msgspec

from kernos.control.codec import decode_entry
from kernos.control.registry import Registry
from kernos.kernel.deeds import Deed, deed_at, deeds_of, has_ended, open_below
from kernos.ports.clock import Clock
from kernos.ports.journal import Journal, Row, Views
from kernos.vocabulary.contract import CannotUndo, Compensation, ToolContract
from kernos.vocabulary.errors import KernosError, NotAllowed
from kernos.vocabulary.events import ChildStarted, Event, RunRequested
from kernos.vocabulary.ids import IdempotencyKey, RunId, StepName
from kernos.vocabulary.quantities import Json
from kernos.vocabulary.undo import REVERT_AGENT, UNDO_STEP, PlannedUndo, Undone, UndoPlan

_DIGITS = 16


class Planner:
    """Makes plans from the journal, the table of actions and the declared tools."""

    def __init__(self, journal: Journal, views: Views, registry: Registry, clock: Clock) -> None:
        """Take what to look at."""
        self._journal = journal
        self._views = views
        self._registry = registry
        self._clock = clock

    async def plan(self, run: RunId, to: str) -> UndoPlan:
        """Return how to take back what a run and the runs below it did after its checkpoint `to` (all, if empty), newest first.

        Actions that are taken back already are left out. Raises Tampered; NotAllowed while a run goes on that any of them waited for.
        """
        histories = await self.histories(run)
        going_on = open_below(run, histories)
        if going_on is not None:
            message = f"run {going_on} has not ended, which is below run {run}: what it does yet would be left out"
            hint = f"See what it waits for: `kernos trace {going_on}`; or end it: `kernos cancel {going_on}`."
            raise NotAllowed(message, hint=hint)
        taken_on = await self._taken_on(run, histories)
        undos: list[PlannedUndo] = []
        for deed in deeds_of(run, histories, to):
            tried = await self._views.select("actions", {"undoes": deed.key})
            if not any(row["status"] == "performed" for row in tried):
                undo = self.undo(deed, tried)
                if deed.run != run and not has_ended(histories[deed.run]):
                    going_on_by_itself = f"run {deed.run} goes on by itself: cancel it first, then revert"
                    undo = replace(undo, args="", obstacle=going_on_by_itself)
                elif not undo.obstacle and deed.key in taken_on:
                    undo = replace(undo, args="", obstacle=f"run {taken_on[deed.key]} is about to take it back")
                undos.append(undo)
        calls = [[undo.undone.key, undo.with_tool, undo.args] for undo in undos]
        digest = hashlib.sha256(msgspec.json.encode(calls)).hexdigest()[:_DIGITS]
        return UndoPlan(run, to, tuple(undos), digest)

    async def deed(self, run: RunId, step: StepName) -> Deed | None:
        """Return one action, whatever became of it; None when there is no such action."""
        events = [decode_entry(entry) for entry in await self._journal.read(run)]
        return deed_at(events, step)

    async def histories(self, run: RunId) -> Mapping[RunId, Sequence[Event]]:
        """Return the events of a run and of all runs below it, those that take back left out."""
        found: dict[RunId, Sequence[Event]] = {}
        to_read = [run]
        while to_read:
            one = to_read.pop()
            events = [decode_entry(entry) for entry in await self._journal.read(one)]
            found[one] = events
            below = [event.data for event in events if isinstance(event.data, ChildStarted)]
            to_read.extend(data.child for data in below if data.agent != REVERT_AGENT)
        return found

    async def _taken_on(self, run: RunId, histories: Mapping[RunId, Sequence[Event]]) -> Mapping[IdempotencyKey, RunId]:
        """Return the actions that runs under way are to take back, with the run: those of a part of this tree, or of one around it."""
        around = [run]
        takers: list[RunId] = []
        while (above := await self._above(around[-1], takers)) is not None:
            around.append(above)
        for one in dict.fromkeys((*histories, *around)):
            rows = await self._views.select("runs", {"reverts": one})
            takers.extend(RunId(str(row["run"])) for row in rows if not row["ended_at"])
        found: dict[IdempotencyKey, RunId] = {}
        for taker in takers:
            request = decode_entry((await self._journal.read(taker))[0]).data
            assert isinstance(request, RunRequested), taker
            plan = msgspec.json.decode(request.input.text, type=UndoPlan)
            found.update((undo.undone.key, taker) for undo in plan.undos if not undo.obstacle)
        return found

    async def _above(self, run: RunId, takers: list[RunId]) -> RunId | None:
        """Return the run that this one belongs to; add to `takers` the run by which that one takes back what was done below it."""
        request = decode_entry((await self._journal.read(run))[0]).data
        if not isinstance(request, RunRequested) or not request.parent:
            return None
        events = [decode_entry(entry) for entry in await self._journal.read(request.parent)]
        if not has_ended(events):
            begun = [event.data for event in events if isinstance(event.data, ChildStarted)]
            takers.extend(data.child for data in begun if data.step == UNDO_STEP)
        return request.parent

    def undo(self, deed: Deed, tried: Sequence[Row]) -> PlannedUndo:
        """Return how one action is taken back; `tried` are the actions that were to do so before."""
        undone = Undone(deed.key, deed.tool, deed.agent, deed.agent_version)
        tool = self._registry.tool(deed.tool)
        undo = tool.compensate if tool is not None else None
        obstacle = self._obstacle(deed, tool, tried)
        args = ""
        if not obstacle and undo is not None:
            args, obstacle = _args(deed, undo)
        return PlannedUndo(
            undone,
            deed.at,
            deed.args.text.decode(),
            undo.tool.name if undo is not None else "",
            args,
            obstacle,
            undo.cost_microusd if undo is not None else 0,
            undo.leaves if undo is not None else "",
        )

    def _obstacle(self, deed: Deed, tool: ToolContract[object, object] | None, tried: Sequence[Row]) -> str:
        """Say why an action cannot be taken back, empty when it can."""
        open_try = next(
            (row for row in tried if row["status"] not in ("failed", "not_done", "denied", "not_approved")), None
        )
        if open_try is not None:
            return f"taking it back stands {open_try['status']} in {open_try['run']}.{open_try['step']}"
        if deed.result is None:
            return f"nobody knows whether it happened: say so with `kernos settle {deed.key}`, then revert"
        if tool is None:
            return f"the tool {deed.tool} is not registered here"
        if tool.compensate is None:
            return tool.irrevocable or f"the tool {deed.tool} declares no way to take it back"
        until = deed.at + tool.compensate.within_ms
        if tool.compensate.within_ms and self._clock.now() > until:
            return (
                f"it could be taken back for {tool.compensate.within_ms // 1_000} s after it was done, and that is over"
            )
        return ""


def _args(deed: Deed, undo: Compensation) -> tuple[str, str]:
    """Return the arguments of the call that takes an action back, or why there are none."""
    try:
        return undo.args(deed.args, deed.result or Json(b"null")).text.decode(), ""
    except CannotUndo as cannot:
        return "", str(cannot)
    except KernosError as error:
        return "", f"the arguments of {undo.tool.name} do not fit: {error}"
