"""Rules: policy texts read into single rules, checked against the schema; every fault is told at once."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from kernos.adapters.cedar.approvers import requirement_of
from kernos.adapters.cedar.engine import Engine
from kernos.adapters.cedar.pure.text import read
from kernos.adapters.cedar.pure.tokens import Unreadable
from kernos.adapters.cedar.schema import MODEL_TYPE, ToolType
from kernos.adapters.cedar.statements import Statement, statements_of
from kernos.vocabulary.gate import Requirement
from kernos.vocabulary.policies import BadPolicies, Fault, Place, RuleText


@dataclass(frozen=True, slots=True)
class Rule:
    """One policy: its id (the @id annotation, else policyN by its place in the whole set), and its form."""

    id: str
    body: Mapping[str, Any]
    text: RuleText
    requires: Requirement | None = None
    """Whose yes it wants where it makes a person be asked."""


@dataclass(frozen=True, slots=True)
class Names:
    """What policies may name: the entity types of the tools, the agents and the models."""

    tools: Mapping[str, ToolType]
    agents: Sequence[str]
    models: Sequence[str]


_FOR_POLICY = re.compile(r"^for policy `[^`]*`[,:]\s*")
_FOR_ACTION = re.compile(r' for Action::"(?:invoke|unattended|open)"(?= not found)')
_QUOTED = re.compile(r"`([^`]+)`")
_ENTITY_TYPE = re.compile(r"on entity type `([^`]+)`")
_NO_CALL = "unable to find an applicable action"


def read_rules(files: Mapping[str, str], engine: Engine, names: Names) -> tuple[Rule, ...]:
    """Read the rules of all files, in the order of file names. Raises BadPolicies with every fault."""
    rules: list[Rule] = []
    faults: list[Fault] = []
    told: list[str] = []
    homes: dict[str, str] = {}
    statements = [statement for file in sorted(files) for statement in statements_of(file, files[file])]
    for number, statement in enumerate(statements):
        at = f"{statement.file}, line {statement.place.line}"
        try:
            body, template = engine.read(statement.text)
        except ValueError as broken:
            faults.append(Fault(_wrong_place(statement, broken, engine), "", f"{broken}; correct the rule around it"))
            told.append(f"{at}: {broken}; correct the policy that begins there")
            continue
        name = body.get("annotations", {}).get("id") or f"policy{number}"
        rule = Rule(name, body, RuleText(name, statement.place, statement.text))
        found = list(_faults(rule, statement, engine, names, template=template))
        try:
            rule = replace(rule, requires=requirement_of(name, body.get("annotations", {})))
        except ValueError as wrong:
            found.append(Fault(statement.find("@approvers"), f"rule {name}", str(wrong)))
        if name in homes:
            message = f"another policy has this id ({homes[name]}); give each its own @id"
            found.append(Fault(statement.place, f"rule {name}", message))
        homes.setdefault(name, at)
        faults.extend(found)
        told.extend(f"{at}, policy {name}: {fault.message}" for fault in found)
        rules.append(rule)
    if faults:
        count = f"{len(faults)} fault" + ("s" if len(faults) > 1 else "")
        message = f"the policies cannot be used ({count}):\n" + "\n".join(f"  {line}" for line in told)
        raise BadPolicies(message, faults, hint="Correct them and start again; nothing was started.")
    return tuple(rules)


def read_texts(files: Mapping[str, str]) -> dict[str, RuleText]:
    """Return the rules of files by id, unchecked: for sets of which the agents and tools may be gone."""
    found: dict[str, RuleText] = {}
    statements = [statement for file in sorted(files) for statement in statements_of(file, files[file])]
    for number, statement in enumerate(statements):
        try:
            ((body, _),) = read(statement.text)
        except Unreadable:
            continue
        name = body.get("annotations", {}).get("id") or f"policy{number}"
        found[name] = RuleText(name, statement.place, statement.text)
    return found


def _wrong_place(statement: Statement, broken: ValueError, engine: Engine) -> Place:
    """Return where the grammar breaks: as the engine says, or found by trying shorter texts."""
    if isinstance(broken, Unreadable):
        return statement.at(broken.offset)

    def fault(text: str) -> str:
        said = ""
        try:
            engine.read(text)
        except ValueError as wrong:
            said = str(wrong)
        return said

    return statement.first_wrong(fault)


def _faults(rule: Rule, statement: Statement, engine: Engine, names: Names, *, template: bool) -> Iterator[Fault]:
    if template:
        message = "it has a slot, and slots are never filled here; write the principal or resource out"
        yield Fault(statement.find("?"), f"rule {rule.id}", message)
        return
    wrong = engine.faults(statement.text, rule.body)
    errors = list(dict.fromkeys(_FOR_ACTION.sub("", _FOR_POLICY.sub("", error)) for error in wrong))
    telling = [error for error in errors if not error.startswith(_NO_CALL)]
    for error in telling or errors:  # That no call fits is only news where nothing else explains it.
        quoted = _QUOTED.search(error)
        yield Fault(statement.find(quoted[1] if quoted else ""), f"rule {rule.id}", f"{error}; {_advice(error, names)}")
    for kind, name in _literals(rule.body):
        place = statement.find(f'"{name}"')
        if kind == "Agent" and name not in names.agents:
            yield Fault(place, f"rule {rule.id}", f"no agent is named {name!r}; there are: {_listed(names.agents)}")
        elif kind == MODEL_TYPE and name not in names.models:
            yield Fault(place, f"rule {rule.id}", f"no model is named {name!r}; there are: {_listed(names.models)}")
        elif any(kind == tool.name for tool in names.tools.values()):
            message = f'a call has no id, so {kind}::"{name}" never is one; write `resource is {kind}`'
            yield Fault(place, f"rule {rule.id}", message)


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
        return 'the actions are Action::"invoke", Action::"unattended" and Action::"open"'
    if "optional attribute" in error:
        return "ask first whether it is there, with `has` and `&&`"
    if "in context not found" in error:
        return "declare it in context.toml, or see in docs/policy.md what is there without"
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
