"""Report: rows as a table for people and as a JSON list for programs."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.row import Row


def print_rows(console: Console, name: str, rows: Sequence[Row]) -> None:
    """Print one benchmark's rows."""
    table = Table(title=name, title_justify="left", title_style="bold")
    for column in ("what", "value", "unit", "peer", "ratio", "target", "met"):
        table.add_column(column, justify="right" if column in {"value", "ratio"} else "left")
    for row in rows:
        met = {None: "", True: "[green]yes[/]", False: "[red]no[/]"}[row.met]
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        table.add_row(row.what, figure(row.value), row.unit, row.peer, ratio, row.target, met)
    console.print(table)


def figure(value: float) -> str:
    """Return a value with as many digits as a reader can use."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    """Write rows as a JSON list."""
    path.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n", encoding="utf-8")
