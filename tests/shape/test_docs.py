"""Docs: links lead somewhere, examples run, words are the glossary's, nothing tells of the machine it was written on."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.shape.code import HERE, ROOT, sources, texts, words

pytestmark = pytest.mark.xdist_group("shape")  # All files are parsed once.

PAGES = {name: text for name, text in texts().items() if name.endswith(".md")}
PYTHON = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = [(f"{name}-{n}", code) for name, text in PAGES.items() for n, code in enumerate(PYTHON.findall(text))]
EXAMPLES = [(name, code) for name, code in BLOCKS if code.startswith("# run\n")]
FILE = re.compile(r"^# (\w+\.py)$", re.MULTILINE)
"""Within its first two lines a block may say which file it is; files of one page import one another."""
FILES = {
    name: [(found[1], code) for code in PYTHON.findall(text) if (found := FILE.search("\n".join(code.split("\n")[:2])))]
    for name, text in PAGES.items()
}
TESTED = [name for name, files in FILES.items() if any(file.startswith("test_") for file, _ in files)]
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]*))?\)")


def anchors(page: str) -> set[str]:
    """Give the names under which the headings of a page can be linked to."""
    titles = re.findall(r"^#+ (.*)$", page, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name: str) -> None:
    broken = []
    for target, anchor in LINK.findall(PAGES[name]):
        path = (ROOT / name).parent / target if target else ROOT / name
        inside = path.exists() and path.resolve().is_relative_to(ROOT)
        if not inside or (anchor and anchor not in anchors(path.read_text(encoding="utf-8"))):
            broken.append(f"{target}#{anchor}")
    assert broken == []


def test_python_in_the_pages_is_python() -> None:
    for name, code in BLOCKS:
        compile(code, name, "exec")
    assert any(name.startswith("README.md") for name, _ in EXAMPLES)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "code"), EXAMPLES, ids=[name for name, _ in EXAMPLES])
def test_the_examples_of_the_pages_run(name: str, code: str, tmp_path: Path) -> None:
    script = tmp_path / "example.py"
    script.write_text(code, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", str(script)],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    expected = re.search(r"^# prints: (.*)$", code, re.MULTILINE)
    assert expected is None or expected.group(1) in done.stdout, name


@pytest.mark.slow
@pytest.mark.parametrize("name", TESTED)
def test_the_tests_of_the_pages_pass(name: str, tmp_path: Path) -> None:
    for file, code in FILES[name]:
        (tmp_path / file).write_text(code, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:asyncio", "-W", "error"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    tests = sum(len(re.findall(r"^(?:async )?def test_", code, re.MULTILINE)) for _, code in FILES[name])
    assert f"{tests} passed" in done.stdout, done.stdout


def test_the_glossarys_words_are_used() -> None:
    glossary = re.findall(r"^\| \*\*([a-z -]+)\*\*", texts()["GLOSSARY.md"], re.MULTILINE)
    assert len(glossary) >= 25
    used = words(" ".join(source.text for source in sources("src")))
    assert [word for word in glossary if not re.search(rf"\b{word}", used)] == []


def test_no_synonym_stands_for_a_word_of_the_glossary() -> None:
    instead_of = tomllib.loads((HERE / "words.toml").read_text(encoding="utf-8"))["instead_of"]
    synonym = re.compile(rf"\b({'|'.join(instead_of)})s?\b")
    spoken = {name: text for name, text in texts().items() if name in PAGES or name.startswith("src/")}
    spoken = {name: text.replace("run_in_executor", "") for name, text in spoken.items()}  # asyncio's name.
    found = [
        f"{name}: {wrong!r}, say {instead_of[wrong]}"
        for name, text in spoken.items()
        for wrong in sorted(set(synonym.findall(words(text))))
    ]
    assert found == []


@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param(r"(?<![\w.:/-])/(root|home|work|opt|mnt|Users)/\w", id="a path of one machine"),
        pytest.param(r"(?<![\w.:/-])/tmp/[\w.-]", id="a temporary path of one machine"),
        pytest.param(r"(?i)\bissues? #?\d|\bissues show\b", id="how the work is counted"),
        pytest.param(r"-----BEGIN [A-Z ]*PRIVATE KEY|\b(sk-|ghp_|AKIA)[A-Za-z0-9]{16}", id="a secret"),
    ],
)
def test_nothing_tells_of_the_place_it_was_written_in(pattern: str) -> None:
    assert [name for name, text in texts().items() if name != "LICENSE" and re.search(pattern, text)] == []


def test_the_tests_that_the_page_on_security_names_exist() -> None:
    named = set(re.findall(r"`(test_\w+)`", texts()["docs/security.md"]))
    defined = {name for source in sources("tests") for name in re.findall(r"def (test_\w+)\(", source.text)}
    assert len(named) >= 25
    assert named - defined == set()
