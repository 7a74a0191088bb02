"""Table: at load, each operator and method over each pair of expressions is taken or refused in Python as in Cedar.

What an expression is known to be (always true, always false, either, or no truth at all) shows in what may stand beside it.
"""

import re
from collections.abc import Iterable
from itertools import product

import cedarpy
import pytest

from kernos.adapters.cedar.engine import Schema
from kernos.adapters.cedar.pure.engine import PureEngine
from kernos.adapters.cedar.schema import known_shapes, schema_text, tool_types
from kernos.vocabulary.circumstances import NOTHING_DECLARED
from tests.conformance.test_policy_checking import TOOLS

pytestmark = pytest.mark.slow

_TYPES = tool_types(TOOLS)
_KNOWN = known_shapes(NOTHING_DECLARED, TOOLS)
SCHEMA = Schema(_TYPES, _KNOWN, schema_text(_TYPES, _KNOWN))
CEDAR, PURE = cedarpy.Schema.from_str(SCHEMA.text), PureEngine(SCHEMA)
PORTION = 100

REFUND = "principal, action, resource is shop::refund"
TRUTHS = (
    *(
        "true",
        "false",
        "resource.urgent",
        "resource has note",
        "resource has amount",
        "resource has no",
        "principal is Agent",
    ),
    *(
        "principal is Model",
        'action == Action::"invoke"',
        'principal == Agent::"desk"',
        'principal in Agent::"desk"',
        "context.undo",
    ),
    *(
        'resource in Effect::"read"',
        "principal == resource",
        "resource.line has n",
        '"a" == "b"',
        "1 == 1",
        "!resource.urgent",
        "!true",
    ),
    *(
        'principal.hasTag("x")',
        "resource.tags.isEmpty()",
        "resource.amount > 1",
        "(resource has note && true)",
        "(resource has note || false)",
    ),
    *(
        "(resource has note && resource.line has n)",
        "(resource has note || resource.line has n)",
        "(if resource.urgent then true else false)",
    ),
    *(
        "(if true then resource has note else false)",
        "(if resource has note then resource.line has n else resource.line has n)",
    ),
)
VALUES = (
    *(
        "1",
        "-1",
        '"a"',
        "[1]",
        '["a"]',
        "[[1]]",
        "[true]",
        "[true, resource.urgent]",
        "[]",
        "{}",
        "{n: 1}",
        '{sku: "a"}',
        '{n: 1, sku: "a"}',
    ),
    *(
        '{sku: "a", n: resource.amount}',
        "{b: true}",
        "{type: 1, id: 2}",
        "principal",
        "action",
        "resource",
        "context",
        "[principal]",
        "[resource]",
        '[Agent::"desk", principal]',
    ),
    *(
        "resource.amount",
        "resource.note",
        "resource.tags",
        "resource.line",
        "resource.lines",
        "resource.line.sku",
        "resource.line.n",
        "resource.no",
    ),
    *(
        "principal.version",
        "context.depth",
        "context.roles",
        "context.no",
        'Agent::"desk"',
        'Effect::"read"',
        'Effect::"reed"',
        'Model::"small"',
    ),
    *(
        'Action::"invoke"',
        'Action::"no"',
        'Nobody::"x"',
        'ip("10.0.0.1")',
        'ip("x")',
        "ip(resource.note)",
        'decimal("1.0")',
        'decimal("1")',
    ),
    *(
        'datetime("2026-11-02")',
        'datetime("2026")',
        'duration("1h")',
        "ip()",
        'ip("1.1.1.1", "a")',
        "if resource.urgent then 1 else 2",
        "true",
    ),
)
SIGNS = ("==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "in")
METHODS = (
    "contains",
    "containsAll",
    "containsAny",
    "getTag",
    "hasTag",
    "isInRange",
    "offset",
    "lessThan",
    "durationSince",
)


def compare(conditions: Iterable[str], head: str = REFUND) -> None:
    """Check each condition by both engines."""
    compare_policies(f"permit ({head}) when {{ {one} }};" for one in conditions)


def compare_policies(texts: Iterable[str]) -> None:
    policies = list(texts)
    for begin in range(0, len(policies), PORTION):
        portion = policies[begin : begin + PORTION]
        errors = cedarpy.validate_policies("\n".join(portion), CEDAR).errors
        refused = {int(re.sub(r"\D", "", error.policy_id)) for error in errors}
        faulty = {n for n, text in enumerate(portion) if PURE.faults(text, PURE.read(text)[0])}
        assert faulty == refused, [portion[n] for n in faulty ^ refused]


@pytest.mark.parametrize("sign", SIGNS)
def test_a_sign_between_any_two_values(sign: str) -> None:
    compare(f"({one}) {sign} ({other}) == 1" for one, other in product(VALUES, VALUES) if sign in "+-*")
    compare(f"({one}) {sign} ({other})" for one, other in product(VALUES, VALUES) if sign not in "+-*")


@pytest.mark.parametrize("sign", ["==", "!=", "in"])
def test_whether_a_comparison_is_known_to_be_true_or_false(sign: str) -> None:
    compare(f'({one}) {sign} ({other}) {chain} "a"' for one, other in product(VALUES, VALUES) for chain in ("&&", "||"))


@pytest.mark.parametrize("method", METHODS)
def test_a_method_of_any_value_with_any_other(method: str) -> None:
    compare(
        f"({one}).{method}({other}) == 1" for one, other in product(VALUES, VALUES) if method in ("getTag", "offset")
    )
    compare(
        f"({one}).{method}({other})" for one, other in product(VALUES, VALUES) if method not in ("getTag", "offset")
    )


@pytest.mark.parametrize("chain", ["&&", "||"])
def test_what_a_truth_lets_stand_beside_it(chain: str) -> None:
    beside = (*TRUTHS, '"a"', 'resource.note == "a"', "resource.line.n == 1")
    compare(f"{one} {chain} {other}" for one, other in product(TRUTHS, beside))
    for last in ('"a"', 'resource.note == "a"', "resource.line.n == 1"):
        compare(f"({one} {chain} {other}) && {last}" for one, other in product(TRUTHS, TRUTHS))
        compare(f"({one} {chain} {other}) || {last}" for one, other in product(TRUTHS, TRUTHS))


def test_a_choice_between_values_of_any_kinds() -> None:
    values = (
        "1",
        "true",
        "false",
        '"a"',
        "resource.urgent",
        'resource.note == "a"',
        "resource.line.n == 1",
        "resource has note",
    )
    compare(f"if {asked} then {then} else {other}" for asked, then, other in product(TRUTHS, values, values))
    compare(
        f'(if {asked} then {then} else {other}) && resource.note == "a"'
        for asked, then, other in product(TRUTHS, TRUTHS[:8], TRUTHS[:8])
    )
    compare(f"if {one} then true else false" for one in VALUES)


def test_what_is_asked_of_one_value() -> None:
    asked = ("isEmpty", "isIpv4", "isLoopback", "toDate", "toTime", "toMilliseconds", "toDays")
    compare(f"({one}).{name}() == 1" for name, one in product(asked, VALUES))
    compare(f"({one}).{name}()" for name, one in product(asked, VALUES))
    compare(
        f"{sign}({one}) {rest}"
        for sign, one, rest in product(("!", "-"), (*VALUES, *TRUTHS), ("", "== 1", '&& "a"', '|| "a"'))
    )
    compare(f'({one}) like "a*" {rest}' for one, rest in product(VALUES, ("", '&& "a"', '|| "a"')))
    kinds = (
        "Agent",
        "Model",
        "Effect",
        "Nobody",
        "shop::refund",
        'Agent in Agent::"desk"',
        "Agent in resource",
        "Agent in 1",
        'shop::refund in Effect::"read"',
    )
    compare(f"({one}) is {kind} {rest}" for one, kind, rest in product(VALUES, kinds, ("", '&& "a"', '|| "a"')))
    compare(
        f"({one}) has {name} {rest}"
        for one, name, rest in product(
            VALUES, ("n", "sku", "note", "no", "version", "line.n"), ("", '&& "a"', '|| "a"')
        )
    )
    compare(
        f"({one}).{name} == {other}"
        for one, name, other in product(VALUES, ("n", "sku", "note", "no", "version"), ("1", '"a"'))
    )
    compare(f"({one}) has n && ({one}).n == 1" for one in VALUES)


def test_sets_and_records_of_several_kinds() -> None:
    compare(f"[{one}, {other}].isEmpty()" for one, other in product(VALUES, VALUES))
    compare(f"{{a: {one}}} == {{a: {other}}}" for one, other in product(VALUES, VALUES))
    compare(f"[{one}] == [{other}]" for one, other in product(VALUES, VALUES))
    compare(
        f"{left} == {right}"
        for left, right in product(
            ("{a: 1, b: true}", "{b: false, a: 2}", "{a: 1}", "{b: 1, a: true}", "{}", "context", "{a: {b: 1}}"),
            repeat=2,
        )
    )


def test_several_conditions_each_of_which_may_rely_on_those_before() -> None:
    uses = ('resource.note == "a"', "resource.line.n == 1", '"a"', "true")
    compare_policies(
        f"permit ({REFUND}) {kind} {{ {one} }} {other} {{ {use} }};"
        for kind, one, other, use in product(("when", "unless"), TRUTHS, ("when", "unless"), uses)
    )


def test_heads_and_what_is_known_under_them() -> None:
    principals = (
        "principal",
        'principal == Agent::"desk"',
        "principal is Agent",
        "principal is Model",
        'principal in Agent::"desk"',
        'principal == Model::"small"',
    )
    actions = (
        "action",
        'action == Action::"invoke"',
        'action == Action::"open"',
        'action in [Action::"invoke", Action::"open"]',
        "action in []",
        'action == Action::"no"',
    )
    resources = (
        *(
            "resource",
            "resource is shop::refund",
            "resource is mail",
            "resource is Model",
            "resource is Agent",
            'resource in Effect::"read"',
            'resource in Effect::"reed"',
        ),
        *(
            'resource is mail in Effect::"once"',
            'resource is mail in Agent::"desk"',
            'resource in Agent::"desk"',
            'resource == Model::"small"',
            'resource == mail::"x"',
        ),
    )
    bodies = (
        "true",
        "resource.amount == 1",
        'resource.amount == "a"',
        "context.depth > 0",
        'context.label == "a"',
        'action == Action::"open" && "a"',
        "resource has amount",
    )
    compare_policies(
        f"permit ({', '.join(head)}) when {{ {body} }};"
        for *head, body in product(principals, actions, resources, bodies)
    )
