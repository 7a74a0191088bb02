"""Revert: the kernel's own agent that takes actions back, one after the other, and says what is undone and what still stands."""

from collections.abc import Callable
from typing import Any

from kernos.authoring.agent import agent
from kernos.execution.context import Context
from kernos.kernel.state import RunState, StepKind
from kernos.vocabulary.contract import AgentContract, ToolContract
from kernos.vocabulary.errors import CallFailed, CallRefused, NotAllowed, NotFound
from kernos.vocabulary.quantities import Json, Limits
from kernos.vocabulary.undo import REVERT_AGENT, NotUndone, PlannedUndo, UndoPlan, UndoReport

_LIMITS = Limits(steps=1_000_000, wall_time_ms=365 * 86_400_000)
"""As many steps as a tree of runs may have done, and a year: what is in doubt or waits for a yes must not be given up by itself."""


def revert_agent(tool_named: Callable[[str], ToolContract[Any, Any] | None]) -> AgentContract[UndoPlan, UndoReport]:
    """Return the agent; `tool_named` finds the tools that plans call."""

    @agent(REVERT_AGENT, limits=_LIMITS)
    async def revert(ctx: Context, plan: UndoPlan) -> UndoReport:
        """Take back what a run did outside."""
        undone: list[str] = []
        standing: list[NotUndone] = []
        for undo in plan.undos:
            why = undo.obstacle or await _take_back(ctx, undo, tool_named(undo.with_tool))
            if why:
                standing.append(NotUndone(undo.undone.key, undo.undone.tool, why))
            else:
                undone.append(undo.undone.key)
        return UndoReport(plan.run, plan.to, tuple(undone), tuple(standing))

    return revert


async def _take_back(ctx: Context, undo: PlannedUndo, tool: ToolContract[Any, Any] | None) -> str:
    """Take one action back; return why that did not happen, empty when it did."""
    if tool is None:
        return f"the tool {undo.with_tool} is not registered here"
    try:
        await ctx.undo(undo.undone, tool, Json(undo.args.encode()))
    except (CallFailed, CallRefused) as error:
        return str(error)
    return ""


def check_may_be_reverted(state: RunState, to: str) -> None:
    """Check that what a run did (after its checkpoint `to`, if given) can be taken back now. Raises NotAllowed, NotFound."""
    run = state.run
    if state.request().agent == REVERT_AGENT:
        message = f"run {run} takes actions back, and that is not taken back: doing them again is a decision of its own"
        raise NotAllowed(message, hint="Start the agent again if its work is wanted after all.")
    if not state.ended:
        message = f"run {run} has not ended ({state.status})"
        raise NotAllowed(message, hint=f"Cancel it first: `kernos cancel {run}`.")
    names = {step.what for step in state.steps.values() if step.kind is StepKind.CHECKPOINT}
    if to and to not in names:
        message = f"run {run} reached no checkpoint {to!r}; it reached {', '.join(sorted(names)) or 'none'}"
        raise NotFound(message)
