"""Provenance: what one run knows about the origins of values, gathered from its steps, and what the rules of flow say of its next call.

It is derived: the journal's steps are all it looks at, so it is the same after a restart. One activation of a run's code keeps one.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

from msgspec import json

from kernos.control.registry import Registry
from kernos.flow.facts import Facts
from kernos.flow.heritage import handed
from kernos.flow.judge import deed_key, is_chosen, is_open, is_vouched, judge, leaves_out, moved_key, unvouched
from kernos.flow.records import Value
from kernos.flow.words import Words
from kernos.kernel.state import Phase, RunState, Step, StepKind
from kernos.vocabulary.events import RunRequested
from kernos.vocabulary.flow import Consequence, Heritage, Verdict
from kernos.vocabulary.grants import StandingGrant
from kernos.vocabulary.ids import StepName
from kernos.vocabulary.outcome import Failure
from kernos.vocabulary.quantities import Json


class Session(Protocol):
    """The session, as its provenance sees it."""

    @property
    def state(self) -> RunState:
        """The run as it stands now."""
        ...


class Provenance:
    """The facts about one run, brought up to date whenever a call is judged."""

    def __init__(
        self,
        session: Session,
        registry: Registry,
        grants: Callable[[], Mapping[str, StandingGrant]] = dict,
    ) -> None:
        """Take the run to look at and the standing grants in force; nothing is read before the first call of a tool that declares its flow."""
        self._session = session
        self._registry = registry
        self._grants = grants
        self._facts: Facts | None = None
        self._taken: set[StepName] = set()

    def verdict(self, tool: str, args: Json) -> Verdict | None:
        """Return what the rules of flow say about a call, None where its tool declares nothing."""
        contract = self._registry.tool(tool)
        if contract is None or contract.flow is None:
            return None
        facts = self._now()
        return judge(tool, contract.flow, json.decode(args.text), facts, by_code=not self._is_guest())

    def is_tainted(self) -> bool:
        """Tell whether the run has read what an outsider may have written, as far as its tools declare that."""
        return self._now().is_tainted

    def _now(self) -> Facts:
        state = self._session.state
        if self._facts is None:
            self._facts = self._begun(state.request())
        if len(self._taken) < len(state.steps):
            for name, step in self._new(state):
                self._taken.add(name)
                self._take(self._facts, step)
        tenant = state.request().tenant
        self._facts.grants = {name: one for name, one in self._grants().items() if one.tenant == tenant}
        self._facts.endorsed.update(state.endorsed)
        self._facts.refused.update(state.refused - state.endorsed)
        self._facts.refused -= self._facts.endorsed
        return self._facts

    def _begun(self, request: RunRequested) -> Facts:
        """Return what is known before the first step: a child's request says what its parent knew."""
        told = request.heritage or Heritage()
        agent = self._registry.known_agent(request.agent)  # None where a run is only looked at.
        tools = {one.name: one.flow for one in (agent.tools if agent is not None else ()) if one.flow is not None}
        facts = Facts(Words([] if told.is_intent_untrusted else [request.intent]), tools)
        if told.is_intent_untrusted:
            facts.take_outside(request.intent)
        # A guest's input is the kernel's name for its visit: letters and digits by chance, and nobody's word.
        if agent is None or not agent.is_guest:
            facts.take_input(json.decode(request.input.text), told, agent.untrusted if agent is not None else ())
        facts.endorsed.update(told.endorsed)
        facts.refused.update(told.refused)
        return facts

    def handed(self, value: Json, intent: str = "") -> Heritage | None:
        """Return what another run must know of a value that this one hands to it; `intent`: the words that it is asked with, if new ones."""
        facts = self._now()
        found = handed(facts, json.decode(value.text), intent)
        return None if found == Heritage() else found

    def _new(self, state: RunState) -> list[tuple[StepName, Step]]:
        found = [(name, step) for name, step in state.steps.items() if name not in self._taken]
        return sorted(((name, step) for name, step in found if step.phase is Phase.DONE), key=lambda item: item[1].n)

    def _take(self, facts: Facts, step: Step) -> None:
        failed = not isinstance(step.outcome, Json)
        answer = json.decode(step.outcome.text) if isinstance(step.outcome, Json) else None
        if step.kind is StepKind.CALL:
            contract = self._registry.tool(step.what)
            if contract is None or contract.flow is None:
                return
            flow, args, by_code = contract.flow, json.decode(step.args.text), not self._is_guest()
            facts.wrote(unvouched(flow, args, facts, by_code=by_code))  # Also if it failed: it may have happened.
            if not failed:
                deeds = facts.told if flow.consequence is Consequence.EGRESS else facts.made
                deeds.update({deed_key(step.what, flow, args)} - {""})
                if moved := moved_key(flow, args):
                    facts.moved.setdefault(moved, step.what)
                chosen = is_chosen(flow, args, facts, by_code=by_code)
                vouched = is_vouched(args, facts, by_code=by_code)
                opened = is_open(args, facts, by_code=by_code)
                narrow = leaves_out(flow, args, facts, by_code=by_code)
                facts.read(
                    step.what, flow, answer, is_chosen=chosen, is_vouched=vouched, is_open=opened, is_narrow=narrow
                )
            elif isinstance(step.outcome, Failure) and step.outcome.code in _TOLD_BY_TOOLS and not flow.result.trusted:
                facts.take_outside([step.outcome.message, _decoded(step.outcome.details)])
        elif step.kind is StepKind.MODEL:
            facts.take_model(answer)
        elif step.kind is StepKind.SIGNAL and not failed:
            if step.what == PRINCIPAL_TOPIC:
                facts.hear(str(answer))
            else:
                facts.take_outside(answer)
        elif step.kind is StepKind.QUESTION and not failed:
            facts.take_answer(answer)
        elif step.kind is StepKind.CHILD and not step.detached:
            if isinstance(step.outcome, Failure):  # How it failed may be told in anybody's words.
                facts.take_outside([step.outcome.message, _decoded(step.outcome.details)])
            elif step.heritage is not None:
                facts.take_handed(answer, step.heritage)

    def _is_guest(self) -> bool:
        agent = self._registry.known_agent(self._session.state.request().agent)
        return agent is not None and agent.is_guest


def _decoded(text: Json | None) -> Value:
    return json.decode(text.text) if text is not None else None


_TOLD_BY_TOOLS = frozenset({"refused", "exhausted"})
"""Failures in the words of a tool, or of whoever answered it; the others are in the kernel's words, or a person's."""

PRINCIPAL_TOPIC = "kernos.principal"
"""The topic of signals that carry what the principal says to a run besides its intent."""
