"""Checking: both engines take and refuse the same policies at load, over generated conditions that fit the schema or nearly do."""

import json
import os
import subprocess
import sys

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kernos.adapters.cedar.policy import CedarPolicy
from kernos.vocabulary.contract import Codec, ToolContract
from kernos.vocabulary.errors import BadConfiguration, Bug
from kernos.vocabulary.outcome import AttemptFailed, Effect
from kernos.vocabulary.policies import BadPolicies
from kernos.vocabulary.quantities import Json

EXAMPLES = 5_000 if os.environ.get("KERNOS_NIGHTLY") else 300
LINE = {"type": "object", "properties": {"sku": {"type": "string"}, "n": {"type": "integer"}}, "required": ["sku"]}
INPUT = {
    "type": "object",
    "properties": {
        "amount": {"type": "integer"},
        "note": {"type": "string"},
        "urgent": {"type": "boolean"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "line": LINE,
        "lines": {"type": "array", "items": LINE},
    },
    "required": ["amount", "tags", "line", "urgent"],
}


def _unused(value: object) -> Json:
    message = f"no policy encodes {value!r}"
    raise Bug(message)


async def _never(args: Json, call: object) -> Json | AttemptFailed:
    message = f"no policy performs {args!r} ({call!r})"
    raise Bug(message)


CODEC = Codec("Input", _unused, _unused, Json(json.dumps(INPUT).encode()))
OTHER = Codec("Other", _unused, _unused, Json(b'{"type":"object","properties":{"amount":{"type":"string"}}}'))
TOOLS: list[ToolContract[object, object]] = [
    ToolContract("shop.refund", Effect.IDEMPOTENT, CODEC, CODEC, _never),
    ToolContract("mail", Effect.ONCE, OTHER, OTHER, _never),
]
leaves = st.sampled_from(
    [
        *("1", '"a"', "true", "false", "[]", "{}", "[1]", '["a"]', '{sku: "a"}', '{sku: "a", n: 1}', "{amount: 1}"),
        *(
            "principal",
            "action",
            "resource",
            "context",
            "principal.version",
            "context.depth",
            "context.undo",
            "context.roles",
        ),
        *(
            "resource.amount",
            "resource.note",
            "resource.urgent",
            "resource.tags",
            "resource.line",
            "resource.lines",
            "resource.line.n",
        ),
        *(
            "resource.line.sku",
            "resource.no",
            'Agent::"desk"',
            'Effect::"read"',
            'Effect::"once"',
            'Action::"invoke"',
            'Model::"small"',
        ),
        *(
            'Action::"unattended"',
            'ip("10.0.0.1")',
            'decimal("1.0")',
            'decimal("1")',
            'datetime("2026-11-02")',
            'duration("1h")',
            "ip()",
        ),
        *(
            'ip("x")',
            "context.no",
            'Nobody::"x"',
            'Effect::"reed"',
            'Action::"no"',
            "ip(resource.note)",
            "context.tenant",
        ),
    ]
)
guards = st.sampled_from(
    [
        "resource has note",
        "resource.line has n",
        "resource has line.n",
        "resource has amount",
        "resource has no",
        "resource is mail",
        "context has roles",
        "resource has lines",
        'action == Action::"invoke"',
        "principal is Model",
        "resource is shop::refund",
        "principal has version",
        'resource in Effect::"once"',
        'principal in Agent::"desk"',
        'action in [Action::"invoke"]',
        "resource.urgent",
        "resource.amount > 1",
        'principal.hasTag("x")',
        '"a" has b',
        "resource.tags.isEmpty()",
    ]
)


def _grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from(["==", "!=", "<", ">=", "+", "*", "in"]), inner),
        st.builds("({} {} {})".format, guards, st.sampled_from(["&&", "||"]), inner),
        st.builds("({} {} {})".format, inner, st.sampled_from(["&&", "||"]), guards),
        st.builds("({} {} {})".format, inner, st.sampled_from(["&&", "||"]), inner),
        st.builds("(if {} then {} else {})".format, guards, inner, inner),
        st.builds(
            "({}).{}({})".format,
            inner,
            st.sampled_from(["contains", "containsAll", "containsAny", "getTag", "isInRange", "offset"]),
            inner,
        ),
        st.builds("({}).{}()".format, inner, st.sampled_from(["isEmpty", "isIpv4", "toTime", "toDays"])),
        st.builds("[{}, {}]".format, inner, inner),
        st.builds("{{sku: {}}}".format, inner),
        st.builds(
            "({} {})".format,
            inner,
            st.sampled_from(['like "a*"', "is Agent", 'is Agent in Agent::"desk"', "has n", "has version"]),
        ),
        st.builds("!{}".format, guards),
        st.builds("-{}".format, inner),
    )


fitting = st.recursive(
    st.one_of(
        guards,
        st.sampled_from(
            [
                'resource.note == "a"',
                "resource.line.n == 1",
                "resource.amount > 1",
                'resource.tags.contains("a")',
                "context.depth > 0",
                'resource.lines.contains({sku: "a"})',
                'resource.amount == "a"',
                'resource.line == {sku: "a"}',
                "resource.urgent == true",
            ]
        ),
    ),
    lambda inner: st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from(["&&", "&&", "||"]), inner),
        st.builds("(if {} then {} else {})".format, inner, inner, inner),
        st.builds("!{}".format, inner),
        st.builds("({} {} {})".format, inner, st.sampled_from(["==", "!="]), inner),
    ),
    max_leaves=5,
)
conditions = st.one_of(fitting, st.recursive(leaves, _grown, max_leaves=4))
clauses = st.lists(
    st.builds("{} {{ {} }}".format, st.sampled_from(["when", "unless"]), conditions), min_size=1, max_size=2
)
scopes = st.builds(
    "{}, {}, {}".format,
    st.sampled_from(
        ["principal", "principal", 'principal == Agent::"desk"', "principal is Agent", "principal is Model"]
    ),
    st.sampled_from(["action", "action", 'action == Action::"invoke"', 'action in [Action::"invoke"]', "action in []"]),
    st.sampled_from(
        ["resource is shop::refund", "resource is shop::refund", "resource is mail", "resource", "resource is Model"]
    )
    | st.sampled_from(
        ['resource in Effect::"read"', 'resource in Effect::"reed"', "resource is Agent", 'resource in Agent::"desk"']
    ),
)


NEARLY = [
    'Effect::"once" == resource && "a"', "principal == resource || true", 'resource != Effect::"once" || "a"', '1 == "a" && "x"',
    '-1 == 1 && "a"', '-(1) == 2 && "a"', 'action == Agent::"desk"', "principal in resource", 'Effect::"once" in resource && "a"',
    'Agent::"desk" in Agent::"desk" || "x"', "action in [resource]", 'action in [Action::"invoke", principal]', "[principal] == [resource]",
    "{a: principal} == {a: resource}", "(if resource.urgent then principal else resource) == principal", "resource.line == resource",
    'resource.urgent == "a"', 'true == "a"', "[1, true].isEmpty()", "resource.tags.contains(1)", "context == context", "[true].contains(false)",
    '{sku: "a", n: 1} == {n: 2, sku: "b"}', "[[1]].contains([2])", '(if true then 1 else "a") == 1', '(if false then 1 else "a") == 1',
    "context has sale", "resource.amount.isEmpty()", "1 is Agent", "1 in principal", "principal in 1", '1.hasTag("a")', "1 has a",
    'principal.hasTag("a") && principal.getTag("a") == 1', 'principal.getTag("a") == 1', 'principal is Agent in Effect::"once"',
    'false || resource has note && resource.note == "a"', '(resource has note || false) && resource.note == "a"',
    'resource has note && resource has note && "a"', 'decimal(resource.note) == decimal("1.0")', "action.x == 1", "action has x || true",
    'principal in Model::"small"', 'principal in Model::"small" && "a"', 'principal in Model::"small" || "a"', 'Agent::"desk" in [Model::"small"] && 1',
]  # fmt: skip


@pytest.mark.parametrize("condition", NEARLY)
def test_both_engines_agree_about_conditions_at_the_edge(condition: str) -> None:
    text = f"permit (principal, action, resource is shop::refund) when {{ {condition} }};"
    assert bool(told(text, "cedarpy")) is bool(told(text, "python")), told(text, "cedarpy")


def told(text: str, engine: str) -> str:
    """Return why an engine refuses a policy; nothing where it takes it."""
    try:
        CedarPolicy(text, TOOLS, ["desk"], ["small"], engine=engine)
    except BadConfiguration as refused:
        return str(refused)
    return ""


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.builds("permit ({}) {};".format, scopes, clauses.map(" ".join)))
@example('permit (principal, action, resource is shop::refund) when { !(resource has note) || resource.note == "a" };')
def test_both_engines_take_and_refuse_the_same_policies(text: str) -> None:
    compiled, pure = told(text, "cedarpy"), told(text, "python")
    assert bool(compiled) is bool(pure), f"{text}\n  cedarpy: {compiled}\n  python: {pure}"


@pytest.mark.parametrize(("engine", "column"), [("cedarpy", 28), ("python", 25)])
def test_a_syntax_error_is_told_with_its_line_and_column(engine: str, column: int) -> None:
    text = "// head\npermit (principal, action, resource)\nwhen { context.depth is 1 };"
    with pytest.raises(BadPolicies) as caught:
        CedarPolicy(text, TOOLS, [], [], engine=engine)
    (fault,) = caught.value.faults
    assert (fault.place.line, fault.place.column) == (3, column)


ALONE = """
import sys
sys.modules["cedarpy"] = None  # As where it is not installed.
from kernos.adapters.cedar.policy import CedarPolicy
from kernos.vocabulary.errors import BadConfiguration
print(len(CedarPolicy({}, [], [], []).digest()))
try:
    CedarPolicy("permit (principal, action, resource is shop::refund);", [], [], [])
except BadConfiguration as refused:
    print("unrecognized entity type" in str(refused))
"""


def test_without_cedarpy_policies_are_loaded_and_checked_all_the_same() -> None:
    found = subprocess.run([sys.executable, "-c", ALONE], capture_output=True, text=True, check=True, timeout=60)
    assert found.stdout.split() == ["64", "True"]
