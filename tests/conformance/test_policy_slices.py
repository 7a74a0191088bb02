"""Slices: leaving rules and attributes out and keeping answers changes nothing.

The reference asks Cedar about everything each time: the whole set as one text, all attributes, checked against the schema.
"""

import json
from typing import Any

import cedarpy
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kernos.adapters.cedar.policy import CedarPolicy
from kernos.vocabulary.contract import Codec, ToolContract
from kernos.vocabulary.errors import Bug
from kernos.vocabulary.gate import Answer, Request
from kernos.vocabulary.ids import PrincipalId, TenantId
from kernos.vocabulary.outcome import AttemptFailed, Effect
from kernos.vocabulary.quantities import Json

INPUT = {
    "type": "object",
    "properties": {
        "amount": {"type": "integer"},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "tags": {"type": "array", "items": {"type": "string"}},
        "line": {"type": "object", "properties": {"sku": {"type": "string"}, "n": {"type": "integer"}}},
        "rate": {"type": "number"},
    },
    "required": ["amount", "tags", "line", "rate"],
}
TOOLS = {"shop.refund": Effect.IDEMPOTENT, "shop.find": Effect.READ, "mail": Effect.ONCE}
AGENTS = ("desk", "clerk")
MODELS = ("small", "large")


def _unused(value: object) -> Json:
    message = f"no policy encodes {value!r}"
    raise Bug(message)


async def _never(args: Json, call: object) -> Json | AttemptFailed:
    message = f"no policy performs {args!r} ({call!r})"
    raise Bug(message)


CODEC = Codec("Input", _unused, _unused, Json(json.dumps(INPUT).encode()))
CONTRACTS: list[ToolContract[object, object]] = [
    ToolContract(name, effect, CODEC, CODEC, _never) for name, effect in TOOLS.items()
]

named = [f'principal {how} Agent::"{agent}"' for agent in AGENTS for how in ("==", "in", "is Agent in")]
principals = st.sampled_from(["principal", "principal is Agent", *named])
actions = st.sampled_from(
    [
        "action",
        'action == Action::"invoke"',
        'action == Action::"unattended"',
        'action in [Action::"invoke", Action::"unattended"]',
    ]
)
anywhere = [
    "resource",
    *(f'resource in Effect::"{effect}"' for effect in Effect),
    "resource is Model",
    *(f'resource == Model::"{model}"' for model in MODELS),
]
on_tools = [
    form
    for kind in ("shop::refund", "shop::find", "mail")
    for form in (f"resource is {kind}", *(f'resource is {kind} in Effect::"{e}"' for e in ("read", "once")))
]
general = [
    'principal.version == "2"',
    "context.depth > 1",
    "context.undo",
    "context.guest",
    'context.tenant like "t*" && context.on_behalf_of != "person:bo"',
    'principal in Agent::"desk"',
    'resource in [Effect::"read", Effect::"once"]',
    "context.depth + 9223372036854775807 > 0",
    'resource is Model && resource.task == "triage"',
    "true",
]
of_tools = [
    "resource.amount <= 50",
    'resource["amount"] - 9223372036854775807 < 0',
    'resource has note && resource.note like "x*"',
    'resource.tags.contains("a") || resource.tags.isEmpty()',
    "resource.line has n && resource.line.n > 1",
    'resource.line has sku && {"sku": resource.line.sku}.sku == "s"',
    "(if context.depth > 1 then resource else resource).amount == 50",
    "!(resource has note)",
]


@st.composite
def rules(draw: st.DrawFn) -> str:
    effect, who, what = draw(st.sampled_from(["permit", "permit", "forbid"])), draw(principals), draw(actions)
    narrow = draw(st.booleans())
    scope = draw(st.sampled_from(on_tools if narrow else anywhere))
    conditions = draw(st.lists(st.sampled_from(of_tools + general if narrow else general), max_size=2))
    words = [f"{draw(st.sampled_from(['when', 'unless']))} {{ {condition} }}" for condition in conditions]
    return f"{effect} ({who}, {what}, {scope}) {' '.join(words)};"


@st.composite
def requests(draw: st.DrawFn) -> list[Request]:
    """Several calls, many of them by one agent of one tool: kept answers must not reach from one to the other."""
    agents, tools = draw(st.permutations(AGENTS)), draw(st.permutations([*TOOLS, "model"]))
    count = draw(st.integers(1, 6))
    return [
        draw(calls(agents[draw(st.integers(0, 4)) // 4], tools[draw(st.integers(0, 4)) // 4])) for _ in range(count)
    ]


@st.composite
def calls(draw: st.DrawFn, agent: str, tool: str) -> Request:
    args: dict[str, Any]
    if tool == "model":
        args = {"model": draw(st.sampled_from(MODELS)), "task": draw(st.sampled_from(["triage", "draft"]))}
    else:
        args = {
            "amount": draw(st.sampled_from([0, 50, 51, -(2**63), 2**63 - 1])),
            "note": draw(st.sampled_from([None, "x1", "y"])),
            "tags": draw(st.sampled_from([[], ["a"], ["b", "b"]])),
            "line": draw(st.sampled_from([{}, {"sku": "s", "n": 2}, {"sku": "__entity"}])),
            "rate": 0.5,
        }
    return Request(
        agent=agent,
        agent_version=draw(st.sampled_from(["1", "2"])),
        on_behalf_of=PrincipalId(draw(st.sampled_from(["person:ana", "person:bo"]))),
        tenant=TenantId(draw(st.sampled_from(["t1", "u1"]))),
        tool=tool,
        effect=TOOLS.get(tool, Effect.READ),
        args=Json(json.dumps(args).encode()),
        depth=draw(st.integers(0, 2)),
        undo=draw(st.booleans()),
        guest=draw(st.booleans()),
    )


KNOWN: dict[str, object] = {
    "tool": "t", "digest": "d", "now_ms": 0, "hour": 0, "minute": 0, "weekday": "monday",
    "read_untrusted": False, "unvouched": [], "approvals": 0, "roles": [], "labels": [],
}  # fmt: skip
"""What the schema wants besides; no rule here asks about it."""


class Reference:
    """The whole set, asked in full each time."""

    def __init__(self, text: str, schema: str) -> None:
        self._set = cedarpy.PolicySet.from_str(text)
        self._schema = cedarpy.Schema.from_str(schema)

    def decide(self, request: Request) -> tuple[Answer, tuple[str, ...]]:
        args = json.loads(request.args.text)
        if request.tool == "model":
            resource, attributes, parents = {"type": "Model", "id": args["model"]}, {"task": args["task"]}, []
        else:
            resource = {"type": request.tool.replace(".", "::"), "id": "any"}
            attributes = {name: value for name, value in args.items() if value is not None and name != "rate"}
            parents = [{"type": "Effect", "id": request.effect.value}]
        agent = {"type": "Agent", "id": request.agent}
        entities: list[dict[Any, Any]] = [
            {"uid": resource, "attrs": attributes, "parents": parents},
            {"uid": agent, "attrs": {"version": request.agent_version}, "parents": []},
        ]
        context = {
            "on_behalf_of": request.on_behalf_of,
            "tenant": request.tenant,
            "depth": request.depth,
            "undo": request.undo,
            "guest": request.guest,
            **KNOWN,
        }
        asked = [
            {
                "principal": agent,
                "action": {"type": "Action", "id": action},
                "resource": resource,
                "context": context,
            }
            for action in ("invoke", "unattended")
        ]
        first, second = cedarpy.is_authorized_batch(asked, self._set, entities, self._schema)
        if first.diagnostics.errors or second.diagnostics.errors:
            return Answer.DENY, ()
        if not first.allowed:
            return Answer.DENY, tuple(sorted(first.diagnostics.reasons))
        grounds = tuple(sorted({*first.diagnostics.reasons, *second.diagnostics.reasons}))
        return (Answer.ALLOW if second.allowed else Answer.ASK), grounds


@settings(max_examples=200, deadline=None)
@given(st.lists(rules(), max_size=8), requests())
@example(["permit (principal, action, resource);"], [])
def test_the_answer_is_that_of_the_whole_set_asked_in_full(texts: list[str], asked: list[Request]) -> None:
    text = "\n".join(texts) or "// none"
    policies = [CedarPolicy(text, CONTRACTS, AGENTS, MODELS, engine=engine) for engine in ("cedarpy", "python")]
    reference = Reference("\n".join(texts), policies[0].schema_text())
    for request in [*asked, *asked]:  # The second time, some answers are kept ones.
        for policy in policies:
            decision = policy.decide(request)
            assert (decision.answer, decision.rules) == reference.decide(request), texts
