"""Records: a store opened to look at, beside a running kernel or without one, and never written."""

from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from kernos.adapters.ed25519.signer import FileSigner
from kernos.adapters.sqlite.read_only import ReadOnlyJournal
from kernos.adapters.system.clock import SystemClock
from kernos.control.authority import Authority
from kernos.control.codec import decode_entry
from kernos.control.projections import TABLES
from kernos.kernel.administering import administered
from kernos.kernel.administration import Administration
from kernos.vocabulary.administration import ADMINISTRATION, EVERY_TENANT, Scope
from kernos.vocabulary.errors import Ambiguous, KernosError, NotFound
from kernos.vocabulary.events import (
    CompensationBegun,
    Event,
    RunCancelled,
    RunCompleted,
    RunExpired,
    RunFailed,
    RunHandedOver,
    RunRequested,
)
from kernos.vocabulary.ids import RunId, is_run_id, number_of

_OPEN = ("running", "waiting", "blocked")
"""Statuses of runs whose code will run again."""

_ENDS = (RunCompleted, RunFailed, RunCancelled, RunExpired, RunHandedOver, CompensationBegun)
_PAGE = 10_000
_SHOWN_MAX = 5


class Records:
    """What a store says about its runs."""

    def __init__(self, store: Path, token: str = "") -> None:
        """Open a store that exists, as the holder of a credential. Raises NotFound, NotAllowed, and what opening one raises."""
        if not store.is_file():
            message = f"there is no store {store}"
            raise NotFound(message, hint="Name another one with --store; the first `kernos run AGENT` makes one.")
        self.journal = ReadOnlyJournal(store, TABLES, open_key=FileSigner.at)
        try:
            known = administered(Administration(), map(decode_entry, self.journal.entries(ADMINISTRATION)))
            self.authority = Authority(token, lambda: known, SystemClock().now)
            self.authority.who("", Scope.LOOK)
        except KernosError:
            self.journal.close()
            raise

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of the store."""
        self.journal.close()

    async def events(self, run: RunId) -> list[Event]:
        """Return a run's events. Raises NotFound, Tampered."""
        if not self._sees(run):
            message = f"there is no run {run}"
            raise NotFound(message)
        return [decode_entry(entry) for entry in self.journal.entries(run)]

    def _sees(self, run: RunId) -> bool:
        """Tell whether there is such a run, of a tenant that the caller may see."""
        if self.authority.caller.tenant == EVERY_TENANT:
            return run != ADMINISTRATION and self.journal.knows(run)
        entries = self.journal.entries(run)
        first = decode_entry(entries[0]).data if entries else None
        return isinstance(first, RunRequested) and self.authority.caller.sees(first.tenant)

    def runs(self) -> Iterator[RunId]:
        """Yield every run that the caller may see, oldest first."""
        return filter(self._sees, self.journal.runs())

    def find(self, name: str) -> RunId:
        """Return the id of the run that begins with `name`, as in git. Raises NotFound, Ambiguous."""
        if is_run_id(name) and self._sees(RunId(name)):
            return RunId(name)
        found = [run for run in self.runs() if run.startswith(name)]
        if not found:
            message = f"no run's id begins with {name!r}"
            raise NotFound(message)
        if len(found) > 1:
            shown = ", ".join(found[:_SHOWN_MAX]) + (", ..." if len(found) > _SHOWN_MAX else "")
            message = f"{len(found)} runs' ids begin with {name!r}: {shown}"
            raise Ambiguous(message)
        return found[0]

    async def open_runs(self) -> Sequence[RunId]:
        """Return the runs whose code will run again, oldest first: by the projections, else from the journal itself."""
        if not self.journal.has_projections:
            return [run for run in await self._open_by_journal() if self._sees(run)]
        found: list[RunId] = []
        for status in _OPEN:
            found += [run async for run in self._of_status(status)]
        return sorted(filter(self._sees, found), key=number_of)

    async def _of_status(self, status: str) -> AsyncIterator[RunId]:
        after = None
        while True:
            page = await self.journal.select("runs", {"status": status}, after=after, limit=_PAGE)
            for row in page:
                yield RunId(str(row["run"]))
            if len(page) < _PAGE:
                return
            after = page[-1]["run"]

    async def _open_by_journal(self) -> Sequence[RunId]:
        runs: dict[RunId, None] = {}
        ended: set[RunId] = set()
        async for _, entry in self.journal.scan():
            runs[entry.run] = None
            if isinstance(decode_entry(entry).data, _ENDS):
                ended.add(entry.run)
        return [run for run in runs if run not in ended]
