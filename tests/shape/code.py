"""The project's own files, read and parsed once, for the shape tests."""

import ast
import gc
import re
import subprocess
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
FOLDERS = ("src", "tests", "examples", "benchmarks")
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Source:
    """One Python file. Its nodes are listed once: a dozen tests look at them."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def name(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    @property
    def lines(self) -> int:
        return len(self.text.splitlines())

    @property
    def module(self) -> str:
        """The dotted name by which other files import it."""
        parts = self.path.relative_to(ROOT).with_suffix("").parts
        parts = parts[1:] if parts[0] == "src" else parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def ring(self) -> str:
        """The package under kernos that it belongs to; empty for the facade and outside of src."""
        names = self.module.split(".")
        return names[1] if names[0] == "kernos" and len(names) > 1 else ""

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        return tuple(ast.walk(self.tree))

    @cached_property
    def functions(self) -> tuple[Function, ...]:
        return tuple(node for node in self.nodes if isinstance(node, Function))

    @cached_property
    def imported(self) -> frozenset[str]:
        """What it imports, wherever the import stands: each module, and each name taken from one."""
        names: set[str] = set()
        for node in self.nodes:
            if isinstance(node, ast.Import):
                names.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module)
                names.update(f"{node.module}.{alias.name}" for alias in node.names)
        return frozenset(names)

    def calls(self) -> Iterator[tuple[str, ast.Call]]:
        """Yield each call with the full name of what is called, also where it was imported under another."""
        full: dict[str, str] = {}
        for node in self.nodes:
            if isinstance(node, ast.Import):
                full.update({alias.asname: alias.name for alias in node.names if alias.asname})
            elif isinstance(node, ast.ImportFrom):
                full.update({alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names})
        for node in self.nodes:
            if isinstance(node, ast.Call):
                first, dot, rest = ast.unparse(node.func).partition(".")
                yield full.get(first, first) + dot + rest, node


@cache
def tracked() -> tuple[Path, ...]:
    """Files that git tracks or would track; where there is no git, all but those in hidden folders."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode == 0:
        paths = [ROOT / name for name in listed.stdout.splitlines()]
    else:
        paths = [p for p in ROOT.rglob("*") if not any(part.startswith(".") for part in p.relative_to(ROOT).parts)]
    return tuple(sorted(path for path in paths if path.is_file()))


@cache
def texts() -> dict[str, str]:
    """Give every tracked file that is text, under its path."""
    found = {}
    for path in tracked():
        content = path.read_bytes()
        if b"\0" not in content:
            found[path.relative_to(ROOT).as_posix()] = content.decode("utf-8", errors="replace")
    return found


@cache
def sources(*folders: str) -> tuple[Source, ...]:
    """Give the Python files of these folders of the project, or of all that hold any."""
    if folders:
        return tuple(source for source in sources() if source.name.split("/")[0] in folders)
    gc.disable()  # Millions of nodes that stay, each of which it would look at again and again.
    try:
        return tuple(
            Source(ROOT / name, text, ast.parse(text))
            for name, text in texts().items()
            if name.endswith(".py") and name.split("/")[0] in FOLDERS
        )
    finally:
        gc.freeze()
        gc.enable()


@cache
def recorded(what: str) -> dict[str, Any]:
    """Give the recorded exceptions to one rule; each test also fails when one of its own is no longer needed."""
    return dict(tomllib.loads((HERE / "recorded.toml").read_text(encoding="utf-8"))[what])


def words(text: str) -> str:
    """Give the words of code or prose in lower case, those of names apart: `RunStarted`, `run_started`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", text).lower()
