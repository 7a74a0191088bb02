"""Who may: the rules of identity, credentials, stops and policies in force, each turned where it turns."""

import hashlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from kernos.control.authority import Authority, Caller, Secret, authenticate, new_secret
from kernos.control.tenant_store import TenantStore
from kernos.kernel.administering import administer
from kernos.kernel.administration import Administration, Credential, Stop
from kernos.kernel.identity import is_good, roles_of
from kernos.kernel.stops import stop_for
from kernos.vocabulary import events as ev
from kernos.vocabulary.administration import (
    ADMINISTRATION,
    EVERY_TENANT,
    AdministrationCommand,
    AdmitPrincipal,
    CredentialIssued,
    CredentialRevoked,
    DismissPrincipal,
    IssueCredential,
    PrincipalAdmitted,
    PrincipalDismissed,
    RevokeCredential,
    Scope,
)
from kernos.vocabulary.errors import InvalidInput, NotAllowed, NotFound
from kernos.vocabulary.ids import DEFAULT_TENANT, LOCAL_PERSON, EpochMs, PrincipalId, RunId, TenantId
from kernos.vocabulary.policies import EnterPolicies, ProposePolicies, RefusePolicies
from kernos.vocabulary.stops import LiftStop, OrderStop, StopKind, StopLifted, StopOrdered
from tests.behaviour.test_administration import ANA, BEN, GOVERNED, LATER, NOW, OTHER, SHOP, issue, told

WEB = PrincipalId("service:web")


# --- who is admitted, and which credentials are good --------------------------------------------------------------------


def test_each_command_on_identity_is_recorded_as_it_was_given() -> None:
    assert administer(GOVERNED, AdmitPrincipal(WEB, SHOP, ("b", "a", "b"))) == (
        PrincipalAdmitted(WEB, SHOP, ("a", "b")),
    )
    both = told(
        GOVERNED, AdmitPrincipal(BEN, SHOP), AdmitPrincipal(BEN, OTHER), issue("c", BEN, SHOP), issue("d", BEN, OTHER)
    )
    assert administer(both, DismissPrincipal(BEN, SHOP, "left")) == (PrincipalDismissed(BEN, SHOP, "left"),)
    assert administer(both, RevokeCredential("c", "lost")) == (CredentialRevoked("c", "lost"),)
    issued = IssueCredential("e", BEN, SHOP, (Scope.LOOK,), "1" * 64, EpochMs(NOW + 1), NOW)
    assert administer(both, issued) == (CredentialIssued("e", BEN, SHOP, (Scope.LOOK,), "1" * 64, EpochMs(NOW + 1)),)
    assert both.credentials["c"] == Credential(BEN, SHOP, frozenset(Scope), "0" * 64, NOW, LATER)


def test_who_is_dismissed_in_one_tenant_stays_in_the_others() -> None:
    both = told(GOVERNED, AdmitPrincipal(BEN, SHOP, ("lead",)), AdmitPrincipal(BEN, OTHER, ("clerk",)), AdmitPrincipal(WEB, SHOP), issue("c", BEN, SHOP), issue("d", BEN, OTHER), issue("e", WEB, SHOP))  # fmt: skip
    gone = told(both, DismissPrincipal(BEN, SHOP))
    assert [set(roles_of(gone, BEN, tenant)) for tenant in (SHOP, OTHER)] == [set(), {"clerk"}]
    assert {name: one.is_revoked for name, one in gone.credentials.items()} == {
        "first": False,
        "c": True,
        "d": False,
        "e": False,
    }
    assert not is_good(replace(gone, credentials=both.credentials), both.credentials["c"], NOW), (
        "nobody is a member by a credential"
    )
    assert set(gone.members) == {(EVERY_TENANT, ANA), (OTHER, BEN), (SHOP, WEB)}


@pytest.mark.parametrize("other", [
    issue("o", BEN, EVERY_TENANT, (Scope.LOOK, Scope.OPERATE)), issue("o", BEN, SHOP), issue("o", BEN, EVERY_TENANT, (Scope.ADMINISTER,)),
])  # fmt: skip
def test_only_who_administers_the_whole_deployment_is_somebody_who_does(other: IssueCredential) -> None:
    two = told(GOVERNED, AdmitPrincipal(BEN, SHOP), AdmitPrincipal(BEN, EVERY_TENANT), other)
    if other.tenant == EVERY_TENANT and Scope.ADMINISTER in other.scopes:
        assert administer(two, RevokeCredential("first"))
        with pytest.raises(NotAllowed, match="nobody could administer"):
            administer(told(two, RevokeCredential("o")), RevokeCredential("first"))
        with pytest.raises(NotAllowed, match="nobody could administer"):
            administer(told(two, DismissPrincipal(BEN, EVERY_TENANT)), RevokeCredential("first"))
    else:
        with pytest.raises(NotAllowed, match="nobody could administer"):
            administer(two, RevokeCredential("first"))


def test_as_long_as_nobody_asks_for_credentials_nobody_is_shut_out() -> None:
    opened = told(Administration(), AdmitPrincipal(ANA, EVERY_TENANT), issue("first"))
    assert administer(opened, RevokeCredential("first")) == (CredentialRevoked("first", ""),)
    assert administer(opened, DismissPrincipal(ANA, EVERY_TENANT)) == (PrincipalDismissed(ANA, EVERY_TENANT, ""),)


# --- what a credential proves --------------------------------------------------------------------------------------------


def test_a_secret_is_written_with_all_its_digits() -> None:
    made = new_secret(SimpleNamespace(bits=lambda count: {60: 10, 256: 11}[count]))
    name, secret = "0" * 14 + "a", "0" * 63 + "b"
    assert made == Secret(name, hashlib.sha256(secret.encode()).hexdigest(), f"kernos_{name}_{secret}")


SECRET = new_secret(SimpleNamespace(bits=lambda count: count))


def store_of(tenant: TenantId = SHOP, *scopes: Scope) -> Administration:
    state = told(GOVERNED, AdmitPrincipal(BEN, tenant, ("lead",)))
    return told(
        state, IssueCredential(SECRET.credential, BEN, tenant, scopes or (Scope.LOOK,), SECRET.digest, LATER, NOW)
    )


def authority(state: Administration, text: str = SECRET.text, now: int = NOW) -> Authority:
    return Authority(text, lambda: state, lambda: EpochMs(now))


def test_a_good_credential_gives_its_holder_tenant_and_scopes() -> None:
    caller = Caller(BEN, SHOP, frozenset({Scope.LOOK}))
    assert authenticate(store_of(), SECRET.text, NOW) == caller
    assert authenticate(store_of(), f" {SECRET.text}\n", NOW) == caller
    assert [caller.sees(one) for one in ("shop", "other")] == [True, False]
    assert replace(caller, tenant=EVERY_TENANT).sees("other")


@pytest.mark.parametrize("text", [
    SECRET.text.replace("kernos_", "kernel_"), f"kernos_{SECRET.credential}_", f"kernos_{SECRET.credential}", SECRET.text[:-1], SECRET.text + "0", "kernos__", "kernos", "\udcff",
    f"kernos_first_{SECRET.text.rpartition('_')[2]}", f"kernos_none_{SECRET.text.rpartition('_')[2]}", f"kernos_{SECRET.credential}_\udcff",
])  # fmt: skip
def test_what_is_nearly_a_credential_proves_nothing(text: str) -> None:
    with pytest.raises(NotAllowed, match="not good here"):
        authenticate(store_of(), text, NOW)


def test_a_credential_that_has_expired_proves_nothing_and_without_one_an_open_store_takes_anybody() -> None:
    with pytest.raises(NotAllowed, match="not good here"):
        authenticate(store_of(), SECRET.text, LATER)
    with pytest.raises(NotAllowed, match="takes commands only with a credential"):
        authenticate(GOVERNED, "", NOW)
    assert authenticate(Administration(), "", NOW) == Caller(LOCAL_PERSON, EVERY_TENANT, frozenset(Scope))


def test_a_handle_looks_anew_at_each_command() -> None:
    states = [store_of(SHOP, Scope.LOOK)]
    handle = Authority(SECRET.text, lambda: states[-1], lambda: NOW)
    assert handle.who("", Scope.LOOK) == handle.who(BEN, Scope.LOOK) == BEN
    handle.check()
    states.append(told(states[0], RevokeCredential(SECRET.credential)))
    for again in (handle.check, lambda: handle.who("", Scope.LOOK), lambda: handle.whole("", Scope.LOOK, "this")):
        with pytest.raises(NotAllowed, match="not good here"):
            again()


def test_who_speaks_is_the_holder_with_that_scope_or_whoever_they_say_in_an_open_store() -> None:
    handle = authority(store_of(SHOP, Scope.LOOK, Scope.START))
    with pytest.raises(NotAllowed, match=r"^person:ben cannot speak for person:ana$"):
        handle.who(ANA, Scope.LOOK)
    with pytest.raises(
        NotAllowed, match=r"^the credential of person:ben is not good for this: it lacks the scope answer$"
    ) as lacking:
        handle.who("", Scope.ANSWER)
    assert lacking.value.hint == "It has: look, start. Ask for another one."
    opened = authority(Administration(), "")
    assert [opened.who(by, Scope.ADMINISTER) for by in ("", "person:eve")] == [LOCAL_PERSON, "person:eve"]


@pytest.mark.parametrize(("tenant", "scope", "may"), [(EVERY_TENANT, Scope.OPERATE, True), (EVERY_TENANT, Scope.LOOK, False), (SHOP, Scope.OPERATE, False)])  # fmt: skip
def test_agents_are_run_by_who_operates_everything(tenant: TenantId, scope: Scope, *, may: bool) -> None:
    assert authority(store_of(tenant, scope)).may_run_agents is may


def test_a_run_belongs_to_ones_own_tenant_and_who_acts_for_all_names_one() -> None:
    own, every = authority(store_of(SHOP)), authority(store_of(EVERY_TENANT))
    assert [own.tenant(named) for named in ("", "shop")] == ["shop", "shop"]
    assert [every.tenant(named) for named in ("", "other")] == [DEFAULT_TENANT, "other"]
    with pytest.raises(NotAllowed, match=r"^person:ben acts in tenant shop, not in other$"):
        own.tenant("other")
    odd: tuple[Any, ...] = (EVERY_TENANT, "two words", "tab\t", 7, None)
    for named in odd:
        with pytest.raises(InvalidInput, match="is no tenant that a run could belong to"):
            every.tenant(named)


def test_what_concerns_everybody_is_for_who_acts_for_the_whole_deployment() -> None:
    assert authority(store_of(EVERY_TENANT)).whole("", Scope.LOOK, "this") == BEN
    with pytest.raises(
        NotAllowed, match=r"^this concerns every tenant, and the credential of person:ben is for shop alone$"
    ):
        authority(store_of(SHOP)).whole("", Scope.LOOK, "this")
    with pytest.raises(NotAllowed, match="lacks the scope administer"):
        authority(store_of(EVERY_TENANT)).whole("", Scope.ADMINISTER, "this")


# --- stops ---------------------------------------------------------------------------------------------------------------

STOPS = (
    (StopKind.ALL, ""),
    (StopKind.TENANT, "shop"),
    (StopKind.AGENT, "desk"),
    (StopKind.AGENT, "desk@2"),
    (StopKind.TOOL, "mail"),
)


def stopped(*keys: tuple[StopKind, str]) -> Administration:
    return told(Administration(), *(OrderStop(kind, name, "why") for kind, name in keys))


@pytest.mark.parametrize(("call", "stops"), [
    (("shop", "desk", "2", "mail"), STOPS), (("other", "desk", "2", "mail"), STOPS[:1] + STOPS[2:]), (("shop", "clerk", "2", "mail"), STOPS[:2] + STOPS[4:]),
    (("shop", "desk", "3", "mail"), STOPS[:3] + STOPS[4:]), (("shop", "desk", "2", "pay"), STOPS[:4]), (("shop", "desk", "2", ""), STOPS[:4]),
])  # fmt: skip
def test_a_stop_holds_for_what_it_names_and_the_widest_is_told(
    call: tuple[str, str, str, str], stops: tuple[tuple[StopKind, str], ...]
) -> None:
    def told_of(state: Administration) -> Stop | None:
        return stop_for(state, TenantId(call[0]), *call[1:])

    assert told_of(Administration()) is None
    for key in STOPS:
        found = told_of(stopped(key))
        assert found == (Stop(*key, "why", ANA, NOW) if key in stops else None)
    for place in range(len(STOPS)):
        widest = next((key for key in STOPS[place:] if key in stops), None)
        found = told_of(stopped(*reversed(STOPS[place:])))
        assert (found and (found.kind, found.name)) == widest


def test_a_stop_is_ordered_and_lifted_as_it_was_said() -> None:
    state = stopped((StopKind.TENANT, "shop"), (StopKind.TOOL, "mail"))
    assert administer(state, OrderStop(StopKind.AGENT, "desk", "odd")) == (StopOrdered(StopKind.AGENT, "desk", "odd"),)
    assert administer(state, LiftStop(StopKind.TOOL, "mail", "well")) == (StopLifted(StopKind.TOOL, "mail", "well"),)
    assert set(told(state, LiftStop(StopKind.TOOL, "mail", "well")).stops) == {(StopKind.TENANT, "shop")}
    with pytest.raises(NotFound) as missing:
        administer(state, LiftStop(StopKind.AGENT, "desk", "well"))
    assert "tenant shop" in missing.value.hint
    with pytest.raises(NotFound) as none:
        administer(Administration(), LiftStop(StopKind.ALL, "", "well"))
    assert none.value.hint == "Stopped is: nothing."


# --- policies in force ---------------------------------------------------------------------------------------------------

A, B = {"a.cedar": "1"}, {"b.cedar": "2"}


def policies(*commands: AdministrationCommand) -> Administration:
    return told(Administration(), *commands)


@pytest.mark.parametrize(("past", "command", "recorded"), [
    ((), ProposePolicies("a", A), ev.PoliciesProposed("a", A)), ((), EnterPolicies("a", A), ev.PoliciesEntered("a", A)), ((), RefusePolicies("a", "no"), None),
    ((EnterPolicies("a", A),), ProposePolicies("a", A), None), ((EnterPolicies("a", A),), EnterPolicies("a", A), None), ((EnterPolicies("a", A),), ProposePolicies("b", B), ev.PoliciesProposed("b", B)),
    ((EnterPolicies("a", A),), EnterPolicies("b", B), ev.PoliciesEntered("b", B)), ((ProposePolicies("a", A),), ProposePolicies("a", A), None),
    ((ProposePolicies("a", A),), EnterPolicies("a", A), ev.PoliciesEntered("a", A)), ((ProposePolicies("a", A),), EnterPolicies("a", A, answers=True), ev.PoliciesEntered("a", A)),
    ((ProposePolicies("a", A),), EnterPolicies("b", B, answers=True), None), ((), EnterPolicies("a", A, answers=True), None), ((ProposePolicies("a", A),), EnterPolicies("b", B), ev.PoliciesEntered("b", B)),
    ((EnterPolicies("a", A), ProposePolicies("b", B)), EnterPolicies("a", A), ev.PoliciesEntered("a", A)), ((EnterPolicies("a", A), ProposePolicies("b", B)), ProposePolicies("a", A), ev.PoliciesProposed("a", A)),
    ((ProposePolicies("a", A),), RefusePolicies("a", "no"), ev.PoliciesRefused("a", "no")), ((ProposePolicies("a", A),), RefusePolicies("b", "no"), None),
])  # fmt: skip
def test_a_set_is_proposed_entered_and_refused_once(
    past: tuple[AdministrationCommand, ...], command: AdministrationCommand, recorded: object
) -> None:
    assert administer(policies(*past), command) == (() if recorded is None else (recorded,))


def test_what_became_of_a_proposal_stands_until_the_next_one() -> None:
    refused = policies(EnterPolicies("a", A), ProposePolicies("b", B), RefusePolicies("b", "no"))

    def standing(state: Administration) -> tuple[object, object, object]:
        return state.policies_in_force, state.policies_proposed, state.policies_refused

    in_force = ev.PoliciesEntered("a", A)
    assert standing(refused) == (in_force, None, ev.PoliciesRefused("b", "no"))
    assert standing(told(refused, ProposePolicies("b", B))) == (in_force, ev.PoliciesProposed("b", B), None)
    assert standing(told(refused, EnterPolicies("b", B))) == (ev.PoliciesEntered("b", B), None, None)
    assert standing(told(refused, ProposePolicies("c", A), EnterPolicies("b", B))) == (
        ev.PoliciesEntered("b", B),
        None,
        None,
    )


# --- a store as one tenant sees it ---------------------------------------------------------------------------------------

OURS, THEIRS = RunId("ours"), RunId("theirs")


class Whole:
    """A store of two tenants that notes what it is asked."""

    projections_changed = True

    def __init__(self) -> None:
        self.asked: list[tuple[object, ...]] = []
        self.listener: Callable[[Sequence[tuple[RunId, int]]], None] = lambda _: None

    async def select(
        self,
        table: str,
        where: Mapping[str, Any],
        *,
        order: str = "",
        descending: bool = False,
        after: Any = None,
        limit: int = 1_000,
    ) -> Sequence[Mapping[str, Any]]:
        self.asked.append((table, dict(where), order, descending, after, limit))
        if table == "runs" and "run" in where:
            return (
                [{"run": where["run"], "tenant": {OURS: "shop", THEIRS: "other"}[where["run"]]}]
                if where["run"] in (OURS, THEIRS)
                else []
            )
        if table in ("runs", "accounts"):
            return [{"tenant": where["tenant"]}]
        column = {"deliveries": "child"}.get(table, "run")
        return [{column: run, "n": n} for n, run in enumerate([THEIRS, OURS, "gone", OURS, OURS])]

    async def read(self, run: RunId, after: int = -1) -> Sequence[object]:
        return [(run, after)]

    async def scan(self, after: int = -1) -> AsyncIterator[tuple[int, Any]]:
        for position, run in enumerate([OURS, THEIRS, "gone", OURS]):
            yield position + after, SimpleNamespace(run=run)

    async def head(self) -> str:
        return "head"

    async def close(self) -> None:
        self.asked.append(("closed",))

    def append(self, appends: Sequence[object], on_failure: object = None) -> object:
        return "commit", appends, on_failure

    def totals(self, table: str, where: Mapping[str, Any], *, of: str, at: str) -> object:
        return table, where, of, at

    def watch(self, listener: Callable[[Sequence[tuple[RunId, int]]], None]) -> None:
        self.listener = listener


def seen() -> tuple[Whole, Any]:
    whole = Whole()
    return whole, TenantStore(whole, TenantId("shop"))  # type: ignore[arg-type]


@pytest.mark.parametrize("table", ["waiting", "actions", "counts", "deliveries", "refs", "reservations"])
async def test_of_what_belongs_to_runs_a_tenant_sees_its_own(table: str) -> None:
    whole, view = seen()
    assert [row["n"] for row in await view.select(table, {"a": 1}, order="n", descending=True, after=5)] == [1, 3, 4]
    assert whole.asked[0] == (table, {"a": 1}, "n", True, 5, -1)
    assert [row["n"] for row in await view.select(table, {}, limit=2)] == [1, 3]
    assert [row["n"] for row in await view.select(table, {}, limit=0)] == []
    assert [row["n"] for row in await view.dump(table)] == [1, 3, 4]


@pytest.mark.parametrize("table", ["runs", "accounts"])
async def test_of_what_says_whose_it_is_a_tenant_sees_its_own(table: str) -> None:
    whole, view = seen()
    assert await view.select(table, {"a": 1}, order="n", descending=True, after=5, limit=7) == [{"tenant": "shop"}]
    assert whole.asked == [(table, {"a": 1, "tenant": "shop"}, "n", True, 5, 7)]
    assert await view.select(table, {"tenant": "shop"}) == [{"tenant": "shop"}]
    assert whole.asked[-1] == (table, {"tenant": "shop"}, "", False, None, 1_000)
    assert await view.select(table, {"tenant": "other"}) == ()
    assert await view.dump(table) == [{"tenant": "shop"}]
    assert whole.asked[-1] == (table, {"tenant": "shop"}, "", False, None, -1)


async def test_of_the_journal_a_tenant_reads_its_own() -> None:
    whole, view = seen()
    assert await view.select("spend", {}) == ()
    assert [await view.read(run, 4) for run in (OURS, THEIRS, RunId("gone"))] == [[(OURS, 4)], (), ()]
    assert await view.read(OURS) == [(OURS, -1)]
    assert [(at, entry.run) async for at, entry in view.scan(3)] == [(3, OURS), (6, OURS)]
    assert [at async for at, _ in view.scan()] == [-1, 2]
    assert (await view.head(), view.projections_changed) == ("head", True)
    assert view.totals("counts", {"a": 1}, of="b", at="c") == ("counts", {"a": 1}, "b", "c")
    first = SimpleNamespace(run=RunId("new"), first=0)
    assert view.append([first], print) == ("commit", [first], print)
    for refused in (view.verify(print), view.rebuild([], lambda _: ())):
        with pytest.raises(NotAllowed, match=r"concerns every tenant, and this credential is for shop alone$"):
            await refused
    runs = [one for one in whole.asked if one[0] == "runs" and one[1] == {"run": OURS}]
    assert len(runs) == 1, "whose a run is never changes"
    await view.close()
    assert whole.asked[-1] == ("closed",)


async def test_of_what_is_new_a_tenant_hears_its_own_and_who_may_do_what() -> None:
    whole, view = seen()
    heard: list[Sequence[tuple[RunId, int]]] = []
    view.watch(heard.append)
    whole.listener([(OURS, 1), (THEIRS, 2)])
    assert heard == [], "not known yet"
    await view.read(OURS)
    await view.read(THEIRS)
    whole.listener([(OURS, 1), (THEIRS, 2), (ADMINISTRATION, 3)])
    whole.listener([(THEIRS, 3)])
    assert heard == [[(OURS, 1), (ADMINISTRATION, 3)]]
