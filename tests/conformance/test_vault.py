"""Vault: what every keeper of sealed values promises, on a real file and in memory; and what the file does besides."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from kernos.adapters.aead.cipher import FileCipher, _make
from kernos.adapters.sqlite.vault import SqliteVault
from kernos.app.stores import open_vault
from kernos.ports.vault import Subject, Vault
from kernos.testing.clock import SeededChance
from kernos.testing.vault import MemoryVault
from kernos.vocabulary.errors import BadConfiguration, Erased, ForeignStore, NotSealedHere, Tampered
from kernos.vocabulary.ids import TenantId
from kernos.vocabulary.sealing import Handle, handle_of, handles_in

SHOP, OTHER = TenantId("shop"), TenantId("other")
ANA, BEN = Subject("ana"), Subject("ben")


@pytest.fixture(params=["file", "memory"])
def vault(request: pytest.FixtureRequest, tmp_path: Path) -> Vault:
    kinds: dict[str, Callable[[], Vault]] = {
        "file": lambda: open_vault(tmp_path / "desk.kernos"),
        "memory": MemoryVault,
    }
    return kinds[request.param]()


def test_what_is_sealed_is_opened_with_its_handle(vault: Vault) -> None:
    for text in ("ana@example.org", "", "Ünïcode \ud800 \0", "x" * 10_000):
        handle = vault.seal(SHOP, ANA, "pii.email", text)
        assert vault.open(SHOP, handle) == text
        assert handle_of(str(handle)) == handle
        assert list(handles_in(f"a{handle}b{handle}".encode())) == [handle, handle]


def test_equal_values_have_one_handle_for_one_subject_and_label_only(vault: Vault) -> None:
    first = vault.seal(SHOP, ANA, "pii.email", "x@example.org")
    assert vault.seal(SHOP, ANA, "pii.email", "x@example.org") == first
    assert vault.seal(SHOP, Subject(key=first.key), "pii.email", "x@example.org") == first
    others = {
        vault.seal(SHOP, ANA, "pii.name", "x@example.org"),
        vault.seal(SHOP, ANA, "pii.email", "y@example.org"),
        vault.seal(SHOP, BEN, "pii.email", "x@example.org"),
        vault.seal(OTHER, ANA, "pii.email", "x@example.org"),
        first,
    }
    assert len(others) == 5


def test_a_handle_opens_for_its_tenant_alone_and_a_made_up_one_for_nobody(vault: Vault) -> None:
    handle = vault.seal(SHOP, ANA, "pii.email", "x@example.org")
    strange = [
        Handle("pii.name", handle.key, handle.mac),
        Handle("pii.email", "a" * 16, handle.mac),
        Handle("pii.email", handle.key, "a" * 26),
    ]
    with pytest.raises(NotSealedHere):
        vault.open(OTHER, handle)
    with pytest.raises(NotSealedHere):
        vault.seal(OTHER, Subject(key=handle.key), "pii.email", "z")
    for one in strange:
        with pytest.raises(NotSealedHere):
            vault.open(SHOP, one)


def test_a_destroyed_key_opens_and_seals_nothing_any_more_and_others_stay(vault: Vault) -> None:
    gone, stays = (vault.seal(SHOP, subject, "pii.email", "x@example.org") for subject in (ANA, BEN))
    assert list(vault.keys(SHOP, "ana")) == [gone.key]
    assert (vault.count(gone.key), list(vault.keys(OTHER, "ana"))) == (1, [])
    for _ in range(2):
        vault.destroy([gone.key, "nobodys0nobodys0"])
    with pytest.raises(Erased):
        vault.open(SHOP, gone)
    with pytest.raises(Erased):
        vault.seal(SHOP, Subject(key=gone.key), "pii.email", "x@example.org")
    assert vault.open(SHOP, stays) == "x@example.org"
    assert (list(vault.keys(SHOP, "ana")), vault.count(gone.key)) == ([], 0)
    assert vault.seal(SHOP, ANA, "pii.email", "x@example.org").key != gone.key


def test_a_key_that_is_none_of_this_vault_is_no_reason_to_keep_the_others(vault: Vault) -> None:
    handle = vault.seal(SHOP, ANA, "pii.email", "x@example.org")
    assert vault.tenant_of(handle.key) == SHOP
    assert (vault.tenant_of("a" * 16), vault.count(handle.key), vault.count("a" * 16)) == (None, 1, 0)
    vault.destroy(["a" * 16, handle.key])
    with pytest.raises(Erased):
        vault.open(SHOP, handle)
    assert (list(vault.keys(SHOP, "ana")), vault.count(handle.key)) == ([], 0)
    vault.destroy([])


def test_a_file_holds_no_value_no_subject_and_no_key_in_the_open(tmp_path: Path) -> None:
    vault = open_vault(tmp_path / "desk.kernos")
    handle = vault.seal(SHOP, Subject("quetzal"), "pii.email", "quetzal@example.org")
    vault.close()
    everything = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"quetzal" not in everything
    assert open_vault(tmp_path / "desk.kernos").open(SHOP, handle) == "quetzal@example.org"
    modes = {path.stat().st_mode & 0o777 for path in tmp_path.iterdir() if path.suffix in (".key", ".slots")}
    assert modes == {0o600}


def test_a_value_that_is_moved_or_changed_in_the_file_does_not_open(tmp_path: Path) -> None:
    vault = open_vault(tmp_path / "desk.kernos")
    ana, ben = (vault.seal(SHOP, subject, "pii.email", f"{subject.name}@x.example") for subject in (ANA, BEN))
    vault.close()
    file = apsw.Connection(str(tmp_path / "desk.kernos.vault"))
    body = file.execute("SELECT body FROM sealed WHERE key = ?", (ben.key,)).get
    file.execute("UPDATE sealed SET body = ? WHERE key = ?", (body, ana.key))
    file.close()
    vault = open_vault(tmp_path / "desk.kernos")
    with pytest.raises(Tampered):
        vault.open(SHOP, ana)
    assert vault.open(SHOP, ben) == "ben@x.example"


def test_a_key_of_another_tenant_or_slot_does_not_open(tmp_path: Path) -> None:
    vault = open_vault(tmp_path / "desk.kernos")
    ana, ben = (vault.seal(SHOP, subject, "pii.email", "x@x.example") for subject in (ANA, BEN))
    vault.close()
    file = apsw.Connection(str(tmp_path / "desk.kernos.vault"))
    file.execute("UPDATE keys SET tenant = 'other' WHERE name = ?", (ana.key,))
    file.execute("UPDATE keys SET slot = 7 WHERE name = ?", (ben.key,))
    file.close()
    vault = open_vault(tmp_path / "desk.kernos")
    with pytest.raises(Tampered, match="does not open with the deployment's key"):
        vault.open(OTHER, ana)
    with pytest.raises(Tampered, match="has no key"):
        vault.open(SHOP, ben)


def test_a_missing_or_broken_key_file_is_said_and_never_made_anew(tmp_path: Path) -> None:
    vault = open_vault(tmp_path / "desk.kernos")
    handle = vault.seal(SHOP, ANA, "pii.email", "x@x.example")
    vault.close()
    key = tmp_path / "desk.kernos.vault.key"
    text = key.read_text()
    for wrong in ("no key", "ab", text[:-3]):
        key.write_text(wrong)
        with pytest.raises(BadConfiguration, match="is not a key"):
            open_vault(tmp_path / "desk.kernos").open(SHOP, handle)
    key.unlink()
    with pytest.raises(BadConfiguration, match="is missing"):
        open_vault(tmp_path / "desk.kernos").open(SHOP, handle)
    with pytest.raises(BadConfiguration, match="is missing"):
        open_vault(tmp_path / "desk.kernos").seal(SHOP, BEN, "pii.email", "y")
    key.write_text(text)
    assert open_vault(tmp_path / "desk.kernos").open(SHOP, handle) == "x@x.example"


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "desk.kernos.vault"
    file = apsw.Connection(str(path))
    file.pragma("user_version", 7)
    file.close()
    (tmp_path / "desk.kernos.vault.key").write_text("ab" * 32)
    with pytest.raises(ForeignStore, match="not a vault"):
        open_vault(tmp_path / "desk.kernos").seal(SHOP, ANA, "pii.email", "x")


def test_a_store_without_labelled_values_has_no_vault(tmp_path: Path) -> None:
    vault = open_vault(tmp_path / "desk.kernos")
    assert (list(vault.keys(SHOP, "ana")), vault.count("a" * 16), vault.is_destroyed("a" * 16)) == ([], 0, False)
    assert vault.tenant_of("a" * 16) is None
    vault.destroy(["a" * 16])
    with pytest.raises(NotSealedHere):
        vault.open(SHOP, Handle("pii.email", "a" * 16, "a" * 26))
    vault.close()
    assert list(tmp_path.iterdir()) == []


def test_a_key_is_known_as_destroyed_once_it_is_and_not_before(tmp_path: Path) -> None:
    vault = open_vault(tmp_path / "desk.kernos")
    gone, stays = (vault.seal(SHOP, subject, "pii.email", "x@x.example").key for subject in (ANA, BEN))
    assert [vault.is_destroyed(key) for key in (gone, stays, "a" * 16)] == [False, False, False]
    vault.destroy([gone])
    assert [vault.is_destroyed(key) for key in (gone, stays, "a" * 16)] == [True, False, False]


def test_what_no_longer_fits_into_memory_is_read_from_the_files_again(tmp_path: Path) -> None:
    def cipher(path: Path, may_make: bool) -> FileCipher:
        return FileCipher.at(path, SeededChance(3), may_make=may_make)

    vault = SqliteVault(tmp_path / "desk.kernos", cipher, keys_kept=2, values_kept=2)
    handles = [vault.seal(SHOP, Subject(f"s{n}"), "pii.email", f"{n}@x.example") for n in range(5)]
    assert (len(vault._keys), len(vault._kept)) == (2, 2)
    assert [vault.seal(SHOP, Subject(f"s{n}"), "pii.email", f"{n}@x.example") for n in range(5)] == handles
    assert [vault.open(SHOP, handle) for handle in handles] == [f"{n}@x.example" for n in range(5)]
    assert [vault.count(handle.key) for handle in handles] == [1] * 5
    with pytest.raises(NotSealedHere):
        vault.open(OTHER, handles[4])


def test_keys_whose_file_is_gone_or_short_or_strange_are_not_taken_for_destroyed(tmp_path: Path) -> None:
    vault = open_vault(tmp_path / "desk.kernos")
    handle = vault.seal(SHOP, ANA, "pii.email", "x@x.example")
    vault.close()
    slots = tmp_path / "desk.kernos.vault.slots"
    whole = slots.read_bytes()
    state_changed, key_changed = bytes([whole[0] ^ 1]) + whole[1:], whole[:1] + bytes([whole[1] ^ 1]) + whole[2:]
    for body in (None, b"", whole[:-1], state_changed, key_changed):
        slots.unlink(missing_ok=True)
        if body is not None:
            slots.write_bytes(body)
        with pytest.raises(Tampered, match=r"has no key .* in slot 0"):
            open_vault(tmp_path / "desk.kernos").open(SHOP, handle)
        with pytest.raises(Tampered, match="has no key"):
            open_vault(tmp_path / "desk.kernos").destroy([handle.key])
    slots.write_bytes(whole)
    assert open_vault(tmp_path / "desk.kernos").open(SHOP, handle) == "x@x.example"


def test_of_two_that_make_the_deployments_key_at_once_the_first_ones_counts(tmp_path: Path) -> None:
    path = tmp_path / "desk.kernos.vault.key"
    _make(path, b"a" * 32)
    _make(path, b"b" * 32)
    assert path.read_text().strip() == (b"a" * 32).hex()
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


_SEALS = """
import sys
from pathlib import Path
from kernos.app.stores import open_vault
from kernos.ports.vault import Subject
vault = open_vault(Path(sys.argv[1]))
for n in range(40):
    print(vault.seal("shop", Subject(f"s{n % 5}"), "pii.email", f"{n % 10}@x.example"))
"""


def test_processes_that_seal_side_by_side_agree_on_every_handle(tmp_path: Path) -> None:
    store = str(tmp_path / "desk.kernos")
    started = [
        subprocess.Popen([sys.executable, "-c", _SEALS, store], stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    told = [process.communicate(timeout=60)[0] for process in started]
    assert [process.returncode for process in started] == [0, 0, 0]
    assert told[0] == told[1] == told[2]
    assert len(set(told[0].split())) == 10
