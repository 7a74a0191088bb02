"""Pure: Cedar in Python reads, refuses and answers as cedarpy does, over generated policies, entities and contexts.

Compared are the form that a text is read into, the decision, the policies that determined it, and those that could not be evaluated.
"""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kernos.adapters.cedar.pure.text import read
from kernos.adapters.cedar.pure.tokens import Unreadable
from tests.conformance.two_engines import asked, cedar_forms, pure, pure_forms, told

EXAMPLES = 5_000 if os.environ.get("KERNOS_NIGHTLY") else 300

longs = st.sampled_from(
    ["0", "1", "2", "-1", "- 3", "9223372036854775807", "-9223372036854775808", "context.n", "resource.n"]
)
strings = st.sampled_from(['""', '"a"', '"ab*c"', '"\\u{e9}\\n\\x41"', "context.s", "resource.s", 'resource["b c"]'])
entities = st.sampled_from(
    [
        "principal",
        "resource",
        "action",
        'Agent::"a"',
        'T::"r"',
        'Effect::"read"',
        'Effect::"once"',
        'a::b::"x"',
        "resource.e",
    ]
)
extended = st.sampled_from(
    [
        *(
            f'decimal("{text}")'
            for text in ("1.0", "1.00", "-0.5", "1", "922337203685477.5807", "922337203685477.5808", "0.00001")
        ),
        *(f'decimal("{text}")' for text in ("-922337203685477.5808", "99999999999999999999999.1", ".5", "+1.0")),
        *(
            f'ip("{text}")'
            for text in ("10.0.0.1", "10.0.0.0/8", "127.0.0.1", "127.0.0.0/7", "::1", "::1/128", "ff00::/8")
        ),
        *(
            f'ip("{text}")'
            for text in ("224.0.0.1/3", "224.0.0.1", "::ffff:1.2.3.4", "010.0.0.1", "1.1.1.1/08", "fe80::1%1")
        ),
        *(f'ip("{text}")' for text in ("1.1.1.1/33", "::/0", "0.0.0.0/0", "1.1.1.1/", "::ffff:7f00:1", "::1/129", "")),
        *(
            f'datetime("{text}")'
            for text in ("2026-11-02", "1969-12-31T23:59:59.999Z", "0000-01-01", "9999-12-31T23:59:59-2359")
        ),
        *(
            f'datetime("{text}")'
            for text in ("2024-02-30", "2024-02-29", "2026-11-02T00:00:00+0100", "2026-11-02T24:00:00Z")
        ),
        *(
            f'datetime("{text}")'
            for text in ("2026-11-02T00:00:60Z", "2026-11-02T00:00:00.1Z", "2026-11-02T00:00:00", "2026")
        ),
        *(
            f'duration("{text}")'
            for text in ("1h", "-1d2h3m4s5ms", "1ms", "", "-", "1s1m", "106751991167d", "106751991168d")
        ),
        *(
            f'duration("{text}")'
            for text in ("9223372036854775807ms", "-9223372036854775808ms", "99999999999999999999999s", "1")
        ),
    ]
)
leaves = st.one_of(
    longs,
    strings,
    entities,
    extended,
    st.sampled_from(["true", "false", "[]", "{}", "context", "context.no", 'T::"no".n']),
)
METHODS = [
    "contains",
    "containsAll",
    "containsAny",
    "getTag",
    "hasTag",
    "lessThan",
    "lessThanOrEqual",
    "greaterThan",
    "greaterThanOrEqual",
    "isInRange",
    "offset",
    "durationSince",
]
ASKED = [
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
    "toDays",
]


def _grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    signs = st.sampled_from(["==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "&&", "||", "in"])
    names = st.sampled_from(["n", "s", "e", "r.n", "r.r.n", "no", '"b c"'])
    return st.one_of(
        st.builds("({} {} {})".format, inner, signs, inner),
        st.builds("({}).{}({})".format, inner, st.sampled_from(METHODS), inner),
        st.builds("({}).{}()".format, inner, st.sampled_from(ASKED)),
        st.builds("(if {} then {} else {})".format, inner, inner, inner),
        st.builds("({} has {})".format, inner, names),
        st.builds("({} like {})".format, inner, st.sampled_from(['"a*"', '"*b*c"', '"a\\*"', '"*"', '"a*a"'])),
        st.builds(
            "({} is {})".format, inner, st.sampled_from(["Agent", "T", "a::b", 'T in T::"r"', 'T in [Effect::"read"]'])
        ),
        st.builds("({}).{}".format, inner, st.sampled_from(["n", "s", "r", "no"])),
        st.builds("{}({})".format, st.sampled_from(["!", "!!", "-", "--"]), inner),
        st.builds("[{}, {}]".format, inner, inner),
        st.builds('{{n: {}, "b c": {}}}'.format, inner, inner),
        st.builds("{}({})".format, st.sampled_from(["ip", "decimal", "datetime", "duration"]), inner),
        st.builds("ip({}, {})".format, inner, inner),
    )


booleans = st.sampled_from(
    ["context.b", "true", "false", "resource.n > 1", "principal has s", 'resource in Effect::"read"']
)
# Expressions of fitting types: most of those made without types end in an error.
fitting = st.recursive(
    st.one_of(
        booleans,
        st.builds("{} {} {}".format, longs, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), longs),
        st.builds("{} + {} * {} == {}".format, longs, longs, longs, longs),
        st.builds("{} == {}".format, strings, strings),
        st.builds("{} in [{}, {}]".format, entities, entities, entities),
        st.builds("[{}, {}].contains({})".format, leaves, leaves, leaves),
        st.builds("[{}, {}].containsAny([{}])".format, leaves, leaves, leaves),
        st.builds("[{}, {}].containsAll([{}])".format, leaves, leaves, leaves),
        st.builds("resource.hasTag({}) && resource.getTag({}) == {}".format, strings, strings, leaves),
        st.builds("{}.{}({})".format, extended, st.sampled_from(METHODS[5:]), extended),
        st.builds("{}.{}() == {}".format, extended, st.sampled_from(ASKED[1:]), st.one_of(longs, extended)),
        st.builds("{} {} {}".format, extended, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), extended),
    ),
    lambda inner: st.one_of(
        st.builds("({}) {} ({})".format, inner, st.sampled_from(["&&", "||", "==", "!="]), inner),
        st.builds("!({})".format, inner),
        st.builds("(if {} then {} else {})".format, inner, inner, inner),
    ),
    max_leaves=6,
)
expressions = st.one_of(fitting, st.recursive(leaves, _grown, max_leaves=6))
scopes = st.tuples(
    st.sampled_from(
        [
            "principal",
            'principal == Agent::"a"',
            "principal is Agent",
            'principal in Agent::"z"',
            'principal is T in T::"r"',
        ]
    ),
    st.sampled_from(
        [
            "action",
            'action == Action::"x"',
            'action in [Action::"x", Action::"y"]',
            'action in Action::"y"',
            "action in []",
        ]
    ),
    st.sampled_from(
        [
            "resource",
            'resource in Effect::"read"',
            "resource is T",
            'resource is T in Effect::"once"',
            'resource == T::"r"',
        ]
    ),
)
conditions = st.builds("{} {{ {} }}".format, st.sampled_from(["when", "unless"]), expressions)
policies = st.builds(
    "{} ({}) {};".format,
    st.sampled_from(["permit", "permit", "forbid"]),
    scopes.map(", ".join),
    st.lists(conditions, max_size=2).map("\n".join),
)
records = st.fixed_dictionaries(
    {"n": st.integers(-3, 3)}, optional={"r": st.fixed_dictionaries({"n": st.integers(0, 1)})}
)
contexts = st.fixed_dictionaries(
    {"n": st.sampled_from([0, 1, 2**63 - 1, -(2**63)]), "b": st.booleans()},
    optional={
        "s": st.sampled_from(["", "a", "abc", "1.0", "ab*c"]),
        "r": records,
        "set": st.lists(st.sampled_from([1, True, "a", 0])),
    },
)
attributes = st.fixed_dictionaries(
    {}, optional={"n": st.integers(-2, 2), "s": st.text(max_size=3), "b c": st.just("a"), "r": records}
)


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.lists(policies, min_size=1, max_size=4).map("\n".join), contexts, attributes)
@example(
    'permit (principal, action, resource) when { datetime("9999-12-31") > datetime("0000-02-29T23:59:59.999-2359") };',
    {},
    {},
)
@example('permit (principal, action, resource) when { [1].contains(true) || {a: 1} != {"a": true} };', {}, {})
def test_decision_grounds_and_errors_are_those_of_cedar(
    text: str, context: dict[str, Any], attrs: dict[str, Any]
) -> None:
    assert pure_forms(text) == (cedar_forms(text), 0)
    assert told(pure(text, context, attrs)) == asked(text, context, attrs), text


PIECES = [
    "permit", "forbid", "(", ")", "principal", "action", "resource", "context", ",", ";", "when", "unless", "{", "}", "==", "in", "is",
    "has", "like", "if", "then", "else", "true", "1", "-", "!", "!!!!!", '"a"', '"\\q"', '"a*\\*"', '"', "//", "\n", "\r", "::", ":", ".",
    "@", "@id", "?principal", "?resource", "A", "A::B", 'A::"b"', 'Action::"x"', "[", "]", "+", "*", "&&", "||", "<", ">=", "!=", "é", "\\",
    "ip", "contains", ".isEmpty()", "9223372036854775808", "__cedar", "=", "/", "%", "|", "&", "\u2003", "\x1f", "\0", "'",
]  # fmt: skip


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """A policy with one to three places left out, doubled or replaced."""
    text = draw(policies)
    for _ in range(draw(st.integers(1, 3))):
        parts = re.findall(r'\w+|"[^"]*"|::|[=!<>&|]+|\s+|.', text)
        place = draw(st.integers(0, len(parts)))
        parts[place : place + draw(st.integers(0, 1))] = draw(st.lists(st.sampled_from(PIECES), max_size=2))
        text = "".join(parts)
    return text


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.one_of(damaged(), st.lists(st.sampled_from(PIECES)).map(" ".join), st.text()))
def test_what_cedar_refuses_is_refused_and_the_rest_read_alike(text: str) -> None:
    found, offset = pure_forms(text)
    assert 0 <= offset <= len(text)
    assert cedar_forms(text) == found, text


@given(st.binary())
def test_bytes_are_read_or_refused_and_never_raise_anything_else(raw: bytes) -> None:
    _, offset = pure_forms(raw.decode("latin-1"))
    assert 0 <= offset <= len(raw)


@pytest.mark.parametrize(
    ("body", "told", "at"),
    [
        ("x", "there is no variable `x`", "x"),
        ("context.foo(1)", "`foo` is no method", "foo"),
        ("foo(1)", "`foo` is no function", "foo"),
        ("1 < 2 < 3", "into parentheses", "< 3"),
        ("!!!!!true", "at most 4", "!!!!!"),
        ('"\\q" == ""', "no valid escape", "\\q"),
        ("context has if", "reserved", "if"),
        ("9223372036854775808 > 1", "64 bits", "922"),
        ("{a: 1, a: 2} == {}", "twice", "a: 2"),
        ("[1].contains()", "takes 1 arguments", "contains"),
        ("'a' == 1", "no part of Cedar", "'a"),
        ('"a == 1', "not closed", '"a ='),
        ("(" * 41 + "true" + ")" * 41, "nest more than 40", "(true"),
    ],
)
def test_a_fault_is_told_with_its_place(body: str, told: str, at: str) -> None:
    text = f"permit (principal, action, resource)\nwhen {{ {body} }};"
    with pytest.raises(Unreadable, match=re.escape(told)) as caught:
        read(text)
    assert text[caught.value.offset :].startswith(at)


def test_operators_that_stand_too_many_above_one_another_are_refused() -> None:
    text = "permit (principal, action, resource) when {{ {} > 0 }};"
    assert read(text.format("+".join("1" * 50)))
    with pytest.raises(Unreadable, match="more than 100 above one another"):
        read(text.format("+".join("1" * 150)))


TEXTS = json.loads((Path(__file__).parent / "cedar_constructs.json").read_text(encoding="utf-8"))
"""Each construct of the language at least once, and what is nearly one."""


@pytest.mark.parametrize("text", TEXTS["heads"])
def test_heads_and_annotations_are_read_alike(text: str) -> None:
    found, _ = pure_forms(text)
    assert cedar_forms(text) == found


CONTEXT = {"s": "abc", "n": 5, "r": {"a": 1, "b c": {"x": 1}}, "set": [1, 2, 2]}


@pytest.mark.parametrize("body", TEXTS["constructs"])
def test_each_construct_is_read_and_answered_alike(body: str) -> None:
    text = f"permit (principal, action, resource) when {{ {body} }};"
    found, _ = pure_forms(text)
    assert cedar_forms(text) == found
    if found is not None and found[0]:
        assert told(pure(text, CONTEXT, {"n": 1})) == asked(text, CONTEXT, {"n": 1})
