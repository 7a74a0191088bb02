"""Sizes: files and functions that fit a head."""

import ast

from tests.shape.code import sources

FILE_LINES_MAX = 500
FILE_LINES_HARD_MAX = 800
FUNCTION_LINES_MAX = 70

LONG_FILES: dict[str, int] = {}
"""Recorded exceptions, with their lines; they may only shrink."""


def test_a_file_has_at_most_500_lines_unless_it_is_recorded() -> None:
    lengths = {s.name: s.text.count("\n") for s in sources("src", "tests", "examples", "benchmarks")}
    too_long = {name: lines for name, lines in lengths.items() if lines > LONG_FILES.get(name, FILE_LINES_MAX)}
    assert too_long == {}
    assert all(lines <= FILE_LINES_HARD_MAX for lines in lengths.values())


def test_a_function_has_at_most_70_lines() -> None:
    too_long = {
        f"{source.name}:{function.lineno} {function.name}": lines
        for source in sources("src", "examples", "benchmarks")
        for function in source.functions()
        if (lines := (function.end_lineno or 0) - function.lineno + 1) > FUNCTION_LINES_MAX
    }
    assert too_long == {}


def test_public_functions_say_what_they_are_for() -> None:
    public = [
        (source.name, function)
        for source in sources("src")
        for function in source.functions()
        if not function.name.startswith("_")
    ]
    silent = [f"{name}:{f.lineno} {f.name}" for name, f in public if ast.get_docstring(f) is None]
    assert len(silent) <= len(public) // 5, silent


def test_every_module_says_what_it_is_for() -> None:
    silent = [s.name for s in sources("src", "examples") if s.text.strip() and ast.get_docstring(s.tree) is None]
    assert silent == []
