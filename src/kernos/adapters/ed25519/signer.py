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
        """Take the key; `at` reads it from its file."""
        self._key = key
        self._public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    @classmethod
    def at(cls, path: Path, *, may_make: bool) -> "FileSigner":
        """Read the key, or make one at the first start. Raises BadConfiguration when there is none, or none of this kind."""
        try:
            return cls.open(path)
        except FileNotFoundError as error:
            if may_make:
                return cls._make(path)
            message = f"{path} is missing: the key that signs the tree heads of the store beside it"
            raise BadConfiguration(message, hint="Restore the key file; without it nothing can be added.") from error

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
    def new(cls) -> tuple["FileSigner", bytes]:
        """Return a key that nobody has had before, and what its file is to hold."""
        key = Ed25519PrivateKey.generate()
        return cls(key), key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    @classmethod
    def _make(cls, path: Path) -> "FileSigner":
        made, text = cls.new()
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
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)  # The name, too, is on disk before anything is signed.
        finally:
            os.close(folder)
        return made

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte signature."""
        return self._key.sign(message)

    def private_key(self) -> Ed25519PrivateKey:
        """Return the key itself, for what signs in other forms."""
        return self._key

    def public_key(self) -> bytes:
        """Return the 32-byte public key."""
        return self._public

    @staticmethod
    def is_signed(public_key: bytes, message: bytes, signature: bytes) -> bool:
        """Tell whether the key with this public half signed a message."""
        try:
            Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
        except (InvalidSignature, ValueError):  # ValueError: these bytes are no key.
            return False
        return True
