"""Spend: tokens and money by day, agent and model, counted from the usage that models report."""

from kernos.vocabulary.events import CallAttemptFailed, Event, ModelAnswered
from kernos.vocabulary.journal import RowOp, Table

TABLE = Table(
    "spend",
    (
        ("day", "int"),
        ("agent", "text"),
        ("model", "text"),
        ("calls", "int"),
        ("prompt_tokens", "int"),
        ("completion_tokens", "int"),
        ("cost_microusd", "int"),
        ("calls_unpriced", "int"),
    ),
    key_columns=3,
)

KINDS = frozenset({ModelAnswered, CallAttemptFailed})

_DAY_MS = 86_400_000


def project(event: Event) -> tuple[RowOp, ...]:
    """Add one call of a model, also one whose answer was of no use.

    `day` counts days since 1970; a call of unknown price counts as unpriced and costs nothing here.
    """
    data = event.data
    assert isinstance(data, (ModelAnswered, CallAttemptFailed)), data
    usage = data.usage
    if usage is None:
        return ()
    model = data.model if isinstance(data, ModelAnswered) else data.tool
    priced = usage.cost_microusd >= 0
    columns = {
        "calls": 1,
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "cost_microusd": usage.cost_microusd if priced else 0,
        "calls_unpriced": 0 if priced else 1,
    }
    return (RowOp("add", "spend", (event.at // _DAY_MS, event.by, model), columns),)
