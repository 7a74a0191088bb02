"""Export from the command line: a recorded run as a test file, which runs by itself; and values replaced in it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kernos import Context, agent
from kernos.app.redaction import Redaction
from kernos.testing import CheckFailed, check_replay
from kernos.vocabulary.events import CheckpointReached, Event, RunRequested
from kernos.vocabulary.ids import DEFAULT_TENANT, EpochMs, PrincipalId, RunId, StepName
from kernos.vocabulary.quantities import Json, Limits
from tests.surface.desk_folder import Folder

pytestmark = pytest.mark.slow

GIVEN = '{"order": "Anna Smith", "amount_cents": 100}'


@pytest.fixture
def folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Folder:
    made = Folder(tmp_path, capsys)
    assert made.kernos("run", "desk", "--input", GIVEN).code == 0
    return made


def newest(folder: Folder) -> str:
    return str(json.loads(folder.kernos("ps", "--all", "--json").out)[0]["run"])


def outcome_of(folder: Folder, file: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "/dev/null", str(file)]
    return subprocess.run(command, cwd=folder.path, capture_output=True, text=True, timeout=60, check=False)


def exported(folder: Folder, *words: str) -> Path:
    file = folder.path / "tests" / "test_run.py"
    file.parent.mkdir()
    answered = folder.kernos("export", newest(folder), "--as-test", "-o", str(file), *words)
    assert (answered.code, answered.out) == (0, f"{file}\n"), answered.all
    return file


def test_an_exported_run_passes_by_itself_without_the_store(folder: Folder) -> None:
    file = exported(folder)
    folder.store.unlink()
    done = outcome_of(folder, file)
    assert "1 passed" in done.stdout, done.stdout


def test_an_exported_run_fails_with_both_sides_once_the_code_does_something_else(folder: Folder) -> None:
    file = exported(folder)
    module = folder.path / f"{folder.agents}.py"
    module.write_text(module.read_text().replace("amount_cents=request.amount_cents)", "amount_cents=1)"))
    done = outcome_of(folder, file)
    assert done.returncode == 1
    assert "first at step 3" in done.stdout
    assert '"amount_cents":100}' in done.stdout
    assert '"amount_cents":1}' in done.stdout


def test_replaced_values_stand_nowhere_in_the_file_and_it_passes(folder: Folder) -> None:
    file = exported(folder, "--redact", "order,amount_cents")
    text = file.read_text()
    assert not any(secret in text for secret in ("Anna", "Smith", '_cents":100'))
    assert "Replaced by stand-ins: order, amount_cents." in text
    assert "1 passed" in outcome_of(folder, file).stdout


def test_a_value_that_the_code_decides_on_is_not_replaced_in_silence(folder: Folder) -> None:
    module = folder.path / f"{folder.agents}.py"
    name = f"{folder.agents}_picky"
    changed = module.read_text().replace(
        "request, str)\n", 'request, str)\n    assert request.order == "Anna Smith"\n', 1
    )
    (folder.path / f"{name}.py").write_text(changed)
    words = ("export", newest(folder), "--as-test", "-o", str(folder.path / "t.py"), "--agents", name)
    refused = folder.kernos(*words, "--redact", "order")
    assert refused.code == 1
    assert "would fail: with order replaced, the code goes another way at step 2" in refused.err
    assert not (folder.path / "t.py").exists()
    assert folder.kernos(*words).code == 0


def test_what_is_there_is_not_overwritten_and_a_form_has_to_be_named(folder: Folder) -> None:
    file = exported(folder)
    again = folder.kernos("export", newest(folder), "--as-test", "-o", str(file))
    assert (again.code, "is there already" in again.err) == (1, True)
    formless = folder.kernos("export", newest(folder))
    assert (formless.code, "--as-test" in formless.err) == (1, True)


# --- stand-ins -----------------------------------------------------------------------------------------------------


def event(n: int, data: RunRequested | CheckpointReached) -> Event:
    return Event(RunId("0000000000001"), n, EpochMs(1), PrincipalId("person:ana"), "call", data)


def record(given: str, summary: str) -> list[Event]:
    request = RunRequested(
        "desk", "1", "0" * 16, "for Anna", Json(given.encode()), DEFAULT_TENANT, Limits(), EpochMs(0)
    )
    return [event(0, request), event(1, CheckpointReached(StepName("1"), "name", summary, "for Anna", ()))]


def redacted(given: str, summary: str, *fields: str) -> tuple[str, str]:
    request, reached = (one.data for one in Redaction(fields, b"salt").apply(record(given, summary)))
    assert isinstance(request, RunRequested)
    assert isinstance(reached, CheckpointReached)
    return request.input.text.decode(), reached.summary


def test_a_stand_in_is_the_same_everywhere_also_for_a_part_of_a_name_and_in_another_case() -> None:
    given, summary = redacted('{"name":"Anna Smith","age":7}', "ANNA SMITH, called Anna, is no Annabel", "name")
    first, last = json.loads(given)["name"].split()
    assert (len(first), len(last), first[0].isupper(), first[1:].islower()) == (4, 5, True, True)
    assert summary == f"{first.upper()} {last.upper()}, called {first}, is no Annabel"
    assert {first, last}.isdisjoint({"Anna", "Smith"})


def test_shapes_stay_and_names_of_fields_and_steps_are_no_values() -> None:
    given, summary = redacted('{"email":"a.b1@name.test","name":"name"}', "name a.b1@name.test", "email")
    stand_in = json.loads(given)["email"]
    assert json.loads(given)["name"] == "name"
    assert (stand_in[1], stand_in[3].isdigit(), stand_in[4], stand_in[9]) == (".", True, "@", ".")
    assert summary == f"name {stand_in}"


def test_a_path_chooses_among_fields_of_one_name() -> None:
    given, _ = redacted('{"a":{"text":"first one"},"b":{"text":"second text"}}', "", "a.text")
    assert json.loads(given)["b"]["text"] == "second text"
    assert json.loads(given)["a"]["text"] != "first one"
    whole, _ = redacted('{"text":"first one"}', "", "input.text")
    assert "first" not in whole
    other, _ = redacted('{"text":"first one"}', "", "output.text")
    assert other == '{"text":"first one"}'


def test_handles_of_sealed_values_stay_alone_and_in_sentences() -> None:
    handle = f"sealed:pii.name:{'a' * 16}.{'b' * 26}"
    assert redacted(f'{{"name":"{handle}"}}', f"for {handle}, sealed", "name") == (
        f'{{"name":"{handle}"}}', f"for {handle}, sealed",
    )  # fmt: skip
    given, summary = redacted(f'{{"name":"Sealed {handle}"}}', f"dear Sealed {handle}, sealed for {handle}", "name")
    word = json.loads(given)["name"].split()[0]
    assert word.lower() != "sealed"
    assert summary == f"dear {word} {handle}, sealed for {handle}"


def test_numbers_keep_their_length_and_escapes_stay_whole() -> None:
    given, _ = redacted('{"account":1234567,"note":"line\\none \\"two\\" \\u00e9t"}', "", "account", "note")
    assert "1234567" not in given
    assert len(str(json.loads(given)["account"])) == 7
    assert json.loads(given)["note"].count("\n") == 1
    assert json.loads(given)["note"].count('"') == 2


def test_a_record_checked_against_another_agent_says_where_it_differs(folder: Folder) -> None:
    text = exported(folder).read_text()
    events = [line.strip()[1:-2] for line in text.splitlines() if line.startswith("    '")]
    with pytest.raises(CheckFailed, match="agent other does something else than in run") as failed:
        check_replay(other, newest(folder), events)
    assert "recorded: model default" in str(failed.value)


@agent("other")
async def other(ctx: Context, request: dict[str, Any]) -> str:
    return str(await ctx.now())
