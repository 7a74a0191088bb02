"""Own keys: keys that people keep for themselves, of which a store knows the public half and whose it is."""

from dataclasses import dataclass

from kernos.vocabulary.ids import PrincipalId

JWS_ED25519 = "jws-ed25519"
"""The form of a signature that one can give with a key in a file: a JSON Web Signature of alg Ed25519 over the whole yes."""

# --- events ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OwnKeyAdded:
    """A person signs with this key from now on; they may have several."""

    key: str
    """Its id, see `vocabulary/signing.py`."""
    principal: PrincipalId
    public_key: str
    """64 hex digits."""
    form: str = JWS_ED25519
    """How what it signs is written."""


@dataclass(frozen=True, slots=True)
class OwnKeyRevoked:
    """What this key signed counts no more, unless it was used before."""

    key: str
    reason: str = ""


# --- commands ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AddOwnKey:
    """Let a person sign with a key."""

    key: str
    principal: PrincipalId
    public_key: str
    form: str = JWS_ED25519


@dataclass(frozen=True, slots=True)
class RevokeOwnKey:
    """Let a person sign with a key no more."""

    key: str
    reason: str = ""
