"""Registry: the agents, tools and models of this process, by name."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kernos.ports.model import Model
from kernos.vocabulary.contract import AgentContract, ToolContract
from kernos.vocabulary.errors import BadConfiguration, UnknownAgent


class Registry:
    """What can be run here. Fixed once built: a process that needs other agents is started anew."""

    def __init__(
        self,
        agents: Iterable[AgentContract[Any, Any]],
        models: Mapping[str, Model],
        builtin: Sequence[AgentContract[Any, Any]] = (),
    ) -> None:
        """Collect agents, and with them their tools and the tools that take those back; `builtin` are the kernel's own.

        Raises BadConfiguration when two of one kind share a name.
        """
        self._builtin = {agent.name: agent for agent in builtin}
        self._agents: dict[str, AgentContract[Any, Any]] = {}
        self._tools: dict[str, ToolContract[Any, Any]] = {}
        self._models = dict(models)
        for agent in agents:
            if agent.name in self._builtin or self._agents.setdefault(agent.name, agent) is not agent:
                message = f"two agents are named {agent.name!r}"
                raise BadConfiguration(message, hint="Give one of them another name.")
            for tool in agent.tools:
                self._add(tool, agent.name)

    def _add(self, tool: ToolContract[Any, Any], agent: str) -> None:
        known = self._tools.get(tool.name)
        if known is tool:
            return
        if known is not None:
            message = f"two tools are named {tool.name!r}; agent {agent!r} uses one of them"
            raise BadConfiguration(message, hint="Give one of them another name.")
        self._tools[tool.name] = tool
        if tool.compensate is not None:
            self._add(tool.compensate.tool, agent)

    def agent(self, name: str) -> AgentContract[Any, Any]:
        """Return an agent. Raises UnknownAgent with the names there are."""
        found = self.known_agent(name)
        if found is None:
            names = ", ".join(sorted(self._agents)) or "none"
            message = f"no agent is named {name!r} here (registered: {names})"
            raise UnknownAgent(message)
        return found

    def known_agent(self, name: str) -> AgentContract[Any, Any] | None:
        """Return an agent, None when it is not registered here."""
        return self._agents.get(name) or self._builtin.get(name)

    def tool(self, name: str) -> ToolContract[Any, Any] | None:
        """Return a tool that some agent declares, or that takes such a tool's actions back; None when there is none."""
        return self._tools.get(name)

    def model(self, name: str) -> Model | None:
        """Return a model, None when there is none."""
        return self._models.get(name)

    @property
    def agents(self) -> tuple[AgentContract[Any, Any], ...]:
        """All agents that were declared for this process, by name."""
        return tuple(self._agents[name] for name in sorted(self._agents))

    @property
    def tools(self) -> tuple[ToolContract[Any, Any], ...]:
        """All tools, by name."""
        return tuple(self._tools[name] for name in sorted(self._tools))

    @property
    def models(self) -> tuple[str, ...]:
        """Names of all models."""
        return tuple(sorted(self._models))
