"""Reconciler: asks services for their own lists of effects and tells how they differ from the journal, with the way back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from kernos.control.undo_plan import Planner
from kernos.kernel.reconcile import Acted, Deviation, Finding, Seen, differences
from kernos.ports.journal import Row, Views
from kernos.vocabulary.contract import Listing, ToolContract, ToolFailed
from kernos.vocabulary.ids import EpochMs, IdempotencyKey, RunId, StepName, step_key
from kernos.vocabulary.quantities import NULL, Json
from kernos.vocabulary.undo import PlannedUndo, undo_key

_PAGE = 1_000

_STATUS = {
    "performed": "performed",
    "intended": "open",
    "in_doubt": "doubted",
    "unknown": "doubted",
    "failed": "failed",
    "not_done": "failed",
}
"""From the table of actions to what a list can be compared with; other actions never left the kernel."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference between a service and the journal. `run`, `step` and `tool` name the action, empty where nobody intended it."""

    deviation: str
    listing: str
    reference: str
    run: str = ""
    step: str = ""
    tool: str = ""
    args: str = ""
    """What it was called with, as JSON text."""
    undo: PlannedUndo | None = None
    """How it is taken back, where there is too much of it."""
    settled: str = ""
    """What was done about it already."""


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What a sweep found; `unheard` are lists that could not be read, with the reason."""

    since: int
    until: int
    actions: int
    effects: int
    differences: tuple[Difference, ...]
    unheard: tuple[str, ...]


class Reconciler:
    """Compares the actions of a span of time with the services' own lists."""

    def __init__(self, views: Views, planner: Planner, tools: Sequence[ToolContract[Any, Any]]) -> None:
        """Take the table of actions, who knows how to take actions back, and the tools; those without a list are left out."""
        self._views = views
        self._planner = planner
        self._listings: dict[str, tuple[Listing, list[str]]] = {}
        for tool in tools:
            if tool.listed is not None:
                self._listings.setdefault(tool.listed.name, (tool.listed, []))[1].append(tool.name)

    async def sweep(self, since: EpochMs, until: EpochMs) -> Reconciliation:
        """Ask every list about the actions begun in [since, until) and return all differences."""
        found: list[Difference] = []
        unheard: list[str] = []
        actions = effects = 0
        for listing, tools in self._listings.values():
            rows = [row for tool in tools for row in await self._rows(tool, since, until)]
            rows.sort(key=lambda row: int(row["at"] or 0))
            args = [Json(text.encode()) for text in dict.fromkeys(str(row["args"]) for row in rows)]
            try:
                listed = await listing.ask(since, until, args)
            except ToolFailed as failed:
                unheard.append(f"{listing.name}: {failed}")
                continue
            acted = [_acted(row) for row in rows]
            seen = [Seen(one.reference, msgspec.json.decode(one.args.text), one.key, one.tools) for one in listed]
            by_key = {action.key: row for action, row in zip(acted, rows, strict=True)}
            results = {one.reference: one.result for one in listed}
            for finding in differences(acted, seen):
                found.append(await self._told(listing.name, finding, by_key, results.get(finding.reference)))
            actions, effects = actions + len(rows), effects + len(listed)
        return Reconciliation(since, until, actions, effects, tuple(found), tuple(unheard))

    async def _rows(self, tool: str, since: EpochMs, until: EpochMs) -> list[Row]:
        rows = await self._views.select("actions", {"tool": tool, "at": (since, until)}, limit=1_000_000)
        return [row for row in rows if row["status"] in _STATUS]

    async def _told(
        self, listing: str, finding: Finding, by_key: Mapping[IdempotencyKey, Row], result: Json | None
    ) -> Difference:
        if not finding.key:
            return Difference(finding.deviation, listing, finding.reference)
        row = by_key[IdempotencyKey(finding.key)]
        run, step = str(row["run"]), str(row["step"])
        undo, settled = None, ""
        if finding.deviation in (Deviation.DOUBLED, Deviation.LATE):
            undo, settled = await self._way_back(RunId(run), StepName(step), finding.reference, result)
        return Difference(
            finding.deviation, listing, finding.reference, run, step, str(row["tool"]), str(row["args"]), undo, settled
        )

    async def _way_back(
        self, run: RunId, step: StepName, reference: str, result: Json | None
    ) -> tuple[PlannedUndo | None, str]:
        """Return how an effect too much is taken back, or what was done about it already.

        It is taken back under a key of its own, made of the action's and the service's reference.
        """
        key = IdempotencyKey(f"{step_key(run, step)}#{reference}")
        tried = await self._views.select("actions", {"undoes": key})
        done = next((row for row in tried if row["status"] == "performed"), None)
        if done is not None:
            return None, f"taken back by {done['run']}.{done['step']}"
        deed = await self._planner.deed(run, step)
        if deed is None:
            return None, ""
        return self._planner.undo(replace(deed, key=key, result=result or deed.result or NULL), tried), ""


def _acted(row: Row) -> Acted:
    own = IdempotencyKey(step_key(RunId(str(row["run"])), StepName(str(row["step"]))))
    key = undo_key(IdempotencyKey(str(row["undoes"]))) if row["undoes"] else own
    args = msgspec.json.decode(str(row["args"]))
    return Acted(key, str(row["tool"]), args, _STATUS[str(row["status"])])
