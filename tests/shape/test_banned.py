"""Banned: what the style forbids and a linter does not see."""

import ast
import re

from tests.shape.code import ROOT, sources, tracked

CLOCKS = re.compile(
    r"(time\.(time|time_ns|monotonic|monotonic_ns|perf_counter|perf_counter_ns)"
    r"|datetime\.(now|utcnow|today)|date\.today|datetime\.datetime\.now)\Z"
)
BROAD = {"Exception", "BaseException"}
BROAD_ALLOWED = {
    "src/kernos/execution/worker.py": 1,  # The outermost loop of the worker: whatever an agent's code raises ends its run.
    "src/kernos/authoring/tool.py": 2,  # A tool's function may raise anything; its class decides what that means.
    "src/kernos/control/sessions.py": 1,  # A load that fails is told to everybody who waits for it, and raised again.
    "src/kernos/adapters/sqlite/writer.py": 1,  # The writer's thread: whatever breaks it is told to everybody who waits.
    "src/kernos/adapters/sqlite/journal.py": 1,  # A rebuild that fails rolls back, and raises again.
}
LAZY_ALLOWED = re.compile(
    r"src/kernos/(app/cli/.*|adapters/http/.*)\Z"
)  # The command line's start; aiohttp is slow to import.
VAGUE = {"utils", "util", "common", "base", "manager", "misc", "helpers"}


def test_only_the_system_adapter_reads_the_clock() -> None:
    reads = [
        f"{source.name}:{line} {call}"
        for source in sources("src")
        if not source.name.startswith("src/kernos/adapters/system/")
        for call, line in source.calls()
        if CLOCKS.match(call)
    ]
    assert reads == []


def test_only_the_command_line_prints() -> None:
    prints = [
        f"{source.name}:{line}"
        for source in sources("src")
        if not source.name.startswith("src/kernos/app/cli")
        for call, line in source.calls()
        if call == "print"
    ]
    assert prints == []


def test_broad_excepts_stand_only_where_they_are_recorded() -> None:
    found: dict[str, int] = {}
    for source in sources("src"):
        for node in ast.walk(source.tree):
            if isinstance(node, ast.ExceptHandler) and (node.type is None or ast.unparse(node.type) in BROAD):
                found[source.name] = found.get(source.name, 0) + 1
    assert {name: count for name, count in found.items() if count > BROAD_ALLOWED.get(name, 0)} == {}


def test_imports_stand_at_the_top() -> None:
    hidden = [
        f"{source.name}:{node.lineno}"
        for source in sources("src")
        if not LAZY_ALLOWED.match(source.name)
        for function in source.functions()
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert hidden == []


def test_nothing_is_imported_for_type_checkers_only() -> None:
    assert [source.name for source in sources("src") if "TYPE_CHECKING" in source.text] == []


def test_no_module_has_a_vague_name() -> None:
    assert [source.name for source in sources("src", "examples") if VAGUE & set(source.module_parts())] == []


def test_tests_neither_sleep_nor_patch() -> None:
    banned = re.compile(r"(time|asyncio)\.sleep\Z|monkeypatch\.|mock\.patch|patch\Z")
    found = [
        f"{source.name}:{line} {call}"
        for source in sources("tests")
        for call, line in source.calls()
        if banned.search(call)
    ]
    assert found == []


def test_nothing_is_left_to_do_later() -> None:
    words = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
    here = ROOT / "tests/shape/test_banned.py"
    left = [
        path.relative_to(ROOT).as_posix()
        for path in tracked(".py", ".md", ".toml")
        if path != here and words.search(path.read_text(encoding="utf-8"))
    ]
    assert left == []


def test_everything_is_annotated() -> None:
    bare = [
        f"{source.name}:{function.lineno} {function.name}"
        for source in sources("src")
        for function in source.functions()
        if function.returns is None
        or any(
            a.annotation is None and a.arg not in ("self", "cls")
            for a in (*function.args.args, *function.args.kwonlyargs)
        )
    ]
    assert bare == []
