"""Window: it finds how many calls may be under way, and follows when that changes."""

import heapq
import random
from collections import deque
from dataclasses import dataclass, field

import pytest

from kernos.scheduling.window import Window

WRITE_MS, READ_MS = 1_000 / 60, 1_000 / 4_000


@dataclass
class Server:
    """So many slots, of which each call has one; those that find none wait, and if too many do, they are refused."""

    slots: int
    queue: int = 10**9
    noise: float = 1.0
    chance: random.Random = field(default_factory=lambda: random.Random(1))
    now: float = 0.0
    used: int = 0
    under_way: int = 0
    refused: int = 0
    answered: int = 0
    limits: list[float] = field(default_factory=list)
    ends: list[tuple[float, int, tuple[float, float, int]]] = field(default_factory=list)
    waiting: deque[tuple[float, int, int]] = field(default_factory=deque)

    def run(self, window: Window, calls: int) -> None:
        """Let as many calls be under way as the window allows until so many more are answered."""
        until = self.answered + calls
        while self.answered < until:
            self._fill(window)
            self.now, _, (sent_at, first, reads) = heapq.heappop(self.ends)
            self.used -= 1
            if self.waiting and self.used < self.slots:
                self._begin(*self.waiting.popleft())
            self.answered += 1
            window.answered(sent_at, self.now, first, reads, self.under_way)
            self.under_way -= 1
            self.limits.append(window.limit)

    def _fill(self, window: Window) -> None:
        while self.under_way < int(window.limit):
            reads, writes = self.chance.randint(300, 1_500), round(self.chance.lognormvariate(4.4, 0.8)) + 1
            if self.used < self.slots:
                self._begin(self.now, reads, writes)
            elif len(self.waiting) < self.queue:
                self.waiting.append((self.now, reads, writes))
            else:
                self.refused += 1
                window.refused(self.now)
                return
            self.under_way += 1

    def _begin(self, sent_at: float, reads: int, writes: int) -> None:
        self.used += 1
        reading = 40 + reads * READ_MS
        first = (self.now - sent_at + reading) * self.chance.uniform(1, self.noise)
        takes = reading + writes * WRITE_MS * (1 + 0.5 * self.used / self.slots)
        heapq.heappush(
            self.ends, (self.now + takes, len(self.limits) * 1_000 + self.under_way, (sent_at, first, reads))
        )


@pytest.mark.parametrize("slots", [4, 8, 32, 100])
@pytest.mark.parametrize("noise", [1.0, 1.5])
@pytest.mark.parametrize("seed", range(3))
def test_it_settles_a_little_above_what_is_there(slots: int, noise: float, seed: int) -> None:
    server = Server(slots, noise=noise, chance=random.Random(seed))
    server.run(Window(), 60 * slots)
    later = sorted(server.limits[20 * slots :])
    middle = later[len(later) // 2]
    assert 0.8 * slots <= middle <= 1.25 * slots + 3, (middle, later[0], later[-1])


def test_nothing_is_refused_where_some_may_wait() -> None:
    server = Server(32, queue=32)
    server.run(Window(), 2_000)
    assert server.refused <= 0.02 * server.answered


def test_refusals_alone_keep_it_bounded_where_nothing_waits_at_the_other_end() -> None:
    server = Server(32, queue=0)
    server.run(Window(), 2_000)
    assert server.refused <= 0.05 * server.answered
    assert max(server.limits[500:]) <= 40


@pytest.mark.parametrize(("before", "after"), [(8, 32), (32, 8)])
def test_it_follows_when_there_are_more_slots_or_fewer(before: int, after: int) -> None:
    server, window = Server(before), Window()
    server.run(window, 40 * before)
    server.slots = after
    server.run(window, 60 * after)
    last = sorted(server.limits[-10 * after :])
    assert 0.75 * after <= last[len(last) // 2] <= 1.3 * after + 2


def test_it_does_not_grow_while_nobody_needs_it() -> None:
    window = Window()
    for n in range(500):
        window.answered(n * 100.0, n * 100.0 + 90, 20, 500, under_way=2)
    assert window.limit == Window().limit


def test_answers_in_one_piece_tell_of_nothing_but_refusals_do() -> None:
    window = Window()
    for n in range(100):
        window.answered(n * 10.0, n * 10.0 + 500, None, 500, under_way=int(window.limit))
    grown = window.limit
    assert grown > Window().limit
    window.refused(2_000.0)
    window.refused(2_001.0)
    assert window.limit == pytest.approx(0.8 * grown), "one cut for all that were refused together"


def test_it_never_closes_and_never_exceeds_its_bound() -> None:
    window = Window(limit_max=10)
    for n in range(200):
        window.answered(n * 10.0, n * 10.0 + 5, 1, 500, under_way=int(window.limit))
    assert window.limit == 10
    for n in range(200):
        window.refused(10_000.0 * (n + 1))
    assert window.limit == 1
