"""Whose caps count: those of the process that runs agents, as it recorded them, in every process that gives commands to the store."""

from pathlib import Path

import pytest

from kernos import Context, Kernel, agent
from kernos.control.codec import decode_entry
from kernos.kernel.administering import administer, administered
from kernos.kernel.administration import Administration
from kernos.vocabulary import events as ev
from kernos.vocabulary.administration import ADMINISTRATION
from kernos.vocabulary.budget import Cap, Caps, CapsEntered, EnterCaps, Over, Unit
from kernos.vocabulary.errors import QueueFull
from kernos.vocabulary.events import Event
from kernos.vocabulary.ids import KERNEL, EpochMs

ALL = "permit(principal, action, resource);\n"
ONE_RUN = '[[cap]]\nover = "store"\nruns = 1\n'


@agent("desk")
async def desk(ctx: Context, order: str) -> str:
    return await ctx.wait("go", str)


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "desk.cedar").write_text(ALL)
    (folder / "budgets.toml").write_text(ONE_RUN)
    return folder


async def entered(kernel: Kernel) -> list[Caps]:
    events = [decode_entry(entry) for entry in await kernel.journal.read(ADMINISTRATION)]
    return [event.data.caps for event in events if isinstance(event.data, ev.CapsEntered) and event.by == KERNEL]


async def test_a_process_that_only_sends_commands_goes_by_the_caps_of_the_one_that_runs_agents(
    store: Path, policies: Path
) -> None:
    async with Kernel(store, agents=[desk], policies=policies) as kernel:
        run = await kernel.start(desk, "A1")
        for given in (None, policies / "desk.cedar", Caps((Cap(Over.STORE, Unit.RUNS, 9),))):
            budgets = given if isinstance(given, Caps) else None
            where = given if isinstance(given, Path) else ALL
            async with Kernel(store, agents=[desk], works=False, policies=where, budgets=budgets) as client:
                assert client.caps == kernel.caps
                with pytest.raises(QueueFull, match="as many runs are open as may be"):
                    await client.start(desk, "A2")
        await run.signal("go", "on")
        assert await run.result() == "on"
        async with Kernel(store, agents=[desk], works=False) as client:
            await (await client.start(desk, "A3")).signal("go", "on")


async def test_they_count_on_while_no_process_runs_agents(store: Path, policies: Path) -> None:
    async with Kernel(store, agents=[desk], policies=policies) as kernel:
        await kernel.start(desk, "A1")
    async with Kernel(store, agents=[desk], works=False) as client:
        with pytest.raises(QueueFull):
            await client.start(desk, "A2")


async def test_before_any_process_has_run_agents_a_client_goes_by_its_own(store: Path, policies: Path) -> None:
    async with Kernel(store, agents=[desk], works=False, policies=policies) as client:
        await client.start(desk, "A1")
        with pytest.raises(QueueFull):
            await client.start(desk, "A2")
        assert await entered(client) == []


async def test_each_change_of_the_caps_is_recorded_and_nothing_where_there_is_none(store: Path, policies: Path) -> None:
    async with Kernel(store, agents=[desk], policies=ALL) as kernel:
        assert await entered(kernel) == []
    for caps in (ONE_RUN, ONE_RUN, ONE_RUN.replace("1", "2"), ""):
        (policies / "budgets.toml").write_text(caps)
        async with Kernel(store, agents=[desk], policies=policies) as kernel:
            recorded = await entered(kernel)
    assert [[cap.amount for cap in caps.caps] for caps in recorded] == [[1], [2], []]


def test_caps_that_count_already_are_not_recorded_again() -> None:
    some, state = Caps((Cap(Over.STORE, Unit.CALLS, 5),)), Administration()
    assert administer(state, EnterCaps(Caps())) == ()
    assert administer(state, EnterCaps(some)) == (CapsEntered(some),)
    state = administered(state, [Event(ADMINISTRATION, 0, EpochMs(1), KERNEL, "call", CapsEntered(some))])
    assert administer(state, EnterCaps(some)) == ()
    assert administer(state, EnterCaps(Caps())) == (CapsEntered(Caps()),)
