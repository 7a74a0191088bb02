"""The command line: the real commands over a real store, each in this process."""

import json
import sqlite3
from pathlib import Path

import pytest

from kernos.control.projections import TABLES
from tests.surface.desk_folder import Folder

SMALL = '{"order": "A1"}'
LARGE = '{"order": "A1", "amount_cents": 6000}'


@pytest.fixture
def folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Folder:
    return Folder(tmp_path, capsys)


def parked(folder: Folder, agent: str, given: str) -> str:
    """Run an agent until it waits, and return the run's id."""
    answered = folder.kernos("run", agent, "--input", given)
    assert answered.code == 3, answered.all
    return str(json.loads(folder.kernos("ps", "--json").out)[0]["run"])


def end_of(folder: Folder, agent: str, given: str, key: str) -> str:
    answered = folder.kernos("run", agent, "--input", given, "--key", key)
    assert answered.code == 0, answered.all
    return answered.out.strip()


# --- run -----------------------------------------------------------------------------------------------------------


def test_run_prints_the_answer_as_json_and_the_rest_beside_it(folder: Folder) -> None:
    answered = folder.kernos("run", "desk", "--input", SMALL, "--by", "ana", "--intent", "A1 came damaged")
    assert (answered.code, answered.out) == (0, '"R-A1-100"\n')
    assert "asked by person:ana" in answered.err


def test_run_takes_its_input_from_a_file(folder: Folder) -> None:
    (folder.path / "given.json").write_text(SMALL)
    assert folder.kernos("run", "desk", "--input", f"@{folder.path / 'given.json'}").out == '"R-A1-100"\n'
    missing = folder.kernos("run", "desk", "--input", "@nowhere.json")
    assert missing.code == 1
    assert "error[invalid_input]: the input file nowhere.json" in missing.err


def test_the_same_key_gives_the_same_run(folder: Folder) -> None:
    assert end_of(folder, "desk", SMALL, "T1") == end_of(folder, "desk", SMALL, "T1")
    assert len(json.loads(folder.kernos("ps", "--all", "--json").out)) == 1
    other = folder.kernos("run", "desk", "--input", LARGE, "--key", "T1")
    assert other.code == 1
    assert "error[invalid_input]" in other.err


def test_a_detached_run_is_only_recorded(folder: Folder) -> None:
    run = folder.run_id("desk", "--input", SMALL)
    (row,) = json.loads(folder.kernos("ps", "--json").out)
    assert (row["run"], row["status"]) == (run, "running")


@pytest.mark.parametrize(
    ("agent", "given", "said", "following"),
    [
        ("desk", LARGE, "a person's yes to shop.refund", "kernos approve"),
        ("boss", LARGE, "a person's yes to shop.refund", "kernos approve"),
        ("asker", '"Pay?"', "an answer from lead: Pay?", "kernos answer"),
        ("listener", '"go"', "the signal go", "kernos signal"),
        ("sleeper", "86400", "the time 20", "kernos dev"),
        ("mailer", SMALL, "whether shop.mail", "kernos settle"),
    ],
)
def test_a_run_that_waits_says_for_what_and_how_to_go_on(
    folder: Folder, agent: str, given: str, said: str, following: str
) -> None:
    answered = folder.kernos("run", agent, "--input", given)
    assert answered.code == 3
    assert answered.out == ""
    assert said in answered.err
    assert following in answered.err


def test_a_short_sleep_is_waited_for(folder: Folder) -> None:
    assert folder.kernos("run", "sleeper", "--input", "0.01").out == '"rested"\n'


def test_a_run_that_fails_says_how_and_where_to_look(folder: Folder) -> None:
    answered = folder.kernos("run", "unclear", "--input", '"?"')
    assert answered.code == 1
    assert "error[run_did_not_complete]" in answered.err
    assert "(unclear): which order?" in answered.err
    assert "next: See why with `kernos trace" in answered.err


# --- what people say -----------------------------------------------------------------------------------------------


def test_a_yes_names_the_call_and_the_run_goes_on(folder: Folder) -> None:
    assert folder.kernos("run", "desk", "--input", LARGE, "--key", "T1").code == 3
    run = json.loads(folder.kernos("ps", "--json").out)[0]["run"]
    said = folder.kernos("approve", run[:6], "--by", "ana", "--note", "the box was wet")
    assert said.code == 0
    assert 'person:ana said yes to shop.refund {"order":"A1","amount_cents":6000}' in said.out
    assert "kernos dev" in said.out
    assert end_of(folder, "desk", LARGE, "T1") == '"R-A1-6000"'
    assert "person:ana said yes to shop.refund: the box was wet" in folder.kernos("trace", run).out
    again = folder.kernos("approve", run[:6])
    assert again.code == 1
    assert f"error[not_found]: run {run[:8]} does not wait for a yes or no: it has ended (completed)" in again.err
    assert "next: See `kernos trace" in again.err


def test_a_no_reaches_the_agent(folder: Folder) -> None:
    run = parked(folder, "desk", LARGE)
    assert "said no to shop.refund" in folder.kernos("deny", f"{run}.3", "--reason", "too late").out
    story = folder.kernos("trace", run)
    assert "said no to shop.refund: too late" in story.out
    assert "refused, key" in story.out


def test_an_edit_runs_the_changed_arguments(folder: Folder) -> None:
    assert folder.kernos("run", "desk", "--input", LARGE, "--key", "T1").code == 3
    run = json.loads(folder.kernos("ps", "--json").out)[0]["run"]
    assert folder.kernos("edit", run, "amount_cents").code == 1
    assert "no argument price" in folder.kernos("edit", run, "price=1").err
    edited = folder.kernos("edit", run, "amount_cents=4000", "order=A2")
    assert 'changed and said yes to shop.refund {"order":"A2","amount_cents":4000}' in edited.out, edited.all
    assert end_of(folder, "desk", LARGE, "T1") == '"R-A2-4000"'


def test_a_question_is_answered(folder: Folder) -> None:
    assert folder.kernos("run", "asker", "--input", '"Pay?"', "--key", "T1").code == 3
    run = json.loads(folder.kernos("ps", "--json").out)[0]["run"]
    assert folder.kernos("answer", run, "perhaps").code == 1
    assert folder.kernos("answer", run, "yes", "--json").code == 0
    assert end_of(folder, "asker", '"Pay?"', "T1") == '"yes"'


def test_a_signal_arrives_once_under_its_key(folder: Folder) -> None:
    assert folder.kernos("run", "listener", "--input", '"go"', "--key", "T1").code == 3
    run = json.loads(folder.kernos("ps", "--json").out)[0]["run"]
    assert folder.kernos("signal", run, "go", "--data", "7", "--key", "S1").code == 0
    assert folder.kernos("signal", run, "go", "--data", "8", "--key", "S1").code == 0
    assert end_of(folder, "listener", '"go"', "T1") == "7"


def test_an_action_in_doubt_is_settled(folder: Folder) -> None:
    assert folder.kernos("run", "mailer", "--input", SMALL, "--key", "T1").code == 3
    run = json.loads(folder.kernos("ps", "--json").out)[0]["run"]
    assert "say one of done, not_done, unknown" in folder.kernos("settle", run, "perhaps", "--note", "?").err
    settled = folder.kernos(
        "settle", run, "done", "--note", "it lies in the outbox", "--result", '"M-1"', "--by", "ana"
    )
    assert settled.code == 0, settled.all
    assert "person:ana settled shop.mail" in settled.out
    assert end_of(folder, "mailer", SMALL, "T1") == '"M-1"'
    assert "person:ana said so: it lies in the outbox" in folder.kernos("trace", run).out


def test_an_answer_that_is_not_waited_for_is_refused_with_the_one_that_is(folder: Folder) -> None:
    run = parked(folder, "asker", '"Pay?"')
    for command in (("approve", run), ("deny", run), ("edit", run, "a=1"), ("settle", run, "unknown", "--note", "?")):
        refused = folder.kernos(*command)
        assert refused.code == 1
        assert "it waits for an answer from lead: Pay?" in refused.err
        assert f"kernos answer {run[:8]}.1 'TEXT' --config" in refused.err


def test_a_signal_is_named_when_it_is_sent(folder: Folder) -> None:
    run = parked(folder, "listener", '"go"')
    assert f"person:local sent the signal go to run {run[:8]}" in folder.kernos("signal", run, "go").out


def test_what_would_change_nothing_is_refused(folder: Folder) -> None:
    run = parked(folder, "asker", '"Pay?"')
    sent_on = folder.kernos("resume", run)
    assert (sent_on.code, sent_on.out) == (1, "")
    assert f"error[not_allowed]: run {run[:8]} is not blocked: it is waiting" in sent_on.err
    assert folder.kernos("cancel", run).code == 0
    for command in ("cancel", "resume"):
        refused = folder.kernos(command, run)
        assert (refused.code, refused.out) == (1, "")
        assert f"error[run_ended]: run {run[:8]} has ended (cancelled)" in refused.err


def test_a_waiting_run_is_cancelled(folder: Folder) -> None:
    run = parked(folder, "asker", '"Pay?"')
    cancelled = folder.kernos("cancel", run[:7], "--reason", "no longer wanted")
    assert cancelled.code == 0
    assert cancelled.out.endswith(f"run {run[:8]} has ended: cancelled\n")  # And nobody has to go on with it.
    (row,) = json.loads(folder.kernos("ps", "--all", "--json").out)
    assert (row["status"], row["reason"]) == ("cancelled", "no longer wanted")
    assert "error[run_ended]" in folder.kernos("signal", run, "go").err


def test_a_run_whose_agent_is_missing_is_blocked_and_resumed(folder: Folder) -> None:
    assert folder.kernos("run", "asker", "--input", '"Pay?"', "--key", "T1").code == 3
    run = json.loads(folder.kernos("ps", "--json").out)[0]["run"]
    assert folder.kernos("answer", run, "yes").code == 0
    (folder.path / "none.cedar").write_text("permit(principal, action, resource);")
    idle = folder.kernos("run", "idle", "--agents", folder.other, "--policies", f"{folder.path}/none.cedar")
    assert (idle.code, idle.out) == (0, '"nothing to do"\n')
    (row,) = json.loads(folder.kernos("ps", "--status", "blocked", "--json").out)
    assert row["run"] == run
    assert "kernos resume" in folder.kernos("trace", run).out
    assert "sent on" in folder.kernos("resume", run).out
    assert end_of(folder, "asker", '"Pay?"', "T1") == '"yes"'


# --- looking -------------------------------------------------------------------------------------------------------


def test_ps_lists_open_runs_with_what_they_wait_for_and_all_runs_on_request(folder: Folder) -> None:
    run = parked(folder, "desk", LARGE)
    folder.kernos("run", "desk", "--input", SMALL)
    some = folder.kernos("ps").out.splitlines()
    assert len(some) == 2
    assert some[1].startswith(run[:8])
    assert "a person's yes to shop.refund" in some[1]
    assert [line.split()[1] for line in folder.kernos("ps", "--all").out.splitlines()[1:]] == ["completed", "waiting"]
    cut = folder.kernos("ps", "--all", "--limit", "1").out.splitlines()
    assert cut[-1].startswith("and more")
    assert "error[invalid_input]" in folder.kernos("ps", "--status", "lost").err
    (row,) = json.loads(folder.kernos("ps", "--json").out)
    assert row["waits"][0]["kind"] == "approval"


def test_ps_lists_runs_by_when_they_were_asked_for_whatever_their_ids(folder: Folder) -> None:
    runs = [folder.run_id("listener", "--input", '"go"', "--key", f"T{n}") for n in range(6)]
    assert [row["run"] for row in json.loads(folder.kernos("ps", "--all", "--json").out)] == runs[::-1]
    newest = json.loads(folder.kernos("ps", "--all", "--limit", "2", "--json").out)
    assert [row["run"] for row in newest] == runs[:3:-1]


def test_ps_says_when_nobody_goes_on_with_runs(folder: Folder) -> None:
    parked(folder, "asker", '"Pay?"')
    assert folder.kernos("ps").err == ""
    folder.run_id("desk", "--input", SMALL)
    assert "no process runs agents over this store now: `kernos dev --config" in folder.kernos("ps").err
    assert "goes on with 1 of these" in folder.kernos("ps").err
    assert folder.kernos("ps", "--json").err == ""


def test_ps_gives_each_run_one_line(folder: Folder) -> None:
    folder.run_id("asker", "--input", '"Pay?"', "--intent", "two\nlines")
    assert folder.kernos("ps").out.splitlines()[1].endswith("  two lines")


def test_trace_tells_the_story_in_order(folder: Folder) -> None:
    assert folder.kernos("run", "boss", "--input", LARGE, "--by", "ana", "--intent", "A1 came damaged").code == 3
    rows = {row["agent"]: row["run"] for row in json.loads(folder.kernos("ps", "--json").out)}
    told = folder.kernos("trace", rows["desk"][:5]).out
    order = [
        "asked by person:ana", "A1 came damaged", "what it found and decided, and why", "model default did judge",
        "the claim is fair", "rule refunds", "what it did outside", "shop.refund (idempotent)", f"key {rows['desk']}.3",
        "what it waits for", f"kernos approve {rows['desk'][:8]}.3", "what it cost", "1 model call",
    ]  # fmt: skip
    places = [told.find(part) for part in order]
    assert -1 not in places, told
    assert places == sorted(places), told
    above = folder.kernos("trace", rows["boss"]).out
    assert "1 model call over 2 runs" in above
    assert f"{rows['desk'][:8]} desk: waiting" in above


def test_trace_gives_events_as_a_table_and_everything_as_json(folder: Folder) -> None:
    folder.kernos("run", "desk", "--input", SMALL)
    (row,) = json.loads(folder.kernos("ps", "--all", "--json").out)
    table = folder.kernos("trace", row["run"], "--events").out
    assert "run.requested" in table.splitlines()[-len(table.split("N  TIME")[1].splitlines()) + 1]
    told = json.loads(folder.kernos("trace", row["run"], "--json").out)
    assert [event["n"] for event in told["events"]] == list(range(len(told["events"])))
    assert told["story"]["effects"]["3"]["status"] == "done"
    assert "rule refunds, small" in folder.kernos("trace", row["run"]).out


def test_ids_shorten_as_in_git(folder: Folder) -> None:
    runs = [folder.run_id("desk", "--input", SMALL) for _ in range(33)]
    first = next(run[0] for run in runs if sum(other[0] == run[0] for other in runs) > 1)
    several = folder.kernos("trace", first)
    assert several.code == 1
    assert "error[ambiguous]" in several.err
    assert "next: Give more characters" in several.err
    assert folder.kernos("trace", runs[0][:8]).code == 0
    assert "error[not_found]" in folder.kernos("trace", "iiii").err


def test_config_shows_settings_agents_and_tools(folder: Folder) -> None:
    shown = folder.kernos("config").out
    assert "agent desk version 3: Give money back." in shown
    assert "takes   Claim {order: string, amount_cents?: integer}" in shown
    assert "tool shop.mail, effect class once" in shown
    assert "kernos.toml" in shown
    given = json.loads(folder.kernos("config", "--json").out)
    assert given["sources"]["store"] == "kernos.toml"
    tools = {tool["name"]: tool for tool in given["tools"]}
    assert tools["shop.refund"]["input"]["required"] == ["order", "amount_cents"]


# --- keeping -------------------------------------------------------------------------------------------------------


def test_verify_and_rebuild_find_a_sound_store_sound(folder: Folder) -> None:
    parked(folder, "desk", LARGE)
    assert folder.kernos("verify", "--projections").out.startswith("clean: 6 entries")
    made = ", ".join(table.name for table in TABLES)
    assert f"rebuilt {made} from 6 entries" in folder.kernos("rebuild").out
    clean = json.loads(folder.kernos("verify", "--projections", "--json").out)
    assert (clean["clean"], clean["entries"]) == (True, 6)


def test_verify_names_the_place_of_an_edit(folder: Folder) -> None:
    parked(folder, "desk", LARGE)
    with sqlite3.connect(folder.store) as database:
        database.execute("UPDATE events SET body=CAST(replace(CAST(body AS TEXT), '6000', '9000') AS BLOB) WHERE pos=4")
    database.close()
    found = folder.kernos("verify")
    assert found.code == 1
    assert "edited at position 4" in found.out
    assert "next: restore" in found.out
    assert not json.loads(folder.kernos("verify", "--json").out)["clean"]
    assert "bad   store" in folder.kernos("doctor").out


def test_verify_compares_projections_with_the_journal(folder: Folder) -> None:
    parked(folder, "desk", LARGE)
    with sqlite3.connect(folder.store) as database:
        database.execute("UPDATE runs SET status='completed'")
    database.close()
    assert folder.kernos("verify").code == 0
    found = folder.kernos("verify", "--projections")
    assert found.code == 1
    assert "projection runs differs" in found.out
    assert "next: kernos rebuild" in found.out
    assert folder.kernos("rebuild").code == 0
    assert folder.kernos("verify", "--projections").code == 0


def test_doctor_finds_a_sound_folder_sound_and_names_what_is_not(folder: Folder) -> None:
    before = folder.kernos("doctor")
    assert before.code == 0, before.out
    assert "is not there yet" in before.out
    assert not folder.store.exists()
    parked(folder, "desk", LARGE)
    after = folder.kernos("doctor")
    assert after.code == 0, after.out
    assert "mode 0600" in after.out
    assert "no process runs agents now" in after.out
    folder.store.with_name("desk.kernos.key").chmod(0o644)
    (folder.path / "policies" / "desk.cedar").write_text("permit(principal, action, resource is shop::nothing);")
    bad = folder.kernos("doctor")
    assert bad.code == 1
    assert "chmod 600" in bad.out
    assert "bad   policies" in bad.out
    with (folder.path / "kernos.toml").open("a") as file:
        file.write(
            '\n[models.far]\nkind = "openai"\nbase_url = "http://127.0.0.1:9/v1"\nmodel = "m"\napi_key = "env:KERNOS_TEST_NO_KEY"\n'
        )
    keyless = folder.kernos("doctor")
    assert "model far: the secret env:KERNOS_TEST_NO_KEY is missing" in keyless.out, keyless.all
    assert "next: set the environment variable KERNOS_TEST_NO_KEY" in keyless.out
    verdicts = {check["name"]: check["verdict"] for check in json.loads(folder.kernos("doctor", "--json").out)}
    assert (verdicts["key"], verdicts["policies"], verdicts["agents"]) == ("bad", "bad", "ok")
