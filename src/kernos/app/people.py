"""People: what they say to runs: yes, no, something else, an answer. The part of a kernel that takes it."""

from collections.abc import Mapping
from typing import Any

from kernos.app.editing import changed_arguments
from kernos.app.naming import find_run, only_step, place_of
from kernos.authoring.codec import codec_of
from kernos.control.administrator import Administrator
from kernos.control.attestation import seal_yes
from kernos.control.authority import Authority
from kernos.control.deciding import known_of
from kernos.control.engine import Engine
from kernos.control.gate import digest_of
from kernos.control.registry import Registry
from kernos.execution.seals import Seals, Seen
from kernos.kernel.administration import Stop
from kernos.kernel.identity import roles_of
from kernos.kernel.state import Phase, RunState
from kernos.ports.approvals import SignYes
from kernos.ports.clock import Clock
from kernos.ports.journal import Store
from kernos.ports.vault import Vault
from kernos.vocabulary.administration import Scope
from kernos.vocabulary.commands import (
    AnswerQuestion,
    DenyApproval,
    EditApproval,
    ExplainApproval,
    GrantApproval,
    QuestionApproval,
    SettleAction,
)
from kernos.vocabulary.errors import ContractBroken, InvalidInput, NotAllowed, NotFound
from kernos.vocabulary.ids import PrincipalId, RunId, StepName
from kernos.vocabulary.quantities import Json
from kernos.vocabulary.stops import LiftStop, OrderStop, StopKind, shown_stop


class People:
    """Takes what people say, in the name of whoever a credential belongs to; a base of `Kernel`."""

    authority: Authority
    vault: Vault
    administrator: Administrator
    engine: Engine
    journal: Store
    registry: Registry
    _clock: Clock

    async def find(self, name: str) -> RunId:
        """Return the id of the run that begins with `name`, as in git. Raises NotFound, Ambiguous, NotAllowed; InvalidInput for an empty name."""
        self.authority.check()
        return await find_run(self.journal, name)

    async def approve(
        self, approval: str, *, by: str = "", digest: str = "", note: str = "", sign: SignYes | None = None
    ) -> None:
        """Say yes to the call that waits at `approval` (RUN or RUN.STEP, ids may be shortened).

        `digest`: of the arguments that were looked at; without it, yes to what is asked now. `sign`: with the person's own key, see
        `app/own_keys.py`. Raises NotFound, NotAllowed, RunEnded.
        """
        who = self.authority.who(by, Scope.ANSWER)
        run, step = await self._place(approval, Phase.ASKING)
        state = await self.engine.state(run)
        asked = state.step_in(step, Phase.ASKING, Phase.GRANTED)
        at = self._clock.now()
        asks, head = asked.phase is Phase.ASKING, await self.journal.head()
        roles, token, own = self._roles(who, state), "", ""
        if asks and digest in ("", asked.digest):  # Nothing is signed that was not looked at; the command is refused.
            token, own = seal_yes(self.engine.shared, state, step, who, asked.digest, asked.gate, at, head, sign)
        await self._say(run, step, GrantApproval(step, digest or asked.digest, at, note, token, who, roles, own), who)

    async def deny(self, approval: str, reason: str, *, by: str = "") -> None:
        """Say no to the call that waits at `approval`."""
        who = self.authority.who(by, Scope.ANSWER)
        run, step = await self._place(approval, Phase.ASKING)
        await self._say(run, step, DenyApproval(step, reason, self._clock.now()), who)

    async def edit(
        self,
        approval: str,
        changes: Mapping[str, Any],
        *,
        by: str = "",
        note: str = "",
        sign: SignYes | None = None,
    ) -> None:
        """Change arguments of the call that waits at `approval`, and say yes to the changed ones; `sign` as for `approve`.

        Raises InvalidInput when they do not fit the tool, NotAllowed when policy denies them.
        """
        who = self.authority.who(by, Scope.ANSWER)
        run, step = await self._place(approval, Phase.ASKING)
        state = await self.engine.state(run)
        asked = state.step_in(step, Phase.ASKING)
        contract = self.registry.tool(asked.what)
        agent = self.registry.known_agent(state.request().agent)
        if contract is None or agent is None:
            message = f"the tool {asked.what!r} of run {run} is not registered here"
            raise NotFound(message, hint="Add its agent's module to `agents` in kernos.toml.")
        seals = Seals(self.vault, state.request().tenant)
        args = seals.sealed(contract.input.plan, changed_arguments(contract, asked.args, changes))
        shared = self.engine.shared
        known = known_of(shared, state, asked.what, args)
        gate = shared.gate.decide_call(state.request(), state.requested_by, agent, asked.what, args, known=known)
        at, digest = self._clock.now(), digest_of(args)
        roles, head = self._roles(who, state), await self.journal.head()
        token, own = seal_yes(shared, state, step, who, digest, gate, at, head, sign)
        edit = EditApproval(step, args, digest, gate, at, note, token, who, roles, own)
        await self._say(run, step, edit, who)

    async def ask_back(self, approval: str, question: str, *, by: str = "") -> None:
        """Ask something about the call that waits at `approval`, before saying yes or no."""
        who = self.authority.who(by, Scope.ANSWER)
        run, step = await self._place(approval, Phase.ASKING)
        await self.engine.command(run, QuestionApproval(step, question), who)

    async def explain(self, approval: str, text: str, *, by: str = "") -> None:
        """Answer what was asked back about the call that waits at `approval`. Raises NotAllowed where nothing was."""
        who = self.authority.who(by, Scope.START)
        run, step = await self._place(approval, Phase.ASKING)
        await self.engine.command(run, ExplainApproval(step, text), who)

    def _roles(self, who: PrincipalId, state: RunState) -> frozenset[str]:
        """Return the roles of whoever says yes. Raises NotAllowed for whoever is no person."""
        if not who.startswith("person:"):
            message = f"{who} is no person, and only a person says yes to an action"
            raise NotAllowed(message, hint="Let a person say so; what may go on alone is for policies to say.")
        return roles_of(self.administrator.state, who, state.request().tenant)

    async def answer(self, question: str, answer: str, *, by: str = "") -> None:
        """Answer the question that waits at `question` (RUN or RUN.STEP). Raises NotAllowed for whoever is no person: the answer is a person's word."""
        who = self.authority.who(by, Scope.ANSWER)
        if not who.startswith("person:"):
            message = f"{who} is no person, and the question was put to one"
            raise NotAllowed(message, hint="Let a person answer; what another program says is a signal.")
        run, step = await self._place(question, Phase.WAITING)
        state = await self.engine.state(run)
        agent = self.registry.known_agent(state.request().agent)
        if agent is not None and agent.input.plan is not None and isinstance(answer, str):
            answer = Seals(self.vault, state.request().tenant).searched(answer, None, Seen())
        await self.engine.command(run, AnswerQuestion(step, answer), who)

    async def settle(self, action: str, verdict: str, note: str, *, result: Any = None, by: str = "") -> None:
        """Say what became of an action in doubt: `done` (with its result, as JSON values), `not_done` or `unknown`. Only a person does.

        Raises NotFound, NotAllowed, InvalidInput for a result that does not fit the tool.
        """
        who = self.authority.who(by, Scope.ANSWER)
        if not who.startswith("person:"):
            message = (
                f"{who} is no person, and only a person says what became of an action: with `not_done` it is made again"
            )
            raise NotAllowed(
                message, hint="Let a person look; what a program can look up belongs into the tool's look_up."
            )
        run, step = await self._place(action, Phase.DOUBTED)
        state = await self.engine.state(run)
        text: Json | None = None
        if verdict == "done":
            contract = self.registry.tool(state.step_in(step, Phase.DOUBTED).what)
            given = codec_of(Any).encode(result)
            try:
                text = contract.output.encode(contract.output.decode(given)) if contract is not None else given
                if contract is not None:
                    args = state.step_in(step, Phase.DOUBTED).args
                    text = Seals(self.vault, state.request().tenant).sealed(contract.output.plan, text, asked=args)
            except ContractBroken as broken:
                message = f"the result does not fit {contract.name if contract else 'the tool'}: {broken}"
                hint = "Give the result that the tool would have returned: --result '{...}'."
                raise InvalidInput(message, hint=hint) from broken
        await self.engine.command(run, SettleAction(step, verdict, note, text), who)

    async def stop(self, kind: StopKind | str, name: str = "", *, reason: str, by: str = "") -> None:
        """Let nothing more leave the kernel: of everything (`all`), a `tenant`, an `agent` (NAME or NAME@VERSION) or a `tool`.

        Returns when that is durable; every process over the store goes by it within a second. What it holds for waits until `go`.
        Raises InvalidInput, NotAllowed.
        """
        wanted = _stop_kind(kind)
        await self.administrator.command(OrderStop(wanted, name, reason), self._who_stops(wanted, name, by))

    async def go(self, kind: StopKind | str, name: str = "", *, reason: str = "", by: str = "") -> None:
        """Lift a stop; only a person does. Raises NotFound, InvalidInput, NotAllowed."""
        wanted = _stop_kind(kind)
        who = self._who_stops(wanted, name, by)
        if not who.startswith("person:"):
            message = f"{who} is no person, and only a person lifts a stop"
            raise NotAllowed(message, hint="Let a person look first, and say `kernos go`.")
        await self.administrator.command(LiftStop(wanted, name, reason), who)

    def sees_stop(self, stop: Stop) -> bool:
        """Tell whether whoever gives commands is to know of a stop: not of one of another tenant."""
        return stop.kind is not StopKind.TENANT or self.authority.caller.sees(stop.name)

    def _who_stops(self, kind: StopKind, name: str, by: str) -> PrincipalId:
        own = self.authority.caller.tenant
        if kind is StopKind.TENANT and name == own:
            return self.authority.who(by, Scope.OPERATE)
        return self.authority.whole(by, Scope.OPERATE, f"a stop of {shown_stop(kind, name)}")

    async def _say(
        self, run: RunId, step: StepName, command: GrantApproval | DenyApproval | EditApproval, by: PrincipalId
    ) -> None:
        """Hand over what a person says to a call. Raises NotAllowed when it comes too late: then that is what is recorded."""
        asked = (await self.engine.state(run)).steps.get(step)
        happened = await self.engine.command(run, command, by)
        if happened and asked is not None and command.at >= asked.due_at:
            message = f"the answer to {run}.{step} came too late: the question had expired, which counts as no"
            raise NotAllowed(message, hint="Start the work anew if it is still wanted.")

    async def _place(self, name: str, phase: Phase) -> tuple[RunId, StepName]:
        """Return run and step for RUN.STEP, or for RUN when only one of its steps stands in `phase`."""
        if "." in name:
            prefix, step = place_of(name)
            return await self.find(prefix), step
        run = await self.find(name)
        return run, only_step(await self.engine.state(run), phase)


def _stop_kind(kind: str) -> StopKind:
    try:
        return StopKind(kind)
    except ValueError as error:
        message = f"{kind!r} is nothing that can be stopped"
        raise InvalidInput(message, hint=f"Stop one of: {', '.join(StopKind)}.") from error
