"""Crashes: a workflow is run once without a crash, then once for each point at which its process can die, and must end the same each time.

The process is a whole kernel in virtual time over a store in memory that keeps exactly what was durable. It dies at a point, everything that is not durable
is dropped, and another one starts over the same store. The ledger of effects outlives it, as the world does.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from kernos.ports.model import Model
from kernos.ports.policy import Policy
from kernos.testing.clock import run_virtually
from kernos.testing.kernel import VirtualKernel
from kernos.testing.ledger import Ledger
from kernos.testing.people import People
from kernos.testing.points import Point, Points
from kernos.testing.stage import Cast, CheckFailed, Stage, books, cast_of, outcome_of, whoever_waits
from kernos.vocabulary.budget import Caps
from kernos.vocabulary.contract import AgentContract, ToolContract
from kernos.vocabulary.errors import InvalidInput
from kernos.vocabulary.ids import RunId

In = TypeVar("In")

WITHIN_S = 40 * 86_400.0
"""Virtual time for one world: longer than the longest wall time that a contract has unless told."""

SHOWN_MAX = 10
"""Findings that an error shows; there may be one for each point."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How one world ended: the run's status with its output or failure mode, the effects and how often they happened, what is wrong."""

    outcome: tuple[str, str]
    effects: Counter[str]
    wrong: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Crashes:
    """What a check found: the end without a crash, and the points that end the same."""

    clean: Ended
    points: tuple[Point, ...]


def crash_everywhere(
    workflow: AgentContract[In, Any],
    value: In,
    *,
    agents: Sequence[AgentContract[Any, Any]] = (),
    tools: Sequence[ToolContract[Any, Any]] = (),
    ledger: Ledger | None = None,
    models: Mapping[str, Model] | Callable[[], Mapping[str, Model]] | None = None,
    policies: str | Path | Policy | None = None,
    budgets: Caps | None = None,
    people: People | None = None,
    same: Callable[[str], object] = str,
    at: str = "",
) -> Crashes:
    """Run `workflow` on `value` with a crash at every point, and check that each time it ends as it does without one.

    Points are every step, every attempt before and after its effect, every look-up, every model call, and every commit group before and after it is
    durable. Equal must be the outcome, the effects in the ledger, and the journal with them; and every run must end.

    `agents`: those that the workflow asks. `tools`: stand-ins for tools that must not be called here. `ledger`: the one that your own fakes write to, cleared
    for each world; without, the calls of tools are written down, those of an `idempotent` one under the same key as one effect. `budgets`: caps, as for a kernel. `people`: who
    answers questions, by default with yes. `same`: what of an outcome's JSON has to be equal, where it holds a time or chance.
    `at`: the name of one point, to repeat a failure alone.

    Call it outside of any event loop; it has its own. Raises CheckFailed, which names the points and what differs at each, and
    InvalidInput for a point that is not there.
    """
    cast = cast_of(
        workflow,
        agents=agents,
        tools=tools,
        models=models,
        policies=policies,
        budgets=budgets,
        people=people,
        ledger=ledger,
    )
    counted = Points()
    clean = _world(cast, workflow, value, counted, 0)
    again = _world(cast, workflow, value, Points(), 0)
    name = f"{workflow.name}, without any crash"
    if clean.wrong:
        raise CheckFailed(name, clean.wrong)
    if differences := differences_of(clean, again, same):
        hint = "so its code does not decide by what it is given: take time, chance and data from ctx"
        raise CheckFailed(f"{name}, run twice, ends differently; {hint}", differences)
    points = tuple(point for point in counted.reached if at in ("", point.name))
    if not points:
        message = f"{workflow.name} reaches no point {at!r}"
        raise InvalidInput(message, hint=f"It reaches: {', '.join(str(point) for point in counted.reached)}.")
    findings: list[str] = []
    for number, point in enumerate(points):
        ended = _world(cast, workflow, value, Points(point.name), number + 1)
        findings += findings_at(point, clean, ended, same, cast)
    refuse(workflow.name, len(points), findings)
    return Crashes(clean, points)


def findings_at(point: Point, clean: Ended, ended: Ended, same: Callable[[str], object], cast: Cast) -> list[str]:
    """Say what is wrong with how a world ended that had a crash at a point."""
    found = (*ended.wrong, *(explained(one, cast) for one in differences_of(clean, ended, same)))
    return [f"crash {point}: {difference} [repeat it alone with at={point.name!r}]" for difference in found]


def refuse(name: str, points: int, findings: Sequence[str]) -> None:
    """Raise CheckFailed if anything was found."""
    if findings:
        more = [f"and {len(findings) - SHOWN_MAX} more"] if len(findings) > SHOWN_MAX else []
        about = f"{name} does not end the same after a crash ({points} points tried)"
        raise CheckFailed(about, [*findings[:SHOWN_MAX], *more])


def differences_of(clean: Ended, ended: Ended, same: Callable[[str], object]) -> list[str]:
    """Say how an end differs from the one without a crash."""
    if not ended.outcome[0]:
        return []  # It did not end: that is said already.
    found: list[str] = []
    (status, shown), (other_status, other_shown) = clean.outcome, ended.outcome
    if status != other_status or same(shown) != same(other_shown):
        found.append(f"it ended {other_status} {other_shown}, and {status} {shown} without")
    for effect in sorted({*clean.effects, *ended.effects}):
        before, after = clean.effects[effect], ended.effects[effect]
        if before != after:
            found.append(f"{effect} happened {_times(after)}, and {_times(before)} without")
    return found


def explained(difference: str, cast: Cast) -> str:
    """Add what is likely wrong when no tool did it."""
    if "happened" not in difference or difference.split(" ", 1)[0] in {tool.name for tool in cast.tools()}:
        return difference
    return f"{difference}; no tool did that: code that acts by itself acts again after a crash, so let a tool do it"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _world(cast: Cast, workflow: AgentContract[Any, Any], value: object, points: Points, number: int) -> Ended:
    """Let one world happen: a life that ends at its point, if it has one, and then one that goes on to the end."""
    return run_virtually(_lives(Stage(cast, seed=number, group_delay_ms=_disk), workflow, value, points))


def _disk() -> int:
    """Say how many milliseconds each commit group takes: enough that whatever does not wait for it runs ahead of it."""
    return 3


async def _lives(stage: Stage, workflow: AgentContract[Any, Any], value: object, points: Points) -> Ended:
    ended = await one_life(stage, workflow, value, points)
    if ended is None:
        ended = await one_life(stage, workflow, value, Points(counts=False))
    assert ended is not None
    return ended


async def one_life(stage: Stage, workflow: AgentContract[Any, Any], value: object, points: Points) -> Ended | None:
    """Let one kernel live until the run has ended; None when it died."""
    kernel = stage.kernel(points)
    died: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    points.on_death.append(lambda: None if died.done() else died.set_result(None))
    started: list[RunId] = []

    async def work() -> None:
        await kernel.__aenter__()  # It may die while it opens, too.
        run = await kernel.start(workflow, value, key="the one")
        started.append(run.id)
        await stage.attend(kernel)

    working = asyncio.ensure_future(work())
    await asyncio.wait({working, died}, timeout=WITHIN_S, return_when=asyncio.FIRST_COMPLETED)
    if died.done():
        await kernel.die()
        return None
    try:
        if not working.done():
            working.cancel()
            return Ended(("", ""), stage.cast.ledger.effects(), tuple(await whoever_waits(kernel)))
        working.result()
        outcome = await outcome_of(kernel, started[0])
        wrong = [*await _unmeant_end(kernel, stage, workflow, started[0]), *await books(kernel, stage)]
        return Ended(outcome, stage.cast.ledger.effects(), tuple(wrong))
    except CheckFailed as failed:
        return Ended(("", ""), stage.cast.ledger.effects(), failed.findings)
    finally:
        await kernel.__aexit__(None, None, None)


async def _unmeant_end(kernel: VirtualKernel, stage: Stage, workflow: AgentContract[Any, Any], run: RunId) -> list[str]:
    """Say what is wrong with an end that is none of those that the workflow's contract names."""
    status, shown = await outcome_of(kernel, run)
    if status == "expired":
        return [f"it expired, because nobody sent it on: {wait}" for wait in stage.waits] or ["it expired"]
    if status == "failed" and shown not in workflow.failures:
        (row,) = await kernel.journal.select("runs", {"run": run})
        return [f"it failed with {shown!r}, which its contract does not name: {row['reason']}"]
    return []
