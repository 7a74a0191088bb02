"""Circumstances: what the kernel knows about a call besides its arguments, from the journal and the clock, for policies.

Asked lazily: only what a rule names costs anything. A count is of what is durable and of what this process has put on its way to the disk;
all intents of a store come from the one process that holds its lock, so nothing is missed (docs/decisions/0012).
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import json

from kernos.control.administrator import Administrator
from kernos.control.carrying import labels_in
from kernos.control.gate import digest_of
from kernos.control.projections.counts import TABLE
from kernos.kernel.identity import roles_of
from kernos.kernel.state import Phase, RunState, Step, StepKind
from kernos.ports.clock import Clock
from kernos.ports.journal import Commit, Range, Views
from kernos.vocabulary.circumstances import (
    MODEL_CALLS,
    WEEKDAYS,
    Counted,
    Counter,
    Declared,
    KeyPath,
    RecordRead,
    Totals,
)
from kernos.vocabulary.flow import Verdict
from kernos.vocabulary.gate import Answer
from kernos.vocabulary.ids import EpochMs, RunId, StepName, TenantId
from kernos.vocabulary.journal import RowOp, Scalar
from kernos.vocabulary.quantities import Json

_SINCE = "/since"
"""What the name of a counter ends with under which the calls stand that it begins anew after: no declared name has a slash."""


@dataclass(frozen=True, slots=True)
class _Coming:
    """An entry of a counter on its way to the disk."""

    at: int
    amount: int
    commit: Commit


@dataclass(frozen=True, slots=True)
class _Going:
    """On its way to the disk: that the entries of an action do not stand."""

    by: RunId
    commit: Commit


_Action = tuple[Scalar, Scalar]
"""Run and step."""


class Circumstances:
    """What one kernel knows; shared by its sessions."""

    def __init__(
        self, declared: Declared, views: Views, clock: Clock, administrator: Administrator, until: EpochMs | None = None
    ) -> None:
        """Take what is declared, where counts stand, and who has which roles; `until`: only what was counted before."""
        self.administrator = administrator
        self._views = views
        self._until = until
        self.clock = clock
        self._coming: dict[tuple[Scalar, Scalar], dict[_Action, _Coming]] = {}
        """By counter and key."""
        self._going: dict[_Action, _Going] = {}
        self.declare(declared)

    def declare(self, declared: Declared) -> None:
        """Go by what is declared now; what was counted under a name counts on."""
        zone = declared.zone
        self.zone = UTC if zone == "UTC" else ZoneInfo(zone)
        self.counters = {counter.name: counter for counter in declared.counters}
        self.records = {record.name: record for record in declared.records}
        self._kept = [counter for counter in declared.counters if not counter.in_run]
        self._counting = {tool for counter in self._kept for tool in (*counter.tools, *counter.since)}

    def around(
        self,
        state: RunState,
        tool: str,
        args: Json,
        flow: Verdict | None,
        is_tainted: Callable[[], bool],
        but: StepName | None = None,
    ) -> "Around":
        """Return what is known about one call of a run; `but`: the call itself, where it was counted already."""
        return Around(self, state, tool, args, flow, is_tainted, but)

    def counted(self, tenant: TenantId, tool: str, args: Json) -> tuple[Counted, ...]:
        """Return what an action adds to the counters of its tenant."""
        if tool not in self._counting:
            return ()
        value = json.decode(args.text)
        found: list[Counted] = []
        for counter in self._kept:
            key = _key(value, counter.by, tool)
            if tool in counter.tools:
                found.append(Counted(counter.name, _placed(tenant, key), _amount(value, counter.of, tool)))
            if tool in counter.since:
                found.append(Counted(counter.name + _SINCE, _placed(tenant, key), 0))
        return tuple(found)

    def take(self, run: RunId, rows: Sequence[RowOp], commit: Commit) -> None:
        """Take notice of what a run's newest events change, before it is durable."""
        if not self._kept:
            return
        for row in rows:
            if row.table != TABLE.name:
                continue
            action = (row.key[0], row.key[1])
            if row.op == "put":
                place = (row.key[2], row.columns["key"])
                entry = _Coming(int(row.columns["at"] or 0), int(row.columns["amount"] or 0), commit)
                self._coming.setdefault(place, {})[action] = entry
            else:
                self._going = {one: going for one, going in self._going.items() if not going.commit.is_over}
                self._going[action] = _Going(run, commit)

    def forget(self, run: RunId) -> None:
        """Take notice that a run's newest events will never be durable; what is durable of it stands on disk."""
        self._going = {action: going for action, going in self._going.items() if going.by != run}
        for coming in self._coming.values():
            for action in [action for action in coming if action[0] == run]:
                del coming[action]

    def total(self, counter: Counter, key: str, but: _Action | None = None) -> int:
        """Return what a counter stands at for a key with its tenant, without one action."""
        begin = self.clock.now() - counter.within_ms if counter.within_ms else 0
        if counter.since:
            _, _, newest = self._totals(counter.name + _SINCE, key, 0, but)
            begin = max(begin, newest)  # What came in the same millisecond counts: it may have been later.
        rows, total, _ = self._totals(counter.name, key, begin, but)
        return total if counter.of is not None else rows

    def _totals(self, counter: str, key: str, begin: int, but: _Action | None) -> tuple[int, int, int]:
        """Add up what is durable and what is on its way, each entry once although it becomes durable meanwhile."""
        coming = self._still_coming(counter, key)
        going = {action for action, one in self._going.items() if not one.commit.is_over}
        going |= {but} if but is not None else set()
        while True:
            before = self._durable(counter, key, begin, (*coming, *going))
            durable = self._of(counter, key, begin)
            if self._durable(counter, key, begin, (*coming, *going)) == before:
                break
        late = [one for action, one in coming.items() if action not in before and action not in {*self._going, but}]
        late = [one for one in late if one.at >= begin]
        gone = [before[action] for action in going if action in before]
        rows = durable.rows + len(late) - len(gone)
        total = durable.total + sum(one.amount for one in late) - sum(one.total for one in gone)
        newest = self._newest(counter, key, durable.newest, gone)
        return rows, total, max((newest, *(one.at for one in late)))

    def _newest(self, counter: str, key: str, newest: int, gone: Sequence[Totals]) -> int:
        """Return when the newest durable entry was counted that is none of the gone."""
        while newest and (left_out := sum(one.newest == newest for one in gone)):
            if self._of(counter, key, newest, until=newest + 1).rows > left_out:
                break
            newest = self._of(counter, key, 0, until=newest).newest
        return newest

    def _still_coming(self, counter: str, key: str) -> dict[_Action, _Coming]:
        coming = self._coming.get((counter, key), {})
        left = {action: one for action, one in coming.items() if not one.commit.is_over}
        if left:
            self._coming[counter, key] = left
        else:
            self._coming.pop((counter, key), None)
        return left

    def _durable(self, counter: str, key: str, begin: int, actions: Iterable[_Action]) -> dict[_Action, Totals]:
        """Return which of the actions stand among the counted on disk."""
        found = {action: self._of(counter, key, begin, action) for action in actions}
        return {action: totals for action, totals in found.items() if totals.rows}

    def _of(
        self, counter: str, key: str, begin: int, action: _Action | None = None, until: int | None = None
    ) -> Totals:
        where: dict[str, Scalar | Range] = {"counter": counter, "key": key, "at": (begin, until or self._until)}
        if action is not None:
            where["run"], where["step"] = action
        return self._views.totals(TABLE.name, where, of="amount", at="at")


class Around:
    """What is known about one call: a `vocabulary.circumstances.Known`."""

    def __init__(
        self,
        all_known: Circumstances,
        state: RunState,
        tool: str,
        args: Json,
        flow: Verdict | None,
        is_tainted: Callable[[], bool],
        but: StepName | None = None,
    ) -> None:
        """Take the call; nothing is looked up before it is asked for."""
        self._all = all_known
        self._state = state
        self._tool = tool
        self._args = args
        self._flow = flow
        self._is_tainted = is_tainted
        self._but = but

    def value(self, name: str) -> object:
        """Return one circumstance as a JSON value; None when there is none for this call."""
        counter = self._all.counters.get(name)
        if counter is not None:
            return self._count(counter)
        record = self._all.records.get(name)
        if record is not None:
            return self._record(record)
        return _ALWAYS[name](self)

    def _count(self, counter: Counter) -> int | None:
        key = _key(json.decode(self._args.text), counter.by, self._tool)
        if key is None:
            return None
        if counter.in_run:
            return self._in_run(counter, key)
        but = (self._state.run, self._but) if self._but is not None else None
        return self._all.total(counter, _placed(self._state.request().tenant, key), but)

    def _in_run(self, counter: Counter, key: str) -> int:
        begin = max((step.n for step in self._calls(counter.since, counter.by, key)), default=-1)
        begin = max(begin, self._newest_model_call()) if MODEL_CALLS in counter.since else begin
        counted = [step for step in self._calls(counter.tools, counter.by, key) if step.n > begin]
        if counter.of is None:
            return len(counted)
        return sum(_amount(json.decode(step.args.text), counter.of, step.what) for step in counted)

    def _calls(self, tools: Collection[str], by: KeyPath, key: str) -> list[Step]:
        """Return the run's calls of some tools for a key that happened or may have happened."""
        return [
            step
            for name, step in self._state.steps.items()
            if step.kind is StepKind.CALL
            and name != self._but
            and step.what in tools
            and _counts(step)
            and _key(json.decode(step.args.text), by, step.what) == key
        ]

    def _newest_model_call(self) -> int:
        models = (step.n for step in self._state.steps.values() if step.kind is StepKind.MODEL)
        return max(models, default=-1)

    def _record(self, record: RecordRead) -> object:
        key = _key(json.decode(self._args.text), record.by, self._tool)
        if key is None:
            return None
        read = [step for step in self._calls(record.tools, record.by, key) if isinstance(step.outcome, Json)]
        newest = max(read, key=lambda step: step.n, default=None)
        return json.decode(newest.outcome.text) if newest is not None and isinstance(newest.outcome, Json) else None

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._all.clock.now() / 1_000, self._all.zone)

    def _digest(self) -> str:
        return digest_of(self._args)

    def _tainted(self) -> bool:
        return self._is_tainted()

    def _unvouched(self) -> list[str]:
        concerns = self._flow.concerns if self._flow is not None else ()
        return sorted({concern.what for concern in concerns})

    def _roles(self) -> list[str]:
        """Return the roles, in this tenant, of whoever the run acts for."""
        state = self._state
        return sorted(roles_of(self._all.administrator.state, state.requested_by, state.request().tenant))

    def _approvals(self) -> int:
        """Count the actions of this run that were taken because a person said yes."""
        steps = (step for name, step in self._state.steps.items() if name != self._but and step.attempt > 0)
        return sum(step.gate is not None and step.gate.answer is Answer.ASK for step in steps)


_ALWAYS: Mapping[str, Callable[[Around], object]] = {
    "tool": lambda around: around._tool,  # noqa: SLF001 - the table of this class's own parts
    "digest": Around._digest,  # noqa: SLF001
    "now_ms": lambda around: around._all.clock.now(),  # noqa: SLF001
    "hour": lambda around: around._now().hour,  # noqa: SLF001
    "minute": lambda around: around._now().minute,  # noqa: SLF001
    "weekday": lambda around: WEEKDAYS[around._now().weekday()],  # noqa: SLF001
    "read_untrusted": Around._tainted,  # noqa: SLF001
    "unvouched": Around._unvouched,  # noqa: SLF001
    "approvals": Around._approvals,  # noqa: SLF001
    "roles": Around._roles,  # noqa: SLF001
    "labels": lambda around: labels_in(around._args),  # noqa: SLF001
}


def _counts(step: Step) -> bool:
    """Tell whether a call happened, may have happened or is under way: what is in doubt counts as done."""
    if step.phase is Phase.DONE:
        return isinstance(step.outcome, Json) or (step.outcome is not None and step.outcome.code == "in_doubt")
    return step.phase in (Phase.INTENDED, Phase.BACKING_OFF, Phase.LOOKING_UP, Phase.DOUBTED)


def _key(args: Any, by: KeyPath, tool: str) -> str | None:
    """Return the key in a call's arguments, as JSON so that 1 and "1" differ; empty where there is none to be; None where it is missing."""
    paths = by.of(tool)
    if not paths:
        return "" if not by.others else None
    found = [_at(args, path) for path in paths]
    return None if None in found else json.encode(found, order="sorted").decode()


def _placed(tenant: TenantId, key: str | None) -> str:
    """Return the key among those of all tenants; a tenant's name has no space in it."""
    return f"{tenant} {key or ''}"


def _amount(args: Any, of: KeyPath | None, tool: str) -> int:
    found = _at(args, of.of(tool)[0]) if of is not None else 0
    return found if type(found) is int else 0


def _at(value: Any, path: str) -> Any:
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value
