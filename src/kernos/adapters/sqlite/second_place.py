"""The second place: a text file with every tree head and hand-over, one a line, so that a store cut or rewritten alone is found out.

A line is added after its group's commit and before anyone is answered, so this file is never ahead of the store unless the store lost what it
had. It waits for the disk only once in a while: after a power loss its end may lag or be torn. Then, at the next open, it is cut
behind the last good line and filled up from the store. The file is of use against somebody who can change the store only if they cannot change
it too: another folder, or copies kept elsewhere.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from kernos.adapters.sqlite.files import Files, LogFile
from kernos.adapters.sqlite.hand_overs import HandOver, hand_over_of_line, is_hand_over_line
from kernos.adapters.sqlite.heads import ChainedHead, head_of_line
from kernos.vocabulary.errors import Tampered

_SYNC_EVERY_BYTES = 256 * 1024
"""Bytes after which the file waits for the disk: some 800 groups share one wait."""

_REPAIR_BYTES = 2 * _SYNC_EVERY_BYTES
"""The end that may be torn by a power loss, several processes' shares included; what stands before is durable."""

_PORTION_BYTES = 1024 * 1024

Find = Callable[[int], ChainedHead | None]
"""The store's head of a size."""


Line = ChainedHead | HandOver


@dataclass(frozen=True, slots=True)
class Found:
    """What the checked end of a second place has."""

    begin: int
    """The size of its first head; 0 when it is the whole file."""
    end: int
    """The size from which on it lacks heads."""
    hand_overs: frozenset[int]
    """By number."""


class HeadsFile:
    """The second place of one store."""

    def __init__(self, path: Path, files: Files) -> None:
        """Open the file, or make it, and look at its end: before the store is, so that it is not ahead of what is seen there."""
        self.path = path
        self._log: LogFile = files.open_log(path)
        self._end = self._log.read_end(_REPAIR_BYTES)
        self._unsynced = 0

    def add(self, lines: Iterable[Line]) -> None:
        """Append heads and hand-overs. Raises OSError."""
        text = b"".join(line.line() for line in lines)
        self._log.add(text)
        self._unsynced += len(text)
        if self._unsynced >= _SYNC_EVERY_BYTES:
            self._log.sync()
            self._unsynced = 0

    def recover(self, find: Find, newest: int, hand_overs: Sequence[HandOver] = ()) -> Found:
        """Check the end, as it was found, against the store, mend it after a power loss, and return what it has.

        `newest` is the size of the store's newest head. Raises Tampered when the store contradicts a line or lacks a newer one.
        """
        begin, text = self._end
        self._end = (0, b"")
        good = begin + (text.find(b"\n") + 1 if begin else 0)
        sizes: list[int] = []
        numbers: list[int] = []
        torn = False
        for line in text[good - begin :].splitlines(keepends=True):
            said = whole_line(line)
            if said is None:
                torn = True
                continue
            if isinstance(said, HandOver):
                self._check_hand_over(said, hand_overs)
            else:
                self._check_head(said, find, newest)
            if not torn:
                good += len(line)
                (numbers if isinstance(said, HandOver) else sizes).append(_place(said))
        if torn:
            self._log.cut(good)
        return Found(min(sizes, default=0) if begin else 0, max(sizes, default=0) + 1, frozenset(numbers))

    def _check_head(self, head: ChainedHead, find: Find, newest: int) -> None:
        if head.size > newest:
            message = (
                f"the store was cut: it ends at {newest} entries, and {self.path} has a tree head of size {head.size}"
            )
            raise Tampered(message)
        if find(head.size) != head:
            message = f"the store was rewritten: its tree head of size {head.size} is not the one that {self.path} has"
            raise Tampered(message)

    def _check_hand_over(self, hand_over: HandOver, known: Sequence[HandOver]) -> None:
        if hand_over not in known:
            message = f"the store was rewritten: {self.path} has a hand-over of its key at {hand_over.size} entries that it has not"
            raise Tampered(message)

    def sync(self) -> None:
        """Return once what was added is on disk."""
        self._log.sync()
        self._unsynced = 0

    def close(self) -> None:
        """Let go of the file."""
        self._log.close()


def portions(path: Path, length: int) -> Iterator[list[Line | None]]:
    """Yield what stands in the first `length` bytes of a second place, some thousand at a time; None stands for a line that is neither.

    A torn last line is left out. Raises FileNotFoundError.
    """
    with path.open("rb") as file:
        # It reads on until it has more than it is asked for.
        while length > 0 and (lines := file.readlines(max(1, min(_PORTION_BYTES, length) - 1))):
            length -= sum(map(len, lines))
            yield [whole_line(line) for line in lines if line.endswith(b"\n")]


def _place(line: Line) -> int:
    return line.number if isinstance(line, HandOver) else line.size


def whole_line(line: bytes) -> Line | None:
    """Read a line with its end; None for one that is torn, or neither head nor hand-over."""
    if not line.endswith(b"\n"):
        return None
    try:
        return hand_over_of_line(line[:-1]) if is_hand_over_line(line) else head_of_line(line[:-1])
    except ValueError:
        return None
