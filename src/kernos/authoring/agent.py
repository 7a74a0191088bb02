"""Agent: an async function as an agent with a contract."""

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any, TypeVar

from kernos.authoring.codec import codec_of
from kernos.authoring.migration import Migration, contracts_of
from kernos.authoring.signature import check_name, digest_of, types_of, where
from kernos.vocabulary.contract import AgentContract, Codec, ToolContract
from kernos.vocabulary.errors import BadDeclaration
from kernos.vocabulary.quantities import WAIT_MS_MAX, Limits
from kernos.vocabulary.undo import ANY_FAILURE, Remedy

In = TypeVar("In")
Out = TypeVar("Out")
Ctx = TypeVar("Ctx")


def agent(
    name: str = "",
    *,
    version: str = "1",
    tools: Sequence[ToolContract[Any, Any]] = (),
    failures: Sequence[str] = (),
    limits: Limits | None = None,
    state: type | None = None,
    on_failure: Mapping[str, str] | None = None,
    migrations: Mapping[str, Migration] | None = None,
    untrusted: Sequence[str] = (),
    without_room: str = "fail",
    room_wait_ms: int = 0,
) -> Callable[[Callable[[Ctx, In], Awaitable[Out]]], AgentContract[In, Out]]:
    """Declare an async function as an agent: `@agent(tools=[refund])` above `async def desk(ctx: Context, t: Ticket) -> Answer`.

    `name` is the function's own if none is given. `tools` are all it may call. `failures` are the modes it may end with by
    raising `Failed(mode, message)`. `state` is the type its checkpoints carry, if it resumes from them. `on_failure` says by failure
    mode (declared ones, `error`, `cancelled`, `expired` and other codes; `*` for all others) what becomes of what was done: `stop`
    leaves it (the default), `compensate` takes it back, `compensate:CHECKPOINT` takes back what came after that checkpoint,
    `hand_over` asks a person. `migrations` say by older version how what it recorded becomes what the present types are.
    `untrusted` names the fields of the input that outsiders fill, such as a customer's letter: what is taken from them is nobody's word.
    `without_room`: whether a call that a cap has no room for is to `fail` or to `wait`, `room_wait_ms` at most (0: as long as the run may).
    Raises BadDeclaration.
    """

    def build(function: Callable[[Ctx, In], Awaitable[Out]]) -> AgentContract[In, Out]:
        full = check_name(name or function.__name__, "an agent")
        place = where(function)
        if not inspect.iscoroutinefunction(function):
            message = f"agent {full} ({place}) is no async function"
            raise BadDeclaration(message, hint="Write it as: async def NAME(ctx: Context, request: Request) -> Answer.")
        kinds, result = types_of(function, "agent", (2,))
        strange = [item for item in tools if not isinstance(item, ToolContract)]
        if strange:
            message = f"agent {full} ({place}): {strange[0]!r} in its tools is no tool"
            raise BadDeclaration(message, hint="Put @tool(effect=...) above the function.")
        _check_names([item.name for item in tools], f"agent {full} ({place})")
        _check_limits(limits or Limits(), f"agent {full} ({place})")
        for mode in failures:
            check_name(mode, f"a failure mode of agent {full}")
        given, returned = codec_of(kinds[1]), codec_of(result)
        remedies = tuple(sorted((on_failure or {}).items()))
        for mode, remedy in remedies:
            _check_remedy(mode, remedy, full, place)
        _check_room(without_room, room_wait_ms, f"agent {full} ({place})")
        kept = codec_of(state) if state is not None else None
        schemas = (given.schema.text, returned.schema.text, kept.schema.text if kept else b"")
        return AgentContract(
            name=full,
            version=version,
            code_digest=digest_of(function, *schemas),
            input=given,
            output=returned,
            function=function,
            tools=tuple(tools),
            failures=tuple(failures),
            limits=limits or Limits(),
            state=kept,
            migrations=contracts_of(
                migrations or {}, full, version, {"input": given, "state": kept, "output": returned}
            ),
            on_failure=remedies,
            untrusted=_checked_fields(untrusted, given, f"agent {full} ({place})"),
            waits_for_room=without_room == "wait",
            room_wait_ms=room_wait_ms,
            description=inspect.getdoc(function) or "",
        )

    return build


def _checked_fields(names: Sequence[str], given: Codec, what: str) -> tuple[str, ...]:
    """Return the names of untrusted fields. Raises BadDeclaration for one that stands nowhere in the input's type."""
    if isinstance(names, str):
        message = f"{what}: untrusted={names!r} is a text, not a list of fields"
        raise BadDeclaration(message, hint=f"Write untrusted=({names!r},).")
    known = given.schema.text
    strange = [name for name in names if any(f'"{part}"'.encode() not in known for part in name.split("."))]
    if strange:
        message = f"{what}: its input {given.type_name} has no field {', '.join(map(repr, strange))}"
        raise BadDeclaration(message, hint="Name fields as the type spells them, or by a path: letter.text.")
    return tuple(names)


def _check_limits(limits: Limits, what: str) -> None:
    numbers = {column.name: getattr(limits, column.name) for column in fields(limits)}
    wrong = [f"{name}={value!r}" for name, value in numbers.items() if type(value) is not int or value < 0]
    if wrong or limits.wall_time_ms > WAIT_MS_MAX:
        message = f"{what}: {', '.join(wrong) or f'wall_time_ms={limits.wall_time_ms}'} is no limit"
        raise BadDeclaration(
            message, hint=f"Limits are whole numbers, times at most {WAIT_MS_MAX} ms (a hundred years)."
        )


def _check_names(names: Sequence[str], what: str) -> None:
    if len(set(names)) != len(names):
        message = f"{what} names a tool twice: {', '.join(names)}"
        raise BadDeclaration(message)


def _check_room(without_room: str, wait_ms: int, what: str) -> None:
    if without_room not in ("fail", "wait"):
        message = f"{what}: without_room={without_room!r} says nothing that a call could do"
        raise BadDeclaration(message, hint="Use fail or wait.")
    if type(wait_ms) is not int or not 0 <= wait_ms <= WAIT_MS_MAX or (wait_ms and without_room == "fail"):
        message = f"{what}: room_wait_ms={wait_ms!r} is no time that a call could wait for room"
        raise BadDeclaration(message, hint=f'Give milliseconds, at most {WAIT_MS_MAX}, beside without_room="wait".')


def _check_remedy(mode: str, remedy: str, name: str, place: str) -> None:
    if mode != ANY_FAILURE:
        check_name(mode, f"a failure mode of agent {name}")
    try:
        Remedy.of(remedy)
    except ValueError as error:
        message = f"agent {name} ({place}): on_failure[{mode!r}] = {remedy!r} says nothing that can be done"
        hint = "Use stop, compensate, compensate:CHECKPOINT or hand_over."
        raise BadDeclaration(message, hint=hint) from error
