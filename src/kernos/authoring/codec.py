"""Codec: pydantic types as the codecs of contracts.

Equal values give equal bytes in every process, and what is read is what was written; so types with sets are refused, whose order differs
from process to process, and so are numbers that JSON does not have.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from math import isfinite
from typing import Any

from pydantic import PydanticSchemaGenerationError, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError, to_json

from kernos.vocabulary.contract import Codec
from kernos.vocabulary.errors import BadDeclaration, ContractBroken
from kernos.vocabulary.quantities import Json
from kernos.vocabulary.sealing import plan_of

_ERRORS_SHOWN_MAX = 5

_VALUE = re.compile(r", input_value=.*(?=, input_type=)")
"""What pydantic tells of a value that is of another type than declared: it stands in one line, as Python writes it."""


def codec_of(kind: Any) -> Codec:
    """Return the codec of a type: any that pydantic can check. Raises BadDeclaration for one that it cannot."""
    try:
        return _cached(kind)
    except TypeError:  # Not hashable: an Annotated with a list inside, for example.
        return _build(kind)


@cache
def _cached(kind: Any) -> Codec:
    return _build(kind)


def _build(kind: Any) -> Codec:
    name = getattr(kind, "__name__", str(kind))
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(kind)
        check, write, read = (
            adapter.validator.validate_python,
            adapter.serializer.to_json,
            adapter.validator.validate_json,
        )
        described = adapter.json_schema()
        schema, plan = Json(to_json(described)), plan_of(described)
        kinds = frozenset(_kinds_in(adapter.core_schema))
    except (PydanticSchemaGenerationError, TypeError, ValueError) as error:
        first = str(error).split("\n", 1)[0]
        message = f"values of type {name} cannot cross a boundary: {first}"
        raise BadDeclaration(message, hint="Use pydantic models, dataclasses or plain JSON types.") from error
    if kinds & _SETS:
        message = f"values of type {name} cannot cross a boundary: there is a set in it, and each process orders it differently"
        hint = "Use list or tuple in its place, or give the field a serializer that sorts."
        raise BadDeclaration(message, hint=hint)
    marks = _MARKS_OF_ANY if kinds & _ANY else _MARKS_OF_FLOAT if "float" in kinds else ()
    plainly = adapter.serializer.to_python

    def encode(value: Any) -> Json:
        try:
            checked = check(value)
            text = write(checked, by_alias=True, warnings="error")  # As it is read, and as the schema says.
            strange = _strange(plainly(checked, warnings=False)) if any(mark in text for mark in marks) else ""
        except (ValidationError, PydanticSerializationError) as error:
            raise ContractBroken(_wrong(name, error)) from error
        if strange:
            message = f"the value is no {name}: {strange}"
            raise ContractBroken(message)
        return Json(text)

    def decode(text: Json) -> Any:
        try:
            return read(text.text)
        except ValidationError as error:
            raise ContractBroken(_wrong(name, error)) from error

    return Codec(name, encode, decode, schema, plan)


_SETS = frozenset({"set", "frozenset"})
_ANY = frozenset({"any", "is-instance", "serialization"})
_MARKS_OF_FLOAT = (b"null", b"NaN", b"Infinity")
"""What stands in the text where a number was that JSON does not have."""

_MARKS_OF_ANY = (*_MARKS_OF_FLOAT, b"[")
_NOT_TYPES = frozenset({"default", "metadata", "config", "expected", "cls"})


def _kinds_in(schema: object) -> Iterator[str]:
    """Yield the kinds of type that pydantic found in a type; where one has a serializer of its own, only `serialization`."""
    if isinstance(schema, dict):
        kind = schema.get("type")
        if not isinstance(kind, str):  # Fields or choices by their names, which may be any.
            yield from _kinds_in(list(schema.values()))
        elif "serialization" in schema:
            yield "serialization"
        else:
            yield kind
            yield from _kinds_in([inner for name, inner in schema.items() if name not in _NOT_TYPES])
    elif isinstance(schema, (list, tuple)):
        for inner in schema:
            yield from _kinds_in(inner)


def _strange(value: object) -> str:
    """Say what in a value has no place in JSON, or no order; empty for nothing."""
    inner: Iterable[Any]
    match value:
        case float() if not isfinite(value):
            return f"{value} is no number in JSON"
        case set() | frozenset():
            return "a set is in it, and each process orders it differently: give a list"
        case dict():
            inner = value.values()
        case list() | tuple():
            inner = value
        case _:
            return ""
    return next((found for found in map(_strange, inner) if found), "")


def _wrong(name: str, error: ValidationError | PydanticSerializationError) -> str:
    """Say in one sentence where a value does not fit; the value itself stays out of it."""
    if isinstance(error, PydanticSerializationError):
        return f"the value is no {name}: {_VALUE.sub('', str(error))}"
    problems = [
        f"{'.'.join(str(part) for part in one['loc']) or 'the value'}: {one['msg']}"
        for one in error.errors(include_url=False, include_context=False, include_input=False)
    ]
    shown = "; ".join(problems[:_ERRORS_SHOWN_MAX])
    more = len(problems) - _ERRORS_SHOWN_MAX
    return f"the value is no {name}: {shown}" + (f" (and {more} more)" if more > 0 else "")
