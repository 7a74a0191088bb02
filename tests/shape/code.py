"""The project's own Python files as parsed trees, for the shape tests."""

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Source:
    path: Path
    text: str
    tree: ast.Module

    @property
    def name(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    @property
    def module(self) -> str:
        parts = self.path.relative_to(ROOT / "src").with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    def module_parts(self) -> tuple[str, ...]:
        return self.path.relative_to(ROOT).with_suffix("").parts

    def functions(self) -> Iterator[Function]:
        return (node for node in ast.walk(self.tree) if isinstance(node, Function))

    def calls(self) -> Iterator[tuple[str, int]]:
        """Yield dotted names of what is called, with the line."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call):
                yield ast.unparse(node.func), node.lineno


@cache
def tracked(*suffixes: str) -> tuple[Path, ...]:
    """Files that git tracks or would track; all files where there is no git."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    names = (
        listed.stdout.splitlines()
        if listed.returncode == 0
        else [p.relative_to(ROOT).as_posix() for p in ROOT.rglob("*")]
    )
    paths = (ROOT / name for name in names)
    return tuple(sorted(path for path in paths if path.is_file() and path.suffix in suffixes))


@cache
def sources(*folders: str) -> tuple[Source, ...]:
    wanted = tuple(ROOT / folder for folder in folders)
    found = []
    for path in tracked(".py"):
        if any(path.is_relative_to(folder) for folder in wanted):
            text = path.read_text(encoding="utf-8")
            found.append(Source(path, text, ast.parse(text)))
    return tuple(found)
