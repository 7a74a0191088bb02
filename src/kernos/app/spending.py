"""Spending: how the caps of a store stand, and the way for a person to raise one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from kernos.app.kernel import Kernel
from kernos.control.projections.accounts import TABLE
from kernos.control.projections.reservations import TABLE as RESERVATIONS
from kernos.control.raising import Signing, recorded, signed
from kernos.control.surroundings import Surroundings
from kernos.control.treasury import day_of, raising, shown
from kernos.kernel.administration import AskedRaise, RaisedCap
from kernos.kernel.budget import own_caps, standing
from kernos.kernel.identity import roles_of
from kernos.kernel.state import Phase
from kernos.ports.approvals import SignYes
from kernos.ports.journal import Row
from kernos.vocabulary.administration import EVERY_TENANT, Scope
from kernos.vocabulary.budget import PLACE, Account, AskRaise, CapRaised, Over, RaiseCap, SettleReservation, Unit
from kernos.vocabulary.errors import InvalidInput, NotAllowed, NotFound
from kernos.vocabulary.ids import EpochMs, PrincipalId, RunId, StepName, TenantId


@dataclass(frozen=True, slots=True)
class Line:
    """One account: what is used of its cap, `reserved` of that for calls under way or cut off by a crash. `cap` -1: it has none now."""

    tenant: str
    over: Over
    name: str
    period: str
    unit: Unit
    cap: int
    used: int
    reserved: int
    warned: int = 0
    """The highest share (percent) of the cap that people were told of in this period; 0 for none."""

    def text(self) -> str:
        """Say how far its cap is used."""
        share = f"{self.used * 100 // self.cap} %" if self.cap else "all"
        return f"{share} of {self.cap} of {shown(self._account())} is used or reserved"

    def command(self) -> str:
        """Return the command that raises its cap."""
        return raising(self._account())

    def _account(self) -> Account:
        return Account(TenantId(self.tenant), self.over, self.name, self.period, self.unit)


@dataclass(frozen=True, slots=True)
class Standing:
    """A reservation that is not settled; `why` is `under way`, `in doubt` (`kernos settle` closes it) or `cut off by a crash`."""

    run: RunId
    n: int
    step: StepName
    amounts: str
    why: str


class Spending:
    """The caps of one kernel's store."""

    def __init__(self, kernel: Kernel) -> None:
        """Take the kernel, whose caller and caps count."""
        self._kernel = kernel

    async def lines(self) -> Sequence[Line]:
        """Return every account that was counted in, newest days last; to whoever belongs to one tenant, that one's. Raises NotAllowed."""
        self._kernel.authority.who("", Scope.LOOK)
        return await self._lines(await self._kernel.journal.select(TABLE.name, {}, order="period"))

    async def warnings(self) -> Sequence[Line]:
        """Return the accounts of today, and of open runs, where a share of the cap was passed that people are told of. Raises NotAllowed."""
        self._kernel.authority.who("", Scope.LOOK)
        today = day_of(self._kernel.engine.shared.clock.now())
        rows = [
            row
            for row in await self._kernel.journal.select(TABLE.name, {"warned": (1, None)}, limit=-1)
            if row["period"] == today or (row["over"] == Over.RUN and await self._is_open(str(row["name"])))
        ]
        return [line for line in await self._lines(rows) if line.cap >= 0 and line.used * 100 >= line.warned * line.cap]

    async def _is_open(self, run: str) -> bool:
        rows = await self._kernel.journal.select("runs", {"run": run})
        return any(row["ended_at"] is None for row in rows)

    async def _lines(self, rows: Iterable[Row]) -> Sequence[Line]:
        found: list[Line] = []
        for row in rows:
            over, unit, name = Over(str(row["over"])), Unit(str(row["unit"])), str(row["name"])
            tenant = TenantId(str(row["tenant"]))
            cap = await self._cap(tenant, over, name, unit)
            found.append(
                Line(
                    tenant,
                    over,
                    name,
                    str(row["period"]),
                    unit,
                    cap,
                    int(row["used"] or 0),
                    int(row["reserved"] or 0),
                    int(row["warned"] or 0),
                )
            )
        return found

    async def standing(self) -> Sequence[Standing]:
        """Return what is reserved for calls and not settled, oldest run first; places of open runs are left out."""
        self._kernel.authority.who("", Scope.LOOK)
        found: list[Standing] = []
        for row in await self._kernel.journal.select(RESERVATIONS.name, {}, limit=-1):
            state = await self._kernel.engine.state(RunId(str(row["run"])))
            step, n = StepName(str(row["step"])), int(row["n"] or 0)
            held = state.cut_off.get(n) or state.held.get(step)
            if step != PLACE and held is not None:
                amounts = ", ".join(dict.fromkeys(f"{one.amount} {one.account.unit}" for one in held.bookings))
                is_left = any(one.n == n for one in standing(state))
                is_doubted = step in state.steps and state.steps[step].phase is Phase.DOUBTED
                why = "cut off by a crash" if is_left else "in doubt" if is_doubted else "under way"
                found.append(Standing(state.run, n, step, amounts, why))
        return found

    async def settle(self, reservation: str, verdict: str, note: str, *, by: str = "") -> None:
        """Say what came of a call that a crash cut off: `done`, `not_done` or `unknown` (which counts as done), and how one knows.

        `reservation`: RUN.N, as `standing` has them. What was not done is given back to every cap. Raises NotAllowed for whoever may not raise
        caps and where nothing stands; NotFound; InvalidInput.
        """
        who = self._kernel.authority.who(by, Scope.ADMINISTER)
        name, _, number = reservation.rpartition(".")
        if not name or not number.isdecimal():
            message = f"{reservation!r} names no reservation"
            raise InvalidInput(message, hint="Give RUN.N, as `kernos budget show` lists them.")
        run = await self._kernel.find(name)
        self._check_may_raise(who, (await self._kernel.engine.state(run)).request().tenant)
        await self._kernel.engine.command(run, SettleReservation(int(number), verdict, note), who)

    async def raise_cap(
        self,
        over: Over,
        name: str,
        unit: Unit,
        amount: int,
        *,
        reason: str,
        tenant: str = "",
        by: str = "",
        until: int = 0,
        sign: SignYes | None = None,
    ) -> CapRaised:
        """Let up to `amount` be used from now on, `until` a time in milliseconds since 1970 (0: for good); return what was recorded: the cap before, who says so and why, and their signed word for it.

        `name`: the agent's, or the run's id (or how it begins); empty for a tenant and the store. `sign`: with the person's own key, see
        `app/own_keys.py`. Raises NotAllowed for whoever is no person, or
        lacks the role that `raised_by` names; NotFound where there is no cap; InvalidInput for what does not raise it.
        """
        authority = self._kernel.authority
        if over is Over.STORE:
            who, where = authority.whole(by, Scope.ADMINISTER, "the cap of the whole store"), EVERY_TENANT
        else:
            who, where = authority.who(by, Scope.ADMINISTER), authority.tenant(tenant)
        where, name, before = await self._place(where, over, name, unit)
        self._check_may_raise(who, where)
        now = self._kernel.engine.shared.clock.now()
        if until and until <= now:
            raise InvalidInput("the raise would have ended already", hint="Give a time that is still to come.")
        known = self._kernel.administrator.state.caps.get((where, over, name, unit))
        after = known.data.token if known is not None else ""
        asked_by = await self._asked_by(who, (where, over, name, unit), amount)
        command = RaiseCap(
            where, over, name, unit, before, amount, reason, after=after, until=EpochMs(until), asked_by=asked_by
        )
        return await self._signed(command, who, sign)

    async def ask_raise(
        self, over: Over, name: str, unit: Unit, amount: int, *, reason: str, tenant: str = "", by: str = ""
    ) -> None:
        """Ask for a cap to be raised, as `raise_cap` does it: up to `amount`, by somebody else. Raises NotFound, InvalidInput, NotAllowed."""
        authority = self._kernel.authority
        who = authority.who(by, Scope.START)
        where = EVERY_TENANT if over is Over.STORE else authority.tenant(tenant)
        where, name, _ = await self._place(where, over, name, unit)
        await self._kernel.administrator.command(AskRaise(where, over, name, unit, amount, reason), who)

    def asked(self) -> Sequence[AskedRaise]:
        """Return what people want raised and nobody has raised since, oldest first. Raises NotAllowed as `lines`."""
        self._kernel.authority.who("", Scope.LOOK)
        sees = self._kernel.authority.caller.sees
        asked = [one for one in self._kernel.administrator.state.raises_asked.values() if sees(one.data.tenant)]
        return sorted(asked, key=lambda one: one.at)

    async def _place(self, where: TenantId, over: Over, name: str, unit: Unit) -> tuple[TenantId, str, int]:
        """Return whose cap it is, its name, and how it stands. Raises NotFound where there is none."""
        name = where if over is Over.TENANT else name
        if over is Over.RUN:
            name = await self._kernel.find(name)
            where = (await self._kernel.engine.state(RunId(name))).request().tenant
        before = await self._cap(where, over, name, unit)
        if before < 0:
            message = f"there is no cap on the {unit} of {over} {name}".rstrip()
            raise NotFound(message, hint="See which there are with `kernos budget show`.")
        return where, name, before

    async def _asked_by(self, who: PrincipalId, key: tuple[TenantId, Over, str, Unit], amount: int) -> PrincipalId:
        """Return who else asked for the raise, empty where nobody did; whoever started a run asks for the raise of its cap."""
        asked = self._kernel.administrator.state.raises_asked.get(key)
        must = self._kernel.caps.is_asked_by_another
        if key[1] is Over.RUN:
            started_by = (await self._kernel.engine.state(RunId(key[2]))).requested_by
            if must and started_by == who:
                message = f"{who} started run {key[2]}, and may not raise its cap: that takes somebody else"
                raise NotAllowed(message, hint="Let another person raise it.")
            if asked is None:
                return started_by if started_by != who else PrincipalId("")
        if asked is None or asked.by == who:
            return PrincipalId("")
        if must and amount > asked.data.new:
            message = f"{asked.by} asks for {asked.data.new} {key[3]}, not for {amount}"
            raise NotAllowed(message, hint=f"Give up to {asked.data.new}, or let somebody ask for more.")
        return asked.by

    async def _signed(self, command: RaiseCap, who: PrincipalId, sign: SignYes | None) -> CapRaised:
        shared: Surroundings = self._kernel.engine.shared
        head, at = await self._kernel.journal.head(), shared.clock.now()
        signing = Signing(shared.tokens, shared.chance, shared.approval_token_ms, sign)
        token, own = signed(command, who, at, head, signing)
        command = replace(command, token=token, own_signature=own)
        raised = recorded(command, who, at)
        self._kernel.raises.check(raised)
        await self._kernel.administrator.command(command, who)
        return raised.data

    def raised(self) -> Sequence[tuple[RaisedCap, str]]:
        """Return the newest raise of each cap, oldest first, with why it does not count (empty: it does). Raises NotAllowed as `lines`."""
        self._kernel.authority.who("", Scope.LOOK)
        sees = self._kernel.authority.caller.sees
        caps = [one for one in self._kernel.administrator.state.caps.values() if sees(one.data.tenant)]
        return [(one, self._kernel.raises.complaint(one)) for one in sorted(caps, key=lambda one: one.at)]

    def _check_may_raise(self, who: PrincipalId, tenant: TenantId) -> None:
        if not who.startswith("person:"):
            message = f"{who} is no person, and only a person raises a cap"
            raise NotAllowed(message, hint="Let whoever answers for the money say so.")
        roles = self._kernel.caps.raised_by
        if roles and not set(roles) & set(roles_of(self._kernel.administrator.state, who, tenant)):
            message = f"{who} may not raise caps: that takes the role {' or '.join(roles)}"
            raise NotAllowed(message, hint="Ask somebody who has it; `kernos access list` shows who.")

    async def _cap(self, tenant: TenantId, over: Over, name: str, unit: Unit) -> int:
        caps = {cap.name: cap.amount for cap in self._kernel.caps.caps if (cap.over, cap.unit) == (over, unit)}
        cap = caps.get(name, caps.get("", -1))
        if over is Over.RUN:
            try:
                cap = own_caps((await self._kernel.engine.state(RunId(name))).request().budget).get(unit, cap)
            except NotFound as missing:
                message = f"{name!r} is no run"
                raise InvalidInput(message, hint="Name the first run of the tree.") from missing
        raised = self._kernel.raises.amounts().get((tenant, over, name, unit), -1)
        return max(cap, raised) if cap >= 0 else -1
