"""Edges of verify: findings are bounded, blocks are looked at as a whole, others get their turn, and odd stores are told and no crash."""

import sys
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from kernos.adapters.ed25519.signer import FileSigner
from kernos.adapters.sqlite.heads import COLUMNS, head_of_row
from kernos.adapters.sqlite.kept_heads import opened_heads
from kernos.adapters.sqlite.locate import FINDINGS_MAX, Findings
from kernos.adapters.sqlite.verify import verify_store
from kernos.testing.conformance.journal import RUNS, unheard
from kernos.vocabulary.ids import run_id
from kernos.vocabulary.journal import Finding, Verification
from tests.crash.journal_store import SIZE, edited, fill, findings_of, open_store, own_key, renew_heads, renew_nodes
from tests.crash.rotating import add, rotate
from tests.crash.told import BLOCKS


@pytest.fixture
async def store(tmp_path: Path) -> Path:
    path = tmp_path / "desk.kernos"
    await fill(path)
    return path


@pytest.fixture
async def blocks(tmp_path: Path) -> Path:
    path = tmp_path / "desk.kernos"
    await fill(path, BLOCKS)
    return path


def export(store: Path) -> bytes:
    with opened_heads(store, FileSigner.at) as heads:
        heads.write(store.with_name("kept"))
    return store.with_name("kept").read_bytes()


async def verified(store: Path, kept: bytes | None = None) -> tuple[Verification, list[tuple[int, int]]]:
    """Verify, also with kept heads; return what was found, and the progress that was told."""
    progress: list[tuple[int, int]] = []
    file = store.with_name("kept") if kept is not None else None
    if file is not None and kept is not None:
        file.write_bytes(kept)
    found = await verify_store(store, FileSigner.at, lambda *done: progress.append(done), kept=file)
    return found, progress


# --- findings --------------------------------------------------------------------------------------------------------


def test_what_is_wrong_is_told_once_for_each_kind_and_place_and_at_most_a_hundred_times() -> None:
    findings = Findings()
    assert (findings.exist(), findings.sorted()) == (False, ())
    findings.add("edited", 7, "first", 5, 1)
    findings.add("edited", 7, "again", 6, 2)
    findings.add("node", 7, "another kind")
    findings.add("edited", 3, "before")
    assert findings.sorted() == (
        Finding("edited", 3, "", -1, "before"),
        Finding("edited", 7, run_id(5), 1, "first"),
        Finding("node", 7, "", -1, "another kind"),
    )
    assert (findings.exist(), findings.has("node"), findings.has("cut")) == (True, True, False)
    assert (findings.is_edited(7), findings.is_edited(8)) == (True, False)
    for at in range(100, 300):
        findings.add("edited", at, "many")
    assert len(findings.sorted()) == FINDINGS_MAX == 100


@pytest.mark.parametrize(
    ("run", "n", "expected"),
    [
        (0, 0, (run_id(0), 0)),
        ((1 << 63) - 1, 9, (run_id((1 << 63) - 1), 9)),
        (-1, -1, ("", -1)),
        (1 << 63, 5, ("", 5)),
        ("7", "5", ("", -1)),
        (None, None, ("", -1)),
    ],
)
def test_a_finding_names_its_entry_when_that_can_be_one(run: object, n: object, expected: tuple[str, int]) -> None:
    findings = Findings()
    findings.add("edited", 1, "words", run, n)
    (found,) = findings.sorted()
    assert (found.run, found.n) == expected


def test_two_edited_entries_become_one_swap() -> None:
    findings = Findings()
    for at in (3, 9, 12):
        findings.add("edited", at, "edited", at, at)
    findings.replace(3, 9, "changed places")
    assert [(one.kind, one.at, one.run, one.n, one.message) for one in findings.sorted()] == [
        ("swapped", 3, run_id(3), 3, "changed places"),
        ("edited", 12, run_id(12), 12, "edited"),
    ]
    findings.replace(12, 15, "the other one was found in another way")
    assert [(one.kind, one.at) for one in findings.sorted()] == [("swapped", 3), ("swapped", 12)]


# --- turns and costs -------------------------------------------------------------------------------------------------


async def test_others_get_a_turn_after_each_1_024_entries(blocks: Path) -> None:
    found, progress = await verified(blocks)
    assert (found.findings, found.entries, found.heads, found.kept_size) == ((), 2_100, 5, None)
    assert progress == [(1_024, 2_100), (2_048, 2_100), (2_100, 2_100)]


async def test_others_get_a_turn_after_each_10_000_lines_of_kept_heads(store: Path) -> None:
    line = export(store).splitlines(keepends=True)[-1]
    turns = []
    for count in (9_999, 10_000, 20_000):
        found, progress = await verified(store, line * count)
        assert (found.findings, found.kept_size) == ((), SIZE)
        turns.append(progress.count((0, SIZE)))
        assert progress[-1] == (SIZE, SIZE)
    assert turns == [0, 1, 2]
    assert export(store) == store.with_name("desk.kernos.heads").read_bytes(), "what is written goes by the same turns"


async def test_others_get_a_turn_after_each_portion_of_a_second_place(store: Path) -> None:
    heads = store.with_name("desk.kernos.heads")
    lines = heads.read_bytes().splitlines(keepends=True)
    heads.write_bytes(b"".join([*lines, lines[-1]]))
    assert (await verified(store))[1] == [(0, SIZE), (SIZE, SIZE)]


async def test_a_store_in_which_all_is_well_is_hashed_block_by_block_and_not_entry_by_entry(blocks: Path) -> None:
    calls: list[str] = []

    def see(frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and "kernos" in frame.f_code.co_filename:
            calls.append(frame.f_code.co_name)

    async def count() -> int:
        calls.clear()
        sys.setprofile(see)
        try:
            await verify_store(blocks, FileSigner.at, unheard)
        finally:
            sys.setprofile(None)
        return len(calls)

    assert await count() < 2_100 / 2
    with edited(blocks) as connection:
        connection.execute("UPDATE events SET node=zeroblob(32) WHERE pos=1500")
    assert await count() > 1_024, "where something differs each entry of the block is looked at"


# --- odd stores ------------------------------------------------------------------------------------------------------


async def test_a_store_that_nobody_wrote_to_yet_needs_no_second_place(tmp_path: Path) -> None:
    path = tmp_path / "desk.kernos"
    await open_store(path).close()
    path.with_name("desk.kernos.heads").unlink()
    found, progress = await verified(path)
    assert (found.findings, found.entries, found.heads, progress) == ((), 0, 0, [])


async def test_a_hand_over_that_the_end_of_the_second_place_lacks_only_lags(store: Path) -> None:
    rotate(store)
    heads = store.with_name("desk.kernos.heads")
    lines = heads.read_bytes().splitlines(keepends=True)
    assert lines[-1].startswith(b"key ")
    heads.write_bytes(b"".join(lines[:-1]))
    assert await findings_of(store) == ()


async def test_an_entry_put_in_is_told_also_where_all_heads_are_gone(store: Path) -> None:
    with edited(store) as connection:
        connection.execute("DELETE FROM heads")
        connection.execute("UPDATE events SET pos=-pos-1 WHERE pos>=9")
        connection.execute("UPDATE events SET pos=-pos WHERE pos<0")
        connection.execute("INSERT INTO events VALUES(9, 77, 0, x'7b7d', zeroblob(32))")
    assert ("inserted", 9) in [(one.kind, one.at) for one in await findings_of(store)]


async def test_heads_in_a_table_made_anew_with_other_types_are_told(store: Path) -> None:
    with edited(store) as connection:
        connection.execute("ALTER TABLE heads RENAME TO older")
        connection.execute("CREATE TABLE heads(size, at, previous, root, signature)")
        connection.execute("INSERT INTO heads SELECT CAST(size AS TEXT), at, previous, root, signature FROM older")
        connection.execute("DROP TABLE older")
    assert ("head", -1) in [(one.kind, one.at) for one in await findings_of(store)]


def signed_again(store: Path, begin: int) -> None:
    """Make nodes, heads and second place fit what the entries are from a position on, with the store's own key."""
    with edited(store) as connection:
        renew_nodes(connection, begin)
        renew_heads(connection, begin, own_key(store))
    written_again(store)


def written_again(store: Path) -> None:
    with edited(store) as connection:
        rows = connection.execute(f"SELECT {COLUMNS} FROM heads ORDER BY size").fetchall()
    store.with_name("desk.kernos.heads").write_bytes(b"".join(head_of_row(row).line() for row in rows))


async def test_a_gap_in_the_numbers_of_a_run_is_told_also_where_everything_was_signed(store: Path) -> None:
    for number, told in ((30, [("deleted", -1, RUNS[199 % 7], 30)]), (28, [])):
        with edited(store) as connection:
            connection.execute("UPDATE events SET n=? WHERE pos=199", (number,))
        signed_again(store, 199)
        assert [(one.kind, one.at, one.run, one.n) for one in await findings_of(store)] == told


async def test_a_cut_does_not_hide_that_what_is_left_was_rewritten(store: Path) -> None:
    with edited(store) as connection:
        connection.execute("UPDATE events SET body=x'7b7d' WHERE pos=50")
        renew_nodes(connection, 50)
        connection.execute("DELETE FROM events WHERE pos>=105")
    found = [(one.kind, one.at) for one in await findings_of(store)]
    assert found == [("rewritten", 28), ("cut", 105)]


@pytest.mark.parametrize("entries", [1_024, 2_048])
async def test_the_newest_head_of_a_store_of_whole_blocks_is_looked_at_too(tmp_path: Path, entries: int) -> None:
    path = tmp_path / "desk.kernos"
    await fill(path, (1_000, entries - 1_000))
    with edited(path) as connection:
        connection.execute("UPDATE heads SET at=at+1 WHERE size=?", (entries,))
    path.with_name("desk.kernos.heads").unlink()
    found = [(one.kind, one.at) for one in await findings_of(path) if one.kind != "second_place"]
    assert found == [("rewritten", 1_000)]


async def test_a_body_that_refers_to_a_payload_in_another_way_than_kernos_does_is_told_whoever_signed_it(
    store: Path,
) -> None:
    for body in ("x'01'", "x'017b7d'", "CAST(x'01' || zeroblob(60) AS BLOB)"):
        with edited(store) as connection:
            connection.execute(f"UPDATE events SET body={body} WHERE pos=150")
        signed_again(store, 150)
        (found,) = await findings_of(store)
        assert (found.kind, found.at) == ("payload", 150)
        assert "refers to its payload in a way that kernos does not" in found.message


async def test_an_index_that_does_not_fit_its_table_is_told(store: Path) -> None:
    with edited(store) as connection:
        connection.execute("PRAGMA writable_schema=ON")
        connection.execute("UPDATE sqlite_schema SET sql=replace(sql, '(run, n)', '(n, run)') WHERE name='events_run'")
    found = next(one for one in await findings_of(store) if one.kind == "damaged")
    assert (found.at, found.run, found.n) == (-1, "", -1)
    assert found.message.startswith("SQLite finds its file damaged: row 1 missing from index events_run")


# --- kept heads ------------------------------------------------------------------------------------------------------


async def test_lines_of_kept_heads_are_counted_as_they_stand_and_a_very_long_one_is_cut(store: Path) -> None:
    first, *_, last = export(store).splitlines(keepends=True)
    foreign = last[: last.rindex(b" ")] + b" " + b"ab" * 64 + b"\n"
    for long, number in ((16_384, 3), (16_385, 4), (2 * 16_384, 4), (2 * 16_384 + 1, 5)):
        found, _ = await verified(store, first + b"x" * (long - 1) + b"\n" + foreign)
        kinds = {one.kind: one.message for one in found.findings}
        assert kinds.keys() == {"kept_heads", "foreign"}
        assert "line 2 of" in kinds["kept_heads"]
        assert f"line {number} of" in kinds["foreign"]
        assert found.kept_size == 1


async def test_the_last_line_of_kept_heads_counts_however_short_it_is(store: Path) -> None:
    whole = export(store)
    (found,) = (await verified(store, whole + b"x"))[0].findings
    assert (found.kind, found.at) == ("kept_heads", -1)
    assert f"line {len(whole.splitlines()) + 1} of" in found.message
    assert (await verified(store, whole + b"\n"))[0].findings == ()


async def test_what_is_written_behind_kept_heads_while_they_are_compared_is_for_the_next_time(store: Path) -> None:
    kept = store.with_name("kept")
    kept.write_bytes(export(store).splitlines(keepends=True)[-1] * 10_000)

    def write_on(*_: int) -> None:
        with kept.open("ab") as file:
            file.write(b"later\n")

    assert (await verify_store(store, FileSigner.at, write_on, kept=kept)).findings == ()
    assert kept.read_bytes().count(b"later") == 2


async def test_what_the_first_contradicted_line_tells_is_told_and_no_consequence_of_it(store: Path) -> None:
    kept = export(store)
    with edited(store) as connection:
        connection.execute("DELETE FROM events WHERE pos>=105")
        connection.execute("DELETE FROM heads WHERE size>105 OR size=28")
    found, _ = await verified(store)
    assert [(one.kind, one.at) for one in found.findings if one.kind in ("rewritten", "cut")] == [("rewritten", 12)]
    store.with_name("desk.kernos.heads").unlink()
    found, _ = await verified(store, kept)
    told = [(one.kind, one.at) for one in found.findings if one.kind in ("rewritten", "cut")]
    assert (told, found.kept_size) == ([("rewritten", 12)], 12)


@pytest.mark.parametrize(
    ("contradicted", "table", "end", "agreed"),
    [(b"28 ", "heads WHERE size=28", 105, 12), (b"key ", "hand_overs", SIZE, SIZE)],
)
async def test_what_follows_from_it_is_not_told_either_where_the_second_place_is_long(
    store: Path, contradicted: bytes, table: str, end: int, agreed: int
) -> None:
    key, heads = store.with_name("desk.kernos.key"), store.with_name("desk.kernos.heads")
    first = key.read_bytes()
    rotate(store)
    await add(store, 0, 2)
    lines = heads.read_bytes().splitlines(keepends=True)
    begin = next(at for at, line in enumerate(lines) if line.startswith(contradicted))
    heads.write_bytes(
        b"".join([*lines[: begin + 1], *[lines[0]] * (1_048_576 // len(lines[0]) + 9), *lines[begin + 1 :]])
    )
    with edited(store) as connection:
        for what in (table, "hand_overs", f"events WHERE pos>={end}", f"heads WHERE size>{end}"):
            connection.execute(f"DELETE FROM {what}")
    key.write_bytes(first)
    told = [(one.kind, one.at) for one in await findings_of(store)]
    assert [one for one in told if one[0] in ("rewritten", "cut", "second_place")] == [("rewritten", agreed)]


async def test_a_contradicted_hand_over_is_told_and_nothing_behind_it(store: Path) -> None:
    key = store.with_name("desk.kernos.key")
    first = key.read_bytes()
    rotate(store)
    await add(store, 0, 2)
    with edited(store) as connection:
        connection.execute("DELETE FROM hand_overs")
        connection.execute(f"DELETE FROM events WHERE pos>={SIZE}")
        connection.execute(f"DELETE FROM heads WHERE size>{SIZE}")
    key.write_bytes(first)
    (found,) = await findings_of(store)
    assert (found.kind, found.at) == ("rewritten", SIZE), "that the heads behind it are gone follows from it"
    assert f"has a hand-over of the key at {SIZE} entries, and the store has not" in found.message
