"""Rotating: the keys of a store for people to look at, and the hand-over to a new one."""

from typing import Any

from kernos.adapters.system.clock import SystemClock
from kernos.app.cli.opening import existing, whole_store
from kernos.app.cli.showing import print_json, print_table
from kernos.app.settings import Settings
from kernos.app.stores import rotate_store_key, store_keys
from kernos.app.story import when
from kernos.vocabulary.administration import Scope
from kernos.vocabulary.signing import SigningKey


def show_keys(settings: Settings, *, as_json: bool) -> None:
    """Print a store's keys. Raises NotFound, NotAllowed, BadConfiguration (it has none yet), Tampered."""
    whole_store(existing(settings), "the key of the store", Scope.LOOK)
    *older, newest = store_keys(settings.store)
    if as_json:
        print_json({"in_force": _account(newest), "older": [_account(one) for one in reversed(older)]})
        return
    print(f"key id:      {newest.id}")
    print(f"public key:  {newest.public_key.hex()}")
    print(f"in force:    since {_since(newest)}")
    if older:
        print("\nolder keys, the newest first:")
        headings = ("KEY ID", "SINCE", "UNTIL", "AT ENTRY", "BY", "OTHERS MAY HAVE IT", "PUBLIC KEY", "REASON")
        print_table(headings, [_columns(one) for one in reversed(older)])


def rotate(settings: Settings, reason: str, *, is_compromised: bool, as_json: bool) -> None:
    """Rotate a store's key and print what follows from it. Raises NotFound, NotAllowed, StoreBusy, InvalidInput, Tampered."""
    by = whole_store(existing(settings), "rotating the key", Scope.ADMINISTER)
    rotate_store_key(settings.store, SystemClock(), by=by, reason=reason, is_compromised=is_compromised)
    *_, ended, newest = store_keys(settings.store)
    if as_json:
        print_json({"in_force": _account(newest), "ended": _account(ended)})
        return
    print(
        f"key {newest.id} is in force from {newest.since_size} entries on; key {ended.id} signed the hand-over and is destroyed"
    )
    print(f"public key:  {newest.public_key.hex()}")
    unused = "counts no more: people are asked anew" if is_compromised else "counts until it expires"
    print(f"a yes that the old key signed and nobody has used {unused}")
    print(
        f"destroy copies of the old {settings.store.name}.key, too, and keep one of the new: nothing can be added without it"
    )
    print(
        "give the new public key to whoever checks the store or its approvals: kernos key show, kernos approval key --all"
    )


def _account(key: SigningKey) -> dict[str, Any]:
    account: dict[str, Any] = {
        "id": key.id,
        "public_key": key.public_key.hex(),
        "since_at": key.since_at,
        "since_size": key.since_size,
    }
    if key.until_at:
        account |= {
            "until_at": key.until_at,
            "until_size": key.until_size,
            "is_compromised": key.is_compromised,
            "by": key.by,
            "reason": key.reason,
        }
    return account


def _since(key: SigningKey) -> str:
    if not key.since_at:
        return "the store was made; nothing is recorded yet"
    return f"{when(key.since_at)}, at {key.since_size} entries"


def _columns(key: SigningKey) -> tuple[str, ...]:
    since = when(key.since_at) if key.since_at else "-"
    told = "yes" if key.is_compromised else "no"
    return key.id, since, when(key.until_at), str(key.until_size), key.by, told, key.public_key.hex(), key.reason or "-"
