"""Legible: output in which sealed values are named by their label, and those of an erased person say so."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from kernos.vocabulary.sealing import Handle, with_handles

_DIGITS = 4
"""Letters of a handle that people see: enough to tell the values of one page apart."""


class Legible:
    """Writes to another output; what a handle stands for is never shown."""

    def __init__(self, output: TextIO, *, for_programs: bool) -> None:
        """Take the output. `for_programs`: handles that still stand for something stay as they are."""
        self._output = output
        self._for_programs = for_programs
        self._is_erased: Callable[[str], bool] | None = None
        self.store: Path | None = None
        """Whose handles these are, as far as it is known."""

    def write(self, text: str) -> int:
        """Write a text."""
        return self._output.write(with_handles(text, self._shown))

    def _shown(self, handle: Handle) -> str:
        if self._erased(handle.key):
            return f"[{handle.label} erased]"
        return str(handle) if self._for_programs else f"[{handle.label} {handle.mac[:_DIGITS]}]"

    def _erased(self, key: str) -> bool:
        if self.store is None:
            return False
        if self._is_erased is None:
            from kernos.app.stores import open_vault

            self._is_erased = open_vault(self.store).is_destroyed
        return self._is_erased(key)

    def __getattr__(self, name: str) -> object:
        """Be the other output in everything else."""
        return getattr(self._output, name)


@contextmanager
def legible(*, for_programs: bool) -> Iterator[None]:
    """Print so while inside."""
    before = sys.stdout
    sys.stdout = ours = Legible(before, for_programs=for_programs)
    try:
        yield
    finally:
        if sys.stdout is ours:  # Else the reader has gone, and what was put in its place keeps the exit quiet.
            sys.stdout = before


def know_store(store: Path) -> None:
    """Say which store the output is about."""
    if isinstance(sys.stdout, Legible):
        sys.stdout.store = store
