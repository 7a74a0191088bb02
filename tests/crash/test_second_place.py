"""Second place: what its file keeps, what is checked of its end at the next open, and how much of it a power loss may cost."""

from dataclasses import replace
from pathlib import Path

import pytest

from kernos.adapters.sqlite.files import Files
from kernos.adapters.sqlite.hand_overs import HandOver
from kernos.adapters.sqlite.heads import ChainedHead
from kernos.adapters.sqlite.second_place import Found, HeadsFile, Line, portions
from kernos.vocabulary.errors import Tampered
from kernos.vocabulary.ids import EpochMs
from tests.crash.durable import Durable, open_handles

REPAIRED = 512 * 1024
"""Bytes of its end that are checked."""
WAITS_EVERY = 256 * 1024
NOTHING = Found(0, 1, frozenset())


def head(size: int) -> ChainedHead:
    return ChainedHead(size, EpochMs(1), b"p" * 32, b"r" * 32, b"s" * 64)


def hand_over(number: int, size: int) -> HandOver:
    return HandOver(number, size, EpochMs(1), b"p" * 32, b"r" * 32, b"k" * 32, False, "person:ana", "", b"s" * 64)


def recovered(path: Path, newest: int, *known: HandOver) -> Found:
    opened = HeadsFile(path, Files())
    try:
        return opened.recover(head, newest, known)
    finally:
        opened.close()


def text_of(*lines: Line) -> bytes:
    return b"".join(line.line() for line in lines)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", NOTHING),
        (text_of(head(1)), Found(0, 2, frozenset())),
        (text_of(head(1), head(4), head(9)), Found(0, 10, frozenset())),
        (text_of(head(4), hand_over(1, 4), hand_over(2, 4), head(5)), Found(0, 6, frozenset({1, 2}))),
        (text_of(hand_over(1, 0)), Found(0, 1, frozenset({1}))),
    ],
)
def test_a_whole_file_has_what_stands_there_and_stays_as_it_is(tmp_path: Path, content: bytes, expected: Found) -> None:
    path = tmp_path / "heads"
    path.write_bytes(content)
    assert recovered(path, 9, hand_over(1, 4), hand_over(2, 4), hand_over(1, 0)) == expected
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("content", "good", "expected"),
    [
        (text_of(head(1), head(4))[:-1], text_of(head(1)), Found(0, 2, frozenset())),
        (text_of(head(1))[:-1], b"", NOTHING),
        (text_of(head(1)) + b"\0" * 40, text_of(head(1)), Found(0, 2, frozenset())),
        (
            text_of(head(1)) + b"torn\n" + text_of(head(4), hand_over(1, 4)),
            text_of(head(1)),
            Found(0, 2, frozenset()),
        ),
        (text_of(head(1), hand_over(1, 4)) + b"\n", text_of(head(1), hand_over(1, 4)), Found(0, 2, frozenset({1}))),
    ],
)
def test_what_was_torn_is_cut_off_with_all_that_follows(
    tmp_path: Path, content: bytes, good: bytes, expected: Found
) -> None:
    path = tmp_path / "heads"
    path.write_bytes(content)
    assert recovered(path, 9, hand_over(1, 4)) == expected
    assert path.read_bytes() == good


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (
            text_of(head(9), head(10)),
            r"the store was cut: it ends at 9 entries, and .*heads has a tree head of size 10",
        ),
        (b"torn\n" + text_of(head(10)), "the store was cut"),
        (text_of(replace(head(3), at=EpochMs(2))), "its tree head of size 3 is not the one"),
        (text_of(hand_over(2, 4)), r"the store was rewritten: .*heads has a hand-over of its key at 4 entries"),
    ],
)
def test_a_line_that_the_store_contradicts_is_never_mended(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "heads"
    path.write_bytes(content)
    with pytest.raises(Tampered, match=told):
        recovered(path, 9, hand_over(1, 4))
    assert path.read_bytes() == content


def test_only_the_end_that_a_power_loss_may_have_torn_is_checked(tmp_path: Path) -> None:
    lines = [head(size).line() for size in range(1, 3_000)]
    content = b"".join(lines)
    begin, first = len(content) - REPAIRED, 1
    while sum(map(len, lines[: first - 1])) <= begin:
        first += 1
    path = tmp_path / "heads"
    path.write_bytes(content)
    assert recovered(path, 2_999) == Found(first, 3_000, frozenset())
    path.write_bytes(b"x" * len(lines[0]) + content[len(lines[0]) :])
    assert recovered(path, 2_999) == Found(first, 3_000, frozenset())
    assert path.stat().st_size == len(content)
    torn = content[:-1] + b"x"
    path.write_bytes(torn)
    assert recovered(path, 2_999) == Found(first, 2_999, frozenset())
    assert path.read_bytes() == content[: -len(lines[-1])]
    exact = b"".join(lines[:1_500])
    path.write_bytes(exact + b"x" * (REPAIRED - len(exact)))
    assert recovered(path, 2_999) == Found(0, 1_501, frozenset()), "the whole file is looked at"


@pytest.mark.parametrize(("line", "left"), [(b"x" * 600_000, 0), (b"x\n" * 300_000, 2), (b"x\n" * 300_000 + b"x", 1)])
def test_an_end_in_which_nothing_is_whole_has_nothing(tmp_path: Path, line: bytes, left: int) -> None:
    path = tmp_path / "heads"
    path.write_bytes(text_of(head(1), head(2)) + line)
    size = path.stat().st_size
    assert recovered(path, 9) == NOTHING
    assert path.stat().st_size == size - REPAIRED + left


def test_what_was_added_is_on_disk_after_each_256_kib(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    line = head(1_000_000).line()
    before = open_handles()
    with Durable(folder) as disk:
        opened = HeadsFile(folder / "heads", Files())
        opened.recover(head, 0)

        def on_disk(name: str) -> int:
            return (disk.left_in(tmp_path / name) / "heads").stat().st_size

        opened.add([])
        opened.add([head(1_000_000)] * (WAITS_EVERY // len(line)))
        assert on_disk("under") == 0, "its name is"
        opened.add([head(1_000_000)])
        whole = (folder / "heads").stat().st_size
        assert on_disk("over") == whole >= WAITS_EVERY
        opened.add([head(1_000_000)] * (WAITS_EVERY // len(line)))
        assert on_disk("again") == whole, "it counts from the last time on"
        opened.sync()
        assert on_disk("asked") == (folder / "heads").stat().st_size > whole
        opened.add([head(1_000_000)] * (WAITS_EVERY // len(line)))
        assert on_disk("once more") < (folder / "heads").stat().st_size, "it counts from the last time on"
        opened.close()
    assert open_handles() == before


def test_after_256_kib_to_the_byte_the_disk_is_waited_for(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    lines: list[Line] = [head(1_000)] * 800
    left = WAITS_EVERY - len(text_of(*lines))
    plain = len(hand_over(1, 4).line())
    while left >= 2 * plain:
        lines.append(hand_over(1, 4))
        left -= plain
    # What is left over goes into the reason of one more, two digits for each letter.
    size = 4 if (left - plain) % 2 == 0 else 40
    fitting = hand_over(1, size)
    reason = "r" * ((left - len(fitting.line())) // 2)
    lines.append(replace(fitting, reason=reason))
    assert len(text_of(*lines)) == WAITS_EVERY
    with Durable(folder) as disk:
        opened = HeadsFile(folder / "heads", Files())
        opened.add(lines)
        opened.close()
    assert (disk.left_in(tmp_path / "left") / "heads").stat().st_size == WAITS_EVERY


def test_as_much_of_a_second_place_is_read_as_was_asked_for_in_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "heads"
    lines = [b"x\n", head(1).line(), b"\n", b"x\n", hand_over(1, 1).line(), head(20).line()]
    path.write_bytes(b"".join(lines) + head(300).line()[:-1])
    said = [None, head(1), None, None, hand_over(1, 1), head(20)]
    begins = [sum(map(len, lines[:number])) for number in range(len(lines))]
    for length in range(sum(map(len, lines)) + 1):
        read = [line for portion in portions(path, length) for line in portion]
        assert read == said[: sum(begin < length for begin in begins)], length
    assert [line for portion in portions(path, 1 << 20) for line in portion] == said
    with pytest.raises(FileNotFoundError):
        list(portions(tmp_path / "none", 1))


def test_a_long_second_place_is_read_a_mebibyte_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "heads"
    line = b"x" * 63 + b"\n"
    for lines, expected in ((16_384, [16_384]), (16_385, [16_384, 1]), (32_770, [16_384, 16_384, 2])):
        path.write_bytes(line * lines)
        assert [len(portion) for portion in portions(path, 64 * lines)] == expected
