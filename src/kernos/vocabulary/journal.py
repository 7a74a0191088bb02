"""What goes into the journal and what comes out of it: entries, appends, tree heads, findings, rows of projections."""

from collections.abc import Mapping
from dataclasses import dataclass

from kernos.vocabulary.ids import EpochMs, RunId

Scalar = str | int | None
"""What a projection's column holds."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One stored event: its place and the bytes of its envelope (JSON: kind, v, at, by, cause, data)."""

    run: RunId
    n: int
    body: bytes


@dataclass(frozen=True, slots=True)
class RowOp:
    """A change of one row of a projection.

    `op` is `put` (insert or replace the row), `set` (change these columns of an existing row, no-op without one), `add` (insert
    the row with these numbers, or add them to the row's columns) or `drop` (remove every row that matches `key`, which may be a
    prefix of the primary key). Otherwise `key` is the whole primary key.
    """

    op: str
    table: str
    key: tuple[Scalar, ...]
    columns: Mapping[str, Scalar]


@dataclass(frozen=True, slots=True)
class Guard:
    """What must hold once an append is in: the number in `column` of a row is at most `limit`; a row that is missing counts as 0.

    Checked in the transaction that writes the append, whoever else writes: a count against a cap is exact for any number of processes.
    Only for rows that change by `add`. `key` is the whole primary key.
    """

    table: str
    key: tuple[Scalar, ...]
    column: str
    limit: int


@dataclass(frozen=True, slots=True)
class Append:
    """Events of one run that go in together, from number `first` on, with the rows that follow from them.

    `lineage` names the view of the run that they were decided on: once an append of a lineage has failed, all later ones fail too,
    because they were decided on something that never happened.
    """

    run: RunId
    first: int
    bodies: tuple[bytes, ...]
    rows: tuple[RowOp, ...] = ()
    lineage: object = None
    guards: tuple[Guard, ...] = ()
    """What must hold with it; else it fails as if another writer had been faster."""


@dataclass(frozen=True, slots=True)
class TreeHead:
    """A signed statement about the journal: its first `size` entries have this RFC 6962 root."""

    size: int
    at: EpochMs
    root: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong with the journal: `kind` is one word such as `edited`, `at` the position or -1."""

    kind: str
    at: int
    run: str
    n: int
    message: str


@dataclass(frozen=True, slots=True)
class Verification:
    """The result of checking a whole journal."""

    entries: int
    heads: int
    root: bytes
    findings: tuple[Finding, ...]
    kept_size: int | None = None
    """The greatest size of a kept head that the journal has, too; None when no kept heads were given."""


@dataclass(frozen=True, slots=True)
class Table:
    """A projection's table: named columns with their types, of which the first `key_columns` are its primary key.

    Types are `text`, `int` and `run` (a run's id, kept in the order of its number, so that newer runs come last).
    """

    name: str
    columns: tuple[tuple[str, str], ...]
    key_columns: int
    indexes: tuple[tuple[str, ...], ...] = ()
