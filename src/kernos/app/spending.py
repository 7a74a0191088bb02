"""Spending: how the caps of a store stand, and the way for a person to raise one."""

from collections.abc import Sequence
from dataclasses import dataclass

from kernos.app.kernel import Kernel
from kernos.control.projections.accounts import TABLE
from kernos.control.projections.reservations import TABLE as RESERVATIONS
from kernos.kernel.budget import own_caps, standing
from kernos.kernel.identity import roles_of
from kernos.kernel.state import Phase
from kernos.vocabulary.administration import EVERY_TENANT, Scope
from kernos.vocabulary.budget import PLACE, Over, RaiseCap, SettleReservation, Unit
from kernos.vocabulary.errors import InvalidInput, NotAllowed, NotFound
from kernos.vocabulary.ids import PrincipalId, RunId, StepName, TenantId


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
        """Return every account that was counted in, newest days last. Raises NotAllowed for whoever belongs to one tenant."""
        self._kernel.authority.whole("", Scope.LOOK, "what was used of caps")
        found: list[Line] = []
        for row in await self._kernel.journal.select(TABLE.name, {}, order="period"):
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
        self._kernel.authority.whole("", Scope.LOOK, "what stands reserved")
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
        self, over: Over, name: str, unit: Unit, amount: int, *, reason: str, tenant: str = "", by: str = ""
    ) -> int:
        """Let up to `amount` be used from now on; return the cap before. Recorded with who says so and why.

        `name`: the agent's, or the run's id (or how it begins); empty for a tenant and the store. Raises NotAllowed for whoever is no person, or
        lacks the role that `raised_by` names; NotFound where there is no cap; InvalidInput for what does not raise it.
        """
        authority = self._kernel.authority
        if over is Over.STORE:
            who, where = authority.whole(by, Scope.ADMINISTER, "the cap of the whole store"), EVERY_TENANT
        else:
            who, where = authority.who(by, Scope.ADMINISTER), authority.tenant(tenant)
        name = where if over is Over.TENANT else name
        if over is Over.RUN:
            name = await self._kernel.find(name)
            where = (await self._kernel.engine.state(RunId(name))).request().tenant
        self._check_may_raise(who, where)
        before = await self._cap(where, over, name, unit)
        if before < 0:
            message = f"there is no cap on the {unit} of {over} {name}".rstrip()
            raise NotFound(message, hint="See which there are with `kernos budget show`.")
        await self._kernel.administrator.command(RaiseCap(where, over, name, unit, before, amount, reason), who)
        return before

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
        raised = self._kernel.administrator.state.caps.get((tenant, over, name, unit), -1)
        return max(cap, raised) if cap >= 0 else -1
