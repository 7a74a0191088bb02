"""Phase: one part of a program that is killed and started again (standard library only, like `benchmarks.measure`).

A phase that is to be killed prints `ready` and then waits for its end. Times count from the moment the process was ordered, so that the
interpreter's start and all imports are in them.
"""

import argparse
import signal
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Phase:
    """What a phase is to do."""

    name: str
    folder: Path
    runs: int
    ordered_at: float
    """When the process was ordered, by the monotonic clock that all processes share."""

    def seconds(self) -> float:
        """Return the time since the process was ordered."""
        return time.monotonic() - self.ordered_at


def phase_arguments() -> Phase:
    """Parse the command line of a phase."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--name", required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--runs", type=int, required=True)
    parser.add_argument("--ordered-at", type=float, required=True)
    return Phase(**vars(parser.parse_args()))


def wait_to_be_killed() -> None:
    """Say that everything is in place, and never return."""
    print("ready", flush=True)
    while True:
        signal.pause()


def memory_mb() -> float:
    """Return the resident memory of this process."""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1_024 / 1e6
    message = "/proc/self/status names no VmRSS; this benchmark needs Linux"
    raise OSError(message)
