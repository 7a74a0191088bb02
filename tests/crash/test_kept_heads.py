"""Kept heads: whoever changes everything beside a store, with its key in hand, is found by tree heads that were kept elsewhere."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from kernos.adapters.ed25519.signer import FileSigner
from kernos.adapters.sqlite.heads import COLUMNS, head_of_row
from kernos.adapters.sqlite.kept_heads import opened_heads
from kernos.adapters.sqlite.trust import Trusted
from kernos.adapters.sqlite.verify import verify_store
from kernos.testing.conformance.journal import unheard
from kernos.vocabulary.errors import BadConfiguration, Tampered
from kernos.vocabulary.journal import Verification
from tests.crash.journal_store import SIZE, edited, fill, open_store, own_key, renew_heads, renew_nodes
from tests.crash.rotating import add, rotate


@pytest.fixture
async def store(tmp_path: Path) -> Path:
    path = tmp_path / "desk.kernos"
    await fill(path)
    return path


@pytest.fixture(params=[False, True], ids=["all", "newest"])
def kept(request: pytest.FixtureRequest, store: Path) -> Path:
    return export(store, newest_only=request.param)


def export(store: Path, *, newest_only: bool = False, name: str = "kept") -> Path:
    file = store.parent / name
    with opened_heads(store, FileSigner.at) as heads:
        heads.write(file, newest_only=newest_only)
    return file


async def verified(store: Path, kept: Path | None) -> Verification:
    return await verify_store(store, FileSigner.at, unheard, kept=kept)


async def kinds(store: Path, kept: Path) -> list[tuple[str, int]]:
    return [(one.kind, one.at) for one in (await verified(store, kept)).findings]


def renew_second_place(store: Path) -> None:
    with edited(store) as connection:
        rows = connection.execute(f"SELECT {COLUMNS} FROM heads ORDER BY size").fetchall()
    store.with_name(f"{store.name}.heads").write_bytes(b"".join(head_of_row(row).line() for row in rows))


def cut(store: Path, end: int) -> None:
    """Make everything beside the store as it was at a size that had a head."""
    with edited(store) as connection:
        connection.execute("DELETE FROM events WHERE pos>=?", (end,))
        connection.execute("DELETE FROM heads WHERE size>?", (end,))
    renew_second_place(store)


def rewrite(store: Path, begin: int, signer: FileSigner) -> None:
    """Make all from a position on anew, nodes, heads and second place, too."""
    with edited(store) as connection:
        connection.execute("UPDATE events SET body=x'7b7d' WHERE pos>=?", (begin,))
        renew_nodes(connection, begin)
        renew_heads(connection, begin, signer)
    renew_second_place(store)


async def test_heads_of_an_untouched_store_agree_up_to_their_size_also_when_it_went_on(store: Path, kept: Path) -> None:
    result = await verified(store, kept)
    assert (result.findings, result.kept_size) == ((), SIZE)
    await add(store, 0, 3)
    rotate(store)
    await add(store, 3, 2)
    result = await verified(store, kept)
    assert (result.findings, result.kept_size, result.entries) == ((), SIZE, SIZE + 5)
    assert (await verified(store, None)).kept_size is None


async def test_a_tail_cut_everywhere_is_found_where_the_store_ends(store: Path, kept: Path) -> None:
    end = head_sizes(store)[-3]
    cut(store, end)
    assert (await verified(store, None)).findings == ()
    assert await kinds(store, kept) == [("cut", end)]


async def test_an_older_backup_on_which_work_went_on_is_found(store: Path, kept: Path) -> None:
    end = head_sizes(store)[-3]
    cut(store, end)
    await add(store, 0, SIZE)
    assert (await verified(store, None)).findings == ()
    whole = len(kept.read_bytes().splitlines()) > 1
    assert await kinds(store, kept) == [("rewritten", end if whole else -1)]


async def test_a_suffix_rewritten_with_the_stores_own_key_is_found_from_the_last_head_that_agrees_on(
    store: Path, kept: Path
) -> None:
    rewrite(store, 150, own_key(store))
    assert (await verified(store, None)).findings == ()
    last = max(size for size in head_sizes(store) if size <= 150)
    whole = len(kept.read_bytes().splitlines()) > 1
    assert await kinds(store, kept) == [("rewritten", last if whole else -1)]


async def test_a_store_made_anew_under_another_key_is_found(store: Path, kept: Path, tmp_path: Path) -> None:
    another = tmp_path / "another"
    another.mkdir()
    await fill(another / "desk.kernos")
    (found,) = (await verified(another / "desk.kernos", kept)).findings
    assert (found.kind, found.at) == ("foreign", -1)
    assert "none of the store's keys signed line 1" in found.message


async def test_a_cut_before_a_rotation_is_found_by_what_was_signed_after_it(store: Path) -> None:
    shutil.copy(store.with_name(f"{store.name}.key"), store.parent / "first.key")
    rotate(store)
    await add(store)
    files = [export(store), export(store, newest_only=True, name="newest")]
    first = Trusted(FileSigner.open(store.parent / "first.key").public_key(), FileSigner.is_signed)
    with edited(store) as connection:
        connection.execute("DELETE FROM hand_overs")
    cut(store, SIZE)
    shutil.copy(store.parent / "first.key", store.with_name(f"{store.name}.key"))
    assert (await verify_store(store, FileSigner.at, unheard, trusted=first)).findings == ()
    for file, agreed in zip(files, (SIZE, -1), strict=True):
        (found,) = (await verified(store, file)).findings
        assert (found.kind, found.at) == ("rewritten", agreed)
        assert f"a hand-over of the key at {SIZE} entries" in found.message


async def test_a_tail_cut_and_hidden_behind_a_later_rotation_is_found(store: Path, kept: Path) -> None:
    end = head_sizes(store)[-3]
    cut(store, end)
    rotate(store)
    assert (await verified(store, None)).findings == ()
    assert await kinds(store, kept) == [("cut", end)]


@pytest.mark.parametrize(
    "mangle",
    [
        lambda text: text.replace(b"\n", b"\r\n"),
        lambda text: b"\n\n  " + text.rstrip(),
        lambda text: b"".join(reversed(text.splitlines(keepends=True))),
    ],
    ids=["other line ends", "blanks", "another order"],
)
async def test_how_the_lines_came_does_not_matter(store: Path, kept: Path, mangle: Callable[[bytes], bytes]) -> None:
    kept.write_bytes(mangle(kept.read_bytes()))
    result = await verified(store, kept)
    assert (result.findings, result.kept_size) == ((), SIZE)


async def test_a_line_that_was_not_copied_as_it_was_is_told_and_the_others_are_compared(store: Path) -> None:
    kept = export(store)
    lines = kept.read_bytes().splitlines(keepends=True)
    for bad, kind, words in (
        (lines[1][:-9] + b"\n", "kept_heads", "line 2 of"),
        (lines[1].replace(b" ", b" 9", 1), "foreign", "none of the store's keys signed line 2 of"),
        (b"x" * 100_000 + b"\n", "kept_heads", "line 2 of"),
    ):
        kept.write_bytes(b"".join((lines[0], bad, *lines[2:])))
        result = await verified(store, kept)
        assert [(one.kind, words in one.message) for one in result.findings] == [(kind, True)]
        assert result.kept_size == SIZE
    cut(store, head_sizes(store)[-2])
    assert "cut" in [kind for kind, _ in await kinds(store, kept)]


async def test_a_file_without_heads_is_never_taken_for_agreement(store: Path) -> None:
    for content in (b"", b"\n\n", b"hello\n", store.read_bytes()):
        file = store.parent / "file"
        file.write_bytes(content)
        with pytest.raises(BadConfiguration, match="has no tree head"):
            await verified(store, file)
    with pytest.raises(BadConfiguration, match="No such file"):
        await verified(store, store.parent / "nothing")
    with pytest.raises(BadConfiguration, match="cannot be read"):
        await verified(store, store.parent)


async def test_exporting_again_adds_to_a_file_and_never_loses_what_it_had(store: Path) -> None:
    newest = export(store, newest_only=True)
    (first,) = newest.read_bytes().splitlines()
    await add(store, 0, 2)
    rotate(store)
    await add(store, 2, 2)
    export(store, newest_only=True)
    lines = newest.read_bytes().splitlines()
    assert [line.split()[0] for line in lines] == [b"200", b"key", b"204"]
    assert lines[0] == first
    everything = export(store).read_bytes()
    assert everything == store.with_name(f"{store.name}.heads").read_bytes()
    export(store, newest_only=True)
    assert newest.read_bytes() == everything


async def test_heads_of_a_changed_store_do_not_take_the_place_of_those_that_show_it(store: Path, kept: Path) -> None:
    before = kept.read_bytes()
    rewrite(store, 150, own_key(store))
    for newest_only in (False, True):
        with pytest.raises(Tampered, match="was left as it is"):
            export(store, newest_only=newest_only)
        assert kept.read_bytes() == before
    assert sorted(one.name for one in store.parent.glob("kept*")) == ["kept"]


async def test_a_store_whose_end_is_not_what_was_signed_exports_nothing(store: Path) -> None:
    with edited(store) as connection:
        connection.execute("DELETE FROM events WHERE pos=199")
    with pytest.raises(Tampered, match="was cut"):
        export(store)
    assert not (store.parent / "kept").exists()


async def test_the_second_place_is_not_written_by_hand(store: Path) -> None:
    with pytest.raises(BadConfiguration, match="the kernel writes it itself"):
        export(store, name=f"{store.name}.heads")


def head_sizes(store: Path) -> list[int]:
    with edited(store) as connection:
        rows: list[tuple[int]] = connection.execute("SELECT size FROM heads ORDER BY size").fetchall()  # type: ignore[assignment]  # The column is an integer.
    return [size for (size,) in rows]


async def test_a_long_file_is_compared_to_its_end(store: Path) -> None:
    kept = export(store)
    lines = kept.read_bytes().splitlines(keepends=True)
    kept.write_bytes(b"".join(lines * (12_000 // len(lines))))
    result = await verified(store, kept)
    assert (result.findings, result.kept_size) == ((), SIZE)
    kept.write_bytes(kept.read_bytes() + b"0 0 broken\n")
    assert [one.kind for one in (await verified(store, kept)).findings] == ["kept_heads"]


async def test_a_hand_over_of_another_store_is_no_evidence_against_this_one(store: Path, tmp_path: Path) -> None:
    kept = export(store)
    another = tmp_path / "another" / "desk.kernos"
    another.parent.mkdir()
    await fill(another)
    rotate(another)
    await add(another, 0, 2)
    foreign = [
        line
        for line in export(another, name="theirs").read_bytes().splitlines(keepends=True)
        if line.startswith(b"key ")
    ]
    assert len(foreign) == 1
    kept.write_bytes(kept.read_bytes() + foreign[0])
    assert await kinds(store, kept) == [("foreign", -1)]


async def test_a_store_without_a_head_has_nothing_to_keep(tmp_path: Path) -> None:
    path = tmp_path / "desk.kernos"
    await open_store(path).close()
    with pytest.raises(BadConfiguration, match="has no tree head yet"), opened_heads(path, FileSigner.at):
        pass
