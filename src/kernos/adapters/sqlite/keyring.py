"""Keyring: which keys a store was signed with, which one is in force, and the file that holds it.

The store names its first public key; the hand-overs name the others. Beside the store lies the private key in force: in `NAME.key`, or, between
the moment in which a rotation counts and the next in which its file has its name, in `NAME.key.next`.
"""

from pathlib import Path
from typing import Protocol, TypeVar

import apsw

from kernos.adapters.sqlite.files import key_path
from kernos.adapters.sqlite.hand_overs import HAND_OVER_COLUMNS, HandOver, hand_over_of_row
from kernos.adapters.sqlite.heads import COLUMNS, ChainedHead, Notary, head_of_row
from kernos.adapters.sqlite.store import ROTATED_FORMAT, transaction
from kernos.ports.signer import CheckSignature, OpenKey, Signer
from kernos.vocabulary.errors import BadConfiguration, Tampered
from kernos.vocabulary.ids import EpochMs
from kernos.vocabulary.signing import SigningKey

SomeSigner_co = TypeVar("SomeSigner_co", bound=Signer, covariant=True)

_LOOKS = 5
"""Looks at store and files until both are of one moment: a rotation by another process takes milliseconds."""


def next_key_path(store: Path) -> Path:
    """Return where the next key of a store lies while it is rotated."""
    return store.with_name(f"{store.name}.key.next")


def first_key(connection: apsw.Connection) -> str:
    """Return the public key that the store was made with, in hex; empty before it has one."""
    return str(connection.execute("SELECT value FROM meta WHERE key='public_key'").get or "")


def hand_overs_in(connection: apsw.Connection) -> list[HandOver]:
    """Return the store's hand-overs as they stand there. Raises ValueError for one that no kernos wrote."""
    version = connection.pragma("user_version")
    if not isinstance(version, int) or version < ROTATED_FORMAT:
        return []
    rows = connection.execute(f"SELECT {HAND_OVER_COLUMNS} FROM hand_overs ORDER BY number")
    return [hand_over_of_row(row) for row in rows]


def head_at(connection: apsw.Connection, size: int) -> ChainedHead | None:
    """Return the store's tree head of a size. Raises ValueError for one that no kernos wrote."""
    row = connection.execute(f"SELECT {COLUMNS} FROM heads WHERE size=?", (size,)).fetchone()
    return head_of_row(row) if row is not None else None


def key_in_force(connection: apsw.Connection) -> str:
    """Return the newest public key that the store names, in hex, unchecked. Raises ValueError for a hand-over that no kernos wrote."""
    hand_overs = hand_overs_in(connection)
    return hand_overs[-1].public_key.hex() if hand_overs else first_key(connection)


class _Open(Protocol[SomeSigner_co]):
    def __call__(self, path: Path, *, may_make: bool) -> SomeSigner_co: ...


def signer_in_force(path: Path, public_key: str, open_key: _Open[SomeSigner_co]) -> SomeSigner_co | None:
    """Return the private key beside a store that belongs to a public one (hex). Raises BadConfiguration when there is none at all."""
    own = key_path(path)
    for file in (own, next_key_path(path), own):  # A rotation may move it from one name to the other meanwhile.
        try:
            signer = open_key(file, may_make=False)
        except BadConfiguration:
            if file == own:
                raise
            continue  # There is no next key, or one whose writing was cut short: it was never in force.
        if signer.public_key().hex() == public_key:
            return signer
    return None


def open_notary(connection: apsw.Connection, path: Path, open_key: OpenKey) -> Notary:
    """Open the key in force of a store that has one, and check every hand-over to it. Raises Tampered, BadConfiguration."""
    for _ in range(_LOOKS):
        try:
            with transaction(connection, "DEFERRED"):
                first, public_key = first_key(connection), key_in_force(connection)
                hand_overs = hand_overs_in(connection)
                befores = [head_at(connection, one.size) for one in hand_overs]
        except ValueError as error:
            raise Tampered(f"{path} has a damaged hand-over, or tree head before one") from error
        signer = signer_in_force(path, public_key, open_key)
        if signer is not None:
            return _followed(Notary(signer, first=_bytes(first, path)), hand_overs, befores, path)
    message = f"{key_path(path)} is not the key that {path} was made with, nor the one that its hand-overs lead to"
    raise Tampered(message, hint="Restore the key file that belongs to this store.")


def read_keys(connection: apsw.Connection, path: Path, is_signed: CheckSignature) -> tuple[SigningKey, ...]:
    """Return a store's keys, oldest first, each hand-over checked; needs no private key. Raises BadConfiguration, Tampered."""
    is_made = connection.execute("SELECT 1 FROM sqlite_schema WHERE name='meta'").get is not None
    first = first_key(connection) if is_made else ""
    if not first:
        raise keyless(path)
    try:
        with transaction(connection, "DEFERRED"):
            hand_overs = hand_overs_in(connection)
            befores = [head_at(connection, one.size) for one in hand_overs]
            begin = connection.execute("SELECT at FROM heads ORDER BY size LIMIT 1").get
    except ValueError as error:
        raise Tampered(f"{path} has a damaged hand-over, or tree head before one") from error
    notary = _followed(Notary(None, first=_bytes(first, path), is_signed=is_signed), hand_overs, befores, path)
    return _terms(notary, begin if isinstance(begin, int) else 0)


def keyless(path: Path) -> BadConfiguration:
    """Return the error for a store that no kernel has opened to write yet."""
    message = f"{path} has no key yet"
    return BadConfiguration(message, hint="It gets one when a kernel opens it for the first time.")


def _followed(notary: Notary, hand_overs: list[HandOver], befores: list[ChainedHead | None], path: Path) -> Notary:
    for hand_over, before in zip(hand_overs, befores, strict=True):
        try:
            notary.follow(hand_over, before)
        except ValueError as error:
            raise Tampered(f"hand-over {hand_over.number} of {path} is not what was signed: {error}") from error
    return notary


def _terms(notary: Notary, begin: int) -> tuple[SigningKey, ...]:
    terms = []
    since_at, since_size = EpochMs(begin), 0
    for key, ended in zip(notary.keys, notary.hand_overs, strict=False):
        terms.append(
            SigningKey(key, since_at, since_size, ended.at, ended.size, ended.is_compromised, ended.by, ended.reason)
        )
        since_at, since_size = ended.at, ended.size
    return (*terms, SigningKey(notary.keys[-1], since_at, since_size))


def _bytes(public_key: str, path: Path) -> bytes:
    try:
        return bytes.fromhex(public_key)
    except ValueError as error:
        raise Tampered(f"{path} names no public key, but {public_key!r}") from error
