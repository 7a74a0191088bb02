"""Durable: keys of sealed values and kept heads are on disk before anybody relies on them, and what was destroyed is destroyed there."""

import fcntl
import os
import sys
import threading
from pathlib import Path

import pytest

from kernos.adapters.aead.cipher import FileCipher
from kernos.adapters.ed25519.signer import FileSigner
from kernos.adapters.sqlite.kept_heads import opened_heads
from kernos.adapters.sqlite.key_slots import SLOT_BYTES, KeySlots
from kernos.testing.clock import SeededChance
from kernos.vocabulary.errors import Tampered
from tests.crash.durable import Durable, open_handles
from tests.crash.journal_store import fill
from tests.crash.rotating import add

NAMES = [letter * 16 for letter in "abc"]
KEYS = [letter.encode() * 60 for letter in "xyz"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "folder"
    made.mkdir()
    return made


def test_what_nobody_waits_for_is_lost(folder: Path, tmp_path: Path) -> None:
    with Durable(folder) as disk, (folder / "file").open("wb") as file:
        file.write(b"first")
        file.flush()
        assert list(disk.left_in(tmp_path / "1").iterdir()) == []
        os.fsync(file.fileno())
        assert list(disk.left_in(tmp_path / "2").iterdir()) == [], "its name is not on disk"
        handle = os.open(folder, os.O_RDONLY)
        file.write(b"second")
        os.fsync(handle)
        os.close(handle)
        file.flush()
    assert (disk.left_in(tmp_path / "3") / "file").read_bytes() == b"first"


def test_a_key_has_its_slot_after_a_power_loss(folder: Path, tmp_path: Path) -> None:
    with Durable(folder) as disk:
        for number, (name, key) in enumerate(zip(NAMES, KEYS, strict=True)):
            assert KeySlots(folder / "slots").add(name, key) == number
            left = KeySlots(disk.left_in(tmp_path / name) / "slots")
            assert [left.read(at, one) for at, one in enumerate(NAMES[: number + 1])] == KEYS[: number + 1]


def test_a_key_that_was_destroyed_does_not_come_back_with_a_power_loss(folder: Path, tmp_path: Path) -> None:
    slots = KeySlots(folder / "slots")
    with Durable(folder) as disk:
        for name, key in zip(NAMES, KEYS, strict=True):
            slots.add(name, key)
        slots.destroy(1, NAMES[1])
    left = disk.left_in(tmp_path / "left")
    assert b"y" not in (left / "slots").read_bytes()
    assert [KeySlots(left / "slots").read(at, name) for at, name in enumerate(NAMES)] == [KEYS[0], None, KEYS[2]]


def test_a_slot_of_which_a_part_was_written_is_left_alone(folder: Path) -> None:
    slots = KeySlots(folder / "slots")
    slots.add(NAMES[0], KEYS[0])
    size = (folder / "slots").stat().st_size
    assert size == SLOT_BYTES == 128, "the files that there are have such"
    for torn, slot in ((size + 1, 2), (3 * size + size - 1, 4)):
        os.truncate(folder / "slots", torn)
        assert slots.add(NAMES[1], KEYS[1]) == slot
        assert slots.read(slot, NAMES[1]) == KEYS[1]
        with pytest.raises(Tampered):
            slots.read(slot - 1, NAMES[1])
    assert slots.read(0, NAMES[0]) == KEYS[0]


def test_a_slot_that_another_process_is_writing_is_waited_for(folder: Path) -> None:
    slots = KeySlots(folder / "slots")
    slots.add(NAMES[0], KEYS[0])
    comes, slot = threading.Event(), []

    def work() -> None:
        sys.setprofile(lambda _, event, called: comes.set() if (event, called) == ("c_call", fcntl.flock) else None)
        slot.append(slots.add(NAMES[1], KEYS[1]))
        comes.set()

    with (folder / "slots").open("r+b") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        worker = threading.Thread(target=work)
        worker.start()
        comes.wait()
        os.pwrite(other.fileno(), b"K".ljust(SLOT_BYTES, b"\0"), SLOT_BYTES)
    worker.join()
    assert slot == [2]


def test_a_key_file_is_whole_after_a_power_loss(folder: Path, tmp_path: Path) -> None:
    with Durable(folder) as disk:
        FileCipher.at(folder / "key", SeededChance(1), may_make=True)
    left = disk.left_in(tmp_path / "left")
    assert (left / "key").read_bytes() == (folder / "key").read_bytes()
    assert [one.name for one in left.iterdir()] == [one.name for one in folder.iterdir()] == ["key"]


async def test_kept_heads_are_whole_after_a_power_loss(folder: Path, tmp_path: Path) -> None:
    store = tmp_path / "desk.kernos"
    await fill(store)
    for number in range(2):
        with Durable(folder) as disk, opened_heads(store, FileSigner.at) as heads:
            lines = heads.write(folder / "kept")
        content = (disk.left_in(tmp_path / str(number)) / "kept").read_bytes()
        assert content == (folder / "kept").read_bytes()
        assert lines == content.count(b"\n") == 16 + number
        assert [one.name for one in folder.iterdir()] == ["kept"]
        await add(store, number)


def test_no_file_stays_open_behind_a_key(folder: Path) -> None:
    slots = KeySlots(folder / "slots")
    before = open_handles()
    FileCipher.at(folder / "key", SeededChance(1), may_make=True)
    for at, (name, key) in enumerate(zip(NAMES, KEYS, strict=True)):
        slots.add(name, key)
        slots.read(at, name)
        slots.destroy(at, name)
    assert open_handles() == before
