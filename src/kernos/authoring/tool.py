"""Tool: a plain function as a tool with a contract."""

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import is_dataclass
from functools import partial
from typing import Any, ParamSpec, TypeVar, overload

from pydantic import BaseModel

from kernos.authoring.codec import codec_of
from kernos.authoring.costing import cost_of
from kernos.authoring.failing import failed_by, is_stop, kept
from kernos.authoring.signature import check_name, types_of, where
from kernos.authoring.threads import THREADS_MAX, InThread, UnderWay
from kernos.authoring.undoing import Undo, compensation_of, look_up_of, observe_of
from kernos.vocabulary.budget import Cost
from kernos.vocabulary.contract import Codec, Listing, ToolCall, ToolContract, ToolFailed
from kernos.vocabulary.errors import BadDeclaration, ContractBroken
from kernos.vocabulary.flow import FlowContract
from kernos.vocabulary.outcome import AttemptFailed, Effect, FailureKind, Found
from kernos.vocabulary.quantities import WAIT_MS_MAX, Json, Retry
from kernos.vocabulary.secret import HINT, parts_of

In = TypeVar("In")
Out = TypeVar("Out")
P = ParamSpec("P")

TIMEOUT_MS_MAX = 600_000
ATTEMPTS_MAX = 100
FACTOR_MAX = 100
"""For the delays between attempts: a hundredfold each time is past all waiting after the third."""

_RESERVED = frozenset({"model"})

LookUp = Callable[..., Found | Awaitable[Found]]
"""Takes the arguments and the call, and what was observed before where the tool observes."""


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
    look_up: LookUp | None = None,
    observe: Callable[[Any, ToolCall], Any] | None = None,
    late_ms: int = 0,
    listed: Listing | None = None,
    compensate: Undo | str = "",
    timeout_ms: int = 30_000,
    retry: Retry | None = None,
    failures: Mapping[type[Exception], FailureKind | str] | None = None,
    flow: FlowContract | None = None,
    cost: int | Cost | None = None,
    secrets: Sequence[str] = (),
) -> _Declare:
    """Declare a function as a tool: `@tool(effect="idempotent")` above `def refund(request: Refund) -> Receipt`.

    `name` is the function's own if none is given. `effect` says what may be done when the outcome of a call is unknown: `read`
    (no effect), `idempotent` (the service honours our key), `verifiable` (`look_up` tells whether it happened), `once` (none of
    these). `observe` sees the state just before the action (how many refunds the order has); it is recorded, and `look_up` gets it as a
    third argument, so that "one more than before" can be told from "there was one". `late_ms` is how long after a failed attempt the
    service may still act: a look-up that finds nothing is believed only then. `listed` is the service's own list of effects
    (`@listing()`), which `kernos reconcile` compares with the journal. `compensate` is how the action is taken back, or in words why it
    cannot be. `timeout_ms` (1 to 600,000) bounds one attempt. `failures` classifies exceptions the function raises (`final`, `retryable`,
    `unknown`); others count as `unknown` unless they are ToolFailed. `flow` says where its arguments may come from and what its result is
    worth; without it the rules of flow do not look at its calls. A second parameter gets the `ToolCall` with the key and the causal
    tag. `cost`: what one call costs at most, in micro-dollars (0: nothing), or `Cost(argument=..., reported=...)` for what stands in its
    arguments and its result; without, it is not called where money is capped (docs/budgets.md). `secrets`: references to the
    credentials that it reads (`env:NAME`, `file:PATH`, `keyring:SERVICE/NAME`); it can read no other (docs/secrets.md). Plain functions run in a thread, which nobody can stop: it runs on when its time is over. Raises BadDeclaration.
    """

    def build(function: Callable[..., Any]) -> ToolContract[Any, Any]:
        full = check_name(name or function.__name__, "a tool")
        place = where(function)
        kinds, result = types_of(function, "tool", (1, 2))
        _check_parameters(kinds, full, place)
        effect_class = _effect(effect, full, place)
        _check_looks(effect_class, look_up, observe, late_ms, f"tool {full} ({place})")
        _check_retry(retry or Retry(), f"tool {full} ({place})")
        if full in _RESERVED or not 1 <= timeout_ms <= TIMEOUT_MS_MAX:
            message = (
                f"tool {full} ({place}): its name is reserved, or timeout_ms={timeout_ms} is not within 1 to 600000"
            )
            raise BadDeclaration(message)
        classes = {kind: FailureKind(value) for kind, value in (failures or {}).items()}
        given, returned = codec_of(kinds[0]), codec_of(result)
        attempt = _Attempt(function, given, returned, classes, effect_class, takes_call=len(kinds) > 1)
        return ToolContract(
            name=full,
            effect=effect_class,
            input=given,
            output=returned,
            attempt=attempt,
            look_up=look_up_of(look_up, observe, given, returned, attempt.under_way) if look_up is not None else None,
            observe=observe_of(observe, given) if observe is not None else None,
            late_ms=late_ms,
            listed=listed,
            compensate=compensation_of(compensate, given, returned) if isinstance(compensate, Undo) else None,
            irrevocable=compensate if isinstance(compensate, str) else "",
            timeout_ms=timeout_ms,
            retry=retry or Retry(),
            flow=flow,
            description=inspect.getdoc(function) or "",
            cost=cost_of(cost, given, returned, f"tool {full} ({place})"),
            secrets=_secrets(secrets, f"tool {full} ({place})"),
        )

    return _Declare(build)


def _secrets(references: Sequence[str], what: str) -> frozenset[str]:
    try:
        for reference in references:
            parts_of(reference)
    except ValueError as error:
        message = f"{what}: {error}"
        raise BadDeclaration(message, hint=HINT) from None
    return frozenset(references)


def _check_parameters(kinds: Sequence[Any], name: str, place: str) -> None:
    if len(kinds) == 2 and kinds[1] is not ToolCall:  # noqa: PLR2004 - request and call
        message = f"tool {name} ({place}): its second parameter is a {kinds[1]}, not a ToolCall"
        raise BadDeclaration(message, hint="Take one pydantic model with all arguments, and the ToolCall.")
    if not (isinstance(kinds[0], type) and (issubclass(kinds[0], BaseModel) or is_dataclass(kinds[0]))):
        message = f"tool {name} ({place}) takes a {kinds[0]}: policy and people need named arguments"
        raise BadDeclaration(message, hint="Take one pydantic model, or a dataclass, with all arguments.")


def _check_looks(effect: Effect, look_up: object, observe: object, late_ms: int, what: str) -> None:
    """Check that what looks at the service before and after an action fits together."""
    if (look_up is not None) is not (effect is Effect.VERIFIABLE):
        message = f"{what}: a look_up belongs to effect class verifiable, and only there"
        raise BadDeclaration(message, hint="Give look_up=..., or choose another effect class.")
    if observe is not None and look_up is None:
        message = f"{what} observes, but nothing looks at what it saw"
        raise BadDeclaration(message, hint="Give look_up=..., which compares; only class verifiable has one.")
    if not 0 <= late_ms <= WAIT_MS_MAX or (late_ms and look_up is None):
        message = f"{what}: late_ms={late_ms} is below 0 or no time, or there is no look-up that waits for it"
        raise BadDeclaration(message, hint="late_ms belongs to look_up=..., in milliseconds.")


def _check_retry(retry: Retry, what: str) -> None:
    """Check that attempts and delays are within what can be counted and waited for."""
    delays = (retry.first_delay_ms, retry.delay_max_ms)
    if not 1 <= retry.attempts <= ATTEMPTS_MAX or not 1 <= retry.factor <= FACTOR_MAX:
        message = f"{what}: {retry.attempts} attempts, each delay {retry.factor} times the one before, cannot be"
        raise BadDeclaration(
            message, hint=f"Retry takes 1 to {ATTEMPTS_MAX} attempts and a factor of 1 to {FACTOR_MAX}."
        )
    if not all(type(delay) is int and 0 <= delay <= WAIT_MS_MAX for delay in delays):
        message = f"{what}: delays of {delays[0]} to {delays[1]} ms cannot be waited for"
        raise BadDeclaration(message, hint=f"Retry takes whole milliseconds from 0 to {WAIT_MS_MAX} (a hundred years).")


def _effect(effect: Effect | str, name: str, place: str) -> Effect:
    try:
        return Effect(effect)
    except ValueError as error:
        message = f"tool {name} ({place}): {effect!r} is no effect class"
        hint = f"Use one of {', '.join(Effect)}."
        raise BadDeclaration(message, hint=hint) from error


class _Attempt:
    """One attempt: decode, call, encode, and classify what went wrong."""

    def __init__(
        self,
        function: Callable[..., Any],
        given: Codec,
        returned: Codec,
        classes: Mapping[type[Exception], FailureKind],
        effect: Effect,
        *,
        takes_call: bool,
    ) -> None:
        self._function = function
        self._is_plain = not inspect.iscoroutinefunction(function)
        self._given = given
        self._returned = returned
        self._classes = classes
        self._effect = effect
        self._takes_call = takes_call
        self.under_way = UnderWay()
        """Calls that may still act; kept where a look-up asks for it."""

    async def __call__(self, args: Json, call: ToolCall) -> Json | AttemptFailed:
        value = self._given.decode(args)
        given = (value, call) if self._takes_call else (value,)
        thread = InThread(partial(self._in_thread, call.key, given)) if self._is_plain else None
        try:
            result = await (thread.made() if thread is not None else self._awaited(call.key, given))
        except ToolFailed as failed:
            return kept(failed.attempt)
        except BaseException as error:  # a tool's function may raise anything; the class decides what it means
            if is_stop(error):
                if thread is not None and thread.give_up() and self._effect is not Effect.READ:
                    return AttemptFailed(FailureKind.RETRYABLE, f"it was not called: {THREADS_MAX} threads are busy")
                raise
            return failed_by(error, self._class_of(error))
        try:
            return self._returned.encode(result)
        except ContractBroken as broken:
            return AttemptFailed(FailureKind.UNKNOWN, f"it answered something else than its contract says: {broken}")

    def _in_thread(self, key: str, given: Sequence[Any]) -> Any:
        if self._effect is not Effect.VERIFIABLE:
            return self._function(*given)
        with self.under_way.during(key):
            return self._function(*given)

    async def _awaited(self, key: str, given: Sequence[Any]) -> Any:
        if self._effect is not Effect.VERIFIABLE:
            return await self._function(*given)
        with self.under_way.during(key):
            return await self._function(*given)

    def _class_of(self, error: BaseException) -> FailureKind:
        for kind in type(error).__mro__:
            if issubclass(kind, Exception) and kind in self._classes:
                return self._classes[kind]
        return FailureKind.UNKNOWN
