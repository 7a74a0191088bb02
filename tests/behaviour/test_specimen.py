"""Specimen and nearest answer: what a fork answers where nobody did."""

from datetime import UTC, date, datetime
from enum import Enum
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from pydantic import BaseModel, Field

from kernos.authoring.codec import codec_of
from kernos.control.recollection import nearest
from kernos.control.specimen import specimen_of
from kernos.kernel.state import Phase, Step, StepKind
from kernos.vocabulary.outcome import Failure, Outcome
from kernos.vocabulary.quantities import Json


class Colour(Enum):
    RED = "red"


class Leaf(BaseModel):
    at: datetime
    on: date
    id: UUID
    colour: Colour
    kind: Literal["leaf"] = "leaf"


class Tree(BaseModel):
    leaves: Annotated[list[Leaf], Field(min_length=2)]
    height: Annotated[int, Field(gt=3)]
    width: Annotated[float, Field(le=-2)]
    name: Annotated[str, Field(min_length=5)]
    parent: "Tree | None" = None
    other: int | str
    pair: tuple[int, bool]
    by_name: dict[str, int]


@pytest.mark.parametrize("kind", [Tree, Leaf, int, str, bool, list[Tree], Tree | None, None, dict[str, Any], Colour])
def test_a_specimen_fits_the_type_that_it_was_made_for(kind: Any) -> None:
    codec = codec_of(kind)
    codec.decode(specimen_of(codec.schema))


def test_a_specimen_is_the_same_every_time() -> None:
    schema = codec_of(Leaf).schema
    assert specimen_of(schema) == specimen_of(schema)
    assert codec_of(Leaf).decode(specimen_of(schema)).at == datetime(1970, 1, 1, tzinfo=UTC)


def test_a_schema_that_refers_to_itself_for_ever_ends() -> None:
    endless = (
        b'{"$ref":"#/$defs/A","$defs":{"A":{"type":"object","required":["a"],"properties":{"a":{"$ref":"#/$defs/A"}}}}}'
    )
    assert specimen_of(Json(endless)).text.startswith(b'{"a":')


def call(args: bytes, outcome: Outcome, what: str = "shop.refund") -> Step:
    return Step(StepKind.CALL, what, Json(args), Phase.DONE, 1, outcome)


STEPS = [
    call(b'{"order":"A1","cents":100}', Json(b'"first"')),
    call(b'{"order":"A2","cents":200}', Json(b'"second"')),
    call(b'{"order":"A2","cents":300}', Failure("refused", "no")),
    call(b'{"order":"A3","cents":300}', Json(b'"mailed"'), "shop.mail"),
]


@pytest.mark.parametrize(
    ("args", "result"),
    [
        (b'{"order":"A2","cents":300}', b'"second"'),
        (b'{"order":"A9","cents":100}', b'"first"'),
        (b'{"order":"A9","cents":900}', b'"first"'),
    ],
)
def test_the_nearest_answer_is_that_of_the_call_with_most_arguments_alike(args: bytes, result: bytes) -> None:
    assert nearest(STEPS, StepKind.CALL, "shop.refund", Json(args)) == Json(result)


def test_another_tool_or_a_failure_answers_nothing() -> None:
    assert nearest(STEPS, StepKind.CALL, "shop.gift", Json(b"{}")) is None
    assert nearest(STEPS[2:3], StepKind.CALL, "shop.refund", Json(b"{}")) is None
