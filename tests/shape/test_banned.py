"""Banned: what the style forbids and the linter cannot know.

Clock reads, chance, prints, hidden imports and TYPE_CHECKING are the linter's (`banned-api`, T20 and PLC0415 in
pyproject.toml); annotations are mypy's.
"""

import ast
import re
from collections import Counter

import pytest

from tests.shape.code import ROOT, Source, recorded, sources, texts

pytestmark = pytest.mark.xdist_group("shape")  # All files are parsed once.

BROAD = {"Exception", "BaseException"}
VAGUE = {"utils", "util", "common", "base", "manager", "misc", "helpers", "helper"}
PURE = {"vocabulary", "kernel", "flow", "scheduling"}
VALUES = {"vocabulary", "kernel", "ports"}


def is_broad(caught: ast.expr | None) -> bool:
    """Whether a handler takes whatever comes."""
    if isinstance(caught, ast.Tuple):
        return any(is_broad(one) for one in caught.elts)
    return caught is None or ast.unparse(caught) in BROAD


def test_broad_excepts_stand_only_where_they_are_recorded() -> None:
    found: Counter[str] = Counter()
    for source in sources("src"):
        found[source.name] += sum(isinstance(n, ast.ExceptHandler) and is_broad(n.type) for n in source.nodes)
        found[source.name] += sum(
            name == "contextlib.suppress" and any(is_broad(one) for one in call.args) for name, call in source.calls()
        )
    assert {name: count for name, count in found.items() if count} == recorded("broad_excepts")


def test_modules_are_imported_by_statements() -> None:
    found = Counter(
        source.name
        for source in sources("src")
        for name, _ in source.calls()
        if name in ("importlib.import_module", "__import__", "exec", "eval")
    )
    assert found == recorded("dynamic_imports")


def test_no_module_has_a_vague_name() -> None:
    assert [source.name for source in sources() if VAGUE & set(source.module.split("."))] == []


def is_patching(name: str) -> bool:
    """Whether a test that calls this changes what it tests."""
    return name.startswith(("monkeypatch.", "unittest.mock", "mocker."))


def is_waiting(name: str, call: ast.Call) -> bool:
    """Whether a test that calls this waits for time to pass; giving way once is no waiting."""
    once = bool(call.args) and isinstance(call.args[0], ast.Constant) and call.args[0].value == 0
    return name in ("time.sleep", "asyncio.sleep") and not once


def test_tests_neither_sleep_nor_patch() -> None:
    found = [
        f"{source.name}:{call.lineno} {name}"
        for source in sources("tests")
        for name, call in source.calls()
        if is_patching(name) or (is_waiting(name, call) and "simulation" not in source.module.split("."))
    ]
    assert found == []  # In a simulation time is virtual: sleeping there takes none.


def says_why(call: ast.Call) -> bool:
    """Whether a skip has a reason, by name or as the message that `pytest.skip` begins with."""
    by_name = any(word.arg == "reason" for word in call.keywords)
    return by_name or (ast.unparse(call.func) == "pytest.skip" and bool(call.args))


def test_a_skipped_test_says_why() -> None:
    silent = []
    for source in sources("tests"):
        reasoned = {id(node.func) for node in source.nodes if isinstance(node, ast.Call) and says_why(node)}
        silent += [
            f"{source.name}:{node.lineno}"
            for node in source.nodes
            if isinstance(node, ast.Attribute) and id(node) not in reasoned
            if re.match(r"pytest\.(mark\.)?(skip|skipif|xfail)\Z", ast.unparse(node))
        ]
    assert silent == []


def test_the_names_of_tests_are_sentences() -> None:
    short = [
        f"{source.name}:{function.lineno} {function.name}"
        for source in (*sources("tests"), *sources("src"))
        for function in source.functions
        if function.name.startswith("test_") and len(function.name.split("_")) < 4
    ]
    assert short == []


def test_the_pure_rings_are_synchronous_and_open_nothing() -> None:
    found = [
        f"{source.name}:{node.lineno}"
        for source in sources("src")
        if source.ring in PURE
        for node in source.nodes
        if isinstance(node, ast.AsyncFunctionDef | ast.Await)
        or (isinstance(node, ast.Call) and ast.unparse(node.func) in ("open", "input", "print"))
    ]
    assert found == []


def loose_values(source: Source) -> list[str]:
    """Give the dataclasses of a file that may change or have attributes nobody declared."""
    return [
        f"{source.name}:{node.lineno} {node.name}"
        for node in source.nodes
        if isinstance(node, ast.ClassDef)
        for decorator in node.decorator_list
        if re.match(r"(dataclasses\.)?dataclass\b", ast.unparse(decorator))
        and not {"frozen=True", "slots=True"} <= set(re.findall(r"\w+=True", ast.unparse(decorator)))
    ]


def test_values_that_cross_a_wall_are_frozen_and_slotted() -> None:
    assert [found for source in sources("src") if source.ring in VALUES for found in loose_values(source)] == []


def test_every_exception_from_a_lint_rule_has_its_reason() -> None:
    pages = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    rules = re.findall(r'^    "[A-Z]+[0-9]*",(.*)$', pages, re.MULTILINE)
    assert len(rules) >= 20
    assert [rule for rule in rules if not re.search(r"# .{8}", rule)] == []
    assert re.findall(r"^.*= \[\"[A-Z]+[0-9]+\".*$", pages, re.MULTILINE) == []


def test_nothing_is_left_to_do_later() -> None:
    later = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b")
    assert [name for name, text in texts().items() if later.search(text)] == []


def test_a_word_that_two_modules_agree_on_stands_in_one_place() -> None:
    places: dict[tuple[str, str], list[str]] = {}
    for source in sources("src"):
        for node in source.tree.body:
            if (
                isinstance(node, ast.Assign)
                and isinstance(node.value, ast.Constant)
                and isinstance(node.value.value, str)
            ):
                for target in node.targets:
                    places.setdefault((ast.unparse(target).lstrip("_"), node.value.value), []).append(source.name)
    assert {word: found for word, found in places.items() if len(found) > 1} == {}
