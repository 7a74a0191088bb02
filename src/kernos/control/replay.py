"""Replay: projections rebuilt from the journal, and compared with those that live beside it."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

from kernos.control.codec import decode_entry
from kernos.control.projections import TABLES, project
from kernos.ports.journal import Journal, Row, Views
from kernos.vocabulary.journal import RowOp

_BATCH = 1_000


@dataclass(frozen=True, slots=True)
class Difference:
    """A row that the journal gives and the live table has otherwise, or has not; one side is None when it is missing."""

    table: str
    rebuilt: Row | None
    live: Row | None


async def changes(journal: Journal, progress: Callable[[int], None]) -> AsyncIterator[Sequence[RowOp]]:
    """Yield the changes of all projections that the whole journal gives, in portions; `progress` is told the entries done."""
    batch: list[RowOp] = []
    done = 0
    async for _, entry in journal.scan():
        batch.extend(project(decode_entry(entry)))
        done += 1
        if done % _BATCH == 0:
            yield batch
            batch = []
            progress(done)
    yield batch
    progress(done)


async def rebuild(journal: Journal, views: Views, progress: Callable[[int], None]) -> None:
    """Drop all projections and make them anew."""
    await views.rebuild(TABLES, changes(journal, progress))


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
