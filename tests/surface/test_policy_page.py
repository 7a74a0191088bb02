"""The ten minutes of docs/policy.md, command by command, in a folder of their own."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.surface.desk_folder import KERNOS, Reader

PAGE = (Path(__file__).parents[2] / "docs" / "policy.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("## Ten minutes\n")[2].partition("### What a case may say")[0]
BLOCK = re.compile(r"```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^(?:cat .*?^END$|[^\n]+)$", re.MULTILINE | re.DOTALL)
RUN = re.compile(r"\brun (\w{8})\b")
FILES = {"python": "desk.py", "toml": "kernos.toml", "cedar": "policies/own.cedar"}


@pytest.mark.slow
def test_the_ten_minutes_of_the_page_go_as_it_says(tmp_path: Path) -> None:
    said, behind = "", None
    environment = {**os.environ, "PATH": f"{KERNOS.parent}:{os.environ['PATH']}"}
    try:
        for kind, text in BLOCK.findall(SECTION):
            if kind in FILES:
                (tmp_path / FILES[kind]).write_text(text, encoding="utf-8")
            elif kind == "text":
                assert [line for line in text.splitlines() if line not in said] == [], said
                said = ""
            for command in COMMAND.findall(text) if kind == "sh" else ():
                if command == "kernos dev &":
                    process = subprocess.Popen(
                        [KERNOS, "dev"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
                    )
                    behind = Reader(process)
                    behind.until("Ctrl-C ends it")
                    continue
                if "explain RUN" in command:
                    command = command.replace("RUN", RUN.findall(said)[-1])
                done = subprocess.run(
                    ["bash", "-c", command], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
                )
                said += done.stdout + done.stderr
                expected = re.search(r"# exit code (\d)", command)
                assert done.returncode == (int(expected[1]) if expected else 0), f"{command}\n{said}"
    finally:
        if behind is not None:
            behind.end()
            assert behind.process.stdout is not None
            behind.process.stdout.close()
    assert len(BLOCK.findall(SECTION)) >= 11
