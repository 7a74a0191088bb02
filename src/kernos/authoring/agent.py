"""Agent: an async function as an agent with a contract."""

import inspect
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from kernos.authoring.codec import codec_of
from kernos.authoring.signature import check_name, digest_of, types_of, where
from kernos.vocabulary.contract import AgentContract, ToolContract
from kernos.vocabulary.errors import BadDeclaration
from kernos.vocabulary.quantities import Limits

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
) -> Callable[[Callable[[Ctx, In], Awaitable[Out]]], AgentContract[In, Out]]:
    """Declare an async function as an agent: `@agent(tools=[refund])` above `async def desk(ctx: Context, t: Ticket) -> Answer`.

    `name` is the function's own if none is given. `tools` are all it may call. `failures` are the modes it may end with by
    raising `Failed(mode, message)`. `state` is the type its checkpoints carry, if it resumes from them. Raises BadDeclaration.
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
        names = [item.name for item in tools]
        if len(set(names)) != len(names):
            message = f"agent {full} ({place}) names a tool twice: {', '.join(names)}"
            raise BadDeclaration(message)
        for mode in failures:
            check_name(mode, f"a failure mode of agent {full}")
        given, returned = codec_of(kinds[1]), codec_of(result)
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
            description=inspect.getdoc(function) or "",
        )

    return build
