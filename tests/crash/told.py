"""What verify tells of damaged stores, written down: `python -m tests.crash.told` writes `tests/crash/told/*.txt` anew, and the difference shows what changes.

Three stores are damaged in every way that is listed here, one way at a time: a small one, one of several blocks, and one whose key was rotated twice.
Below each damage stand the findings, then whether the store still opens. Keys and digests are left out.
"""

import asyncio
import re
import shutil
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from kernos.adapters.ed25519.signer import FileSigner
from kernos.adapters.sqlite.kept_heads import opened_heads
from kernos.adapters.sqlite.trust import Trusted
from kernos.adapters.sqlite.verify import verify_store
from kernos.testing.conformance.journal import unheard
from kernos.vocabulary.errors import KernosError
from tests.crash.journal_store import (
    LARGE,
    SIZE,
    edited,
    fill,
    open_store,
    other_key,
    own_key,
    renew_heads,
    renew_nodes,
)
from tests.crash.rotating import add, rotate

FOLDER = Path(__file__).with_name("told")
NAME = "desk.kernos"
BLOCKS = (1_000, 24, 1, 1_023, 52)
"""Commit groups of the store of several blocks: heads at the end of a block, behind it and within."""
_SHOWN_MAX = 6
_HIDDEN = re.compile(r"\b[0-9a-f]{16,}\b")


Do = Callable[[Path], object]
Lines = list[bytes]


@dataclass(frozen=True, slots=True)
class Damage:
    """One way to damage a copy of a store, and what it is verified with."""

    name: str
    do: Do
    kept: str = ""
    """The file of kept heads beside it, if any."""
    trusted: str = ""
    """The file with the private half of the key that is trusted, if any."""


def beside(path: Path, ending: str) -> Path:
    return path.with_name(f"{path.name}.{ending}")


def sql(*statements: str) -> Do:
    def do(path: Path) -> None:
        with edited(path) as connection:
            for statement in statements:
                connection.execute(statement)

    return do


def both(*steps: Do) -> Do:
    def do(path: Path) -> None:
        for step in steps:
            step(path)

    return do


def _renewed(at: int, signer: Callable[[Path], FileSigner] | None = None) -> Do:
    def do(path: Path) -> None:
        with edited(path) as connection:
            connection.execute("UPDATE events SET body=x'7b7d' WHERE pos=?", (at,))
            renew_nodes(connection, at)
            if signer is not None:
                renew_heads(connection, at, signer(path))

    return do


def _lines(change: Callable[[Lines], Lines], ending: str = "heads") -> Do:
    def do(path: Path) -> None:
        file = beside(path, ending)
        file.write_bytes(b"".join(change(file.read_bytes().splitlines(keepends=True))))

    return do


def _gone(ending: str) -> Do:
    def do(path: Path) -> None:
        found = beside(path, ending)
        shutil.rmtree(found) if found.is_dir() else found.unlink()

    return do


def _other_key(path: Path) -> None:
    beside(path, "key").unlink()
    FileSigner.at(beside(path, "key"), may_make=True)


def _payload(change: Callable[[bytes], bytes | None]) -> Do:
    def do(path: Path) -> None:
        (file,) = (one for one in beside(path, "payloads").rglob("*") if one.is_file())
        content = change(file.read_bytes())
        file.unlink()
        if content is not None:
            file.write_bytes(content)

    return do


def _swapped(one: int, two: int, columns: str) -> tuple[str, ...]:
    names = columns.split(", ")
    kept = ", ".join(f"{name} AS {name}" for name in names)
    return (
        f"CREATE TEMP TABLE held AS SELECT pos, {kept} FROM events WHERE pos IN ({one}, {two})",
        f"UPDATE events SET n=-1-n WHERE pos IN ({one}, {two})",
        *(
            f"UPDATE events SET ({columns})=(SELECT {columns} FROM held WHERE pos={other}) WHERE pos={pos}"
            for pos, other in ((one, two), (two, one))
        ),
        "DROP TABLE held",
    )


def entries(places: tuple[int, ...], size: int) -> Iterator[Damage]:
    """Yield what can be done to single entries."""
    for at in places:
        yield Damage(f"body of {at} edited", sql(f"UPDATE events SET body=x'7b7d' WHERE pos={at}"))
        yield Damage(f"node of {at} damaged", sql(f"UPDATE events SET node=zeroblob(32) WHERE pos={at}"))
        yield Damage(f"{at} deleted", sql(f"DELETE FROM events WHERE pos={at}"))
        yield Damage(f"body of {at} edited, nodes renewed", _renewed(at))
        yield Damage(f"{at} rewritten with a foreign key", _renewed(at, lambda _: other_key()))
        yield Damage(f"{at} rewritten with the own key", _renewed(at, own_key))
    for at in places[1:5]:
        yield Damage(f"body of {at} as text", sql(f"UPDATE events SET body=CAST(body AS TEXT) WHERE pos={at}"))
        yield Damage(f"body of {at} a number", sql(f"UPDATE events SET body=7 WHERE pos={at}"))
        yield Damage(f"run of {at} another", sql(f"UPDATE events SET run=77 WHERE pos={at}"))
        yield Damage(f"run of {at} negative", sql(f"UPDATE events SET run=-5 WHERE pos={at}"))
        yield Damage(f"run of {at} no number", sql(f"UPDATE events SET run='seven' WHERE pos={at}"))
        yield Damage(f"number of {at} another", sql(f"UPDATE events SET n=7000 WHERE pos={at}"))
        yield Damage(f"node of {at} short", sql(f"UPDATE events SET node=x'00' WHERE pos={at}"))
        yield Damage(f"node of {at} as text", sql(f"UPDATE events SET node='node' WHERE pos={at}"))
        yield Damage(f"{at} and the next deleted", sql(f"DELETE FROM events WHERE pos IN ({at}, {at + 1})"))
        yield Damage(
            f"{at} deleted, the hole closed",
            sql(f"DELETE FROM events WHERE pos={at}", f"UPDATE events SET pos=pos-1 WHERE pos>{at}"),
        )
        yield Damage(
            f"one put in at {at}",
            sql(
                f"UPDATE events SET pos=-pos-1 WHERE pos>={at}",
                "UPDATE events SET pos=-pos WHERE pos<0",
                f"INSERT INTO events VALUES({at},77,0,x'7b7d',zeroblob(32))",
            ),
        )
    yield Damage("all from the middle on deleted", sql(f"DELETE FROM events WHERE pos>={size // 2}"))
    yield Damage(
        "the tail cut with its heads",
        sql(f"DELETE FROM events WHERE pos>={size // 2}", f"DELETE FROM heads WHERE size>{size // 2}"),
    )
    yield Damage("all deleted", sql("DELETE FROM events"))
    yield Damage("all deleted with their heads", sql("DELETE FROM events", "DELETE FROM heads"))
    for at in (-1, size, size + 5, 1 << 40, (1 << 62) + 1):
        yield Damage(f"one put in at {at}", sql(f"INSERT INTO events VALUES({at},77,0,x'7b7d',zeroblob(32))"))
    yield Damage(
        "a run without its first entry",
        sql("UPDATE events SET n=-n-2 WHERE run=(SELECT max(run) FROM events)", "UPDATE events SET n=-n-1 WHERE n<0"),
    )


def swaps(pairs: tuple[tuple[int, int], ...]) -> Iterator[Damage]:
    for one, two in pairs:
        yield Damage(f"{one} and {two} swapped", sql(*_swapped(one, two, "run, n, body")))
        yield Damage(f"bodies of {one} and {two} swapped", sql(*_swapped(one, two, "body")))
        moves = (f"UPDATE events SET pos={new} WHERE pos={old}" for old, new in ((one, -1), (two, one), (-1, two)))
        yield Damage(f"{one} and {two} swapped with their nodes", sql(*moves))
    (one, two), (three, four) = pairs[:2]
    yield Damage("two pairs swapped", sql(*_swapped(one, two, "run, n, body"), *_swapped(three, four, "run, n, body")))
    yield Damage(
        "one edited before a swap",
        sql(f"UPDATE events SET body=x'7b7d' WHERE pos={one - 1}", *_swapped(one, two, "run, n, body")),
    )


def heads(sizes: tuple[int, ...]) -> Iterator[Damage]:
    """Yield what can be done to tree heads in the store."""
    changes = (
        "at=at+1", "root=zeroblob(32)", "previous=zeroblob(32)", "signature=zeroblob(64)", "root=x'00'", "signature=x'00'", "at=-1", "at='soon'",
        "previous='none'", "root=7", "size=size+1000000",
    )  # fmt: skip
    for size in sizes:
        for change in changes:
            yield Damage(f"head of {size}: {change}", sql(f"UPDATE heads SET {change} WHERE size={size}"))
        yield Damage(f"head of {size} deleted", sql(f"DELETE FROM heads WHERE size={size}"))
    one, two = sizes[:2]
    yield Damage("two heads damaged", sql(f"UPDATE heads SET at=at+1 WHERE size IN ({one}, {two})"))
    yield Damage("all heads deleted", sql("DELETE FROM heads"))
    yield Damage("all signatures damaged", sql("UPDATE heads SET signature=zeroblob(64)"))
    yield Damage("the newest head damaged", sql("UPDATE heads SET at=at+1 WHERE size=(SELECT max(size) FROM heads)"))
    yield Damage(
        "the newest head and an entry damaged",
        sql(
            "UPDATE heads SET at=at+1 WHERE size=(SELECT max(size) FROM heads)",
            "UPDATE events SET body=x'7b7d' WHERE pos=9",
        ),
    )


def second_place() -> Iterator[Damage]:
    """Yield what can be done to the file with the heads."""
    yield Damage("second place gone", _gone("heads"))
    yield Damage("second place empty", _lines(lambda _: []))
    for n in (0, 5, -1):
        yield Damage(f"line {n} taken out", _line(n, lambda _: []))
        yield Damage(f"line {n} garbled", _line(n, lambda line: [b"x" + line]))
        yield Damage(f"line {n} twice", _line(n, lambda line: [line, line]))
        yield Damage(f"line {n} of another time", _line(n, lambda line: [_later(line)]))
    yield Damage("lines in reverse", _lines(lambda lines: lines[::-1]))
    yield Damage("its end torn", _lines(lambda lines: [*lines[:-1], lines[-1][:-20]]))
    yield Damage("its end gone", _lines(lambda lines: lines[:-4]))
    yield Damage("blank lines", _lines(lambda lines: [*lines[:3], b"\n", *lines[3:]]))
    yield Damage(
        "an unknown head behind it", _lines(lambda lines: [*lines, b" ".join([b"9" * 5, *lines[-1].split(b" ")[1:]])])
    )
    yield Damage("second place of a folder", both(_gone("heads"), lambda path: beside(path, "heads").mkdir()))
    yield Damage("entries and heads put in behind it", _ahead)


def _line(n: int, change: Callable[[bytes], Lines]) -> Do:
    """Change one line of the second place, counted from its begin, or from its end where below 0."""
    return _lines(lambda lines: [*lines[:n], *change(lines[n]), *(lines[n + 1 :] if n != -1 else [])])


def _without(begin: bytes) -> Do:
    return _lines(lambda lines: [line for line in lines if not line.startswith(begin)])


def _foreign_key(path: Path) -> None:
    FileSigner.at(beside(path, "foreign"), may_make=True)


def _moved_key(path: Path) -> None:
    beside(path, "key").rename(beside(path, "moved"))


def _first_key(path: Path) -> None:
    shutil.copy(beside(path, "first"), beside(path, "key"))


def _later(line: bytes) -> bytes:
    size, at, rest = line.split(b" ", 2)
    return b" ".join([size, str(int(at) + 1).encode(), rest]) if size.isdigit() else line


def _ahead(path: Path) -> None:
    kept = beside(path, "heads").read_bytes()
    asyncio.run(add(path, 0, 2))
    beside(path, "heads").write_bytes(kept)


def kept_heads() -> Iterator[Damage]:
    """Yield stores and files of kept heads against one another."""
    for kept in ("kept", "newest"):
        yield Damage(f"{kept}: nothing", lambda _: None, kept)
        yield Damage(f"{kept}: went on", lambda path: asyncio.run(add(path, 0, 2)), kept)
        yield Damage(f"{kept}: cut everywhere", _cut_everywhere, kept)
        yield Damage(
            f"{kept}: cut in the store alone",
            sql("DELETE FROM events WHERE pos>=100", "DELETE FROM heads WHERE size>100"),
            kept,
        )
        yield Damage(f"{kept}: rewritten everywhere", both(_renewed(60, own_key), _renewed_place), kept)
        yield Damage(
            f"{kept}: the newest head gone", sql("DELETE FROM heads WHERE size=(SELECT max(size) FROM heads)"), kept
        )
        for what, change in (
            ("blank lines and spaces", lambda lines: [b"\n", *(b"  " + line.rstrip() + b" \r\n" for line in lines)]),
            ("the last line torn", lambda lines: [*lines[:-1], lines[-1][:-9]]),
            ("the last line without an end", lambda lines: [*lines[:-1], lines[-1][:-1]]),
            ("a line of another time", lambda lines: [_later(lines[0]), *lines]),
            ("words", lambda _: [b"not a head\n"]),
            ("nothing in it", lambda _: []),
            ("in reverse", lambda lines: lines[::-1]),
            ("a very long line", lambda lines: [b"x" * 40_000 + b"\n", *lines]),
        ):
            yield Damage(f"{kept}: {what}", _lines(change, kept), kept)
    yield Damage("kept: no such file", _gone("kept"), "kept")
    yield Damage("kept: a folder", both(_gone("kept"), lambda path: beside(path, "kept").mkdir()), "kept")
    yield Damage("kept: of another store", _lines(lambda lines: [_foreign(line) for line in lines], "kept"), "kept")


def _foreign(line: bytes) -> bytes:
    return line if line.startswith(b"key") else line[: line.rindex(b" ")] + b" " + b"ab" * 64 + b"\n"


def _cut_everywhere(path: Path) -> None:
    sql("DELETE FROM events WHERE pos>=100", "DELETE FROM heads WHERE size>100")(path)
    _lines(lambda lines: [line for line in lines if line.startswith(b"key") or int(line.split(b" ")[0]) <= 100])(path)


def _renewed_place(path: Path) -> None:
    with edited(path) as connection:
        sizes = "SELECT size||' '||at||' '||lower(hex(previous))||' '||lower(hex(root))||' '||lower(hex(signature)) FROM heads ORDER BY size"
        lines = [f"{row[0]}\n" for row in connection.execute(sizes)]
    beside(path, "heads").write_text("".join(lines))


def keys_of_others() -> Iterator[Damage]:
    """Yield what can be done to the key file and to what is trusted."""
    yield Damage("key file gone", _gone("key"))
    yield Damage("another key", _other_key)
    yield Damage("a key file that is none", lambda path: beside(path, "key").write_text("key"))
    yield Damage("trusted: the own key", lambda _: None, trusted="key")
    yield Damage("trusted: the own key, and none beside it", _gone("key"), trusted="copied")
    yield Damage("trusted: a foreign key", _foreign_key, trusted="foreign")
    yield Damage("trusted: the own key, another beside it", _other_key, trusted="copied")
    yield Damage("the mark gone", sql("PRAGMA application_id=7"))
    for what in ("zz", "ab", ""):
        yield Damage(
            f"the first key said to be {what!r}", sql(f"UPDATE meta SET value='{what}' WHERE key LIKE '%key%'")
        )


def hand_overs() -> Iterator[Damage]:
    """Yield what can be done to a store that was rotated."""
    changes = (
        "number=7", "size=size+1", "at=at+1", "previous=zeroblob(32)", "root=zeroblob(32)", "public_key=zeroblob(32)", "is_compromised=1",
        "is_compromised=2", "person='person:bo'", "reason=reason||'!'", "signature=zeroblob(64)", "signature=x'00'", "reason=7", "size=-1",
    )  # fmt: skip
    for number in (1, 2):
        for change in changes:
            yield Damage(f"hand-over {number}: {change}", sql(f"UPDATE hand_overs SET {change} WHERE number={number}"))
        yield Damage(f"hand-over {number} deleted", sql(f"DELETE FROM hand_overs WHERE number={number}"))
        out = _without(f"key {number} ".encode())
        yield Damage(f"hand-over {number} taken out of the second place", out)
        yield Damage(
            f"hand-over {number} taken out of both", both(sql(f"DELETE FROM hand_overs WHERE number={number}"), out)
        )
    yield Damage("all hand-overs deleted", sql("DELETE FROM hand_overs"))
    yield Damage("the table of hand-overs gone", sql("DROP TABLE hand_overs"))
    for trusted in ("first", "second", "key", "foreign"):
        yield Damage(f"trusted: {trusted}", _foreign_key, trusted=trusted)
        yield Damage(
            f"trusted: {trusted}, no key beside it",
            both(_moved_key, _foreign_key),
            trusted=trusted if trusted != "key" else "moved",
        )
    yield Damage("the first key back in place", _first_key)
    for kept in ("kept", "newest", "before"):
        yield Damage(f"{kept}: nothing", lambda _: None, kept)
        yield Damage(f"{kept}: hand-over 2 deleted", sql("DELETE FROM hand_overs WHERE number=2"), kept)
        yield Damage(f"{kept}: all after the first rotation cut", _back, kept)


def _back(path: Path) -> None:
    sql(
        f"DELETE FROM events WHERE pos>={SIZE}",
        f"DELETE FROM heads WHERE size>{SIZE}",
        "DELETE FROM hand_overs",
    )(path)
    _first_key(path)
    _lines(lambda lines: [line for line in lines if not line.startswith(b"key") and int(line.split(b" ")[0]) <= SIZE])(
        path
    )


def payloads() -> Iterator[Damage]:
    """Yield what can be done to what lies beside the journal."""
    yield Damage("payload gone", _payload(lambda _: None))
    yield Damage("payload edited", _payload(lambda content: content[:-1] + bytes([content[-1] ^ 1])))
    yield Damage("payload cut", _payload(lambda content: content[:-1]))
    yield Damage("payload empty", _payload(lambda _: b""))
    yield Damage("all payloads gone", _gone("payloads"))


# --- telling ---------------------------------------------------------------------------------------------------------

PAIRS = ((10, 20), (11, 150), (31, 63), (100, 101), (6, 191))
PLACES = (0, 1, 9, 30, 63, 64, 127, LARGE, 198, 199)


async def _small(path: Path) -> None:
    await fill(path)
    _kept(path)


async def _large(path: Path) -> None:
    await fill(path, BLOCKS)
    _kept(path)


async def _rotated(path: Path) -> None:
    await fill(path)
    _kept(path, "before")
    for name, n in (("first", 0), ("second", 3)):
        shutil.copy(beside(path, "key"), beside(path, name))
        rotate(path)
        await add(path, n, 3)
    _kept(path)


def _kept(path: Path, name: str = "kept") -> None:
    with opened_heads(path, FileSigner.at) as store:
        store.write(beside(path, name))
        store.write(beside(path, "newest"), newest_only=True)
    shutil.copy(beside(path, "key"), beside(path, "copied"))


STORES: dict[str, tuple[Callable[[Path], Awaitable[None]], Callable[[], Iterator[Damage]]]] = {
    "entries": (_small, lambda: entries(PLACES, SIZE)),
    "swaps": (_small, lambda: swaps(PAIRS)),
    "heads": (_small, lambda: heads((1, 28, 199, SIZE))),
    "second place": (_small, second_place),
    "kept heads": (_small, kept_heads),
    "keys": (_small, keys_of_others),
    "payloads": (_small, payloads),
    "blocks": (_large, lambda: entries((0, 999, 1_000, 1_023, 1_024, 1_025, 2_047, 2_048, 2_099), sum(BLOCKS))),
    "blocks, swapped": (_large, lambda: swaps(((5, 1_030), (1_023, 1_024), (1_024, 2_050)))),
    "blocks, their heads": (_large, lambda: heads((1_000, 1_024, 2_048, 2_100))),
    "hand-overs": (_rotated, hand_overs),
}


async def told(name: str, folder: Path) -> str:
    """Return what is told of each way to damage one of the stores."""
    make, damages = STORES[name]
    original = folder / "original" / NAME
    original.parent.mkdir()
    await make(original)
    lines = []
    for number, damage in enumerate(damages()):
        copy = folder / str(number) / NAME
        shutil.copytree(original.parent, copy.parent)
        await asyncio.to_thread(damage.do, copy)
        lines += [damage.name, *(f"  {line}" for line in await _verified(copy, damage)), f"  {await _opened(copy)}"]
        shutil.rmtree(copy.parent)
    return "\n".join(lines) + "\n"


async def _verified(path: Path, damage: Damage) -> list[str]:
    trusted = None
    if damage.trusted:
        trusted = Trusted(FileSigner.open(beside(path, damage.trusted)).public_key(), FileSigner.is_signed)
    kept = beside(path, damage.kept) if damage.kept else None
    try:
        found = await verify_store(path, FileSigner.at, unheard, kept=kept, trusted=trusted)
    except KernosError as error:
        return [f"{type(error).__name__}: {_shown(error, path)}"]
    lines = [_shown(f"{one.kind} {one.at} {one.run} {one.n}: {one.message}", path) for one in found.findings]
    if len(lines) > _SHOWN_MAX:
        lines[_SHOWN_MAX - 1 : -1] = [f"{len(lines) - _SHOWN_MAX} more"]
    return [f"{found.entries} entries, {found.heads} heads, agreed {found.kept_size}", *lines]


async def _opened(path: Path) -> str:
    try:
        await open_store(path).close()
    except KernosError as error:
        return f"refused: {type(error).__name__}: {_shown(error, path)}"
    return "opens"


def _shown(text: object, path: Path) -> str:
    return _HIDDEN.sub("...", str(text).replace(f"{path.parent}/", ""))


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for which in STORES:
        with TemporaryDirectory() as made:
            text = asyncio.run(told(which, Path(made)))
        (FOLDER / f"{which}.txt").write_text(text, encoding="utf-8")
        print(f"{which}: {text.count(chr(10))} lines")
