"""Upgrade: runs that version 1 of some agents left in a kept store go on under version 2, by declared migrations and without."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from kernos import Context, Kernel, Migration, agent
from kernos.app.cli import main
from kernos.app.records import Records
from kernos.kernel.state import Status
from kernos.vocabulary.contract import AgentContract
from kernos.vocabulary.errors import BadDeclaration, InvalidInput
from tests.corpus.make_upgrade import (
    HOME,
    STORE,
    StandingClock,
    until,
    write_key,
)
from tests.corpus.make_upgrade import (
    Place as OldPlace,
)
from tests.corpus.make_upgrade import (
    Ticket as OldTicket,
)


class Ticket(BaseModel):
    order: str
    cents: int


class Place(BaseModel):
    first: str


class Answer(BaseModel):
    order: str
    said: str


def to_ticket(old: OldTicket) -> Ticket:
    return Ticket(order=old.order, cents=round(old.euros * 100))


def to_place(old: OldPlace) -> Place:
    return Place(first=old.parts[0])


def to_answer(old: dict[str, str]) -> Answer:
    return Answer(order=old["said"].split()[0], said=old["said"])


def desk_of(migrations: Mapping[str, Migration]) -> AgentContract[Ticket, Answer]:
    @agent("desk", version="2", state=Place, migrations=migrations)
    async def desk(ctx: Context, ticket: Ticket) -> Answer:
        place = ctx.state(Place)
        first = place.first if place else await ctx.wait(f"first {ticket.order}", str)
        if place is None:
            await ctx.checkpoint("first", "there", state=Place(first=first))
        return Answer(order=ticket.order, said=f"{ticket.cents} {first} {await ctx.wait('second', str)}")

    return desk


MIGRATIONS = {"1": Migration(input=to_ticket, state=to_place, output=to_answer)}
desk = desk_of(MIGRATIONS)


@agent("asker", version="2")
async def asker(ctx: Context, order: str) -> str:
    await ctx.now()
    return await ctx.ask("lead", f"May we pay {order}?")


@agent("outgrown", version="2")
async def outgrown(ctx: Context, ticket: Ticket) -> str:
    return await ctx.wait("go", str)


AGENTS: list[AgentContract[Any, Any]] = [desk, asker, outgrown]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    shutil.copytree(HOME, home)
    write_key(home)
    return home / STORE


def open_kernel(store: Path, agents: list[AgentContract[Any, Any]]) -> Kernel:
    return Kernel(store, agents=agents, clock=StandingClock())


async def runs_by_key(store: Path) -> dict[str, str]:
    with Records(store) as records:
        firsts = [(await records.events(run))[0] for run in records.journal.runs()]
    return {event.data.start_key: event.run for event in firsts if event.data.start_key}  # type: ignore[union-attr]


async def test_a_run_goes_on_from_its_checkpoint_with_the_state_of_the_new_version(store: Path) -> None:
    run = (await runs_by_key(store))["half"]
    async with open_kernel(store, AGENTS) as kernel:
        again = await kernel.run(run)
        await again.signal("second", "two")
        assert await again.result() == Answer(order="A2", said="100 one two")


async def test_a_run_goes_on_from_its_start_with_the_input_of_the_new_version(store: Path) -> None:
    run = (await runs_by_key(store))["begun"]
    async with open_kernel(store, AGENTS) as kernel:
        again = await kernel.run(run)
        await again.signal("first A3", "one")
        await again.signal("second", "two")
        assert await again.result() == Answer(order="A3", said="200 one two")


async def test_an_old_output_is_read_as_the_new_type_and_an_old_key_still_stands_for_its_run(store: Path) -> None:
    run = (await runs_by_key(store))["ended"]
    async with open_kernel(store, AGENTS) as kernel:
        again = await kernel.start(desk, Ticket(order="A1", cents=1250), key="ended")
        assert again.id == run
        assert await again.result() == Answer(order="A1", said="A1 12.50 one two")
        with pytest.raises(InvalidInput, match="another input"):
            await kernel.start(desk, Ticket(order="A1", cents=1), key="ended")


async def test_what_the_new_version_recorded_in_an_old_run_is_not_migrated_again(store: Path) -> None:
    run = (await runs_by_key(store))["begun"]
    async with open_kernel(store, AGENTS) as kernel:
        again = await kernel.run(run)
        await again.signal("first A3", "one")
        await until(again, "CheckpointReached", "RunParked")
    async with open_kernel(store, AGENTS) as kernel:
        again = await kernel.run(run)
        await again.signal("second", "two")
        assert await again.result() == Answer(order="A3", said="200 one two")


async def test_a_migration_never_changes_the_journal(store: Path) -> None:
    runs = await runs_by_key(store)
    with Records(store) as records:
        before = await records.events(runs["half"])  # type: ignore[arg-type]
    async with open_kernel(store, AGENTS) as kernel:
        again = await kernel.run(runs["half"])
        await again.signal("second", "two")
        await again.result()
        after = [event async for event in again.events()]
    assert after[: len(before)] == before


@pytest.mark.parametrize("key", ["outgrown", "half", "begun"])
async def test_without_a_migration_a_run_whose_values_do_not_fit_is_blocked_and_not_lost(store: Path, key: str) -> None:
    run = (await runs_by_key(store))[key]
    async with open_kernel(store, [desk_of({}), asker, outgrown]) as kernel:
        again = await kernel.run(run)
        await again.signal({"outgrown": "go", "half": "second", "begun": "first A3"}[key], "now")
        await until(again, "RunBlocked")
        blocked = (await again.state()).blocked
        assert blocked is not None
        assert blocked.code == "outgrown"
        assert "recorded by version 1" in blocked.message
        assert "no migration is declared" in blocked.message
    if key == "half":
        async with open_kernel(store, AGENTS) as kernel:
            await kernel.resume(run)
            assert await (await kernel.run(run)).result() == Answer(order="A2", said="100 one now")


async def test_without_a_migration_a_run_goes_on_only_if_it_asks_what_it_asked(store: Path) -> None:
    run = (await runs_by_key(store))["asker"]
    async with open_kernel(store, AGENTS) as kernel:
        await kernel.answer(run, "yes")
        again = await kernel.run(run)
        await until(again, "RunBlocked")
        state = await again.state()
        assert state.blocked is not None
        assert (state.status, state.blocked.code) == (Status.BLOCKED, "diverged")


def fails(old: OldPlace) -> Place:
    raise LookupError(old.parts[7])


async def test_a_migration_that_fails_blocks_the_run_with_its_error(store: Path) -> None:
    run = (await runs_by_key(store))["half"]
    broken = desk_of({"1": Migration(input=to_ticket, state=fails)})
    async with open_kernel(store, [broken, asker, outgrown]) as kernel:
        again = await kernel.run(run)
        await again.signal("second", "now")
        await until(again, "RunBlocked")
        blocked = (await again.state()).blocked
        assert blocked is not None
        assert "its migration fails: fails raised IndexError" in blocked.message


# --- declared and checked at import --------------------------------------------------------------------------------


def wrong_type(old: OldTicket) -> OldTicket:
    return old


@pytest.mark.parametrize(
    ("migrations", "said"),
    [
        ({"1": Migration(input=wrong_type)}, "returns Ticket, not Ticket"),
        ({"2": Migration(input=to_ticket)}, "no migration to version '2'"),
        ({"1": Migration()}, "changes nothing"),
        ({"1": Migration(input=lambda old: old)}, "lacks the type of old"),
        ({"1": to_ticket}, "no migration to version '2'"),
    ],
)
def test_a_migration_that_cannot_work_is_found_where_it_is_declared(migrations: Any, said: str) -> None:
    with pytest.raises(BadDeclaration, match=said):
        desk_of(migrations)


def test_an_agent_without_a_state_migrates_none() -> None:
    with pytest.raises(BadDeclaration, match="the agent has none"):

        @agent("plain", version="2", migrations={"1": Migration(state=to_place)})
        async def plain(ctx: Context, ticket: Ticket) -> str:
            return ticket.order


# --- kernos doctor --upgrade ---------------------------------------------------------------------------------------


def doctor(store: Path, agents: str, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, str]:
    code = main(["doctor", "--upgrade", "--store", str(store), "--agents", agents, *more])
    return code, capsys.readouterr().out


def test_the_doctor_says_for_each_run_what_does_not_fit(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = doctor(store, "tests.corpus.test_upgrade", capsys)
    assert code == 1
    assert "3 of 5 open runs would be blocked" in out
    assert "of asker, recorded by version 1, version 2 here: it asks something else than it asked before" in out
    assert "first difference at step 2\n    recorded: question Pay A4?" in out
    assert "now:      question May we pay A4?" in out
    assert "of outgrown, recorded by version 1, version 2 here: the input" in out
    assert "of gone, recorded by version 1, no such agent here" in out


def test_the_doctor_is_content_with_the_code_that_recorded_the_runs(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out = doctor(store, "tests.corpus.make_upgrade", capsys)
    assert (code, out) == (0, "all 5 open runs go on with the code on disk\n")


def test_what_the_doctor_says_is_what_then_happens(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out = doctor(store, "tests.corpus.test_upgrade", capsys, "--json")
    told = json.loads(out)
    assert (told["fits"], told["open_runs"]) == (False, 5)
    assert {misfit["agent"]: misfit["present"] for misfit in told["misfits"]} == {
        "asker": "2", "outgrown": "2", "gone": "",
    }  # fmt: skip
    assert [m["difference"]["step"] for m in told["misfits"] if m["difference"]] == ["2"]
