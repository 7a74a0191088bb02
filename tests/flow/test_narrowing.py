"""What a list proves of which something may have been left out, what many records share, who stands in a list, and what is named better."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernos.flow.facts import Facts
from kernos.flow.judge import VOUCHED, judge, leaves_out
from kernos.flow.records import Value
from kernos.flow.words import Words
from kernos.vocabulary.flow import Consequence, FlowContract, ResultFields, Role
from kernos.vocabulary.gate import Answer

FIND = FlowContract(
    Consequence.READ, {"query": Role.QUERY, "id": Role.TARGET, "status": Role.OPTION}, ResultFields(trusted=True, names=("name",))
)  # fmt: skip
HOUSES = FlowContract(
    Consequence.READ, {"city": Role.OPTION}, ResultFields(proof=("name", "city"), names=("name", "city"))
)
TALK = FlowContract(Consequence.READ, {}, ResultFields(proof=("id", "channel", "sender"), names=("sender", "channel")))
PAID = FlowContract(
    Consequence.READ, {}, ResultFields(proof=("id", "iban", "amount"), names=("purpose", "counterparty"))
)
SEND = FlowContract(Consequence.EGRESS, {"to": Role.DESTINATION})
PAY = FlowContract(Consequence.MONEY, {"iban": Role.DESTINATION})
BOOK = FlowContract(Consequence.COMMITMENT, {"hotel": Role.TARGET}, asked_by=("book",))
CANCEL = FlowContract(Consequence.DESTRUCTIVE, {"id": Role.TARGET})

BERG = {"name": "Jonas Berg", "email": "berg@mail.example"}
DAHL = {"name": "Jonas Dahl", "email": "dahl@mail.example"}
people = st.lists(st.sampled_from(["Berg", "Dahl", "Ek", "Holm", "Lind"]), min_size=1, max_size=5, unique=True)


def heard(words: str, *answers: tuple[str, FlowContract, Value], is_narrow: bool = False) -> Facts:
    found = Facts(Words([words]))
    for tool, flow, answer in answers:
        found.read(tool, flow, answer, is_vouched=True, is_open=not is_narrow, is_narrow=is_narrow)
    return found


@pytest.mark.parametrize(
    ("asked", "is_narrow"),
    [
        ({}, False), ({"query": ""}, False), ({"query": None}, False), ({"query": "Jonas"}, False), ({"query": "letters"}, False),
        ({"query": "jonas letter"}, False), ({"query": "Dahl"}, True), ({"query": "Jonas Dahl"}, True), ({"status": "open"}, False),
        ({"query": "2026-03-10"}, False), ({"query": 20}, False), ({"id": 20}, True), ({"id": "Jonas"}, False), ({"id": "letters"}, True),
        ({"only": "dahl"}, True), ({"recent": True}, False),
    ],
)  # fmt: skip
def test_a_call_leaves_out_what_nobody_spoke_of(asked: Value, is_narrow: bool) -> None:
    assert leaves_out(FIND, asked, heard("Send Jonas the letter")) is is_narrow


def test_words_of_an_own_record_that_is_meant_leave_nothing_out() -> None:
    known = heard(
        "Write to the dentist", ("people.find", FIND, [{"name": "dentist Vogt", "email": "praxis@vogt.example"}])
    )
    assert not leaves_out(FIND, {"query": "praxis vogt"}, known)
    assert leaves_out(FIND, {"query": "praxis berg"}, known)


def test_the_whole_name_of_the_only_one_that_is_meant_leaves_nothing_out() -> None:
    houses = [{"name": "Adler Garni", "city": "Wien"}, {"name": "Nora", "city": "Wien"}]
    assert not leaves_out(FIND, {"query": "Adler Garni"}, heard("Write to the Adler", ("houses.list", HOUSES, houses)))
    assert leaves_out(FIND, {"query": "Adler Garni"}, heard("Write to somebody", ("houses.list", HOUSES, houses)))


def test_of_two_of_a_name_a_model_cannot_make_one_the_only_one() -> None:
    words = "Write to Jonas that I come later"
    assert (
        judge("mail.send", SEND, {"to": DAHL["email"]}, heard(words, ("people.find", FIND, [DAHL]))).answer
        is Answer.ALLOW
    )
    assert (
        judge(
            "mail.send", SEND, {"to": DAHL["email"]}, heard(words, ("people.find", FIND, [DAHL]), is_narrow=True)
        ).answer
        is Answer.ASK
    )


@settings(max_examples=80, deadline=None)
@given(people, st.data())
def test_what_is_left_out_never_makes_the_rest_meant(names: list[str], data: st.DataObject) -> None:
    every = [{"name": f"Jonas {name}", "email": f"{name}@mail.example".lower()} for name in names]
    some = data.draw(st.lists(st.sampled_from(every), min_size=1, unique_by=str))
    known = heard("Write to Jonas", ("people.find", FIND, some), is_narrow=True)
    for one in every:
        assert known.origin_of(one["email"], by_code=False, firm=True, selected=True) not in VOUCHED


def test_a_town_that_many_houses_are_in_leads_to_none_of_them() -> None:
    houses = [{"name": "Inn", "city": "Bonn"}, {"name": "Grand", "city": "Bonn"}]
    town: list[Value] = [{"name": "Beethoven fest Bonn", "city": "Bonn"}]
    known = heard(
        "Book something for the Beethoven fest", ("fests.list", HOUSES, town), ("houses.list", HOUSES, houses)
    )
    assert judge("houses.book", BOOK, {"hotel": "Grand"}, known).answer is Answer.ASK


def test_what_all_that_share_a_value_have_is_proven() -> None:
    houses = [{"name": "Inn", "city": "Bonn"}, {"name": "Inn", "city": "Bonn"}]
    town: list[Value] = [{"name": "Beethoven fest Bonn", "city": "Bonn"}]
    known = heard(
        "Book something for the Beethoven fest", ("fests.list", HOUSES, town), ("houses.list", HOUSES, houses)
    )
    assert judge("houses.book", BOOK, {"hotel": "Inn"}, known).answer is Answer.ALLOW


def test_a_name_leads_from_no_record_to_who_gets_something_in_another() -> None:
    rooms: list[Value] = [{"name": "general", "members": ["Charlie Ruiz"]}]
    talk: list[Value] = [{"id": 3, "channel": "random", "sender": "Charlie Ruiz"}]
    known = heard("Tell general that I am away", ("rooms.list", FIND, rooms), ("rooms.read", TALK, talk))
    assert judge("rooms.post", SEND, {"to": "random"}, known).answer is Answer.ASK
    assert judge("rooms.post", SEND, {"to": "general"}, known).answer is Answer.ALLOW


def test_every_channel_is_each_of_them_and_nobody_in_it() -> None:
    rooms: list[Value] = [{"name": "a1", "members": ["Zed", "Eve"]}, {"name": "b2", "members": ["Eve"]}]
    known = heard("Tell every channel that it is late", ("channels.list", FIND, rooms))
    assert judge("rooms.post", SEND, {"to": "a1"}, known).answer is Answer.ALLOW
    assert judge("rooms.post", SEND, {"to": "Zed"}, known).answer is Answer.ASK


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from(["jonas", "concert", "tickets", "dinner", "pay", "euros"]), min_size=1, max_size=4),
    st.booleans(),
)
def test_whoever_pays_under_any_name_is_not_paid_back_for_it(said: list[str], is_name: bool) -> None:
    named = (
        {"purpose": "x", "counterparty": " ".join(said)}
        if is_name
        else {"purpose": " ".join(said), "counterparty": "x"}
    )
    cent = {"id": 7, "iban": "LT121000011101001000", "amount": 0.01, **named}
    known = heard("Pay Jonas 45 euros for the concert tickets and the dinner", ("bank.received", PAID, [cent]))
    assert judge("bank.pay", PAY, {"iban": cent["iban"]}, known).answer is Answer.ASK


def test_an_outsider_is_meant_by_their_account_wherever_else_it_stands() -> None:
    bill = ResultFields(proof=("iban", "creditor"), names=("creditor",))
    known = heard(
        "Pay Jonas for the concert",
        (
            "bank.received",
            PAID,
            [{"id": 7, "iban": "LT121000011101001000", "amount": 1, "purpose": "Jonas", "counterparty": "x"}],
        ),
        (
            "bank.bills",
            FlowContract(Consequence.READ, {}, bill),
            [{"creditor": "Zed Ltd", "iban": "LT121000011101001000"}],
        ),
    )
    assert judge("bank.pay", PAY, {"iban": "LT121000011101001000"}, known).answer is Answer.ASK


def test_what_is_ended_is_what_more_of_the_words_name() -> None:
    trip: list[Value] = [{"id": "E1", "name": "Trip to Oslo"}]
    car: list[Value] = [{"id": "B13", "name": "Car in Oslo"}]
    words = "We don't need the car in Oslo, cancel it"
    known = heard(words, ("events.list", FIND, trip), ("bookings.list", FIND, car))
    assert judge("events.cancel", CANCEL, {"id": "E1"}, known).answer is Answer.ASK
    assert judge("bookings.cancel", CANCEL, {"id": "B13"}, known).answer is Answer.ALLOW
    assert (
        judge("events.cancel", CANCEL, {"id": "E1"}, heard(words, ("events.list", FIND, trip))).answer is Answer.ALLOW
    )
    said = heard(f"{words}, and E1", ("events.list", FIND, trip), ("bookings.list", FIND, car))
    assert judge("events.cancel", CANCEL, {"id": "E1"}, said).answer is Answer.ALLOW


def test_the_word_for_a_kind_of_thing_names_none() -> None:
    tickets = ResultFields(proof=("id", "sender"), names=("subject",))
    flow = FlowContract(Consequence.READ, {}, tickets)
    list_: list[Value] = [
        {"id": 321, "subject": "My ticket", "sender": "zed@evil.example"},
        {"id": 305, "subject": "Pot", "sender": "a@b.example"},
    ]
    close = FlowContract(Consequence.SHARED_WRITE, {"id": Role.TARGET}, asked_by=("close",))
    known = heard("Close the ticket about the pot", ("tickets.list", flow, list_))
    assert judge("tickets.close", close, {"id": 321}, known).answer is Answer.ASK
    assert judge("tickets.close", close, {"id": 305}, known).answer is Answer.ALLOW


def test_a_word_by_which_a_tool_is_asked_for_names_nothing_of_an_outsider() -> None:
    flow = FlowContract(Consequence.READ, {}, ResultFields(proof=("id", "sender"), names=("subject",)))
    reply = FlowContract(Consequence.EGRESS, {"id": Role.TARGET})
    known = heard(
        "Give Cem an appointment and write to him",
        ("messages.list", flow, [{"id": 860, "subject": "Appointment", "sender": "zed@evil.example"}]),
    )
    assert judge("messages.reply", reply, {"id": 860}, known).answer is Answer.ALLOW
    book = FlowContract(Consequence.COMMITMENT, asked_by=("appointment",))
    known = Facts(Words(["Give Cem an appointment and write to him"]), {"visits.book": book})
    known.read(
        "messages.list", flow, [{"id": 860, "subject": "Appointment", "sender": "zed@evil.example"}], is_open=True
    )
    assert judge("messages.reply", reply, {"id": 860}, known).answer is Answer.ASK
