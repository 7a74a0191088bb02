"""Row: one figure of a benchmark, with the peer it is compared to and the target it has to reach; and the options of all benchmarks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

FOLDER = Path(__file__).parent.parent
"""The project's root: programs are started here, and environments of peers lie below it."""


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. `ratio` is this value over that of `peer`; `met` is None where nothing was promised or could be compared."""

    what: str
    value: float
    unit: str
    peer: str = ""
    ratio: float | None = None
    target: str = ""
    met: bool | None = None


@dataclass(frozen=True, slots=True)
class Options:
    """How much is measured, and who hears of the progress."""

    full: bool
    """False: a smoke test of seconds, whose figures mean little."""
    peers: bool
    say: Callable[[str], None]
    """Shows one line of progress."""
    inputs: int = 0
    """For each reader that is fuzzed; 0: as many as the scale says."""

    @property
    def repetitions(self) -> int:
        """How often each contestant is measured; medians are reported."""
        return 3 if self.full else 1


def against(row: Row, peers: Mapping[str, float], *, times_at_least: float | None = None) -> Row:
    """Compare with the fastest of several peers, in the row's unit; without any peer nothing is met or missed."""
    target = "" if times_at_least is None else f">= {times_at_least:g} x"
    if not peers:
        return replace(row, target=target)
    peer = max(peers, key=lambda name: peers[name])
    ratio = row.value / peers[peer]
    return replace(row, peer=peer, ratio=ratio, target=target, met=target_met(ratio, times_at_least))


def target_met(ratio: float, times_at_least: float | None) -> bool | None:
    """Tell whether a ratio reaches its target, None without one."""
    return None if times_at_least is None else ratio >= times_at_least


def at_most(what: str, value: float, unit: str, limit: float) -> Row:
    """Return a row that has to stay at or below a limit in its own unit."""
    return Row(what, value, unit, target=f"<= {limit:g} {unit}", met=value <= limit)


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value below which this share of values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
