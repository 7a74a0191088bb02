"""Schema: what of a tool's input policies can speak about, and that the engine takes every schema made."""

import json
import re
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Literal

import cedarpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from kernos.adapters.cedar.policy import CedarPolicy
from kernos.adapters.cedar.shape import DoesNotFit, read_input
from kernos.vocabulary.contract import Codec, ToolContract
from kernos.vocabulary.errors import Bug
from kernos.vocabulary.outcome import AttemptFailed, Effect
from kernos.vocabulary.quantities import Json


def _unused(value: object) -> Json:
    message = f"no policy encodes {value!r}"
    raise Bug(message)


async def _never(args: Json, call: object) -> Json | AttemptFailed:
    message = f"no policy performs {args!r} ({call!r})"
    raise Bug(message)


def _schema_text(*tools: tuple[str, object]) -> str:
    contracts: list[ToolContract[object, object]] = []
    for name, schema in tools:
        codec = Codec("Input", _unused, _unused, Json(json.dumps(schema).encode()))
        contracts.append(ToolContract(name, Effect.READ, codec, codec, _never))
    return CedarPolicy({}, contracts, [], []).schema_text()


class Speed(Enum):
    SLOW = "slow"
    FAST = "fast"


class Line(BaseModel):
    sku: str
    count: int = 1


class Node(BaseModel):
    name: str
    children: "list[Node]" = Field(default_factory=list)


class Everything(BaseModel):
    text: str
    whole: int
    flag: bool
    day: datetime
    speed: Speed
    level: Literal[1, 2]
    word: Literal["a"]
    maybe: str | None
    default: int = 3
    tags: list[str]
    unique: set[int]
    line: Line
    lines: list[Line]
    fraction: float
    price: Decimal
    either: int | str
    mapping: dict[str, int]
    anything: Any
    pair: tuple[int, str]
    gaps: list[int | None]
    mixed: Literal["a", 1]
    tree: Node


def test_every_expressible_type_is_in_the_schema_and_all_else_is_named_with_its_reason() -> None:
    text = _schema_text(("t", Everything.model_json_schema()))
    entity = text[text.index("entity t in [Effect]") : text.index("// `invoke`")]
    for line in (
        "text: String,", "whole: Long,", "flag: Bool,", "day: String,", "speed: String,", "level: Long,",
        "word: String,", "maybe?: String,", "default?: Long,", "tags: Set<String>,", "unique: Set<Long>,",
        "// left out: fraction: a number that may have a fraction", "// left out: price: a number",
        "// left out: either: a union of several types", "// left out: mapping: an open map",
        "// left out: anything: its type is open", "// left out: pair: a tuple",
        "// left out: gaps: a list that may hold null", "// left out: mixed: its values are not all",
        "// left out: children: a type that contains itself",
    ):  # fmt: skip
        assert f"  {line}" in entity, line
    flat = re.sub(r"\s+", " ", entity)
    assert "line: { sku: String, count?: Long, }," in flat
    assert "lines: Set<{ sku: String, count?: Long, }>," in flat
    assert re.search(r"tree: \{.*name: String, \}", flat)


@pytest.mark.parametrize(
    "schema",
    [
        True,
        {},
        {"type": "string"},
        {"type": "object"},
        {"$ref": "#/$defs/Gone"},
        {"$ref": "#"},
        {"anyOf": []},
        {"type": "object", "properties": {"a": False, "b": {"type": "array"}, "c": {"allOf": [{}, {}]}}},
        {"type": "object", "properties": {"a\nentity b;": {"type": "x\ny"}, '"\\': {"type": "string"}}},
    ],
)
def test_a_schema_that_says_little_or_nonsense_gives_a_tool_with_few_attributes(schema: object) -> None:
    assert "entity t in [Effect] = {" in _schema_text(("t", schema))


def test_a_reference_to_the_root_type_is_followed() -> None:
    (name,) = read_input(Node.model_json_schema()).attributes
    assert (name.name, name.required) == ("name", True)


def test_words_of_the_policy_language_can_be_tools_where_its_grammar_lets_them() -> None:
    names = ["decimal", "set", "action", "entity.type", "namespace.permit", "principal.context.when"]
    assert "entity when in [Effect]" in _schema_text(*((name, {"type": "object", "properties": {}}) for name in names))


def test_names_that_cedar_reads_as_something_else_are_left_out_at_every_depth() -> None:
    inner = {"type": "object", "properties": {"__entity": {"type": "string"}, "a": {"type": "string"}}}
    record = read_input({"type": "object", "properties": {"__extn": {"type": "string"}, "line": inner}})
    assert record.left_out == ("__extn: names that begin with two underscores are Cedar's own",)
    found = record.value({"__extn": "x", "line": {"__entity": "x", "a": "b"}}, "t")
    assert found == {"line": {"a": "b"}}


def test_absent_and_null_arguments_are_left_out_and_others_kept() -> None:
    record = read_input(Everything.model_json_schema())
    given_args = {
        "text": "x", "whole": 1, "flag": False, "day": "2026-11-02T00:00:00Z", "speed": "slow", "level": 1, "word": "a",
        "maybe": None, "tags": [], "unique": [1], "line": {"sku": "s", "count": 2, "more": 1}, "lines": [{"sku": "s"}],
        "fraction": 1.5, "mapping": {"__entity": 1}, "tree": {"name": "n", "children": []},
    }  # fmt: skip
    found = record.value(given_args, "t")
    assert "maybe" not in found
    assert "default" not in found
    assert "fraction" not in found
    assert found["line"] == {"sku": "s", "count": 2}
    assert found["tree"] == {"name": "n"}
    with pytest.raises(DoesNotFit, match=r"t\.lines\[0\]\.sku is missing"):
        record.value(given_args | {"lines": [{}]}, "t")


names = st.text(max_size=8)
leaves: st.SearchStrategy[Any] = st.sampled_from(
    [
        {"type": "string"},
        {"type": "integer"},
        {"type": "boolean"},
        {"type": "number"},
        {"enum": ["a", None]},
        {},
    ]
)
schemas = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(lambda items: {"type": "array", "items": items}, inner),
        st.builds(lambda part: {"anyOf": [part, {"type": "null"}]}, inner),
        st.builds(
            lambda parts, required: {"type": "object", "properties": parts, "required": sorted(required)},
            st.dictionaries(names, inner, max_size=4),
            st.sets(names, max_size=4),
        ),
    ),
    max_leaves=12,
)


@given(st.dictionaries(names, schemas, max_size=4))
def test_the_engine_takes_the_schema_of_any_input(properties: dict[str, Any]) -> None:
    text = _schema_text(("a.b", {"type": "object", "properties": properties, "required": list(properties)}))
    assert "a::b" in str(cedarpy.Schema.from_str(text))
