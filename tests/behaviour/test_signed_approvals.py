"""Signed approvals: a yes holds for the bytes about to be sent, once and for a while; with anything else a person is asked anew."""

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest
from msgspec import json

from benchmarks.subject.approvals import race
from kernos import Context, Kernel, Run, agent, tool
from kernos.adapters.joserfc.tokens import TokenReader
from kernos.app.stores import open_tokens
from kernos.control.attestation import complaint, shown_of
from kernos.control.codec import decode_entry
from kernos.control.gate import digest_of
from kernos.kernel.evolve import evolve
from kernos.kernel.state import RunState
from kernos.vocabulary.commands import GrantApproval
from kernos.vocabulary.contract import AgentContract
from kernos.vocabulary.events import ActionIntended, ApprovalEdited, ApprovalGranted, ApprovalRequested
from kernos.vocabulary.gate import Answer, Decision
from kernos.vocabulary.ids import EpochMs, PrincipalId, StepName
from kernos.vocabulary.quantities import Json
from tests.behaviour.shop import Receipt, Refund

STEP = StepName("2")


@dataclass(frozen=True)
class Bill:
    id: str
    total_cents: int = 0


FIRST, SECOND = Refund(order="A1", amount_cents=5), Refund(order="A2", amount_cents=7)


def desk_of(effects: list[Refund], answer: type[Receipt] | type[Bill] = Receipt) -> AgentContract[Refund, str]:
    @tool("shop.refund", effect="once")
    async def refund(request: Refund) -> answer:  # type: ignore[valid-type]
        effects.append(request)
        return answer(id="refund-1")

    @agent(tools=[refund])
    async def desk(ctx: Context, request: Refund) -> str:
        await ctx.checkpoint("read", "the ticket is read")
        return str(await ctx.call(refund, request))

    return desk


async def waits(kernel: Kernel, run: Run[str], times: int = 1) -> None:
    """Return once a person was asked about a call of the run so often."""
    while True:
        change = kernel.engine.changed(run.id)
        entries = await kernel.journal.read(run.id)
        if sum(isinstance(decode_entry(entry).data, ApprovalRequested) for entry in entries) >= times:
            return
        await change


async def happened(kernel: Kernel, run: Run[str], kind: type) -> list[object]:
    return [one for entry in await kernel.journal.read(run.id) if isinstance(one := decode_entry(entry).data, kind)]


async def test_a_yes_is_a_token_that_names_who_what_where_and_until_when(store: Path) -> None:
    contract = desk_of([])
    async with Kernel(store, agents=[contract], approval_token_ms=60_000) as kernel:
        run = await kernel.start(contract, FIRST, intent="pay her back")
        await waits(kernel, run)
        state = RunState(run.id)
        for entry in await kernel.journal.read(run.id):
            state = evolve(state, decode_entry(entry))
        head = await kernel.journal.head()
        await kernel.approve(run.id, by="person:ana")
        await run.result()
        (granted,) = await happened(kernel, run, ApprovalGranted)
        (intended,) = await happened(kernel, run, ActionIntended)
    assert isinstance(granted, ApprovalGranted)
    assert isinstance(intended, ActionIntended)
    claims = TokenReader.of(open_tokens(store).public_jwk()).read(granted.token)
    assert (claims.by, claims.run, claims.step, claims.tool) == ("person:ana", run.id, STEP, "shop.refund")
    assert (claims.checkpoint, claims.expires_at - claims.issued_at) == ("read", 60_000)
    assert claims.args_digest == digest_of(intended.args)
    assert head is not None
    assert (claims.head_size, claims.head_root) == (head.size, head.root.hex())
    assert claims.shown_digest == digest_of(Json(json.encode(shown_of(state, STEP))))
    assert intended.token == claims.token_id


async def test_the_yes_to_one_call_is_none_to_another(store: Path) -> None:
    effects: list[Refund] = []
    contract = desk_of(effects)
    async with Kernel(store, agents=[contract]) as kernel:
        first, second = [await kernel.start(contract, FIRST) for _ in range(2)]
        for run in (first, second):
            await waits(kernel, run)
        digest = (await kernel.engine.state(second.id)).steps[STEP].digest
        await kernel.approve(first.id)
        await first.result()
        (granted,) = await happened(kernel, first, ApprovalGranted)
        assert isinstance(granted, ApprovalGranted)
        for token, why in ((granted.token, "another run"), ("", "no signed token"), ("a.b.c", "no token signed")):
            asked = len(await happened(kernel, second, ApprovalRequested))
            command = GrantApproval(STEP, digest, kernel.engine.shared.clock.now(), "", token)
            await kernel.engine.command(second.id, command, PrincipalId("person:eve"))
            await waits(kernel, second, asked + 1)
            anew = (await happened(kernel, second, ApprovalRequested))[-1]
            assert isinstance(anew, ApprovalRequested)
            assert why in anew.again
        assert len(effects) == 1
        await kernel.approve(second.id)
        await second.result()
    assert len(effects) == 2


async def test_a_yes_that_lay_too_long_is_asked_anew(store: Path) -> None:
    effects: list[Refund] = []
    contract = desk_of(effects)
    async with Kernel(store, agents=[contract]) as kernel:
        run = await kernel.start(contract, FIRST)
        await waits(kernel, run)
    async with Kernel(store, works=False, approval_token_ms=1) as kernel:
        await kernel.approve(run.id)
    async with Kernel(store, agents=[contract]) as kernel:
        again = await kernel.run(run.id)
        await waits(kernel, again, 2)
        anew = (await happened(kernel, again, ApprovalRequested))[-1]
        assert isinstance(anew, ApprovalRequested)
        assert "was not used within" in anew.again
        assert effects == []
        await kernel.approve(run.id)
        await again.result()
    assert effects == [FIRST]


async def test_a_yes_to_a_tool_that_is_declared_anew_is_asked_anew(store: Path) -> None:
    effects: list[Refund] = []
    contract = desk_of(effects)
    async with Kernel(store, agents=[contract]) as kernel:
        run = await kernel.start(contract, FIRST)
        await waits(kernel, run)
    async with Kernel(store, works=False) as kernel:
        await kernel.approve(run.id)
    async with Kernel(store, agents=[desk_of(effects, Bill)]) as kernel:
        again = await kernel.run(run.id)
        await waits(kernel, again, 2)
        anew = (await happened(kernel, again, ApprovalRequested))[-1]
        assert isinstance(anew, ApprovalRequested)
        assert "tool as it is declared" in anew.again
    assert effects == []


async def test_changed_arguments_are_signed_as_they_were_changed(store: Path) -> None:
    effects: list[Refund] = []
    contract = desk_of(effects)
    async with Kernel(store, agents=[contract]) as kernel:
        run = await kernel.start(contract, FIRST)
        await waits(kernel, run)
        await kernel.edit(run.id, {"order": "A2", "amount_cents": 7}, by="person:ana")
        await run.result()
        (edited,) = await happened(kernel, run, ApprovalEdited)
    assert isinstance(edited, ApprovalEdited)
    assert open_tokens(store).read(edited.token).args_digest == digest_of(edited.args)
    assert effects == [SECOND]


@pytest.mark.limit(30)
async def test_one_yes_makes_one_action_however_many_use_it_or_say_it(tmp_path: Path) -> None:
    assert await race(tmp_path, 20) == (1, 1)


def test_a_granted_step_that_nobody_said_yes_to_is_not_approved() -> None:
    step = SimpleNamespace(voices=(), gate=None)
    state = SimpleNamespace(steps={STEP: step})
    refund = desk_of([]).tools[0]
    found = complaint(None, state, STEP, refund, EpochMs(0), Decision(Answer.ASK, "set"))  # type: ignore[arg-type]
    assert found == ("", "nobody's yes stands in the journal")
