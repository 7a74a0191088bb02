"""Writer: the thread that commits groups of appends.

Ordered: appends, as they were put in; one group is one transaction and ends with a signed head. Side by side: the next group fills while one
is synced. Bounded: entries and bytes of a group, bytes that wait, next numbers remembered. Survives a crash: whole groups; of a group under way
at the crash either all or nothing. After a write fails nothing more is taken: what a disk answers after a failed sync cannot be believed.
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import apsw

from kernos.adapters.sqlite.groups import Backlog, Group, Pending
from kernos.adapters.sqlite.payloads import check_body
from kernos.adapters.sqlite.store import keep_log, let_go, plainly, roll_back, transaction
from kernos.adapters.sqlite.transcript import Foreign, Transcript
from kernos.vocabulary.errors import KernelStopped, KernosError
from kernos.vocabulary.ids import number_of
from kernos.vocabulary.journal import Append

_WATCH_S = 0.05
"""How often an idle writer looks around: for entries that linger although the event loop is stuck, and for those of other processes."""

_LINGER_S = 0.002
"""How long entries that nobody waits for may wait for company: a group costs as much as a dozen entries."""

CHECKPOINT_PAGES = 1_000
"""Pages in the write-ahead log from which on they are carried into the file: 8 MiB, what SQLite does by itself."""


class Writer:
    """Owns the writing connection and its thread."""

    def __init__(self, connection: apsw.Connection, path: Path, transcript: Transcript, checkpoint_pages: int) -> None:
        """Take the connection and what is done with it, and start the thread."""
        self._connection = connection
        self._path = path
        self._transcript = transcript
        self._loop = asyncio.get_running_loop()
        self._listener: Callable[[Foreign], None] | None = None
        self._wake = threading.Condition()
        self._backlog = Backlog(self._hurry)
        self._due = False
        self._hurried = False
        self._lingering = False
        self._closing = False
        self._wal_pages = 0
        self._checkpoint_pages = checkpoint_pages
        self.broken: KernosError | None = None
        """Why nothing more is taken."""
        connection.set_wal_hook(self._note_wal)
        self._thread = threading.Thread(target=self._work, name="kernos-journal", daemon=True)
        self._thread.start()

    # --- in the event loop ---------------------------------------------------------------------------------------

    def put(self, appends: Sequence[Append], on_failure: Callable[[Exception], None] | None) -> Pending:
        """Put an append into the open group. Raises InvalidInput, QueueFull, ValueError for a run that is none."""
        for append in appends:
            number_of(append.run)
            for body in append.bodies:
                check_body(body)
        with self._wake:
            error = self.broken or (KernelStopped(f"{self._path} is closed") if self._closing else None)
            if error is None:
                pending = self._backlog.add(appends, on_failure)
                if self._backlog.has_full_group and not self._due:
                    self._due = True
                    self._wake.notify()
                elif not self._lingering:
                    self._lingering = True
                    self._loop.call_later(_LINGER_S, self._linger_is_over)
                return pending
        pending = Pending(appends, on_failure, Group())
        pending.error = error
        pending.group.pending.append(pending)
        self._loop.call_soon(pending.group.finish)
        return pending

    def _hurry(self) -> None:
        """Begin to write once this turn of the loop is over: all it puts in shares one group."""
        if not self._hurried:
            self._hurried = True
            self._loop.call_soon(self._begin)

    def _begin(self) -> None:
        self._hurried = False
        with self._wake:
            if self._backlog:
                self._due = True
                self._wake.notify()

    def _linger_is_over(self) -> None:
        self._lingering = False
        self._begin()

    def watch(self, listener: Callable[[Foreign], None]) -> None:
        """Report other processes' entries from now on."""
        with self._wake:
            self._listener = listener
            self._wake.notify()

    async def close(self) -> None:
        """Make everything durable, end the thread and close the connection."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        await asyncio.to_thread(self._thread.join)
        if self.broken is None:  # Else what the disk holds is for the next start to find out.
            keep_log(self._connection, keep=False)
        let_go(self._connection)

    # --- in the thread -------------------------------------------------------------------------------------------

    def _work(self) -> None:
        while True:
            with self._wake:
                while not self._due and not self._closing:
                    if not self._wake.wait(_WATCH_S):
                        break
                group = self._backlog.take()
                self._due = self._due and bool(self._backlog)
                if group is None and self._closing:
                    return
            try:
                if group is None:
                    self._look_for_foreign()
                elif self.broken is None:
                    self._commit(group)
            except Exception as error:  # noqa: BLE001 - the outermost loop: whatever it was, waiters must learn of it
                self._break(error)
            if group is not None:
                self._finish(group)
                self._checkpoint()

    def _commit(self, group: Group) -> None:
        foreign = self._transcript.write(group)
        if foreign:
            self._report(foreign)

    def _finish(self, group: Group) -> None:
        if self.broken is not None and not self._transcript.has_committed(group):
            for pending in group.pending:
                pending.error = self.broken
        self._tell(group.finish)

    def _break(self, error: Exception) -> None:
        self.broken = plainly(self._path, error)
        roll_back(self._connection)

    def _tell(self, call: Callable[[], None]) -> None:
        try:
            self._loop.call_soon_threadsafe(call)
        except RuntimeError:
            return  # The loop is closed: nobody waits any more.

    def _note_wal(self, connection: apsw.Connection, name: str, pages: int) -> int:
        del connection, name
        self._wal_pages = pages
        return apsw.SQLITE_OK

    def _checkpoint(self) -> None:
        """Carry the write-ahead log into the file. Done here and not by SQLite, which would keep a failure to itself."""
        if self._wal_pages < self._checkpoint_pages or self.broken is not None:
            return
        self._wal_pages = 0
        try:
            self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        except apsw.BusyError:
            return  # Another process is doing it just now, and a passive checkpoint does not wait for that.
        except apsw.Error as error:
            self._break(error)

    def _look_for_foreign(self) -> None:
        if self._listener is None or self.broken is not None or not self._transcript.is_behind():
            return
        with transaction(self._connection, "DEFERRED"):
            foreign = self._transcript.catch_up()
        if foreign:
            self._report(foreign)

    def _report(self, foreign: Foreign) -> None:
        listener = self._listener
        if listener is not None:
            self._tell(lambda: listener(foreign))
