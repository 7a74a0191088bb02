"""Schema: what policies can speak about, made from the declared tools; for engine and authors."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec import json

from kernos.adapters.cedar.shape import RESERVED, Attribute, Record, Scalar, SetOf, Shape, read_input
from kernos.vocabulary.circumstances import ALWAYS, Declared
from kernos.vocabulary.contract import ToolContract
from kernos.vocabulary.errors import BadConfiguration
from kernos.vocabulary.gate import MODEL_TOOL
from kernos.vocabulary.outcome import Effect

MODEL_TYPE = "Model"

_STRING = Scalar("String")
ALWAYS_ATTRIBUTES = {
    "Agent": Record((Attribute("version", _STRING, required=True),)),
    MODEL_TYPE: Record((Attribute("task", _STRING, required=True),)),
}
"""The entities that are there whatever tools are declared."""
_CONTEXT = Record(
    (
        Attribute("on_behalf_of", _STRING, required=True),
        Attribute("tenant", _STRING, required=True),
        Attribute("depth", Scalar("Long"), required=True),
        Attribute("undo", Scalar("Bool"), required=True),
        Attribute("guest", Scalar("Bool"), required=True),
    )
)
"""What the context always has."""

_OPENING = (
    Attribute("label", _STRING, required=True),
    Attribute("declared", Scalar("Bool"), required=True),
    Attribute("own", Scalar("Bool"), required=True),
)
"""What it has besides where a labelled value is to be opened."""

_TOOL_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*")

_HEAD = f"""\
// What policies can speak about; made from the declared tools.
// The resource is the call itself: its type is the tool, its attributes are the arguments.

entity Effect enum [{", ".join(f'"{effect}"' for effect in Effect)}];

entity Agent = {ALWAYS_ATTRIBUTES["Agent"].text("")};

// A model call has no effect; `in [Effect]` lets rules on effects stand before the first tool is declared.
entity {MODEL_TYPE} in [Effect] = {ALWAYS_ATTRIBUTES[MODEL_TYPE].text("")};
"""

_TAIL = """
// `invoke`: may it happen at all. `unattended`: may it happen without a person's yes.
action invoke, unattended appliesTo {{
  principal: [Agent],
  resource: [{resources}],
  context: {context},
}};

// `open`: may it have the value that a handle stands for; asked for each label in its arguments. Only a permit that names this action
// counts.
action open appliesTo {{
  principal: [Agent],
  resource: [{resources}],
  context: {opening},
}};
"""


@dataclass(frozen=True, slots=True)
class ToolType:
    """A tool as an entity type, and the form of its attributes."""

    name: str
    attributes: Record


def tool_types(tools: Sequence[ToolContract[Any, Any]]) -> dict[str, ToolType]:
    """Return the entity type of each tool by the tool's name, sorted.

    Raises BadConfiguration with every tool whose name Cedar cannot express.
    """
    wrong: list[str] = []
    types: dict[str, ToolType] = {}
    for tool in sorted(tools, key=lambda tool: tool.name):
        segments = tool.name.split(".")
        kept = sorted(RESERVED.intersection(segments))
        if not _TOOL_NAME.fullmatch(tool.name):
            wrong.append(f"{tool.name!r}: write it as words of a-z, 0-9 and _ joined by dots, such as shop.refund")
        elif tool.name == MODEL_TOOL:
            wrong.append(f"{tool.name!r}: this name stands for model calls; choose another")
        elif kept:
            wrong.append(f"{tool.name!r}: {kept[0]!r} is a reserved word of the policy language; choose another")
        elif tool.name in types:
            wrong.append(f"{tool.name!r}: two tools have this name; rename one")
        else:
            types[tool.name] = ToolType("::".join(segments), read_input(json.decode(tool.input.schema.text)))
    for name in types:
        clashes = [other for other in types if "." not in name and other.endswith(f".{name}")]
        if clashes:
            wrong.append(f"{name!r}: policies could not tell it from {clashes[0]!r}; give it a first word too")
    if wrong:
        message = "these tools cannot be named in policies:\n" + "\n".join(f"  {line}" for line in wrong)
        raise BadConfiguration(message, hint="Rename the tools where they are declared.")
    return types


def schema_text(types: dict[str, ToolType], known: Mapping[str, Shape]) -> str:
    """Write the Cedar schema; equal tools and declarations give equal text."""
    pieces = [_HEAD]
    spaces: dict[str, list[ToolType]] = {}
    for tool_type in types.values():
        spaces.setdefault(tool_type.name.rpartition("::")[0], []).append(tool_type)
    for space, members in spaces.items():
        indent = "  " if space else ""
        entities = [_entity(member, indent) for member in members]
        body = "\n".join(entities)
        pieces.append(f"\nnamespace {space} {{\n{body}}}\n" if space else f"\n{body}")
    resources = ", ".join([*(tool_type.name for tool_type in types.values()), MODEL_TYPE])
    pieces.append(
        _TAIL.format(
            resources=resources, context=context_shape(known).text("  "), opening=opening_shape(known).text("  ")
        )
    )
    return "".join(pieces)


def context_shape(known: Mapping[str, Shape]) -> Record:
    """Return the form of the context: what it always has, and what is known besides; records are there or not."""
    more = (Attribute(name, shape, not isinstance(shape, Record)) for name, shape in known.items())
    return Record((*_CONTEXT.attributes, *more))


def opening_shape(known: Mapping[str, Shape]) -> Record:
    """Return the form of the context where policies are asked whether a labelled value may be opened."""
    return Record((*context_shape(known).attributes, *_OPENING))


def known_shapes(declared: Declared, tools: Sequence[ToolContract[Any, Any]]) -> dict[str, Shape]:
    """Return the form of what policies may ask about besides the call itself. Raises BadConfiguration for records of two forms."""
    shapes: dict[str, Shape] = {name: _ALWAYS_SHAPES[kind] for name, kind in ALWAYS.items()}
    shapes.update((counter.name, Scalar("Long")) for counter in declared.counters)
    for record in declared.records:
        found = [read_input(json.decode(tool.output.schema.text)) for tool in tools if tool.name in record.tools]
        if any(shape != found[0] for shape in found):
            message = f"record.{record.name} is what {', '.join(record.tools)} answer, and their answers differ in form"
            raise BadConfiguration(message, hint="Declare a record for each of them in context.toml.")
        shapes[record.name] = found[0] if found else Record()
    return shapes


_ALWAYS_SHAPES: Mapping[str, Shape] = {
    "Long": Scalar("Long"),
    "String": Scalar("String"),
    "Bool": Scalar("Bool"),
    "Set<String>": SetOf(Scalar("String")),
}


def _entity(tool_type: ToolType, indent: str) -> str:
    last = tool_type.name.rpartition("::")[2]
    return f"{indent}entity {last} in [Effect] = {tool_type.attributes.text(indent)};\n"
