"""Treasury: before a model or a tool is called, or a run begins, holds the most that it may use against every cap that counts it, or says there is no room.

A decision counts what is durable and what this process has put on its way to the disk; a guard that travels with the reservation makes it
exact whoever else writes. Who has no cap pays nothing for it. Bounded: by the reservations on their way to the disk.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from kernos.control.projections.accounts import TABLE, key_of
from kernos.control.registry import Registry
from kernos.kernel.budget import Raised, accounts, bound, cost_of, passed
from kernos.kernel.state import RunState
from kernos.ports.journal import Commit, Views
from kernos.ports.model import Priced
from kernos.vocabulary.budget import Account, Booking, Caps, Over, Unit, Warned
from kernos.vocabulary.contract import ToolContract
from kernos.vocabulary.events import RunRequested
from kernos.vocabulary.ids import EpochMs, RunId
from kernos.vocabulary.journal import RowOp, Scalar
from kernos.vocabulary.outcome import Failure
from kernos.vocabulary.quantities import Json
from kernos.vocabulary.questions import AskModel
from kernos.vocabulary.undo import REVERT_AGENT

LOOK_AGAIN_MS = 5
"""How long a call waits for what others have on its way to the disk before it is decided on."""

COME_BACK_MS = 1_000
"""After how long to ask again for a place among the open runs: nobody knows when one ends; most end within seconds."""


@dataclass(frozen=True, slots=True)
class Balance:
    """How an account stands: what is durable, and what comes to it with what is on its way to the disk."""

    durable: int
    coming: int


class Treasury:
    """The caps and accounts of one kernel."""

    def __init__(
        self, caps: Callable[[], Caps], registry: Registry, views: Views, raised: Callable[[], Raised]
    ) -> None:
        """Take the caps that count, who knows the models, where accounts stand, and the caps as they were raised."""
        self._caps = caps
        self._registry = registry
        self._views = views
        self._raised = raised
        self._coming: dict[tuple[Scalar, ...], list[tuple[Commit, int]]] = {}

    def accounts(self, state: RunState, now: EpochMs) -> tuple[tuple[Account, int], ...]:
        """Return the accounts that a run's calls are held against, each with its cap."""
        return self.against(state.request(), state.run, now)

    def against(self, requested: RunRequested, run: RunId, now: EpochMs) -> tuple[tuple[Account, int], ...]:
        """Return the same of what a run was asked with."""
        if not self._caps().caps and requested.budget is None:
            return ()
        return accounts(self._caps().caps, self._raised(), requested, run, day_of(now))

    def used(self, account: Account) -> int:
        """Return what is used or reserved of an account, with what is on its way to the disk."""
        balance = self.balance(account)
        return balance.durable + balance.coming

    def reserved(self, account: Account) -> int:
        """Return what of that is for calls that are not settled."""
        return self._durable(account, "reserved")

    def balance(self, account: Account) -> Balance:
        """Return what is used of an account."""
        key = key_of(account)
        coming = [(commit, change) for commit, change in self._coming.get(key, ()) if not commit.is_over]
        if coming:
            self._coming[key] = coming
        else:
            self._coming.pop(key, None)
        return Balance(self._durable(account, "used"), sum(change for _, change in coming))

    def _durable(self, account: Account, column: str) -> int:
        names = [name for name, _ in TABLE.columns[: TABLE.key_columns]]
        where = dict(zip(names, key_of(account), strict=True))
        return self._views.totals(TABLE.name, where, of=column, at=column).total

    def take(self, rows: Sequence[RowOp], commit: Commit) -> None:
        """Take notice of what newest events change, before it is durable."""
        for row in rows:
            if row.table == TABLE.name:
                self._coming.setdefault(row.key, []).append((commit, int(row.columns["used"] or 0)))

    def needs(self, question: AskModel) -> dict[Unit, int | None]:
        """Return what a call can use at most."""
        model, request = self._registry.model(question.model), question.request
        texts = (request.instructions.encode(), request.task.encode(), request.input.text, request.schema.text)
        length = sum(map(len, texts)) + len(request.schema.text)  # The schema may be written out twice.
        prices = model.prices if isinstance(model, Priced) else None
        return dict(bound(prices, length, request.completion_tokens_max))

    def hold(self, state: RunState, question: AskModel, now: EpochMs) -> "Failure | NoRoom | Bookings | None":
        """Say what to reserve for a call, or why it may not be made or has no room; None: what others have on its way decides."""
        against = self.accounts(state, now)
        return self._book(against, self.needs(question) if against else {}, question.model)

    def hold_call(
        self, state: RunState, tool: ToolContract[Any, Any], args: Json, now: EpochMs
    ) -> "Failure | NoRoom | Bookings | None":
        """Say what to reserve for a call of a tool, likewise."""
        against = self.accounts(state, now)
        if not against:
            return Bookings((), ())
        cost = cost_of(tool.cost, args)
        needs: dict[Unit, int | None] = {Unit.CALLS: 1} if cost == 0 else {Unit.CALLS: 1, Unit.MICROUSD: cost}
        reported = tool.cost.reported if tool.cost is not None else ""
        return self._book(against, needs, f"a call of {tool.name}", reported)

    def admit(self, requested: RunRequested, run: RunId, now: EpochMs) -> "Failure | Bookings | None":
        """Say what a run takes of caps on open runs, or why it may not begin; None as above.

        What takes actions back always may.
        """
        if not self._caps().caps or requested.agent == REVERT_AGENT:
            return Bookings((), ())
        places = self._book(
            accounts(self._caps().caps, self._raised(), requested, run, day_of(now)), {Unit.RUNS: 1}, ""
        )
        return places.failure if isinstance(places, NoRoom) else places

    def _book(
        self, against: Sequence[tuple[Account, int]], needs: Mapping[Unit, int | None], what: str, reported: str = ""
    ) -> "Failure | NoRoom | Bookings | None":
        bookings: list[Booking] = []
        warnings: list[str] = []
        warned: list[Warned] = []
        for account, cap in against:
            if account.unit not in needs:
                continue
            amount = needs[account.unit]
            if amount is None:
                return Failure("over_budget", f"{shown(account)} has a cap, and nobody knows what {what} costs")
            balance = self.balance(account)
            used = balance.durable + balance.coming
            if used + amount > cap:
                if balance.coming:
                    return None
                wanted = (Booking(one, needs[one.unit] or 0, most) for one, most in against if one.unit in needs)
                return NoRoom(self._no_room(account, cap, used, amount), tuple(wanted))
            bookings.append(Booking(account, amount, cap, reported if account.unit is Unit.MICROUSD else ""))
            shares = () if account.unit is Unit.RUNS else passed(used, amount, cap, self._caps().warn_at)
            before = self._durable(account, "warned") if shares else 0
            fresh = [share for share in shares if share > before]
            warnings.extend(f"{share} % of {shown(account)}" for share in fresh)
            warned.extend(Warned(account, share, before) for share in fresh[-1:])
        return Bookings(tuple(bookings), tuple(warnings), tuple(warned))

    def _no_room(self, account: Account, cap: int, used: int, amount: int) -> Failure:
        who = " or ".join(self._caps().raised_by) or "a person who administers"
        may_raise = f"{who} can raise that: {raising(account)}"
        is_everybodys = account.over is Over.STORE  # What the whole uses is not for the people of one tenant.
        if account.unit is Unit.RUNS:
            come_back = Json(b'{"retry_after_ms":%d}' % COME_BACK_MS)
            so_many = "as many runs are open as may be" if is_everybodys else f"{used} of {cap} runs are open"
            why = f"{so_many} of {shown(account)}; come back when one has ended, or {may_raise}"
            return Failure("over_budget", why, come_back)
        so_much = "less is left" if is_everybodys else f"{used} of {cap} are used or reserved"
        why = f"it may use up to {amount} {account.unit}, and {so_much} of {shown(account)}"
        return Failure("over_budget", f"{why}; {may_raise}")


@dataclass(frozen=True, slots=True)
class Bookings:
    """What to reserve, and which shares of caps are passed with it."""

    bookings: tuple[Booking, ...]
    warnings: tuple[str, ...]
    warned: tuple[Warned, ...] = ()


@dataclass(frozen=True, slots=True)
class NoRoom:
    """Why there is no room for a call, and all that it would have to reserve."""

    failure: Failure
    wanted: tuple[Booking, ...]


def places_of(
    treasury: Treasury, parent: RunState, child: RunId, agent: str, now: EpochMs
) -> tuple[Booking, ...] | Failure | None:
    """Return what a child run takes of caps on open runs, or why it may not begin; None: what is on its way to the disk decides."""
    above = parent.request()
    below = replace(above, agent=agent, root=above.root or parent.run, workflow=above.workflow or above.agent)
    places = treasury.admit(below, child, now)
    return places if places is None or isinstance(places, Failure) else places.bookings


def day_of(now: EpochMs) -> str:
    """Return the day (UTC) that an account of that time counts in."""
    return datetime.fromtimestamp(now / 1_000, UTC).date().isoformat()


def shown(account: Account) -> str:
    """Name an account's cap for people."""
    name = "the whole store" if account.over is Over.STORE else f"{account.over} {account.name}"
    return f"{name} ({account.unit}{', ' + account.period if account.period else ''})"


def raising(account: Account) -> str:
    """Return the command that raises an account's cap."""
    name = f" --name {account.name}" if account.over not in (Over.TENANT, Over.STORE) else ""
    return f"kernos budget raise {account.over} {account.unit} AMOUNT{name} --reason WHY"
