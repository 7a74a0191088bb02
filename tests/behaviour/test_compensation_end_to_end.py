"""Actions taken back: when a run fails, and when a person reverts one that has ended."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from kernos import (
    CannotUndo,
    Context,
    Failed,
    Kernel,
    Retry,
    Run,
    RunDidNotComplete,
    ToolCall,
    ToolFailed,
    Undo,
    agent,
    tool,
)
from kernos.kernel.state import Status
from kernos.vocabulary.contract import AgentContract, ToolContract
from kernos.vocabulary.errors import NotAllowed
from kernos.vocabulary.events import ActionIntended, RunFailed, RunRequested

ALLOW = "permit(principal, action, resource);"
FAST = Retry(attempts=3, first_delay_ms=1, delay_max_ms=2)


class Money(BaseModel):
    order: str
    cents: int


class Note(BaseModel):
    order: str
    text: str


class Entry(BaseModel):
    id: int


class Books:
    """An account that honours keys, and letters that nobody can call back."""

    def __init__(self) -> None:
        self.moves: list[tuple[str, str, int]] = []
        self.letters: list[str] = []
        self.seen: dict[str, Entry] = {}
        self.calls: list[ToolCall] = []
        self.refuses_charges = False

    @property
    def balance(self) -> int:
        return sum(cents if kind == "refund" else -cents for kind, _, cents in self.moves)

    def tools(self) -> dict[str, ToolContract[Any, Any]]:
        def move(kind: str, money: Money, call: ToolCall) -> Entry:
            self.calls.append(call)
            if kind == "charge" and self.refuses_charges:
                raise ToolFailed.final("the card is gone")
            if call.key not in self.seen:
                self.moves.append((kind, money.order, money.cents))
                self.seen[call.key] = Entry(id=len(self.moves))
            return self.seen[call.key]

        @tool("shop.charge", effect="idempotent", retry=FAST)
        async def charge(money: Money, call: ToolCall) -> Entry:
            return move("charge", money, call)

        def back(money: Money, entry: Entry) -> Money:
            if money.cents == 13:
                raise CannotUndo("nobody takes 13 back")
            return money

        undo = Undo(charge, back, within=timedelta(days=1), cost_microusd=250_000, leaves="the customer saw it")

        @tool("shop.refund", effect="idempotent", retry=FAST, compensate=undo)
        async def refund(money: Money, call: ToolCall) -> Entry:
            return move("refund", money, call)

        @tool("shop.letter", effect="once", retry=FAST, compensate="a posted letter cannot be called back")
        async def letter(note: Note, call: ToolCall) -> None:
            self.letters.append(note.text)

        @tool("shop.break", effect="idempotent", retry=FAST)
        async def broken(money: Money, call: ToolCall) -> Entry:
            raise ToolFailed.final("this never works")

        return {"refund": refund, "charge": charge, "letter": letter, "break": broken}


@pytest.fixture
def books() -> Books:
    return Books()


def desk_of(books: Books, on_failure: dict[str, str], *, letter: bool = False) -> AgentContract[Money, str]:
    tools = books.tools()

    @agent("desk", tools=list(tools.values()), on_failure=on_failure, failures=["unclear"])
    async def desk(ctx: Context, money: Money) -> str:
        await ctx.call(tools["refund"], Money(order=money.order, cents=100))
        if letter:
            await ctx.call(tools["letter"], Note(order=money.order, text="sorry"))
        await ctx.checkpoint("half", "the first refund is paid")
        await ctx.call(tools["refund"], Money(order=money.order, cents=money.cents))
        if money.cents < 1_000:
            return "paid"
        if money.cents == 2_000:
            raise Failed("unclear", "who is this")
        await ctx.call(tools["break"], money)
        return "never"

    return desk


async def failed(kernel: Kernel, desk: AgentContract[Money, str], cents: int) -> RunFailed:
    run = await kernel.start(desk, Money(order="o1", cents=cents))
    with pytest.raises(RunDidNotComplete):
        await run.result()
    *_, last = [event async for event in run.events()]
    assert isinstance(last.data, RunFailed)
    return last.data


async def test_a_failed_run_takes_its_actions_back_newest_first(tmp_path: Path, books: Books) -> None:
    desk = desk_of(books, {"*": "compensate"})
    async with Kernel(tmp_path / "k.kernos", agents=[desk], policies=ALLOW) as kernel:
        end = await failed(kernel, desk, 1_500)
    assert books.balance == 0
    assert [(kind, cents) for kind, _, cents in books.moves] == [
        ("refund", 100),
        ("refund", 1_500),
        ("charge", 1_500),
        ("charge", 100),
    ]
    assert end.mode == "refused"
    assert end.taken_back is not None
    assert b'"standing":[]' in end.taken_back.text


async def test_a_failed_run_takes_back_only_what_came_after_its_checkpoint(tmp_path: Path, books: Books) -> None:
    desk = desk_of(books, {"refused": "compensate:half"})
    async with Kernel(tmp_path / "k.kernos", agents=[desk], policies=ALLOW) as kernel:
        await failed(kernel, desk, 1_500)
    assert books.balance == 100


@pytest.mark.parametrize(("on_failure", "left"), [({}, 2_100), ({"unclear": "stop", "*": "compensate"}, 2_100)])
async def test_a_workflow_that_chose_to_stop_leaves_everything(
    tmp_path: Path, books: Books, on_failure: dict[str, str], left: int
) -> None:
    desk = desk_of(books, on_failure)
    async with Kernel(tmp_path / "k.kernos", agents=[desk], policies=ALLOW) as kernel:
        end = await failed(kernel, desk, 2_000)
    assert (books.balance, end.taken_back) == (left, None)


async def test_what_cannot_be_taken_back_is_told_with_the_reason(tmp_path: Path, books: Books) -> None:
    desk = desk_of(books, {"*": "compensate"}, letter=True)
    async with Kernel(tmp_path / "k.kernos", agents=[desk], policies=ALLOW) as kernel:
        end = await failed(kernel, desk, 1_500)
    assert books.balance == 0
    assert end.taken_back is not None
    assert b"a posted letter cannot be called back" in end.taken_back.text


async def test_an_undo_that_is_refused_is_told_and_the_others_are_made(tmp_path: Path, books: Books) -> None:
    books.refuses_charges = True
    desk = desk_of(books, {"*": "compensate"})
    async with Kernel(tmp_path / "k.kernos", agents=[desk], policies=ALLOW) as kernel:
        end = await failed(kernel, desk, 1_500)
    assert end.taken_back is not None
    assert end.taken_back.text.count(b"the card is gone") == 2


@pytest.mark.parametrize(("answer", "left"), [("stop", 2_100), ("compensate", 0), ("compensate:half", 100)])
async def test_a_failure_handed_to_a_person_ends_as_the_person_says(
    tmp_path: Path, books: Books, answer: str, left: int
) -> None:
    desk = desk_of(books, {"*": "hand_over"})
    async with Kernel(tmp_path / "k.kernos", agents=[desk], policies=ALLOW) as kernel:
        run = await kernel.start(desk, Money(order="o1", cents=2_000))
        async for event in run.events():
            if type(event.data).__name__ == "QuestionAsked":
                assert (await run.state()).status is Status.HANDED_OVER
                await kernel.answer(run.id, answer)
        with pytest.raises(RunDidNotComplete, match="who is this"):
            await run.result()
    assert books.balance == left


async def test_cancelling_and_passing_the_deadline_take_back_as_declared(tmp_path: Path, books: Books) -> None:
    tools = books.tools()

    @agent("desk", tools=list(tools.values()), on_failure={"cancelled": "compensate", "expired": "compensate"})
    async def desk(ctx: Context, money: Money) -> None:
        await ctx.call(tools["refund"], money)
        await ctx.sleep(3_600)

    async with Kernel(tmp_path / "k.kernos", agents=[desk], policies=ALLOW) as kernel:
        run = await kernel.start(desk, Money(order="o1", cents=5))
        late = await kernel.start(desk, Money(order="o2", cents=7), deadline_ms=300)
        async for event in run.events():
            if type(event.data).__name__ == "TimerSet":
                await kernel.cancel(run.id, "not wanted")
        for one, mode in ((run, "cancelled"), (late, "expired")):
            with pytest.raises(RunDidNotComplete, match=mode):
                await one.result()
    assert (books.balance, len(books.moves)) == (0, 4)


async def test_what_child_runs_did_is_taken_back_with_the_run(tmp_path: Path, books: Books) -> None:
    tools = books.tools()

    @agent("payer", tools=[tools["refund"]])
    async def payer(ctx: Context, money: Money) -> str:
        await ctx.call(tools["refund"], money)
        return "paid"

    @agent("sleeper", tools=[tools["refund"]])
    async def sleeper(ctx: Context, money: Money) -> str:
        await ctx.call(tools["refund"], money)
        await ctx.sleep(3_600)
        return "never"

    @agent("desk", on_failure={"*": "compensate"})
    async def desk(ctx: Context, money: Money) -> str:
        await ctx.run(payer, money)

        async def fail(branch: Context) -> None:
            await branch.sleep(0.2)
            raise Failed("unclear", "no")

        await ctx.fork(lambda c: c.run(sleeper, money), fail, take=2)
        return "never"

    async with Kernel(tmp_path / "k.kernos", agents=[desk, payer, sleeper], policies=ALLOW) as kernel:
        run = await kernel.start(desk, Money(order="o1", cents=5))
        with pytest.raises(RunDidNotComplete):
            await run.result()
        assert [row["status"] for row in await kernel.runs() if row["agent"] == "sleeper"] == ["cancelled"]
    assert (books.balance, len(books.moves)) == (0, 4)


@pytest.fixture
async def kernel(tmp_path: Path, books: Books) -> AsyncIterator[Kernel]:
    ask = 'permit(principal, action, resource); forbid(principal, action == Action::"unattended", resource) when { context.undo };'
    async with Kernel(tmp_path / "k.kernos", agents=[desk_of(books, {}, letter=True)], policies=ask) as opened:
        yield opened


async def test_an_ended_run_is_reverted_as_its_plan_says_and_only_once(kernel: Kernel, books: Books) -> None:
    run: Run[str] = await kernel.start("desk", Money(order="o1", cents=13))
    assert await run.result() == "paid"
    plan = await kernel.plan_revert(run.id)
    assert [(undo.undone.tool, undo.obstacle) for undo in plan.undos] == [
        ("shop.refund", "nobody takes 13 back"),
        ("shop.letter", "a posted letter cannot be called back"),
        ("shop.refund", ""),
    ]
    assert plan.undos[-1].cost_microusd == 250_000
    revert = await kernel.revert(plan, by="person:ana")
    report = await revert.result()
    assert (books.balance, len(report.undone), len(report.standing)) == (13, 1, 2)
    events = [event async for event in revert.events()]
    assert isinstance(events[0].data, RunRequested)
    assert (events[0].by, events[0].data.reverts) == ("person:ana", run.id)
    intended = [event.data for event in events if isinstance(event.data, ActionIntended)]
    assert [one.approval for one in intended] == [f"{revert.id}.request"], "the plan was the approval"
    again = await kernel.plan_revert(run.id)
    assert [undo.undone.key for undo in again.undos if not undo.obstacle] == []


async def test_two_who_start_the_same_plan_get_one_run(kernel: Kernel, books: Books) -> None:
    run: Run[str] = await kernel.start("desk", Money(order="o1", cents=50))
    await run.result()
    plan = await kernel.plan_revert(run.id, to="half")
    first, second = await kernel.revert(plan), await kernel.revert(plan)
    assert first.id == second.id
    await second.result()
    assert books.balance == 100


async def test_a_plan_that_is_no_longer_right_is_refused(kernel: Kernel, books: Books) -> None:
    run: Run[str] = await kernel.start("desk", Money(order="o1", cents=50))
    await run.result()
    whole = await kernel.plan_revert(run.id)
    await (await kernel.revert(await kernel.plan_revert(run.id, to="half"))).result()
    with pytest.raises(NotAllowed, match="no longer what would be done"):
        await kernel.revert(whole)
    assert books.balance == 100


async def test_a_revert_is_not_reverted_and_an_open_run_neither(kernel: Kernel, books: Books) -> None:
    run: Run[str] = await kernel.start("desk", Money(order="o1", cents=50))
    await run.result()
    revert = await kernel.revert(await kernel.plan_revert(run.id))
    await revert.result()
    with pytest.raises(NotAllowed, match="takes actions back"):
        await kernel.plan_revert(revert.id)


async def test_the_undo_goes_out_under_a_key_made_from_the_action_it_takes_back(kernel: Kernel, books: Books) -> None:
    run: Run[str] = await kernel.start("desk", Money(order="o1", cents=50))
    await run.result()
    await (await kernel.revert(await kernel.plan_revert(run.id))).result()
    keys = [call.key for call in books.calls]
    assert keys[2:] == [f"{keys[1]}.undo", f"{keys[0]}.undo"]
