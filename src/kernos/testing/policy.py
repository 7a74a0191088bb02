"""Policy: for tests where what the rules say does not matter: a table of answers by tool, and one that allows everything."""

import hashlib
import json
from collections.abc import Mapping

from kernos.vocabulary.gate import Answer, Decision, Request
from kernos.vocabulary.sealing import Carried


class TablePolicy:
    """Answers by the tool's name (`model` for models), denies what is not listed: a `ports.policy.Policy`."""

    def __init__(self, answers: Mapping[str, Answer]) -> None:
        """Take the answers by tool."""
        self._answers = dict(answers)
        table = json.dumps(sorted((tool, answer.value) for tool, answer in answers.items()))
        self._digest = hashlib.sha256(table.encode()).hexdigest()

    def decide(self, request: Request) -> Decision:
        """Answer what the table says; its row is the rule."""
        answer = self._answers.get(request.tool)
        if answer is None:
            return Decision(Answer.DENY, self._digest[:16], (), f"the table has no row for {request.tool}")
        reason = "" if answer is Answer.ALLOW else f"the table says {answer.value}"
        return Decision(answer, self._digest[:16], (request.tool,), reason)

    def decide_open(self, request: Request, carried: Carried) -> Decision:
        """Open to a tool what it declares."""
        return _opened(request, carried, self._digest)

    def digest(self) -> str:
        """Return the SHA-256 of the table, 64 hex digits."""
        return self._digest


class AllowAll:
    """Allows every call without a person: a `ports.policy.Policy`."""

    def decide(self, request: Request) -> Decision:
        """Allow."""
        return Decision(Answer.ALLOW, self.digest()[:16], ("all",))

    def decide_open(self, request: Request, carried: Carried) -> Decision:
        """Open to a tool what it declares."""
        return _opened(request, carried, self.digest())

    def digest(self) -> str:
        """Return the SHA-256 of its one rule, 64 hex digits."""
        return hashlib.sha256(b"all").hexdigest()


def _opened(request: Request, carried: Carried, digest: str) -> Decision:
    if carried.is_declared:
        return Decision(Answer.ALLOW, digest[:16], ("declared",))
    return Decision(Answer.DENY, digest[:16], (), f"{request.tool} does not declare {carried.label} there")
