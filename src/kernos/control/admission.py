"""Admission: how a run begins: once for each start key, and only where a cap on open runs has a place for it.

Ordered: what is asked for one run. Side by side: everything else. Bounded: by the caps, and by the engine's queue. Survives a crash: a place stands in the
commit of the request and is given back in the commit of the end, so it is held exactly as long as the run is open.
"""

from collections.abc import Awaitable, Callable

from kernos.control.session import Session
from kernos.control.sessions import Sessions
from kernos.control.surroundings import Surroundings
from kernos.control.treasury import COME_BACK_MS
from kernos.kernel.state import RunState
from kernos.vocabulary.commands import RequestRun
from kernos.vocabulary.errors import NotFound, QueueFull, StaleRunNumber
from kernos.vocabulary.events import RunRequested
from kernos.vocabulary.ids import PrincipalId, RunId
from kernos.vocabulary.outcome import Failure

_TRIES_MAX = 50
"""Times a start is decided anew because others took places; each time somebody made progress."""


class Admission:
    """How runs begin in one process."""

    def __init__(
        self,
        shared: Surroundings,
        sessions: Sessions,
        new_session: Callable[[RunState], Session],
        settle: Callable[[], Awaitable[None]],
    ) -> None:
        """Take what all sessions share, where they are kept and how one is made; `settle` waits for what is on its way to the disk."""
        self._shared = shared
        self._sessions = sessions
        self._new_session = new_session
        self._settle = settle

    async def request(self, run: RunId, requested: RunRequested, by: PrincipalId) -> None:
        """Begin a run and return once that is durable. Raises QueueFull where a cap has no place; StaleRunNumber when the run exists."""
        for _ in range(_TRIES_MAX):
            if requested.start_key and (await self._exists(run) or self._sessions.get(run) is not None):
                await self._durable(run)  # Who asks second is not answered earlier than who asked first.
                message = f"run {run} exists already"
                raise StaleRunNumber(message)
            places = self._shared.treasury.admit(requested, run, self._shared.clock.now())
            if isinstance(places, Failure):
                raise QueueFull(
                    f"agent {requested.agent} was not started: {places.message}",
                    hint="Nothing of the request was kept: ask again in a second.",
                    retry_after_ms=COME_BACK_MS,
                )
            if places is None:
                await self._settle()
            elif await self._begun(run, RequestRun(requested, places.bookings), by):
                return
        message = f"agent {requested.agent} was not started: others took places {_TRIES_MAX} times while it was tried"
        raise QueueFull(message, retry_after_ms=COME_BACK_MS)

    async def _begun(self, run: RunId, command: RequestRun, by: PrincipalId) -> bool:
        """Begin the run; False when somebody else took the last place, so that it is decided anew."""
        session = self._new_session(RunState(run))
        self._sessions.put(session)
        self._sessions.hold(run)
        try:
            session.apply(command, by, "call")
            await session.durable()
        except StaleRunNumber:
            if not command.places:
                raise
        else:
            return True
        finally:
            self._sessions.release(run)
        if await self._exists(run):
            message = f"run {run} exists already"
            raise StaleRunNumber(message)
        self._sessions.forget(run)
        return False

    async def _durable(self, run: RunId) -> None:
        """Return once all that is recorded of a run is durable."""
        session = await self._sessions.borrow(run)
        try:
            await session.durable()
        except StaleRunNumber:
            pass  # Another process was faster, and that is durable.
        finally:
            self._sessions.release(run)

    async def _exists(self, run: RunId) -> bool:
        """Tell whether there is a run, once that is durable: whoever is told so is told for good."""
        try:
            session = await self._sessions.borrow(run)
        except NotFound:
            return False
        try:
            await session.durable()
        finally:
            self._sessions.release(run)
        return True
