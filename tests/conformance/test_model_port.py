"""Model port: what a worker relies on, for each model behind it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from aiohttp import web
from msgspec import json

from kernos.adapters.http.model import OpenAIModel
from kernos.adapters.rules.model import RulesModel
from kernos.ports.model import Model
from kernos.testing import ModelSuite, ScriptedModel
from kernos.testing.conformance.model import COUNT, COUNTED
from kernos.vocabulary.contract import ModelReply
from kernos.vocabulary.outcome import AttemptFailed, FailureKind
from kernos.vocabulary.quantities import Json, Usage


@asynccontextmanager
async def _openai() -> AsyncIterator[Model]:
    async def complete(request: web.Request) -> web.Response:
        asked = await request.json()
        if "count" not in asked["messages"][0]["content"]:
            return web.json_response({"error": {"message": "no such task"}}, status=400)
        words = len(json.decode(asked["messages"][1]["content"])["text"].split())
        message = {"role": "assistant", "content": json.encode({"words": words}).decode()}
        usage = {"prompt_tokens": 9, "completion_tokens": 2}
        return web.json_response({"choices": [{"message": message}], "usage": usage})

    app = web.Application()
    app.router.add_post("/v1/chat/completions", complete)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    model = OpenAIModel(f"http://127.0.0.1:{runner.addresses[0][1]}/v1", "small")
    yield model
    await model.close()
    await runner.cleanup()


@asynccontextmanager
async def _rules() -> AsyncIterator[Model]:
    yield RulesModel({"count": lambda given: {"words": len(given["text"].split())}})


@asynccontextmanager
async def _scripted() -> AsyncIterator[Model]:
    yield ScriptedModel([{"words": 3}, ModelReply(COUNTED, Usage()), AttemptFailed(FailureKind.FINAL, "no such task")])


class TestOpenAIModel(ModelSuite):
    open_model = staticmethod(_openai)


class TestRulesModel(ModelSuite):
    metered = False
    open_model = staticmethod(_rules)


class TestScriptedModel(ModelSuite):
    metered = False
    open_model = staticmethod(_scripted)


async def test_a_missing_rule_names_the_tasks_there_are() -> None:
    outcome = await RulesModel({"b": str, "a": str}).complete(COUNT)
    assert isinstance(outcome, AttemptFailed)
    assert outcome.message == "there is no rule for the task 'count'; there are: a, b"


async def test_a_rule_whose_answer_is_no_json_fails_for_good() -> None:
    outcome = await RulesModel({"count": lambda _: object()}).complete(COUNT)
    assert isinstance(outcome, AttemptFailed)
    assert (outcome.kind, "no JSON" in outcome.message) == (FailureKind.FINAL, True)


async def test_a_script_gives_its_replies_in_order_and_remembers_what_it_was_asked() -> None:
    later = AttemptFailed(FailureKind.RETRYABLE, "busy")
    model = ScriptedModel([Json(b"1"), later, [2]], metered=True)
    other = replace(COUNT, task="other")
    found = [await model.complete(COUNT), await model.complete(other), await model.complete(COUNT)]
    assert found == [ModelReply(Json(b"1"), Usage()), later, ModelReply(Json(b"[2]"), Usage())]
    assert model.requests == [COUNT, other, COUNT]
    assert model.metered


async def test_a_script_that_is_used_up_says_so() -> None:
    outcome = await ScriptedModel([]).complete(COUNT)
    assert isinstance(outcome, AttemptFailed)
    assert outcome.message == "the script has 0 replies; this is call 1, task 'count'"
