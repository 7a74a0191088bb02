"""Raising: what goes into a person's signed word that more may be used of a cap, and which of the recorded ones count.

The word is an approval like any other: of one exact change, whose bytes it names. It is made with the command and checked where the cap counts.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from msgspec import json

from kernos.control.attestation import own_complaint
from kernos.control.gate import digest_of
from kernos.kernel.administration import Administration, RaisedCap
from kernos.kernel.budget import Raised
from kernos.kernel.identity import roles_of
from kernos.ports.approvals import ApprovalTokens, SignYes
from kernos.ports.clock import Chance
from kernos.vocabulary.administration import ADMINISTRATION
from kernos.vocabulary.approval import ApprovalClaims
from kernos.vocabulary.budget import CapRaised, Caps, Over, RaiseCap, Unit
from kernos.vocabulary.errors import BadToken, NotAllowed
from kernos.vocabulary.ids import UUID_BITS, EpochMs, PrincipalId, StepName, TenantId, uuid4
from kernos.vocabulary.journal import TreeHead
from kernos.vocabulary.quantities import Json

RAISE = "kernos.budget.raise"
"""Stands for the tool in such a token. A yes to an action never passes for it: that one names its run."""

_FIELDS = ("tenant", "over", "name", "unit", "old", "new", "reason", "until", "asked_by")
_NEVER = EpochMs(1 << 62)
_DIGEST = hashlib.sha256(" ".join((RAISE, *_FIELDS)).encode()).hexdigest()[:16]


def change_of(raised: CapRaised | RaiseCap) -> Json:
    """Return the change as the JSON that the signed word is about."""
    return Json(json.encode({name: getattr(raised, name) for name in _FIELDS}))


@dataclass(frozen=True, slots=True)
class Signing:
    """What signs: the deployment's key, and with it the person's own where they give one."""

    tokens: ApprovalTokens
    chance: Chance
    ttl_ms: int
    """How long the word may be used."""
    own: SignYes | None = None


def signed(command: RaiseCap, by: PrincipalId, at: EpochMs, head: TreeHead | None, signing: Signing) -> tuple[str, str]:
    """Return the token of a person's word for a change, and the same signed with their own key (empty without)."""
    digest = digest_of(change_of(command))
    claims = ApprovalClaims(
        token_id=uuid4(signing.chance.bits(UUID_BITS)),
        by=by,
        tenant=command.tenant,
        issued_at=at,
        expires_at=EpochMs(at + signing.ttl_ms),
        tool=RAISE,
        tool_digest=_DIGEST,
        args_digest=digest,
        run=ADMINISTRATION,
        step=StepName(""),
        checkpoint="",
        head_size=head.size if head is not None else 0,
        head_root=head.root.hex() if head is not None else "",
        policy_set="",
        rules=(),
        shown_digest=digest,
    )
    return signing.tokens.seal(claims), signing.own(claims) if signing.own is not None else ""


@dataclass(frozen=True, slots=True)
class _Known:
    """What counts, what that was taken from, and for how long."""

    of: tuple[object, ...]
    since: EpochMs
    until: EpochMs
    amounts: Raised


class Raises:
    """The raised caps that count, for one kernel."""

    def __init__(
        self,
        tokens: ApprovalTokens,
        state: Callable[[], Administration],
        now: Callable[[], EpochMs],
        caps: Callable[[], Caps],
    ) -> None:
        """Take what reads tokens, where raises are recorded, the time, and the caps in force, which say what a raise takes."""
        self._tokens = tokens
        self._state = state
        self._now = now
        self._caps = caps
        self._known: _Known | None = None

    def amounts(self) -> Raised:
        """Return the caps as they were raised by words that hold; looked at anew whenever one is added or ends, somebody's key or role changes, or the settings do."""
        state, now, caps = self._state(), self._now(), self._caps()
        known, of = self._known, (state.caps, state.own_keys, state.members, caps)
        if (
            known is None
            or any(a is not b for a, b in zip(known.of, of, strict=True))
            or not known.since <= now < known.until
        ):
            found: dict[tuple[TenantId, Over, str, Unit], int] = {}
            for key, newest in state.caps.items():
                amounts = [one.data.new for one in newest.all() if not self.complaint(one)]
                if amounts:
                    found[key] = max(amounts)
            ends = [one.data.until for newest in state.caps.values() for one in newest.all() if one.data.until > now]
            self._known = known = _Known(of, now, min(ends, default=_NEVER), found)
        return known.amounts

    def check(self, raised: RaisedCap) -> None:
        """Raise NotAllowed where a word would not hold that is about to be recorded."""
        wrong = self.complaint(raised)
        if wrong:
            message = f"the cap is not raised: {wrong}"
            hint = "A key of yours signs with --sign-with FILE (docs/approvals.md); another one asks with `kernos budget ask`."
            raise NotAllowed(message, hint=hint)

    def complaint(self, raised: RaisedCap) -> str:
        """Return why a raise does not count; empty: it does."""
        if not raised.by.startswith("person:"):
            return f"{raised.by} is no person, and only a person raises a cap"
        try:
            claims = self._tokens.read(raised.data.token)
        except BadToken as error:
            return str(error)
        said = (claims.tool, claims.tool_digest, claims.args_digest, claims.by, claims.run)
        if said != (RAISE, _DIGEST, digest_of(change_of(raised.data)), raised.by, ADMINISTRATION):
            return "what is signed is another word than what stands in the journal"
        if raised.at >= claims.expires_at:
            return "it was given when the signed word could be used no more"
        wrong = self._tokens.distrusted(raised.data.token, claims) or self._lacks(raised)
        wants_own_key = self._caps().is_raised_with_own_key
        if wrong or not (wants_own_key or raised.data.own_signature):
            return wrong
        if not raised.data.own_signature:
            return f"raising a cap takes the signature of {raised.by} with a key of their own"
        return own_complaint(self._tokens, self._state().own_keys, claims, raised.data.own_signature)

    def _lacks(self, raised: RaisedCap) -> str:
        """Return what a raise lacks by the settings and the time of now; empty: nothing."""
        data, caps = raised.data, self._caps()
        if data.until and data.until <= self._now():
            return "it has ended"
        if caps.raised_by and not set(caps.raised_by) & roles_of(self._state(), raised.by, data.tenant):
            return f"{raised.by} does not have the role {' or '.join(caps.raised_by)}"
        if caps.is_asked_by_another and (data.asked_by == raised.by or not data.asked_by.startswith("person:")):
            return f"no person but {raised.by} asked for it"
        return ""


def recorded(command: RaiseCap, by: PrincipalId, at: EpochMs) -> RaisedCap:
    """Return what a command would record."""
    data = CapRaised(**{name: getattr(command, name) for name in (*_FIELDS, "token", "own_signature")})
    return RaisedCap(by, at, data)
