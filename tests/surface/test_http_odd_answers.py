"""Answers over HTTP that hold something else than text, or numbers that nobody can count to: classified like any other."""

import json
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from kernos import ToolFailed
from kernos.adapters.http.client import HttpService
from kernos.adapters.http.model import OpenAIModel
from kernos.vocabulary.contract import ModelReply, ModelRequest
from kernos.vocabulary.outcome import AttemptFailed, FailureKind
from kernos.vocabulary.quantities import Json

NO_TEXT = b'"\xff\xfe"'
ASKED = ModelRequest("t", "do it", Json(b'"x"'), Json(b'{"type":"string"}'))


def serving(status: int, body: bytes) -> TestServer:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status, body=body, content_type="application/json")

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", answer)
    return TestServer(app)


@pytest.mark.parametrize(("method", "kind"), [("GET", FailureKind.FINAL), ("POST", FailureKind.UNKNOWN)])
async def test_a_success_that_is_no_text_is_classified(method: str, kind: FailureKind) -> None:
    async with serving(200, NO_TEXT) as server:
        service = HttpService(str(server.make_url("/")))
        with pytest.raises(ToolFailed, match="is no JSON") as failed:
            await service.request(method, "refunds", call=None)
        await service.close()
        assert failed.value.attempt.kind is kind


async def test_a_refusal_that_is_no_text_is_classified() -> None:
    async with serving(400, b'{"error":' + NO_TEXT + b"}") as server:
        service = HttpService(str(server.make_url("/")))
        with pytest.raises(ToolFailed) as failed:
            await service.post("refunds", call=None, body={})
        await service.close()
        assert failed.value.attempt.kind is FailureKind.FINAL


@pytest.mark.parametrize("body", [NO_TEXT, b'{"choices":[{"message":{"content":' + NO_TEXT + b"}}]}"])
async def test_a_completion_that_is_no_text_is_asked_for_again(body: bytes) -> None:
    async with serving(200, body) as server:
        model = OpenAIModel(str(server.make_url("/v1")), "small")
        reply = await model.complete(ASKED)
        await model.close()
        assert isinstance(reply, AttemptFailed)
        assert reply.kind is FailureKind.RETRYABLE


@pytest.mark.parametrize("tokens", [10**20, -1, True, 1.5, "7", None])
async def test_a_use_that_nobody_can_count_is_unknown(tokens: Any) -> None:
    said = {"choices": [{"message": {"content": '"yes"'}}], "usage": {"prompt_tokens": tokens, "completion_tokens": 1}}
    async with serving(200, json.dumps(said).encode()) as server:
        model = OpenAIModel(str(server.make_url("/v1")), "small", prompt_price_microusd=1, completion_price_microusd=1)
        reply = await model.complete(ASKED)
        await model.close()
        assert isinstance(reply, ModelReply)
        assert (reply.usage.prompt_tokens, reply.usage.cost_microusd) == (0, -1)
