"""Opening: from settings to a kernel: agents found, models made, policies loaded."""

import os
import shlex
import sys
import traceback
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from kernos.adapters.http.model import OpenAIModel
from kernos.adapters.rules.model import RulesModel
from kernos.adapters.secrets.secret import Secret
from kernos.adapters.sqlite.lock import WorkerLock
from kernos.app.cli.legible import know_store
from kernos.app.kernel import Kernel
from kernos.app.records import Records
from kernos.app.revert import revert_agent
from kernos.app.settings import ModelSettings, OpenAISettings, Options, RulesSettings, Settings, load_settings
from kernos.control.registry import Registry
from kernos.ports.model import Model
from kernos.vocabulary.administration import Scope
from kernos.vocabulary.contract import AgentContract, ToolContract
from kernos.vocabulary.errors import BadConfiguration, KernosError, NotFound, UnknownAgent
from kernos.vocabulary.ids import PrincipalId


def settings_of(
    config: str, store: str, agents: Sequence[str] | None = None, policies: str = "", by: str = ""
) -> Settings:
    """Return the settings for a command given with these options."""
    settings = load_settings(Options(config, store, tuple(agents or ()), policies, by), os.environ, Path.cwd())
    know_store(settings.store)
    return settings


def existing(settings: Settings) -> Settings:
    """Return the settings if their store exists: looking must not make one. Raises NotFound, BadConfiguration."""
    if settings.store.is_dir():
        message = f"{settings.store} is a folder, not a store"
        raise BadConfiguration(message, hint="Name the store's file in it: --store FOLDER/NAME.")
    if not settings.store.is_file():
        message = f"there is no store {settings.store}"
        hint = "Start a run with `kernos run AGENT`, which makes it, or name another store with --store."
        raise NotFound(message, hint=hint)
    return settings


def plain_kernel(settings: Settings) -> Kernel:
    """Return a kernel that only looks and sends commands, without agents: it works on every store. Raises NotFound."""
    return Kernel(existing(settings).store, works=False, token=settings.token)


def full_kernel(settings: Settings, *, works: bool) -> Kernel:
    """Return a kernel with agents, models and policies. Raises BadConfiguration, BadDeclaration."""
    agents = find_agents(settings)
    if works and not settings.store.parent.is_dir():
        message = f"the folder of the store {settings.store} does not exist"
        raise BadConfiguration(message, hint=f"Make it: mkdir -p {settings.store.parent}")
    return Kernel(
        settings.store,
        agents=agents,
        models=make_models(settings),
        policies=settings.policies,
        works=works,
        token=settings.token,
    )


def whole_store(settings: Settings, what: str, scope: Scope = Scope.OPERATE) -> PrincipalId:
    """Check that the credential is good for what concerns every tenant, and return whose it is. Raises NotAllowed."""
    with Records(settings.store, settings.token) as records:
        return records.authority.whole(settings.by, scope, what)


def find_agents(settings: Settings) -> list[AgentContract[Any, Any]]:
    """Import the modules that the settings name and return their agents. Raises BadConfiguration with the place."""
    found: dict[str, AgentContract[Any, Any]] = {}
    for path in settings.agents:
        value = _imported(path, settings)
        values = vars(value).values() if ":" not in path else (value,)
        agents = [item for item in values if isinstance(item, AgentContract)]
        if not agents:
            message = f"{path} has no agent"
            raise BadConfiguration(message, hint="Put @agent(...) above an async function there.")
        for agent in agents:
            known = found.setdefault(agent.name, agent)
            if known is not agent:
                message = f"two agents are named {agent.name!r}, the second in {path}"
                raise BadConfiguration(message, hint="Give one of them another name.")
    return list(found.values())


def find_registry(settings: Settings, models: Mapping[str, Model] | None = None) -> Registry:
    """Return the agents that the settings name and the kernel's own, for commands that run code again without a kernel."""

    def tool_named(name: str) -> ToolContract[Any, Any] | None:
        return registry.tool(name)

    registry = Registry(find_agents(settings), models or {}, (revert_agent(tool_named),))
    return registry


def recorded_agent(registry: Registry, name: str) -> AgentContract[Any, Any]:
    """Return the agent of a recorded run. Raises UnknownAgent, and says how to name it to a command that only looks."""
    try:
        return registry.agent(name)
    except UnknownAgent as unknown:
        hint = "Name its module with --agents MODULE, or in `agents` of kernos.toml; what is missing is only its code."
        raise UnknownAgent(str(unknown), hint=hint) from unknown


def make_models(settings: Settings) -> dict[str, Model]:
    """Return the models by name. Raises BadConfiguration."""
    return {name: _model(name, model, settings) for name, model in settings.models.items()}


def _model(name: str, model: ModelSettings, settings: Settings) -> Model:
    match model:
        case RulesSettings(rules=path):
            rules = _imported(path, settings)
            if ":" not in path or not isinstance(rules, dict):
                message = f"model {name}: {path} is no mapping from task to function"
                raise BadConfiguration(message, hint='Name one as rules = "MODULE:NAME".')
            return RulesModel(rules)
        case OpenAISettings():
            return OpenAIModel(
                model.base_url,
                model.model,
                api_key=Secret(model.api_key).read if model.api_key else None,
                prompt_price_microusd=model.prompt_price_microusd,
                completion_price_microusd=model.completion_price_microusd,
                options=model.options,
                token_limit_name=model.token_limit_name,
                timeout_ms=model.timeout_ms,
                reach=model.reach,
            )


def _imported(path: str, settings: Settings) -> Any:
    """Return the module `a.b`, or the value `a.b:name`, looked for in the settings' folder first."""
    folder = str(settings.folder)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    module_name, _, name = path.partition(":")
    try:
        module = import_module(module_name)
    except KernosError:
        raise
    except (Exception, SystemExit) as error:
        message = f"{module_name} (looked for in {folder}) could not be imported: {type(error).__name__}: {error}{_place(error)}"
        hint = f"Mend it, or name another module in `agents`; try it with: python -c 'import {module_name}'"
        if isinstance(error, RuntimeError) and "running event loop" in str(error):
            hint = 'Put what the module runs below `if __name__ == "__main__":`, so that importing it only declares.'
        raise BadConfiguration(message, hint=hint) from error
    if name and not hasattr(module, name):
        message = f"{module_name} has no {name!r}"
        raise BadConfiguration(message, hint="Name something that stands at the module's top level.")
    return getattr(module, name) if name else module


def _place(error: BaseException) -> str:
    """Say in which line of the user's code it happened; nothing where the import machinery itself found nothing."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "importlib" not in f.filename]
    last = frames[-1] if len(frames) > 1 else None
    return f" ({Path(last.filename).name}:{last.lineno})" if last is not None else ""


def who_goes_on(settings: Settings) -> str:
    """Say which process runs agents over the store, or how to start one."""
    holder = WorkerLock.holder(settings.store)
    if holder is None:
        return f"no process runs agents over this store now: `{dev_command(settings)}` goes on with it"
    return f"process {holder} goes on with it"


def dev_command(settings: Settings) -> str:
    """Return the `kernos dev` that means the same store, agents and policies as the command that was given."""
    agents = "".join(f" --agents {shlex.quote(name)}" for name in settings.agents)
    policies = f" --policies {shlex.quote(str(settings.policies))}"
    return (
        f"kernos dev{settings.repeated}"
        f"{agents if settings.sources.get('agents') == '--agents' else ''}"
        f"{policies if settings.sources.get('policies') == '--policies' else ''}"
    )
