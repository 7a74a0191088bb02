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

FILE_NAME = "context.toml"

_WITHIN = re.compile(r"([1-9][0-9]{0,5})(m|h|d)")
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
    path = folder / FILE_NAME
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Declared()
    except (OSError, UnicodeDecodeError) as error:
        raise BadConfiguration(f"{path} could not be read: {error}", hint="It is TOML in UTF-8.") from error
    return read_context(text, registry)


def read_context(text: str, registry: Registry) -> Declared:
    """Read such a text. Raises BadConfiguration with every fault."""
    try:
        file = msgspec.convert(tomllib.loads(text), _File)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise BadConfiguration(f"{FILE_NAME}: {error}", hint="See docs/policy.md for what it may hold.") from error
    counts: dict[str, _Count] = {**file.count, **file.sum}
    faults = [*_zone_faults(file.zone), *_name_faults(file)]
    faults += [f"{name}: {fault}" for name, one in counts.items() for fault in _count_faults(one, registry)]
    faults += [f"{name}: {fault}" for name, one in file.record.items() for fault in _record_faults(one, registry)]
    if faults:
        listed = "\n".join(f"  {fault}" for fault in faults)
        raise BadConfiguration(
            f"{FILE_NAME} cannot be used:\n{listed}", hint="Correct it and start again; nothing was started."
        )
    records = (RecordRead(name, one.tools, _path(one.by)) for name, one in sorted(file.record.items()))
    counters = (_counter(name, one) for name, one in sorted(counts.items()))
    return Declared(file.zone, tuple(counters), tuple(records))


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


def _zone_faults(zone: str) -> Iterator[str]:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        if zone != "UTC":
            yield f"zone: {zone!r} is no time zone known here; write it as Europe/Berlin, or leave it out for UTC"


def _name_faults(file: _File) -> Iterator[str]:
    names = [*file.count, *file.sum, *file.record]
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            yield f"{name}: it is declared twice"
        if name in _TAKEN:
            yield f"{name}: context.{name} is there without a declaration; choose another name"
        elif not _NAME.fullmatch(name):
            yield f"{name!r}: write names with a-z, 0-9 and _, beginning with a letter"


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
            found = _argument(tool, path)
            if found is None:
                yield f"{word}: {name} has no argument {path}"
            elif kind and found.get("type") != kind:
                yield f"{word}: {path} of {name} is no whole number; give amounts in the smallest coin"


def _argument(tool: ToolContract[object, object], path: str) -> Mapping[str, object] | None:
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
