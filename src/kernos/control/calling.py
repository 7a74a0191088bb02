"""Calling: what a tool is told besides its arguments: the key, the attempt, and what the call is part of."""

from typing import Any

from kernos.kernel.state import RunState
from kernos.vocabulary.contract import ToolCall, ToolContract
from kernos.vocabulary.ids import IdempotencyKey, StepName, step_key
from kernos.vocabulary.undo import Undone, undo_key


def tagged(
    state: RunState, step: StepName, tool: ToolContract[Any, Any], attempt: int, undoes: Undone | None
) -> ToolCall:
    """Return the tag of one attempt."""
    request = state.request()
    return ToolCall(
        tool=tool.name,
        key=undo_key(undoes.key) if undoes else IdempotencyKey(step_key(state.run, step)),
        attempt=attempt,
        agent=f"{request.agent}@{request.agent_version}",
        run=state.run,
        intent=request.intent,
        checkpoint=state.checkpoint.name if state.checkpoint else "",
        timeout_ms=tool.timeout_ms,
        root=request.root or state.run,
    )
