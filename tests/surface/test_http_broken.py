"""HTTP on a broken wire: one attempt is one request, and what may have arrived counts as unknown."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest

from kernos.adapters.http.client import HttpService
from kernos.vocabulary.contract import ToolCall, ToolFailed
from kernos.vocabulary.ids import IdempotencyKey, RunId
from kernos.vocabulary.outcome import AttemptFailed, FailureKind

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
METHODS = pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST"])

Move = Callable[[asyncio.StreamWriter], Coroutine[Any, Any, None]]


class Wire:
    """A server that plays one move for each request, in order, on whatever connection it comes."""

    def __init__(self) -> None:
        self.moves: list[Move] = []
        self.requests: list[bytes] = []
        self.url = ""
        self.asked = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while not writer.is_closing():
                self.requests.append(await reader.readuntil(b"\r\n\r\n"))
                self.asked.set()
                await self.moves.pop(0)(writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    wire = Wire()
    server = await asyncio.start_server(wire.serve, "127.0.0.1", 0)
    wire.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield wire
    server.close()


@pytest.fixture
async def service(wire: Wire) -> AsyncIterator[HttpService]:
    client = HttpService(wire.url, timeout_ms=5_000)
    yield client
    await client.close()


def answers(text: bytes) -> Move:
    async def move(writer: asyncio.StreamWriter) -> None:
        writer.write(text)
        await writer.drain()

    return move


async def hangs_up(writer: asyncio.StreamWriter) -> None:
    writer.close()


async def resets(writer: asyncio.StreamWriter) -> None:
    linger = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()


async def says_nothing(writer: asyncio.StreamWriter) -> None:
    await writer.wait_closed()


def cuts_after(text: bytes) -> Move:
    async def move(writer: asyncio.StreamWriter) -> None:
        writer.write(text)
        await writer.drain()
        writer.close()

    return move


async def _failure(service: HttpService, method: str) -> AttemptFailed:
    with pytest.raises(ToolFailed) as caught:
        await service.request(method, "/x", call=None)
    return caught.value.attempt


@METHODS
@pytest.mark.parametrize(
    "move",
    [
        hangs_up,
        resets,
        cuts_after(b"HTTP/1.1 200 OK\r\nContent-"),
        cuts_after(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{"),
        cuts_after(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"),
        cuts_after(b"SSH-2.0-OpenSSH_9.6\r\n"),
    ],
    ids=["hangs up", "resets", "cut head", "cut body", "cut chunks", "no HTTP"],
)
async def test_a_wire_that_breaks_after_the_request_is_unknown(
    wire: Wire, service: HttpService, method: str, move: Move
) -> None:
    wire.moves = [move, answers(OK)]
    assert (await _failure(service, method)).kind is FailureKind.UNKNOWN
    assert len(wire.requests) == 1


@METHODS
@pytest.mark.parametrize("move", [hangs_up, resets], ids=["hangs up", "resets"])
async def test_a_request_on_a_kept_connection_that_breaks_is_not_sent_again(
    wire: Wire, service: HttpService, method: str, move: Move
) -> None:
    wire.moves = [answers(OK), move, answers(OK)]
    await service.request(method, "/x", call=None)
    assert (await _failure(service, method)).kind is FailureKind.UNKNOWN
    assert len(wire.requests) == 2


async def test_a_service_works_on_after_a_broken_connection(wire: Wire, service: HttpService) -> None:
    wire.moves = [hangs_up, answers(OK)]
    await _failure(service, "POST")
    assert (await service.post("/x", call=None)).text == b"{}"


async def test_no_answer_within_the_time_is_unknown_once_a_connection_is_there(wire: Wire) -> None:
    service = HttpService(wire.url, timeout_ms=60)
    wire.moves = [says_nothing]
    failure = await _failure(service, "POST")
    assert (failure.kind, "within 60 ms" in failure.message) == (FailureKind.UNKNOWN, True)
    await service.close()


async def test_a_slow_answer_that_has_begun_is_cut_at_the_time(wire: Wire) -> None:
    async def begins(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{")
        await says_nothing(writer)

    service = HttpService(wire.url, timeout_ms=60)
    wire.moves = [begins]
    assert (await _failure(service, "POST")).kind is FailureKind.UNKNOWN
    await service.close()


async def test_a_request_that_waited_for_a_connection_in_vain_is_retryable(wire: Wire) -> None:
    service = HttpService(wire.url, connections_max=1)
    wire.moves = [says_nothing]
    first = asyncio.create_task(service.post("/x", call=None))
    await wire.asked.wait()
    hurried = ToolCall("t", IdempotencyKey("r.1"), 1, "a", RunId("r"), "", "", timeout_ms=60)
    with pytest.raises(ToolFailed) as caught:
        await service.post("/x", call=hurried)
    assert (caught.value.attempt.kind, len(wire.requests)) == (FailureKind.RETRYABLE, 1)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    await service.close()


async def test_a_refused_connection_is_retryable() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # Bound and not listening: nobody else gets the port, and nobody answers.
        service = HttpService(f"http://127.0.0.1:{taken.getsockname()[1]}")
        failure = await _failure(service, "POST")
    await service.close()
    assert failure.kind is FailureKind.RETRYABLE


async def test_an_answer_that_is_no_tls_is_retryable_because_no_request_was_sent() -> None:
    async def greets(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"220 mail.example ESMTP\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(greets, "127.0.0.1", 0)
    service = HttpService(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    assert (await _failure(service, "POST")).kind is FailureKind.RETRYABLE
    await service.close()
    server.close()
