"""Keys at the command line: show them, rotate, check from a public key on, and check a yes of before anywhere."""

import json
from pathlib import Path
from typing import Any

import pytest

from kernos.adapters.ed25519.signer import FileSigner
from kernos.app.stores import store_keys
from tests.surface.desk_folder import Folder

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Folder:
    return Folder(tmp_path, capsys)


def told(folder: Folder, *arguments: str) -> Any:
    """Return what a command says as JSON."""
    answered = folder.kernos(*arguments, "--json")
    assert answered.code == 0, answered.all
    return json.loads(answered.out)


def filled(folder: Folder) -> str:
    """Return a run whose action waits for a yes, and leave no process running."""
    return folder.run_id("desk", "--input", '{"order": "A1", "amount_cents": 9000}')


def test_the_key_is_shown_rotated_and_shown_again(folder: Folder) -> None:
    filled(folder)
    before = folder.kernos("key", "show")
    assert before.code == 0, before.all
    assert "older keys" not in before.out
    first = told(folder, "key", "show")["in_force"]
    rotated = folder.kernos("key", "rotate", "--reason", "each spring", "--by", "ana")
    assert rotated.code == 0, rotated.all
    assert f"key {first['id']} signed the hand-over and is destroyed" in rotated.out
    assert "counts until it expires" in rotated.out
    shown = told(folder, "key", "show")
    (older,) = shown["older"]
    assert older == first | {
        "until_at": shown["in_force"]["since_at"],
        "until_size": shown["in_force"]["since_size"],
        "is_compromised": False,
        "by": "person:ana",
        "reason": "each spring",
    }
    assert shown["in_force"]["public_key"] == FileSigner.open(Path(f"{folder.store}.key")).public_key().hex()
    text = folder.kernos("key", "show").out
    assert shown["in_force"]["public_key"] in text
    assert first["public_key"] in text
    assert "each spring" in text
    again = json.loads(folder.kernos("key", "rotate", "--compromised", "--json").out)
    assert again["ended"]["is_compromised"]
    assert "counts no more" in folder.kernos("key", "rotate", "--compromised").out
    assert len(store_keys(folder.store)) == 4


def test_a_store_that_is_not_there_or_whose_agents_run_is_not_rotated(folder: Folder) -> None:
    missing = folder.kernos("key", "rotate")
    assert (missing.code, "there is no store" in missing.err) == (1, True)
    filled(folder)
    with folder.dev() as dev:
        dev.until("waits for")
        answered = folder.kernos("key", "rotate")
        assert answered.code == 1
        assert "runs agents over" in answered.err
        assert "Stop that process" in answered.err
    assert len(store_keys(folder.store)) == 1
    assert folder.kernos("key", "rotate").code == 0


def test_a_store_is_verified_from_a_trusted_key_on(folder: Folder, tmp_path: Path) -> None:
    filled(folder)
    first = told(folder, "key", "show")["in_force"]["public_key"]
    jwk = tmp_path / "first.jwk"
    jwk.write_text(folder.kernos("approval", "key").out)
    folder.kernos("key", "rotate")
    keys = tmp_path / "keys.jwks"
    keys.write_text(folder.kernos("approval", "key", "--all").out)
    Path(f"{folder.store}.key").rename(tmp_path / "kept")
    for trusted in (first, first.upper(), str(jwk), str(keys)):
        answered = folder.kernos("verify", "--trust", trusted)
        assert answered.code == 0, answered.all
        assert "signed from the trusted key on" in answered.out
    answered = folder.kernos("verify", "--trust", "0" * 64)
    assert answered.code == 1
    assert "the trusted key is none of those" in answered.out
    assert first in answered.out
    for nonsense in ("0" * 63, "g" * 64, str(tmp_path), str(tmp_path / "kept")):
        answered = folder.kernos("verify", "--trust", nonsense)
        assert answered.code == 1
        assert "clean" not in answered.out
        assert "public key" in answered.err
    assert folder.kernos("verify").code == 1


def test_a_yes_of_an_older_key_is_checked_with_the_set_of_keys(folder: Folder, tmp_path: Path) -> None:
    run = filled(folder)
    with folder.dev() as dev:
        dev.until("waits for")
    assert folder.kernos("approve", run, "--by", "ana").code == 0
    token = told(folder, "approval", "show", run)["token"]
    old = tmp_path / "old.jwk"
    old.write_text(folder.kernos("approval", "key").out)
    keys = tmp_path / "keys.jwks"
    first = told(folder, "key", "show")["in_force"]["id"]
    for words in ((), ("--compromised",)):  # Only the second key is one that others may have.
        assert folder.kernos("key", "rotate", *words).code == 0
        keys.write_text(folder.kernos("approval", "key", "--all").out)
        newest = tmp_path / "newest.jwk"
        newest.write_text(folder.kernos("approval", "key").out)
        for given in ((), ("--key", str(keys))):
            answered = folder.kernos("approval", "verify", token, *given)
            assert answered.code == 0, answered.all
            assert f"the signature is that of key {first}, in force until" in answered.out
        assert folder.kernos("approval", "verify", token, "--key", str(old)).code == 0
        assert folder.kernos("approval", "verify", token, "--key", str(newest)).code == 1
        assert told(folder, "approval", "show", run)["token"] == token
    assert [key.is_compromised for key in store_keys(folder.store)] == [False, True, False]


def test_a_yes_of_a_key_that_others_may_have_is_told(folder: Folder, tmp_path: Path) -> None:
    run = filled(folder)
    with folder.dev() as dev:
        dev.until("waits for")
    assert folder.kernos("approve", run, "--by", "ana").code == 0
    token = told(folder, "approval", "show", run)["token"]
    assert folder.kernos("key", "rotate", "--compromised").code == 0
    keys = tmp_path / "keys.jwks"
    keys.write_text(folder.kernos("approval", "key", "--all").out)
    for given in ((), ("--key", str(keys))):
        answered = folder.kernos("approval", "verify", token, *given)
        assert answered.code == 1, answered.all
        assert "others may have it" in answered.out
    assert json.loads(folder.kernos("approval", "verify", token, "--json").out)["remarks"]
