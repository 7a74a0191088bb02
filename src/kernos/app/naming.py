"""Naming: from what a person types to the run or the step it means; ids shorten as in git."""

from kernos.kernel.state import Phase, RunState, StepKind
from kernos.ports.journal import Views
from kernos.vocabulary.errors import Ambiguous, InvalidInput, NotFound
from kernos.vocabulary.ids import RunId, StepName, is_run_id, split_step_key

_PAGE = 10_000  # Rows looked at together when an id is searched.
_SHOWN_MAX = 5


async def find_run(views: Views, name: str) -> RunId:
    """Return the id of the run that begins with `name`. Raises NotFound, Ambiguous; InvalidInput for an empty name."""
    if not name:
        message = "an empty name names no run"
        raise InvalidInput(message, hint="Give the run's id or its first characters; `kernos ps` lists them.")
    found: list[RunId] = []
    if is_run_id(name):  # Whole: no need to look at any other.
        found.extend(RunId(str(row["run"])) for row in await views.select("runs", {"run": name}))
        if found:
            return found[0]
    after = None
    while True:
        page = await views.select("runs", {}, after=after, limit=_PAGE)
        found.extend(RunId(str(row["run"])) for row in page if str(row["run"]).startswith(name))
        if len(page) < _PAGE:
            break
        after = page[-1]["run"]
    if not found:
        message = f"no run's id begins with {name!r}"
        raise NotFound(message)
    if len(found) > 1:
        shown = ", ".join(found[:5]) + (", ..." if len(found) > _SHOWN_MAX else "")
        message = f"{len(found)} runs' ids begin with {name!r}: {shown}"
        raise Ambiguous(message)
    return found[0]


def place_of(name: str) -> tuple[RunId, StepName]:
    """Take RUN.STEP apart; the run may be shortened. Raises InvalidInput."""
    try:
        return split_step_key(name)
    except ValueError as error:
        raise InvalidInput(str(error)) from error


def only_step(state: RunState, phase: Phase) -> StepName:
    """Return the one step that stands in `phase`, of those that wait only questions. Raises NotFound, Ambiguous."""
    steps = [step for step, recorded in state.steps.items() if recorded.phase is phase]
    if phase is Phase.WAITING:
        steps = [step for step in steps if state.steps[step].kind is StepKind.QUESTION]
    if not steps:
        message = f"nothing in run {state.run} waits for that"
        raise NotFound(message, hint=f"See what it waits for with `kernos trace {state.run}`.")
    if len(steps) > 1:
        message = f"several steps of run {state.run} wait for that: {', '.join(steps)}"
        raise Ambiguous(message, hint=f"Name one: {state.run}.{steps[0]}")
    return steps[0]
