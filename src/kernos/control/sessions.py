"""Sessions: which runs are in memory; loaded when they are needed, let go of when nobody needs them.

Ordered: one load of a run at a time, shared by all who ask. Bounded: by those who hold sessions, and by what the engine keeps. Survives a crash: nothing,
and nothing has to.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from kernos.control.codec import decode_entry
from kernos.control.session import Session
from kernos.kernel.evolve import fold
from kernos.kernel.state import RunState
from kernos.ports.journal import Journal
from kernos.vocabulary.errors import NotFound, StaleRunNumber
from kernos.vocabulary.ids import RunId


class Sessions:
    """The sessions of one kernel."""

    def __init__(
        self,
        journal: Journal,
        make: Callable[[RunState], Session],
        keeps: Callable[[RunId], bool],
        reloaded: Callable[[Session], None],
        chore: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        """Take how to make a session, whether to keep an idle one, whom to tell of one read anew, and how to do things later."""
        self._journal = journal
        self._make = make
        self._keeps = keeps
        self._reloaded = reloaded
        self._chore = chore
        self._sessions: dict[RunId, Session] = {}
        self._loading: dict[RunId, asyncio.Future[Session]] = {}
        self._held: dict[RunId, int] = {}

    def __len__(self) -> int:
        return len(self._sessions)

    def get(self, run: RunId) -> Session | None:
        """Return the run's session if it is in memory."""
        return self._sessions.get(run)

    def all(self) -> list[Session]:
        """Return all sessions."""
        return list(self._sessions.values())

    def put(self, session: Session) -> None:
        """Keep the session of a run that is about to begin."""
        self._sessions[session.run] = session

    def forget(self, run: RunId) -> None:
        """Let go of the session of a run that never began."""
        self._sessions.pop(run, None)

    async def borrow(self, run: RunId) -> Session:
        """Return the run's session, loaded if need be, and hold it until `release`. Raises NotFound, Tampered."""
        session = self._sessions.get(run)
        if session is not None and session.lost is None:
            self.hold(run)
            return session
        loading = self._loading.get(run)
        if loading is None:
            loading = asyncio.get_running_loop().create_future()
            self._loading[run] = loading
            try:
                session = await self._load(run)
                loading.set_result(session)
            except BaseException as error:
                loading.set_exception(error)
                loading.exception()  # Seen here; the others who wait see it too.
                raise
            finally:
                del self._loading[run]
        else:
            session = await asyncio.shield(loading)
        self.hold(run)
        return session

    async def _load(self, run: RunId) -> Session:
        events = [decode_entry(entry) for entry in await self._journal.read(run)]
        if not events:
            message = f"there is no run {run}"
            raise NotFound(message)
        state = fold(RunState(run), events)
        session = self._sessions.get(run)
        if session is None:
            session = self._sessions[run] = self._make(state)
        else:
            session.reload(state)
            self._reloaded(session)
        return session

    def is_held(self, run: RunId) -> bool:
        """Tell whether somebody holds the session."""
        return run in self._held

    def hold(self, run: RunId) -> None:
        """Keep the session in memory until `release`."""
        self._held[run] = self._held.get(run, 0) + 1

    def release(self, run: RunId) -> None:
        """Give up what `borrow` or `hold` gave."""
        left = self._held[run] - 1
        if left:
            self._held[run] = left
            return
        del self._held[run]
        self.drop_if_idle(run)

    def drop_if_idle(self, run: RunId) -> None:
        """Let go of a session that nobody needs, once the journal has all of it: whoever comes next reads it there."""
        session = self._sessions.get(run)
        if session is None or session.active or run in self._held or session.under_way():
            return
        if session.lost is None:
            if not session.settled():
                self._chore(self._drop_once_settled(session))
                return
            if self._keeps(run):
                return
        del self._sessions[run]

    async def _drop_once_settled(self, session: Session) -> None:
        try:
            await session.durable()
        except StaleRunNumber:
            return  # It is read anew, and dropped after that.
        self.drop_if_idle(session.run)
