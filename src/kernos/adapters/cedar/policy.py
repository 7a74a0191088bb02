"""Policy: Cedar answers for the gate whether a call may happen, and whether it may happen without a person.

Two questions give three answers: `Action::"invoke"` denied is deny; `Action::"unattended"` allowed as well
is allow; else ask. A third action, `Action::"open"`, says which labelled values a call may have.

Fast, and exactly as if every rule were asked about everything each time: a call is shown only to the rules
whose scope (principal, resource) fits it, with only the attributes that their conditions can mean; where
none of them has a condition, the answer depends on nothing else and is kept. Arguments are put into the
schema's form in every case, so what does not fit is always denied. Bounded: `_SLICES_MAX` slices are kept.
"""

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import msgspec
from msgspec import json

from kernos.adapters.cedar.engine import Engine, PolicySet, Schema, Sides
from kernos.adapters.cedar.rules import Names, Rule, read_rules
from kernos.adapters.cedar.schema import MODEL_TYPE, known_shapes, schema_text, tool_types
from kernos.adapters.cedar.scope import fits, is_about, names
from kernos.adapters.cedar.shape import Attribute, DoesNotFit, Record, Scalar
from kernos.adapters.cedar.survey import INVOKE, OPEN, UNATTENDED, survey
from kernos.vocabulary.circumstances import NOTHING_DECLARED, Declared, Known
from kernos.vocabulary.contract import ToolContract
from kernos.vocabulary.gate import MODEL_TOOL, Answer, Decision, Request
from kernos.vocabulary.policies import PossibleCall, RuleText, Survey
from kernos.vocabulary.sealing import Carried

DEFAULT_POLICIES = """\
// What holds where there are no policy files: whatever only reads goes on alone, and so do models, and so do calls of
// guests, which the rules of flow look at; every other call waits for a person's yes. Labelled values are opened for
// tools that declare their labels.

@id("default.reads")
permit (principal, action, resource in Effect::"read");

@id("default.models")
permit (principal, action, resource is Model);

@id("default.guests")
permit (principal, action, resource) when { context.guest };

@id("default.attended")
permit (principal, action == Action::"invoke", resource);

@id("default.opened")
permit (principal, action == Action::"open", resource) when { context.declared };
"""

_SLICES_MAX = 4_096
"""Agents times tools, far above any one kernel's; at the bound all are dropped and made anew as needed."""
_REASON_LENGTH_MAX = 300  # An engine's message may quote a whole call; the journal holds it already.
_DIGITS = 16
_CALL_ID = "call"  # The resource is the call itself; its type is the tool, and no rule can name this id.
_LONG, _STRING = Scalar("Long"), Scalar("String")
_NO_EFFECTS: tuple[str, ...] = ()
_MODEL_ARGS = Record((Attribute("model", _STRING, required=True), Attribute("task", _STRING, required=True)))


class CedarPolicy:
    """One set of Cedar policies over the declared tools, agents and models: a `ports.policy.Policy`."""

    def __init__(
        self,
        policies: Mapping[str, str] | str,
        tools: Sequence[ToolContract[Any, Any]],
        agents: Sequence[str],
        models: Sequence[str],
        declared: Declared = NOTHING_DECLARED,
        engine: str = "",
    ) -> None:
        """Take policy texts by file name, or one text; no file at all means DEFAULT_POLICIES. `declared`: what they may ask about besides.

        `engine` is "cedarpy", "python", or empty for cedarpy where it is installed and Python elsewhere.

        Raises BadConfiguration with every fault of every file, or of the tools' names.
        """
        files = {"policy.cedar": policies} if isinstance(policies, str) else dict(policies)
        files = files or {"(default policies)": DEFAULT_POLICIES}
        self._contracts = tuple(tools)
        self._tools = tool_types(tools)
        self._known = known_shapes(declared, tools)
        self._schema_text = schema_text(self._tools, self._known)
        self._engine = _engine(engine, Schema(self._tools, self._known, self._schema_text))
        self._rules = read_rules(files, self._engine, Names(self._tools, agents, models))
        self._requires = {rule.id: rule.requires for rule in self._rules if rule.requires is not None}
        grounds = json.encode([sorted(files.items()), self._schema_text, declared])
        self._digest = hashlib.sha256(grounds).hexdigest()
        self._slices: dict[tuple[str, str, str, str], _Slice] = {}
        self._openings: dict[tuple[str, str, str, str], _Slice] = {}

    def schema_text(self) -> str:
        """Return the schema that the policies were checked against, for people and editors."""
        return self._schema_text

    def digest(self) -> str:
        """Return the SHA-256 of the policy texts, by file name, and the schema: 64 hex digits."""
        return self._digest

    def rules(self) -> tuple[RuleText, ...]:
        """Return the rules as they are written, for people."""
        return tuple(rule.text for rule in self._rules)

    def survey(self, calls: Collection[PossibleCall]) -> Survey:
        """Tell what the set means for the calls that can come about; which rules no call comes to."""
        kinds = {tool.name: tool for tool in self._contracts}
        return survey(self._rules, [(call, *self._kind(call, kinds)) for call in sorted(calls)])

    def _kind(
        self, call: PossibleCall, tools: Mapping[str, ToolContract[Any, Any]]
    ) -> tuple[str, str, tuple[str, ...]]:
        if call.tool == MODEL_TOOL:
            return MODEL_TYPE, call.model, _NO_EFFECTS
        return self._tools[call.tool].name, _CALL_ID, (tools[call.tool].effect.value,)

    def decide(self, request: Request) -> Decision:
        """Answer allow, ask or deny. Total: whatever cannot be evaluated is denied with the reason."""
        try:
            call = self._call(request)
        except (DoesNotFit, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as broken:
            return self._deny(f"the call cannot be put to the policies: {broken}")
        key = (request.agent, call.kind, call.id, request.effect)
        piece = self._slices.get(key)
        if piece is None:
            piece = self._slice(request.agent, call)
            if len(self._slices) >= _SLICES_MAX:
                self._slices.clear()
            self._slices[key] = piece
        if piece.kept is not None:
            return piece.kept
        try:
            decision = self._decided(call, piece)
        except DoesNotFit as broken:
            return self._deny(f"what is known of the call cannot be put to the policies: {broken}")
        if not piece.conditional:
            piece.kept = decision
        return decision

    def decide_open(self, request: Request, carried: Carried) -> Decision:
        """Answer whether a labelled value may be opened for a call. Total: no without a rule that names the action and permits it."""
        try:
            call = self._call(request)
            key = (request.agent, call.kind, call.id, request.effect)
            piece = self._openings.get(key)
            if piece is None:
                if len(self._openings) >= _SLICES_MAX:
                    self._openings.clear()
                piece = self._openings[key] = self._opening(request.agent, call)
            about = {"label": carried.label, "declared": carried.is_declared, "own": carried.is_own}
            verdict = piece.policies.ask_open(self._sides(call, piece, about))
        except (DoesNotFit, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as broken:
            return self._deny(f"whether {carried.label} may be opened cannot be put to the policies: {broken}")
        if verdict.errors:
            return self._deny(f"a policy cannot be evaluated: {verdict.errors[0][:_REASON_LENGTH_MAX]}")
        rules = tuple(sorted(verdict.reasons))
        if verdict.allowed:
            return Decision(Answer.ALLOW, self._digest[:_DIGITS], rules)
        why = f"forbidden by {_listed(rules)}" if rules else f'no policy permits Action::"{OPEN}" for it'
        return self._deny(f"{carried.label} may not be opened for {request.tool}: {why}", rules)

    def _opening(self, agent: str, call: "_Call") -> "_Slice":
        """Return the rules on opening: permits that name the action, lest a rule on all actions let out what its author never thought of."""
        fitting = [rule for rule in self._rules if fits(rule.body, agent, call.kind, call.id, call.effects)]
        return self._sliced(
            [
                rule
                for rule in fitting
                if names(rule.body, OPEN) or (rule.body["effect"] == "forbid" and is_about(rule.body, OPEN))
            ]
        )

    def _call(self, request: Request) -> "_Call":
        """Put the call into Cedar's terms. Raises what `decide` turns into a denial, kept answer or not."""
        args = json.decode(request.args.text)
        if request.tool == MODEL_TOOL:
            found = _MODEL_ARGS.value(args, MODEL_TOOL)
            kind, name, effects = MODEL_TYPE, str(found.pop("model")), _NO_EFFECTS
        elif request.tool in self._tools:
            tool_type = self._tools[request.tool]
            found = tool_type.attributes.value(args, request.tool)
            kind, name, effects = tool_type.name, _CALL_ID, (request.effect.value,)
        else:
            message = f"no tool {request.tool} was declared when they were loaded"
            raise DoesNotFit(message)
        depth = _LONG.value(request.depth, "depth")
        context = {
            "on_behalf_of": request.on_behalf_of,
            "tenant": request.tenant,
            "depth": depth,
            "undo": request.undo,
            "guest": request.guest,
        }
        return _Call(kind, name, effects, request.agent, request.agent_version, found, context, request.known)

    def _slice(self, agent: str, call: "_Call") -> "_Slice":
        fitting = [rule for rule in self._rules if fits(rule.body, agent, call.kind, call.id, call.effects)]
        return self._sliced([r for r in fitting if is_about(r.body, INVOKE) or is_about(r.body, UNATTENDED)])

    def _sliced(self, rules: Sequence[Rule]) -> "_Slice":
        bodies = {rule.id: rule.body for rule in rules}
        policies = self._engine.load(bodies)
        conditions = [rule.body["conditions"] for rule in rules]
        names = frozenset(_texts(conditions))
        asked = tuple(name for name in self._known if name in names)
        tells_apart = "action" in names or not all(
            is_about(rule.body, INVOKE) and is_about(rule.body, UNATTENDED) for rule in rules
        )
        return _Slice(policies, any(conditions), names, asked, tells_apart)

    def _sides(self, call: "_Call", piece: "_Slice", more: dict[str, object]) -> Sides:
        """Return what Cedar is shown: only attributes that a condition can mean, because the others would cost most time."""
        said = {name: value for name, value in call.context.items() if name in piece.names}
        return Sides(
            principal=("Agent", call.agent),
            resource=(call.kind, call.id),
            parents=[("Effect", effect) for effect in call.effects],
            attributes={name: value for name, value in call.attributes.items() if name in piece.names},
            principal_attributes={"version": call.agent_version} if "version" in piece.names else {},
            context=said | self._look_up(call, piece.asked) | more,
        )

    def _decided(self, call: "_Call", piece: "_Slice") -> Decision:
        sides = self._sides(call, piece, {})
        if piece.tells_apart:
            invoke, unattended = piece.policies.ask(sides)
        else:
            invoke = unattended = piece.policies.ask_once(sides)
        errors = [*invoke.errors, *unattended.errors]
        if errors:
            return self._deny(f"a policy cannot be evaluated: {errors[0][:_REASON_LENGTH_MAX]}")
        rules, more = invoke.reasons, unattended.reasons
        if not invoke.allowed:
            reason = f"forbidden by {_listed(rules)}" if rules else "no policy permits it"
            return self._deny(reason, rules)
        grounds = tuple(sorted({*rules, *more}))
        if unattended.allowed:
            return Decision(Answer.ALLOW, self._digest[:_DIGITS], grounds)
        reason = f"{_listed(more)} forbids it unattended" if more else "no policy permits it unattended"
        requires = tuple(self._requires[rule] for rule in grounds if rule in self._requires)
        return Decision(Answer.ASK, self._digest[:_DIGITS], grounds, reason, requires)

    def _look_up(self, call: "_Call", names: Sequence[str]) -> dict[str, object]:
        """Return what is known of what rules may ask about. The rest stays out: a rule that comes to it cannot be evaluated."""
        if not names or call.known is None:
            return {}
        values = {name: call.known.value(name) for name in names}
        return {name: self._known[name].value(value, name) for name, value in values.items() if value is not None}

    def _deny(self, reason: str, rules: Sequence[str] = ()) -> Decision:
        return Decision(Answer.DENY, self._digest[:_DIGITS], tuple(sorted(rules)), reason)


@dataclass(frozen=True, slots=True)
class _Call:
    """A call in Cedar's terms: the resource `kind::"id"` with its attributes, who calls, and the context."""

    kind: str
    id: str
    effects: tuple[str, ...]
    agent: str
    agent_version: str
    attributes: Mapping[str, object]
    context: Mapping[str, object]
    known: Known | None


@dataclass(slots=True)
class _Slice:
    """The rules whose scope fits one agent and one kind of call."""

    policies: PolicySet
    conditional: bool
    names: frozenset[str]
    """Every text in the conditions: an attribute whose name is not among them cannot matter."""
    asked: tuple[str, ...]
    """What of the known the conditions may ask about."""
    tells_apart: bool
    """Whether some rule may answer otherwise for one of the two actions than for the other."""
    kept: Decision | None = None
    """Where no rule has a condition: the answer, once it is known."""


def _texts(node: object) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, Mapping):
        for part in node.values():
            yield from _texts(part)
    elif isinstance(node, list):
        for part in node:
            yield from _texts(part)


def _listed(rules: Sequence[str]) -> str:
    return ", ".join(sorted(rules))


def _engine(name: str, schema: Schema) -> Engine:
    """Return the engine `cedarpy` or `python`; for the empty name, cedarpy where it is installed."""
    if name == "cedarpy" or (not name and find_spec("cedarpy")):
        from kernos.adapters.cedar.compiled import CompiledEngine  # noqa: PLC0415 - not every platform has cedarpy

        return CompiledEngine(schema)
    from kernos.adapters.cedar.pure.engine import PureEngine  # noqa: PLC0415 - read only where it is wanted

    return PureEngine(schema)
