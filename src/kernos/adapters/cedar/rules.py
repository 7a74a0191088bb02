"""Rules: policy texts read into single rules, checked against the schema; every fault is told at once."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cedarpy
from msgspec import json

from kernos.adapters.cedar.schema import MODEL_TYPE, ToolType
from kernos.vocabulary.errors import BadConfiguration


@dataclass(frozen=True, slots=True)
class Rule:
    """One policy: its id (the @id annotation, else policyN by its place in the whole set), and its form."""

    id: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Names:
    """What policies may name: the entity types of the tools, the agents and the models."""

    tools: Mapping[str, ToolType]
    agents: Sequence[str]
    models: Sequence[str]


_TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|//[^\n]*|;', re.DOTALL)
_FOR_POLICY = re.compile(r"^for policy `[^`]*`[,:]\s*")
_ENTITY_TYPE = re.compile(r"on entity type `([^`]+)`")
_NO_CALL = "unable to find an applicable action"


def read_rules(files: Mapping[str, str], schema: cedarpy.Schema, names: Names) -> tuple[Rule, ...]:
    """Read the rules of all files, in the order of file names. Raises BadConfiguration with every fault."""
    rules: list[Rule] = []
    faults: list[str] = []
    homes: dict[str, str] = {}
    statements = [(file, *found) for file in sorted(files) for found in _statements(files[file])]
    for place, (file, line, statement) in enumerate(statements):
        at = f"{file}, line {line}"
        try:
            parsed = json.decode(cedarpy.policies_to_json_str(statement))
        except ValueError as broken:
            faults.append(f"{at}: {broken}; correct the policy that begins there")
            continue
        (body,) = (parsed["staticPolicies"] or parsed["templates"]).values()
        rule = Rule(body.get("annotations", {}).get("id") or f"policy{place}", body)
        found = list(_faults(rule, statement, schema, names, template=bool(parsed["templates"])))
        if rule.id in homes:
            found.append(f"another policy has this id ({homes[rule.id]}); give each its own @id")
        homes.setdefault(rule.id, at)
        faults.extend(f"{at}, policy {rule.id}: {fault}" for fault in found)
        rules.append(rule)
    if faults:
        count = f"{len(faults)} fault" + ("s" if len(faults) > 1 else "")
        message = f"the policies cannot be used ({count}):\n" + "\n".join(f"  {fault}" for fault in faults)
        raise BadConfiguration(message, hint="Correct them and start again; nothing was started.")
    return tuple(rules)


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Cut after each semicolon outside strings and comments; yield each piece with its first line."""
    start = 0
    ends = [token.end() for token in _TOKEN.finditer(text) if token.group() == ";"]
    for end in [*ends, len(text)]:
        piece = text[start:end]
        code = re.search(r"\S", _without_comments(piece))
        if code:
            yield text.count("\n", 0, start + code.start()) + 1, piece
        start = end


def _without_comments(text: str) -> str:
    """Blank the comments out; every other character keeps its place."""
    return _TOKEN.sub(lambda token: re.sub(".", " ", token[0]) if token[0].startswith("//") else token[0], text)


def _faults(rule: Rule, statement: str, schema: cedarpy.Schema, names: Names, *, template: bool) -> Iterator[str]:
    if template:
        yield "it has a slot, and slots are never filled here; write the principal or resource out"
        return
    result = cedarpy.validate_policies(statement, schema)
    errors = [_FOR_POLICY.sub("", error.error) for error in result.errors]
    telling = [error for error in errors if not error.startswith(_NO_CALL)]
    for error in telling or errors:  # That no call fits is only news where nothing else explains it.
        yield f"{error}; {_advice(error, names)}"
    for kind, name in _literals(rule.body):
        if kind == "Agent" and name not in names.agents:
            yield f"no agent is named {name!r}; there are: {_listed(names.agents)}"
        elif kind == MODEL_TYPE and name not in names.models:
            yield f"no model is named {name!r}; there are: {_listed(names.models)}"
        elif any(kind == tool.name for tool in names.tools.values()):
            yield f'a call has no id, so {kind}::"{name}" never is one; write `resource is {kind}`'


def _literals(node: object) -> Iterator[tuple[str, str]]:
    """Yield every entity that the parsed policy names, as type and id."""
    if isinstance(node, dict):
        kind, name = node.get("type"), node.get("id")
        if len(node) == 2 and isinstance(kind, str) and isinstance(name, str):  # noqa: PLR2004 - these two keys
            yield kind, name
        for part in node.values():
            yield from _literals(part)
    elif isinstance(node, list):
        for part in node:
            yield from _literals(part)


def _advice(error: str, names: Names) -> str:
    tools = {tool.name: tool for tool in names.tools.values()}
    if "unrecognized entity type" in error:
        return f"the tools are: {_listed(list(tools))}; besides them there are Agent, Effect and Model"
    if "unrecognized action" in error:
        return 'the actions are Action::"invoke" and Action::"unattended"'
    if "optional attribute" in error:
        return "ask first whether it is there, with `has` and `&&`"
    if error.startswith(_NO_CALL):
        return "principals are agents, and resources are tools or models"
    kind = _ENTITY_TYPE.search(error)
    if "not found" in error and kind and kind.group(1) in tools:
        record = tools[kind.group(1)].attributes
        out = f" (Cedar cannot express: {'; '.join(record.left_out)})" if record.left_out else ""
        has = _listed([attribute.name for attribute in record.attributes])
        return f"its attributes are: {has}{out}; name the tool with `resource is`"
    return "correct the policy"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(sorted(names)) or "none"
