"""`kernos budget`: caps are shown with what is used and what stands, raised by persons, and leftovers are settled."""

import json
from pathlib import Path

import pytest

from tests.surface.desk_folder import Folder

pytestmark = pytest.mark.slow

CLAIM = '{"order": "A-1"}'


@pytest.fixture
def folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Folder:
    made = Folder(tmp_path, capsys)
    (tmp_path / "policies" / "budgets.toml").write_text(
        '[[cap]]\nover = "agent"\nname = "desk"\ncalls = 2\n[[cap]]\nover = "agent"\nname = "mailer"\ncalls = 1\n'
    )
    return made


def test_a_cap_is_shown_and_raised_and_then_more_is_done(folder: Folder) -> None:
    assert folder.kernos("run", "desk", "--input", CLAIM).code == 0
    shown = folder.kernos("budget", "show")
    assert shown.code == 0, shown.all
    assert "default/desk" in shown.out
    assert "100 %" in shown.out
    stopped = folder.kernos("run", "desk", "--input", CLAIM)
    assert stopped.code != 0
    assert "over_budget" in stopped.all
    assert "kernos budget raise agent calls AMOUNT --name desk" in stopped.all
    for words, said in (
        (("agent", "calls", "2"), "does not raise"),
        (("moon", "calls", "9"), "agent"),
        (("store", "calls", "9"), "there is no cap"),
    ):
        refused = folder.kernos("budget", "raise", *words, "--name", "desk", "--reason", "more work")
        assert refused.code == 1
        assert said in refused.err
    raised = folder.kernos("budget", "raise", "agent", "calls", "9", "--name", "desk", "--reason", "more work")
    assert "it was 2" in raised.out, raised.all
    token = raised.out.split("signed: ")[1].split()[0]
    arguments = raised.out.split("--arguments '")[1].split("'")[0]
    checked = folder.kernos("approval", "verify", token, "--arguments", arguments)
    assert (checked.code, "the yes is to these arguments" in checked.out) == (0, True), checked.all
    other = folder.kernos("approval", "verify", token, "--arguments", arguments.replace("9", "90"))
    assert (other.code, "OTHER ARGUMENTS" in other.out) == (1, True), other.all
    assert "raised agent desk from 2 to 9 calls: more work" in folder.kernos("budget", "show").out
    (listed,) = json.loads(folder.kernos("budget", "show", "--json").out)["raised"]
    assert (listed["token"], listed["counts"], listed["old"], listed["new"]) == (token, True, 2, 9)
    assert folder.kernos("run", "desk", "--input", CLAIM).code == 0


def test_money_is_asked_for_and_raised_in_dollars_as_the_file_gives_it(folder: Folder) -> None:
    (folder.path / "policies" / "budgets.toml").write_text('[[cap]]\nover = "store"\nusd = 1.0\n')
    folder.run_id("asker", "--input", '"Pay?"')
    with folder.dev():
        for amount in ("7.5000001", "NaN", "1e99", "much"):
            refused = folder.kernos("budget", "raise", "store", "usd", amount, "--reason", "more work")
            assert (refused.code, f"{amount!r} is no amount of usd" in refused.err) == (1, True), refused.all
        assert (
            "'euro' is no unit of a cap" in folder.kernos("budget", "raise", "store", "euro", "7", "--reason", "x").err
        )
        asked = folder.kernos("budget", "ask", "store", "usd", "9", "--reason", "more work")
        assert "asked to raise store to 9000000 microusd" in asked.out, asked.all
        raised = folder.kernos("budget", "raise", "store", "usd", "7.50", "--reason", "more work", "--by", "ana")
        assert "the cap of store is 7500000 microusd from now on; it was 1000000" in raised.out, raised.all


def test_what_stands_reserved_is_listed_with_how_it_is_closed(folder: Folder) -> None:
    folder.run_id("asker", "--input", '"Pay?"')
    assert "nothing was counted" in folder.kernos("budget", "show").out
    folder.run_id("mailer", "--input", CLAIM)
    with folder.dev() as dev:
        dev.until("nobody knows whether")
    shown = folder.kernos("budget", "show")
    assert "in doubt" in shown.out, shown.all
    (one,) = json.loads(folder.kernos("budget", "show", "--json").out)["reservations"]
    refused = folder.kernos("budget", "settle", f"{one['run']}.{one['n']}", "not_done", "--note", "seen")
    assert refused.code == 1
    assert "kernos settle" in refused.err  # Whoever settles the action closes this with it.
    assert "RUN.N" in folder.kernos("budget", "settle", "nothing", "done", "--note", "seen").err


def test_a_run_under_caps_can_be_replayed_forked_exported_and_explained(folder: Folder) -> None:
    (folder.path / "policies" / "budgets.toml").write_text(
        '[[cap]]\nover = "store"\nruns = 2\ncalls = 9\ntokens = 90_000\n'
    )
    run = folder.run_id("desk", "--input", CLAIM)
    with folder.dev() as dev:
        dev.until("completed")
    assert folder.kernos("replay", run).code == 0
    assert folder.kernos("fork", run, "--offline").code == 0
    assert folder.kernos("export", run, "--as-test", "--out", str(folder.path / "test_run.py")).code == 0
    assert folder.kernos("verify", "--projections").code == 0
    trace = folder.kernos("trace", run, "--events")
    assert "budget.reserved" in trace.out
    assert "budget.spent" in trace.out


def test_a_share_that_was_passed_stands_at_the_head_of_ps_until_the_cap_is_raised(folder: Folder) -> None:
    assert "BUDGET" not in folder.kernos("ps").out
    folder.kernos("run", "desk", "--input", CLAIM)
    shown = folder.kernos("ps").out
    assert "BUDGET: 100 % of 2 of agent desk (calls, 20" in shown
    assert "a person who administers raises it: kernos budget raise agent calls AMOUNT --name desk" in shown
    folder.kernos("budget", "raise", "agent", "calls", "9", "--name", "desk", "--reason", "more work")
    assert "BUDGET" not in folder.kernos("ps").out


def test_a_raise_is_asked_for_and_ends(folder: Folder) -> None:
    folder.kernos("run", "desk", "--input", CLAIM)
    asked = folder.kernos("budget", "ask", "agent", "calls", "9", "--name", "desk", "--reason", "much to do")
    assert (asked.code, asked.out.strip()) == (0, "asked to raise agent desk to 9 calls; somebody else does it")
    assert "asks to raise agent desk to 9 calls: much to do" in folder.kernos("budget", "show").out
    for odd, said in (("tomorrow", "is no time"), ("2020-01-01", "ended already")):
        wrong = folder.kernos(
            "budget", "raise", "agent", "calls", "9", "--name", "desk", "--reason", "x", "--until", odd
        )
        assert (wrong.code, said in wrong.err) == (1, True), wrong.all
    words = ("agent", "calls", "9", "--name", "desk", "--reason", "for a while")
    raised = folder.kernos("budget", "raise", *words, "--until", "2199-12-31T18:00")
    assert "is 9 calls from now on until 2199-12-31 18:00; it was 2" in raised.out, raised.all
    shown = folder.kernos("budget", "show").out
    assert "raised agent desk from 2 to 9 calls until 2199-12-31 18:00: for a while" in shown
    assert "asks to raise" not in shown
