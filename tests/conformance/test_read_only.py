"""A store opened to look at: what it says is proven, and it is left as it is."""

from pathlib import Path

import apsw
import pytest

from kernos import Kernel
from kernos.adapters.ed25519.signer import FileSigner
from kernos.adapters.sqlite.read_only import ReadOnlyJournal
from kernos.app.records import Records
from kernos.control.projections import TABLES
from kernos.vocabulary.errors import Ambiguous, BadConfiguration, NotFound, Tampered
from kernos.vocabulary.ids import RunId
from tests.behaviour.test_runs_end_to_end import until, waiter


async def filled(store: Path, count: int = 3) -> list[RunId]:
    contract = waiter()
    async with Kernel(store, agents=[contract]) as kernel:
        runs = [await kernel.start(contract, 1) for _ in range(count)]
        for run in runs:
            await until(run, "RunParked")
        await runs[0].signal("go", "on")
        await runs[0].result()
    return [run.id for run in runs]


async def test_it_reads_what_was_written_and_changes_no_byte_of_the_store(store: Path) -> None:
    runs = await filled(store)
    before = store.read_bytes()
    with Records(store) as records:
        assert list(records.journal.runs()) == runs
        assert await records.open_runs() == runs[1:]
        events = await records.events(runs[0])
        assert [event.n for event in events] == list(range(len(events)))
        assert [place async for place, _ in records.journal.scan()] == list(range(len(events) + 2 * 5))
    assert store.read_bytes() == before


async def test_it_sees_what_a_running_kernel_adds_meanwhile(store: Path) -> None:
    runs = await filled(store)
    contract = waiter()
    with Records(store) as records:
        before = len(await records.events(runs[1]))
        async with Kernel(store, agents=[contract]) as kernel:
            run = await kernel.run(runs[1])
            await run.signal("go", "on")
            await run.result()
            assert len(await records.events(runs[1])) > before
        assert await records.open_runs() == runs[2:]


async def test_a_run_is_found_by_the_beginning_of_its_id(store: Path) -> None:
    runs = await filled(store)
    with Records(store) as records:
        assert records.find(runs[2]) == records.find(runs[2][:6]) == runs[2]
        with pytest.raises(NotFound, match="no run's id begins with"):
            records.find("!")
        with pytest.raises(Ambiguous, match="3 runs' ids begin with ''"):
            records.find("")
        with pytest.raises(NotFound, match="there is no run 0000000000000"):
            await records.events(RunId("0000000000000"))


async def test_open_runs_are_found_without_projections(store: Path) -> None:
    runs = await filled(store)
    with Records(store) as records:
        records.journal.has_projections = False
        assert await records.open_runs() == runs[1:]


async def test_an_edited_entry_is_refused(store: Path) -> None:
    runs = await filled(store)
    connection = apsw.Connection(str(store))
    connection.execute("UPDATE events SET body=replace(body, 'waiter', 'editor') WHERE pos=0")
    connection.close()
    with Records(store) as records, pytest.raises(Tampered, match="is not what was written"):
        await records.events(runs[0])


async def test_another_key_and_a_missing_one_are_named(store: Path, tmp_path: Path) -> None:
    await filled(store)
    key = store.with_name(f"{store.name}.key")
    key.unlink()
    with pytest.raises(BadConfiguration, match="is missing"):
        Records(store)
    other = tmp_path / "other.key"
    FileSigner.at(other, may_make=True)
    key.write_bytes(other.read_bytes())
    with pytest.raises(Tampered, match="is not the key"):
        ReadOnlyJournal(store, TABLES, open_key=FileSigner.at)


def test_a_store_that_is_not_there_is_not_made(store: Path) -> None:
    with pytest.raises(NotFound, match="there is no store"):
        Records(store)
    assert not store.exists()
