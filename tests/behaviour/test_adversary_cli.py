"""The command line where nothing is as it should be: no output, modules that raise, names that can be no file. For tests/behaviour/."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

COMMAND = [sys.executable, "-c", "import sys; from kernos.app.cli import main; sys.exit(main())"]
AGENTS = """
from kernos import Context, agent

@agent()
async def echo(ctx: Context, text: str) -> str:
    return text
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "kernos.toml").write_text('[kernos]\nstore = "s.kernos"\nagents = ["echoing"]\n', encoding="utf-8")
    (tmp_path / "echoing.py").write_text(AGENTS, encoding="utf-8")
    return tmp_path


def kernos(folder: Path, *words: str, shell: str = "") -> subprocess.CompletedProcess[str]:
    command = ["/bin/sh", "-c", f'exec "$@" {shell}', "sh", *COMMAND, *words] if shell else [*COMMAND, *words]
    given = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, cwd=folder, env=given, capture_output=True, text=True, timeout=30, check=False)


def refused(done: subprocess.CompletedProcess[str], code: str) -> bool:
    """Whether a command was refused with a sentence, a hint and this code."""
    lines = done.stderr.splitlines()
    return done.returncode == 1 and lines[-2].startswith(f"error[{code}]: ") and lines[-1].startswith("next: ")


def test_a_command_whose_output_is_closed_works_all_the_same(folder: Path) -> None:
    done = kernos(folder, "run", "echo", "--input", '"hello"', shell=">&- 2>&-")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert kernos(folder, "ps", "--all", shell="<&- >&-").returncode == 0
    assert kernos(folder, "verify", "--projections").returncode == 0  # Nothing that was printed lies in the store.


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_output_that_finds_no_room_is_told_in_a_sentence(folder: Path) -> None:
    done = kernos(folder, "run", "echo", "--input", '"hello"', shell=">/dev/full")
    assert refused(done, "storage_failed"), done.stderr
    assert "hello" in kernos(folder, "run", "echo", "--input", '"hello"').stdout


@pytest.mark.parametrize(
    "text", ["class Odd(Exception): ...\nraise Odd('x')", "import sys\nsys.exit(3)", "raise StopIteration"]
)
def test_a_module_that_raises_something_odd_is_named(folder: Path, text: str) -> None:
    (folder / "echoing.py").write_text(text, encoding="utf-8")
    done = kernos(folder, "run", "echo", "--input", '"hello"')
    assert refused(done, "bad_configuration") and "echoing" in done.stderr, done.stderr


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("ps", "--store", "~nobody-of-this-name/x"), "bad_configuration"),
        (("ps", "--store", "x" * 5_000), "bad_configuration"),
        (("dev", "--store", "/"), "bad_configuration"),
        (("init", "~nobody-of-this-name/x"), "bad_configuration"),
        (("run", "echo", "--input", "@~nobody-of-this-name/x"), "invalid_input"),
        (("rehearse", "x" * 5_000), "bad_configuration"),
        (("reconcile", "--since", "9" * 30 + "d"), "invalid_input"),
        (("reconcile", "--since", "\N{SUPERSCRIPT TWO}d"), "invalid_input"),
    ],
)
def test_what_can_be_no_file_and_no_time_is_refused_in_a_sentence(
    folder: Path, words: tuple[str, ...], code: str
) -> None:
    (folder / "s.kernos").touch()
    done = kernos(folder, *words)
    assert refused(done, code), done.stderr[-300:]


@pytest.mark.parametrize("text", ["a = " + "[" * 5_000, "a = " + "9" * 6_000, '[kernos]\nstore = "a\\u0000b"'])
def test_a_settings_file_that_is_none_is_told_in_a_sentence(folder: Path, text: str) -> None:
    (folder / "kernos.toml").write_text(text, encoding="utf-8")
    assert refused(kernos(folder, "ps"), "bad_configuration")


def test_policies_that_are_no_text_are_told_in_a_sentence(folder: Path) -> None:
    (folder / "p.cedar").write_bytes(b"\xff\xfe")
    done = kernos(folder, "run", "echo", "--input", '"hello"', "--policies", "p.cedar")
    assert refused(done, "bad_configuration"), done.stderr


def test_a_lock_that_is_no_file_is_told_in_a_sentence(folder: Path) -> None:
    (folder / "s.kernos.lock").mkdir()
    done = kernos(folder, "run", "echo", "--input", '"hello"')
    assert refused(done, "storage_failed") and "s.kernos.lock" in done.stderr, done.stderr
