"""Story: what happened in a run, told from its events in plain words for people.

Pure: from events (and rows of what is waited for) to sentences and values. Nothing here prints, asks or decides.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec

from kernos.kernel.quorum import wanted
from kernos.ports.journal import Row
from kernos.vocabulary import events as ev
from kernos.vocabulary.budget import Booking, Spending
from kernos.vocabulary.events import Event
from kernos.vocabulary.gate import SET_DIGITS, Answer, Decision
from kernos.vocabulary.ids import EpochMs, RunId, StepName, step_key
from kernos.vocabulary.outcome import Failure
from kernos.vocabulary.quantities import Json, Usage
from kernos.vocabulary.stops import shown_stop
from kernos.vocabulary.undo import FAILURE_STEP

VALUE_LENGTH_MAX = 160
"""Letters of a value shown in a sentence: two lines of a terminal. The whole value stands in the events."""

_ENDS = (ev.RunCompleted, ev.RunFailed, ev.RunCancelled, ev.RunExpired)
_OUTSIDE = (ev.ActionRetried, ev.ActionPerformed, ev.ActionFailed, ev.ActionLookedUp)


def when(at: EpochMs | int) -> str:
    """Write a time, in UTC."""
    return f"{datetime.fromtimestamp(at / 1_000, UTC):%Y-%m-%d %H:%M:%S}Z"


def shown(value: Json | None) -> str:
    """Write a value in one line, cut where it is long."""
    text = value.text.decode() if value is not None else "nothing"
    return text if len(text) <= VALUE_LENGTH_MAX else f"{text[:VALUE_LENGTH_MAX]}... ({len(text)} letters)"


def reason(gate: Decision) -> str:
    """Say what the gate answered, and on which grounds."""
    answers = {
        Answer.ALLOW: "policy allows it",
        Answer.ASK: "policy wants a person's yes",
        Answer.DENY: "policy denies it",
    }
    rules = f"rule {', '.join(gate.rules)}" if gate.rules else "no rule permits it"
    why = f"; {gate.reason}" if gate.reason else ""
    why += "".join(f"; {wanted(one)}" for one in gate.requires)
    return f"{answers[gate.answer]} ({rules}; policy set {gate.policy_set}{why})"


@dataclass(slots=True)
class Effect:
    """One action: what was to happen outside, under which key, and what became of it."""

    step: str
    tool: str
    effect: str
    args: str
    key: str
    status: str = "asked"
    attempts: int = 0
    approved_by: str = ""
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class Wait:
    """One thing that a run waits for, and the command that answers it; `kind` as in the waiting projection, `attempt` or `doubt`."""

    run: str
    step: str
    kind: str
    subject: str
    details: str
    due_at: int

    @property
    def place(self) -> str:
        """Return RUN.STEP, the run shortened."""
        return step_key(RunId(self.run[:SHORT]), StepName(self.step))

    def about(self) -> str:
        """Say what it is about: the call, the question, the signal."""
        return f"{self.subject} {self.details}".strip()

    def text(self) -> str:
        """Say what is waited for."""
        until = f", until {when(self.due_at)}" if self.due_at else ""
        match self.kind:
            case "approval":
                return f"a person's yes to {self.about()}{until}"
            case "question":
                return f"an answer from {self.subject}: {self.details}{until}"
            case "signal":
                return f"the signal {self.subject}{until}"
            case "timer":
                return f"the time {when(self.due_at)}"
            case "attempt":
                return f"its next attempt at {when(self.due_at)}"
            case "room":
                return f"room for {self.subject}: {self.details}{until}"
            case "child":
                return f"run {self.subject[:SHORT]} of {self.details}"
            case _:
                return f"a person to say whether {self.about()} happened"

    def command(self, repeated: str = "") -> str:
        """Return the command that answers it, empty where only time or another run can; `repeated` as in Settings."""
        text = "stop|compensate|compensate:CHECKPOINT" if self.step == FAILURE_STEP else "'TEXT'"
        return {
            "approval": f"kernos approve {self.place}{repeated}  (or deny, edit)",
            "question": f"kernos answer {self.place} {text}{repeated}",
            "signal": f"kernos signal {self.run[:SHORT]} {self.subject} --data JSON{repeated}",
            "child": f"kernos trace {self.subject[:SHORT]}{repeated}",
            "doubt": f"kernos settle {self.place} done|not_done|unknown --note 'TEXT'{repeated}",
        }.get(self.kind, "")


SHORT = 8
"""Characters of a run's id shown to people: 2**39 ids, so that a million runs still differ; a clash asks for more."""


def waits_of(waiting: Sequence[Row], doubts: Sequence[Row]) -> list[Wait]:
    """Make waits of rows of the projections `waiting` and `actions`."""
    found = [
        Wait(str(r["run"]), str(r["step"]), str(r["kind"]), str(r["subject"]), str(r["details"]), int(r["due_at"] or 0))
        for r in waiting
    ]
    found += [Wait(str(r["run"]), str(r["step"]), "doubt", str(r["tool"]), str(r["args"]), 0) for r in doubts]
    return found


@dataclass(slots=True)
class Story:
    """What is told about one run."""

    run: str
    agent: str
    version: str
    asked_by: str
    asked_at: int
    intent: str
    input: Any
    status: str = "open"
    ended_at: int = 0
    happened: list[tuple[int, str]] = field(default_factory=list)
    """Times and sentences: what it found, decided and why, who answered what, how it ended."""
    effects: dict[str, Effect] = field(default_factory=dict)
    children: list[str] = field(default_factory=list)
    model_calls: int = 0
    usage: Usage = field(default_factory=Usage)
    calls_unpriced: int = 0


class Teller:
    """Turns events into sentences; remembers the names of steps, because later events tell only their numbers."""

    def __init__(self) -> None:
        """Know no step yet."""
        self._names: dict[tuple[str, str], str] = {}

    def say(self, event: Event) -> str:
        """Return the sentence for an event, empty for one that says nothing to people."""
        data = event.data
        step = str(getattr(data, "step", ""))
        name = getattr(data, "tool", "") or getattr(data, "topic", "") or getattr(data, "to", "")
        if step and name:
            self._names[event.run, step] = str(name)
        tell = _TELL.get(type(data))
        return tell(event, data, self._names.get((event.run, step), f"step {step}")) if tell else ""

    def forget(self, run: str) -> None:
        """Let the names of a run's steps go."""
        self._names = {key: name for key, name in self._names.items() if key[0] != run}


def tell(events: Sequence[Event]) -> Story:
    """Tell a run from its events, the first of which is its request."""
    first = events[0]
    request = first.data
    assert isinstance(request, ev.RunRequested), request
    story = Story(
        first.run, request.agent, request.agent_version, str(first.by), first.at, request.intent, plain(request.input)
    )
    teller = Teller()
    for event in events:
        sentence = teller.say(event)
        if sentence and event.n and not isinstance(event.data, _OUTSIDE):
            story.happened.append((event.at, sentence))
        _count(story, event)
    return story


def plain(value: Json | None) -> Any:
    """Return a value as Python sees JSON."""
    return msgspec.json.decode(value.text) if value is not None else None


def _count(story: Story, event: Event) -> None:
    """Add to the story what has no sentence of its own: where actions stand, children, costs, the end."""
    data = event.data
    match data:
        case ev.ModelAnswered(usage=used) | ev.CallAttemptFailed(usage=Usage() as used):
            total = story.usage
            story.model_calls += 1
            story.calls_unpriced += used.cost_microusd < 0
            story.usage = Usage(
                total.prompt_tokens + used.prompt_tokens,
                total.completion_tokens + used.completion_tokens,
                total.cost_microusd + max(0, used.cost_microusd),
            )
        case ev.ChildStarted(child=child):
            story.children.append(child)
        case ev.RunParked():
            story.status = "waiting"
        case ev.RunBlocked():
            story.status = "blocked"
        case ev.RunHandedOver() | ev.CompensationBegun():
            story.status = "handed over" if isinstance(data, ev.RunHandedOver) else "taking back"
        case _ if isinstance(data, _ENDS):
            story.status, story.ended_at = type(data).__name__.removeprefix("Run").lower(), event.at
        case _ if story.status in ("open", "waiting", "blocked") and not isinstance(data, ev.RunRequested):
            story.status = "running"
    _follow(story.effects, event)


def _follow(effects: dict[str, Effect], event: Event) -> None:
    """Carry one action on."""
    data = event.data
    if isinstance(data, (ev.ApprovalRequested, ev.ActionIntended)):
        key = step_key(event.run, data.step)
        found = effects.setdefault(data.step, Effect(data.step, data.tool, str(data.effect), "", key))
        found.args = shown(data.args)
        if isinstance(data, ev.ActionIntended):
            found.key = data.key
    effect = effects.get(str(getattr(data, "step", "")))
    if effect is None:
        return
    match data:
        case ev.ActionIntended() | ev.ActionRetried():
            effect.status, effect.attempts = "under way", data.attempt
        case ev.ActionPerformed(result=result, evidence=evidence):
            effect.status = "done"
            effect.outcome = shown(result) + (f"; it was looked up: {evidence}" if evidence else "")
        case ev.ActionFailed(failure=failure):
            effect.status, effect.outcome = "not done", f"{failure.code}: {failure.message}"
        case ev.ActionDoubted(message=message):
            effect.status, effect.outcome = "in doubt", message
        case ev.ActionSettled(verdict=verdict, note=note):
            effect.status, effect.outcome = verdict.replace("_", " "), f"{event.by} said so: {note}"
        case ev.ApprovalGranted() | ev.ApprovalEdited():
            effect.status, effect.approved_by = "approved", str(event.by)
            if isinstance(data, ev.ApprovalEdited):
                effect.args = shown(data.args)
        case ev.ApprovalDenied() | ev.ApprovalExpired() | ev.CallDenied():
            effect.status = "refused"
        case _:
            return


# --- sentences -----------------------------------------------------------------------------------------------------


def _read(event: Event, data: ev.ReadAnswered, name: str) -> str:
    return f"looked with {data.tool} {shown(data.args)}: {_outcome(data.result, data.failure)}; {reason(data.gate)}"


def _model(event: Event, data: ev.ModelAnswered, name: str) -> str:
    task = plain(data.args).get("task", "")
    return f"model {data.model} did {task}: {_outcome(data.result, data.failure)}"


def _outcome(result: Json | None, failure: Failure | None) -> str:
    return f"failed, {failure.code}: {failure.message}" if isinstance(failure, Failure) else shown(result)


def _edited(event: Event, data: ev.ApprovalEdited, name: str) -> str:
    return f"{event.by} changed {name} to {shown(data.args)} (proposed: {shown(data.before)}) and said yes{_noted(data.note)}"


def _again(complaint: str) -> str:
    return f"; asked anew: {complaint}" if complaint else ""


def _noted(note: str) -> str:
    return f": {note}" if note else ""


def _failed(event: Event, data: ev.RunFailed, name: str) -> str:
    how = f"failed as {data.mode}{'' if data.declared else ' (not declared)'}: {data.message}"
    return how + _taken_back(data.taken_back)


def _taken_back(report: Json | None) -> str:
    """Say what of the run's actions is undone and what still stands."""
    if report is None:
        return ""
    said = plain(report)
    standing = "; ".join(f"{one['tool']} ({one['key']}) stands: {one['reason']}" for one in said["standing"])
    number = len(said["undone"])
    return f"; {number} action{'' if number == 1 else 's'} taken back{'; ' if standing else ''}{standing}"


def _begun(event: Event, data: ev.CompensationBegun, name: str) -> str:
    after = f"what came after checkpoint {data.to}" if data.to else "what was done"
    return f"takes back {after}, because of {data.mode}: {data.message}"


def _intended(event: Event, data: ev.ActionIntended, name: str) -> str:
    grounds = "approved" if data.approval else reason(data.gate)
    undoes = f" to take back {data.undoes.key}" if data.undoes is not None else ""
    seen = f", having seen {shown(data.before)}" if data.before is not None else ""
    return f"calls {name} {shown(data.args)}{undoes}{seen}: {grounds}"


def _retry(event: Event, data: ev.CallAttemptFailed, name: str) -> str:
    used = data.usage
    paid = f" (it used {used.prompt_tokens} + {used.completion_tokens} tokens)" if used is not None else ""
    said = f"attempt {data.attempt} of {data.tool} failed ({data.failure}): {data.message}{paid}"
    return f"{said}; next at {when(data.retry_at)}"


def _until(at: int) -> str:
    return f", until {when(at)} at the latest" if at else ""


def _spent(event: Event, data: ev.BudgetSpent, name: str) -> str:
    if data.verdict:
        return f"{event.by} said about {name}, which a crash cut off: {data.verdict}{_noted(data.note)}"
    return f"{name} used {_amounts(data.spendings)}" if data.step else "gave its place back"


_TELL: Mapping[type, Callable[[Event, Any, str], str]] = {
    ev.RunRequested: lambda e, d, _: f"{e.by} asked {d.agent}: {d.intent}",
    ev.RunBlocked: lambda _, d, __: f"stopped until somebody mends it ({d.code}): {d.message}",
    ev.RunResumed: lambda e, *_: f"{e.by} sent it on",
    ev.CancelRequested: lambda e, d, _: f"{e.by} wants it to stop: {d.reason}",
    ev.RunHandedOver: lambda _, d, __: f"failed as {d.mode} ({d.message}); a person says what becomes of it",
    ev.CompensationBegun: _begun,
    ev.RunCancelled: lambda _, d, __: f"cancelled: {d.reason}{_taken_back(d.taken_back)}",
    ev.RunExpired: lambda _, d, __: f"expired: its deadline was {when(d.deadline_at)}{_taken_back(d.taken_back)}",
    ev.RunCompleted: lambda _, d, __: f"completed: {shown(d.output)}",
    ev.RunFailed: _failed,
    ev.CheckpointReached: lambda _, d, __: f"reached {d.name}: {d.summary}",
    ev.ForkJoined: lambda _, d, __: f"took branches {', '.join(map(str, d.winners))} of a fork",
    ev.ReadAnswered: _read,
    ev.ModelAnswered: _model,
    ev.BudgetReserved: lambda _, d, n: (
        f"has what {n or 'the run'} may use: {_amounts(d.bookings)}{_warned(d.warnings)}"
    ),
    ev.BudgetSpent: _spent,
    ev.RoomAwaited: lambda _, d, __: f"waits for room for {d.what}: {d.why}{_until(d.due_at)}",
    ev.RoomFound: lambda _, __, n: f"it is the turn of {n or 'a call'} to have room",
    ev.RoomForgone: lambda _, d, __: (
        "waited for room as long as it may" if d.is_late else "waits for room no more: its branch was given up"
    ),
    ev.CapsEntered: lambda _, d, __: (
        f"{len(d.caps.caps)} cap{'' if len(d.caps.caps) == 1 else 's'} from budgets.toml count"
    ),
    ev.CapRaised: lambda e, d, _: (
        f"{e.by} raises {d.over} {d.name} from {d.old} to {d.new} {d.unit}{_until(d.until)}: {d.reason}"
    ),
    ev.RaiseAsked: lambda e, d, _: f"{e.by} asks to raise {d.over} {d.name} to {d.new} {d.unit}: {d.reason}",
    ev.CallDenied: lambda _, d, __: f"may not call {d.tool} {shown(d.args)}: {reason(d.gate)}",
    ev.ActionIntended: _intended,
    ev.ActionForgone: lambda _, d, __: f"did not call {d.tool} {shown(d.args)} ({d.failure.code}): {d.failure.message}",
    ev.ActionRetried: lambda _, d, n: f"calls {n} again, attempt {d.attempt}",
    ev.CallAttemptFailed: _retry,
    ev.ActionPerformed: lambda _, d, n: f"{n} is done: {shown(d.result)}",
    ev.ActionFailed: lambda _, d, n: f"{n} is not done ({d.failure.code}): {d.failure.message}",
    ev.ActionDoubted: lambda _, d, n: f"nobody knows whether {n} happened: {d.message}",
    ev.ActionLookedUp: lambda _, d, n: f"looked up {n}: {d.evidence}",
    ev.ActionSettled: lambda e, d, n: f"{e.by} said about {n}: {d.verdict}{_noted(d.note)}",
    ev.ApprovalRequested: lambda _, d, n: f"wants to call {n} {shown(d.args)}: {reason(d.gate)}{_again(d.again)}",
    ev.ApprovalVoiced: lambda e, d, n: f"{e.by} said yes to {n}, and more people must{_noted(d.note)}",
    ev.ApprovalQuestioned: lambda e, d, n: f"{e.by} asks about {n}: {d.question}",
    ev.ApprovalExplained: lambda e, d, n: f"{e.by} answers about {n}: {d.text}",
    ev.ApprovalGranted: lambda e, d, n: f"{e.by} said yes to {n}{_noted(d.note)}",
    ev.ApprovalEdited: _edited,
    ev.ApprovalDenied: lambda e, d, n: f"{e.by} said no to {n}{_noted(d.reason)}",
    ev.ApprovalExpired: lambda _, __, n: f"nobody said yes to {n} in time, which counts as no",
    ev.TimerSet: lambda _, d, __: f"sleeps until {when(d.due_at)}",
    ev.SignalAwaited: lambda _, d, __: f"waits for the signal {d.topic}",
    ev.SignalReceived: lambda e, d, _: f"{e.by} sent the signal {d.topic}: {shown(d.data)}",
    ev.QuestionAsked: lambda _, d, __: f"asks {d.to}: {d.question}{_choices(d.options)}",
    ev.QuestionAnswered: lambda e, d, _: f"{e.by} answered: {d.answer}",
    ev.WaitExpired: lambda _, __, n: f"waited for {n} in vain",
    ev.ChildStarted: lambda _, d, __: f"asks agent {d.agent} (run {d.child[:SHORT]}): {shown(d.input)}",
    ev.ChildRefused: lambda _, d, __: f"may not ask agent {d.agent} ({d.failure.code}): {d.failure.message}",
    ev.ChildEnded: lambda _, d, __: f"run {d.child[:SHORT]} ended: {_outcome(d.result, d.failure)}",
    ev.PrincipalAdmitted: lambda e, d, _: f"{e.by} admits {d.principal} to tenant {d.tenant} as {_roles(d.roles)}",
    ev.PrincipalDismissed: lambda e, d, _: f"{e.by} dismisses {d.principal} from tenant {d.tenant}{_noted(d.reason)}",
    ev.CredentialIssued: lambda e, d, _: f"{e.by} issues credential {d.credential} to {d.principal}",
    ev.SourceGranted: lambda e, d, _: (
        f"{e.by} lets {d.says.source} with {d.says.field} = {d.says.value} speak for them (grant {d.grant})"
    ),
    ev.GrantRevoked: lambda e, d, _: f"{e.by} revokes grant {d.grant}{_noted(d.reason)}",
    ev.OwnKeyAdded: lambda e, d, _: f"{e.by} says that {d.principal} signs with key {d.key}",
    ev.OwnKeyRevoked: lambda e, d, _: f"{e.by} revokes key {d.key}{_noted(d.reason)}",
    ev.CredentialRevoked: lambda e, d, _: f"{e.by} revokes credential {d.credential}{_noted(d.reason)}",
    ev.StopOrdered: lambda e, d, _: f"{e.by} stops {shown_stop(d.kind, d.name)}{_noted(d.reason)}",
    ev.SubjectErased: lambda e, d, _: (
        f"{e.by} has a person's {d.values} sealed values erased for good{_noted(d.reason)}"
    ),
    ev.ValuesShown: lambda e, d, _: (
        f"{e.by} is shown {', '.join(d.labels)} of {d.run}{d.step and '.'}{d.step}{_noted(d.reason)}"
    ),
    ev.StopLifted: lambda e, d, _: f"{e.by} lets {shown_stop(d.kind, d.name)} go on{_noted(d.reason)}",
    ev.AccessRequired: lambda e, *_: f"{e.by} asks for a credential with every command from now on",
    ev.PoliciesProposed: lambda e, d, _: f"{e.by} wants policy set {d.digest[:SET_DIGITS]} in force",
    ev.PoliciesEntered: lambda _, d, __: f"policy set {d.digest[:SET_DIGITS]} is in force",
    ev.PoliciesRefused: lambda _, d, __: (
        f"POLICY SET {d.digest[:SET_DIGITS]} IS REFUSED, the one before stays in force: {d.reason}"
    ),
}


def _amounts(entries: Sequence[Booking] | Sequence[Spending]) -> str:
    """Say each amount once, however many caps it is counted against."""
    return ", ".join(dict.fromkeys(f"{one.amount} {one.account.unit}" for one in entries))


def _warned(warnings: Sequence[str]) -> str:
    return f"; WITH IT ARE USED {', '.join(warnings)}" if warnings else ""


def _roles(roles: Sequence[str]) -> str:
    return ", ".join(roles) or "nobody in particular"


def _choices(options: Sequence[str]) -> str:
    return f" [{' | '.join(options)}]" if options else ""
