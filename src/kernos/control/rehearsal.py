"""Rehearsal: recorded decisions taken again by another gate, with the facts as they were recorded then. Nothing is written.

Every call is decided on once, on the arguments it was proposed with; arguments that a person edited are decided on as well. The second
decision that the gate takes when an approval is used rests on the same facts, so it is counted and not taken again.
"""

from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import msgspec

from kernos.control.codec import decode_entry
from kernos.control.gate import Gate
from kernos.control.registry import Registry
from kernos.control.stake import Stake, stake_of
from kernos.ports.journal import Journal
from kernos.vocabulary import events as ev
from kernos.vocabulary.contract import AgentContract
from kernos.vocabulary.errors import ContractBroken
from kernos.vocabulary.events import Event, RunRequested
from kernos.vocabulary.flow import Concern, Origin, Verdict
from kernos.vocabulary.gate import MODEL_TOOL, Answer, Decision
from kernos.vocabulary.ids import EpochMs, PrincipalId, RunId, StepName, step_key
from kernos.vocabulary.journal import Entry
from kernos.vocabulary.outcome import Effect
from kernos.vocabulary.quantities import NULL, Json
from kernos.vocabulary.undo import Undone

_NAMES = tuple(
    f'{{"kind":"{ev.KINDS[kind][0]}"'.encode()
    for kind in (
        ev.ReadAnswered,
        ev.ModelAnswered,
        ev.CallDenied,
        ev.ActionIntended,
        ev.ActionForgone,
        ev.ApprovalRequested,
        ev.ApprovalEdited,
    )
)
"""How entries begin that carry a decision: told without decoding them."""

_REQUESTED = f'{{"kind":"{ev.KINDS[RunRequested][0]}"'.encode()

_WINDOW = 4
"""Entries looked at first for each of the last decisions wanted: a call has some two to three entries."""

FLIPS_MAX = 100_000
"""Flips kept in memory, the newest; those before them are only counted."""

_DIGITS = 16
_TOLD_EVERY = 1_000
_RUNS_KEPT = 50_000
"""Requests of runs kept in memory, some 1 KB each; one that is needed again is read again."""


@dataclass(frozen=True, slots=True)
class Flip:
    """One decision that would be another: what was called with which arguments, what was answered, what would be."""

    run: RunId
    step: StepName
    at: EpochMs
    tool: str
    args: Json
    was: Decision
    would_be: Decision
    moves: bool
    """Whether the call is an action, which may move money."""
    stake: Stake | None

    @property
    def direction(self) -> str:
        """Return `allow -> ask` and the like."""
        return f"{self.was.answer} -> {self.would_be.answer}"


@dataclass(slots=True)
class Rehearsal:
    """What a rehearsal found."""

    policy_set: str
    """First 16 hex digits of the set that was rehearsed."""
    decisions: int = 0
    repeated: int = 0
    """Recorded decisions that were not taken again: made a second time on the same facts, when an approval was used."""
    left_out: Counter[str] = field(default_factory=Counter)
    """Decisions that cannot be taken again, by reason."""
    answers: Counter[str] = field(default_factory=Counter)
    """What the set would answer, over all decisions."""
    flipped: int = 0
    """Decisions that would be another."""
    flips: deque[Flip] = field(default_factory=lambda: deque(maxlen=FLIPS_MAX))
    """The newest of them."""


@dataclass(frozen=True, slots=True)
class _Facts:
    """What a run was asked, and for whom; without its input."""

    requested: RunRequested
    by: PrincipalId


@dataclass(frozen=True, slots=True)
class _Call:
    """What is decided on."""

    tool: str
    args: Json
    effect: Effect
    undoes: Undone | None = None


class Rehearser:
    """Takes decisions again."""

    def __init__(self, journal: Journal, registry: Registry, gate: Gate, policy_set: str) -> None:
        """Take the journal to read, and the gate over the policies to rehearse with the agents it is for."""
        self._journal = journal
        self._registry = registry
        self._gate = gate
        self._facts: dict[RunId, _Facts] = {}
        self._agents: dict[tuple[str, str], AgentContract[Any, Any]] = {}
        self._asked: dict[tuple[RunId, StepName], _Call] = {}
        self._found = Rehearsal(policy_set[:_DIGITS])

    async def rehearse(self, last: int, progress: Callable[[int, int], None]) -> Rehearsal:
        """Take the last so many recorded decisions again, all for 0. `progress` is told entries done and of all."""
        head = await self._journal.head()
        size = head.size if head is not None else 0
        begin, skip = await self._begin(size, last) if last else (0, 0)
        async for position, entry in self._entries(begin, size):
            if position % _TOLD_EVERY == 0:
                progress(position - begin, size - begin)
            if entry.body.startswith(_REQUESTED):
                self._remember(decode_entry(entry))
            elif entry.body.startswith(_NAMES):
                if skip:
                    skip -= 1
                    self._note(decode_entry(entry))
                else:
                    await self._again(decode_entry(entry))
        return self._found

    async def _entries(self, begin: int, size: int) -> AsyncIterator[tuple[int, Entry]]:
        """Yield the entries from a position on, but none that was recorded since this began."""
        async for position, entry in self._journal.scan(begin - 1):
            if position >= size:
                return
            yield position, entry

    async def _begin(self, size: int, last: int) -> tuple[int, int]:
        """Return a position with at least `last` decisions behind it, and how many of those are too many."""
        window = _WINDOW * last
        while True:
            begin = max(0, size - window)
            count = 0
            async for _, entry in self._entries(begin, size):
                count += entry.body.startswith(_NAMES)
            if count >= last or begin == 0:
                return begin, max(0, count - last)
            window *= _WINDOW

    # --- facts ---------------------------------------------------------------------------------------------------

    def _remember(self, event: Event) -> None:
        """Keep what a run was asked."""
        assert isinstance(event.data, RunRequested), event
        if len(self._facts) >= _RUNS_KEPT:
            del self._facts[next(iter(self._facts))]
        self._facts[event.run] = _Facts(replace(event.data, input=NULL), event.by)

    def _note(self, event: Event) -> None:
        """Keep what a person is asked about: later decisions of the step rest on the same call."""
        data = event.data
        if isinstance(data, ev.ApprovalRequested):
            self._asked[event.run, data.step] = _Call(data.tool, data.args, data.effect, data.undoes)

    async def _facts_of(self, run: RunId) -> _Facts:
        """Return what a run was asked; read when it was asked before the entries that are looked at."""
        if run not in self._facts:
            for entry in await self._journal.read(run):
                event = decode_entry(entry)
                if event.n == 0:
                    self._remember(event)
                self._note(event)
        return self._facts[run]

    # --- one decision --------------------------------------------------------------------------------------------

    async def _again(self, event: Event) -> None:
        data: Any = event.data
        self._found.decisions += 1
        facts = await self._facts_of(event.run)
        if self._is_repeated(event):
            self._found.repeated += 1
            return
        self._note(event)
        call = self._call(event)
        agent = self._agent(facts.requested)
        missing = self._missing(agent, call, data)
        if agent is None or missing:
            self._found.left_out[missing] += 1
            return
        if isinstance(data, ev.ModelAnswered):
            task = str(msgspec.json.decode(data.args.text).get("task", ""))
            would_be = self._gate.decide_model(facts.requested, facts.by, agent, data.model, task)
        else:
            flow = _flow_of(data)
            would_be = self._gate.decide_call(facts.requested, facts.by, agent, call.tool, call.args, call.undoes, flow)
        self._found.answers[would_be.answer] += 1
        was: Decision = data.gate
        if would_be.answer is not was.answer:
            moves = call.effect is not Effect.READ
            stake = stake_of(call.args) if moves else None
            self._found.flipped += 1
            self._found.flips.append(
                Flip(event.run, data.step, event.at, call.tool, call.args, was, would_be, moves, stake)
            )

    def _is_repeated(self, event: Event) -> bool:
        """Tell whether the gate decided on the same call before, when a person was asked about it."""
        data = event.data
        if isinstance(data, ev.ActionIntended):
            return data.approval == step_key(event.run, data.step)  # Not one that was approved with the request.
        return isinstance(data, (ev.ReadAnswered, ev.ActionForgone)) and (event.run, data.step) in self._asked

    def _call(self, event: Event) -> _Call:
        """Return what the decision in an event was about."""
        match event.data:
            case ev.ModelAnswered(model=model, args=args):
                return _Call(f"{MODEL_TOOL} {model}", args, Effect.READ)
            case ev.ReadAnswered(tool=tool, args=args):
                return _Call(tool, args, Effect.READ)
            case ev.CallDenied(tool=tool, args=args, undoes=undoes):
                contract = self._registry.tool(tool)
                return _Call(tool, args, contract.effect if contract is not None else Effect.ONCE, undoes)
            case ev.ActionIntended() | ev.ActionForgone() | ev.ApprovalRequested():
                data = event.data
                return _Call(data.tool, data.args, data.effect, data.undoes)
            case ev.ApprovalEdited(step=step, args=args):
                return replace(self._asked[event.run, step], args=args)
            case _:
                message = f"{type(event.data).__name__} carries no decision"
                raise TypeError(message)

    def _agent(self, requested: RunRequested) -> AgentContract[Any, Any] | None:
        """Return the agent in the version that was asked then, None when it is not registered here."""
        key = (requested.agent, requested.agent_version)
        if key not in self._agents:
            contract = self._registry.known_agent(requested.agent)
            if contract is None:
                return None
            self._agents[key] = replace(contract, version=requested.agent_version)
        return self._agents[key]

    def _missing(self, agent: AgentContract[Any, Any] | None, call: _Call, data: Any) -> str:
        """Say why a decision cannot be taken again by policy alone: the code is another than then. Empty when it can."""
        if agent is None:
            return "its agent is not registered here"
        if isinstance(data, ev.ModelAnswered):
            return "" if self._registry.model(data.model) is not None else f"no model is named {data.model!r} here"
        if data.gate.answer is Answer.DENY:
            return ""
        contract = self._registry.tool(call.tool)
        if contract is None or (call.undoes is None and contract not in agent.tools):
            return f"agent {agent.name} no longer declares {call.tool}"
        try:
            contract.input.decode(call.args)
        except ContractBroken:
            return f"the arguments no longer fit {call.tool}"
        return ""


def _flow_of(data: object) -> Verdict | None:
    """Return what the rules of flow said about a recorded call: no policy changes that."""
    concerns = getattr(data, "concerns", ())
    if not concerns:
        return None
    answer = Answer.DENY if isinstance(data, ev.CallDenied) else Answer.ASK
    return Verdict(answer, tuple(Concern(key, "", "", Origin.MODEL, key) for key in concerns))


# --- what is shown -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Group:
    """Flips of one kind: the same direction, tool and rules."""

    direction: str
    tool: str
    lost: tuple[str, ...]
    """Rules that gave the old answer and have no part in the new one."""
    gained: tuple[str, ...]
    """Rules that give the new answer and had no part in the old one."""
    reason: str
    flips: tuple[Flip, ...]


@dataclass(frozen=True, slots=True)
class Money:
    """What is at stake in some flips: sums by argument and unit, and the actions in which no argument looks like money."""

    sums: tuple[tuple[str, str, Decimal, int], ...]
    """Argument, unit (empty: nothing says), sum, number of calls."""
    unknown: int


def groups_of(flips: Iterable[Flip]) -> list[Group]:
    """Return flips by kind, the largest group first."""
    kinds: dict[tuple[str, str, tuple[str, ...], tuple[str, ...], str], list[Flip]] = {}
    for flip in flips:
        was, would_be = flip.was.rules, flip.would_be.rules
        lost = tuple(rule for rule in was if rule not in would_be)
        gained = tuple(rule for rule in would_be if rule not in was)
        kinds.setdefault((flip.direction, flip.tool, lost, gained, flip.would_be.reason), []).append(flip)
    found = [Group(*kind, tuple(members)) for kind, members in kinds.items()]
    return sorted(found, key=lambda group: (-len(group.flips), group.direction, group.tool))


def money_of(flips: Iterable[Flip]) -> Money:
    """Add the money up, by argument and unit; one call counts once, with what it was last decided on."""
    sums: dict[tuple[str, str], tuple[Decimal, int]] = {}
    unknown = 0
    for flip in {(flip.run, flip.step): flip for flip in flips if flip.moves}.values():
        if flip.stake is None:
            unknown += 1
            continue
        key = (flip.stake.argument, flip.stake.unit)
        total, count = sums.get(key, (Decimal(0), 0))
        sums[key] = (total + flip.stake.amount, count + 1)
    return Money(tuple((*key, *value) for key, value in sums.items()), unknown)
