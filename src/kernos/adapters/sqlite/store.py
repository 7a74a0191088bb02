"""Store: the SQLite file itself: how it is opened, marked, and what its errors mean to an operator."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import apsw

from kernos.vocabulary.errors import Bug, ForeignStore, KernosError, StorageFailed, StoreBusy, Tampered

APPLICATION_ID = 0x6B65726E  # "kern"
FORMAT = 1
"""Version of the layout below, in `PRAGMA user_version`. A newer one than `ROTATED_FORMAT` is refused, not guessed at."""

ROTATED_FORMAT = 2
"""The same with a table of hand-overs, from the first rotation of the key on: a kernos that knows none of them must not write there."""

BUSY_TIMEOUT_MS = 10_000
"""How long a write waits for another process: many times a commit group, short enough to be noticed."""

_PAGE_BYTES = 8_192
"""Seven events of 1 KB fit on a page, three on one of SQLite's usual 4 KiB: 14 % less space and a quarter less work."""

_LAYOUT = """
CREATE TABLE events(
    pos INTEGER PRIMARY KEY, run INTEGER NOT NULL, n INTEGER NOT NULL, body BLOB NOT NULL, node BLOB NOT NULL);
CREATE UNIQUE INDEX events_run ON events(run, n);
CREATE TABLE heads(
    size INTEGER PRIMARY KEY, at INTEGER NOT NULL, previous BLOB NOT NULL, root BLOB NOT NULL, signature BLOB NOT NULL);
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
        message = f"{path} is held by another process, and did not come free in time"
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
    except (apsw.IOError, apsw.ProtocolError) as error:
        message = f"{path} could not be read or written: {error}"
        raise StorageFailed(message) from error
    except apsw.SQLError as error:
        message = f"{path} lacks a table or a column that a kernos store has: {error}"
        raise Tampered(message) from error
    except OSError as error:
        message = f"{error.filename or path}: {error.strerror or error}"
        raise StorageFailed(message) from error
    except apsw.ConstraintError as error:
        message = f"{path} holds entries that contradict its tree: {error}"
        raise Tampered(message) from error


def connect(
    path: Path, *, vfs: str | None, may_make: bool = False, busy_timeout_ms: int = BUSY_TIMEOUT_MS
) -> apsw.Connection:
    """Open one connection, with the durability that the journal promises."""
    flags = apsw.SQLITE_OPEN_READWRITE | (apsw.SQLITE_OPEN_CREATE if may_make else 0)
    connection = apsw.Connection(str(path), flags=flags, vfs=vfs)
    connection.set_busy_handler(_patience(busy_timeout_ms))
    connection.pragma("synchronous", "FULL")
    connection.wal_autocheckpoint(0)  # The writer does it, where a failure is seen.
    keep_log(connection, keep=True)
    return connection


def _patience(busy_timeout_ms: int) -> Callable[[int], bool]:
    """Make what SQLite asks when another process holds the file: it asks again every millisecond.

    Its own handler sleeps up to 100 ms between looks, and may miss for seconds on end the moments in which a busy writer lets go.
    """
    never = threading.Event()

    def again(tries: int) -> bool:
        never.wait(0.001)
        return tries < busy_timeout_ms

    return again


def keep_log(connection: apsw.Connection, *, keep: bool) -> None:
    """Say whether SQLite leaves its write-ahead log alone when this connection is the last one to close.

    It does so unless all is well: a log of which only a part could be read must not be carried over and deleted.
    """
    connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, int(keep))


def prepare(connection: apsw.Connection, path: Path, second_place: Path) -> None:
    """Lay out a new file, or check that the file is ours. Raises ForeignStore, StorageFailed, Tampered (it was emptied)."""
    check_mark(connection, path)
    if connection.pragma("application_id") != APPLICATION_ID:
        if second_place.exists() and second_place.stat().st_size:
            message = f"{path} is empty, and {second_place} has tree heads of it"
            raise Tampered(message, hint=f"Restore it from a backup. To begin anew, move all {path.name}* away.")
        connection.pragma("page_size", _PAGE_BYTES)
    if connection.readonly("main") or connection.pragma("journal_mode", "wal") != "wal":
        message = f"{path} cannot be written: the file or its folder is read-only, or lies on a file system without shared memory"
        raise StorageFailed(message, hint="Make both writable for this user, then start kernos again.")
    if connection.pragma("application_id") == APPLICATION_ID:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        if connection.pragma("application_id") != APPLICATION_ID:  # Else another process laid it out meanwhile.
            connection.execute(_LAYOUT)
            connection.pragma("user_version", FORMAT)
            connection.pragma("application_id", APPLICATION_ID)
    except apsw.Error:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def check_mark(connection: apsw.Connection, path: Path) -> None:
    """Check that a file is a store of ours, or still empty. Raises ForeignStore."""
    mark = connection.pragma("application_id")
    version = connection.pragma("user_version")
    assert isinstance(version, int), version
    tables = connection.execute("SELECT count(*) FROM sqlite_schema").get
    if mark == APPLICATION_ID:
        if version > ROTATED_FORMAT:
            message = f"{path} was written by a newer kernos (store format {version}; this one knows {ROTATED_FORMAT})"
            raise ForeignStore(message, hint="Install that kernos, or a newer one, to open it.")
    elif mark or version or tables:
        message = f"{path} is the database of another program"
        raise ForeignStore(message, hint="Give the path of a kernos store, or of a file that does not exist yet.")


@contextmanager
def transaction(connection: apsw.Connection, kind: str) -> Iterator[None]:
    """Do what is inside in one transaction of a kind (`DEFERRED` to read one state, `IMMEDIATE` to write), all or nothing."""
    connection.execute(f"BEGIN {kind}")
    try:
        yield
        connection.execute("COMMIT")
    finally:
        roll_back(connection)


def let_go(connection: apsw.Connection) -> None:
    """Close a connection. The last one carries the write-ahead log into the file; if that fails, the log stays and the next start does it."""
    try:
        connection.close()
    except apsw.Error:
        return


def roll_back(connection: apsw.Connection) -> None:
    """Give up the transaction if there is one; SQLite has done so by itself after most failed writes."""
    if connection.in_transaction:
        try:
            connection.execute("ROLLBACK")
        except apsw.Error:
            return  # The medium fails; closing the connection drops the transaction.


def plainly(path: Path, error: Exception) -> KernosError:
    """Return the kernos error for any error of the medium; any other error is a bug."""
    if isinstance(error, (apsw.Error, OSError)):
        try:
            _raise_plainly(path, error)
        except KernosError as known:
            return known
        except apsw.Error:
            return StorageFailed(f"{path}: {error}")
    if isinstance(error, KernosError):
        return error
    return Bug(f"the journal of {path} met {type(error).__name__}: {error}")


def _raise_plainly(path: Path, error: Exception) -> NoReturn:
    with said_plainly(path):
        raise error
    raise AssertionError
