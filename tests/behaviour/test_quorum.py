"""Quorum: rules say whose yes an action takes, and how many people's; what is wrong with them is said, and asked anew."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernos import Access, Context, Kernel, Run, Undo, agent, tool
from kernos.control.attestation import shown_of
from kernos.kernel.quorum import lacking, may_voice, wanted
from kernos.kernel.state import Phase, Status, Voice
from kernos.vocabulary.errors import NotAllowed
from kernos.vocabulary.events import ActionIntended, ApprovalRequested
from kernos.vocabulary.gate import Requirement
from kernos.vocabulary.ids import EpochMs, PrincipalId
from kernos.vocabulary.policies import BadPolicies
from tests.behaviour.shop import Receipt, Refund

HOUR = 3_600_000
FREE = 'permit (principal, action == Action::"invoke", resource);'


@tool("shop.refund", effect="once")
async def refund(request: Refund) -> Receipt:
    return Receipt(id=f"R-{request.amount_cents}")


@agent(tools=[refund])
async def desk(ctx: Context, request: Refund) -> str:
    receipt = await ctx.call(refund, request)
    return receipt.id


def policy(annotations: str) -> str:
    return f'{FREE}\n@id("money") {annotations} forbid (principal, action == Action::"unattended", resource is shop::refund);'


async def asked(kernel: Kernel, by: str = "person:ana") -> Run[str]:
    run = await kernel.start(desk, Refund(order="A1", amount_cents=500), by=by)
    await until(kernel, run, Status.WAITING)
    return run


async def until(kernel: Kernel, run: Run[Any], status: Status) -> None:
    while True:
        changed = kernel.engine.changed(run.id)
        if (await run.state()).status is status:
            return
        await changed


async def asked_times(run: Run[Any], count: int) -> list[ApprovalRequested]:
    """Return the first `count` questions of a run, once it has put them; its status says "waiting" for the first of them, too."""
    questions = []
    async for one in run.events():
        if isinstance(one.data, ApprovalRequested):
            questions.append(one.data)
            if len(questions) == count:
                break
    return questions


async def admit(kernel: Kernel, **people: Sequence[str]) -> None:
    for name, roles in people.items():
        await Access(kernel).admit(f"person:{name}", roles=roles)


async def test_only_somebody_in_the_role_says_yes(store: Path) -> None:
    async with Kernel(store, agents=[desk], policies=policy('@approvers("lead")')) as kernel:
        await admit(kernel, bo=["lead"], cy=["clerk"])
        run = await asked(kernel)
        for name in ("person:cy", "person:unknown", "person:local"):
            with pytest.raises(NotAllowed, match="does not count here: rule money wants the yes of lead"):
                await kernel.approve(run.id, by=name)
        await kernel.approve(run.id, by="person:bo")
        assert await run.result() == "R-500"


async def test_somebody_named_needs_no_role(store: Path) -> None:
    async with Kernel(store, agents=[desk], policies=policy('@approvers("lead, person:dee")')) as kernel:
        run = await asked(kernel)
        await kernel.approve(run.id, by="person:dee")
        assert await run.result() == "R-500"


async def test_whoever_asked_cannot_say_yes_to_it_unless_the_rule_lets_them(store: Path, tmp_path: Path) -> None:
    async with Kernel(store, agents=[desk], policies=policy('@approvers("lead")')) as kernel:
        await admit(kernel, ana=["lead"])
        run = await asked(kernel)
        with pytest.raises(NotAllowed, match="not whoever it acts for"):
            await kernel.approve(run.id, by="person:ana")
    free = policy('@approvers("lead") @requester("may")')
    async with Kernel(tmp_path / "free.kernos", agents=[desk], policies=free) as kernel:
        await admit(kernel, ana=["lead"])
        run = await asked(kernel)
        await kernel.approve(run.id, by="person:ana")
        assert await run.result() == "R-500"


async def test_two_of_several_are_two_different_people(store: Path) -> None:
    async with Kernel(store, agents=[desk], policies=policy('@approvers("lead, owner") @quorum("2")')) as kernel:
        await admit(kernel, bo=["lead", "owner"], cy=["owner"])
        run = await asked(kernel)
        await kernel.approve(run.id, by="person:bo")
        await kernel.approve(run.id, by="person:bo")
        state = await run.state()
        assert state.status is Status.WAITING
        (step,) = [name for name, one in state.steps.items() if one.phase is Phase.ASKING]
        assert shown_of(state, step)["said_yes"] == ["person:bo"]
        assert len(await kernel.waiting(kind="approval")) == 1
        await kernel.approve(run.id, by="person:cy")
        assert await run.result() == "R-500"
        (intended,) = [e.data async for e in run.events() if isinstance(e.data, ActionIntended)]
        assert len(set(intended.token.split())) == 2, "both tokens are used up by it"


async def test_every_rule_that_wants_people_gets_them(store: Path) -> None:
    more = (
        '@id("large") @approvers("owner") forbid (principal, action == Action::"unattended", resource is shop::refund);'
    )
    async with Kernel(store, agents=[desk], policies=policy('@approvers("lead")') + more) as kernel:
        await admit(kernel, bo=["lead"], cy=["owner"])
        run = await asked(kernel)
        await kernel.approve(run.id, by="person:bo")
        assert (await run.state()).status is Status.WAITING
        await kernel.approve(run.id, by="person:cy")
        assert await run.result() == "R-500"


async def test_one_no_is_enough(store: Path) -> None:
    async with Kernel(store, agents=[desk], policies=policy('@approvers("lead") @quorum("2")')) as kernel:
        await admit(kernel, bo=["lead"], cy=["lead"])
        run = await asked(kernel)
        await kernel.approve(run.id, by="person:bo")
        await kernel.deny(run.id, "no", by="person:cy")
        await until(kernel, run, Status.FAILED)


async def test_a_change_voids_what_others_said_yes_to(store: Path) -> None:
    async with Kernel(store, agents=[desk], policies=policy('@approvers("lead") @quorum("2")')) as kernel:
        await admit(kernel, bo=["lead"], cy=["lead"], di=["lead"])
        run = await asked(kernel)
        await kernel.approve(run.id, by="person:bo")
        await kernel.edit(run.id, {"amount_cents": 300}, by="person:cy")
        assert (await run.state()).status is Status.WAITING
        (row,) = await kernel.waiting(kind="approval")
        assert "300" in str(row["details"])
        await kernel.approve(run.id, by="person:bo")
        assert await run.result() == "R-300"


async def test_who_lost_the_role_before_the_action_is_made_does_not_count(store: Path) -> None:
    async with Kernel(store, agents=[desk], policies=policy('@approvers("lead") @quorum("2")')) as kernel:
        await admit(kernel, bo=["lead"], cy=["lead"], di=["lead"])
        run = await asked(kernel)
        await kernel.approve(run.id, by="person:bo")
        await admit(kernel, bo=[])
        await kernel.approve(run.id, by="person:cy")
        again: list[str] = []
        while not again:
            changed = kernel.engine.changed(run.id)
            again = [
                e.data.again
                async for e in run.events(follow=False)
                if isinstance(e.data, ApprovalRequested) and e.data.again
            ]
            if not again:
                await changed
        assert "of those who said yes only 1 may" in again[0]
        await kernel.approve(run.id, by="person:cy")
        await kernel.approve(run.id, by="person:di")
        assert await run.result() == "R-500"


async def test_nobody_but_a_person_says_yes(store: Path) -> None:
    async with Kernel(store, agents=[desk], policies=policy("")) as kernel:
        run = await asked(kernel)
        for name in ("agent:desk@1", "service:bot"):
            with pytest.raises(NotAllowed, match="only a person says yes"):
                await kernel.approve(run.id, by=name)
            with pytest.raises(NotAllowed, match="only a person says yes"):
                await kernel.edit(run.id, {"amount_cents": 1}, by=name)


async def test_something_is_asked_back_and_answered_before_the_yes(store: Path) -> None:
    async with Kernel(store, agents=[desk], policies=policy("")) as kernel:
        run = await asked(kernel)
        with pytest.raises(NotAllowed, match="nothing was asked back"):
            await kernel.explain(run.id, "the blue one")
        await kernel.ask_back(run.id, "which plate?", by="person:bo")
        await kernel.explain(run.id, "the blue one", by="person:ana")
        state = await run.state()
        assert state.status is Status.WAITING
        (step,) = [name for name, one in state.steps.items() if one.phase is Phase.ASKING]
        assert shown_of(state, step)["remarks"] == ["person:bo: which plate?", "person:ana: the blue one"]
        await kernel.approve(run.id, by="person:bo")
        assert await run.result() == "R-500"


async def test_the_plan_of_a_revert_is_no_yes_where_rules_want_certain_people(store: Path) -> None:
    @tool("shop.void", effect="once")
    async def void(request: Receipt) -> Receipt:
        return request

    @tool("shop.pay", effect="once", compensate=Undo(void, lambda _, result: result))
    async def pay(request: Refund) -> Receipt:
        return Receipt(id=f"P-{request.amount_cents}")

    @agent(tools=[pay])
    async def payer(ctx: Context, request: Refund) -> str:
        return (await ctx.call(pay, request)).id

    rules = 'permit (principal, action, resource);\n@id("void") @approvers("lead") forbid (principal, action == Action::"unattended", resource is shop::void);'
    async with Kernel(store, agents=[payer], policies=rules) as kernel:
        await admit(kernel, bo=["lead"])
        run = await kernel.start(payer, Refund(order="A1", amount_cents=5), by="person:ana")
        await run.result()
        taking = await kernel.revert(await kernel.plan_revert(run.id), by="person:cy")
        while not (waits := await kernel.waiting(kind="approval")):
            await kernel.engine.changed(taking.id)
        with pytest.raises(NotAllowed, match="rule void wants the yes of lead"):
            await kernel.approve(str(waits[0]["run"]), by="person:cy")
        await kernel.approve(str(waits[0]["run"]), by="person:bo")
        assert len((await taking.result()).undone) == 1


async def test_a_service_that_takes_back_says_yes_to_nothing(store: Path) -> None:
    @tool("shop.void", effect="once")
    async def void(request: Receipt) -> Receipt:
        return request

    @tool("shop.pay", effect="once", compensate=Undo(void, lambda _, result: result))
    async def pay(request: Refund) -> Receipt:
        return Receipt(id=f"P-{request.amount_cents}")

    @agent(tools=[pay])
    async def payer(ctx: Context, request: Refund) -> str:
        return (await ctx.call(pay, request)).id

    rules = f'{FREE}\npermit (principal, action == Action::"unattended", resource is shop::pay);'
    async with Kernel(store, agents=[payer], policies=rules) as kernel:
        run = await kernel.start(payer, Refund(order="A1", amount_cents=5), by="person:ana")
        await run.result()
        taking = await kernel.revert(await kernel.plan_revert(run.id), by="service:bot")
        await until(kernel, taking, Status.WAITING)
        await kernel.approve(taking.id, by="person:bo")
        assert len((await taking.result()).undone) == 1


async def test_a_yes_counts_only_if_it_is_of_those_whom_the_rules_want_when_it_is_used(
    store: Path, tmp_path: Path
) -> None:
    rules = tmp_path / "rules.cedar"
    rules.write_text(FREE)
    async with Kernel(store, agents=[desk], policies=rules) as kernel:
        await admit(kernel, bo=["lead"], cy=["lead"])
        run = await asked(kernel)
        rules.write_text(policy('@approvers("lead") @quorum("2")'))
        await kernel.reload_policies()
        await kernel.approve(run.id, by="person:ana")  # It was anybody's when the question was put.
        questions = await asked_times(run, 2)
        assert [len(one.gate.requires) for one in questions] == [0, 1]
        assert "wants the yes of 2 different people" in questions[1].again
        with pytest.raises(NotAllowed, match="rule money"):
            await kernel.approve(run.id, by="person:ana")
        await kernel.approve(run.id, by="person:bo")
        await kernel.approve(run.id, by="person:cy")
        assert await run.result() == "R-500"


@pytest.mark.parametrize(
    ("annotations", "said"),
    [
        ('@quorum("2")', "@approvers"),
        ('@approver("lead")', "write @approvers"),
        ('@Approvers("lead")', "write @approvers"),
        ('@approvers("lead") @quorom("2")', "write @quorum"),
        ('@later("2h owner")', "@approvers"),
        ('@approvers("")', "names no roles"),
        ('@approvers("two words")', "names no roles"),
        ('@approvers("lead,,owner")', "names no roles"),
        ('@approvers("lead") @quorum("0")', "no number of people"),
        ('@approvers("lead") @quorum("two")', "no number of people"),
        ('@approvers("lead") @quorum("21")', "no number of people"),
        ('@approvers("lead") @requester("must")', "says nothing"),
        ('@approvers("lead") @later("soon owner")', "is no chain"),
        ('@approvers("lead") @later("2h")', "is no chain"),
    ],
)
def test_what_is_wrong_with_a_rules_approvers_is_said_when_it_is_loaded(
    annotations: str, said: str, tmp_path: Path
) -> None:
    with pytest.raises(BadPolicies, match=said) as refused:
        Kernel(tmp_path / "desk.kernos", agents=[desk], policies=policy(annotations))
    assert "policy money" in str(refused.value)


# --- the rule itself ---------------------------------------------------------------------------------------------------

BOSS = PrincipalId("person:boss")
CHAIN = Requirement("money", ("lead",), later=((2 * HOUR, "owner"), (24 * HOUR, BOSS)))


@pytest.mark.parametrize(
    ("waited_ms", "owner", "boss"),
    [(0, False, False), (2 * HOUR - 1, False, False), (2 * HOUR, True, False), (24 * HOUR, True, True)],
)
def test_the_question_goes_up_the_chain_with_time(waited_ms: int, owner: bool, boss: bool) -> None:
    ana, bo = PrincipalId("person:ana"), PrincipalId("person:bo")
    assert may_voice(CHAIN, bo, frozenset({"owner"}), ana, waited_ms) is owner
    assert may_voice(CHAIN, BOSS, frozenset(), ana, waited_ms) is boss
    assert may_voice(CHAIN, bo, frozenset({"lead"}), ana, waited_ms)
    assert wanted(CHAIN) == (
        "rule money wants the yes of lead, not whoever it acts for, after 2 h also owner, after 1 d also person:boss"
    )


def test_the_length_of_the_chain_is_said_in_fitting_units() -> None:
    said = wanted(Requirement("r", ("a", "b"), 2, True, ((90 * 60_000, "c"), (1_500, "d"))))
    assert said == "rule r wants the yes of 2 different people of: a or b, after 90 min also c, after 1.5 s also d"


PEOPLE = [PrincipalId(f"person:{name}") for name in "abcd"]
ROLES = ["lead", "owner", "clerk"]


@given(
    requirement=st.builds(
        Requirement,
        st.just("r"),
        st.lists(st.sampled_from([*ROLES, *PEOPLE]), min_size=1, max_size=3).map(tuple),
        st.integers(1, 3),
        st.booleans(),
        st.lists(st.tuples(st.integers(0, 10), st.sampled_from(ROLES)), max_size=2).map(tuple),
    ),
    said=st.lists(st.tuples(st.sampled_from(PEOPLE), st.integers(0, 12)), max_size=5),
    roles=st.dictionaries(st.sampled_from(PEOPLE), st.frozensets(st.sampled_from(ROLES))),
    requester=st.sampled_from(PEOPLE),
)
def test_a_quorum_is_met_by_so_many_different_people_each_of_whom_counts(
    requirement: Requirement, said: Any, roles: Any, requester: PrincipalId
) -> None:
    voices = [Voice(by, EpochMs(100 + at), "") for by, at in said]
    good = {
        by
        for by, at in said
        if (by != requester or requirement.is_requester_free)
        and (
            {by, *roles.get(by, ())} & set(requirement.approvers)
            or any(at >= after and who in {by, *roles.get(by, ())} for after, who in requirement.later)
        )
    }
    found = lacking([requirement], voices, roles, requester, EpochMs(100))
    assert (found == "") == (len(good) >= requirement.quorum)
