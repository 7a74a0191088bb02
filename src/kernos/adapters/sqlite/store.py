"""Store: the SQLite file itself: how it is opened, marked, and what its errors mean to an operator."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from kernos.vocabulary.errors import ForeignStore, KernosError, StorageFailed, StoreBusy, Tampered

APPLICATION_ID = 0x6B65726E  # "kern"
FORMAT = 1
"""Version of the layout below, in `PRAGMA user_version`. A newer one is refused, not guessed at."""

BUSY_TIMEOUT_MS = 10_000
"""How long a write waits for another process: many times a commit group, short enough to be noticed."""

_LAYOUT = """
CREATE TABLE events(
    pos INTEGER PRIMARY KEY, run INTEGER NOT NULL, n INTEGER NOT NULL, body BLOB NOT NULL, node BLOB NOT NULL);
CREATE UNIQUE INDEX events_run ON events(run, n);
CREATE TABLE heads(size INTEGER PRIMARY KEY, at INTEGER NOT NULL, root BLOB NOT NULL, signature BLOB NOT NULL);
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""


@contextmanager
def said_plainly(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into kernos' own, with the file's name and what to do."""
    try:
        yield
    except apsw.NotADBError as error:
        message = f"{path} is not a kernos store: it is no SQLite file, or it is encrypted"
        raise ForeignStore(
            message, hint="Give the path of a kernos store, or of a file that does not exist yet."
        ) from error
    except apsw.CorruptError as error:
        message = f"{path} is damaged: {error}"
        raise Tampered(
            message, hint="Restore it from a backup; `kernos verify` says which places are damaged."
        ) from error
    except (apsw.BusyError, apsw.LockedError) as error:
        message = f"{path} is held by another process for more than {BUSY_TIMEOUT_MS // 1_000} s"
        raise StoreBusy(message) from error
    except apsw.FullError as error:
        message = f"{path} could not be written: the disk is full"
        raise StorageFailed(message) from error
    except apsw.ReadOnlyError as error:
        message = f"{path} could not be written: the file or its folder is read-only"
        raise StorageFailed(message, hint="Make both writable for this user, then start kernos again.") from error
    except apsw.CantOpenError as error:
        message = f"{path} cannot be opened: {error}"
        raise StorageFailed(message, hint="Check that its folder exists and that this user may write there.") from error
    except apsw.IOError as error:
        message = f"{path} could not be read or written: {error}"
        raise StorageFailed(message) from error
    except apsw.ConstraintError as error:
        message = f"{path} holds entries that contradict its tree: {error}"
        raise Tampered(message) from error


def connect(path: Path, *, vfs: str | None, writable: bool) -> apsw.Connection:
    """Open one connection, with the durability that the journal promises."""
    flags = apsw.SQLITE_OPEN_READWRITE | (apsw.SQLITE_OPEN_CREATE if writable else 0)
    connection = apsw.Connection(str(path), flags=flags, vfs=vfs)
    connection.set_busy_timeout(BUSY_TIMEOUT_MS)
    return connection


def prepare(connection: apsw.Connection, path: Path) -> bool:
    """Lay out a new file, or check that the file is ours; return whether it is new. Raises ForeignStore."""
    _check_mark(connection, path)
    connection.pragma("journal_mode", "wal")
    connection.pragma("synchronous", "FULL")
    if connection.pragma("application_id") == APPLICATION_ID:
        return False
    connection.execute("BEGIN IMMEDIATE")
    try:
        if connection.pragma("application_id") == APPLICATION_ID:
            return False  # Another process laid it out meanwhile.
        connection.execute(_LAYOUT)
        connection.pragma("user_version", FORMAT)
        connection.pragma("application_id", APPLICATION_ID)
    finally:
        connection.execute("COMMIT" if connection.in_transaction else "SELECT 1")
    return True


def _check_mark(connection: apsw.Connection, path: Path) -> None:
    mark = connection.pragma("application_id")
    version = connection.pragma("user_version")
    assert isinstance(version, int)
    tables = connection.execute("SELECT count(*) FROM sqlite_schema").get
    if mark == APPLICATION_ID:
        if version > FORMAT:
            message = f"{path} was written by a newer kernos (store format {version}; this one knows {FORMAT})"
            raise ForeignStore(message, hint="Install that kernos, or a newer one, to open it.")
    elif mark or version or tables:
        message = f"{path} is the database of another program"
        raise ForeignStore(message, hint="Give the path of a kernos store, or of a file that does not exist yet.")


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def plainly(path: Path, error: Exception) -> KernosError:
    """Return the kernos error for any error of the medium."""
    try:
        with said_plainly(path):
            raise error
    except KernosError as known:
        return known
    except OSError as failed:
        message = f"{path}: {failed.strerror or failed}"
        return StorageFailed(message)
    except apsw.Error as other:
        message = f"{path}: {other}"
        return StorageFailed(message)
