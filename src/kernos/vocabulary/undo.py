"""Undo: the words in which actions are taken back: what a contract says about its failures, and which action a call takes back."""

from dataclasses import dataclass
from enum import StrEnum

from kernos.vocabulary.ids import IdempotencyKey, StepName

REVERT_AGENT = "kernos.revert"
"""The agent that takes actions back: as the last child of a run that failed, or started by a person for one that has ended."""

UNDO_STEP = StepName("undo")
"""The step under which a failed run waits for its actions to be taken back."""

FAILURE_STEP = StepName("failure")
"""The step under which a failed run asks a person what becomes of it."""

ANY_FAILURE = "*"


class RemedyKind(StrEnum):
    """What a workflow wants when it fails."""

    STOP = "stop"
    """End as it is; what was done stays done."""
    COMPENSATE = "compensate"
    """Take back what was done outside, newest first, then end."""
    HAND_OVER = "hand_over"
    """Ask a person, who says one of the others."""


@dataclass(frozen=True, slots=True)
class Remedy:
    """What becomes of a failed run. `to`: only what was done after the last checkpoint of this name is taken back; empty: all."""

    kind: RemedyKind
    to: str = ""

    @classmethod
    def of(cls, text: str) -> "Remedy":
        """Read `stop`, `hand_over`, `compensate` or `compensate:CHECKPOINT`. Raises ValueError."""
        kind, colon, to = text.partition(":")
        if (colon and not to) or (to and kind != RemedyKind.COMPENSATE):
            raise ValueError(text)
        return cls(RemedyKind(kind), to)


@dataclass(frozen=True, slots=True)
class Undone:
    """The action that a call takes back, and the agent in whose name both are done."""

    key: IdempotencyKey
    tool: str
    agent: str
    agent_version: str


def undo_key(action: IdempotencyKey) -> IdempotencyKey:
    """Return the key under which the action with this key is taken back: the same whoever does it, so that it is taken back once."""
    return IdempotencyKey(f"{action}.undo")


@dataclass(frozen=True, slots=True)
class PlannedUndo:
    """One action in a plan. `args` is the JSON text of the call of `with_tool`; `obstacle` says why it cannot be made."""

    undone: Undone
    done_at: int
    done_args: str
    """What the action was called with, as JSON text."""
    with_tool: str = ""
    args: str = ""
    obstacle: str = ""
    cost_microusd: int = 0
    leaves: str = ""


@dataclass(frozen=True, slots=True)
class UndoPlan:
    """How a run's actions are taken back, in this order. `digest` is of all that is to be called (16 hex digits)."""

    run: str
    to: str
    undos: tuple[PlannedUndo, ...]
    digest: str


@dataclass(frozen=True, slots=True)
class NotUndone:
    """An action that still stands, and why."""

    key: str
    tool: str
    reason: str


@dataclass(frozen=True, slots=True)
class UndoReport:
    """What became of a plan: keys of the actions that are undone, and what still stands."""

    run: str
    to: str
    undone: tuple[str, ...]
    standing: tuple[NotUndone, ...]
