"""Service: the way to the shop: where it is, how long to try, and what every write and look-up does the same."""

import os
from collections.abc import Mapping
from typing import TypeVar
from urllib.parse import quote

import msgspec
from pydantic import BaseModel

from kernos import Found, HttpService, Retry, ToolCall
from kernos.vocabulary.quantities import Json

SHOP_VARIABLE = "RETURNS_DESK_SHOP"
"""The environment variable that holds the service's base URL; read at each call."""

shop = HttpService(lambda: os.environ.get(SHOP_VARIABLE, "http://127.0.0.1:1"), timeout_ms=5_000)

PATIENT = Retry(attempts=8, first_delay_ms=100, delay_max_ms=5_000)
"""Some ten seconds: the service restarts faster than that, and no customer notices."""

Answer = TypeVar("Answer", bound=BaseModel)


def part(name: str) -> str:
    """Quote one part of a path."""
    return quote(name, safe="")


async def write(path: str, body: Mapping[str, object], call: ToolCall, answer: type[Answer]) -> Answer:
    """Send a write and read its answer."""
    return answer.model_validate_json((await shop.post(path, call=call, body=body)).text)


async def look_up(kind: str, call: ToolCall) -> Found:
    """Look for what was sent under this call's key."""
    listed = msgspec.json.decode((await shop.get(f"/{kind}", call=call, query={"key": call.key})).text)[kind]
    if not listed:
        return Found(False, f"the shop's {kind} hold none with key {call.key}")
    result = Json(msgspec.json.encode({"id": listed[0]["id"]}))
    return Found(True, f"the shop's {kind} hold {listed[0]['id']} with key {call.key}", result)
