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
class Requirement:
    """Who must say yes, where a rule says so: `quorum` different people, each one of the approvers."""

    rule: str
    approvers: tuple[str, ...]
    """Roles, or principals such as `person:ana`."""
    quorum: int = 1
    is_requester_free: bool = False
    """Whether whoever the run acts for may be one of them."""
    later: tuple[tuple[int, str], ...] = ()
    """Who else may say yes once nobody has for so many milliseconds: the chain that the question goes up."""
    wants_own_key: bool = False
    """Whether each of them signs with a key of their own, besides."""


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
    requires: tuple[Requirement, ...] = ()
    """Whose yes it takes, where it asks; each must be met. None: any person's."""


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
