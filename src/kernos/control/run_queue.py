"""Run queue: runs whose code has something to do while as many are active as may be, and who of them is next.

Ordered: as calls to models are (`scheduling/order.py`). Bounded: by the kernel's `queue_max`; a run takes some 500 bytes. Survives a crash: nothing; a start
finds them by their rows.
"""

from kernos.ports.clock import Clock
from kernos.scheduling.order import Order, Place
from kernos.vocabulary.ids import RunId, TenantId
from kernos.vocabulary.profile import PROFILES, STANDARD, Latency

_SPARE_SHARE = 4
"""One in so many places is kept for runs that a person waits for, besides those for everybody."""


class RunQueue:
    """The runs that are to become active, and how many are."""

    def __init__(self, clock: Clock, active_max: int) -> None:
        """Take the time, and how many runs may be active at once."""
        self._clock = clock
        self._active_max = active_max
        self._order: Order[RunId] = Order()
        self._active: set[RunId] = set()

    def __len__(self) -> int:
        return len(self._order)

    def __contains__(self, run: RunId) -> bool:
        return run in self._order

    @property
    def active_max(self) -> int:
        """How many runs may be active at once, without the places that are kept for those that a person waits for."""
        return self._active_max

    def put(self, run: RunId, profile: str, tenant: TenantId, left: float) -> None:
        """Let a run wait to become active, which needs `left` more work; one that waits already stays where it is."""
        if run not in self._order:
            latency = PROFILES.get(profile, STANDARD).latency
            self._order.put(run, Place(latency, tenant, left, run, self._clock.now(), max(1.0, left)))

    def has_room(self) -> bool:
        """Tell whether a run that comes in now may become active at once."""
        return not self._order and len(self._active) < self._active_max

    def next(self) -> RunId | None:
        """Return the run whose turn it is to become active, and count it; None where there is none or no place for it."""
        lowest = Latency.BATCH
        if len(self._active) >= self._active_max:
            lowest = Latency.INTERACTIVE
            if len(self._active) >= self._active_max + max(1, self._active_max // _SPARE_SHARE):
                return None
        run = self._order.next(self._clock.now(), lowest)
        if run is not None:
            self._active.add(run)
        return run

    def begun(self, run: RunId) -> None:
        """Count a run that became active without waiting."""
        self._active.add(run)

    def over(self, run: RunId) -> None:
        """Count a run that is active no more, or whose turn it was without anything to do."""
        self._active.discard(run)
        self._order.done(run, None, self._clock.now())

    @property
    def active(self) -> int:
        """How many runs are active."""
        return len(self._active)
