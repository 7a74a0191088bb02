"""Rotation of the key: wherever it is cut short, the store opens, verifies, and exactly one key is in force."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import apsw
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from kernos.adapters.ed25519.signer import FileSigner
from kernos.adapters.sqlite.hand_overs import Cause
from kernos.adapters.sqlite.keyring import head_at
from kernos.adapters.sqlite.lock import WorkerLock
from kernos.adapters.sqlite.read_only import ReadOnlyJournal
from kernos.adapters.sqlite.store import FORMAT, ROTATED_FORMAT
from kernos.testing.conformance.journal import RUNS, body
from kernos.testing.conformance.views import TABLES
from kernos.vocabulary.errors import BadConfiguration, InvalidInput, StoreBusy
from kernos.vocabulary.journal import Append
from tests.crash.journal_store import fill, findings_of, open_store
from tests.crash.power_loss import Disk, Log, RecordingFiles, RecordingVfs
from tests.crash.rotating import add, key_file, keys, rotate, trusted_findings

ROOT = Path(__file__).parents[2]
GROUPS = (1, 7, 2)
SEEDS = 20
STATES_MIN = 60


@pytest.fixture
async def store(tmp_path: Path) -> Path:
    path = tmp_path / "desk.kernos"
    await fill(path, GROUPS)
    return path


async def check_one_key(path: Path, old: bytes) -> bool:
    """Check a store that was left by a rotation cut short; return whether the new key is in force."""
    assert await findings_of(path) == ()
    assert await trusted_findings(path, old) == ()
    await add(path)
    assert sorted(one.name for one in path.parent.glob("*.key*")) == [f"{path.name}.key"]
    known = keys(path)
    assert known[0].public_key == old
    assert known[-1].public_key == key_file(path)
    assert len(known) <= 2
    assert await findings_of(path) == ()
    assert await trusted_findings(path, old) == ()
    before = len(known)
    rotate(path)
    await add(path, 1)
    assert len(keys(path)) == before + 1
    assert await trusted_findings(path, old) == ()
    return before == 2


async def test_a_rotated_store_verifies_and_goes_on_under_the_new_key(store: Path) -> None:
    first = key_file(store)
    for n in range(3):
        rotate(store)
        assert await findings_of(store) == ()
        await add(store, n)
        assert await findings_of(store) == ()
    known = keys(store)
    assert [one.since_size for one in known] == [0, 10, 11, 12]
    assert [one.until_size for one in known] == [10, 11, 12, 0]
    assert (known[0].by, known[0].reason, known[-1].reason) == ("person:ana", "each spring", "")
    assert len({one.public_key for one in known}) == 4
    assert known[-1].public_key == key_file(store) != first
    for one in known:
        assert await trusted_findings(store, one.public_key) == ()
    lines = store.with_name(f"{store.name}.heads").read_bytes().splitlines()
    assert [line.split()[1] for line in lines if line.startswith(b"key")] == [b"1", b"2", b"3"]


async def test_the_head_after_a_hand_over_names_it_and_not_the_head_before(store: Path) -> None:
    hand_over = rotate(store)
    await add(store)
    connection = apsw.Connection(str(store))
    before, after = head_at(connection, 10), head_at(connection, 11)
    assert before is not None
    assert after is not None
    log = hashlib.sha256(keys(store)[0].public_key).digest()
    assert after.previous == hand_over.digest(log) != hand_over.previous
    assert hand_over.root == before.root


async def test_a_store_without_entries_and_one_rotated_twice_in_a_row_are_rotated_too(tmp_path: Path) -> None:
    path = tmp_path / "desk.kernos"
    await open_store(path).close()
    first = key_file(path)
    rotate(path)
    second = rotate(path)
    assert await findings_of(path) == ()
    await add(path)
    head = head_at(apsw.Connection(str(path)), 1)
    assert head is not None
    assert head.previous == second.digest(hashlib.sha256(keys(path)[1].public_key).digest())
    rotate(path)
    assert await findings_of(path) == await trusted_findings(path, first) == ()
    assert [one.since_size for one in keys(path)] == [0, 0, 0, 1]


async def test_whoever_has_only_the_first_public_key_follows_to_the_newest_without_any_private_key(store: Path) -> None:
    first = key_file(store)
    rotate(store)
    await add(store)
    rotate(store)
    store.with_name(f"{store.name}.key").unlink()
    assert await trusted_findings(store, first) == ()
    assert [one.kind for one in await trusted_findings(store, bytes(32))] == ["trust"]
    with pytest.raises(BadConfiguration, match="missing"):
        await findings_of(store)


async def test_the_old_key_is_overwritten_where_it_lay(store: Path) -> None:
    key = store.with_name(f"{store.name}.key")
    other_name = store.with_name("other")
    other_name.hardlink_to(key)
    rotate(store)
    assert set(other_name.read_bytes()) == {0}
    assert key.stat().st_mode & 0o777 == 0o600


async def test_a_second_place_that_was_taken_away_gets_its_hand_overs_again(store: Path) -> None:
    place = store.with_name(f"{store.name}.heads")
    rotate(store)
    await add(store)
    rotate(store)
    whole = place.read_bytes()
    place.unlink()
    assert [one.kind for one in await findings_of(store)] == ["second_place"]
    await open_store(store).close()
    assert place.read_bytes() == whole
    place.write_bytes(whole[:-5])
    await open_store(store).close()
    assert place.read_bytes() == whole


async def test_a_store_is_of_the_older_format_until_it_is_rotated(store: Path) -> None:
    assert apsw.Connection(str(store)).pragma("user_version") == FORMAT
    rotate(store)
    assert apsw.Connection(str(store)).pragma("user_version") == ROTATED_FORMAT


async def test_nothing_is_rotated_while_a_process_runs_agents(store: Path) -> None:
    lock = WorkerLock.try_lock(store)
    assert lock is not None
    with pytest.raises(StoreBusy, match=f"process {os.getpid()} runs agents"):
        rotate(store)
    lock.release()
    assert len(keys(store)) == 1
    rotate(store)
    assert len(keys(store)) == 2


async def test_a_process_that_holds_the_old_key_adds_and_believes_nothing_more(store: Path) -> None:
    client, reader = open_store(store), ReadOnlyJournal(store, TABLES, open_key=FileSigner.at)
    rotate(store)
    with pytest.raises(BadConfiguration, match=r"was rotated at 10 entries"):
        await client.append([Append(RUNS[20], 0, (body("late"),))]).durable()
    await client.close()
    assert await findings_of(store) == ()
    with pytest.raises(BadConfiguration, match=r"was rotated at 10 entries"):
        await reader.read(RUNS[0])
    reader.close()
    await add(store)


@pytest.mark.parametrize("text", ["x" * 501, "two\nlines", "\udcff"])
async def test_a_reason_that_cannot_be_kept_or_shown_is_refused(store: Path, text: str) -> None:
    with pytest.raises(InvalidInput, match="was not rotated"):
        rotate(store, cause=Cause("person:ana", text))
    assert len(keys(store)) == 1
    rotate(store, cause=Cause("p" * 500, "r" * 500))
    assert (keys(store)[0].by, keys(store)[0].reason) == ("p" * 500, "r" * 500)


async def test_a_key_that_is_a_link_or_is_not_there_yet_is_not_rotated(store: Path) -> None:
    key = store.with_name(f"{store.name}.key")
    key.rename(store.with_name("far"))
    key.symlink_to(store.with_name("far"))
    with pytest.raises(BadConfiguration, match="link"):
        rotate(store)
    empty = store.with_name("empty.kernos")
    empty.touch()
    with pytest.raises(BadConfiguration, match="no key yet"):
        rotate(empty)
    with pytest.raises(BadConfiguration, match="no key yet"):
        keys(store.with_name("empty.kernos"))


async def test_a_next_key_that_never_came_in_force_goes_at_the_next_opening(store: Path) -> None:
    coming = store.with_name(f"{store.name}.key.next")
    for content in (FileSigner.new()[1], b"torn"):
        coming.write_bytes(content)
        assert await findings_of(store) == ()
        await open_store(store).close()
        assert not coming.exists()
    assert len(keys(store)) == 1


async def test_with_the_next_key_in_force_and_not_yet_named_everybody_uses_it(store: Path) -> None:
    """The moment between the hand-over and the new name, as another process may find it."""
    old = store.with_name(f"{store.name}.key").read_bytes()
    rotate(store)
    new = store.with_name(f"{store.name}.key")
    new.rename(store.with_name(f"{store.name}.key.next"))
    new.write_bytes(old)
    assert await findings_of(store) == ()
    reader = ReadOnlyJournal(store, TABLES, open_key=FileSigner.at)
    assert len(await reader.read(RUNS[0])) == 2
    reader.close()
    assert new.read_bytes() == old
    await add(store)
    assert new.read_bytes() != old
    assert await findings_of(store) == ()


@pytest.mark.slow
async def test_a_process_killed_before_each_operation_on_files_leaves_one_key_in_force(store: Path) -> None:
    old, points, in_force = key_file(store), 0, []
    while True:
        points += 1
        folder = store.parent / f"killed-{points}"
        folder.mkdir()
        for part in store.parent.glob(f"{store.name}*"):
            (shutil.copytree if part.is_dir() else shutil.copy)(part, folder / part.name)
        path = folder / store.name
        command = [sys.executable, "-m", "tests.crash.rotating", str(path), str(points)]
        ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        in_force.append(await check_one_key(path, old))
        if ended.returncode == 0:
            break
        assert ended.returncode == -signal.SIGKILL, ended.stderr
    print(f"rotation: killed before each of {points - 1} operations on files")
    assert int(ended.stdout) == points - 1 == 5
    assert in_force == [False, False, True, True, True, True]


@pytest.mark.slow
async def test_a_power_loss_at_any_moment_leaves_one_key_in_force(tmp_path: Path) -> None:
    memory = Path("/dev/shm")
    base = memory / f"kernos-rotation-{os.getpid()}" if memory.is_dir() else tmp_path / "states"
    home = tmp_path / "home"
    home.mkdir()
    path = home / "desk.kernos"
    await fill(path, GROUPS)
    disk, log = Disk(), Log()
    for file in (path, path.with_name(f"{path.name}.key"), path.with_name(f"{path.name}.heads")):
        for call in (("create", str(file)), ("write", str(file), 0, file.read_bytes()), ("sync", str(file))):
            disk.take(call)
        disk.take(("sync_names", str(file)))
    old = key_file(path)
    vfs = RecordingVfs("rotating", log)
    rotate(path, files=RecordingFiles(log), vfs="rotating")
    vfs.unregister()
    seen: set[int] = set()
    in_force = {True: 0, False: 0}
    try:
        for number, call in enumerate(log.calls):
            disk.take(call)
            for kind, contents in (state for seed in range(SEEDS) for state in disk.states(number * SEEDS + seed)):
                mark = hash(tuple(sorted(contents.items())))
                if mark in seen:
                    continue
                seen.add(mark)
                shutil.rmtree(base, ignore_errors=True)
                base.mkdir()
                for name, content in contents.items():
                    (base / Path(name).relative_to(home)).write_bytes(content)
                if FileSigner.open(base / f"{path.name}.key").public_key() != old:  # Then all else has been durable.
                    assert b"\nkey 1 " in (base / f"{path.name}.heads").read_bytes()
                try:
                    in_force[await check_one_key(base / path.name, old)] += 1
                except BaseException as error:
                    error.add_note(f"power lost after call {number} of {len(log.calls)} {call[:2]}, un-synced {kind}")
                    raise
    finally:
        shutil.rmtree(base, ignore_errors=True)
    print(
        f"rotation: {len(log.calls)} calls, {len(seen)} different states, in force afterwards (new or not) {in_force}"
    )
    assert len(seen) >= STATES_MIN
    assert min(in_force.values()) > 5


def test_of_two_processes_that_make_a_key_at_once_the_first_ones_counts(tmp_path: Path) -> None:
    path = tmp_path / "desk.kernos.key"
    first, second = FileSigner._make(path), FileSigner._make(path)
    assert first.public_key() == second.public_key() == FileSigner.open(path).public_key()
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def test_a_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "desk.kernos.key"
    path.write_bytes(
        ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    with pytest.raises(BadConfiguration, match="holds a key of another kind than Ed25519"):
        FileSigner.open(path)
