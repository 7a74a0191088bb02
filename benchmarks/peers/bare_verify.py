"""The bare loop over a journal's file: read every row in order and hash it, and compare with nothing.

No tree, no heads, no second place, no look at the file's inner order: the lower bound of anything that detects a changed byte.
"""

import hashlib
import sys
from pathlib import Path

import apsw

from benchmarks.measure import cpu_ms, report


def main(path: Path) -> None:
    """Read and hash all rows of a store."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    rows = 0
    spent_ms = cpu_ms()
    cursor = connection.execute("SELECT run, n, body FROM events ORDER BY pos")
    for run, n, body in cursor:
        hashlib.sha256(run.to_bytes(8, "big") + n.to_bytes(4, "big") + body).digest()
        rows += 1
    spent_ms = cpu_ms() - spent_ms
    report({"cpu_s": spent_ms / 1_000, "events": rows})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
