"""Signer: the deployment's key."""

from typing import Protocol


class Signer(Protocol):
    """Ed25519 signatures by one key."""

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte signature of `message` (RFC 8032); the same message gives the same signature."""
        ...

    def public_key(self) -> bytes:
        """Return the 32-byte public key."""
        ...
