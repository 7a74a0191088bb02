"""Policies: from what a user names (a file, a folder, Cedar text) to a policy set."""

from pathlib import Path

from kernos.adapters.cedar.policy import CedarPolicy
from kernos.app.context_file import load_context
from kernos.control.registry import Registry
from kernos.ports.policy import Policy
from kernos.vocabulary.circumstances import NOTHING_DECLARED, Declared
from kernos.vocabulary.errors import BadConfiguration


def load_policy(source: str | Path | Policy | None, registry: Registry) -> Policy:
    """Return the policy set; without a source the one that asks a person before every action.

    Raises BadConfiguration for policies that do not fit the declared tools, and for a path without any.
    """
    if source is not None and not isinstance(source, (str, Path)):
        return source
    names = [agent.name for agent in registry.agents]
    declared = declared_for(source, registry)
    return CedarPolicy(_texts(source), registry.tools, names, registry.models, declared)


def declared_for(source: str | Path | Policy | None, registry: Registry) -> Declared:
    """Return what the file `context.toml` in a folder of policies declares; nothing for every other source. Raises BadConfiguration."""
    if not isinstance(source, (str, Path)) or _is_text(source):
        return NOTHING_DECLARED
    try:
        is_folder = Path(source).is_dir()
    except OSError:
        is_folder = False  # A name that no file can have: whoever reads the policies says so.
    return load_context(Path(source), registry) if is_folder else NOTHING_DECLARED


def _is_text(source: str | Path) -> bool:
    return isinstance(source, str) and (";" in source or "\n" in source)


def _texts(source: str | Path | None) -> dict[str, str] | str:
    if source is None:
        return {}
    if isinstance(source, str) and _is_text(source):
        return source
    path = Path(source)
    try:
        files = [path] if path.is_file() else sorted(path.glob("*.cedar"))
        texts = {file.name: file.read_text(encoding="utf-8") for file in files}
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        message = f"the policies in {str(path)[:_SHOWN_MAX]} could not be read: {why}"
        raise BadConfiguration(message, hint="Name a file of Cedar text in UTF-8, or a folder of them.") from error
    if not texts:
        message = f"{path} is neither a Cedar file nor a folder with any, nor Cedar text, each rule of which ends in ;"
        raise BadConfiguration(
            message, hint="Write a policy there, or leave `policies` out: then every action asks a person."
        )
    return texts


_SHOWN_MAX = 200  # Characters of a path: what is longer names no file.
