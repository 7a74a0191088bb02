"""What the gate says about a proposed call, and the facts it is asked about."""

from dataclasses import dataclass
from enum import StrEnum

from kernos.vocabulary.circumstances import Known
from kernos.vocabulary.ids import PrincipalId, TenantId
from kernos.vocabulary.outcome import Effect
from kernos.vocabulary.quantities import Json

MODEL_TOOL = "model"
"""The name under which policy sees model calls; no tool may take it."""


SET_DIGITS = 16
"""Hex digits of a policy set's digest that decisions name."""


class Answer(StrEnum):
    """Three answers: go on, ask a person, no."""

    ALLOW = "allow"
    ASK = "ask"
    DENY = "deny"


@dataclass(frozen=True, slots=True)
class Decision:
    """An answer with its grounds, as it stands in the journal."""

    answer: Answer
    policy_set: str
    """First 16 hex digits of the SHA-256 of the policy set."""
    rules: tuple[str, ...] = ()
    """Ids of the policies that determined the answer, sorted."""
    reason: str = ""
    """Why, in words: evaluation errors, or the station that refused."""


@dataclass(frozen=True, slots=True)
class Request:
    """One call as policy sees it: who wants to do what with which arguments, on whose behalf."""

    agent: str
    agent_version: str
    on_behalf_of: PrincipalId
    tenant: TenantId
    tool: str
    effect: Effect
    args: Json
    depth: int = 0
    undo: bool = False
    """Whether the call takes back an action of the same agent."""
    guest: bool = False
    """Whether the agent is a loop that is not ours; the rules of flow look at each of its calls."""
    known: Known | None = None
    """What policies may ask about besides; asked only for what a rule names. None: taken again later, when it is not known any more."""
