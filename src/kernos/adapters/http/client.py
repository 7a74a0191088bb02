"""Client: a service behind HTTP and JSON, for the functions of tools."""

from collections.abc import Callable, Mapping

import msgspec

from kernos.adapters.http.egress import Egress, Reach, Resolve
from kernos.adapters.http.reply import json_of
from kernos.adapters.http.sender import open_sender
from kernos.adapters.http.wire import HttpRequest, Sender
from kernos.vocabulary.contract import ToolCall, ToolFailed
from kernos.vocabulary.quantities import Json

TIMEOUT_MS = 30_000
"""As the default of a tool: what an interactive caller bears. The shorter of the two holds."""

RESPONSE_BYTES_MAX = 4 * 1024 * 1024
"""After decompression. Far above a page of records; larger things are files."""

CONNECTIONS_MAX = 100
"""At once; further requests wait within their time. Many servers refuse a client beyond some hundred."""


class HttpService:
    """A service at one base URL: reused connections, one attempt a call, failures classified.

    Methods return the JSON of a 2xx answer (null where it has no body) and raise ToolFailed for all else:
    FINAL when the service refuses (its words and its JSON are in the failure), RETRYABLE when nothing
    happened and it may later, UNKNOWN when it may have happened. Only the redirects of a GET are
    followed, and only on the same host.

    An inner address (loopback, private) that the base URL spells out is where the service is; a name may lead to one, and a redirect or another
    request to a special one, only where `reach` says so. So never make a service of an address that came with a call: that is what `Web` is for.
    """

    def __init__(
        self,
        base_url: str | Callable[[], str],
        *,
        headers: Mapping[str, str] | Callable[[], Mapping[str, str]] | None = None,
        timeout_ms: int = TIMEOUT_MS,
        response_bytes_max: int = RESPONSE_BYTES_MAX,
        connections_max: int = CONNECTIONS_MAX,
        reach: Reach | None = None,
        resolve: Resolve | None = None,
    ) -> None:
        """Take where the service is and what headers it wants; a function is asked at each call.

        `reach` holds the inner addresses that the service's name may lead to; `resolve` turns names into addresses in place of this machine.

        Nothing is opened before the first call.
        """
        self._base_url = base_url
        self._headers = headers
        self._timeout_ms = timeout_ms
        self._bounds = (response_bytes_max, connections_max)
        self._egress = Egress(reach or Reach(), resolve)
        self._sender: Sender | None = None

    async def request(
        self,
        method: str,
        path: str,
        *,
        call: ToolCall | None,
        query: Mapping[str, str] | None = None,
        body: object = None,
    ) -> Json:
        """Send once. `call` bounds the time and goes out as idempotency key and causal tag.

        `path` is below the base URL; quote what is put into it. `body` is a Json, or becomes one; None
        sends none.
        """
        headers = {"Accept": "application/json", "User-Agent": "kernos"}
        headers |= self._headers() if callable(self._headers) else self._headers or {}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if call is not None:
            headers |= call.headers()
        request = HttpRequest(
            method=method.upper(),
            base_url=self._base_url() if callable(self._base_url) else self._base_url,
            path=path,
            headers=headers,
            query=query or {},
            body=None if body is None else _written(body),
            timeout_ms=self._timeout_ms if call is None else min(self._timeout_ms, call.timeout_ms),
        )
        if self._sender is None:
            self._sender = open_sender(*self._bounds, self._egress)
        return json_of(await self._sender.send(request))

    async def get(self, path: str, *, call: ToolCall | None, query: Mapping[str, str] | None = None) -> Json:
        """Send a GET."""
        return await self.request("GET", path, call=call, query=query)

    async def post(self, path: str, *, call: ToolCall | None, body: object = None) -> Json:
        """Send a POST."""
        return await self.request("POST", path, call=call, body=body)

    async def put(self, path: str, *, call: ToolCall | None, body: object = None) -> Json:
        """Send a PUT."""
        return await self.request("PUT", path, call=call, body=body)

    async def delete(self, path: str, *, call: ToolCall | None, query: Mapping[str, str] | None = None) -> Json:
        """Send a DELETE."""
        return await self.request("DELETE", path, call=call, query=query)

    async def close(self) -> None:
        """Close the connections of this event loop; those of a service that is kept are closed with the loop itself."""
        if self._sender is not None:
            await self._sender.close()


def _written(body: object) -> bytes:
    if isinstance(body, Json):
        return body.text
    try:
        return msgspec.json.encode(body)
    except (TypeError, ValueError, RecursionError) as error:
        message = f"nothing was sent: the body cannot be written as JSON ({error})"
        raise ToolFailed.final(message) from error
