"""Policy cases: calls written down in a file, with the answer that policies are to give; put to the gate itself.

Only policies are asked, no rules of flow. What a case does not give and a rule asks for is unknown, which denies, as it does in a run.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import msgspec
from msgspec import json

from kernos.app.policies import PolicySet
from kernos.app.settings import principal
from kernos.control.gate import Gate, digest_of
from kernos.control.registry import Registry
from kernos.vocabulary.circumstances import ALWAYS, WEEKDAYS
from kernos.vocabulary.contract import AgentContract, ToolContract
from kernos.vocabulary.errors import BadConfiguration, ContractBroken
from kernos.vocabulary.events import RunRequested
from kernos.vocabulary.gate import MODEL_TOOL, Answer, Decision
from kernos.vocabulary.ids import DEFAULT_TENANT, EpochMs, IdempotencyKey, PrincipalId, TenantId
from kernos.vocabulary.policies import BadPolicies, Fault, Place, RuleText
from kernos.vocabulary.quantities import Json, Limits
from kernos.vocabulary.undo import REVERT_AGENT, Undone

CASES_FILE = "cases.toml"

_COMPUTED = ("tool", "digest")
"""What the call itself says: no case gives it."""
_HEADER = re.compile(r"^\s*\[\[case\]\]", re.MULTILINE)
_CLOCK = {"hour": range(24), "minute": range(60)}
_NOBODY = "person:local"
"""Who asks where a case does not say."""


class _Said(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a case says, or what usually holds; empty where nothing is said."""

    agent: str = ""
    tool: str = ""
    model: str = ""
    task: str = ""
    arguments: dict[str, Any] = {}
    by: str = ""
    tenant: str = ""
    undoes: str = ""
    context: dict[str, Any] = {}


class _Case(_Said, frozen=True, forbid_unknown_fields=True, kw_only=True):
    name: str
    expect: str
    rule: str | tuple[str, ...] = ()


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    case: tuple[_Case, ...] = ()
    usual: _Said = _Said()


@dataclass(slots=True)
class _Given:
    """What a case says the kernel knows: a `vocabulary.circumstances.Known`."""

    values: Mapping[str, object]
    missing: list[str] = field(default_factory=list)
    """What was asked for and not given."""

    def value(self, name: str) -> object:
        """Return what is given; None for what is not."""
        found = self.values.get(name)
        if found is None:
            self.missing.append(name)
        return found


@dataclass(frozen=True, slots=True)
class Result:
    """One case, and what the policies said."""

    name: str
    place: Place
    expected: Answer
    wanted: tuple[str, ...]
    """Rules that must be among the grounds."""
    decision: Decision
    unknown: tuple[str, ...]
    """What rules asked for and the case does not give."""

    @property
    def differs(self) -> str:
        """Say how it is other than expected; empty when it is not."""
        if self.decision.answer is not self.expected:
            return f"expected {self.expected}, got {self.decision.answer}"
        absent = [rule for rule in self.wanted if rule not in self.decision.rules]
        if absent:
            return f"{self.decision.answer} as expected, but not by {', '.join(absent)}"
        return ""


@dataclass(frozen=True, slots=True)
class Tested:
    """What came of all cases."""

    policy_set: str
    results: tuple[Result, ...]
    unreached: tuple[RuleText, ...]
    """Rules that were a ground in no case."""


def put_cases(files: Sequence[Path], policies: PolicySet, registry: Registry) -> Tested:
    """Put the cases of some files to the policies. Raises BadPolicies with everything that is wrong with the cases themselves."""
    table = _Table(policies, registry)
    results = [result for path in files for result in table.results(path)]
    if table.faults:
        listed = "\n".join(f"  {fault}" for fault in table.faults)
        count = f"{len(table.faults)} fault" + ("s" if len(table.faults) > 1 else "")
        message = f"the cases cannot be put to the policies ({count}):\n{listed}"
        raise BadPolicies(message, table.faults, hint="Correct the cases; docs/policy.md shows what they may hold.")
    reached = {rule for result in results for rule in result.decision.rules}
    unreached = tuple(rule for rule in policies.policy.rules() if rule.id not in reached)
    return Tested(policies.policy.digest(), tuple(results), unreached)


class _Table:
    """Reads cases and puts them to the gate; collects what is wrong with them."""

    def __init__(self, policies: PolicySet, registry: Registry) -> None:
        self._gate = Gate(registry, policies.policy)
        self._registry = registry
        declared = policies.declared
        self._records = {record.name for record in declared.records}
        self._names = {*ALWAYS, *(counter.name for counter in declared.counters), *self._records} - {*_COMPUTED}
        self._rules = [rule.id for rule in policies.policy.rules()]
        self.faults: list[Fault] = []

    def results(self, path: Path) -> Iterator[Result]:
        """Yield what comes of a file's cases, as far as they are right. Raises BadConfiguration when it is no such file."""
        text = _text(path)
        try:
            file = msgspec.convert(tomllib.loads(text), _File)
        except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
            at = re.search(r"at line (\d+), column (\d+)", str(error))
            nth = re.search(r"\$\.case\[(\d+)\]", str(error))
            place = Place(path.name, int(at[1]), int(at[2])) if at else _place(path, text, int(nth[1]) if nth else 0)
            self.faults.append(Fault(place, "", str(error)))
            return
        for number, case in enumerate(file.case):
            place = _place(path, text, number)
            said = _usually(file.usual, case)
            found = list(self._wrong(said))
            self.faults.extend(Fault(place, "", f"case {case.name!r}: {fault}") for fault in found)
            if not found:
                yield self._result(said, place)

    def _result(self, case: _Case, place: Place) -> Result:
        args = self._arguments(case)
        own = {"tool": case.tool or MODEL_TOOL, "digest": digest_of(args)}
        known = _Given({**case.context, **own})
        agent = self._registry.agent(case.agent)
        requested, by = _request(case), PrincipalId(principal(case.by or _NOBODY))
        if case.model:
            decision = self._gate.decide_model(requested, by, agent, case.model, case.task, known)
        else:
            undoes = Undone(IdempotencyKey("case"), case.undoes, agent.name, agent.version) if case.undoes else None
            acting = self._registry.agent(REVERT_AGENT) if undoes else agent
            decision = self._gate.decide_call(requested, by, acting, case.tool, args, undoes, None, known)
        wanted = (case.rule,) if isinstance(case.rule, str) else case.rule
        unknown = tuple(dict.fromkeys(name for name in known.missing if name not in self._records))
        return Result(case.name, place, Answer(case.expect), wanted, decision, unknown)

    def _arguments(self, case: _Case) -> Json:
        """Return the arguments as a run would send them, with the tool's defaults."""
        tool = self._registry.tool(case.tool)
        if tool is None:
            return Json(json.encode({"model": case.model, "task": case.task}))
        return tool.input.encode(tool.input.decode(Json(json.encode(case.arguments))))

    # --- what is wrong with a case ---------------------------------------------------------------------------------

    def _wrong(self, case: _Case) -> Iterator[str]:
        agents = {agent.name: agent for agent in self._registry.agents}
        agent = agents.get(case.agent)
        if agent is None:
            yield _no("agent", case.agent, list(agents))
        if bool(case.tool) == bool(case.model):
            yield "say either `tool`, with `arguments`, or `model`, with `task`"
        elif case.model and case.model not in self._registry.models:
            yield _no("model", case.model, list(self._registry.models))
        elif case.tool:
            yield from self._wrong_call(case, agent)
        if case.expect not in tuple(Answer):
            yield _no("answer", case.expect, list(Answer))
        for rule in (case.rule,) if isinstance(case.rule, str) else case.rule:
            if rule not in self._rules:
                yield _no("rule", rule, self._rules)
        for name, value in case.context.items():
            if name not in self._names:
                yield _no("circumstance", name, sorted(self._names))
            else:
                yield from self._wrong_value(name, value)

    def _wrong_call(self, case: _Case, agent: AgentContract[Any, Any] | None) -> Iterator[str]:
        tool = self._registry.tool(case.tool)
        if tool is None:
            yield _no("tool", case.tool, [tool.name for tool in self._registry.tools])
            return
        yield from _wrong_arguments(tool, case.arguments)
        if case.undoes:
            acted = self._registry.tool(case.undoes)
            if acted is None or acted.compensate is None or acted.compensate.tool is not tool:
                yield f"{case.tool} is not what takes {case.undoes} back"
        elif agent is not None and tool not in agent.tools:
            yield f"agent {agent.name} does not declare the tool {tool.name}: no run of it makes this call"

    def _wrong_value(self, name: str, value: object) -> Iterator[str]:
        kind = ALWAYS.get(name, "Record" if name in self._records else "Long")
        wanted, words = _KINDS[kind]
        if type(value) is not wanted or (
            kind == "Set<String>" and not all(isinstance(one, str) for one in _list(value))
        ):
            yield f"{name} is {words}, not {value!r}"
        elif name == "weekday" and value not in WEEKDAYS:
            yield _no("weekday", str(value), list(WEEKDAYS))
        elif name in _CLOCK and value not in _CLOCK[name]:
            yield f"{name} = {value} is on no clock"


_KINDS: Mapping[str, tuple[type, str]] = {
    "Long": (int, "a whole number"),
    "String": (str, "a text"),
    "Bool": (bool, "true or false"),
    "Set<String>": (list, "a list of texts"),
    "Record": (dict, "a table, as the tool answers it"),
}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _wrong_arguments(tool: ToolContract[Any, Any], arguments: Mapping[str, Any]) -> Iterator[str]:
    schema = json.decode(tool.input.schema.text)
    there = list(schema.get("properties", {})) if isinstance(schema, dict) else []
    strange = [name for name in arguments if there and name not in there]
    for name in strange:
        yield _no(f"argument of {tool.name}", name, there)
    if not strange:
        try:
            tool.input.decode(Json(json.encode(arguments)))
        except ContractBroken as broken:
            yield f"the arguments do not fit {tool.name}: {broken}"


def _no(what: str, name: str, there: Sequence[str]) -> str:
    """Say that a name stands for nothing, and which was perhaps meant."""
    close = get_close_matches(name, there, 1)
    listed = f"did you mean {close[0]}?" if close else f"there are: {', '.join(there) or 'none'}"
    return f"no {what} is named {name!r}; {listed}"


def _usually(usual: _Said, case: _Case) -> _Case:
    """Return the case with what usually holds where it says nothing else; its arguments and context go before the usual ones."""
    words = {name: getattr(case, name) or getattr(usual, name) for name in ("agent", "by", "tenant", "task")}
    calls = any((case.tool, case.model))
    call = {name: getattr(case if calls else usual, name) for name in ("tool", "model")}
    same = call["tool"] == usual.tool
    arguments = {**(usual.arguments if same else {}), **case.arguments}
    return msgspec.structs.replace(
        case, **words, **call, arguments=arguments, context={**usual.context, **case.context}
    )


def _request(case: _Case) -> RunRequested:
    """Return what the run of the case was asked, as far as policies see it."""
    return RunRequested(
        agent=case.agent,
        agent_version="",
        code_digest="",
        intent="",
        input=Json(b"null"),
        tenant=TenantId(case.tenant or DEFAULT_TENANT),
        limits=Limits(),
        deadline_at=EpochMs(0),
    )


def _place(path: Path, text: str, number: int) -> Place:
    """Return where the case of that number begins."""
    headers = list(_HEADER.finditer(text))
    begin = headers[number].end() if number < len(headers) else 0
    return Place(path.name, text.count("\n", 0, begin) + 1, 1)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        message = f"the cases in {path} could not be read: {why}"
        hint = f"Name a file of cases, or write {CASES_FILE} beside the policies: docs/policy.md."
        raise BadConfiguration(message, hint=hint) from error
