"""HTTP service: what goes out, what comes back, and what each status means. The server is a real one on loopback."""

import asyncio
import gzip
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from aiohttp import web

from kernos.adapters.http.client import HttpService
from kernos.vocabulary.contract import ToolCall, ToolFailed
from kernos.vocabulary.ids import IdempotencyKey, RunId
from kernos.vocabulary.outcome import AttemptFailed, FailureKind
from kernos.vocabulary.quantities import Json

CALL = ToolCall("shop.refund", IdempotencyKey("r1.4"), 1, "desk", RunId("r1"), "Grüße 100%", "found", 5_000)


@dataclass
class Shop:
    """A server whose answers a test sets by path; it remembers what it was sent."""

    url: str = ""
    answers: dict[str, Callable[[web.Request], Awaitable[web.StreamResponse] | web.StreamResponse]] = field(
        default_factory=dict
    )
    seen: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    peers: set[object] = field(default_factory=set)

    def answer(self, path: str, status: int, body: bytes = b"{}", headers: dict[str, str] | None = None) -> None:
        sent = {"Content-Type": "application/json"} | (headers or {})
        self.answers[path] = lambda _: web.Response(status=status, body=body, headers=sent)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.seen.append((request.method, request.path_qs, dict(request.headers), await request.read()))
        self.peers.add(request.transport and request.transport.get_extra_info("peername"))
        answer = self.answers[request.path](request)
        return await answer if isinstance(answer, Awaitable) else answer


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    server = Shop()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield server
    await runner.cleanup()


@pytest.fixture
async def service(shop: Shop) -> AsyncIterator[HttpService]:
    client = HttpService(shop.url, timeout_ms=5_000, response_bytes_max=1_000)
    yield client
    await client.close()


async def _failure(work: Awaitable[Json]) -> AttemptFailed:
    with pytest.raises(ToolFailed) as caught:
        await work
    return caught.value.attempt


async def test_a_call_goes_out_with_its_key_and_its_causal_tag(shop: Shop, service: HttpService) -> None:
    shop.answer("/refunds", 201, b'{"id": 7}')
    assert await service.post("/refunds", call=CALL, body={"amount": 5}) == Json(b'{"id": 7}')
    ((method, path, headers, body),) = shop.seen
    assert (method, path, body) == ("POST", "/refunds", b'{"amount":5}')
    sent = {name: headers[name] for name in CALL.headers()}
    assert sent == CALL.headers()
    assert headers["Kernos-Intent"] == "Gr%C3%BC%C3%9Fe 100%25"
    assert headers["Content-Type"] == "application/json"


async def test_a_json_value_goes_out_byte_for_byte_and_none_sends_no_body(shop: Shop, service: HttpService) -> None:
    shop.answer("/x", 200)
    await service.put("/x", call=None, body=Json(b'{ "a":1.50 }'))
    await service.delete("/x", call=None)
    assert [seen[3] for seen in shop.seen] == [b'{ "a":1.50 }', b""]


async def test_a_query_and_a_path_are_quoted(shop: Shop, service: HttpService) -> None:
    shop.answer("/a b/ü", 200)
    await service.get("/a b/ü", call=None, query={"mail": "a+b@c.de&x=1", "s": "ü "})
    assert shop.seen[0][1] == "/a%20b/%C3%BC?mail=a%2Bb@c.de%26x%3D1&s=%C3%BC+"


async def test_base_url_and_headers_may_be_asked_for_at_each_call(shop: Shop) -> None:
    keys = iter(["one", "two"])
    service = HttpService(lambda: f"{shop.url}/v1/", headers=lambda: {"Authorization": next(keys)})
    shop.answer("/v1/x", 200)
    await service.get("x", call=None)
    await service.get("/x", call=None)
    await service.close()
    assert [seen[2]["Authorization"] for seen in shop.seen] == ["one", "two"]


async def test_calls_one_after_the_other_use_one_connection(shop: Shop, service: HttpService) -> None:
    shop.answer("/x", 200)
    for _ in range(5):
        await service.get("/x", call=None)
    assert len(shop.peers) == 1


async def test_no_more_connections_than_allowed_are_open_at_once(shop: Shop) -> None:
    service = HttpService(shop.url, connections_max=2)
    both = asyncio.Event()

    async def waits_for_another(_: web.Request) -> web.Response:
        if len(shop.seen) == 2:
            both.set()
        await both.wait()
        return web.json_response({})

    shop.answers["/x"] = waits_for_another
    await asyncio.gather(*(service.get("/x", call=None) for _ in range(10)))
    await service.close()
    assert (len(shop.seen), len(shop.peers)) == (10, 2)


async def test_cookies_are_not_kept(shop: Shop) -> None:
    service = HttpService(shop.url.replace("127.0.0.1", "localhost"))  # No jar keeps cookies of bare addresses.
    shop.answer("/x", 200, headers={"Set-Cookie": "session=1; Path=/"})
    await service.get("/x", call=None)
    await service.get("/x", call=None)
    await service.close()
    assert "Cookie" not in shop.seen[1][2]


async def test_an_answer_without_a_body_is_null(shop: Shop, service: HttpService) -> None:
    shop.answer("/x", 204, b"")
    assert await service.delete("/x", call=CALL) == Json(b"null")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, FailureKind.FINAL), (401, FailureKind.FINAL), (404, FailureKind.FINAL), (409, FailureKind.FINAL),
        (422, FailureKind.FINAL), (408, FailureKind.RETRYABLE), (425, FailureKind.RETRYABLE),
        (429, FailureKind.RETRYABLE), (503, FailureKind.RETRYABLE), (500, FailureKind.UNKNOWN),
        (502, FailureKind.UNKNOWN), (504, FailureKind.UNKNOWN), (501, FailureKind.UNKNOWN), (599, FailureKind.UNKNOWN),
        (301, FailureKind.UNKNOWN), (302, FailureKind.UNKNOWN), (303, FailureKind.UNKNOWN), (307, FailureKind.FINAL),
        (308, FailureKind.FINAL),
    ],
)  # fmt: skip
async def test_each_status_of_a_post_has_its_class(
    shop: Shop, service: HttpService, status: int, kind: FailureKind
) -> None:
    shop.answer("/x", status, headers={"Location": "/y"})
    failure = await _failure(service.post("/x", call=CALL, body={}))
    assert failure.kind is kind
    assert f"POST /x at {shop.url.removeprefix('http://')} answered {status}" in failure.message
    assert len(shop.seen) == 1


async def test_a_refusal_brings_the_words_and_the_details_of_the_service(shop: Shop, service: HttpService) -> None:
    body = b'{"error": {"code": "over_refund", "message": "only 12.00 are left", "left": 1200}}'
    shop.answer("/x", 409, body)
    failure = await _failure(service.post("/x", call=CALL, body={}))
    assert failure.message.endswith("409: only 12.00 are left")
    assert failure.details == Json(body)


@pytest.mark.parametrize(
    "body", [b'{"error": "in_progress"}', b'{"error": {"code": "in_progress"}}', b'{"code": "in_progress"}']
)
async def test_a_conflict_with_the_same_call_under_way_is_retryable(
    shop: Shop, service: HttpService, body: bytes
) -> None:
    shop.answer("/x", 409, body, {"Retry-After": "2"})
    failure = await _failure(service.post("/x", call=CALL, body={}))
    assert (failure.kind, failure.retry_after_ms) == (FailureKind.RETRYABLE, 2_000)


@pytest.mark.parametrize(
    ("headers", "delay_ms"),
    [
        ({}, 0),
        ({"Retry-After": "7"}, 7_000),
        ({"Retry-After-Ms": "250", "Retry-After": "1"}, 250),
        ({"Retry-After": "Mon, 02 Nov 2026 10:00:30 GMT", "Date": "Mon, 02 Nov 2026 10:00:00 GMT"}, 30_000),
        ({"Retry-After": "Mon, 02 Nov 2026 09:00:00 GMT", "Date": "Mon, 02 Nov 2026 10:00:00 GMT"}, 0),
        ({"Retry-After": "Mon, 02 Nov 2026 10:00:30", "Date": "Mon, 02 Nov 2026 10:00:00 GMT"}, 0),
        ({"Retry-After": "9" * 5_000}, 86_400_000),
        ({"Retry-After": "-5"}, 0),
        ({"Retry-After": "soon"}, 0),
    ],
)
async def test_the_services_own_wish_is_passed_on(
    shop: Shop, service: HttpService, headers: dict[str, str], delay_ms: int
) -> None:
    shop.answer("/x", 429, headers=headers)
    failure = await _failure(service.get("/x", call=CALL))
    assert failure.retry_after_ms == delay_ms


@pytest.mark.parametrize(("method", "kind"), [("GET", FailureKind.FINAL), ("POST", FailureKind.UNKNOWN)])
@pytest.mark.parametrize(
    ("body", "told"), [(b"<html>", "is no JSON"), (b'"' + b"x" * 1_000 + b'"', "is longer than 1000 bytes")]
)
async def test_a_success_that_cannot_be_read_may_have_happened_unless_it_only_read(
    shop: Shop, service: HttpService, method: str, kind: FailureKind, body: bytes, told: str
) -> None:
    shop.answer("/x", 200, body)
    failure = await _failure(service.request(method, "/x", call=CALL))
    assert (failure.kind, told in failure.message) == (kind, True)


async def test_the_bound_on_bytes_holds_after_decompression(shop: Shop, service: HttpService) -> None:
    bomb = gzip.compress(b'"' + b"0" * 1_000_000 + b'"')
    shop.answer("/x", 200, bomb, {"Content-Encoding": "gzip"})
    assert "longer than 1000 bytes" in (await _failure(service.get("/x", call=None))).message


async def test_a_read_follows_redirects_on_its_own_host_and_three_at_most(shop: Shop, service: HttpService) -> None:
    for place in range(4):
        shop.answer(f"/{place}", 302, headers={"Location": f"/{place + 1}"})
    shop.answer("/4", 200, b'"here"')
    assert await service.get("/1", call=CALL) == Json(b'"here"')
    assert (await _failure(service.get("/0", call=CALL))).kind is FailureKind.FINAL
    assert len(shop.seen) == 8


@pytest.mark.parametrize(
    "to", ["http://127.0.0.2:9/x", "//evil.example/x", "ftp://127.0.0.1/x", "http://[", "https://127.0.0.1/"]
)
async def test_a_redirect_to_another_place_is_not_followed(shop: Shop, service: HttpService, to: str) -> None:
    shop.answer("/x", 302, headers={"Location": to})
    failure = await _failure(service.get("/x", call=CALL))
    assert (failure.kind, len(shop.seen)) == (FailureKind.FINAL, 1)


@pytest.mark.parametrize("path", ["/a/../b", "/a/%2e%2E/b", "/a\\..\\b", "/a?b=c", "/a#b", "/a/./b"])
async def test_a_path_that_would_leave_its_base_is_not_sent(shop: Shop, service: HttpService, path: str) -> None:
    failure = await _failure(service.post(path, call=CALL, body={}))
    assert (failure.kind, shop.seen) == (FailureKind.FINAL, [])


async def test_what_cannot_be_put_into_http_is_not_sent(shop: Shop, service: HttpService) -> None:
    split = HttpService(shop.url, headers={"X": "a\r\nY: b"})
    nameless, torn = HttpService("shop.example"), HttpService("http://:80:90")
    for one in (split, nameless, torn):
        assert (await _failure(one.get("/x", call=None))).kind is FailureKind.FINAL
        await one.close()
    assert (await _failure(service.post("/x", call=None, body={"a": object()}))).kind is FailureKind.FINAL
    assert shop.seen == []


async def test_credentials_in_the_base_url_stay_out_of_messages(shop: Shop) -> None:
    shop.answer("/x", 404)
    service = HttpService(shop.url.replace("//", "//ana:geheim@"))
    failure = await _failure(service.get("/x", call=None))
    await service.close()
    assert failure.kind is FailureKind.FINAL
    assert "geheim" not in failure.message


class Here(BaseHTTPRequestHandler):
    """Answers from a thread, so that the event loops of a test are free to come and go."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "6")
        self.end_headers()
        self.wfile.write(b'"here"')

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        del format, args


@pytest.fixture
def service_of_no_loop() -> Iterator[HttpService]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Here) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield HttpService(f"http://127.0.0.1:{server.server_port}")
        server.shutdown()
        thread.join()


def test_one_service_works_in_one_event_loop_after_the_other(service_of_no_loop: HttpService) -> None:
    for _ in range(2):
        assert asyncio.run(service_of_no_loop.get("/x", call=None)) == Json(b'"here"')


def test_one_service_works_in_two_event_loops_by_turns(service_of_no_loop: HttpService) -> None:
    with asyncio.Runner() as one, asyncio.Runner() as other:
        for runner in (one, other, one, other):
            assert runner.run(service_of_no_loop.get("/x", call=None)) == Json(b'"here"')


async def test_a_closed_service_opens_again_when_it_is_used(shop: Shop, service: HttpService) -> None:
    shop.answer("/x", 200)
    await service.get("/x", call=None)
    await service.close()
    await service.close()
    assert await service.get("/x", call=None) == Json(b"{}")
