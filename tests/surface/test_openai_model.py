"""OpenAI-compatible endpoint: what is asked, how replies are read, and what each failure means."""

import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from kernos.adapters.http.answer_schema import strict
from kernos.adapters.http.model import OpenAIModel
from kernos.adapters.secrets.secret import Secret
from kernos.vocabulary.contract import ModelReply, ModelRequest
from kernos.vocabulary.outcome import AttemptFailed, FailureKind
from kernos.vocabulary.quantities import Json, Usage
from tests.surface.chat_endpoint import REQUEST, Endpoint, completion, served


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(tmp_path_factory.mktemp("endpoint")) as address:
        yield address


@pytest.fixture
async def endpoint(address: str) -> AsyncIterator[Endpoint]:
    async with aiohttp.ClientSession() as session:
        yield Endpoint(address, session)


async def _complete(model: OpenAIModel, request: ModelRequest = REQUEST) -> ModelReply | AttemptFailed:
    try:
        return await model.complete(request)
    finally:
        await model.close()


async def _failure(model: OpenAIModel) -> AttemptFailed:
    outcome = await _complete(model)
    assert isinstance(outcome, AttemptFailed)
    return outcome


async def test_instructions_and_task_are_the_system_and_the_input_is_the_user(endpoint: Endpoint) -> None:
    await endpoint.script(completion('{"lines": []}'))
    assert await _complete(OpenAIModel(endpoint.url, "small", options={"temperature": 0})) == ModelReply(
        Json(b'{"lines":[]}'), Usage(1_000, 10, -1)
    )
    (asked,) = await endpoint.seen()
    assert asked["body"]["messages"] == [
        {"role": "system", "content": "Read it.\n\nTask: read ticket"},
        {"role": "user", "content": '{"text":"grüße"}'},
    ]
    assert (asked["body"]["model"], asked["body"]["max_tokens"], asked["body"]["temperature"]) == ("small", 99, 0)
    assert "Authorization" not in asked["headers"]


async def test_the_answers_schema_is_sent_closed_and_strict(endpoint: Endpoint) -> None:
    await endpoint.script(completion("{}"))
    await _complete(OpenAIModel(endpoint.url, "small", token_limit_name="max_completion_tokens"))
    (asked,) = await endpoint.seen()
    described = asked["body"]["response_format"]["json_schema"]
    assert (described["name"], described["strict"]) == ("read_ticket", True)
    assert described["schema"]["required"] == ["kind", "lines"]
    assert described["schema"]["$defs"]["L"]["additionalProperties"] is False
    assert "default" not in described["schema"]["properties"]["kind"]
    assert asked["body"]["max_completion_tokens"] == 99


async def test_an_answer_that_is_no_object_is_asked_for_in_words(endpoint: Endpoint) -> None:
    await endpoint.script(completion("[1]"), completion("1"))
    listed = replace(REQUEST, schema=Json(b'{"type":"array"}'))
    assert isinstance(await _complete(OpenAIModel(endpoint.url, "m"), listed), ModelReply)
    assert isinstance(await _complete(OpenAIModel(endpoint.url, "m"), replace(REQUEST, schema=Json(b"{}"))), ModelReply)
    first, second = await endpoint.seen()
    assert "response_format" not in first["body"] and "response_format" not in second["body"]
    assert first["body"]["messages"][0]["content"].endswith('fits this schema: {"type":"array"}')
    assert second["body"]["messages"][0]["content"].endswith("Task: read ticket")


@pytest.mark.parametrize(
    ("schema", "is_strict"),
    [
        ({"type": "object", "properties": {"a": {"type": "object"}}}, False),
        (
            {"type": "object", "properties": {"a": {"type": "object", "additionalProperties": {"type": "integer"}}}},
            False,
        ),
        ({"type": "object", "properties": {"properties": {"type": "string"}, "default": {"type": "string"}}}, True),
    ],
)
def test_a_schema_with_an_open_map_is_not_called_strict(schema: dict[str, Any], is_strict: bool) -> None:
    sent, called_strict = strict(schema)
    assert called_strict is is_strict
    assert sent is not None and set(sent["properties"]) == set(schema["properties"])


def test_a_schema_that_refers_to_itself_is_closed_too() -> None:
    tree = {"type": "object", "properties": {"next": {"$ref": "#/$defs/T"}}}
    sent, is_strict = strict({"$ref": "#/$defs/T", "$defs": {"T": tree}})
    assert is_strict and sent is not None
    assert sent["$defs"]["T"]["required"] == ["next"]


async def test_a_code_block_around_the_json_is_taken_off(endpoint: Endpoint) -> None:
    await endpoint.script(completion('```json\n{"a":\n1}\n```\n'))
    outcome = await _complete(OpenAIModel(endpoint.url, "m"))
    assert isinstance(outcome, ModelReply) and outcome.output == Json(b'{"a":1}')


@pytest.mark.parametrize(
    ("prices", "cost"), [((3, 7), 1), ((2_000_000, 5_000_000), 2_050), ((0, 0), 0), ((None, 5), -1), ((None, None), -1)]
)
async def test_costs_are_rounded_up_and_an_unknown_price_is_told(
    endpoint: Endpoint, prices: tuple[int | None, int | None], cost: int
) -> None:
    await endpoint.script(completion("{}"))
    model = OpenAIModel(endpoint.url, "m", prompt_price_microusd=prices[0], completion_price_microusd=prices[1])
    outcome = await _complete(model)
    assert isinstance(outcome, ModelReply) and outcome.usage == Usage(1_000, 10, cost)


async def test_a_reply_without_usage_has_an_unknown_price(endpoint: Endpoint) -> None:
    await endpoint.script({"text": '{"choices":[{"message":{"content":"{}"}}]}'})
    model = OpenAIModel(endpoint.url, "m", prompt_price_microusd=1, completion_price_microusd=1)
    outcome = await _complete(model)
    assert isinstance(outcome, ModelReply) and outcome.usage == Usage(0, 0, -1)


@pytest.mark.parametrize(
    ("reply", "kind", "told"),
    [
        (completion("I think so"), FailureKind.RETRYABLE, "no JSON"),
        (completion('{"a": ', "length"), FailureKind.RETRYABLE, "limit of its tokens"),
        (completion(None), FailureKind.RETRYABLE, "no JSON"),
        ({"text": "<html>"}, FailureKind.RETRYABLE, "something else than a completion"),
        ({"text": '{"choices":[]}'}, FailureKind.RETRYABLE, "something else than a completion"),
        (completion(None, refusal="I must not"), FailureKind.FINAL, "refused to answer: I must not"),
        (completion("{}", "content_filter"), FailureKind.FINAL, "content_filter"),
        ({"status": 400, "text": '{"error":{"message":"no such model"}}'}, FailureKind.FINAL, "no such model"),
        ({"status": 401, "text": ""}, FailureKind.FINAL, "401"),
        ({"status": 429, "headers": {"Retry-After": "3"}}, FailureKind.RETRYABLE, "429"),
        ({"status": 503}, FailureKind.RETRYABLE, "503"),
        ({"status": 500}, FailureKind.UNKNOWN, "500"),
        ({"hang_up": True}, FailureKind.UNKNOWN, "broke"),
    ],
)
async def test_each_failure_has_its_class_and_is_one_request(
    endpoint: Endpoint, reply: dict[str, Any], kind: FailureKind, told: str
) -> None:
    await endpoint.script(reply)
    failure = await _failure(OpenAIModel(endpoint.url, "m"))
    assert (failure.kind, told in failure.message) == (kind, True), failure
    assert failure.retry_after_ms == (3_000 if "headers" in reply else 0)
    assert len(await endpoint.seen()) == 1


@pytest.mark.parametrize("reply", [completion("I think so"), completion(None, refusal="I must not")])
async def test_an_answer_of_no_use_tells_what_it_used(endpoint: Endpoint, reply: dict[str, Any]) -> None:
    await endpoint.script(reply)
    priced = OpenAIModel(endpoint.url, "m", prompt_price_microusd=1_000_000, completion_price_microusd=2_000_000)
    assert (await _failure(priced)).usage == Usage(1_000, 10, 1_020)


async def test_an_endpoint_that_is_not_there_is_retryable(endpoint: Endpoint) -> None:
    assert endpoint.url
    assert (await _failure(OpenAIModel("http://127.0.0.1:1/v1", "m"))).kind is FailureKind.RETRYABLE


async def test_the_key_is_read_at_the_call_and_never_told(endpoint: Endpoint) -> None:
    name = "KERNOS_TEST_KEY_OF_OPENAI_MODEL"
    model = OpenAIModel(endpoint.url, "m", api_key=Secret(f"env:{name}").read)
    await endpoint.script()
    missing = await _failure(model)
    assert await endpoint.seen() == []
    assert (missing.kind, name in missing.message) == (FailureKind.FINAL, True)
    os.environ[name] = "geheim"
    try:
        await endpoint.script({"status": 403})
        failure = await _failure(model)
    finally:
        del os.environ[name]
    assert (await endpoint.seen())[0]["headers"]["Authorization"] == "Bearer geheim"
    assert "geheim" not in repr(failure) + repr(vars(model))


def test_a_call_leaves_the_process() -> None:
    assert OpenAIModel("http://127.0.0.1:1/v1", "m").metered
