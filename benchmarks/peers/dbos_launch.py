"""DBOS over one SQLite file, set up for speed as far as its settings go: two connections in the pool were faster than 1, 4 or 20."""

# Checked where kernos is installed; the peer lives in an environment of its own.
# mypy: disable-error-code="import-not-found"

import sqlite3
from contextlib import closing
from pathlib import Path

from dbos import DBOS


def launch(path: Path, journal_mode: str) -> None:
    """Start DBOS over a file."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=" + ("WAL" if journal_mode == "wal" else "DELETE"))
    DBOS(
        config={
            "name": "benchmark",
            "system_database_url": f"sqlite:///{path}",
            "sys_db_pool_size": 2,
            "log_level": "ERROR",
        }
    )
    DBOS.launch()
