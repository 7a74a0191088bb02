"""Docs: links lead somewhere, examples run, words are the glossary's, nothing tells of the machine it was written on."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.shape.code import ROOT, tracked

DOCS = tuple(path for path in tracked(".md") if "node_modules" not in path.parts)
EXAMPLE = re.compile(r"^```python\n(# run\n.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(path: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", path.read_text(encoding="utf-8"))
    assert [target for target in targets if not (path.parent / target).exists()] == []


def examples() -> list[tuple[str, str]]:
    found = []
    for path in DOCS:
        for index, code in enumerate(EXAMPLE.findall(path.read_text(encoding="utf-8"))):
            found.append((f"{path.relative_to(ROOT).as_posix()}-{index}", code))
    return found


@pytest.mark.parametrize(("name", "code"), examples(), ids=lambda value: value if "\n" not in value else "")
def test_examples_run(name: str, code: str, tmp_path: Path) -> None:
    script = tmp_path / "example.py"
    script.write_text(code, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    expected = re.search(r"^# prints: (.*)$", code, re.MULTILINE)
    if expected:
        assert expected.group(1) in done.stdout, name


def test_the_glossarys_words_are_used() -> None:
    glossary = (ROOT / "GLOSSARY.md").read_text(encoding="utf-8")
    words = re.findall(r"^\| \*\*([a-z -]+)\*\*", glossary, re.MULTILINE)
    assert len(words) >= 25
    code = " ".join(
        path.read_text(encoding="utf-8").lower() for path in tracked(".py") if path.is_relative_to(ROOT / "src")
    )
    assert [word for word in words if word.split(" ")[0] not in code] == []


def test_nothing_tells_of_the_machine_it_was_written_on() -> None:
    places = re.compile(r"/root/|/home/[a-z]|/work/main|/tmp/plan|/opt/pypi")
    here = Path(__file__)
    told = [
        path.relative_to(ROOT).as_posix()
        for path in tracked(".py", ".md", ".toml", ".jsonl", ".cedar", "")
        if path != here and path.name != "LICENSE" and places.search(path.read_text(encoding="utf-8", errors="replace"))
    ]
    assert told == []
