"""Vault over SQLite: sealed values in a file beside the store, their subjects' keys in slots that can be overwritten.

`NAME.vault` holds what was encrypted, `NAME.vault.slots` the wrapped keys, `NAME.vault.key` the deployment's key that wraps them; all are
made with the first value that is sealed. Ordered: a value is durable before its handle is given out. Several processes share one vault.
"""

from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Final

import apsw

from kernos.adapters.sqlite.key_slots import KeySlots
from kernos.adapters.sqlite.store import connect, keep_log, let_go, said_plainly, transaction
from kernos.ports.vault import Cipher, Subject, SubjectCipher
from kernos.vocabulary.errors import Erased, ForeignStore, NotSealedHere
from kernos.vocabulary.ids import TenantId
from kernos.vocabulary.sealing import Handle

APPLICATION_ID: Final = 0x6B76_6C74  # "kvlt"
FORMAT: Final = 1
_KEYS_KEPT: Final = 4_096
_VALUES_KEPT: Final = 16_384
"""Handles known to be durable: sealing the same value again costs no look at the disk."""

_LOG_PAGES_MAX: Final = 1_000
"""Of the write-ahead log, before it is carried over into the file."""

_LAYOUT = """
CREATE TABLE keys(name TEXT PRIMARY KEY, tenant TEXT NOT NULL, slot INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE subjects(ref BLOB PRIMARY KEY, key TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX subjects_key ON subjects(key);
CREATE TABLE sealed(key TEXT NOT NULL, mac TEXT NOT NULL, label TEXT NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY(key, mac)) WITHOUT ROWID;
"""


def vault_path(store: Path) -> Path:
    """Return where the sealed values of a store lie."""
    return store.with_name(f"{store.name}.vault")


class SqliteVault:
    """The sealed values of the store at a path."""

    def __init__(
        self,
        store: Path,
        open_cipher: Callable[[Path, bool], Cipher],
        *,
        keys_kept: int = _KEYS_KEPT,
        values_kept: int = _VALUES_KEPT,
    ) -> None:
        """Take the store's path and what opens the deployment's key at a path, which it may make or not.

        `keys_kept`, `values_kept`: how many subjects' keys, and handles known to be durable, stay in memory.
        """
        self.path = vault_path(store)
        self._slots = KeySlots(self.path.with_name(f"{self.path.name}.slots"))
        self._key_path = self.path.with_name(f"{self.path.name}.key")
        self._open_cipher = open_cipher
        self._cipher: Cipher | None = None
        self._connection: apsw.Connection | None = None
        self._keys: OrderedDict[str, tuple[TenantId, SubjectCipher]] = OrderedDict()
        self._kept: OrderedDict[Handle, None] = OrderedDict()
        self._keys_kept, self._values_kept = keys_kept, values_kept

    def seal(self, tenant: TenantId, subject: Subject, label: str, text: str) -> Handle:
        """Keep a value; return its handle once it is durable. Raises Erased."""
        with said_plainly(self.path):
            name = subject.key or self._key_of(tenant, subject.name)
            cipher = self._unwrapped(tenant, name, label)
            handle = Handle(label, name, cipher.mac(label, text))
            if handle not in self._kept:
                body = cipher.encrypt(label, handle.mac, text)
                with transaction(self._open(), "IMMEDIATE"):
                    self._open().execute(
                        "INSERT OR IGNORE INTO sealed VALUES(?, ?, ?, ?)", (name, handle.mac, label, body)
                    )
                self._keep(handle)
        return handle

    def open(self, tenant: TenantId, handle: Handle) -> str:
        """Return the value. Raises Erased, NotSealedHere, Tampered."""
        with said_plainly(self.path):
            if not self.path.exists():
                raise NotSealedHere(f"a value labelled {handle.label} was not sealed in this store")
            cipher = self._unwrapped(tenant, handle.key, handle.label)
            body = (
                self._open()
                .execute(
                    "SELECT body FROM sealed WHERE key = ? AND mac = ? AND label = ?",
                    (handle.key, handle.mac, handle.label),
                )
                .get
            )
            if body is None:
                raise NotSealedHere(f"a value labelled {handle.label} was not sealed in this store")
            return cipher.decrypt(handle.label, handle.mac, body)

    def keys(self, tenant: TenantId, subject: str) -> Sequence[str]:
        """Return the keys of a subject that were not destroyed."""
        if not self.path.exists():
            return ()
        with said_plainly(self.path):
            ref = self._deployment().index(tenant, subject)
            name = self._open().execute("SELECT key FROM subjects WHERE ref = ?", (ref,)).get
            return (name,) if name is not None else ()

    def count(self, key: str) -> int:
        """Return how many values a key seals."""
        if not self.path.exists():
            return 0
        with said_plainly(self.path):
            return int(self._open().execute("SELECT count(*) FROM sealed WHERE key = ?", (key,)).get)

    def is_destroyed(self, key: str) -> bool:
        """Tell whether a key was destroyed; one that was never here was not."""
        if not self.path.exists():
            return False
        with said_plainly(self.path):
            slot = self._open().execute("SELECT slot FROM keys WHERE name = ?", (key,)).get
            return slot is not None and self._slots.read(slot, key) is None

    def tenant_of(self, key: str) -> TenantId | None:
        """Return whose key it is; None for one that is none of this vault's."""
        if not self.path.exists():
            return None
        with said_plainly(self.path):
            tenant = self._open().execute("SELECT tenant FROM keys WHERE name = ?", (key,)).get
            return TenantId(tenant) if tenant is not None else None

    def destroy(self, keys: Collection[str]) -> None:
        """Destroy keys for good, then take away what they sealed."""
        for name in keys:
            self._keys.pop(name, None)
        self._kept = OrderedDict((handle, None) for handle in self._kept if handle.key not in keys)
        if not keys or not self.path.exists():
            return
        with said_plainly(self.path):
            for name in keys:
                slot = self._open().execute("SELECT slot FROM keys WHERE name = ?", (name,)).get
                if slot is None:
                    continue
                self._slots.destroy(slot, name)
                if self._open().execute("SELECT 1 FROM subjects WHERE key = ?", (name,)).get is None:
                    continue
                with transaction(self._open(), "IMMEDIATE"):
                    self._open().execute("DELETE FROM sealed WHERE key = ?", (name,))
                    self._open().execute("DELETE FROM subjects WHERE key = ?", (name,))
                self._open().pragma("wal_checkpoint", "TRUNCATE")

    def close(self) -> None:
        """Let go of the file."""
        if self._connection is not None:
            keep_log(self._connection, keep=False)
            let_go(self._connection)
            self._connection = None
        self._keys.clear()

    # --- keys ----------------------------------------------------------------------------------------------------

    def _key_of(self, tenant: TenantId, subject: str) -> str:
        """Return the name of a subject's key, made if there is none."""
        ref = self._deployment().index(tenant, subject)
        connection = self._open()
        name = connection.execute("SELECT key FROM subjects WHERE ref = ?", (ref,)).get
        if name is None:
            with transaction(connection, "IMMEDIATE"):  # Another process may be first: then its key counts.
                name = connection.execute("SELECT key FROM subjects WHERE ref = ?", (ref,)).get
                name = name or self._new_key(connection, ref, tenant)
        return str(name)

    def _new_key(self, connection: apsw.Connection, ref: bytes, tenant: TenantId) -> str:
        name, wrapped = self._deployment().new_key(tenant)
        slot = self._slots.add(name, wrapped)
        connection.execute("INSERT INTO keys VALUES(?, ?, ?)", (name, tenant, slot))
        connection.execute("INSERT INTO subjects VALUES(?, ?)", (ref, name))
        return name

    def _unwrapped(self, tenant: TenantId, name: str, label: str) -> SubjectCipher:
        """Return a subject's key. Raises Erased, NotSealedHere."""
        kept = self._keys.get(name)
        if kept is None:
            row = self._open().execute("SELECT tenant, slot FROM keys WHERE name = ?", (name,)).get
            if row is None:
                raise NotSealedHere(f"a value labelled {label} was not sealed in this store")
            wrapped = self._slots.read(row[1], name)
            if wrapped is None:
                raise Erased(f"a value labelled {label} was erased with whom it was of")
            owner = TenantId(row[0])
            kept = self._keys[name] = (owner, self._deployment().unwrap(wrapped, name, owner))
            if len(self._keys) > self._keys_kept:
                self._keys.popitem(last=False)
        if kept[0] != tenant:
            raise NotSealedHere(f"a value labelled {label} was not sealed for tenant {tenant}")
        return kept[1]

    def _keep(self, handle: Handle) -> None:
        self._kept[handle] = None
        if len(self._kept) > self._values_kept:
            self._kept.popitem(last=False)

    # --- files ---------------------------------------------------------------------------------------------------

    def _deployment(self) -> Cipher:
        """Return the deployment's key; it is made where there is no vault yet."""
        if self._cipher is None:
            self._cipher = self._open_cipher(self._key_path, not self.path.exists())
        return self._cipher

    def _open(self) -> apsw.Connection:
        if self._connection is None:
            connection = connect(self.path, vfs=None, may_make=True)
            connection.wal_autocheckpoint(_LOG_PAGES_MAX)
            connection.pragma("secure_delete", "ON")
            connection.pragma("journal_mode", "wal")
            self._lay_out(connection)
            self._connection = connection
        return self._connection

    def _lay_out(self, connection: apsw.Connection) -> None:
        with transaction(connection, "IMMEDIATE"):
            mark, version = connection.pragma("application_id"), connection.pragma("user_version")
            if mark == 0 and version == 0:
                connection.execute(_LAYOUT)
                connection.pragma("application_id", APPLICATION_ID)
                connection.pragma("user_version", FORMAT)
            elif (mark, version) != (APPLICATION_ID, FORMAT):
                message = f"{self.path} is not a vault that this kernos knows"
                raise ForeignStore(message, hint="Move the file away, or install the kernos that made it.")
