"""Undoing: what a tool declares besides its call: how to see what happened, and how to take it back."""

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, get_type_hints

from kernos.authoring.codec import codec_of
from kernos.authoring.failing import failed_by, found_by, is_stop, kept
from kernos.authoring.signature import where
from kernos.authoring.threads import InThread, UnderWay
from kernos.vocabulary.contract import (
    CannotUndo,
    Codec,
    Compensation,
    Listing,
    OutsideEffect,
    ToolCall,
    ToolContract,
    ToolFailed,
)
from kernos.vocabulary.errors import BadDeclaration, ContractBroken
from kernos.vocabulary.ids import EpochMs
from kernos.vocabulary.outcome import AttemptFailed, FailureKind, Found
from kernos.vocabulary.quantities import NULL, Json


@dataclass(frozen=True, slots=True)
class Undo:
    """How an action is taken back: `@tool(..., compensate=Undo(charge, lambda refund, receipt: Charge(refund.order, refund.cents)))`.

    `args` gets the action's request and, if it takes two parameters, its result; it returns the request of `tool`, or raises CannotUndo with
    the reason why there is no way back. `within`
    is how long after the action it can be called (None: for ever), `cost_microusd` what one costs, `leaves` what stays even so.
    """

    tool: ToolContract[Any, Any]
    args: Callable[..., Any]
    within: timedelta | None = None
    cost_microusd: int = 0
    leaves: str = ""


@dataclass(frozen=True, slots=True)
class Sweep:
    """Which effects a service shall list: those of a span of time, and at least those that concern these requests of recent actions."""

    since: datetime
    until: datetime
    requests: tuple[Mapping[str, Any], ...]
    """As JSON objects, each once."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One effect as the service lists it.

    `reference` is its name there, `request` what it was called with as far as the service knows (all or some of a request's fields), `key`
    our idempotency key if the service keeps it, `result` what the call returned, if an undo needs it, `tools` the names of the tools it may
    come from, where several share a list.
    """

    reference: str
    request: Mapping[str, Any]
    key: str = ""
    result: Any = None
    tools: tuple[str, ...] = ()


def listing(name: str = "") -> Callable[[Callable[[Sweep], Any]], Listing]:
    """Declare a function of a Sweep as a service's own list of effects: `@listing()`, then `@tool(..., listed=refunds)`.

    Tools whose effects stand in the same list name the same listing. A plain function runs in a thread.
    """

    def build(function: Callable[[Sweep], Any]) -> Listing:
        ask = awaitable(function)
        plain, any_json = codec_of(dict[str, Any]), codec_of(Any)

        async def listed(since: EpochMs, until: EpochMs, args: Sequence[Json]) -> Sequence[OutsideEffect]:
            first, last = (datetime.fromtimestamp(at / 1_000, UTC) for at in (since, until))
            found = await ask(Sweep(first, last, tuple(plain.decode(one) for one in args)))
            return [
                OutsideEffect(
                    one.reference,
                    plain.encode(dict(one.request)),
                    one.key,
                    any_json.encode(one.result) if one.result is not None else None,
                    one.tools,
                )
                for one in found
            ]

        return Listing(name or function.__name__, listed)

    return build


def compensation_of(undo: Undo, given: Codec, returned: Codec) -> Compensation:
    """Return the contract's form of a declared undo."""
    takes_result = len(inspect.signature(undo.args).parameters) > 1

    def args(request: Json, result: Json) -> Json:
        known = (given.decode(request), returned.decode(result)) if takes_result else (given.decode(request),)
        try:
            made = undo.args(*known)
        except CannotUndo:
            raise
        except Exception as error:
            message = f"the arguments of {undo.tool.name} could not be made: {type(error).__name__}: {error}"
            raise CannotUndo(message) from error
        return undo.tool.input.encode(made)

    within_ms = round(undo.within.total_seconds() * 1_000) if undo.within is not None else 0
    return Compensation(undo.tool, args, within_ms, undo.cost_microusd, undo.leaves)


def awaitable(function: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
    """Return a function that can be awaited: a coroutine function as it is, a plain one in a thread."""
    if inspect.iscoroutinefunction(function):
        return function

    async def made(*args: Any) -> Any:
        return await InThread(partial(function, *args)).made()

    return made


def observe_of(
    function: Callable[[Any, ToolCall], Any], given: Codec
) -> Callable[[Json, ToolCall], Awaitable[Json | AttemptFailed]]:
    """Return the contract's form of a declared look before the action."""
    seen = _seen_by(function)
    ask = awaitable(function)

    async def observe(args: Json, call: ToolCall) -> Json | AttemptFailed:
        try:
            return seen.encode(await ask(given.decode(args), call))
        except ToolFailed as failed:
            return kept(failed.attempt)
        except (
            BaseException
        ) as error:  # a user's function may raise anything; looking has no effect, so it is made again
            if is_stop(error):
                raise
            return failed_by(error, FailureKind.RETRYABLE)

    return observe


def look_up_of(
    function: Callable[..., Any],
    observe: Callable[[Any, ToolCall], Any] | None,
    given: Codec,
    returned: Codec,
    under_way: UnderWay,
) -> Callable[[Json, ToolCall, Json | None], Awaitable[Found | AttemptFailed]]:
    """Return the contract's form of a declared look-up: like an attempt, but it only says what it saw.

    While the call itself is under way (a thread that runs on after its time), nothing but that it happened can be told.
    """
    seen = _seen_by(observe) if observe is not None else None
    ask = awaitable(function)

    async def look_up(args: Json, call: ToolCall, before: Json | None) -> Found | AttemptFailed:
        is_under_way = call.key in under_way  # Before it looks: what ends while it looks may have been overlooked.
        try:
            value = given.decode(args)
            if seen is None:
                found = await ask(value, call)
            elif before is None:
                return Found(None, "the state before the action was not recorded, so there is nothing to compare with")
            else:
                found = await ask(value, call, seen.decode(before))
        except ToolFailed as failed:
            return kept(failed.attempt)
        except BaseException as error:  # as above
            if is_stop(error):
                raise
            return failed_by(error, FailureKind.UNKNOWN)
        told = found_by(_written(found, returned))
        if is_under_way and isinstance(told, Found) and not told.done:
            return AttemptFailed(
                FailureKind.RETRYABLE, f"the call runs on after its time, so it may still happen ({told.evidence})"
            )
        return _checked(told, returned)

    return look_up


def _written(found: object, returned: Codec) -> object:
    """Return what a look-up returned, with the result as it stands in the journal if the look-up gave it as the tool would have."""
    if not isinstance(found, Found) or found.result is None or isinstance(found.result, Json):
        return found
    try:
        return replace(found, result=returned.encode(found.result))
    except ContractBroken as broken:
        return Found(None, f"{found.evidence}; but the result that the look-up gives does not fit: {broken}")


def _checked(found: Found | AttemptFailed, returned: Codec) -> Found | AttemptFailed:
    """Return what was found, unless the result that goes with it is none that the tool could have returned."""
    if isinstance(found, Found) and found.done:
        try:
            returned.decode(found.result or NULL)
        except ContractBroken as broken:
            return Found(None, f"{found.evidence}; but the result that the look-up gives does not fit: {broken}")
    return found


def _seen_by(observe: Callable[[Any, ToolCall], Any]) -> Codec:
    kind = get_type_hints(observe).get("return")
    if kind is None:
        message = f"{observe.__name__} ({where(observe)}) does not say what type it returns"
        raise BadDeclaration(message, hint="Annotate what it sees: def count(request: Refund, call: ToolCall) -> int.")
    return codec_of(kind)
