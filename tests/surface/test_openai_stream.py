"""Answers that come piece by piece: put together they are what they would have been in one, and it is known when they began."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import json

from kernos.adapters.http.model import OpenAIModel
from kernos.adapters.http.server_events import ServerEvents
from kernos.adapters.http.streamed import StreamedCompletion
from kernos.vocabulary.contract import ModelReply
from kernos.vocabulary.outcome import AttemptFailed, FailureKind
from kernos.vocabulary.quantities import Json, Usage
from tests.surface.chat_endpoint import REQUEST, Endpoint, completion, served

USAGE = {"prompt_tokens": 1_000, "completion_tokens": 10, "prompt_tokens_details": {"cached_tokens": 900}}
DONE = "data: [DONE]\n\n"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(tmp_path_factory.mktemp("endpoint")) as address:
        yield address


@pytest.fixture
async def endpoint(address: str) -> AsyncIterator[Endpoint]:
    async with aiohttp.ClientSession() as session:
        yield Endpoint(address, session)


def chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def stream(*chunks: dict[str, Any], end: str = DONE) -> dict[str, Any]:
    text = "".join(f"data: {json.encode(one).decode()}\n\n" for one in chunks) + end
    return {"text": text, "headers": {"Content-Type": "text/event-stream; charset=utf-8"}}


WHOLE = (
    chunk({"role": "assistant", "content": ""}),
    chunk({"content": '{"lin'}),
    chunk({"content": 'es": []}'}),
    chunk({}, "stop"),
    {"choices": [], "usage": USAGE},
)


async def streamed(endpoint: Endpoint, *replies: dict[str, Any]) -> tuple[ModelReply | AttemptFailed, list[str]]:
    await endpoint.script(*replies)
    said: list[str] = []
    model = OpenAIModel(endpoint.url, "small", prompt_price_microusd=1_000_000, completion_price_microusd=1_000_000)
    try:
        return await model.stream(REQUEST, said.append), said
    finally:
        await model.close()


async def test_an_answer_in_pieces_is_put_together_and_each_piece_is_handed_on(endpoint: Endpoint) -> None:
    reply, said = await streamed(endpoint, stream(*WHOLE))
    assert isinstance(reply, ModelReply)
    assert (reply.output, said) == (Json(b'{"lines":[]}'), ['{"lin', 'es": []}'])
    assert reply.usage == Usage(1_000, 10, 1_010, cached_tokens=900)
    assert reply.pace.first_ms >= 0
    (asked,) = await endpoint.seen()
    assert (asked["body"]["stream"], asked["body"]["stream_options"]) == (True, {"include_usage": True})


async def test_an_endpoint_that_answers_in_one_piece_all_the_same_is_understood(endpoint: Endpoint) -> None:
    reply, said = await streamed(endpoint, completion('{"lines": []}'))
    assert isinstance(reply, ModelReply)
    assert (reply.output, said, reply.pace.first_ms) == (Json(b'{"lines":[]}'), [], -1)


@pytest.mark.parametrize(
    ("reply", "what"),
    [
        (stream(*WHOLE[:3], end=""), "was cut off"),
        (stream(*WHOLE[:2], {"error": {"message": "out of memory"}}), "out of memory"),
        (stream(WHOLE[0], end="data: {no json\n\n"), "is none"),
    ],
)
async def test_a_stream_that_breaks_off_leaves_nobody_knowing_what_it_cost(
    endpoint: Endpoint, reply: dict[str, Any], what: str
) -> None:
    outcome, _ = await streamed(endpoint, reply)
    assert isinstance(outcome, AttemptFailed)
    assert (outcome.kind, outcome.usage) == (FailureKind.UNKNOWN, None)
    assert what in outcome.message


async def test_what_a_stream_had_told_before_it_broke_off_is_kept(endpoint: Endpoint) -> None:
    outcome, _ = await streamed(endpoint, stream(*WHOLE, end=""))
    assert isinstance(outcome, AttemptFailed)
    assert outcome.usage == Usage(1_000, 10, 1_010, cached_tokens=900)


async def test_a_stream_without_any_answer_is_worth_another_attempt(endpoint: Endpoint) -> None:
    outcome, _ = await streamed(endpoint, stream())
    assert isinstance(outcome, AttemptFailed)
    assert outcome.kind is FailureKind.RETRYABLE


async def test_a_refusal_in_pieces_is_final_and_too_many_calls_are_not(endpoint: Endpoint) -> None:
    refused, _ = await streamed(endpoint, stream(chunk({"refusal": "I "}), chunk({"refusal": "will not"}, "stop")))
    assert isinstance(refused, AttemptFailed)
    assert (refused.kind, "I will not" in refused.message) == (FailureKind.FINAL, True)
    busy, _ = await streamed(endpoint, {"status": 429, "text": "{}", "headers": {"Retry-After": "2"}})
    assert isinstance(busy, AttemptFailed)
    assert (busy.kind, busy.retry_after_ms) == (FailureKind.RETRYABLE, 2_000)


def test_calls_of_tools_come_in_pieces_too() -> None:
    first = {"index": 1, "id": "b", "function": {"name": "look", "arguments": ""}}
    pieces = [{"index": 1, "function": {"arguments": part}} for part in ('{"a"', ":1}")]
    other = {"index": 0, "id": "a", "function": {"name": "mail", "arguments": "{}"}}
    found = StreamedCompletion(lambda _: None)
    for call in (first, *pieces, other):
        found.feed(f"data: {json.encode(chunk({'tool_calls': [call]})).decode()}\n\n".encode())
    calls = found.completion()["choices"][0]["message"]["tool_calls"]
    assert [(one["id"], one["function"]["name"], one["function"]["arguments"]) for one in calls] == [
        ("a", "mail", "{}"),
        ("b", "look", '{"a":1}'),
    ]


STREAM = b": comment\r\nevent: x\ndata: one\ndata:two\n\ndata: three\r\n\r\nid: 7\n\ndata: \xc3\xa4\r\rdata: lost"


@given(st.lists(st.integers(0, len(STREAM)), max_size=8).map(sorted))
def test_events_are_the_same_however_their_bytes_are_cut(cuts: list[int]) -> None:
    reader, found = ServerEvents(), list[bytes]()
    for start, end in zip([0, *cuts], [*cuts, len(STREAM)], strict=True):
        found += reader.feed(STREAM[start:end])
    assert found == [b"one\ntwo", b"three", "ä".encode()]
