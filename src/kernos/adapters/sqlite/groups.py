"""Groups: appends that become durable together, and the promise that each caller gets."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from kernos.vocabulary.errors import QueueFull
from kernos.vocabulary.journal import Append

GROUP_ENTRIES_MAX = 4_096
"""Entries in one transaction: some 50 ms of work, so that nobody waits long for others."""

GROUP_BYTES_MAX = 8 * 1024 * 1024
"""Bytes of events in one transaction, for the same reason; a larger append is a group of its own."""

PENDING_BYTES_MAX = 256 * 1024 * 1024
"""Bytes of events that may wait for the disk. A disk that is so far behind has failed; more would only hide it."""


def _nobody_to_hurry() -> None:
    """Do nothing: the group is written in its own time."""


class Pending:
    """One append on its way; implements the commit of the journal's port."""

    __slots__ = ("appends", "error", "group", "on_failure")

    def __init__(
        self, appends: Sequence[Append], on_failure: Callable[[Exception], None] | None, group: "Group"
    ) -> None:
        self.appends = appends
        self.on_failure = on_failure
        self.group = group
        self.error: Exception | None = None

    @property
    def is_over(self) -> bool:
        """Whether its group was written, or failed."""
        return self.group.finished

    async def durable(self) -> None:
        """Return once the append is on disk; raise why it is not. Each caller has a future of its own: one may be cancelled."""
        if not self.group.finished:
            self.group.hurry()
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self.group.waiters.append(waiter)
            await waiter
        if self.error is not None:
            raise self.error


class Group:
    """Appends of one transaction. `finished` and `waiters` belong to the event loop."""

    __slots__ = ("bytes", "entries", "finished", "hurry", "pending", "waiters")

    def __init__(self, hurry: Callable[[], None] = _nobody_to_hurry) -> None:
        self.hurry = hurry
        self.pending: list[Pending] = []
        self.waiters: list[asyncio.Future[None]] = []
        self.entries = 0
        self.bytes = 0
        self.finished = False

    def finish(self) -> None:
        """Tell everybody, in the event loop: first the failures, then whoever waits."""
        self.finished = True
        try:
            for pending in self.pending:
                if pending.error is not None and pending.on_failure is not None:
                    pending.on_failure(pending.error)
        finally:
            for waiter in self.waiters:
                if not waiter.done():
                    waiter.set_result(None)
            for pending in self.pending:
                pending.appends = ()  # Callers keep their promise for long; the events need not stay with it.
            self.waiters.clear()
            self.pending.clear()


class Backlog:
    """Groups that wait for the writer, oldest first; the last one is open. Its caller holds the lock."""

    def __init__(self, hurry: Callable[[], None] = _nobody_to_hurry) -> None:
        """Begin empty. `hurry` is called, in the event loop, when somebody begins to wait for a group."""
        self._hurry = hurry
        self._groups: deque[Group] = deque()
        self._bytes = 0

    def __bool__(self) -> bool:
        """Tell whether anything waits."""
        return bool(self._groups)

    @property
    def has_full_group(self) -> bool:
        """Whether a group takes no more, so that it has nothing to wait for."""
        return len(self._groups) > 1

    def add(self, appends: Sequence[Append], on_failure: Callable[[Exception], None] | None) -> Pending:
        """Put an append into the open group, or into a new one when that is full. Raises QueueFull."""
        entries = length = 0
        for append in appends:
            entries += len(append.bodies)
            length += sum(map(len, append.bodies))
        if self._bytes and self._bytes + length > PENDING_BYTES_MAX:
            message = f"{self._bytes} bytes of events wait for the disk already"
            raise QueueFull(message, hint="The disk is too slow or hangs; look at it, and come back later.")
        group = self._groups[-1] if self._groups else None
        if group is None or group.entries + entries > GROUP_ENTRIES_MAX or group.bytes + length > GROUP_BYTES_MAX:
            group = Group(self._hurry)
            self._groups.append(group)
        pending = Pending(appends, on_failure, group)
        group.pending.append(pending)
        group.entries += entries
        group.bytes += length
        self._bytes += length
        return pending

    def take(self) -> Group | None:
        """Take the oldest group out, None when nothing waits."""
        if not self._groups:
            return None
        group = self._groups.popleft()
        self._bytes -= group.bytes
        return group
