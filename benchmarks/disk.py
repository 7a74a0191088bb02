"""Disk: how much the files of a store hold; `python -m benchmarks.disk FOLDER` prints it, in bytes.

Always a process of its own: two copies of SQLite in one process (Python's and apsw's) break each other's locks on a file.
"""

import sqlite3
import sys
from contextlib import closing
from pathlib import Path


def bytes_on_disk(folder: Path) -> int:
    """Return what all files in a folder hold, with the logs of SQLite files folded into them.

    An SQLite file counts with its pages in use, because a file may be made larger ahead of need.
    """
    total = 0
    for path in sorted(folder.rglob("*")):
        if path.is_file() and is_sqlite(path):
            with closing(sqlite3.connect(path, timeout=30)) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                pages, free, size = (
                    connection.execute(f"PRAGMA {name}").fetchone()[0]
                    for name in ("page_count", "freelist_count", "page_size")
                )
                total += (pages - free) * size
        elif path.is_file() and not path.name.endswith(("-wal", "-shm", "-journal")):
            total += path.stat().st_size
    return total


def is_sqlite(path: Path) -> bool:
    """Tell whether a file is an SQLite database."""
    with path.open("rb") as file:
        return file.read(16) == b"SQLite format 3\x00"


if __name__ == "__main__":
    print(bytes_on_disk(Path(sys.argv[1])))
