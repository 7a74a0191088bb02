"""Examining: everything that kernos needs around it, each with a verdict and what to do about it."""

import os
import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import apsw

from kernos.adapters.secrets.secret import Secret
from kernos.adapters.sqlite.lock import WorkerLock
from kernos.app.cli.checking import check_journal
from kernos.app.cli.opening import find_agents, make_models
from kernos.app.cli.showing import print_json, progress
from kernos.app.policies import load_policy
from kernos.app.settings import OpenAISettings, Settings
from kernos.control.registry import Registry
from kernos.vocabulary.errors import KernosError

_KEY_MODE = 0o600


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: `ok`, `note` (worth knowing) or `bad`."""

    verdict: str
    name: str
    text: str
    hint: str = ""


def examine(settings: Settings, *, as_json: bool) -> int:
    """Print all checks; return 1 when one of them is bad."""
    checks = [*_programs(), *_store(settings), *_code(settings), *_keys(settings)]
    if as_json:
        print_json(checks)
    else:
        for check in checks:
            print(f"{check.verdict:<4}  {check.name:<9} {check.text}")
            if check.hint:
                print(f"{'':16}next: {check.hint}")
    return 1 if any(check.verdict == "bad" for check in checks) else 0


def _programs() -> Iterator[Check]:
    yield Check("ok", "kernos", version("kernos"))
    yield Check("ok", "python", f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    yield Check("ok", "sqlite", f"{apsw.sqlite_lib_version()} (apsw {apsw.apsw_version()})")


def _store(settings: Settings) -> Iterator[Check]:
    store = settings.store
    yield Check("ok", "settings", str(settings.file or "no kernos.toml here or above; defaults hold"))
    folder = store.parent
    if not os.access(folder, os.W_OK):
        yield Check("bad", "store", f"{folder} is not there, or this user may not write there", f"mkdir -p {folder}")
        return
    if not store.exists():
        yield Check("note", "store", f"{store} is not there yet; the first run makes it")
        return
    yield _tried("store", lambda: _verified(store))
    key = store.with_name(f"{store.name}.key")
    if key.exists():
        mode = key.stat().st_mode & 0o777
        if mode == _KEY_MODE:
            yield Check("ok", "key", f"{key.name}, mode 0600")
        else:
            yield Check(
                "bad", "key", f"{key.name} has mode {mode:04o}: others may read the signing key", f"chmod 600 {key}"
            )
    holder = WorkerLock.holder(store)
    text = f"process {holder} runs agents over the store" if holder is not None else "no process runs agents now"
    yield Check("ok", "worker", text)


def _verified(store: Path) -> str:
    with progress("entries") as advance:
        verification = check_journal(store, advance)
    if verification.findings:
        first = verification.findings[0]
        message = f"{first.kind}: {first.message}"
        raise _Faulty(message)
    return f"{store}, {verification.entries} entries, each under a signed tree head"


class _Faulty(KernosError):
    """A check found something.

    kernos verify
    """

    code = "faulty"


def _code(settings: Settings) -> Iterator[Check]:
    if not settings.agents:
        yield Check(
            "note", "agents", "none are named", "name modules in `agents` of kernos.toml, or begin with `kernos init`"
        )
        return
    agents = _tried("agents", lambda: ", ".join(agent.name for agent in find_agents(settings)))
    yield agents
    models = _tried("models", lambda: ", ".join(make_models(settings)) or "none")
    yield models
    if "bad" not in (agents.verdict, models.verdict):
        yield _tried("policies", lambda: _policies(settings))


def _policies(settings: Settings) -> str:
    policy = load_policy(settings.policies, Registry(find_agents(settings), make_models(settings)))
    return f"{settings.policies or 'none, so that every action asks a person'}; policy set {policy.digest()[:16]}"


def _keys(settings: Settings) -> Iterator[Check]:
    for name, model in settings.models.items():
        if isinstance(model, OpenAISettings) and model.api_key:
            yield from _secret(f"model {name}", model.api_key)
    try:
        tools = Registry(find_agents(settings), {}).tools
    except KernosError:
        return  # Said already, by the check of agents.
    for tool in tools:
        for reference in sorted(tool.secrets):
            yield from _secret(f"tool {tool.name}", reference)


def _secret(whose: str, reference: str) -> Iterator[Check]:
    trouble = Secret(reference).trouble()
    if trouble:
        what, _, hint = trouble.partition("; ")
        yield Check("bad", "secrets", f"{whose}: {what}", hint)


def _tried(name: str, work: Callable[[], str]) -> Check:
    try:
        return Check("ok", name, work())
    except KernosError as error:
        return Check("bad", name, f"[{error.code}] {error}", error.hint)
