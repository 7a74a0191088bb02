"""Policy: the rules that say which calls may happen, and which without a person."""

from typing import Protocol

from kernos.vocabulary.gate import Decision, Request
from kernos.vocabulary.sealing import Carried


class Policy(Protocol):
    """One policy set, checked and parsed once."""

    def decide(self, request: Request) -> Decision:
        """Answer allow, ask or deny. Total: an evaluation error, an unknown attribute or no matching rule denies with the reason."""
        ...

    def decide_open(self, request: Request, carried: Carried) -> Decision:
        """Answer whether a labelled value may be opened for a call: allow or deny, never ask. Total, and no without a rule that permits it."""
        ...

    def digest(self) -> str:
        """Return the SHA-256 of the policy set and its schema, 64 hex digits."""
        ...
