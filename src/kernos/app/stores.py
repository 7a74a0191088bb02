"""Stores: how every program of kernos opens a store: with its projections, and signed by the key beside it."""

from pathlib import Path

from kernos.adapters.aead.cipher import FileCipher
from kernos.adapters.ed25519.signer import FileSigner
from kernos.adapters.joserfc.tokens import JoseTokens
from kernos.adapters.sqlite.files import key_path
from kernos.adapters.sqlite.hand_overs import Cause, HandOver
from kernos.adapters.sqlite.journal import SqliteJournal
from kernos.adapters.sqlite.keyring import signer_in_force
from kernos.adapters.sqlite.read_only import keys_of
from kernos.adapters.sqlite.rotation import rotate_key
from kernos.adapters.sqlite.vault import SqliteVault
from kernos.adapters.system.clock import SystemChance
from kernos.control.projections import TABLES
from kernos.ports.clock import Clock
from kernos.vocabulary.errors import Tampered
from kernos.vocabulary.signing import SigningKey


def open_store(path: Path, clock: Clock) -> SqliteJournal:
    """Open a store, or make one. Raises what `SqliteJournal` raises."""
    return SqliteJournal(path, TABLES, clock, open_key=FileSigner.at)


def open_vault(path: Path) -> SqliteVault:
    """Return where the sealed values of the store at `path` lie; its files are opened, or made, when they are first needed."""
    return SqliteVault(path, lambda key, may_make: FileCipher.at(key, SystemChance(), may_make=may_make))


def open_tokens(path: Path) -> JoseTokens:
    """Return what signs people's answers with the key of the store at `path`, and reads those of its older keys.

    Raises BadConfiguration when the key is missing, Tampered when it is that of another store.
    """
    keys = store_keys(path)
    signer = signer_in_force(path, keys[-1].public_key.hex(), FileSigner.at)
    if signer is None:
        message = f"{key_path(path)} is not the key of {path} that is in force"
        raise Tampered(message, hint="Restore the key file that belongs to this store.")
    return JoseTokens(signer.private_key(), keys[:-1])


def store_keys(path: Path) -> tuple[SigningKey, ...]:
    """Return the public keys of the store at `path`, oldest first. Raises BadConfiguration when it has none yet, Tampered."""
    return keys_of(path, FileSigner.is_signed)


def rotate_store_key(path: Path, clock: Clock, *, by: str, reason: str = "", is_compromised: bool = False) -> HandOver:
    """Give the store at `path` a new key and destroy the old one. Raises StoreBusy while a process runs agents over it, and what opening raises."""
    cause = Cause(by, reason, is_compromised)
    return rotate_key(path, clock, cause, open_key=FileSigner.at, new_key=FileSigner.new)
