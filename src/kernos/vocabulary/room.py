"""Room: what a cap still leaves. A run whose agent wants that waits for it, instead of failing where there is none."""

from dataclasses import dataclass

from kernos.vocabulary.budget import Booking
from kernos.vocabulary.ids import EpochMs, StepName

# --- events ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RoomAwaited:
    """A call waits for room under its caps, in the line of all that wait; `since` gives its place, `due_at` (0: none) its end."""

    step: StepName
    what: str
    """The tool's or the model's name."""
    is_model: bool
    needs: tuple[Booking, ...]
    """What it may use at most, and the caps that it is held against, as they stood."""
    why: str
    """Where there is no room, and who can make some."""
    since: EpochMs
    """When it began to wait; a call that found room and lost it to another keeps its place."""
    due_at: EpochMs = EpochMs(0)


@dataclass(frozen=True, slots=True)
class RoomFound:
    """It is the call's turn: it is decided anew, and reserves what it may use."""

    step: StepName


@dataclass(frozen=True, slots=True)
class RoomForgone:
    """The wait is over without room: its time was, and the call is made now or fails; or its branch of a fork was given up (`is_late` False)."""

    step: StepName
    is_late: bool = True


# --- commands ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AwaitRoom:
    """Let a call wait for room."""

    step: StepName
    what: str
    is_model: bool
    needs: tuple[Booking, ...]
    why: str
    at: EpochMs
    wait_ms: int
    """How long at most since it began to wait; 0: as long as the run may."""


@dataclass(frozen=True, slots=True)
class FindRoom:
    """Give a call its turn."""

    step: StepName
