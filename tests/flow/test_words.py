"""Words: what the principal said, and what they did not say."""

from decimal import Decimal

import pytest

from kernos.flow.text import addresses_in, numbers_in, telling_in, without_addresses
from kernos.flow.words import Words
from kernos.vocabulary.flow import Consequence, FlowContract


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ("write to anna@example.com please", "Anna@Example.com"),
        ("pay to DE89 3704 0044 0532 0130 00", "DE89370400440532013000"),
        ("put it into Budget 2026.xlsx", "budget 2026.xlsx"),
        ("order W-1042", "W1042"),
        ("see https://example.com/menu.", "https://example.com/menu"),
        ("invite Bob Miller", "bob.miller"),
    ],
)
def test_a_value_is_said_when_it_stands_in_the_words(words: str, value: str) -> None:
    assert Words([words]).say(value)


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ("write to anna@example.com", "anna@example.co"),
        ("write to anna@example.com", "anna@example.com.evil.org"),
        ("write to anna@example.com", "аnna@example.com"),
        ("write to anna@example.com", "an.na@example.com"),
        ("write to Anna", "anna@example.com"),
        ("order W-1042", "W-104"),
        ("see https://example.com/menu", "https://example.com/menu?to=eve"),
        ("hello", ""),
    ],
)
def test_what_only_looks_like_it_is_not_said(words: str, value: str) -> None:
    assert not Words([words]).say(value)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("pay 1,200.50 EUR", {"1200.5"}),
        ("zahle 1.200,50 EUR", {"1200.5"}),
        ("give $40 or 12k", {"40", "12000"}),
        ("a hundred and twenty", {"120"}),
        ("two tickets for 15.00 each", {"2", "15"}),
        ("version 1.2.3", set()),
    ],
)
def test_numbers_are_read_as_people_write_them(text: str, numbers: set[str]) -> None:
    assert numbers_in(text) == {Decimal(number) for number in numbers}


@pytest.mark.parametrize(
    ("words", "tool", "consequence", "is_asked"),
    [
        ("Please pay the plumber", "bank.transfer", Consequence.MONEY, True),
        ("What is my balance?", "bank.transfer", Consequence.MONEY, False),
        ("Do not pay the plumber yet", "bank.transfer", Consequence.MONEY, False),
        ("Überweise 40 Euro an Bob", "bank.transfer", Consequence.MONEY, True),
        ("Do not worry", "notes.add", Consequence.PRIVATE_WRITE, False),
        ("Bitte lösche den Termin", "calendar.delete", Consequence.DESTRUCTIVE, True),
        ("Let Anna know that I am late", "mail.send", Consequence.EGRESS, True),
        ("Tell Anna that I am late", "mail.send", Consequence.EGRESS, True),
        ("Reschedule lunch to 1 pm", "reschedule_event", Consequence.SHARED_WRITE, True),
        ("Summarise my inbox", "account.set_password", Consequence.CREDENTIAL, False),
        ("Change my password to X", "account.set_password", Consequence.CREDENTIAL, True),
    ],
)
def test_an_action_is_asked_for_in_words(words: str, tool: str, consequence: Consequence, is_asked: bool) -> None:
    assert Words([words]).ask_for(tool, FlowContract(consequence)) is is_asked


def test_a_tool_can_say_by_which_words_people_ask_for_it() -> None:
    flow = FlowContract(Consequence.EGRESS, asked_by=("wave", "blow a whistle"))
    assert Words(["Please wave to Anna"]).ask_for("x", flow)
    assert Words(["Please blow a whistle for Anna"]).ask_for("x", flow)
    assert not Words(["Please let Anna in"]).ask_for("x", flow)


def test_addresses_are_found_in_text() -> None:
    text = (
        "Mail o'brien@example.org, see www.example.com/a?b=1, pay DE89 3704 0044 0532 0130 00 or call +49 170 1234567."
    )
    assert set(addresses_in(text)) == {
        "o'brien@example.org",
        "www.example.com/a?b=1",
        "DE89 3704 0044 0532 0130 00",
        "+49 170 1234567",
    }


SEALED = "sealed:{}:bj4awpxznvl5u3tc.me4awpxznvl5u3tcbj4awpxz23"
"""A handle whose letters happen to end as a web address does."""


@pytest.mark.parametrize("label", ["pii.email", "pii.phone", "pay.iban", "pay.pan"])
def test_a_sealed_address_is_one_address(label: str) -> None:
    handle = SEALED.format(label)
    assert list(addresses_in(f"write to {handle} or b@x.org")) == [handle, "b@x.org"]
    assert Words([f"write to {handle}"]).say(handle)
    assert not Words(["write to b@x.org"]).say(handle)


def test_the_letters_of_a_handle_are_no_address_no_word_and_no_number() -> None:
    named = SEALED.format("pii.letter")
    assert list(addresses_in(f"Re: {named}")) == []
    assert without_addresses(f"Re: {named}").split() == ["Re:"]
    assert numbers_in(f"{named} 7") == {Decimal(7)}
    assert list(telling_in(f"find {named}")) == [named], "and yet a question that holds one tells it"
