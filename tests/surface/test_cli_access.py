"""Access at the command line: every command is tried by somebody of another tenant, and by nobody in particular."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kernos.app.cli.program import NAMES
from tests.surface.desk_folder import Answered, Folder

pytestmark = pytest.mark.slow

PRIVATE = "PRIVATE-ORDER"


@pytest.fixture
def folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Folder:
    return Folder(tmp_path, capsys)


@contextmanager
def holding(token: str) -> Iterator[None]:
    """Give commands with a credential."""
    before = os.environ.get("KERNOS_TOKEN")
    os.environ["KERNOS_TOKEN"] = token
    try:
        yield
    finally:
        os.environ.pop("KERNOS_TOKEN")
        if before is not None:
            os.environ["KERNOS_TOKEN"] = before


def token_in(answered: Answered) -> str:
    assert answered.code == 0, answered.all
    return next(line for line in answered.out.splitlines() if line.startswith("kernos_"))


def governed(folder: Folder) -> tuple[str, str, str]:
    """Return the credentials of whoever administers, and of somebody in each of two tenants."""
    root = token_in(folder.kernos("access", "require", "root"))
    with holding(root):
        found = []
        for who, tenant in (("ana", "shop"), ("eve", "other")):
            assert folder.kernos("access", "admit", who, "--tenant", tenant, "--role", "lead").code == 0
            scopes = [word for scope in ("look", "start", "answer", "operate") for word in ("--scope", scope)]
            found.append(token_in(folder.kernos("access", "issue", who, "--tenant", tenant, *scopes)))
    return root, found[0], found[1]


TRIED: dict[str, Callable[[str], tuple[str, ...]]] = {
    "ps": lambda run: ("ps", "--all"),
    "trace": lambda run: ("trace", run, "--events"),
    "why": lambda run: ("why", PRIVATE),
    "effects": lambda run: ("effects", run, "--tree"),
    "approve": lambda run: ("approve", run),
    "deny": lambda run: ("deny", run),
    "edit": lambda run: ("edit", run, "amount_cents=1"),
    "answer": lambda run: ("answer", run, "yes"),
    "settle": lambda run: ("settle", f"{run}.1", "not_done", "--note", "seen"),
    "signal": lambda run: ("signal", run, "topic"),
    "cancel": lambda run: ("cancel", run),
    "resume": lambda run: ("resume", run),
    "revert": lambda run: ("revert", run, "--yes"),
    "reconcile": lambda run: ("reconcile",),
    "replay": lambda run: ("replay", run),
    "fork": lambda run: ("fork", run, "--offline"),
    "export": lambda run: ("export", run, "--as-test"),
    "rehearse": lambda run: ("rehearse", "permit (principal, action, resource);"),
    "rebuild": lambda run: ("rebuild",),
    "verify": lambda run: ("verify", "--projections"),
    "doctor": lambda run: ("doctor", "--upgrade"),
    "approval": lambda run: ("approval", "show", run),
    "access": lambda run: ("access", "list"),
    "stop": lambda run: ("stop", "--all", "--reason", "strange"),
    "go": lambda run: ("go", "--all"),
    "grant": lambda run: ("grant", "list"),
    "policy": lambda run: ("policy", "explain", run),
    "budget": lambda run: ("budget", "show"),
    "key": lambda run: ("key", "rotate"),
    "heads": lambda run: ("heads", "export"),
    "reveal": lambda run: ("reveal", run, "--reason", "curious"),
    "erase": lambda run: ("erase", "nobody@example.org"),
}
NOT_ABOUT_RUNS = {"init", "dev", "run", "config"}
"""They show nothing of what is in a store; who may start and run agents has tests of its own."""

EMPTY_HANDED = {"ps", "rehearse", "doctor", "budget"}
"""They succeed and have nothing to show."""


def test_every_command_is_tried_across_tenants() -> None:
    assert set(NAMES) == {*TRIED, *NOT_ABOUT_RUNS}


@pytest.mark.parametrize("agent", ["desk", "asker"])
def test_no_command_shows_or_changes_anything_of_another_tenant(folder: Folder, agent: str) -> None:
    root, ana, eve = governed(folder)
    given = f'{{"order": "{PRIVATE}", "amount_cents": 9000}}' if agent == "desk" else f'"{PRIVATE}"'
    with holding(ana):
        run = folder.run_id(agent, "--input", given)
    with holding(root), folder.dev() as dev:
        dev.until("waits for")
    with holding(ana):
        assert PRIVATE in folder.kernos("trace", run).out
        before = folder.kernos("trace", run, "--events").out
    with holding(eve):
        for name, command in TRIED.items():
            answered = folder.kernos(*command(run))
            known = answered.all
            for word in command(run)[1:]:  # What was typed may be said again, and nothing else.
                known = known.replace(word.partition(".")[0], "?")
            assert PRIVATE not in known, (name, known)
            assert run[:8] not in known, (name, known)
            assert (answered.code == 0) == (name in EMPTY_HANDED), (name, answered.all)
    with holding(ana):
        assert folder.kernos("trace", run, "--events").out == before


def test_without_a_credential_no_command_shows_anything_of_a_store_that_asks_for_one(folder: Folder) -> None:
    _, ana, _ = governed(folder)
    with holding(ana):
        run = folder.run_id("asker", "--input", f'"{PRIVATE}"')
    for name, command in TRIED.items():
        answered = folder.kernos(*command(run))
        assert answered.code == 1, (name, answered.all)
        assert "takes commands only with a credential" in answered.err, (name, answered.all)
        assert "KERNOS_TOKEN" in answered.err


def test_agents_of_all_tenants_are_run_by_whoever_acts_for_the_whole_deployment(folder: Folder) -> None:
    _, ana, _ = governed(folder)
    with holding(ana):
        answered = folder.kernos("dev")
        assert answered.code == 1
        assert "running agents concerns every tenant" in answered.err


def test_what_one_says_is_said_in_the_name_of_the_holder(folder: Folder) -> None:
    root, ana, _ = governed(folder)
    with holding(ana):
        run = folder.run_id("asker", "--input", '"pay?"')
    with holding(root), folder.dev() as dev:
        dev.until("waits for")
    with holding(ana):
        assert "cannot speak for person:bo" in folder.kernos("answer", run, "yes", "--by", "bo").err
        assert "person:ana answered" in folder.kernos("answer", run, "yes").out


def test_a_credential_can_stand_in_a_file(folder: Folder, tmp_path: Path) -> None:
    root, _, _ = governed(folder)
    (tmp_path / "token").write_text(root + "\n")
    os.environ["KERNOS_TOKEN_FILE"] = str(tmp_path / "token")
    try:
        assert folder.kernos("access", "list").code == 0
        (tmp_path / "token").unlink()
        missing = folder.kernos("ps")
        assert (missing.code, "KERNOS_TOKEN_FILE" in missing.err) == (1, True)
    finally:
        del os.environ["KERNOS_TOKEN_FILE"]


def test_lists_show_who_may_act_and_void_credentials(folder: Folder) -> None:
    root, ana, _ = governed(folder)
    with holding(root):
        revoked = folder.kernos("access", "revoke", ana.split("_")[1], "--reason", "lost")
        assert "void" in revoked.out
        listed = folder.kernos("access", "list")
        assert "person:ana   shop    lead" in listed.out
        assert next(line for line in listed.out.splitlines() if ana.split("_")[1] in line).endswith("void")
        assert ana.split("_")[2] not in folder.kernos("access", "list", "--json").out
        assert folder.kernos("access", "dismiss", "ana", "--tenant", "shop").code == 0
        assert not any(line.startswith("person:ana") for line in folder.kernos("access", "list").out.splitlines())
    with holding(ana):
        assert "not good here" in folder.kernos("ps").err


def test_a_credential_says_until_when_it_is_good_when_it_is_given_out(folder: Folder) -> None:
    first = folder.kernos("access", "require", "root", "--days", "3650")
    with holding(token_in(first)):
        listed = folder.kernos("access", "list").out.splitlines()
        folder.kernos("access", "admit", "ana", "--tenant", "shop")
        second = folder.kernos("access", "issue", "ana", "--tenant", "shop", "--scope", "look", "--days", "1")
    ends = next(line for line in listed if line.endswith("Z"))[-len("2026-01-01 00:00:00Z") :]
    assert f"good until {ends}, shown this once" in first.out
    assert "good until" in second.out
    assert ends not in second.out


def test_an_open_store_says_so(folder: Folder) -> None:
    folder.run_id("asker", "--input", '"pay?"')
    assert "need no credential" in folder.kernos("access", "list").out


def test_a_stop_is_shown_where_people_look_and_lifted_by_a_person(folder: Folder) -> None:
    folder.run_id("asker", "--input", '"pay?"')
    assert "is about one thing" in folder.kernos("stop", "--reason", "strange").err
    assert "is about one thing" in folder.kernos("stop", "--all", "--tool", "x", "--reason", "strange").err
    stopped = folder.kernos("stop", "--agent", "desk", "--reason", "strange refunds")
    assert "stopped: agent desk" in stopped.out
    assert "STOPPED: agent desk, by person:local" in folder.kernos("ps").out
    assert "kernos go --agent desk" in folder.kernos("ps").out
    assert "agent desk goes on" in folder.kernos("go", "--agent", "desk").out
    assert "STOPPED" not in folder.kernos("ps").out


def test_a_stop_of_something_that_nobody_knows_says_so(folder: Folder) -> None:
    folder.run_id("asker", "--input", '"pay?"')
    for known in (("--agent", "asker"), ("--tenant", "default"), ("--all",)):
        assert "knows of no" not in folder.kernos("stop", *known, "--reason", "strange").all
    for misspelled in (("--agent", "askr"), ("--agent", "asker@9"), ("--tool", "shop.refnd"), ("--tenant", "shp")):
        told = folder.kernos("stop", *misspelled, "--reason", "strange")
        assert (told.code, f"knows of no {misspelled[0][2:]} {misspelled[1]}" in told.err) == (0, True), told.all


def test_a_run_that_a_stop_may_hold_names_the_stop(folder: Folder) -> None:
    run = folder.run_id("asker", "--input", '"pay?"')
    folder.kernos("stop", "--tool", "shop.mail", "--reason", "strange mails")
    waiting = folder.kernos("run", "asker", "--input", '"pay?"')
    assert "STOPPED: tool shop.mail, by person:local" in waiting.err
    assert "kernos go --tool shop.mail" in waiting.err
    assert waiting.err.count("STOPPED") == 1
    told = folder.kernos("trace", run).out
    assert "where it calls what is stopped, a person who lets it go on: tool shop.mail" in told
    assert "kernos go --tool shop.mail" in told
