"""Sealed values at the command line: named by their label, never shown, and erased for good."""

import json
from pathlib import Path

import pytest

from kernos.app.cli import main

pytestmark = pytest.mark.slow

AGENTS = '''
"""Agents of a test."""

from typing import Annotated

from pydantic import BaseModel

from kernos import Context, FreeText, Label, agent, tool


class Ticket(BaseModel):
    customer: str
    email: Annotated[str, Label("pii.email", subject="customer")]
    text: Annotated[str, FreeText(subject="customer")] = ""


class Mail(BaseModel):
    to: Annotated[str, Label("pii.email")]
    body: str


@tool("mail.send", effect="once")
def send(mail: Mail) -> str:
    """Send it."""
    assert "@" in mail.to, mail.to
    return f"sent to {mail.to}"


@agent("desk", tools=[send])
async def desk(ctx: Context, ticket: Ticket) -> str:
    """Answer a ticket."""
    await ctx.checkpoint("read", f"from {ticket.email}")
    return await ctx.call(send, Mail(to=ticket.email, body="hello"))
'''

TICKET = json.dumps({"customer": "C017", "email": "quetzal@example.org", "text": "or call +49 170 5550199"})


class Folder:
    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (folder / "sealing_agents.py").write_text(AGENTS)
        self.file = folder / "kernos.toml"
        self.file.write_text('[kernos]\nagents = ["sealing_agents"]\nstore = "desk.kernos"\n')
        self._capsys = capsys

    def kernos(self, *arguments: str, code: int = 0) -> str:
        told = self.shown(*arguments, code=code)
        assert "quetzal" not in told.lower()
        assert "5550199" not in told
        return told

    def shown(self, *arguments: str, code: int = 0) -> str:
        found = main([*arguments, "--config", str(self.file)])
        told = self._capsys.readouterr()
        assert found == code, told
        return told.out + told.err


@pytest.fixture
def folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Folder:
    return Folder(tmp_path, capsys)


def test_commands_name_a_sealed_value_by_its_label_and_programs_get_its_handle(folder: Folder) -> None:
    folder.kernos("run", "desk", "--input", TICKET, code=3)
    assert "sealed:" not in folder.kernos("ps")
    run = json.loads(folder.kernos("ps", "--all", "--json"))[0]["run"]
    assert "[pii.email " in folder.kernos("trace", run)
    assert "sealed:pii.email:" in folder.kernos("trace", run, "--events", "--json")
    folder.kernos("approve", run, "--by", "ana")
    folder.kernos("effects", run)


def test_an_erased_person_reads_erased_everywhere_and_the_journal_verifies(folder: Folder) -> None:
    folder.kernos("run", "desk", "--input", TICKET, code=3)
    run = json.loads(folder.kernos("ps", "--all", "--json"))[0]["run"]
    told = folder.kernos("erase", "c017", "--reason", "asked for it", "--by", "ana", "--yes")
    assert "erased: 2 sealed values" in told
    assert "[pii.email erased]" in folder.kernos("trace", run)
    assert "[pii.email erased]" in folder.kernos("trace", run, "--events", "--json")
    folder.kernos("verify")
    assert "nothing is sealed of this subject" in folder.kernos("erase", "c017", code=1)
    receipt = folder.kernos("erase", "C018", "--json", "--yes", code=1)
    assert "error[not_found]" in receipt


def test_a_person_is_shown_what_is_to_be_decided_about_and_that_is_kept(folder: Folder) -> None:
    folder.kernos("run", "desk", "--input", TICKET, code=3)
    run = json.loads(folder.kernos("ps", "--all", "--json"))[0]["run"]
    step = "2"
    shown = folder.shown("reveal", f"{run}.{step}", "--reason", "to approve it", "--by", "ana")
    assert json.loads(shown) == {"arguments": {"to": "quetzal@example.org", "body": "hello"}}
    asked = json.loads(folder.shown("reveal", run, "--reason", "to approve it", "--by", "ana"))
    assert asked["input"]["text"] == "or call +49 170 5550199"
    assert "says why" in folder.kernos("reveal", run, "--reason", "", code=1)
    assert "is no person" in folder.kernos("reveal", run, "--reason", "x", "--by", "service:cron", code=1)
    assert "has no step 77" in folder.kernos("reveal", f"{run}.77", "--reason", "x", code=1)
    asked = folder.kernos("erase", "C017", code=1)
    assert "2 sealed values of this subject in tenant" in asked and "again with --yes" in asked
    assert "[pii.email erased]" not in folder.kernos("trace", run)
    folder.kernos("erase", "C017", "--yes")
    assert "[pii.email erased]" in folder.kernos("reveal", run, "--reason", "still there?")
