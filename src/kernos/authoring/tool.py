"""Tool: a plain function as a tool with a contract."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import is_dataclass
from functools import partial
from typing import Any, ParamSpec, TypeVar, overload

from pydantic import BaseModel

from kernos.authoring.codec import codec_of
from kernos.authoring.signature import check_name, types_of, where
from kernos.vocabulary.contract import Codec, ToolCall, ToolContract, ToolFailed
from kernos.vocabulary.errors import BadDeclaration, ContractBroken
from kernos.vocabulary.outcome import AttemptFailed, Effect, FailureKind, Found
from kernos.vocabulary.quantities import Json, Retry

In = TypeVar("In")
Out = TypeVar("Out")
P = ParamSpec("P")

TIMEOUT_MS_MAX = 600_000
_RESERVED = frozenset({"model"})

LookUp = Callable[[In, ToolCall], Found | Awaitable[Found]]


class _Declare:
    """What `@tool(...)` returns: turns functions of one or two parameters into contracts."""

    def __init__(self, build: Callable[[Callable[..., Any]], ToolContract[Any, Any]]) -> None:
        self._build = build

    @overload
    def __call__(self, function: Callable[[In, ToolCall], Awaitable[Out]]) -> ToolContract[In, Out]: ...
    @overload
    def __call__(self, function: Callable[[In], Awaitable[Out]]) -> ToolContract[In, Out]: ...
    @overload
    def __call__(self, function: Callable[[In, ToolCall], Out]) -> ToolContract[In, Out]: ...
    @overload
    def __call__(self, function: Callable[[In], Out]) -> ToolContract[In, Out]: ...

    def __call__(self, function: Callable[..., Any]) -> ToolContract[Any, Any]:
        """Declare the function."""
        return self._build(function)


def tool(
    name: str = "",
    *,
    effect: Effect | str,
    look_up: LookUp[Any] | None = None,
    timeout_ms: int = 30_000,
    retry: Retry | None = None,
    failures: Mapping[type[Exception], FailureKind | str] | None = None,
) -> _Declare:
    """Declare a function as a tool: `@tool(effect="idempotent")` above `def refund(request: Refund) -> Receipt`.

    `name` is the function's own if none is given. `effect` says what may be done when the outcome of a call is unknown: `read`
    (no effect), `idempotent` (the service honours our key), `verifiable` (`look_up` tells whether it happened), `once` (none of
    these). `timeout_ms` (1 to 600,000) bounds one attempt. `failures` classifies exceptions the function raises (`final`,
    `retryable`, `unknown`); others count as `unknown` unless they are ToolFailed. A second parameter gets the `ToolCall` with
    the key and the causal tag. Plain functions run in a thread. Raises BadDeclaration.
    """

    def build(function: Callable[..., Any]) -> ToolContract[Any, Any]:
        full = check_name(name or function.__name__, "a tool")
        place = where(function)
        kinds, result = types_of(function, "tool", (1, 2))
        if len(kinds) == 2 and kinds[1] is not ToolCall:  # noqa: PLR2004 - request and call
            message = f"tool {full} ({place}): its second parameter is a {kinds[1]}, not a ToolCall"
            raise BadDeclaration(message, hint="Take one pydantic model with all arguments, and the ToolCall.")
        if not (isinstance(kinds[0], type) and (issubclass(kinds[0], BaseModel) or is_dataclass(kinds[0]))):
            message = f"tool {full} ({place}) takes a {kinds[0]}: policy and people need named arguments"
            raise BadDeclaration(message, hint="Take one pydantic model, or a dataclass, with all arguments.")
        effect_class = _effect(effect, full, place)
        if (look_up is not None) is not (effect_class is Effect.VERIFIABLE):
            message = f"tool {full} ({place}): a look_up belongs to effect class verifiable, and only there"
            raise BadDeclaration(message, hint="Give look_up=..., or choose another effect class.")
        if full in _RESERVED or not 1 <= timeout_ms <= TIMEOUT_MS_MAX:
            message = (
                f"tool {full} ({place}): its name is reserved, or timeout_ms={timeout_ms} is not within 1 to 600000"
            )
            raise BadDeclaration(message)
        classes = {kind: FailureKind(value) for kind, value in (failures or {}).items()}
        given, returned = codec_of(kinds[0]), codec_of(result)
        attempt = _Attempt(function, given, returned, classes, takes_call=len(kinds) > 1)
        return ToolContract(
            name=full,
            effect=effect_class,
            input=given,
            output=returned,
            attempt=attempt,
            look_up=_LookUp(look_up, given) if look_up is not None else None,
            timeout_ms=timeout_ms,
            retry=retry or Retry(),
            description=inspect.getdoc(function) or "",
        )

    return _Declare(build)


def _effect(effect: Effect | str, name: str, place: str) -> Effect:
    try:
        return Effect(effect)
    except ValueError as error:
        message = f"tool {name} ({place}): {effect!r} is no effect class"
        hint = f"Use one of {', '.join(Effect)}."
        raise BadDeclaration(message, hint=hint) from error


def _awaitable(function: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
    """Return a function that can be awaited: a coroutine function as it is, a plain one in a thread."""
    if inspect.iscoroutinefunction(function):
        return function
    return partial(asyncio.to_thread, function)


class _Attempt:
    """One attempt: decode, call, encode, and classify what went wrong."""

    def __init__(
        self,
        function: Callable[..., Any],
        given: Codec,
        returned: Codec,
        classes: Mapping[type[Exception], FailureKind],
        *,
        takes_call: bool,
    ) -> None:
        self._function = _awaitable(function)
        self._given = given
        self._returned = returned
        self._classes = classes
        self._takes_call = takes_call

    async def __call__(self, args: Json, call: ToolCall) -> Json | AttemptFailed:
        value = self._given.decode(args)
        try:
            result = await (self._function(value, call) if self._takes_call else self._function(value))
        except ToolFailed as failed:
            return failed.attempt
        except Exception as error:  # noqa: BLE001 - a tool's function may raise anything; the class decides what it means
            return AttemptFailed(self._class_of(error), f"{type(error).__name__}: {error}")
        try:
            return self._returned.encode(result)
        except ContractBroken as broken:
            return AttemptFailed(FailureKind.UNKNOWN, f"it answered something else than its contract says: {broken}")

    def _class_of(self, error: Exception) -> FailureKind:
        for kind in type(error).__mro__:
            if issubclass(kind, Exception) and kind in self._classes:
                return self._classes[kind]
        return FailureKind.UNKNOWN


class _LookUp:
    """One look-up: like an attempt, but it only says what it saw."""

    def __init__(self, function: LookUp[Any], given: Codec) -> None:
        self._function = _awaitable(function)
        self._given = given

    async def __call__(self, args: Json, call: ToolCall) -> Found | AttemptFailed:
        try:
            found = await self._function(self._given.decode(args), call)
        except ToolFailed as failed:
            return failed.attempt
        except Exception as error:  # noqa: BLE001 - as above: a look-up that fails is made again
            return AttemptFailed(FailureKind.UNKNOWN, f"{type(error).__name__}: {error}")
        if isinstance(found, Found):
            return found
        return AttemptFailed(FailureKind.FINAL, f"the look-up returned a {type(found).__name__}, not a Found")
