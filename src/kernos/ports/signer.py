"""Signer: the deployment's key."""

from pathlib import Path
from typing import Protocol


class CheckSignature(Protocol):
    """How signatures of others are checked."""

    def __call__(self, public_key: bytes, message: bytes, signature: bytes) -> bool:
        """Tell whether `signature` (RFC 8032) of `message` is by the key of which this is the public half (32 bytes)."""
        ...


class Signer(Protocol):
    """Ed25519 signatures by one key."""

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte signature of `message` (RFC 8032); the same message gives the same signature."""
        ...

    def public_key(self) -> bytes:
        """Return the 32-byte public key."""
        ...

    def is_signed(self, public_key: bytes, message: bytes, signature: bytes) -> bool:
        """Tell whether the key with this public half signed a message: for keys that were rotated away."""
        ...


class OpenKey(Protocol):
    """How the key of a store is opened."""

    def __call__(self, path: Path, *, may_make: bool) -> Signer:
        """Return the key in the file at `path`; make one if there is none and `may_make`. Raises BadConfiguration."""
        ...


class NewKey(Protocol):
    """How a key is made that follows on another."""

    def __call__(self) -> tuple[Signer, bytes]:
        """Return a key that nobody has had before, and what its file is to hold."""
        ...
