"""Seeds of the simulator: every run ends, the books agree, and a seed repeats itself to the byte."""

import asyncio
import os
from collections import Counter

import pytest

from kernos.testing.clock import run_virtually
from tests.simulation.simulator import simulate

SEEDS = 2_000 if os.environ.get("KERNOS_NIGHTLY") else 200
PART = 25


@pytest.mark.slow
@pytest.mark.parametrize("begin", range(0, SEEDS, PART))
def test_whatever_fails_every_run_ends_and_the_books_agree(begin: int) -> None:
    seen: Counter[str] = Counter()
    for seed in range(begin, begin + PART):
        ended = simulate(seed)
        assert ended.wrong == [], (seed, ended.wrong)
        seen.update(seeds=1, crashes=ended.crashes, events=len(ended.events), effects=len(ended.shop.effects))
    print(dict(seen))
    assert seen["crashes"] > 0
    assert seen["effects"] > 0


@pytest.mark.parametrize("seed", [2, 3, 5, 8])
def test_the_same_seed_gives_the_same_tree_head(seed: int) -> None:
    first, second = simulate(seed), simulate(seed)
    assert first.wrong == []
    assert (first.head, first.virtual_ms, first.crashes) == (second.head, second.virtual_ms, second.crashes)
    assert simulate(seed + 100).head != first.head


def test_time_that_nothing_can_end_is_an_error_and_not_a_hang() -> None:
    async def forever() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(RuntimeError, match="nothing is due"):
        run_virtually(forever())
