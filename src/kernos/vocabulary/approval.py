"""Approval: what a person's signed yes says; anyone with the public key can read and check it."""

from dataclasses import dataclass

from kernos.vocabulary.ids import EpochMs, PrincipalId, RunId, StepName, TenantId


@dataclass(frozen=True, slots=True)
class ApprovalClaims:
    """A yes to one exact action: whose, to which bytes, seen when, and until when it may be used (once)."""

    token_id: str
    """A UUID; it is used up by the event that records the intent to act."""
    by: PrincipalId
    tenant: TenantId
    issued_at: EpochMs
    expires_at: EpochMs
    tool: str
    tool_digest: str
    """First 16 hex digits of the SHA-256 of the tool's declaration: its name, effect class and types."""
    args_digest: str
    """SHA-256 of the arguments' RFC 8785 form, 64 hex digits."""
    run: RunId
    step: StepName
    checkpoint: str
    """The run's newest checkpoint when the person was asked; empty before the first."""
    head_size: int
    """Size of the journal's tree whose signed head was the newest when the person answered."""
    head_root: str
    """The root of that tree, 64 hex digits."""
    policy_set: str
    rules: tuple[str, ...]
    shown_digest: str
    """SHA-256 of the RFC 8785 form of what the person was shown, 64 hex digits."""
