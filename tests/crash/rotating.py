"""What tests of rotation share: rotate a store of `journal_store`, look at its keys; as a program: rotate one and be killed on the way."""

import os
import signal
import sys
from pathlib import Path

from kernos.adapters.ed25519.signer import FileSigner
from kernos.adapters.sqlite.files import Files
from kernos.adapters.sqlite.hand_overs import Cause, HandOver
from kernos.adapters.sqlite.read_only import keys_of
from kernos.adapters.sqlite.rotation import rotate_key
from kernos.adapters.sqlite.trust import Trusted
from kernos.adapters.sqlite.verify import verify_store
from kernos.adapters.system.clock import SystemClock
from kernos.testing.conformance.journal import RUNS, body, unheard
from kernos.vocabulary.journal import Append, Finding
from kernos.vocabulary.signing import SigningKey
from tests.crash.journal_store import open_store

WHY = Cause("person:ana", "each spring")


def rotate(path: Path, *, files: Files | None = None, vfs: str | None = None, cause: Cause = WHY) -> HandOver:
    return rotate_key(path, SystemClock(), cause, open_key=FileSigner.at, new_key=FileSigner.new, files=files, vfs=vfs)


def keys(path: Path) -> tuple[SigningKey, ...]:
    return keys_of(path, FileSigner.is_signed)


def key_file(path: Path) -> bytes:
    """Return the public half of the key in the store's key file."""
    return FileSigner.open(path.with_name(f"{path.name}.key")).public_key()


async def add(path: Path, n: int = 0, entries: int = 1) -> None:
    """Append to a run that `fill` does not know, from number `n` on."""
    journal = open_store(path)
    for number in range(n, n + entries):
        await journal.append([Append(RUNS[20], number, (body("later"),))]).durable()
    await journal.close()


async def trusted_findings(path: Path, public_key: bytes) -> tuple[Finding, ...]:
    trusted = Trusted(public_key, FileSigner.is_signed)
    return (await verify_store(path, FileSigner.at, unheard, trusted=trusted)).findings


class Steps(Files):
    """Files that end the process before their nth operation; counts them."""

    def __init__(self, fatal: int) -> None:
        self.fatal = fatal
        self.taken = 0

    def _step(self) -> None:
        self.taken += 1
        if self.taken == self.fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    def write(self, path: Path, content: bytes) -> None:
        self._step()
        super().write(path, content)

    def rename(self, old: Path, new: Path) -> None:
        self._step()
        super().rename(old, new)

    def sync_folder(self, path: Path) -> None:
        self._step()
        super().sync_folder(path)

    def overwrite(self, handle: int) -> None:
        self._step()
        super().overwrite(handle)


if __name__ == "__main__":
    steps = Steps(int(sys.argv[2]))
    rotate(Path(sys.argv[1]), files=steps)
    print(steps.taken)
