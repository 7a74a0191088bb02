"""Forms: what becomes of each form of an input and of each value, every fault with its place, and the schema as authors read it."""

import re
from dataclasses import replace
from typing import Any

import pytest

from kernos.adapters.cedar.approvers import requirement_of
from kernos.adapters.cedar.policy import CedarPolicy
from kernos.adapters.cedar.pure.text import read
from kernos.adapters.cedar.rules import read_texts
from kernos.adapters.cedar.schema import known_shapes
from kernos.adapters.cedar.scope import fits, is_about, names
from kernos.adapters.cedar.shape import LONG_MAX, LONG_MIN, Attribute, DoesNotFit, Record, Scalar, SetOf, read_input
from kernos.vocabulary.circumstances import Counter, Declared, KeyPath, RecordRead
from kernos.vocabulary.gate import MODEL_TOOL, Answer, Decision, Request, Requirement
from kernos.vocabulary.ids import PrincipalId, TenantId
from kernos.vocabulary.outcome import Effect
from kernos.vocabulary.policies import BadPolicies
from kernos.vocabulary.sealing import Carried
from tests.conformance.test_policy_edges import NOTED, both, request, tool

LINE = {"type": "object", "properties": {"sku": {"type": "string"}, "no": {"type": "integer"}}, "required": ["sku"]}
DEFINED = {
    "$defs": {"Line": LINE, "a/b~": {"type": "boolean"}, "Loop": {"type": "array", "items": {"$ref": "#/$defs/Loop"}}},
    "definitions": {"Old": LINE},
}
OF_LINE = "{ sku: String, no?: Long, }"
MIXED = "its values are not all strings, all integers or all booleans"


def shown(record: Record) -> str:
    return " ".join(record.text("").split())


@pytest.mark.parametrize(("form", "becomes"), [
    ({"type": "string"}, "x: String"), ({"type": "integer"}, "x: Long"), ({"type": "boolean"}, "x: Bool"),
    ({"enum": ["a", "b", None]}, "x?: String"), ({"const": True}, "x: Bool"), ({"const": 1}, "x: Long"), ({"enum": [2, 1]}, "x: Long"),
    ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "x?: String"), ({"allOf": [{"type": "string"}]}, "x: String"),
    ({"oneOf": [{"type": "integer"}, {"const": 1}]}, "x: Long"), ({"anyOf": [{"enum": ["a", None]}, {"type": "string"}]}, "x?: String"),
    ({"type": ["string", "null"]}, "x?: String"), ({"type": ["string"]}, "x: String"), ({"type": "array", "items": {"type": "integer"}}, "x: Set<Long>"),
    ({"type": "array", "items": LINE}, f"x: Set<{OF_LINE}>"), (LINE, f"x: {OF_LINE}"), ({"$ref": "#/$defs/Line"}, f"x: {OF_LINE}"),
    ({"$ref": "#/definitions/Old"}, f"x: {OF_LINE}"), ({"$ref": "#/$defs/a~1b~0"}, "x: Bool"),
    ({"anyOf": [{"$ref": "#/$defs/Line"}, {"type": "null"}]}, f"x?: {OF_LINE}"),
])  # fmt: skip
def test_each_form_that_policies_can_speak_about_has_its_type(form: object, becomes: str) -> None:
    given = {"type": "object", "properties": {"x": form}, "required": ["x"], **DEFINED}
    assert shown(read_input(given)) == f"{{ {becomes}, }}"


@pytest.mark.parametrize(("form", "why"), [
    ({"const": None}, MIXED), ({"enum": [1, "a"]}, MIXED), ({"enum": []}, MIXED), ({"enum": [True, 1]}, MIXED), ({"enum": [1.5]}, MIXED),
    ({"oneOf": [{"type": "string"}, {"type": "integer"}]}, "a union of several types"), ({"type": ["string", "integer"]}, "a union of several types"),
    ({"allOf": [{"type": "string"}, {"type": "string"}]}, "several schemas at once"), ({"anyOf": [{"type": "null"}]}, "nothing but null"),
    ({"type": ["null"]}, "nothing but null"), ({"type": "number"}, "a number that may have a fraction"), ({"type": "null"}, "its type is open"),
    ({}, "its type is open"), (True, "its type is open"), ({"type": "array"}, "a list of anything"), ({"type": "array", "items": True}, "a list of anything"),
    ({"type": "array", "prefixItems": [{}], "items": {"type": "string"}}, "a tuple"), ({"type": "object"}, "an open map"), ({"type": "object", "properties": 3}, "an open map"),
    ({"type": "array", "items": {"type": ["integer", "null"]}}, "a list that may hold null"), ({"$ref": "#/$defs/none"}, "its definition is missing"),
    ({"$ref": "#/$defs/Loop"}, "a type that contains itself"),
])  # fmt: skip
def test_each_form_that_they_cannot_is_left_out_with_the_reason(form: object, why: str) -> None:
    given = {"type": "object", "properties": {"x": form, "y": {"type": "string"}}, "required": ["x", "y"], **DEFINED}
    assert read_input(given) == Record((Attribute("y", Scalar("String"), required=True),), (f"x: {why}",))


def test_an_input_that_is_no_object_has_no_attributes_and_the_reason_stands_there() -> None:
    assert read_input(True) == Record()
    assert [read_input(form).left_out for form in ({}, {"type": "string"}, {"$ref": "#/x"})] == [
        ("everything: its type is open",), ("everything: the input is no object",), ("everything: its definition is missing",),
    ]  # fmt: skip
    assert read_input({"$ref": "#/$defs/Line", **DEFINED}) == read_input(LINE)


def deep(levels: int) -> dict[str, Any]:
    form: dict[str, Any] = {"type": "integer"}
    for _ in range(levels):
        form = {"type": "array", "items": form}
    return {"type": "object", "properties": {"x": form}}


def test_types_are_followed_for_sixteen_levels() -> None:
    assert read_input(deep(15)).left_out == ()
    assert read_input(deep(16)).left_out == ("x: nested deeper than 16 levels",)


def test_names_that_are_no_identifiers_are_written_in_quotes() -> None:
    given = ["a", "_b1", "b c", "if", "__x", "1a", 'q"\\', "é", "\n", ""]
    text = read_input({"type": "object", "properties": {name: {"type": "string"} for name in given}}).text("")
    assert [line.strip() for line in text.splitlines()[1:-1]] == [
        "// left out: __x: names that begin with two underscores are Cedar's own", "a?: String,", "_b1?: String,", '"b c"?: String,', '"if"?: String,',
        '"1a"?: String,', '"q\\u{22}\\u{5c}"?: String,', '"é"?: String,', '"\\u{a}"?: String,', '""?: String,',
    ]  # fmt: skip
    for word in ("true", "false", "if", "then", "else", "in", "is", "like", "has", "__cedar"):
        assert f'"{word}": Long' in Record((Attribute(word, Scalar("Long"), required=True),)).text("")


RECORD = Record(
    (Attribute("n", Scalar("Long"), required=True), Attribute("tags", SetOf(Scalar("String")), required=False))
)


@pytest.mark.parametrize(("shape", "value", "told"), [
    (Scalar("String"), 1, "x should be a String, and it is a Long"), (Scalar("String"), None, "x should be a String, and it is null"),
    (Scalar("Long"), True, "x should be a Long, and it is a Bool"), (Scalar("Long"), 1.5, "x should be a Long, and it is a number"),
    (Scalar("Bool"), 1, "x should be a Bool, and it is a Long"), (Scalar("Bool"), "a", "x should be a Bool, and it is a String"),
    (Scalar("Bool"), [], "x should be a Bool, and it is a list"), (Scalar("Bool"), {}, "x should be a Bool, and it is an object"),
    (Scalar("Long"), LONG_MAX + 1, "x is beyond the 64 bits of a Long"), (Scalar("Long"), LONG_MIN - 1, "x is beyond the 64 bits of a Long"),
    (SetOf(Scalar("Long")), [1, "a"], "x[1] should be a Long, and it is a String"), (SetOf(Scalar("Long")), {}, "x should be a list, and it is an object"),
    (RECORD, [], "x should be an object, and it is a list"), (RECORD, {}, "x.n is missing"), (RECORD, {"n": None}, "x.n is missing"),
    (RECORD, {"n": 1, "tags": "a"}, "x.tags should be a list, and it is a String"),
])  # fmt: skip
def test_a_value_that_does_not_fit_is_told_by_place_and_type(shape: Any, value: object, told: str) -> None:
    with pytest.raises(DoesNotFit) as caught:
        shape.value(value, "x")
    assert str(caught.value) == told


def test_a_value_that_fits_stays_as_it_is_without_what_is_null_or_not_declared() -> None:
    assert [Scalar("Long").value(one, "x") for one in (LONG_MIN, 0, LONG_MAX)] == [-(2**63), 0, 2**63 - 1]
    assert RECORD.value({"n": 1, "tags": None, "more": 2}, "x") == {"n": 1}
    assert RECORD.value({"n": 1, "tags": ["a", "a"]}, "x") == {"n": 1, "tags": ["a", "a"]}


# --- heads ---------------------------------------------------------------------------------------------------------------


def body(text: str) -> Any:
    ((form, _),) = read(text)
    return form


@pytest.mark.parametrize(("head", "is_fit"), [
    ("principal, action, resource", True), ('principal == Agent::"desk", action, resource', True), ('principal == Agent::"clerk", action, resource', False),
    ('principal == Model::"desk", action, resource', False), ("principal is Agent, action, resource", True), ("principal is Model, action, resource", False),
    ('principal in Agent::"desk", action, resource', True), ('principal in Agent::"clerk", action, resource', False),
    ('principal in Effect::"once", action, resource', False), ('principal is Agent in Agent::"desk", action, resource', True),
    ('principal is Agent in Agent::"clerk", action, resource', False), ("principal, action, resource is mail", True), ("principal, action, resource is shop", False),
    ('principal, action, resource in Effect::"once"', True), ('principal, action, resource in Effect::"read"', False), ('principal, action, resource in mail::"call"', True),
    ('principal, action, resource is mail in Effect::"once"', True), ('principal, action, resource is mail in Effect::"read"', False),
    ('principal, action, resource is shop in Effect::"once"', False), ('principal, action, resource == mail::"call"', True), ('principal, action, resource == mail::"7"', False),
])  # fmt: skip
def test_a_head_fits_a_call_or_never_does(head: str, *, is_fit: bool) -> None:
    assert fits(body(f"permit ({head});"), "desk", "mail", "call", ("once",)) is is_fit


@pytest.mark.parametrize(("head", "about", "named"), [
    ("action", "ab", ""), ('action == Action::"a"', "a", "a"), ('action in Action::"a"', "a", "a"), ('action in [Action::"a", Action::"b"]', "ab", "ab"),
    ("action in []", "", ""), ('action in [Action::"c"]', "", ""),
])  # fmt: skip
def test_a_rule_is_about_the_actions_that_it_names_or_about_all(head: str, about: str, named: str) -> None:
    form = body(f"permit (principal, {head}, resource);")
    assert "".join(one for one in "ab" if is_about(form, one)) == about
    assert "".join(one for one in "ab" if names(form, one)) == named


# --- faults --------------------------------------------------------------------------------------------------------------

FAULTY = """\
@id("one") permit (principal, action, resource is nope);
// said
@id("two")
  permit (principal, action, resource is shop::refund) when { resource.amnt > 1 };
@id("two") permit (principal, action == Action::"go", resource);
permit (principal == Agent::"dsk", action, resource == Model::"big");
permit (principal == ?principal, action, resource);
permit (principal, action, resource == mail::"7");
permit (principal, action, resource is mail) when { resource.text == "a" };
permit (principal, action, resource is shop::weigh) when { resource.kg == 1 };
permit (principal, action, resource) when { context.hours > 1 };
permit (principal == Model::"small", action, resource);
permit (principal, action, resource in Effect::"reed");
@quorum("2") @id("q") permit (principal, action, resource);
permit (principal, action, resource is mail) when { 1 + "a" == 2 };
permit (principal, action, resource is mail) when { "a // b; \\" c" == resource.txt }; // ; "
permit (principal, action resource);
permit (principal, action, resource) when { context.depth < < 1 };
permit (principal"""
TOLD = [
    (1, 51, "rule one", "unrecognized entity type `nope`; the tools are: mail, shop::refund, shop::weigh; besides them there are Agent, Effect and Model"),
    (4, 72, "rule two", "attribute `amnt` on entity type `shop::refund` not found; its attributes are: amount, to; name the tool with `resource is`"),
    (5, 41, "rule two", 'unrecognized action `Action::"go"`; the actions are Action::"invoke", Action::"unattended" and Action::"open"'),
    (5, 1, "rule two", "another policy has this id (b.cedar, line 3); give each its own @id"),
    (6, 29, "rule policy4", "no agent is named 'dsk'; there are: clerk, desk"),
    (6, 63, "rule policy4", "no model is named 'big'; there are: m7, small"),
    (7, 22, "rule policy5", "it has a slot, and slots are never filled here; write the principal or resource out"),
    (8, 46, "rule policy6", 'a call has no id, so mail::"7" never is one; write `resource is mail`'),
    (9, 62, "rule policy7", "unable to guarantee safety of access to optional attribute `text` on entity type `mail`; ask first whether it is there, with `has` and `&&`"),
    (10, 69, "rule policy8", "attribute `kg` on entity type `shop::weigh` not found; its attributes are: none (Cedar cannot express: kg: a number that may have a fraction); name the tool with `resource is`"),
    (11, 53, "rule policy9", "attribute `hours` in context not found; declare it in context.toml, or see in docs/policy.md what is there without"),
    (12, 1, "rule policy10", "unable to find an applicable action given the policy scope constraints; principals are agents, and resources are tools or models"),
    (13, 40, "rule policy11", "*"),
    (14, 1, "rule q", '@quorum says how many or which approvers there are, and @approvers("ROLE, ...") is missing'),
    (15, 1, "rule policy13", "unexpected type: expected Long but saw String; correct the policy"),
    (16, 80, "rule policy14", "attribute `txt` on entity type `mail` not found; its attributes are: text; name the tool with `resource is`"),
]  # fmt: skip
TOOLS = [
    tool("shop.refund"),
    tool("mail", schema=NOTED),
    tool("shop.weigh", schema={"type": "object", "properties": {"kg": {"type": "number"}}}),
]
UNREADABLE = {"python": [(17, 27), (18, 61), (19, 18)], "cedarpy": [(17, 27), (18, 61), (19, 9)]}


@both
def test_every_fault_is_told_with_its_line_and_column_and_what_to_do(engine: str) -> None:
    with pytest.raises(BadPolicies) as caught:
        CedarPolicy({"b.cedar": FAULTY, "a.cedar": "permit (principal, action, resource is mail);"}, TOOLS, ["desk", "clerk"], ["small", "m7"], engine=engine)  # fmt: skip
    found = [(one.place.line, one.place.column, one.about, one.message) for one in caught.value.faults]
    assert [one[:3] for one in found[:16]] == [one[:3] for one in TOLD]
    assert [one for one in found[:16] if one[0] != 13] == [one for one in TOLD if one[3] != "*"]
    assert [one[:2] for one in found[16:]] == UNREADABLE[engine]
    assert all(one[3].endswith("; correct the rule around it") and not one[2] for one in found[16:])
    assert {one.place.file for one in caught.value.faults} == {"b.cedar"}
    lines = str(caught.value).splitlines()
    assert (lines[0], len(lines)) == ("the policies cannot be used (19 faults):", 20)
    assert lines[1].startswith("  b.cedar, line 1, policy one: unrecognized")
    assert lines[-1].startswith("  b.cedar, line 19: ")


@both
def test_one_fault_is_one(engine: str) -> None:
    with pytest.raises(BadPolicies, match=r"^the policies cannot be used \(1 fault\):\n"):
        CedarPolicy("permit (principal, action, resource is gone);", TOOLS, [], [], engine=engine)


def test_rules_are_named_by_their_place_among_all_files_where_they_have_no_id() -> None:
    files = {
        "b.cedar": '// only words\npermit (principal, action, resource);\n @id("x") forbid (principal, action, resource); // end',
        "a.cedar": "permit (x); permit (principal, action, resource); \n\n",
    }
    found = read_texts(files)
    assert {name: (rule.place.file, rule.place.line, rule.place.column, rule.text) for name, rule in found.items()} == {
        "policy1": ("a.cedar", 1, 13, "permit (principal, action, resource);"),
        "policy2": ("b.cedar", 2, 1, "permit (principal, action, resource);"),
        "x": ("b.cedar", 3, 2, '@id("x") forbid (principal, action, resource);'),
    }  # fmt: skip


@pytest.mark.parametrize(("annotations", "wanted"), [
    ({}, None), ({"id": "r"}, None), ({"note": "x"}, None), ({"approvers": "lead"}, Requirement("r", ("lead",))),
    ({"approvers": "lead , person:bo", "quorum": "2"}, Requirement("r", ("lead", "person:bo"), 2)), ({"approvers": "a", "quorum": "20"}, Requirement("r", ("a",), 20)),
    ({"approvers": "a", "requester": "may"}, Requirement("r", ("a",), is_requester_free=True)), ({"approvers": "a", "requester": ""}, Requirement("r", ("a",))),
    ({"approvers": "a", "level": "own-key"}, Requirement("r", ("a",), wants_own_key=True)), ({"approvers": "a", "level": ""}, Requirement("r", ("a",))),
    ({"approvers": "a", "later": "2h owner, 1m b,, 3d person:c"}, Requirement("r", ("a",), later=((60_000, "b"), (7_200_000, "owner"), (259_200_000, "person:c")))),
    ({"approvers": "a", "later": "99999d b"}, Requirement("r", ("a",), later=((99_999 * 86_400_000, "b"),))), ({"approvers": "a", "later": ""}, Requirement("r", ("a",))),
])  # fmt: skip
def test_whose_yes_is_wanted_is_read_from_the_annotations(
    annotations: dict[str, str | None], wanted: Requirement | None
) -> None:
    assert requirement_of("r", annotations) == wanted


@pytest.mark.parametrize(("annotations", "told"), [
    *(({name: "1"}, f"@{name} says how many or which approvers there are, ") for name in ("quorum", "requester", "later", "level")),
    *(({"approvers": said}, f'@approvers("{said}") names no roles or people; ') for said in ("", "a,,b", "a b", " ")),
    *(({"approvers": "a", "quorum": said}, f'@quorum("{said}") is no number of people from 1 to 20') for said in ("0", "21", "two", "", "-1", "²", "1.0")),
    *(({"approvers": "a", "later": said}, f'@later("{said}") is no chain; ') for said in ("2h", "h b", "2w b", "2hb", "123456m b", "2h b c")),
    ({"approvers": "a", "requester": "must"}, '@requester("must") says nothing; '), ({"approvers": "a", "level": "x"}, '@level("x") is no way to sign; '),
    *(({name: "x"}, f"@{name} says nothing here; write @{meant}, ") for name, meant in (
        ("approver", "approvers"), ("Approvers", "approvers"), ("QUORUM", "quorum"), ("quorom", "quorum"), ("requestor", "requester"), ("latter", "later"), ("levels", "level"))),
])  # fmt: skip
def test_what_the_annotations_say_wrongly_is_told(annotations: dict[str, str | None], told: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(told)}"):
        requirement_of("r", annotations)


# --- the schema ----------------------------------------------------------------------------------------------------------

KNOWN = """\
    tool: String,
    digest: String,
    now_ms: Long,
    hour: Long,
    minute: Long,
    weekday: String,
    read_untrusted: Bool,
    unvouched: Set<String>,
    approvals: Long,
    roles: Set<String>,
    labels: Set<String>,
    paid: Long,
    order?: {
      amount: Long,
      to: String,
    },
    none?: {
    },
"""
SCHEMA = f"""\
// What policies can speak about; made from the declared tools.
// The resource is the call itself: its type is the tool, its attributes are the arguments.

entity Effect enum ["read", "idempotent", "verifiable", "once"];

entity Agent = {{
  version: String,
}};

// A model call has no effect; `in [Effect]` lets rules on effects stand before the first tool is declared.
entity Model in [Effect] = {{
  task: String,
}};

entity mail in [Effect] = {{
  text?: String,
}};

namespace shop {{
  entity refund in [Effect] = {{
    amount: Long,
    to: String,
  }};

  entity weigh in [Effect] = {{
    // left out: kg: a number that may have a fraction
  }};
}}

// `invoke`: may it happen at all. `unattended`: may it happen without a person's yes.
action invoke, unattended appliesTo {{
  principal: [Agent],
  resource: [mail, shop::refund, shop::weigh, Model],
  context: {{
    on_behalf_of: String,
    tenant: String,
    depth: Long,
    undo: Bool,
    guest: Bool,
{KNOWN}  }},
}};

// `open`: may it have the value that a handle stands for; asked for each label in its arguments. Only a permit that names this action
// counts.
action open appliesTo {{
  principal: [Agent],
  resource: [mail, shop::refund, shop::weigh, Model],
  context: {{
    on_behalf_of: String,
    tenant: String,
    depth: Long,
    undo: Bool,
    guest: Bool,
{KNOWN}    label: String,
    declared: Bool,
    own: Bool,
  }},
}};
"""
DECLARED = Declared(counters=(Counter("paid", ("mail",), KeyPath(("text",))),), records=(RecordRead("order", ("shop.refund",)), RecordRead("none", ("gone",))))  # fmt: skip


def test_the_schema_stands_as_authors_read_it() -> None:
    assert CedarPolicy({}, TOOLS, [], [], DECLARED).schema_text() == SCHEMA
    assert known_shapes(DECLARED, TOOLS)["none"] == Record()


@both
def test_a_rule_can_ask_for_whatever_the_schema_says(engine: str) -> None:
    ready = 'context.tool == "a" || context.now_ms == context.hour + context.minute || context.weekday == context.digest || context.read_untrusted'
    more = 'context.unvouched.contains("a") || context.approvals == context.paid || context.roles == context.labels || context.guest || context.undo'
    known = f"{ready} || {more} || context.tenant == context.on_behalf_of || (context has order && context.order.amount == context.depth)"
    CedarPolicy(
        f'permit (principal, action, resource) when {{ {known} }}; permit (principal, action == Action::"open", resource) when {{ context.own || context.declared || context.label == "a" }};'
        'permit (principal, action, resource is Model) when { resource.task == principal.version };', TOOLS, [], [], DECLARED, engine=engine)  # fmt: skip


# --- what a call is put to the policies with ------------------------------------------------------------------------------


class Said:
    """What is known of a call."""

    def __init__(self, **values: object) -> None:
        self.values = values
        self.asked: list[str] = []

    def value(self, name: str) -> object:
        self.asked.append(name)
        return self.values.get(name)


def decided(condition: str, engine: str, asked: Request, effect: str = "permit", action: str = "action") -> Decision:
    text = f"{effect} (principal, {action}, resource) when {{ {condition} }};"
    loaded = CedarPolicy(text, TOOLS, ["desk"], ["small"], DECLARED, engine=engine)
    return loaded.decide(asked)


@both
@pytest.mark.parametrize("condition", [
    'principal.version == "1"', 'principal == Agent::"desk"', 'context.on_behalf_of == "person:ana"', 'context.tenant == "default"', "context.depth == 3", "context.undo", "context.guest",
    "resource is shop::refund && resource.amount == 5", 'resource is shop::refund && resource.to == "ana"', 'resource in Effect::"idempotent"', "context.hour == 12", 'context.weekday == "monday"',
    'context.roles.contains("lead")', "context.paid == 7", "context has order && context.order.amount == 9", 'action == Action::"invoke" || action == Action::"unattended"',
])  # fmt: skip
def test_each_thing_that_a_rule_can_ask_for_is_what_the_call_has(engine: str, condition: str) -> None:
    known = Said(hour=12, weekday="monday", roles=["lead"], paid=7, order={"amount": 9, "to": "x", "more": 1})
    asked = replace(request("shop.refund", known), depth=3, undo=True, guest=True)
    assert decided(condition, engine, asked).answer is Answer.ALLOW
    assert decided(f"!({condition})", engine, asked).answer is Answer.DENY
    other = request("shop.refund", Said(hour=11, weekday="x", roles=[], paid=6), amount=6, to="bo")
    away = replace(
        other, agent="clerk", agent_version="2", on_behalf_of=PrincipalId("p"), tenant=TenantId("t"), effect=Effect.ONCE
    )
    answer = decided(condition, engine, away).answer
    assert answer is (Answer.ALLOW if condition.startswith("action") else Answer.DENY)
    assert known.asked in ([], *([name] * 2 for name in known.values)), "only what is asked for is looked up"


@both
def test_a_model_call_has_its_name_and_its_task_and_no_effect(engine: str) -> None:
    asked = request(MODEL_TOOL, model="small", task="read")
    for condition, answer in (('resource == Model::"small"', Answer.ALLOW), ('resource is Model && resource.task == "read"', Answer.ALLOW), ('resource is Model && resource.task == "write"', Answer.DENY), ('resource in Effect::"read"', Answer.DENY)):  # fmt: skip
        assert decided(condition, engine, asked).answer is answer
    assert (
        decided("true", engine, request(MODEL_TOOL, model="small")).reason
        == "the call cannot be put to the policies: model.task is missing"
    )
    assert (
        decided("true", engine, request("gone")).reason
        == "the call cannot be put to the policies: no tool gone was declared when they were loaded"
    )
    assert (
        decided("true", engine, replace(request("shop.refund"), depth=2**63)).reason
        == "the call cannot be put to the policies: depth is beyond the 64 bits of a Long"
    )


@both
def test_what_nobody_knows_cannot_be_asked_for_and_is_said_in_300_letters(engine: str) -> None:
    assert decided("context.hour == 12", engine, request("shop.refund")).reason.startswith(
        "a policy cannot be evaluated: "
    )
    assert decided("context.hour == 12", engine, request("shop.refund", Said(hour=None))).answer is Answer.DENY
    long = f'@id("{"x" * 400}") permit (principal, action, resource) when {{ context.hour == 12 }};'
    reason = CedarPolicy(long, TOOLS, ["desk"], ["small"], engine=engine).decide(request("shop.refund")).reason
    assert len(reason) == len("a policy cannot be evaluated: ") + 300


RULES = """
@id("c") permit (principal == Agent::"desk", action == Action::"invoke", resource is shop::refund);
@id("a") permit (principal, action == Action::"unattended", resource is shop::refund) when { resource.amount < 10 };
@id("b") permit (principal, action == Action::"invoke", resource is mail);
@approvers("lead") @id("z") forbid (principal, action == Action::"unattended", resource is shop::refund) when { resource.amount == 7 };
@approvers("boss") @id("y") forbid (principal, action == Action::"unattended", resource is shop::refund) when { resource.amount == 7 };
@id("n") forbid (principal, action, resource is shop::refund) when { resource.to == "eve" };
@id("m") forbid (principal, action == Action::"invoke", resource) when { context.depth > 5 };
@id("o") permit (principal, action == Action::"open", resource is mail) when { context.own };
@id("p") forbid (principal, action, resource is mail) when { context.guest };
"""


@both
def test_a_decision_has_its_grounds_in_order_and_whose_yes_it_wants(engine: str) -> None:
    loaded = CedarPolicy(RULES, TOOLS, ["desk"], ["small"], engine=engine)
    digits = loaded.digest()[:16]

    def of(name: str = "shop.refund", agent: str = "desk", depth: int = 0, **args: object) -> Decision:
        return loaded.decide(replace(request(name, None, **args), agent=agent, depth=depth))

    for _ in range(2):
        assert of(amount=5, to="ana") == Decision(Answer.ALLOW, digits, ("a", "c"))
        assert of(amount=10, to="ana") == Decision(Answer.ASK, digits, ("c",), "no policy permits it unattended")
        wanted = (Requirement("y", ("boss",)), Requirement("z", ("lead",)))
        assert of(amount=7, to="ana") == Decision(
            Answer.ASK, digits, ("c", "y", "z"), "y, z forbids it unattended", wanted
        )
        assert of(amount=5, to="eve") == Decision(Answer.DENY, digits, ("n",), "forbidden by n")
        assert of(amount=5, to="eve", depth=6) == Decision(Answer.DENY, digits, ("m", "n"), "forbidden by m, n")
        assert of(agent="clerk", amount=5, to="ana") == Decision(Answer.DENY, digits, (), "no policy permits it")
        assert of("mail", text="x") == Decision(Answer.ASK, digits, ("b",), "no policy permits it unattended")


@both
def test_a_value_is_opened_by_a_permit_that_names_it_and_kept_by_any_forbid(engine: str) -> None:
    loaded = CedarPolicy(RULES, TOOLS, ["desk"], ["small"], engine=engine)
    digits, own = loaded.digest()[:16], Carried("pii.email", is_declared=False, is_own=True)

    def opened(asked: Request, carried: Carried = own) -> Decision:
        return loaded.decide_open(asked, carried)

    mail = request("mail", text="x")
    assert opened(mail) == Decision(Answer.ALLOW, digits, ("o",))
    assert opened(replace(mail, guest=True)) == Decision(
        Answer.DENY, digits, ("p",), "pii.email may not be opened for mail: forbidden by p"
    )
    nobody = 'pii.email may not be opened for mail: no policy permits Action::"open" for it'
    assert opened(mail, replace(own, is_own=False)) == Decision(Answer.DENY, digits, (), nobody)
    assert opened(request("shop.refund")).answer is Answer.DENY, "no rule that names it speaks of that tool"
    every = CedarPolicy("permit (principal, action, resource);", TOOLS, [], [], engine=engine)
    assert every.decide_open(mail, own).answer is Answer.DENY, "a rule on all actions opens nothing"
    known = Said(hour=12)
    text = RULES + 'forbid (principal, action == Action::"invoke", resource) when { context.hour == 12 };'
    assert CedarPolicy(text, TOOLS, ["desk"], [], engine=engine).decide_open(
        request("mail", known, text="x"), own
    ).rules == ("o",)
    assert known.asked == [], "what only other rules ask for is not looked up"
