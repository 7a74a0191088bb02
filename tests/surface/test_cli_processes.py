"""The command line in processes of its own: beside a running kernel, under Ctrl-C, and from a new user's first minute on."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.surface.desk_folder import KERNOS, Folder, Reader

LARGE = '{"order": "A1", "amount_cents": 6000}'


@pytest.fixture
def folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Folder:
    return Folder(tmp_path, capsys)


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
        assert "the process that worked on this store has ended" in told
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


def test_the_first_minute_of_a_new_user(tmp_path: Path) -> None:
    def kernos(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run([KERNOS, *arguments], cwd=cwd, capture_output=True, text=True, check=False, timeout=60)

    first = kernos("init", "demo", cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    demo = tmp_path / "demo"
    ran = kernos("run", "hello", "--input", '{"name":"Ada"}', cwd=demo)
    assert ran.returncode == 0, ran.stderr
    assert (demo / json.loads(ran.stdout)).read_text() == "Hello Ada!\n"
    tested = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=demo, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert tested.returncode == 0, tested.stdout
    assert "2 passed" in tested.stdout
    assert kernos("run", "hello", "--input", '{"name":"Ada","cards":50}', cwd=demo).returncode == 3
    assert kernos("doctor", cwd=demo / "agents").returncode == 0  # kernos.toml is found from below, too.
    again = kernos("init", "demo", cwd=tmp_path)
    assert again.returncode == 1
    assert "error[bad_configuration]" in again.stderr
    assert "nothing was written" in again.stderr
