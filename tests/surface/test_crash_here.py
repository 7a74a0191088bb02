"""The example behind docs/crashes.md: killed at a point of an action, it goes on as the page says."""

from pathlib import Path

import pytest

from examples.crash_here import show


@pytest.mark.slow
@pytest.mark.parametrize(
    ("point", "effect", "ends", "moves"),
    [
        ("before", "once", "completed", "500"),
        ("intended", "idempotent", "completed, called again", "500"),
        ("done", "idempotent", "completed, called again", "500"),
        ("done", "verifiable", "completed", "500"),
        ("done", "once", "waiting, a person must say", "500"),
        ("answered", "idempotent", "completed", "500"),
        ("undoing", "verifiable", "failed", "500, -500"),
    ],
)
def test_what_the_page_says_about_a_crash_is_so(tmp_path: Path, point: str, effect: str, ends: str, moves: str) -> None:
    told = show(tmp_path, point, effect)
    assert ends in told, told
    assert told.endswith(f"the bank moved {moves}"), told
