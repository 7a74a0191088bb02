"""Assignment: what a worker gets to run a run's code, recorded values brought to the types that the code has now."""

from typing import Any

from kernos.kernel.state import RunState
from kernos.vocabulary.contract import AgentContract, Codec
from kernos.vocabulary.errors import ContractBroken, Outgrown
from kernos.vocabulary.ids import PrincipalId
from kernos.vocabulary.quantities import Json
from kernos.vocabulary.questions import Assignment


def assignment_of(state: RunState, agent: AgentContract[Any, Any], *, from_checkpoint: bool = True) -> Assignment:
    """Return the assignment of a run: from the newest checkpoint that carries a state, or from the start.

    Raises Outgrown when input or state were recorded by other code and do not fit the present types.
    """
    request = state.request()
    point = state.resume_from if from_checkpoint else None
    kept = point.state if point is not None else None
    given = request.input
    if (request.agent_version, request.code_digest) != (agent.version, agent.code_digest):
        given = _present(state, agent, request.agent_version, "input", given, agent.input)
        if point is not None and point.state is not None and agent.state is not None:
            kept = _present(state, agent, version_of(point.by), "state", point.state, agent.state)
    return Assignment(
        run=state.run,
        agent=agent,
        input=given,
        intent=request.intent,
        on_behalf_of=state.requested_by,
        state=kept,
        tenant=request.tenant,
        steps_before=int(point.step) if point is not None else 0,
    )


def migrated(agent: AgentContract[Any, Any], version: str, what: str, value: Json) -> Json:
    """Return what a version of an agent recorded as the present one has it: through the migration declared for it, else as it is.

    `what` is `input`, `state` or `output`. Raises ContractBroken when the migration fails on it.
    """
    declared = dict(agent.migrations).get(version)
    way = getattr(declared, what) if declared is not None else None
    return value if way is None else way(value)


def version_of(by: PrincipalId) -> str:
    """Return the version of the agent that did something: `3` for `agent:refund_desk@3`."""
    return by.rpartition("@")[2]


def _present(
    state: RunState, agent: AgentContract[Any, Any], version: str, what: str, value: Json, codec: Codec
) -> Json:
    try:
        present = migrated(agent, version, what, value)
        codec.decode(present)
    except ContractBroken as broken:
        is_declared = version in dict(agent.migrations)
        why = "its migration fails" if is_declared else "no migration is declared for that version"
        message = (
            f"the {what} of run {state.run} was recorded by version {version} of agent {agent.name} and does not fit "
            f"version {agent.version}, and {why}: {broken}"
        )
        raise Outgrown(message) from broken
    return present
