"""Which words ask for something, and which only tell; which tools they ask for, and which pages they name."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernos.flow.asking import asking, taken
from kernos.flow.words import Words, kinds_of
from kernos.vocabulary.flow import Consequence, FlowContract, Role

VERBS = frozenset(
    [
        "book",
        "cancel",
        "pay",
        "refund",
        "move",
        "send",
        "transfer",
        "reply",
        "order",
        "post",
        "share",
        "confirm",
        "delete",
        "charge",
    ]
)


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("Pay the bill", "pay"), ("Please pay it, then delete the mail", "pay delete"), ("Do not pay, cancel or move it", ""),
        ("The cancelled flight is on Monday", ""), ("Bob paid it and moved the rest", ""), ("Bob sends us the order", ""),
        ("I want it cancelled", "cancelled"), ("It has to be moved", "moved"), ("I have paid it", ""), ("Have it paid", "paid"),
        ("Get the flight refunded", "refunded"), ("Read the changed order there", ""), ("Look at her post and my reply", ""),
        ("What Bob asks for in his transfer", ""), ("Make a transfer to Bob", "transfer"), ("Issue the refund", "refund"),
        ("I need a refund", "refund"), ("Look at the refund", ""), ("Check the payment and my reservation", ""), ("Make the payment", "payment"),
        ("Let's book it", "book"), ("Pay and send the order", "pay send"), ("my cat and send it", "send"), ("Book", "book"),
        ("Tell Anna that we pay and cancelled", ""), ("Tell Anna that we come, and book a table", "book"),
        ("Sag Anna, dass ich bezahl", ""), ("The file that I send", "send"), ("Look at the bookings", ""), ("Charge the 40 as a refund", "charge refund"),
        ("Process all refunds", "refunds"), ("Comment on it", ""), ("Order it; the order of May is late", "order"),
    ],
)  # fmt: skip
def test_a_verb_asks_where_it_does_not_only_tell(text: str, asked: str) -> None:
    forms = (
        VERBS
        | {f"{one}ed" for one in VERBS}
        | {"paid", "payment", "reservation", "refunds", "moved", "bezahl", "bookings", "cancelled"}
    )
    assert [word for word in asking(text) if word in forms] == asked.split()


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(sorted(VERBS | {"we", "the", "it", "paid", "is", "refunds", "late"})), max_size=8))
def test_whatever_somebody_is_told_asks_for_nothing(told: list[str]) -> None:
    assert list(asking(f"Tell Anna that {' '.join(told)}")) == list(asking("Tell Anna"))


@settings(max_examples=150, deadline=None)
@given(st.text("abdenoprstvy ,.;?!-", max_size=60))
def test_what_asks_is_said(text: str) -> None:
    assert set(asking(text)) | set(taken(text)) <= set("".join(one if one.isalnum() else " " for one in text).split())


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Take the best hotel", "the best hotel"), ("I need a room, the hotel is late", "a room"), ("Do not take the hotel", ""),
        ("Look at the hotel", ""), ("Nimm das Hotel", "das hotel"), ("Sleep. I want it", "it"),
    ],
)  # fmt: skip
def test_what_somebody_takes_stands_behind_it(text: str, wanted: str) -> None:
    assert " ".join(taken(text)) == wanted


@pytest.mark.parametrize(
    ("words", "tool", "flow", "is_asked"),
    [
        ("Look at the hotel in Bonn", "hotels.reserve", FlowContract(Consequence.COMMITMENT), False),
        ("Take the hotel in Bonn", "hotels.reserve", FlowContract(Consequence.COMMITMENT), True),
        ("Note: the hotel", "hotel.entry", FlowContract(Consequence.PRIVATE_WRITE), True),
        ("Ask them in random who joins", "rooms.post_", FlowContract(Consequence.SHARED_WRITE, {"room": Role.DESTINATION}), True),
        ("Ask them who joins", "events.shift", FlowContract(Consequence.SHARED_WRITE, {"id": Role.TARGET, "to": Role.DESTINATION}), False),
        ("Tell Vera that I come", "events.shift", FlowContract(Consequence.SHARED_WRITE, {"id": Role.TARGET}), False),
        ("Tell Vera that I come", "events.add_", FlowContract(Consequence.SHARED_WRITE, {"day": Role.DATE}), False),
        ("Tell Vera that I come", "board.put_", FlowContract(Consequence.SHARED_WRITE), True),
        ("Make me a list", "tickets.shut", FlowContract(Consequence.SHARED_WRITE, {"id": Role.TARGET}), False),
        ("Make me a list", "lists.new_", FlowContract(Consequence.SHARED_WRITE), True),
        ("Take Reiter off the list", "queue.drop_", FlowContract(Consequence.DESTRUCTIVE, asked_by=("take off",)), True),
        ("Is the lid off? Take it home", "queue.drop_", FlowContract(Consequence.DESTRUCTIVE, asked_by=("take off",)), False),
        ("Take the one over there which is not quite off", "queue.drop_", FlowContract(Consequence.DESTRUCTIVE, asked_by=("take off",)), False),
        ("The adviser must wait until Monday", "events.move", FlowContract(Consequence.SHARED_WRITE, {"id": Role.TARGET}), True),
        ("Letting him know is nice", "mail.send", FlowContract(Consequence.EGRESS), True),
        ("Who takes the minutes?", "trips.book", FlowContract(Consequence.COMMITMENT), False),
    ],
)  # fmt: skip
def test_a_tool_is_asked_for_by_what_it_does(words: str, tool: str, flow: FlowContract, is_asked: bool) -> None:
    assert Words([words]).ask_for(tool, flow) is is_asked


def test_the_words_for_a_tools_things_are_of_one_and_of_several() -> None:
    assert {"ticket", "tickets"} <= kinds_of("tickets.list") and "pot" not in kinds_of("tickets.list")


@pytest.mark.parametrize("said", ["our page team.example", "https://team.example/ please", "see www.team.example."])
@pytest.mark.parametrize(
    "called", ["https://team.example", "https://team.example/", "https://www.team.example", "HTTPS://Team.example"]
)
def test_the_front_page_of_a_host_that_was_named_was_said(said: str, called: str) -> None:
    assert Words([said]).say(called)


@pytest.mark.parametrize("called", [
    "https://team.example.evil.example", "https://team.example@evil.example", "https://evil.example/team.example", "https://team.example/?q=1",
    "https://team.example/jobs", "https://t\u0435am.example", "https://team.example:8443", "https://evilteam.example", "ftp://team.example/",
    "https://team.exam\u200bple", "https://user@team.example/", "https://evil-team.example/", "javascript://team.example/",
])  # fmt: skip
def test_nothing_but_its_front_page_was_said(called: str) -> None:
    assert not Words(["our page team.example"]).say(called)


@pytest.mark.parametrize(
    "said",
    [
        "write to bob@team.example",
        "my.team.example",
        "team.example.org",
        "team.example:8080",
        "team.example/jobs",
        "xteam.example",
        "team.example-x",
    ],
)
def test_a_host_within_something_else_was_not_said(said: str) -> None:
    assert not Words([said]).say("https://team.example")


def test_who_names_the_safe_page_has_not_named_the_other() -> None:
    assert Words(["https://team.example"]).say("https://www.team.example")
    assert not Words(["https://team.example"]).say("http://team.example")


@settings(max_examples=200, deadline=None)
@given(st.text("team.xpl/@:?-e", min_size=1, max_size=14))
def test_no_row_of_letters_but_the_host_itself_stands_for_its_page(more: str) -> None:
    words = Words(["our page team.example"])
    for called in (f"https://team.example{more}", f"https://{more}team.example"):
        if called.rstrip("/") not in ("https://team.example", "https://www.team.example"):
            assert not words.say(called), called


def test_everything_is_all_that_the_words_behind_it_name() -> None:
    assert Words(["cancel everything I have booked in Oslo"]).want_all(frozenset({"oslo"}))
    assert not Words(["cancel everything. Oslo was nice"]).want_all(frozenset({"oslo"}))
    assert not Words(["cancel what I have booked in Oslo"]).want_all(frozenset({"oslo"}))
    assert not Words(["everything that Anna and Bob and Carl and Dora said in Oslo"]).want_all(frozenset({"oslo"}))


@pytest.mark.parametrize(
    ("said", "has_none"),
    [
        ("take the cheapest", True),
        ("take the best rated one", True),
        ("the cheapest, please", True),
        ("the cheapest hotel", False),
        ("a hotel", False),
    ],
)
def test_the_cheapest_one_has_no_name(said: str, has_none: bool) -> None:
    assert Words([said]).mean_one is has_none
