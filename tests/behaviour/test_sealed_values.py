"""Sealed values: what is labelled is a handle wherever it is recorded or shown, and itself only inside the tool that may have it."""

import json
from pathlib import Path
from typing import Annotated

import pytest
from pydantic import BaseModel, Field

from kernos import (
    CallFailed,
    CallRefused,
    Consequence,
    Context,
    Erasure,
    Failed,
    FlowContract,
    FreeText,
    Kernel,
    Label,
    Listed,
    Role,
    Sweep,
    ToolFailed,
    agent,
    listing,
    tool,
)
from kernos.adapters.rules.model import RulesModel
from kernos.execution.seals import Seen
from kernos.vocabulary.errors import BadDeclaration, InvalidInput, NotAllowed, NotFound
from kernos.vocabulary.quantities import Json
from kernos.vocabulary.sealing import Handle, handles_in

CANARY = "canary.quetzal@example.org"
CARD = "4242 4242 4242 4242"
NAME = "Quetzalcoatl Zephyrine"
SECRETS = (CANARY, CARD, "Quetzalcoatl", "Zephyrine", CARD.replace(" ", ""))

OPEN = 'permit(principal, action, resource);\npermit(principal, action == Action::"open", resource) when { context.declared };\n'


class Ticket(BaseModel):
    customer: str
    email: Annotated[str, Field(pattern=".+@.+"), Label("pii.email", subject="customer")]
    name: Annotated[str, Label("pii.name", subject="customer")]
    text: Annotated[str, FreeText(subject="customer")]


class Mail(BaseModel):
    to: Annotated[str, Label("pii.email")]
    body: str


class Profile(BaseModel):
    customer: str
    phone: Annotated[str, Label("pii.phone", subject="customer")]


class Answer(BaseModel):
    text: str


SENT: list[Mail] = []
PROMPTS: list[str] = []


@pytest.fixture(autouse=True)
def _empty() -> None:
    SENT.clear()
    PROMPTS.clear()


@tool("mail.send", effect="once")
def send(mail: Mail) -> Answer:
    """Send a mail."""
    SENT.append(mail)
    return Answer(text=f"sent to {mail.to}")


@tool("crm.profile", effect="read")
def profile(ask: Answer) -> Profile:
    """Read what is known of a customer."""
    return Profile(customer=ask.text, phone="+49 170 5550199")


@tool("mail.bounce", effect="once")
def bounce(mail: Mail) -> Answer:
    """Fail with the address in the words of the failure."""
    raise ToolFailed.final(f"no mailbox {mail.to.upper()} here")


@agent("desk", tools=[send, profile, bounce], failures=["bounced"])
async def desk(ctx: Context, ticket: Ticket) -> Ticket:
    """Answer a ticket."""
    await ctx.checkpoint("read", f"a ticket of {ticket.name} <{ticket.email}>: {ticket.text}")
    answer = await ctx.model("reply", ticket, Answer, instructions=f"Answer {ticket.name}.")
    found = await ctx.call(profile, Answer(text=ticket.customer))
    assert found.phone.startswith("sealed:pii.phone:")
    await ctx.call(send, Mail(to=ticket.email, body=answer.text))
    return ticket


@agent("bouncer", tools=[bounce], failures=["bounced"])
async def bouncer(ctx: Context, ticket: Ticket) -> Answer:
    """Write to an address that is none, and say why it failed."""
    try:
        return await ctx.call(bounce, Mail(to=ticket.email, body="hello"))
    except CallFailed as error:
        raise Failed("bounced", str(error)) from error


@agent("gossip", tools=[send], failures=["refused"])
async def gossip(ctx: Context, ticket: Ticket) -> Answer:
    """Put a name into a mail's text."""
    try:
        return await ctx.call(send, Mail(to=ticket.email, body=f"Dear {ticket.name}"))
    except CallRefused as error:
        raise Failed("refused", str(error)) from error


def _ticket() -> Ticket:
    return Ticket(
        customer="C017",
        email=CANARY,
        name=NAME,
        text=f"my card {CARD} was charged twice, write to {CANARY} about order 1042",
    )


def _model(request: object) -> dict[str, str]:
    PROMPTS.append(repr(request))
    return {"text": "We are looking into it."}


def _kernel(path: Path, policies: str = OPEN) -> Kernel:
    return Kernel(
        path, agents=[desk, bouncer, gossip], models={"default": RulesModel({"reply": _model})}, policies=policies
    )


def _bytes_of_all(folder: Path) -> bytes:
    return b"\n".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def _assert_hidden(text: bytes) -> None:
    for secret in SECRETS:
        assert secret.lower().encode() not in text.lower(), secret


async def test_a_labelled_value_reaches_the_tool_that_declares_it_and_nothing_else(tmp_path: Path) -> None:
    async with _kernel(tmp_path / "desk.kernos") as kernel:
        run = await kernel.start(desk, _ticket(), intent=f"help {NAME} at {CANARY}", by="person:ana")
        output = await run.result()
        recorded = [repr(event) async for event in run.events(follow=False)]
        _assert_hidden(_bytes_of_all(tmp_path))
    _assert_hidden(_bytes_of_all(tmp_path))
    assert [mail.to for mail in SENT] == [CANARY]
    assert output.email.startswith("sealed:pii.email:")
    for shown in (repr(output), *recorded, *PROMPTS):
        _assert_hidden(shown.encode())
    assert "order 1042" in output.text


async def test_what_a_tool_says_of_a_value_that_it_was_given_is_sealed_again(tmp_path: Path) -> None:
    async with _kernel(tmp_path / "desk.kernos") as kernel:
        run = await kernel.start(bouncer, _ticket())
        with pytest.raises(Exception, match=r"no mailbox sealed:pii\.email:") as failed:
            await run.result()
    _assert_hidden(str(failed.value).encode())
    _assert_hidden(_bytes_of_all(tmp_path))


async def test_equal_values_of_one_subject_have_one_handle_and_those_of_another_have_another(tmp_path: Path) -> None:
    async with _kernel(tmp_path / "desk.kernos") as kernel:
        outputs = [
            await (await kernel.start(desk, _ticket().model_copy(update={"customer": one}))).result()
            for one in ("C017", "c017 ", "C018")
        ]
    assert outputs[0].email == outputs[1].email != outputs[2].email


@pytest.mark.parametrize("policies", ["permit(principal, action, resource);", OPEN])
async def test_a_value_goes_nowhere_that_no_rule_on_opening_permits(tmp_path: Path, policies: str) -> None:
    async with _kernel(tmp_path / "desk.kernos", policies) as kernel:
        run = await kernel.start(gossip, _ticket())
        with pytest.raises(Exception, match=r"pii\.\w+ may not be opened for mail.send: no policy permits"):
            await run.result()
    assert SENT == []


async def test_a_rule_opens_a_label_for_a_tool_in_its_text_too(tmp_path: Path) -> None:
    rule = 'permit(principal, action == Action::"open", resource is mail::send) when { context.label == "pii.name" };'
    async with _kernel(tmp_path / "desk.kernos", OPEN + rule) as kernel:
        await (await kernel.start(gossip, _ticket())).result()
    assert [mail.body for mail in SENT] == [f"Dear {NAME}"]
    _assert_hidden(_bytes_of_all(tmp_path))


async def test_a_forbid_on_labels_holds_against_every_permit(tmp_path: Path) -> None:
    rule = 'forbid(principal, action, resource is mail::send) when { context.labels.contains("pii.email") };'
    async with _kernel(tmp_path / "desk.kernos", OPEN + rule) as kernel:
        run = await kernel.start(gossip, _ticket())
        with pytest.raises(Exception, match="forbidden by"):
            await run.result()
    assert SENT == []


async def test_a_model_sees_a_value_only_where_a_rule_opens_its_label_for_it(tmp_path: Path) -> None:
    rule = 'permit(principal, action == Action::"open", resource == Model::"default") when { context.label == "pii.name" };'
    async with _kernel(tmp_path / "desk.kernos", OPEN + rule) as kernel:
        await (await kernel.start(desk, _ticket())).result()
    assert NAME in PROMPTS[0] and CANARY not in PROMPTS[0]
    _assert_hidden(_bytes_of_all(tmp_path))


async def test_an_erased_person_is_gone_from_every_file_and_the_journal_verifies(tmp_path: Path) -> None:
    store = tmp_path / "desk.kernos"
    async with _kernel(store) as kernel:
        output = await (await kernel.start(desk, _ticket())).result()
        key = next(handles_in(output.email.encode())).key
        slots = (tmp_path / "desk.kernos.vault.slots").read_bytes()
        receipt = await Erasure(kernel).erase(" C017", reason="asked for it", by="person:ana")
        assert receipt.keys == (key,)
        assert receipt.values >= 4
        verified = await kernel.journal.verify(lambda *_: None)
        assert not verified.findings
        run = await kernel.start(gossip, Ticket.model_construct(**output.model_dump()))
        with pytest.raises(Exception, match=r"erased|may not be opened"):
            await run.result()
        with pytest.raises(NotFound):
            await Erasure(kernel).erase("C017", by="person:ana")
    after = (tmp_path / "desk.kernos.vault.slots").read_bytes()
    wrapped = slots[17:77]
    assert wrapped not in _bytes_of_all(tmp_path)
    assert len(after) == len(slots)


async def test_a_value_of_an_erased_person_fails_the_call_that_needs_it(tmp_path: Path) -> None:
    async with _kernel(tmp_path / "desk.kernos") as kernel:
        output = await (await kernel.start(desk, _ticket())).result()
        await Erasure(kernel).erase("C017", by="person:ana")
        run = await kernel.start(bouncer, Ticket.model_construct(**output.model_dump()))
        with pytest.raises(Exception, match=r"a value labelled pii\.email was erased"):
            await run.result()


async def test_who_comes_back_after_an_erasure_gets_a_key_of_their_own_again(tmp_path: Path) -> None:
    async with _kernel(tmp_path / "desk.kernos") as kernel:
        before = await (await kernel.start(desk, _ticket())).result()
        await Erasure(kernel).erase("C017", by="person:ana")
        after = await (await kernel.start(desk, _ticket())).result()
    assert before.email != after.email
    assert [mail.to for mail in SENT] == [CANARY, CANARY]


async def test_only_a_person_erases_somebody(tmp_path: Path) -> None:
    async with _kernel(tmp_path / "desk.kernos") as kernel:
        with pytest.raises(NotAllowed, match="is no person"):
            await Erasure(kernel).erase("C017", by="service:cron")
        with pytest.raises(InvalidInput, match="nobody is named"):
            await Erasure(kernel).erase("  ", by="person:ana")


async def test_a_handle_of_another_tenant_opens_nothing(tmp_path: Path) -> None:
    async with _kernel(tmp_path / "desk.kernos") as kernel:
        output = await (await kernel.start(desk, _ticket(), tenant="shop")).result()
        run = await kernel.start(bouncer, Ticket.model_construct(**output.model_dump()), tenant="other")
        with pytest.raises(Exception, match="not sealed for tenant other"):
            await run.result()


async def test_an_input_that_does_not_fit_is_refused_without_being_quoted(tmp_path: Path) -> None:
    wrong = {"customer": "C017", "email": "canary.quetzal at example", "name": NAME, "text": ""}
    async with _kernel(tmp_path / "desk.kernos") as kernel:
        with pytest.raises(InvalidInput, match=r"what is labelled pii\.email does not fit") as refused:
            await kernel.start("desk", wrong)
    assert "quetzal" not in json.dumps([str(refused.value), refused.value.hint])


async def test_what_a_signal_says_to_a_run_with_labelled_values_is_searched(tmp_path: Path) -> None:
    @agent("waiter")
    async def waiter(ctx: Context, ticket: Ticket) -> str:
        return await ctx.wait("reply", str)

    async with Kernel(tmp_path / "desk.kernos", agents=[waiter], policies=OPEN) as kernel:
        run = await kernel.start(waiter, _ticket())
        await kernel.signal(run.id, "reply", f"it is {CANARY}", by="person:ana")
        assert "sealed:pii.email:" in await run.result()
    _assert_hidden(_bytes_of_all(tmp_path))


def test_a_label_needs_a_name_in_two_words_and_a_text() -> None:
    with pytest.raises(BadDeclaration, match="cannot name a label"):
        Label("email")

    class Wrong(BaseModel):
        age: Annotated[int, Label("pii.age")]

    with pytest.raises(BadDeclaration, match="no text"):

        @tool("crm.age", effect="read")
        def age(of: Wrong) -> Answer:
            return Answer(text="")


async def test_a_value_that_stands_where_it_is_declared_and_in_a_text_too_is_not_declared(tmp_path: Path) -> None:
    @agent("echoing", tools=[send], failures=["refused"])
    async def echoing(ctx: Context, ticket: Ticket) -> Answer:
        try:
            return await ctx.call(send, Mail(to=ticket.email, body=f"your address is {ticket.email}"))
        except CallRefused as error:
            raise Failed("refused", str(error)) from error

    async with Kernel(tmp_path / "desk.kernos", agents=[echoing], policies=OPEN) as kernel:
        run = await kernel.start(echoing, _ticket())
        with pytest.raises(Exception, match=r"pii\.email may not be opened"):
            await run.result()
    assert SENT == []


@pytest.mark.parametrize(("to", "is_own"), [("C017", True), ("C018", False)])
async def test_a_rule_may_open_a_value_for_its_own_subject_alone(tmp_path: Path, to: str, is_own: bool) -> None:
    @tool("post.send", effect="once", flow=FlowContract(Consequence.EGRESS, {"to": Role.DESTINATION}))
    def post(mail: Mail) -> Answer:
        SENT.append(mail)
        return Answer(text="sent")

    class Pair(BaseModel):
        theirs: Ticket
        whose: Ticket

    @agent("poster", tools=[post], failures=["refused"])
    async def poster(ctx: Context, pair: Pair) -> Answer:
        try:
            return await ctx.call(post, Mail(to=pair.whose.email, body=f"Dear {pair.theirs.name}"))
        except CallRefused as error:
            raise Failed("refused", str(error)) from error

    rule = 'permit(principal, action == Action::"open", resource) when { context.own };'
    whose = _ticket().model_copy(update={"customer": to, "email": "other@example.org"})
    async with Kernel(tmp_path / "desk.kernos", agents=[poster], policies=OPEN + rule) as kernel:
        run = await kernel.start(poster, Pair(theirs=_ticket(), whose=whose))
        if is_own:
            await run.result()
            assert [mail.body for mail in SENT] == [f"Dear {NAME}"]
        else:
            with pytest.raises(Exception, match=r"pii\.name may not be opened"):
                await run.result()
            assert SENT == []


async def test_a_services_own_list_is_compared_though_the_journal_has_handles(tmp_path: Path) -> None:
    asked: list[object] = []

    @listing("mail.sent")
    def sent(sweep: Sweep) -> list[Listed]:
        asked.extend(sweep.requests)
        return [Listed(f"M-{n}", {"to": mail.to, "body": mail.body}) for n, mail in enumerate(SENT)]

    @tool("mail.listed", effect="once", listed=sent)
    def mailed(mail: Mail) -> Answer:
        SENT.append(mail)
        return Answer(text="sent")

    @agent("writer", tools=[mailed])
    async def writer(ctx: Context, ticket: Ticket) -> Answer:
        return await ctx.call(mailed, Mail(to=ticket.email, body="hello"))

    async with Kernel(tmp_path / "desk.kernos", agents=[writer], policies=OPEN) as kernel:
        await (await kernel.start(writer, _ticket())).result()
        found = await kernel.reconcile()
        assert (found.actions, found.effects, found.differences) == (1, 1, ())
        assert asked == [{"to": CANARY, "body": "hello"}]
        SENT.append(SENT[0])
        (difference,) = (await kernel.reconcile()).differences
        assert difference.deviation == "doubled"
        _assert_hidden(repr(difference).encode())
        await Erasure(kernel).erase("C017", by="person:ana")
        assert len((await kernel.reconcile()).differences) == 3


async def test_what_people_put_in_is_sealed_too(tmp_path: Path) -> None:
    @agent("careful", tools=[send, bounce])
    async def careful(ctx: Context, ticket: Ticket) -> str:
        told = await ctx.ask("lead", "Where to?")
        await ctx.call(send, Mail(to=ticket.email, body="hello"))
        return told

    ask = 'permit(principal, action == Action::"invoke", resource);\n' + OPEN.split("\n")[1]
    async with Kernel(tmp_path / "desk.kernos", agents=[careful], policies=ask) as kernel:
        run = await kernel.start(careful, _ticket())
        async for event in run.events():
            match type(event.data).__name__:
                case "QuestionAsked":
                    await kernel.answer(run.id, f"to {CANARY}", by="person:ana")
                case "ApprovalRequested":
                    await kernel.edit(run.id, {"to": "other.quetzalcoatl@example.org"}, by="person:ana")
        assert (await run.result()).startswith("to sealed:pii.email:")
    assert [mail.to for mail in SENT] == ["other.quetzalcoatl@example.org"]
    _assert_hidden(_bytes_of_all(tmp_path))


def test_a_value_is_found_again_in_keys_and_texts_but_no_field_loses_its_name() -> None:
    seen = Seen({"text": Handle("pii.name", "a" * 16, "b" * 26), CANARY: Handle("pii.email", "a" * 16, "c" * 26)})
    told = Json(json.dumps({CANARY.upper(): 1, "text": "Text", "odd": "\ud800", "pretext": [f"<{CANARY}>"]}).encode())
    hidden = seen.hide_in(told)
    assert hidden is not None
    _assert_hidden(hidden.text)
    assert list(json.loads(hidden.text))[1:] == ["text", "odd", "pretext"]
    assert json.loads(hidden.text)["text"].startswith("sealed:pii.name:")
    assert json.loads(hidden.text)["odd"] == "\ud800"
