"""Context file: `context.toml` beside the policies, which declares what they may ask about besides the call itself."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import json

from kernos.control.registry import Registry
from kernos.vocabulary.circumstances import ALWAYS, MODEL_CALLS, Counter, Declared, KeyPath, RecordRead
from kernos.vocabulary.contract import ToolContract
from kernos.vocabulary.errors import BadConfiguration
from kernos.vocabulary.outcome import Effect
from kernos.vocabulary.policies import BadPolicies, Fault, Place

FILE_NAME = "context.toml"

_WITHIN = re.compile(r"([1-9][0-9]{0,5})(m|h|d)")
_ZONE = re.compile(r"[A-Za-z0-9_+-]{1,32}(/[A-Za-z0-9_+-]{1,32}){0,2}")
"""Names of three parts at most; what is longer is looked up part by part, until Python's stack ends."""

_UNIT_MS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000}
_RUN = "run"
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_TAKEN = frozenset({*ALWAYS, "on_behalf_of", "tenant", "depth", "undo", "guest"})

_Arguments = str | tuple[str, ...]
_Place = _Arguments | dict[str, _Arguments]
"""One argument or several, the same or others for each tool."""


class _Count(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    tools: tuple[str, ...]
    by: _Place = ""
    within: str = ""
    since: tuple[str, ...] = ()


class _Sum(_Count, frozen=True, forbid_unknown_fields=True, kw_only=True):
    of: _Place


class _Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    tools: tuple[str, ...]
    by: _Place = ""


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    zone: str = "UTC"
    count: dict[str, _Count] = {}
    sum: dict[str, _Sum] = {}
    record: dict[str, _Record] = {}


def load_context(folder: Path, registry: Registry) -> Declared:
    """Read the file in a folder of policies; without one nothing is declared. Raises BadConfiguration with every fault."""
    text = context_text(folder)
    return Declared() if text is None else read_context(text, registry)


def context_text(folder: Path) -> str | None:
    """Return the file's text, None when there is none. Raises BadConfiguration."""
    path = folder / FILE_NAME
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise BadConfiguration(f"{path} could not be read: {error}", hint="It is TOML in UTF-8.") from error


def read_context(text: str, registry: Registry) -> Declared:
    """Read such a text. Raises BadPolicies with every fault."""
    declared, faults = look_at_context(text, registry)
    if not faults:
        return declared
    listed = "\n".join(
        f"  {fault.about}: {fault.message}" if fault.about else f"  {FILE_NAME}: {fault.message}" for fault in faults
    )
    raise BadPolicies(
        f"{FILE_NAME} cannot be used:\n{listed}", faults, hint="Correct it and start again; nothing was started."
    )


def look_at_context(text: str, registry: Registry) -> tuple[Declared, tuple[Fault, ...]]:
    """Return what a text declares, and what is wrong with that; rules can be checked against it all the same."""
    try:
        file = msgspec.convert(tomllib.loads(text), _File)
    except (ValueError, RecursionError) as error:  # No TOML, or another form; numbers and nesting beyond all measure.
        at = _TOML_PLACE.search(str(error))
        place = Place(FILE_NAME, int(at[1]), int(at[2])) if at else Place(FILE_NAME, 1, 1)
        message = f"{error}; see docs/policy.md for what it may hold"
        return Declared(), (Fault(place, "", message),)
    counts: dict[str, _Count] = {**file.count, **file.sum}
    faults = [*_zone_faults(file.zone), *_name_faults(file)]
    faults += [(name, fault) for name, one in counts.items() for fault in _count_faults(one, registry)]
    faults += [(name, fault) for name, one in file.record.items() for fault in _record_faults(one, registry)]
    records = (RecordRead(name, one.tools, _path(one.by)) for name, one in sorted(file.record.items()))
    counters = (_counter(name, one) for name, one in sorted(counts.items()))
    declared = Declared(file.zone, tuple(counters), tuple(records)) if not faults else _as_far(file, counts, registry)
    return declared, tuple(Fault(_place(text, name), name, message) for name, message in faults)


def _as_far(file: _File, counts: Mapping[str, _Count], registry: Registry) -> Declared:
    """Return names and forms of what is declared with faults: enough to check rules, never to decide by."""
    names = [name for name in counts if _NAME.fullmatch(name) and name not in _TAKEN]
    known = {tool.name for tool in registry.tools}
    records = tuple(RecordRead(name, one.tools) for name, one in file.record.items() if known.issuperset(one.tools))
    return Declared("UTC", tuple(Counter(name, ()) for name in names), records)


def _place(text: str, name: str) -> Place:
    """Return where a name is declared."""
    found = re.search(rf"^\s*\[[a-z]+\.\"?({re.escape(name)})\"?\]|^\s*({re.escape(name)})\s*=", text, re.MULTILINE)
    if found is None:
        return Place(FILE_NAME, 1, 1)
    begin = found.start(found.lastindex or 0)
    return Place(FILE_NAME, text.count("\n", 0, begin) + 1, begin - text.rfind("\n", 0, begin))


_TOML_PLACE = re.compile(r"\(at line (\d+), column (\d+)\)")


def _counter(name: str, one: _Count) -> Counter:
    in_run = one.within == _RUN
    of = _path(one.of) if isinstance(one, _Sum) else None
    within_ms = _within_ms(one.within) if one.within and not in_run else 0
    return Counter(name, one.tools, _path(one.by), of, within_ms, in_run, one.since)


def _path(place: _Place) -> KeyPath:
    if isinstance(place, dict):
        return KeyPath((), {tool: _paths(arguments) for tool, arguments in place.items()})
    return KeyPath(_paths(place))


def _paths(arguments: _Arguments) -> tuple[str, ...]:
    return tuple(filter(None, (arguments,) if isinstance(arguments, str) else arguments))


def _within_ms(text: str) -> int:
    number, unit = text[:-1], text[-1]
    return int(number) * _UNIT_MS[unit]


_Named = Iterator[tuple[str, str]]
"""Faults, each with the name that it is about."""


def _zone_faults(zone: str) -> _Named:
    try:
        is_known = zone == "UTC" or (_ZONE.fullmatch(zone) is not None and ZoneInfo(zone).key == zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        is_known = False
    if not is_known:
        yield "zone", f"{zone!r} is no time zone known here; write it as Europe/Berlin, or leave it out for UTC"


def _name_faults(file: _File) -> _Named:
    names = [*file.count, *file.sum, *file.record]
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            yield name, "it is declared twice"
        if name in _TAKEN:
            yield name, f"context.{name} is there without a declaration; choose another name"
        elif not _NAME.fullmatch(name):
            yield name, "write names with a-z, 0-9 and _, beginning with a letter"


def _count_faults(one: _Count, registry: Registry) -> Iterator[str]:
    in_run = one.within == _RUN
    if one.within and not in_run and not _WITHIN.fullmatch(one.within):
        yield f'within = "{one.within}" is no span of time; write it as "90m", "24h" or "30d", or "run" for this run'
    tools = [name for name in (*one.tools, *one.since) if name != MODEL_CALLS]
    if MODEL_CALLS in one.tools or (MODEL_CALLS in one.since and not in_run):
        yield 'model calls can only be asked about as since = ["model"], together with within = "run"'
    yield from _tool_faults(tools, one.by, "by", registry, reads_only=False)
    if not in_run:
        for name in tools:
            tool = registry.tool(name)
            if tool is not None and tool.effect is Effect.READ:
                yield f'{name} only reads, and reads are counted within = "run" only'
    if isinstance(one, _Sum):
        yield from _tool_faults(one.tools, one.of, "of", registry, reads_only=False, kind="integer")


def _record_faults(one: _Record, registry: Registry) -> Iterator[str]:
    yield from _tool_faults(one.tools, one.by, "by", registry, reads_only=True)


def _tool_faults(
    names: Sequence[str], place: _Place, word: str, registry: Registry, *, reads_only: bool, kind: str = ""
) -> Iterator[str]:
    if not names:
        yield "it names no tool"
    for name in names:
        tool = registry.tool(name)
        if tool is None:
            listed = ", ".join(tool.name for tool in registry.tools) or "none"
            yield f"no tool is named {name!r}; there are: {listed}"
            continue
        if reads_only and tool.effect is not Effect.READ:
            yield f"{name} does not only read, and records are what reading tools answer"
        paths = _path(place).of(name)
        if (place and not paths) or (kind and len(paths) != 1):
            yield f"{word} names no argument of {name}"
        for path in paths:
            found = argument_of(tool, path)
            if found is None:
                yield f"{word}: {name} has no argument {path}"
            elif kind and found.get("type") != kind:
                yield f"{word}: {path} of {name} is no whole number; give amounts in the smallest coin"


def argument_of(tool: ToolContract[object, object], path: str) -> Mapping[str, object] | None:
    """Return the JSON Schema of an argument, None when the tool has none of that path."""
    root = json.decode(tool.input.schema.text)
    here: object = root
    for part in path.split("."):
        here = _resolved(here, root)
        here = here.get("properties", {}).get(part) if isinstance(here, dict) else None
    here = _resolved(here, root)
    return here if isinstance(here, dict) else None


def _resolved(schema: object, root: Mapping[str, Mapping[str, object]]) -> object:
    reference = str(schema.get("$ref", "")) if isinstance(schema, dict) else ""
    return root.get("$defs", {}).get(reference.rpartition("/")[2]) if reference else schema
