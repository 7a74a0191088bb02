"""Finding: from a reference of the outside to the calls that it belongs to.

In this order, until something is found: a run or RUN.STEP or an idempotency key; a W3C trace id or traceparent; the projection of references in
results; and, when asked for or when nothing else knows it, every action's arguments and result in the journal. A value is found when a
whole leaf of the JSON is equal to it, never by a part of it. What is found comes newest first.
"""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from kernos.app.kernel import Kernel
from kernos.control.codec import decode_entry
from kernos.control.references import holds, reference_digest
from kernos.vocabulary import events as ev
from kernos.vocabulary.errors import Ambiguous, NotFound
from kernos.vocabulary.events import Event
from kernos.vocabulary.ids import RUN_ID_LENGTH, RunId, is_run_id
from kernos.vocabulary.journal import Entry
from kernos.vocabulary.quantities import Json
from kernos.vocabulary.traceparent import run_of_trace, span_id

TREE_MAX = 1_000
"""Runs of one tree that are looked at: more than a person would read about."""

FOUND_MAX = 1_000
"""Calls found that are kept, the newest: a reference that belongs to more is the name of a kind, not of a thing."""

_CALLS = (ev.ActionIntended, ev.ApprovalRequested, ev.CallDenied, ev.ReadAnswered, ev.ModelAnswered)
_UNDO = ".undo"
_RESULT = "result"
_NAMES = tuple(
    f'{{"kind":"{ev.KINDS[kind][0]}"'.encode() for kind in (ev.ActionIntended, ev.ActionPerformed, ev.ActionSettled)
)


@dataclass(frozen=True, slots=True)
class Found:
    """One call, and how the reference led to it."""

    run: str
    step: str
    how: str


Advance = Callable[[int], None]


async def find_calls(kernel: Kernel, reference: str, progress: Advance, *, everywhere: bool = False) -> list[Found]:
    """Return the calls that a reference belongs to, newest first, at most FOUND_MAX. Raises NotFound, Ambiguous."""
    reference = reference.strip().encode(errors="replace").decode()  # A terminal's bytes need not be text.
    if not everywhere:
        for look in (_by_place, _by_undo, _by_trace, _by_result):
            found = await look(kernel, reference)
            if found:
                return found
    found = await _by_scan(kernel, reference, progress)
    if not found:
        message = f"nothing that was done outside is known as {reference!r}: no key, no trace, no whole value in arguments or results"
        raise NotFound(
            message,
            hint="Give the whole reference as the other system shows it; `kernos effects RUN` lists what a run did.",
        )
    return found


async def events_of(kernel: Kernel, run: str) -> list[Event]:
    """Return a run's events."""
    return [decode_entry(entry) for entry in await kernel.journal.read(RunId(run))]


async def tree_of(kernel: Kernel, root: str) -> list[list[Event]]:
    """Return the events of a run and of the runs below it, breadth first, at most TREE_MAX runs."""
    found: list[list[Event]] = []
    queue = [root]
    while queue and len(found) < TREE_MAX:
        events = await events_of(kernel, queue.pop(0))
        if events:
            found.append(events)
            queue += [event.data.child for event in events if isinstance(event.data, ev.ChildStarted)]
    return found


async def _by_place(kernel: Kernel, reference: str) -> list[Found]:
    """Find RUN.STEP, whose run may be shortened, or all actions of a whole run's id."""
    prefix, dot, step = reference.partition(".")
    if len(prefix) > RUN_ID_LENGTH or not prefix.isalnum() or not (dot or is_run_id(prefix)):
        return []
    try:
        run = await kernel.find(prefix)
    except NotFound:
        return []
    except Ambiguous:
        if step and step[0].isdigit():
            raise
        return []
    names = {str(event.data.step) for event in await events_of(kernel, run) if isinstance(event.data, _CALLS)}
    if dot:
        return [Found(run, step, "step")] if step in names else []
    rows = await kernel.journal.select("actions", {"run": run}, limit=FOUND_MAX)
    return [Found(run, str(row["step"]), "run") for row in reversed(rows)]


async def _by_undo(kernel: Kernel, reference: str) -> list[Found]:
    """Find the call that took an action back: its key is the action's with a word behind it."""
    run, _, _ = reference.partition(".")
    if not reference.endswith(_UNDO) or not is_run_id(run):
        return []
    roots = await undoing_runs(kernel, run)
    return [found for root in roots for found in await _in_tree(kernel, root, lambda key: key == reference, "key")]


async def undoing_runs(kernel: Kernel, run: str) -> list[str]:
    """Return the runs in whose trees actions of a run may have been taken back: the first run above it, and those that reverted one."""
    roots: list[str] = []
    above: str | None = run
    while above:
        roots += [str(row["run"]) for row in await kernel.journal.select("runs", {"reverts": above})]
        rows = await kernel.journal.select("runs", {"run": above})
        parent = rows[0]["parent"] if rows else None
        if parent is None:
            roots.append(above)
        above = str(parent) if parent is not None else None
    return roots


async def undo_of(kernel: Kernel, key: str) -> list[Found]:
    """Return the calls that took back the action with this key."""
    return await _by_undo(kernel, f"{key}{_UNDO}")


async def _by_trace(kernel: Kernel, reference: str) -> list[Found]:
    """Find what a trace id, or one span of it, stands for."""
    traced = run_of_trace(reference.lower())
    if traced is None:
        return []
    root, span = traced
    return await _in_tree(kernel, root, lambda key: not span or span_id(key) == span, "trace")


async def _in_tree(kernel: Kernel, root: str, fits: Callable[[str], bool], how: str) -> list[Found]:
    found = [
        (event.at, Found(event.run, event.data.step, how))
        for events in await tree_of(kernel, root)
        for event in events
        if isinstance(event.data, ev.ActionIntended) and fits(event.data.key)
    ]
    return [one for _, one in sorted(found, key=lambda pair: pair[0], reverse=True)]


async def _by_result(kernel: Kernel, reference: str) -> list[Found]:
    """Find it among the references of results; the events themselves have the last word."""
    rows = await kernel.journal.select(
        "refs", {"digest": reference_digest(reference)}, descending=True, limit=FOUND_MAX
    )
    found: dict[Found, int] = {}
    for row in rows:
        for event in await events_of(kernel, str(row["run"])):
            at = _holds(event, reference)
            if at.startswith(_RESULT) and getattr(event.data, "step", "") == row["step"]:
                found[Found(event.run, str(row["step"]), at)] = event.at
    return sorted(found, key=lambda one: found[one], reverse=True)


async def _by_scan(kernel: Kernel, reference: str, progress: Advance) -> list[Found]:
    """Read the whole journal. The bytes are searched first, so that few entries are decoded."""
    needles = _needles(reference)
    found: dict[tuple[str, str], Found] = {}
    async for position, entry in kernel.journal.scan():
        if position % 10_000 == 0:
            progress(position)
        if not _may_hold(entry, needles):
            continue
        event = decode_entry(entry)
        at = _holds(event, reference)
        if at:
            place = (event.run, str(getattr(event.data, "step", "")))
            known = found.pop(place, None)  # The newest mention decides the place, the first one how it is told.
            found[place] = known or Found(*place, at)
            if len(found) > FOUND_MAX:
                del found[next(iter(found))]
    return list(reversed(found.values()))


def _needles(reference: str) -> tuple[bytes, ...]:
    """Return how the reference may be written inside JSON: as it is, and with everything but ASCII escaped."""
    plain = msgspec.json.encode(reference)[1:-1]
    escaped = "".join(c if c.isascii() else f"\\u{ord(c):04x}" for c in plain.decode())
    return tuple({plain, escaped.encode()})


def _may_hold(entry: Entry, needles: tuple[bytes, ...]) -> bool:
    return entry.body.startswith(_NAMES) and any(needle in entry.body for needle in needles)


def _holds(event: Event, reference: str) -> str:
    """Say where an event of an action holds the reference, empty when it does not."""
    match event.data:
        case ev.ActionIntended(args=args, key=key):
            if key == reference:
                return "key"
            return _told("argument", holds(args, reference))
        case ev.ActionPerformed(result=result) | ev.ActionSettled(result=result):
            return _told(_RESULT, holds(result if isinstance(result, Json) else None, reference))
        case _:
            return ""


def _told(what: str, at: str | None) -> str:
    return f"{what} {at}" if at is not None else ""
