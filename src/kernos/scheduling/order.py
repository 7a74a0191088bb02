"""Order: who of all that wait goes next: by class, then the tenant that had least for its weight, then the run with least work left.

Whoever has waited as long as its class may, or whose deadline comes near, counts as of the class above; so every class goes on, however much comes in
above it. Bounded by who puts something in; putting in and taking out cost the logarithm of what waits.
"""

import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from kernos.vocabulary.ids import EpochMs, RunId, TenantId
from kernos.vocabulary.profile import Latency

T = TypeVar("T")

PATIENCE_MS: Mapping[Latency, int] = {Latency.STANDARD: 300_000, Latency.BATCH: 3_600_000}
"""How long something waits in its class before it counts as of the class above."""

_AWAY_MS = 60_000
"""After so long away a tenant has saved nothing up; shorter pauses lie between the calls of one run."""

_SHARES_MAX = 10_000
"""Tenants remembered before those are forgotten that are away."""

_CLASSES = (Latency.INTERACTIVE, Latency.STANDARD, Latency.BATCH)


@dataclass(frozen=True, slots=True)
class Place:
    """What decides when something has its turn."""

    latency: Latency
    tenant: TenantId
    left_ms: float
    """Work left of its run, in milliseconds of what is scarce."""
    run: RunId
    """Its run: what was begun first goes first where the work left is the same."""
    since: EpochMs
    """Since when it waits."""
    cost_ms: float = 0.0
    """What its turn will take, as far as anybody knows."""
    urgent_at: EpochMs = EpochMs(0)
    """From when on it counts as interactive, because of its deadline; 0 for never."""


@dataclass(slots=True)
class _Entry(Generic[T]):
    item: T
    place: Place
    number: int
    is_gone: bool = False

    def __lt__(self, other: "_Entry[T]") -> bool:
        mine, theirs = self.place, other.place
        return (mine.left_ms, mine.run, self.number) < (theirs.left_ms, theirs.run, other.number)


@dataclass(slots=True)
class _Share:
    """What one tenant had, in milliseconds for its weight, and how much of it waits or is under way."""

    service: float
    present: int = 0
    left_at: EpochMs = EpochMs(0)


class Order(Generic[T]):
    """What waits, by class and tenant."""

    def __init__(self, weights: Mapping[TenantId, float] | None = None) -> None:
        """Take the tenants' weights; a tenant without one has 1."""
        self._weights = weights or {}
        self._waiting: dict[Latency, dict[TenantId, list[_Entry[T]]]] = {latency: {} for latency in _CLASSES}
        self._promotions: list[tuple[EpochMs, int, _Entry[T], Latency]] = []
        self._entries: dict[T, _Entry[T]] = {}
        self._under_way: dict[T, Place] = {}
        self._shares: dict[TenantId, _Share] = {}
        self._floor = 0.0
        self._count = 0

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, item: T) -> bool:
        return item in self._entries

    def __iter__(self) -> Iterator[T]:
        return iter(self._entries)

    def put(self, item: T, place: Place) -> None:
        """Let something wait that does not wait yet."""
        assert item not in self._entries, item
        self._count += 1
        entry = _Entry(item, place, self._count)
        self._entries[item] = entry
        self._enter(place.tenant, place.since)
        self._push(entry, place.latency)

    def drop(self, item: T) -> None:
        """Let it wait no more, without a turn."""
        entry = self._entries.pop(item, None)
        if entry is not None:
            entry.is_gone = True
            self._shares[entry.place.tenant].present -= 1

    def next(self, now: EpochMs, lowest: Latency = Latency.BATCH) -> T | None:
        """Return whose turn it is and let it go on; None where nobody waits. It counts as under way until `done`.

        `lowest`: nothing of a lower class has its turn.
        """
        self._promote(now)
        for latency in _CLASSES[: _CLASSES.index(lowest) + 1]:
            heap = self._least_served(latency)
            if heap is not None:
                entry = heapq.heappop(heap)
                entry.is_gone = True  # Where it stands in another class, too.
                del self._entries[entry.item]
                self._under_way[entry.item] = entry.place
                self._charge(entry.place.tenant, entry.place.cost_ms)
                return entry.item
        return None

    def done(self, item: T, took_ms: float | None, now: EpochMs) -> None:
        """Take notice that what had its turn is over, and what it took; None: as much as was thought. Nothing happens to what had none."""
        place = self._under_way.pop(item, None)
        if place is None:
            return
        if took_ms is not None:
            self._charge(place.tenant, took_ms - place.cost_ms)
        share = self._shares[place.tenant]
        share.present -= 1
        share.left_at = now

    # --- classes -------------------------------------------------------------------------------------------------

    def _push(self, entry: _Entry[T], latency: Latency) -> None:
        heapq.heappush(self._waiting[latency].setdefault(entry.place.tenant, []), entry)
        at, above = _promotion(entry.place, latency)
        if above is not None:
            heapq.heappush(self._promotions, (at, entry.number, entry, above))

    def _promote(self, now: EpochMs) -> None:
        while self._promotions and self._promotions[0][0] <= now:
            _, _, entry, above = heapq.heappop(self._promotions)
            if not entry.is_gone:
                self._push(entry, above)

    # --- tenants -------------------------------------------------------------------------------------------------

    def _least_served(self, latency: Latency) -> list[_Entry[T]] | None:
        best: list[_Entry[T]] | None = None
        least = 0.0
        emptied: list[TenantId] = []
        for tenant, heap in self._waiting[latency].items():
            while heap and heap[0].is_gone:
                heapq.heappop(heap)
            if not heap:
                emptied.append(tenant)
            elif best is None or self._shares[tenant].service < least:
                best, least = heap, self._shares[tenant].service
        for tenant in emptied:
            del self._waiting[latency][tenant]
        if best is not None:
            self._floor = max(self._floor, least)
        return best

    def _enter(self, tenant: TenantId, now: EpochMs) -> None:
        share = self._shares.get(tenant)
        if share is None:
            if len(self._shares) >= _SHARES_MAX:
                self._forget(now)
            share = self._shares[tenant] = _Share(self._floor)
        elif not share.present and now - share.left_at > _AWAY_MS:
            share.service = max(share.service, self._floor)
        share.present += 1

    def _forget(self, now: EpochMs) -> None:
        away = [name for name, one in self._shares.items() if not one.present and now - one.left_at > _AWAY_MS]
        for name in away:
            del self._shares[name]

    def _charge(self, tenant: TenantId, cost_ms: float) -> None:
        self._shares[tenant].service += cost_ms / self._weights.get(tenant, 1.0)


def _promotion(place: Place, latency: Latency) -> tuple[EpochMs, Latency | None]:
    """Return when something of a class counts as of a higher one, and of which."""
    if latency is Latency.INTERACTIVE:
        return EpochMs(0), None
    above = Latency.INTERACTIVE if latency is Latency.STANDARD else Latency.STANDARD
    waited_at = EpochMs(place.since + PATIENCE_MS[latency])
    if place.urgent_at and place.urgent_at < waited_at:
        return place.urgent_at, Latency.INTERACTIVE
    return waited_at, above
