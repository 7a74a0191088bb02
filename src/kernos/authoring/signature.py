"""Signature: what the parameters and annotations of a declared function say, checked in one place."""

import hashlib
import inspect
import re
import textwrap
from collections.abc import Callable
from typing import Any, get_type_hints

from kernos.vocabulary.errors import BadDeclaration

_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*\Z")


def check_name(name: str, what: str) -> str:
    """Return `name` if it is one: lower-case words joined by dots. Raises BadDeclaration."""
    if not _NAME.match(name):
        message = f"{name!r} cannot name {what}"
        raise BadDeclaration(
            message, hint="Use lower-case letters, digits and _, in parts joined by dots: shop.refund."
        )
    return name


def types_of(function: Callable[..., Any], what: str, parameters: tuple[int, ...]) -> tuple[list[Any], Any]:
    """Return the annotated types of the parameters and of the result.

    `parameters` are the allowed numbers of parameters. Raises BadDeclaration with the place of the function.
    """
    place = where(function)
    try:
        hints = get_type_hints(function, include_extras=True)
    except NameError as error:
        message = f"{what} {function.__name__} ({place}): an annotation names something unknown ({error})"
        raise BadDeclaration(message, hint="Import the type, or define it above the function.") from error
    names = list(inspect.signature(function).parameters)
    if len(names) not in parameters:
        wanted = " or ".join(str(number) for number in parameters)
        message = (
            f"{what} {function.__name__} ({place}) takes {len(names)} parameters ({', '.join(names)}), not {wanted}"
        )
        raise BadDeclaration(message, hint=_SHAPES[what])
    missing = [name for name in names if name not in hints]
    if "return" not in hints:
        missing.append("the result")
    if missing:
        message = f"{what} {function.__name__} ({place}) lacks the type of {', '.join(missing)}"
        raise BadDeclaration(message, hint=_SHAPES[what])
    return [hints[name] for name in names], hints["return"]


_SHAPES = {
    "agent": "Write it as: async def NAME(ctx: Context, request: Request) -> Answer, with types that pydantic can check.",
    "tool": "Write it as: def NAME(request: Request) -> Answer, or NAME(request: Request, call: ToolCall) -> Answer.",
    "migration": "Write it as: def NAME(old: OldType) -> Type, where Type is the one that the agent has now.",
}


def where(function: Callable[..., Any]) -> str:
    """Return file and line of a function, as `desk.py:12`."""
    code = inspect.unwrap(function).__code__
    return f"{code.co_filename.rsplit('/', 1)[-1]}:{code.co_firstlineno}"


def digest_of(function: Callable[..., Any], *schemas: bytes) -> str:
    """Return the first 16 hex digits of the SHA-256 of a function's source and of schemas."""
    try:
        source = textwrap.dedent(inspect.getsource(function))
    except OSError:  # Typed into a prompt, or only bytecode is there.
        source = inspect.unwrap(function).__code__.co_code.hex()
    return hashlib.sha256(b"\0".join((source.encode(), *schemas))).hexdigest()[:16]
