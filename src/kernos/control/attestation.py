"""Attestation: what goes into a person's signed yes, and whether it still holds when the action is about to be made."""

import hashlib
from collections.abc import Mapping
from typing import Any

from msgspec import json

from kernos.control.gate import digest_of
from kernos.control.surroundings import Surroundings
from kernos.kernel.administration import OwnKey
from kernos.kernel.identity import roles_of
from kernos.kernel.quorum import lacking, wanted
from kernos.kernel.state import Phase, RunState, Step, Voice
from kernos.ports.approvals import ApprovalTokens, SignYes
from kernos.ports.clock import Chance
from kernos.vocabulary.approval import ApprovalClaims
from kernos.vocabulary.contract import ToolContract
from kernos.vocabulary.errors import BadToken, NotAllowed
from kernos.vocabulary.gate import Decision
from kernos.vocabulary.ids import UUID_BITS, EpochMs, PrincipalId, StepName, uuid4
from kernos.vocabulary.journal import TreeHead
from kernos.vocabulary.quantities import Json

_DIGITS = 16


def tool_digest(contract: ToolContract[Any, Any]) -> str:
    """Return the first 16 hex digits of the SHA-256 of a tool's declaration: what a person said yes to is a call of this tool."""
    schemas = [contract.input.schema.text, contract.output.schema.text]
    written = b"\0".join([contract.name.encode(), str(contract.effect).encode(), *schemas])
    return hashlib.sha256(written).hexdigest()[:_DIGITS]


def shown_of(state: RunState, name: StepName) -> dict[str, Any]:
    """Return what a person is shown of a call that waits: `kernos approval show` and pages show this, and the yes is to this."""
    step, request = state.steps[name], state.request()
    gate = step.gate
    people = {} if gate is None or not gate.requires else {"wants": [wanted(one) for one in gate.requires]}
    voices = {"said_yes": [voice.by for voice in step.voices]} if step.voices and step.phase is Phase.ASKING else {}
    remarks = {"remarks": [f"{by}: {text}" for by, text in step.remarks]} if step.remarks else {}
    return {
        "agent": f"{request.agent}@{request.agent_version}",
        "intent": request.intent,
        "checkpoint": state.checkpoint.name if state.checkpoint else "",
        "tool": step.what,
        "effect": str(step.effect or ""),
        "arguments": json.decode(step.args.text),
        "reason": gate.reason if gate is not None else "",
        "rules": list(gate.rules) if gate is not None else [],
        "takes_back": step.undoes.key if step.undoes is not None else "",
        **people,
        **voices,
        **remarks,
    }


def seal_yes(
    shared: Surroundings,
    state: RunState,
    step: StepName,
    by: PrincipalId,
    digest: str,
    gate: Decision | None,
    at: EpochMs,
    head: TreeHead | None,
    sign: SignYes | None = None,
) -> tuple[str, str]:
    """Sign a person's yes, at `at`, to the arguments with this digest; `head`: the journal's newest tree head then.

    Returns the token, and what `sign` made of the same with the person's own key (empty without). Raises NotAllowed when that does not hold.
    """
    assert gate is not None, step
    claims = claims_of(
        state,
        step,
        by=by,
        args_digest=digest,
        gate=gate,
        at=at,
        expires_at=EpochMs(at + shared.approval_token_ms),
        chance=shared.chance,
        head=head,
    )
    own = sign(claims) if sign is not None else ""
    wrong = _own(shared, claims, own) if own else ""
    if wrong:
        raise NotAllowed(wrong, hint="See whose keys there are with `kernos access list`.")
    return shared.tokens.seal(claims), own


def claims_of(
    state: RunState,
    name: StepName,
    *,
    by: PrincipalId,
    args_digest: str,
    gate: Decision,
    at: EpochMs,
    expires_at: EpochMs,
    chance: Chance,
    head: TreeHead | None,
) -> ApprovalClaims:
    """Return what a person's yes to the call at step `name` says; it expires no later than the question."""
    step = state.steps[name]
    return ApprovalClaims(
        token_id=uuid4(chance.bits(UUID_BITS)),
        by=by,
        tenant=state.request().tenant,
        issued_at=at,
        expires_at=min(expires_at, step.due_at),
        tool=step.what,
        tool_digest=step.tool_digest,
        args_digest=args_digest,
        run=state.run,
        step=name,
        checkpoint=state.checkpoint.name if state.checkpoint else "",
        head_size=head.size if head is not None else 0,
        head_root=head.root.hex() if head is not None else "",
        policy_set=gate.policy_set,
        rules=gate.rules,
        shown_digest=digest_of(Json(json.encode(shown_of(state, name)))),
    )


def complaint(
    shared: Surroundings,
    state: RunState,
    name: StepName,
    tool: ToolContract[Any, Any],
    at: EpochMs,
    now: Decision,
) -> tuple[str, str]:
    """Return the ids of the signed answers to a granted step, and why they do not hold for what is about to be sent (empty: they do).

    `now`: what the gate says of the call by this time; it may want other people than when the question was put.
    """
    step = state.steps[name]
    found: list[str] = []
    for voice in step.voices:
        try:
            claims = shared.tokens.read(voice.token)
        except BadToken as error:
            return "", str(error)
        found.append(claims.token_id)
        wrong = (
            shared.tokens.distrusted(voice.token, claims)
            or _mismatch(claims, voice, state, name, step, tool)
            or _lateness(claims, at)
            or (_own(shared, claims, voice.own_signature) if voice.own_signature else "")
        )
        if wrong:
            return " ".join(found), wrong
    if not found:
        return "", "nobody's yes stands in the journal"
    administration, tenant = shared.administrator.state, state.request().tenant
    roles = {voice.by: roles_of(administration, voice.by, tenant) for voice in step.voices}
    asked = step.gate.requires if step.gate is not None else ()
    return " ".join(found), lacking((*asked, *now.requires), step.voices, roles, state.requested_by, step.asked_at)


def _own(shared: Surroundings, claims: ApprovalClaims, signature: str) -> str:
    return own_complaint(shared.tokens, shared.administrator.state.own_keys, claims, signature)


def own_complaint(
    tokens: ApprovalTokens, own_keys: Mapping[str, OwnKey], claims: ApprovalClaims, signature: str
) -> str:
    """Return why a signature is not one over this very yes with a key that its person has now; empty: it is."""
    theirs = {name: key for name, key in own_keys.items() if key.principal == claims.by}
    if not theirs:
        return f"{claims.by} has no key of their own here"
    wrong = ""
    for name, key in theirs.items():
        try:
            signed = tokens.read_own(signature, key.form, bytes.fromhex(key.public_key))
        except BadToken as error:
            wrong = wrong or f"it is not signed with a key of {claims.by}: {error}"
            continue
        if key.is_revoked:
            return f"key {name} of {claims.by} was revoked, and what it signed counts no more"
        return "" if signed == claims else f"what {claims.by} signed with key {name} is another yes than this one"
    return wrong


def _mismatch(
    claims: ApprovalClaims, voice: Voice, state: RunState, name: StepName, step: Step, tool: ToolContract[Any, Any]
) -> str:
    gate = step.gate
    assert gate is not None, name
    pairs = {
        "tenant": (claims.tenant, state.request().tenant),
        "run": (claims.run, state.run),
        "step": (claims.step, name),
        "tool": (claims.tool, step.what),
        "tool as it is declared": (claims.tool_digest, tool_digest(tool)),
        "arguments": (claims.args_digest, digest_of(step.args)),
        "policy set": (claims.policy_set, gate.policy_set),
        "rules": (claims.rules, gate.rules),
        "person": (claims.by, voice.by),
    }
    wrong = [name for name, (said, present) in pairs.items() if said != present]
    return f"the yes is for another {wrong[0]}" if wrong else ""


def _lateness(claims: ApprovalClaims, at: EpochMs) -> str:
    if at < claims.expires_at:
        return ""
    minutes = (claims.expires_at - claims.issued_at) / 60_000
    return f"the yes was not used within {minutes:g} min"
