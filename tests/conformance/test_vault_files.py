"""Vault files: their form to the byte, what stays in memory, what is wiped, and that nothing stays open."""

import hashlib
import hmac
import struct
from base64 import b32encode
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kernos.adapters.aead.cipher import FileCipher
from kernos.adapters.sqlite.key_slots import KeySlots
from kernos.adapters.sqlite.vault import SqliteVault, vault_path
from kernos.ports.vault import Subject
from kernos.testing.clock import SeededChance
from kernos.vocabulary.errors import BadConfiguration, Erased, ForeignStore, NotSealedHere, StorageFailed, Tampered
from kernos.vocabulary.ids import TenantId
from kernos.vocabulary.sealing import Handle

SHOP, OTHER = TenantId("shop"), TenantId("other")
ANA, BEN = Subject("ana"), Subject("ben")
KEY = bytes(range(32))


def vault_at(folder: Path, **kept: int) -> SqliteVault:
    def cipher(path: Path, may_make: bool) -> FileCipher:
        return FileCipher.at(path, SeededChance(3), may_make=may_make)

    return SqliteVault(folder / "desk.kernos", cipher, **kept)


def edited(folder: Path, *statements: str) -> None:
    file = apsw.Connection(str(folder / "desk.kernos.vault"))
    for statement in statements:
        file.execute(statement)
    file.close()


# --- the form ----------------------------------------------------------------------------------------------------------
# Written down from the specification, with nothing of kernos: what was sealed once must open for ever.


def derived(key: bytes, use: str) -> bytes:
    """HKDF-SHA-256 (RFC 5869) without salt, of 32 bytes."""
    drawn = hmac.new(bytes(32), key, hashlib.sha256).digest()
    return hmac.new(drawn, use.encode() + b"\1", hashlib.sha256).digest()


def joined(*parts: str) -> bytes:
    raw = [part.encode("utf-8", "surrogatepass") for part in parts]
    return b"".join(struct.pack(">Q", len(part)) + part for part in raw)


def test_the_index_of_subjects_is_keyed_and_tells_apart_where_one_text_ends() -> None:
    cipher = FileCipher(KEY, SeededChance(1))
    expected = hmac.new(derived(KEY, "kernos index"), joined("shop", "ana"), hashlib.sha256).digest()
    assert cipher.index(SHOP, "ana") == expected
    assert cipher.index(TenantId("shopa"), "na") != expected


def test_a_subjects_key_and_what_it_seals_open_with_the_algorithms_that_are_named() -> None:
    cipher = FileCipher(KEY, SeededChance(1))
    name, wrapped = cipher.new_key(SHOP)
    assert (len(name), len(wrapped)) == (16, 60)
    key = AESGCM(derived(KEY, "kernos wrapping")).decrypt(wrapped[:12], wrapped[12:], joined("shop", name))
    assert len(key) == 32
    subject = cipher.unwrap(wrapped, name, SHOP)
    for text in ("ana@example.org", "", "Ü \ud800 \0"):
        mac = subject.mac("pii.email", text)
        digest = hmac.new(derived(key, "kernos naming"), joined("pii.email", text), hashlib.sha256).digest()
        assert mac == b32encode(digest[:16]).decode().lower().rstrip("=")
        body = subject.encrypt("pii.email", mac, text)
        place = joined("shop", name) + joined("pii.email", mac)
        opened = AESGCM(derived(key, "kernos sealing")).decrypt(body[:12], body[12:], place)
        assert opened == text.encode("utf-8", "surrogatepass")
        assert subject.decrypt("pii.email", mac, body) == text
        assert subject.encrypt("pii.email", mac, text) != body, "a nonce is never used twice"
        for label, other in (("pii.name", mac), ("pii.email", "a" * 26)):
            with pytest.raises(Tampered, match=f"a value labelled {label} in the vault is not what was sealed there"):
                subject.decrypt(label, other, body)
    assert cipher.new_key(SHOP)[0] != name
    for other_name, tenant in (("a" * 16, SHOP), (name, OTHER)):
        with pytest.raises(Tampered, match="does not open with the deployment's key"):
            cipher.unwrap(wrapped, other_name, tenant)


def test_a_slot_has_128_bytes_its_state_the_name_and_the_wrapped_key(tmp_path: Path) -> None:
    slots = KeySlots(tmp_path / "slots")
    for number in range(3):
        assert slots.add(f"{number}" * 16, bytes([65 + number]) * 60) == number
    slots.destroy(1, "1" * 16)
    held = [b"K" + f"{number}".encode() * 16 + bytes([65 + number]) * 60 for number in range(3)]
    held[1] = b"-" + b"1" * 16
    assert (tmp_path / "slots").read_bytes() == b"".join(one.ljust(128, b"\0") for one in held)
    assert [slots.read(number, f"{number}" * 16) for number in range(3)] == [b"A" * 60, None, b"C" * 60]
    before = (tmp_path / "slots").stat().st_mtime_ns
    slots.destroy(1, "1" * 16)
    assert (tmp_path / "slots").stat().st_mtime_ns == before, "it is destroyed already"
    for slot, name in ((0, "1" * 16), (1, "0" * 16), (3, "3" * 16)):
        with pytest.raises(Tampered, match=f"has no key {name} in slot {slot}"):
            slots.read(slot, name)
        with pytest.raises(Tampered):
            slots.destroy(slot, name)


def test_the_key_file_is_64_hex_digits_that_nobody_else_may_read(tmp_path: Path) -> None:
    path = tmp_path / "key"
    made = FileCipher.at(path, SeededChance(1), may_make=True)
    text = path.read_text()
    assert (len(bytes.fromhex(text)), text, path.stat().st_mode & 0o777) == (32, text.strip() + "\n", 0o600)
    again = FileCipher.at(path, SeededChance(2), may_make=True)
    assert (
        made.index(SHOP, "ana")
        == again.index(SHOP, "ana")
        == FileCipher(bytes.fromhex(text), SeededChance(5)).index(SHOP, "ana")
    )
    assert path.read_text() == text
    for wrong in (text[:-3], text + "ab", "\u0663" * 64, "zz" * 32, ""):
        path.write_text(wrong)
        with pytest.raises(BadConfiguration, match="is not a key"):
            FileCipher.at(path, SeededChance(1), may_make=True)
    path.unlink()
    with pytest.raises(BadConfiguration, match="is missing"):
        FileCipher.at(path, SeededChance(1), may_make=False)
    assert not path.exists()


# --- the database --------------------------------------------------------------------------------------------------------


def test_the_files_of_a_vault_lie_beside_the_store_and_say_what_they_are(tmp_path: Path) -> None:
    vault = vault_at(tmp_path)
    assert vault.path == vault_path(tmp_path / "desk.kernos") == tmp_path / "desk.kernos.vault"
    vault.seal(SHOP, ANA, "pii.email", "x@x.example")
    names = {one.name for one in tmp_path.iterdir()}
    assert names >= {"desk.kernos.vault", "desk.kernos.vault.key", "desk.kernos.vault.slots", "desk.kernos.vault-wal"}
    vault.close()
    assert {one.name for one in tmp_path.iterdir()} == {f"desk.kernos.vault{end}" for end in ("", ".key", ".slots")}
    file = apsw.Connection(str(vault.path))
    marks = (file.pragma("application_id"), file.pragma("user_version"), file.pragma("journal_mode"))
    file.close()
    assert marks == (int.from_bytes(b"kvlt", "big"), 1, "wal")
    vault.close()


@pytest.mark.parametrize(("mark", "version"), [(0, 7), (7, 0), (int.from_bytes(b"kvlt", "big"), 2), (7, 1)])
def test_a_file_that_is_no_vault_of_this_form_is_left_alone(tmp_path: Path, mark: int, version: int) -> None:
    (tmp_path / "desk.kernos.vault.key").write_text("ab" * 32)
    edited(tmp_path, f"PRAGMA application_id={mark}", f"PRAGMA user_version={version}")
    with pytest.raises(ForeignStore, match="is not a vault that this kernos knows"):
        vault_at(tmp_path).seal(SHOP, ANA, "pii.email", "x")
    file = apsw.Connection(str(tmp_path / "desk.kernos.vault"))
    assert file.execute("SELECT count(*) FROM sqlite_schema").get == 0
    file.close()


def test_a_file_that_is_no_database_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "desk.kernos.vault").write_bytes(b"no database" * 100)
    (tmp_path / "desk.kernos.vault.key").write_text("ab" * 32)
    vault = vault_at(tmp_path)
    handle = Handle("pii.email", "a" * 16, "a" * 26)
    asked: list[Callable[[], object]] = [
        lambda: vault.seal(SHOP, ANA, "pii.email", "x"), lambda: vault.open(SHOP, handle), lambda: vault.keys(SHOP, "ana"),
        lambda: vault.count("a" * 16), lambda: vault.is_destroyed("a" * 16), lambda: vault.tenant_of("a" * 16), lambda: vault.destroy(["a" * 16]),
    ]  # fmt: skip
    for ask in asked:
        with pytest.raises((ForeignStore, StorageFailed, Tampered), match=r"desk\.kernos\.vault"):
            ask()


def test_what_was_erased_is_in_no_file_any_more_not_even_encrypted(tmp_path: Path) -> None:
    vault = vault_at(tmp_path)
    gone = [vault.seal(SHOP, ANA, f"pii.n{n}", "x" * 9_000) for n in range(3)]
    stays = vault.seal(SHOP, BEN, "pii.note", "y" * 9_000)
    file = apsw.Connection(str(vault.path))
    bodies: list[bytes] = [row[0] for row in file.execute("SELECT body FROM sealed WHERE key=?", (gone[0].key,))]
    file.close()
    assert len(bodies) == 3
    vault.destroy([gone[0].key])
    everything = b"".join(one.read_bytes() for one in tmp_path.iterdir())
    for body in bodies:
        assert not any(body[at : at + 64] in everything for at in range(0, len(body) - 64, 64))
    assert vault.open(SHOP, stays) == "y" * 9_000
    assert (vault.count(gone[0].key), vault.count(stays.key)) == (0, 1)
    vault.close()


def test_each_of_several_keys_is_destroyed_whatever_comes_before_it(tmp_path: Path) -> None:
    vault = vault_at(tmp_path)
    ana, ben, cem = (
        vault.seal(SHOP, Subject(name), "pii.email", f"{name}@x.example") for name in ("ana", "ben", "cem")
    )
    vault.destroy([ana.key])
    vault.destroy(["a" * 16, ana.key, ben.key])
    for handle in (ana, ben):
        assert (vault.is_destroyed(handle.key), vault.count(handle.key)) == (True, 0)
        with pytest.raises(Erased):
            vault.open(SHOP, handle)
    assert (vault.is_destroyed(cem.key), vault.count(cem.key), vault.open(SHOP, cem)) == (False, 1, "cem@x.example")
    assert [list(vault.keys(SHOP, name)) for name in ("ana", "ben", "cem")] == [[], [], [cem.key]]
    vault.close()


def test_an_erasure_that_was_broken_off_behind_the_key_is_brought_to_its_end(tmp_path: Path) -> None:
    vault = vault_at(tmp_path)
    handle = vault.seal(SHOP, ANA, "pii.email", "ana@x.example")
    vault.close()
    KeySlots(tmp_path / "desk.kernos.vault.slots").destroy(0, handle.key)
    again = vault_at(tmp_path)
    assert (again.is_destroyed(handle.key), again.count(handle.key)) == (True, 1)
    again.destroy([handle.key])
    assert (again.count(handle.key), list(again.keys(SHOP, "ana"))) == (0, [])
    again.close()


# --- memory --------------------------------------------------------------------------------------------------------------


def test_the_keys_that_were_used_last_are_in_memory_and_no_more(tmp_path: Path) -> None:
    vault = vault_at(tmp_path, keys_kept=2)
    handles = [vault.seal(SHOP, Subject(f"s{n}"), "pii.email", f"{n}@x.example") for n in range(3)]
    (tmp_path / "desk.kernos.vault.slots").unlink()
    assert [vault.open(SHOP, handle) for handle in handles[1:]] == ["1@x.example", "2@x.example"]
    with pytest.raises(Tampered, match="has no key"):
        vault.open(SHOP, handles[0])
    vault.close()


def test_the_values_that_were_sealed_last_are_known_to_be_durable_and_no_more(tmp_path: Path) -> None:
    vault = vault_at(tmp_path, values_kept=2)
    handles = [vault.seal(SHOP, Subject(f"s{n}"), "pii.email", f"{n}@x.example") for n in range(3)]
    edited(tmp_path, "DELETE FROM sealed")
    assert [vault.seal(SHOP, Subject(f"s{n}"), "pii.email", f"{n}@x.example") for n in (1, 2, 0)] == [
        handles[1],
        handles[2],
        handles[0],
    ]
    assert [vault.count(handle.key) for handle in handles] == [1, 0, 0], "only what was forgotten is written again"
    vault.close()


def test_what_another_subject_had_stays_known_when_one_is_erased(tmp_path: Path) -> None:
    vault = vault_at(tmp_path)
    ana, ben = (vault.seal(SHOP, subject, "pii.email", f"{subject.name}@x.example") for subject in (ANA, BEN))
    vault.destroy([ana.key])
    edited(tmp_path, "DELETE FROM sealed")
    assert vault.seal(SHOP, BEN, "pii.email", "ben@x.example") == ben
    assert vault.count(ben.key) == 0
    vault.close()


def test_a_value_is_sealed_for_a_subject_or_the_key_of_a_handle_of_theirs(tmp_path: Path) -> None:
    vault = vault_at(tmp_path)
    ana = vault.seal(SHOP, ANA, "pii.email", "x@x.example")
    assert vault.seal(SHOP, Subject("somebody", ana.key), "pii.email", "x@x.example") == ana, (
        "a key says more than a name"
    )
    assert list(vault.keys(SHOP, "somebody")) == []
    with pytest.raises(NotSealedHere, match="was not sealed in this store"):
        vault.seal(SHOP, Subject(key="b" * 16), "pii.email", "x")
    vault.close()


def test_the_log_of_a_vault_is_carried_over_before_it_grows_long(tmp_path: Path) -> None:
    vault = vault_at(tmp_path)
    for n in range(60):
        vault.seal(SHOP, ANA, "pii.note", f"{n} " + "x" * 100_000)
    pages = (tmp_path / "desk.kernos.vault-wal").stat().st_size // 4_096
    assert 900 < pages < 1_100
    vault.close()
