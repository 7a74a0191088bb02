"""Kept heads: tree heads of a store, written out to be kept where nobody who can change the store can change them, and a store against such a file.

The lines are those of the second place. Heads are chained, so that one line vouches for everything before it; more of them tell better where a
change begins. A file may come from a mail or a sheet of paper: ends of lines, spaces around them and blank lines do not matter.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from kernos.adapters.sqlite.comparison import lines_of
from kernos.adapters.sqlite.files import Files
from kernos.adapters.sqlite.hand_overs import HandOver
from kernos.adapters.sqlite.heads import COLUMNS, ChainedHead, Notary
from kernos.adapters.sqlite.keyring import open_notary
from kernos.adapters.sqlite.locate import Findings
from kernos.adapters.sqlite.second_place import Line, whole_line
from kernos.adapters.sqlite.store import check_mark, connect, let_go, said_plainly, transaction
from kernos.adapters.sqlite.tail import load_tail
from kernos.ports.signer import OpenKey
from kernos.vocabulary.errors import BadConfiguration, Tampered

_LINE_MAX = 16_384
"""Bytes: twice the longest line that there is, a hand-over with long texts."""

_STEP = 10_000
"""Lines after which others get a turn."""


class KeptComparison:
    """Compares one store with one file of kept heads."""

    def __init__(
        self, connection: apsw.Connection, kept: Path, length: int, notary: Notary, findings: Findings
    ) -> None:
        """Take both sides, of the file its first `length` bytes; `notary` has followed the store's hand-overs."""
        self._connection = connection
        self._kept = kept
        self._length = length
        self._notary = notary
        self._findings = findings
        self._has_heads = False
        self.agreed = 0
        """The greatest size of a kept head that the store has, too."""

    def steps(self, size: int) -> Iterator[None]:
        """Compare every line with the store's own; the first that the store contradicts or lacks tells. `size`: the store's entries.

        Raises BadConfiguration for a file that cannot be read, or has no tree head.
        """
        for number, said in _lines_in(self._kept, self._length):
            self._has_heads |= isinstance(said, ChainedHead)
            if not self._is_good(number, said, size):
                return
            if not number % _STEP:
                yield
        if not self._has_heads:
            message = f"{self._kept} has no tree head of a store"
            raise BadConfiguration(message, hint="Give a file that `kernos heads export` wrote.")

    def _is_good(self, number: int, said: Line | None, size: int) -> bool:
        """Compare one line; tell whether the next ones can say more."""
        match said:
            case ChainedHead():
                sql = f"SELECT {COLUMNS} FROM heads WHERE size=?"
                row = self._connection.execute(sql, (said.size,)).fetchone()
                if row == (said.size, said.at, said.previous, said.root, said.signature):
                    self.agreed = max(self.agreed, said.size)
                    return True
                if self._notary.has_signed(said):
                    self._contradicted(said, size, is_lacking=row is None)
                    return False
            case HandOver() if said in self._notary.hand_overs:
                return True
            case HandOver() if self._notary.has_signed(said):
                what = f"a hand-over of the key at {said.size} entries, and the store has not"
                self._findings.add("rewritten", self.agreed or -1, f"{self._kept} has {what}; {self._where()}")
                return False
            case None:
                message = f"line {number} of {self._kept} is no tree head or hand-over: it was not copied as it was"
                self._findings.add("kept_heads", -1, message)
                return True
        message = (
            f"none of the store's keys signed line {number} of {self._kept} (of size {said.size}): it was not copied as it was, "
            "or is of another store, or this store was made anew under another key"
        )
        self._findings.add("foreign", -1, message)
        return True

    def _contradicted(self, head: ChainedHead, size: int, *, is_lacking: bool) -> None:
        where = f"{self._kept} has a tree head of size {head.size}"
        if head.size > size:
            message = f"the store ends at {size} entries, and {where}: its tail was cut, or an older backup put back"
            self._findings.add("cut", size, message)
            return
        stored = "none" if is_lacking else "another"
        self._findings.add("rewritten", self.agreed or -1, f"{where}, and the store {stored}; {self._where()}")

    def _where(self) -> str:
        if self.agreed:
            return f"both agree up to size {self.agreed}"
        return "the file has nothing older that would tell from where on"


class StoreHeads:
    """The tree heads and hand-overs of one store, in one read transaction, to be written out."""

    def __init__(self, path: Path, connection: apsw.Connection, notary: Notary, newest: ChainedHead) -> None:
        """Take what `opened_heads` opened and checked."""
        self._path = path
        self._connection = connection
        self._notary = notary
        self.newest = newest

    def lines(self, *, newest_only: bool = False) -> Iterator[bytes]:
        """Yield all of them as lines, or only the newest head behind the hand-overs."""
        if newest_only:
            yield from _ordered([*self._notary.hand_overs, self.newest])
            return
        for line in lines_of(self._connection, self._notary.hand_overs):
            yield line.encode()

    def write(self, kept: Path, *, newest_only: bool = False) -> int:
        """Write them to a file, durably, and return how many lines it has. What a file had is never lost: it is added to.

        Raises Tampered, and leaves the file alone, when it has what the store has not; BadConfiguration when it is no such file.
        """
        lines = self.lines(newest_only=newest_only)
        if kept.exists():
            length = kept_length(kept)
            self._check(kept, length)
            if newest_only:
                known = [said for _, said in _lines_in(kept, length) if said is not None]
                lines = _ordered([*known, *self._notary.hand_overs, self.newest])
        number = 0
        new = kept.with_name(f"{kept.name}.new")
        with new.open("wb") as file:
            for line in lines:
                file.write(line)
                number += 1
            file.flush()
            os.fsync(file.fileno())
        new.rename(kept)
        Files().sync_folder(kept.parent)
        return number

    def _check(self, kept: Path, length: int) -> None:
        if kept.resolve() == self._path.with_name(f"{self._path.name}.heads").resolve():
            message = f"{kept} lies beside the store, and the kernel writes it itself"
            raise BadConfiguration(message, hint="Write to another file, and keep it elsewhere.")
        findings = Findings()
        list(KeptComparison(self._connection, kept, length, self._notary, findings).steps(self.newest.size))
        if findings.exist():
            message = (
                f"{kept} has other tree heads than the store, and was left as it is: {findings.sorted()[0].message}"
            )
            raise Tampered(
                message,
                hint=f"See `kernos verify --heads {kept}`; write to another file if that one is of another store.",
            )


@contextmanager
def opened_heads(path: Path, open_key: OpenKey) -> Iterator[StoreHeads]:
    """Open a store's heads, its end checked against the newest one; others may go on using it meanwhile.

    Raises BadConfiguration (there is no head yet, the key is missing), Tampered, ForeignStore, StorageFailed.
    """
    with said_plainly(path):
        connection = connect(path, vfs=None)
        try:
            check_mark(connection, path)
            notary = open_notary(connection, path, open_key)
            with transaction(connection, "DEFERRED"):
                newest = load_tail(connection, notary, path).head
                if newest is None:
                    message = f"{path} has no tree head yet"
                    raise BadConfiguration(message, hint="It gets one when the first run is started.")
                yield StoreHeads(path, connection, notary, newest)
        finally:
            let_go(connection)


def _ordered(lines: Iterable[Line]) -> Iterator[bytes]:
    """Yield different lines in the order in which the store made them."""
    for line in sorted(set(lines), key=lambda one: (one.size, isinstance(one, HandOver), one.line())):
        yield line.line()


def kept_length(kept: Path) -> int:
    """Return how long a file of kept heads is now. Raises BadConfiguration when there is none."""
    try:
        return kept.stat().st_size
    except OSError as error:
        raise _unreadable(kept, error) from error


def _lines_in(kept: Path, length: int) -> Iterator[tuple[int, Line | None]]:
    """Yield the lines of a file's begin with their numbers; None for one that is neither head nor hand-over. Raises BadConfiguration."""
    try:
        with kept.open("rb") as file:
            number = 0
            while length > 0 and (line := file.readline(min(length, _LINE_MAX))):
                number += 1
                length -= len(line)
                if text := line.strip():
                    yield number, whole_line(text + b"\n")
    except OSError as error:
        raise _unreadable(kept, error) from error


def _unreadable(kept: Path, error: OSError) -> BadConfiguration:
    message = f"{kept} cannot be read: {error.strerror or error}"
    return BadConfiguration(message, hint="Give a file that `kernos heads export` wrote.")
