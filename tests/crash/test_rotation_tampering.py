"""Tampering with a store whose key was rotated: whatever is done with hand-overs, or with a key that was in force once, is found."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import apsw
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from kernos.adapters.ed25519.signer import FileSigner
from kernos.adapters.sqlite.hand_overs import HAND_OVER_COLUMNS, Cause, HandOver
from kernos.adapters.sqlite.heads import COLUMNS, Notary, head_of_row
from kernos.adapters.sqlite.keyring import hand_overs_in, head_at, open_notary
from kernos.adapters.sqlite.tree import Frontier, leaf_hash
from kernos.adapters.system.clock import SystemClock
from kernos.vocabulary.errors import KernosError, Tampered
from tests.crash.journal_store import SIZE, edited, fill, findings_of, open_store, other_key, renew_nodes
from tests.crash.rotating import add, rotate, trusted_findings

LATER = 10
SECOND = SIZE + LATER
END = SECOND + 5
"""Rotated at 200 and at 210 entries; each entry from 200 on has a head of its own."""


@dataclass
class Site:
    """A rotated store, and the private keys that somebody copied while they were in force."""

    path: Path
    keys: tuple[bytes, ...]

    def beside(self, ending: str) -> Path:
        return self.path.with_name(f"{self.path.name}.{ending}")

    def signer(self, number: int) -> FileSigner:
        file = self.path.with_name("stolen")
        file.write_bytes(self.keys[number])
        return FileSigner.open(file)

    async def kinds(self) -> set[str]:
        return {one.kind for one in await findings_of(self.path)}


@pytest.fixture
async def site(tmp_path: Path) -> Site:
    path = tmp_path / "desk.kernos"
    key = path.with_name(f"{path.name}.key")
    await fill(path)
    keys = [key.read_bytes()]
    for n, entries in ((0, LATER), (LATER, END - SECOND)):
        rotate(path)
        keys.append(key.read_bytes())
        await add(path, n, entries)
    assert await findings_of(path) == ()
    return Site(path, tuple(keys))


def copies(site: Site, count: int) -> list[Site]:
    made = []
    for number in range(count):
        folder = site.path.parent / str(number)
        folder.mkdir()
        for part in site.path.parent.glob(f"{site.path.name}*"):
            (shutil.copytree if part.is_dir() else shutil.copy)(part, folder / part.name)
        made.append(Site(folder / site.path.name, site.keys))
    return made


def sign_anew(connection: apsw.Connection, first: int, signer: FileSigner, link: bytes) -> list[bytes]:
    """Make all heads over more than `first` entries anew, signed by one key from this link on; return their lines."""
    notary, frontier = Notary(signer), Frontier()
    roots: dict[int, bytes] = {}
    rows: list[Any] = connection.execute("SELECT run, n, body FROM events ORDER BY pos").fetchall()
    for run, n, stored in rows:
        frontier.add(leaf_hash(run, n, stored))
        roots[frontier.size] = frontier.root()
    lines = []
    for row in connection.execute(f"SELECT {COLUMNS} FROM heads WHERE size>? ORDER BY size", (first,)).fetchall():
        head = head_of_row(row)
        head = notary.sign(head.size, head.at, link, roots[head.size])
        sql = "UPDATE heads SET previous=?, root=?, signature=? WHERE size=?"
        connection.execute(sql, (head.previous, head.root, head.signature, head.size))
        link = notary.digest(head)
        lines.append(head.line())
    return lines


def rewrite(connection: apsw.Connection, at: int) -> None:
    """Change an entry and every node over it."""
    connection.execute("UPDATE events SET body=x'7b7d' WHERE pos=?", (at,))
    renew_nodes(connection, at)


def plain_link(site: Site, size: int, number: int) -> bytes:
    """Return what the next head names where no hand-over follows on the head of a size, which the key of a number signed."""
    with edited(site.path) as connection:
        head = head_at(connection, size)
    assert head is not None
    return Notary(site.signer(number)).digest(head)


def chain_link(site: Site, size: int) -> bytes:
    """Return what the next head names behind the head of a size, hand-overs included."""
    with edited(site.path) as connection:
        head = head_at(connection, size)
        assert head is not None
        return open_notary(connection, site.path, FileSigner.at).digest(head)


async def is_refused(site: Site) -> bool:
    try:
        await open_store(site.path).close()
    except Tampered:
        return True
    return False


@pytest.mark.parametrize("at", [SIZE, SIZE + 4, SECOND, END - 1])
async def test_a_suffix_rewritten_with_a_foreign_key_or_one_rotated_away_is_found(site: Site, at: int) -> None:
    for number, copy in enumerate(copies(site, 3)):
        signer = other_key() if number == 2 else copy.signer(0 if at < SECOND else number)
        link = chain_link(copy, at)
        with edited(copy.path) as connection:
            rewrite(connection, at)
            sign_anew(connection, at, signer, link)
        assert "rewritten" in await copy.kinds(), number
        assert await is_refused(copy), number
        copy.beside("heads").unlink()
        assert "rewritten" in await copy.kinds(), number
        assert await is_refused(copy), number


async def test_later_heads_by_a_key_that_was_rotated_away_are_found_at_their_begin(site: Site) -> None:
    link = chain_link(site, SIZE)
    with edited(site.path) as connection:
        sign_anew(connection, SIZE, site.signer(0), link)  # Not an entry is changed: only who says so.
    site.beside("heads").unlink()
    found = [(one.kind, one.at) for one in await findings_of(site.path)]
    assert ("rewritten", SIZE) in found
    assert await is_refused(site)


async def test_every_field_of_a_hand_over_is_bound(site: Site) -> None:
    names = HAND_OVER_COLUMNS.split(", ")
    for name, copy in zip(names, copies(site, len(names)), strict=True):
        with edited(copy.path) as connection:
            kind = connection.execute(f"SELECT typeof({name}) FROM hand_overs LIMIT 1").get
            change = {"integer": f"{name}+5", "text": f"{name}||'x'", "blob": f"zeroblob(length({name}))"}[str(kind)]
            change = "1-is_compromised" if name == "is_compromised" else change
            connection.execute(f"UPDATE hand_overs SET {name}={change} WHERE number=2")
        assert "hand_over" in await copy.kinds(), name
        assert await is_refused(copy), name


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE hand_overs SET signature=x'00' WHERE number=1",
        "UPDATE hand_overs SET reason=7 WHERE number=1",
        "UPDATE hand_overs SET is_compromised=7 WHERE number=1",
        "DROP TABLE hand_overs",
        "UPDATE heads SET root=zeroblob(32) WHERE size=200",
        "DELETE FROM heads WHERE size=200",
        "UPDATE meta SET value='nothing' WHERE key='public_key'",
        "UPDATE meta SET value='00' WHERE key='public_key'",
    ],
)
async def test_damage_where_keys_are_handed_over_is_found_and_said(site: Site, change: str) -> None:
    with edited(site.path) as connection:
        connection.execute(change)
    assert await site.kinds() & {"hand_over", "head", "key"}
    with pytest.raises(KernosError):
        await open_store(site.path).close()


@pytest.mark.parametrize("which", ["number=1", "number=2", "number>0"])
@pytest.mark.parametrize("beside", ["kept", "gone"])
async def test_a_removed_hand_over_is_found(site: Site, which: str, beside: str) -> None:
    with edited(site.path) as connection:
        connection.execute(f"DELETE FROM hand_overs WHERE {which}")
        if which == "number>0":
            connection.execute("DROP TABLE hand_overs")
            connection.pragma("user_version", 1)
    if beside == "gone":
        site.beside("heads").unlink()
    found = await findings_of(site.path)
    assert {one.kind for one in found} & {"hand_over", "key"}
    assert (
        which != "number=1" or "one before it is gone" in next(one for one in found if one.kind == "hand_over").message
    )
    assert await is_refused(site)


async def test_a_hand_over_taken_out_of_the_second_place_is_found(site: Site) -> None:
    place = site.beside("heads")
    lines = place.read_bytes().splitlines(keepends=True)
    for number in (b"1", b"2"):
        place.write_bytes(b"".join(line for line in lines if not line.startswith(b"key " + number)))
        assert await site.kinds() == {"second_place"}
    place.write_bytes(b"".join(line.replace(b" .", b" .00", 1) for line in lines))
    assert await site.kinds() == {"second_place"}


async def test_a_rotation_undone_with_the_old_key_is_found_by_the_second_place_or_by_who_knows_the_new_key(
    site: Site,
) -> None:
    """Somebody copied the first private key, and makes the store what it would be if it had never been rotated."""
    newest = site.signer(2).public_key()
    link = plain_link(site, SIZE, 0)
    with edited(site.path) as connection:
        connection.execute("DROP TABLE hand_overs")
        connection.pragma("user_version", 1)
        rewrite(connection, SIZE + 3)
        lines = sign_anew(connection, SIZE, site.signer(0), link)
    site.beside("key").write_bytes(site.keys[0])
    assert await site.kinds() & {"rewritten"}
    assert await is_refused(site)
    place = site.beside("heads")
    kept = [line for line in place.read_bytes().splitlines(keepends=True) if not line.startswith(b"key")]
    place.write_bytes(b"".join(kept[: -len(lines)] + lines))
    assert await site.kinds() == set()  # With the second place in the same hands, only the pinned key tells.
    assert [one.kind for one in await trusted_findings(site.path, newest)] == ["trust"]


def forged(site: Site, signer: FileSigner) -> HandOver:
    """Return a third hand-over, to a key of somebody else's, signed by some key."""
    with edited(site.path) as connection:
        true = open_notary(connection, site.path, FileSigner.at)
        rows = hand_overs_in(connection)
        befores = [head_at(connection, one.size) for one in rows]
        last = head_at(connection, END)
    notary = Notary(signer, first=true.keys[0])
    for row, before in zip(rows, befores, strict=True):
        notary.follow(row, before)
    return notary.hand_over(other_key().public_key(), last, SystemClock().now(), Cause("person:eve"))


def put(connection: apsw.Connection, hand_over: HandOver) -> None:
    marks = ",".join("?" * len(hand_over.row()))
    connection.execute(f"INSERT OR REPLACE INTO hand_overs VALUES({marks})", hand_over.row())


@pytest.mark.parametrize("by", [0, 1, "foreign"])
async def test_a_forged_hand_over_is_found_even_with_its_key_in_place(site: Site, by: Any) -> None:
    hand_over = forged(site, other_key() if by == "foreign" else site.signer(by))
    with edited(site.path) as connection:
        put(connection, hand_over)
    text = other_key().private_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    site.beside("key").write_bytes(text)
    with site.beside("heads").open("ab") as file:
        file.write(hand_over.line())
    assert "hand_over" in await site.kinds()
    assert await is_refused(site)


async def test_a_hand_over_forged_by_the_key_in_force_and_put_into_one_place_alone_is_found(site: Site) -> None:
    hand_over = forged(site, site.signer(2))
    first, second = copies(site, 2)
    with first.beside("heads").open("ab") as file:
        file.write(hand_over.line())
    assert await first.kinds() == {"rewritten"}
    assert await is_refused(first)
    with edited(second.path) as connection:
        put(connection, hand_over)
    assert await second.kinds() == {"key"}
    assert await is_refused(second)


async def test_a_hand_over_at_another_place_is_found(site: Site) -> None:
    changes: tuple[Callable[[HandOver], HandOver], ...] = (
        lambda one: replace(one, size=one.size - 1),
        lambda one: replace(one, number=3),
        lambda one: replace(one, size=END + 100),
    )
    with edited(site.path) as connection:
        true = hand_overs_in(connection)
    for change, copy in zip(changes, copies(site, len(changes)), strict=True):
        with edited(copy.path) as connection:
            connection.execute("DELETE FROM hand_overs WHERE number=2")
            put(connection, change(true[1]))
        assert "hand_over" in await copy.kinds()
        assert await is_refused(copy)


async def test_a_store_made_anew_with_foreign_keys_throughout_is_found_by_whoever_knows_one_of_its_own(
    site: Site,
) -> None:
    stranger = site.path.parent / "strange" / site.path.name
    stranger.parent.mkdir()
    await fill(stranger)
    rotate(stranger)
    assert await findings_of(stranger) == ()
    for number in range(3):
        assert await trusted_findings(site.path, site.signer(number).public_key()) == ()
        found = await trusted_findings(stranger, site.signer(number).public_key())
        assert [one.kind for one in found] == ["trust"]


async def test_a_store_cut_to_before_its_rotation_is_found(site: Site) -> None:
    with edited(site.path) as connection:
        connection.execute("DELETE FROM events WHERE pos>=?", (SIZE,))
        connection.execute("DELETE FROM heads WHERE size>?", (SIZE,))
        rows = connection.execute(f"SELECT {COLUMNS} FROM heads WHERE size=?", (SIZE,)).fetchall()
        assert [head_of_row(row).size for row in rows] == [SIZE]
    assert await site.kinds() & {"cut", "hand_over"}
    assert await is_refused(site)
    site.beside("heads").unlink()
    assert await site.kinds() & {"cut", "hand_over"}
    assert await is_refused(site)
