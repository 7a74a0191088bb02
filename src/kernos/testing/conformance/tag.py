"""The tag's check: an action's key and causal tag reach the outside. For whoever writes a tool or an adapter.

    with Outside(b'{"id": "R-7"}') as outside:
        await check_tag(refund_tool(outside.url), Refund(order="A1", amount_cents=500), outside.taken)

`taken` is what the outside saw of each change: the headers of an HTTP request, or whatever mapping a test's own stand-in wrote down.
"""

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from kernos.control.references import leaves
from kernos.testing.stage import CheckFailed
from kernos.vocabulary.contract import ToolCall, ToolContract
from kernos.vocabulary.ids import IdempotencyKey, RunId, StepName, run_id, run_number, step_key
from kernos.vocabulary.outcome import AttemptFailed, Effect

Taken = Callable[[], Sequence[Mapping[str, str]]]
"""Returns what the outside saw of every change so far, oldest first: texts by name."""

_CHANGES_NOTHING = frozenset({"GET", "HEAD", "OPTIONS"})
_AT = 1_800_000_000_000


class Outside:
    """An HTTP service on loopback that answers everything the same and writes down what it was sent."""

    def __init__(self, answer: bytes | Callable[[str, str], bytes] = b"{}") -> None:
        """Take the JSON to answer with, or a function of method and path that gives it."""
        self._answer = answer if callable(answer) else lambda *_: answer
        self._requests: list[dict[str, str]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, self._take))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def url(self) -> str:
        """Return the base URL."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def taken(self) -> Sequence[Mapping[str, str]]:
        """Return the headers, by lower-case name, and the body's leaves of every request that may change something."""
        return tuple(self._requests)

    def __enter__(self) -> Self:
        """Begin to serve."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _take(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> bytes:
        if method not in _CHANGES_NOTHING:
            seen = {name.lower(): value for name, value in headers.items()}
            self._requests.append(seen | _leaves(body))
        return self._answer(method, path)


def _leaves(body: bytes) -> dict[str, str]:
    try:
        value = json.loads(body or b"null")
    except ValueError:
        return {}
    return {f"body {at}": str(leaf) for at, leaf in leaves(value)}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def __init__(self, take: Callable[[str, str, Mapping[str, str], bytes], bytes], *args: Any) -> None:
        self._take = take
        super().__init__(*args)

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        answer = self._take(self.command, self.path, dict(self.headers.items()), body)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve  # noqa: N815 - the library's names

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Write no log: what was sent is in `taken`."""


async def check_tag(tool: ToolContract[Any, Any], value: Any, taken: Taken) -> None:
    """Make two attempts of an action and raise CheckFailed unless all that reached the outside carries its key and tag.

    Two with different keys and tags, so that a fixed text does not pass for them. Each value of `ToolCall.headers()` has to be there
    as it is, whatever the outside calls it. `value` is the input of both attempts.
    """
    if tool.effect is Effect.READ:
        raise CheckFailed(_about(tool), ["it only reads: its calls need no tag"])
    args = tool.input.encode(value)
    for number in (1, 2):
        call = _call(tool, number)
        before = len(taken())
        outcome = await tool.attempt(args, call)
        changes = taken()[before:]
        if isinstance(outcome, AttemptFailed):
            hint = "let the outside answer what it expects"
            raise CheckFailed(_about(tool), [f"the attempt failed ({outcome.kind}: {outcome.message}): {hint}"])
        if not changes:
            raise CheckFailed(_about(tool), ["it changed nothing in the outside that was given: point it there"])
        dropped = [
            name for name, text in call.headers().items() if any(text not in change.values() for change in changes)
        ]
        if dropped:
            hint = "give the ToolCall to the adapter (HttpService takes `call=`), or send all of `call.headers()`"
            raise CheckFailed(_about(tool), [f"it does not send {', '.join(dropped)}: {hint}"])


def _about(tool: ToolContract[Any, Any]) -> str:
    return f"the key and the causal tag of {tool.name}:"


def _call(tool: ToolContract[Any, Any], number: int) -> ToolCall:
    """Return the call of one attempt; everything in it differs from the other's."""
    run, root = _run(number), _run(10 + number)
    return ToolCall(
        tool=tool.name,
        key=IdempotencyKey(step_key(run, StepName(str(number + 3)))),
        attempt=1,
        agent=f"agent_{number}@{number}",
        run=run,
        intent=f"intent {number}",
        checkpoint=f"checkpoint {number}",
        timeout_ms=tool.timeout_ms,
        root=root,
    )


def _run(number: int) -> RunId:
    return run_id(run_number(_AT + number, number))
