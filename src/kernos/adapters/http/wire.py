"""Wire: one HTTP request, the reply to it, and what sends it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

STREAM = "text/event-stream"
"""The content type of a stream of events."""

CUT = "was cut off"
"""The trouble of a body that ended too soon."""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request. `path` is added to the base URL and stays below it; `headers` are sent as they are."""

    method: str
    base_url: str
    path: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes | None
    timeout_ms: int
    is_foreign: bool = False
    """The URL came with the call and stands whole in `base_url`: no inner address is allowed for its being written there."""
    heard: Callable[[bytes], None] | None = None
    """Gets the pieces of a 200 that is a stream of events, as they come; the reply's body is empty then. It must not raise."""


@dataclass(frozen=True, slots=True)
class HttpReply:
    """What came back. `trouble` says why the body is not whole, such as CUT; empty when it is."""

    where: str
    """The request in words, without query and credentials: `POST /refunds at shop:8080`."""
    method: str
    status: int
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes
    trouble: str = ""
    first_ms: int = -1
    """From sending the request to the first piece of a stream of events; -1 for other replies."""


class Sender(Protocol):
    """Sends requests over connections that it keeps for a while."""

    async def send(self, request: HttpRequest) -> HttpReply:
        """Send once and return whatever status came back.

        Raises ToolFailed: FINAL when the request cannot be sent at all or its address is refused, RETRYABLE when no byte of it
        left, else UNKNOWN.
        """
        ...

    async def close(self) -> None:
        """Close the connections; a later `send` opens new ones."""
        ...
