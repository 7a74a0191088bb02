"""Starter policies: a starter set fitted to the tools that a user has, by the words in their names or as the user says."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec import json

from kernos.app.context_file import FILE_NAME as CONTEXT_FILE
from kernos.app.context_file import argument_of
from kernos.app.policy_cases import CASES_FILE
from kernos.app.starter_records import PaidRecord, paid_record
from kernos.app.starter_rules import MODELS, READS, REST, STARTERS, Argument, Part, Piece, SampleCase
from kernos.control.registry import Registry
from kernos.control.specimen import specimen_of
from kernos.vocabulary.contract import ToolContract
from kernos.vocabulary.errors import BadConfiguration, ContractBroken, InvalidInput
from kernos.vocabulary.outcome import Effect
from kernos.vocabulary.quantities import Json

_Tool = ToolContract[Any, Any]


@dataclass(frozen=True, slots=True)
class Fitted:
    """A part with the tool that it is about."""

    part: Part
    tool: _Tool
    agent: str
    arguments: Mapping[str, str]
    """Names of the tool's arguments by those of the part's; paths of nested ones are not looked for."""
    pieces: tuple[Piece, ...]
    record: PaidRecord | None


@dataclass(slots=True)
class Starter:
    """A set fitted to the tools there are."""

    files: dict[str, str] = field(default_factory=dict)
    fitted: list[Fitted] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    """What is not in it, and why, in words."""


def starter_of(kind: str, registry: Registry, tools: Mapping[str, str], arguments: Mapping[str, str]) -> Starter:
    """Return the starter set of a kind. `tools`: names by part; `arguments`: names by `PART.ARGUMENT`, both said by the user.

    Raises InvalidInput for names that stand for nothing and where several tools would fit, BadConfiguration when none does.
    """
    parts = STARTERS.get(kind)
    if parts is None:
        message = f"there is no starter set {kind!r}"
        raise InvalidInput(message, hint=f"There are: {', '.join(STARTERS)}.")
    _check_said(parts, tools, arguments)
    starter = Starter()
    taken: set[str] = set(tools.values())
    for part in parts:
        tool = _tool_for(part, registry, tools, taken)
        if tool is None:
            starter.left_out.append(f"{part.name}: no tool's name says so; name one with --tool {part.name}=NAME")
            continue
        taken.add(tool.name)
        starter.fitted.append(_fit(part, tool, registry, arguments, starter))
    if not starter.fitted:
        names = ", ".join(tool.name for tool in registry.tools) or "none"
        message = f"no tool here does what the starter set {kind} is about (tools: {names})"
        hint = f"Say which does: --tool {parts[0].name}=NAME; the parts are {', '.join(part.name for part in parts)}."
        raise BadConfiguration(message, hint=hint)
    starter.files = {
        f"{kind}.cedar": _rules(starter, registry),
        CONTEXT_FILE: _context(starter),
        CASES_FILE: _cases(starter, registry),
    }
    return starter


def _check_said(parts: Sequence[Part], tools: Mapping[str, str], arguments: Mapping[str, str]) -> None:
    there = {part.name: [argument.name for argument in part.arguments] for part in parts}
    for name in tools:
        if name not in there:
            raise InvalidInput(f"the starter set has no part {name!r}", hint=f"It has: {', '.join(there)}.")
    for place in arguments:
        part, _, argument = place.partition(".")
        if argument not in there.get(part, []):
            known = ", ".join(f"{part}.{argument}" for part, names in there.items() for argument in names)
            raise InvalidInput(f"the starter set knows no argument {place!r}", hint=f"It knows: {known}.")


def _tool_for(part: Part, registry: Registry, said: Mapping[str, str], taken: set[str]) -> _Tool | None:
    """Return the tool that a part is about, None when nothing looks like it."""
    mine = {tool.name: tool for agent in registry.agents for tool in agent.tools if tool.effect is not Effect.READ}
    named = said.get(part.name)
    if named is not None:
        if named not in mine:
            message = f"no agent declares an acting tool {named!r}"
            raise InvalidInput(message, hint=f"There are: {', '.join(sorted(mine)) or 'none'}.")
        return mine[named]
    fitting = [name for name in sorted(mine) if name not in taken and re.search(_word(part.words), name)]
    exact = [name for name in fitting if re.fullmatch(part.words, name.rpartition(".")[2])]
    found = exact if len(exact) == 1 else fitting
    if len(found) > 1:
        message = f"several tools could be what the part {part.name} is about: {', '.join(found)}"
        raise InvalidInput(message, hint=f"Say which: --tool {part.name}={found[0]}")
    return mine[found[0]] if found else None


def _word(words: str) -> str:
    return rf"(?:^|[._])(?:{words})(?:$|[._])"


def _fit(part: Part, tool: _Tool, registry: Registry, said: Mapping[str, str], starter: Starter) -> Fitted:
    agent = next(agent.name for agent in registry.agents if tool in agent.tools)
    arguments: dict[str, str] = {}
    for argument in part.arguments:
        name = _argument_for(part, argument, tool, said)
        if name:
            arguments[argument.name] = name
    record = paid_record(tool, registry) if any("paid" in piece.needs for piece in part.pieces) else None
    there = {*arguments, *(("paid",) if record is not None else ())}
    pieces = [piece for piece in part.pieces if there.issuperset(piece.needs)]
    for argument in part.arguments:
        if argument.name not in arguments:
            kind = "whole number" if argument.kind == "integer" else "text"
            place = f"{part.name}.{argument.name}"
            starter.left_out.append(
                f"rules about {place}: {tool.name} has no {kind} of such a name; name one with --argument {place}=NAME"
            )
    return Fitted(part, tool, agent, arguments, tuple(pieces), record)


def _argument_for(part: Part, argument: Argument, tool: _Tool, said: Mapping[str, str]) -> str:
    there = json.decode(tool.input.schema.text).get("properties", {})
    typed = [name for name in there if (argument_of(tool, name) or {}).get("type") == argument.kind]
    named = said.get(f"{part.name}.{argument.name}")
    if named is not None:
        if named not in typed:
            message = f"{tool.name} has no argument {named!r} of type {argument.kind}"
            raise InvalidInput(message, hint=f"It has: {', '.join(typed) or 'none'}.")
        return named
    return next((name for name in typed if re.fullmatch(argument.words, name.lower())), "")


# --- the files -----------------------------------------------------------------------------------------------------


def _rules(starter: Starter, registry: Registry) -> str:
    reads = any(tool.effect is Effect.READ for tool in registry.tools)
    pieces = ["// A starter set: change the figures, then try them with `kernos policy test`.\n"]
    pieces += [text for text, wanted in ((READS, reads), (MODELS, bool(registry.models)), (REST, True)) if wanted]
    for one in starter.fitted:
        rules = [_filled(piece.rules, one) for piece in one.pieces if piece.rules]
        pieces.append("\n".join((f"// {one.part.title}\n", *rules)))
    return "\n".join(pieces)


def _context(starter: Starter) -> str:
    declared = [_filled(piece.context, one) for one in starter.fitted for piece in one.pieces if piece.context]
    head = 'zone = "UTC"  # where the shop is, such as Europe/Berlin: for context.hour and context.weekday\n'
    return "\n".join((head, *declared))


def _filled(text: str, one: Fitted) -> str:
    text = text.replace("$tool", one.tool.name).replace("$type", one.tool.name.replace(".", "::"))
    text = text.replace("$part", one.part.name)
    if one.record is not None:
        text = text.replace("$reader", one.record.tool).replace("$paid", one.record.paid)
        text = text.replace("$key", one.record.key).replace("$own", one.record.own)
    for name, argument in one.arguments.items():
        text = text.replace(f"${name}", argument)
    return text


def _cases(starter: Starter, registry: Registry) -> str:
    usual = dict(entry for one in starter.fitted for piece in one.pieces for entry in piece.usual)
    blocks = [f"[usual]\ncontext = {_toml(usual)}\n" if usual else ""]
    blocks += _of_all(registry)
    for one in starter.fitted:
        arguments = _sample(one)
        if arguments is None:
            starter.left_out.append(
                f"cases about {one.tool.name}: no sample of its arguments could be made; write some"
            )
            continue
        blocks += [_case(one, case, arguments) for piece in one.pieces for case in piece.cases]
    return "\n".join(block for block in blocks if block)


def _case(one: Fitted, case: SampleCase, arguments: Mapping[str, Any]) -> str:
    changed = {one.arguments[name]: value for name, value in case.arguments if name in one.arguments}
    context: dict[str, Any] = dict(case.context)
    if case.paid is not None and one.record is not None:
        context["sale"] = {**one.record.specimen, one.record.paid: case.paid}
    lines = [
        "[[case]]",
        f"name = {_toml(case.name)}",
        f"agent = {_toml(one.agent)}",
        f"tool = {_toml(one.tool.name)}",
        f"arguments = {_toml({**arguments, **changed})}",
        *([f"context = {_toml(context)}"] if context else []),
        f"expect = {_toml(case.expect)}",
        f"rule = {_toml(case.rule)}",
    ]
    return "\n".join(lines) + "\n"


def _of_all(registry: Registry) -> Iterator[str]:
    """Write cases of the rules that are about no part."""
    for agent in registry.agents:
        for tool in agent.tools:
            arguments = json.decode(specimen_of(tool.input.schema).text)
            if tool.effect is Effect.READ and isinstance(arguments, dict) and None not in arguments.values():
                call = f"tool = {_toml(tool.name)}\narguments = {_toml(arguments)}"
                yield _plain("reading goes on alone", agent.name, call, "reads")
                break
        else:
            continue
        break
    if registry.models and registry.agents:
        call = f'model = {_toml(registry.models[0])}\ntask = "any"'
        yield _plain("models are asked without a person", registry.agents[0].name, call, "models")


def _plain(name: str, agent: str, call: str, rule: str) -> str:
    return f'[[case]]\nname = {_toml(name)}\nagent = {_toml(agent)}\n{call}\nexpect = "allow"\nrule = {_toml(rule)}\n'


def _sample(one: Fitted) -> dict[str, Any] | None:
    """Return arguments of a usual call; None when what can be made up does not fit the tool."""
    made = json.decode(specimen_of(one.tool.input.schema).text)
    arguments = {name: value for name, value in made.items() if value is not None} if isinstance(made, dict) else {}
    arguments |= {one.arguments[name]: value for name, value in one.part.usual if name in one.arguments}
    try:
        one.tool.input.decode(Json(json.encode(arguments)))
    except ContractBroken:
        return None
    return arguments


def _toml(value: object) -> str:
    """Write a JSON value as TOML in one line; null has no form there and is left out."""
    if isinstance(value, Mapping):
        parts = (f"{_key(str(name))} = {_toml(part)}" for name, part in value.items() if part is not None)
        return f"{{ {', '.join(parts)} }}" if value else "{}"
    if isinstance(value, list):
        return f"[{', '.join(_toml(part) for part in value if part is not None)}]"
    return json.encode(value).decode()


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.encode(name).decode()


def parts_of(starter: Starter) -> Iterator[str]:
    """Say in words what the set is about."""
    for one in starter.fitted:
        names = ", ".join(f"{name}: {argument}" for name, argument in one.arguments.items())
        names += f", what was paid: {one.record.paid} of {one.record.tool}" if one.record is not None else ""
        yield f"{one.part.name}: {one.tool.name}{f' ({names})' if names else ''}"
