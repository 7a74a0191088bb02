"""Detection: what free text holds of labelled values, and what only looks like one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernos.vocabulary.detection import detect, is_account, is_card


def found(text: str) -> list[tuple[str, str]]:
    return [(one.label, text[one.begin : one.end]) for one in detect(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("write to ana.b+x@mail.example.org, please", [("pii.email", "ana.b+x@mail.example.org")]),
        ("<ana@example.org>.", [("pii.email", "ana@example.org")]),
        ("karte 4242 4242 4242 4242!", [("pay.pan", "4242 4242 4242 4242")]),
        (
            "5555-5555-5555-4444 or 378282246310005",
            [("pay.pan", "5555-5555-5555-4444"), ("pay.pan", "378282246310005")],
        ),
        ("IBAN DE89 3704 0044 0532 0130 00 bitte", [("pay.iban", "DE89 3704 0044 0532 0130 00")]),
        ("gb82west12345698765432.", [("pay.iban", "gb82west12345698765432")]),
        ("call +49 (170) 555-0199 today", [("pii.phone", "+49 (170) 555-0199")]),
        ("0043 1 5550199", [("pii.phone", "0043 1 5550199")]),
        ("030/555 01 99 or 0170-5550199", [("pii.phone", "030/555 01 99"), ("pii.phone", "0170-5550199")]),
    ],
)
def test_a_value_is_found_in_its_usual_forms(text: str, expected: list[tuple[str, str]]) -> None:
    assert found(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "order A-14824 of 2026-11-23, 2 pieces at 19.90",
        "4242 4242 4242 4243",
        "DE88 3704 0044 0532 0130 00",
        "0000000000000000",
        "version 1.2.3, part 1234567890123",
        "a@b and @home",
        "+1 2",
        "",
    ],
)
def test_what_only_looks_like_a_value_is_left(text: str) -> None:
    assert found(text) == []


@given(st.integers(10**14, 10**15 - 1))
def test_of_ten_numbers_that_differ_in_their_last_digit_exactly_one_is_a_card(number: int) -> None:
    assert sum(is_card(f"{number}{digit}") for digit in range(10)) == 1


@given(st.integers(0, 96))
def test_one_digit_changed_makes_an_account_wrong(place: int) -> None:
    account = "DE89370400440532013000"
    at = 4 + place % (len(account) - 4)
    changed = account[:at] + str((int(account[at]) + 1) % 10) + account[at + 1 :]
    assert is_account(account)
    assert not is_account(changed)


@given(st.text(alphabet="a1 @.+-/DE89042", max_size=80))
def test_what_is_found_lies_in_the_text_in_order_and_never_overlaps(text: str) -> None:
    places = detect(text)
    ends = [0, *(one.end for one in places)]
    assert all(end <= one.begin < one.end <= len(text) for end, one in zip(ends, places, strict=False))
