"""Failing: how what a user's function raised or returned becomes something that a journal can keep, whatever it was."""

import asyncio
from typing import Any

from kernos.authoring.codec import codec_of
from kernos.vocabulary.errors import ContractBroken
from kernos.vocabulary.outcome import AttemptFailed, FailureKind, Found
from kernos.vocabulary.quantities import Json

_RETRY_AFTER_MS_MAX = 86_400_000
"""A day, as for a service's own wish behind HTTP: who asks for more means never, and the retry policy should say so."""


def is_stop(error: BaseException) -> bool:
    """Tell whether an exception came from outside the function: its time is over, its event loop closes, or somebody stops the process.

    A CancelledError that nobody asked for comes from the function itself, like any other failure; so does a SystemExit.
    """
    if isinstance(error, (KeyboardInterrupt, GeneratorExit)):
        return True
    task = asyncio.current_task()
    return isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling() > 0


def failed_by(error: BaseException, kind: FailureKind) -> AttemptFailed:
    """Return the failure for an exception that says nothing about what happened."""
    return AttemptFailed(kind, _plain(f"{type(error).__name__}: {error}"))


def kept(failed: AttemptFailed) -> AttemptFailed:
    """Return a failure that a tool's function built, with what cannot be kept taken out of it."""
    message = _plain(failed.message)
    details = failed.details
    if details is not None and not _is_json(details):
        message, details = f"{message} (its details are no Json with JSON in it)", None
    try:
        kind = FailureKind(failed.kind)
    except ValueError:
        kind = FailureKind.UNKNOWN
    return AttemptFailed(kind, message, _delay(failed.retry_after_ms), details)


def found_by(found: object) -> Found | AttemptFailed:
    """Return what a look-up saw, or why that cannot be told from what it returned."""
    if not isinstance(found, Found):
        return AttemptFailed(FailureKind.FINAL, f"the look-up returned a {type(found).__name__}, not a Found")
    if found.done not in (True, False, None) or not (found.result is None or _is_json(found.result)):
        what = f"Found(done={found.done!r}) with a result of type {type(found.result).__name__}"
        wanted = "done is True, False or None, and the result a Json with JSON in it"
        return AttemptFailed(FailureKind.FINAL, _plain(f"the look-up returned {what}: {wanted}"))
    return Found(found.done if found.done is None else bool(found.done), _plain(found.evidence), found.result)


def _is_json(value: object) -> bool:
    if not isinstance(value, Json):
        return False
    try:
        codec_of(Any).decode(value)
    except ContractBroken:
        return False
    return True


def _delay(wish: object) -> int:
    """Return a wish for a delay as whole milliseconds within its bounds; what is no number, or none at all, is no wish."""
    if not isinstance(wish, (int, float)) or not wish > 0:
        return 0
    return int(min(wish, _RETRY_AFTER_MS_MAX))


def _plain(text: object) -> str:
    """Return text as UTF-8 can hold it: names of files and answers of services may bring half a surrogate pair along."""
    return str(text).encode("utf-8", "backslashreplace").decode()
