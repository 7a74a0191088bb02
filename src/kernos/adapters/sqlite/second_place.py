"""The second place: a text file with every tree head, one a line, so that a store cut or rewritten alone is found out.

A line is added after its group's commit and before anyone is answered, so this file is never ahead of the store unless the store lost what it
had. It waits for the disk only once in a while: after a power loss its end may lag or be torn. Then, at the next open, it is cut
behind the last good line and filled up from the store. The file is of use against somebody who can change the store only if they cannot change
it too: another folder, or copies kept elsewhere.
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from kernos.adapters.sqlite.files import Files, LogFile
from kernos.adapters.sqlite.heads import ChainedHead, head_of_line
from kernos.vocabulary.errors import Tampered

_SYNC_EVERY_BYTES = 256 * 1024
"""Bytes after which the file waits for the disk: some 800 groups share one wait."""

_REPAIR_BYTES = 2 * _SYNC_EVERY_BYTES
"""The end that may be torn by a power loss, several processes' shares included; what stands before is durable."""

_PORTION_BYTES = 1024 * 1024

Find = Callable[[int], ChainedHead | None]
"""The store's head of a size."""


class HeadsFile:
    """The second place of one store."""

    def __init__(self, path: Path, files: Files) -> None:
        """Open the file, or make it, and look at its end: before the store is, so that it is not ahead of what is seen there."""
        self.path = path
        self._log: LogFile = files.open_log(path)
        self._end = self._log.read_end(_REPAIR_BYTES)
        self._unsynced = 0

    def add(self, heads: Iterable[ChainedHead]) -> None:
        """Append heads. Raises OSError."""
        text = b"".join(head.line() for head in heads)
        if not text:
            return
        self._log.add(text)
        self._unsynced += len(text)
        if self._unsynced >= _SYNC_EVERY_BYTES:
            self._log.sync()
            self._unsynced = 0

    def recover(self, find: Find, newest: int) -> int:
        """Check the end, as it was found, against the store, mend it after a power loss, and return the size from which on it lacks heads.

        `newest` is the size of the store's newest head. Raises Tampered when the store contradicts a head or lacks a newer one.
        """
        begin, text = self._end
        self._end = (0, b"")
        good = begin + (text.find(b"\n") + 1 if begin else 0)
        last = 0
        torn = False
        for line in text[good - begin :].splitlines(keepends=True):
            head = _whole(line)
            if head is None:
                torn = True
                continue
            if head.size > newest:
                message = f"the store was cut: it ends at {newest} entries, and {self.path} has a tree head of size {head.size}"
                raise Tampered(message)
            if find(head.size) != head:
                message = (
                    f"the store was rewritten: its tree head of size {head.size} is not the one that {self.path} has"
                )
                raise Tampered(message)
            if not torn:
                good += len(line)
                last = max(last, head.size)
        if torn:
            self._log.cut(good)
        return last + 1

    def close(self) -> None:
        """Let go of the file."""
        self._log.close()


def portions(path: Path, length: int) -> Iterator[list[ChainedHead | None]]:
    """Yield the heads in the first `length` bytes of a second place, some thousand at a time; None stands for a line that is no head.

    A torn last line is left out. Raises FileNotFoundError.
    """
    with path.open("rb") as file:
        while lines := file.readlines(
            max(1, min(_PORTION_BYTES, length) - 1)
        ):  # It goes on until it has more than that.
            length -= sum(map(len, lines))
            yield [_whole(line) for line in lines if line.endswith(b"\n")]
            if length <= 0:
                return


def _whole(line: bytes) -> ChainedHead | None:
    if not line.endswith(b"\n"):
        return None
    try:
        return head_of_line(line[:-1])
    except ValueError:
        return None
