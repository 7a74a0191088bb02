"""Model: plain functions by task, for programs and tests that need no weights."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from kernos.vocabulary.budget import Prices
from kernos.vocabulary.contract import ModelReply, ModelRequest
from kernos.vocabulary.outcome import AttemptFailed, FailureKind
from kernos.vocabulary.quantities import Json, Usage

Rule = Callable[[Any], object]
"""Takes the task's input as Python values and returns the answer as values that JSON has."""


class RulesModel:
    """Answers each task with its own function, without tokens or costs: a `ports.model.Model`."""

    def __init__(self, rules: Mapping[str, Rule]) -> None:
        """Take the functions by task. One that raises stops the run that asked, with its own error."""
        self._rules = dict(rules)

    @property
    def metered(self) -> bool:
        """Tell that no call leaves this process."""
        return False

    @property
    def prices(self) -> Prices:
        """Tell that it is free of charge and counts no tokens."""
        return Prices(0, 0, has_tokens=False)

    async def complete(self, request: ModelRequest) -> ModelReply | AttemptFailed:
        """Answer. FINAL where there is no function for the task, or its answer is no JSON."""
        rule = self._rules.get(request.task)
        if rule is None:
            tasks = ", ".join(sorted(self._rules)) or "none"
            return AttemptFailed(
                FailureKind.FINAL, f"there is no rule for the task {request.task!r}; there are: {tasks}"
            )
        answer = rule(msgspec.json.decode(request.input.text))
        try:
            output = Json(msgspec.json.encode(answer))
        except (TypeError, ValueError, RecursionError) as error:
            message = f"the rule for {request.task!r} gave no JSON ({error})"
            return AttemptFailed(FailureKind.FINAL, message)
        return ModelReply(output, Usage())
