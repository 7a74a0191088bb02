"""Exporting: a recorded run as a pytest file that needs no store and no network."""

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kernos.adapters.system.clock import SystemChance
from kernos.app.cli.opening import find_registry, recorded_agent
from kernos.app.cli.replaying import shown_apart
from kernos.app.records import Records
from kernos.app.redaction import Redaction
from kernos.app.settings import Settings
from kernos.app.stores import open_vault
from kernos.app.story import SHORT, when
from kernos.authoring.codec import codec_of
from kernos.control.codec import decode_entry, encode_event
from kernos.control.record import record_of
from kernos.control.reenact import reenact
from kernos.control.registry import Registry
from kernos.execution.worker import InProcessWorker
from kernos.vocabulary.contract import AgentContract
from kernos.vocabulary.errors import BadConfiguration, InvalidInput
from kernos.vocabulary.ids import RunId
from kernos.vocabulary.journal import Entry

_SALT_BITS = 256


def export_run(settings: Settings, name: str, out: str, redact: Sequence[str]) -> Path:
    """Write the test of a run and return its path. Raises InvalidInput when the test would not pass."""
    return asyncio.run(_export(settings, name, Path(out) if out else None, redact))


async def _export(settings: Settings, name: str, out: Path | None, redact: Sequence[str]) -> Path:
    registry = find_registry(settings)
    with Records(settings.store, settings.token) as records:
        run = records.find(name)
        texts = [entry.body.decode() for entry in records.journal.entries(run)]
    path = out or Path(f"test_run_{run[:SHORT]}.py")
    if path.exists():
        message = f"{path} is there already"
        raise InvalidInput(message, hint="Name another file with -o, or remove that one.")
    text = await text_of_test(run, texts, registry, settings, path, redact)
    path.write_text(text, encoding="utf-8")
    return path


async def text_of_test(
    run: RunId, texts: Sequence[str], registry: Registry, settings: Settings, path: Path, redact: Sequence[str]
) -> str:
    """Return the test of a run, checked: it passes with the code on disk. Raises InvalidInput when it would not."""
    events = [decode_entry(Entry(run, n, text.encode())) for n, text in enumerate(texts)]
    if redact:
        salt = SystemChance().bits(_SALT_BITS).to_bytes(_SALT_BITS // 8, "big")
        events = Redaction(redact, salt).apply(events)
        texts = [encode_event(event).decode() for event in events]
    record = record_of(events)
    agent = recorded_agent(registry, record.state.request().agent)
    worker = InProcessWorker({}, codec_of, vault=open_vault(settings.store))
    first = replay = await reenact(record, agent, worker)
    if replay.difference is None and record.state.resume_from is not None:
        replay = await reenact(record, agent, worker, from_checkpoint=True)
    if replay.difference is not None:
        before, now = shown_apart(replay.difference.recorded, replay.difference.now)
        place = f"step {replay.difference.step}" if replay.difference.step else "the end"
        what = f"with {', '.join(redact)} replaced, the code goes another way" if redact else "the code on disk differs"
        message = f"a test of run {run} would fail: {what} at {place}\n  recorded: {before}\n  now:      {now}"
        raise InvalidInput(
            message,
            hint="See all of it with `kernos replay RUN`; replace fewer fields, or export with the code that ran.",
        )
    module, attribute = _place_of(agent, settings)
    return _TEST.format(
        run=run,
        short=run[:SHORT],
        agent=agent.name,
        version=record.state.request().agent_version,
        at=when(events[0].at),
        redacted=f"Replaced by stand-ins: {', '.join(redact)}.\n" if redact else "",
        path=_path_lines(settings.folder, path),
        module=module,
        attribute=attribute,
        function=agent.name.replace(".", "_"),
        trace=first.trace,
        events="\n".join(f"    {text!r}," for text in texts),
    )


def _place_of(agent: AgentContract[Any, Any], settings: Settings) -> tuple[str, str]:
    """Return module and name under which an agent can be imported. Raises BadConfiguration."""
    declared = getattr(agent.function, "__module__", "")
    for name in (declared, *(path.partition(":")[0] for path in settings.agents)):
        for attribute, value in vars(sys.modules.get(name, object)).items():
            if value is agent:
                return name, attribute
    message = f"agent {agent.name} stands under no name at the top of a module, so a test cannot import it"
    raise BadConfiguration(message, hint="Give it a name at the top level of a module that `agents` names.")


def _path_lines(folder: Path, path: Path) -> str:
    """Return what makes the agents' folder importable, where the test lies in or below it."""
    home = path.resolve().parent
    if not home.is_relative_to(folder.resolve()):
        return ""
    way = os.path.relpath(folder.resolve(), home)
    insert = f'sys.path.insert(0, str((Path(__file__).parent / "{way}").resolve()))'
    return f"import sys\nfrom pathlib import Path\n\n{insert}\n\n"


_TEST = '''\
"""Run {run} of agent {agent} version {version}, recorded at {at}: its code must still do what it did, byte for byte.

Made by `kernos export {short} --as-test`; it needs no store and no network. When a change is meant, export a newer run.
{redacted}"""
# ruff: noqa
{path}from {module} import {attribute}
from kernos.testing import check_replay

RUN = "{run}"
TRACE = "{trace}"
EVENTS = [
{events}
]


def test_run_{short}_of_{function}_does_what_it_did() -> None:
    assert check_replay({attribute}, RUN, EVENTS) == TRACE
'''
