"""The command line in processes of its own: beside a running kernel, under Ctrl-C, and from a new user's first minute on."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from tests.surface.desk_folder import KERNOS, Folder, Reader

pytestmark = pytest.mark.slow

LARGE = '{"order": "A1", "amount_cents": 6000}'
STUCK = """

@tool("shop.post", effect="once")
def post(request: Claim) -> str:
    print("the call is under way", flush=True)
    return open("slow").read()


@agent("stuck", tools=[post])
async def stuck(ctx: Context, request: Claim) -> str:
    return await ctx.call(post, request)
"""


@pytest.fixture
def folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Folder:
    return Folder(tmp_path, capsys)


def on_a_terminal(folder: Folder, columns: int, *arguments: str) -> list[str]:
    """Give a command on a terminal of so many columns, and return its lines."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (40, columns))
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    command = [str(KERNOS), *arguments]
    done = subprocess.run(command, cwd=folder.path, stdout=theirs, stderr=theirs, env=environment, check=False)
    os.close(theirs)
    shown = b""
    while True:
        try:
            part = os.read(ours, 65_536)
        except OSError:  # EIO is how Linux says that the other side is closed.
            break
        if not part:
            break
        shown += part
    os.close(ours)
    assert done.returncode == 0, shown
    return shown.decode().splitlines()


def test_a_parked_run_is_approved_from_a_second_process_while_dev_runs_in_the_first(folder: Folder) -> None:
    with folder.dev() as dev:
        started = folder.kernos("run", "desk", "--input", LARGE)
        assert started.code == 3
        assert f"in process {dev.process.pid}" in started.err
        hint = dev.until("answer with: kernos approve")
        place = re.findall(r"kernos approve (\S+)", hint)[0]
        said = folder.kernos("approve", place, "--by", "ana")
        assert f"process {dev.process.pid} goes on with it" in said.out
        dev.until("person:ana said yes to shop.refund")
        dev.until('shop.refund is done: "R-A1-6000"')
        dev.until('completed: "R-A1-6000"')
        assert "clean" in folder.kernos("verify", "--projections").out
        assert folder.kernos("rebuild").code == 0
        assert "runs agents over the store" in folder.kernos("doctor").out


def test_run_lets_the_process_that_works_do_it_and_waits(folder: Folder) -> None:
    with folder.dev() as dev:
        done = folder.kernos("run", "desk", "--input", '{"order": "A1"}')
        assert (done.code, done.out) == (0, '"R-A1-100"\n')
        dev.until("completed")


def test_run_notices_that_the_process_that_worked_has_died(folder: Folder) -> None:
    with folder.dev() as dev, folder.process("run", "sleeper", "--input", "30") as process:
        reader = Reader(process)
        try:
            reader.until(f"in process {dev.process.pid}")
            dev.process.kill()
            dev.process.wait()
            told = reader.rest()
        finally:
            reader.end()
        assert process.returncode == 3, told
        assert "no process works on this store now" in told
        assert "kernos dev" in told


def test_a_second_dev_says_who_works_already(folder: Folder) -> None:
    with folder.dev() as dev:
        second = folder.kernos("dev")
        assert second.code == 1
        assert f"error[store_busy]: process {dev.process.pid} runs agents over" in second.err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_dev_in_order_and_says_what_goes_on(folder: Folder, number: signal.Signals) -> None:
    folder.run_id("asker", "--input", '"Pay?"')
    with folder.dev() as dev:
        dev.until("waits for an answer from lead")
        dev.process.send_signal(number)
        told = dev.rest()
        assert dev.process.returncode == 0
        assert "stopping: attempts under way end and are recorded" in told
        assert "stopped; at the next `kernos dev`: 0 runs to go on with, 1 waiting" in told
        assert "Traceback" not in told
    assert "clean" in folder.kernos("verify").out


def test_dev_says_how_a_blocked_run_goes_on_and_counts_it_at_the_end(folder: Folder) -> None:
    run = folder.run_id("asker", "--input", '"Pay?"')
    (folder.path / "none.cedar").write_text("permit(principal, action, resource);")
    with folder.process("dev", "--agents", folder.other, "--policies", "none.cedar") as process:
        reader = Reader(process)
        try:
            reader.until("(unknown_agent)")
            reader.until(f"next: mend that, then kernos resume {run[:8]}\n")
            process.send_signal(signal.SIGINT)
            told = reader.rest()
        finally:
            reader.end()
    assert "0 runs to go on with, 0 waiting, 1 blocked" in told


def test_ctrl_c_on_run_leaves_a_run_that_goes_on(folder: Folder) -> None:
    with folder.process("run", "sleeper", "--input", "30") as process:
        reader = Reader(process)
        try:
            reader.until("asked by person:local")
            process.send_signal(signal.SIGINT)
            told = reader.rest()
        finally:
            reader.end()
    assert process.returncode == 130, told
    assert "goes on: no process runs agents over this store now: `kernos dev`" in told
    (row,) = json.loads(folder.kernos("ps", "--json").out)
    assert row["status"] in ("running", "waiting")


def test_a_second_ctrl_c_ends_a_run_whose_attempt_does_not_end(folder: Folder) -> None:
    os.mkfifo(folder.path / "slow")  # Nobody ever writes into it.
    module = folder.path / f"{folder.agents}.py"
    module.write_text(module.read_text() + STUCK)
    (folder.path / "policies" / "desk.cedar").write_text("permit(principal, action, resource);")
    with folder.process("run", "stuck", "--input", '{"order": "A1"}') as process:
        reader = Reader(process)
        try:
            reader.until("the call is under way")
            process.send_signal(signal.SIGINT)
            reader.until("stopping: attempts under way end and are recorded; Ctrl-C again ends at once")
            process.send_signal(signal.SIGINT)
            told = reader.rest()
        finally:
            reader.end()
    assert process.returncode == 130, told
    assert "ended at once: what is recorded stays" in told
    assert "goes on: " not in told  # It did not wait for the attempt's time to be over.
    assert "Traceback" not in told
    assert "clean" in folder.kernos("verify").out


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_every_line_fits_the_terminal_and_says_what_is_waited_for(folder: Folder, columns: int) -> None:
    assert folder.kernos("run", "desk", "--input", LARGE, "--intent", "A1 came damaged, and the box was wet").code == 3
    run = json.loads(folder.kernos("ps", "--json").out)[0]["run"]
    listed = on_a_terminal(folder, columns, "ps")
    assert max(map(len, listed)) <= columns
    assert "a person's" in listed[1], listed
    told = on_a_terminal(folder, columns, "trace", run)
    assert max(map(len, told)) <= columns, told
    wants = next(n for n, line in enumerate(told) if "wants to call" in line)
    assert told[wants + 1].startswith(" " * 12), told  # Goes on below its own words, not below the time.
    piped = folder.kernos("trace", run).out
    assert " ".join(" ".join(told).split()).startswith(" ".join(piped.split()).split(" --config")[0])


@pytest.mark.parametrize("unbuffered", ["", "1"])  # Found out at the end of the command, or at its first line.
def test_a_reader_that_goes_away_is_no_error(folder: Folder, unbuffered: str) -> None:
    folder.run_id("asker", "--input", '"Pay?"')
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [KERNOS, "ps"], cwd=folder.path, stdout=writing, stderr=subprocess.PIPE, text=True, check=False,
        env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
    )  # fmt: skip
    os.close(writing)
    assert done.returncode == 1
    assert done.stderr == ""


def test_init_says_how_to_get_pytest_where_it_is_missing(tmp_path: Path) -> None:
    code = "import sys; sys.modules.update(dict.fromkeys(sys.argv[2:])); from kernos.app.cli import main; main(['init', sys.argv[1]])"
    for missing, said in ((["pytest"], "  pip install pytest && pytest\n"), ([], "  pytest\n")):
        program = [sys.executable, "-c", code, f"demo-{len(missing)}", *missing]
        told = subprocess.run(program, cwd=tmp_path, capture_output=True, text=True, check=True)
        assert told.stdout.endswith(said), told.stdout


def test_the_first_minute_of_a_new_user(tmp_path: Path) -> None:
    def kernos(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run([KERNOS, *arguments], cwd=cwd, capture_output=True, text=True, check=False)

    first = kernos("init", "demo", cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    assert first.stdout.endswith("  pytest\n"), first.stdout
    demo = tmp_path / "demo"
    ran = kernos("run", "hello", "--input", '{"name":"Ada"}', cwd=demo)
    assert ran.returncode == 0, ran.stderr
    assert (demo / json.loads(ran.stdout)).read_text() == "Hello Ada!\n"
    tested = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=demo, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert tested.returncode == 0, tested.stdout
    assert "3 passed" in tested.stdout
    assert kernos("run", "hello", "--input", '{"name":"Ada","cards":50}', cwd=demo).returncode == 3
    assert kernos("doctor", cwd=demo / "agents").returncode == 0  # kernos.toml is found from below, too.
    again = kernos("init", "demo", cwd=tmp_path)
    assert again.returncode == 1
    assert "error[bad_configuration]" in again.stderr
    assert "nothing was written" in again.stderr
