"""Codec: pydantic types as the codecs of contracts."""

from functools import cache
from typing import Any

from pydantic import PydanticSchemaGenerationError, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError, to_json

from kernos.vocabulary.contract import Codec
from kernos.vocabulary.errors import BadDeclaration, ContractBroken
from kernos.vocabulary.quantities import Json

_ERRORS_SHOWN_MAX = 5


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
        schema = Json(to_json(adapter.json_schema()))
    except (PydanticSchemaGenerationError, TypeError, ValueError) as error:
        first = str(error).split("\n", 1)[0]
        message = f"values of type {name} cannot cross a boundary: {first}"
        raise BadDeclaration(message, hint="Use pydantic models, dataclasses or plain JSON types.") from error

    def encode(value: Any) -> Json:
        try:
            return Json(write(check(value), warnings="error"))
        except (ValidationError, PydanticSerializationError) as error:
            raise ContractBroken(_wrong(name, error)) from error

    def decode(text: Json) -> Any:
        try:
            return read(text.text)
        except ValidationError as error:
            raise ContractBroken(_wrong(name, error)) from error

    return Codec(name, encode, decode, schema)


def _wrong(name: str, error: ValidationError | PydanticSerializationError) -> str:
    """Say in one sentence where a value does not fit; the value itself stays out of it."""
    if isinstance(error, PydanticSerializationError):
        return f"the value is no {name}: {error}"
    problems = [
        f"{'.'.join(str(part) for part in one['loc']) or 'the value'}: {one['msg']}"
        for one in error.errors(include_url=False, include_context=False, include_input=False)
    ]
    shown = "; ".join(problems[:_ERRORS_SHOWN_MAX])
    more = len(problems) - _ERRORS_SHOWN_MAX
    return f"the value is no {name}: {shown}" + (f" (and {more} more)" if more > 0 else "")
