"""Policies change while runs go on: what has entered decides from the next call on, what has faults changes nothing."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import BaseModel

from kernos import Access, CallRefused, Context, Found, Kernel, ToolCall, agent, tool
from kernos.app.story import Teller
from kernos.control.codec import decode_entry
from kernos.kernel.administering import administer, administered
from kernos.kernel.administration import Administration
from kernos.vocabulary import events as ev
from kernos.vocabulary.administration import ADMINISTRATION, AdministrationCommand
from kernos.vocabulary.errors import BadConfiguration, NotAllowed, RunDidNotComplete
from kernos.vocabulary.events import Event
from kernos.vocabulary.ids import KERNEL, EpochMs, PrincipalId, RunId
from kernos.vocabulary.policies import EnterPolicies, ProposePolicies, RefusePolicies

ALL = '@id("all") permit(principal, action, resource);\n'
CAP = '@id("cap") forbid(principal, action, resource is till::refund) when { context.refunded > 0 };\n'
CONTEXT = '[sum.refunded]\ntools = ["till.refund"]\nof = "cents"\n'


class Refund(BaseModel):
    order: str
    cents: int = 100


class Other(BaseModel):
    something: str


@tool("till.refund", effect="idempotent")
def refund(request: Refund) -> str:
    return "paid"


@tool("till.other", effect="idempotent")
def other(request: Other) -> str:
    return "done"


@agent("desk", tools=[refund])
async def desk(ctx: Context, orders: list[str]) -> list[str]:
    """Refund some orders, with a signal before each but the first."""
    said: list[str] = []
    for number, order in enumerate(orders):
        if number:
            await ctx.wait("go", str)
        try:
            said.append(await ctx.call(refund, Refund(order=order)))
        except CallRefused as refused:
            said.append(str(refused))
    return said


@agent("clerk", tools=[refund, other])
async def clerk(ctx: Context, order: str) -> str:
    return await ctx.call(refund, Refund(order=order))


Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def put(rules: str, context: str = "") -> Path:
        folder = tmp_path / "policies"
        folder.mkdir(exist_ok=True)
        (folder / "desk.cedar").write_text(rules)
        (folder / "context.toml").write_text(context)
        return folder

    return put


async def administration(kernel: Kernel) -> list[Event]:
    return [decode_entry(entry) for entry in await kernel.journal.read(ADMINISTRATION)]


async def sets_of(kernel: Kernel, run: RunId) -> list[str]:
    """Return the policy sets of a run's intents and denials, in order."""
    events = [decode_entry(entry) for entry in await kernel.journal.read(run)]
    return [e.data.gate.policy_set for e in events if isinstance(e.data, ev.ActionIntended | ev.CallDenied)]


async def until_waiting(kernel: Kernel, run: RunId) -> None:
    while not await kernel.journal.select("waiting", {"run": run}):
        await asyncio.sleep(0)


async def test_a_run_under_way_gets_the_new_decisions_from_its_next_call_on(store: Path, write: Write) -> None:
    async with Kernel(store, agents=[desk], policies=write(ALL)) as kernel:
        before = kernel.policy.digest()
        run = await kernel.start(desk, ["A1", "A2"])
        await until_waiting(kernel, run.id)
        write(ALL + CAP.replace("context.refunded > 0", 'resource.order == "A2"'))
        after = await kernel.reload_policies(by="person:ana")
        await run.signal("go", "on")
        paid, refused = await run.result()
        assert (paid, "forbidden by cap" in refused) == ("paid", True)
        assert kernel.policy.digest() == after != before
        assert await sets_of(kernel, run.id) == [before[:16], after[:16]]


async def test_an_action_whose_tool_looked_under_the_old_set_is_decided_under_the_new_one(
    store: Path, write: Write
) -> None:
    paid: list[str] = []

    async def look(request: Refund, call: ToolCall) -> int:
        write(ALL + CAP.replace("context.refunded > 0", "true").replace("till::refund", "till::pay"))
        await kernel.reload_policies(by="person:ana")
        return len(paid)

    def count(request: Refund, call: ToolCall, before: int) -> Found:
        return Found(len(paid) > before, "counted")

    @tool("till.pay", effect="verifiable", observe=look, look_up=count)
    async def pay(request: Refund) -> None:
        paid.append(request.order)

    @agent("payer", tools=[pay])
    async def payer(ctx: Context, order: str) -> None:
        await ctx.call(pay, Refund(order=order))

    async with Kernel(store, agents=[payer], policies=write(ALL)) as kernel:
        run = await kernel.start(payer, "A1")
        with pytest.raises(RunDidNotComplete, match="forbidden by cap"):
            await run.result()
    assert paid == []


async def test_the_journal_says_which_set_came_into_force_and_who_wanted_it(store: Path, write: Write) -> None:
    async with Kernel(store, agents=[desk], policies=write(ALL)) as kernel:
        first = kernel.policy.digest()
        write(ALL + CAP, CONTEXT)
        second = await kernel.reload_policies(by="person:ana")
        assert await kernel.reload_policies(by="person:ana") == second  # What is in force already is recorded once.
        began, proposed, entered = await administration(kernel)
    assert (began.data, began.by) == (ev.PoliciesEntered(first, {"desk.cedar": ALL, "context.toml": ""}), KERNEL)
    files = {"desk.cedar": ALL + CAP, "context.toml": CONTEXT}
    assert (proposed.data, proposed.by) == (ev.PoliciesProposed(second, files), "person:ana")
    assert entered.data == ev.PoliciesEntered(second, files)
    told = [Teller().say(event) for event in (proposed, entered)]
    assert told == [f"person:ana wants policy set {second[:16]} in force", f"policy set {second[:16]} is in force"]


async def test_counters_that_a_new_set_declares_count_from_then_on(store: Path, write: Write) -> None:
    async with Kernel(store, agents=[desk], policies=write(ALL)) as kernel:
        run = await kernel.start(desk, ["A1", "A2", "A3"])
        await until_waiting(kernel, run.id)
        write(ALL + CAP, CONTEXT)
        await kernel.reload_policies()
        await run.signal("go", "on")
        await run.signal("go", "on")
        said = await run.result()
    assert said[:2] == ["paid", "paid"]
    assert "forbidden by cap" in said[2]


async def test_a_set_with_faults_leaves_the_old_one_in_force(store: Path, write: Write) -> None:
    async with Kernel(store, agents=[desk], policies=write(ALL)) as kernel:
        before = kernel.policy.digest()
        write(ALL + CAP)  # It asks for a sum that nothing declares.
        with pytest.raises(BadConfiguration, match="refunded"):
            await kernel.reload_policies()
        assert kernel.policy.digest() == before
        assert len(await administration(kernel)) == 1
        assert await (await kernel.start(desk, ["A1"])).result() == ["paid"]


async def test_another_process_has_it_put_in_force_by_the_one_that_runs_agents(store: Path, write: Write) -> None:
    async with (
        Kernel(store, agents=[desk], policies=write(ALL)) as kernel,
        Kernel(store, agents=[desk], policies=write(ALL), works=False) as asker,
    ):
        write(ALL + CAP, CONTEXT)
        digest = await asker.reload_policies(by="person:ana")
        assert kernel.policy.digest() == asker.policy.digest() == digest
        assert digest != (await administration(kernel))[0].data.digest  # type: ignore[union-attr]


async def test_the_process_that_runs_agents_refuses_what_was_checked_against_others(store: Path, write: Write) -> None:
    async with (
        Kernel(store, agents=[desk], policies=write(ALL)) as kernel,
        Kernel(store, agents=[clerk], policies=write(ALL), works=False) as asker,
    ):
        before = kernel.policy.digest()
        for rules, said in (
            (f"{ALL}{ALL.replace('all', 'more')}", "checked against other agents or tools than run here"),
            (f"{ALL}permit(principal, action, resource is till::other);", "the tools are: till::refund"),
        ):
            write(rules)
            with pytest.raises(BadConfiguration, match="refuses policy set") as refused:
                await asker.reload_policies(by="person:ana")
            assert said in str(refused.value)
        assert kernel.policy.digest() == before
        *_, last = await administration(kernel)
        assert isinstance(last.data, ev.PoliciesRefused)
        assert "IS REFUSED, the one before stays in force" in Teller().say(last)


async def test_a_restart_begins_with_the_folder_as_it_is_then_and_records_it(store: Path, write: Write) -> None:
    async with Kernel(store, agents=[desk], policies=write(ALL)) as kernel:
        first = kernel.policy.digest()
    async with Kernel(store, agents=[desk], policies=write(ALL)) as kernel:
        assert len(await administration(kernel)) == 1
    async with Kernel(store, agents=[desk], policies=write(ALL + CAP, CONTEXT)) as kernel:
        second = kernel.policy.digest()
        assert [event.data.digest for event in await administration(kernel)] == [first, second]  # type: ignore[union-attr]
    async with Kernel(store, agents=[desk]) as kernel:  # Without policies: that, too, is another set than before.
        assert (await administration(kernel))[-1].data.digest == kernel.policy.digest() not in (first, second)  # type: ignore[union-attr]


async def test_a_process_that_runs_no_agents_goes_by_what_has_entered_not_by_its_own_folder(
    store: Path, write: Write
) -> None:
    async with Kernel(store, agents=[desk], policies=write(ALL)) as kernel:
        changed = write(ALL + CAP, CONTEXT)
        async with Kernel(store, agents=[desk], policies=changed, works=False) as other_one:
            assert other_one.policy.digest() == kernel.policy.digest()


async def test_where_no_process_runs_agents_nothing_is_put_in_force(store: Path, write: Write) -> None:
    async with Kernel(store, agents=[desk], policies=write(ALL), works=False) as asker:
        with pytest.raises(NotAllowed, match="no process runs agents"):
            await asker.reload_policies()
        assert await administration(asker) == []


async def test_of_two_who_want_different_sets_at_once_the_later_one_gets_theirs_and_the_other_is_told(
    store: Path, write: Write, tmp_path: Path
) -> None:
    for name, rules in (
        ("one.cedar", ALL + ALL.replace("all", "more")),
        ("two.cedar", ALL + ALL.replace("all", "most")),
    ):
        (tmp_path / name).write_text(rules)
    async with Kernel(store, agents=[desk], policies=write(ALL)) as kernel:
        first, second = await asyncio.gather(
            kernel.reload_policies(tmp_path / "one.cedar"),
            kernel.reload_policies(tmp_path / "two.cedar"),
            return_exceptions=True,
        )
        assert isinstance(first, NotAllowed)
        assert "somebody else wanted other policies" in str(first)
        assert second == kernel.policy.digest()


async def test_only_who_administers_the_whole_deployment_changes_which_policies_are_in_force(
    store: Path, write: Write
) -> None:
    folder = write(ALL)
    async with Kernel(store, works=False) as kernel:
        root = (await Access(kernel).require("person:root")).text
    async with Kernel(store, agents=[desk], policies=folder, token=root) as kernel:
        access = Access(kernel)
        await access.admit("person:ana", tenant="*")
        await access.admit("person:ben", tenant="shop")
        operates = (await access.issue("person:ana", ["look", "start", "answer", "operate"], tenant="*")).text
        of_one_tenant = (await access.issue("person:ben", ["look", "administer"], tenant="shop")).text
        before = kernel.policy.digest()
        write(ALL + CAP, CONTEXT)
        for token in (operates, of_one_tenant):
            async with Kernel(store, agents=[desk], policies=folder, works=False, token=token) as asker:
                with pytest.raises(NotAllowed, match=r"lacks the scope administer|concerns every tenant"):
                    await asker.reload_policies()
        assert kernel.policy.digest() == before
        assert await kernel.reload_policies() != before
        *_, proposed, _ = await administration(kernel)
        assert proposed.by == "person:root"


def test_an_answer_to_a_proposal_that_another_one_has_followed_changes_nothing() -> None:
    def told(state: Administration, *commands: AdministrationCommand) -> Administration:
        for command in commands:
            for data in administer(state, command):
                event = Event(ADMINISTRATION, state.next_n, EpochMs(1), PrincipalId("person:ana"), "call", data)
                state = administered(state, [event])
        return state

    state = told(Administration(), EnterPolicies("a", {}), ProposePolicies("b", {}), ProposePolicies("c", {}))
    assert administer(state, RefusePolicies("b", "late")) == ()
    assert administer(state, EnterPolicies("b", {}, answers=True)) == ()
    assert administer(state, ProposePolicies("c", {})) == ()
    assert state.policies_proposed == ev.PoliciesProposed("c", {})
    refused = told(state, RefusePolicies("c", "faults"))
    assert (refused.policies_proposed, refused.policies_refused) == (None, ev.PoliciesRefused("c", "faults"))
    assert refused.policies_in_force == ev.PoliciesEntered("a", {})
    back = told(state, ProposePolicies("a", {}))  # Taken back to what is in force: that is a proposal, too.
    assert told(back, EnterPolicies("a", {})).policies_proposed is None
