"""What is heard in a sentence is what is written down for it; a change of what is heard shows where."""

from tests.flow.heard import FILE, told


def test_what_is_heard_is_what_is_written_down() -> None:
    assert list(told()) == FILE.read_text(encoding="utf-8").splitlines()
