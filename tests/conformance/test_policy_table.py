"""Table: each operator, method and test over each pair of values gives in Python what it gives in Cedar, errors included.

Policies are asked in portions. Where an expression has a value that is no truth, the policy compares it with the value that the engine in
Python finds for it, so that Cedar says whether that is right.
"""

from collections.abc import Iterable
from itertools import product
from typing import Any

import pytest

from kernos.adapters.cedar.pure.evaluation import compiled
from kernos.adapters.cedar.pure.extensions import Datetime, Duration, Unevaluable
from kernos.adapters.cedar.pure.text import read
from tests.conformance.two_engines import asked, pure, question, told

pytestmark = pytest.mark.slow

CONTEXT: dict[str, Any] = {"s": "abc", "n": 5, "b": True, "r": {"a": 1, "b c": {"x": 1}}, "set": [1, 2, 2]}
OWN: dict[str, Any] = {"n": 1, "s": "a*b", "r": {"n": 2}}
PORTION = 100

PLAIN = (
    *("0", "1", "-1", "9223372036854775807", "-9223372036854775808", "context.n", "resource.n"),
    *('""', '"a"', "context.s", "true", "false", "context.b"),
    *(
        "[]",
        "[1]",
        "[true]",
        '["a", 1]',
        "context.set",
        "[principal]",
        "{}",
        "{n: 1}",
        "{n: true}",
        "resource.r",
        "context.r",
    ),
    *("principal", "resource", 'Effect::"read"', 'T::"no"', '[resource, Effect::"read"]', "context.no", 'T::"no".n'),
    *('decimal("1.0")', 'ip("10.0.0.1")', 'datetime("2026-11-02")', 'duration("1h")'),
)
NUMBERS = (
    "-9223372036854775808",
    "-9223372036854775807",
    "-3",
    "-1",
    "0",
    "1",
    "2",
    "3037000500",
    "9223372036854775806",
    "9223372036854775807",
)
DECIMALS = (
    *(
        "0.0",
        "1.0",
        "1.00",
        "-1.0",
        "0.0001",
        "-0.0001",
        "1.23456",
        "922337203685477.5807",
        "922337203685477.5808",
        "-922337203685477.5808",
    ),
    *(
        "-922337203685477.5809",
        "00000000000000000000001.0",
        "12345678901234567890.0",
        "1",
        "1.",
        ".1",
        "+1.0",
        "1.0 ",
        "--1.0",
        "",
    ),
)
ADDRESSES = (
    *(
        "10.0.0.1",
        "10.0.0.0/8",
        "10.0.0.0/31",
        "10.0.0.1/32",
        "10.0.0.1/33",
        "127.0.0.1",
        "127.255.255.255/8",
        "127.0.0.0/7",
        "126.0.0.1",
    ),
    *(
        "128.0.0.1",
        "224.0.0.0",
        "224.0.0.0/4",
        "224.0.0.0/3",
        "239.255.255.255",
        "240.0.0.0",
        "0.0.0.0/0",
        "::/0",
        "::1",
        "::1/127",
        "::2",
    ),
    *(
        "ff00::/8",
        "ff00::/7",
        "fe00::",
        "ff00::1",
        "::ffff:7f00:1",
        "::/128",
        "::1/129",
        "1.1.1.1/08",
        "1.1.1.1/",
        "1.1.1.1/x",
        "::1%1",
    ),
    *("::ffff:1.2.3.4", "010.0.0.1", "10.0.0", "10.0.0.256", "", "/8", "1:2:3:4:5:6:7:8", "10.0.0.1/100", "::1/1000"),
)
DATETIMES = (
    *(
        "1970-01-01",
        "2026-11-02",
        "2024-02-29",
        "2023-02-29",
        "2024-02-30",
        "0000-01-01",
        "0000-02-29",
        "9999-12-31T23:59:59.999Z",
    ),
    *(
        "1969-12-31T23:59:59.999Z",
        "2026-11-02T08:30:05Z",
        "2026-11-02T08:30:05.007Z",
        "2026-11-02T23:59:59Z",
        "2026-11-02T24:00:00Z",
    ),
    *(
        "2026-11-02T00:60:00Z",
        "2026-11-02T00:00:60Z",
        "2026-11-02T10:00:00+0130",
        "2026-11-02T10:00:00-0130",
        "2026-11-02T10:00:00+2359",
    ),
    *(
        "2026-11-02T10:00:00+2400",
        "2026-11-02T10:00:00-0060",
        "2026-11-02T10:00:00",
        "2026-11-02T10:00:00.1Z",
        "2026-13-01",
        "2026-00-01",
        "2026",
        "",
    ),
)
DURATIONS = (
    *(
        "0ms",
        "1ms",
        "999ms",
        "1s",
        "59s",
        "1m",
        "1h",
        "1d",
        "25h",
        "-1ms",
        "-1s",
        "-1d2h3m4s5ms",
        "1d2h3m4s5ms",
        "1s1m",
        "1h1h",
        "-",
        "",
        "1",
    ),
    *(
        "9223372036854775807ms",
        "9223372036854775808ms",
        "-9223372036854775808ms",
        "-9223372036854775809ms",
        "106751991167d",
        "106751991168d",
    ),
    *("99999999999999999999ms", "999999999999999999999ms", "00000000000000000000001ms", "+1s", "1 s"),
)
SIGNS = ("==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "&&", "||", "in")
METHODS = (
    "contains",
    "containsAll",
    "containsAny",
    "getTag",
    "hasTag",
    "lessThan",
    "isInRange",
    "offset",
    "durationSince",
)
ASKED = (
    *(
        "isEmpty",
        "isIpv4",
        "isIpv6",
        "isLoopback",
        "isMulticast",
        "toDate",
        "toTime",
        "toMilliseconds",
        "toSeconds",
        "toMinutes",
        "toHours",
    ),
    "toDays",
)


def compare(expressions: Iterable[str]) -> None:
    """Ask both engines for the value of each expression."""
    policies = [f"permit (principal, action, resource) when {{ {_truth(one)} }};" for one in expressions]
    for begin in range(0, len(policies), PORTION):
        portion = policies[begin : begin + PORTION]
        found, wanted = told(pure("\n".join(portion), CONTEXT, OWN)), asked("\n".join(portion), CONTEXT, OWN)
        differing = {name for one, other in zip(found[1:], wanted[1:], strict=True) for name in {*one} ^ {*other}}
        assert not differing, [portion[int(name.removeprefix("policy"))] for name in differing]
        assert found[0] == wanted[0]


def _truth(expression: str) -> str:
    ((form, _),) = read(f"permit (principal, action, resource) when {{ {expression} }};")
    try:
        value = compiled(form["conditions"][0]["body"])(question(CONTEXT, OWN))
    except Unevaluable:
        return expression
    match value:
        case bool():
            return expression
        case int():
            return f"({expression}) == {value}"
        case str():
            return f'({expression}) == "{value}"'
        case Duration(ms):
            return f'({expression}) == duration("{ms}ms")'
        case Datetime(ms):
            return f'({expression}) == datetime("1970-01-01").offset(duration("{ms}ms"))'
        case _:
            return f"({expression}) == ({expression})"


def made(kind: str, texts: Iterable[str]) -> list[str]:
    return [f'{kind}("{text}")' for text in texts]


@pytest.mark.parametrize("sign", SIGNS)
def test_a_sign_between_any_two_values(sign: str) -> None:
    compare(f"{one} {sign} {other}" for one, other in product(PLAIN, PLAIN))


@pytest.mark.parametrize("method", METHODS)
def test_a_method_of_any_value_with_any_other(method: str) -> None:
    compare(f"({one}).{method}({other})" for one, other in product(PLAIN, PLAIN))


def test_numbers_to_the_ends_of_64_bits() -> None:
    compare(f"{one} {sign} {other}" for sign in SIGNS[:9] for one, other in product(NUMBERS, NUMBERS))
    compare(f"-({one})" for one in (*NUMBERS, *PLAIN))
    compare(
        f"{sign}{one}"
        for sign in ("!", "!!", "--", "---", "----")
        for one in ("1", "true", "context.n", "context.b", '"a"')
    )


def test_what_is_asked_of_a_value_alone() -> None:
    compare(f"({one}).{name}()" for name in ASKED for one in PLAIN)
    compare(f"({one}).{name}(1)" for name in ASKED[1:] for one in PLAIN[-4:])


def test_decimals_are_read_and_compared_alike() -> None:
    compare(f"{one} == {one}" for one in made("decimal", DECIMALS))
    names = ("lessThan", "lessThanOrEqual", "greaterThan", "greaterThanOrEqual")
    good = made("decimal", [text for text in DECIMALS if "." in text][:10])
    compare(f"{one}.{name}({other})" for name in names for one, other in product(good, good))
    compare(f"{one} {sign} {other}" for sign in ("==", "!=", "<") for one, other in product(good, good))


def test_addresses_are_read_and_compared_alike() -> None:
    compare(f"{one}.{name}()" for name in ASKED[1:5] for one in made("ip", ADDRESSES))
    some = made("ip", ADDRESSES[:30])
    compare(f"{one}.isInRange({other})" for one, other in product(some, some))
    compare(f"{one} == {other}" for one, other in product(some, some))


def test_points_in_time_are_read_and_compared_alike() -> None:
    compare(f"{one}.{name}()" for name in ("toDate", "toTime") for one in made("datetime", DATETIMES))
    some = made("datetime", DATETIMES[:17])
    compare(f"{one} {sign} {other}" for sign in ("==", "<", "<=", ">", ">=") for one, other in product(some, some))
    compare(f"{one}.durationSince({other})" for one, other in product(some, some))
    compare(f"{one}.offset({other})" for one, other in product(some, made("duration", DURATIONS)))


def test_lengths_of_time_are_read_and_compared_alike() -> None:
    compare(f"{one}.{name}()" for name in ASKED[7:] for one in made("duration", DURATIONS))
    compare(
        f"{one} {sign} {other}"
        for sign in ("==", "<", "<=", ">", ">=")
        for one, other in product(made("duration", DURATIONS[:14]), repeat=2)
    )


def test_attributes_tests_of_kinds_and_choices_of_any_value() -> None:
    compare(f"({one}) has {name}" for name in ("n", "no", "r.n", "r.no.n", '"b c"', '""') for one in PLAIN)
    compare(f"({one}).{name}" for name in ("n", "no", "r") for one in PLAIN)
    compare(f'({one})["b c"]' for one in PLAIN)
    kinds = (
        "T",
        "Agent",
        "Effect",
        'T in Effect::"read"',
        'T in Effect::"once"',
        'T in [T::"x", Effect::"read"]',
        "T in 1",
        'T in ["a"]',
    )
    compare(f"({one}) is {kind}" for kind in kinds for one in PLAIN)
    compare(f"(if {one} then {other} else 2) == 1" for one, other in product(PLAIN, ("1", "2", "context.no")))
    compare(f"(if {one} then 2 else context.no) == 2" for one in PLAIN)


def test_patterns_over_texts() -> None:
    patterns = (
        "",
        "*",
        "a",
        "a*",
        "*a",
        "*a*",
        "a*a",
        "ab*ba",
        "*ab*ab*",
        "a*b*c",
        "**",
        "\\*",
        "a\\**",
        "*\\**",
        "\\u{61}*",
        "\\x2a",
        "*b*b",
    )
    texts = (
        "",
        "a",
        "aa",
        "ab",
        "ba",
        "aba",
        "abab",
        "abba",
        "abc",
        "aXbYc",
        "*",
        "a*",
        "a*b",
        "bb",
        "b",
        "ababab",
        "aab",
    )
    compare(f'"{text}" like "{one}"' for text, one in product(texts, patterns))
    compare(f'({one}) like "*"' for one in PLAIN)


def test_heads_over_principals_actions_and_resources() -> None:
    principals = (
        "principal",
        'principal == Agent::"a"',
        'principal == Agent::"b"',
        "principal is Agent",
        "principal is T",
        'principal in Agent::"a"',
    )
    actions = (
        "action",
        'action == Action::"x"',
        'action in [Action::"y", Action::"x"]',
        'action in [Action::"y"]',
        "action in []",
        'action in Action::"x"',
    )
    resources = (
        *(
            "resource",
            'resource == T::"r"',
            'resource == T::"q"',
            'resource in Effect::"read"',
            'resource in Effect::"once"',
            "resource is T",
        ),
        *(
            "resource is Agent",
            'resource is T in Effect::"read"',
            'resource is T in Effect::"once"',
            'resource is Agent in Effect::"read"',
            'resource in T::"r"',
        ),
    )
    for effect in ("permit", "forbid"):
        for one in product(principals, actions, resources):
            text = f"{effect} ({', '.join(one)});"
            assert told(pure(text, CONTEXT, OWN)) == asked(text, CONTEXT, OWN), text
