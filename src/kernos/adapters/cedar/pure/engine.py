"""Engine: Cedar in Python alone, behind the same face as cedarpy."""

from collections.abc import Mapping, Sequence

from kernos.adapters.cedar.engine import Body, PolicySet, Schema, Sides, Verdict
from kernos.adapters.cedar.pure.checking import World, faults
from kernos.adapters.cedar.pure.evaluation import Entity, Facts, Policies, Question, value_of
from kernos.adapters.cedar.pure.text import read
from kernos.adapters.cedar.schema import ALWAYS_ATTRIBUTES, MODEL_TYPE, context_shape, opening_shape
from kernos.adapters.cedar.shape import Record
from kernos.vocabulary.outcome import Effect

_INVOKE, _UNATTENDED, _OPEN = (Entity("Action", name) for name in ("invoke", "unattended", "open"))


class PureEngine:
    """An `Engine` that needs nothing but Python."""

    def __init__(self, schema: Schema) -> None:
        tools = {tool.name: tool.attributes for tool in schema.tools.values()}
        resources = frozenset({*tools, MODEL_TYPE})
        self._world = World(
            attributes={**ALWAYS_ATTRIBUTES, "Effect": Record(), **tools},
            parents=dict.fromkeys(resources, "Effect"),
            ids={
                "Effect": frozenset(effect.value for effect in Effect),
                "Action": frozenset({_INVOKE.id, _UNATTENDED.id, _OPEN.id}),
            },
            principals=frozenset({"Agent"}),
            resources=resources,
            context=context_shape(schema.known),
            contexts={_OPEN.id: opening_shape(schema.known)},
        )

    def read(self, statement: str) -> tuple[Body, bool]:
        """Return the form of one policy, and whether it is a template. Raises Unreadable."""
        (found,) = read(statement)
        return found

    def faults(self, statement: str, body: Body) -> Sequence[str]:
        """Return how a policy does not fit the schema."""
        del statement
        return list(faults(body, self._world))

    def load(self, bodies: Mapping[str, Body]) -> PolicySet:
        """Return policies by id, each made into closures."""
        return _Loaded(Policies(bodies))


class _Loaded:
    def __init__(self, policies: Policies) -> None:
        self._policies = policies

    def ask(self, sides: Sides) -> tuple[Verdict, Verdict]:
        """Answer for both actions over one set of values."""
        invoke, unattended = self._asked(sides, (_INVOKE, _UNATTENDED))
        return invoke, unattended

    def ask_once(self, sides: Sides) -> Verdict:
        """Answer for invoke alone."""
        (invoke,) = self._asked(sides, (_INVOKE,))
        return invoke

    def ask_open(self, sides: Sides) -> Verdict:
        """Answer for opening a labelled value."""
        (opening,) = self._asked(sides, (_OPEN,))
        return opening

    def _asked(self, sides: Sides, actions: Sequence[Entity]) -> list[Verdict]:
        agent, resource = Entity(*sides.principal), Entity(*sides.resource)
        parents = frozenset(Entity(*parent) for parent in sides.parents)
        entities = {resource: Facts(value_of(sides.attributes), parents)}
        if sides.principal_attributes:
            entities[agent] = Facts(value_of(sides.principal_attributes))
        context = value_of(sides.context)
        return [self._ask(Question(agent, action, resource, context, entities)) for action in actions]

    def _ask(self, question: Question) -> Verdict:
        found = self._policies.ask(question)
        errors = [f"error while evaluating policy `{name}`: {why}" for name, why in found.errors]
        return Verdict(found.allowed, found.reasons, errors)
