"""Compiled: Cedar as cedarpy has it, the engine in Rust."""

from collections.abc import Mapping, Sequence

import cedarpy
from msgspec import json

from kernos.adapters.cedar.engine import Body, PolicySet, Schema, Sides, Verdict

_ACTIONS = ({"type": "Action", "id": "invoke"}, {"type": "Action", "id": "unattended"})
_OPEN = {"type": "Action", "id": "open"}


class CompiledEngine:
    """An `Engine` by cedarpy."""

    def __init__(self, schema: Schema) -> None:
        self._schema = cedarpy.Schema.from_str(schema.text)

    def read(self, statement: str) -> tuple[Body, bool]:
        """Return the form of one policy, and whether it is a template. Raises ValueError."""
        try:
            parsed = json.decode(cedarpy.policies_to_json_str(statement))
        except RecursionError as deep:
            raise ValueError("it is nested too deep to be read; split it into several rules") from deep
        (body,) = (parsed["staticPolicies"] or parsed["templates"]).values()
        return body, bool(parsed["templates"])

    def faults(self, statement: str, body: Body) -> Sequence[str]:
        """Return how a policy does not fit the schema."""
        del body
        return [error.error for error in cedarpy.validate_policies(statement, self._schema).errors]

    def load(self, bodies: Mapping[str, Body]) -> PolicySet:
        """Return policies by id, ready to be asked."""
        document = {"staticPolicies": bodies, "templates": {}, "templateLinks": []}
        return _Loaded(cedarpy.PolicySet.from_json_str(json.encode(document).decode()))


class _Loaded:
    def __init__(self, policies: cedarpy.PolicySet) -> None:
        self._policies = policies

    def ask(self, sides: Sides) -> tuple[Verdict, Verdict]:
        """Answer for both actions; attributes and context travel as text."""
        first, second = self._asked(sides, _ACTIONS)
        return _verdict(first), _verdict(second)

    def ask_once(self, sides: Sides) -> Verdict:
        """Answer for invoke alone."""
        return _verdict(*self._asked(sides, _ACTIONS[:1]))

    def ask_open(self, sides: Sides) -> Verdict:
        """Answer for opening a labelled value."""
        return _verdict(*self._asked(sides, (_OPEN,)))

    def _asked(self, sides: Sides, actions: Sequence[dict[str, str]]) -> list[cedarpy.AuthzResult]:
        agent, resource = _named(sides.principal), _named(sides.resource)
        parents = [_named(parent) for parent in sides.parents]
        entities = [{"uid": resource, "attrs": sides.attributes, "parents": parents}]
        if sides.principal_attributes:
            entities.append({"uid": agent, "attrs": sides.principal_attributes, "parents": []})
        said = {"principal": agent, "resource": resource, "context": json.encode(sides.context).decode()}
        questions = [{**said, "action": action} for action in actions]
        return cedarpy.is_authorized_batch(questions, self._policies, json.encode(entities).decode())


def _named(entity: tuple[str, str]) -> dict[str, str]:
    return {"type": entity[0], "id": entity[1]}


def _verdict(found: cedarpy.AuthzResult) -> Verdict:
    return Verdict(found.allowed, found.diagnostics.reasons, found.diagnostics.errors)
