"""Codec: events as the bytes of a journal entry, and back.

The envelope is one JSON object: kind, v (version of the kind), at (milliseconds), by (principal), cause, data. JSON, so that a person
with nothing but sqlite3 can read a journal; values inside are kept byte for byte, so that a replay decides on what was written.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from functools import cache, lru_cache
from operator import attrgetter
from typing import Annotated, Any, get_args, get_type_hints

import msgspec

from kernos.kernel.upcast import upcast
from kernos.vocabulary.errors import ForeignStore, InvalidInput
from kernos.vocabulary.events import KINDS, Event, EventData
from kernos.vocabulary.ids import EpochMs, PrincipalId
from kernos.vocabulary.journal import Entry
from kernos.vocabulary.quantities import Json


def _raw(value: object) -> msgspec.Raw | dict[str, object]:
    if isinstance(value, Json):
        return msgspec.Raw(value.text)
    if isinstance(value, Mapping):
        return dict(value)
    message = f"{type(value).__name__} has no place in an event"
    raise TypeError(message)


_ENCODER = msgspec.json.Encoder(enc_hook=_raw)
_OBJECTS = msgspec.json.Decoder(dict[str, Any])


@cache
def _head(kind: Any) -> bytes:
    name, version = KINDS[kind]
    return b'{"kind":"%s","v":%d,"at":' % (name.encode(), version)


@lru_cache(maxsize=8_192)  # Principals: more than act at once.
def _string(text: str) -> bytes:
    return _ENCODER.encode(text)


def encode_event(event: Event) -> bytes:
    """Write an event's envelope; its run and number are stored beside it. Fields that hold their default are left out.

    What is written is read once, so that nobody's odd value makes the journal unreadable. Raises InvalidInput with the field's name.
    """
    kind: Any = type(event.data)
    if type(event.by) is not str:
        raise _refused(event, f"Expected `str`, got `{type(event.by).__name__}` - at `$.by`")
    try:
        by = _string(event.by)
        cause = _ENCODER.encode(event.cause)
        data = _ENCODER.encode(_writer(kind)(event.data))
        _decoder(kind).decode(data)
    except msgspec.ValidationError as error:
        raise _refused(event, str(error)) from error
    except (UnicodeEncodeError, msgspec.DecodeError, TypeError) as error:
        raise _refused(event, f"{error} - at `$.{_unwritable(event)}`") from error
    return b'%s%d,"by":%s,"cause":%s,"data":%s}' % (_head(kind), event.at, by, cause, data)


def _refused(event: Event, why: str) -> InvalidInput:
    """Say which field of an event cannot be recorded, in the words of the library that found out."""
    kind: Any = type(event.data)
    what, _, place = why.partition(" - at `$.")
    field = place.rstrip("`") or "a value"
    message = f"{field} cannot be recorded in {KINDS[kind][0]} of run {event.run}: {what[:1].lower()}{what[1:]}"
    return InvalidInput(message, hint=f"Give another {field.split('.')[0]}: nothing was recorded.")


def _unwritable(event: Event) -> str:
    """Return the field whose value JSON in UTF-8 cannot hold: half of a surrogate pair, for example."""
    values = {"by": event.by, **{column.name: getattr(event.data, column.name) for column in fields(event.data)}}
    for name, value in values.items():
        try:
            msgspec.json.decode(_ENCODER.encode(value))
        except (UnicodeEncodeError, msgspec.DecodeError, TypeError):
            return name
    return "data"


_Number = Annotated[int, msgspec.Meta(ge=-(1 << 63), le=(1 << 63) - 1)]
"""What the projections can keep: SQLite's integers have 64 bits."""


def _plain(hint: Any) -> Any:
    """Return the type behind a NewType."""
    return getattr(hint, "__supertype__", hint)


@cache
def _struct(kind: Any) -> tuple[type[msgspec.Struct], tuple[str, ...], tuple[bool, ...]]:
    """Return the wire form of one kind, the names of its fields, and which of them are kept byte for byte."""
    hints = get_type_hints(kind)
    columns: list[Any] = []
    raw: list[bool] = []
    for column in fields(kind):
        hint = hints[column.name]
        is_raw = hint is Json or Json in get_args(hint)
        raw.append(is_raw)
        wire = msgspec.Raw if is_raw else _Number if _plain(hint) is int else hint
        columns.append((column.name, wire) if column.default is MISSING else (column.name, wire, column.default))
    struct = msgspec.defstruct(kind.__name__, columns, omit_defaults=True)
    return struct, tuple(column.name for column in fields(kind)), tuple(raw)


@cache
def _writer(kind: Any) -> Callable[[EventData], msgspec.Struct]:
    """Make the writer of one kind: from an event to its wire form."""
    struct, names, _ = _struct(kind)
    if len(names) == 0:
        return lambda _: struct()
    if len(names) == 1:
        only = attrgetter(*names)
        return lambda data: struct(only(data))
    values = attrgetter(*names)
    return lambda data: struct(*values(data))


@cache
def _decoder(kind: Any) -> "msgspec.json.Decoder[Any]":
    return msgspec.json.Decoder(_struct(kind)[0], dec_hook=_json)


class _Envelope(msgspec.Struct):
    kind: str
    v: int
    at: int
    by: str
    cause: str
    data: msgspec.Raw


_ENVELOPES = msgspec.json.Decoder(_Envelope)
_BY_NAME: Mapping[str, tuple[type[EventData], int]] = {name: (kind, version) for kind, (name, version) in KINDS.items()}


def decode_entry(entry: Entry) -> Event:
    """Read an event back. Raises ForeignStore for a kind or a version that this build does not know, and for what is no event."""
    try:
        return _decoded(entry)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        message = f"event {entry.n} of run {entry.run} cannot be read: {error}"
        hint = "Look with `kernos verify` whether the store was changed; if not, open it with the kernos that wrote it."
        raise ForeignStore(message, hint=hint) from error


def _decoded(entry: Entry) -> Event:
    envelope = _ENVELOPES.decode(entry.body)
    known = _BY_NAME.get(envelope.kind)
    if known is None or not 1 <= envelope.v <= known[1]:
        message = f"event {entry.n} of run {entry.run} is of kind {envelope.kind!r} version {envelope.v}, which this kernos does not know"
        raise ForeignStore(message, hint="Open the store with the kernos that wrote it, or a newer one.")
    kind, version = known
    raw: bytes | memoryview = envelope.data
    if envelope.v < version:
        old = _OBJECTS.decode(raw)
        raw = msgspec.json.encode(upcast(envelope.kind, envelope.v, version, old))
    event_type: Any = kind
    data = _reader(event_type)(raw)
    return Event(entry.run, entry.n, EpochMs(envelope.at), PrincipalId(envelope.by), envelope.cause, data)


@cache
def _reader(kind: Any) -> Callable[[bytes | memoryview], EventData]:
    """Make the reader of one kind: its wire form with the raw fields left raw, and from it the event."""
    _, names, flags = _struct(kind)
    decoder = _decoder(kind)
    raw = [index for index, is_raw in enumerate(flags) if is_raw]
    several = attrgetter(*names) if len(names) > 1 else None

    def columns(wire: msgspec.Struct) -> list[Any]:
        return list(several(wire)) if several is not None else [getattr(wire, name) for name in names]

    def read(text: bytes | memoryview) -> EventData:
        values = columns(decoder.decode(text))
        for index in raw:
            if values[index] is not None:
                values[index] = Json(bytes(values[index]))
        event: EventData = kind(*values)
        return event

    return read


def _json(kind: type, value: object) -> Any:
    """Decode a Json inside another value (the details of a failure)."""
    if kind is Json:
        return Json(msgspec.json.encode(value))
    message = f"{kind.__name__} cannot be read from a journal"
    raise NotImplementedError(message)
