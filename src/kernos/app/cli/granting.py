"""Granting: changes who may give commands, and tells what came of it."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kernos.adapters.joserfc.tokens import TokenReader
from kernos.app.access import Access
from kernos.app.cli.opening import plain_kernel
from kernos.app.cli.showing import print_json, print_table
from kernos.app.kernel import Kernel
from kernos.app.settings import Settings, principal
from kernos.app.story import when
from kernos.control.authority import Secret
from kernos.vocabulary.errors import BadConfiguration
from kernos.vocabulary.ids import EpochMs

_DAY_MS = 86_400_000


def change(settings: Settings, verb: str, name: str, words: Mapping[str, Any]) -> None:
    """Do what a command of `kernos access` says. Raises what `Access` raises."""
    given = dict(words)
    if "days" in given:
        given["valid_ms"] = given.pop("days") * _DAY_MS
    who = name if verb in ("revoke", "revoke_key") else principal(name)
    issued = asyncio.run(_change(settings, verb, who, given))
    print(_told(verb, who, words))
    if issued is not None:
        secret, ends_at = issued
        print(f"credential {secret.credential}, good until {when(ends_at)}, shown this once:\n{secret.text}")
        print("its holder puts it into KERNOS_TOKEN, or into a file that KERNOS_TOKEN_FILE names")


async def _change(settings: Settings, verb: str, who: str, words: Mapping[str, Any]) -> tuple[Secret, EpochMs] | None:
    """Do it; return a new credential with when it ends."""
    async with Kernel(settings.store, works=False, token=settings.token) as kernel:  # Before the first run, too.
        access = Access(kernel)
        match verb:
            case "require":
                return _dated(kernel, await access.require(who, by=settings.by, **words))
            case "issue":
                valid_ms, tenant = words["valid_ms"], words["tenant"]
                issued = await access.issue(who, words["scopes"], tenant=tenant, valid_ms=valid_ms, by=settings.by)
                return _dated(kernel, issued)
            case "admit":
                await access.admit(who, by=settings.by, **words)
            case "dismiss":
                await access.dismiss(who, by=settings.by, **words)
            case "add_key":
                await access.add_key(who, by=settings.by, **words)
            case "revoke_key":
                await access.revoke_key(who, by=settings.by, **words)
            case _:
                await access.revoke(who, by=settings.by, **words)
    return None


def _dated(kernel: Kernel, secret: Secret) -> tuple[Secret, EpochMs]:
    return secret, kernel.administrator.state.credentials[secret.credential].expires_at


def _told(verb: str, who: str, words: Mapping[str, Any]) -> str:
    match verb:
        case "require":
            return f"from now on every command needs a credential; {who} administers"
        case "issue":
            return f"{who} may {', '.join(words['scopes'])} in tenant {words['tenant']}"
        case "admit":
            return f"{who} may act in tenant {words['tenant']}, in the roles: {', '.join(words['roles']) or 'none'}"
        case "dismiss":
            return f"{who} may act in tenant {words['tenant']} no more"
        case "add_key":
            return f"{who} signs with key {TokenReader.of(words['public_key']).newest.id} from now on"
        case "revoke_key":
            return f"what key {who} signs counts no more"
        case _:
            return f"credential {who} is void"


def read_public(path: str) -> str:
    """Return the text of a file with a public key. Raises BadConfiguration."""
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"the key file {path} could not be read: {error}"
        raise BadConfiguration(message, hint="Its person writes it: kernos key new --file ana.key > ana.jwk") from error


async def list_all(settings: Settings, *, as_json: bool) -> None:
    """Print who may act where, and which credentials there are."""
    async with plain_kernel(settings) as kernel:
        access = Access(kernel)
        members, credentials, keys = access.members(), access.credentials(), access.own_keys()
        is_required = kernel.administrator.state.is_access_required
    if as_json:
        print_json({"access_required": is_required, "members": members, "credentials": credentials, "own_keys": keys})
        return
    if not is_required:
        print("commands need no credential: whoever can write the store acts under the name they give")
    print_table(
        ("WHO", "TENANT", "ROLES"), [(one.principal, one.tenant, ", ".join(one.roles) or "none") for one in members]
    )
    rows = [
        (
            one.credential,
            one.principal,
            one.tenant,
            ", ".join(one.scopes),
            when(one.expires_at) if one.is_good else "void",
        )
        for one in credentials
    ]
    print_table(("CREDENTIAL", "WHO", "TENANT", "SCOPES", "GOOD UNTIL"), rows)
    if keys:
        print_table(
            ("OWN KEY", "WHO", "STATE"),
            [(one.key, one.principal, "void" if one.is_revoked else "good") for one in keys],
        )
