"""Evaluation: Cedar's expressions made into closures once, and a set of policies asked with them.

Values: bool, int and str are themselves; an entity is an `Entity`; a record a dict; a set a frozenset of keys (`key_of`), because
in Python `True == 1`; an extension's value an object of `extensions`. What has no value raises Unevaluable: the policy is
left out and reported, as in Cedar.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from kernos.adapters.cedar.pure.extensions import FUNCTIONS, Datetime, Duration, Method, Unevaluable
from kernos.adapters.cedar.shape import LONG_MAX, LONG_MIN


class Entity(NamedTuple):
    """An entity's type and id."""

    type: str
    id: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one entity: attributes as values, all its ancestors, and tags."""

    attributes: Mapping[str, Any]
    ancestors: frozenset[Entity] = frozenset()
    tags: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Question:
    """What expressions are asked about: values of the four variables, and the entities that exist."""

    principal: Entity
    action: Entity
    resource: Entity
    context: Mapping[str, Any]
    entities: Mapping[Entity, Facts]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether it is allowed, the policies that determined it, and those that could not be evaluated, each with the reason."""

    allowed: bool
    reasons: tuple[str, ...]
    errors: tuple[tuple[str, str], ...]


Ask = Callable[[Question], Any]
Node = Mapping[str, Any]


def value_of(json: object) -> Any:
    """Return the value that a value of JSON stands for."""
    if isinstance(json, list):
        return frozenset(key_of(value_of(part)) for part in json)
    if isinstance(json, dict):
        return {name: value_of(part) for name, part in json.items()}
    return json


def key_of(value: object) -> object:
    """Return what is equal for equal values only, and can be put into a set."""
    if isinstance(value, bool):
        return ("", value)
    if isinstance(value, dict):
        return frozenset((name, key_of(part)) for name, part in value.items()), "record"
    return value


class Policies:
    """Some policies by id, each made into closures once."""

    def __init__(self, bodies: Mapping[str, Node]) -> None:
        """Take policies in the form of Cedar's JSON."""
        self._policies = [(name, body["effect"] == "permit", _policy(body)) for name, body in bodies.items()]

    def ask(self, question: Question) -> Verdict:
        """Answer as Cedar does: allowed where a permit and no forbid holds; what cannot be evaluated holds not."""
        permits: list[str] = []
        forbids: list[str] = []
        errors: list[tuple[str, str]] = []
        for name, permit, holds in self._policies:
            try:
                if holds(question):
                    (permits if permit else forbids).append(name)
            except Unevaluable as broken:
                errors.append((name, str(broken)))
        allowed = bool(permits) and not forbids
        return Verdict(allowed, tuple(permits if allowed else forbids), tuple(errors))


def _policy(body: Node) -> Ask:
    parts = [_scope(name, body[name]) for name in ("principal", "action", "resource") if body[name]["op"] != "All"]
    for condition in body["conditions"]:
        asked = _bool(compiled(condition["body"]))
        parts.append(asked if condition["kind"] == "when" else _not(asked))

    def holds(question: Question) -> bool:
        for part in parts:  # noqa: SIM110 - a generator would cost as much as the parts
            if not part(question):
                return False
        return True

    return holds


def _scope(variable: str, head: Node) -> Ask:
    of = operator.attrgetter(variable)
    if head["op"] == "==":
        wanted = _named(head["entity"])
        return lambda question: of(question) == wanted
    if head["op"] == "is":
        kind, inside = head["entity_type"], _scope(variable, {"op": "in", **head["in"]}) if "in" in head else None
        if inside is None:
            return lambda question: of(question).type == kind
        return lambda question: of(question).type == kind and inside(question)
    several = head["entities"] if "entities" in head else [head["entity"]]
    among = frozenset(_named(entity) for entity in several)
    return lambda question: _is_in(of(question), among, question)


def _named(entity: Node) -> Entity:
    return Entity(entity["type"], entity["id"])


def _is_in(entity: Entity, among: frozenset[Any], question: Question) -> bool:
    facts = question.entities.get(entity)
    return entity in among or (facts is not None and not among.isdisjoint(facts.ancestors))


def compiled(node: Node) -> Ask:
    """Return what gives the value of an expression in the form of Cedar's JSON."""
    ((kind, parts),) = node.items()
    if kind in FUNCTIONS:
        return _function(FUNCTIONS[kind], [compiled(part) for part in parts])
    if kind in _BINARY:
        return _BINARY[kind](compiled(parts["left"]), compiled(parts["right"]))
    return _OTHERS[kind](parts)


def _literal(value: Any) -> Ask:
    constant = _named(value["__entity"]) if isinstance(value, dict) else value
    return lambda _: constant


def _function(method: Method, arguments: Sequence[Ask]) -> Ask:
    def ask(question: Question) -> Any:
        values = [argument(question) for argument in arguments]
        if len(values) != len(method.takes):
            message = f"a function takes {len(method.takes)} arguments, not {len(values)}"
            raise Unevaluable(message)
        for value, wanted in zip(values, method.takes, strict=True):
            _need(value, wanted)
        return method.ask(*values)

    return ask


def _need(value: object, *wanted: type) -> None:
    if type(value) not in wanted:
        got = _SHOWN.get(type(value), "bool or record")  # As members of a set these two are keys.
        message = f"type error: expected {' or '.join(_SHOWN[kind] for kind in wanted)}, got {got}"
        raise Unevaluable(message)


_SHOWN: Mapping[type, str] = {
    bool: "bool", int: "long", str: "string", frozenset: "set", dict: "record", Entity: "entity",
    **{method.gives: name for name, method in FUNCTIONS.items() if name in ("decimal", "ip", "datetime", "duration")},
}  # fmt: skip


def _bool(asked: Ask) -> Ask:
    def ask(question: Question) -> bool:
        value = asked(question)
        if value is not True and value is not False:
            _need(value, bool)
        return bool(value)

    return ask


def _not(asked: Ask) -> Ask:
    return lambda question: not asked(question)


def _and(left: Ask, right: Ask) -> Ask:
    first, second = _bool(left), _bool(right)
    return lambda question: first(question) and second(question)


def _or(left: Ask, right: Ask) -> Ask:
    first, second = _bool(left), _bool(right)
    return lambda question: first(question) or second(question)


def _equal(left: Ask, right: Ask) -> Ask:
    return lambda question: key_of(left(question)) == key_of(right(question))


def _arithmetic(calculate: Callable[[int, int], int]) -> Callable[[Ask, Ask], Ask]:
    def make(left: Ask, right: Ask) -> Ask:
        def ask(question: Question) -> int:
            one, other = left(question), right(question)
            _need(one, int)
            _need(other, int)
            return _within(calculate(one, other))

        return ask

    return make


def _within(number: int) -> int:
    if LONG_MIN <= number <= LONG_MAX:
        return number
    message = "integer overflow: the result is beyond 64 bits"
    raise Unevaluable(message)


def _negated(parts: Node) -> Ask:
    asked = compiled(parts["arg"])

    def ask(question: Question) -> int:
        value = asked(question)
        _need(value, int)
        return _within(-value)

    return ask


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Ask, Ask], Ask]:
    def make(left: Ask, right: Ask) -> Ask:
        def ask(question: Question) -> bool:
            one, other = left(question), right(question)
            if type(one) is int is type(other):
                return compare(one, other)
            _need(one, int, Datetime, Duration)
            _need(other, type(one))
            return compare(one.ms, other.ms)

        return ask

    return make


def _in(left: Ask, right: Ask) -> Ask:
    def ask(question: Question) -> bool:
        entity, among = left(question), right(question)
        _need(entity, Entity)
        _need(among, frozenset, Entity)
        if type(among) is Entity:
            return _is_in(entity, frozenset({among}), question)
        for member in among:
            _need(member, Entity)
        return _is_in(entity, among, question)

    return ask


def _of_set(ask_sets: Callable[[Any, Any], bool], *, both: bool) -> Callable[[Ask, Ask], Ask]:
    def make(left: Ask, right: Ask) -> Ask:
        def ask(question: Question) -> bool:
            one, other = left(question), right(question)
            _need(one, frozenset)
            if both:
                _need(other, frozenset)
            return ask_sets(one, other)

        return ask

    return make


def _empty(parts: Node) -> Ask:
    asked = compiled(parts["arg"])

    def ask(question: Question) -> bool:
        value = asked(question)
        _need(value, frozenset)
        return not value

    return ask


def _tag(left: Ask, right: Ask) -> Callable[[Question], tuple[Facts | None, str]]:
    def ask(question: Question) -> tuple[Facts | None, str]:
        entity, name = left(question), right(question)
        _need(entity, Entity)
        _need(name, str)
        return question.entities.get(entity), name

    return ask


def _has_tag(left: Ask, right: Ask) -> Ask:
    find = _tag(left, right)

    def ask(question: Question) -> bool:
        facts, name = find(question)
        return facts is not None and name in facts.tags

    return ask


def _get_tag(left: Ask, right: Ask) -> Ask:
    find = _tag(left, right)

    def ask(question: Question) -> Any:
        facts, name = find(question)
        if facts is not None and name in facts.tags:
            return facts.tags[name]
        message = "the entity does not exist" if facts is None else f"there is no tag `{name}`"
        raise Unevaluable(message)

    return ask


def _attribute(parts: Node) -> Ask:
    asked, name = compiled(parts["left"]), parts["attr"]

    def ask(question: Question) -> Any:
        holder = asked(question)
        if type(holder) is not dict:
            _need(holder, Entity, dict)
            facts = question.entities.get(holder)
            if facts is None:
                message = f"an entity of type {holder.type}, asked for `{name}`, does not exist"
                raise Unevaluable(message)
            holder = facts.attributes
        if name not in holder:
            message = f"there is no attribute `{name}`"
            raise Unevaluable(message)
        return holder[name]

    return ask


def _has(parts: Node) -> Ask:
    asked, name = compiled(parts["left"]), parts["attr"]

    def ask(question: Question) -> bool:
        holder = asked(question)
        if type(holder) is not dict:
            _need(holder, Entity, dict)
            facts = question.entities.get(holder)
            return facts is not None and name in facts.attributes
        return name in holder

    return ask


def _like(parts: Node) -> Ask:
    asked = compiled(parts["left"])
    fits = matcher(parts["pattern"])

    def ask(question: Question) -> bool:
        value = asked(question)
        _need(value, str)
        return fits(value)

    return ask


def matcher(pattern: Sequence[Any]) -> Callable[[str], bool]:
    """Return what tells whether a text fits a pattern, in time linear in text times pieces."""
    pieces = [""]
    for part in pattern:
        if part == "Wildcard":
            pieces.append("")
        else:
            pieces[-1] += part["Literal"]
    first, last, inner = pieces[0], pieces[-1], [piece for piece in pieces[1:-1] if piece]
    if len(pieces) == 1:
        return lambda text: text == first

    def fits(text: str) -> bool:
        if len(text) < len(first) + len(last) or not text.startswith(first) or not text.endswith(last):
            return False
        at, end = len(first), len(text) - len(last)
        for piece in inner:  # The leftmost place of each leaves the most to those that follow.
            at = text.find(piece, at, end)
            if at < 0:
                return False
            at += len(piece)
        return True

    return fits


def _is(parts: Node) -> Ask:
    asked, kind = compiled(parts["left"]), parts["entity_type"]
    inside = _in(asked, compiled(parts["in"])) if "in" in parts else None

    def ask(question: Question) -> bool:
        entity = asked(question)
        _need(entity, Entity)
        return entity.type == kind and (inside is None or inside(question))

    return ask


def _choice(parts: Node) -> Ask:
    asked, then, other = _bool(compiled(parts["if"])), compiled(parts["then"]), compiled(parts["else"])
    return lambda question: then(question) if asked(question) else other(question)


def _set(parts: Sequence[Node]) -> Ask:
    members = [compiled(part) for part in parts]
    return lambda question: frozenset([key_of(member(question)) for member in members])


def _record(parts: Mapping[str, Node]) -> Ask:
    members = [(name, compiled(part)) for name, part in parts.items()]
    return lambda question: {name: member(question) for name, member in members}


_BINARY: Mapping[str, Callable[[Ask, Ask], Ask]] = {
    "&&": _and,
    "||": _or,
    "==": _equal,
    "!=": lambda left, right: _not(_equal(left, right)),
    "<": _ordered(operator.lt),
    "<=": _ordered(operator.le),
    ">": _ordered(operator.gt),
    ">=": _ordered(operator.ge),
    "+": _arithmetic(operator.add),
    "-": _arithmetic(operator.sub),
    "*": _arithmetic(operator.mul),
    "in": _in,
    "contains": _of_set(lambda one, other: key_of(other) in one, both=False),
    "containsAll": _of_set(lambda one, other: one >= other, both=True),
    "containsAny": _of_set(lambda one, other: not one.isdisjoint(other), both=True),
    "getTag": _get_tag,
    "hasTag": _has_tag,
}
_OTHERS: Mapping[str, Callable[[Any], Ask]] = {
    "Value": _literal,
    "Var": operator.attrgetter,
    "!": lambda parts: _not(_bool(compiled(parts["arg"]))),
    "neg": _negated,
    ".": _attribute,
    "has": _has,
    "like": _like,
    "is": _is,
    "isEmpty": _empty,
    "if-then-else": _choice,
    "Set": _set,
    "Record": _record,
}
