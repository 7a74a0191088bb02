"""Grounds: what a recorded decision rested on: the set, its rules as they were written, what they asked about, and what would be said now."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from msgspec import json

from kernos.adapters.cedar.rules import read_texts
from kernos.app.context_file import FILE_NAME as CONTEXT_FILE
from kernos.app.finding import Found, events_of
from kernos.app.kernel import Kernel
from kernos.control.circumstances import Circumstances
from kernos.control.codec import decode_entry
from kernos.control.deciding import Standing
from kernos.control.provenance import Provenance
from kernos.kernel.evolve import fold
from kernos.kernel.state import RunState
from kernos.ports.clock import Alarm
from kernos.vocabulary import events as ev
from kernos.vocabulary.administration import ADMINISTRATION
from kernos.vocabulary.circumstances import Known
from kernos.vocabulary.errors import NotFound
from kernos.vocabulary.events import Event
from kernos.vocabulary.gate import MODEL_TOOL, Decision
from kernos.vocabulary.ids import EpochMs
from kernos.vocabulary.policies import PoliciesEntered, PoliciesProposed, RuleText
from kernos.vocabulary.quantities import Json


@dataclass(frozen=True, slots=True)
class Grounds:
    """One decision."""

    run: str
    step: str
    at: EpochMs
    tool: str
    args: Json
    decision: Decision
    entered_at: EpochMs
    """Since when the set was in force, 0 when that is not recorded."""
    wanted_by: str
    """Who proposed it, empty for one that a process began with."""
    rules: tuple[RuleText, ...]
    """The rules that determined it."""
    are_of_then: bool
    """Whether the rules' texts are those of that set; else they are today's."""
    looked_at: Mapping[str, object]
    """What today's rules ask about this call, as it is known to have been then."""
    now: Decision | None
    """What the set in force would say; None where that cannot be told."""
    rules_now: tuple[RuleText, ...]
    why_not: str
    """Why it cannot be told."""


async def grounds_of(kernel: Kernel, found: Found) -> Grounds:
    """Tell what the newest decision about a call rested on. Raises NotFound when nothing was decided about it."""
    events = await events_of(kernel, found.run)
    decided = [n for n, event in enumerate(events) if _is_decision(event, found.step)]
    if not decided:
        message = f"nothing was decided about step {found.step} of run {found.run}"
        raise NotFound(message, hint=f"See its steps with `kernos trace {found.run} --events`.")
    event = events[decided[-1]]
    tool, args = _call(events[: decided[-1] + 1], found.step)
    data: Any = event.data
    decision: Decision = data.gate
    texts, entered_at, wanted_by = await _recorded_set(kernel, decision.policy_set, event.at)
    today = {rule.id: rule for rule in kernel.in_force.rules()}
    written = texts if texts is not None else today
    looked_at, now, why_not = _again(kernel, events[: decided[-1]], event, tool, args)
    return Grounds(
        run=found.run,
        step=found.step,
        at=event.at,
        tool=tool,
        args=args,
        decision=decision,
        entered_at=entered_at,
        wanted_by=wanted_by,
        rules=tuple(written[rule] for rule in decision.rules if rule in written),
        are_of_then=texts is not None or kernel.policy.digest().startswith(decision.policy_set),
        looked_at=looked_at,
        now=now,
        rules_now=tuple(today[rule] for rule in (now.rules if now is not None else ()) if rule in today),
        why_not=why_not,
    )


async def newest_decision(kernel: Kernel, name: str) -> Found | None:
    """Return the call that was decided on last in the run whose id begins with `name`; None when there is none. Raises Ambiguous."""
    try:
        run = await kernel.find(name)
    except NotFound:
        return None
    named = [(str(getattr(event.data, "step", "")), event) for event in await events_of(kernel, run)]
    decided = [step for step, event in named if _is_decision(event, step)]
    return Found(run, decided[-1], "run") if decided else None


def _is_decision(event: Event, step: str) -> bool:
    return getattr(event.data, "step", "") == step and isinstance(getattr(event.data, "gate", None), Decision)


def _call(events: Sequence[Event], step: str) -> tuple[str, Json]:
    """Return tool and arguments that the newest of the events decides on; an edit names no tool."""
    tool, args = "", Json(b"null")
    for event in events:
        data: Any = event.data
        if _is_decision(event, step):
            tool = f"{MODEL_TOOL} {data.model}" if isinstance(data, ev.ModelAnswered) else getattr(data, "tool", tool)
            args = data.args
    return tool, args


# --- the set of then -----------------------------------------------------------------------------------------------


async def _recorded_set(
    kernel: Kernel, policy_set: str, before: EpochMs
) -> tuple[dict[str, RuleText] | None, EpochMs, str]:
    """Return the texts of a set as they are recorded, since when it was in force, and who wanted it."""
    files: Mapping[str, str] | None = None
    entered_at, wanted_by = EpochMs(0), ""
    for entry in await kernel.journal.read(ADMINISTRATION):
        event = decode_entry(entry)
        match event.data:
            case PoliciesProposed(digest=digest) if digest.startswith(policy_set):
                wanted_by = str(event.by)
            case PoliciesEntered(digest=digest) if digest.startswith(policy_set) and event.at <= before:
                files, entered_at = event.data.files, event.at
            case _:
                pass
    if files is None:
        return None, entered_at, wanted_by
    return read_texts({name: text for name, text in files.items() if name != CONTEXT_FILE}), entered_at, wanted_by


# --- the same call under today's set -------------------------------------------------------------------------------


@dataclass(slots=True)
class _Noted:
    """What is known, with a note of what was asked for: a `vocabulary.circumstances.Known`."""

    known: Known
    asked: dict[str, object] = field(default_factory=dict)

    def value(self, name: str) -> object:
        """Return it, and note it."""
        self.asked[name] = self.known.value(name)
        return self.asked[name]


@dataclass(frozen=True, slots=True)
class _Moment:
    """A clock that shows when it was decided: a `ports.clock.Clock` that nobody waits for."""

    at: EpochMs

    def now(self) -> EpochMs:
        """Return that time."""
        return self.at

    def call_at(self, at: EpochMs, call: Callable[[], None]) -> Alarm:
        """Refuse: what is past has no later."""
        message = f"nothing is put off to {at} ({call}) in what is past"
        raise NotImplementedError(message)


def _again(
    kernel: Kernel, before: Sequence[Event], event: Event, tool: str, args: Json
) -> tuple[Mapping[str, object], Decision | None, str]:
    """Return what today's rules ask about the call as it stood then, and what they say; or why that cannot be told."""
    state = fold(RunState(event.run), before) if before else None
    agent = kernel.registry.known_agent(state.request().agent) if state is not None else None
    if state is None or agent is None or not kernel.registry.agents:
        return {}, None, "the run's agent is not registered here: name its module with --agents"
    provenance = Provenance(Standing(state), kernel.registry)
    undoes = getattr(event.data, "undoes", None)
    shared = kernel.engine.shared
    is_model = tool.startswith(f"{MODEL_TOOL} ")
    flow = None if undoes is not None or is_model else provenance.verdict(tool, args)
    then = Circumstances(
        kernel.in_force.declared, kernel.journal, _Moment(event.at), kernel.administrator, until=event.at
    )
    name = MODEL_TOOL if is_model else tool
    known = _Noted(then.around(state, name, args, flow, provenance.is_tainted))
    acting = replace(agent, version=state.request().agent_version)
    if is_model:
        model = tool.removeprefix(f"{MODEL_TOOL} ")
        task = str(json.decode(args.text).get("task", ""))
        now = shared.gate.decide_model(state.request(), state.requested_by, acting, model, task, known)
    else:
        now = shared.gate.decide_call(state.request(), state.requested_by, acting, tool, args, undoes, flow, known)
    return known.asked, now, ""


def differs(grounds: Grounds) -> bool:
    """Tell whether the set in force would say another thing."""
    return grounds.now is not None and grounds.now.answer is not grounds.decision.answer
