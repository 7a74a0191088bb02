"""Starter records: which reading tool says how much was paid for what a tool gives back, found by names alone."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from msgspec import json

from kernos.app.context_file import argument_of
from kernos.control.registry import Registry
from kernos.control.specimen import specimen_of
from kernos.vocabulary.contract import ToolContract
from kernos.vocabulary.outcome import Effect

_PAID = (r"paid(_\w+)?", r"captured(_\w+)?", r"charged(_\w+)?", r"total(_\w+)?")
"""What the money that came in is called, the surest name first."""
_LOOKING = re.compile(r"^(find|get|look_up|read|show|fetch)_")
_ENDING = re.compile(r"_?(id|number|no)$")


@dataclass(frozen=True, slots=True)
class PaidRecord:
    """A record that says what was paid."""

    tool: str
    key: str
    """The reading tool's argument that names the record."""
    own: str
    """The argument of the tool that gives back which names the same."""
    paid: str
    """Where in the record the money stands."""
    specimen: dict[str, Any]
    """Some record, for cases."""


def paid_record(tool: ToolContract[Any, Any], registry: Registry) -> PaidRecord | None:
    """Return the record that says what was paid for what `tool` gives back, None when no names say so."""
    found = sorted(_records(tool, registry), key=lambda one: (one[0], one[1].tool))
    return found[0][1] if found else None


def _records(tool: ToolContract[Any, Any], registry: Registry) -> Iterator[tuple[int, PaidRecord]]:
    own = {_ENDING.sub("", name): name for name in _properties(tool.input.schema.text)}
    agents = [agent for agent in registry.agents if tool in agent.tools]
    for reader in {reader.name: reader for agent in agents for reader in agent.tools}.values():
        thing = _LOOKING.sub("", reader.name.rpartition(".")[2])
        keys = [name for name in _properties(reader.input.schema.text) if _is(reader, name, "string")]
        if reader.effect is not Effect.READ or thing not in own or len(keys) != 1:
            continue
        record = json.decode(reader.output.schema.text)
        for rank, words in enumerate(_PAID):
            for name, part in record.get("properties", {}).items():
                if re.fullmatch(words, name) and part.get("type") == "integer" and name in record.get("required", ()):
                    specimen = json.decode(specimen_of(reader.output.schema).text)
                    yield rank, PaidRecord(reader.name, keys[0], own[thing], name, specimen)


def _properties(schema: bytes) -> list[str]:
    return list(json.decode(schema).get("properties", {}))


def _is(tool: ToolContract[Any, Any], name: str, kind: str) -> bool:
    return (argument_of(tool, name) or {}).get("type") == kind
