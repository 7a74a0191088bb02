"""Surroundings: what every session of a kernel shares."""

from dataclasses import dataclass

from kernos.control.administrator import Administrator
from kernos.control.circumstances import Circumstances
from kernos.control.dispatch import Dispatch
from kernos.control.gate import Gate
from kernos.control.line import Line
from kernos.control.registry import Registry
from kernos.control.treasury import Treasury
from kernos.ports.approvals import ApprovalTokens
from kernos.ports.clock import Chance, Clock


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The world, what is declared, and what is asked before anything happens."""

    clock: Clock
    chance: Chance
    registry: Registry
    gate: Gate
    approval_ttl_ms: int
    """How long a question to a person stands."""
    approval_token_ms: int
    """How long a yes may be used."""
    tokens: ApprovalTokens
    circumstances: Circumstances
    administrator: Administrator
    treasury: Treasury
    line: Line
    dispatch: Dispatch
