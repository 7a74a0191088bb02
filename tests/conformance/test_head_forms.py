"""Head forms: how tree heads and hand-overs are written and signed, byte for byte, and what is refused of a row or a line that no kernos wrote."""

import hashlib
import re
import struct
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kernos.adapters.ed25519.signer import FileSigner
from kernos.adapters.sqlite.hand_overs import (
    Cause,
    HandOver,
    hand_over_of_line,
    hand_over_of_row,
    is_hand_over_line,
)
from kernos.adapters.sqlite.heads import EMPTY_ROOT, NO_HEAD, ChainedHead, Notary, head_of_line, head_of_row
from kernos.adapters.sqlite.second_place import whole_line
from kernos.vocabulary.ids import EpochMs

MAX = 2**63 - 1
FIRST, SECOND, THIRD = (
    FileSigner(Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name).digest())) for name in (b"1", b"2", b"3")
)
HEAD = ChainedHead(7, EpochMs(1_000), b"p" * 32, b"r" * 32, b"\xfa" * 64)
HAND_OVER = HandOver(2, 7, EpochMs(1_000), b"p" * 32, b"r" * 32, b"k" * 32, True, "person:ana", "lost", b"s" * 64)
NUMBERS_BAD = (-1, MAX + 1, "1", 1.0, b"1", None)


def head_row(head: ChainedHead) -> tuple[object, ...]:
    return (head.size, head.at, head.previous, head.root, head.signature)


def changed(row: tuple[object, ...], place: int, value: object) -> tuple[object, ...]:
    return (*row[:place], value, *row[place + 1 :])


# --- tree heads ------------------------------------------------------------------------------------------------------


def test_a_head_is_what_its_row_and_its_line_say() -> None:
    assert head_of_row(head_row(HEAD)) == HEAD
    assert head_of_line(HEAD.line()[:-1]) == whole_line(HEAD.line()) == HEAD
    assert HEAD.line() == f"7 1000 {'70' * 32} {'72' * 32} {'fa' * 64}\n".encode()
    for size, at in ((1, 0), (MAX, MAX)):
        edge = replace(HEAD, size=size, at=EpochMs(at))
        assert head_of_row(head_row(edge)) == head_of_line(edge.line()[:-1]) == edge


@pytest.mark.parametrize(
    ("place", "value"),
    [
        *((place, value) for place in (0, 1) for value in NUMBERS_BAD),
        (0, 0),
        *((place, value) for place in (2, 3) for value in (b"p" * 31, b"p" * 33, "p" * 32, 32, None)),
        *((4, value) for value in (b"s" * 63, b"s" * 65, "s" * 64, 64, None)),
    ],
)
def test_a_row_that_is_no_head_is_refused(place: int, value: object) -> None:
    with pytest.raises(ValueError, match="no tree head"):
        head_of_row(changed(head_row(HEAD), place, value))


def test_a_line_of_a_head_is_written_in_one_way_only() -> None:
    line = HEAD.line()[:-1]
    others = (
        b"0" + line, b"+" + line, b" " + line, line + b" ", line.upper(), line.replace(b" ", b"  ", 1), line[:-2], line + b"00",
        line.replace(b"7 1000", b"7 1_000", 1), line.replace(b"7 1000", b"-7 1000", 1), b"key " + line, b"", line + b" 00",
        line.replace(b"70", b"7 0", 1), line.replace(b"70", "\u0667\u0660".encode(), 1),
    )  # fmt: skip
    for other in others:
        with pytest.raises(ValueError):  # noqa: PT011 - also those of decoding and of numbers
            head_of_line(other)
        assert whole_line(other + b"\n") is None, other
    assert whole_line(line) is None, "without its end it may be torn"


def test_what_a_head_signs_is_its_place_its_time_its_root_and_the_head_before() -> None:
    log = hashlib.sha256(FIRST.public_key()).digest()
    packed = b"kernos tree head v1\0" + struct.pack(">32sQQ32s32s", log, 7, 1_000, b"p" * 32, b"r" * 32)
    assert HEAD.statement(log) == packed
    notary = Notary(FIRST)
    signed = notary.sign(7, EpochMs(1_000), b"p" * 32, b"r" * 32)
    assert signed == replace(HEAD, signature=FIRST.sign(packed))
    assert notary.digest(signed) == hashlib.sha256(packed + signed.signature).digest()
    assert (notary.is_ours(signed), notary.has_signed(signed)) == (True, True)
    for other in (
        replace(signed, size=8),
        replace(signed, at=EpochMs(1_001)),
        replace(signed, previous=b"q" * 32),
        replace(signed, root=b"q" * 32),
        replace(signed, signature=SECOND.sign(packed)),
    ):
        assert (notary.is_ours(other), notary.has_signed(other)) == (False, False)
    assert (signed.public().size, signed.public().at, signed.public().root) == (7, 1_000, b"r" * 32)


# --- hand-overs ------------------------------------------------------------------------------------------------------


def test_a_hand_over_is_what_its_row_and_its_line_say() -> None:
    assert hand_over_of_row(HAND_OVER.row()) == HAND_OVER
    assert hand_over_of_line(HAND_OVER.line()[:-1]) == whole_line(HAND_OVER.line()) == HAND_OVER
    hexes = f"{'70' * 32} {'72' * 32} {'6b' * 32}"
    assert HAND_OVER.line() == f"key 2 7 1000 {hexes} 1 .{b'person:ana'.hex()} .{b'lost'.hex()} {'73' * 64}\n".encode()
    assert is_hand_over_line(HAND_OVER.line()) is True
    assert is_hand_over_line(HEAD.line()) is False
    for number, size, at in ((0, 0, 0), (MAX, MAX, MAX)):
        edge = replace(HAND_OVER, number=number, size=size, at=EpochMs(at), reason="", is_compromised=False)
        assert hand_over_of_row(edge.row()) == hand_over_of_line(edge.line()[:-1]) == edge
        assert type(hand_over_of_row(edge.row()).is_compromised) is bool


@pytest.mark.parametrize(
    ("place", "value"),
    [
        *((place, value) for place in (0, 1, 2) for value in NUMBERS_BAD),
        *((place, value) for place in (3, 4, 5) for value in (b"p" * 31, b"p" * 33, "p" * 32, 32, None)),
        *((6, value) for value in (2, -1, "1", None, b"1")),
        *((place, value) for place in (7, 8) for value in (b"ana", 1, None)),
        *((9, value) for value in (b"s" * 63, b"s" * 65, "s" * 64, 64, None)),
    ],
)
def test_a_row_that_is_no_hand_over_is_refused(place: int, value: object) -> None:
    with pytest.raises(ValueError, match="no hand-over"):
        hand_over_of_row(changed(HAND_OVER.row(), place, value))


def test_a_line_of_a_hand_over_is_written_in_one_way_only() -> None:
    line = HAND_OVER.line()[:-1]
    others = (
        line.replace(b"key 2", b"key 02"), line.replace(b"key 2", b"key +2"), line.replace(b"key", b"KEY"), line + b" ", line + b" 00", line[:-2],
        line.replace(b" 1 .", b" 2 ."), line.replace(b" 1 .", b" 01 ."), line.replace(b" 1 .", b" .1 ."), line.replace(b" .", b" ", 1),
        line[: line.rindex(b" .")] + line[line.rindex(b" .") :].replace(b" .", b" ", 1), line.replace(b" .", b" ..", 1), line.upper(),
        line.replace(b".", b".ff", 1), b"key " + HEAD.line()[:-1], b"key", b"key ", line.replace(b" 7 ", b" ", 1),
    )  # fmt: skip
    for other in others:
        with pytest.raises(ValueError):  # noqa: PT011 - also those of decoding and of numbers
            hand_over_of_line(other)
        assert whole_line(other + b"\n") is None, other


def test_what_a_hand_over_signs_is_all_that_it_says() -> None:
    log = hashlib.sha256(FIRST.public_key()).digest()
    packed = struct.pack(">32sQQQ32s32s32s?", log, 2, 7, 1_000, b"p" * 32, b"r" * 32, b"k" * 32, True)
    texts = b"".join(struct.pack(">I", len(text)) + text for text in (b"person:ana", b"lost"))
    assert HAND_OVER.statement(log) == b"kernos key hand-over v1\0" + packed + texts
    assert HAND_OVER.digest(log) == hashlib.sha256(HAND_OVER.statement(log) + HAND_OVER.signature).digest()
    moved = replace(HAND_OVER, by="person:analost", reason="")
    assert moved.statement(log) != HAND_OVER.statement(log), "where one text ends is part of it"


# --- the notary ------------------------------------------------------------------------------------------------------


def rotated() -> tuple[Notary, list[ChainedHead], HandOver]:
    """A store's heads of sizes 1, 2 and, after a rotation at 2, of 3 and 4; by a notary with the second key."""
    first = Notary(FIRST)
    one = first.sign(1, EpochMs(1), NO_HEAD, b"1" * 32)
    two = first.sign(2, EpochMs(2), first.digest(one), b"2" * 32)
    hand_over = first.hand_over(SECOND.public_key(), two, EpochMs(3), Cause("person:ana", "turn", is_compromised=True))
    notary = Notary(SECOND, first=FIRST.public_key())
    notary.follow(hand_over, two)
    three = notary.sign(3, EpochMs(4), notary.digest(two), b"3" * 32)
    return notary, [one, two, three, notary.sign(4, EpochMs(5), notary.digest(three), b"4" * 32)], hand_over


def test_a_hand_over_is_a_link_between_the_heads_of_two_keys() -> None:
    notary, (one, two, three, _), hand_over = rotated()
    before = Notary(FIRST)
    assert (hand_over.number, hand_over.size, hand_over.at) == (1, 2, 3)
    assert (hand_over.previous, hand_over.root, hand_over.public_key) == (
        before.digest(two),
        two.root,
        SECOND.public_key(),
    )
    assert (hand_over.by, hand_over.reason, hand_over.is_compromised) == ("person:ana", "turn", True)
    log = hashlib.sha256(FIRST.public_key()).digest()
    assert three.previous == notary.digest(two) == hand_over.digest(log) != before.digest(two)
    assert notary.digest(one) == before.digest(one)
    assert (notary.keys, notary.hand_overs) == ([FIRST.public_key(), SECOND.public_key()], [hand_over])
    assert notary.link_of(two) == (hand_over.digest(log), two.root)
    assert Notary(FIRST).link_of(None) == (NO_HEAD, EMPTY_ROOT) == (bytes(32), hashlib.sha256(b"").digest())


@pytest.mark.parametrize("signer", [None, SECOND, THIRD])
def test_each_key_signs_the_heads_of_its_time_and_no_others(signer: FileSigner | None) -> None:
    _, heads, hand_over = rotated()
    if signer is THIRD:
        notary = Notary(None, first=FIRST.public_key(), is_signed=THIRD.is_signed)
    else:
        notary = Notary(signer, first=FIRST.public_key(), is_signed=SECOND.is_signed)
    notary.follow(hand_over, heads[1])
    assert [notary.is_ours(head) for head in heads] == [True] * 4
    assert notary.has_signed(hand_over) is True
    assert notary.has_signed(replace(hand_over, at=EpochMs(9))) is False
    early = Notary(SECOND).sign(2, EpochMs(2), b"p" * 32, b"2" * 32)
    late = Notary(FIRST).sign(3, EpochMs(3), b"p" * 32, b"3" * 32)
    assert [notary.is_ours(head) for head in (early, late)] == [False, False]
    assert [notary.has_signed(head) for head in (early, late)] == [True, True]


def test_the_first_key_and_how_signatures_are_checked_may_be_said_besides_the_signer() -> None:
    asked: list[bytes] = []

    def is_signed(public_key: bytes, message: bytes, signature: bytes) -> bool:
        asked.append(public_key)
        return FIRST.is_signed(public_key, message, signature)

    notary = Notary(SECOND, first=FIRST.public_key(), is_signed=is_signed)
    _, heads, hand_over = rotated()
    notary.follow(hand_over, heads[1])
    assert asked == [FIRST.public_key()]
    assert Notary(FIRST).keys == [FIRST.public_key()]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"number": 2}, "it should be number 1"),
        ({"number": 0}, "it should be number 1"),
        ({"previous": b"q" * 32}, "no link to the tree head before"),
        ({"root": b"q" * 32}, "no link to the tree head before"),
        ({"at": EpochMs(9)}, "the key before it did not sign it"),
        ({"by": "person:bo"}, "the key before it did not sign it"),
        ({"public_key": b"k" * 32}, "the key before it did not sign it"),
    ],
)
def test_a_hand_over_that_does_not_fit_is_not_believed(change: dict[str, Any], told: str) -> None:
    _, heads, hand_over = rotated()
    notary = Notary(FIRST)
    with pytest.raises(ValueError, match=told):
        notary.follow(replace(hand_over, **change), heads[1])
    assert (notary.keys, notary.hand_overs) == ([FIRST.public_key()], [])
    with pytest.raises(ValueError, match=re.escape("the store has no tree head of its size, 2")):
        notary.follow(hand_over, None)
    notary.follow(hand_over, heads[1])


def test_a_second_hand_over_stands_at_the_same_place_or_later_and_never_before_the_first() -> None:
    notary, heads, hand_over = rotated()
    again = notary.hand_over(THIRD.public_key(), heads[1], EpochMs(6), Cause("person:ana"))
    log = hashlib.sha256(FIRST.public_key()).digest()
    assert (again.number, again.previous) == (2, hand_over.digest(log))
    earlier = replace(again, size=1, previous=notary.digest(heads[0]), root=heads[0].root)
    earlier = replace(earlier, signature=SECOND.sign(earlier.statement(hashlib.sha256(SECOND.public_key()).digest())))
    with pytest.raises(ValueError, match="it should be number 2: one before it is gone, or was put in"):
        notary.follow(earlier, heads[0])
    notary.follow(again, heads[1])
    assert notary.keys[-1] == THIRD.public_key()


def test_an_empty_store_hands_over_from_no_head_at_all() -> None:
    notary = Notary(FIRST)
    hand_over = notary.hand_over(SECOND.public_key(), None, EpochMs(1), Cause("person:ana"))
    assert (hand_over.size, hand_over.previous, hand_over.root) == (0, NO_HEAD, EMPTY_ROOT)
    follower = Notary(SECOND, first=FIRST.public_key())
    follower.follow(hand_over, None)
    assert follower.link_of(None) == (hand_over.digest(hashlib.sha256(FIRST.public_key()).digest()), EMPTY_ROOT)
    head = follower.sign(1, EpochMs(2), follower.link_of(None)[0], b"1" * 32)
    assert follower.is_ours(head)
