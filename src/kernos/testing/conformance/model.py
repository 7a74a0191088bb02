"""The model port's suite: what every model adapter has to do. Give `open_model`; the plugin of kernos runs the rest."""

# ruff: noqa: D102 - a test's name is its sentence

from contextlib import AbstractAsyncContextManager
from dataclasses import replace

from kernos.ports.model import Model
from kernos.vocabulary.contract import ModelReply, ModelRequest
from kernos.vocabulary.outcome import AttemptFailed, FailureKind
from kernos.vocabulary.quantities import Json

COUNT = ModelRequest("count", "Count the words.", Json(b'{"text":"a b c"}'), Json(b'{"type":"object"}'))
COUNTED = Json(b'{"words":3}')


class ModelSuite:
    """Subclass it in a file of tests, and let `open_model` give a model that answers COUNT with COUNTED, and refuses the task `sing` for good."""

    kernos_suite = True
    metered = True
    """Whether a call leaves the process: such calls wait for the disk and are counted."""

    def open_model(self) -> AbstractAsyncContextManager[Model]:
        """Give the model, for one test."""
        raise NotImplementedError

    async def test_an_answer_is_json_with_what_it_used(self) -> None:
        async with self.open_model() as model:
            reply = await model.complete(COUNT)
        assert isinstance(reply, ModelReply), reply
        assert reply.output == COUNTED
        assert min(reply.usage.prompt_tokens, reply.usage.completion_tokens) >= 0
        assert reply.usage.cost_microusd >= -1

    async def test_the_same_request_may_be_made_again(self) -> None:
        async with self.open_model() as model:
            first, second = await model.complete(COUNT), await model.complete(COUNT)
        assert isinstance(first, ModelReply), first
        assert isinstance(second, ModelReply), second
        assert first.output == second.output

    async def test_a_failure_is_an_answer_and_no_exception(self) -> None:
        async with self.open_model() as model:
            await model.complete(COUNT)
            await model.complete(COUNT)
            outcome = await model.complete(replace(COUNT, task="sing", instructions="Sing."))
        assert isinstance(outcome, AttemptFailed), outcome
        assert outcome.kind is FailureKind.FINAL
        assert outcome.message

    async def test_only_a_call_that_leaves_the_process_is_metered(self) -> None:
        async with self.open_model() as model:
            assert model.metered is self.metered
