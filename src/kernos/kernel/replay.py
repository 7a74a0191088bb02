"""Replay: whether the code asks what it asked before, and whether it may ask anything more."""

from kernos.kernel.state import RunState, Step, StepKind
from kernos.vocabulary.errors import Diverged, LimitReached
from kernos.vocabulary.ids import StepName
from kernos.vocabulary.quantities import NULL, Json
from kernos.vocabulary.questions import (
    AskCall,
    AskCheckpoint,
    AskChild,
    AskFork,
    AskModel,
    AskPersonFor,
    AskSignal,
    AskSleep,
    AskValue,
    Question,
)

_SHOWN_MAX = 400  # Characters of each question in the message: both fit on a screen.


def recall(state: RunState, name: StepName, kind: StepKind, what: str, args: Json) -> Step | None:
    """Return the step recorded under `name`, None when it is new.

    Raises Diverged, with both questions side by side, when the code asks something else under this name than it did before.
    """
    step = state.steps.get(name)
    if step is None:
        return None
    asked_with = step.proposed or step.args
    if step.kind is kind and step.what == what and asked_with == args:
        return step
    before = _question(step.kind, step.what, asked_with)
    now = _question(kind, what, args)
    message = (
        f"run {state.run} asked something else at step {name} than before; nothing was sent\n"
        f"  before: {before}\n"
        f"  now:    {now}"
    )
    raise Diverged(message)


def _question(kind: StepKind, what: str, args: Json) -> str:
    text = args.text.decode("utf-8", "replace")
    shown = text if len(text) <= _SHOWN_MAX else text[:_SHOWN_MAX] + "..."
    return f"{kind} {what}" if text == "null" else f"{kind} {what} {shown}"


def admit_step(state: RunState) -> None:
    """Let the run take one more step. Raises LimitReached when its contract does not."""
    steps_max = state.request().limits.steps
    if len(state.steps) >= steps_max:
        message = f"run {state.run} has taken {steps_max} steps, the limit of its contract (steps)"
        raise LimitReached(message, hint="Split the work into child runs, or raise steps in the agent's limits.")


def identity(question: Question) -> tuple[StepKind, str, Json]:
    """Return what must be the same when the code asks again."""
    match question:
        case AskCall(tool, args):
            return StepKind.CALL, tool, args
        case AskModel(model, _, args):
            return StepKind.MODEL, model, args
        case AskValue(what):
            return StepKind.VALUE, what, NULL
        case AskCheckpoint(name):
            return StepKind.CHECKPOINT, name, NULL
        case AskFork():
            return StepKind.FORK, "fork", NULL
        case AskSleep():
            return StepKind.TIMER, "sleep", NULL
        case AskSignal(topic):
            return StepKind.SIGNAL, topic, NULL
        case AskPersonFor(_, text):
            return StepKind.QUESTION, text, NULL
        case AskChild(agent, value):
            return StepKind.CHILD, agent, value
