"""Tampering: whatever somebody changes behind the journal's back is found by `verify`, and named with its place."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from kernos.adapters.ed25519.signer import FileSigner
from kernos.adapters.sqlite.hand_overs import HandOver
from kernos.adapters.sqlite.heads import ChainedHead
from kernos.adapters.sqlite.locate import FINDINGS_MAX
from kernos.adapters.sqlite.second_place import portions, whole_line
from kernos.testing.conformance.journal import RUNS, unheard
from kernos.vocabulary.errors import KernosError, Tampered
from tests.crash.journal_store import (
    LARGE,
    SIZE,
    edited,
    fill,
    findings_of,
    group_of,
    open_store,
    other_key,
    own_key,
    renew_heads,
    renew_nodes,
)
from tests.crash.rotating import add, rotate

PLACES = (0, 1, 2, 3, 8, 27, 31, 63, 64, 100, 127, 128, 150, 191, 192, 198, 199)
"""Positions of every height in the tree, first and last of groups, the last one."""


@pytest.fixture
async def store(tmp_path: Path) -> Path:
    path = tmp_path / "desk.kernos"
    await fill(path)
    return path


async def _first(path: Path) -> tuple[str, int, str, int]:
    found = await findings_of(path)
    assert found, "nothing was found"
    return found[0].kind, found[0].at, found[0].run, found[0].n


async def _only(path: Path) -> tuple[str, int]:
    found = await findings_of(path)
    assert len(found) == 1, found
    return found[0].kind, found[0].at


def _copies(store: Path, count: int) -> list[Path]:
    """Return copies of a store, each with all that lies beside it."""
    copies = []
    for number in range(count):
        folder = store.parent / str(number)
        folder.mkdir()
        for part in store.parent.glob(f"{store.name}*"):
            (shutil.copytree if part.is_dir() else shutil.copy)(part, folder / part.name)
        copies.append(folder / store.name)
    return copies


async def test_an_untouched_store_has_no_findings(store: Path) -> None:
    assert await findings_of(store) == ()


async def test_an_edited_body_is_found_at_its_place(store: Path) -> None:
    for path, at in zip(_copies(store, len(PLACES)), PLACES, strict=True):
        with edited(path) as connection:
            connection.execute("UPDATE events SET body=? WHERE pos=?", (b'{"kind":"forged"}', at))
        found = await findings_of(path)
        assert [(one.kind, one.at, one.run, one.n) for one in found] == [("edited", at, RUNS[at % 7], at // 7)], at


async def test_bytes_kept_as_text_are_an_edit_too(store: Path) -> None:
    with edited(store) as connection:
        connection.execute("UPDATE events SET body=CAST(body AS TEXT) WHERE pos=31")
    assert await _only(store) == ("edited", 31)
    journal = open_store(store)
    with pytest.raises(Tampered, match="position 31"):
        await journal.read(RUNS[31 % 7])
    await journal.close()


async def test_an_entry_moved_to_another_run_or_number_is_found(store: Path) -> None:
    for path, change in zip(_copies(store, 3), ("run=run+1", "n=n+1000", "n='three'"), strict=True):
        with edited(path) as connection:
            connection.execute(f"UPDATE events SET {change} WHERE pos=150")
        assert (await _first(path))[:2] == ("edited", 150), change


async def test_several_edits_are_all_found(store: Path) -> None:
    with edited(store) as connection:
        for at in (5, 77, 78, 160):
            connection.execute("UPDATE events SET body=x'7b7d' WHERE pos=?", (at,))
    assert [(one.kind, one.at) for one in await findings_of(store)] == [("edited", at) for at in (5, 77, 78, 160)]


async def test_a_damaged_node_is_told_from_an_edited_entry(store: Path) -> None:
    for path, at in zip(_copies(store, len(PLACES)), PLACES, strict=True):
        with edited(path) as connection:
            connection.execute("UPDATE events SET node=zeroblob(32) WHERE pos=?", (at,))
        assert await _only(path) == ("node", at), at


async def test_a_deleted_entry_is_found_at_its_place(store: Path) -> None:
    for path, at in zip(_copies(store, len(PLACES)), PLACES, strict=True):
        with edited(path) as connection:
            connection.execute("DELETE FROM events WHERE pos=?", (at,))
        kind = "cut" if at == SIZE - 1 else "deleted"
        assert (await _first(path))[:2] == (kind, at), at


async def test_a_deleted_entry_is_named_when_its_run_shows_the_gap(store: Path) -> None:
    with edited(store) as connection:
        connection.execute("DELETE FROM events WHERE pos=100")
    assert await _first(store) == ("deleted", 100, RUNS[100 % 7], 100 // 7)


async def test_a_hole_that_was_closed_is_found(store: Path) -> None:
    for path, at in zip(_copies(store, 4), (3, 30, 99, 150), strict=True):
        with edited(path) as connection:
            connection.execute("DELETE FROM events WHERE pos=?", (at,))
            connection.execute("UPDATE events SET pos=pos-1 WHERE pos>?", (at,))
        kind, place, _, _ = await _first(path)
        assert kind == "deleted", at
        assert at <= place <= at + 1, (at, place)


async def test_an_inserted_entry_is_found(store: Path) -> None:
    for path, at in zip(_copies(store, 4), (3, 30, 99, 150), strict=True):
        with edited(path) as connection:
            connection.execute("UPDATE events SET pos=-pos-1 WHERE pos>=?", (at,))
            connection.execute("UPDATE events SET pos=-pos WHERE pos<0")
            connection.execute("INSERT INTO events VALUES(?,?,0,x'7b7d',zeroblob(32))", (at, 77))
        kind, place, _, _ = await _first(path)
        assert kind == "inserted", at
        assert at <= place <= at + 1, (at, place)


async def test_entries_put_behind_the_end_or_before_the_begin_are_found(store: Path) -> None:
    for path, at in zip(_copies(store, 2), (SIZE, -3), strict=True):
        with edited(path) as connection:
            connection.execute("INSERT INTO events VALUES(?,77,0,x'7b7d',zeroblob(32))", (at,))
        assert ("inserted", at) in [(one.kind, one.at) for one in await findings_of(path)]


@pytest.mark.parametrize("at", [SIZE + 1_000_000, 1 << 45, (1 << 62) + 1, (1 << 63) - 1])
async def test_an_entry_put_far_behind_the_end_is_found_without_a_walk_over_all_between(store: Path, at: int) -> None:
    with edited(store) as connection:
        connection.execute("INSERT INTO events VALUES(?,77,0,x'7b7d',zeroblob(32))", (at,))
    assert ("inserted", at) in [(one.kind, one.at) for one in await findings_of(store)]


async def test_a_line_of_the_second_place_beyond_all_numbers_is_found(store: Path) -> None:
    place = store.with_name(f"{store.name}.heads")
    line = place.read_bytes().splitlines()[-1].split(b" ")
    with place.open("ab") as file:
        file.write(b" ".join([str((1 << 64) - 1).encode(), *line[1:]]) + b"\n")
    assert await _only(store) == ("second_place", -1)


async def test_two_swapped_entries_are_found_as_such(store: Path) -> None:
    pairs = ((10, 20), (11, 150), (31, 63), (100, 101), (6, 191))
    for path, (one, two) in zip(_copies(store, len(pairs)), pairs, strict=True):
        with edited(path) as connection:
            rows: dict[int, Any] = {
                at: connection.execute("SELECT run, n, body FROM events WHERE pos=?", (at,)).fetchone()
                for at in (one, two)
            }
            connection.execute("UPDATE events SET n=-1 WHERE pos=?", (one,))
            connection.execute("UPDATE events SET run=?, n=?, body=? WHERE pos=?", (*rows[one], two))
            connection.execute("UPDATE events SET run=?, n=?, body=? WHERE pos=?", (*rows[two], one))
        assert await _only(path) == ("swapped", one), (one, two)


async def test_entries_that_changed_places_with_their_nodes_are_found(store: Path) -> None:
    pairs = ((10, 20), (11, 150), (31, 63), (100, 101), (6, 191))
    for path, (one, two) in zip(_copies(store, len(pairs)), pairs, strict=True):
        with edited(path) as connection:
            for old, new in ((one, -1), (two, one), (-1, two)):
                connection.execute("UPDATE events SET pos=? WHERE pos=?", (new, old))
        kind, at, _, _ = await _first(path)
        assert kind in ("swapped", "edited", "rewritten"), kind
        assert group_of(one)[0] <= at <= one + 1, (one, two, at)


async def test_an_edit_with_all_nodes_renewed_is_found_between_two_heads(store: Path) -> None:
    for path, at in zip(_copies(store, len(PLACES)), PLACES, strict=True):
        with edited(path) as connection:
            connection.execute("UPDATE events SET body=x'7b7d' WHERE pos=?", (at,))
            renew_nodes(connection, at)
        begin, _ = group_of(at)
        assert (await _first(path))[:2] == ("rewritten", begin), at


async def test_a_suffix_rewritten_and_signed_with_another_key_is_found_at_its_begin(store: Path) -> None:
    for beside, places in (("kept", PLACES), ("gone", (8, 100, 199))):
        folder = store.parent / beside
        folder.mkdir()
        for part in store.parent.glob(f"{store.name}*"):
            (shutil.copytree if part.is_dir() else shutil.copy)(part, folder / part.name)
        for path, at in zip(_copies(folder / store.name, len(places)), places, strict=True):
            with edited(path) as connection:
                connection.execute("UPDATE events SET body=x'7b7d' WHERE pos=?", (at,))
                renew_nodes(connection, at)
                renew_heads(connection, at, other_key())
            if beside == "gone":
                path.with_name(f"{path.name}.heads").unlink()
            begin, _ = group_of(at)
            assert ("rewritten", begin) in [(one.kind, one.at) for one in await findings_of(path)], at
            with pytest.raises(Tampered):
                open_store(path)


async def test_a_suffix_rewritten_with_the_stores_own_key_is_found_by_the_second_place(store: Path) -> None:
    for path, at in zip(_copies(store, len(PLACES)), PLACES, strict=True):
        with edited(path) as connection:
            connection.execute("UPDATE events SET body=x'7b7d' WHERE pos=?", (at,))
            renew_nodes(connection, at)
            renew_heads(connection, at, own_key(path))
        begin, _ = group_of(at)
        assert await _only(path) == ("rewritten", begin), at
        with pytest.raises(Tampered, match="rewritten"):
            open_store(path)


async def test_a_cut_tail_is_found_by_the_second_place(store: Path) -> None:
    for path, left in zip(_copies(store, 3), (199, 174, 28), strict=True):
        with edited(path) as connection:
            connection.execute("DELETE FROM events WHERE pos>=?", (left,))
            connection.execute("DELETE FROM heads WHERE size>?", (left,))
        assert await _only(path) == ("cut", left)
        with pytest.raises(Tampered, match=r"was cut|no tree head covers"):
            open_store(path)


async def test_a_cut_tail_without_its_heads_cut_is_found_by_the_store_itself(store: Path) -> None:
    with edited(store) as connection:
        connection.execute("DELETE FROM events WHERE pos>=150")
    store.with_name(f"{store.name}.heads").unlink()
    assert ("cut", 150) in [(one.kind, one.at) for one in await findings_of(store)]
    with pytest.raises(Tampered, match=r"was cut|no tree head covers"):
        open_store(store)


async def test_damaged_and_missing_heads_are_told_from_entries(store: Path) -> None:
    changes = (
        "UPDATE heads SET at=at+1 WHERE size=28",
        "UPDATE heads SET root=zeroblob(32) WHERE size=28",
        "UPDATE heads SET signature=zeroblob(64) WHERE size=28",
        "UPDATE heads SET previous=zeroblob(32) WHERE size=28",
        "UPDATE heads SET root=x'00' WHERE size=28",
        "DELETE FROM heads WHERE size=28",
    )
    for path, change in zip(_copies(store, len(changes)), changes, strict=True):
        with edited(path) as connection:
            connection.execute(change)
        kinds = {one.kind for one in await findings_of(path)}
        assert "head" in kinds, change
        assert kinds <= {"head", "rewritten"}, change  # The second place has the head that was there.


async def test_a_newest_head_without_a_good_signature_vouches_for_nothing(store: Path) -> None:
    with edited(store) as connection:
        connection.execute("UPDATE heads SET signature=zeroblob(64) WHERE size=?", (SIZE,))
    store.with_name(f"{store.name}.heads").unlink()
    begin, _ = group_of(SIZE - 1)
    assert ("rewritten", begin) in [(one.kind, one.at) for one in await findings_of(store)]


async def test_a_missing_or_edited_payload_is_found(store: Path) -> None:
    missing, changed = _copies(store, 2)
    for path, change in (
        (missing, Path.unlink),
        (changed, lambda file: file.write_bytes(b"x" + file.read_bytes()[1:])),
    ):
        (payload,) = [file for file in path.with_name(f"{path.name}.payloads").rglob("*") if file.is_file()]
        change(payload)
        assert await _only(path) == ("payload", LARGE)
        journal = open_store(path)
        with pytest.raises(Tampered, match="payload"):
            await journal.read(RUNS[LARGE % 7])
        await journal.close()


async def test_a_foreign_or_garbled_second_place_is_told(store: Path) -> None:
    with store.with_name(f"{store.name}.heads").open("ab") as file:
        file.write(b"not a head\n")
    assert await _only(store) == ("second_place", -1)


async def test_another_key_file_is_told(store: Path) -> None:
    key = store.with_name(f"{store.name}.key")
    key.unlink()
    FileSigner.at(key, may_make=True)
    assert ("key", -1) in [(one.kind, one.at) for one in await findings_of(store)]
    with pytest.raises(Tampered, match="not the key"):
        open_store(store)


async def test_no_edit_is_read_whatever_was_renewed(store: Path) -> None:
    """What is read for a decision is checked as it is read: it is what was written, or it is refused."""
    for path, at in zip(_copies(store, len(PLACES)), PLACES, strict=True):
        with edited(path) as connection:
            connection.execute("UPDATE events SET body=x'7b7d' WHERE pos=?", (at,))
            if at % 2:
                renew_nodes(connection, at)
        try:
            journal = open_store(path)
        except Tampered:
            continue
        with pytest.raises(Tampered):
            await journal.read(RUNS[at % 7])
        with pytest.raises(Tampered):
            async for _ in journal.scan():
                pass
        await journal.close()


async def test_flipped_bits_anywhere_in_the_file_are_found_or_change_nothing(store: Path) -> None:
    """Bits of free space may change unseen; whatever verifies clean reads as it was written."""
    journal = open_store(store)
    expected = [entry async for _, entry in journal.scan()]
    await journal.close()
    content = store.read_bytes()
    found = 0
    for step in range(60):
        at = len(content) * step // 60 + step
        damaged = bytearray(content)
        damaged[at] ^= 1 << step % 8
        store.write_bytes(damaged)
        try:
            if await findings_of(store):
                found += 1
                continue
            journal = open_store(store)
        except KernosError:
            found += 1
            continue
        entries = [entry async for _, entry in journal.scan()]
        assert entries == expected, at
        await journal.verify(unheard)
        await journal.close()
    assert found > 10


async def test_however_much_is_wrong_a_hundred_places_are_named(store: Path) -> None:
    with edited(store) as connection:
        connection.execute("UPDATE events SET body=x'7b7d'")
    assert len(await findings_of(store)) == FINDINGS_MAX


async def test_a_store_whose_heads_are_all_gone_is_told(store: Path) -> None:
    with edited(store) as connection:
        connection.execute("DELETE FROM heads")
        connection.execute("UPDATE events SET node=zeroblob(32) WHERE pos=199")
    assert {one.kind for one in await findings_of(store)} == {"edited", "inserted", "rewritten"}


async def test_a_large_commit_group_is_checked_like_many_small_ones(tmp_path: Path) -> None:
    path = tmp_path / "large.kernos"
    await fill(path, (700,))
    assert await findings_of(path) == ()
    with edited(path) as connection:
        connection.execute("UPDATE events SET body=x'7b7d' WHERE pos=500")
    assert await _only(path) == ("edited", 500)


async def test_heads_beyond_the_entries_are_told(store: Path) -> None:
    with edited(store) as connection:
        connection.execute("DELETE FROM events WHERE pos>=64")
    assert await _only(store) == ("cut", 64)


def _lines(path: Path) -> list[bytes]:
    return path.with_name(f"{path.name}.heads").read_bytes().splitlines(keepends=True)


async def test_a_line_that_is_not_written_the_one_way_is_no_line(store: Path) -> None:
    rotate(store)
    await add(store, 0, 1)
    head, hand_over = _lines(store)[0], next(line for line in _lines(store) if line.startswith(b"key "))
    assert isinstance(whole_line(head), ChainedHead)
    assert isinstance(whole_line(hand_over), HandOver)
    for line in (
        head.upper(),
        b"0" + head,
        head.replace(b" ", b" +", 1),
        head[:-1],
        b" ".join(head.split(b" ")[:-1]) + b"\n",
    ):
        assert whole_line(line) is None, line
    pieces = hand_over.split(b" ")
    for line in (
        hand_over.replace(pieces[1], b"0" + pieces[1], 1),
        b" ".join(pieces[:-1]) + b"\n",
        hand_over.replace(b" .", b" ", 1),
        hand_over[:-1],
    ):
        assert whole_line(line) is None, line


async def test_a_long_second_place_is_read_in_portions_to_the_length_that_is_asked_for(
    store: Path, tmp_path: Path
) -> None:
    lines = _lines(store)
    long = tmp_path / "long"
    long.write_bytes(b"".join(lines * (3_000_000 // sum(map(len, lines)))) + b"torn")
    length = long.stat().st_size
    found = list(portions(long, length))
    assert len(found) > 2
    assert sum(map(len, found)) == len(lines) * (3_000_000 // sum(map(len, lines)))
    assert None not in [line for portion in found for line in portion]
    assert sum(map(len, portions(long, length + 1_000_000))) == sum(map(len, found)), "it ends where the file does"
    assert sum(map(len, portions(long, sum(map(len, lines[:3]))))) == 3
    assert list(portions(long, 0)) == []
