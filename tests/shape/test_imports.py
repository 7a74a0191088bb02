"""Imports: no cycle anywhere, and which outside libraries each ring may know."""

import ast
import sys

from tests.shape.code import Source, sources

ALLOWED = {
    "vocabulary": set(),
    "kernel": set(),
    "ports": set(),
    "control": {"msgspec", "rfc8785"},
    "execution": set(),
    "authoring": {"pydantic", "pydantic_core"},
}


def imported(source: Source) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def test_no_module_is_part_of_an_import_cycle() -> None:
    modules = {source.module: source for source in sources("src")}
    edges = {name: imported(source) & set(modules) - {name} for name, source in modules.items()}
    done: set[str] = set()
    way: list[str] = []

    def visit(module: str) -> None:
        assert module not in way, f"a cycle: {' -> '.join([*way[way.index(module) :], module])}"
        if module in done:
            return
        way.append(module)
        for target in sorted(edges[module]):
            visit(target)
        way.pop()
        done.add(module)

    for module in sorted(modules):
        visit(module)


def test_each_ring_knows_only_its_libraries() -> None:
    strange = []
    for source in sources("src"):
        ring = source.module.split(".")[1] if "." in source.module else ""
        if ring in ALLOWED:
            outside = {name.split(".")[0] for name in imported(source)} - set(sys.stdlib_module_names) - {"kernos"}
            strange += [f"{source.name}: {name}" for name in sorted(outside - ALLOWED[ring])]
    assert strange == []
