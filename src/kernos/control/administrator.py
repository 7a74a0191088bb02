"""Administrator: the store's own affairs in memory, and the way to change them.

Ordered: commands of this process one after the other. Bounded: by how much is administered, all of which is in memory. Survives a crash:
everything, because it stands in the journal. Others' changes are followed as soon as the journal reports them.
"""

import asyncio
from collections.abc import Callable

from kernos.control.codec import decode_entry, encode_event
from kernos.control.projections import project
from kernos.kernel.administering import administer, administered
from kernos.kernel.administration import Administration
from kernos.ports.clock import Clock
from kernos.ports.journal import Journal
from kernos.vocabulary.administration import ADMINISTRATION, AdministrationCommand
from kernos.vocabulary.errors import StaleRunNumber
from kernos.vocabulary.events import Event
from kernos.vocabulary.ids import PrincipalId
from kernos.vocabulary.journal import Append

_TRIES_MAX = 100
"""Times that a command is decided anew because another process was faster."""


class Administrator:
    """One store's administration, as this process sees it."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        """Take where it stands; `follow` reads it."""
        self.state = Administration()
        """What is durable."""
        self._journal = journal
        self._clock = clock
        self._turn = asyncio.Lock()
        self._listeners: list[Callable[[], None]] = []

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call `listener` in the event loop whenever the state is another."""
        self._listeners.append(listener)

    async def follow(self) -> None:
        """Take in what was recorded since, by whomever."""
        async with self._turn:
            await self._follow()

    async def command(self, command: AdministrationCommand, by: PrincipalId) -> bool:
        """Apply a command and return, once it is durable, whether it changed anything. Raises what the rules raise."""
        async with self._turn:
            for _ in range(_TRIES_MAX):
                try:
                    return await self._apply(command, by)
                except StaleRunNumber:
                    await self._follow()
        message = f"the administration was changed by others {_TRIES_MAX} times while this command was tried"
        raise StaleRunNumber(message)

    async def _apply(self, command: AdministrationCommand, by: PrincipalId) -> bool:
        first, at = self.state.next_n, self._clock.now()
        datas = administer(self.state, command)
        events = [Event(ADMINISTRATION, n, at, by, "call", data) for n, data in enumerate(datas, first)]
        if not events:
            return False
        bodies = tuple(encode_event(event) for event in events)
        rows = tuple(change for event in events for change in project(event))
        await self._journal.append([Append(ADMINISTRATION, first, bodies, rows)]).durable()
        self._take(events)
        return True

    async def _follow(self) -> None:
        entries = await self._journal.read(ADMINISTRATION, self.state.next_n - 1)
        if entries:
            self._take([decode_entry(entry) for entry in entries])

    def _take(self, events: list[Event]) -> None:
        self.state = administered(self.state, events)
        for listener in self._listeners:
            listener()
