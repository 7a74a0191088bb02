"""The views port's suite: what projections' tables have to do, beside a journal. Give `open`; the plugin of kernos runs the rest."""

# ruff: noqa: D102 - the name of a test is its sentence

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from kernos.ports.journal import Commit, Journal, Views
from kernos.testing.conformance.journal import RUNS, body
from kernos.vocabulary.errors import CapReached, StaleRunNumber
from kernos.vocabulary.ids import RunId
from kernos.vocabulary.journal import Append, Guard, RowOp, Scalar, Table

TABLES = (
    Table(
        "jobs",
        (("run", "run"), ("status", "text"), ("due_at", "int"), ("parent", "run")),
        1,
        (("status",), ("due_at",)),
    ),
    Table("parts", (("run", "run"), ("step", "text"), ("calls", "int"), ("cost", "int"), ("note", "text")), 2),
)


class Both(Journal, Views, Protocol):
    """A journal and the views beside it."""


def put(run: RunId, **columns: Scalar) -> RowOp:
    """Put a row of `jobs`."""
    return RowOp("put", "jobs", (run,), {"status": "new", "due_at": None, "parent": None, **columns})


def part(op: str, run: RunId, step: str, **columns: Scalar) -> RowOp:
    """Change a row of `parts`."""
    return RowOp(op, "parts", (run, step), columns)


async def _is_kept(commit: Commit) -> bool:
    """Tell whether an append became durable, or a guard refused it."""
    try:
        await commit.durable()
    except CapReached:
        return False
    return True


class ViewsSuite:
    """What every adapter of the views port has to do."""

    kernos_suite = True

    async def open(self, folder: Path) -> Both:
        """Open the store that lies in a folder with `TABLES`, or make one; a second call while one is open is another process."""
        raise NotImplementedError

    async def write(self, store: Both, *groups: Sequence[RowOp]) -> None:
        """Append one entry for each group of changes, all in one go."""
        run = RUNS[99]
        first = len(await store.read(run))
        commits = [store.append([Append(run, first + n, (body("x"),), tuple(ops))]) for n, ops in enumerate(groups)]
        for commit in commits:
            await commit.durable()

    async def test_guards_hold_inside_a_group_and_between_processes(self, tmp_path: Path) -> None:
        here, there = await self.open(tmp_path), await self.open(tmp_path)

        def adding(run: RunId, cost: int, limit: int) -> list[Append]:
            guard = Guard("parts", (RUNS[0], "1"), "cost", limit)
            return [Append(run, 0, (body("x"),), (part("add", RUNS[0], "1", cost=cost),), object(), (guard,))]

        commits = [here.append(adding(run, 4, 10)) for run in RUNS[1:5]]
        kept = [await _is_kept(commit) for commit in commits]
        assert kept == [True, True, False, False]
        assert not await _is_kept(there.append(adding(RUNS[5], 3, 10)))
        assert await _is_kept(there.append(adding(RUNS[6], 2, 10)))
        assert not await _is_kept(here.append(adding(RUNS[7], 1, 10)))
        assert await _is_kept(here.append(adding(RUNS[8], 1, 11)))
        costs = [row["cost"] for row in await here.select("parts", {})]
        assert costs == [4 + 4 + 2 + 1]
        assert [len(await here.read(run)) for run in RUNS[1:9]] == [1, 1, 0, 0, 0, 1, 0, 1]
        await there.close()
        await here.close()

    async def test_rows_are_there_when_their_append_is_durable(self, tmp_path: Path) -> None:
        store = await self.open(tmp_path)
        await self.write(store, [put(RUNS[0])])
        assert list(await store.select("jobs", {})) == [_job(RUNS[0])]
        await store.close()
        store = await self.open(tmp_path)
        assert list(await store.dump("jobs")) == [_job(RUNS[0])]
        await store.close()

    async def test_rows_of_a_stale_append_are_not_written(self, tmp_path: Path) -> None:
        store = await self.open(tmp_path)
        commits = [store.append([Append(RUNS[0], first, (body("x"),), (put(RUNS[first]),))]) for first in (0, 5, 1)]
        await commits[0].durable()
        try:
            await commits[1].durable()
        except StaleRunNumber:
            pass
        await commits[2].durable()
        assert [row["run"] for row in await store.dump("jobs")] == [RUNS[0], RUNS[1]]
        await store.close()

    async def test_put_replaces_the_whole_row(self, tmp_path: Path) -> None:
        store = await self.open(tmp_path)
        await self.write(store, [put(RUNS[0], due_at=5)])
        await self.write(store, [RowOp("put", "jobs", (RUNS[0],), {"status": "old"})])
        assert list(await store.dump("jobs")) == [_job(RUNS[0], status="old")]
        await store.close()

    async def test_changes_mean_the_same_together_and_one_by_one(self, tmp_path: Path) -> None:
        one, many = RUNS[0], RUNS[1]
        changes = [
            part("set", one, "1", note="no row yet"),
            part("add", one, "1", calls=1, cost=5),
            part("add", one, "1", calls=2),
            part("set", one, "1", cost=100, note="set"),
            part("add", one, "1", cost=1),
            part("put", one, "2", calls=7),
            part("set", one, "2", note="n"),
            part("add", one, "2", calls=1, cost=3),
            part("put", many, "1", calls=1),
            RowOp("drop", "parts", (one, "2"), {}),
            part("set", one, "2", note="gone"),
            part("add", one, "2", calls=4),
            RowOp("drop", "parts", (many,), {}),
            part("set", many, "1", note="gone"),
            part("put", many, "2", calls=2),
            part("add", many, "3", calls=3),
            part("set", many, "3", note="three"),
        ]
        expected = [
            _part(one, "1", calls=3, cost=101, note="set"),
            _part(one, "2", calls=4),
            _part(many, "2", calls=2),
            _part(many, "3", calls=3, note="three"),
        ]
        for name, groups in (("together", [changes]), ("apart", [[change] for change in changes])):
            folder = tmp_path / name
            folder.mkdir()
            store = await self.open(folder)
            if name == "together":
                await self.write(store, *groups)
            else:
                for group in groups:
                    await self.write(store, group)
            assert list(await store.dump("parts")) == expected, name
            await store.close()

    async def test_rows_are_found_by_value_and_range_in_order(self, tmp_path: Path) -> None:
        store = await self.open(tmp_path)
        due: list[int | None] = [30, None, 10, 20, 20]
        await self.write(store, [put(run, due_at=at, parent=RUNS[9]) for run, at in zip(RUNS[:5], due, strict=True)])
        await self.write(store, [put(RUNS[5], status="done", parent=RUNS[8])])

        async def found(where: Mapping[str, Scalar | tuple[Scalar, Scalar]], **how: object) -> list[int]:
            rows = await store.select("jobs", where, **how)  # type: ignore[arg-type]
            return [RUNS.index(RunId(str(row["run"]))) for row in rows]

        assert await found({"status": "done"}) == [5]
        assert await found({"due_at": None, "status": "new"}) == [1]
        assert await found({"due_at": (10, 30)}, order="due_at") == [2, 3, 4]
        assert await found({"due_at": (11, None)}, order="due_at", descending=True) == [0, 4, 3]
        assert await found({"parent": RUNS[9]}, limit=2) == [0, 1]
        assert await found({"parent": RUNS[9]}, after=RUNS[1], limit=2) == [2, 3]
        assert await found({}, descending=True) == [5, 4, 3, 2, 1, 0]
        assert await found({"run": (RUNS[1], RUNS[3])}) == [1, 2]
        await store.close()

    async def test_a_rebuild_replaces_everything_or_nothing(self, tmp_path: Path) -> None:
        store = await self.open(tmp_path)
        await self.write(store, [put(RUNS[0]), part("put", RUNS[0], "1", calls=1)])

        async def changes(after: int, *, fails: bool = False) -> AsyncIterator[tuple[int, Sequence[RowOp]]]:
            if after < 0:
                yield 0, [put(RUNS[1])]
                yield 1, [put(RUNS[2])]
            if fails:
                raise KeyError("rebuild")

        try:
            await store.rebuild(TABLES, lambda after: changes(after, fails=True))
        except KeyError:
            pass
        assert [row["run"] for row in await store.dump("jobs")] == [RUNS[0]]
        await store.rebuild(TABLES[:1], changes)
        assert [row["run"] for row in await store.dump("jobs")] == [RUNS[1], RUNS[2]]
        assert len(await store.dump("parts")) == 1
        await self.write(store, [put(RUNS[3])])
        assert [row["run"] for row in await store.dump("jobs")] == [RUNS[1], RUNS[2], RUNS[3]]
        await store.close()

    async def test_others_append_while_a_rebuild_is_under_way_and_nothing_of_it_is_missing(
        self, tmp_path: Path
    ) -> None:
        here, there = await self.open(tmp_path), await self.open(tmp_path)
        await self.write(here, [put(RUNS[0])], [put(RUNS[1])])

        async def changes(after: int) -> AsyncIterator[tuple[int, Sequence[RowOp]]]:
            async for position, entry in here.scan(after):
                yield position, [put(RUNS[entry.n], status="rebuilt")]
                if position == 0:
                    await self.write(there, [put(RUNS[2])])
            if after < 0:
                await self.write(there, [put(RUNS[3])])

        await here.rebuild(TABLES, changes)
        assert list(await there.dump("jobs")) == [_job(run, status="rebuilt") for run in RUNS[:4]]
        await self.write(there, [put(RUNS[4])])
        assert [row["run"] for row in await here.select("jobs", {"status": "new"})] == [RUNS[4]]
        await here.close()
        await there.close()

    async def test_a_watcher_hears_of_others_entries_and_not_of_its_own(self, tmp_path: Path) -> None:
        here, there = await self.open(tmp_path), await self.open(tmp_path)
        heard: list[tuple[RunId, int]] = []
        enough = asyncio.Event()

        def listen(places: Sequence[tuple[RunId, int]]) -> None:
            heard.extend(places)
            if (RUNS[1], 1) in heard:
                enough.set()

        here.watch(listen)
        await here.append([Append(RUNS[0], 0, (body("own"),))]).durable()
        await there.append([Append(RUNS[1], 0, (body("a"), body("b")))]).durable()
        await asyncio.wait_for(enough.wait(), 5)
        assert heard == [(RUNS[1], 0), (RUNS[1], 1)]
        await here.close()
        await there.close()


def _job(run: RunId, **columns: Scalar) -> dict[str, Scalar]:
    return {"run": run, "status": "new", "due_at": None, "parent": None, **columns}


def _part(run: RunId, step: str, **columns: Scalar) -> dict[str, Scalar]:
    return {"run": run, "step": step, "calls": None, "cost": None, "note": None, **columns}
