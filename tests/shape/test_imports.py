"""Imports: no cycle anywhere, which outside libraries each ring may know, and one front door.

The arrows between the rings are the import contracts of pyproject.toml.
"""

import ast
import re
import sys
import tomllib
from functools import cache

import pytest

import kernos
from tests.shape.code import ROOT, Source, recorded, sources

pytestmark = pytest.mark.xdist_group("shape")  # All files are parsed once.

ALLOWED: dict[str, set[str]] = {
    "vocabulary": set(),
    "kernel": set(),
    "ports": set(),
    "flow": set(),
    "scheduling": set(),
    "control": {"msgspec", "rfc8785"},
    "execution": set(),
    "authoring": {"pydantic", "pydantic_core"},
    "app": {"msgspec", "pydantic", "rich", "typer"},
}
"""Libraries by ring; adapters, and the adapters for tests, may know all that kernos depends on."""
PARTS = {"pydantic_core": "pydantic", "yarl": "aiohttp"}  # installed as a part of another


@cache
def declared() -> set[str]:
    """Give the libraries that kernos depends on."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {re.split(r"[^\w-]", name)[0] for name in project["dependencies"]}


def test_no_module_is_part_of_an_import_cycle() -> None:
    modules = {source.module: source for source in sources()}
    edges = {name: source.imported & set(modules) - {name} for name, source in modules.items()}
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


def foreign(source: Source) -> list[str]:
    """Give the outside libraries that a file's ring does not know."""
    outside = {name.split(".")[0] for name in source.imported} - set(sys.stdlib_module_names) - {"kernos"}
    known = ALLOWED.get(source.ring, outside)
    return sorted(name for name in outside if name not in known or PARTS.get(name, name) not in declared())


def test_each_ring_knows_only_its_libraries() -> None:
    found = {source.name: foreign(source) for source in sources("src")}
    assert {name: libraries for name, libraries in found.items() if libraries} == recorded("foreign_libraries")


def test_everything_that_kernos_depends_on_is_used() -> None:
    used = {name.split(".")[0] for source in sources("src") for name in source.imported}
    assert sorted(declared() - used) == []


def test_inside_the_package_nobody_takes_the_front_door() -> None:
    assert [source.name for source in sources("src") if "kernos" in source.imported] == []


def test_the_front_door_leads_people_and_type_checkers_to_the_same_place() -> None:
    stub = ast.parse((ROOT / "src/kernos/__init__.pyi").read_text(encoding="utf-8"))
    typed = {
        alias.asname: node.module
        for node in stub.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname
    }
    inside = vars(kernos)
    assert sorted(typed) == sorted(inside["__all__"])
    assert typed == inside["_HOMES"]
    assert all(getattr(kernos, name) for name in typed)


def test_the_import_contracts_have_no_exceptions() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    assert {
        contract["name"]: contract["ignore_imports"] for contract in contracts if "ignore_imports" in contract
    } == {}
