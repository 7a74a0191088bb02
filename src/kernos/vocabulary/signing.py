"""Signing keys: the Ed25519 keys that a store signs with, one after the other, as everybody may know them."""

import hashlib
from dataclasses import dataclass

from kernos.vocabulary.ids import EpochMs

_ID_DIGITS = 16


def key_id(public_key: bytes) -> str:
    """Return the id by which tokens and people name a key: the first 16 hex digits of the SHA-256 of its 32 bytes."""
    return hashlib.sha256(public_key).hexdigest()[:_ID_DIGITS]


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One key of a store, and how its time ended, if it has."""

    public_key: bytes
    since_at: EpochMs
    """When it came in force: the hand-over to it, or the first tree head; 0 while there is none."""
    since_size: int
    """How many entries the journal had then."""
    until_at: EpochMs = EpochMs(0)
    """When it was rotated away; 0 while it is in force. What follows is empty then."""
    until_size: int = 0
    is_compromised: bool = False
    """Whether others may have it: then nothing unused counts that it signed."""
    by: str = ""
    reason: str = ""

    @property
    def id(self) -> str:
        """Its id."""
        return key_id(self.public_key)
