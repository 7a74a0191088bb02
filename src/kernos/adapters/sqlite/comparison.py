"""Comparison: a store's heads and hand-overs against its second place. For `verify`."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import apsw

from kernos.adapters.sqlite.hand_overs import HandOver
from kernos.adapters.sqlite.heads import COLUMNS, ChainedHead, Notary
from kernos.adapters.sqlite.locate import Findings
from kernos.adapters.sqlite.second_place import portions

_LINES_AT_ONCE = 1_024
_SIZE_MAX = (1 << 63) - 1


def lines_of(connection: apsw.Connection, hand_overs: Sequence[HandOver]) -> Iterator[str]:
    """Yield what a store's second place should hold."""
    columns = ("lower(hex(previous))", "lower(hex(root))", "lower(hex(signature))||char(10)")
    sql = "SELECT size||' '||at||' '||" + "||' '||".join(columns)
    sql += " FROM heads WHERE size>? AND size<=? ORDER BY size"
    done = -1
    for hand_over in hand_overs:
        yield from (str(row[0]) for row in connection.execute(sql, (done, hand_over.size)))
        yield hand_over.line().decode()
        done = hand_over.size
    yield from (str(row[0]) for row in connection.execute(sql, (done, _SIZE_MAX)))


class Comparison:
    """Compares one store with the first `length` bytes of its second place."""

    def __init__(
        self, connection: apsw.Connection, second_place: Path, length: int, notary: Notary, findings: Findings
    ) -> None:
        """Take both sides; `notary` has followed the store's hand-overs."""
        self._connection = connection
        self._second_place = second_place
        self._length = length
        self._notary = notary
        self._findings = findings
        self._agreed = 0
        self._seen: set[HandOver] = set()

    def steps(self, size: int, heads: int) -> Iterator[None]:
        """Compare every line with the store's own; the first that the store contradicts or lacks tells. `size`: the store's entries."""
        if self._is_equal(heads):
            return
        try:
            for portion in portions(self._second_place, self._length):
                if not self._is_portion_good(portion, size):
                    return
                yield
        except FileNotFoundError:
            message = f"{self._second_place} is missing; a cut tail would go unnoticed"
            self._findings.add("second_place", -1, message)
            return
        for hand_over in self._notary.hand_overs:
            if hand_over not in self._seen and hand_over.size < self._agreed:  # Else its end only lags.
                message = (
                    f"{self._second_place.name} lacks hand-over {hand_over.number} of the key, and has what follows"
                )
                self._findings.add("second_place", -1, message)

    def _is_equal(self, heads: int) -> bool:
        """Compare the whole file with what it should be: the quick way, that of a store where all is well."""
        if not self._second_place.exists():
            return not heads
        lines = lines_of(self._connection, self._notary.hand_overs)
        left = self._length
        with self._second_place.open("rb") as file:
            while left and (portion := "".join(islice(lines, _LINES_AT_ONCE)).encode()[:left]):
                if file.read(len(portion)) != portion:
                    return False
                left -= len(portion)
        return not left

    def _is_portion_good(self, portion: list[ChainedHead | HandOver | None], size: int) -> bool:
        sizes = [line.size for line in portion if isinstance(line, ChainedHead)]
        sql = f"SELECT {COLUMNS} FROM heads WHERE size BETWEEN ? AND ?"
        rows = self._connection.execute(sql, (min(sizes), max(sizes))) if sizes else ()
        stored = {row[0]: row for row in rows}
        for line in portion:
            match line:
                case ChainedHead():
                    row = stored.get(line.size)
                    if row == (line.size, line.at, line.previous, line.root, line.signature):
                        self._agreed = max(self._agreed, line.size)
                    elif self._notary.is_ours(line):
                        self._contradicted(line, size, is_lacking=row is None)
                        return False
                    else:
                        self._foreign()
                case HandOver() if line in self._notary.hand_overs:
                    self._seen.add(line)
                case HandOver() if self._notary.has_signed(line):
                    message = f"{self._second_place.name} has a hand-over of the key at {line.size} entries, and the store has not"
                    self._findings.add("rewritten", self._agreed, message)
                    return False
                case _:
                    self._foreign()
        return True

    def _foreign(self) -> None:
        message = f"{self._second_place.name} has a line that is no tree head or hand-over of this store"
        self._findings.add("second_place", -1, message)

    def _contradicted(self, head: ChainedHead, size: int, *, is_lacking: bool) -> None:
        where = f"{self._second_place.name} has a tree head of size {head.size}"
        agreed = self._agreed
        if head.size > size:
            self._findings.add("cut", size, f"the store ends at {size} entries, and {where}")
        elif is_lacking:
            self._findings.add("rewritten", agreed, f"{where}, and the store has none; both agree up to size {agreed}")
        else:
            self._findings.add("rewritten", agreed, f"{where}, and the store another; both agree up to size {agreed}")
