"""Trust: which keys a store is checked with. For `verify`, which also takes stores that were tampered with.

The key file beside the store vouches for the newest key, or somebody's own copy of one public key for those that follow on it. Each hand-over is
believed as far as the key before signed it; what comes behind one that is not stands under keys that nobody vouches for.
"""

from dataclasses import dataclass
from pathlib import Path

import apsw

from kernos.adapters.sqlite.files import key_path
from kernos.adapters.sqlite.heads import Notary
from kernos.adapters.sqlite.keyring import first_key, hand_overs_in, head_at, key_in_force, signer_in_force
from kernos.adapters.sqlite.locate import Findings
from kernos.ports.signer import CheckSignature, OpenKey, Signer

LOOKS = 5
"""Looks at store and key file until both are of one moment: a rotation takes milliseconds."""

_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Trusted:
    """A public key of a store that somebody has from elsewhere, and how signatures are checked."""

    public_key: bytes
    is_signed: CheckSignature


def find_signer(connection: apsw.Connection, path: Path, open_key: OpenKey, *, is_needed: bool) -> Signer | None:
    """Open the key beside a store that is in force as far as the store says so, else the one that is there.

    None when there is none and none is needed. Raises BadConfiguration.
    """
    if not is_needed and not key_path(path).exists():
        return None
    try:
        signer = signer_in_force(path, key_in_force(connection), open_key)
    except (ValueError, apsw.Error):
        signer = None  # The store is damaged; the steps of `verify` tell where.
    return signer or open_key(key_path(path), may_make=False)


def is_in_force(connection: apsw.Connection, signer: Signer) -> bool:
    """Tell whether a key is the newest one that the store names."""
    try:
        return key_in_force(connection) == signer.public_key().hex()
    except (ValueError, apsw.Error):
        return False


def follow_keys(
    connection: apsw.Connection, signer: Signer | None, trusted: Trusted | None, findings: Findings
) -> Notary:
    """Return what knows the store's keys, followed from the first one as far as each hand-over was signed by the key before."""
    try:
        hand_overs = hand_overs_in(connection)
    except (ValueError, apsw.Error) as error:
        findings.add("hand_over", -1, f"the hand-overs of the store's key cannot be read: {error}")
        hand_overs = []
    own = signer.public_key() if signer is not None else b""
    first = _key_of(first_key(connection))
    begin = first if hand_overs or not own else own
    is_signed = signer.is_signed if trusted is None and signer is not None else trusted.is_signed if trusted else None
    notary = Notary(signer, first=begin or own or bytes(_KEY_BYTES), is_signed=is_signed)
    for hand_over in hand_overs:
        try:
            notary.follow(hand_over, head_at(connection, hand_over.size))
        except ValueError as error:
            message = f"hand-over {hand_over.number} of the store's key is not what was signed: {error}"
            findings.add("hand_over", hand_over.size - 1, message)
            break
    if own and (notary.keys[-1] != own or (not hand_overs and first != own)):
        findings.add("key", -1, "the store names another public key than that of its key file")
    if trusted is not None and trusted.public_key not in notary.keys:
        known = ", ".join(key.hex() for key in notary.keys)
        findings.add("trust", -1, f"the trusted key is none of those that the store was signed with: {known}")
    return notary


def _key_of(text: str) -> bytes:
    """Return a public key that a store names; nothing for what is none."""
    try:
        key = bytes.fromhex(text)
    except ValueError:
        return b""
    return key if len(key) == _KEY_BYTES else b""
