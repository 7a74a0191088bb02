"""Corners: the table in small, quick enough to run at every change: each operator, method and kind of fault once or at its two sides.

What the long tables (`test_policy_table`, `test_policy_checking_table`) try in full, this tries where the answer turns.
"""

from itertools import product

import pytest

from kernos.adapters.cedar.pure.evaluation import compiled
from kernos.adapters.cedar.pure.extensions import Unevaluable
from kernos.adapters.cedar.pure.text import read
from kernos.adapters.cedar.pure.tokens import Unreadable
from tests.conformance import test_policy_checking_table as loading
from tests.conformance import test_policy_table as asking
from tests.conformance.test_policy_table import made
from tests.conformance.two_engines import cedar_forms, pure_forms, question

MAX, MIN = "9223372036854775807", "-9223372036854775808"
DECIMALS = ("0.0", "1.0", "-1.0", "0.0001", "-0.0001", "1.23456", "1.", "922337203685477.5807", "922337203685477.5808", "-922337203685477.5808", "-922337203685477.5809", "00000000000000000000001.0")  # fmt: skip
BLOCKS = ("10.0.0.1", "10.0.0.0/8", "10.255.255.255", "11.0.0.0", "9.255.255.255", "10.0.0.0/31", "10.0.0.0/0", "10.0.0.1/32", "::1", "::2", "::/0", "ff00::/8", "a00::")  # fmt: skip
ASKED_OF_ADDRESSES = ("127.0.0.1", "127.0.0.0/8", "127.0.0.0/7", "126.255.255.255", "128.0.0.0", "::1", "::1/127", "::2", "224.0.0.0/4", "224.0.0.0/3", "223.255.255.255", "239.255.255.255", "240.0.0.0", "ff00::/8", "ff00::/7", "feff::", "::ffff:1.2.3.4", "1.1.1.1/08", "1.1.1.1/33", "1.1.1.1/32", "::1/128", "::1/129", "::1%1", "1.1.1.1/", "1.1.1.1/x", "1.1.1.1/100", "1.1.1")  # fmt: skip
TIMES = ("1970-01-01", "1970-01-02", "1969-12-31", "0000-01-01", "0001-01-01", "0000-02-29", "0001-02-29", "9999-12-31T23:59:59.999Z", "2026-11-02T08:30:05Z", "2026-11-02T08:30:05.007Z", "2026-11-02T23:59:59Z", "2026-11-02T24:00:00Z", "2026-11-02T00:60:00Z", "2026-11-02T00:00:60Z", "2026-11-02T10:00:00+0130", "2026-11-02T10:00:00-0130", "2026-11-02T10:00:00+2359", "2026-11-02T10:00:00+2400", "2026-11-02T10:00:00+0060", "2026-13-01", "2026-01-32", "2026-00-01", "2026")  # fmt: skip
LENGTHS = ("0ms", "1ms", "999ms", "1s", "59s", "1m", "59m", "60m", "1h", "23h", "1d", "25h", "-1ms", "-999ms", "-1s", "-61m", "-25h", "1d2h3m4s5ms", "-1d2h3m4s5ms", "1s1m", "-", "", "1", f"{MAX}ms", "9223372036854775808ms", f"{MIN}ms", "-9223372036854775809ms", "106751991167d", "106751991168d", "9999999999999999999999ms", "00000000000000000000001ms")  # fmt: skip
VALUES = ("1", "true", '"a"', "[1]", "[true]", "{n: 1}", "{n: true}", "principal", "resource", 'T::"no"', "context.no", 'ip("::1")', 'decimal("1.0")', 'datetime("2026-11-02")', 'duration("1h")')  # fmt: skip


def test_numbers_turn_at_the_ends_of_64_bits() -> None:
    ends = (MIN, "-1", "0", "1", "2", MAX)
    asking.compare(f"{one} {sign} {other}" for sign in asking.SIGNS[:9] for one, other in product(ends, ends))
    asking.compare(f"-({one})" for one in (*ends, "true", '"a"'))


def test_signs_and_methods_between_values_of_each_kind() -> None:
    asking.compare(f"{one} {sign} {other}" for sign in ("==", "<", ">=", "+", "&&", "in") for one, other in product(VALUES[::2], VALUES))  # fmt: skip
    asking.compare(f"({one}).{name}({other})" for name in ("contains", "containsAll", "hasTag", "getTag", "offset") for one, other in product(VALUES[::3], VALUES))  # fmt: skip
    asking.compare(
        f'resource.{name}("{tag}") {rest}'
        for name, rest in (("hasTag", ""), ("getTag", '== "t"'))
        for tag in ("a", "b")
    )
    asking.compare(f"({one}).{name}()" for one, name in product(VALUES, ("isEmpty", "isIpv4", "toDate", "toDays")))


def test_sets_are_compared_member_by_member_whatever_their_kinds() -> None:
    sets = (
        "[]",
        "[1]",
        "[true]",
        "[1, 2]",
        "[2, 1, 1]",
        "[{n: 1}]",
        "[{n: true}]",
        "[[1]]",
        "[[true]]",
        "context.set",
        '["a", 1]',
    )
    for name in ("containsAll", "containsAny"):
        asking.compare(f"{one}.{name}({other})" for one, other in product(sets, sets))
    asking.compare(f"{one} == {other}" for one, other in product(sets, sets))
    asking.compare(
        f"{one}.contains({other})" for one, other in product(sets, ("1", "true", "{n: 1}", "[1]", "[true]", "context"))
    )
    asking.compare(f"{one}.isEmpty()" for one in sets)


def test_decimals_turn_at_four_places_and_64_bits() -> None:
    asking.compare(f"{one} == {one}" for one in made("decimal", DECIMALS))
    names = ("lessThan", "lessThanOrEqual", "greaterThan", "greaterThanOrEqual")
    some = made("decimal", DECIMALS[:5])
    asking.compare(f"{one}.{name}({other})" for name in names for one, other in product(some, some))
    asking.compare([f'decimal("-0.5").lessThan({some[0]})', 'decimal("1.05").lessThan(decimal("1.5"))'])


def test_addresses_turn_at_the_ends_of_blocks() -> None:
    names = ("isIpv4", "isIpv6", "isLoopback", "isMulticast")
    asking.compare(f"{one}.{name}()" for name in names for one in made("ip", ASKED_OF_ADDRESSES))
    asking.compare(f"{one}.isInRange({other})" for one, other in product(made("ip", BLOCKS), repeat=2))


def test_points_and_lengths_of_time_turn_at_their_units() -> None:
    asking.compare(f"{one}.{name}()" for name in ("toDate", "toTime") for one in made("datetime", TIMES))
    asking.compare(f"{one}.durationSince({other})" for one, other in product(made("datetime", TIMES[:9:2]), repeat=2))
    asking.compare(f"{one}.{name}()" for name in asking.ASKED[7:] for one in made("duration", LENGTHS))
    asking.compare(
        f"{one}.offset({other})" for one, other in product(made("datetime", TIMES[:3]), made("duration", LENGTHS))
    )
    both = made("datetime", TIMES[:3]) + made("duration", LENGTHS[:3])
    asking.compare(f"{one} {sign} {other}" for sign in ("<", "<=", ">", ">=") for one, other in product(both, both))


def test_attributes_patterns_choices_and_kinds() -> None:
    asking.compare(
        f"({one}) has {name}" for name in ("n", "no", "r.n", "r.no.n", '"b c"') for one in (*VALUES, "context")
    )
    asking.compare(f"({one}).{name}" for name in ("n", "r") for one in VALUES)
    asking.compare(f"({one}) is {kind}" for kind in ("T", "Agent", 'T in Effect::"read"', 'T in Effect::"once"', 'T in [T::"x", Effect::"read"]', "T in 1") for one in VALUES)  # fmt: skip
    asking.compare(
        f"(if {one} then {two} else 2) == 1"
        for one, two in product(("true", "false", "1", "context.no"), ("1", "context.no"))
    )
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
        "\\*",
        "a\\**",
        "*b*b",
        "*a*b*",
        "*b*a*",
    )
    asking.compare(f'"{text}" like "{one}"' for text, one in product(("", "a", "aa", "ab", "aba", "abba", "aXbYc", "*", "a*b", "bb", "b", "abab"), patterns))  # fmt: skip


# --- at load -------------------------------------------------------------------------------------------------------------

TRUTHS = ("true", "false", "resource.urgent", "resource has note", "resource has amount", "resource has no", "resource.line has n", "!true", "!resource.urgent", '"a" == "b"', "(if true then resource has note else false)")  # fmt: skip
LOADED = ("1", '"a"', "[1]", "[[1]]", "[true]", "[]", "{n: 1}", '{sku: "a", n: 1}', "principal", "action", "resource", "[principal]", "[resource]", "resource.amount", "resource.note", "resource.tags", "resource.line", "resource.lines", "resource.no", "context.depth", "context.no", 'Agent::"desk"', 'Effect::"reed"', 'Action::"invoke"', 'Action::"no"', 'Nobody::"x"', 'ip("::1")', 'ip("x")', "ip(resource.note)", "ip()", 'ip("::1", "a")', 'decimal("1.0")', 'datetime("2026-11-02")', 'duration("1h")', "true", "resource.urgent")  # fmt: skip


@pytest.mark.parametrize("chain", ["&&", "||"])
def test_what_was_tested_may_be_used_after_it_and_only_there(chain: str) -> None:
    uses = ('resource.note == "a"', '"a"', "resource.line.n == 1")
    loading.compare(f"{one} {chain} {use}" for one, use in product(TRUTHS, uses))
    loading.compare(
        f"({one} {chain} {other}) {then} {uses[0]}" for one, other, then in product(TRUTHS, TRUTHS, ("&&", "||"))
    )
    loading.compare(f'({one} {chain} {other}) && "a"' for one, other in product(TRUTHS, TRUTHS))
    loading.compare(f'{one} {chain} ({other} || "a")' for one, other in product(TRUTHS, TRUTHS))
    loading.compare(f'{one} {chain} (if {other} then true else "a")' for one, other in product(TRUTHS, TRUTHS[2:7]))


def test_a_choice_relies_on_what_was_asked_and_gives_what_both_sides_give() -> None:
    sides = ("true", "1", 'resource.note == "a"', "resource has note", "resource has no")
    loading.compare(f"if {one} then {then} else {other}" for one, then, other in product(TRUTHS, sides, sides))
    loading.compare(f'(if {one} then {then} else {other}) && resource.note == "a"' for one, then, other in product(TRUTHS[1:6], TRUTHS[:6], TRUTHS[:6]))  # fmt: skip


@pytest.mark.parametrize(
    "sign", ["==", "<", "+", "in", "contains", "containsAll", "hasTag", "getTag", "isInRange", "offset"]
)
def test_what_may_stand_on_both_sides(sign: str) -> None:
    form = "({}) {} ({})" if not sign.isalpha() or sign == "in" else "({}).{}({})"
    rest = " == 1" if sign in ("+", "getTag", "offset") else ""
    loading.compare(form.format(one, sign, other) + rest for one, other in product(LOADED[::4], LOADED))


def test_what_is_known_of_a_comparison_and_of_one_value() -> None:
    literals = ("1", "2", '"a"', "true", 'Agent::"desk"', 'Agent::"clerk"', "action", 'Action::"invoke"', 'Action::"open"', "principal", '[Action::"invoke"]', '[Action::"open", Action::"invoke"]', "[action, principal]")  # fmt: skip
    loading.compare(f'({one}) {sign} ({other}) {chain} "a"' for sign in ("==", "!=", "in") for chain in ("&&", "||") for one, other in product(literals, literals))  # fmt: skip
    kinds = ("Agent", "Model", "Nobody", 'Agent in Agent::"desk"', "Agent in 1", 'shop::refund in Effect::"read"')
    loading.compare(
        f"({one}) is {kind} {rest}" for one, kind, rest in product(LOADED[::2], kinds, ("", '&& "a"', '|| "a"'))
    )
    loading.compare(
        f"({one}) has {name} {rest}"
        for one, name, rest in product(LOADED[::2], ("n", "note"), ("", '&& "a"', '|| "a"'))
    )
    loading.compare(
        f"{sign}({one}) {rest}" for sign, one, rest in product("!-", (*LOADED[::2], *TRUTHS), ("", "== 1", '|| "a"'))
    )
    loading.compare(
        f"({one}).{name}() == {other}"
        for name, one, other in product(("isEmpty", "isIpv4", "toDays"), LOADED, ("1", "true"))
    )
    loading.compare(f'({one}) like "a"' for one in LOADED)


def test_sets_and_records_fit_where_their_parts_do() -> None:
    loading.compare(f"[{one}, {other}].isEmpty()" for one, other in product(LOADED[::5], LOADED))
    records = ("{a: 1, b: true}", "{b: false, a: 2}", "{a: 1}", "{b: 1, a: true}", "{}", "{a: {b: true}}", "{a: {b: false}}", "{a: [true]}", "{a: [false]}", '{a: "x"}')  # fmt: skip
    loading.compare(f"{one} == {other}" for one, other in product(records, records))
    loading.compare(f"[{one}] == [{other}]" for one, other in product(records, records))


def test_conditions_rely_on_those_before_them_and_end_where_one_can_never_hold() -> None:
    loading.compare_policies(
        f"permit ({loading.REFUND}) {kind} {{ {one} }} {other} {{ {use} }};"
        for kind, one, other, use in product(
            ("when", "unless"), TRUTHS, ("when", "unless"), ('resource.note == "a"', '"a"')
        )
    )


def test_heads_that_no_call_can_fit_are_refused() -> None:
    principals = (
        "principal",
        'principal == Agent::"desk"',
        "principal is Model",
        'principal in Agent::"desk"',
        'principal == Model::"small"',
    )
    actions = (
        "action",
        'action == Action::"open"',
        'action in [Action::"invoke", Action::"open"]',
        "action in []",
        'action == Action::"no"',
    )
    resources = ("resource", "resource is shop::refund", "resource is Agent", 'resource in Effect::"read"', 'resource in Effect::"reed"', 'resource is mail in Effect::"once"', 'resource is mail in Agent::"desk"', 'resource in Agent::"desk"', 'resource == mail::"x"')  # fmt: skip
    bodies = ("true", "resource.amount == 1", 'context.label == "a"', 'action == Action::"open" && "a"')
    loading.compare_policies(f"permit ({', '.join(head)}) when {{ {body} }};" for *head, body in product(principals, actions, resources, bodies))  # fmt: skip


# --- texts ---------------------------------------------------------------------------------------------------------------

READ = (
    *(f"{'!' * n}true" for n in (3, 4, 5)), *(f"{'-' * n}1 == 1" for n in (3, 4, 5, 6)), f"{MAX} == 1", f"{MIN} == 1", "9223372036854775808 == 1", "99999999999999999999 == 1", "-99999999999999999999 == 1",
    "-9223372036854775809 == 1", "00000000000000000000009 == 9", "-1.a == 1", '-1["a"] == 1', "-(1) == 1", "- -1 == 1", "!-1 == 1", "-context.n == 1",
    "1 + 2 - 3 * 4 == 5", "1 - (2 - 3) == 2", "true || false && false", "(true || false) && false", "1 < 2 == true", "1 in 2", '1 has a like "b"',
    "context has a.b.c", 'context has "a b"', 'context has a."b"', "context has 1", "context has in", "context is A in 1", 'context is A in A::"b" == 1',
    "context is A::B::C", 'context is "A"', 'context like "a*\\*"', "context like a", "if true then 1 else 2", "if true then 1", "if true 1 else 2",
    "(if true then 1 else 2) == 1", 'context.a.b["c"].d == 1', "context[1]", 'context["a"', "context.", "context.in", "context.a()", "context.contains(1)",
    "context.contains()", "context.contains(1, 2)", "context.isEmpty()", "context.isEmpty(1)", "context.isIpv4(1, 2)", "context.offset()", "ip()", "ip(1, 2,)", "foo(1)",
    "a::ip(1)", 'A::"b"', 'A::B::"c"', "A::B", "a", "[1, 2,]", "[,]", "[1 2]", "[1", '{a: 1, "b c": 2,}', "{a: 1 b: 2}", "{a 1}", "{a: 1, a: 2}", "{if: 1}", '{"if": 1}', "{,}", "{",
    "(1", "1)", "()", "true false", "\"a\" == \"\\u{41}\\x41\\n\\r\\t\\0\\'\\\"\\\\\"", '"\\u{110000}"', '"\\u{10FFFF}" == ""', '"\\u{d800}"', '"\\u{e000}" == ""', '"\\u{d7ff}" == ""',
    '"\\u{0000041}"', '"\\u{000041}" == "A"', '"\\u{4_1}" == "A"', '"\\u{_41}"', '"\\xff"', '"\\x7f" == ""', '"\\q"', '"\\*"', '"a" like "\\*"', '"a" like "\\u{2a}"', '"a\rb" == ""',
    "context.principal", "principal.resource == action", "?principal == 1", "1 = 2", "1 // a\n == 1", "\u2003true", "\x1ftrue", "true && (", "__cedar == 1", '__cedar::"x" == 1',
)  # fmt: skip
HEADS = (
    "permit (principal, action, resource);", "forbid (principal, action, resource);", "allow (principal, action, resource);", "permit (principal, action, resource,);",
    "permit (principal, action, resource,,);", "permit (principal, action, resource)", "permit (action, principal, resource);", "permit principal, action, resource;", "permit (principal action, resource);",
    'permit (principal == A::"b", action, resource);', 'permit (principal == (A::"b"), action, resource);', 'permit (principal == ((A::"b"), action, resource);', 'permit (principal in [A::"b"], action, resource);',
    'permit (principal is A, action, resource is B in C::"d");', "permit (principal is A in ?principal, action, resource == ?resource);", "permit (principal == ?resource, action, resource);", "permit (principal, action == ?action, resource);",
    'permit (principal, action == Action::"a", resource);', 'permit (principal, action == A::Action::"a", resource);', 'permit (principal, action == A::"a", resource);', 'permit (principal, action in Action::"a", resource);',
    'permit (principal, action in [Action::"a"], resource);', 'permit (principal, action in [Action::"a", Action::"b",], resource);', 'permit (principal, action in ([Action::"a", (Action::"b")]), resource);', 'permit (principal, action in [A::"a"], resource);', "permit (principal, action in [], resource);",
    "permit (principal, action is Action, resource);", "permit (principal == A, action, resource);", "permit (principal == A::B, action, resource);", 'permit (principal == A::in::"x", action, resource);', "permit (principal is in, action, resource);",
    "permit (principal, action, resource) when { true } unless { false };", "permit (principal, action, resource) if { true };", "permit (principal, action, resource) when true;", "permit (principal, action, resource) when { true;", "permit (principal, action, resource) when { };",
    '@a("x") @b permit (principal, action, resource);', '@a("x") @a permit (principal, action, resource);', "@a(x) permit (principal, action, resource);", '@if("x") permit (principal, action, resource);', '@a("x" permit (principal, action, resource);', "@ permit (principal, action, resource);",
    "permit (principal, action, resource); forbid (principal, action, resource);", "permit (principal, action, resource);;", "// a\npermit (principal, action, resource); // b", "",
)  # fmt: skip


def test_texts_are_read_or_refused_as_cedar_does() -> None:
    for body in READ:
        text = f"permit (principal, action, resource) when {{ {body} }};"
        assert cedar_forms(text) == pure_forms(text)[0], body
    for head in HEADS:
        assert cedar_forms(head) == pure_forms(head)[0], head


def test_expressions_nest_to_a_bound_and_stand_side_by_side_without_one() -> None:
    form = "permit (principal, action, resource) when {{ {} }};"
    assert read(form.format("(" * 39 + "true" + ")" * 39))
    with pytest.raises(Unreadable, match="nest more than 40 deep"):
        read(form.format("(" * 40 + "true" + ")" * 40))
    assert read(form.format(" || ".join(["(true)"] * 60))), "brackets that were closed count no more"
    assert read(form.format("+".join("1" * 99) + " == 1")), "99 above one another and the comparison"
    with pytest.raises(Unreadable, match="more than 100 above one another") as deep:
        read("permit (principal, action, resource);\n" + form.format("+".join("1" * 100) + " == 1"))
    assert deep.value.offset == len("permit (principal, action, resource);\n")


@pytest.mark.parametrize(("text", "told", "at"), [
    ("allow (principal, action, resource);", "a policy begins with `permit` or `forbid`", "allow"),
    ("permit (action, action, resource);", "the variable `principal` stands here", "action, action"),
    ("permit (principal action, resource);", "`,` is missing before `action`", "action,"),
    ("permit (principal, action, resource)", "`;` is missing before the end", ""),
    ("permit (principal, action, resource) if { true };", "a condition begins with `when` or `unless`", "if"),
    ("permit (principal == A::B, action, resource);", 'an entity is written as Type::"id"', ", action"),
    ("permit (principal == ?resource, action, resource);", "the slot here is ?principal", "?resource"),
    ('permit (principal, action == A::"b", resource);', 'the type of an action is `Action`, and this is A::"b"', "A::"),
    ("@a @a permit (principal, action, resource);", "@a stands there twice", "a permit"),
    ("permit (principal, action, resource) when { 1 + };", "a name is missing before `}`", "};"),
    ('permit (principal, action, resource) when { "abc\\q" };', "'\\\\' is no valid escape in a string", "\\q"),
    ("permit (principal, action, resource) when { " + "x" * 60 + " 1 };", f"there is no variable `{'x' * 60}`", "xxx"),
    ("permit (principal, action, resource) when { true " + "x" * 60 + " };", f"`}}` is missing before `{'x' * 40}`", "xxx"),
    ("permit (principal, action, resource) when { [1].isEmpty(1) };", "`isEmpty` takes 0 arguments, and here are 1", "isEmpty"),
])  # fmt: skip
def test_what_is_wrong_with_a_text_is_told_where_it_stands(text: str, told: str, at: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read(text)
    assert str(caught.value).startswith(told)
    assert text[caught.value.offset :].startswith(at)
    assert bool(at) is (caught.value.offset < len(text))


@pytest.mark.parametrize(("body", "told"), [
    ("1 < true", "type error: expected long, got bool"), ('1 < "a"', "type error: expected long, got string"),
    ('"a" < 1', "type error: expected long or datetime or duration, got string"), ("[1] + 1", "type error: expected long, got set"),
    ("principal.hasTag(1)", "type error: expected string, got long"), ("1.isEmpty()", "type error: expected set, got long"),
    ("1.a", "type error: expected entity or record, got long"), ('decimal("1.0") < 1', "type error: expected long or datetime or duration, got decimal"),
    ('ip("::1").offset(duration("1h"))', "type error: expected datetime, got ip"), ('datetime("2026-11-02") < duration("1h")', "type error: expected datetime, got duration"),
    ('duration("1h") < datetime("2026-11-02")', "type error: expected duration, got datetime"), ("[1] in principal", "type error: expected entity, got set"),
    ("principal in [true]", "type error: expected entity, got bool or record"), ("principal in {a: 1}", "type error: expected set or entity, got record"),
    ("principal.a", "an entity of type Agent, asked for `a`, does not exist"), ("resource.a", "there is no attribute `a`"),
    ('resource.getTag("x")', "there is no tag `x`"), ('principal.getTag("x")', "the entity does not exist"), ('ip("::1", "a")', "a function takes 1 arguments, not 2"),
])  # fmt: skip
def test_why_an_expression_has_no_value_is_told_without_values_of_the_call(body: str, told: str) -> None:
    ((form, _),) = read(f"permit (principal, action, resource) when {{ {body} }};")
    with pytest.raises(Unevaluable) as caught:
        compiled(form["conditions"][0]["body"])(question(asking.CONTEXT, asking.OWN))
    assert str(caught.value) == told
