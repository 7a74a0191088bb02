"""Sizes: files, functions and ports that fit a head."""

import ast
from statistics import median, quantiles

import pytest

from tests.shape.code import recorded, sources

pytestmark = pytest.mark.xdist_group("shape")  # All files are parsed once.

FILE_LINES_MAX = 500
FILE_LINES_HARD_MAX = 800
FILE_LINES_MOST_MAX = 300  # nine files out of ten
FILE_LINES_MEDIAN_MAX = 120
FUNCTION_LINES_MAX = 70
FUNCTION_LINES_MOST_MAX = 35  # nine functions out of ten
PORT_METHODS_MAX = 7


def test_a_file_has_at_most_500_lines_unless_it_is_recorded() -> None:
    lengths = {source.name: source.lines for source in sources()}
    assert {name: lines for name, lines in lengths.items() if lines > FILE_LINES_MAX} == recorded("long_files")
    assert [name for name, lines in lengths.items() if lines > FILE_LINES_HARD_MAX] == []


def test_a_recorded_long_file_says_in_its_docstring_why() -> None:
    said = {source.name: ast.get_docstring(source.tree) or "" for source in sources()}
    assert [name for name in recorded("long_files") if "long because" not in said[name]] == []


def test_most_files_of_the_package_are_short() -> None:
    lengths = [source.lines for source in sources("src")]
    assert median(lengths) <= FILE_LINES_MEDIAN_MAX
    assert quantiles(lengths, n=10)[-1] <= FILE_LINES_MOST_MAX


def test_a_function_has_at_most_70_lines_and_most_have_half_of_that() -> None:
    lengths = {
        f"{source.name}:{function.lineno} {function.name}": (function.end_lineno or 0) - function.lineno + 1
        for source in sources()
        for function in source.functions
    }
    assert {name: lines for name, lines in lengths.items() if lines > FUNCTION_LINES_MAX} == {}
    assert quantiles(lengths.values(), n=10)[-1] <= FUNCTION_LINES_MOST_MAX


def test_a_port_has_at_most_7_methods() -> None:
    ports = {
        f"{source.name} {node.name}": sum(
            isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef) for member in node.body
        )
        for source in sources("src")
        if source.ring == "ports"
        for node in source.nodes
        if isinstance(node, ast.ClassDef) and "Protocol" in [ast.unparse(base) for base in node.bases]
    }
    assert len(ports) >= len({source.name for source in sources("src") if source.ring == "ports"}) - 1
    assert {name: methods for name, methods in ports.items() if methods > PORT_METHODS_MAX} == {}


def test_public_functions_say_what_they_are_for() -> None:
    public = [
        (source.name, function)
        for source in sources("src")
        for function in source.functions
        if not function.name.startswith("_")
    ]
    silent = [f"{name}:{f.lineno} {f.name}" for name, f in public if ast.get_docstring(f) is None]
    assert len(silent) <= len(public) // 5, silent


def test_every_module_says_what_it_is_for() -> None:
    assert [source.name for source in sources() if source.text.strip() and ast.get_docstring(source.tree) is None] == []
