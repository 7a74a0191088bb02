"""Replay from the command line: the verdict, its exit codes, and that the store is only looked at."""

import json
import re
import sqlite3
from pathlib import Path

import pytest

from tests.surface.desk_folder import Folder

pytestmark = pytest.mark.slow

SMALL = '{"order": "A1"}'
LARGE = '{"order": "A1", "amount_cents": 6000}'


@pytest.fixture
def folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Folder:
    return Folder(tmp_path, capsys)


def newest(folder: Folder) -> str:
    return str(json.loads(folder.kernos("ps", "--all", "--json").out)[0]["run"])


def changed(folder: Folder, old: str, new: str) -> str:
    """Write a module of agents in which the code is another, and return its name."""
    text = (folder.path / f"{folder.agents}.py").read_text()
    assert old in text
    name = f"{folder.agents}_changed{len(list(folder.path.glob('*.py')))}"
    (folder.path / f"{name}.py").write_text(text.replace(old, new))
    return name


def entries(folder: Folder) -> list[tuple[object, ...]]:
    """Read the journal's rows with another program than kernos' own connection, once kernos has closed it."""
    copy = folder.path / "copy.sqlite"
    copy.write_bytes(folder.store.read_bytes())
    with sqlite3.connect(copy) as connection:
        return connection.execute("SELECT pos, run, n, body FROM events ORDER BY pos").fetchall()


def test_a_run_replays_identically_and_the_verdict_says_so_in_a_few_words(folder: Folder) -> None:
    assert folder.kernos("run", "desk", "--input", SMALL).code == 0
    run = newest(folder)
    answered = folder.kernos("replay", run[:6])
    assert answered.code == 0, answered.all
    assert answered.out.startswith(f"identical: run {run[:8]} of desk version 3\n")
    assert re.search(r"3 steps; trace sha256 [0-9a-f]{64}\n", answered.out)
    assert "nothing recorded, nothing called" in answered.out


def test_a_replay_writes_nothing_into_the_store(folder: Folder) -> None:
    assert folder.kernos("run", "desk", "--input", SMALL).code == 0
    run = newest(folder)
    before = folder.store.read_bytes()
    assert folder.kernos("replay", run).code == 0
    assert folder.store.read_bytes() == before
    assert len(entries(folder)) == len(entries(folder)) > 4


def test_a_replay_works_on_a_store_that_nobody_may_write(folder: Folder) -> None:
    assert folder.kernos("run", "desk", "--input", SMALL).code == 0
    run = newest(folder)
    folder.store.chmod(0o400)
    assert folder.kernos("replay", run).code == 0


def test_a_replay_works_beside_a_running_kernel(folder: Folder) -> None:
    with folder.dev():
        run = folder.run_id("asker", "--input", '"Pay?"')
        folder.kernos("trace", run)
        answered = folder.kernos("replay", run)
    assert answered.code == 0, answered.all


def test_changed_code_differs_at_its_first_step_with_both_sides(folder: Folder) -> None:
    assert folder.kernos("run", "desk", "--input", SMALL).code == 0
    other = changed(folder, "amount_cents=request.amount_cents)", "amount_cents=request.amount_cents + 1)")
    answered = folder.kernos("replay", newest(folder), "--agents", other)
    assert answered.code == 1
    assert "different: run" in answered.out
    assert "first difference at step 3" in answered.out
    assert 'recorded: call shop.refund {"order":"A1","amount_cents":100}' in answered.out
    assert 'now:      call shop.refund {"order":"A1","amount_cents":101}' in answered.out


def test_the_verdict_comes_as_json_for_programs(folder: Folder) -> None:
    assert folder.kernos("run", "desk", "--input", SMALL).code == 0
    other = changed(folder, 'f"the claim is {verdict}"', 'f"the claim was {verdict}"')
    run = newest(folder)
    same = json.loads(folder.kernos("replay", run, "--json").out)
    assert (same["identical"], same["replays"][0]["steps"]) == (True, 3)
    different = folder.kernos("replay", run, "--json", "--agents", other)
    told = json.loads(different.out)
    assert (different.code, told["identical"], told["replays"][0]["difference"]["step"]) == (1, False, "2")


@pytest.mark.parametrize(
    ("agent", "given", "said"),
    [
        ("desk", LARGE, "(waiting): step 3: a person's yes to call shop.refund"),
        ("asker", '"Pay?"', "(waiting): step 1: question Pay?"),
        ("listener", '"go"', "(waiting): step 1: signal go"),
        ("mailer", SMALL, "step 1: a person to say whether call shop.mail"),
    ],
)
def test_an_open_run_replays_up_to_where_it_stands(folder: Folder, agent: str, given: str, said: str) -> None:
    assert folder.kernos("run", agent, "--input", given).code == 3
    answered = folder.kernos("replay", newest(folder))
    assert answered.code == 0, answered.all
    assert said in answered.out


def test_a_run_of_an_agent_that_is_not_here_names_it(folder: Folder) -> None:
    assert folder.kernos("run", "desk", "--input", SMALL).code == 0
    answered = folder.kernos("replay", newest(folder), "--agents", folder.other)
    assert answered.code == 1
    assert "error[unknown_agent]: no agent is named 'desk' here" in answered.err
