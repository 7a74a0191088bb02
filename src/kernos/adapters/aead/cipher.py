"""Cipher: the keys of subjects, wrapped by the deployment's, and what they seal.

AES-256-GCM with a fresh 96-bit nonce each time; HMAC-SHA-256 for handles and for the index of subjects; keys for each use are derived with
HKDF-SHA-256 (RFC 5869). What is encrypted is bound to its place: it opens nowhere else.
"""

import hashlib
import hmac
import os
from base64 import b32encode
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from kernos.ports.clock import Chance
from kernos.vocabulary.errors import BadConfiguration, Tampered
from kernos.vocabulary.ids import TenantId

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
_NAME_BYTES: Final = 10
"""Of a key's name: 16 letters in base 32."""

MAC_BYTES: Final = 16
"""Of a handle: 128 bits, so that two values of one subject never meet by chance."""


class FileCipher:
    """The deployment's key in a file (64 hex digits, mode 0600), and what is done with it."""

    def __init__(self, key: bytes, chance: Chance) -> None:
        """Take the key, `at` reads it from its file, and where new keys and nonces come from."""
        self._chance = chance
        self._wrapping = AESGCM(_derived(key, b"kernos wrapping"))
        self._index = _derived(key, b"kernos index")

    @classmethod
    def at(cls, path: Path, chance: Chance, *, may_make: bool) -> "FileCipher":
        """Read the key, or make one where nothing was sealed yet. Raises BadConfiguration."""
        if may_make and not path.exists():
            _make(path, _bytes_of(chance, KEY_BYTES))
        try:
            text = path.read_text(encoding="ascii").strip()
            key = bytes.fromhex(text)
        except FileNotFoundError as error:
            message = f"{path} is missing: the key that opens the sealed values of the store beside it"
            raise BadConfiguration(
                message, hint="Restore the key file; without it no sealed value can be read."
            ) from error
        except ValueError as error:
            message = f"{path} is not a key: it should hold {2 * KEY_BYTES} hex digits"
            raise BadConfiguration(message, hint="Restore the key file that belongs to this store.") from error
        if len(key) != KEY_BYTES:
            message = f"{path} is not a key: it holds {len(key)} bytes and not {KEY_BYTES}"
            raise BadConfiguration(message, hint="Restore the key file that belongs to this store.")
        return cls(key, chance)

    def index(self, tenant: TenantId, subject: str) -> bytes:
        """Return what a subject is found by; without the deployment's key nobody can tell who it is (32 bytes)."""
        return _digest(self._index, tenant, subject)

    def new_key(self, tenant: TenantId) -> tuple[str, bytes]:
        """Return the name of a new subject's key (16 letters), and the key, wrapped (60 bytes)."""
        name = b32encode(_bytes_of(self._chance, _NAME_BYTES)).decode().lower()
        nonce, key = _bytes_of(self._chance, NONCE_BYTES), _bytes_of(self._chance, KEY_BYTES)
        return name, nonce + self._wrapping.encrypt(nonce, key, _place(name, tenant))

    def unwrap(self, wrapped: bytes, name: str, tenant: TenantId) -> "SubjectCipher":
        """Return what a subject's key does. Raises Tampered for one that does not belong to this name and tenant."""
        try:
            key = self._wrapping.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], _place(name, tenant))
        except InvalidTag as error:
            message = (
                f"the key {name} of the vault does not open with the deployment's key, or is not of tenant {tenant}"
            )
            raise Tampered(message, hint="Restore the vault's files together, from one backup.") from error
        return SubjectCipher(key, _place(name, tenant), self._chance)


class SubjectCipher:
    """One subject's key."""

    def __init__(self, key: bytes, place: bytes, chance: Chance) -> None:
        self._chance = chance
        self._sealing = AESGCM(_derived(key, b"kernos sealing"))
        self._naming = _derived(key, b"kernos naming")
        self._place = place

    def mac(self, label: str, text: str) -> str:
        """Return the part of a handle that follows from the value (26 letters)."""
        return b32encode(_digest(self._naming, label, text)[:MAC_BYTES]).decode().rstrip("=").lower()

    def encrypt(self, label: str, mac: str, text: str) -> bytes:
        """Encrypt a value for its place."""
        nonce = _bytes_of(self._chance, NONCE_BYTES)
        return nonce + self._sealing.encrypt(nonce, _bytes(text), self._place + _joined(label, mac))

    def decrypt(self, label: str, mac: str, body: bytes) -> str:
        """Return the value. Raises Tampered for what was not encrypted for this place."""
        try:
            text = self._sealing.decrypt(body[:NONCE_BYTES], body[NONCE_BYTES:], self._place + _joined(label, mac))
        except InvalidTag as error:
            message = f"a value labelled {label} in the vault is not what was sealed there"
            raise Tampered(message, hint="Restore the vault's files from a backup.") from error
        return text.decode("utf-8", "surrogatepass")


def _bytes_of(chance: Chance, length: int) -> bytes:
    return chance.bits(8 * length).to_bytes(length, "big")


def _make(path: Path, key: bytes) -> None:
    """Make a key file whose name is durable; where another process was first, its key counts."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    file = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.write(file, f"{key.hex()}\n".encode())
        os.fsync(file)
    finally:
        os.close(file)
    try:
        os.link(part, path)
    except FileExistsError:
        pass  # Read, then, what the other one made.
    finally:
        part.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _derived(key: bytes, use: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=use).derive(key)


def _digest(key: bytes, *parts: str) -> bytes:
    return hmac.new(key, _joined(*parts), hashlib.sha256).digest()


def _place(name: str, tenant: TenantId) -> bytes:
    return _joined(tenant, name)


def _joined(*parts: str) -> bytes:
    """Join texts so that no two lists of them look alike."""
    return b"".join(len(part := _bytes(one)).to_bytes(8, "big") + part for one in parts)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
