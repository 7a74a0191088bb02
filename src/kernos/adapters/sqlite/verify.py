"""Verify: the whole store against its tree, its signed heads and the second place; what is wrong is named with its place.

One pass in order of position. The node that each position keeps says whether the entry itself differs (its own hash leads to another node
than the kept one), so the first finding is at the place of the damage, not at the next head.
"""

import hashlib
import struct
from collections.abc import Callable
from pathlib import Path

import apsw

from kernos.adapters.sqlite.heads import HeadsFile, is_signed
from kernos.adapters.sqlite.payloads import Payloads
from kernos.adapters.sqlite.tree import Frontier
from kernos.vocabulary.errors import Tampered
from kernos.vocabulary.ids import run_id
from kernos.vocabulary.journal import Finding, TreeHead, Verification

FINDINGS_MAX = 100
_PROGRESS_EVERY = 10_000
_PLACE = struct.Struct(">cQI")


class Verifier:
    """Checks one store."""

    def __init__(
        self, connection: apsw.Connection, path: Path, public_key: bytes, heads: HeadsFile, payloads: Payloads
    ) -> None:
        """Take the store's parts."""
        self._connection = connection
        self._path = path
        self._public_key = public_key
        self._heads = heads
        self._payloads = payloads
        self._findings: list[Finding] = []

    def verify(self, progress: Callable[[int, int], None]) -> Verification:
        """Check entries, nodes, numbers, payloads, heads and their signatures, and the second place."""
        self._findings = []
        connection = self._connection
        connection.execute("BEGIN")
        try:
            last = connection.execute("SELECT max(pos) FROM events").get
            size = 0 if last is None else last + 1
            heads = [
                TreeHead(*row)
                for row in connection.execute("SELECT size, at, root, signature FROM heads ORDER BY size")
            ]
            second = self._second_place(heads)
            frontier = self._entries(size, {head.size: head for head in heads}, second, progress)
            self._signatures(heads, size)
            self._numbers()
        finally:
            connection.execute("COMMIT")
        progress(size, size)
        return Verification(size, len(heads), frontier.root(), tuple(self._findings[:FINDINGS_MAX]))

    def _find(self, kind: str, at: int, message: str, run: int | None = None, n: int = -1) -> None:
        if len(self._findings) < FINDINGS_MAX:
            self._findings.append(Finding(kind, at, run_id(run) if run is not None else "", n, message))

    def _entries(
        self,
        size: int,
        heads: dict[int, TreeHead],
        second: dict[int, bytes],
        progress: Callable[[int, int], None],
    ) -> Frontier:
        """Walk over all entries. The hot loop: one hash an entry, one for each pair, nothing else that can be avoided."""
        frontier = Frontier()
        parts = frontier.parts
        sha256, pack = hashlib.sha256, _PLACE.pack
        expected = 0
        for pos, run, n, body, kept in self._connection.execute(
            "SELECT pos, run, n, body, node FROM events ORDER BY pos"
        ):
            if pos != expected:
                self._find("deleted", expected, f"positions {expected} to {pos - 1} are missing")
                break
            node = sha256(pack(b"\0", run, n) + body).digest()
            rest = expected
            while rest & 1:
                node = sha256(b"\1" + parts.pop() + node).digest()
                rest >>= 1
            parts.append(node)
            expected += 1
            if node != kept:
                self._find(
                    "edited",
                    pos,
                    f"entry {n} of run {run_id(run)} (position {pos}) is not what was written",
                    run,
                    n,
                )
                parts[-1] = kept  # Go on from what was signed, so that later damage is found too.
            if body[:1] == b"\1":
                self._payload(body, pos, run, n)
            head = heads.get(expected)
            if head is not None:
                frontier.size = expected
                self._root(frontier.root(), head, second.get(expected))
            if expected % _PROGRESS_EVERY == 0:
                progress(expected, size)
        frontier.size = expected
        return frontier

    def _payload(self, body: bytes, pos: int, run: int, n: int) -> None:
        try:
            self._payloads.get(body, f"entry {n} of run {run_id(run)}")
        except Tampered as error:
            self._find("payload", pos, str(error), run, n)

    def _root(self, root: bytes, head: TreeHead, second: bytes | None) -> None:
        if root != head.root:
            self._find(
                "rewritten",
                head.size - 1,
                f"the first {head.size} entries are not those that the tree head was signed over",
            )
        if second is not None and second != head.root:
            where = self._heads.path.name
            self._find(
                "rewritten",
                head.size - 1,
                f"the tree head of size {head.size} is not the one kept in {where}",
            )

    def _second_place(self, heads: list[TreeHead]) -> dict[int, bytes]:
        """Read the second place; what it has and the store has not was cut off."""
        try:
            second = {head.size: head.root for head in self._heads.all()}
        except Tampered as error:
            self._find("heads", -1, str(error))
            return {}
        newest = heads[-1].size if heads else 0
        ahead = max(second, default=0)
        if ahead > newest:
            message = f"the store ends at {newest} entries; {self._heads.path.name} has a tree head of size {ahead}"
            self._find("cut", newest, message)
        known = {head.size for head in heads}
        for size in sorted(size for size in second if size < newest and size not in known):
            self._find("rewritten", size - 1, f"the tree head of size {size} is missing from the store")
            break
        return second

    def _signatures(self, heads: list[TreeHead], size: int) -> None:
        """Check signatures: of the newest head always, of the others as long as they are few; roots were all compared."""
        if heads and heads[-1].size != size:
            kind = "cut" if heads[-1].size > size else "inserted"
            self._find(
                kind,
                min(size, heads[-1].size),
                f"{size} entries, but the newest tree head is of size {heads[-1].size}",
            )
        if size and not heads:
            self._find("rewritten", 0, "there is no tree head")
        for head in heads[:: max(1, len(heads) // SIGNATURES_MAX)] + heads[-1:]:
            if not is_signed(self._public_key, head):
                message = f"the tree head of size {head.size} is not signed by this store's key"
                self._find("rewritten", head.size - 1, message)
                return

    def _numbers(self) -> None:
        """Each run's numbers go from 0 without gaps."""
        gaps = "SELECT run, max(n), count(*) FROM events GROUP BY run HAVING max(n)+1<>count(*) LIMIT ?"
        for run, last, count in self._connection.execute(gaps, (FINDINGS_MAX,)):
            self._find(
                "deleted",
                -1,
                f"run {run_id(run)} has {count} entries, but their numbers go to {last}",
                run,
                last,
            )


SIGNATURES_MAX = 20_000
"""Signatures checked at the most, spread evenly: a second of work. The tree roots under all of them are compared; a forged
head in between would need the roots of its neighbours to be those of the same entries."""
