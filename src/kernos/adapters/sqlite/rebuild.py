"""Rebuild: projections made anew beside the ones in use, while other processes read and append.

Ordered: entries, as they stand in the journal. Bounded: the store is held for one portion at a time, and at the end for what came meanwhile
and the exchange, which does not depend on how many rows there are. Survives a crash: nothing; the next rebuild drops what was made.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from kernos.adapters.sqlite.layout import BESIDE, Layout
from kernos.adapters.sqlite.lock import RebuildLock
from kernos.adapters.sqlite.rows import Rows
from kernos.adapters.sqlite.store import connect, let_go, transaction
from kernos.ports.journal import Changes
from kernos.vocabulary.errors import StoreBusy
from kernos.vocabulary.journal import Table


async def rebuild(
    path: Path, vfs: str | None, layout: Layout, rows: Rows, tables: Sequence[Table], changes: Changes
) -> None:
    """Replace the content of `tables`. Raises StoreBusy when another process does so already."""
    lock = RebuildLock.try_lock(path)
    if lock is None:
        message = f"process {RebuildLock.holder(path)} rebuilds the projections of {path} just now"
        raise StoreBusy(message, hint="Come back when it is done; until then that process is the one to ask.")
    try:
        connection = connect(path, vfs=vfs)
        try:
            with transaction(connection, "IMMEDIATE"):
                layout.lay_out_beside(connection, tables)
            done = -1
            async for position, ops in changes(done):
                with transaction(connection, "IMMEDIATE"):
                    rows.apply(connection, ops, BESIDE)
                done = position
                await asyncio.sleep(0)  # This process has other things to do, too.
            with transaction(connection, "IMMEDIATE"):  # Nobody appends now, so this end is the end.
                async for _, ops in changes(done):
                    rows.apply(connection, ops, BESIDE)
                layout.exchange(connection, tables)
        finally:
            let_go(connection)
    finally:
        lock.release()
