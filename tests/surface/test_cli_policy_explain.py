"""kernos policy explain and reload: what a decision rested on, and changed policies put in force beside a running kernel."""

import json
from pathlib import Path

import pytest

from tests.surface.desk_folder import POLICY, Answered, Folder

pytestmark = pytest.mark.slow

CONTEXT = 'zone = "UTC"\n[sum.refunded]\ntools = ["shop.refund"]\nof = "amount_cents"\n'
DAY = '@id("day")\nforbid(principal, action, resource is shop::refund)\n  when { context.refunded + resource.amount_cents > 8000 };\n'


@pytest.fixture
def folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Folder:
    folder = Folder(tmp_path, capsys)
    write(folder, POLICY + DAY)
    (tmp_path / "policies" / "context.toml").write_text(CONTEXT)
    return folder


def write(folder: Folder, rules: str) -> None:
    (folder.path / "policies" / "desk.cedar").write_text(rules)


def refunded(folder: Folder, order: str, cents: int) -> str:
    """Ask for a refund, and return the place of its call."""
    folder.kernos("run", "desk", "--input", json.dumps({"order": order, "amount_cents": cents}))
    run = json.loads(folder.kernos("ps", "--all", "--json").out)[0]["run"]
    return f"{run}.3"


def explained(folder: Folder, place: str, *options: str) -> Answered:
    told = folder.kernos("policy", "explain", place, *options)
    assert told.code == 0, told.all
    return told


def test_it_shows_the_rules_as_they_were_written_and_what_they_looked_at(folder: Folder) -> None:
    refunded(folder, "A1", 4000)
    denied = refunded(folder, "A2", 4500)
    refunded(folder, "A3", 100)  # What came later does not count for what was decided before.
    told = explained(folder, denied).out
    assert 'shop.refund {"order":"A2","amount_cents":4500}' in told
    assert "deny: forbidden by day" in told
    assert 'the rules that determined it\n  desk.cedar:7:1\n    @id("day")\n    forbid(principal' in told
    assert "context.refunded: 4000" in told
    assert "the same set is in force, and says the same of this call: deny" in told
    assert "in force since" in told


def test_rules_of_a_set_that_is_gone_are_told_from_the_journal_and_todays_answer_beside_them(folder: Folder) -> None:
    place = refunded(folder, "A1", 4000)
    write(folder, POLICY.replace("<= 5000", "<= 100"))
    folder.kernos("run", "boss", "--input", '{"order": "A9"}')  # A process that begins with the new set.
    told = explained(folder, place).out
    assert "resource.amount_cents <= 5000" in told
    assert "would say another thing of this call: ask: no policy permits it unattended" in told
    assert "context.refunded" not in told  # No rule of today asks for it.
    given = json.loads(explained(folder, place, "--json").out)
    assert (given["differs"], given["are_of_then"], given["now"]["answer"]) == (True, True, "ask")
    assert [rule["id"] for rule in given["rules"]] == ["refunds", "small"]


def test_a_model_call_and_a_reference_of_the_outside_are_explained_as_well(folder: Folder) -> None:
    place = refunded(folder, "A1", 4000)
    told = explained(folder, place.replace(".3", ".1")).out
    assert "model default" in told
    assert '@id("models")' in told
    assert explained(folder, "R-A1-4000").out == explained(folder, place).out


def test_without_the_agents_it_tells_what_is_recorded(folder: Folder) -> None:
    place = refunded(folder, "A1", 4000)
    folder.config.write_text('[kernos]\nstore = "desk.kernos"\n')
    told = explained(folder, place).out
    assert '@id("small")' in told
    assert "cannot be told: the run's agent is not registered here" in told


def test_what_was_never_decided_is_not_explained(folder: Folder) -> None:
    place = refunded(folder, "A1", 4000)
    refused = folder.kernos("policy", "explain", place.replace(".3", ".2"))
    assert refused.code == 1
    assert "error[not_found]" in refused.err


def test_a_changed_folder_is_put_in_force_beside_a_running_kernel(folder: Folder) -> None:
    with folder.dev() as dev:
        write(folder, POLICY.replace("<= 5000", "<= 100"))
        told = folder.kernos("policy", "reload", "--by", "ana")
        assert told.code == 0, told.all
        assert "is in force, in place of " in told.out
        assert "person:ana wants policy set " in dev.until("wants policy set")
        assert " is in force" in dev.until("is in force")
        assert "is in force already; nothing changed" in folder.kernos("policy", "reload").out
        waits = folder.kernos("run", "desk", "--input", '{"order": "A1", "amount_cents": 4000}')
        assert waits.code == 3, waits.all


def test_a_folder_with_faults_leaves_the_set_in_force_and_says_where_they_are(folder: Folder) -> None:
    with folder.dev():
        write(folder, POLICY + "permit(principal, action, resource is shop::refnd);\n")
        told = folder.kernos("policy", "reload")
        assert told.code == 1
        assert "desk.cedar:7:39: rule policy5: " in told.out
        assert "1 fault; the set in force stays as it is" in told.out
        (folder.path / "own.cedar").write_text(
            "forbid(principal, action, resource);"
        )  # Asking is under what is in force.
        own = ("--policies", str(folder.path / "own.cedar"))
        done = folder.kernos("run", "desk", "--input", '{"order": "A1", "amount_cents": 4000}', *own)
        assert done.code == 0, done.all


def test_without_a_running_kernel_it_says_that_the_next_start_begins_with_the_folder(folder: Folder) -> None:
    refunded(folder, "A1", 100)
    told = folder.kernos("policy", "reload")
    assert told.code == 0
    assert "no process runs agents now, and the next start begins with it" in told.out
