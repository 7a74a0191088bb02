"""Taking back while other things go on: runs further down, other plans for the same actions, branches that were given up. For tests/behaviour/."""

import asyncio
from pathlib import Path

import pytest
from pydantic import BaseModel

from kernos import Context, Kernel, RunDidNotComplete, ToolCall, Undo, agent, tool
from kernos.vocabulary.contract import AgentContract
from kernos.vocabulary.errors import NotAllowed
from kernos.vocabulary.events import RunCancelled
from tests.behaviour.shop import Refund

ALLOW = "permit(principal, action, resource);"
SOON_S = 20.0


class Room(BaseModel):
    name: str


class Hotel:
    """Rooms booked and given back, in order; a room's event holds up whatever is done to it."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.reached = asyncio.Event()
        self.held: dict[str, asyncio.Event] = {}

        async def act(what: str, room: Room) -> str:
            if room.name in self.held and what in room.name:
                self.reached.set()
                await self.held[room.name].wait()
            self.done.append(f"{what} {room.name}")
            return room.name

        @tool("hotel.cancel", effect="once")
        async def cancel(room: Room) -> str:
            return await act("cancel", room)

        @tool("hotel.book", effect="once", compensate=Undo(cancel, lambda room, _: room))
        async def book(room: Room, call: ToolCall) -> str:
            return await act("book", room)

        self.book = book

    def hold(self, name: str) -> asyncio.Event:
        """Hold up the room of this name: `book...` when it is booked, `cancel...` when it is given back."""
        self.held[name] = asyncio.Event()
        return self.held[name]

    def guest(self, name: str, *below: AgentContract[str, str], spawns: bool = False) -> AgentContract[str, str]:
        """Return an agent that books rooms and then asks those below it for more; a topic is waited for."""

        @agent(name, tools=[self.book], on_failure={"cancelled": "compensate"} if name == "root" else {})
        async def guest(ctx: Context, rooms: str) -> str:
            own, _, rest = rooms.partition("/")
            for room in own.split(","):
                if room.startswith("?"):
                    await ctx.wait(room, str)
                elif room.startswith("#"):
                    await ctx.checkpoint(room[1:], "so far")
                else:
                    await ctx.call(self.book, Room(name=room))
            for one in below if rest else ():
                await (ctx.spawn(one, rest) if spawns else ctx.run(one, rest))
            return "booked"

        return guest


async def below(kernel: Kernel, run: str) -> str:
    (row,) = [row for row in await kernel.runs() if row["parent"] == run and row["agent"] != "kernos.revert"]
    return str(row["run"])


async def test_a_cancelled_run_takes_back_what_a_run_two_below_it_was_still_doing(store: Path) -> None:
    hotel = Hotel()
    go_on = hotel.hold("book-3")
    leaf = hotel.guest("leaf")
    middle = hotel.guest("middle", leaf)
    root = hotel.guest("root", middle)
    async with Kernel(store, agents=[root, middle, leaf], policies=ALLOW) as kernel, asyncio.timeout(SOON_S):
        run = await kernel.start(root, "r1/m2/book-3")
        await hotel.reached.wait()
        await run.cancel("never mind")
        async for event in run.events():
            if type(event.data).__name__ == "ChildEnded":
                break  # The middle one has ended; the last one acts yet.
        go_on.set()
        with pytest.raises(RunDidNotComplete):
            await run.result()
        assert hotel.done == ["book r1", "book m2", "book book-3", "cancel book-3", "cancel m2", "cancel r1"]
        end = [event.data async for event in run.events(follow=False)][-1]
        assert isinstance(end, RunCancelled) and end.taken_back is not None
        assert b'"standing":[]' in end.taken_back.text


async def test_a_run_is_not_reverted_while_one_below_it_goes_on(store: Path) -> None:
    hotel = Hotel()
    leaf = hotel.guest("leaf")

    @agent("fork", tools=[hotel.book])
    async def fork(ctx: Context, rooms: str) -> str:
        await ctx.call(hotel.book, Room(name="own"))
        await ctx.fork(lambda c: c.run(leaf, "fast"), lambda c: c.run(leaf, rooms), take=1)
        return "booked"

    go_on = hotel.hold("book-slow")
    async with Kernel(store, agents=[fork, leaf], policies=ALLOW) as kernel, asyncio.timeout(SOON_S):
        run = await kernel.start(fork, "book-slow")
        assert await run.result() == "booked"
        with pytest.raises(NotAllowed, match="has not ended"):
            await kernel.plan_revert(run.id)
        go_on.set()
        for row in await kernel.runs():
            if row["agent"] == "leaf" and not row["ended_at"]:
                with pytest.raises(RunDidNotComplete):
                    await (await kernel.run(str(row["run"]))).result()
        report = await (await kernel.revert(await kernel.plan_revert(run.id))).result()
        assert (len(report.undone), report.standing) == (3, ())
        assert sorted(hotel.done[3:]) == ["cancel book-slow", "cancel fast", "cancel own"]
        assert await kernel.journal.select("deliveries", {}) == []  # Nothing is owed to the branch that was given up.


async def test_what_a_run_does_that_goes_on_by_itself_still_stands(store: Path) -> None:
    hotel = Hotel()
    leaf = hotel.guest("leaf")
    root = hotel.guest("parent", leaf, spawns=True)
    async with Kernel(store, agents=[root, leaf], policies=ALLOW) as kernel, asyncio.timeout(SOON_S):
        run = await kernel.start(root, "r1/l1,?topic")
        await run.result()
        spawned = await kernel.run(await below(kernel, run.id))
        async for event in spawned.events():
            if type(event.data).__name__ == "SignalAwaited":
                break
        report = await (await kernel.revert(await kernel.plan_revert(run.id))).result()
        assert [one.reason for one in report.standing] == [
            f"run {spawned.id} goes on by itself: cancel it first, then revert"
        ]
        await spawned.cancel("it, too")
        await (await kernel.revert(await kernel.plan_revert(run.id))).result()
        assert hotel.done == ["book r1", "book l1", "cancel r1", "cancel l1"]


async def test_another_plan_for_the_same_run_is_refused_while_one_is_carried_out(store: Path) -> None:
    hotel = Hotel()
    go_on = hotel.hold("cancel-2")
    root = hotel.guest("parent")
    async with Kernel(store, agents=[root], policies=ALLOW) as kernel, asyncio.timeout(SOON_S):
        run = await kernel.start(root, "r1,#half,cancel-2")
        await run.result()
        narrow, wide = await kernel.plan_revert(run.id, to="half"), await kernel.plan_revert(run.id)
        first = await kernel.revert(narrow)
        await hotel.reached.wait()
        assert (await kernel.revert(narrow)).id == first.id
        with pytest.raises(NotAllowed, match="by another plan"):
            await kernel.revert(wide)
        go_on.set()
        await first.result()
        await (await kernel.revert(await kernel.plan_revert(run.id))).result()
        assert hotel.done == ["book r1", "book cancel-2", "cancel cancel-2", "cancel r1"]


@pytest.mark.parametrize("outer_first", [True, False])
async def test_an_action_is_taken_back_once_when_a_run_and_its_child_are_reverted_together(
    store: Path, *, outer_first: bool
) -> None:
    hotel = Hotel()
    go_on = hotel.hold("cancel-late" if outer_first else "cancel-kid")
    leaf = hotel.guest("leaf")

    @agent("parent", tools=[hotel.book])
    async def parent(ctx: Context, request: Refund) -> str:
        await ctx.run(leaf, "kid" if outer_first else "kid,cancel-kid")
        return await ctx.call(hotel.book, Room(name="cancel-late"))

    async with Kernel(store, agents=[parent, leaf], policies=ALLOW) as kernel, asyncio.timeout(SOON_S):
        run = await kernel.start(parent, Refund(order="A1", amount_cents=1))
        await run.result()
        child = await below(kernel, run.id)
        one, other = (run.id, child) if outer_first else (child, run.id)
        stale = await kernel.plan_revert(other)
        first = await kernel.revert(await kernel.plan_revert(one))
        await hotel.reached.wait()
        with pytest.raises(NotAllowed, match="no longer what would be done"):
            await kernel.revert(stale)
        second = await kernel.revert(await kernel.plan_revert(other))
        report = await second.result()
        assert f"run {first.id} is about to take it back" in [one.reason for one in report.standing]
        go_on.set()
        await first.result()
        given_back = [what for what in hotel.done if what.startswith("cancel")]
        assert len(given_back) == len(set(given_back)) == len(hotel.done) / 2
