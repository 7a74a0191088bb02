"""Tenant store: a store as one tenant may see it. What belongs to others is not there: no entry, no row, no error that tells of it."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence

from kernos.ports.journal import Changes, Commit, Range, Row, Store
from kernos.vocabulary.administration import ADMINISTRATION
from kernos.vocabulary.circumstances import Totals
from kernos.vocabulary.errors import NotAllowed
from kernos.vocabulary.ids import RunId, TenantId
from kernos.vocabulary.journal import Append, Entry, Scalar, Table, TreeHead, Verification

_RUN_COLUMNS: Mapping[str, str] = {
    "waiting": "run",
    "actions": "run",
    "counts": "run",
    "deliveries": "child",
    "refs": "run",
    "reservations": "run",
}
"""Tables that show what belongs to a run, and the column that says to which. What is in no such table belongs to nobody alone."""

_TENANT_TABLES = frozenset({"runs", "accounts"})
"""Tables that say themselves whose a row is."""


class TenantStore:
    """Implements the journal and views ports for one tenant, over those of the whole store."""

    def __init__(self, store: Store, tenant: TenantId) -> None:
        """Take the whole store, which stays open when this one is closed by whoever opened it."""
        self._store = store
        self._tenant = tenant
        self._own: dict[Scalar, bool] = {}
        """Whether a run is the tenant's own: a run never changes its tenant."""

    async def _is_own(self, run: Scalar) -> bool:
        known = self._own.get(run)
        if known is None:
            rows = await self._store.select("runs", {"run": run})
            if not rows:
                return False  # Not yet there, or no run at all.
            known = self._own[run] = rows[0]["tenant"] == self._tenant
        return known

    # --- journal -------------------------------------------------------------------------------------------------

    def append(self, appends: Sequence[Append], on_failure: Callable[[Exception], None] | None = None) -> Commit:
        """Put entries in. What is decided on here was read here, or begins."""
        for append in appends:
            assert append.first == 0 or self._own.get(append.run, True), append.run
        return self._store.append(appends, on_failure)

    async def read(self, run: RunId, after: int = -1) -> Sequence[Entry]:
        """Return a run's entries; none for a run of another tenant."""
        return await self._store.read(run, after) if await self._is_own(run) else ()

    async def scan(self, after: int = -1) -> AsyncIterator[tuple[int, Entry]]:
        """Yield the entries of the tenant's runs."""
        async for position, entry in self._store.scan(after):
            if await self._is_own(entry.run):
                yield position, entry

    async def head(self) -> TreeHead | None:
        """Return the newest tree head: a digest, from which nothing of others can be read."""
        return await self._store.head()

    async def verify(self, progress: Callable[[int, int], None]) -> Verification:
        """Refuse: it checks everything of everybody."""
        del progress
        raise self._refused("checking the journal")

    async def close(self) -> None:
        """Close the store."""
        await self._store.close()

    # --- views ---------------------------------------------------------------------------------------------------

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
        """Return the tenant's rows."""
        if table in _TENANT_TABLES:
            own = {**where, "tenant": self._tenant}
            if where.get("tenant", self._tenant) != self._tenant:
                return ()
            return await self._store.select(table, own, order=order, descending=descending, after=after, limit=limit)
        column = _RUN_COLUMNS.get(table)
        if column is None:
            return ()
        # Rows of others lie between; the whole is read, for a page that is full whatever they are.
        rows = await self._store.select(table, where, order=order, descending=descending, after=after, limit=-1)
        found = [row for row in rows if await self._is_own(row[column])]
        return found if limit < 0 else found[:limit]

    def totals(self, table: str, where: Mapping[str, Scalar | Range], *, of: str, at: str) -> Totals:
        """Add rows up; counters' keys name the tenant."""
        return self._store.totals(table, where, of=of, at=at)

    async def dump(self, table: str) -> Sequence[Row]:
        """Return the tenant's rows."""
        return await self.select(table, {}, limit=-1)

    async def rebuild(self, tables: Sequence[Table], changes: Changes) -> None:
        """Refuse: it changes everybody's rows."""
        del tables, changes
        raise self._refused("rebuilding the projections")

    def watch(self, listener: Callable[[Sequence[tuple[RunId, int]]], None]) -> None:
        """Report others' entries: of the tenant's runs as far as they are known here, and of who may do what."""

        def pick(changes: Sequence[tuple[RunId, int]]) -> None:
            own = [change for change in changes if change[0] == ADMINISTRATION or self._own.get(change[0], False)]
            if own:
                listener(own)

        self._store.watch(pick)

    @property
    def projections_changed(self) -> bool:
        """Whether the projections' tables were laid out anew."""
        return self._store.projections_changed

    def _refused(self, what: str) -> NotAllowed:
        message = f"{what} concerns every tenant, and this credential is for {self._tenant} alone"
        return NotAllowed(message, hint="Ask somebody who acts for the whole deployment.")
