"""Own keys: where a rule wants it, a person's yes counts only with a signature by a key of theirs, over this very yes."""

import random
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchmarks.subject.approvals import CLAIMS, mutated
from kernos import Access, Kernel, Run
from kernos.adapters.joserfc.tokens import JoseTokens, OwnKey, TokenReader
from kernos.app.own_keys import new_own_key, open_own_key
from kernos.app.stores import open_tokens
from kernos.control.codec import decode_entry
from kernos.kernel.state import Status
from kernos.vocabulary.administration import ADMINISTRATION
from kernos.vocabulary.approval import ApprovalClaims
from kernos.vocabulary.commands import GrantApproval
from kernos.vocabulary.errors import BadConfiguration, BadToken, InvalidInput, NotAllowed, NotFound
from kernos.vocabulary.events import ActionIntended, ApprovalGranted, ApprovalRequested
from kernos.vocabulary.ids import PrincipalId
from kernos.vocabulary.own_keys import JWS_ED25519
from kernos.vocabulary.policies import BadPolicies
from tests.behaviour.test_quorum import asked, desk, policy, until

BO, CY = "person:bo", "person:cy"
OWN = policy('@approvers("person:bo, person:cy") @level("own-key")')
TWO = policy('@approvers("person:bo, person:cy") @level("own-key") @quorum("2")')


class Person:
    """Somebody with a key in a file of theirs."""

    def __init__(self, folder: Path, name: str) -> None:
        self.path = folder / f"{name}.key"
        self.jwk = new_own_key(self.path)
        self.key = open_own_key(self.path)
        self.id = TokenReader.of(self.jwk).newest.id


@pytest.fixture
def bo(tmp_path: Path) -> Person:
    return Person(tmp_path, "bo")


@pytest.fixture
def cy(tmp_path: Path) -> Person:
    return Person(tmp_path, "cy")


async def asked_again(kernel: Kernel, run: Run[str]) -> str:
    """Return why a person is asked anew, once they are."""
    while True:
        changed = kernel.engine.changed(run.id)
        data = [decode_entry(entry).data for entry in await kernel.journal.read(run.id)]
        again = [one.again for one in data if isinstance(one, ApprovalRequested) and one.again]
        if again:
            return again[-1]
        await changed


async def happened(kernel: Kernel, run: Run[str], kind: type) -> list[Any]:
    return [one for entry in await kernel.journal.read(run.id) if isinstance(one := decode_entry(entry).data, kind)]


async def test_a_yes_counts_with_a_signature_by_the_persons_own_key(store: Path, bo: Person) -> None:
    async with Kernel(store, agents=[desk], policies=OWN) as kernel:
        assert await Access(kernel).add_key(BO, bo.jwk) == bo.id
        run = await asked(kernel)
        with pytest.raises(NotAllowed, match="signed with a key of their own") as refused:
            await kernel.approve(run.id, by=BO)
        assert "--sign-with" in refused.value.hint
        await kernel.approve(run.id, by=BO, sign=bo.key.sign)
        assert await run.result() == "R-500"
        (granted,) = await happened(kernel, run, ApprovalGranted)
        (intended,) = await happened(kernel, run, ActionIntended)
    signed = TokenReader.of(bo.jwk, reads_own=True).read(granted.own_signature)
    assert signed == open_tokens(store).read(granted.token), "both say the same"
    assert signed.token_id == intended.token
    assert granted.own_signature.split(".")[1] == granted.token.split(".")[1], "byte for byte"
    secret = bo.path.read_bytes().splitlines()[1]
    for path in store.parent.glob("desk.kernos*"):
        assert secret not in path.read_bytes(), path


async def test_a_key_of_nobody_of_another_or_a_revoked_one_is_refused(store: Path, bo: Person, cy: Person) -> None:
    async with Kernel(store, agents=[desk], policies=OWN) as kernel:
        access = Access(kernel)
        run = await asked(kernel)
        with pytest.raises(NotAllowed, match="person:bo has no key of their own here"):
            await kernel.approve(run.id, by=BO, sign=bo.key.sign)
        await access.add_key(BO, bo.jwk)
        await access.add_key(CY, cy.jwk)
        with pytest.raises(NotAllowed, match="not signed with a key of person:bo"):
            await kernel.approve(run.id, by=BO, sign=cy.key.sign)
        with pytest.raises(NotAllowed, match="another yes than this one"):
            await kernel.approve(run.id, by=BO, sign=lambda claims: bo.key.sign(replace(claims, args_digest="0" * 64)))
        await access.revoke_key(bo.id, reason="lost laptop")
        with pytest.raises(NotAllowed, match="was revoked"):
            await kernel.approve(run.id, by=BO, sign=bo.key.sign)
        assert await happened(kernel, run, ApprovalGranted) == []
        signed: list[ApprovalClaims] = []

        def sign(claims: ApprovalClaims) -> str:
            signed.append(claims)
            return cy.key.sign(claims)

        with pytest.raises(NotAllowed, match="for other arguments"):
            await kernel.approve(run.id, by=CY, digest="0" * 64, sign=sign)
        assert signed == [], "nothing is signed that was not looked at"
        await kernel.approve(run.id, by=CY, sign=cy.key.sign)
        assert await run.result() == "R-500"


async def test_a_changed_call_is_signed_with_the_own_key_too(store: Path, bo: Person) -> None:
    async with Kernel(store, agents=[desk], policies=OWN) as kernel:
        await Access(kernel).add_key(BO, bo.jwk)
        run = await asked(kernel)
        with pytest.raises(NotAllowed, match="signed with a key of their own"):
            await kernel.edit(run.id, {"amount_cents": 300}, by=BO)
        await kernel.edit(run.id, {"amount_cents": 300}, by=BO, sign=bo.key.sign)
        assert await run.result() == "R-300"


async def test_a_key_that_is_revoked_between_the_yes_and_the_action_counts_no_more(
    store: Path, bo: Person, cy: Person
) -> None:
    async with Kernel(store, agents=[desk], policies=TWO) as kernel:
        for name, person in ((BO, bo), (CY, cy)):
            await Access(kernel).add_key(name, person.jwk)
        run = await asked(kernel)
        await kernel.approve(run.id, by=BO, sign=bo.key.sign)
        await Access(kernel).revoke_key(bo.id)
        await kernel.approve(run.id, by=CY, sign=cy.key.sign)
        assert f"key {bo.id} of person:bo was revoked" in await asked_again(kernel, run)
        assert await happened(kernel, run, ActionIntended) == []


@pytest.mark.parametrize(
    ("forge", "why"),
    [
        (lambda token, claims, bo, cy: "", "only 0 may"),
        (lambda token, claims, bo, cy: token, "not signed with a key of person:bo"),
        (lambda token, claims, bo, cy: cy.key.sign(claims), "not signed with a key of person:bo"),
        (lambda token, claims, bo, cy: bo.key.sign(replace(claims, run="5r0kd7v3m2axq")), "another yes"),
        (lambda token, claims, bo, cy: bo.key.sign(replace(claims, step="9")), "another yes"),
        (lambda token, claims, bo, cy: bo.key.sign(replace(claims, expires_at=claims.expires_at + 1)), "another yes"),
    ],
    ids=["none", "the store's", "another person's", "another run", "another step", "a longer time"],
)
async def test_what_stands_in_the_journal_is_checked_again_before_the_action(
    store: Path, bo: Person, cy: Person, forge: Any, why: str
) -> None:

    async with Kernel(store, agents=[desk], policies=OWN) as kernel:
        await Access(kernel).add_key(BO, bo.jwk)
        run = await asked(kernel)
        said: list[ApprovalClaims] = []

        def keep(claims: ApprovalClaims) -> str:
            said.append(claims)
            return "not signed"

        with pytest.raises(NotAllowed):
            await kernel.approve(run.id, by=BO, sign=keep)
        (claims,) = said
        token = open_tokens(store).seal(claims)
        digest = (await run.state()).steps[claims.step].digest
        own = forge(token, claims, bo, cy)
        command = GrantApproval(claims.step, digest, claims.issued_at, "", token, PrincipalId(BO), own_signature=own)
        if not own:
            with pytest.raises(NotAllowed, match="signed with a key of their own"):
                await kernel.engine.command(run.id, command, PrincipalId(BO))
            return
        await kernel.engine.command(run.id, command, PrincipalId(BO))
        assert why in await asked_again(kernel, run)
        assert await happened(kernel, run, ActionIntended) == []


async def test_a_signature_of_one_run_is_none_for_another(store: Path, bo: Person) -> None:
    async with Kernel(store, agents=[desk], policies=OWN) as kernel:
        await Access(kernel).add_key(BO, bo.jwk)
        first, second = await asked(kernel), await asked(kernel)
        made: list[str] = []

        def once(claims: ApprovalClaims) -> str:
            made.append(made[0] if made else bo.key.sign(claims))
            return made[0]

        await kernel.approve(first.id, by=BO, sign=once)
        await first.result()
        with pytest.raises(NotAllowed, match="another yes than this one"):
            await kernel.approve(second.id, by=BO, sign=once)
        await until(kernel, second, Status.WAITING)


def test_no_change_of_a_letter_or_a_claim_passes() -> None:
    key, other = (OwnKey(private) for private in _privates(2))
    public = TokenReader.of(key.public_jwk()).newest.public_key
    signature, chance = key.sign(CLAIMS), random.Random(7)
    assert JoseTokens.read_own(signature, JWS_ED25519, public) == CLAIMS
    for _ in range(2_000):
        with pytest.raises(BadToken):
            JoseTokens.read_own(mutated(signature, chance), JWS_ED25519, public)
    for column in fields(ApprovalClaims):
        value = getattr(CLAIMS, column.name)
        changed: Any = (
            value + 1 if isinstance(value, int) else (*value, "x") if isinstance(value, tuple) else value + "x"
        )
        moved = replace(CLAIMS, **{column.name: changed})
        assert JoseTokens.read_own(key.sign(moved), JWS_ED25519, public) != CLAIMS
    store = JoseTokens(_privates(3)[2])
    for bad in (other.sign(CLAIMS), store.seal(CLAIMS), JoseTokens(_privates(1)[0]).seal(CLAIMS), ""):
        with pytest.raises(BadToken):
            JoseTokens.read_own(bad, JWS_ED25519, public)
    with pytest.raises(BadToken, match="form 'webauthn'"):
        JoseTokens.read_own(signature, "webauthn", public)
    with pytest.raises(BadToken):
        TokenReader.of(key.public_jwk()).read(signature)  # For the store's tokens it is of another kind.


def _privates(number: int) -> Sequence[Ed25519PrivateKey]:
    return [Ed25519PrivateKey.from_private_bytes(bytes([at]) * 32) for at in range(1, number + 1)]


async def test_a_key_is_one_persons_and_stays_revoked(store: Path, bo: Person) -> None:
    async with Kernel(store, works=False) as kernel:
        access = Access(kernel)
        for _ in range(2):
            await access.add_key(BO, bo.jwk)
        assert len(await kernel.journal.read(ADMINISTRATION)) == 1, "the same again changes nothing"
        with pytest.raises(NotAllowed, match="is that of person:bo"):
            await access.add_key(CY, bo.jwk)
        with pytest.raises(InvalidInput, match="is no person"):
            await access.add_key("service:bot", bo.jwk)
        with pytest.raises(BadConfiguration):
            await access.add_key(BO, bo.path.read_text())
        with pytest.raises(NotFound):
            await access.revoke_key("0" * 16)
        for _ in range(2):
            await access.revoke_key(bo.id, reason="lost")
        assert len(await kernel.journal.read(ADMINISTRATION)) == 2
        with pytest.raises(NotAllowed, match="was revoked"):
            await access.add_key(BO, bo.jwk)
        assert [(one.key, one.principal, one.is_revoked) for one in access.own_keys()] == [(bo.id, BO, True)]


def test_a_key_file_is_for_its_person_alone(tmp_path: Path, bo: Person) -> None:
    assert bo.path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(BadConfiguration, match="could not be written"):
        new_own_key(bo.path)
    bo.path.chmod(0o640)
    with pytest.raises(BadConfiguration, match="others may read"):
        open_own_key(bo.path)
    for name, text in (("missing", None), ("odd", "no key")):
        if text is not None:
            (tmp_path / name).write_text(text)
        with pytest.raises(BadConfiguration, match=name):
            open_own_key(tmp_path / name)


@pytest.mark.parametrize(
    ("annotations", "why"),
    [('@approvers("lead") @level("two")', "no way to sign"), ('@level("own-key")', "@approvers")],
)
async def test_a_mistaken_level_is_said_at_load(store: Path, annotations: str, why: str) -> None:
    with pytest.raises(BadPolicies, match=why):
        Kernel(store, agents=[desk], policies=policy(annotations))
