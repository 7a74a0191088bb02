"""Errors of the command line: each has a stable code, says what happened and where, and names the next command."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from kernos.app.cli import main
from tests.surface.desk_folder import Folder


@pytest.fixture
def folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Folder:
    return Folder(tmp_path, capsys)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("ps", "--nothing"), 2, "error[usage]: No such option: --nothing"),
        (("nothing",), 2, "error[usage]: No such command"),
        (("run",), 2, "error[usage]: Missing argument 'AGENT'"),
        (("ps",), 1, "error[not_found]: there is no store"),
        (("run", "nobody"), 1, "error[unknown_agent]: no agent is named 'nobody' here (registered: asker"),
        (("run", "desk", "--input", "{order"), 1, "error[invalid_input]: the input is not JSON"),
        (("run", "desk", "--input", "{}"), 1, "error[invalid_input]: agent desk was not started: "),
        (("run", "desk", "--agents", "no_such_module"), 1, "error[bad_configuration]: no_such_module"),
        (("config", "--config", "/nowhere/kernos.toml"), 1, "error[bad_configuration]: there is no settings file"),
        (("run", "desk", "--by", "a b"), 1, "error[bad_configuration]: 'a b' names nobody"),
        (
            ("run", "desk", "--input", "@."),
            1,
            "error[invalid_input]: the input file . could not be read: Is a directory",
        ),
        (("ps", "--store", "."), 1, f"error[bad_configuration]: {Path.cwd()} is a folder, not a store"),
    ],
)
def test_every_error_has_a_code_a_sentence_and_what_to_do_next(
    folder: Folder, arguments: tuple[str, ...], code: int, said: str
) -> None:
    answered = folder.kernos(*arguments)
    first, following = answered.err.splitlines()
    assert answered.code == code
    assert first.startswith(said), first
    assert following.startswith("next: ")
    assert len(following) > len("next: ")
    assert not folder.store.exists()


def test_the_next_command_means_the_same_store(folder: Folder) -> None:
    """A hint is typed as it stands, so it carries the options that the command was given."""
    other = ("--store", str(folder.path / "other desk.kernos"))
    repeated = f" --store '{other[1]}' --config {folder.config}"
    waits = folder.kernos("run", "asker", "--input", '"Pay?"', *other).err
    assert f"'TEXT'{repeated}\n" in waits
    assert f"then: kernos dev{repeated}\n" in waits
    assert f"{repeated}`." in folder.kernos("trace", "iiii", *other).err
    run = json.loads(folder.kernos("ps", "--json", *other).out)[0]["run"]
    assert f"'TEXT'{repeated}\n" in folder.kernos("trace", run, *other).out
    assert f"`kernos dev{repeated}` goes on" in folder.kernos("answer", run, "yes", *other).out


def test_a_slip_in_a_name_shows_the_name_that_was_meant(folder: Folder) -> None:
    assert "Did you mean 'trace'?\nnext: kernos --help" in folder.kernos("trac").err
    assert "next: Did you mean asker? `kernos config" in folder.kernos("run", "askr").err


def test_dev_without_agents_is_refused_before_it_makes_a_store_or_blocks_a_run(folder: Folder) -> None:
    folder.config.write_text('[kernos]\nstore = "desk.kernos"\n')
    refused = folder.kernos("dev")
    assert refused.code == 1
    assert "error[bad_configuration]: no agents are named" in refused.err
    assert not folder.store.exists()


def test_init_wants_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "taken").write_text("")
    assert main(["init", str(tmp_path / "taken")]) == 1
    assert "taken is a file, and a folder is wanted\nnext: Name a folder" in capsys.readouterr().err


def test_a_module_that_cannot_be_imported_is_named_with_the_line(folder: Folder) -> None:
    (folder.path / f"{folder.agents}.py").write_text("import json\n\njson.nothing()\n")
    answered = folder.kernos("run", "desk")
    assert answered.code == 1
    assert f"({folder.agents}.py:3)" in answered.err
    assert "Traceback" not in answered.err


def test_help_costs_no_library_but_typer(capsys: pytest.CaptureFixture[str]) -> None:
    heavy = ("rich", "pydantic", "apsw", "aiohttp", "cryptography", "msgspec", "asyncio", "cedarpy")
    code = f"import sys; from kernos.app.cli import main; main(['--help']); print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert main([]) == 0
    assert "Commands:" in capsys.readouterr().out


def test_an_unforeseen_error_is_said_like_all_others(tmp_path: Path) -> None:
    code = (
        "import sys; sys.argv = ['kernos', 'ps']; import kernos.app.cli.opening as o; o.settings_of = lambda *a: 1 / 0; "
        "from kernos.app.cli import main; sys.exit(main())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("error[bug]: kernos met something that it does not expect: ZeroDivisionError")
    assert "Traceback" not in done.stderr
