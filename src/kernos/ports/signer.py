"""Signer: the deployment's key."""

from pathlib import Path
from typing import Protocol


class Signer(Protocol):
    """Ed25519 signatures by one key."""

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte signature of `message` (RFC 8032); the same message gives the same signature."""
        ...

    def public_key(self) -> bytes:
        """Return the 32-byte public key."""
        ...


class OpenKey(Protocol):
    """How the key of a store is opened."""

    def __call__(self, path: Path, *, may_make: bool) -> Signer:
        """Return the key in the file at `path`; make one if there is none and `may_make`. Raises BadConfiguration."""
        ...
