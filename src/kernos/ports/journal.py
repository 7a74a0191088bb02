"""Journal: the append-only event log, and the projections that are written in the same transaction."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Protocol

from kernos.vocabulary.circumstances import Totals
from kernos.vocabulary.ids import RunId
from kernos.vocabulary.journal import Append, Entry, RowOp, Scalar, Table, TreeHead, Verification

Row = Mapping[str, Scalar]
Range = tuple[Scalar, Scalar]
"""Inclusive from, exclusive to; None leaves that end open."""

Changes = Callable[[int], AsyncIterator[tuple[int, Sequence[RowOp]]]]
"""What the entries after a position change: in portions, each with the position up to which it leads."""


class Commit(Protocol):
    """The promise that an append will be durable, or the reason why it will not."""

    @property
    def is_over(self) -> bool:
        """Whether it is durable, or failed, and views show that."""
        ...

    async def durable(self) -> None:
        """Return once the append is on disk (fsync).

        Raises StaleRunNumber when another writer was faster on one of the runs: then nothing of this append is stored.
        Raises StorageFailed when the medium did not take it: then the journal takes no more appends, and only the next open shows whether
        the append reached the disk after all (the whole of it, or nothing).
        """
        ...


class Journal(Protocol):
    """An append-only log in one total order; what stands before an entry is durable no later than it.

    Order of calls to `append` is the order in the journal, and an append becomes durable only together with or after all earlier
    ones. One process may hold several journals' handles; several processes may write one journal.
    """

    def append(self, appends: Sequence[Append], on_failure: Callable[[Exception], None] | None = None) -> Commit:
        """Put entries of one or more runs in, all or none, and return before they are durable.

        An append fails as a whole when one `first` is not its run's next number, or when an append of one `lineage` failed before.
        `on_failure` is called in the event loop with the error, before any waiter of the commit sees it; callers that never wait learn
        of it this way. Raises InvalidInput for a body over PAYLOAD_BYTES_MAX or of another kind than JSON, and QueueFull when more waits
        for the disk than the journal holds: then nothing was put in.
        """
        ...

    async def read(self, run: RunId, after: int = -1) -> Sequence[Entry]:
        """Return a run's durable entries numbered above `after`, in order, checked against the tree; an unknown run gives none.

        Raises Tampered when an entry is not what was appended, or one is missing.
        """
        ...

    def scan(self, after: int = -1) -> AsyncIterator[tuple[int, Entry]]:
        """Yield (position, entry) of every durable entry after position `after`, in order."""
        ...

    async def head(self) -> TreeHead | None:
        """Return the newest signed tree head, None for an empty journal."""
        ...

    async def verify(self, progress: Callable[[int, int], None]) -> Verification:
        """Check everything; calls `progress(done, of_all)` now and then. Findings come first to last, at most 100."""
        ...

    async def close(self) -> None:
        """Make pending appends durable and let go of the files. A second call does nothing."""
        ...


class Views(Protocol):
    """The projections' tables, as they stand after the newest durable append."""

    async def select(
        self,
        table: str,
        where: Mapping[str, Scalar | Range],
        *,
        order: str = "",
        descending: bool = False,
        after: Scalar = None,
        limit: int = 1_000,
    ) -> Sequence[Row]:
        """Return rows whose columns equal the given scalars or lie in the given ranges, by primary key unless `order` names a column.

        `after` leaves out rows up to and with this value of the first key column: the way to the next page.
        """
        ...

    def totals(self, table: str, where: Mapping[str, Scalar | Range], *, of: str, at: str) -> Totals:
        """Add the column `of` up over such rows, and say how many there are and the greatest `at`. Answers at once: decisions cannot wait."""
        ...

    async def dump(self, table: str) -> Sequence[Row]:
        """Return all rows by primary key, for comparison."""
        ...

    async def rebuild(self, tables: Sequence[Table], changes: Changes) -> None:
        """Replace the content of `tables` by applying all that `changes` gives for them, all or nothing.

        Others read and append meanwhile. `changes` is asked a second time, for what came since, while nobody can append. Raises StoreBusy when
        another process rebuilds.
        """
        ...

    def watch(self, listener: Callable[[Sequence[tuple[RunId, int]]], None]) -> None:
        """Call `listener` in the event loop with (run, number) of entries that other processes appended, within 100 ms."""
        ...


class Store(Journal, Views, Protocol):
    """A journal with the projections beside it."""

    @property
    def projections_changed(self) -> bool:
        """Whether the projections' tables were laid out anew, so that `rebuild` is due before anything is appended."""
        ...
