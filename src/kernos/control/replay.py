"""Replay: projections rebuilt from the journal, and compared with those that live beside it."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

from kernos.control.codec import decode_entry
from kernos.control.projections import TABLES, project
from kernos.ports.journal import Journal, Row, Views
from kernos.vocabulary.journal import RowOp

_BATCH = 1_000
"""Entries in a portion: some 10 ms of writing, for which everybody else waits."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A row that the journal gives and the live table has otherwise, or has not; one side is None when it is missing."""

    table: str
    rebuilt: Row | None
    live: Row | None


async def changes(
    journal: Journal, progress: Callable[[int], None], after: int = -1
) -> AsyncIterator[tuple[int, Sequence[RowOp]]]:
    """Yield the changes of all projections that the entries after a position give, in portions; `progress` is told the entries done."""
    batch: list[RowOp] = []
    position = after
    async for position, entry in journal.scan(after):
        batch.extend(project(decode_entry(entry)))
        if (position + 1) % _BATCH == 0:
            yield position, batch
            batch = []
            progress(position + 1)
    if batch:
        yield position, batch
    progress(position + 1)


async def rebuild(journal: Journal, views: Views, progress: Callable[[int], None]) -> None:
    """Make all projections anew, and put them in the places of the present ones."""
    await views.rebuild(TABLES, lambda after: changes(journal, progress, after))


async def compare(live: Views, rebuilt: Views) -> list[Difference]:
    """Compare all projections row by row; both sides as they are now."""
    found: list[Difference] = []
    for table in TABLES:
        names = [name for name, _ in table.columns[: table.key_columns]]
        left = {tuple(row[name] for name in names): row for row in await rebuilt.dump(table.name)}
        right = {tuple(row[name] for name in names): row for row in await live.dump(table.name)}
        for key in dict.fromkeys((*left, *right)):
            if left.get(key) != right.get(key):
                found.append(Difference(table.name, left.get(key), right.get(key)))
    return found
