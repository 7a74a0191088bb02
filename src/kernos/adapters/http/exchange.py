"""Exchange: sends HTTP requests through aiohttp, each exactly once, and tells whether one may have arrived.

Parallel: any number of requests, of which `connections_max` are under way and the others wait within
their time. Bounded: time and bytes of each reply. Which addresses are connected to is decided by `Egress`, once for each connection. The connections belong to the running event loop and
are closed with it; after that, or in another loop, new ones are opened. Nothing survives a crash.
"""

import asyncio
import socket
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from types import SimpleNamespace
from urllib.parse import unquote, urlencode

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL  # As aiohttp reads a URL, so it is checked here: two readers could differ.

from kernos.adapters.http.egress import Egress, Refused
from kernos.adapters.http.wire import CUT, STREAM, HttpReply, HttpRequest
from kernos.vocabulary.contract import ToolFailed

_KEEP_ALIVE_S = 4.0
"""Idle time after which a connection is not used again. Servers close theirs after 5 s (uvicorn, Node) to 75
s (nginx); being sooner keeps requests off connections that are just being closed: their fate would be
unknown."""

CONNECT_MS_MAX = 10_000
"""For one connection: a host that answers at all does so within a second, and three lost packets cost seven."""

_REDIRECTS_MAX = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_TIME_SHARE = 0.95
"""Share of its time that a request takes: it ends before its caller cuts it, since only here it is known
whether anything was sent."""


class _Cut(Exception):
    """The connection broke; no aiohttp error, so that aiohttp does not send the request again by itself."""


@dataclass(slots=True)
class _Sent:
    maybe: bool = False
    at: float = 0.0
    """When the connection was there, by the loop's time."""


@dataclass(frozen=True, slots=True)
class _Life:
    """The connections of one event loop, and what closes them."""

    generator: AsyncGenerator[aiohttp.ClientSession, None]
    session: aiohttp.ClientSession


class Exchange:
    """A `Sender` over aiohttp."""

    def __init__(self, response_bytes_max: int, connections_max: int, egress: Egress) -> None:
        """Take the bounds (bytes of a reply after decompression, and requests under way at once) and who decides on addresses."""
        self._egress = egress
        self._bytes_max = response_bytes_max
        self._connections_max = connections_max
        self._lives: dict[asyncio.AbstractEventLoop, _Life] = {}

    async def send(self, request: HttpRequest) -> HttpReply:
        """Send once and return whatever status came back. Raises ToolFailed as `Sender.send` says."""
        url = _url(request)
        where = f"{request.method} {request.path}"
        sent = _Sent()
        try:
            if not request.is_foreign:
                self._egress.name(url.raw_host or "", url.port or 0)
            where = f"{request.method} {request.path or url.path} at {url.host_port_subcomponent}"
            async with asyncio.timeout(request.timeout_ms / 1_000 * _TIME_SHARE):
                return await self._follow(request, url, where, sent)
        except Refused as refused:
            raise ToolFailed.final(f"{where} was not sent: {refused}") from refused
        except aiohttp.ClientConnectorCertificateError as error:
            raise ToolFailed.final(f"{where}: its certificate is not accepted ({error.certificate_error})") from error
        except ValueError as error:  # A URL or header that HTTP cannot carry, or a redirect to nowhere.
            message = f"{where} cannot be sent: {error}"
            raise (
                _lost(sent, message) if sent.maybe and request.method != "GET" else ToolFailed.final(message)
            ) from error
        except aiohttp.ConnectionTimeoutError as error:
            raise _lost(sent, f"{where}: no connection within {CONNECT_MS_MAX} ms") from error
        except TimeoutError as error:
            raise _lost(sent, f"{where}: no answer within {request.timeout_ms} ms") from error
        except (_Cut, aiohttp.ClientError, OSError) as error:
            raise _lost(sent, f"{where}: {str(error) or type(error).__name__}") from error

    async def close(self) -> None:
        """Close the connections of the running loop; a later `send` opens new ones."""
        life = self._lives.pop(asyncio.get_running_loop(), None)
        if life is not None:
            await life.generator.aclose()

    async def _follow(self, request: HttpRequest, url: URL, where: str, sent: _Sent) -> HttpReply:
        for _ in range(_REDIRECTS_MAX + 1):
            reply, onward = await self._once(request, url, where, sent)
            if onward is None:
                return reply
            if _origin(onward) != _origin(url):
                place = onward.host_port_subcomponent or "nowhere"
                raise ToolFailed.final(f"{where} is redirected to {place}; only its own host is followed")
            url = onward
        raise ToolFailed.final(f"{where} is redirected more than {_REDIRECTS_MAX} times")

    async def _once(self, request: HttpRequest, url: URL, where: str, sent: _Sent) -> tuple[HttpReply, URL | None]:
        """Send one request; the second value is where a GET should go on."""
        self._egress.check_literal(url.raw_host or "", url.port or 0)
        session = await self._opened()
        asked = session.request(
            request.method,
            url,
            headers=request.headers,
            data=request.body,
            allow_redirects=False,
            trace_request_ctx=sent,
        )
        async with asked as response:
            onward = None
            if request.method == "GET" and response.status in _REDIRECTS and "Location" in response.headers:
                onward = url.join(URL(response.headers["Location"]))
            headers = {name.lower(): value for name, value in response.headers.items()}
            first_ms = -1
            if request.heard is not None and response.status == 200 and response.content_type == STREAM:  # noqa: PLR2004
                body = b""
                trouble, first_ms = await self._hear(response, request.heard, sent.at)
            else:
                body, trouble = await self._read(response)
            return HttpReply(where, request.method, response.status, headers, body, trouble, first_ms), onward

    async def _hear(
        self, response: aiohttp.ClientResponse, heard: Callable[[bytes], None], sent_at: float
    ) -> tuple[str, int]:
        """Hand a stream on as it comes; return what is wrong with it, and when it began."""
        length, first_ms = 0, -1
        try:
            async for piece in response.content.iter_any():
                if first_ms < 0:
                    first_ms = round((asyncio.get_running_loop().time() - sent_at) * 1_000)
                length += len(piece)
                if length > self._bytes_max:
                    response.close()
                    return f"is longer than {self._bytes_max} bytes", first_ms
                heard(piece)
        except (aiohttp.ClientError, OSError):
            return CUT, first_ms
        return "", first_ms

    async def _read(self, response: aiohttp.ClientResponse) -> tuple[bytes, str]:
        body = bytearray()
        try:
            async for piece in response.content.iter_any():
                body += piece
                if len(body) > self._bytes_max:
                    response.close()
                    return bytes(body[: self._bytes_max]), f"is longer than {self._bytes_max} bytes"
        except (aiohttp.ClientError, OSError):
            return bytes(body), CUT
        return bytes(body), ""

    async def _opened(self) -> aiohttp.ClientSession:
        loop = asyncio.get_running_loop()
        life = self._lives.get(loop)
        if life is None or life.session.closed:
            self._lives = {other: life for other, life in self._lives.items() if not other.is_closed()}
            generator = _open(self._connections_max, self._egress)
            life = self._lives[loop] = _Life(generator, await anext(generator))
        return life.session


class _Resolver(AbstractResolver):
    """Gives aiohttp the addresses that were checked, and no others."""

    def __init__(self, egress: Egress) -> None:
        self._egress = egress

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        del family  # Both are asked for.
        return [
            ResolveResult(
                hostname=host,
                host=str(address),
                port=port,
                family=socket.AF_INET6 if address.version == 6 else socket.AF_INET,  # noqa: PLR2004 - the protocol's number
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for address in await self._egress.resolve(host, port)
        ]

    async def close(self) -> None:
        """Close nothing."""


async def _open(connections_max: int, egress: Egress) -> AsyncGenerator[aiohttp.ClientSession, None]:
    """Open a session, and close it at the end: every event loop closes its generators as it shuts down."""
    marks = aiohttp.TraceConfig()
    marks.on_connection_create_end.append(_mark)
    marks.on_connection_reuseconn.append(_mark)

    def make_socket(info: aiohttp.AddrInfoType) -> socket.socket:
        family, kind, protocol, _, place = info
        egress.check_connection(str(place[0]), int(place[1]))
        return socket.socket(family, kind, protocol)

    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=connections_max,
            keepalive_timeout=_KEEP_ALIVE_S,
            resolver=_Resolver(egress),
            use_dns_cache=False,  # What was checked is connected to at once, and nothing else remembers it.
            socket_factory=make_socket,
        ),
        trust_env=False,  # A proxy of the environment would connect for us, unchecked; `.netrc` would add credentials.
        cookie_jar=aiohttp.DummyCookieJar(),  # One caller's cookies are not another's.
        timeout=aiohttp.ClientTimeout(
            total=None, sock_connect=CONNECT_MS_MAX / 1_000
        ),  # `send` bounds the whole of it.
        middlewares=[_never_again],
        trace_configs=[marks],
    )
    try:
        yield session
    finally:
        await session.close()


async def _mark(session: aiohttp.ClientSession, context: SimpleNamespace, params: object) -> None:
    """Note that a connection is there: from now on, bytes of the request may have left."""
    del session, params
    context.trace_request_ctx.maybe = True
    context.trace_request_ctx.at = asyncio.get_running_loop().time()


async def _never_again(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Hide a broken connection from aiohttp, which would send GET, PUT and DELETE a second time."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise  # Nothing was sent, and aiohttp does not repeat these.
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise _Cut(f"the connection broke before an answer came ({error})") from error


def _url(request: HttpRequest) -> URL:
    """Put base and path together. Raises ToolFailed for no URL, and for a path that would leave the base or hold a query."""
    steps = unquote(request.path).replace("\\", "/").split("/")
    if "." in steps or ".." in steps or "?" in request.path or "#" in request.path:
        raise ToolFailed.final(
            f"{request.method} was not sent: the path {request.path!r} holds `..`, `?` or `#`; "
            "quote what goes into a path, and give the query apart"
        )
    text = request.base_url
    if not request.is_foreign:
        text = f"{text.rstrip('/')}/{request.path.lstrip('/')}"
        text = f"{text}?{urlencode(request.query)}" if request.query else text
    kind = "URL" if request.is_foreign else "base URL"
    try:
        url = URL(text)
        if url.scheme not in ("http", "https") or not url.raw_host:
            raise ToolFailed.final(f"{request.method} was not sent: the {kind} is no http://HOST or https://HOST")
        if request.is_foreign and (url.raw_user is not None or url.raw_password is not None):
            raise ToolFailed.final(f"{request.method} was not sent: the URL holds a name or a password before its host")
    except ValueError as error:  # Its words may hold the URL, and that a password.
        raise ToolFailed.final(f"{request.method} was not sent: the {kind} cannot be read") from error
    return url


def _origin(url: URL) -> tuple[str, str | None, int | None]:
    """Return scheme, host and port (RFC 6454, section 4)."""
    return url.scheme, url.raw_host, url.port


def _lost(sent: _Sent, message: str) -> ToolFailed:
    return ToolFailed.unknown(message) if sent.maybe else ToolFailed.retryable(message)
