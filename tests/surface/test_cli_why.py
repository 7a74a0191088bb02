"""kernos why and kernos effects: from a reference of the outside to everything behind it, and from a run to all it did."""

import json
from pathlib import Path

import pytest

from kernos.vocabulary.ids import RunId
from kernos.vocabulary.traceparent import trace_id, traceparent
from tests.surface.desk_folder import Folder

pytestmark = pytest.mark.slow

SMALL = '{"order": "A1"}'
LARGE = '{"order": "A1", "amount_cents": 6000}'


@pytest.fixture
def folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Folder:
    return Folder(tmp_path, capsys)


def runs(folder: Folder) -> set[str]:
    if not folder.store.exists():
        return set()
    return {row["run"] for row in json.loads(folder.kernos("ps", "--all", "--json").out) if not row["parent"]}


def asked(folder: Folder, code: int, agent: str, given: str, *more: str) -> str:
    """Run an agent, and return the run's id."""
    before = runs(folder)
    answered = folder.kernos("run", agent, "--input", given, *more)
    assert answered.code == code, answered.all
    (run,) = runs(folder) - before
    return run


def done(folder: Folder, agent: str, given: str, *more: str) -> str:
    return asked(folder, 0, agent, given, *more)


def parked(folder: Folder, agent: str, given: str, *more: str) -> str:
    return asked(folder, 3, agent, given, *more)


# --- why -----------------------------------------------------------------------------------------------------------


def test_the_id_that_a_service_gave_leads_to_all_that_is_behind_it(folder: Folder) -> None:
    run = done(folder, "desk", SMALL, "--by", "ana", "--intent", "A1 came damaged")
    told = folder.kernos("why", "R-A1-100")
    assert told.code == 0, told.all
    assert f"R-A1-100 is shop.refund of run {run[:8]}, step 3 (its result the value itself): performed" in told.out
    assert "person:ana asked desk at " in told.out
    assert "agent desk version 3 (code " in told.out
    assert "intent: A1 came damaged" in told.out
    assert "it had reached judged at " in told.out
    assert "the claim is fair" in told.out
    assert f"shop.refund (idempotent action), key {run}.3" in told.out
    assert 'arguments {"order":"A1","amount_cents":100}' in told.out
    assert 'result "R-A1-100"' in told.out
    assert "policy allowed it (rules refunds, small; policy set " in told.out
    assert "nobody had to say yes" in told.out
    assert "attempt 1: " in told.out


def test_programs_get_the_same_as_json(folder: Folder) -> None:
    run = done(folder, "desk", SMALL, "--by", "ana", "--intent", "A1 came damaged")
    told = json.loads(folder.kernos("why", "R-A1-100", "--json").out)
    assert told["found"] == 1
    (call,) = told["calls"]
    about = {name: call[name] for name in ("agent", "version", "run", "intent", "asked_by", "key", "state", "result")}
    assert about == {
        "agent": "desk", "version": "3", "run": run, "intent": "A1 came damaged", "asked_by": "person:ana",
        "key": f"{run}.3", "state": "performed", "result": "R-A1-100",
    }  # fmt: skip
    assert call["args"] == {"order": "A1", "amount_cents": 100}
    assert call["checkpoint"]["name"] == "judged"
    (decision,) = call["decisions"]
    assert (decision["answer"], decision["rules"]) == ("allow", ["refunds", "small"])
    assert len(decision["policy_set"]) == 16
    assert [attempt["ended"] for attempt in call["attempts"]] == ["answered"]
    assert call["approved_by"] == ""
    assert [link["run"] for link in call["led_to_it"]] == [run]


def test_keys_steps_and_traces_lead_there_as_well(folder: Folder) -> None:
    run = done(folder, "desk", SMALL)
    whole = folder.kernos("why", f"{run}.3", "--json").out
    for reference in (f"{run[:6]}.3", run, trace_id(RunId(run)), traceparent(RunId(run), f"{run}.3")):
        told = json.loads(folder.kernos("why", reference, "--json").out)
        assert [call["key"] for call in told["calls"]] == [f"{run}.3"], reference
    assert json.loads(whole)["calls"][0]["found_as"] == "step"
    elsewhere = traceparent(RunId(run), f"{run}.4")
    assert folder.kernos("why", elsewhere).code == 1


def test_who_said_yes_and_what_was_changed_is_told(folder: Folder) -> None:
    run = parked(folder, "desk", LARGE, "--key", "T1", "--by", "ana")
    asking = folder.kernos("why", f"{run}.3").out
    assert ": asking" in asking
    assert "policy wanted a person's yes (rule refunds; policy set " in asking
    assert "nothing left the kernel" in asking
    folder.kernos("edit", run, "amount_cents=4000", "--by", "bo", "--note", "the box was wet")
    assert folder.kernos("run", "desk", "--input", LARGE, "--key", "T1").code == 0
    told = folder.kernos("why", "R-A1-4000").out
    assert "person:bo edited it: the box was wet" in told
    assert "amount_cents: 6000 became 4000" in told
    assert 'arguments {"order":"A1","amount_cents":4000}' in told
    call = json.loads(folder.kernos("why", "R-A1-4000", "--json").out)["calls"][0]
    assert call["approved_by"] == "person:bo"
    assert [said["before"]["amount_cents"] for said in call["said"]] == [6000]
    assert [decision["answer"] for decision in call["decisions"]] == ["ask", "allow", "allow"]


def test_what_led_to_it_is_told_up_to_the_first_request(folder: Folder) -> None:
    boss = done(folder, "boss", SMALL, "--by", "ana", "--intent", "look after A1")
    told = folder.kernos("why", "R-A1-100")
    assert "person:ana asked boss at " in told.out
    assert f"run {boss[:8]} of boss asked desk in step 1" in told.out
    chain = json.loads(folder.kernos("why", "R-A1-100", "--json").out)["calls"][0]["led_to_it"]
    assert [link["agent"] for link in chain] == ["boss", "desk"]
    child = chain[1]["run"]
    traced = json.loads(folder.kernos("why", traceparent(RunId(boss), f"{child}.3"), "--json").out)
    assert [call["run"] for call in traced["calls"]] == [child]


def test_who_settled_a_doubt_is_told_and_the_result_they_gave_is_found(folder: Folder) -> None:
    run = parked(folder, "mailer", SMALL)
    assert "in doubt: the line broke" in folder.kernos("why", f"{run}.1").out
    settled = folder.kernos("settle", run, "done", "--note", "it is in the outbox", "--result", '"M-77"', "--by", "bo")
    assert settled.code == 0, settled.all
    told = folder.kernos("why", "M-77").out
    assert "shop.mail" in told
    assert "person:bo settled as done: it is in the outbox" in told
    assert "attempt 1: " in told


def test_several_calls_are_listed_newest_first(folder: Folder) -> None:
    first = done(folder, "desk", SMALL, "--key", "T1")
    second = done(folder, "desk", SMALL, "--key", "T2")
    told = folder.kernos("why", "R-A1-100")
    assert "R-A1-100 belongs to 2 calls" in told.out
    rows = [line.split()[0] for line in told.out.splitlines()[2:]]
    assert rows == [f"{second[:8]}.3", f"{first[:8]}.3"]
    assert json.loads(folder.kernos("why", "R-A1-100", "--json").out)["found"] == 2


def test_only_a_whole_value_is_found_and_arguments_are_searched_when_no_result_has_it(folder: Folder) -> None:
    run = done(folder, "desk", SMALL)
    for part in ("R-A1-10", "A1-100", "R-A1-1000", "r-a1-100", "00"):
        refused = folder.kernos("why", part)
        assert refused.code == 1, part
        assert f"error[not_found]: nothing that was done outside is known as '{part}'" in refused.err
    for whole in ("A1", "100"):
        (call,) = json.loads(folder.kernos("why", whole, "--json").out)["calls"]
        assert call["key"] == f"{run}.3"
    assert call["found_as"] == "argument amount_cents"


def test_everywhere_also_finds_where_a_reference_was_used(folder: Folder) -> None:
    done(folder, "desk", '{"order": "R-A1-100"}', "--key", "T2")
    done(folder, "desk", SMALL, "--key", "T1")
    assert json.loads(folder.kernos("why", "R-A1-100", "--json").out)["found"] == 1
    everywhere = json.loads(folder.kernos("why", "R-A1-100", "--everywhere", "--json").out)
    assert [call["found_as"] for call in everywhere["calls"]] == ["result the value itself", "argument order"]


def test_a_step_that_is_no_call_is_refused_with_where_to_look(folder: Folder) -> None:
    run = done(folder, "desk", SMALL)
    refused = folder.kernos("why", f"{run}.2")
    assert refused.code == 1
    assert "error[not_found]" in refused.err
    assert "model default" not in refused.all
    assert "default of run" in folder.kernos("why", f"{run}.1").out


# --- effects -------------------------------------------------------------------------------------------------------


def test_effects_lists_what_a_run_and_the_runs_below_it_did(folder: Folder) -> None:
    boss = done(folder, "boss", SMALL)
    told = folder.kernos("effects", boss[:6])
    assert told.code == 0, told.all
    heading, row = told.out.splitlines()
    assert heading.split() == ["TIME", "STATE", "TOOL", "REFERENCE", "KEY", "APPROVED", "BY", "ARGUMENTS"]
    assert "performed  shop.refund  R-A1-100" in row
    assert '{"order":"A1","amount_cents":100}' in row
    assert (
        "did nothing outside; the runs below it were not looked at" in folder.kernos("effects", boss, "--no-tree").out
    )
    listed = json.loads(folder.kernos("effects", boss, "--json").out)
    assert (listed["run"], listed["runs"], listed["cut"]) == (boss, 2, False)
    (action,) = listed["actions"]
    assert (action["tool"], action["state"], action["reference"]) == ("shop.refund", "performed", "R-A1-100")


@pytest.mark.parametrize(
    ("agent", "given", "state"),
    [
        ("desk", LARGE, "asking"),
        ("mailer", SMALL, "in doubt"),
    ],
)
def test_effects_names_the_state_of_what_is_not_done_yet(folder: Folder, agent: str, given: str, state: str) -> None:
    run = parked(folder, agent, given)
    (action,) = json.loads(folder.kernos("effects", run, "--json").out)["actions"]
    assert action["state"] == state
    assert state in folder.kernos("effects", run).out


def test_effects_names_refusals_and_who_approved(folder: Folder) -> None:
    run = asked(folder, 1, "desk", '{"order": "A1", "amount_cents": 200000}')
    assert json.loads(folder.kernos("effects", run, "--json").out)["actions"][0]["state"] == "denied"
    run = parked(folder, "desk", LARGE, "--key", "T1")
    folder.kernos("approve", run, "--by", "bo")
    assert folder.kernos("run", "desk", "--input", LARGE, "--key", "T1").code == 0
    assert "person:bo" in folder.kernos("effects", run).out
