"""What the commands say about runs that take back, and about runs that nobody works on."""

import json
import re
from pathlib import Path
from uuid import uuid4

import pytest

from tests.surface.desk_folder import Answered, Folder

pytestmark = pytest.mark.slow

AGENTS = """
from pydantic import BaseModel

from kernos import Context, Failed, Undo, agent, tool


class Room(BaseModel):
    number: str


@tool("hotel.cancel", effect="idempotent")
async def cancel(room: Room) -> None: ...


@tool("hotel.book", effect="idempotent", compensate=Undo(cancel, lambda room: room))
async def book(room: Room) -> str:
    return f"B-{room.number}"


@tool("hotel.tell", effect="idempotent", compensate="it is read by then")
async def tell(room: Room) -> None: ...


@agent(tools=[book, tell], failures=["full"], on_failure={"full": "compensate", "error": "hand_over"})
async def trip(ctx: Context, number: str) -> str:
    booked = await ctx.call(book, Room(number=number))
    await ctx.checkpoint("booked", booked)
    if number == "13":
        raise Failed("full", "every train is full")
    if number == "0":
        raise KeyError(number)
    return booked
"""

POLICY = """
@id("book") permit(principal, action, resource is hotel::book);
@id("tell") permit(principal, action == Action::"invoke", resource is hotel::tell);
@id("cancel") permit(principal, action == Action::"invoke", resource is hotel::cancel);
"""


class Hotel(Folder):
    def __init__(self, path: Path, capture: pytest.CaptureFixture[str]) -> None:
        super().__init__(path, capture)
        self.module = f"hotel_{uuid4().hex}"
        (path / f"{self.module}.py").write_text(AGENTS)
        (path / "policies" / "desk.cedar").write_text(POLICY)
        self.config.write_text(f'[kernos]\nstore = "desk.kernos"\nagents = ["{self.module}"]\npolicies = "policies"\n')

    def ends(self, number: str) -> Answered:
        return self.kernos("run", "trip", "--input", f'"{number}"')

    def newest(self, agent: str) -> str:
        rows = json.loads(self.kernos("ps", "--all", "--json").out)
        return next(str(row["run"]) for row in rows if row["agent"] == agent)


@pytest.fixture
def hotel(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Hotel:
    return Hotel(tmp_path, capsys)


def test_a_run_that_takes_back_and_waits_for_a_yes_fits_the_code_on_disk(hotel: Hotel) -> None:
    assert hotel.ends("13").code == 3
    checked = hotel.kernos("doctor", "--upgrade")
    assert (checked.code, checked.out) == (0, "all 1 open runs go on with the code on disk\n")


def test_doctor_says_so_when_there_is_no_open_run(hotel: Hotel) -> None:
    assert hotel.ends("7").code == 0
    assert hotel.kernos("doctor", "--upgrade").out == "there are no open runs\n"


def test_a_run_that_takes_back_is_replayed_like_any_other(hotel: Hotel) -> None:
    hotel.ends("13")
    replayed = hotel.kernos("replay", hotel.newest("kernos.revert"))
    assert replayed.code == 0, replayed.all
    assert replayed.out.startswith("identical: ")


def test_a_run_whose_undo_waits_for_a_yes_is_not_one_to_go_on_with(hotel: Hotel) -> None:
    hotel.ends("13")
    assert hotel.kernos("ps").err == ""
    with hotel.dev() as dev:
        assert "found: 0 runs to go on with, 2 waiting\n" in dev.lines


def test_the_trace_of_a_run_names_what_took_its_actions_back(hotel: Hotel) -> None:
    hotel.ends("7")
    run = hotel.newest("trip")
    assert "taken back" not in hotel.kernos("trace", run).out
    assert hotel.kernos("revert", run, "--yes").code == 0
    assert f"taken back by {run}.1.undo (performed)" in hotel.kernos("trace", run).out


def test_a_failed_run_that_is_handed_over_says_which_answers_there_are(hotel: Hotel) -> None:
    answered = hotel.ends("0")
    run = hotel.newest("trip")
    assert f"kernos answer {run[:8]}.failure stop|compensate|compensate:CHECKPOINT" in answered.err
    said = hotel.kernos("answer", run, "stop")
    assert said.out.startswith("person:local answered operator's question: the run failed (error: KeyError")


def test_a_revert_without_the_agents_says_how_to_name_them(hotel: Hotel) -> None:
    hotel.ends("7")
    (hotel.path / "none.cedar").write_text("permit(principal, action, resource);")
    told = hotel.kernos(
        "revert", hotel.newest("trip"), "--agents", hotel.other, "--policies", str(hotel.path / "none.cedar")
    )
    assert "the tool hotel.book is not registered here" in told.out
    assert "next: name the agents with those tools: --agents MODULE" in told.out


def test_a_reconciliation_that_compares_nothing_says_so(hotel: Hotel) -> None:
    hotel.ends("7")
    assert "nothing was compared: no tool here names its service's own list" in hotel.kernos("reconcile").out


def test_config_tells_how_an_action_is_taken_back(hotel: Hotel) -> None:
    told = hotel.kernos("config").out
    assert re.search(r"tool hotel.book, .*\n  takes .*\n  gives   str\n  undo    hotel.cancel\n", told)
    assert re.search(r"tool hotel.tell, .*\n  takes .*\n  gives   nothing\n  undo    none: it is read by then\n", told)


def test_the_trace_of_a_run_that_nobody_works_on_names_the_command_that_goes_on(hotel: Hotel) -> None:
    run = hotel.run_id("trip", "--input", '"7"')
    assert f"  a process that runs agents: kernos dev --config {hotel.config}\n" in hotel.kernos("trace", run).out


def test_agents_named_with_the_command_are_named_in_the_next_one(hotel: Hotel) -> None:
    answered = hotel.kernos("run", "trip", "--input", '"13"', "--agents", hotel.module)
    assert f"then: kernos dev --config {hotel.config} --agents {hotel.module}\n" in answered.err


def test_a_module_that_runs_a_program_when_it_is_imported_is_refused_with_what_to_do(hotel: Hotel) -> None:
    module = f"eager_{uuid4().hex}"
    program = "import asyncio\n\nwork = asyncio.sleep(0)\ntry:\n    asyncio.run(work)\nfinally:\n    work.close()\n"
    (hotel.path / f"{module}.py").write_text(program)
    refused = hotel.kernos("run", "trip", "--agents", module)
    assert '`if __name__ == "__main__":`' in refused.err


def test_the_same_decision_on_the_same_grounds_is_told_once(hotel: Hotel) -> None:
    hotel.ends("13")
    undoing = hotel.newest("kernos.revert")
    hotel.kernos("approve", undoing)
    with hotel.dev() as dev:
        dev.until("hotel.cancel is done")
    told = hotel.kernos("why", f"{undoing}.1").out
    assert told.count("policy wanted a person's yes") == 1
    assert "; again at 20" in told
