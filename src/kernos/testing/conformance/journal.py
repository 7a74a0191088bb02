"""The journal port's suite: what every journal has to do. Give `open` and `edit`; the plugin of kernos runs the rest."""

# ruff: noqa: D102, PLR2004, PT017 - a test's name is its sentence, values are its point, and pytest is not needed to import this

import asyncio
from collections.abc import Sequence
from pathlib import Path

from kernos.ports.journal import Commit, Journal
from kernos.vocabulary.errors import InvalidInput, KernelStopped, StaleRunNumber, Tampered
from kernos.vocabulary.ids import RunId, run_id, run_number
from kernos.vocabulary.journal import Append, Entry
from kernos.vocabulary.quantities import PAYLOAD_BYTES_MAX, PAYLOAD_INLINE_BYTES_MAX

RUNS = tuple(run_id(run_number(1_800_000_000_000 + at, at)) for at in range(100))
"""Ids to use, oldest first."""


def body(text: str) -> bytes:
    """Return some event's bytes."""
    return b'{"kind":"test","data":"%s"}' % text.encode()


def entries_of(run: RunId, *texts: str) -> list[Entry]:
    """Return the entries that appending these texts to a run makes."""
    return [Entry(run, n, body(text)) for n, text in enumerate(texts)]


def unheard(done: int, of_all: int) -> None:
    """Listen to no progress."""


async def add(journal: Journal, run: RunId, first: int, *texts: str) -> None:
    """Append entries and wait until they are durable."""
    await journal.append([Append(run, first, tuple(map(body, texts)))]).durable()


async def refused(commit: Commit) -> Exception | None:
    """Return why an append failed, None when it did not."""
    try:
        await commit.durable()
    except StaleRunNumber as error:
        return error
    return None


class JournalSuite:
    """What every journal has to do."""

    kernos_suite = True

    async def open(self, folder: Path) -> Journal:
        """Open the journal that lies in a folder, or make one; a second call while one is open is another process."""
        raise NotImplementedError

    async def edit(self, folder: Path, position: int, content: bytes) -> None:
        """Change the bytes of an entry behind the adapter's back, the journal being closed."""
        raise NotImplementedError

    async def test_entries_come_back_in_order_once_durable(self, tmp_path: Path) -> None:
        journal = await self.open(tmp_path)
        await add(journal, RUNS[0], 0, "a", "b")
        await add(journal, RUNS[0], 2, "c")
        assert list(await journal.read(RUNS[0])) == entries_of(RUNS[0], "a", "b", "c")
        assert list(await journal.read(RUNS[0], after=1)) == entries_of(RUNS[0], "a", "b", "c")[2:]
        await journal.close()

    async def test_an_unknown_run_has_no_entries(self, tmp_path: Path) -> None:
        journal = await self.open(tmp_path)
        assert list(await journal.read(RUNS[0])) == []
        await journal.close()

    async def test_what_is_durable_is_there_after_closing(self, tmp_path: Path) -> None:
        journal = await self.open(tmp_path)
        await add(journal, RUNS[0], 0, "a")
        head = await journal.head()
        await journal.close()
        journal = await self.open(tmp_path)
        assert list(await journal.read(RUNS[0])) == entries_of(RUNS[0], "a")
        assert await journal.head() == head
        await journal.close()

    async def test_closing_makes_pending_appends_durable(self, tmp_path: Path) -> None:
        journal = await self.open(tmp_path)
        commits = [journal.append([Append(run, 0, (body("a"),))]) for run in RUNS]
        await journal.close()
        await journal.close()
        for commit in commits:
            await commit.durable()
        journal = await self.open(tmp_path)
        assert [entry.run async for _, entry in journal.scan()] == list(RUNS)
        await journal.close()

    async def test_an_append_with_a_stale_number_changes_nothing(self, tmp_path: Path) -> None:
        journal = await self.open(tmp_path)
        await add(journal, RUNS[0], 0, "a")
        head = await journal.head()
        for first in (0, 2):
            assert isinstance(await refused(journal.append([Append(RUNS[0], first, (body("x"),))])), StaleRunNumber)
        assert list(await journal.read(RUNS[0])) == entries_of(RUNS[0], "a")
        assert await journal.head() == head
        await journal.close()

    async def test_an_append_of_several_runs_goes_in_as_a_whole_or_not_at_all(self, tmp_path: Path) -> None:
        journal = await self.open(tmp_path)
        await add(journal, RUNS[0], 0, "a")
        both = [Append(RUNS[1], 0, (body("b"),)), Append(RUNS[0], 0, (body("x"),))]
        assert isinstance(await refused(journal.append(both)), StaleRunNumber)
        assert list(await journal.read(RUNS[1])) == []
        await journal.append([Append(RUNS[1], 0, (body("b"),)), Append(RUNS[0], 1, (body("c"),))]).durable()
        places = [(entry.run, entry.n) async for _, entry in journal.scan()]
        assert places == [(RUNS[0], 0), (RUNS[1], 0), (RUNS[0], 1)]
        await journal.close()

    async def test_a_stale_append_fails_alone_among_others_of_its_group(self, tmp_path: Path) -> None:
        journal = await self.open(tmp_path)
        commits = [journal.append([Append(run, 1 if run is RUNS[3] else 0, (body("a"),))]) for run in RUNS[:6]]
        failed = [await refused(commit) is not None for commit in commits]
        assert failed == [False, False, False, True, False, False]
        await journal.close()

    async def test_later_appends_of_a_run_fail_when_an_earlier_one_did(self, tmp_path: Path) -> None:
        journal = await self.open(tmp_path)
        commits = [journal.append([Append(RUNS[0], first, (body("a"),))]) for first in (1, 2, 3)]
        assert all([await refused(commit) is not None for commit in commits])
        assert list(await journal.read(RUNS[0])) == []
        await journal.close()

    async def test_all_of_a_lineage_fails_once_one_append_did(self, tmp_path: Path) -> None:
        journal = await self.open(tmp_path)
        lineage = object()
        lost = journal.append([Append(RUNS[0], 5, (body("x"),), lineage=lineage)])
        later = journal.append([Append(RUNS[0], 0, (body("x"),), lineage=lineage)])
        other = journal.append([Append(RUNS[0], 0, (body("a"),), lineage=object())])
        assert [await refused(commit) is not None for commit in (lost, later, other)] == [True, True, False]
        assert list(await journal.read(RUNS[0])) == entries_of(RUNS[0], "a")
        await journal.close()

    async def test_a_failure_is_told_before_anybody_who_waits_sees_it(self, tmp_path: Path) -> None:
        journal = await self.open(tmp_path)
        told: list[str] = []
        commit = journal.append([Append(RUNS[0], 7, (body("a"),))], lambda error: told.append(type(error).__name__))

        async def wait() -> None:
            await refused(commit)
            told.append("waiter")

        await asyncio.gather(wait(), wait())
        assert told == ["StaleRunNumber", "waiter", "waiter"]
        await journal.close()

    async def test_who_gives_up_waiting_takes_nobody_with_him(self, tmp_path: Path) -> None:
        journal = await self.open(tmp_path)
        commit = journal.append([Append(RUNS[0], 0, (body("a"),))])
        gives_up, waits = asyncio.ensure_future(commit.durable()), asyncio.ensure_future(commit.durable())
        await asyncio.sleep(0)
        gives_up.cancel()
        await waits
        await commit.durable()
        assert list(await journal.read(RUNS[0])) == entries_of(RUNS[0], "a")
        await journal.close()

    async def test_nobody_is_told_durable_before_it_can_be_read(self, tmp_path: Path) -> None:
        journal = await self.open(tmp_path)

        async def one(run: RunId) -> None:
            for n in range(5):
                await add(journal, run, n, str(n))
                assert [entry.n for entry in await journal.read(run)] == list(range(n + 1))

        await asyncio.gather(*map(one, RUNS[:20]))
        await journal.close()

    async def test_the_order_of_appends_is_the_order_in_the_journal(self, tmp_path: Path) -> None:
        journal = await self.open(tmp_path)
        expected: list[tuple[RunId, int]] = []
        last: Commit | None = None
        for n in range(3):
            for run in RUNS:
                last = journal.append([Append(run, n, (body("a"),))])
                expected.append((run, n))
            await asyncio.sleep(0)
        assert last is not None
        await last.durable()
        found = [(position, entry.run, entry.n) async for position, entry in journal.scan()]
        assert found == [(position, *place) for position, place in enumerate(expected)]
        assert [position async for position, _ in journal.scan(after=297)] == [298, 299]
        await journal.close()

    async def test_a_head_follows_every_commit(self, tmp_path: Path) -> None:
        journal = await self.open(tmp_path)
        assert await journal.head() is None
        await add(journal, RUNS[0], 0, "a", "b", "c")
        head = await journal.head()
        assert head is not None
        assert head.size == 3
        verification = await journal.verify(unheard)
        assert (verification.entries, verification.root, verification.findings) == (3, head.root, ())
        await journal.close()

    async def test_an_edited_entry_is_refused_and_found(self, tmp_path: Path) -> None:
        journal = await self.open(tmp_path)
        for n in range(40):
            await add(journal, RUNS[n % 2], n // 2, str(n))
        await journal.close()
        await self.edit(tmp_path, 13, body("99"))
        journal = await self.open(tmp_path)
        try:
            await journal.read(RUNS[1])
        except Tampered as error:
            assert "position 13" in str(error)
        else:
            raise AssertionError("an edited entry was read")
        verification = await journal.verify(unheard)
        found = [(finding.kind, finding.at, finding.run, finding.n) for finding in verification.findings]
        assert found == [("edited", 13, RUNS[1], 6)]
        await journal.close()

    async def test_another_process_sees_entries_and_its_stale_appends_fail(self, tmp_path: Path) -> None:
        here, there = await self.open(tmp_path), await self.open(tmp_path)
        await add(here, RUNS[0], 0, "a")
        assert list(await there.read(RUNS[0])) == entries_of(RUNS[0], "a")
        await add(there, RUNS[0], 1, "b")
        assert isinstance(await refused(here.append([Append(RUNS[0], 1, (body("x"),))])), StaleRunNumber)
        await add(here, RUNS[0], 2, "c")
        assert list(await there.read(RUNS[0])) == entries_of(RUNS[0], "a", "b", "c")
        assert (await there.verify(unheard)).findings == ()
        await here.close()
        await there.close()

    async def test_two_processes_write_side_by_side(self, tmp_path: Path) -> None:
        both = [await self.open(tmp_path), await self.open(tmp_path)]

        async def write(journal: Journal, runs: Sequence[RunId]) -> None:
            for n in range(10):
                await asyncio.gather(*[add(journal, run, n, str(n)) for run in runs])

        await asyncio.gather(write(both[0], RUNS[:10]), write(both[1], RUNS[10:20]))
        for journal in both:
            for run in RUNS[:20]:
                assert [entry.n for entry in await journal.read(run)] == list(range(10))
        assert (await both[0].verify(unheard)).findings == ()
        for journal in both:
            await journal.close()

    async def test_large_bodies_come_back_and_too_large_ones_are_refused(self, tmp_path: Path) -> None:
        journal = await self.open(tmp_path)
        large = [
            b'{"%s"}' % (b"x" * length)
            for length in (PAYLOAD_INLINE_BYTES_MAX - 4, PAYLOAD_INLINE_BYTES_MAX - 3, 10**6)
        ]
        await journal.append([Append(RUNS[0], 0, tuple(large))]).durable()
        assert [entry.body for entry in await journal.read(RUNS[0])] == large
        assert [entry.body async for _, entry in journal.scan()] == large
        self._refuses(journal, b"{" + bytes(PAYLOAD_BYTES_MAX))
        self._refuses(journal, b"\1 no JSON")
        await add(journal, RUNS[0], 3, "still open")
        await journal.close()

    def _refuses(self, journal: Journal, content: bytes) -> None:
        try:
            journal.append([Append(RUNS[1], 0, (content,))])
        except InvalidInput:
            return
        raise AssertionError("it was taken")

    async def test_a_closed_journal_takes_nothing(self, tmp_path: Path) -> None:
        journal = await self.open(tmp_path)
        await journal.close()
        told: list[Exception] = []
        commit = journal.append([Append(RUNS[0], 0, (body("a"),))], told.append)
        try:
            await commit.durable()
        except KernelStopped as error:
            assert told == [error]
        else:
            raise AssertionError("a closed journal said durable")

    async def test_progress_ends_with_all(self, tmp_path: Path) -> None:
        journal = await self.open(tmp_path)
        await add(journal, RUNS[0], 0, "a", "b")
        said: list[tuple[int, int]] = []
        await journal.verify(lambda done, of_all: said.append((done, of_all)))
        assert said[-1] == (2, 2)
        await journal.close()
