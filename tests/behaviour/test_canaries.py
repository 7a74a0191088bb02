"""Canaries: a value that a store has sealed is found wherever it stands in the open, which all suites are searched for."""

import json
from base64 import b64encode
from pathlib import Path

import pytest

from kernos.app.stores import open_vault
from kernos.ports.vault import Subject
from kernos.vocabulary.ids import DEFAULT_TENANT
from tests.canaries import leaks_below, sealed_in

NAME = 'Zephyrine "Zeph" Quetzalcoatl'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder outside of what is searched after this test, with a store that has sealed a name."""
    vault = open_vault(tmp_path / "in" / "desk.kernos")
    (tmp_path / "in").mkdir()
    vault.seal(DEFAULT_TENANT, Subject("C017"), "pii.name", NAME)
    vault.seal(DEFAULT_TENANT, Subject("C017"), "pii.name", "Jo")
    vault.close()
    return tmp_path / "in"


def test_a_sealed_value_stands_in_no_file_of_its_vault(folder: Path) -> None:
    assert sealed_in(folder / "desk.kernos") == {NAME, "Jo"}
    assert leaks_below(folder, "Jo was here") == []


@pytest.mark.parametrize("form", [NAME, json.dumps({"said": f"Dear {NAME}"}), b64encode(NAME.encode()).decode()])
def test_a_value_in_the_open_is_found_in_a_file_and_in_what_was_printed(folder: Path, form: str) -> None:
    log = folder / "deep" / "desk.log"
    log.parent.mkdir()
    log.write_text(f"what it said: {form}\n")
    (folder / "shop.sqlite").write_text(NAME)
    assert leaks_below(folder) == [f"{NAME!r} in deep/desk.log"]
    log.unlink()
    assert leaks_below(folder, f"what it said: {form}") == [f"{NAME!r} in what was printed"]
    (folder / "shop.sqlite").unlink()


def test_a_vault_that_is_spoilt_has_no_values_that_could_be_looked_for(folder: Path) -> None:
    (folder / "desk.kernos.vault").write_bytes(b"spoilt")
    assert leaks_below(folder, NAME) == []
