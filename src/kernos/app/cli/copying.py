"""Copying: the store's tree heads, for people to take away."""

import sys
from pathlib import Path

from kernos.adapters.ed25519.signer import FileSigner
from kernos.adapters.sqlite.kept_heads import opened_heads
from kernos.app.cli.opening import existing, whole_store
from kernos.app.settings import Settings
from kernos.vocabulary.administration import Scope


def copy_heads(settings: Settings, file: str, *, newest_only: bool) -> None:
    """Print tree heads, or write them to a file. Raises NotFound, NotAllowed, BadConfiguration, Tampered, StorageFailed."""
    whole_store(existing(settings), "the tree heads of the store", Scope.LOOK)
    with opened_heads(settings.store, FileSigner.at) as heads:
        if not file:
            for line in heads.lines(newest_only=newest_only):
                sys.stdout.write(line.decode())
            return
        lines = heads.write(Path(file), newest_only=newest_only)
        print(f"{file} has {lines} lines, up to the tree head of size {heads.newest.size}")
    print("keep it where nobody who can change the store can change it, too: another machine, a mail, a sheet of paper")
    print(f"compare later: kernos verify --heads {file}")
