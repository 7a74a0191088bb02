"""Account: all that is known about each call of a run, folded from the run's events: what was asked, decided, answered and done.

Pure, for `kernos why` and `kernos effects`. Nothing here prints or asks.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kernos.app.story import plain
from kernos.vocabulary import events as ev
from kernos.vocabulary.events import Event
from kernos.vocabulary.gate import Decision
from kernos.vocabulary.ids import step_key
from kernos.vocabulary.outcome import Failure
from kernos.vocabulary.quantities import Json


@dataclass(frozen=True, slots=True)
class Verdict:
    """One answer of the gate, with the arguments it was about."""

    at: int
    answer: str
    rules: tuple[str, ...]
    policy_set: str
    reason: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try: when it began, and how it ended as far as it is known."""

    number: int
    at: int
    ended_at: int = 0
    ended: str = "no answer is recorded"


@dataclass(frozen=True, slots=True)
class Said:
    """What a person said about the call: `approved`, `edited`, `denied`, `settled as done` and so on."""

    at: int
    by: str
    what: str
    note: str = ""
    before: Any = None
    after: Any = None


@dataclass(frozen=True, slots=True)
class LookedUp:
    """What the service said when it was asked whether the action happened; `done` None: it could not tell."""

    at: int
    done: bool | None
    evidence: str


@dataclass(frozen=True, slots=True)
class Boundary:
    """The newest checkpoint before the call."""

    name: str
    summary: str
    at: int


@dataclass(slots=True)
class Account:
    """One call."""

    run: str
    step: str
    key: str
    kind: str
    """`action`, `read` or `model`."""
    tool: str
    effect: str
    args: Any
    at: int
    """When it was proposed."""
    state: str = "asked"
    result: Any = None
    has_result: bool = False
    outcome: str = ""
    """Why it is as it is, in words: a failure, a refusal, a doubt, or how an answer came that the call itself did not give."""
    intended_at: int = 0
    ended_at: int = 0
    checkpoint: Boundary | None = None
    decisions: list[Verdict] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    look_ups: list[LookedUp] = field(default_factory=list)
    undoes: str = ""
    """Key of the action that it takes back."""

    @property
    def approver(self) -> str:
        """Return who said yes, empty when nobody had to."""
        return next((said.by for said in self.said if said.what in ("approved", "edited")), "")


def accounts_of(events: Sequence[Event]) -> dict[str, Account]:
    """Return the calls of one run by step, in the order in which they were proposed."""
    found: dict[str, Account] = {}
    checkpoint: Boundary | None = None
    for event in events:
        data = event.data
        if isinstance(data, ev.CheckpointReached):
            checkpoint = Boundary(data.name, data.summary, event.at)
        account = found.get(str(getattr(data, "step", "")))
        if type(data) in _OPENS:
            if account is None:
                account = found[str(getattr(data, "step", ""))] = _opened(event, checkpoint)
            if not isinstance(data, ev.CallAttemptFailed):
                _identify(account, data)
        rule = _RULES.get(type(data))
        if rule is not None and account is not None:
            rule(account, event, data)
            if isinstance(data, ev.ActionIntended):
                account.checkpoint = checkpoint
                if data.approval and data.approval != step_key(event.run, data.step):
                    first = events[0]
                    account.said.append(
                        Said(first.at, str(first.by), "approved", "with the request, having seen the plan")
                    )
    return found


_OPENS = {
    ev.ReadAnswered: "read",
    ev.ModelAnswered: "model",
    ev.CallDenied: "action",
    ev.ApprovalRequested: "action",
    ev.ActionIntended: "action",
    ev.ActionForgone: "action",
    ev.CallAttemptFailed: "read",
}
"""Kinds of events that a call may begin with, and what it is called then; what it really is shows when it is answered or intended."""


def _opened(event: Event, checkpoint: Boundary | None) -> Account:
    data: Any = event.data
    key = step_key(event.run, data.step)
    tool = str(getattr(data, "tool", ""))
    return Account(event.run, data.step, key, _OPENS[type(data)], tool, "", None, event.at, checkpoint=checkpoint)


def _identify(account: Account, data: Any) -> None:
    """Take over what the event says about the call itself."""
    effect = str(getattr(data, "effect", ""))
    account.kind = "read" if effect == "read" else _OPENS[type(data)]
    account.effect = effect or ("read" if account.kind == "read" else "")
    account.tool = data.model if isinstance(data, ev.ModelAnswered) else data.tool
    account.key = str(getattr(data, "key", "") or account.key)
    if not any(said.what == "edited" for said in account.said):  # An edited read is answered under what the code asked.
        account.args = plain(data.args)
    undone = getattr(data, "undoes", None)
    account.undoes = str(undone.key) if undone is not None else ""


def _decided(account: Account, event: Event, gate: Decision) -> None:
    account.decisions.append(Verdict(event.at, str(gate.answer), gate.rules, gate.policy_set, gate.reason))


def _answered(account: Account, event: Event, result: Json | None, failure: Failure | None) -> None:
    account.ended_at = event.at
    if isinstance(failure, Failure):
        account.state, account.outcome = "failed", f"{failure.code}: {failure.message}"
        return
    account.state = "answered" if account.kind != "action" else "performed"
    account.result, account.has_result = plain(result), True


def _close_attempt(account: Account, event: Event, ended: str) -> None:
    """Say how the attempt under way ended; one whose beginning is not recorded (a read's) gets its line now."""
    if account.attempts and not account.attempts[-1].ended_at:
        last = account.attempts[-1]
        account.attempts[-1] = Attempt(last.number, last.at, event.at, ended)


# --- one rule for each kind of event --------------------------------------------------------------------------------


def _call_answered(account: Account, event: Event, data: ev.ReadAnswered | ev.ModelAnswered) -> None:
    _decided(account, event, data.gate)
    if data.attempts > len(account.attempts):
        account.attempts.append(Attempt(data.attempts, event.at, event.at, "failed" if data.failure else "answered"))
    _answered(account, event, data.result, data.failure)


def _denied(account: Account, event: Event, data: ev.CallDenied) -> None:
    _decided(account, event, data.gate)
    account.state, account.outcome, account.ended_at = "denied", data.gate.reason, event.at


def _asked(account: Account, event: Event, data: ev.ApprovalRequested) -> None:
    _decided(account, event, data.gate)
    account.state = "asking"


def _intended(account: Account, event: Event, data: ev.ActionIntended) -> None:
    _decided(account, event, data.gate)
    account.state, account.intended_at = "under way", event.at
    account.attempts.append(Attempt(data.attempt, event.at))


def _forgone(account: Account, event: Event, data: Any) -> None:
    _decided(account, event, data.gate)
    _answered(account, event, None, data.failure)


def _retried(account: Account, event: Event, data: ev.ActionRetried) -> None:
    account.state = "under way"
    account.attempts.append(Attempt(data.attempt, event.at))


def _attempt_failed(account: Account, event: Event, data: ev.CallAttemptFailed) -> None:
    ended = f"{data.failure}: {data.message}"
    if account.kind == "action":
        account.state = "between attempts"
        _close_attempt(account, event, ended)
    else:
        account.attempts.append(Attempt(data.attempt, event.at, event.at, ended))


def _performed(account: Account, event: Event, data: ev.ActionPerformed) -> None:
    if data.evidence:
        account.outcome = data.evidence
    else:
        _close_attempt(account, event, "answered")
    _answered(account, event, data.result, None)


def _failed(account: Account, event: Event, data: ev.ActionFailed) -> None:
    if data.gate is not None:
        _decided(account, event, data.gate)
    else:
        _close_attempt(account, event, f"{data.failure.code}: {data.failure.message}")
    _answered(account, event, None, data.failure)


def _doubted(account: Account, event: Event, data: ev.ActionDoubted) -> None:
    if data.gate is not None:
        _decided(account, event, data.gate)
    else:
        _close_attempt(account, event, data.message)
    account.state, account.outcome = "in doubt", data.message


def _looked_up(account: Account, event: Event, data: ev.ActionLookedUp) -> None:
    account.look_ups.append(LookedUp(event.at, data.done, data.evidence))


def _settled(account: Account, event: Event, data: ev.ActionSettled) -> None:
    account.said.append(Said(event.at, str(event.by), f"settled as {data.verdict.replace('_', ' ')}", data.note))
    account.ended_at = event.at
    account.state = {"done": "performed", "not_done": "not done"}.get(data.verdict, "unknown")
    account.outcome = f"{event.by} said so: {data.note}"
    if data.result is not None:
        account.result, account.has_result = plain(data.result), True


def _voiced(account: Account, event: Event, data: ev.ApprovalVoiced) -> None:
    account.said.append(Said(event.at, str(event.by), "said yes to", data.note))


def _questioned(account: Account, event: Event, data: ev.ApprovalQuestioned) -> None:
    account.said.append(Said(event.at, str(event.by), "asked about", data.question))


def _explained(account: Account, event: Event, data: ev.ApprovalExplained) -> None:
    account.said.append(Said(event.at, str(event.by), "answered about", data.text))


def _granted(account: Account, event: Event, data: ev.ApprovalGranted) -> None:
    account.said.append(Said(event.at, str(event.by), "approved", data.note))
    account.state = "approved"


def _edited(account: Account, event: Event, data: ev.ApprovalEdited) -> None:
    _decided(account, event, data.gate)
    account.said.append(Said(event.at, str(event.by), "edited", data.note, plain(data.before), plain(data.args)))
    account.state, account.args = "approved" if data.is_enough else account.state, plain(data.args)


def _not_approved(account: Account, event: Event, data: ev.ApprovalDenied) -> None:
    account.said.append(Said(event.at, str(event.by), "denied", data.reason))
    account.state, account.ended_at, account.outcome = "not approved", event.at, f"{event.by} said no: {data.reason}"


def _nobody_answered(account: Account, event: Event, data: ev.ApprovalExpired) -> None:
    account.state, account.ended_at, account.outcome = "not approved", event.at, "nobody answered in time"


_RULES: Mapping[type, Callable[[Account, Event, Any], None]] = {
    ev.ReadAnswered: _call_answered,
    ev.ModelAnswered: _call_answered,
    ev.CallDenied: _denied,
    ev.ApprovalRequested: _asked,
    ev.ActionIntended: _intended,
    ev.ActionForgone: _forgone,
    ev.ActionRetried: _retried,
    ev.CallAttemptFailed: _attempt_failed,
    ev.ActionPerformed: _performed,
    ev.ActionFailed: _failed,
    ev.ActionDoubted: _doubted,
    ev.ActionLookedUp: _looked_up,
    ev.ActionSettled: _settled,
    ev.ApprovalVoiced: _voiced,
    ev.ApprovalQuestioned: _questioned,
    ev.ApprovalExplained: _explained,
    ev.ApprovalGranted: _granted,
    ev.ApprovalEdited: _edited,
    ev.ApprovalDenied: _not_approved,
    ev.ApprovalExpired: _nobody_answered,
}
