"""Spend: every answer that a model was paid for is counted, also one of no use."""

from pydantic import BaseModel

from kernos import CallFailed, Context, agent
from kernos.app.story import Story, tell
from kernos.control.codec import decode_entry
from kernos.ports.journal import Row
from kernos.testing import VirtualKernel, run_virtually
from kernos.vocabulary.contract import ModelReply
from kernos.vocabulary.events import CallAttemptFailed, ModelAnswered
from kernos.vocabulary.journal import Entry
from kernos.vocabulary.outcome import AttemptFailed, FailureKind
from kernos.vocabulary.quantities import Json, Usage


class Reading(BaseModel):
    words: int


NO_FIT = ModelReply(Json(b'"three"'), Usage(100, 10, 7))
NO_JSON = AttemptFailed(FailureKind.RETRYABLE, "no JSON", usage=Usage(200, 20, -1))
NO_ANSWER = AttemptFailed(FailureKind.RETRYABLE, "busy")
REFUSED = AttemptFailed(FailureKind.FINAL, "refused", usage=Usage(1_000, 1, 5))
FIT = ModelReply(Json(b'{"words":3}'), Usage(300, 30, 9))


@agent("desk")
async def desk(ctx: Context, text: str) -> int:
    try:
        return (await ctx.model("count", text, Reading)).words
    except CallFailed:
        return -1


def spent(*replies: object) -> tuple[int, Row, Story, list[Entry]]:
    """Let a model give these replies; return the output, the row of the spend projection, the story and the entries."""

    async def live() -> tuple[int, Row, Story, list[Entry]]:
        async with VirtualKernel(desk, replies=replies) as kernel:
            run = await kernel.start(desk, "one two three")
            output = await run.result()
            entries = list(await kernel.journal.read(run.id))
            (row,) = await kernel.journal.select("spend", {})
            return output, row, tell([decode_entry(entry) for entry in entries]), entries

    return run_virtually(live())


def test_answers_of_no_use_are_counted_beside_the_one_that_fits() -> None:
    output, row, story, entries = spent(NO_FIT, NO_JSON, FIT)
    assert output == 3
    assert (row["calls"], row["prompt_tokens"], row["completion_tokens"]) == (3, 600, 60)
    assert (row["cost_microusd"], row["calls_unpriced"]) == (16, 1)
    assert (story.model_calls, story.usage, story.calls_unpriced) == (3, Usage(600, 60, 16), 1)
    assert [said for _, said in story.happened if "100 + 10 tokens" in said]
    datas = [decode_entry(entry).data for entry in entries]
    assert [data.usage for data in datas if isinstance(data, CallAttemptFailed)] == [NO_FIT.usage, NO_JSON.usage]
    assert [data.usage for data in datas if isinstance(data, ModelAnswered)] == [FIT.usage]


def test_the_last_answer_is_counted_although_attempts_ran_out() -> None:
    output, row, story, _ = spent(NO_FIT, NO_FIT, NO_FIT)
    assert output == -1
    assert (row["calls"], row["prompt_tokens"], row["cost_microusd"]) == (3, 300, 21)
    assert story.usage == Usage(300, 30, 21)


def test_a_refusal_is_counted_and_an_attempt_that_nobody_answered_is_not() -> None:
    output, row, story, _ = spent(NO_ANSWER, REFUSED)
    assert output == -1
    assert (row["calls"], row["prompt_tokens"], row["cost_microusd"]) == (1, 1_000, 5)
    assert (story.model_calls, story.usage) == (1, REFUSED.usage)
