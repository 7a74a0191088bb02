"""The gate: the ordered checks before a call. One way in for tools and models alike.

Stations, in order: contract (the agent declares the tool, the arguments fit its input), policy, labels (which values may be opened for the
call), flow (where the arguments come from, see `kernos/flow`). Approval follows from their answer in `kernel.action`; budgets and breakers have their places before it.
"""

import hashlib
from dataclasses import replace
from typing import Any

import rfc8785
from msgspec import json

from kernos.control.carrying import carried_by, labels_in
from kernos.control.registry import Registry
from kernos.ports.policy import Policy
from kernos.vocabulary.circumstances import Known
from kernos.vocabulary.contract import AgentContract
from kernos.vocabulary.errors import ContractBroken
from kernos.vocabulary.events import RunRequested
from kernos.vocabulary.flow import Verdict
from kernos.vocabulary.gate import MODEL_TOOL, SET_DIGITS, Answer, Decision, Request
from kernos.vocabulary.ids import PrincipalId
from kernos.vocabulary.outcome import Effect
from kernos.vocabulary.quantities import Json
from kernos.vocabulary.sealing import Carried
from kernos.vocabulary.undo import REVERT_AGENT, Undone


class Gate:
    """Decides about calls, under the policy set that is in force."""

    def __init__(self, registry: Registry, policy: Policy) -> None:
        """Take what is declared and the policy set."""
        self._registry = registry
        self._policy = policy

    def enter(self, policy: Policy) -> None:
        """Decide under another policy set from now on."""
        self._policy = policy

    def is_of_now(self, decision: Decision) -> bool:
        """Tell whether a decision was taken under the set that is in force."""
        return decision.policy_set == self._policy.digest()[:SET_DIGITS]

    def decide_call(
        self,
        requested: RunRequested,
        by: PrincipalId,
        agent: AgentContract[Any, Any],
        tool: str,
        args: Json,
        undoes: Undone | None = None,
        flow: Verdict | None = None,
        known: Known | None = None,
    ) -> Decision:
        """Answer about one tool call. Total: what is wrong with it is the reason of a denial.

        `flow` is what the rules of flow say of it; the stricter answer counts. `known`: what policies may ask about besides. A call that takes an action back is decided on as a call of the agent that acted, and only the undo that the action's tool
        declares may be called.
        """
        contract = self._registry.tool(tool)
        if undoes is not None:
            acted = self._registry.tool(undoes.tool)
            if (
                agent.name != REVERT_AGENT
                or acted is None
                or acted.compensate is None
                or acted.compensate.tool is not contract
            ):
                return self._deny(f"{tool} is not what takes {undoes.tool} back")
        elif contract is None or contract not in agent.tools:
            declared = ", ".join(t.name for t in agent.tools) or "none"
            return self._deny(f"agent {agent.name} does not declare the tool {tool} (declared: {declared})")
        elif requested.grant is not None and tool not in requested.grant:
            granted = ", ".join(requested.grant) or "none"
            return self._deny(f"the run was not granted the tool {tool} by whoever started it (granted: {granted})")
        assert contract is not None, tool
        try:
            contract.input.decode(args)
        except ContractBroken as broken:
            return self._deny(f"the arguments do not fit {tool}: {broken}")
        request = Request(
            agent=undoes.agent if undoes else agent.name,
            agent_version=undoes.agent_version if undoes else agent.version,
            on_behalf_of=by,
            tenant=requested.tenant,
            tool=tool,
            effect=contract.effect,
            args=args,
            depth=requested.depth,
            undo=undoes is not None,
            guest=agent.is_guest,
            known=known,
        )
        decision = self._policy.decide(request)
        if decision.answer is Answer.DENY:
            return decision
        for carried in carried_by(contract, args):
            opening = self._policy.decide_open(request, carried)
            if opening.answer is not Answer.ALLOW:
                return opening
        return decision if flow is None else _with_flow(decision, flow)

    def decide_model(
        self,
        requested: RunRequested,
        by: PrincipalId,
        agent: AgentContract[Any, Any],
        model: str,
        task: str,
        known: Known | None = None,
    ) -> Decision:
        """Answer about one model call."""
        if self._registry.model(model) is None:
            names = ", ".join(self._registry.models) or "none"
            return self._deny(f"no model is named {model!r} here (there are: {names})")
        return self._policy.decide(_model_request(requested, by, agent, model, task, known))

    def opened_to_model(
        self,
        requested: RunRequested,
        by: PrincipalId,
        agent: AgentContract[Any, Any],
        model: str,
        task: str,
        args: Json,
        known: Known | None = None,
    ) -> frozenset[str]:
        """Return the labels whose values the model may see in its prompt; the others stay handles."""
        labels = labels_in(args)
        if not labels:
            return frozenset()
        request = _model_request(requested, by, agent, model, task, known)
        allowed = (
            label for label in labels if self._policy.decide_open(request, Carried(label)).answer is Answer.ALLOW
        )
        return frozenset(allowed)

    def _deny(self, reason: str) -> Decision:
        return Decision(Answer.DENY, self._policy.digest()[:SET_DIGITS], (), reason)


def _model_request(
    requested: RunRequested,
    by: PrincipalId,
    agent: AgentContract[Any, Any],
    model: str,
    task: str,
    known: Known | None,
) -> Request:
    return Request(
        agent=agent.name,
        agent_version=agent.version,
        on_behalf_of=by,
        tenant=requested.tenant,
        tool=MODEL_TOOL,
        effect=Effect.READ,
        args=Json(json.encode({"model": model, "task": task})),
        depth=requested.depth,
        known=known,
    )


def _with_flow(decision: Decision, flow: Verdict) -> Decision:
    """Return the stricter of what policy and the rules of flow say, with the reasons of both."""
    answer = max(decision.answer, flow.answer, key=_STRICTNESS.index)
    if flow.answer is Answer.ALLOW:
        return (
            replace(decision, reason="; ".join(filter(None, (decision.reason, *flow.grounds))))
            if flow.grounds
            else decision
        )
    reasons = [flow.reason, decision.reason] if decision.answer is answer else [flow.reason]
    return replace(decision, answer=answer, reason="; ".join(filter(None, reasons)))


_STRICTNESS = (Answer.ALLOW, Answer.ASK, Answer.DENY)


_DEPTH_MAX = 100
"""Levels up to which the RFC 8785 form is made: where Python's stack ends depends on who asks, and a digest must not."""


def _is_deep(text: bytes, value: object) -> bool:
    """Tell whether a value is nested beyond the bound."""
    if text.count(b"[") + text.count(b"{") <= _DEPTH_MAX:
        return False
    level: list[object] = [value]
    for _ in range(_DEPTH_MAX):
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
    return any(isinstance(one, dict | list) for one in level)


def digest_of(args: Json) -> str:
    """Return the SHA-256 of the arguments' RFC 8785 form, 64 hex digits: what an approval is bound to."""
    value = json.decode(args.text)
    try:
        form = None if _is_deep(args.text, value) else rfc8785.dumps(value)
    except rfc8785.IntegerDomainError:  # Beyond 2**53 it has no form; 64-bit ids are common, and no two may look alike.
        form = None
    form = form or b"exact\0" + json.encode(value, order="sorted")
    return hashlib.sha256(form).hexdigest()
