"""Showing: tables, JSON and progress, for people at a terminal and for programs behind a pipe."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from shutil import get_terminal_size
from typing import Any, Protocol

import msgspec

from kernos.vocabulary.errors import InvalidInput
from kernos.vocabulary.quantities import Json


class Advance(Protocol):
    """Told how far the work has come."""

    def __call__(self, done: int, of_all: int) -> None:
        """Say how many of all are done; 0 of all where that is unknown."""
        ...


def print_json(value: Any) -> None:
    """Print a value as JSON, indented."""
    print(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def print_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print columns, the last one cut at the terminal's edge; behind a pipe nothing is cut."""
    widths = [max(len(str(row[i])) for row in (headings, *rows)) for i in range(len(headings))]
    room = get_terminal_size().columns if sys.stdout.isatty() else 0
    for row in (headings, *rows):
        cells = [cell.ljust(width) for cell, width in zip(row[:-1], widths, strict=False)]
        line = "  ".join((*cells, row[-1])).rstrip()
        print(line if not room or len(line) <= room else f"{line[: room - 3]}...")


def read_json(text: str, what: str) -> Any:
    """Return the value of JSON text. Raises InvalidInput with the place."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError) as error:
        message = f"{what} is not JSON: {error}"
        raise InvalidInput(
            message, hint='Quote it for the shell, as \'{"name": "Ada"}\'; text is \'"text"\'.'
        ) from error


def json_text(value: Any) -> Json:
    """Write a value as JSON."""
    return Json(msgspec.json.encode(value))


def quiet(done: int, of_all: int) -> None:
    """Show nothing."""


@contextmanager
def progress(title: str) -> Iterator[Advance]:
    """Show how far long work has come, where a person looks on."""
    if not sys.stderr.isatty():
        yield quiet
        return
    from rich.console import Console  # Only where it is seen: rich is slow to import.
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn(title), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=None)

        def advance(done: int, of_all: int) -> None:
            bar.update(task, completed=done, total=of_all or None)

        yield advance
