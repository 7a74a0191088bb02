"""Readers of what comes from outside: whatever it is, they answer or refuse in their own words. Each seed is one input; the benchmark has a million."""

from random import Random

import pytest

from benchmarks.fuzz import Target, attempt, campaign, targets
from benchmarks.mutations import mutated

INPUTS = 800
TARGETS = {target.name: target for target in targets()}


@pytest.mark.parametrize("target", TARGETS.values(), ids=list(TARGETS))
def test_no_input_ends_in_an_error_that_is_not_the_readers_own(target: Target) -> None:
    came, found = campaign(target, INPUTS, lambda line: None)
    assert found == []
    assert came.total() == INPUTS
    assert len(came) > 1, "either every input was refused or none was"


@pytest.mark.parametrize(
    "seed",
    [
        "20262 policy context 4",  # Bytes that are no UTF-8 within the arguments.
        "20262 context file 684",  # A number of 5,000 digits.
        "20262 context file 1879",  # Nested without end.
        "20262 context file 722188",  # A time zone of hundreds of parts.
        "20262 event decoder 727",  # A list in place of an old version's fields.
        "20262 event decoder 13049",  # A cause with a quotation mark.
    ],
)
def test_what_was_found_once_stays_mended(seed: str) -> None:
    assert attempt(TARGETS[seed.split(" ", 1)[1].rpartition(" ")[0]], seed)


def test_a_reader_that_fails_is_found_with_the_seed_that_repeats_it() -> None:
    def read(given: bytes, chance: object) -> str:
        if b"9" * 400 in given:
            raise ValueError("long")
        return "accepted"

    target = Target("fragile", (b'{"a":1}',), read)
    came, found = campaign(target, 2_000, lambda line: None)
    assert found
    assert came.total() + len(found) == 2_000
    with pytest.raises(ValueError, match="long"):
        attempt(target, found[0].split("'")[1])


def test_the_same_seed_makes_the_same_input() -> None:
    assert [mutated(Random(n), [b'{"a":[1,2]}']) for n in range(50)] == [
        mutated(Random(n), [b'{"a":[1,2]}']) for n in range(50)
    ]
