"""Own keys at the command line: make one, have it added, sign a yes with it, check the signature without the store."""

import json
from pathlib import Path

import pytest

from kernos.adapters.joserfc.tokens import TokenReader
from tests.surface.desk_folder import Answered, Folder
from tests.surface.test_cli_access import governed, holding

pytestmark = pytest.mark.slow

RULE = """
@id("own") @approvers("lead") @level("own-key") forbid (principal, action == Action::"unattended", resource is shop::refund);
"""


@pytest.fixture
def folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Folder:
    made = Folder(tmp_path, capsys)
    with (tmp_path / "policies" / "desk.cedar").open("a") as rules:
        rules.write(RULE)
    return made


def own_key(folder: Folder, name: str) -> tuple[str, str, str]:
    """Return the file of a new key, that of its public half, and its id."""
    made = folder.bare("key", "new", "--file", str(folder.path / f"{name}.key"))
    assert made.code == 0, made.all
    public = folder.path / f"{name}.jwk"
    public.write_text(made.out)
    return str(folder.path / f"{name}.key"), str(public), TokenReader.of(made.out).newest.id


def waiting(folder: Folder) -> str:
    run = folder.run_id("desk", "--input", '{"order": "A1", "amount_cents": 100}')
    with folder.dev() as dev:
        dev.until("waits for")
    return run


def good(answered: Answered) -> str:
    assert answered.code == 0, answered.all
    return answered.out


def test_a_yes_is_signed_with_a_key_of_ones_own_and_checked_without_the_store(folder: Folder) -> None:
    private, public, key = own_key(folder, "bo")
    assert "could not be written" in folder.bare("key", "new", "--file", private).err
    good(folder.kernos("access", "admit", "bo", "--role", "lead"))
    assert f"person:bo signs with key {key}" in good(folder.kernos("access", "add-key", "bo", "--key", public))
    assert key in good(folder.kernos("access", "list"))
    run = waiting(folder)
    unsigned = folder.kernos("approve", run, "--by", "bo")
    assert (unsigned.code, "signed with a key of their own" in unsigned.err) == (1, True)
    assert "--sign-with FILE" in unsigned.err
    asked = good(folder.kernos("approval", "show", run))
    assert f"next: kernos approve {run[:8]}." in asked
    assert "for a person's yes to shop.refund" in asked
    good(folder.kernos("approve", run, "--by", "bo", "--sign-with", private))
    assert "next: kernos approve" not in good(folder.kernos("approval", "show", run))
    shown = json.loads(good(folder.kernos("approval", "show", run, "--json")))
    assert f"own key:     {shown['own_signature']}" in good(folder.kernos("approval", "show", run))
    arguments = ("--arguments", json.dumps(shown["shown"]["arguments"]))
    checked = good(folder.kernos("approval", "verify", shown["own_signature"], "--key", public, *arguments))
    assert f"the signature is that of the own key {key}, and the yes is to these arguments" in checked
    other = folder.kernos("approval", "verify", shown["own_signature"], "--key", own_key(folder, "cy")[1])
    assert other.code == 1
    assert f"it names key {key}, and was checked with " in other.err
    for garbled in ("x.y.z", f"{shown['own_signature']}x", f"e30.{shown['token']}", "bnVsbA.x.y"):
        wrong = folder.kernos("approval", "verify", garbled, "--key", public)
        assert (wrong.code, "error[bad_token]" in wrong.err, "it names" in wrong.err) == (1, True, False), wrong.all
    assert folder.kernos("approval", "verify", shown["own_signature"]).code == 1, "it is not the store's"
    with folder.dev() as dev:
        dev.until("completed")


def test_keys_that_do_not_count_are_refused_with_the_reason(folder: Folder) -> None:
    private, public, key = own_key(folder, "bo")
    good(folder.kernos("access", "admit", "bo", "--role", "lead"))
    run = waiting(folder)
    say = ("approve", run, "--by", "bo", "--sign-with", private)
    assert "has no key of their own here" in folder.kernos(*say).err
    good(folder.kernos("access", "add-key", "bo", "--key", public))
    assert "no public Ed25519 key" in folder.kernos("access", "add-key", "bo", "--key", private).err
    assert "could not be read" in folder.kernos("access", "add-key", "bo", "--key", "nowhere.jwk").err
    Path(private).chmod(0o644)
    assert "others may read" in folder.kernos(*say).err
    Path(private).chmod(0o600)
    assert "counts no more" in good(folder.kernos("access", "revoke-key", key, "--reason", "lost"))
    assert "was revoked" in folder.kernos(*say).err
    assert "void" in good(folder.kernos("access", "list"))


def test_keys_are_added_and_revoked_by_whoever_administers_alone(folder: Folder) -> None:
    _, public, key = own_key(folder, "eve")
    root, ana, _ = governed(folder)
    for command in (("access", "add-key", "ana", "--key", public), ("access", "revoke-key", key)):
        with holding(ana):
            refused = folder.kernos(*command)
            assert (refused.code, "lacks the scope administer" in refused.err) == (1, True), refused.all
        with holding(root):
            good(folder.kernos(*command))
