"""Checking: whether a policy fits the schema, strictly as Cedar checks: each part must have a type for every kind of call it is asked about.

What a condition has tested with `has` may be used after it; what can never be reached is not checked. The messages have Cedar's
key words, because the advice that follows them is chosen by these.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kernos.adapters.cedar.pure.extensions import (
    CONSTRUCTORS,
    FUNCTIONS,
    Address,
    Datetime,
    DecimalValue,
    Duration,
    Unevaluable,
)
from kernos.adapters.cedar.shape import Record, Scalar, SetOf, Shape

Node = Mapping[str, Any]


class Misfit(ValueError):
    """A policy does not fit the schema; the message says where it goes wrong."""


@dataclass(frozen=True, slots=True)
class Kind:
    """The type of an expression: `name` is Bool, Long, String, Set, Record, an extension's, or Entity."""

    name: str
    always: bool | None = None
    """Of a Bool whose value is the same in every call: that value."""
    item: "Kind | None" = None
    parts: tuple[tuple[str, "Kind", bool], ...] = ()
    """Of a record: name, type, and whether it is always there."""
    entity: str = ""

    def part(self, name: str) -> "tuple[Kind, bool] | None":
        """Return the type of an attribute and whether it is always there."""
        return next(((kind, required) for known, kind, required in self.parts if known == name), None)


BOOL, LONG, STRING = Kind("Bool"), Kind("Long"), Kind("String")
_ALWAYS, _NEVER = Kind("Bool", always=True), Kind("Bool", always=False)
_OF_TYPES = {
    bool: BOOL,
    int: LONG,
    str: STRING,
    DecimalValue: Kind("decimal"),
    Address: Kind("ipaddr"),
    Datetime: Kind("datetime"),
    Duration: Kind("duration"),
}
_ORDERED = (LONG, Kind("datetime"), Kind("duration"))
Tested = frozenset[tuple[str, str]]
_NOTHING: Tested = frozenset()


def kind_of(shape: Shape) -> Kind:
    """Return the type that a shape stands for."""
    if isinstance(shape, Scalar):
        return {"Long": LONG, "String": STRING, "Bool": BOOL}[shape.name]
    if isinstance(shape, SetOf):
        return Kind("Set", item=kind_of(shape.item))
    return Kind("Record", parts=tuple((part.name, kind_of(part.shape), part.required) for part in shape.attributes))


@dataclass(frozen=True, slots=True)
class World:
    """What policies can speak about: attributes of each type of entity, its possible parents, ids of closed types, the context."""

    attributes: Mapping[str, Record]
    parents: Mapping[str, str]
    ids: Mapping[str, frozenset[str]]
    principals: frozenset[str]
    resources: frozenset[str]
    context: Record
    contexts: Mapping[str, Record] = field(default_factory=dict)
    """Of actions whose context has another form."""


def faults(body: Node, world: World) -> Iterator[str]:
    """Yield what is wrong with a policy; nothing where it fits."""
    unknown = [told for kind, name in dict.fromkeys(_entities(body)) if (told := _unknown(kind, name, world))]
    if unknown:
        yield from unknown
        return
    principals = [kind for kind in sorted(world.principals) if _can_be(body["principal"], kind, world)]
    resources = [kind for kind in sorted(world.resources) if _can_be(body["resource"], kind, world)]
    head = body["action"]
    entities = head.get("entities", [head["entity"]] if "entity" in head else None)
    actions = sorted(world.ids["Action"]) if entities is None else sorted({entity["id"] for entity in entities})
    if not (principals and resources and actions):
        yield "unable to find an applicable action given the policy scope constraints"
        return
    seen: set[str] = set()
    for principal, resource, action in ((p, r, a) for p in principals for r in resources for a in actions):
        checker = _Checker(world, {"principal": principal, "resource": resource}, action)
        try:
            checker.conditions(body["conditions"])
        except Misfit as wrong:
            if str(wrong) not in seen:
                seen.add(str(wrong))
                yield str(wrong)


def _entities(node: object) -> Iterator[tuple[str, str | None]]:
    if isinstance(node, Mapping):
        if node.keys() == {"type", "id"} and isinstance(node["type"], str):
            yield node["type"], node["id"]
        elif isinstance(node.get("entity_type"), str):
            yield node["entity_type"], None
        for part in node.values():
            yield from _entities(part)
    elif isinstance(node, list):
        for part in node:
            yield from _entities(part)


def _unknown(kind: str, name: str | None, world: World) -> str:
    if kind == "Action":
        known = name is None or name in world.ids["Action"]
        return "" if known else f'unrecognized action `Action::"{name}"`'
    if kind not in world.attributes:
        return f"unrecognized entity type `{kind}`"
    if name is not None and kind in world.ids and name not in world.ids[kind]:
        return f'entity `{kind}::"{name}"` is none of those that its type lists: {", ".join(sorted(world.ids[kind]))}'
    return ""


def _can_be(head: Node, kind: str, world: World) -> bool:
    """Tell whether an entity of a type can fit a policy's head."""
    if head["op"] == "All":
        return True
    if head["op"] == "is":
        return head["entity_type"] == kind and ("in" not in head or _below(kind, head["in"]["entity"]["type"], world))
    wanted = head["entity"]["type"]
    return wanted == kind if head["op"] == "==" else _below(kind, wanted, world)


def _below(kind: str, other: str, world: World) -> bool:
    return other in (kind, world.parents.get(kind))


class _Checker:
    """One kind of call: what the variables are. Every method returns a type and what holds where the expression is true."""

    def __init__(self, world: World, types: Mapping[str, str], action: str) -> None:
        self._world = world
        self._types = types
        self._action = action

    def conditions(self, conditions: list[Node]) -> None:
        """Check one condition after another: each may rely on those before it."""
        tested = _NOTHING
        for condition in conditions:
            kind, more = self._of(condition["body"], tested)
            self._same(kind, BOOL)
            when = condition["kind"] == "when"
            if kind.always is (not when):
                return
            tested |= more if when else _NOTHING

    def _of(self, node: Node, tested: Tested) -> tuple[Kind, Tested]:
        ((name, parts),) = node.items()
        if name in FUNCTIONS:
            return self._function(name, parts, tested), _NOTHING
        if name in ("&&", "||"):
            return self._and(parts, tested) if name == "&&" else self._or(parts, tested)
        if name == "if-then-else":
            return self._choice(parts, tested)
        if name == "has":
            return self._has(parts, tested)
        if name == "!":
            kind = self._need(parts["arg"], tested, BOOL)
            return Kind("Bool", None if kind.always is None else not kind.always), _NOTHING
        return self._plain(name, parts, tested), _NOTHING

    def _plain(self, name: str, parts: Any, tested: Tested) -> Kind:
        match name:
            case "Value":
                return self._literal(parts)
            case "Var":
                return self._variable(parts)
            case ".":
                return self._attribute(parts, tested)
            case "==" | "!=":
                return self._equal(name, parts, tested)
            case "<" | "<=" | ">" | ">=":
                kind = self._need(parts["left"], tested, *_ORDERED)
                self._need(parts["right"], tested, kind)
                return BOOL
            case "+" | "-" | "*":
                self._need(parts["left"], tested, LONG)
                self._need(parts["right"], tested, LONG)
                return LONG
            case "neg":
                return self._need(parts["arg"], tested, LONG)
            case "like":
                self._need(parts["left"], tested, STRING)
                return BOOL
            case "is":
                return self._is(parts, tested)
            case "in":
                return self._in(parts["left"], parts["right"], tested)
            case "Record":
                members = ((part, self._of(value, tested)[0], True) for part, value in parts.items())
                return Kind("Record", parts=tuple(members))
            case _:
                return self._of_sets(name, parts, tested)

    def _literal(self, value: Any) -> Kind:
        if isinstance(value, bool):
            return Kind("Bool", value)
        if isinstance(value, dict):
            return Kind("Entity", entity=value["__entity"]["type"])
        return LONG if isinstance(value, int) else STRING

    def _variable(self, name: str) -> Kind:
        if name == "context":
            return kind_of(self._world.contexts.get(self._action, self._world.context))
        return Kind("Entity", entity="Action" if name == "action" else self._types[name])

    def _and(self, parts: Node, tested: Tested) -> tuple[Kind, Tested]:
        left, first = self._bool(parts["left"], tested)
        if left.always is False:
            return left, _NOTHING
        right, second = self._bool(parts["right"], tested | first)
        if right.always is False:
            return right, _NOTHING
        return (_ALWAYS if left.always and right.always else BOOL), first | second

    def _or(self, parts: Node, tested: Tested) -> tuple[Kind, Tested]:
        left, first = self._bool(parts["left"], tested)
        if left.always:
            return left, first
        right, second = self._bool(parts["right"], tested)
        if left.always is False:
            return right, second
        if right.always is False:
            return left, first
        return (right if right.always else BOOL), first & second

    def _choice(self, parts: Node, tested: Tested) -> tuple[Kind, Tested]:
        asked, holds = self._bool(parts["if"], tested)
        if asked.always:
            kind, more = self._of(parts["then"], tested | holds)
            return kind, holds | more
        if asked.always is False:
            return self._of(parts["else"], tested)
        then, first = self._of(parts["then"], tested | holds)
        other, second = self._of(parts["else"], tested)
        return self._joined(then, other), (holds | first) & second

    def _has(self, parts: Node, tested: Tested) -> tuple[Kind, Tested]:
        holder, _ = self._of(parts["left"], tested)
        found, key = self._members(holder).part(parts["attr"]), (repr(parts["left"]), parts["attr"])
        if found is None:
            return _NEVER, _NOTHING
        sure = key in tested or (found[1] and holder.name == "Record")
        return (_ALWAYS if sure else BOOL), frozenset({key})

    def _attribute(self, parts: Node, tested: Tested) -> Kind:
        holder, _ = self._of(parts["left"], tested)
        name = parts["attr"]
        found = self._members(holder).part(name)
        where = f" on entity type `{holder.entity}`" if holder.entity else ""
        if found is None:
            message = f"attribute `{name}`{where or ' in context'} not found"
            raise Misfit(message)
        kind, required = found
        if not required and (repr(parts["left"]), name) not in tested:
            message = f"unable to guarantee safety of access to optional attribute `{name}`{where}"
            raise Misfit(message)
        return kind

    def _members(self, holder: Kind) -> Kind:
        if holder.name == "Entity":
            return kind_of(self._world.attributes.get(holder.entity, Record()))
        if holder.name != "Record":
            self._mismatch("a record or an entity", holder)
        return holder

    def _equal(self, name: str, parts: Node, tested: Tested) -> Kind:
        left, right = self._of(parts["left"], tested)[0], self._of(parts["right"], tested)[0]
        one, other = self._known(parts["left"]), self._known(parts["right"])
        if one is not None and other is not None:
            return Kind("Bool", (one == other) is (name == "=="))
        if left.name == right.name == "Entity" and left != right:
            return Kind("Bool", name == "!=")
        self._joined(left, right)
        return BOOL

    def _known(self, node: Node) -> tuple[str, object] | None:
        """Return what an expression always is, with its type: a literal, or the action."""
        if node == {"Var": "action"}:
            return "Action", self._action
        if "Value" not in node:
            return None
        value = node["Value"]
        return (
            (value["__entity"]["type"], value["__entity"]["id"])
            if isinstance(value, dict)
            else (type(value).__name__, value)
        )

    def _is(self, parts: Node, tested: Tested) -> Kind:
        kind, _ = self._of(parts["left"], tested)
        if kind.name != "Entity":
            self._mismatch("an entity", kind)
        if kind.entity != parts["entity_type"]:
            return _NEVER
        return self._in(parts["left"], parts["in"], tested) if "in" in parts else _ALWAYS

    def _in(self, left: Node, right: Node, tested: Tested) -> Kind:
        one, other = self._of(left, tested)[0], self._of(right, tested)[0]
        if one.name != "Entity":
            self._mismatch("an entity", one)
        among = other.item or other
        if among.name != "Entity":
            self._mismatch("an entity or a set of entities", other)
        first = self._known(left)
        several = right.get("Set", [right])
        if first is not None and first[0] == "Action":
            known = [self._known(part) for part in several]
            if None not in known:
                return Kind("Bool", first in known)
        if not _below(one.entity, among.entity, self._world):
            return _NEVER
        return BOOL

    def _of_sets(self, name: str, parts: Any, tested: Tested) -> Kind:
        if name == "Set":
            return self._set(parts, tested)
        holder, _ = self._of(parts["arg" if name == "isEmpty" else "left"], tested)
        if name in ("hasTag", "getTag"):
            if holder.name != "Entity":
                self._mismatch("an entity", holder)
            self._need(parts["right"], tested, STRING)
            if name == "hasTag":
                return _NEVER
            message = f"no tags are declared on entity type `{holder.entity}`"
            raise Misfit(message)
        if holder.item is None:
            self._mismatch("a set", holder)
        elif name != "isEmpty":
            other, _ = self._of(parts["right"], tested)
            self._joined(holder.item if name == "contains" else holder, other)
        return BOOL

    def _set(self, parts: list[Node], tested: Tested) -> Kind:
        if not parts:
            message = "empty set literals are forbidden in policies"
            raise Misfit(message)
        item, _ = self._of(parts[0], tested)
        for part in parts[1:]:
            item = self._joined(item, self._of(part, tested)[0])
        return Kind("Set", item=BOOL if item.name == "Bool" else item)

    def _function(self, name: str, arguments: list[Node], tested: Tested) -> Kind:
        method = FUNCTIONS[name]
        if len(arguments) != len(method.takes):
            message = f"`{name}` takes {len(method.takes)} arguments, not {len(arguments)}"
            raise Misfit(message)
        for argument, wanted in zip(arguments, method.takes, strict=True):
            self._need(argument, tested, _OF_TYPES[wanted])
        if name in CONSTRUCTORS:
            if "Value" not in arguments[0]:
                message = f"`{name}` may only be called with a literal"
                raise Misfit(message)
            try:
                method.ask(arguments[0]["Value"])
            except Unevaluable as wrong:
                message = f"error during extension function argument validation: {wrong}"
                raise Misfit(message) from wrong
        return _OF_TYPES[method.gives]

    def _bool(self, node: Node, tested: Tested) -> tuple[Kind, Tested]:
        kind, more = self._of(node, tested)
        self._same(kind, BOOL)
        return kind, more

    def _need(self, node: Node, tested: Tested, *wanted: Kind) -> Kind:
        kind, _ = self._of(node, tested)
        self._same(kind, *wanted)
        return kind

    def _same(self, kind: Kind, *wanted: Kind) -> None:
        if kind.name not in {one.name for one in wanted}:
            self._mismatch(" or ".join(one.name for one in wanted), kind)

    def _mismatch(self, wanted: str, kind: Kind) -> None:
        message = f"unexpected type: expected {wanted} but saw {kind.entity or kind.name}"
        raise Misfit(message)

    def _joined(self, one: Kind, other: Kind) -> Kind:
        """Return the type that is both. Raises Misfit where values of the two can never be equal."""
        if one.name == other.name == "Bool":
            return one if one == other else BOOL
        if one.name == other.name == "Set" and one.item and other.item:
            return Kind("Set", item=self._joined(one.item, other.item))
        if one.name == other.name == "Record" and [p[::2] for p in sorted(one.parts, key=_name)] == [
            p[::2] for p in sorted(other.parts, key=_name)
        ]:
            pairs = zip(sorted(one.parts, key=_name), sorted(other.parts, key=_name), strict=True)
            return Kind("Record", parts=tuple((p[0], self._joined(p[1], q[1]), p[2]) for p, q in pairs))
        if one != other:
            message = f"the types {one.entity or one.name} and {other.entity or other.name} are not compatible"
            raise Misfit(message)
        return one


def _name(part: tuple[str, Kind, bool]) -> str:
    return part[0]
