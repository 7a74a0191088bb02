"""The signer port over a key file (PKCS 8, PEM, file mode 0600)."""

import os
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from kernos.vocabulary.errors import BadConfiguration


class FileSigner:
    """Ed25519 signatures by the key in a file."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        """Take the key; `open_or_make` reads it from its file."""
        self._key = key
        self._public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    @classmethod
    def open_or_make(cls, path: Path) -> "FileSigner":
        """Read the key, or make one at the first start. Raises BadConfiguration for a file that is no Ed25519 key."""
        try:
            return cls.open(path)
        except FileNotFoundError:
            return cls._make(path)

    @classmethod
    def open(cls, path: Path) -> "FileSigner":
        """Read the key. Raises FileNotFoundError, and BadConfiguration for a file that is no Ed25519 key."""
        try:
            key = load_pem_private_key(path.read_bytes(), None)
        except ValueError as error:
            message = f"{path} is not a private key: {error}"
            raise BadConfiguration(message, hint="Restore the key file that belongs to this store.") from error
        if not isinstance(key, Ed25519PrivateKey):
            message = f"{path} holds a key of another kind than Ed25519"
            raise BadConfiguration(message, hint="Restore the key file that belongs to this store.")
        return cls(key)

    @classmethod
    def _make(cls, path: Path) -> "FileSigner":
        key = Ed25519PrivateKey.generate()
        text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        part = path.with_name(f"{path.name}.{os.getpid()}.part")
        file = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.write(file, text)
            os.fsync(file)
        finally:
            os.close(file)
        try:
            os.link(part, path)  # Fails when another process was first: then its key counts.
        except FileExistsError:
            return cls.open(path)
        finally:
            part.unlink()
        return cls(key)

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte signature."""
        return self._key.sign(message)

    def public_key(self) -> bytes:
        """Return the 32-byte public key."""
        return self._public


def verify_signature(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Tell whether `signature` of `message` is by the key."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
