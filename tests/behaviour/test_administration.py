"""Administration: who may act is recorded like everything else, and every process of a store goes by it."""

import asyncio
from pathlib import Path

import pytest

from kernos import Kernel
from kernos.kernel.administering import administer, administered
from kernos.kernel.administration import Administration
from kernos.kernel.identity import is_good, roles_of
from kernos.vocabulary.administration import (
    ADMINISTRATION,
    EVERY_TENANT,
    AdministrationCommand,
    AdmitPrincipal,
    DismissPrincipal,
    IssueCredential,
    RequireAccess,
    RevokeCredential,
    Scope,
)
from kernos.vocabulary.errors import InvalidInput, KernosError, NotAllowed, NotFound
from kernos.vocabulary.events import Event
from kernos.vocabulary.ids import EpochMs, PrincipalId, TenantId

ANA, BEN = PrincipalId("person:ana"), PrincipalId("person:ben")
SHOP, OTHER = TenantId("shop"), TenantId("other")
NOW, LATER = EpochMs(1_000_000), EpochMs(2_000_000)
EVERYTHING = tuple(Scope)


def told(state: Administration, *commands: AdministrationCommand) -> Administration:
    """Return the state after some commands."""
    for command in commands:
        for data in administer(state, command):
            state = administered(state, [Event(ADMINISTRATION, state.next_n, NOW, ANA, "call", data)])
    return state


def issue(
    name: str, to: PrincipalId = ANA, tenant: TenantId = EVERY_TENANT, scopes: tuple[Scope, ...] = EVERYTHING
) -> IssueCredential:
    return IssueCredential(name, to, tenant, scopes, "0" * 64, LATER, NOW)


GOVERNED = told(Administration(), AdmitPrincipal(ANA, EVERY_TENANT), issue("first"), RequireAccess(NOW))


def test_a_principal_has_the_roles_it_was_last_admitted_with_and_those_of_the_whole_deployment() -> None:
    state = told(
        GOVERNED,
        AdmitPrincipal(BEN, SHOP, ("lead", "clerk")),
        AdmitPrincipal(BEN, SHOP, ("lead",)),
        AdmitPrincipal(BEN, EVERY_TENANT, ("auditor",)),
    )
    assert roles_of(state, BEN, SHOP) == {"lead", "auditor"}
    assert roles_of(state, BEN, OTHER) == {"auditor"}
    assert roles_of(state, PrincipalId("person:eve"), SHOP) == frozenset()


def test_admitting_somebody_as_they_are_records_nothing() -> None:
    state = told(GOVERNED, AdmitPrincipal(BEN, SHOP, ("lead", "clerk")))
    assert administer(state, AdmitPrincipal(BEN, SHOP, ("clerk", "lead", "lead"))) == ()


@pytest.mark.parametrize("name", ["agent:desk@1", "person:", "ana", ""])
def test_only_persons_and_services_are_admitted(name: str) -> None:
    with pytest.raises(InvalidInput, match="cannot be admitted"):
        administer(GOVERNED, AdmitPrincipal(PrincipalId(name), SHOP))


@pytest.mark.parametrize("tenant", ["", "two words"])
def test_a_tenant_has_a_name_without_spaces(tenant: str) -> None:
    with pytest.raises(InvalidInput, match="no tenant's name"):
        administer(GOVERNED, AdmitPrincipal(BEN, TenantId(tenant)))


def test_a_credential_is_good_until_it_expires_is_revoked_or_its_holder_is_dismissed() -> None:
    state = told(GOVERNED, AdmitPrincipal(BEN, SHOP), issue("c", BEN, SHOP), issue("d", BEN, SHOP))
    assert is_good(state, state.credentials["c"], NOW)
    assert not is_good(state, state.credentials["c"], LATER)
    revoked = told(state, RevokeCredential("c"))
    assert not is_good(revoked, revoked.credentials["c"], NOW)
    assert is_good(revoked, revoked.credentials["d"], NOW)
    dismissed = told(state, DismissPrincipal(BEN, SHOP))
    assert not is_good(dismissed, dismissed.credentials["d"], NOW)
    back = told(dismissed, AdmitPrincipal(BEN, SHOP))
    assert not is_good(back, back.credentials["d"], NOW), "who comes back gets a new one"


@pytest.mark.parametrize(
    ("command", "error", "said"),
    [
        (issue("c", BEN, SHOP), NotAllowed, "not admitted"),
        (issue("c", ANA, SHOP), NotAllowed, "not admitted"),
        (issue("c", scopes=()), InvalidInput, "good for nothing"),
        (IssueCredential("c", ANA, EVERY_TENANT, EVERYTHING, "", NOW, NOW), InvalidInput, "expired already"),
        (RevokeCredential("none"), NotFound, "no credential"),
        (DismissPrincipal(BEN, SHOP), NotFound, "not admitted"),
    ],
)
def test_what_cannot_be_is_refused_with_a_reason(
    command: AdministrationCommand, error: type[KernosError], said: str
) -> None:
    with pytest.raises(error, match=said):
        administer(GOVERNED, command)


@pytest.mark.parametrize("command", [RevokeCredential("first"), DismissPrincipal(ANA, EVERY_TENANT)])
def test_the_last_who_administers_cannot_be_shut_out(command: AdministrationCommand) -> None:
    with pytest.raises(NotAllowed, match="nobody could administer"):
        administer(GOVERNED, command)
    two = told(GOVERNED, AdmitPrincipal(BEN, EVERY_TENANT), issue("second", BEN))
    assert administer(two, command) != ()


@pytest.mark.parametrize(
    "credential",
    [
        issue("c", BEN, SHOP),
        issue("c", ANA, EVERY_TENANT, (Scope.LOOK,)),
        IssueCredential("c", ANA, EVERY_TENANT, EVERYTHING, "", EpochMs(NOW + 1), NOW),
    ],
)
def test_access_is_not_required_before_somebody_can_administer(credential: IssueCredential) -> None:
    state = told(Administration(), AdmitPrincipal(ANA, EVERY_TENANT), AdmitPrincipal(BEN, SHOP), credential)
    with pytest.raises(NotAllowed, match="nobody could give commands"):
        administer(state, RequireAccess(EpochMs(NOW + 1)))


def test_what_is_said_twice_is_recorded_once() -> None:
    assert administer(GOVERNED, RequireAccess(NOW)) == ()
    assert administer(GOVERNED, issue("first")) == ()
    state = told(GOVERNED, issue("second"), RevokeCredential("second"))
    assert administer(state, RevokeCredential("second")) == ()


async def test_another_process_goes_by_it_at_once_and_a_restart_still_does(tmp_path: Path) -> None:
    store = tmp_path / "desk.kernos"
    async with Kernel(store) as first, Kernel(store, works=False) as second:
        await first.administrator.command(AdmitPrincipal(BEN, SHOP, ("lead",)), ANA)
        assert roles_of(first.administrator.state, BEN, SHOP) == {"lead"}
        # Decided on what the first recorded, whether or not word of that has come.
        assert not await second.administrator.command(AdmitPrincipal(BEN, SHOP, ("lead",)), ANA)
    async with Kernel(store) as third:
        assert roles_of(third.administrator.state, BEN, SHOP) == {"lead"}
        assert await third.runs() == []
        entries = await third.journal.read(ADMINISTRATION)
        assert len(entries) == 1


async def test_word_of_what_another_process_recorded_comes_by_itself(tmp_path: Path) -> None:
    store = tmp_path / "desk.kernos"
    async with Kernel(store) as first, Kernel(store, works=False) as second:
        changed = asyncio.Event()
        second.administrator.on_change(changed.set)
        await first.administrator.command(AdmitPrincipal(BEN, SHOP, ("lead",)), ANA)
        await changed.wait()
        assert roles_of(second.administrator.state, BEN, SHOP) == {"lead"}
