"""Durable: what of a folder a power loss would leave, told from the calls that a program really makes.

Python itself tells of each call of `os.fsync`; whichever file of the folder is open then is on disk as it stands, and where the folder itself is open
its names are. Nothing is replaced, and what is not waited for is lost.
"""

import os
import sys
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self

_HANDLES_MAX = 512
"""Of open files that are looked at: more than a test has."""


class Durable:
    """What is on disk of a folder without subfolders; looks on as a context, in its own thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._contents: dict[int, bytes] = {}
        self._names: dict[str, int] = {}

    def __enter__(self) -> Self:
        sys.setprofile(self._see)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        sys.setprofile(None)

    def left_in(self, copy: Path) -> Path:
        """Put what a power loss now would leave into a new folder, and return it."""
        copy.mkdir()
        for name, file in self._names.items():
            (copy / name).write_bytes(self._contents.get(file, b""))
        return copy

    def _see(self, frame: FrameType, event: str, called: Any) -> None:
        del frame
        if event != "c_call" or called is not os.fsync:
            return
        files = {one.stat().st_ino: one for one in self._folder.iterdir()}
        numbers = _open_files()
        for file in numbers & files.keys():
            self._contents[file] = files[file].read_bytes()
        if self._folder.stat().st_ino in numbers:
            self._names = {one.name: one.stat().st_ino for one in self._folder.iterdir()}


def _open_files() -> set[int]:
    return {os.fstat(handle).st_ino for handle in open_handles()}


def open_handles() -> list[int]:
    """Return the handles that this process has open."""
    found = []
    for handle in range(_HANDLES_MAX):
        try:
            os.fstat(handle)
        except OSError:
            continue
        found.append(handle)
    return found
