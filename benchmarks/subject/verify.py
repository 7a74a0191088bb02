"""A journal to verify. Phases: `fill` and `fill_singly` (`--runs` more runs of 12 events), and `verify`.

The fill is one real run of ten steps with 1 KB results, recorded over and over under new ids through the journal itself, with its projections: every
event is one that the kernel could have written. `fill` commits 24 events at a time, one of each of 24 runs, about as many as 64 runs at once make;
`fill_singly` commits every event alone, so that each has a signed head. Neither waits for the disk, which would cost hours and changes no byte.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import apsw

from benchmarks.measure import cpu_ms, report
from benchmarks.phase import Phase, phase_arguments
from benchmarks.subject.agents import POLICY, Ask, actor, reader
from kernos.adapters.ed25519.signer import FileSigner
from kernos.adapters.sqlite.journal import SqliteJournal
from kernos.adapters.system.clock import SystemClock
from kernos.app.kernel import Kernel
from kernos.control.codec import encode_event
from kernos.control.projections import TABLES, project
from kernos.vocabulary.events import Event
from kernos.vocabulary.ids import RUN_RANDOM_BITS, run_id
from kernos.vocabulary.journal import Append

_AT_ONCE = {"fill": 24, "fill_singly": 1}
_FIRST_RUN = 1 << RUN_RANDOM_BITS + 20
"""Before every run of today: the fill is the past."""


class _HastyVfs(apsw.VFS):
    """SQLite's files, without waiting for the disk."""

    def __init__(self) -> None:
        super().__init__("hasty", "")

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802 - apsw's name
        return _HastyFile("", name, flags)


class _HastyFile(apsw.VFSFile):
    def xSync(self, flags: int) -> None:  # noqa: N802 - apsw's name
        """Go on at once."""


def journal_of(phase: Phase, vfs: str | None = None) -> SqliteJournal:
    """Open the journal in the phase's folder."""
    return SqliteJournal(phase.folder / "bench.kernos", TABLES, SystemClock(), open_key=FileSigner.at, vfs=vfs)


async def fill(phase: Phase) -> None:
    """Make a run, and record it again and again, some runs side by side: each group has one event of each of them."""
    async with Kernel(phase.folder / "bench.kernos", agents=[reader, actor], policies=POLICY) as kernel:
        run = await kernel.start(reader, Ask(n=1))
        await run.result()
        events = [event async for event in run.events()]
    vfs = _HastyVfs()
    journal = journal_of(phase, "hasty")
    head = await journal.head()
    assert head is not None
    before, at_once = head.size, _AT_ONCE[phase.name]
    for first in range(1, phase.runs, at_once):
        numbers = range(first, min(first + at_once, phase.runs))
        for group in zip(*(_copy(events, before + number) for number in numbers), strict=True):
            commits = [journal.append([append]) for append in group]
            await commits[-1].durable()
    head = await journal.head()
    await journal.close()
    vfs.unregister()
    expected = before + (phase.runs - 1) * len(events)
    assert head is not None
    assert head.size == expected, (head.size, expected)
    report({"events": expected})


def _copy(events: Sequence[Event], number: int) -> list[Append]:
    """Return the appends of a whole run under another id, one an event."""
    run = run_id(_FIRST_RUN + (number << RUN_RANDOM_BITS))
    copies = [replace(event, run=run) for event in events]
    return [Append(run, event.n, (encode_event(event),), tuple(project(event))) for event in copies]


async def verify(phase: Phase) -> None:
    """Verify the whole journal."""
    journal = journal_of(phase)
    spent_ms = cpu_ms()
    found = await journal.verify(_unheard)
    spent_ms = cpu_ms() - spent_ms
    await journal.close()
    assert found.findings == (), found.findings
    report({"cpu_s": spent_ms / 1_000, "events": found.entries, "heads": found.heads})


def _unheard(done: int, of_all: int) -> None:
    """Listen to no progress."""


if __name__ == "__main__":
    given = phase_arguments()
    asyncio.run({"fill": fill, "fill_singly": fill, "verify": verify}[given.name](given))
