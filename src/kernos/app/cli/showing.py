"""Showing: tables, JSON and progress, for people at a terminal and for programs behind a pipe."""

import sys
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from shutil import get_terminal_size
from typing import Any, Protocol

import msgspec

from kernos.vocabulary.errors import InvalidInput
from kernos.vocabulary.quantities import Json

_WORDS_WIDTH_MIN = 20
"""Letters of a line below which breaking it helps nobody."""


class Advance(Protocol):
    """Told how far the work has come."""

    def __call__(self, done: int, of_all: int) -> None:
        """Say how many of all are done; 0 of all where that is unknown."""
        ...


def print_json(value: Any) -> None:
    """Print a value as JSON, indented."""
    print(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def terminal_width() -> int:
    """Return how many letters fit into a line of the terminal; 0 behind a pipe, where a line has no end."""
    return get_terminal_size().columns if sys.stdout.isatty() else 0


def print_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print columns, each row in one line, the last column cut at the terminal's edge; behind a pipe nothing is cut."""
    widths = [max(len(str(row[i])) for row in (headings, *rows)) for i in range(len(headings))]
    room = terminal_width()
    for row in (headings, *rows):
        cells = [cell.ljust(width) for cell, width in zip(row[:-1], widths, strict=False)]
        line = "  ".join((*cells, " ".join(row[-1].split()))).rstrip()
        print(line if not room or len(line) <= room else f"{line[: room - 3]}...")


def print_indented(text: str, *, first: str = "", rest: str = "") -> None:
    """Print text in lines that fit the terminal, all but the first behind `rest`; behind a pipe its own lines stay whole."""
    room = terminal_width()
    head, *others = text.split("\n")
    for begin, line in ((first, head), *((rest, other.strip()) for other in others)):
        if room > len(rest) + _WORDS_WIDTH_MIN:
            print(textwrap.fill(line, room, initial_indent=begin, subsequent_indent=rest, break_on_hyphens=False))
        else:
            print(f"{begin}{line}")


def read_json(text: str, what: str) -> Any:
    """Return the value of JSON text. Raises InvalidInput with the place."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        why = "its values lie too deep inside one another" if isinstance(error, RecursionError) else error
        message = f"{what} is not JSON: {why}"
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
