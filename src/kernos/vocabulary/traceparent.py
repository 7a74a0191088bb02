"""Traceparent: a run's place in the traces of other systems (W3C Trace Context, https://www.w3.org/TR/trace-context/), and the way back.

All runs below one first request are one trace, each call is one span of it. Both ids follow from kernos' own: nothing has to be kept, and
whoever finds a trace id in a foreign log finds the run.
"""

import hashlib
import re

from kernos.vocabulary.ids import RunId, is_run_id, number_of, run_id

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?")
_TRACE_ID = re.compile(r"[0-9a-f]{32}")
_HALF = 16
"""Hex digits of the half that proves a trace id to be ours, and of the half that holds the run's number."""


def traceparent(root: RunId, key: str) -> str:
    """Return the header's value for a call under `key` in the tree of the run `root`; always sampled, because always recorded."""
    return f"00-{trace_id(root)}-{span_id(key)}-01"


def trace_id(root: RunId) -> str:
    """Return the trace of a first run and all runs below it: 32 hex digits, never all zero in practice (a digest begins it)."""
    digest = hashlib.sha256(root.encode()).hexdigest()
    number = f"{number_of(root):016x}" if is_run_id(root) else digest[_HALF : 2 * _HALF]
    return digest[:_HALF] + number


def span_id(key: str) -> str:
    """Return the span of the call under `key`: 16 hex digits."""
    return hashlib.sha256(key.encode()).hexdigest()[:_HALF]


def run_of_trace(text: str) -> tuple[RunId, str] | None:
    """Return the first run and the span (empty for a bare trace id) that `text` names, None when no kernos made it."""
    whole = _TRACEPARENT.fullmatch(text)
    trace, span = (whole.group(1), whole.group(2)) if whole else (text, "")
    if not _TRACE_ID.fullmatch(trace):
        return None
    number = int(trace[_HALF:], 16)
    if number >= 1 << 63:
        return None
    root = run_id(number)
    return (root, span) if trace_id(root) == trace else None
