"""Guests: loops that are not ours, at the gate. They propose each call, learn whether they may make it, and report what came of it.

`travel = Guests("travel", [GuestTool("mail.send", "egress", {"to": "destination"}), ...])` declares one; `async with Kernel(path,
agents=[travel.agent]) as kernel, travel.enter(kernel, words) as guest` begins a run with the principal's words. Each proposal is a step of
that run: decided by policy and the rules of flow, asked about, and recorded, like a call of our own agents. No model is needed.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import BaseModel

from kernos.app.kernel import Kernel
from kernos.app.run import Run
from kernos.authoring.agent import agent
from kernos.authoring.codec import codec_of
from kernos.authoring.costing import cost_of
from kernos.authoring.signature import check_name
from kernos.control.provenance import PRINCIPAL_TOPIC
from kernos.execution.context import Context
from kernos.vocabulary.budget import Cost
from kernos.vocabulary.contract import AgentContract, Failed, ToolCall, ToolContract
from kernos.vocabulary.errors import BadDeclaration, CallFailed, CallRefused, ContractBroken, InvalidInput, NotAllowed
from kernos.vocabulary.events import ActionDoubted, ApprovalRequested
from kernos.vocabulary.flow import Consequence, FlowContract, ResultFields, Role
from kernos.vocabulary.gate import Answer
from kernos.vocabulary.ids import RunId
from kernos.vocabulary.outcome import AttemptFailed, Effect, FailureKind
from kernos.vocabulary.quantities import Json, Limits, Retry

_LIMITS = Limits(steps=100_000, wall_time_ms=7 * 86_400_000)
"""A long conversation, and a week for people to answer in it."""

_REPORT_MS_MAX = 600_000
"""How long a guest may take over one call (10 minutes) before nobody knows whether it happened."""


@dataclass(frozen=True, slots=True)
class GuestTool:
    """A tool that a guest calls by itself, as far as the gate has to know it.

    `consequence`: what a call leads to. `roles`: what its arguments are for, by name or path; others are content. `result`: what of its answer
    can be relied on. `asked_by`: words by which people ask for it. `parameters`: a pydantic model or dataclass of its arguments, so that
    they are checked and policies can name them; without it any object is taken.
    """

    name: str
    consequence: Consequence | str
    roles: Mapping[str, Role | str] = field(default_factory=dict)
    result: ResultFields = field(default_factory=ResultFields)
    asked_by: tuple[str, ...] = ()
    parameters: type[Any] | None = None
    description: str = ""
    cost: int | Cost | None = None
    """What one call costs at most, in micro-dollars; None: nobody knows."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the gate says of a proposed call."""

    answer: Answer
    reason: str = ""
    """Why it asks or denies, in words."""
    concerns: tuple[str, ...] = ()
    """What a yes would endorse: data by their roles, as `destination:eve@example.com`."""
    place: str = ""
    """RUN.STEP where it asks, for `kernos approve` or `Kernel.approve`."""

    @property
    def is_allowed(self) -> bool:
        """Tell whether the guest may make the call now."""
        return self.answer is Answer.ALLOW


class Opening(BaseModel):
    """With what a guest's run is started."""

    visit: str


class Guests:
    """One kind of guest: its name and the tools it may propose."""

    def __init__(self, name: str, tools: Sequence[GuestTool], *, version: str = "1") -> None:
        """Declare it. Raises BadDeclaration."""
        check_name(name, "a guest")
        self._visits: dict[str, Guest] = {}
        self._guests: dict[RunId, Guest] = {}
        self.tools = {one.name: self._contract(one) for one in tools}

        @agent(name, version=version, tools=tuple(self.tools.values()), failures=("guest_gone",), limits=_LIMITS)
        async def loop(ctx: Context, opening: Opening) -> str:
            """Let a loop that is not ours propose its calls."""
            guest = self._visits.get(opening.visit)
            if guest is None:
                raise Failed("guest_gone", "the program that this guest was part of has ended")
            self._guests[ctx.run_id] = guest
            return await guest.serve(ctx)

        self.agent: AgentContract[Opening, str] = replace(loop, is_guest=True)

    @asynccontextmanager
    async def enter(self, kernel: Kernel, words: str, *, by: str = "") -> AsyncIterator["Guest"]:
        """Start a run with the principal's words; leaving ends it. Raises InvalidInput for empty words."""
        if not words.strip():
            message = "a guest comes with the principal's words, and these are empty"
            raise InvalidInput(message, hint="Give what the person asked for, as they said it.")
        visit = kernel.engine.new_run()
        guest = self._visits[visit] = Guest(kernel, self)
        try:
            await guest.begin(await kernel.start(self.agent, Opening(visit=visit), intent=words, by=by))
            yield guest
        finally:
            await guest.leave()
            del self._visits[visit]
            self._guests.pop(guest.run.id, None)

    def _contract(self, declared: GuestTool) -> ToolContract[Any, Any]:
        full = check_name(declared.name, "a guest's tool")
        try:
            consequence = Consequence(declared.consequence)
            roles = {name: Role(role) for name, role in declared.roles.items()}
        except ValueError as error:
            message = f"the guest's tool {full}: {error}"
            hint = f"Consequences: {', '.join(Consequence)}. Roles: {', '.join(Role)}."
            raise BadDeclaration(message, hint=hint) from error
        reads = consequence in (Consequence.READ, Consequence.FETCH)

        async def attempt(args: Json, call: ToolCall) -> Json | AttemptFailed:
            del args
            guest = self._guests.get(call.run)
            if guest is None:
                return AttemptFailed(FailureKind.UNKNOWN, "the program that would have made the call has ended")
            return await guest.performed()

        given = codec_of(declared.parameters if declared.parameters is not None else dict[str, Any])
        returned = codec_of(Any)
        return ToolContract(
            name=full,
            effect=Effect.READ if reads else Effect.ONCE,
            input=given,
            output=returned,
            attempt=attempt,
            timeout_ms=_REPORT_MS_MAX,
            retry=Retry(attempts=1),
            flow=FlowContract(consequence, roles, declared.result, tuple(declared.asked_by)),
            description=declared.description,
            cost=cost_of(declared.cost, given, returned, f"the guest's tool {full}"),
        )


@dataclass(slots=True)
class _Turn:
    """One proposal, or one thing that the principal said besides."""

    contract: ToolContract[Any, Any] | None
    """None: the principal speaks."""
    arguments: Any
    decided: asyncio.Future[Proposal]
    reported: asyncio.Future[Json | AttemptFailed]
    over: asyncio.Event = field(default_factory=asyncio.Event)
    is_doubted: bool = False
    """Nobody knows whether the call happened: the run waits for a person."""


class Guest:
    """One guest: proposes a call, is told, makes it, reports, and so on, one at a time."""

    run: Run[str]

    def __init__(self, kernel: Kernel, kind: Guests) -> None:
        """Made by `Guests.enter`."""
        self._kernel = kernel
        self._kind = kind
        self._turns: list[_Turn] = []
        self._more = asyncio.Event()
        self._is_leaving = False
        self._watcher: asyncio.Task[None] | None = None

    # --- what the loop calls -------------------------------------------------------------------------------------

    async def propose(self, tool: str, arguments: Mapping[str, Any]) -> Proposal:
        """Ask whether a call may be made now: yes (make it, then `report`), ask (a person: `approve`, `refuse`, `answered`), or no.

        Raises NotAllowed while the call before is not reported or answered, InvalidInput for arguments that are no JSON object.
        """
        self._check_turn("propose another call")
        contract = self._kind.tools.get(tool) or _unknown(tool)
        try:
            text = contract.input.encode(contract.input.decode(codec_of(dict[str, Any]).encode(dict(arguments))))
        except ContractBroken as broken:
            return Proposal(Answer.DENY, f"the arguments do not fit {tool}: {broken}")
        turn = self._take_turn(contract, contract.input.decode(text))
        return await self._decision(turn)

    async def approve(self, *, by: str = "", note: str = "") -> Proposal:
        """Say yes to what is asked: to these data, not only to this call. Returns that the call may be made, or why not even so."""
        turn = self._asked()
        place = turn.decided.result().place
        turn.decided = asyncio.get_running_loop().create_future()
        await self._kernel.approve(place, by=by, note=note)
        return await self._decision(turn)

    async def refuse(self, reason: str, *, by: str = "") -> Proposal:
        """Say no to what is asked; the same data are denied from now on without asking."""
        turn = self._asked()
        place = turn.decided.result().place
        turn.decided = asyncio.get_running_loop().create_future()
        await self._kernel.deny(place, reason, by=by)
        return await self._decision(turn)

    async def answered(self) -> Proposal:
        """Wait until somebody else has answered what is asked (`kernos approve`, `kernos deny`, or nobody in time)."""
        turn = self._asked()
        turn.decided = asyncio.get_running_loop().create_future()
        return await self._decision(turn)

    async def report(self, result: Any = None, *, error: str = "", is_unknown: bool = False) -> None:
        """Say what came of the call that was allowed: its result as JSON values, or the error that it ended with.

        An error means that it did not happen, unless `is_unknown`: then a person must settle it. Raises NotAllowed when no call is open.
        """
        turn = self._turns[-1] if self._turns else None
        if turn is None or turn.reported.done() or not (turn.decided.done() and turn.decided.result().is_allowed):
            message = "no call of this guest is allowed and not reported yet"
            raise NotAllowed(message, hint="Propose one first, and report it once.")
        if error:
            kind = FailureKind.UNKNOWN if is_unknown else FailureKind.FINAL
            turn.reported.set_result(AttemptFailed(kind, error))
        else:
            turn.reported.set_result(codec_of(Any).encode(result))
        await turn.over.wait()

    async def hear(self, text: str, *, by: str = "") -> None:
        """Take in what the principal says besides the words that the guest came with: it counts as theirs."""
        self._check_turn("take in words")
        turn = self._take_turn(None, text)
        await self.run.signal(PRINCIPAL_TOPIC, text, by=by)
        await turn.over.wait()

    # --- the run's side ------------------------------------------------------------------------------------------

    async def begin(self, run: Run[str]) -> None:
        """Take the run that was started for this guest."""
        self.run = run
        self._watcher = asyncio.create_task(self._watch())

    async def leave(self) -> None:
        """End the run: with a call that is open, in doubt or asked about it is cancelled, and what nobody knows stays in doubt."""
        self._is_leaving = True
        self._more.set()
        turn = self._turns[-1] if self._turns else None
        if turn is not None and (turn.is_doubted or not turn.over.is_set()):
            await self.run.cancel("the guest left")
            if not turn.reported.done():
                turn.reported.set_result(AttemptFailed(FailureKind.UNKNOWN, "the guest left without a report"))
        await self._kernel.engine.end_of(self.run.id)
        if self._watcher is not None:
            await self._watcher

    async def serve(self, ctx: Context) -> str:
        """Be the run's code: ask for each turn as a step; called again after a wait, it comes by all earlier ones."""
        for n in range(_LIMITS.steps):
            while n >= len(self._turns):
                if self._is_leaving:
                    return f"{sum(1 for turn in self._turns if turn.contract is not None)} calls proposed"
                self._more.clear()
                await self._more.wait()
            await self._serve(ctx, self._turns[n])
        raise Failed("guest_gone", "no guest makes that many proposals")

    async def _serve(self, ctx: Context, turn: _Turn) -> None:
        if turn.contract is None:
            await ctx.wait(PRINCIPAL_TOPIC, str)
        else:
            try:
                await ctx.call(turn.contract, turn.arguments)
            except CallRefused as refused:
                _tell(turn.decided, Proposal(Answer.DENY, str(refused)))
            except CallFailed:
                pass  # Reported so.
        turn.over.set()

    async def performed(self) -> Json | AttemptFailed:
        """Be the attempt: the guest may make the call now; return what it reports."""
        turn = self._turns[-1]
        _tell(turn.decided, Proposal(Answer.ALLOW))
        return await turn.reported

    async def _watch(self) -> None:
        """Notice where the run asks a person, or has an action in doubt that only a person can settle."""
        async for event in self.run.events():
            turn = self._turns[-1] if self._turns else None
            match event.data:
                case ApprovalRequested(step=step, gate=gate, concerns=concerns) if turn is not None:
                    place = f"{self.run.id}.{step}"
                    _tell(turn.decided, Proposal(Answer.ASK, gate.reason, concerns, place))
                case ActionDoubted() if turn is not None:
                    turn.is_doubted = True
                    turn.over.set()
                case _:
                    pass

    # --- turns ---------------------------------------------------------------------------------------------------

    def _take_turn(self, contract: ToolContract[Any, Any] | None, arguments: Any) -> _Turn:
        loop = asyncio.get_running_loop()
        turn = _Turn(contract, arguments, loop.create_future(), loop.create_future())
        self._turns.append(turn)
        self._more.set()
        return turn

    def _check_turn(self, what: str) -> None:
        turn = self._turns[-1] if self._turns else None
        if self._is_leaving or (turn is not None and not turn.over.is_set()):
            why = "the guest has left" if self._is_leaving else "the call before is not reported or answered yet"
            message = f"a guest cannot {what}: {why}"
            raise NotAllowed(message, hint="Report what came of it, or answer what it asks.")

    def _asked(self) -> _Turn:
        turn = self._turns[-1] if self._turns else None
        if turn is None or not turn.decided.done() or turn.decided.result().answer is not Answer.ASK:
            message = "this guest has nothing that waits for a person"
            raise NotAllowed(message, hint="Only what `propose` asked about can be approved or refused.")
        return turn

    async def _decision(self, turn: _Turn) -> Proposal:
        decision = await turn.decided
        if decision.answer is Answer.DENY:
            await turn.over.wait()
        return decision


def _tell(decided: asyncio.Future[Proposal], proposal: Proposal) -> None:
    if not decided.done():
        decided.set_result(proposal)


def _unknown(tool: str) -> ToolContract[Any, Any]:
    """Return a contract for a tool that was not declared, so that the gate records that it denied it."""

    async def attempt(args: Json, call: ToolCall) -> Json | AttemptFailed:
        del args
        return AttemptFailed(FailureKind.FINAL, f"{call.tool} is not declared")

    anything = codec_of(dict[str, Any])
    return ToolContract(name=tool, effect=Effect.ONCE, input=anything, output=anything, attempt=attempt)
