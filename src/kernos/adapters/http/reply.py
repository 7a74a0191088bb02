"""Reply: what an HTTP status means for the call behind it, in the three words the kernel knows.

| status | class |
| --- | --- |
| 2xx with JSON | done |
| 408, 425, 429, 503; 409 with the error `in_progress` | retryable, after `Retry-After` |
| any other 4xx; a redirect of a GET, or one that keeps the method (307, 308) | final |
| any other 5xx or 3xx; 2xx that is cut, too long or no JSON, unless it is a GET's (final) | unknown |
"""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from kernos.adapters.http.wire import CUT, HttpReply
from kernos.vocabulary.contract import ToolFailed
from kernos.vocabulary.quantities import NULL, Json

_SAME_METHOD = frozenset({307, 308})
_MESSAGE_LENGTH_MAX = 500
_DIGITS_MAX = 12  # Python takes long to read numbers of many thousand digits.
_RETRY_AFTER_MS_MAX = 86_400_000
"""A day: a service that asks for more means never, and the retry policy should say so."""


def json_of(reply: HttpReply) -> Json:
    """Return the JSON of a 2xx reply, null where there is no body. Raises ToolFailed for everything else."""
    if not 200 <= reply.status < 300:  # noqa: PLR2004 - RFC 9110, section 15.3
        raise failure_of(reply)
    trouble = reply.trouble
    if not trouble:
        if not reply.body.strip():
            return NULL
        try:
            msgspec.json.decode(reply.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            trouble = f"is no JSON ({error})"
        else:
            return Json(reply.body)
    message = f"{reply.where} answered {reply.status}, and the answer {trouble}"
    raise (ToolFailed.final(message) if reply.method == "GET" and trouble != CUT else ToolFailed.unknown(message))


def failure_of(reply: HttpReply) -> ToolFailed:
    """Classify a reply that is not 2xx."""
    body = _object(reply)
    said = _message(body)
    message = f"{reply.where} answered {reply.status}" + (f": {said}" if said else "")
    match reply.status:
        case 408 | 425 | 429 | 503:
            return ToolFailed.retryable(message, retry_after_ms=retry_after_ms(reply.headers))
        case 409 if _in_progress(body):
            return ToolFailed.retryable(message, retry_after_ms=retry_after_ms(reply.headers))
        case status if 400 <= status < 500:  # noqa: PLR2004 - RFC 9110, section 15.5
            return ToolFailed.final(message, details=Json(reply.body) if body else None)
        case status if status < 400 and (reply.method == "GET" or status in _SAME_METHOD):  # noqa: PLR2004
            return ToolFailed.final(f"{message}, which is no answer: correct the base URL or the path")
        case _:
            return ToolFailed.unknown(message)


def retry_after_ms(headers: Mapping[str, str]) -> int:
    """Return how long the service wants to be left alone, 0 for no wish; a date counts from the `Date`."""
    exact = headers.get("retry-after-ms", "").strip()
    wish = headers.get("retry-after", "").strip()
    if exact.isdecimal():
        delay_ms = int(exact[:_DIGITS_MAX])
    elif wish.isdecimal():
        delay_ms = int(wish[:_DIGITS_MAX]) * 1_000
    else:
        try:
            until, now = parsedate_to_datetime(wish), parsedate_to_datetime(headers.get("date", ""))
            delay_ms = int((until - now).total_seconds() * 1_000)
        except (
            TypeError,
            ValueError,
            OverflowError,
        ):  # No date, or one of two kinds that cannot be subtracted.
            delay_ms = 0
    return min(max(delay_ms, 0), _RETRY_AFTER_MS_MAX)


def _object(reply: HttpReply) -> dict[str, Any]:
    """Return the body where it is a JSON object, else an empty one."""
    if reply.trouble:
        return {}
    try:
        body = msgspec.json.decode(reply.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _inner(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the object under `error`, where services put code and message, else the body itself."""
    inner = body.get("error")
    return inner if isinstance(inner, dict) else body


def _in_progress(body: Mapping[str, Any]) -> bool:
    return "in_progress" in (_inner(body).get("code"), body.get("error"), body.get("code"))


def _message(body: Mapping[str, Any]) -> str:
    """Return the service's own words: the names that JSON APIs and RFC 9457 use, in order."""
    inner = _inner(body)
    for name in ("message", "detail", "title", "error", "code"):
        if isinstance(inner.get(name), str):
            return str(inner[name])[:_MESSAGE_LENGTH_MAX]
    return ""
