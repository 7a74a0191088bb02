"""Signed approvals over a rotation of the key: an unused yes counts until it expires, unless others may have the key that signed it."""

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.subject.approvals import CLAIMS
from kernos import Kernel
from kernos.adapters.joserfc.tokens import TokenReader
from kernos.adapters.system.clock import SystemClock
from kernos.app.stores import open_tokens, rotate_store_key, store_keys
from kernos.control.codec import decode_entry
from kernos.vocabulary.commands import GrantApproval
from kernos.vocabulary.errors import BadConfiguration, StoreBusy, Tampered
from kernos.vocabulary.events import ApprovalGranted, ApprovalRequested
from kernos.vocabulary.ids import EpochMs, PrincipalId, RunId
from tests.behaviour.shop import Refund
from tests.behaviour.test_signed_approvals import FIRST, SECOND, STEP, desk_of, happened, waits


async def asked(store: Path, effects: list[Refund]) -> RunId:
    """Return a run that a process left waiting for a yes."""
    contract = desk_of(effects)
    async with Kernel(store, agents=[contract]) as kernel:
        run = await kernel.start(contract, FIRST)
        await waits(kernel, run)
    return run.id


async def approved(store: Path, effects: list[Refund]) -> tuple[RunId, str]:
    """Return a run that somebody said yes to while no process ran agents, and the token."""
    run = await asked(store, effects)
    async with Kernel(store, works=False) as kernel:
        await kernel.approve(run, by="person:ana")
        events = [decode_entry(entry).data for entry in await kernel.journal.read(run)]
    (token,) = [one.token for one in events if isinstance(one, ApprovalGranted)]
    return run, token


async def test_an_unused_yes_of_a_key_that_was_rotated_away_is_used(store: Path) -> None:
    effects: list[Refund] = []
    run, token = await approved(store, effects)
    before = open_tokens(store)
    rotate_store_key(store, SystemClock(), by="person:ana")
    async with Kernel(store, agents=[desk_of(effects)]) as kernel:
        await (await kernel.run(run)).result()
        later = await kernel.start(desk_of(effects), SECOND)
        await waits(kernel, later)
        await kernel.approve(later.id, by="person:ana")
        await later.result()
        (granted,) = await happened(kernel, later, ApprovalGranted)
    assert effects == [FIRST, SECOND]
    assert isinstance(granted, ApprovalGranted)
    after = open_tokens(store)
    assert (after.key_of(token).id, after.key_of(granted.token).id) == tuple(one.id for one in store_keys(store))
    for text in (token, granted.token):
        assert TokenReader.of(after.public_jwk_set()).read(text) == after.read(text)
    assert before.read(token) == after.read(token)


async def test_an_unused_yes_of_a_key_that_others_may_have_is_asked_anew(store: Path) -> None:
    effects: list[Refund] = []
    run, token = await approved(store, effects)
    rotate_store_key(store, SystemClock(), by="person:ana", reason="lost laptop", is_compromised=True)
    async with Kernel(store, agents=[desk_of(effects)]) as kernel:
        again = await kernel.run(run)
        await waits(kernel, again, 2)
        anew = (await happened(kernel, again, ApprovalRequested))[-1]
        assert isinstance(anew, ApprovalRequested)
        assert "others may have it" in anew.again
        assert effects == []
        await kernel.approve(run, by="person:ana")
        await again.result()
    assert effects == [FIRST]
    assert open_tokens(store).read(token).by == "person:ana"  # What it says can still be read.


async def test_a_yes_that_says_it_was_made_after_its_key_had_gone_is_asked_anew(store: Path) -> None:
    """Somebody copied the old key, and got their yes into the journal of a process that holds the new one."""
    effects: list[Refund] = []
    run = await asked(store, effects)
    old = open_tokens(store)
    rotate_store_key(store, SystemClock(), by="person:ana")
    async with Kernel(store, works=False) as kernel:
        now = kernel.engine.shared.clock.now()
        token = old.seal(replace(CLAIMS, run=run, step=STEP, issued_at=now, expires_at=EpochMs(now + 60_000)))
        digest = (await kernel.engine.state(run)).steps[STEP].digest
        await kernel.engine.command(run, GrantApproval(STEP, digest, now, "", token), PrincipalId("person:eve"))
    async with Kernel(store, agents=[desk_of(effects)]) as kernel:
        again = await kernel.run(run)
        await waits(kernel, again, 2)
        anew = (await happened(kernel, again, ApprovalRequested))[-1]
        assert isinstance(anew, ApprovalRequested)
        assert "had been rotated away by then" in anew.again
    assert effects == []


async def test_a_client_that_holds_the_old_key_gets_no_yes_into_the_journal(store: Path) -> None:
    effects: list[Refund] = []
    run = await asked(store, effects)
    async with Kernel(store, works=False) as kernel:
        rotate_store_key(store, SystemClock(), by="person:ana")
        with pytest.raises(BadConfiguration, match="was rotated"):
            await kernel.approve(run, by="person:ana")
    async with Kernel(store, works=False) as kernel:
        await kernel.approve(run, by="person:ana")


async def test_a_running_kernel_keeps_its_key(store: Path) -> None:
    async with Kernel(store, agents=[desk_of([])]):
        with pytest.raises(StoreBusy, match="runs agents"):
            rotate_store_key(store, SystemClock(), by="person:ana")
    assert len(store_keys(store)) == 1


async def test_tokens_are_not_opened_with_the_key_of_another_store(store: Path) -> None:
    await asked(store, [])
    other = store.with_name("other.kernos")
    await asked(other, [])
    store.with_name(f"{store.name}.key").write_bytes(other.with_name(f"{other.name}.key").read_bytes())
    with pytest.raises(Tampered, match="not the key"):
        open_tokens(store)
