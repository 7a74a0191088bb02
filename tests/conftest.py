"""What all tests share: a store of their own, and small agents to run on it."""

from pathlib import Path

import pytest


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "desk.kernos"
