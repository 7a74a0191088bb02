"""tampering: changes behind the journal's back, of seven kinds, each made in a real store and looked for by `verify`.

Whoever changes the store is taken to know its format. Of each kind there are variants, from clumsy to careful, and each says which file proves it:
the store itself, the second place beside it (`.heads`), or tree heads kept elsewhere (all of them, or the newest alone), where everything beside the
store was changed alike: these are compared as `kernos verify --heads` does.
Chance comes from a seed, so that what was missed can be made again. The damaged copy lies in a temporary folder.
"""

import asyncio
import hashlib
import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import apsw
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from benchmarks.row import Options, Row
from kernos.adapters.ed25519.signer import FileSigner
from kernos.adapters.sqlite.heads import COLUMNS, NO_HEAD, Notary, head_of_row
from kernos.adapters.sqlite.journal import SqliteJournal
from kernos.adapters.sqlite.kept_heads import opened_heads
from kernos.adapters.sqlite.tree import Frontier, leaf_hash
from kernos.adapters.sqlite.verify import verify_store
from kernos.adapters.system.clock import SystemClock
from kernos.testing.conformance.journal import RUNS, body, unheard
from kernos.testing.conformance.views import TABLES
from kernos.vocabulary.errors import KernosError
from kernos.vocabulary.journal import Append

_GROUPS = (1, 2, 1, 7, 4, 1, 9, 1, 3, 12, 1, 6)
_SIZE = sum(_GROUPS)
_RUNS = 5
_SEED = 20_261
_EACH = 10_000
_SMALL = 60
_PROGRESS = 2_000

_STORE, _BESIDE, _KEPT, _LINE = "the store", "the second place", "kept heads", "the newest head alone"


@dataclass(frozen=True, slots=True)
class Site:
    """A damaged copy in the making."""

    connection: apsw.Connection
    path: Path
    chance: random.Random

    @property
    def heads(self) -> Path:
        """The second place beside it."""
        return self.path.with_name(f"{self.path.name}.heads")

    @property
    def key(self) -> Path:
        """The key beside it."""
        return self.path.with_name(f"{self.path.name}.key")

    def rows(self) -> list[Any]:
        """Return all entries."""
        return self.connection.execute("SELECT pos, run, n, body, node FROM events ORDER BY pos").fetchall()

    def write(self, rows: Sequence[Sequence[object]]) -> None:
        """Put other entries in place of all."""
        self.connection.execute("DELETE FROM events")
        self.connection.executemany("INSERT INTO events(pos, run, n, body, node) VALUES(?,?,?,?,?)", rows)


Mutation = tuple[str, Callable[[Site], None]]
"""The file that proves it, and what it does."""


def run(options: Options) -> list[Row]:
    """Make so many mutations of each kind, and count those that are found."""
    each = _EACH if options.full else _SMALL
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "whole"
        whole.mkdir()
        asyncio.run(_fill(whole / "desk.kernos"))
        with opened_heads(whole / "desk.kernos", FileSigner.at) as heads:
            heads.write(Path(folder) / _KEPT)
            heads.write(Path(folder) / _LINE, newest_only=True)
        for kind, variants in KINDS.items():
            found, proofs = asyncio.run(_try(kind, variants, each, whole, Path(folder) / "copy", options))
            proven = ", ".join(f"{count:,} by {proof}" for proof, count in sorted(proofs.items()))
            what = f"{kind}: {each:,} mutations ({proven}), {each - found:,} missed"
            rows.append(Row(what, found, "found", target=f"= {each:,}", met=found == each))
    return rows


async def _fill(path: Path) -> None:
    journal = _opened(path)
    position = 0
    for size in _GROUPS:
        places = range(position, position + size)
        await journal.append([Append(RUNS[at % _RUNS], at // _RUNS, (body(str(at)),)) for at in places]).durable()
        position += size
    await journal.close()
    with apsw.Connection(str(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def _opened(path: Path) -> SqliteJournal:
    return SqliteJournal(path, TABLES, SystemClock(), open_key=FileSigner.at)


async def _try(
    kind: str, variants: Sequence[Mutation], each: int, whole: Path, copy: Path, options: Options
) -> tuple[int, Counter[str]]:
    """Return how many were found, and which files proved how many of all."""
    found, proofs = 0, Counter[str]()
    for number in range(each):
        if number % _PROGRESS == 0:
            options.say(f"{kind}: {number:,} of {each:,} ...")
        proof, mutate = variants[number % len(variants)]
        proofs[proof] += 1
        if await _is_found(mutate, f"{_SEED} {kind} {number}", whole, copy, proof):
            found += 1
        else:
            options.say(f"{kind}: MISSED number {number} ({mutate.__name__})")
    return found, proofs


async def _is_found(mutate: Callable[[Site], None], seed: str, whole: Path, copy: Path, proof: str) -> bool:
    """Change a fresh copy and verify it as `kernos verify` does, with no other heads than those that are to prove it.

    What only kept heads show must not show without them: else the mutation is not what it says.
    """
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(whole, copy)
    path = copy / "desk.kernos"
    connection = apsw.Connection(str(path))
    try:
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("BEGIN IMMEDIATE")
        mutate(Site(connection, path, random.Random(seed)))  # noqa: S311 - a seed repeats a failure
        connection.execute("COMMIT")
    finally:
        connection.close()
    try:
        if proof in (_KEPT, _LINE):
            alone = await verify_store(path, FileSigner.at, unheard)
            compared = await verify_store(path, FileSigner.at, unheard, kept=copy.with_name(proof))
            return bool(compared.findings) and not alone.findings
        heads = copy / "none" if proof == _STORE else None
        findings = (await verify_store(path, FileSigner.at, unheard, heads=heads)).findings
        return any(proof != _STORE or finding.kind != "second_place" for finding in findings)
    except KernosError:
        return True  # Refused as a whole, with the reason.


# --- what somebody does who knows the format -------------------------------------------------------------------------


def _flipped(site: Site, raw: bytes) -> bytes:
    changed = bytearray(raw)
    changed[site.chance.randrange(len(changed))] ^= 1 << site.chance.randrange(8)
    return bytes(changed)


def _renew_nodes(site: Site) -> None:
    """Compute all nodes anew."""
    frontier = Frontier()
    for pos, run, n, stored, _ in site.rows():
        node = frontier.add(leaf_hash(run, n, stored))
        site.connection.execute("UPDATE events SET node=? WHERE pos=?", (node, pos))


def _renew_heads(site: Site, signer: FileSigner, begin: int) -> None:
    """Sign anew every head over more than `begin` entries, and leave out those beyond the end."""
    notary = Notary(signer)
    frontier = Frontier()
    roots: dict[int, bytes] = {}
    for _, run, n, stored, _ in site.rows():
        frontier.add(leaf_hash(run, n, stored))
        roots[frontier.size] = frontier.root()
    link = NO_HEAD
    for row in site.connection.execute(f"SELECT {COLUMNS} FROM heads ORDER BY size").fetchall():
        head = head_of_row(row)
        if head.size > frontier.size:
            site.connection.execute("DELETE FROM heads WHERE size=?", (head.size,))
            continue
        if head.size > begin:
            head = notary.sign(head.size, head.at, link, roots[head.size])
            values = (head.previous, head.root, head.signature, head.size)
            site.connection.execute("UPDATE heads SET previous=?, root=?, signature=? WHERE size=?", values)
        link = notary.digest(head)


def _renew_second_place(site: Site) -> None:
    """Write the second place as the store's heads are now."""
    heads = map(head_of_row, site.connection.execute(f"SELECT {COLUMNS} FROM heads ORDER BY size").fetchall())
    site.heads.write_bytes(b"".join(head.line() for head in heads))


def _other_key(site: Site) -> Ed25519PrivateKey:
    seed = hashlib.sha256(site.chance.randbytes(16)).digest()
    return Ed25519PrivateKey.from_private_bytes(seed)


# --- edit ------------------------------------------------------------------------------------------------------------


def edit_bytes(site: Site) -> None:
    at = site.chance.randrange(_SIZE)
    raw = site.rows()[at][3]
    site.connection.execute("UPDATE events SET body=? WHERE pos=?", (_flipped(site, raw), at))


def edit_to_another_event(site: Site) -> None:
    at = site.chance.randrange(_SIZE)
    text = body(f"forged {site.chance.random()}")
    site.connection.execute("UPDATE events SET body=? WHERE pos=?", (text, at))


def edit_place(site: Site) -> None:
    column = site.chance.choice(("run", "n"))
    change = site.chance.randrange(1, 1 << 30)
    at = site.chance.randrange(_SIZE)
    site.connection.execute(f"UPDATE events SET {column}={column}+? WHERE pos=?", (change, at))


def edit_node(site: Site) -> None:
    at = site.chance.randrange(_SIZE)
    site.connection.execute("UPDATE events SET node=? WHERE pos=?", (_flipped(site, site.rows()[at][4]), at))


def edit_with_nodes_renewed(site: Site) -> None:
    edit_to_another_event(site)
    _renew_nodes(site)


def edit_head(site: Site) -> None:
    head = site.chance.choice(site.connection.execute(f"SELECT {COLUMNS} FROM heads").fetchall())
    column = site.chance.choice(("at", "previous", "root", "signature"))
    value: Any = head[("size", "at", "previous", "root", "signature").index(column)]
    changed = value + site.chance.randrange(1, 1 << 30) if column == "at" else _flipped(site, value)
    site.connection.execute(f"UPDATE heads SET {column}=? WHERE size=?", (changed, head[0]))


def edit_second_place(site: Site) -> None:
    site.heads.write_bytes(_flipped(site, site.heads.read_bytes()))


# --- delete ----------------------------------------------------------------------------------------------------------


def delete_some(site: Site) -> None:
    for at in site.chance.sample(range(_SIZE), site.chance.randrange(1, 6)):
        site.connection.execute("DELETE FROM events WHERE pos=?", (at,))


def delete_and_close_up(site: Site) -> None:
    gone = set(site.chance.sample(range(_SIZE), site.chance.randrange(1, 6)))
    left = [row for row in site.rows() if row[0] not in gone]
    site.write([(pos, *row[1:]) for pos, row in enumerate(left)])


def delete_and_renumber(site: Site) -> None:
    """Also the numbers of the run have no gap then, and all nodes fit."""
    delete_and_close_up(site)
    numbers = Counter[int]()
    rows = []
    for pos, run, _, stored, node in site.rows():
        rows.append((pos, run, numbers[run], stored, node))
        numbers[run] += 1
    site.write(rows)
    _renew_nodes(site)


def delete_a_run(site: Site) -> None:
    run = site.chance.choice(sorted({row[1] for row in site.rows()}))
    site.write([(pos, *row[1:]) for pos, row in enumerate(row for row in site.rows() if row[1] != run)])
    _renew_nodes(site)


def delete_a_head(site: Site) -> None:
    sizes = [row[0] for row in site.connection.execute("SELECT size FROM heads").fetchall()]
    site.connection.execute("DELETE FROM heads WHERE size=?", (site.chance.choice(sizes),))


# --- insert ----------------------------------------------------------------------------------------------------------


def insert_and_shift(site: Site) -> None:
    rows = site.rows()
    at = site.chance.randrange(_SIZE + 1)
    run = site.chance.choice(rows)[1]
    n = sum(row[1] == run for row in rows)
    rows.insert(at, (at, run, n, body(f"forged {site.chance.random()}"), site.chance.randbytes(32)))
    site.write([(pos, *row[1:]) for pos, row in enumerate(rows)])


def insert_with_nodes_renewed(site: Site) -> None:
    insert_and_shift(site)
    _renew_nodes(site)


def insert_a_copy(site: Site) -> None:
    rows = site.rows()
    source = site.chance.choice(rows)
    n = 1 + max(row[2] for row in rows if row[1] == source[1])
    at = site.chance.randrange(_SIZE + 1)
    rows.insert(at, (at, source[1], n, *source[3:]))
    site.write([(pos, *row[1:]) for pos, row in enumerate(rows)])
    _renew_nodes(site)


def insert_outside(site: Site) -> None:
    far = 1 << site.chance.randrange(1, 64)
    at = site.chance.choice((-site.chance.randrange(1, far), min(_SIZE + site.chance.randrange(far), (1 << 63) - 1)))
    row = (at, 77 + site.chance.randrange(1 << 40), 0, body("forged"), site.chance.randbytes(32))
    site.connection.execute("INSERT INTO events(pos, run, n, body, node) VALUES(?,?,?,?,?)", row)


def insert_a_line_in_second_place(site: Site) -> None:
    lines = site.heads.read_bytes().splitlines(keepends=True)
    words = site.chance.choice(lines).split(b" ")
    words[0] = str(site.chance.randrange(_SIZE + 1, 1 << site.chance.randrange(8, 70))).encode()
    lines.insert(site.chance.randrange(len(lines) + 1), b" ".join(words))
    site.heads.write_bytes(b"".join(lines))


# --- swap ------------------------------------------------------------------------------------------------------------


def _two(site: Site) -> tuple[int, int]:
    one, two = sorted(site.chance.sample(range(_SIZE), 2))
    return one, two


def swap_entries(site: Site) -> None:
    one, two = _two(site)
    rows = [list(row) for row in site.rows()]
    rows[one][1:4], rows[two][1:4] = rows[two][1:4], rows[one][1:4]
    site.write(rows)


def swap_with_nodes(site: Site) -> None:
    one, two = _two(site)
    rows = [list(row) for row in site.rows()]
    rows[one][1:], rows[two][1:] = rows[two][1:], rows[one][1:]
    site.write(rows)


def swap_with_nodes_renewed(site: Site) -> None:
    swap_entries(site)
    _renew_nodes(site)


def swap_bodies(site: Site) -> None:
    one, two = _two(site)
    rows = [list(row) for row in site.rows()]
    rows[one][3], rows[two][3] = rows[two][3], rows[one][3]
    site.write(rows)
    _renew_nodes(site)


def swap_heads(site: Site) -> None:
    heads = [row[0] for row in site.connection.execute("SELECT size FROM heads ORDER BY size").fetchall()]
    one, two = site.chance.choice(list(pairwise(heads)))
    for old, new in ((one, -1), (two, one), (-1, two)):
        site.connection.execute("UPDATE heads SET size=? WHERE size=?", (new, old))


# --- cut tail --------------------------------------------------------------------------------------------------------


def cut_entries(site: Site) -> None:
    site.connection.execute("DELETE FROM events WHERE pos>=?", (site.chance.randrange(1, _SIZE),))


def cut_entries_and_heads(site: Site) -> None:
    """The store alone is as it was earlier."""
    ends = [row[0] for row in site.connection.execute("SELECT size FROM heads ORDER BY size").fetchall()][:-1]
    end = site.chance.choice(ends)
    site.connection.execute("DELETE FROM events WHERE pos>=?", (end,))
    site.connection.execute("DELETE FROM heads WHERE size>?", (end,))


def cut_everything_alike(site: Site) -> None:
    """All that lies in the folder is as it was earlier, as after putting back a backup."""
    cut_entries_and_heads(site)
    _renew_second_place(site)


# --- rewritten suffix ------------------------------------------------------------------------------------------------


def _rewrite_entries(site: Site) -> int:
    """Return from where on."""
    begin = site.chance.randrange(_SIZE)
    rows = [list(row) for row in site.rows()]
    for row in rows[begin:]:
        row[3] = body(f"rewritten {site.chance.random()}")
    site.write(rows)
    _renew_nodes(site)
    return begin


def _rewrite(site: Site) -> Ed25519PrivateKey:
    key = _other_key(site)
    _renew_heads(site, FileSigner(key), _rewrite_entries(site))
    return key


def rewrite(site: Site) -> None:
    _rewrite(site)


def rewrite_and_remove_second_place(site: Site) -> None:
    _rewrite(site)
    site.heads.unlink()


def rewrite_with_second_place(site: Site) -> None:
    _rewrite(site)
    _renew_second_place(site)


def rewrite_everything_alike(site: Site) -> None:
    """Also the key beside the store and the public key in it are the other one's, and all heads are signed with it."""
    key = _rewrite(site)
    _renew_heads(site, FileSigner(key), 0)
    _renew_second_place(site)
    public = FileSigner(key).public_key().hex()
    site.connection.execute("UPDATE meta SET value=? WHERE key='public_key'", (public,))
    site.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def rewrite_with_the_key_in_hand(site: Site) -> None:
    _renew_heads(site, FileSigner.open(site.key), _rewrite_entries(site))
    _renew_second_place(site)


KINDS: dict[str, Sequence[Mutation]] = {
    "edit": [
        (_STORE, edit_bytes),
        (_STORE, edit_to_another_event),
        (_STORE, edit_place),
        (_STORE, edit_node),
        (_STORE, edit_with_nodes_renewed),
        (_STORE, edit_head),
        (_BESIDE, edit_second_place),
    ],
    "delete": [
        (_STORE, delete_some),
        (_STORE, delete_and_close_up),
        (_STORE, delete_and_renumber),
        (_STORE, delete_a_run),
        (_STORE, delete_a_head),
    ],
    "insert": [
        (_STORE, insert_and_shift),
        (_STORE, insert_with_nodes_renewed),
        (_STORE, insert_a_copy),
        (_STORE, insert_outside),
        (_BESIDE, insert_a_line_in_second_place),
    ],
    "swap": [
        (_STORE, swap_entries),
        (_STORE, swap_with_nodes),
        (_STORE, swap_with_nodes_renewed),
        (_STORE, swap_bodies),
        (_STORE, swap_heads),
    ],
    "cut tail": [
        (_STORE, cut_entries),
        (_BESIDE, cut_entries_and_heads),
        (_KEPT, cut_everything_alike),
        (_LINE, cut_everything_alike),
    ],
    "rewritten suffix, another key": [
        (_STORE, rewrite),
        (_STORE, rewrite_and_remove_second_place),
        (_STORE, rewrite_with_second_place),
        (_KEPT, rewrite_everything_alike),
        (_LINE, rewrite_everything_alike),
    ],
    "rewritten suffix, the store's key": [
        (_KEPT, rewrite_with_the_key_in_hand),
        (_LINE, rewrite_with_the_key_in_hand),
    ],
}
"""By kind. `delete_a_head` of the last one, and `delete_some` at the end with its heads, would be a cut tail."""
