"""Policies: from what a user names (a file, a folder, Cedar text) to a policy set."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kernos.adapters.cedar.policy import CedarPolicy
from kernos.app.context_file import FILE_NAME as CONTEXT_FILE
from kernos.app.context_file import context_text, load_context, look_at_context, read_context
from kernos.control.registry import Registry
from kernos.ports.policy import Policy
from kernos.vocabulary.circumstances import NOTHING_DECLARED, Declared
from kernos.vocabulary.errors import BadConfiguration
from kernos.vocabulary.policies import BadPolicies, Fault


@dataclass(frozen=True, slots=True)
class PolicySet:
    """Policies with what is declared beside them, and the texts of both by file name."""

    policy: CedarPolicy
    declared: Declared
    files: Mapping[str, str]


def load_policy(source: str | Path | Policy | None, registry: Registry) -> Policy:
    """Return the policy set; without a source the one that asks a person before every action.

    Raises BadConfiguration for policies that do not fit the declared tools, and for a path without any.
    """
    if source is not None and not isinstance(source, (str, Path)):
        return source
    return load_set(source, registry).policy


def load_set(source: str | Path | None, registry: Registry) -> PolicySet:
    """Return the policies of a file, a folder or a text with all that belongs to them. Raises as `load_policy` does."""
    declared = declared_for(source, registry)
    files = policy_texts(source)
    policy = _policy(files, registry, declared)
    return PolicySet(policy, declared, {**files, **_beside(source)})


def set_of(files: Mapping[str, str], registry: Registry) -> PolicySet:
    """Return the policies that these files hold, the context file among them. Raises BadPolicies."""
    rules = {name: text for name, text in files.items() if name != CONTEXT_FILE}
    text = files.get(CONTEXT_FILE)
    declared = read_context(text, registry) if text is not None else NOTHING_DECLARED
    return PolicySet(_policy(rules, registry, declared), declared, dict(files))


def check_set(files: Mapping[str, str], registry: Registry) -> tuple[PolicySet | None, tuple[Fault, ...]]:
    """Return the policies that these files hold, or every fault of every file."""
    rules = {name: text for name, text in files.items() if name != CONTEXT_FILE}
    text = files.get(CONTEXT_FILE)
    declared, faults = look_at_context(text, registry) if text is not None else (NOTHING_DECLARED, ())
    try:
        policy = _policy(rules, registry, declared)
    except BadPolicies as bad:
        return None, (*faults, *bad.faults)
    return (None, faults) if faults else (PolicySet(policy, declared, dict(files)), ())


def _policy(rules: Mapping[str, str], registry: Registry, declared: Declared) -> CedarPolicy:
    names = [agent.name for agent in registry.agents]
    return CedarPolicy(rules, registry.tools, names, registry.models, declared)


def _beside(source: str | Path | None) -> dict[str, str]:
    if source is None or (isinstance(source, str) and _is_text(source)) or not Path(source).is_dir():
        return {}
    text = context_text(Path(source))
    return {CONTEXT_FILE: text} if text is not None else {}


def folder_texts(path: Path) -> dict[str, str]:
    """Return the texts of a folder of policies, or of one file of them, the context file among them. Raises BadConfiguration."""
    return {**policy_texts(path), **_beside(path)}


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


def policy_texts(source: str | Path | None) -> dict[str, str]:
    """Return policy texts by file name. Raises BadConfiguration."""
    if source is None:
        return {}
    if isinstance(source, str) and _is_text(source):
        return {"policy.cedar": source}
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
