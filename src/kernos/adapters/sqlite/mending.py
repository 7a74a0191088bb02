"""Mending: what a crash may leave undone around a store, done before the store is used: its second place, and the files of its keys."""

from collections.abc import Iterator
from heapq import merge
from itertools import islice
from pathlib import Path

import apsw

from kernos.adapters.sqlite.files import Files, key_path
from kernos.adapters.sqlite.heads import COLUMNS, Notary, head_of_row
from kernos.adapters.sqlite.keyring import head_at, key_in_force, next_key_path, signer_in_force
from kernos.adapters.sqlite.second_place import HeadsFile, Line
from kernos.adapters.sqlite.store import transaction
from kernos.ports.signer import OpenKey
from kernos.vocabulary.errors import Tampered

_LINES_AT_ONCE = 1_000
"""Lines given to the second place in one piece."""


def mend_second_place(connection: apsw.Connection, path: Path, second: HeadsFile, notary: Notary, newest: int) -> None:
    """Check the second place against the store, and give it what it lacks after a power loss; `newest`: size of the newest head.

    Raises Tampered.
    """
    try:
        there = second.recover(lambda size: head_at(connection, size), newest, notary.hand_overs)
        lacking = [one for one in notary.hand_overs if one.size >= there.begin and one.number not in there.hand_overs]
        rows = connection.execute(f"SELECT {COLUMNS} FROM heads WHERE size>=? ORDER BY size", (there.end,))
        stored: Iterator[Line] = map(head_of_row, rows)
        lines = merge(stored, lacking, key=_size)
        while portion := list(islice(lines, _LINES_AT_ONCE)):
            second.add(portion)
    except ValueError as error:
        raise Tampered(f"{path} has a damaged tree head") from error


def settle_keys(connection: apsw.Connection, path: Path, second: HeadsFile, open_key: OpenKey, files: Files) -> None:
    """Bring a rotation to its end: the key in force gets its name, and the one before is destroyed. Needs a mended second place.

    A next key that never came in force goes. Whoever makes a next key, or gives it its name, holds the store meanwhile: so no process
    takes away what another one needs.
    """
    own, coming = key_path(path), next_key_path(path)
    if not coming.exists():
        return
    with transaction(connection, "IMMEDIATE"):
        if not coming.exists():
            return  # Another process was faster.
        if open_key(own, may_make=False).public_key().hex() == key_in_force(connection):
            files.remove(coming)
        elif signer_in_force(path, key_in_force(connection), open_key) is not None:
            second.sync()
            files.replace(coming, own)


def _size(line: Line) -> int:
    return line.size
