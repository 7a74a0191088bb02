"""Seeds of the simulator: every run ends, the books agree, and a seed repeats itself to the byte."""

import asyncio
import os
from collections import Counter

import pytest

from kernos.testing import run_virtually, simulate
from tests.simulation.world import WORLD, caller, some_case

SEEDS = 10_000 if os.environ.get("KERNOS_NIGHTLY") else 500
PART = 20
OPERATIONS = 200


@pytest.mark.slow
@pytest.mark.parametrize("begin", range(0, SEEDS, PART))
def test_whatever_fails_every_run_ends_and_the_books_agree(begin: int) -> None:
    seen: Counter[str] = Counter()
    for world in simulate(caller, some_case, seeds=range(begin, begin + PART), operations=OPERATIONS, **WORLD):
        assert world.operations >= OPERATIONS
        seen.update(crashes=world.crashes, entries=world.entries, effects=world.effects, runs=world.runs)
    print(dict(seen))
    assert seen["crashes"] > 0
    assert seen["effects"] > 0


@pytest.mark.parametrize("seed", [2, 3, 5, 8])
def test_the_same_seed_gives_the_same_tree_head(seed: int) -> None:
    first, second, other = (
        simulate(caller, some_case, seeds=[one], operations=60, **WORLD)[0] for one in (seed, seed, seed + 100)
    )
    assert first == second
    assert other.head != first.head


def test_time_that_nothing_can_end_is_an_error_and_not_a_hang() -> None:
    async def forever() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(RuntimeError, match="nothing is due"):
        run_virtually(forever())
