"""Policies: from what a user names (a file, a folder, Cedar text) to a policy set."""

from pathlib import Path

from kernos.adapters.cedar.policy import CedarPolicy
from kernos.control.registry import Registry
from kernos.ports.policy import Policy
from kernos.vocabulary.errors import BadConfiguration


def load_policy(source: str | Path | Policy | None, registry: Registry) -> Policy:
    """Return the policy set; without a source the one that asks a person before every action.

    Raises BadConfiguration for policies that do not fit the declared tools, and for a path without any.
    """
    if source is not None and not isinstance(source, (str, Path)):
        return source
    names = [agent.name for agent in registry.agents]
    return CedarPolicy(_texts(source), registry.tools, names, registry.models)


def _texts(source: str | Path | None) -> dict[str, str] | str:
    if source is None:
        return {}
    if isinstance(source, str) and (";" in source or "\n" in source):
        return source
    path = Path(source)
    if path.is_file():
        return {path.name: path.read_text(encoding="utf-8")}
    files = sorted(path.glob("*.cedar"))
    if not files:
        message = f"{path} is neither a Cedar file nor a folder with any, nor Cedar text, each rule of which ends in ;"
        raise BadConfiguration(
            message, hint="Write a policy there, or leave `policies` out: then every action asks a person."
        )
    return {file.name: file.read_text(encoding="utf-8") for file in files}
