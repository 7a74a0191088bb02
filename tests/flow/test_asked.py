"""What is asked over the suites is what is written down there; a change of rules that changes it shows where."""

import asyncio
from pathlib import Path

import pytest

from tests.flow.asked import DOMAINS, FOLDER, told
from tests.flow.cases import Domain


@pytest.mark.slow
@pytest.mark.parametrize("domain", DOMAINS, ids=[domain.name for domain in DOMAINS])
def test_what_is_asked_is_what_is_written_down(domain: Domain, tmp_path: Path) -> None:
    assert asyncio.run(told(domain, tmp_path)) == (FOLDER / f"{domain.name}.txt").read_text(encoding="utf-8")
