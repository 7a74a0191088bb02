"""Stores: how every program of kernos opens a store: with its projections, and signed by the key beside it."""

from pathlib import Path

from kernos.adapters.ed25519.signer import FileSigner
from kernos.adapters.joserfc.tokens import JoseTokens
from kernos.adapters.sqlite.files import key_path
from kernos.adapters.sqlite.journal import SqliteJournal
from kernos.control.projections import TABLES
from kernos.ports.clock import Clock


def open_store(path: Path, clock: Clock) -> SqliteJournal:
    """Open a store, or make one. Raises what `SqliteJournal` raises."""
    return SqliteJournal(path, TABLES, clock, open_key=FileSigner.at)


def open_tokens(path: Path) -> JoseTokens:
    """Return what signs people's answers with the key of the store at `path`. Raises BadConfiguration when that is missing."""
    return JoseTokens.at(key_path(path))
