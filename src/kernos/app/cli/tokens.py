"""Tokens: signed answers for people to look at, and checked."""

import re
import sys
from base64 import urlsafe_b64decode
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from msgspec import MsgspecError, json

from kernos.adapters.joserfc.tokens import TokenReader
from kernos.adapters.system.clock import SystemClock
from kernos.app.cli.foreground import waits
from kernos.app.cli.opening import existing, plain_kernel
from kernos.app.cli.options import FAILED
from kernos.app.cli.showing import print_json, read_json
from kernos.app.settings import Settings
from kernos.app.stores import open_tokens
from kernos.app.story import when
from kernos.control.attestation import shown_of
from kernos.control.codec import decode_entry
from kernos.control.gate import digest_of
from kernos.kernel.evolve import evolve
from kernos.kernel.state import RunState
from kernos.vocabulary.approval import ApprovalClaims
from kernos.vocabulary.errors import BadConfiguration, BadToken, NotFound
from kernos.vocabulary.events import (
    ApprovalEdited,
    ApprovalExplained,
    ApprovalGranted,
    ApprovalQuestioned,
    ApprovalRequested,
    ApprovalVoiced,
)
from kernos.vocabulary.ids import EpochMs, RunId, StepName
from kernos.vocabulary.quantities import Json

_FROM_INPUT = "-"
_KEY_ID = re.compile(r"[0-9a-f]{1,64}")
"""What an id of a key may look like; a token that nobody signed may name anything."""


async def show_approval(settings: Settings, place: str, *, as_json: bool) -> None:
    """Print what was asked at RUN or RUN.STEP as the person saw it, and the token of their yes. Raises NotFound."""
    async with plain_kernel(settings) as kernel:
        prefix, _, step = place.partition(".")
        run = await kernel.find(prefix)
        shown, token, own = _asked(run, step, [decode_entry(entry) for entry in await kernel.journal.read(run)])
        asking = [one for one in await waits(kernel, run) if one.kind == "approval" and step in ("", one.step)]
    if as_json:
        print_json(
            {
                "shown": shown,
                "token": token,
                "own_signature": own,
                "claims": asdict(open_tokens(settings.store).read(token)),
            }
            if token
            else {"shown": shown}
        )
        return
    _print_pairs(
        {name: value if isinstance(value, str) else json.encode(value).decode() for name, value in shown.items()}
    )
    print()
    print(f"signed yes:  {token}" if token else "nobody has said yes so far")
    if own:
        print(f"own key:     {own}")
    for wait in asking:
        print(f"step {wait.step} waits until {when(wait.due_at)} for a person's yes to {wait.about()}")
        print(f"next: {wait.command(settings.repeated)}")


def _asked(run: RunId, step: str, events: Any) -> tuple[dict[str, Any], str, str]:
    """Return what was shown of the newest question to a person (at `step`, if given), the token of the answer, and the same by their own key.

    Either is empty without.
    """
    state, asked, token, own = RunState(run), dict[str, Any](), "", ""
    for event in events:
        state = evolve(state, event)
        match event.data:
            case ApprovalRequested(step=at) if step in ("", at):
                asked, token, own = shown_of(state, StepName(at)), "", ""
            case ApprovalVoiced(step=at) | ApprovalQuestioned(step=at) | ApprovalExplained(step=at) if step in ("", at):
                asked = shown_of(state, StepName(at))
            case ApprovalGranted(step=at) | ApprovalEdited(step=at) if step in ("", at):
                token, own = event.data.token, event.data.own_signature
    if not asked:
        message = f"no person was asked about a call at {run}{'.' if step else ''}{step}"
        raise NotFound(message, hint=f"See its steps with `kernos trace {run}`.")
    return asked, token, own


def verify_token(settings: Settings, token: str, key: str, arguments: str, *, as_json: bool) -> int:
    """Print what a token says, and whether it still counts; return the exit code. Raises BadToken for what this key did not sign."""
    text = (sys.stdin.read() if token == _FROM_INPUT else token).strip()
    reader = _reader(settings, key)
    try:
        claims = reader.read(text)
    except BadToken as wrong:
        raise BadToken(f"{str(wrong).rstrip(': ')}{_other_key(text, reader)}") from wrong
    distrusted = reader.distrusted(text, claims)
    remarks: list[str] = [distrusted] if distrusted else []
    signed_by = reader.key_of(text)
    if arguments:
        given = Json(json.encode(read_json(arguments, "--arguments")))
        if digest_of(given) != claims.args_digest:
            remarks.append("it is for OTHER ARGUMENTS than those given")
    is_bad = bool(remarks)
    if SystemClock().now() >= claims.expires_at:
        remarks.append("it has expired: no action may be made with it any more")
    if as_json:
        print_json(
            {"claims": asdict(claims), "key": signed_by.id, "is_own_key": reader.is_own(text), "remarks": remarks}
        )
    else:
        _print_claims(claims)
        for remark in remarks:
            print(remark)
        print(
            f"the signature is that of {'the own key' if reader.is_own(text) else 'key'} {signed_by.id}"
            + (f", in force until {_time(signed_by.until_at)}" if signed_by.until_at else "")
            + ("" if is_bad or not arguments else ", and the yes is to these arguments")
        )
    return FAILED if is_bad else 0


def _other_key(token: str, reader: TokenReader) -> str:
    """Say which key a token names where that is another than the one it is checked with; empty where it names none."""
    head = token.partition(".")[0]
    try:
        named = json.decode(urlsafe_b64decode(head + "=" * (-len(head) % 4)), type=dict[str, Any]).get("kid")
    except (ValueError, MsgspecError):
        return ""
    if not isinstance(named, str) or not _KEY_ID.fullmatch(named) or named == reader.newest.id:
        return ""
    return f"; it names key {named}, and was checked with {reader.newest.id}"


def _reader(settings: Settings, key: str) -> TokenReader:
    if not key:
        return open_tokens(existing(settings).store)
    try:
        return TokenReader.of(Path(key).read_text(encoding="utf-8"), reads_own=True)
    except (OSError, UnicodeDecodeError) as error:
        message = f"the key file {key} could not be read: {error}"
        raise BadConfiguration(message, hint="Write it with `kernos approval key > key.jwk`.") from error


def _print_claims(claims: ApprovalClaims) -> None:
    _print_pairs(
        {
            "who": claims.by,
            "tenant": claims.tenant,
            "tool": f"{claims.tool} (declaration {claims.tool_digest})",
            "arguments": f"SHA-256 {claims.args_digest}",
            "run": f"{claims.run}, step {claims.step}" + (f", after {claims.checkpoint}" if claims.checkpoint else ""),
            "said at": _time(claims.issued_at),
            "usable until": f"{_time(claims.expires_at)}, once",
            "policy": f"set {claims.policy_set}" + (f", rules {', '.join(claims.rules)}" if claims.rules else ""),
            "shown": f"SHA-256 {claims.shown_digest}",
            "journal": f"{claims.head_size} events, root {claims.head_root}",
            "token id": claims.token_id,
        }
    )


def _print_pairs(pairs: dict[str, str]) -> None:
    width = max(map(len, pairs)) + 2
    for name, value in pairs.items():
        print(f"{name + ':':<{width}}{value}")


def _time(at: EpochMs) -> str:
    return datetime.fromtimestamp(at / 1_000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
