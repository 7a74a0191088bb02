"""Raising a cap is a signed act: it counts for what the token says, said by whoever said it, and only if that still holds where the cap counts."""

from dataclasses import replace
from pathlib import Path

import pytest

from kernos import Access, Budget, CallFailed, Context, Kernel, agent
from kernos.adapters.system.clock import SystemClock
from kernos.app.own_keys import new_own_key, open_own_key
from kernos.app.spending import Spending
from kernos.app.stores import open_tokens, rotate_store_key
from kernos.control.gate import digest_of
from kernos.control.raising import RAISE, change_of
from kernos.testing import ScriptedModel
from kernos.vocabulary.administration import ADMINISTRATION
from kernos.vocabulary.budget import Cap, CapRaised, Caps, Over, RaiseCap, Unit
from kernos.vocabulary.errors import InvalidInput, NotAllowed, NotFound
from kernos.vocabulary.ids import DEFAULT_TENANT, EpochMs, PrincipalId, TenantId

ANA, BO = "person:ana", "person:bo"
ALL = "permit(principal, action, resource);"
CAPS = Caps((Cap(Over.AGENT, Unit.CALLS, 1),))
OWN = replace(CAPS, is_raised_with_own_key=True)
MORE = RaiseCap(DEFAULT_TENANT, Over.AGENT, "reader", Unit.CALLS, 1, 5, "more")


@agent("reader")
async def reader(ctx: Context, text: str) -> str:
    try:
        return await ctx.model("read", text, str)
    except CallFailed as failed:
        return failed.failure


def opened(store: Path, caps: Caps = CAPS) -> Kernel:
    return Kernel(store, agents=[reader], models={"default": ScriptedModel(["read"] * 9)}, policies=ALL, budgets=caps)


async def read(kernel: Kernel) -> str:
    return await (await kernel.start(reader, "x")).result()


async def test_a_raise_is_signed_for_exactly_its_change(store: Path) -> None:
    async with opened(store) as kernel:
        raised = await Spending(kernel).raise_cap(Over.AGENT, "reader", Unit.CALLS, 2, reason="more", by=ANA)
        ((listed, wrong),) = Spending(kernel).raised()
        assert (listed.by, listed.data, wrong) == (ANA, raised, "")
    claims = open_tokens(store).read(raised.token)
    assert (claims.tool, claims.by, claims.tenant, claims.run) == (RAISE, ANA, DEFAULT_TENANT, ADMINISTRATION)
    assert claims.args_digest == claims.shown_digest == digest_of(change_of(raised))
    assert (
        change_of(raised).text
        == b'{"tenant":"default","over":"agent","name":"reader","unit":"calls","old":1,"new":2,"reason":"more","until":0,"asked_by":""}'
    )
    assert claims.expires_at - claims.issued_at == 900_000


async def test_a_raise_without_a_signed_word_does_not_count(store: Path) -> None:
    async with opened(store) as kernel:
        assert [await read(kernel), await read(kernel)] == ["read", "over_budget"]
        await kernel.administrator.command(MORE, PrincipalId(ANA))
        assert await read(kernel) == "over_budget"
        ((_, wrong),) = Spending(kernel).raised()
        assert wrong == "the yes carries no signed token"
        assert [line.cap for line in await Spending(kernel).lines()] == [1]
        await Spending(kernel).raise_cap(Over.AGENT, "reader", Unit.CALLS, 3, reason="said rightly", by=ANA)
        assert [await read(kernel), await read(kernel), await read(kernel)] == ["read", "read", "over_budget"]


async def test_a_signed_word_for_another_change_or_of_somebody_else_does_not_count(store: Path) -> None:
    async with opened(store) as kernel:
        raised = await Spending(kernel).raise_cap(Over.AGENT, "reader", Unit.CALLS, 2, reason="more", by=ANA)
        good = Spending(kernel).raised()[0][0]
        assert kernel.raises.complaint(good) == ""
        others: list[CapRaised] = [
            replace(raised, tenant=TenantId("other")), replace(raised, over=Over.WORKFLOW), replace(raised, name="writer"),
            replace(raised, unit=Unit.TOKENS), replace(raised, old=0), replace(raised, new=9), replace(raised, reason="none"),
        ]  # fmt: skip
        wrongs = [*(replace(good, data=one) for one in others), replace(good, by=PrincipalId(BO))]
        for wrong in wrongs:
            assert kernel.raises.complaint(wrong) == "what is signed is another word than what stands in the journal"
        for nobody in ("service:cron", "agent:reader@1"):
            assert "is no person" in kernel.raises.complaint(replace(good, by=PrincipalId(nobody)))
        late = replace(good, at=EpochMs(good.at + 900_000))
        assert kernel.raises.complaint(late) == "it was given when the signed word could be used no more"
        assert "no token signed by this key" in kernel.raises.complaint(
            replace(good, data=replace(raised, token="a.b.c"))
        )


async def test_a_raise_holds_in_other_processes_and_after_a_restart_and_not_after_the_key_was_compromised(
    store: Path,
) -> None:
    async with opened(store) as kernel:
        await Spending(kernel).raise_cap(Over.AGENT, "reader", Unit.CALLS, 3, reason="more", by=ANA)
        async with Kernel(store, works=False, budgets=CAPS) as other:
            assert other.raises.amounts() == {(DEFAULT_TENANT, Over.AGENT, "reader", Unit.CALLS): 3}
    async with opened(store) as kernel:
        assert [await read(kernel) for _ in range(4)] == ["read", "read", "read", "over_budget"]
    rotate_store_key(store, SystemClock(), by=ANA, reason="stolen", is_compromised=True)
    async with opened(store) as kernel:
        assert kernel.raises.amounts() == {}
        await Spending(kernel).raise_cap(Over.AGENT, "reader", Unit.CALLS, 4, reason="again", by=ANA)
        assert [await read(kernel), await read(kernel)] == ["read", "over_budget"]


async def test_where_the_file_wants_it_a_raise_takes_the_persons_own_key(store: Path, tmp_path: Path) -> None:
    jwk, key = new_own_key(tmp_path / "ana.key"), open_own_key(tmp_path / "ana.key")
    async with opened(store, OWN) as kernel:
        spending = Spending(kernel)
        with pytest.raises(NotAllowed, match="takes the signature of person:ana with a key of their own") as refused:
            await spending.raise_cap(Over.AGENT, "reader", Unit.CALLS, 2, reason="more", by=ANA)
        assert "--sign-with" in refused.value.hint
        with pytest.raises(NotAllowed, match="person:ana has no key of their own here"):
            await spending.raise_cap(Over.AGENT, "reader", Unit.CALLS, 2, reason="more", by=ANA, sign=key.sign)
        name = await Access(kernel).add_key(ANA, jwk)
        with pytest.raises(NotAllowed, match="person:bo has no key of their own here"):
            await spending.raise_cap(Over.AGENT, "reader", Unit.CALLS, 2, reason="more", by=BO, sign=key.sign)
        assert spending.raised() == []
        raised = await spending.raise_cap(Over.AGENT, "reader", Unit.CALLS, 2, reason="more", by=ANA, sign=key.sign)
        assert raised.own_signature.split(".")[1] == raised.token.split(".")[1]
        assert [await read(kernel) for _ in range(3)] == ["read", "read", "over_budget"]
        await Access(kernel).revoke_key(name, reason="lost")
        assert kernel.raises.amounts() == {}, "what a revoked key signed counts no more"


async def test_a_raise_counts_as_long_as_its_person_has_the_role_that_may_raise(store: Path) -> None:
    async with opened(store, replace(CAPS, raised_by=("finance",))) as kernel:
        access, spending = Access(kernel), Spending(kernel)
        await access.admit(ANA, roles=["finance"])
        with pytest.raises(NotAllowed, match="takes the role finance"):
            await spending.raise_cap(Over.AGENT, "reader", Unit.CALLS, 3, reason="more", by=BO)
        await spending.raise_cap(Over.AGENT, "reader", Unit.CALLS, 3, reason="more", by=ANA)
        assert [await read(kernel), await read(kernel)] == ["read", "read"]
        await access.admit(ANA, roles=["lead"])
        ((_, wrong),) = spending.raised()
        assert wrong == "person:ana does not have the role finance"
        assert await read(kernel) == "over_budget"
        await access.admit(ANA, roles=["finance"])
        assert await read(kernel) == "read"


async def test_where_the_file_wants_it_nobody_raises_what_they_asked_for_themselves(store: Path) -> None:
    async with opened(store, replace(CAPS, is_asked_by_another=True)) as kernel:
        spending = Spending(kernel)

        async def raise_to(amount: int, by: str) -> CapRaised:
            return await spending.raise_cap(Over.AGENT, "reader", Unit.CALLS, amount, reason="more", by=by)

        async def ask_for(amount: int, by: str) -> None:
            await spending.ask_raise(Over.AGENT, "reader", Unit.CALLS, amount, reason="much to read", by=by)

        with pytest.raises(NotAllowed, match="no person but person:ana asked for it") as refused:
            await raise_to(3, ANA)
        assert "kernos budget ask" in refused.value.hint
        await ask_for(3, ANA)
        with pytest.raises(NotAllowed, match="no person but person:ana"):
            await raise_to(3, ANA)
        with pytest.raises(NotAllowed, match="person:ana asks for 3 calls, not for 4"):
            await raise_to(4, BO)
        (wish,) = spending.asked()
        assert (wish.by, wish.data.new, wish.data.reason) == (ANA, 3, "much to read")
        raised = await raise_to(3, BO)
        assert raised.asked_by == ANA
        assert spending.asked() == []
        assert [await read(kernel) for _ in range(4)] == ["read", "read", "read", "over_budget"]
        ((good, wrong),) = spending.raised()
        assert wrong == ""
        other = replace(good, data=replace(raised, asked_by=PrincipalId("person:cy")))
        assert "another word" in kernel.raises.complaint(other)
        with pytest.raises(NotAllowed, match="no person but person:bo"):
            await raise_to(5, BO)  # What was asked for is used up.
        await ask_for(5, "service:cron")
        with pytest.raises(NotAllowed, match="no person but"):
            await raise_to(5, BO)


async def test_a_raise_that_nobody_else_asked_for_counts_no_more_once_the_file_wants_that(store: Path) -> None:
    async with opened(store) as kernel:
        await Spending(kernel).raise_cap(Over.AGENT, "reader", Unit.CALLS, 3, reason="more", by=ANA)
        assert kernel.raises.amounts()
    async with opened(store, replace(CAPS, is_asked_by_another=True)) as kernel:
        assert kernel.raises.amounts() == {}


async def test_whoever_started_a_run_asks_for_the_raise_of_its_cap_and_may_not_be_who_raises_it(store: Path) -> None:
    async with opened(store, replace(CAPS, is_asked_by_another=True)) as kernel:
        run = await kernel.start(reader, "x", budget=Budget(calls=0), by=ANA)
        assert await run.result() == "over_budget"
        spending = Spending(kernel)
        with pytest.raises(NotAllowed, match="person:ana started run"):
            await spending.raise_cap(Over.RUN, run.id, Unit.CALLS, 1, reason="more", by=ANA)
        raised = await spending.raise_cap(Over.RUN, run.id, Unit.CALLS, 1, reason="more", by=BO)
        assert raised.asked_by == ANA


async def test_who_asks_is_not_made_up(store: Path) -> None:
    async with opened(store) as kernel:
        with pytest.raises(NotAllowed, match="person:bo does not ask for the cap of agent reader"):
            await kernel.administrator.command(replace(MORE, asked_by=PrincipalId(BO)), PrincipalId(ANA))
        for amount, reason in ((0, "why"), (5, "")):
            with pytest.raises(InvalidInput, match="asks for nothing"):
                await Spending(kernel).ask_raise(Over.AGENT, "reader", Unit.CALLS, amount, reason=reason, by=BO)
        with pytest.raises(NotFound):
            await Spending(kernel).ask_raise(Over.TENANT, "", Unit.CALLS, 5, reason="why", by=BO)
