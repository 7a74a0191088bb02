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
        (
            "DE89370400440532013000 ana@example.org",
            [("pay.iban", "DE89370400440532013000"), ("pii.email", "ana@example.org")],
        ),
        ("mail +491705550199@example.org", [("pii.email", "+491705550199@example.org")]),
        (
            f"+491705550199{'x' * 64}@example.org",
            [("pii.phone", "+491705550199"), ("pii.email", f"{'x' * 64}@example.org")],
        ),
        (
            f"4242424242424242{'x' * 64}@example.org",
            [("pay.pan", "4242424242424242"), ("pii.email", f"{'x' * 64}@example.org")],
        ),
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
        "01-2345",
        "DE12 3456 7890 1234",
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


def account(country: str, length: int) -> str:
    """Return an IBAN of this length with the right check digits."""
    body = "".join(str(n % 10) for n in range(length - 4))
    for check in range(2, 99):
        made = f"{country}{check:02}{body}"
        if is_account(made):
            return made
    raise AssertionError(length)


@pytest.mark.parametrize(
    ("length", "is_one"), [(14, False), (15, True), (16, True), (33, True), (34, True), (35, False)]
)
def test_an_account_has_between_15_and_34_letters(length: int, *, is_one: bool) -> None:
    made = account("NO", length)
    grouped = " ".join(made[at : at + 4] for at in range(0, length, 4))
    for text in (made, f"to {grouped}.", f"{made}"):
        assert [label for label, _ in found(text)] == (["pay.iban"] if is_one else []), text


def test_the_begin_of_a_longer_word_is_no_account_when_it_is_too_short_for_one() -> None:
    short = account("NO", 14)
    grouped = " ".join(short[at : at + 4] for at in range(0, 14, 4))
    assert found(f"{grouped} 345") == found(f"{short}-345 6") == []


@pytest.mark.parametrize(("text", "expected"), [
    ("DE89370400440532013000 5 EUR", "DE89370400440532013000"), ("DE89 3704 0044 0532 0130 00 - by Friday", "DE89 3704 0044 0532 0130 00"),
    ("DE89370400440532013000-", "DE89370400440532013000"), ("xDE89370400440532013000", ""), ("DE89370400440532013000x", ""),
    ("DE89370400440532013000, GB82WEST12345698765432", "DE89370400440532013000"), ("ref DE00 DE89370400440532013000", "DE89370400440532013000"),
])  # fmt: skip
def test_an_account_ends_where_its_check_digits_say(text: str, expected: str) -> None:
    values = [value for label, value in found(text) if label == "pay.iban"]
    assert (values[0] if values else "") == expected


@pytest.mark.parametrize(("text", "is_one"), [
    ("01-23456", True), ("01-2345", False), ("+1 234567", True), ("+1 23456", False), ("+123456789012345", True), ("+1234567890123456", False),
    ("0043123456789012345", False), ("005512345678901", True), ("(030) 1234567", True), ("030 / 123 45 67", False), ("x030/1234567", False),
    ("1-030/1234567", False), ("7 030/1234567", False), ("030/12345678901", True), ("030/1234567890123", False),
])  # fmt: skip
def test_a_telephone_number_has_a_prefix_and_a_bounded_number_of_digits(text: str, *, is_one: bool) -> None:
    assert ("pii.phone" in [label for label, _ in found(text)]) is is_one, found(text)


@pytest.mark.parametrize(("digits", "is_one"), [("4222222222222", True), ("422222222222", False), ("4000000000000000006", True), ("79927398713", False), ("0000000000000", False)])  # fmt: skip
def test_a_card_number_has_13_to_19_digits(digits: str, *, is_one: bool) -> None:
    assert (("pay.pan", digits) in found(f"card {digits}.")) is is_one, found(digits)
