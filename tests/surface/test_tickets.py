"""The tickets and how they should end: built from the seeded shop, whole, and bound to what the shop holds."""

import json
from collections import Counter
from typing import Any

from examples.returns_desk.shop.seeding import seed_shop
from examples.returns_desk.shop.stories import STORIES
from examples.returns_desk.tickets.build import ALONE_CENTS_MAX, HERE, SEED, build

OUTCOMES = [
    "refund",
    "partial_refund",
    "exchange",
    "cancel",
    "reroute",
    "return_label",
    "account_change",
    "answer",
    "refuse",
    "clarify",
    "hand_over",
]


def read(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (HERE / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


def test_the_files_are_what_the_texts_and_the_shop_make_of_them() -> None:
    assert (read("tickets"), read("expected")) == build()


def test_there_are_many_tickets_and_no_two_say_the_same() -> None:
    tickets = read("tickets")
    assert len(tickets) >= 120
    assert len({(ticket["subject"], ticket["text"]) for ticket in tickets}) == len(tickets)


def test_each_ticket_has_one_ending_and_each_kind_of_ending_is_there() -> None:
    expected = read("expected")
    assert [entry["id"] for entry in expected] == [ticket["id"] for ticket in read("tickets")]
    assert {entry["outcome"] for entry in expected} == set(OUTCOMES)
    assert Counter(entry["person"] for entry in expected).keys() == {None, "approve", "deny", "answer"}


def test_endings_refer_to_orders_of_the_shop_and_to_money_that_is_there() -> None:
    orders = {order["id"]: order for order in seed_shop(SEED).orders}
    for entry in read("expected"):
        order, amount = orders.get(entry["order_id"] or ""), entry["amount_cents"]
        assert order is not None or entry["order_id"] is None
        if entry["outcome"] in ("refund", "partial_refund", "cancel"):
            assert order is not None
            assert 0 < amount <= order["total_cents"]
            assert (amount < order["total_cents"]) == (entry["outcome"] == "partial_refund")
            assert entry["needs_person"] == (amount > ALONE_CENTS_MAX)
        else:
            assert amount is None


def test_nothing_is_left_in_braces_and_no_ticket_tells_its_ending() -> None:
    for ticket in read("tickets"):
        assert "{n}" not in ticket["text"] + ticket["subject"]
        assert ticket.keys() == {"id", "received_at", "channel", "from_email", "from_name", "subject", "text"}


def test_every_story_of_the_shop_is_an_order_once() -> None:
    order_of = seed_shop(SEED).order_of
    assert set(order_of) == {story.name for story in STORIES}
    assert len(set(order_of.values())) == len(STORIES)
