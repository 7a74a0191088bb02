"""Seals: where labelled values stand in a value of any form, whose they are, and what a call carries out."""

import html
import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Literal
from urllib.parse import quote, quote_plus

import pytest
from pydantic import BaseModel, Field

from kernos import Consequence, FlowContract, FreeText, Label, Plain, Role, ToolCall, tool
from kernos.authoring.codec import codec_of
from kernos.control.carrying import carried_by, labels_in
from kernos.execution.seals import NoVault, Seals, Seen
from kernos.ports.vault import Subject
from kernos.testing.vault import MemoryVault
from kernos.vocabulary.contract import ModelReply, ModelRequest
from kernos.vocabulary.errors import BadConfiguration, ContractBroken, Erased
from kernos.vocabulary.ids import TenantId
from kernos.vocabulary.outcome import AttemptFailed, FailureKind, Found
from kernos.vocabulary.quantities import Json, Usage
from kernos.vocabulary.sealing import Carried, Handle, Mark, handle_of, handles_in, plan_of, with_handles

SHOP = TenantId("shop")
Email = Annotated[str, Label("pii.email", subject="customer")]


class Person(BaseModel):
    customer: str | int | None = None
    email: Email = ""


class Pair(BaseModel):
    place: tuple[Email, int] = ("", 0)


class Everything(BaseModel):
    customer: str = "ana"
    people: list[Person] = []
    by_name: dict[str, Person] = {}
    other: Person | Pair | None = None
    mails: list[Email] = []
    mixed: list[Email | int] = []
    text: Annotated[str, FreeText(subject="customer")] = ""
    free: str = ""


CODEC = codec_of(Everything)


@pytest.fixture
def vault() -> MemoryVault:
    return MemoryVault()


def sealed(vault: MemoryVault, value: Everything) -> Any:
    return json.loads(Seals(vault, SHOP).written(CODEC, value).text)


def test_labelled_values_are_found_in_lists_tables_unions_and_pairs_and_belong_to_the_nearest_that_is_named(
    vault: MemoryVault,
) -> None:
    value = Everything(
        people=[Person(customer="Ben ", email="b@x.org"), Person(email="c@x.org")],
        by_name={"d": Person(customer=7, email="d@x.org")},
        other=Pair(place=("e@x.org", 5)),
        mails=["f@x.org", ""],
        mixed=["g@x.org", 4],
        free="h@x.org",
    )
    found = sealed(vault, value)
    opened = {handle: vault.open(SHOP, handle) for handle in handles_in(json.dumps(found).encode())}
    assert sorted(opened.values()) == ["b@x.org", "c@x.org", "d@x.org", "e@x.org", "f@x.org", "g@x.org"]
    assert found["mails"][1] == ""
    assert found["mixed"][1] == 4
    assert found["other"]["place"][1] == 5
    assert found["free"] == "h@x.org", "nothing says that there may be any"
    keys = {text: handle.key for handle, text in opened.items()}
    assert keys["b@x.org"] == vault.keys(SHOP, "ben")[0], "names are looked up without case and spaces"
    assert keys["d@x.org"] == vault.keys(SHOP, "7")[0], "a number names somebody, too"
    assert keys["e@x.org"] == keys["f@x.org"] == keys["g@x.org"] == vault.keys(SHOP, "ana")[0]
    assert keys["c@x.org"] == vault.keys(SHOP, "c@x.org")[0], "where nobody is named it is a subject by itself"


def test_what_is_sealed_already_stays_and_a_person_may_be_named_by_a_handle(vault: MemoryVault) -> None:
    handle = vault.seal(SHOP, Subject("ana"), "pii.name", "Ana")
    found = sealed(vault, Everything(people=[Person(customer=str(handle), email="a@x.org")], mails=[str(handle)]))
    assert handle_of(found["people"][0]["email"]) is not None
    assert handle_of(found["people"][0]["email"]).key == handle.key  # type: ignore[union-attr]
    assert found["mails"] == [str(handle)]


def test_free_text_is_searched_between_handles(vault: MemoryVault) -> None:
    handle = vault.seal(SHOP, Subject("ana"), "pii.name", "Ana")
    found = sealed(vault, Everything(text=f"{handle} writes from a@x.org, card 4242 4242 4242 4242."))["text"]
    labels = [one.label for one in handles_in(found.encode())]
    assert labels == ["pii.name", "pii.email", "pay.pan"]
    assert found.startswith(f"{handle} writes from sealed:pii.email:")
    assert (
        with_handles(found, lambda one: vault.open(SHOP, one)) == "Ana writes from a@x.org, card 4242 4242 4242 4242."
    )
    assert with_handles("nothing sealed", lambda one: "?") == "nothing sealed"


def test_what_is_told_to_a_run_is_searched_in_every_text(vault: MemoryVault) -> None:
    seals = Seals(vault, SHOP)
    told = seals.told(
        codec_of(dict), {"a": ["x@x.org", {"b": "call +49 170 5550199", "n": 5, "z": None}], "c": "plain"}
    )
    assert [one.label for one in handles_in(told.text)] == ["pii.email", "pii.phone"]
    assert json.loads(told.text)["c"] == "plain"
    assert seals.told(codec_of(dict), {"c": "plain"}).text == b'{"c":"plain"}'


def test_an_intent_is_searched_with_the_input_and_belongs_to_whom_the_input_is_about(vault: MemoryVault) -> None:
    seals = Seals(vault, SHOP)
    text, intent = seals.begun(CODEC, Everything(mails=["a@x.org"]), "write to A@x.org or b@x.org")
    (mail,) = handles_in(text.text)
    first, second = handles_in(intent.encode())
    assert (first, second.key) == (mail, mail.key)
    assert seals.begun(codec_of(int), 5, "write to b@x.org") == (Json(b"5"), "write to b@x.org"), (
        "nothing there is labelled"
    )
    two = Everything(people=[Person(customer="x", email="a@x.org"), Person(customer="y", email="c@x.org")])
    _, intent = seals.begun(CODEC, two, "write to d@x.org")
    (one,) = handles_in(intent.encode())
    assert one.key == vault.keys(SHOP, "d@x.org")[0], "of two it is told of neither"


def test_a_value_is_hidden_as_a_whole_or_inside_a_text_but_a_short_one_only_as_a_whole(vault: MemoryVault) -> None:
    long, short = (
        vault.seal(SHOP, Subject("ana"), "pii.name", "Zephyrine"),
        vault.seal(SHOP, Subject("ana"), "pii.name", "Jo"),
    )
    seen = Seen({"Zephyrine": long, "Jo": short, "": long})
    assert seen.hide("to ZEPHYRINE.") == f"to {long}."
    assert seen.hide("to Zephyrines") == "to Zephyrines", "it is another word"
    assert seen.hide("jo") == str(short)
    assert seen.hide("Jo writes") == "Jo writes"
    assert Seen({"Jo": short}).hide("Jo writes") == "Jo writes"
    assert seen.hide("") == ""
    assert seen.hide(str(long)) == str(long)
    assert Seen().hide_in(Json(b'"\\u005aephyrine"')) == Json(b'"\\u005aephyrine"'), "it stays as it was written"
    assert seen.hide_in(None) is None


@pytest.mark.parametrize(
    "value",
    ["canary.quetzal@example.org", 'J\u00f6rg "Joe" O\'Neil & S\u00f6hne', "+49 170 5550199", "C:\\Quetzal\\Zephyrine"],
)
@pytest.mark.parametrize(
    "spelled",
    [
        str,
        str.upper,
        lambda value: f"to{value}x",
        quote,
        quote_plus,
        partial(quote, safe="@:'"),
        json.dumps,
        lambda value: json.dumps({"error": json.dumps(value)}),
        partial(json.dumps, ensure_ascii=False),
        repr,
        ascii,
        html.escape,
        lambda value: repr(value.encode()),
        lambda value: repr([value]),
        lambda value: b64encode(value.encode()).decode(),
        lambda value: urlsafe_b64encode(value.encode()).decode().rstrip("="),
    ],
)
def test_a_value_is_sealed_again_however_a_url_or_a_quotation_writes_it(
    value: str, spelled: Callable[[str], str]
) -> None:
    handle = Handle("pii.name", "a" * 16, "b" * 26)
    hidden = Seen({value: handle}).hide(f"404 for /find?who={spelled(value)}&page=1")
    assert str(handle) in hidden
    assert not any(part in hidden for part in ("quetzal", "Zephyrine", "hne", "5550199"))
    assert len(hidden) < len(str(handle)) + 60


def test_a_text_made_to_be_hard_to_search_is_searched_all_the_same() -> None:
    handle = Handle("pii.name", "a" * 16, "b" * 26)
    for value, text in (
        ("\\" * 30 + "x", "\\"),
        ('"' * 30 + "x", "\\" * 8 + '"'),
        (" " * 30 + "x", "+ "),
        ("%41" * 9, "%41%4"),
    ):
        assert Seen({value: handle}).hide(text * 20_000) == text * 20_000


def test_what_was_opened_is_sealed_again_in_answers_failures_and_what_is_found(vault: MemoryVault) -> None:
    seals, seen = Seals(vault, SHOP), Seen()
    handle = vault.seal(SHOP, Subject("ana"), "pii.name", "Zephyrine")
    assert seals.opened(Json(f'"{handle}"'.encode()), seen).text == b'"Zephyrine"'
    failed = seals.answered(
        None, AttemptFailed(FailureKind.FINAL, "no Zephyrine here", details=Json(b'{"who":"Zephyrine"}')), seen
    )
    assert isinstance(failed, AttemptFailed)
    assert (failed.message, failed.details) == (f"no {handle} here", Json(f'{{"who":"{handle}"}}'.encode()))
    untouched = AttemptFailed(FailureKind.FINAL, "no Zephyrine here")
    assert seals.answered(None, untouched, Seen()) is untouched
    assert seals.answered(None, Json(b'"dear Zephyrine"'), seen) == Json(f'"dear {handle}"'.encode())
    reply = seals.answered(None, ModelReply(Json(b'"Zephyrine"'), Usage()), seen)
    assert isinstance(reply, ModelReply)
    assert reply.output == Json(f'"{handle}"'.encode())
    looked = seals.found(None, Found(done=True, evidence="by Zephyrine", result=Json(b'"Zephyrine"')), seen)
    assert looked == Found(done=True, evidence=f"by {handle}", result=Json(f'"{handle}"'.encode()))
    bare = Found(done=False, evidence="none")
    assert seals.found(None, bare, seen) == bare
    lost = seals.found(None, AttemptFailed(FailureKind.UNKNOWN, "Zephyrine?"), seen)
    assert isinstance(lost, AttemptFailed)
    assert lost.message == f"{handle}?"


def test_a_model_sees_the_values_of_the_labels_it_may_see(vault: MemoryVault) -> None:
    seals = Seals(vault, SHOP)
    name, mail = (
        vault.seal(SHOP, Subject("ana"), "pii.name", 'Ana "A"'),
        vault.seal(SHOP, Subject("ana"), "pii.email", "a@x.org"),
    )
    request = ModelRequest("read", f"of {name}", Json(f'"{name} {mail}"'.encode()), Json(b"{}"))
    assert seals.opened_request(request, Seen(), frozenset()) is request
    seen = Seen()
    shown = seals.opened_request(request, seen, frozenset({"pii.name"}))
    assert shown.instructions == 'of Ana "A"'
    assert json.loads(shown.input.text) == f'Ana "A" {mail}'
    assert seen.handles == {'Ana "A"': name}


def test_where_there_is_no_vault_nothing_labelled_is_recorded_in_the_open() -> None:
    handle = Handle("pii.email", "a" * 16, "b" * 26)
    with pytest.raises(BadConfiguration, match=r"pii.email cannot be sealed here: this program has no vault"):
        Seals(NoVault(), SHOP).written(CODEC, Everything(mails=["a@x.org"]))
    with pytest.raises(BadConfiguration, match=r"pii.email cannot be sealed here"):
        Seals(NoVault(), SHOP).opened(Json(f'"{handle}"'.encode()), Seen())


# --- what a call carries ------------------------------------------------------------------------------------------------


class To(BaseModel):
    address: Annotated[str, Label("pii.email")]


class Mail(BaseModel):
    to: list[To] = []
    cc: str = ""
    lead: To | None = None
    body: str = ""


@tool("mail.send", effect="once", flow=FlowContract(Consequence.EGRESS, {"to.address": Role.DESTINATION, "cc": Role.DESTINATION, "lead": Role.DESTINATION, "body": Role.CONTENT}))  # fmt: skip
def send(mail: Mail, call: ToolCall) -> None:
    """Send it."""


class Note(BaseModel):
    text: str


@tool("note.add", effect="once")
def note(what: Note, call: ToolCall) -> None:
    """Keep it."""


def carried(**said: object) -> tuple[Carried, ...]:
    return carried_by(send, Json(json.dumps(said).encode()))


def test_a_call_carries_each_label_as_declared_or_not_and_to_its_own_subject_or_not(vault: MemoryVault) -> None:
    ana, ben = (str(vault.seal(SHOP, Subject(who), "pii.email", f"{who}@x.org")) for who in ("ana", "ben"))
    name = str(vault.seal(SHOP, Subject("ana"), "pii.name", "Ana"))
    own, foreign = Carried("pii.email", is_declared=True, is_own=True), Carried("pii.email", is_declared=True)
    assert carried(body="hello") == ()
    assert carried(to=[{"address": ana}]) == (own,)
    assert carried(to=[{"address": ana}, {"address": ana}]) == (own,)
    assert carried(to=[{"address": ana, "note": "x"}]) == (own,), "what stands beside it is no destination"
    assert carried(to=[{"note": "x"}, {"address": ana}], cc=ana) == (Carried("pii.email", is_own=True),)
    assert carried(to=[{"address": ana}, {"address": ben}]) == (foreign,)
    assert carried(to=[{"address": ana}], cc="eve@evil.example") == (foreign,)
    assert carried(to=[{"address": ana}], lead={"address": ana}) == (own,)
    assert carried(to=[{"address": ana}], lead={"address": "x@x.org"}) == (foreign,)
    assert carried(to=[{"address": ana}], body=f"dear {name}") == (own, Carried("pii.name", is_own=True))
    assert carried(to=[{"address": ana}], body=f"dear {ana}") == (Carried("pii.email", is_own=True),)
    assert carried(to=[{"address": name}]) == (Carried("pii.name", is_own=True),), "a label where another is declared"
    assert carried(body=f"dear {ben}, {name}") == (Carried("pii.email"), Carried("pii.name"))
    assert carried_by(note, Json(json.dumps({"text": f"dear {name}"}).encode())) == (Carried("pii.name"),)
    assert labels_in(Json(json.dumps([name, ana, ben]).encode())) == ["pii.email", "pii.name"]


def test_what_is_of_another_type_than_declared_is_named_and_not_told() -> None:
    @dataclass
    class Profile:
        phone: Annotated[str, Label("pii.phone")]

    with pytest.raises(ContractBroken, match="phone") as broken:
        codec_of(Profile).encode(Profile(phone=491705550199))  # type: ignore[arg-type]
    assert "5550199" not in str(broken.value)


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"
    owner: Email = ""


class Dog(BaseModel):
    kind: Literal["dog"] = "dog"
    owner: Email = ""


class Zoo(BaseModel):
    animal: Annotated[Cat | Dog, Field(discriminator="kind")]


def test_labels_are_found_behind_every_way_to_write_a_type() -> None:
    assert "oneOf" in json.dumps(codec_of(Zoo).plan.schema)  # type: ignore[union-attr]
    assert (
        "sealed:pii.email:"
        in Seals(MemoryVault(), SHOP).written(codec_of(Zoo), Zoo(animal=Dog(owner="d@x.org"))).text.decode()
    )
    label = next(name for name in codec_of(Person).plan.schema["properties"]["email"] if "label" in name)  # type: ignore[union-attr]
    marked = {"type": "string", label: "pii.email"}
    schemas: list[dict[str, Any]] = [
        {"$ref": "#/$defs/a~1b~0c", "$defs": {"a/b~c": marked}}, {"allOf": [{"type": "string"}, marked]}, {"anyOf": [{"type": "null"}, marked]},
        {"type": "array", "prefixItems": [{"type": "integer"}, marked]}, {"type": "object", "additionalProperties": marked},
        {"type": "array", "prefixItems": [{"type": "integer"}], "items": marked}, {"type": "array", "items": {"type": "array", "items": marked}},
    ]  # fmt: skip
    for schema, value in zip(schemas, ("v", "v", "v", [1, "v"], {"k": "v"}, [1, "v"], [[], ["v"]]), strict=True):
        plan = plan_of(schema)
        assert plan is not None
        seen: list[tuple[str, str]] = []

        def seal(mark: Mark, said: object, text: str, seen: list[tuple[str, str]] = seen) -> str:
            seen.append((mark.label, text))
            return "S"

        changed = json.dumps(plan.apply(value, seal))
        assert seen == [("pii.email", "v")], schema
        assert '"S"' in changed
    assert plan_of({"type": "string"}) is None
    with pytest.raises(ValueError, match="no text"):
        plan_of({"type": "integer", label: "pii.email"})


def test_of_several_values_in_one_text_each_is_its_own_and_the_longer_one_first(vault: MemoryVault) -> None:
    short, long = (vault.seal(SHOP, Subject("ana"), "pii.name", name) for name in ("Quetzal", "Quetzal Zephyrine"))
    seen = Seen({"Quetzal": short, "Quetzal Zephyrine": long}, {"abcd": "env:A", "abcdefgh": "env:B"})
    assert seen.hide("Quetzal, Quetzal Zephyrine and quetzal") == f"{short}, {long} and {short}"
    assert seen.hide("x abcdefgh, abcd.") == "x [secret env:B], [secret env:A]."
    assert json.loads(seen.hide_in(Json(b'{"quetzal":"Quetzal","a b":"abcd","k-Quetzal Zephyrine":1}')).text) == {  # type: ignore[union-attr]
        "quetzal": str(short), "a b": "[secret env:A]", f"k-{long}": 1,
    }  # fmt: skip


def test_labels_stand_in_the_schema_under_names_of_their_own() -> None:
    properties = codec_of(Everything).plan.schema["properties"]  # type: ignore[union-attr]
    assert properties["mails"]["items"] == {"type": "string", "kernos:label": "pii.email", "kernos:subject": "customer"}
    assert (properties["text"]["kernos:searched"], properties["text"]["kernos:subject"]) == (True, "customer")


def test_each_value_gets_its_own_handle_back_whatever_the_order_of_letters_and_lengths() -> None:
    names = ("Zeta Quetzal", "Anna-Maria Zephyrine", "Quetzalina", "Zeta")
    handles = {name: Handle("pii.name", letter * 16, "b" * 26) for name, letter in zip(names, "abcd", strict=True)}
    seen = Seen(dict(handles))
    expected = f"{handles['Zeta Quetzal']}, {handles['Quetzalina']} and {handles['Anna-Maria Zephyrine']}"
    assert seen.hide("Zeta Quetzal, Quetzalina and Anna-Maria Zephyrine") == expected
    later = Handle("pii.name", "e" * 16, "b" * 26)
    seen.handles["Mirabelle"] = later
    assert seen.hide("Mirabelle, Quetzalina") == f"{later}, {handles['Quetzalina']}", "also one that came later"
    secrets = Seen(secrets={"zz12zz12": "env:IN", "abzz12zz12xx": "env:ALL", "q": "env:Q"})
    assert secrets.hide("abzz12zz12xx and zz12zz12.") == "[secret env:ALL] and [secret env:IN]."


def test_what_is_sealed_or_hidden_is_written_short_and_with_its_own_letters(vault: MemoryVault) -> None:
    found = Seals(vault, SHOP).written(CODEC, Everything(customer="J\u00f6rg", mails=["a@x.org"]))
    assert found.text.startswith('{"customer":"J\u00f6rg","people":[],"by_name":{},'.encode())
    handle = Handle("pii.name", "a" * 16, "b" * 26)
    seen = Seen({"Zephyrine": handle})
    assert seen.hide_in(Json('{"a": "f\u00fcr Zephyrine"}'.encode())) == Json(f'{{"a": "f\u00fcr {handle}"}}'.encode())
    torn = vault.seal(SHOP, Subject("ana"), "pii.name", "\ud800 'Z\u00f6e\" ")
    text = Seals(vault, SHOP).opened(Json(f'["{torn}"]'.encode()), Seen()).text
    assert text == '["\\ud800 \'Z\u00f6e\\" "]'.encode()
    half = Json(b'["\\ud800 Zephyrine"]')
    assert seen.hide_in(half) == Json(f'["\\ud800 {handle}"]'.encode()), "half of a pair stays an escape"


@pytest.mark.parametrize("nobody", ["", "  ", None, True, 1.5, ["ana"]])
def test_where_the_field_names_nobody_each_value_is_a_subject_of_its_own(vault: MemoryVault, nobody: object) -> None:
    plan = codec_of(Person).plan
    value = Json(json.dumps({"customer": nobody, "email": " A@x.org"}).encode())
    (handle,) = handles_in(Seals(vault, SHOP).sealed(plan, value).text)
    assert handle.key == vault.keys(SHOP, "a@x.org")[0]
    assert vault.open(SHOP, handle) == " A@x.org"


# --- what an answer is about -------------------------------------------------------------------------------------


class Parcel(BaseModel):
    status: Literal["sent", "lost"] = "sent"
    address: Annotated[str, Label("pii.address", subject="customer")] = "1 Quetzal Road"
    numbers: list[Annotated[str, Plain()]] = []
    said: str = ""
    of: Annotated[Literal["sent", "lost"], Label("pii.kind")] | None = None


def test_an_answer_that_names_nobody_is_of_whom_was_asked_about(vault: MemoryVault) -> None:
    seals, parcel = Seals(vault, SHOP), codec_of(Parcel)
    asked = vault.seal(SHOP, Subject("ana"), "pii.email", "ana@x.org")
    args = Json(json.dumps({"id": "S-1", "customer": str(asked)}).encode())
    for outcome in (Json(b"{}"), Json(b'{"address":"2 Quetzal Road"}')):
        answer = seals.answered(parcel, parcel.encode(parcel.decode(outcome)), Seen(), args)
        assert isinstance(answer, Json)
        assert {handle.key for handle in handles_in(answer.text)} == {asked.key}
    reply = seals.answered(parcel, ModelReply(parcel.encode(Parcel()), Usage()), Seen(), args)
    assert isinstance(reply, ModelReply)
    assert [handle.key for handle in handles_in(reply.output.text)] == [asked.key]
    looked = seals.found(parcel, Found(done=True, evidence="", result=parcel.encode(Parcel())), Seen(), args)
    assert isinstance(looked, Found)
    assert looked.result is not None
    assert [handle.key for handle in handles_in(looked.result.text)] == [asked.key]
    alone = seals.answered(parcel, parcel.encode(Parcel()), Seen(), Json(b'"no object"'))
    assert isinstance(alone, Json)
    assert [handle.key for handle in handles_in(alone.text)] == [*vault.keys(SHOP, "1 quetzal road")]


def test_words_of_a_closed_list_and_what_is_marked_as_plain_stay_although_they_were_opened(vault: MemoryVault) -> None:
    parcel = codec_of(Parcel)
    seen = Seen({text: vault.seal(SHOP, Subject("ana"), "pii.letter", text) for text in ("sent", "A-1042")})
    seen.secrets["S-1042"] = "env:TOKEN"
    value = Parcel(numbers=["A-1042", "S-1042"], said="for A-1042", of="lost")
    answer = Seals(vault, SHOP).answered(parcel, parcel.encode(value), seen)
    assert isinstance(answer, Json)
    found = json.loads(answer.text)
    assert (found["status"], found["numbers"]) == ("sent", ["A-1042", "[secret env:TOKEN]"])
    assert found["said"] == f"for {seen.handles['A-1042']}"
    assert handle_of(found["of"]) is not None, "a label counts more than the list"


def test_what_comes_in_late_of_somebody_who_is_erased_is_kept_nowhere(vault: MemoryVault) -> None:
    seals, parcel = Seals(vault, SHOP), codec_of(Parcel)
    asked = vault.seal(SHOP, Subject("ana"), "pii.email", "ana@x.org")
    vault.destroy([asked.key])
    args = Json(json.dumps({"customer": str(asked)}).encode())
    answer = seals.answered(parcel, parcel.encode(Parcel()), Seen(), args)
    assert isinstance(answer, Json)
    assert b"Quetzal" not in answer.text
    (handle,) = handles_in(answer.text)
    with pytest.raises(Erased):
        vault.open(SHOP, handle)
    late = seals.searched("write to ana@x.org", Subject(key=asked.key), Seen())
    assert [one.key for one in handles_in(late.encode())] == [asked.key]
    assert vault.count(asked.key) == 0
