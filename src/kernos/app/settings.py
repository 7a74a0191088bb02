"""Settings: what the command line works with, from options, environment and kernos.toml, checked once into one frozen value.

An option goes before the environment, the environment before the file, the file before the defaults. Names in the file are relative to
its folder, all others to where the command was given.
"""

import shlex
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from kernos.vocabulary.errors import BadConfiguration
from kernos.vocabulary.secret import HINT, parts_of

FILE_NAME = "kernos.toml"
_STORE = "store.kernos"
_PERSON = "person:local"
_DEFAULT = "default"


class RulesSettings(
    msgspec.Struct, tag="rules", tag_field="kind", frozen=True, forbid_unknown_fields=True, kw_only=True
):
    """A model made of plain functions: `rules` names a mapping from task to function, as `agents.hello:RULES`."""

    rules: str


class OpenAISettings(
    msgspec.Struct, tag="openai", tag_field="kind", frozen=True, forbid_unknown_fields=True, kw_only=True
):
    """A model behind an OpenAI-compatible endpoint; the fields are those of `OpenAIModel`. The key itself never stands here."""

    base_url: str
    model: str
    api_key: str = ""
    """A reference to the key: `env:NAME`, `file:PATH` or `keyring:SERVICE/NAME`."""
    prompt_price_microusd: int | None = None
    completion_price_microusd: int | None = None
    options: dict[str, Any] = msgspec.field(default_factory=dict)
    token_limit_name: str = "max_tokens"  # noqa: S105 - no secret: these tokens are words
    timeout_ms: int = 280_000
    reach: tuple[str, ...] = ()


ModelSettings = RulesSettings | OpenAISettings


class _Kernos(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    store: str = ""
    agents: tuple[str, ...] = ()
    policies: str = ""
    by: str = ""


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    kernos: _Kernos = msgspec.field(default_factory=_Kernos)
    models: dict[str, ModelSettings] = msgspec.field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Options:
    """What was given with the command itself; empty where nothing was."""

    config: str = ""
    store: str = ""
    agents: Sequence[str] = ()
    policies: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the command line works with. All paths are absolute."""

    folder: Path
    """Where agents' modules are looked for: the file's folder, or where the command was given."""
    file: Path | None
    store: Path
    agents: tuple[str, ...]
    """Import paths, `agents.hello` for all agents of a module or `agents.hello:hello` for one."""
    policies: Path | None
    by: str
    """The principal that commands are given by; empty for whomever the credential belongs to."""
    models: Mapping[str, ModelSettings]
    token: str = field(default="", repr=False)
    """The credential that commands are given with; it stands in the environment alone."""
    sources: Mapping[str, str] = field(default_factory=dict)
    """Where each setting comes from, for people."""
    repeated: str = ""
    """The options, with a space before them, that the next command needs to mean the same store: ` --store desk.kernos`."""


def load_settings(options: Options, environ: Mapping[str, str], here: Path) -> Settings:
    """Return the settings that hold for a command given in the folder `here`.

    The file is the one that is named, or the first kernos.toml in `here` and the folders above it. Raises BadConfiguration.
    """
    here = here.resolve()
    file = _file(options.config or environ.get("KERNOS_CONFIG", ""), here)
    read = _read(file) if file is not None else _File()
    folder = file.parent if file is not None else here
    sources: dict[str, str] = {}
    repeated = [("--store", options.store), ("--config", options.config)]

    def chosen(name: str, option: str, written: str, default: str = "") -> tuple[str, Path]:
        """Return a setting and the folder that it is relative to."""
        variable = f"KERNOS_{name.upper()}"
        for value, base, source in (
            (option, here, f"--{name}"),
            (environ.get(variable, ""), here, variable),
            (written, folder, FILE_NAME),
            (default, folder, _DEFAULT),
        ):
            if value:
                sources[name] = source
                return value, base
        sources[name] = _DEFAULT
        return "", folder

    store, store_base = chosen("store", options.store, read.kernos.store, _STORE)
    policies, policies_base = chosen("policies", options.policies, read.kernos.policies)
    agents, _ = chosen("agents", ",".join(options.agents), ",".join(read.kernos.agents))
    token = _token(environ, here)
    by, _ = chosen("by", options.by, read.kernos.by, "" if token else _PERSON)
    return Settings(
        folder=folder,
        file=file,
        store=_placed(store_base, store),
        agents=tuple(name.strip() for name in agents.split(",") if name.strip()),
        policies=_placed(policies_base, policies) if policies else None,
        by=principal(by) if by else "",
        models=read.models,
        token=token,
        sources=sources,
        repeated="".join(f" {name} {shlex.quote(value)}" for name, value in repeated if value),
    )


def _token(environ: Mapping[str, str], here: Path) -> str:
    """Return the credential from KERNOS_TOKEN, or from the file that KERNOS_TOKEN_FILE names. Raises BadConfiguration."""
    named = environ.get("KERNOS_TOKEN_FILE", "")
    if environ.get("KERNOS_TOKEN") or not named:
        return environ.get("KERNOS_TOKEN", "").strip()
    try:
        return _placed(here, named).read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        message = f"the credential in {named} (KERNOS_TOKEN_FILE) could not be read: {error}"
        raise BadConfiguration(message, hint="Name a text file with the credential in it, and nothing else.") from error


def principal(name: str) -> str:
    """Return `person:ana` for `ana`; a name with a kind stays as it is. Raises BadConfiguration."""
    kind, colon, rest = name.partition(":")
    full = name if colon else f"person:{name}"
    if not (rest if colon else kind).strip() or not kind.strip() or any(letter.isspace() for letter in full):
        message = f"{name!r} names nobody who could act"
        raise BadConfiguration(message, hint="Write it as a name or as KIND:NAME, for example --by person:ana.")
    return full


def _placed(base: Path, named: str) -> Path:
    """Return the path that a setting names. Raises BadConfiguration for what can be no file or folder."""
    try:
        path = base / Path(named).expanduser()
        path.exists()
        if "\0" not in named and path.name:
            return path
        why = "it has no name" if not path.name else "it has a NUL in it"
    except OSError as error:
        why = str(error.strerror or error)
    except RuntimeError:
        why = "there is no such user"
    shown = named if len(named) <= _SHOWN_MAX else f"{named[:_SHOWN_MAX]}..."
    message = f"{shown!r} names no file: {why}"
    raise BadConfiguration(message, hint="Name a file, relative to this folder or from / on.")


def _file(named: str, here: Path) -> Path | None:
    if named:
        path = _placed(here, named)
        if not path.is_file():
            message = f"there is no settings file {path}"
            raise BadConfiguration(message, hint="Name an existing file with --config, or make one with `kernos init`.")
        return path.resolve()
    for folder in (here, *here.parents):
        if (folder / FILE_NAME).is_file():
            return folder / FILE_NAME
    return None


def _read(file: Path) -> _File:
    try:
        found = msgspec.convert(tomllib.loads(file.read_text(encoding="utf-8")), _File)
        _check_secrets(found.models)
    except msgspec.ValidationError as error:
        message = f"{file} is wrong: {error}"
        hint = 'Write api_key = "env:NAME" in its place.' if "`api_key_env`" in message else _SHAPE
        raise BadConfiguration(message, hint=hint) from error
    except (ValueError, RecursionError) as error:  # No TOML, no UTF-8, a number of thousands of digits.
        message = f"{file} is not TOML: {error}"
        raise BadConfiguration(message, hint="Mend the file at that place.") from error
    except OSError as error:
        message = f"{file} could not be read: {error.strerror or error}"
        raise BadConfiguration(message, hint="Check that this user may read it.") from error
    return found


def _check_secrets(models: Mapping[str, ModelSettings]) -> None:
    """Refuse what is no reference to a secret before anything can show it: it may be the secret itself."""
    for name, model in models.items():
        if isinstance(model, OpenAISettings) and model.api_key:
            try:
                parts_of(model.api_key)
            except ValueError as error:
                message = f"model {name}, api_key: {error}"
                raise BadConfiguration(message, hint=HINT) from None


_SHOWN_MAX = 80  # Characters of a path that is none.

_SHAPE = (
    '[kernos] takes store, agents, policies and by; each [models.NAME] takes kind = "rules" with rules, '
    'or kind = "openai" with base_url and model.'
)
