"""A chat endpoint that is a process of its own, plays the replies it is told and remembers the requests."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
from msgspec import json

from kernos.vocabulary.contract import ModelRequest
from kernos.vocabulary.quantities import Json

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "kind": {"type": "string", "default": "a"},
        "lines": {"type": "array", "items": {"$ref": "#/$defs/L"}},
    },
    "required": ["lines"],
    "$defs": {"L": {"type": "object", "properties": {"sku": {"type": "string"}}}},
}
REQUEST = ModelRequest(
    "read ticket", "Read it.", Json('{"text":"grüße"}'.encode()), Json(json.encode(SCHEMA)), completion_tokens_max=99
)

SERVER = """
import asyncio
import sys
from aiohttp import web

replies, seen = [], []

async def script(request):
    replies[:] = await request.json()
    seen.clear()
    return web.json_response(None)

async def told(request):
    return web.json_response(seen)

async def complete(request):
    seen.append({"body": await request.json(), "headers": dict(request.headers)})
    reply = replies.pop(0)
    if reply.get("hang_up"):
        request.transport.abort()
    return web.Response(status=reply["status"], text=reply["text"], headers=reply["headers"])

app = web.Application()
app.router.add_post("/script", script)
app.router.add_get("/told", told)
app.router.add_post("/v1/chat/completions", complete)

async def main():
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await runner.cleanup()

asyncio.run(main())
"""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Run the endpoint; give its address."""
    program = folder / "endpoint.py"
    program.write_text(SERVER)
    with subprocess.Popen(
        [sys.executable, str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        yield f"http://127.0.0.1:{int(server.stdout.readline())}"
        server.communicate()


class Endpoint:
    """The test's hand on the server process."""

    def __init__(self, address: str, session: aiohttp.ClientSession) -> None:
        self.url = f"{address}/v1"
        self._address = address
        self._session = session

    async def script(self, *replies: dict[str, Any]) -> None:
        full = [{"status": 200, "text": "", "headers": {}} | reply for reply in replies]
        async with self._session.post(f"{self._address}/script", json=full) as response:
            assert response.status == 200

    async def seen(self) -> list[dict[str, Any]]:
        async with self._session.get(f"{self._address}/told") as response:
            found: list[dict[str, Any]] = await response.json()
            return found


def completion(content: object, finish: str = "stop", **message: object) -> dict[str, Any]:
    choice = {"message": {"role": "assistant", "content": content, **message}, "finish_reason": finish}
    usage = {"prompt_tokens": 1_000, "completion_tokens": 10}
    return {"text": json.encode({"choices": [choice], "usage": usage}).decode()}
