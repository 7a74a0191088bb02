"""Why: what one call outside rests on: who asked for what, which agent, which decision under which rules, who said yes, what came of it."""

from dataclasses import dataclass
from typing import Any

from kernos.app.account import Account, accounts_of
from kernos.app.finding import Found, events_of, undo_of
from kernos.app.kernel import Kernel
from kernos.app.story import plain
from kernos.vocabulary import events as ev
from kernos.vocabulary.errors import NotFound
from kernos.vocabulary.events import Event

CHAIN_MAX = 100
"""Runs above a run that are told: far above the depth that contracts allow."""


@dataclass(frozen=True, slots=True)
class Link:
    """One run on the way from the first request to the call; `step` is the parent's step that asked for it."""

    run: str
    agent: str
    version: str
    code_digest: str
    intent: str
    asked_by: str
    asked_at: int
    input: Any
    step: str
    reverts: str


@dataclass(frozen=True, slots=True)
class Why:
    """Everything that one call rests on. `chain` begins with the first request and ends with the call's own run."""

    how: str
    chain: tuple[Link, ...]
    account: Account
    taken_back: tuple[Account, ...]
    """The calls that took it back."""


async def explain(kernel: Kernel, found: Found) -> Why:
    """Tell one call. Raises NotFound when the step is no call."""
    events = await events_of(kernel, found.run)
    account = accounts_of(events).get(found.step)
    if account is None:
        message = f"step {found.step} of run {found.run} is no call of a tool or a model"
        raise NotFound(message, hint=f"See its steps with `kernos trace {found.run} --events`.")
    chain = [_link(events)]
    parent = _parent(events)
    while parent and len(chain) < CHAIN_MAX:
        above = await events_of(kernel, parent)
        if not above:
            break
        chain.insert(0, _link(above))
        parent = _parent(above)
    undos = await undo_of(kernel, account.key) if account.kind == "action" else []
    taken_back = [accounts_of(await events_of(kernel, undo.run))[undo.step] for undo in undos]
    return Why(found.how, tuple(chain), account, tuple(taken_back))


def _request(events: list[Event]) -> ev.RunRequested:
    data = events[0].data
    assert isinstance(data, ev.RunRequested), data
    return data


def _parent(events: list[Event]) -> str:
    return str(_request(events).parent)


def _link(events: list[Event]) -> Link:
    first, asked = events[0], _request(events)
    return Link(
        run=first.run,
        agent=asked.agent,
        version=asked.agent_version,
        code_digest=asked.code_digest,
        intent=asked.intent,
        asked_by=str(first.by),
        asked_at=first.at,
        input=plain(asked.input),
        step=str(asked.parent_step),
        reverts=str(asked.reverts),
    )
