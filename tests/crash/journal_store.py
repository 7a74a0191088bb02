"""A store filled for tests of damage: groups of several sizes, payloads, and a way to change it behind the journal's back."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kernos.adapters.ed25519.signer import FileSigner
from kernos.adapters.sqlite.heads import COLUMNS, NO_HEAD, ChainedHead, Notary, head_of_row
from kernos.adapters.sqlite.journal import SqliteJournal
from kernos.adapters.sqlite.tree import Frontier, leaf_hash
from kernos.adapters.sqlite.verify import verify_store
from kernos.adapters.system.clock import SystemClock
from kernos.testing.conformance.journal import RUNS, body, unheard
from kernos.testing.conformance.views import TABLES
from kernos.vocabulary.journal import Append, Finding

GROUPS = (1, 1, 2, 7, 1, 16, 30, 3, 1, 1, 40, 2, 64, 5, 1, 25)
"""Entries of each commit group: 200 in all, over heads of every distance."""

SIZE = sum(GROUPS)
LARGE = 120
"""The position whose body is a payload."""


def open_store(path: Path) -> SqliteJournal:
    return SqliteJournal(path, TABLES, SystemClock(), open_key=FileSigner.at)


async def fill(path: Path, groups: tuple[int, ...] = GROUPS) -> None:
    """Write a store: entry p belongs to run p % 7 and says its position."""
    journal = open_store(path)
    position = 0
    for size in groups:
        appends = []
        for at in range(position, position + size):
            text = "x" * 40_000 if at == LARGE else str(at)
            appends.append(Append(RUNS[at % 7], at // 7, (body(text),)))
        await journal.append(appends).durable()
        position += size
    await journal.close()


@contextmanager
def edited(path: Path) -> Iterator[apsw.Connection]:
    connection = apsw.Connection(str(path))
    try:
        yield connection
    finally:
        connection.close()


async def findings_of(path: Path) -> tuple[Finding, ...]:
    """Verify the store as `kernos verify` does, also when it does not open any more."""
    return (await verify_store(path, FileSigner.at, unheard)).findings


def group_of(position: int) -> tuple[int, int]:
    """Return the first position of the commit group that holds `position`, and its size."""
    begin = 0
    for size in GROUPS:
        if position < begin + size:
            return begin, size
        begin += size
    raise AssertionError(position)


def renew_nodes(connection: apsw.Connection, first: int) -> None:
    """Compute all nodes from `first` on anew, as somebody would who knows the format."""
    frontier = Frontier()
    for pos, run, n, stored in _entries(connection):
        node = frontier.add(leaf_hash(run, n, stored))
        if pos >= first:
            connection.execute("UPDATE events SET node=? WHERE pos=?", (node, pos))


def renew_heads(connection: apsw.Connection, first: int, signer: FileSigner) -> list[ChainedHead]:
    """Make all heads over more than `first` entries anew, signed by some key."""
    notary = Notary(signer)
    frontier = Frontier()
    roots: dict[int, bytes] = {}
    for _, run, n, stored in _entries(connection):
        frontier.add(leaf_hash(run, n, stored))
        roots[frontier.size] = frontier.root()
    link = NO_HEAD
    made: list[ChainedHead] = []
    for row in connection.execute(f"SELECT {COLUMNS} FROM heads ORDER BY size").fetchall():
        head = head_of_row(row)
        if head.size > first:
            head = notary.sign(head.size, head.at, link, roots[head.size])
            made.append(head)
            connection.execute(
                "UPDATE heads SET previous=?, root=?, signature=? WHERE size=?",
                (head.previous, head.root, head.signature, head.size),
            )
        link = notary.digest(head)
    return made


def _entries(connection: apsw.Connection) -> list[tuple[int, int, int, bytes]]:
    rows: list[Any] = connection.execute("SELECT pos, run, n, body FROM events ORDER BY pos").fetchall()
    return rows


def other_key() -> FileSigner:
    return FileSigner(Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"another").digest()))


def own_key(path: Path) -> FileSigner:
    return FileSigner.open(path.with_name(f"{path.name}.key"))
