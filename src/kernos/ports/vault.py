"""Vault: where labelled values are kept, encrypted, one key for each subject of each tenant."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from kernos.vocabulary.ids import TenantId
from kernos.vocabulary.sealing import Handle


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose values: a name that the tenant knows them by, or the key of a handle that is theirs."""

    name: str = ""
    key: str = ""


class SubjectCipher(Protocol):
    """One subject's key, and what is done with it."""

    def mac(self, label: str, text: str) -> str:
        """Return the part of a handle that follows from the value."""
        ...

    def encrypt(self, label: str, mac: str, text: str) -> bytes:
        """Encrypt a value for its place."""
        ...

    def decrypt(self, label: str, mac: str, body: bytes) -> str:
        """Return the value. Raises Tampered."""
        ...


class Cipher(Protocol):
    """The deployment's key, under which the keys of subjects lie."""

    def index(self, tenant: TenantId, subject: str) -> bytes:
        """Return what a subject is found by (32 bytes)."""
        ...

    def new_key(self, tenant: TenantId) -> tuple[str, bytes]:
        """Return the name of a new subject's key (16 letters), and the key, wrapped (60 bytes)."""
        ...

    def unwrap(self, wrapped: bytes, name: str, tenant: TenantId) -> SubjectCipher:
        """Return what a subject's key does. Raises Tampered."""
        ...


class Opener(Protocol):
    """The sealed values of one store, as runs use them."""

    def seal(self, tenant: TenantId, subject: Subject, label: str, text: str) -> Handle:
        """Keep a value; return its handle once it is durable. Equal values of one subject give equal handles.

        Raises Erased for a subject that is named by a key which was destroyed.
        """
        ...

    def open(self, tenant: TenantId, handle: Handle) -> str:
        """Return the value. Raises Erased, and NotSealedHere for a handle that was not made here, or not for this tenant."""
        ...


class Vault(Opener, Protocol):
    """The sealed values of one store."""

    def keys(self, tenant: TenantId, subject: str) -> Sequence[str]:
        """Return the keys of a subject that were not destroyed."""
        ...

    def count(self, key: str) -> int:
        """Return how many values a key seals."""
        ...

    def tenant_of(self, key: str) -> TenantId | None:
        """Return whose key it is; None for one that is none of this vault's."""
        ...

    def destroy(self, keys: Collection[str]) -> None:
        """Destroy keys for good, and take away what they sealed. Those that are gone already stay so."""
        ...

    def close(self) -> None:
        """Let go of the files."""
        ...
