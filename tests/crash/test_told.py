"""What verify tells of a damaged store is what is written down for that damage; a change that tells something else shows where."""

from pathlib import Path

import pytest

from tests.crash.told import FOLDER, STORES, told


@pytest.mark.slow
@pytest.mark.parametrize("name", STORES)
async def test_what_is_told_of_a_damage_is_what_is_written_down(name: str, tmp_path: Path) -> None:
    assert (await told(name, tmp_path)).splitlines() == (FOLDER / f"{name}.txt").read_text("utf-8").splitlines()
