"""Workflow: agents composed into a new agent. A chain hands each output on as the next input."""

from itertools import pairwise
from typing import Any, Protocol

from kernos.authoring.signature import check_name
from kernos.vocabulary.contract import AgentContract
from kernos.vocabulary.errors import BadDeclaration
from kernos.vocabulary.quantities import Limits, Retry


class _Runs(Protocol):
    """What a workflow needs of a context."""

    async def run(
        self, agent: AgentContract[Any, Any], value: Any, *, intent: str = "", retry: Retry | None = None
    ) -> Any: ...


def chain(name: str, *agents: AgentContract[Any, Any], retry: Retry | None = None) -> AgentContract[Any, Any]:
    """Compose agents one after the other into an agent of its own; each is a child run with its own contract.

    With `retry`, each link that fails is asked anew. Fork and choice are code: write an agent that uses `ctx.fork` and `ctx.run`.
    Raises BadDeclaration when an output's type is not the next input's.
    """
    check_name(name, "a workflow")
    if not agents:
        message = f"chain {name} has no agents"
        raise BadDeclaration(message, hint="Give at least one.")
    for link, following in pairwise(agents):
        if link.output.schema != following.input.schema:
            message = (
                f"chain {name}: {link.name} returns {link.output.type_name}, "
                f"but {following.name} takes {following.input.type_name}"
            )
            raise BadDeclaration(message, hint="Put an agent between them that turns one into the other.")

    async def links(ctx: _Runs, value: Any) -> Any:
        for link in agents:
            value = await ctx.run(link, value, retry=retry)
        return value

    return AgentContract(
        name=name,
        version="-".join(link.version for link in agents),
        code_digest="-".join(link.code_digest[:4] for link in agents),
        input=agents[0].input,
        output=agents[-1].output,
        function=links,
        limits=Limits(),
        description=" → ".join(link.name for link in agents),
    )
