"""Web: what lies at an address that came with a call, for the functions of tools; an address may have been chosen by a model or by whoever wrote what it read."""

from collections.abc import Mapping
from dataclasses import dataclass

from kernos.adapters.http.client import CONNECTIONS_MAX, RESPONSE_BYTES_MAX, TIMEOUT_MS
from kernos.adapters.http.egress import Egress, Reach, Resolve
from kernos.adapters.http.reply import failure_of
from kernos.adapters.http.sender import open_sender
from kernos.adapters.http.wire import CUT, HttpRequest, Sender
from kernos.vocabulary.contract import ToolCall, ToolFailed


@dataclass(frozen=True, slots=True)
class Page:
    """What was found. `media_type` is what the other side says of it, in lower case and without parameters."""

    media_type: str
    body: bytes
    """After decompression."""

    @property
    def text(self) -> str:
        """Return the body as UTF-8; what is none is replaced."""
        return self.body.decode("utf-8", "replace")


class Web:
    """Fetches from any public address over http and https; inner ones only where `reach` says so.

    One attempt a call. Nothing of the run goes out but the URL: no key, no tag, no cookie, no credential of the environment. Redirects are followed
    within one origin and refused beyond it: the other place is a destination of its own, to be asked for by a call of its own.
    """

    def __init__(
        self,
        *,
        reach: Reach | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_ms: int = TIMEOUT_MS,
        response_bytes_max: int = RESPONSE_BYTES_MAX,
        connections_max: int = CONNECTIONS_MAX,
        resolve: Resolve | None = None,
    ) -> None:
        """Take the bounds; `headers` go out to every address, so no secret belongs there."""
        self._headers = {"Accept": "*/*", "User-Agent": "kernos"} | dict(headers or {})
        self._timeout_ms = timeout_ms
        self._bounds = (response_bytes_max, connections_max)
        self._egress = Egress(reach or Reach(), resolve)
        self._sender: Sender | None = None

    async def get(self, url: str, *, call: ToolCall | None) -> Page:
        """Send a GET; `call` bounds the time. Raises ToolFailed: FINAL for an address that is refused, and as `HttpService` does."""
        if self._sender is None:
            self._sender = open_sender(*self._bounds, self._egress)
        reply = await self._sender.send(
            HttpRequest(
                method="GET",
                base_url=url,
                path="",
                headers=self._headers,
                query={},
                body=None,
                timeout_ms=self._timeout_ms if call is None else min(self._timeout_ms, call.timeout_ms),
                is_foreign=True,
            )
        )
        if not 200 <= reply.status < 300:  # noqa: PLR2004 - RFC 9110, section 15.3
            raise failure_of(reply)
        if reply.trouble:
            message = f"{reply.where} answered {reply.status}, and the answer {reply.trouble}"
            raise ToolFailed.retryable(message) if reply.trouble == CUT else ToolFailed.final(message)
        return Page(reply.headers.get("content-type", "").partition(";")[0].strip().lower(), reply.body)

    async def close(self) -> None:
        """Close the connections of this event loop; those of one that is kept are closed with the loop itself."""
        if self._sender is not None:
            await self._sender.close()
