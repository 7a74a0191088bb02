"""Service: faults in front of a real HTTP service, for tools and adapters that shall be tested with their wire.

A proxy on this machine passes requests on and lets them meet the faults of a plan, one request after the other as they come. It runs in real time.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web

from kernos.testing.fault_plans import Counted, Fault, Plan, Trouble

_HOP_BY_HOP = frozenset({"connection", "content-length", "host", "keep-alive", "transfer-encoding"})
_HANGS_S_MAX = 600.0
"""How long a request without an answer is held: longer than any tool waits."""


@asynccontextmanager
async def faulty_service(url: str, plan: Plan) -> AsyncIterator[str]:
    """Give a URL behind which the service at `url` meets the faults of `plan`: `HttpService` with it, and the service need not know.

    `busy` answers 429 with Retry-After in whole seconds, `error_before` and `error_after` answer 500, `reset`, `lost_reply` and `down` cut the connection,
    `timeout_after` never answers, `slow` waits for `delay_ms`, `refused` answers 422, `twice` delivers the request twice.
    """
    counted = Counted(plan)
    async with aiohttp.ClientSession(auto_decompress=False) as session:

        async def answer(request: web.Request) -> web.StreamResponse:
            return await _meet(counted.next(), request, url, session)

        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0, handler_cancellation=True)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()


async def _meet(
    fault: Fault | None, request: web.Request, url: str, session: aiohttp.ClientSession
) -> web.StreamResponse:
    body = await request.read()
    trouble = fault.trouble if fault is not None else None
    delay_ms = fault.delay_ms if fault is not None else 0
    match trouble:
        case Trouble.BUSY:
            return web.json_response({"error": "busy"}, status=429, headers={"Retry-After": str(-(-delay_ms // 1_000))})
        case Trouble.REFUSED:
            return web.json_response({"error": "refused"}, status=422)
        case Trouble.ERROR_BEFORE:
            return web.json_response({"error": "before"}, status=500)
        case Trouble.RESET | Trouble.DOWN:
            return _cut(request)
        case Trouble.SLOW:
            await asyncio.sleep(delay_ms / 1_000)
        case Trouble.TWICE:
            await _pass_on(request, body, url, session)
        case _:
            pass
    reply = await _pass_on(request, body, url, session)
    match trouble:
        case Trouble.ERROR_AFTER:
            return web.json_response({"error": "after"}, status=500)
        case Trouble.LOST_REPLY:
            return _cut(request)
        case Trouble.TIMEOUT_AFTER:
            await asyncio.sleep(_HANGS_S_MAX)
            return _cut(request)
        case _:
            return reply


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _pass_on(request: web.Request, body: bytes, url: str, session: aiohttp.ClientSession) -> web.Response:
    headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP_BY_HOP}
    to = url.rstrip("/") + request.path_qs
    async with session.request(request.method, to, data=body, headers=headers, allow_redirects=False) as reply:
        kept = {name: value for name, value in reply.headers.items() if name.lower() not in _HOP_BY_HOP}
        return web.Response(status=reply.status, body=await reply.read(), headers=kept)
