"""Rotation: a store gets a new key; the old one signs the hand-over and is destroyed.

Ordered: the next key is on disk, then the hand-over counts (one commit of the store), then it stands in the second place, then the next key gets the name
of the old one, whose bytes are overwritten. Whenever this is cut short, the key in force is the one that the store's hand-overs lead to, and
it is on disk; whoever opens the store next brings the rest to its end (`mending`). Nobody runs agents meanwhile. Another process that has the store open
holds the old key, and is refused at its next write.
"""

from contextlib import ExitStack
from pathlib import Path

from kernos.adapters.sqlite.files import Files, key_path
from kernos.adapters.sqlite.hand_overs import HAND_OVER_COLUMNS, LAYOUT, TEXT_MAX, Cause, HandOver
from kernos.adapters.sqlite.keyring import first_key, keyless, next_key_path, open_notary
from kernos.adapters.sqlite.lock import WorkerLock
from kernos.adapters.sqlite.mending import mend_second_place, settle_keys
from kernos.adapters.sqlite.second_place import HeadsFile
from kernos.adapters.sqlite.store import (
    ROTATED_FORMAT,
    connect,
    keep_log,
    let_go,
    prepare,
    said_plainly,
    transaction,
)
from kernos.adapters.sqlite.tail import load_tail
from kernos.ports.clock import Clock
from kernos.ports.signer import NewKey, OpenKey
from kernos.vocabulary.errors import BadConfiguration, InvalidInput, StoreBusy


def rotate_key(
    path: Path,
    clock: Clock,
    cause: Cause,
    *,
    open_key: OpenKey,
    new_key: NewKey,
    heads: Path | None = None,
    vfs: str | None = None,
    files: Files | None = None,
) -> HandOver:
    """Give a store a new key and return the hand-over to it, once it is durable and the old key is gone.

    Raises StoreBusy while a process runs agents over the store, InvalidInput for a reason that cannot be kept, and what opening a store raises.
    """
    _check(cause)
    with said_plainly(path):
        if key_path(path).is_symlink():
            message = f"{key_path(path)} is a link to another file, which a rotation could not destroy"
            raise BadConfiguration(message, hint="Put the key itself there, or rotate where it lies.")
        lock = WorkerLock.try_lock(path)
        if lock is None:
            message = (
                f"process {WorkerLock.holder(path)} runs agents over {path}; its key is rotated only while none does"
            )
            raise StoreBusy(message, hint="Stop that process, rotate, then start it again.")
        try:
            second_place = heads or path.with_name(f"{path.name}.heads")
            return _Rotation(path, clock, open_key, new_key, second_place, vfs, files or Files()).make(cause)
        finally:
            lock.release()


def _check(cause: Cause) -> None:
    for name, text in (("reason", cause.reason), ("name", cause.by)):
        if len(text) > TEXT_MAX or not text.isprintable():
            message = f"the key was not rotated: the {name} has {len(text)} characters, or some that cannot be shown"
            raise InvalidInput(message, hint=f"Give one line of at most {TEXT_MAX} characters.")


class _Rotation:
    def __init__(
        self,
        path: Path,
        clock: Clock,
        open_key: OpenKey,
        new_key: NewKey,
        second_place: Path,
        vfs: str | None,
        files: Files,
    ) -> None:
        self._path = path
        self._clock = clock
        self._open_key = open_key
        self._new_key = new_key
        self._second_place = second_place
        self._vfs = vfs
        self._files = files

    def make(self, cause: Cause) -> HandOver:
        path, open_key, files = self._path, self._open_key, self._files
        with ExitStack() as opened:
            connection = connect(path, vfs=self._vfs)
            opened.callback(let_go, connection)
            prepare(connection, path, self._second_place)
            if not first_key(connection):
                raise keyless(path)
            notary = open_notary(connection, path, open_key)
            second = HeadsFile(self._second_place, files)
            opened.callback(second.close)
            with transaction(connection, "DEFERRED"):
                tail = load_tail(connection, notary, path)
            mend_second_place(connection, path, second, notary, tail.frontier.size)
            settle_keys(connection, path, second, open_key, files)
            with transaction(connection, "IMMEDIATE"):
                tail = load_tail(connection, notary, path)
                signer, content = self._new_key()
                files.write(next_key_path(path), content)
                files.sync_folder(path.parent)
                hand_over = notary.hand_over(signer.public_key(), tail.head, self._clock.now(), cause)
                if not notary.hand_overs:
                    connection.execute(LAYOUT)
                    connection.pragma("user_version", ROTATED_FORMAT)
                marks = ",".join("?" * len(hand_over.row()))
                connection.execute(f"INSERT INTO hand_overs({HAND_OVER_COLUMNS}) VALUES({marks})", hand_over.row())
            second.add((hand_over,))
            settle_keys(connection, path, second, open_key, files)
            keep_log(connection, keep=False)
        return hand_over
